/*
 * Does what a running server holds in memory equal its store? The store is replayed beside it, and every customer of
 * the two is compared: profile, features, learned segment, segments by rule. On the committer's thread (ingest.h),
 * between two groups: calls wait meanwhile, readers wait for some customers at a time.
 *
 * Cost: as a start of the server, in time and in memory beside that held already.
 */
#ifndef COT_ENGINE_SERVICE_VERIFY_H
#define COT_ENGINE_SERVICE_VERIFY_H

#include <yyjson.h>

#include "engine/service.h"

/* {"equal","customers","events","differing","examples":[{"memory","store"}]}: up to
 * COT_VERIFY_EXAMPLES customers that differ, as both sides show them (null: not there); segments by rule, with their
 * counts, are compared too and are named as {"memory","store"} likewise. */
enum { COT_VERIFY_EXAMPLES = 3 };
cot_code cot_service_verify(struct cot_service *service, yyjson_mut_doc **ret_doc, struct cot_err *err) COT_MUST_CHECK;

#endif
