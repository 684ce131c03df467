#include "engine/service_segment.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "engine/ingest_parts.h"

/* A read in the state's mutex, as of now. */
struct segment_read {
    const char *name;
    struct cot_segment_rule *rule;
    int64_t from, limit;
};

typedef cot_code segment_fill(struct cot_ingest *ingest, const struct segment_read *read, yyjson_mut_doc *doc,
                              yyjson_mut_val *root, struct cot_err *err);

static cot_code answer(struct cot_service *service, const struct segment_read *read, segment_fill *fill,
                       yyjson_mut_doc **ret_doc, struct cot_err *err)
{
    struct cot_ingest *ingest = cot_service_ingest(service);
    yyjson_mut_doc *doc = yyjson_mut_doc_new(NULL);
    yyjson_mut_val *root = yyjson_mut_obj(doc);
    if (root == NULL) {
        yyjson_mut_doc_free(doc);
        return cot_fail(err, COT_NOMEM, "an answer");
    }
    yyjson_mut_doc_set_root(doc, root);
    cot_state_lock(&ingest->state, read->rule != NULL ? COT_STATE_RULES : COT_STATE_ANSWER);
    cot_code rc = ingest->live == NULL || ingest->shop == NULL
                      ? cot_fail(err, COT_IO, "the shop is being loaded: ask again in a moment")
                      : cot_ingest_tick(ingest, err);
    if (rc == COT_OK)
        rc = fill(ingest, read, doc, root, err);
    cot_state_unlock(&ingest->state);
    if (rc == COT_OK)
        *ret_doc = doc;
    else
        yyjson_mut_doc_free(doc);
    return rc;
}

static cot_code fill_list(struct cot_ingest *ingest, const struct segment_read *read, yyjson_mut_doc *doc,
                          yyjson_mut_val *root, struct cot_err *err)
{
    return cot_rule_segments_describe(ingest->rules, read->name, doc, root, err);
}

cot_code cot_service_segment_list(struct cot_service *service, const char *name, yyjson_mut_doc **ret_doc,
                                  struct cot_err *err)
{
    const struct segment_read read = {.name = name};
    return answer(service, &read, fill_list, ret_doc, err);
}

static cot_code fill_members(struct cot_ingest *ingest, const struct segment_read *read, yyjson_mut_doc *doc,
                             yyjson_mut_val *root, struct cot_err *err)
{
    const struct cot_rule_shop over = {ingest->live, ingest->shop};
    return cot_rule_segments_members(ingest->rules, &over, read->name, (uint32_t)read->from, (size_t)read->limit, doc,
                                     root, err);
}

cot_code cot_service_segment_members(struct cot_service *service, const char *name, int64_t from, int64_t limit,
                                     yyjson_mut_doc **ret_doc, struct cot_err *err)
{
    const struct segment_read read = {.name = name, .from = from, .limit = limit};
    return answer(service, &read, fill_members, ret_doc, err);
}

static cot_code fill_preview(struct cot_ingest *ingest, const struct segment_read *read, yyjson_mut_doc *doc,
                             yyjson_mut_val *root, struct cot_err *err)
{
    const struct cot_rule_shop over = {ingest->live, ingest->shop};
    return cot_rule_segments_preview(ingest->rules, &over, read->name, read->rule, ingest->context.n_threads, doc, root,
                                     err);
}

/* A rule as it would be stored under a name. */
static cot_code check(struct cot_ingest *ingest, const char *name, const char *rule, size_t size,
                      struct cot_segment_rule **ret_rule, struct cot_err *err)
{
    cot_state_lock(&ingest->state, COT_STATE_ANSWER);
    cot_code rc = ingest->rules == NULL ? cot_fail(err, COT_IO, "the shop is being loaded: ask again in a moment")
                                        : cot_rule_segments_check(ingest->rules, name, rule, size, ret_rule, err);
    cot_state_unlock(&ingest->state);
    return rc;
}

cot_code cot_service_segment_preview(struct cot_service *service, const char *name, const char *rule, size_t size,
                                     bool *ret_held, yyjson_mut_doc **ret_doc, struct cot_err *err)
{
    struct cot_ingest *ingest = cot_service_ingest(service);
    struct cot_segment_rule *parsed = NULL;
    cot_code rc = check(ingest, name, rule, size, &parsed, err);
    if (rc != COT_OK)
        return rc;
    cot_state_lock(&ingest->state, COT_STATE_ANSWER);
    *ret_held = ingest->live == NULL || cot_ingest_holds(ingest, parsed);
    cot_state_unlock(&ingest->state);
    const struct segment_read read = {.name = name, .rule = parsed};
    if (*ret_held)
        rc = answer(service, &read, fill_preview, ret_doc, err);
    cot_segment_rule_free(parsed);
    return rc;
}

cot_code cot_service_segment_hold(struct cot_service *service, const char *name, const char *rule, size_t size,
                                  struct cot_err *err)
{
    struct cot_ingest *ingest = cot_service_ingest(service);
    struct cot_segment_rule *parsed = NULL;
    cot_code rc = check(ingest, name, rule, size, &parsed, err);
    if (rc == COT_OK)
        rc = cot_ingest_hold(ingest, parsed, err);
    cot_segment_rule_free(parsed);
    return rc;
}

/* The next version of a name, deleted ones counted. */
static cot_code next_version(struct cot_ingest *ingest, const char *quoted, int64_t *ret_version, struct cot_err *err)
{
    return cot_store_number(ingest->store, ret_version, err,
                            "select coalesce(max(version), 0) + 1 from rule_segment where name = %s", quoted);
}

static cot_code write_version(struct cot_ingest *ingest, const char *name, const char *rule, int64_t at_ms,
                              int64_t *ret_version, struct cot_err *err)
{
    char *quoted = cot_sql_quote(name);
    char *text = rule != NULL ? cot_sql_quote(rule) : strdup("null");
    cot_code rc = quoted == NULL || text == NULL ? cot_fail(err, COT_NOMEM, "a segment")
                                                 : next_version(ingest, quoted, ret_version, err);
    if (rc == COT_OK)
        rc =
            cot_store_exec(ingest->store, err,
                           "insert into rule_segment values (%s, %" PRId64 ", %s, epoch_ms(%" PRId64 ")::timestamp_ms)",
                           quoted, *ret_version, text, at_ms);
    free(quoted);
    free(text);
    return rc;
}

cot_code cot_service_segment_put(struct cot_service *service, const char *name, const char *rule, size_t size,
                                 yyjson_mut_doc **ret_doc, struct cot_err *err)
{
    struct cot_ingest *ingest = cot_service_ingest(service);
    struct cot_segment_rule *parsed = NULL;
    int64_t version = 0;
    int64_t at_ms = cot_wall_ms();
    if (name[0] == '\0' || strlen(name) > COT_RULE_MAX_NAME)
        return cot_fail(err, COT_USAGE, "a segment's name has 1 to %d bytes", COT_RULE_MAX_NAME);
    if (strcmp(name, "stream") == 0 || strcmp(name, "preview") == 0)
        return cot_fail(err, COT_USAGE, "no segment can be named '%s': that is a path of its own", name);
    cot_code rc = check(ingest, name, rule, size, &parsed, err);
    if (rc == COT_OK)
        rc = cot_ingest_hold(ingest, parsed, err);
    if (rc == COT_OK)
        rc = write_version(ingest, name, cot_segment_rule_text(parsed), at_ms, &version, err);
    if (rc != COT_OK) {
        cot_segment_rule_free(parsed);
        return rc;
    }
    cot_state_lock(&ingest->state, COT_STATE_RULES);
    const struct cot_rule_shop over = {ingest->live, ingest->shop};
    rc = cot_ingest_tick(ingest, err);
    cot_changes_because(ingest, COT_CHANGE_RULE);
    if (rc == COT_OK)
        rc = cot_rule_segments_put(ingest->rules, &over, name, (int32_t)version, at_ms, parsed, err);
    else
        cot_segment_rule_free(parsed);
    if (rc == COT_OK)
        rc = cot_changes_failed(ingest, err);
    if (rc == COT_OK && ingest->log != NULL)
        cot_segment_log_touch(ingest->log); /* whether it turned anybody or not: it was seen */
    cot_changes_because(ingest, COT_CHANGE_TIME);
    cot_state_unlock(&ingest->state);
    return rc == COT_OK ? cot_service_segment_list(service, name, ret_doc, err) : rc;
}

cot_code cot_service_segment_delete(struct cot_service *service, const char *name, yyjson_mut_doc **ret_doc,
                                    struct cot_err *err)
{
    struct cot_ingest *ingest = cot_service_ingest(service);
    int64_t version = 0;
    cot_state_lock(&ingest->state, COT_STATE_ANSWER);
    cot_code rc = cot_rule_segments_check_delete(ingest->rules, name, err);
    cot_state_unlock(&ingest->state);
    if (rc == COT_OK)
        rc = cot_service_segment_list(service, name, ret_doc, err);
    if (rc == COT_OK) {
        rc = write_version(ingest, name, NULL, cot_wall_ms(), &version, err);
        if (rc != COT_OK) {
            yyjson_mut_doc_free(*ret_doc);
            *ret_doc = NULL;
        }
    }
    if (rc != COT_OK)
        return rc;
    cot_state_lock(&ingest->state, COT_STATE_RULES);
    cot_rule_segments_delete(ingest->rules, name);
    rc = cot_changes_gone(ingest, err);
    cot_state_unlock(&ingest->state);
    return rc;
}

cot_code cot_service_segment_days(struct cot_service *service, const char *name, int64_t max_days,
                                  yyjson_mut_doc **ret_doc, struct cot_err *err)
{
    yyjson_mut_doc *doc = yyjson_mut_doc_new(NULL);
    yyjson_mut_val *root = yyjson_mut_obj(doc);
    if (root == NULL) {
        yyjson_mut_doc_free(doc);
        return cot_fail(err, COT_NOMEM, "an answer");
    }
    yyjson_mut_doc_set_root(doc, root);
    cot_code rc = cot_segment_days_describe(cot_service_ingest(service)->store, name, max_days, doc, root, err);
    if (rc == COT_OK)
        *ret_doc = doc;
    else
        yyjson_mut_doc_free(doc);
    return rc;
}
