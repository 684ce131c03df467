/* Rule segments: kept, previewed, counted. */
#include <stdio.h>
#include <string.h>

#include "engine/rule_test.h"
#include "engine/service_segment.h"
#include "engine/service_stream.h"
#include "http/handlers.h"
#include "http/job.h"
#include "http/stream.h"

static cot_code answer_doc(struct cot_exchange *exchange, cot_code rc, yyjson_mut_doc *doc, struct cot_err *err)
{
    if (rc == COT_OK)
        rc = cot_exchange_answer(exchange, 200, doc, err);
    yyjson_mut_doc_free(doc);
    return rc;
}

cot_code cot_handle_segment_list(struct cot_exchange *exchange, struct cot_err *err)
{
    yyjson_mut_doc *doc = NULL;
    cot_code rc = cot_service_segment_list(exchange->service, NULL, &doc, err);
    return answer_doc(exchange, rc, doc, err);
}

cot_code cot_handle_segment(struct cot_exchange *exchange, struct cot_err *err)
{
    yyjson_mut_doc *doc = NULL;
    cot_code rc = cot_service_segment_list(exchange->service, exchange->parameter, &doc, err);
    return answer_doc(exchange, rc, doc, err);
}

/* A browser that comes back says its last id in the head, whatever stood in the address. */
cot_code cot_handle_segment_stream(struct cot_exchange *exchange, struct cot_err *err)
{
    struct cot_segment_stream from;
    const char *last_id = cot_exchange_header(exchange, "Last-Event-ID");
    if (last_id == NULL)
        last_id = cot_exchange_query(exchange, "last_event_id");
    cot_code rc =
        cot_service_stream_begin(exchange->service, last_id, cot_exchange_query(exchange, "segment"), &from, err);
    return rc == COT_OK ? cot_exchange_stream(exchange, &from, err) : rc;
}

cot_code cot_handle_segment_members(struct cot_exchange *exchange, struct cot_err *err)
{
    yyjson_mut_doc *doc = NULL;
    int64_t from = 0;
    int64_t limit = 1000;
    cot_code rc = cot_exchange_query_int(exchange, "from", 0, INT32_MAX, &from, err);
    if (rc == COT_OK)
        rc = cot_exchange_query_int(exchange, "limit", 1, 100000, &limit, err);
    if (rc == COT_OK)
        rc = cot_service_segment_members(exchange->service, exchange->parameter, from, limit, &doc, err);
    return answer_doc(exchange, rc, doc, err);
}

static cot_code rule_of(yyjson_doc *doc, const char **ret_rule, size_t *ret_size, struct cot_err *err)
{
    yyjson_val *rule = yyjson_obj_get(yyjson_doc_get_root(doc), "rule");
    if (!yyjson_is_str(rule))
        return cot_fail(err, COT_USAGE, "the body needs \"rule\", the segment's text");
    *ret_rule = yyjson_get_str(rule);
    *ret_size = yyjson_get_len(rule);
    return COT_OK;
}

/* {"rule": text, ...}; keep ret_doc as long as the text. */
static cot_code read_rule(const struct cot_exchange *exchange, yyjson_doc **ret_doc, const char **ret_rule,
                          size_t *ret_size, struct cot_err *err)
{
    cot_code rc = cot_exchange_json(exchange, ret_doc, err);
    return rc == COT_OK ? rule_of(*ret_doc, ret_rule, ret_size, err) : rc;
}

/* A rule that can't be read is a mistake of the request: 400, with line and column. */
static cot_code mistake(cot_code rc)
{
    return rc == COT_BAD_DATA ? COT_USAGE : rc;
}

/* ret_held false: what the rule asks for is to be loaded first; `hold`: that is done here, on the committer's thread.
 */
static cot_code preview(struct cot_exchange *exchange, bool hold, bool *ret_held, yyjson_mut_doc **ret_doc,
                        struct cot_err *err)
{
    yyjson_doc *body = NULL;
    const char *rule = NULL;
    size_t size = 0;
    cot_code rc = read_rule(exchange, &body, &rule, &size, err);
    const char *name = rc == COT_OK ? yyjson_get_str(yyjson_obj_get(yyjson_doc_get_root(body), "name")) : NULL;
    if (rc == COT_OK && hold)
        rc = mistake(cot_service_segment_hold(exchange->service, name, rule, size, err));
    if (rc == COT_OK)
        rc = mistake(cot_service_segment_preview(exchange->service, name, rule, size, ret_held, ret_doc, err));
    yyjson_doc_free(body);
    return rc;
}

static cot_code preview_held(struct cot_exchange *exchange, yyjson_mut_doc **ret_doc, struct cot_err *err)
{
    bool held = false;
    cot_code rc = preview(exchange, true, &held, ret_doc, err);
    return rc == COT_OK && !held ? cot_fail(err, COT_INTERNAL, "what the rule asks for could not be loaded") : rc;
}

cot_code cot_handle_segment_preview(struct cot_exchange *exchange, struct cot_err *err)
{
    yyjson_mut_doc *doc = NULL;
    bool held = true;
    /* On the committer's thread, where it gives way to answers and no facts come in between. While the store is lent,
     * which may take long, that thread is with it: then in one go, here. */
    if (!cot_service_is_lent(exchange->service))
        return cot_exchange_run(exchange, preview_held, err);
    cot_code rc = preview(exchange, false, &held, &doc, err);
    return rc == COT_OK && !held ? cot_exchange_run(exchange, preview_held, err) : answer_doc(exchange, rc, doc, err);
}

/* {"rule": text} or {"source": a segment file's text}; what ret_put points to lasts as long as ret_doc and ret_file. */
static cot_code read_put(const struct cot_exchange *exchange, yyjson_doc **ret_doc, struct cot_segment_file **ret_file,
                         struct cot_segment_put *ret_put, struct cot_err *err)
{
    cot_code rc = cot_exchange_json(exchange, ret_doc, err);
    yyjson_val *source = rc == COT_OK ? yyjson_obj_get(yyjson_doc_get_root(*ret_doc), "source") : NULL;
    if (rc != COT_OK)
        return rc;
    if (source == NULL)
        return rule_of(*ret_doc, &ret_put->rule, &ret_put->size, err);
    if (!yyjson_is_str(source) || yyjson_obj_get(yyjson_doc_get_root(*ret_doc), "rule") != NULL)
        return cot_fail(err, COT_USAGE, "the body needs \"rule\" or \"source\", one of the two, as text");
    rc = mistake(cot_segment_file_parse(yyjson_get_str(source), yyjson_get_len(source), ret_file, NULL, err));
    if (rc == COT_OK && strcmp(cot_segment_file_name(*ret_file), exchange->parameter) != 0)
        rc = cot_fail(err, COT_USAGE, "the file holds segment '%s', not '%.100s'", cot_segment_file_name(*ret_file),
                      exchange->parameter);
    if (rc != COT_OK)
        return rc;
    ret_put->source = cot_segment_file_text(*ret_file);
    ret_put->rule = cot_segment_rule_text(cot_segment_file_rule(*ret_file));
    ret_put->size = strlen(ret_put->rule);
    return COT_OK;
}

/* Who asks, as versions keep it: by id alone; NULL where no key is needed. */
enum { AUTHOR_SIZE = COT_KEY_ID_SIZE + 8 };
static const char *author_of(const struct cot_exchange *exchange, char buffer[AUTHOR_SIZE])
{
    snprintf(buffer, AUTHOR_SIZE, "key %s", exchange->key_id);
    return exchange->key_id[0] != '\0' ? buffer : NULL;
}

static cot_code put(struct cot_exchange *exchange, yyjson_mut_doc **ret_doc, struct cot_err *err)
{
    char author[AUTHOR_SIZE];
    yyjson_doc *body = NULL;
    struct cot_segment_file *file = NULL;
    struct cot_segment_put wanted = {.name = exchange->parameter, .author = author_of(exchange, author)};
    cot_code rc = read_put(exchange, &body, &file, &wanted, err);
    if (rc == COT_OK)
        rc = mistake(cot_service_segment_put(exchange->service, &wanted, ret_doc, err));
    cot_segment_file_free(file);
    yyjson_doc_free(body);
    return rc;
}

/* The tests of a file are run here: the committer has others to look after. */
cot_code cot_handle_segment_put(struct cot_exchange *exchange, struct cot_err *err)
{
    yyjson_doc *body = NULL;
    struct cot_segment_file *file = NULL;
    struct cot_segment_put ignored = {0};
    uint64_t n_tests = 0;
    cot_code rc = read_put(exchange, &body, &file, &ignored, err);
    if (rc == COT_OK && file != NULL)
        rc = mistake(cot_rule_tests_pass(file, &n_tests, err));
    cot_segment_file_free(file);
    yyjson_doc_free(body);
    return rc == COT_OK ? cot_exchange_run(exchange, put, err) : rc;
}

static cot_code delete_one(struct cot_exchange *exchange, yyjson_mut_doc **ret_doc, struct cot_err *err)
{
    char author[AUTHOR_SIZE];
    return cot_service_segment_delete(exchange->service, exchange->parameter, author_of(exchange, author), ret_doc,
                                      err);
}

cot_code cot_handle_segment_delete(struct cot_exchange *exchange, struct cot_err *err)
{
    return cot_exchange_run(exchange, delete_one, err);
}

static cot_code versions(struct cot_exchange *exchange, yyjson_mut_doc **ret_doc, struct cot_err *err)
{
    return cot_service_segment_versions(exchange->service, exchange->parameter, ret_doc, err);
}

cot_code cot_handle_segment_versions(struct cot_exchange *exchange, struct cot_err *err)
{
    return cot_exchange_run(exchange, versions, err);
}

cot_code cot_handle_segment_learned(struct cot_exchange *exchange, struct cot_err *err)
{
    yyjson_mut_doc *doc = NULL;
    cot_code rc = cot_service_segment_learned(exchange->service, &doc, err);
    return answer_doc(exchange, rc, doc, err);
}

static cot_code history(struct cot_exchange *exchange, yyjson_mut_doc **ret_doc, struct cot_err *err)
{
    int64_t days = 90;
    cot_code rc = cot_exchange_query_int(exchange, "days", 1, 36500, &days, err);
    return rc == COT_OK ? cot_service_segment_days(exchange->service, exchange->parameter, days, ret_doc, err) : rc;
}

cot_code cot_handle_segment_history(struct cot_exchange *exchange, struct cot_err *err)
{
    return cot_exchange_run(exchange, history, err);
}
