/*
 * What the server's paths on rule segments answer (documents: rule_segments.h).
 */
#ifndef COT_ENGINE_SERVICE_SEGMENT_H
#define COT_ENGINE_SERVICE_SEGMENT_H

#include <stdbool.h>
#include <stdint.h>
#include <yyjson.h>

#include "coterie/err.h"
#include "engine/service.h"

/* From memory, on any thread. name NULL: all. */
cot_code cot_service_segment_list(struct cot_service *service, const char *name, yyjson_mut_doc **ret_doc,
                                  struct cot_err *err) COT_MUST_CHECK;
cot_code cot_service_segment_members(struct cot_service *service, const char *name, int64_t from, int64_t limit,
                                     yyjson_mut_doc **ret_doc, struct cot_err *err) COT_MUST_CHECK;
/* rule: text of `size` bytes. COT_BAD_DATA with line and column. ret_held false (and no document): the rule asks for
 * properties of events that are not held in memory; _hold, then ask again. */
cot_code cot_service_segment_preview(struct cot_service *service, const char *name, const char *rule, size_t size,
                                     bool *ret_held, yyjson_mut_doc **ret_doc, struct cot_err *err) COT_MUST_CHECK;

/* On the committer's thread. _hold loads the shop anew, with what a rule asks for. */
cot_code cot_service_segment_hold(struct cot_service *service, const char *name, const char *rule, size_t size,
                                  struct cot_err *err) COT_MUST_CHECK;
struct cot_segment_put {
    const char *name;
    const char *rule; /* text of `size` bytes */
    size_t size;
    const char *source; /* the segment file that it came in; NULL: it comes alone */
    const char *author; /* NULL: not known */
};
cot_code cot_service_segment_put(struct cot_service *service, const struct cot_segment_put *put,
                                 yyjson_mut_doc **ret_doc, struct cot_err *err) COT_MUST_CHECK;
cot_code cot_service_segment_delete(struct cot_service *service, const char *name, const char *author,
                                    yyjson_mut_doc **ret_doc, struct cot_err *err) COT_MUST_CHECK;
/* rule_store.h; on the committer's thread. */
cot_code cot_service_segment_versions(struct cot_service *service, const char *name, yyjson_mut_doc **ret_doc,
                                      struct cot_err *err) COT_MUST_CHECK;
/* census.h, from memory, on any thread. */
cot_code cot_service_segment_learned(struct cot_service *service, yyjson_mut_doc **ret_doc,
                                     struct cot_err *err) COT_MUST_CHECK;

/* segment_days.h; name NULL: all. On the committer's thread. */
cot_code cot_service_segment_days(struct cot_service *service, const char *name, int64_t max_days,
                                  yyjson_mut_doc **ret_doc, struct cot_err *err) COT_MUST_CHECK;

#endif
