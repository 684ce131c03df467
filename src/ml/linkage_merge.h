/* Merges as they are found, and their order as a linkage matrix. */
#ifndef COT_ML_LINKAGE_MERGE_H
#define COT_ML_LINKAGE_MERGE_H

#include <stddef.h>
#include <stdint.h>

/* Two clusters named by any leaf of each, joined at a height. */
struct cot_merge {
    uint32_t a, b;
    double height;
};

/* Stable, ascending by height; NULL-free n may be 0. Returns 0 where there is no memory. */
int cot_merges_sort(struct cot_merge *merges, size_t n);

/* Union-find over leaves, path halving; parent[i] == i is a root. The smaller root stays. */
static inline uint32_t cot_root(uint32_t *parent, uint32_t i)
{
    while (parent[i] != i) {
        parent[i] = parent[parent[i]];
        i = parent[i];
    }
    return i;
}

static inline uint32_t cot_join(uint32_t *parent, uint32_t a, uint32_t b)
{
    a = cot_root(parent, a);
    b = cot_root(parent, b);
    uint32_t low = a < b ? a : b;
    parent[a < b ? b : a] = low;
    return low;
}

#endif
