/* The reader: long answers from the store, beside the committer (ingest.h). */
#include "engine/ingest.h"

#include "base/thread_pace.h"
#include "engine/ingest_parts.h"
#include "store/store.h"

cot_code cot_ingest_store_open(struct cot_ingest *ingest, struct cot_err *err)
{
    const struct cot_store_options how = {.mode = COT_STORE_CREATE, .n_threads = ingest->context.n_threads};
    struct cot_store *store = NULL;
    cot_code rc = cot_store_open(ingest->context.data_dir, &how, &store, err);
    if (rc != COT_OK)
        return rc;
    pthread_mutex_lock(&ingest->mutex);
    ingest->store = store;
    pthread_cond_broadcast(&ingest->readable);
    pthread_mutex_unlock(&ingest->mutex);
    return COT_OK;
}

void cot_ingest_store_close(struct cot_ingest *ingest)
{
    pthread_mutex_lock(&ingest->mutex);
    struct cot_store *store = ingest->store;
    ingest->store = NULL; /* the next answer waits until it is open again */
    while (ingest->is_reading)
        pthread_cond_wait(&ingest->readable, &ingest->mutex);
    pthread_mutex_unlock(&ingest->mutex);
    cot_store_close(store);
}

cot_code cot_ingest_read(struct cot_service *service, struct cot_ingest_job *job, struct cot_err *err)
{
    struct cot_ingest *ingest = cot_service_ingest(service);
    cot_code rc = COT_OK;
    job->next = NULL;
    job->result = COT_OK;
    pthread_mutex_lock(&ingest->mutex);
    if (ingest->stopping) {
        rc = cot_fail(err, COT_IO, "the server is stopping: ask again in a moment");
    } else {
        if (ingest->last_read != NULL)
            ingest->last_read->next = job;
        else
            ingest->first_read = job;
        ingest->last_read = job;
        pthread_cond_broadcast(&ingest->readable);
    }
    pthread_mutex_unlock(&ingest->mutex);
    return rc;
}

/* In one transaction: an answer is of one moment, whatever is committed meanwhile. */
static cot_code run_reading(struct cot_service *service, struct cot_ingest_job *job, struct cot_store *store)
{
    struct cot_store *snapshot = NULL;
    cot_code rc = cot_store_open_snapshot(store, &snapshot, &job->err);
    if (rc == COT_OK)
        rc = job->run(job, service, snapshot, &job->err);
    cot_store_close(snapshot);
    return rc;
}

/* The next that can be read; NULL: the server is stopping. The mutex is held. */
static struct cot_ingest_job *wait_for_reading(struct cot_ingest *ingest)
{
    while (!ingest->stopping && (ingest->first_read == NULL || ingest->store == NULL))
        pthread_cond_wait(&ingest->readable, &ingest->mutex);
    struct cot_ingest_job *job = ingest->first_read;
    if (job == NULL)
        return NULL;
    ingest->first_read = job->next;
    if (ingest->first_read == NULL)
        ingest->last_read = NULL;
    return job;
}

void *cot_ingest_work_reading(void *argument)
{
    struct cot_service *service = argument;
    struct cot_ingest *ingest = cot_service_ingest(service);
    cot_thread_be_patient(); /* as the committer: answers from memory go first */
    for (;;) {
        pthread_mutex_lock(&ingest->mutex);
        struct cot_ingest_job *job = wait_for_reading(ingest);
        struct cot_store *store = ingest->stopping ? NULL : ingest->store;
        ingest->is_reading = store != NULL;
        pthread_mutex_unlock(&ingest->mutex);
        if (job == NULL)
            return NULL;
        job->result = store != NULL ? run_reading(service, job, store)
                                    : cot_fail(&job->err, COT_IO, "the server is stopping: ask again in a moment");
        pthread_mutex_lock(&ingest->mutex);
        ingest->is_reading = false;
        pthread_cond_broadcast(&ingest->readable);
        pthread_mutex_unlock(&ingest->mutex);
        job->done(job->context);
    }
}
