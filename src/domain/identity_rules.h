/*
 * The rules of identity: which identifiers make records one person's, and when they don't.
 *
 * By kind of identifier: how many of it one customer may have, before a record that names two of them no longer makes
 * two customers one (`limit`); which of several that a record names its facts go with, the smallest first (`priority`);
 * and whether whoever is linked to one first keeps it (`exclusive`: a browser that others use later stays theirs). And
 * values that name nobody. Word of the shop (COT_LINK_STATED, COT_LINK_PARTED) goes before any rule.
 *
 * As a file, where what is left out is as by default:
 *
 *   {"kinds": {"email": {"limit": 5, "priority": 3, "exclusive": false}, ...},
 *    "blocked": ["email:info@shop.example", "loyalty:0000 STAFF"]}
 */
#ifndef COT_DOMAIN_IDENTITY_RULES_H
#define COT_DOMAIN_IDENTITY_RULES_H

#include <yyjson.h>

#include "base/dict.h"
#include "domain/identity.h"

enum { COT_IDENTITY_MAX_LIMIT = 1000000, COT_IDENTITY_MAX_BLOCKED = 100000 };

struct cot_identity_rule {
    unsigned limit;    /* 1 .. COT_IDENTITY_MAX_LIMIT */
    unsigned priority; /* 1 .. 100 */
    bool exclusive;
};

struct cot_identity_rules {
    struct cot_identity_rule kinds[COT_N_NODE_KINDS]; /* [0] is not used */
    enum cot_node_kind order[COT_N_NODE_KINDS - 1];   /* by priority, among equals by kind */
    struct cot_dict blocked;                          /* tag: kind */
};

void cot_identity_rules_default(struct cot_identity_rules *ret_rules);
void cot_identity_rules_release(struct cot_identity_rules *rules);

/* COT_BAD_DATA names the member that is wrong, and what it may be; `what` is where the text comes from. */
cot_code cot_identity_rules_read(const char *text, size_t size, const char *what, struct cot_identity_rules *ret_rules,
                                 struct cot_err *err) COT_MUST_CHECK;

/* The rules as a file has them, into an object. */
void cot_identity_rules_write(const struct cot_identity_rules *rules, yyjson_mut_doc *doc, yyjson_mut_val *object);

/* Values that these rules block; cot_identity_is_blocked knows those that name nobody anywhere. */
static inline bool cot_identity_rules_block(const struct cot_identity_rules *rules, struct cot_identity identity)
{
    return rules->blocked.n > 0 && cot_dict_find(&rules->blocked, (uint8_t)identity.kind, identity.value.data,
                                                 identity.value.size) != COT_DICT_NONE;
}

/* Puts identities into the order of the rules, without those that they block. Returns how many are left. */
size_t cot_identity_rules_sort(const struct cot_identity_rules *rules, struct cot_identity *identities, size_t n);

#endif
