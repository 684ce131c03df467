/*
 * What the importer knows of the shop while it runs: identities, links, items with their prices, rates, the counters of
 * ids, who was erased. Loaded from the store, changed as rows are taken, written through the bulk writers of the file's
 * transaction. After a rollback the shop is loaded again: memory never holds what the store does not.
 *
 * One thread.
 */
#ifndef COT_ENGINE_IMPORT_SHOP_H
#define COT_ENGINE_IMPORT_SHOP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/dict.h"
#include "coterie/err.h"
#include "domain/batch.h"
#include "domain/identity_sets.h"
#include "domain/money.h"
#include "engine/erased.h"
#include "engine/import_tap.h"
#include "store/writer.h"

#define COT_NO_MINOR INT64_MIN
#define COT_NO_FACT UINT32_MAX

/* A price or cost of one unit of an item, from a time on. */
struct cot_item_price {
    int64_t from_ms;
    int64_t price_minor; /* COT_NO_MINOR: not said */
    int64_t cost_minor;
    uint32_t earlier; /* the item's previous one, COT_NO_FACT at the first */
};

struct cot_item_state {
    uint32_t last_price; /* COT_NO_FACT: none */
    bool has_name;
    bool has_category;
};

struct cot_import_shop {
    struct cot_store *store; /* borrowed */
    struct cot_writer *writers[COT_N_TABLES];
    const struct cot_import_tap *tap; /* borrowed; NULL: nobody follows */

    struct cot_dict nodes; /* tag: kind; number: node_id */
    struct cot_identity_rules identity;
    struct cot_dict pairs; /* nodes of the ledger, 8 bytes a pair; and 4 bytes a node of an exclusive kind that has a
                              person */
    int8_t *pair_ops;      /* by number: the ledger's last word (enum cot_link_op) */
    size_t pair_ops_capacity;
    struct cot_identity_sets sets;
    bool sets_stale; /* a pair was parted: to be made anew from the pairs */
    uint64_t n_links_refused;

    struct cot_dict items; /* number: item_id */
    struct cot_item_state *item_states;
    size_t item_states_capacity;
    struct cot_item_price *prices;
    size_t n_prices, prices_capacity;
    struct cot_rate_table rates;

    struct cot_dict traits; /* node and key, of traits that stood on event rows */
    uint64_t *trait_values; /* hash of the latest value of each */
    size_t trait_values_capacity;
    bool traits_loaded;

    struct cot_erased *erased;
    char *salt;
    char *time_zone;       /* the shop's; NULL: not set yet */
    char base_currency[4]; /* "": not known yet */
    bool base_changed;     /* to be stored with the next commit */

    int64_t next_event_id;
    int64_t next_quarantine_id;
    int32_t next_import_id;
    int32_t next_source_id;
    int32_t import_id; /* of the file at hand */
};

cot_code cot_import_shop_load(struct cot_store *store, struct cot_import_shop **ret_shop,
                              struct cot_err *err) COT_MUST_CHECK;
/* The same shop over another opening of its store (NULL: none for now). Writers that are open are abandoned. */
void cot_import_shop_move(struct cot_import_shop *shop, struct cot_store *store);
void cot_import_shop_free(struct cot_import_shop *shop); /* abandons open writers; NULL is fine */

/* The writer of a table in the transaction at hand, opened when first asked for. */
cot_code cot_import_shop_writer(struct cot_import_shop *shop, enum cot_table table, struct cot_writer **ret_writer,
                                struct cot_err *err) COT_MUST_CHECK;
/* Writes what was put so far and keeps the writers for what follows. */
cot_code cot_import_shop_flush_writers(struct cot_import_shop *shop, struct cot_err *err) COT_MUST_CHECK;
cot_code cot_import_shop_close_writers(struct cot_import_shop *shop, struct cot_err *err) COT_MUST_CHECK;

/* Number of an identity; new ones are written. ret_new says whether it is. */
cot_code cot_import_shop_node(struct cot_import_shop *shop, enum cot_node_kind kind, struct cot_text value,
                              uint32_t *ret_node, bool *ret_new, struct cot_err *err) COT_MUST_CHECK;

/* A record names both: links them unless the ledger has the pair already, or the rules of identity are against it (then
 * the ledger notes that). ret_new says whether a link was written. */
cot_code cot_import_shop_link(struct cot_import_shop *shop, uint32_t a, uint32_t b, int64_t occurred_at_ms,
                              int64_t recorded_at_ms, bool *ret_new, struct cot_err *err) COT_MUST_CHECK;

/* Says a link's word in the ledger, whatever it said before. */
cot_code cot_import_shop_write_link(struct cot_import_shop *shop, const struct cot_link *link,
                                    struct cot_err *err) COT_MUST_CHECK;

/* Number of an item; new ones are written. */
cot_code cot_import_shop_item(struct cot_import_shop *shop, struct cot_text product_id, uint32_t *ret_item,
                              struct cot_err *err) COT_MUST_CHECK;
/* The item's number, or COT_DICT_NONE. */
uint32_t cot_import_shop_find_item(const struct cot_import_shop *shop, struct cot_text product_id);

cot_code cot_import_shop_add_price(struct cot_import_shop *shop, uint32_t item, int64_t from_ms, int64_t price_minor,
                                   int64_t cost_minor, struct cot_err *err) COT_MUST_CHECK;
/* What one unit cost at a time: the last fact at or before it, else the earliest there is; COT_NO_MINOR: never said. */
int64_t cot_import_shop_price_at(const struct cot_import_shop *shop, uint32_t item, int64_t at_ms);
int64_t cot_import_shop_cost_at(const struct cot_import_shop *shop, uint32_t item, int64_t at_ms);

/* Whether a trait that stands on an event row says something new of the node; remembers it. */
cot_code cot_import_shop_trait_changes(struct cot_import_shop *shop, uint32_t node, struct cot_text key,
                                       struct cot_text value, bool *ret_changes, struct cot_err *err) COT_MUST_CHECK;

/* Text of a cot_text as a fresh string. NULL: no memory. */
char *cot_text_dup(struct cot_text text);

#endif
