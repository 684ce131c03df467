#include "engine/service_segment.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/civil.h"
#include "base/json.h"
#include "engine/ingest_parts.h"
#include "engine/rule_store.h"

/* A read under the state's lock, as of now. */
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
    yyjson_mut_doc *doc = NULL;
    yyjson_mut_val *root = NULL;
    cot_code rc = cot_json_document(&doc, &root, err);
    if (rc != COT_OK)
        return rc;
    cot_state_lock(&ingest->state, read->rule != NULL ? COT_STATE_RULES : COT_STATE_ANSWER);
    rc = ingest->live == NULL || ingest->shop == NULL
             ? cot_fail(err, COT_IO, "the shop is being loaded: ask again in a moment")
             : cot_ingest_tick(ingest, err);
    if (rc == COT_OK)
        rc = fill(ingest, read, doc, root, err);
    cot_state_unlock(&ingest->state);
    return cot_json_finish(rc, doc, ret_doc);
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
    struct cot_rule_segments *rules = ingest->rules;
    if (!pthread_equal(pthread_self(), ingest->thread)) /* to give way might be to find other rules afterwards */
        cot_rule_segments_share(rules, NULL);
    cot_code rc =
        cot_rule_segments_preview(rules, &over, read->name, read->rule, ingest->context.n_threads, doc, root, err);
    cot_rule_segments_share(rules, &ingest->state);
    return rc;
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

/* For everybody, until no link came into force meanwhile: of that, only the rules in force are told. The caller holds
 * state. */
static cot_code evaluate_beside(struct cot_ingest *ingest, struct cot_rule_segments *rules, struct cot_err *err)
{
    const struct cot_rule_shop over = {ingest->live, ingest->shop};
    int64_t link_ms = 0;
    cot_code rc = COT_OK;
    do {
        rc = cot_ingest_tick(ingest, err);
        link_ms = cot_live_next_link_ms(ingest->live->live);
        if (rc == COT_OK)
            rc = cot_rule_segments_evaluate(rules, &over, err);
    } while (rc == COT_OK && cot_live_now_ms(ingest->live->live) >= link_ms);
    return rc == COT_OK ? cot_rule_segments_tick(rules, &over, cot_live_now_ms(ingest->live->live), err) : rc;
}

/* The rules as they are stored now, made beside those in force, which readers have until they are whole. On the
 * committer's thread: no facts come meanwhile. */
static cot_code renew_rules(struct cot_ingest *ingest, struct cot_err *err)
{
    struct cot_rule_segments *rules = NULL;
    cot_code rc = cot_rule_segments_read(ingest->store, &rules, err);
    if (rc != COT_OK)
        return rc;
    cot_rule_segments_share(rules, &ingest->state);
    cot_state_lock(&ingest->state, COT_STATE_RULES);
    rc = evaluate_beside(ingest, rules, err);
    if (rc == COT_OK) {
        struct cot_rule_segments *before = ingest->rules;
        ingest->rules = rules;
        rules = before;
        rc = cot_changes_renew(ingest, err);
    }
    cot_state_unlock(&ingest->state);
    cot_rule_segments_free(rules);
    return rc;
}

cot_code cot_service_segment_put(struct cot_service *service, const struct cot_segment_put *put,
                                 yyjson_mut_doc **ret_doc, struct cot_err *err)
{
    struct cot_ingest *ingest = cot_service_ingest(service);
    struct cot_segment_rule *parsed = NULL;
    int64_t version = 0;
    int64_t at_ms = cot_wall_ms();
    cot_code rc = cot_rule_name_check(put->name, err);
    if (rc == COT_OK)
        rc = check(ingest, put->name, put->rule, put->size, &parsed, err);
    if (rc == COT_OK)
        rc = cot_ingest_hold(ingest, parsed, err);
    if (rc == COT_OK) {
        const struct cot_rule_version wanted = {put->name, cot_segment_rule_text(parsed), put->source, put->author,
                                                at_ms};
        rc = cot_rule_store_add(ingest->store, &wanted, &version, err);
    }
    cot_segment_rule_free(parsed);
    if (rc != COT_OK)
        return rc;
    rc = renew_rules(ingest, err);
    if (rc != COT_OK) /* it is on disk: a failure from here on is of memory alone, and is cured by loading it again */
        cot_ingest_forget_memory(ingest);
    return rc == COT_OK ? cot_service_segment_list(service, put->name, ret_doc, err) : rc;
}

cot_code cot_service_segment_delete(struct cot_service *service, const char *name, const char *author,
                                    yyjson_mut_doc **ret_doc, struct cot_err *err)
{
    struct cot_ingest *ingest = cot_service_ingest(service);
    int64_t version = 0;
    cot_state_lock(&ingest->state, COT_STATE_ANSWER);
    cot_code rc = cot_rule_segments_check_delete(ingest->rules, name, err);
    cot_state_unlock(&ingest->state);
    if (rc == COT_OK)
        rc = cot_service_segment_list(service, name, ret_doc, err);
    if (rc == COT_OK) {
        const struct cot_rule_version deletion = {name, NULL, NULL, author, cot_wall_ms()};
        rc = cot_rule_store_add(ingest->store, &deletion, &version, err);
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

/* Whoever waits is looked at first, as long as that is soon done: what was acknowledged is counted. */
static cot_code fill_learned(struct cot_ingest *ingest, const struct segment_read *read, yyjson_mut_doc *doc,
                             yyjson_mut_val *root, struct cot_err *err)
{
    enum { MAX_STEPS = 500 };
    (void)read;
    cot_code rc = cot_ingest_census_look(ingest, MAX_STEPS, err);
    if (rc == COT_OK && ingest->live == NULL)
        rc = cot_fail(err, COT_IO, "the shop is being loaded: ask again in a moment");
    if (rc == COT_OK)
        cot_census_describe(ingest->census, ingest->live, doc, root);
    return rc;
}

cot_code cot_service_segment_learned(struct cot_service *service, yyjson_mut_doc **ret_doc, struct cot_err *err)
{
    const struct segment_read read = {0};
    return answer(service, &read, fill_learned, ret_doc, err);
}

/* A document of the store's own, on the committer's thread. */
static cot_code describe_store(const struct segment_read *read, segment_fill *fill, struct cot_service *service,
                               yyjson_mut_doc **ret_doc, struct cot_err *err)
{
    yyjson_mut_doc *doc = NULL;
    yyjson_mut_val *root = NULL;
    cot_code rc = cot_json_document(&doc, &root, err);
    if (rc == COT_OK)
        rc = fill(cot_service_ingest(service), read, doc, root, err);
    return cot_json_finish(rc, doc, ret_doc);
}

static cot_code fill_days(struct cot_ingest *ingest, const struct segment_read *read, yyjson_mut_doc *doc,
                          yyjson_mut_val *root, struct cot_err *err)
{
    return cot_segment_days_describe(ingest->store, read->name, read->limit, doc, root, err);
}

cot_code cot_service_segment_days(struct cot_service *service, const char *name, int64_t max_days,
                                  yyjson_mut_doc **ret_doc, struct cot_err *err)
{
    const struct segment_read read = {.name = name, .limit = max_days};
    return describe_store(&read, fill_days, service, ret_doc, err);
}

static cot_code fill_versions(struct cot_ingest *ingest, const struct segment_read *read, yyjson_mut_doc *doc,
                              yyjson_mut_val *root, struct cot_err *err)
{
    return cot_rule_store_history(ingest->store, read->name, 0, doc, root, err);
}

cot_code cot_service_segment_versions(struct cot_service *service, const char *name, yyjson_mut_doc **ret_doc,
                                      struct cot_err *err)
{
    const struct segment_read read = {.name = name};
    return describe_store(&read, fill_versions, service, ret_doc, err);
}
