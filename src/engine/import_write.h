/*
 * From a record to rows of tables: identity, items and money resolved against the shop.
 */
#ifndef COT_ENGINE_IMPORT_WRITE_H
#define COT_ENGINE_IMPORT_WRITE_H

#include "domain/record.h"
#include "engine/import_shop.h"

/* What a record's money is in the base currency; COT_NO_MINOR: not known. */
struct cot_money {
    int64_t amount_minor;
    int64_t discount_minor;
    int64_t cost_minor;
    int64_t price_minor;    /* products */
    int64_t original_minor; /* the amount in its own currency, where that is another one */
    char currency[4];       /* its own; "" not known */
};

/* Why a row that was decoded can't be used after all. code NULL: nothing is wrong. */
struct cot_refusal {
    const char *code;
    char reason[256];
};

/* Sets the shop's base currency where it has none and this record has money in a known one; then converts by the dated
 * rates and prices by the catalogue. ret_refusal says what is missing. */
void cot_money_resolve(struct cot_import_shop *shop, const struct cot_record *record, struct cot_money *ret_money,
                       struct cot_refusal *ret_refusal);

/* Makes `currency` the shop's base where it has none. False: the rates say that it is a foreign one. */
bool cot_import_shop_settle_base(struct cot_import_shop *shop, const char *currency);

/* Brings the prices in memory from the two decimals of no known currency to those of the base, once it is settled. */
void cot_import_shop_rescale_prices(struct cot_import_shop *shop);

/* Stores the base as it was settled. Amounts that came in before, in no known currency and so with two decimals, get
 * those of the base: of events, and of products from imports before this one. Belongs into a transaction. */
cot_code cot_import_shop_store_base(struct cot_import_shop *shop, int32_t before_import,
                                    struct cot_err *err) COT_MUST_CHECK;

/* Who and what the writing of a row changed. */
struct cot_row_write {
    struct cot_hash128 hash; /* goes with the first row written that has a place for it */
    bool hash_written;
    bool changed; /* a node or a link is new */
    uint64_t n_undated, n_timeless;
};

cot_code cot_record_write(struct cot_import_shop *shop, const struct cot_record *record, const struct cot_trait *traits,
                          const struct cot_money *money, struct cot_row_write *write,
                          struct cot_err *err) COT_MUST_CHECK;

/* The node that the record's facts go with, the strongest it names; false where that isn't known yet. */
bool cot_record_node(const struct cot_import_shop *shop, const struct cot_record *record, uint32_t *ret_node);

/* Whether one of the record's identities was erased. */
bool cot_record_is_erased(const struct cot_import_shop *shop, const struct cot_record *record);

#endif
