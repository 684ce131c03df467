/*
 * Segments by rule on a data directory: kept in versions, looked into, tried out. The commands' side; a server's is
 * service_segment.h. Memberships are those of now, by the wall clock, as a server would have them.
 */
#ifndef COT_ENGINE_RULES_H
#define COT_ENGINE_RULES_H

#include <stdbool.h>
#include <stdint.h>
#include <yyjson.h>

#include "coterie/err.h"
#include "engine/context.h"

/* {"segments":[as cot_rule_segments_describe]}; counting members loads the shop. */
cot_code cot_rules_list(const struct cot_context *context, yyjson_mut_doc **ret_doc,
                        struct cot_err *err) COT_MUST_CHECK;

/* {"name","version","rule","text","created_at","created_by"}: text is the segment file, or one made around a rule that
 * came alone. version 0: the one that holds. COT_NOT_FOUND: none, or a deletion. */
cot_code cot_rules_show(const struct cot_context *context, const char *name, int64_t version, yyjson_mut_doc **ret_doc,
                        struct cot_err *err) COT_MUST_CHECK;

/* As cot_rule_store_history. */
cot_code cot_rules_history(const struct cot_context *context, const char *name, yyjson_mut_doc **ret_doc,
                           struct cot_err *err) COT_MUST_CHECK;

/* {"name","members": [customer ids],"next"}: from "next" of the answer before. */
cot_code cot_rules_members(const struct cot_context *context, const char *name, int64_t from, int64_t limit,
                           yyjson_mut_doc **ret_doc, struct cot_err *err) COT_MUST_CHECK;

/* As cot_rule_segments_preview, with "name": the segment that a file's rule would replace. name NULL: the file's. */
cot_code cot_rules_preview(const struct cot_context *context, const char *path, const char *name,
                           yyjson_mut_doc **ret_doc, struct cot_err *err) COT_MUST_CHECK;

/*
 * A new version of a segment: a file whose name it is and whose tests pass, or (path NULL) an old version again.
 * Nothing is written where that is what the newest version says.
 *
 * {"name","version","action": "added" | "changed" | "unchanged","tests": passed}. COT_BAD_DATA: the file can't be used,
 * tests fail, segments that it asks for are not there.
 */
struct cot_rules_put {
    const char *name;
    const char *path;
    int64_t from_version;
};
cot_code cot_rules_put(const struct cot_context *context, const struct cot_rules_put *put, yyjson_mut_doc **ret_doc,
                       struct cot_err *err) COT_MUST_CHECK;

/* {"name","version"}: the deletion is a version, too. COT_USAGE where another segment asks for it. */
cot_code cot_rules_delete(const struct cot_context *context, const char *name, yyjson_mut_doc **ret_doc,
                          struct cot_err *err) COT_MUST_CHECK;

/*
 * Makes the shop's segments by rule those of a folder's files (rules_sync.c): each after those that it asks for, then
 * what has no file is deleted, in one transaction. The same folder again changes nothing.
 *
 * {"dry_run","segments":[{"name","action": "added" | "changed" | "unchanged" | "deleted","version","path"}],"added",
 *  "changed","unchanged","deleted"}; of a dry run, which writes nothing, those added and changed have "count","enter",
 *  "leave" and samples (cot_rule_segments_preview) and those deleted "leave". COT_BAD_DATA: a file can't be used or its
 * tests fail, two have one name, one asks for what no file makes, or they ask for each other in a circle.
 */
cot_code cot_rules_sync(const struct cot_context *context, const char *folder, bool dry_run, yyjson_mut_doc **ret_doc,
                        struct cot_err *err) COT_MUST_CHECK;

#endif
