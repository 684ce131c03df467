/* What a record's money is in the shop's currency (import_write.h). */
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/civil.h"
#include "engine/import_write.h"

/* Rates of things without a date: the newest. */
#define NEWEST_DAY INT64_C(1000000)

/* From the two decimals of no known currency to those of the shop's. */
static void rescale(const struct cot_import_shop *shop, int64_t *minor)
{
    if (*minor != COT_NO_MINOR) /* cannot overflow: amounts are below 10^15 and no currency has 5 decimals */
        (void)cot_money_convert(*minor, cot_currency_exponent(""), 1, cot_currency_exponent(shop->base_currency),
                                minor);
}

void cot_import_shop_rescale_prices(struct cot_import_shop *shop)
{
    if (cot_currency_exponent(shop->base_currency) == cot_currency_exponent(""))
        return;
    for (size_t i = 0; i < shop->n_prices; i++) {
        rescale(shop, &shop->prices[i].price_minor);
        rescale(shop, &shop->prices[i].cost_minor);
    }
}

cot_code cot_import_shop_store_base(struct cot_import_shop *shop, int32_t before_import, struct cot_err *err)
{
    char scaled[48]; /* what comes behind an amount; half away from zero, as everywhere */
    int shift = cot_currency_exponent(shop->base_currency) - cot_currency_exponent("");
    cot_code rc = COT_OK;
    snprintf(scaled, sizeof scaled, "* %g / %g) as bigint)", pow(10, fmax(shift, 0)), pow(10, fmax(-shift, 0)));
    if (shift != 0)
        rc = cot_store_exec(shop->store, err,
                            "update event set amount_minor = cast(round(amount_minor %s,"
                            " discount_minor = cast(round(discount_minor %s, cost_minor = cast(round(cost_minor %s"
                            " where currency is null and (amount_minor is not null or cost_minor is not null);"
                            "update item_fact set price_minor = cast(round(price_minor %s,"
                            " cost_minor = cast(round(cost_minor %s where import_id < %d",
                            scaled, scaled, scaled, scaled, scaled, (int)before_import);
    return rc == COT_OK ? cot_store_set_setting(shop->store, "base_currency", shop->base_currency, err) : rc;
}

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
    cot_import_shop_rescale_prices(shop);
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
    if (strcmp(record->currency, shop->base_currency) == 0)
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
    if (money->currency[0] == '\0') /* the catalogue's is the shop's; "" as long as that is not known */
        memcpy(money->currency, shop->base_currency, sizeof money->currency);
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
