/* Limits on who becomes one person by what calls say, and links by word of the shop (ingest_parts.h). */
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "engine/ingest_parts.h"

void cot_identity_sets_release(struct cot_identity_sets *sets)
{
    free(sets->parents);
    free(sets->counts);
    *sets = (struct cot_identity_sets){0};
}

static uint32_t find_root(struct cot_identity_sets *sets, uint32_t node)
{
    while (sets->parents[node] != node) {
        sets->parents[node] = sets->parents[sets->parents[node]];
        node = sets->parents[node];
    }
    return node;
}

/* Every node of the shop is in the sets, new ones alone. */
static cot_code reach(struct cot_ingest *ingest, struct cot_err *err)
{
    struct cot_identity_sets *sets = &ingest->sets;
    const struct cot_dict *nodes = &ingest->shop->nodes;
    void *parents = cot_array_reserve(sets->parents, &sets->parents_capacity, nodes->n, sizeof *sets->parents);
    if (parents != NULL)
        sets->parents = parents;
    void *counts = cot_array_reserve(sets->counts, &sets->counts_capacity, nodes->n, sizeof *sets->counts);
    if (counts != NULL)
        sets->counts = counts;
    if (parents == NULL || counts == NULL)
        return cot_fail(err, COT_NOMEM, "%zu identities", nodes->n);
    for (; sets->n < nodes->n; sets->n++) {
        uint8_t kind = cot_dict_entry(nodes, (uint32_t)sets->n)->tag;
        sets->parents[sets->n] = (uint32_t)sets->n;
        memset(sets->counts[sets->n], 0, sizeof sets->counts[sets->n]);
        if (kind < 5)
            sets->counts[sets->n][kind] = 1;
    }
    return COT_OK;
}

static void join(struct cot_identity_sets *sets, uint32_t a, uint32_t b)
{
    a = find_root(sets, a);
    b = find_root(sets, b);
    if (a == b)
        return;
    sets->parents[b] = a;
    for (int kind = 0; kind < 5; kind++)
        sets->counts[a][kind] += sets->counts[b][kind];
}

cot_code cot_identity_sets_make(struct cot_ingest *ingest, struct cot_err *err)
{
    cot_identity_sets_release(&ingest->sets);
    if (ingest->live == NULL)
        return COT_OK;
    cot_code rc = reach(ingest, err);
    for (uint32_t node = 0; rc == COT_OK && node < ingest->sets.n; node++)
        join(&ingest->sets, cot_live_root(ingest->live->live, node), node);
    return rc;
}

static bool may_link(void *context, uint32_t a, uint32_t b)
{
    struct cot_ingest *ingest = context;
    struct cot_identity_sets *sets = &ingest->sets;
    if (ingest->live == NULL || reach(ingest, NULL) != COT_OK)
        return true;
    a = find_root(sets, a);
    b = find_root(sets, b);
    for (int kind = COT_NODE_USER; kind <= COT_NODE_PHONE && a != b; kind++) {
        uint32_t n_a = sets->counts[a][kind];
        uint32_t n_b = sets->counts[b][kind];
        if (n_a > 0 && n_b > 0 && n_a + n_b > cot_identity_limit((enum cot_node_kind)kind)) {
            atomic_fetch_add(&ingest->n_links_refused, 1);
            return false;
        }
    }
    return true;
}

static cot_code on_event(void *context, const struct cot_record *record, uint32_t node, uint32_t item,
                         const struct cot_money *money, struct cot_err *err)
{
    struct cot_ingest *ingest = context;
    return cot_live_facts_add_event(&ingest->facts, record, node, item, money, err);
}

static cot_code on_trait(void *context, const struct cot_record *record, const struct cot_trait *trait, uint32_t node,
                         bool timeless, struct cot_err *err)
{
    struct cot_ingest *ingest = context;
    return cot_live_facts_add_trait(&ingest->facts, record, trait, node, timeless, err);
}

static cot_code on_item(void *context, const struct cot_record *record, uint32_t item, struct cot_err *err)
{
    struct cot_ingest *ingest = context;
    return cot_live_facts_add_item(&ingest->facts, record, item, err);
}

static cot_code on_link(void *context, const struct cot_link *link, struct cot_err *err)
{
    struct cot_ingest *ingest = context;
    cot_code rc = reach(ingest, err);
    if (rc == COT_OK && link->op > 0)
        join(&ingest->sets, link->node_a, link->node_b);
    ingest->has_unlinked |= link->op < 0;
    return rc == COT_OK ? cot_live_facts_add_link(&ingest->facts, link, err) : rc;
}

void cot_ingest_tap_init(struct cot_ingest *ingest)
{
    ingest->tap = (struct cot_import_tap){.context = ingest,
                                          .event = on_event,
                                          .trait = on_trait,
                                          .item = on_item,
                                          .link = on_link,
                                          .may_link = may_link};
    ingest->shop->tap = ingest->is_offline ? NULL : &ingest->tap;
}

cot_code cot_ingest_link(struct cot_ingest *ingest, uint32_t a, uint32_t b, int op, int64_t at_ms, struct cot_err *err)
{
    const struct cot_link link = {a, b, op, at_ms, at_ms};
    return cot_import_shop_write_link(ingest->shop, &link, err);
}

cot_code cot_ingest_alias(struct cot_ingest *ingest, const struct cot_record *record, bool *ret_done,
                          struct cot_err *err)
{
    const struct cot_dict *nodes = &ingest->shop->nodes;
    *ret_done = false;
    if (record->kind != COT_RECORD_LINK || record->user.size == 0 || record->anonymous.size == 0)
        return COT_OK;
    uint32_t previous = cot_dict_find(nodes, COT_NODE_USER, record->anonymous.data, record->anonymous.size);
    uint32_t now = COT_DICT_NONE;
    bool is_new = false;
    if (previous == COT_DICT_NONE)
        return COT_OK;
    cot_code rc = cot_import_shop_node(ingest->shop, COT_NODE_USER, record->user, &now, &is_new, err);
    *ret_done = true;
    if (rc != COT_OK || now == previous)
        return rc;
    return cot_ingest_link(ingest, now, previous, 1, record->occurred_at_ms, err);
}
