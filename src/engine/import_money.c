/* What a record's money is in the shop's currency (import_write.h). */
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/civil.h"
#include "engine/import_write.h"

/* Rates of things without a date: the newest. */
#define NEWEST_DAY INT64_C(1000000)

bool cot_import_shop_settle_base(struct cot_import_shop *shop, const char *currency)
{
    double rate = 1;
    if (shop->base_currency[0] != '\0' || currency[0] == '\0')
        return true;
    if (cot_rate_table_find(&shop->rates, currency, NEWEST_DAY, &rate) && rate != 1)
        return false;
    memcpy(shop->base_currency, currency, 3);
    shop->base_currency[3] = '\0';
    shop->base_changed = true;
    return true;
}

static void refuse(struct cot_refusal *refusal, const char *code, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

static void refuse(struct cot_refusal *refusal, const char *code, const char *format, ...)
{
    va_list args;
    if (refusal->code != NULL)
        return;
    refusal->code = code;
    va_start(args, format);
    vsnprintf(refusal->reason, sizeof refusal->reason, format, args);
    va_end(args);
}

/* Rate from the record's currency to the base; 1 where they are the same or nothing is known. */
static double find_rate(struct cot_import_shop *shop, const struct cot_record *record, struct cot_refusal *refusal)
{
    char date[COT_TIME_TEXT_SIZE];
    double rate = 1;
    bool timeless = record->flags & COT_RECORD_TIMELESS;
    if (!cot_import_shop_settle_base(shop, record->currency)) {
        refuse(refusal, "no_base_currency",
               "the rates say that %s is a foreign currency, but not what the shop's own is: import with --currency",
               record->currency);
        return 1;
    }
    if (record->currency[0] == '\0' || strcmp(record->currency, shop->base_currency) == 0)
        return 1;
    int64_t day = timeless ? NEWEST_DAY : cot_ms_to_days(record->occurred_at_ms);
    if (!cot_rate_table_find(&shop->rates, record->currency, day, &rate)) {
        cot_format_date(record->occurred_at_ms, date, sizeof date);
        refuse(refusal, "no_rate", "no rate from %s to %s on %s: import the rates, then 'coterie quarantine replay'",
               record->currency, shop->base_currency, timeless ? "any day" : date);
    }
    return rate;
}

static int64_t convert(const struct cot_import_shop *shop, const struct cot_record *record, double rate, int64_t minor,
                       struct cot_refusal *refusal)
{
    int64_t converted = minor;
    if (strcmp(record->currency, shop->base_currency) == 0 || record->currency[0] == '\0')
        return minor;
    if (!cot_money_convert(minor, cot_currency_exponent(record->currency), rate,
                           cot_currency_exponent(shop->base_currency), &converted))
        refuse(refusal, "amount_too_large", "%lld minor units of %s are too much in %s", (long long)minor,
               record->currency, shop->base_currency);
    return converted;
}

/* Units x price, rounded half away from zero; refunds are negative. */
static int64_t multiply(const struct cot_record *record, int64_t unit_minor, struct cot_refusal *refusal)
{
    double quantity = record->quantity != 0 ? record->quantity : 1;
    double minor = round((double)unit_minor * quantity);
    if (!(fabs(minor) < 9e15))
        refuse(refusal, "amount_too_large", "%g units at %lld minor units each are too much", quantity,
               (long long)unit_minor);
    return record->event_kind == COT_EVENT_REFUND ? -(int64_t)minor : (int64_t)minor;
}

/* Prices that the catalogue knows, where the row has none. */
static void take_from_catalogue(struct cot_import_shop *shop, const struct cot_record *record, struct cot_money *money,
                                struct cot_refusal *refusal)
{
    bool needs_price = record->flags & COT_RECORD_NEEDS_PRICE;
    if (!needs_price && (money->cost_minor != COT_NO_MINOR || (record->flags & COT_RECORD_ADJUSTMENT)))
        return;
    uint32_t item = record->product_id.size > 0 ? cot_import_shop_find_item(shop, record->product_id) : COT_DICT_NONE;
    int64_t price = item == COT_DICT_NONE ? COT_NO_MINOR : cot_import_shop_price_at(shop, item, record->occurred_at_ms);
    int64_t cost = item == COT_DICT_NONE ? COT_NO_MINOR : cot_import_shop_cost_at(shop, item, record->occurred_at_ms);
    if (needs_price && price == COT_NO_MINOR) {
        refuse(refusal, "no_price",
               "no price of product '%.*s' in the catalogue: import the products, then 'coterie quarantine replay'",
               (int)(record->product_id.size < 80 ? record->product_id.size : 80), record->product_id.data);
        return;
    }
    if (needs_price)
        money->amount_minor = multiply(record, price, refusal);
    if (money->cost_minor == COT_NO_MINOR && cost != COT_NO_MINOR)
        money->cost_minor = multiply(record, cost, refusal);
}

void cot_money_resolve(struct cot_import_shop *shop, const struct cot_record *record, struct cot_money *ret_money,
                       struct cot_refusal *ret_refusal)
{
    const uint32_t any_money =
        COT_RECORD_HAS_AMOUNT | COT_RECORD_HAS_DISCOUNT | COT_RECORD_HAS_COST | COT_RECORD_HAS_PRICE;
    struct cot_money money = {COT_NO_MINOR, COT_NO_MINOR, COT_NO_MINOR, COT_NO_MINOR, COT_NO_MINOR, ""};
    ret_refusal->code = NULL;
    if (record->flags & any_money) {
        double rate = find_rate(shop, record, ret_refusal);
        memcpy(money.currency, record->currency[0] != '\0' ? record->currency : shop->base_currency, 4);
        if (record->flags & COT_RECORD_HAS_AMOUNT)
            money.amount_minor = convert(shop, record, rate, record->amount_minor, ret_refusal);
        if (record->flags & COT_RECORD_HAS_DISCOUNT)
            money.discount_minor = convert(shop, record, rate, record->discount_minor, ret_refusal);
        if (record->flags & COT_RECORD_HAS_COST)
            money.cost_minor = convert(shop, record, rate, record->cost_minor, ret_refusal);
        if (record->flags & COT_RECORD_HAS_PRICE)
            money.price_minor = convert(shop, record, rate, record->price_minor, ret_refusal);
        if ((record->flags & COT_RECORD_HAS_AMOUNT) && strcmp(money.currency, shop->base_currency) != 0)
            money.original_minor = record->amount_minor;
    }
    if (record->kind == COT_RECORD_EVENT &&
        (record->event_kind == COT_EVENT_ORDER_LINE || record->event_kind == COT_EVENT_REFUND))
        take_from_catalogue(shop, record, &money, ret_refusal);
    *ret_money = money;
}
