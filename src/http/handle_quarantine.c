/* Calls that could not be used: looked at, tried again, corrected. */
#include <string.h>

#include "base/number.h"
#include "engine/ingest_replay.h"
#include "http/handlers.h"
#include "http/job.h"

static cot_code list(struct cot_exchange *exchange, yyjson_mut_doc **ret_doc, struct cot_err *err)
{
    int64_t limit = 100;
    cot_code rc = cot_exchange_query_int(exchange, "limit", 0, 10000, &limit, err);
    return rc == COT_OK ? cot_service_quarantine_list(exchange->service, cot_exchange_query(exchange, "code"),
                                                      (uint64_t)limit, ret_doc, err)
                        : rc;
}

static cot_code replay(struct cot_exchange *exchange, yyjson_mut_doc **ret_doc, struct cot_err *err)
{
    const struct cot_replay_filter filter = {.code = cot_exchange_query(exchange, "code")};
    return cot_service_quarantine_replay(exchange->service, &filter, NULL, ret_doc, err);
}

static cot_code correct(struct cot_exchange *exchange, yyjson_mut_doc **ret_doc, struct cot_err *err)
{
    struct cot_replay_filter filter = {0};
    yyjson_read_err why = {0};
    if (!cot_parse_int(exchange->parameter, exchange->parameter_size, &filter.id) || filter.id <= 0)
        return cot_fail(err, COT_USAGE, "'%.40s' is no number of a quarantined call", exchange->parameter);
    yyjson_doc *doc = exchange->body.size > 0 ? yyjson_read_opts(exchange->body.data, exchange->body.size,
                                                                 YYJSON_READ_NUMBER_AS_RAW, NULL, &why)
                                              : NULL;
    if (!yyjson_is_obj(yyjson_doc_get_root(doc))) {
        yyjson_doc_free(doc);
        return cot_fail(err, COT_USAGE, "the body is to be the corrected call, a JSON object");
    }
    cot_code rc = cot_service_quarantine_replay(exchange->service, &filter, yyjson_doc_get_root(doc), ret_doc, err);
    yyjson_doc_free(doc);
    return rc;
}

cot_code cot_handle_quarantine_list(struct cot_exchange *exchange, struct cot_err *err)
{
    return cot_exchange_run(exchange, list, err);
}

cot_code cot_handle_quarantine_replay(struct cot_exchange *exchange, struct cot_err *err)
{
    return cot_exchange_run(exchange, replay, err);
}

cot_code cot_handle_quarantine_correct(struct cot_exchange *exchange, struct cot_err *err)
{
    return cot_exchange_run(exchange, correct, err);
}
