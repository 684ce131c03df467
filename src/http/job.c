#include "http/job.h"

#include <stdlib.h>

#include "engine/ingest.h"
#include "http/server_parts.h"

struct exchange_job {
    struct cot_ingest_job job;
    struct cot_exchange *exchange;
    cot_exchange_work *work;
    cot_exchange_reading *reading; /* instead of work */
};

static cot_code run(struct cot_ingest_job *job, struct cot_service *service, struct cot_store *store,
                    struct cot_err *err)
{
    struct exchange_job *mine = job->context;
    yyjson_mut_doc *doc = NULL;
    (void)service;
    cot_code rc = COT_OK;
    if (mine->reading == NULL)
        rc = mine->work(mine->exchange, &doc, err);
    else if (atomic_load(&mine->exchange->server->draining)) /* who stops waits for the one answer at hand alone */
        rc = cot_fail(err, COT_IO, "the server is stopping: ask again in a moment");
    else
        rc = mine->reading(mine->exchange, store, &doc, err);
    if (rc == COT_OK)
        rc = cot_exchange_answer(mine->exchange, 200, doc, err);
    yyjson_mut_doc_free(doc);
    return rc;
}

static void on_done(void *context)
{
    struct exchange_job *mine = context;
    struct cot_exchange *exchange = mine->exchange;
    if (mine->job.result != COT_OK)
        cot_exchange_answer_error(exchange, cot_code_http_status(mine->job.result), cot_code_name(mine->job.result),
                                  mine->job.err.message);
    free(mine);
    cot_exchange_resume(exchange);
}

static cot_code start(struct cot_exchange *exchange, cot_exchange_work *work, cot_exchange_reading *reading,
                      struct cot_err *err)
{
    struct exchange_job *mine = calloc(1, sizeof *mine);
    if (mine == NULL)
        return cot_fail(err, COT_NOMEM, "a job");
    mine->job = (struct cot_ingest_job){.run = run, .done = on_done, .context = mine};
    mine->exchange = exchange;
    mine->work = work;
    mine->reading = reading;
    cot_exchange_suspend(exchange);
    cot_code rc = reading != NULL ? cot_ingest_read(exchange->service, &mine->job, err)
                                  : cot_ingest_run(exchange->service, &mine->job, err);
    if (rc == COT_OK)
        return COT_OK;
    cot_exchange_answer_error(exchange, cot_code_http_status(rc), cot_code_name(rc), err->message);
    free(mine);
    cot_exchange_resume(exchange);
    return COT_OK;
}

cot_code cot_exchange_run(struct cot_exchange *exchange, cot_exchange_work *work, struct cot_err *err)
{
    return start(exchange, work, NULL, err);
}

cot_code cot_exchange_read(struct cot_exchange *exchange, cot_exchange_reading *reading, struct cot_err *err)
{
    return start(exchange, NULL, reading, err);
}
