/*
 * The shop's rules of identity, as the store keeps them (setting 'identity_rules').
 */
#ifndef COT_ENGINE_IDENTITY_RULES_STORE_H
#define COT_ENGINE_IDENTITY_RULES_STORE_H

#include "domain/identity_rules.h"
#include "store/store.h"

/* The default ones where the shop has none of its own. */
cot_code cot_identity_rules_load(struct cot_store *store, struct cot_identity_rules *ret_rules,
                                 struct cot_err *err) COT_MUST_CHECK;
cot_code cot_identity_rules_save(struct cot_store *store, const struct cot_identity_rules *rules,
                                 struct cot_err *err) COT_MUST_CHECK;

#endif
