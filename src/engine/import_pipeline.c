#include "engine/import_pipeline.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "base/dict.h"
#include "base/threads.h"
#include "domain/identity.h"

enum { N_JOBS_PER_THREAD = 4, MAX_DECODERS = 64 };

enum job_state { JOB_FREE, JOB_READ, JOB_DECODED };

struct job {
    struct cot_decoded decoded;
    enum job_state state; /* guarded by the pipeline's mutex; the rest belongs to whom the state names */
    bool last;            /* the reader's end, without rows */
    cot_code rc;
    struct cot_err err;
};

struct pipeline {
    struct cot_reader *reader;
    const struct cot_mapping *mapping;
    struct job *jobs;
    size_t n_jobs;

    pthread_mutex_t mutex;
    pthread_cond_t changed;
    /* guarded by mutex */
    size_t i_decode; /* sequence number of the next batch to decode */
    bool stop;
    uint64_t bytes_done;
};

void cot_decoded_release(struct cot_decoded *decoded)
{
    cot_batch_release(&decoded->batch);
    cot_records_release(&decoded->records);
    free(decoded->units);
    *decoded = (struct cot_decoded){0};
}

static int compare_records(const void *a, const void *b)
{
    const struct cot_record *x = a;
    const struct cot_record *y = b;
    if (x->line != y->line)
        return x->line < y->line ? -1 : 1;
    if (x->i_row != y->i_row)
        return x->i_row < y->i_row ? -1 : 1;
    return x->i_record < y->i_record ? -1 : x->i_record > y->i_record;
}

/* Grouped shapes may give what concerns a whole order after its lines: the records of a row are brought together. */
static void bring_rows_together(struct cot_records *records)
{
    for (size_t i = 1; i < records->n_records; i++)
        if (compare_records(&records->records[i - 1], &records->records[i]) > 0) {
            qsort(records->records, records->n_records, sizeof *records->records, compare_records);
            return;
        }
}

static struct cot_hash128 hash_of_unit(const struct cot_records *records, struct cot_row_unit *unit)
{
    struct cot_hasher hasher;
    struct cot_hash128 hash = {0, 0};
    for (size_t i = unit->first; i < unit->first + unit->n; i++) {
        const struct cot_record *record = &records->records[i];
        if (record->kind != COT_RECORD_EVENT || record->event_key.size == 0)
            continue;
        cot_hasher_init(&hasher);
        cot_hasher_text(&hasher, "key", 3);
        cot_hasher_text(&hasher, record->event_key.data, record->event_key.size);
        unit->has_key = true;
        return cot_hasher_finish(&hasher);
    }
    cot_hasher_init(&hasher);
    for (size_t i = unit->first; i < unit->first + unit->n; i++) {
        const struct cot_record *record = &records->records[i];
        hash = cot_record_hash(record, records->traits + record->i_trait);
        if (unit->n == 1)
            return hash;
        cot_hasher_int(&hasher, (int64_t)hash.high);
        cot_hasher_int(&hasher, (int64_t)hash.low);
    }
    return cot_hasher_finish(&hasher);
}

static uint64_t hash_of_identity(const struct cot_record *record)
{
    if (record->user.size > 0)
        return cot_dict_hash(COT_NODE_USER, record->user.data, record->user.size);
    if (record->email.size > 0)
        return cot_dict_hash(COT_NODE_EMAIL, record->email.data, record->email.size);
    if (record->phone.size > 0)
        return cot_dict_hash(COT_NODE_PHONE, record->phone.data, record->phone.size);
    return record->anonymous.size > 0
               ? cot_dict_hash(COT_NODE_ANONYMOUS, record->anonymous.data, record->anonymous.size)
               : 0;
}

cot_code cot_decoded_cut(struct cot_decoded *decoded, struct cot_err *err)
{
    struct cot_records *records = &decoded->records;
    decoded->n_units = 0;
    if (records->n_records > decoded->units_capacity) {
        struct cot_row_unit *units = realloc(decoded->units, records->n_records * sizeof *units);
        if (units == NULL)
            return cot_fail(err, COT_NOMEM, "a batch of %zu records", records->n_records);
        decoded->units = units;
        decoded->units_capacity = records->n_records;
    }
    bring_rows_together(records);
    for (size_t i = 0; i < records->n_records;) {
        const struct cot_record *first = &records->records[i];
        struct cot_row_unit unit = {.first = i, .line = first->line, .i_row = first->i_row};
        do {
            i++;
        } while (i < records->n_records && records->records[i].i_record != 0);
        unit.n = i - unit.first;
        unit.hash = hash_of_unit(records, &unit);
        unit.node_hash = hash_of_identity(first);
        decoded->units[decoded->n_units++] = unit;
    }
    return COT_OK;
}

static struct job *job_at(struct pipeline *pipeline, size_t i)
{
    return &pipeline->jobs[i % pipeline->n_jobs];
}

/* Waits until the job of sequence number i is in a state; NULL where the pipeline stops. */
static struct job *job_await(struct pipeline *pipeline, size_t i, enum job_state state)
{
    struct job *job = job_at(pipeline, i);
    pthread_mutex_lock(&pipeline->mutex);
    while (job->state != state && !pipeline->stop)
        pthread_cond_wait(&pipeline->changed, &pipeline->mutex);
    bool ready = job->state == state && !pipeline->stop;
    pthread_mutex_unlock(&pipeline->mutex);
    return ready ? job : NULL;
}

static void job_pass(struct pipeline *pipeline, struct job *job, enum job_state state)
{
    pthread_mutex_lock(&pipeline->mutex);
    job->state = state;
    pthread_cond_broadcast(&pipeline->changed);
    pthread_mutex_unlock(&pipeline->mutex);
}

static void *read_batches(void *argument)
{
    struct pipeline *pipeline = argument;
    for (size_t i = 0;; i++) {
        bool more = false;
        struct job *job = job_await(pipeline, i, JOB_FREE);
        if (job == NULL)
            return NULL;
        job->rc = cot_reader_next(pipeline->reader, &job->decoded.batch, &more, &job->err);
        bool last = job->rc != COT_OK || !more;
        job->last = last;
        pthread_mutex_lock(&pipeline->mutex);
        pipeline->bytes_done = cot_reader_bytes_done(pipeline->reader);
        pthread_mutex_unlock(&pipeline->mutex);
        job_pass(pipeline, job, JOB_READ);
        if (last)
            return NULL;
    }
}

static void decode(struct pipeline *pipeline, struct cot_decoder *decoder, struct job *job)
{
    cot_records_clear(&job->decoded.records);
    job->decoded.n_units = 0;
    if (job->rc != COT_OK)
        return;
    if (!job->last)
        job->rc = cot_mapping_decode(pipeline->mapping, decoder, &job->decoded.batch, &job->decoded.records, &job->err);
    else
        job->rc = cot_decoder_finish(decoder, &job->decoded.records, &job->err);
    if (job->rc == COT_OK)
        job->rc = cot_decoded_cut(&job->decoded, &job->err);
}

static void *decode_batches(void *argument)
{
    struct pipeline *pipeline = argument;
    struct cot_decoder *decoder = NULL;
    struct cot_err err = {0};
    cot_code rc = cot_decoder_open(pipeline->mapping, &decoder, &err);
    for (;;) {
        pthread_mutex_lock(&pipeline->mutex);
        size_t i = pipeline->i_decode++;
        pthread_mutex_unlock(&pipeline->mutex);
        struct job *job = job_await(pipeline, i, JOB_READ);
        if (job == NULL)
            break;
        if (rc == COT_OK) {
            decode(pipeline, decoder, job);
        } else {
            job->rc = rc;
            job->err = err;
        }
        job_pass(pipeline, job, JOB_DECODED);
    }
    cot_decoder_free(decoder);
    return NULL;
}

/* Takes the decoded batches in order. A batch is given back one later, so that its cells are at hand for the next. */
static cot_code take_all(struct pipeline *pipeline, const struct cot_pipeline_options *options, struct cot_err *err)
{
    uint64_t file_size = cot_reader_info(pipeline->reader)->file_size;
    struct job *before = NULL;
    for (size_t i = 0;; i++) {
        struct job *job = job_await(pipeline, i, JOB_DECODED);
        if (job->rc != COT_OK)
            return cot_fail(err, job->rc, "%s", job->err.message);
        cot_code rc = options->take(options->context, &job->decoded, before != NULL ? &before->decoded : NULL, err);
        if (rc != COT_OK || job->last)
            return rc;
        if (before != NULL)
            job_pass(pipeline, before, JOB_FREE);
        before = job;
        pthread_mutex_lock(&pipeline->mutex);
        uint64_t bytes_done = pipeline->bytes_done;
        pthread_mutex_unlock(&pipeline->mutex);
        cot_progress_report(&options->progress, options->stage, bytes_done, file_size);
    }
}

cot_code cot_pipeline_run(struct cot_reader *reader, const struct cot_mapping *mapping,
                          const struct cot_pipeline_options *options, struct cot_err *err)
{
    pthread_t threads[MAX_DECODERS + 1];
    size_t n_threads = 0;
    struct pipeline pipeline = {.reader = reader, .mapping = mapping};
    unsigned n_decoders = options->n_threads != 0 ? options->n_threads : cot_threads_available();
    cot_code rc = COT_OK;
    if (n_decoders > MAX_DECODERS)
        n_decoders = MAX_DECODERS;
    if (mapping->connector->is_grouped)
        n_decoders = 1;
    pipeline.n_jobs = (size_t)(n_decoders + 1) * N_JOBS_PER_THREAD;
    pipeline.jobs = calloc(pipeline.n_jobs, sizeof *pipeline.jobs);
    if (pipeline.jobs == NULL)
        return cot_fail(err, COT_NOMEM, "%zu batches", pipeline.n_jobs);
    pthread_mutex_init(&pipeline.mutex, NULL);
    pthread_cond_init(&pipeline.changed, NULL);

    for (unsigned i = 0; i < n_decoders + 1; i++) {
        if (pthread_create(&threads[n_threads], NULL, i == 0 ? read_batches : decode_batches, &pipeline) == 0)
            n_threads++;
        else if (i < 2) /* a reader and one decoder are needed, the others are for speed */
            rc = cot_fail(err, COT_NOMEM, "no thread could be started to read the file");
    }
    if (rc == COT_OK)
        rc = take_all(&pipeline, options, err);

    pthread_mutex_lock(&pipeline.mutex);
    pipeline.stop = true;
    pthread_cond_broadcast(&pipeline.changed);
    pthread_mutex_unlock(&pipeline.mutex);
    for (size_t i = 0; i < n_threads; i++)
        pthread_join(threads[i], NULL);
    for (size_t i = 0; i < pipeline.n_jobs; i++)
        cot_decoded_release(&pipeline.jobs[i].decoded);
    free(pipeline.jobs);
    pthread_cond_destroy(&pipeline.changed);
    pthread_mutex_destroy(&pipeline.mutex);
    return rc;
}
