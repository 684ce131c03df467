/*
 * Who is one person, as far as limits on identities go: sets of nodes that grow together, with how many of each kind
 * they have. All zero is empty. One thread.
 */
#ifndef COT_DOMAIN_IDENTITY_SETS_H
#define COT_DOMAIN_IDENTITY_SETS_H

#include "domain/identity_rules.h"

struct cot_identity_sets {
    uint32_t *parents;
    uint32_t (*counts)[COT_N_NODE_KINDS]; /* of roots, by kind */
    size_t n, parents_capacity, counts_capacity;
};

void cot_identity_sets_release(struct cot_identity_sets *sets);

/* Every node of the dictionary (tag: kind) is in the sets, new ones alone. 36 bytes a node. */
cot_code cot_identity_sets_reach(struct cot_identity_sets *sets, const struct cot_dict *nodes,
                                 struct cot_err *err) COT_MUST_CHECK;

/* The nodes were reached. A root names a set: the smallest node of it only by chance. */
uint32_t cot_identity_sets_root(struct cot_identity_sets *sets, uint32_t node);
void cot_identity_sets_join(struct cot_identity_sets *sets, uint32_t a, uint32_t b);

/* Whether the limits let a record that names both make one person of two. */
bool cot_identity_sets_may_join(struct cot_identity_sets *sets, const struct cot_identity_rules *rules, uint32_t a,
                                uint32_t b);

#endif
