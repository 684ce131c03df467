/* The committer: groups of calls, one transaction each. */
#include "engine/ingest.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/array.h"
#include "base/civil.h"
#include "base/thread_pace.h"
#include "engine/ingest_parts.h"

/* A group is what waits, up to this many calls: more would make its first ones wait for its last. */
enum { MAX_GROUP = 20000, MAX_WAITING = 100000 };

/* After a commit that failed nothing is taken for so long: a full disk is no better at once. */
#define PAUSE_AFTER_FAILURE_MS INT64_C(1000)

/* Prices that could not be made are tried again after so long. */
#define PRICE_RETRY_MS INT64_C(60000)

static int64_t monotonic_us(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

static cot_code check_accepting(struct cot_ingest *ingest, size_t n_more, struct cot_err *err)
{
    if (ingest->stopping)
        return cot_fail(err, COT_IO, "the server is stopping: send it again in a moment");
    if (ingest->failed_at_ms != 0 && monotonic_us() / 1000 - ingest->failed_at_ms < PAUSE_AFTER_FAILURE_MS)
        return cot_fail(err, COT_IO, "the disk took nothing a moment ago: %s", ingest->failure.message);
    if (ingest->n_waiting > 0 && ingest->n_waiting + n_more > MAX_WAITING)
        return cot_fail(err, COT_IO, "%zu calls wait already: send it again in a moment", ingest->n_waiting);
    return COT_OK;
}

cot_code cot_ingest_submit(struct cot_service *service, struct cot_ingest_batch *batch, cot_ingest_done *done,
                           void *context, struct cot_err *err)
{
    struct cot_ingest *ingest = cot_service_ingest(service);
    batch->done = done;
    batch->context = context;
    batch->next = NULL;
    pthread_mutex_lock(&ingest->mutex);
    cot_code rc = check_accepting(ingest, batch->n_calls, err);
    if (rc == COT_OK) {
        if (ingest->last != NULL)
            ingest->last->next = batch;
        else
            ingest->first = batch;
        ingest->last = batch;
        ingest->n_waiting += batch->n_calls;
        pthread_cond_signal(&ingest->changed);
    } else {
        atomic_fetch_add(&ingest->n_refused, batch->n_calls);
    }
    pthread_mutex_unlock(&ingest->mutex);
    return rc;
}

cot_code cot_ingest_run(struct cot_service *service, struct cot_ingest_job *job, struct cot_err *err)
{
    struct cot_ingest *ingest = cot_service_ingest(service);
    cot_code rc = COT_OK;
    job->next = NULL;
    job->result = COT_OK;
    pthread_mutex_lock(&ingest->mutex);
    if (ingest->stopping) {
        rc = cot_fail(err, COT_IO, "the server is stopping: ask again in a moment");
    } else {
        if (ingest->last_job != NULL)
            ingest->last_job->next = job;
        else
            ingest->first_job = job;
        ingest->last_job = job;
        pthread_cond_signal(&ingest->changed);
    }
    pthread_mutex_unlock(&ingest->mutex);
    return rc;
}

/* A clock that was set back: nothing is recorded before what the ids of calls are known up to, so that a restart finds
 * it. */
static void not_before(struct cot_ingest_batch *batch, int64_t mark_ms)
{
    if (batch->request.received_at_ms >= mark_ms)
        return;
    batch->request.received_at_ms = mark_ms;
    for (size_t i = 0; i < batch->records.n_records; i++)
        if (batch->records.records[i].recorded_at_ms < mark_ms)
            batch->records.records[i].recorded_at_ms = mark_ms;
}

static cot_code take_batch(struct cot_ingest *ingest, struct cot_ingest_batch *batch, struct cot_err *err)
{
    struct cot_live_run *run = &ingest->runs[batch->request.source];
    not_before(batch, cot_message_seen_mark_ms(ingest->seen));
    cot_code rc = cot_ingest_run_use(ingest, batch->request.source, err);
    for (size_t i = 0; i < batch->n_calls && rc == COT_OK; i++) {
        /* Readers look things up in what this changes; they wait for one call alone. */
        cot_state_lock(&ingest->state, COT_STATE_TAKE);
        rc = cot_ingest_take(ingest, batch, &batch->calls[i], false, err);
        cot_state_unlock(&ingest->state);
        cot_live_facts_mark(&ingest->facts);
        if (rc == COT_OK)
            run->counts[batch->calls[i].fate]++;
    }
    return rc;
}

/* What a fact applied is about; remembered until its call is applied. */
static void touch(void *context, uint32_t node, int64_t event_id)
{
    struct cot_ingest *ingest = context;
    if (event_id != 0)
        cot_changes_event(ingest, node, event_id);
    if (ingest->census != NULL && cot_census_touch(ingest->census, node, NULL) != COT_OK)
        ingest->n_touched = SIZE_MAX;
    if (ingest->n_touched == SIZE_MAX)
        return;
    void *grown =
        cot_array_reserve(ingest->touched, &ingest->touched_capacity, ingest->n_touched + 1, sizeof *ingest->touched);
    if (grown == NULL) {
        ingest->n_touched = SIZE_MAX; /* seen below */
        return;
    }
    ingest->touched = grown;
    if (ingest->n_touched == 0 || ingest->touched[ingest->n_touched - 1] != node)
        ingest->touched[ingest->n_touched++] = node;
}

/* The same of an item, whose rules remember it themselves. */
static void touch_item(void *context, uint32_t item)
{
    struct cot_ingest *ingest = context;
    if (cot_rule_segments_touch_item(ingest->rules, item, NULL) != COT_OK)
        ingest->n_touched = SIZE_MAX;
}

/* Whole calls, and then the rules of those of whom they speak: readers see a call with all that follows from it. */
static cot_code apply_calls(struct cot_ingest *ingest, struct cot_err *err)
{
    enum { MAX_TOUCHED = 16 };
    const struct cot_rule_shop over = {ingest->live, ingest->shop};
    const struct cot_live_touches touches = {.context = ingest, .node = touch, .item = touch_item};
    cot_code rc = COT_OK;
    ingest->n_touched = 0;
    cot_changes_because(ingest, COT_CHANGE_EVENTS);
    while (rc == COT_OK && cot_live_facts_left(&ingest->facts) && ingest->n_touched < MAX_TOUCHED)
        rc = cot_live_facts_apply(&ingest->facts, ingest->live, &touches, err);
    if (rc == COT_OK && ingest->n_touched == SIZE_MAX)
        rc = cot_fail(err, COT_NOMEM, "customers of a group");
    for (size_t i = 0; rc == COT_OK && i < ingest->n_touched; i++)
        rc = cot_rule_segments_touch(ingest->rules, &over, ingest->touched[i], err);
    if (rc == COT_OK)
        rc = cot_changes_failed(ingest, err);
    cot_changes_because(ingest, COT_CHANGE_TIME);
    return rc;
}

static cot_code apply(struct cot_ingest *ingest, struct cot_err *err)
{
    const struct cot_rule_shop over = {ingest->live, ingest->shop};
    cot_code rc = cot_ingest_tick(ingest, err);
    while (rc == COT_OK && cot_live_facts_left(&ingest->facts)) {
        rc = apply_calls(ingest, err);
        (void)cot_state_give_way(&ingest->state);
    }
    cot_changes_because(ingest, COT_CHANGE_EVENTS);
    if (rc == COT_OK)
        rc = cot_rule_segments_settle(ingest->rules, &over, err);
    if (rc == COT_OK)
        rc = cot_changes_failed(ingest, err);
    if (rc == COT_OK)
        ingest->seen_event_id = ingest->shop->next_event_id - 1;
    cot_changes_because(ingest, COT_CHANGE_TIME);
    return rc;
}

static cot_code tick_to(struct cot_ingest *ingest, int64_t at_ms, struct cot_err *err)
{
    const struct cot_rule_shop over = {ingest->live, ingest->shop};
    return cot_rule_segments_tick(ingest->rules, &over, at_ms, err);
}

cot_code cot_ingest_tick(struct cot_ingest *ingest, struct cot_err *err)
{
    int64_t now_ms = cot_wall_ms();
    cot_code rc = COT_OK;
    enum cot_change_cause cause = ingest->reason.cause; /* of work that gave way */
    ingest->reason.cause = COT_CHANGE_TIME;
    while (rc == COT_OK && ingest->log != NULL && ingest->next_day_ms <= now_ms) { /* midnights on the way */
        rc = tick_to(ingest, ingest->next_day_ms, err);
        if (rc == COT_OK && !cot_days_take(ingest))
            rc = cot_fail(err, COT_NOMEM, "a snapshot of segments");
    }
    if (rc == COT_OK)
        rc = tick_to(ingest, now_ms, err);
    ingest->reason.cause = cause;
    if (rc == COT_OK && (cot_changes_due(ingest) || ingest->days != NULL)) { /* the committer writes, whoever came by */
        pthread_mutex_lock(&ingest->mutex);
        pthread_cond_signal(&ingest->changed);
        pthread_mutex_unlock(&ingest->mutex);
    }
    return rc == COT_OK ? cot_changes_failed(ingest, err) : rc;
}

cot_code cot_ingest_apply(struct cot_ingest *ingest, struct cot_err *err)
{
    cot_code rc = COT_OK;
    if (ingest->is_offline)
        return COT_OK;
    cot_state_lock(&ingest->state, COT_STATE_APPLY);
    if (ingest->live != NULL)
        rc = apply(ingest, err);
    cot_state_unlock(&ingest->state);
    cot_live_facts_clear(&ingest->facts);
    return rc;
}

/* The shop got its currency: what is in memory counts in it from the start. */
static cot_code take_up_currency(struct cot_ingest *ingest, struct cot_err *err)
{
    ingest->shop->base_changed = false;
    pthread_mutex_lock(&ingest->mutex);
    memcpy(ingest->base_currency, ingest->shop->base_currency, sizeof ingest->base_currency);
    pthread_mutex_unlock(&ingest->mutex);
    if (ingest->is_offline)
        return COT_OK;
    cot_code rc = cot_ingest_renew_live(ingest, NULL, err);
    cot_live_facts_clear(&ingest->facts);
    return rc;
}

static cot_code commit(struct cot_ingest *ingest, struct cot_err *err)
{
    cot_code rc = cot_import_shop_flush_writers(ingest->shop, err);
    if (rc == COT_OK && ingest->shop->base_changed)
        rc = cot_import_shop_store_base(ingest->shop, ingest->shop->next_import_id, err);
    if (rc == COT_OK)
        rc = cot_ingest_runs_write(ingest, cot_wall_ms(), err);
    if (rc == COT_OK)
        rc = cot_changes_write(ingest, err);
    return rc == COT_OK ? cot_store_commit(ingest->store, err) : rc;
}

cot_code cot_ingest_end(struct cot_ingest *ingest, cot_code rc, struct cot_err *err)
{
    struct cot_err why = {0};
    if (rc == COT_OK)
        rc = commit(ingest, err);
    cot_changes_end(ingest, rc == COT_OK);
    if (rc != COT_OK) {
        cot_ingest_unload(ingest);
        cot_store_rollback(ingest->store);
        return rc;
    }
    /* It is on disk: a failure from here on is of memory alone, and is cured by loading it again. */
    bool done = (!ingest->shop->base_changed || take_up_currency(ingest, &why) == COT_OK) &&
                cot_ingest_apply(ingest, &why) == COT_OK;
    if (!done)
        cot_ingest_forget_memory(ingest);
    return COT_OK;
}

void cot_ingest_forget_memory(struct cot_ingest *ingest)
{
    cot_state_lock(&ingest->state, COT_STATE_SWAP);
    cot_live_shop_free(ingest->live);
    cot_rule_segments_free(ingest->rules);
    ingest->live = NULL;
    ingest->rules = NULL;
    free(ingest->touched);
    ingest->touched = NULL;
    ingest->touched_capacity = 0;
    cot_state_unlock(&ingest->state);
    cot_ingest_unload(ingest);
}

/* The group's rows, on disk when it returns COT_OK. */
static cot_code write_group(struct cot_ingest *ingest, struct cot_ingest_batch *first, struct cot_err *err)
{
    struct cot_live_run runs[COT_N_INGEST_SOURCES];
    cot_code rc = ingest->loaded ? COT_OK : cot_ingest_load(ingest, err);
    if (rc != COT_OK)
        return rc;
    cot_days_finish(ingest);
    cot_ingest_ids_tick(ingest, first);
    memcpy(runs, ingest->runs, sizeof runs);
    rc = cot_store_begin(ingest->store, err);
    if (rc == COT_OK)
        rc = cot_ingest_ids_prune(ingest, err);
    for (struct cot_ingest_batch *batch = first; batch != NULL && rc == COT_OK; batch = batch->next)
        rc = take_batch(ingest, batch, err);
    rc = cot_ingest_end(ingest, rc, err);
    if (rc == COT_OK) {
        cot_message_seen_keep(ingest->seen);
    } else { /* its calls come again: they are counted then */
        memcpy(ingest->runs, runs, sizeof runs);
        cot_message_seen_drop(ingest->seen);
    }
    return rc;
}

/* Nothing of the group is on disk: memory is brought back to what is. */
static void recover(struct cot_ingest *ingest, const struct cot_err *why)
{
    struct cot_err ignored;
    if (ingest->store != NULL && cot_ingest_load(ingest, &ignored) != COT_OK)
        ingest->loaded = false; /* the next group tries again */
    pthread_mutex_lock(&ingest->mutex);
    ingest->failed_at_ms = monotonic_us() / 1000;
    ingest->failure = *why;
    pthread_mutex_unlock(&ingest->mutex);
}

static void note_success(struct cot_ingest *ingest, const struct cot_ingest_batch *first, int64_t began_us)
{
    for (const struct cot_ingest_batch *batch = first; batch != NULL; batch = batch->next)
        for (size_t i = 0; i < batch->n_calls; i++)
            atomic_fetch_add(&ingest->n_calls[batch->calls[i].fate], 1);
    atomic_fetch_add(&ingest->n_commits, 1);
    atomic_fetch_add(&ingest->commit_us, (uint64_t)(monotonic_us() - began_us));
    if (ingest->shop != NULL) {
        atomic_fetch_add(&ingest->n_links_refused, ingest->shop->n_links_refused);
        ingest->shop->n_links_refused = 0;
    }
    const struct cot_message_figures ids = cot_message_seen_figures(ingest->seen);
    atomic_store(&ingest->n_ids, ids.n);
    atomic_store(&ingest->ids_disk_size, ids.disk_size);
    pthread_mutex_lock(&ingest->mutex);
    ingest->failed_at_ms = 0;
    pthread_mutex_unlock(&ingest->mutex);
}

static void commit_group(struct cot_ingest *ingest, struct cot_ingest_batch *first)
{
    struct cot_err err = {0};
    int64_t began_us = monotonic_us();
    cot_code rc = write_group(ingest, first, &err);
    if (rc == COT_OK)
        note_success(ingest, first, began_us);
    else
        recover(ingest, &err);
    while (first != NULL) {
        struct cot_ingest_batch *next = first->next;
        first->rc = rc == COT_OK ? COT_OK : COT_IO; /* whatever it was: nothing is lost, come again */
        first->err = err;
        first->done(first->context); /* the batch is its sender's again */
        first = next;
    }
}

/* Takes what waits off the queue, up to a group's size. */
static struct cot_ingest_batch *take_waiting(struct cot_ingest *ingest)
{
    size_t n = 0;
    struct cot_ingest_batch *first = ingest->first;
    struct cot_ingest_batch *last = first;
    if (first == NULL)
        return NULL;
    n = last->n_calls;
    while (last->next != NULL && n + last->next->n_calls <= MAX_GROUP) {
        last = last->next;
        n += last->n_calls;
    }
    ingest->first = last->next;
    if (ingest->first == NULL)
        ingest->last = NULL;
    last->next = NULL;
    ingest->n_waiting -= n;
    return first;
}

static struct cot_ingest_job *take_job(struct cot_ingest *ingest)
{
    struct cot_ingest_job *job = ingest->first_job;
    if (job == NULL)
        return NULL;
    ingest->first_job = job->next;
    if (ingest->first_job == NULL)
        ingest->last_job = NULL;
    return job;
}

static void run_job(struct cot_service *service, struct cot_ingest *ingest, struct cot_ingest_job *job)
{
    job->result = ingest->loaded ? COT_OK : cot_ingest_load(ingest, &job->err);
    if (job->result == COT_OK)
        job->result = job->run(job, service, ingest->store, &job->err);
    job->done(job->context);
}

static int64_t price_due_ms(const struct cot_ingest *ingest)
{
    int64_t due_ms = cot_live_catalogue_due_ms(ingest->live->live);
    return due_ms > ingest->price_retry_ms ? due_ms : ingest->price_retry_ms;
}

/* The next moment at which a rule turns by itself, or the catalogue's prices are due. */
static int64_t next_moment_ms(struct cot_ingest *ingest)
{
    cot_state_lock(&ingest->state, COT_STATE_TIME);
    const struct cot_rule_shop over = {ingest->live, ingest->shop};
    int64_t at_ms = ingest->rules != NULL ? cot_rule_segments_next_ms(ingest->rules, &over) : COT_RULE_NEVER;
    if (ingest->rules != NULL && ingest->next_day_ms < at_ms)
        at_ms = ingest->next_day_ms;
    if (ingest->loaded && (ingest->days != NULL || cot_ingest_census_waits(ingest)))
        at_ms = 0;
    if (ingest->census != NULL && ingest->live != NULL && cot_census_ranks_due(ingest->census, INT64_MAX) &&
        cot_census_ranks_at_ms(ingest->census) < at_ms)
        at_ms = cot_census_ranks_at_ms(ingest->census);
    int64_t price_ms = ingest->live != NULL ? price_due_ms(ingest) : COT_RULE_NEVER;
    cot_state_unlock(&ingest->state);
    int64_t due_ms = cot_changes_due_ms(ingest);
    if (price_ms < at_ms)
        at_ms = price_ms;
    return due_ms < at_ms ? due_ms : at_ms;
}

/* Waits for work, at most until a moment by the wall clock. That may be set meanwhile: it is looked at again. */
static void wait_for_work(struct cot_ingest *ingest, int64_t until_ms)
{
    enum { LOOK_AGAIN_MS = 60000 };
    int64_t wait_ms = until_ms - cot_wall_ms();
    wait_ms = wait_ms < 0 ? 0 : wait_ms < LOOK_AGAIN_MS ? wait_ms : LOOK_AGAIN_MS;
    int64_t until_us = monotonic_us() + wait_ms * 1000;
    const struct timespec until = {.tv_sec = until_us / 1000000, .tv_nsec = until_us % 1000000 * 1000};
    while (ingest->first == NULL && ingest->first_job == NULL && !ingest->stopping && !cot_changes_due(ingest))
        if (pthread_cond_clockwait(&ingest->changed, &ingest->mutex, CLOCK_MONOTONIC, &until) != 0)
            return;
}

/* Moments that come while nothing else does. A failure is of memory: the next group, or reader, meets it again. */
static void let_time_pass(struct cot_ingest *ingest)
{
    struct cot_err ignored;
    cot_state_lock(&ingest->state, COT_STATE_TIME);
    if (ingest->live != NULL && ingest->shop != NULL && cot_ingest_tick(ingest, &ignored) != COT_OK)
        ignored.code = COT_OK;
    cot_state_unlock(&ingest->state);
}

/* Prices that are due are made beside those that readers have: facts come by this thread alone. Where that fails, the
 * old ones stay for a while longer. */
static void keep_priced(struct cot_ingest *ingest)
{
    struct cot_err ignored;
    struct cot_catalogue catalogue = {0};
    cot_state_lock(&ingest->state, COT_STATE_TIME);
    int64_t now_ms = ingest->live != NULL ? cot_live_now_ms(ingest->live->live) : INT64_MIN;
    bool due = ingest->live != NULL && now_ms >= price_due_ms(ingest);
    cot_state_unlock(&ingest->state);
    if (!due)
        return;
    ingest->price_retry_ms = now_ms + PRICE_RETRY_MS;
    if (cot_live_catalogue_make(ingest->live->live, now_ms, &catalogue, &ignored) != COT_OK)
        return;
    cot_state_lock(&ingest->state, COT_STATE_SWAP);
    cot_live_catalogue_set(ingest->live->live, now_ms, &catalogue);
    cot_state_unlock(&ingest->state);
    cot_catalogue_release(&catalogue);
}

static bool begin(struct cot_ingest *ingest)
{
    struct cot_err err = {0};
    /* The committer, and DuckDB's threads, which it starts, leave the processor to those that answer readers: a
     * checkpoint takes every core for as long as it lasts. */
    cot_thread_be_patient();
    cot_code rc = cot_ingest_load(ingest, &err);
    pthread_mutex_lock(&ingest->mutex);
    ingest->has_begun = true;
    ingest->begin_rc = rc;
    if (rc != COT_OK)
        ingest->failure = err;
    pthread_cond_broadcast(&ingest->changed);
    pthread_mutex_unlock(&ingest->mutex);
    return rc == COT_OK;
}

void *cot_ingest_work(void *argument)
{
    struct cot_service *service = argument;
    struct cot_ingest *ingest = cot_service_ingest(service);
    if (!begin(ingest))
        return NULL;
    for (;;) {
        int64_t until_ms = next_moment_ms(ingest);
        pthread_mutex_lock(&ingest->mutex);
        wait_for_work(ingest, until_ms);
        struct cot_ingest_job *job = take_job(ingest);
        struct cot_ingest_batch *group = take_waiting(ingest);
        bool done = ingest->stopping && job == NULL && group == NULL;
        pthread_mutex_unlock(&ingest->mutex);
        if (done) {
            cot_changes_settle(ingest);
            return NULL;
        }
        if (group == NULL && job == NULL) {
            let_time_pass(ingest);
            cot_days_finish(ingest);
            cot_changes_flush(ingest);
        }
        if (group != NULL)
            commit_group(ingest, group);
        if (job != NULL)
            run_job(service, ingest, job);
        cot_ingest_census_work(ingest);
        keep_priced(ingest);
    }
}
