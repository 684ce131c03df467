/*
 * What the server's paths on customers answer.
 */
#ifndef COT_ENGINE_SERVICE_CUSTOMER_H
#define COT_ENGINE_SERVICE_CUSTOMER_H

#include <stdint.h>
#include <yyjson.h>

#include "coterie/err.h"
#include "engine/service.h"

enum cot_customer_view { COT_CUSTOMER_PROFILE, COT_CUSTOMER_SEGMENTS };

/* From memory, on any thread: documents of live_profile.h. COT_IO while the shop is being loaded. */
cot_code cot_service_customer(struct cot_service *service, enum cot_customer_view view, const char *id, size_t size,
                              yyjson_mut_doc **ret_doc, struct cot_err *err) COT_MUST_CHECK;

/*
 * A call of the source "api" that states traits of a customer (connect/api.c), as a document of its own: the caller
 * frees it. ADD: those named, null takes one back; REPLACE: those that the customer has and that aren't named are taken
 * back, too. COT_NOT_FOUND where nobody has the identifier, unless it is written KIND:VALUE: then it is a new one's.
 */
enum cot_traits_how { COT_TRAITS_ADD, COT_TRAITS_REPLACE };
cot_code cot_service_traits_call(struct cot_service *service, const char *id, size_t size, yyjson_val *traits,
                                 enum cot_traits_how how, yyjson_doc **ret_call, struct cot_err *err) COT_MUST_CHECK;

/* These need the store: on the committer's thread (ingest.h, _run). */

/* Why a customer is where they are (live_profile.h, and rule_segments.h with the ids of events). */
cot_code cot_service_explain(struct cot_service *service, const char *id, size_t size, yyjson_mut_doc **ret_doc,
                             struct cot_err *err) COT_MUST_CHECK;

/* {"customer_id","events":[{"event_id","at","kind","order","item","quantity","amount","channel","campaign","detail",
 * "properties"}]}, newest first; before_id: events before that one (0: from the newest). */
cot_code cot_service_timeline(struct cot_service *service, const char *id, size_t size, int64_t limit,
                              int64_t before_id, yyjson_mut_doc **ret_doc, struct cot_err *err) COT_MUST_CHECK;

/* Makes two identities one person (op 1) or parts them (-1): {"a": customer id,"b": customer id,"one": bool}. */
cot_code cot_service_link(struct cot_service *service, const char *a, const char *b, int op, yyjson_mut_doc **ret_doc,
                          struct cot_err *err) COT_MUST_CHECK;

/* Erases a person as engine/forget.h does; nothing is taken in and nobody read meanwhile. */
cot_code cot_service_forget(struct cot_service *service, const char *id, yyjson_mut_doc **ret_doc,
                            struct cot_err *err) COT_MUST_CHECK;
/* {"receipt","status","requested_at","finished_at","detail"} */
cot_code cot_service_receipt(struct cot_service *service, const char *receipt, yyjson_mut_doc **ret_doc,
                             struct cot_err *err) COT_MUST_CHECK;

#endif
