/* Values from any text: no crash, and what is understood holds together. */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "domain/event.h"
#include "domain/money.h"
#include "domain/value.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(bool holds)
{
    if (!holds)
        abort();
}

static void try_number(const char *text, size_t size)
{
    for (int mark = COT_DECIMAL_UNKNOWN; mark <= COT_DECIMAL_COMMA; mark++) {
        struct cot_decimal value = {0};
        char currency[4] = "";
        int64_t minor = 0;
        if (cot_value_decimal(text, size, (enum cot_decimal_mark)mark, &value, currency) != COT_VALUE_OK)
            continue;
        check(value.scale >= 0 && value.scale <= 18 && strlen(currency) <= 3);
        cot_money_from_decimal(value, 2, &minor);
        cot_money_product(value, value, 2, &minor);
        check(mark != COT_DECIMAL_UNKNOWN || cot_value_looks_number(text, size) || size > 64);
    }
}

static void try_time(const char *text, size_t size)
{
    for (int order = COT_DATE_ORDER_UNKNOWN; order <= COT_DATE_ORDER_MDY; order++) {
        int64_t ms = -1;
        struct cot_civil civil;
        if (cot_value_time(text, size, (enum cot_date_order)order, NULL, &ms, NULL) == COT_VALUE_OK)
            check(ms >= COT_EVENT_MIN_MS && ms < COT_EVENT_MAX_MS);
        if (cot_value_civil(text, size, (enum cot_date_order)order, &civil) == COT_VALUE_OK)
            check(civil.month >= 1 && civil.month <= 12 && civil.day >= 1 && civil.day <= 31);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    /* A copy of its own size: reading behind the end is found. */
    char *text = malloc(size > 0 ? size : 1);
    char *email = malloc(size > 0 ? size : 1);
    struct cot_column_style style = {0};
    size_t email_size = 0;
    int64_t number = 0;
    bool flag = false;
    if (text == NULL || email == NULL)
        abort();
    if (size > 0)
        memcpy(text, data, size);
    try_number(text, size);
    try_time(text, size);
    cot_style_observe_number(&style, text, size);
    cot_style_observe_date(&style, text, size);
    check(memchr(style.example, '\0', sizeof style.example) != NULL);
    cot_value_int(text, size, &number);
    cot_value_bool(text, size, &flag);
    cot_value_clock(text, size, &number);
    cot_value_is_missing(text, size);
    if (cot_value_email(text, size, email, &email_size))
        check(email_size >= 6 && email_size <= 254 && memchr(email, '@', email_size) != NULL);
    free(email);
    free(text);
    return 0;
}
