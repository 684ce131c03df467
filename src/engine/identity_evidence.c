#include "engine/identity_evidence.h"

#include <stdlib.h>
#include <string.h>

#include "base/array.h"

void cot_identity_evidence_release(struct cot_identity_evidence *evidence)
{
    cot_dict_release(&evidence->nodes);
    free(evidence->has_fact);
    free(evidence->pairs);
    *evidence = (struct cot_identity_evidence){0};
}

/* Numbers that erasure left free are filled with keys of no kind. */
static cot_code load_nodes(struct cot_store *store, struct cot_identity_evidence *evidence, struct cot_err *err)
{
    struct cot_rows *rows = NULL;
    bool more = false;
    uint32_t number = 0;
    cot_code rc = cot_rows_open(store, &rows, err, "select node_id, kind, value from node order by node_id");
    while (rc == COT_OK && (rc = cot_rows_next(rows, &more, err)) == COT_OK && more) {
        size_t size = 0;
        const char *text = cot_rows_text(rows, 2, &size);
        while (rc == COT_OK && evidence->nodes.n < (size_t)cot_rows_int(rows, 0)) {
            uint32_t gap = (uint32_t)evidence->nodes.n;
            rc = cot_dict_add(&evidence->nodes, 0, (const char *)&gap, sizeof gap, &number, err);
        }
        if (rc == COT_OK)
            rc = cot_dict_add(&evidence->nodes, (uint8_t)cot_rows_int(rows, 1), text != NULL ? text : "", size, &number,
                              err);
    }
    cot_rows_close(rows);
    return rc;
}

static cot_code load_facts(struct cot_store *store, struct cot_identity_evidence *evidence, struct cot_err *err)
{
    struct cot_rows *rows = NULL;
    bool more = false;
    evidence->has_fact = calloc(evidence->nodes.n + 1, sizeof *evidence->has_fact);
    if (evidence->has_fact == NULL)
        return cot_fail(err, COT_NOMEM, "%zu identities", evidence->nodes.n);
    cot_code rc = cot_rows_open(store, &rows, err,
                                "select distinct node_id from event where node_id is not null and superseded_at is null"
                                " union select node_id from trait where node_id is not null");
    while (rc == COT_OK && (rc = cot_rows_next(rows, &more, err)) == COT_OK && more)
        if ((size_t)cot_rows_int(rows, 0) < evidence->nodes.n)
            evidence->has_fact[cot_rows_int(rows, 0)] = true;
    cot_rows_close(rows);
    return rc;
}

/* A pair stands where the ledger first had it, or where the shop had its last word. */
static const char pairs_sql[] =
    "with row as (select least(node_a, node_b) as a, greatest(node_a, node_b) as b, op, occurred_at, rowid as place"
    "    from link where node_a <> node_b)"
    " select a, b, coalesce(arg_max(place, (occurred_at, place)) filter (where op in (2, -1)), min(place)) as place,"
    "  coalesce(arg_max(op, (occurred_at, place)) filter (where op in (2, -1)), 0) as shop,"
    "  coalesce(arg_max(op, (occurred_at, place)) filter (where op <> 0), 0) > 0 as linked"
    " from row group by a, b order by place, a, b";

static cot_code load_pairs(struct cot_store *store, struct cot_identity_evidence *evidence, struct cot_err *err)
{
    struct cot_rows *rows = NULL;
    bool more = false;
    cot_code rc = cot_rows_open(store, &rows, err, "%s", pairs_sql);
    while (rc == COT_OK && (rc = cot_rows_next(rows, &more, err)) == COT_OK && more) {
        const struct cot_identity_pair pair = {.a = (uint32_t)cot_rows_int(rows, 0),
                                               .b = (uint32_t)cot_rows_int(rows, 1),
                                               .place = cot_rows_int(rows, 2),
                                               .shop = (int8_t)cot_rows_int(rows, 3),
                                               .is_linked = cot_rows_int(rows, 4) != 0};
        if (pair.b >= evidence->nodes.n)
            continue;
        void *grown = cot_array_reserve(evidence->pairs, &evidence->pairs_capacity, evidence->n_pairs + 1,
                                        sizeof *evidence->pairs);
        if (grown == NULL) {
            rc = cot_fail(err, COT_NOMEM, "%zu links", evidence->n_pairs);
            break;
        }
        evidence->pairs = grown;
        evidence->pairs[evidence->n_pairs++] = pair;
    }
    cot_rows_close(rows);
    return rc;
}

cot_code cot_identity_evidence_load(struct cot_store *store, struct cot_identity_evidence *ret_evidence,
                                    struct cot_err *err)
{
    struct cot_identity_evidence evidence = {0};
    cot_dict_init(&evidence.nodes);
    cot_code rc = load_nodes(store, &evidence, err);
    if (rc == COT_OK)
        rc = load_facts(store, &evidence, err);
    if (rc == COT_OK)
        rc = load_pairs(store, &evidence, err);
    if (rc == COT_OK)
        *ret_evidence = evidence;
    else
        cot_identity_evidence_release(&evidence);
    return rc;
}

/* One pair that records name together, as the importer decides it (engine/import_shop.c). claimed: nodes of exclusive
 * kinds that have a person. */
static bool decide(struct cot_identity_evidence *evidence, const struct cot_identity_rules *rules,
                   struct cot_identity_sets *sets, const bool *blocked, bool *claimed,
                   const struct cot_identity_pair *pair)
{
    const uint32_t nodes[2] = {pair->a, pair->b};
    bool joins = pair->shop == COT_LINK_STATED;
    if (pair->shop == 0)
        joins = !blocked[pair->a] && !blocked[pair->b] && !claimed[pair->a] && !claimed[pair->b] &&
                cot_identity_sets_may_join(sets, rules, pair->a, pair->b);
    for (int i = 0; i < 2 && (joins || pair->shop != 0); i++) {
        uint8_t kind = cot_dict_entry(&evidence->nodes, nodes[i])->tag;
        claimed[nodes[i]] = claimed[nodes[i]] || (kind < COT_N_NODE_KINDS && rules->kinds[kind].exclusive);
    }
    return joins;
}

cot_code cot_identity_evidence_try(struct cot_identity_evidence *evidence, const struct cot_identity_rules *rules,
                                   struct cot_identity_sets *ret_sets, struct cot_err *err)
{
    size_t n = evidence->nodes.n;
    struct cot_identity_sets sets = {0};
    bool *marks = calloc(2 * n + 1, sizeof *marks);
    cot_code rc = marks == NULL ? cot_fail(err, COT_NOMEM, "%zu identities", n)
                                : cot_identity_sets_reach(&sets, &evidence->nodes, err);
    for (uint32_t i = 0; rc == COT_OK && i < n; i++) {
        const struct cot_dict_entry *entry = cot_dict_entry(&evidence->nodes, i);
        marks[i] = cot_identity_rules_block(
            rules, (struct cot_identity){(enum cot_node_kind)entry->tag, {entry->text, entry->size}});
    }
    for (size_t i = 0; rc == COT_OK && i < evidence->n_pairs; i++) {
        struct cot_identity_pair *pair = &evidence->pairs[i];
        pair->will_be = decide(evidence, rules, &sets, marks, marks + n, pair);
        if (pair->will_be)
            cot_identity_sets_join(&sets, pair->a, pair->b);
    }
    free(marks);
    if (rc == COT_OK)
        *ret_sets = sets;
    else
        cot_identity_sets_release(&sets);
    return rc;
}

cot_code cot_identity_evidence_now(const struct cot_identity_evidence *evidence, struct cot_identity_sets *ret_sets,
                                   struct cot_err *err)
{
    struct cot_identity_sets sets = {0};
    cot_code rc = cot_identity_sets_reach(&sets, &evidence->nodes, err);
    for (size_t i = 0; rc == COT_OK && i < evidence->n_pairs; i++)
        if (evidence->pairs[i].is_linked)
            cot_identity_sets_join(&sets, evidence->pairs[i].a, evidence->pairs[i].b);
    if (rc == COT_OK)
        *ret_sets = sets;
    else
        cot_identity_sets_release(&sets);
    return rc;
}
