/*
 * One source: rows are told apart within it (idempotence). Its identity is connector + kind + --source NAME, never the
 * path of a file.
 *
 * Rows without a natural key are a multiset of row hashes (import_seen.h). Orders of sources that have one are
 * versions: a digest over an order's rows; one that was there before is a duplicate, a new one supersedes, unless it is
 * dated and older than the one that is there.
 */
#ifndef COT_ENGINE_IMPORT_SOURCE_H
#define COT_ENGINE_IMPORT_SOURCE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/dict.h"
#include "base/hash.h"
#include "connect/connector.h"
#include "coterie/err.h"
#include "engine/import_seen.h"
#include "engine/import_shop.h"

enum cot_order_fate { COT_ORDER_NEW, COT_ORDER_KNOWN, COT_ORDER_CHANGED };

struct cot_order_state {
    struct cot_hash128 digest; /* of its rows in the file at hand */
    int64_t recorded_at_ms;    /* latest in the file; INT64_MIN: undated */
    int32_t version;           /* newest in the store, 0: none */
    bool in_file;
    enum cot_order_fate fate;
};

struct cot_source {
    int32_t source_id;
    char *name;
    const struct cot_connector *connector;
    bool is_new;      /* not in table source yet */
    bool has_history; /* rows were accepted from it before: hashes must be compared */
    struct cot_seen seen;
    struct cot_seen seen_bad; /* quarantined rows */
    bool has_bad_history;

    struct cot_dict orders; /* natural keys */
    struct cot_order_state *order_states;
    size_t order_states_capacity;
    int64_t n_late;          /* orders of the file at hand of which a newer version is there already */
    struct cot_dict digests; /* order number and digest of every version there ever was: 20 bytes */
};

/* The source of that identity with what the store knows of it; a new one where there is none. */
cot_code cot_source_open(struct cot_import_shop *shop, const struct cot_connector *connector, const char *name,
                         struct cot_source **ret_source, struct cot_err *err) COT_MUST_CHECK;
/* The source of that number; COT_INTERNAL where there is none. */
cot_code cot_source_open_id(struct cot_import_shop *shop, int32_t source_id, struct cot_source **ret_source,
                            struct cot_err *err) COT_MUST_CHECK;
void cot_source_free(struct cot_source *source);

/* Writes the source's own row where it is new (in the transaction at hand). */
cot_code cot_source_store(struct cot_source *source, struct cot_import_shop *shop, struct cot_err *err) COT_MUST_CHECK;

/* Brings what the store knows of the source's orders to memory. */
cot_code cot_source_load_orders(struct cot_source *source, struct cot_store *store, struct cot_err *err) COT_MUST_CHECK;

/* Natural keys. First every row of the file is added to its order; then _decide_orders settles each order's fate, marks
 * what is superseded and writes the new versions, all in the transaction at hand. */
cot_code cot_source_add_to_order(struct cot_source *source, struct cot_text key, struct cot_hash128 row,
                                 int64_t recorded_at_ms, struct cot_err *err) COT_MUST_CHECK;
cot_code cot_source_decide_orders(struct cot_source *source, struct cot_import_shop *shop,
                                  struct cot_err *err) COT_MUST_CHECK;
enum cot_order_fate cot_source_order_fate(const struct cot_source *source, struct cot_text key);

/* When the file's rows are in the store: versions that arrived after a newer one count until that one was recorded. */
cot_code cot_source_settle_late(struct cot_source *source, struct cot_import_shop *shop,
                                struct cot_err *err) COT_MUST_CHECK;

/* After the file: what it added is in the store. */
void cot_source_committed(struct cot_source *source);

#endif
