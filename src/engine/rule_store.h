/* Versions of segments by rule, as the store keeps them (table rule_segment): the newest of a name holds. */
#ifndef COT_ENGINE_RULE_STORE_H
#define COT_ENGINE_RULE_STORE_H

#include <stdint.h>
#include <yyjson.h>

#include "coterie/err.h"

struct cot_store;

/* 1 to COT_RULE_MAX_NAME bytes, and none that is a path of the server's own. COT_USAGE. */
cot_code cot_rule_name_check(const char *name, struct cot_err *err) COT_MUST_CHECK;

struct cot_rule_version {
    const char *name;
    const char *rule;   /* NULL: the segment is deleted */
    const char *source; /* the text of the segment file that it came in; NULL: it came alone */
    const char *author; /* "user anna", "key 3f9a"; NULL: not known */
    int64_t created_at_ms;
};

/* Writes the next version of a name, deletions counted. */
cot_code cot_rule_store_add(struct cot_store *store, const struct cot_rule_version *version, int64_t *ret_version,
                            struct cot_err *err) COT_MUST_CHECK;

/* What a stored version says; texts are malloc'd. */
struct cot_rule_stored {
    int64_t version;
    char *rule;   /* NULL: a deletion */
    char *source; /* NULL: it came alone */
};
/* version 0: the newest. COT_NOT_FOUND: no such segment, no such version. */
cot_code cot_rule_store_find(struct cot_store *store, const char *name, int64_t version,
                             struct cot_rule_stored *ret_stored, struct cot_err *err) COT_MUST_CHECK;
void cot_rule_stored_release(struct cot_rule_stored *stored);

/* {"name","versions":[{"version","rule","source","created_at","created_by"}]}, the newest first; rule null: a deletion,
 * source null: it came alone, created_by null: not known. version 0: all of them. COT_NOT_FOUND: none. */
cot_code cot_rule_store_history(struct cot_store *store, const char *name, int64_t version, yyjson_mut_doc *doc,
                                yyjson_mut_val *root, struct cot_err *err) COT_MUST_CHECK;

#endif
