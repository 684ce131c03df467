#include "domain/identity_sets.h"

#include <stdlib.h>
#include <string.h>

#include "base/array.h"

void cot_identity_sets_release(struct cot_identity_sets *sets)
{
    free(sets->parents);
    free(sets->counts);
    *sets = (struct cot_identity_sets){0};
}

uint32_t cot_identity_sets_root(struct cot_identity_sets *sets, uint32_t node)
{
    while (sets->parents[node] != node) {
        sets->parents[node] = sets->parents[sets->parents[node]];
        node = sets->parents[node];
    }
    return node;
}

cot_code cot_identity_sets_reach(struct cot_identity_sets *sets, const struct cot_dict *nodes, struct cot_err *err)
{
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
        if (kind < COT_N_NODE_KINDS)
            sets->counts[sets->n][kind] = 1;
    }
    return COT_OK;
}

static uint64_t size_of(const struct cot_identity_sets *sets, uint32_t root)
{
    uint64_t size = 0;
    for (int kind = 1; kind < COT_N_NODE_KINDS; kind++)
        size += sets->counts[root][kind];
    return size;
}

void cot_identity_sets_join(struct cot_identity_sets *sets, uint32_t a, uint32_t b)
{
    a = cot_identity_sets_root(sets, a);
    b = cot_identity_sets_root(sets, b);
    if (a == b)
        return;
    if (size_of(sets, a) < size_of(sets, b)) {
        uint32_t larger = b;
        b = a;
        a = larger;
    }
    sets->parents[b] = a;
    for (int kind = 0; kind < COT_N_NODE_KINDS; kind++)
        sets->counts[a][kind] += sets->counts[b][kind];
}

bool cot_identity_sets_may_join(struct cot_identity_sets *sets, const struct cot_identity_rules *rules, uint32_t a,
                                uint32_t b)
{
    a = cot_identity_sets_root(sets, a);
    b = cot_identity_sets_root(sets, b);
    for (int kind = 1; kind < COT_N_NODE_KINDS && a != b; kind++) {
        uint64_t n_a = sets->counts[a][kind];
        uint64_t n_b = sets->counts[b][kind];
        if (n_a > 0 && n_b > 0 && n_a + n_b > rules->kinds[kind].limit)
            return false;
    }
    return true;
}
