/*
 * What the rules of identity (domain/identity_rules.h) are, what others would change, and taking others up.
 *
 * The ledger keeps what records named together, where the rules were against it too: other rules are tried on all of
 * it, in the order in which it came. What the shop itself linked or parted stays as it said.
 */
#ifndef COT_ENGINE_IDENTITY_H
#define COT_ENGINE_IDENTITY_H

#include <yyjson.h>

#include "coterie/err.h"
#include "domain/identity_rules.h"
#include "engine/context.h"

struct cot_store;

enum { COT_IDENTITY_SAMPLE = 20 };

/*
 * {"rules": as a file has them,"own": bool,
 *  "kinds": [{"kind","limit","priority","exclusive","identities","largest"}],"identities","customers","refused"}
 *
 * own: the shop has rules of its own. largest: most identities of the kind that one customer has. refused: pairs that
 * records name together and the rules keep apart.
 */
cot_code cot_identity_show(struct cot_store *store, yyjson_mut_doc **ret_doc, struct cot_err *err) COT_MUST_CHECK;

/*
 * {"customers": {"now","then"},
 *  "joins": {"groups","customers","sample": [{"customers": [ids],"by": [KIND:VALUE]}]},
 *  "splits": {"customers","parts","sample": [{"customer": id,"parts": [[KIND:VALUE]]}]},
 *  "applied": bool}
 *
 * Customers are those of whom anything is known. joins: customers that would be one; by: an identity through which.
 * splits: customers that would be several; identities of each part. Samples of COT_IDENTITY_SAMPLE, the largest first.
 * Same store and rules, same document.
 */
cot_code cot_identity_simulate(struct cot_store *store, const struct cot_identity_rules *rules,
                               yyjson_mut_doc **ret_doc, struct cot_err *err) COT_MUST_CHECK;

/* The same, and takes the rules up: in one transaction the ledger gets the links that they make and part, as of
 * now_ms. */
cot_code cot_identity_apply(struct cot_store *store, const struct cot_identity_rules *rules, int64_t now_ms,
                            yyjson_mut_doc **ret_doc, struct cot_err *err) COT_MUST_CHECK;

/* As commands ask: opens the store; rules from a file. */
enum cot_identity_task { COT_IDENTITY_SHOW, COT_IDENTITY_SIMULATE, COT_IDENTITY_APPLY };
cot_code cot_identity_run(const struct cot_context *context, enum cot_identity_task task, const char *rules_path,
                          yyjson_mut_doc **ret_doc, struct cot_err *err) COT_MUST_CHECK;

#endif
