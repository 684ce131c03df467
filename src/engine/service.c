#include "engine/service.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/civil.h"
#include "engine/ingest_parts.h"
#include "store/store.h"

struct cot_service {
    struct cot_ingest ingest;
    char *data_dir;
    struct timespec began; /* monotonic */
    bool announced;
};

struct cot_ingest *cot_service_ingest(struct cot_service *service)
{
    return &service->ingest;
}

static cot_code wait_until_loaded(struct cot_ingest *ingest, struct cot_err *err)
{
    pthread_mutex_lock(&ingest->mutex);
    while (!ingest->has_begun)
        pthread_cond_wait(&ingest->changed, &ingest->mutex);
    cot_code rc = ingest->begin_rc;
    if (rc != COT_OK && err != NULL)
        *err = ingest->failure;
    pthread_mutex_unlock(&ingest->mutex);
    return rc;
}

cot_code cot_service_open(const struct cot_context *context, struct cot_service **ret_service, struct cot_err *err)
{
    struct cot_service *service = calloc(1, sizeof *service);
    if (service == NULL)
        return cot_fail(err, COT_NOMEM, "service");
    struct cot_ingest *ingest = &service->ingest;
    clock_gettime(CLOCK_MONOTONIC, &service->began);
    pthread_mutex_init(&ingest->mutex, NULL);
    cot_state_lock_init(&ingest->state);
    pthread_cond_init(&ingest->changed, NULL);
    pthread_cond_init(&ingest->readable, NULL);
    service->data_dir = strdup(context->data_dir);
    ingest->context = *context;
    ingest->context.data_dir = service->data_dir;
    cot_code rc = service->data_dir == NULL ? cot_fail(err, COT_NOMEM, "service") : COT_OK;
    if (rc == COT_OK)
        rc = cot_segment_log_open(&ingest->log, err);
    if (rc == COT_OK)
        rc = cot_census_open(&ingest->census, err);
    if (rc == COT_OK && pthread_create(&ingest->thread, NULL, cot_ingest_work, service) != 0)
        rc = cot_fail(err, COT_NOMEM, "a thread");
    else if (rc == COT_OK)
        ingest->has_thread = true;
    if (rc == COT_OK && pthread_create(&ingest->reader, NULL, cot_ingest_work_reading, service) != 0)
        rc = cot_fail(err, COT_NOMEM, "a thread");
    else if (rc == COT_OK)
        ingest->has_reader = true;
    if (rc == COT_OK)
        rc = wait_until_loaded(ingest, err);
    if (rc == COT_OK)
        *ret_service = service;
    else
        cot_service_close(service);
    return rc;
}

bool cot_service_is_lent(const struct cot_service *service)
{
    return atomic_load(&service->ingest.is_lent);
}

static void announcement_path(const struct cot_service *service, char *ret_path, size_t size)
{
    snprintf(ret_path, size, "%s/server.json", service->data_dir);
}

cot_code cot_service_announce(struct cot_service *service, const char *url, struct cot_err *err)
{
    char path[4096];
    announcement_path(service, path, sizeof path);
    FILE *file = fopen(path, "we");
    bool done = file != NULL && fprintf(file, "{\"url\":\"%s\",\"pid\":%lld}\n", url, (long long)getpid()) > 0;
    if (file != NULL)
        done = fclose(file) == 0 && done;
    service->announced = done;
    return done ? COT_OK : cot_fail(err, COT_IO, "'%s': %s", path, strerror(errno));
}

/* Commits what waits, then the counts. */
static void stop_committer(struct cot_ingest *ingest)
{
    struct cot_err ignored;
    if (!ingest->has_thread)
        return;
    pthread_mutex_lock(&ingest->mutex);
    ingest->stopping = true;
    pthread_cond_broadcast(&ingest->changed);
    pthread_cond_broadcast(&ingest->readable);
    pthread_mutex_unlock(&ingest->mutex);
    if (ingest->has_reader)
        pthread_join(ingest->reader, NULL);
    pthread_join(ingest->thread, NULL);
    if (!ingest->loaded || cot_store_begin(ingest->store, &ignored) != COT_OK)
        return;
    ingest->counted_at_ms = 0;
    if (cot_ingest_runs_write(ingest, cot_wall_ms(), &ignored) != COT_OK ||
        cot_store_commit(ingest->store, &ignored) != COT_OK)
        cot_store_rollback(ingest->store);
}

void cot_service_close(struct cot_service *service)
{
    char path[4096];
    if (service == NULL)
        return;
    stop_committer(&service->ingest);
    cot_ingest_ids_close(&service->ingest);
    cot_ingest_forget_memory(&service->ingest);
    cot_ingest_store_close(&service->ingest);
    cot_segment_log_free(service->ingest.log);
    cot_days_release(&service->ingest);
    cot_census_free(service->ingest.census);
    free(service->ingest.reason.events);
    if (service->announced) {
        announcement_path(service, path, sizeof path);
        (void)unlink(path);
    }
    pthread_cond_destroy(&service->ingest.changed);
    pthread_cond_destroy(&service->ingest.readable);
    cot_state_lock_destroy(&service->ingest.state);
    pthread_mutex_destroy(&service->ingest.mutex);
    free(service->data_dir);
    free(service);
}

cot_code cot_service_ready(struct cot_service *service, struct cot_err *err)
{
    struct cot_ingest *ingest = &service->ingest;
    pthread_mutex_lock(&ingest->mutex);
    cot_code rc = ingest->failed_at_ms == 0
                      ? COT_OK
                      : cot_fail(err, COT_IO, "the last commit failed: %s", ingest->failure.message);
    pthread_mutex_unlock(&ingest->mutex);
    return rc;
}

static double file_size(const char *path)
{
    struct stat status;
    return stat(path, &status) == 0 ? (double)status.st_size : 0;
}

size_t cot_service_figures(const struct cot_service *service,
                           struct cot_service_figure ret_figures[COT_SERVICE_MAX_FIGURES])
{
    char path[4096];
    struct timespec now;
    const struct cot_ingest *ingest = &service->ingest;
    clock_gettime(CLOCK_MONOTONIC, &now);
    snprintf(path, sizeof path, "%s/coterie.duckdb", service->data_dir);
    const struct cot_service_figure figures[] = {
        {"coterie_uptime_seconds", "Since the server began.", false,
         (double)(now.tv_sec - service->began.tv_sec) + (double)(now.tv_nsec - service->began.tv_nsec) * 1e-9},
        {"coterie_store_bytes", "Size of the database file.", false, file_size(path)},
        {"coterie_calls_accepted_total", "Calls taken in.", true,
         (double)atomic_load(&ingest->n_calls[COT_CALL_ACCEPTED])},
        {"coterie_calls_duplicate_total", "Calls that had come before.", true,
         (double)atomic_load(&ingest->n_calls[COT_CALL_DUPLICATE])},
        {"coterie_calls_quarantined_total", "Calls put aside.", true,
         (double)atomic_load(&ingest->n_calls[COT_CALL_QUARANTINED])},
        {"coterie_calls_refused_total", "Calls told to come again later.", true,
         (double)atomic_load(&ingest->n_refused)},
        {"coterie_links_refused_total", "Links that would have joined strangers.", true,
         (double)atomic_load(&ingest->n_links_refused)},
        {"coterie_commits_total", "Groups of calls committed.", true, (double)atomic_load(&ingest->n_commits)},
        {"coterie_commit_seconds_total", "Time that committing took.", true,
         (double)atomic_load(&ingest->commit_us) * 1e-6},
        {"coterie_call_ids", "Ids held to tell repeated calls apart.", false, (double)atomic_load(&ingest->n_ids)},
        {"coterie_call_ids_bytes", "Their size on disk.", false, (double)atomic_load(&ingest->ids_disk_size)},
    };
    size_t n = sizeof figures / sizeof *figures;
    memcpy(ret_figures, figures, sizeof figures);
    return n;
}

static bool copy_durations(const struct cot_state_durations *durations, struct cot_service_durations *ret_copy)
{
    uint64_t n = 0;
    for (size_t i = 0; i <= COT_STATE_N_BOUNDS; i++)
        n += ret_copy->by_bound[i] = atomic_load_explicit(&durations->by_bound[i], memory_order_relaxed);
    ret_copy->bounds_us = cot_state_bounds_us;
    ret_copy->n_bounds = COT_STATE_N_BOUNDS;
    ret_copy->sum_s = (double)atomic_load_explicit(&durations->sum_ns, memory_order_relaxed) * 1e-9;
    return n > 0;
}

size_t cot_service_durations(const struct cot_service *service,
                             struct cot_service_durations ret_durations[COT_SERVICE_MAX_DURATIONS])
{
    static_assert(COT_STATE_N_BOUNDS <= (int)COT_SERVICE_MAX_BOUNDS, "room for the bounds");
    static_assert(2 * COT_N_STATE_HOLDERS <= (int)COT_SERVICE_MAX_DURATIONS, "room for holds and waits");
    const struct cot_state_lock *lock = &service->ingest.state;
    size_t n = 0;
    for (int waits = 0; waits < 2; waits++)
        for (int holder = 0; holder < COT_N_STATE_HOLDERS; holder++) {
            struct cot_service_durations *durations = &ret_durations[n];
            durations->name = waits ? "coterie_state_wait_seconds" : "coterie_state_hold_seconds";
            durations->help = waits ? "How long answers waited for what is in memory, by what had it."
                                    : "How long what is in memory was held at a time, by what for.";
            durations->label = waits ? "behind" : "by";
            durations->value = cot_state_holder_name((enum cot_state_holder)holder);
            n += copy_durations(waits ? &lock->waits[holder] : &lock->holds[holder], durations);
        }
    return n;
}
