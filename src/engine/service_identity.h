/*
 * What the server's paths on the rules of identity answer (documents: identity.h). On the committer's thread.
 */
#ifndef COT_ENGINE_SERVICE_IDENTITY_H
#define COT_ENGINE_SERVICE_IDENTITY_H

#include <yyjson.h>

#include "coterie/err.h"
#include "engine/service.h"

cot_code cot_service_identity_show(struct cot_service *service, yyjson_mut_doc **ret_doc,
                                   struct cot_err *err) COT_MUST_CHECK;

/* text: the rules, as a file has them. apply: takes them up; customers in memory are as they say when it returns. */
enum cot_service_identity_how { COT_SERVICE_IDENTITY_SIMULATE, COT_SERVICE_IDENTITY_APPLY };
cot_code cot_service_identity_try(struct cot_service *service, const char *text, size_t size,
                                  enum cot_service_identity_how how, yyjson_mut_doc **ret_doc,
                                  struct cot_err *err) COT_MUST_CHECK;

#endif
