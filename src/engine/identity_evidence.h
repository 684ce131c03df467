/* What identity.c's files share: the ledger's word on every pair of nodes, and who is whose customer by it. */
#ifndef COT_ENGINE_IDENTITY_EVIDENCE_H
#define COT_ENGINE_IDENTITY_EVIDENCE_H

#include "domain/identity_sets.h"
#include "store/store.h"

/* All that the ledger has of a pair. */
struct cot_identity_pair {
    uint32_t a, b;  /* a < b */
    int64_t place;  /* in the order of the ledger */
    int8_t shop;    /* COT_LINK_STATED, COT_LINK_PARTED: the shop's last word; 0: none */
    bool is_linked; /* now */
    bool will_be;   /* by the rules tried */
};

struct cot_identity_evidence {
    struct cot_dict nodes; /* tag: kind */
    bool *has_fact;        /* [nodes.n] */
    struct cot_identity_pair *pairs;
    size_t n_pairs, pairs_capacity;
};

cot_code cot_identity_evidence_load(struct cot_store *store, struct cot_identity_evidence *ret_evidence,
                                    struct cot_err *err) COT_MUST_CHECK;
void cot_identity_evidence_release(struct cot_identity_evidence *evidence);

/* Decides every pair by the rules: sets will_be, and the sets of nodes that follow. */
cot_code cot_identity_evidence_try(struct cot_identity_evidence *evidence, const struct cot_identity_rules *rules,
                                   struct cot_identity_sets *ret_sets, struct cot_err *err) COT_MUST_CHECK;

/* The sets as they are now. */
cot_code cot_identity_evidence_now(const struct cot_identity_evidence *evidence, struct cot_identity_sets *ret_sets,
                                   struct cot_err *err) COT_MUST_CHECK;

#endif
