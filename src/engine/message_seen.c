#include "engine/message_seen.h"

#include <dirent.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/array.h"
#include "base/folder.h"
#include "engine/message_run.h"

/* So many neighbours of like size become one; a run of so many times COT_MESSAGE_RECENT is of the next size. */
enum { FAN = 16, MIN_SLOTS = 4096 };

/* A clock that goes back further than this gets a run of its own, which says so. */
#define SLACK_MS INT64_C(60000)

/* After a file could not be written. */
#define PAUSE_MS INT64_C(10000)

/* Neighbouring runs that become one, in a thread of its own. */
struct merge {
    pthread_t thread;
    size_t n;
    struct cot_message_run inputs[FAN]; /* the mappings are those of the runs, which stay until it is done */
    struct cot_message_run_head head;
    char *path;
    struct cot_message_run output;
    cot_code rc;
    atomic_bool done;
};

struct cot_message_seen {
    char *folder;
    uint64_t store;
    struct cot_message_run *runs; /* by number */
    size_t n_runs, runs_capacity;
    uint64_t next_run;
    int64_t mark_ms;

    uint64_t *slots; /* of what is in memory; 0: free */
    size_t n_slots;
    uint64_t *recent; /* the same, as they came; from n_kept on: not yet on disk in the store */
    size_t n_recent, n_kept, recent_capacity;
    int64_t period; /* when they came */
    int64_t retry_at_ms;

    struct merge *merge; /* NULL: none */
};

static uint64_t hash_of(const char *text)
{
    return cot_hash128_bytes(text != NULL ? text : "", text != NULL ? strlen(text) : 0).low;
}

static int64_t period_of(int64_t now_ms)
{
    return now_ms / COT_MESSAGE_PERIOD_MS;
}

static bool is_back(const struct cot_message_seen *seen, int64_t mark_ms)
{
    return mark_ms < seen->mark_ms - SLACK_MS;
}

/* The clock may have been set back since. */
static bool may_write(const struct cot_message_seen *seen, int64_t now_ms)
{
    return now_ms >= seen->retry_at_ms || now_ms < seen->retry_at_ms - PAUSE_MS;
}

static bool is_over(const struct cot_message_run *run, int64_t now_ms)
{
    return (run->head->period + 1) * COT_MESSAGE_PERIOD_MS + COT_MESSAGE_WINDOW_MS <= now_ms;
}

/* ---- in memory ---- */

static uint64_t fingerprint(struct cot_hash128 hash)
{
    uint64_t value = hash.low ^ (hash.high * UINT64_C(0x9e3779b97f4a7c15));
    return value != 0 ? value : 1;
}

/* The slot that has the fingerprint, or the free one where it belongs. */
static size_t find(const uint64_t *slots, size_t n_slots, uint64_t value)
{
    size_t i = (size_t)(value >> 20) & (n_slots - 1);
    while (slots[i] != 0 && slots[i] != value)
        i = (i + 1) & (n_slots - 1);
    return i;
}

static cot_code grow(struct cot_message_seen *seen, struct cot_err *err)
{
    void *grown = cot_array_reserve(seen->recent, &seen->recent_capacity, seen->n_recent + 1, sizeof *seen->recent);
    if (grown == NULL)
        return cot_fail(err, COT_NOMEM, "%zu ids of calls", seen->n_recent);
    seen->recent = grown;
    if (seen->n_slots > 0 && seen->n_recent < seen->n_slots / 4 * 3)
        return COT_OK;
    size_t n_slots = seen->n_slots > 0 ? 2 * seen->n_slots : MIN_SLOTS;
    uint64_t *slots = calloc(n_slots, sizeof *slots);
    if (slots == NULL)
        return cot_fail(err, COT_NOMEM, "%zu ids of calls", seen->n_recent);
    for (size_t i = 0; i < seen->n_slots; i++)
        if (seen->slots[i] != 0)
            slots[find(slots, n_slots, seen->slots[i])] = seen->slots[i];
    free(seen->slots);
    seen->slots = slots;
    seen->n_slots = n_slots;
    return COT_OK;
}

/* Only the first n of what is in memory stay. */
static void cut(struct cot_message_seen *seen, size_t n)
{
    seen->n_recent = n;
    seen->n_kept = seen->n_kept < n ? seen->n_kept : n;
    if (seen->n_slots > 0)
        memset(seen->slots, 0, seen->n_slots * sizeof *seen->slots);
    for (size_t i = 0; i < n; i++)
        seen->slots[find(seen->slots, seen->n_slots, seen->recent[i])] = seen->recent[i];
}

cot_code cot_message_seen_meet(struct cot_message_seen *seen, struct cot_hash128 hash, bool *ret_met,
                               struct cot_err *err)
{
    uint64_t value = fingerprint(hash);
    bool met = seen->n_slots > 0 && seen->slots[find(seen->slots, seen->n_slots, value)] != 0;
    for (size_t i = seen->n_runs; i-- > 0 && !met;)
        met = cot_message_run_has(&seen->runs[i], value);
    if (!met) {
        cot_code rc = grow(seen, err);
        if (rc != COT_OK)
            return rc;
        seen->slots[find(seen->slots, seen->n_slots, value)] = value;
        seen->recent[seen->n_recent++] = value;
    }
    *ret_met = met;
    return COT_OK;
}

void cot_message_seen_keep(struct cot_message_seen *seen)
{
    seen->n_kept = seen->n_recent;
}

void cot_message_seen_drop(struct cot_message_seen *seen)
{
    if (seen->n_recent > seen->n_kept)
        cut(seen, seen->n_kept);
}

/* ---- runs ---- */

static void forget_runs(struct cot_message_seen *seen, size_t first, size_t n)
{
    if (n == 0)
        return;
    for (size_t i = first; i < first + n; i++) {
        (void)unlink(seen->runs[i].path);
        cot_message_run_close(&seen->runs[i]);
    }
    memmove(seen->runs + first, seen->runs + first + n, (seen->n_runs - first - n) * sizeof *seen->runs);
    seen->n_runs -= n;
}

static cot_code add_run(struct cot_message_seen *seen, const struct cot_message_run *run, struct cot_err *err)
{
    void *grown = cot_array_reserve(seen->runs, &seen->runs_capacity, seen->n_runs + 1, sizeof *seen->runs);
    if (grown == NULL)
        return cot_fail(err, COT_NOMEM, "%zu runs of ids", seen->n_runs);
    seen->runs = grown;
    size_t at = seen->n_runs;
    while (at > 0 && seen->runs[at - 1].head->first > run->head->first)
        at--;
    memmove(seen->runs + at + 1, seen->runs + at, (seen->n_runs - at) * sizeof *seen->runs);
    seen->runs[at] = *run;
    seen->n_runs++;
    return COT_OK;
}

static cot_code path_of(const struct cot_message_seen *seen, const struct cot_message_run_head *head, char **ret_path,
                        struct cot_err *err)
{
    char *path = NULL;
    if (asprintf(&path, "%s/%012" PRIu64 "-%012" PRIu64 ".ids", seen->folder, head->first, head->last) < 0)
        return cot_fail(err, COT_NOMEM, "'%s'", seen->folder);
    *ret_path = path;
    return COT_OK;
}

static int compare_values(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a;
    uint64_t y = *(const uint64_t *)b;
    return (x > y) - (x < y);
}

cot_code cot_message_seen_flush(struct cot_message_seen *seen, const struct cot_message_store *store, int64_t mark_ms,
                                struct cot_err *err)
{
    const struct cot_message_run_head head = {
        .period = seen->period,
        .first = seen->next_run,
        .last = seen->next_run,
        .mark_ms = mark_ms > seen->mark_ms || is_back(seen, mark_ms) ? mark_ms : seen->mark_ms,
        .n_events = store->n_events,
        .store = seen->store};
    struct cot_message_run run = {0};
    char *path = NULL;
    if (seen->n_kept == 0 && !is_back(seen, mark_ms))
        return COT_OK;
    cot_code rc = cot_folder_make(seen->folder, err);
    if (rc == COT_OK)
        rc = path_of(seen, &head, &path, err);
    if (rc == COT_OK) {
        if (seen->n_kept > 0)
            qsort(seen->recent, seen->n_kept, sizeof *seen->recent, compare_values);
        rc = cot_message_run_write(path, &head, &(const struct cot_message_list){seen->recent, seen->n_kept}, 1, err);
    }
    if (rc == COT_OK)
        rc = cot_message_run_open(path, &run, err);
    if (rc == COT_OK)
        rc = add_run(seen, &run, err);
    if (rc == COT_OK) {
        seen->next_run++;
        seen->mark_ms = head.mark_ms;
        size_t n_new = seen->n_recent - seen->n_kept;
        if (n_new > 0)
            memmove(seen->recent, seen->recent + seen->n_kept, n_new * sizeof *seen->recent);
        seen->n_kept = 0;
        cut(seen, n_new);
    } else {
        cot_message_run_close(&run);
        if (path != NULL)
            (void)unlink(path);
    }
    free(path);
    return rc;
}

/* ---- joining runs ---- */

static void *merge_work(void *argument)
{
    struct merge *merge = argument;
    struct cot_err ignored;
    struct cot_message_list lists[FAN];
    for (size_t i = 0; i < merge->n; i++)
        lists[i] = (struct cot_message_list){merge->inputs[i].values, merge->inputs[i].head->n};
    merge->rc = cot_message_run_write(merge->path, &merge->head, lists, merge->n, &ignored);
    if (merge->rc == COT_OK)
        merge->rc = cot_message_run_open(merge->path, &merge->output, &ignored);
    atomic_store(&merge->done, true);
    return NULL;
}

/* The number of the first input among the runs. */
static size_t inputs_at(const struct cot_message_seen *seen)
{
    size_t i = 0;
    while (i < seen->n_runs && seen->runs[i].head != seen->merge->inputs[0].head)
        i++;
    return i;
}

static void end_merge(struct cot_message_seen *seen, int64_t now_ms)
{
    struct cot_err ignored;
    struct merge *merge = seen->merge;
    pthread_join(merge->thread, NULL);
    size_t at = inputs_at(seen);
    if (merge->rc == COT_OK && add_run(seen, &merge->output, &ignored) == COT_OK) {
        /* Both begin with the same number: the joined one stands somewhere among its inputs. */
        struct cot_message_run output = merge->output;
        size_t mine = at;
        while (seen->runs[mine].head != output.head)
            mine++;
        memmove(seen->runs + at + 1, seen->runs + at, (mine - at) * sizeof *seen->runs);
        seen->runs[at] = output;
        forget_runs(seen, at + 1, merge->n);
    } else {
        if (merge->rc == COT_OK) {
            (void)unlink(merge->path);
            cot_message_run_close(&merge->output);
        }
        seen->retry_at_ms = now_ms + PAUSE_MS;
    }
    free(merge->path);
    free(merge);
    seen->merge = NULL;
}

static int tier(const struct cot_message_run *run)
{
    int t = 0;
    for (uint64_t n = run->head->n / COT_MESSAGE_RECENT; n >= FAN; n /= FAN)
        t++;
    return t;
}

/* Neighbours to be joined: FAN of like size, or what is left apart of a time that is over. 0: none. */
static size_t pick(const struct cot_message_seen *seen, int64_t now_ms, size_t *ret_first)
{
    for (size_t first = 0; first < seen->n_runs;) {
        const struct cot_message_run *run = &seen->runs[first];
        bool over = run->head->period < period_of(now_ms) && run->head->period != seen->period;
        size_t n = 1;
        while (first + n < seen->n_runs && n < FAN && seen->runs[first + n].head->period == run->head->period &&
               (over || tier(&seen->runs[first + n]) == tier(run)))
            n++;
        if (n == FAN || (over && n > 1)) {
            *ret_first = first;
            return n;
        }
        first += n;
    }
    return 0;
}

static void begin_merge(struct cot_message_seen *seen, int64_t now_ms)
{
    size_t first = 0;
    size_t n = pick(seen, now_ms, &first);
    struct cot_err ignored;
    struct merge *merge = n > 0 && may_write(seen, now_ms) ? calloc(1, sizeof *merge) : NULL;
    if (merge == NULL)
        return;
    merge->n = n;
    memcpy(merge->inputs, seen->runs + first, n * sizeof *merge->inputs);
    merge->head = *merge->inputs[n - 1].head; /* the newest mark */
    merge->head.first = merge->inputs[0].head->first;
    for (size_t i = 0; i < n; i++)
        if (merge->inputs[i].head->n_events > merge->head.n_events)
            merge->head.n_events = merge->inputs[i].head->n_events;
    if (path_of(seen, &merge->head, &merge->path, &ignored) == COT_OK &&
        pthread_create(&merge->thread, NULL, merge_work, merge) == 0) {
        seen->merge = merge;
        return;
    }
    free(merge->path);
    free(merge);
}

void cot_message_seen_settle(struct cot_message_seen *seen)
{
    if (seen->merge != NULL)
        end_merge(seen, 0);
}

/* Only what is oldest goes: what stays has no gap. Runs that are being joined go once they are. */
static void drop_old(struct cot_message_seen *seen, int64_t now_ms)
{
    size_t n = 0;
    if (seen->merge != NULL)
        return;
    while (n < seen->n_runs && is_over(&seen->runs[n], now_ms))
        n++;
    forget_runs(seen, 0, n);
}

void cot_message_seen_tick(struct cot_message_seen *seen, const struct cot_message_store *store, int64_t now_ms,
                           int64_t mark_ms)
{
    struct cot_err ignored;
    bool due = seen->n_kept >= COT_MESSAGE_RECENT || period_of(now_ms) != seen->period || is_back(seen, mark_ms);
    if (due && may_write(seen, now_ms) && cot_message_seen_flush(seen, store, mark_ms, &ignored) != COT_OK)
        seen->retry_at_ms = now_ms + PAUSE_MS;
    if (seen->n_recent == 0)
        seen->period = period_of(now_ms);
    if (seen->merge != NULL && atomic_load(&seen->merge->done))
        end_merge(seen, now_ms);
    drop_old(seen, now_ms);
    if (seen->merge == NULL)
        begin_merge(seen, now_ms);
}

/* ---- opening ---- */

static bool ends_with(const char *text, const char *end)
{
    size_t n = strlen(text);
    size_t m = strlen(end);
    return n >= m && strcmp(text + n - m, end) == 0;
}

/* False where a file is not what it should be. What a kill has left half done is removed. */
static bool load_runs(struct cot_message_seen *seen)
{
    struct cot_err ignored;
    DIR *folder = opendir(seen->folder);
    struct dirent *entry = NULL;
    bool good = true;
    while (folder != NULL && good && (entry = readdir(folder)) != NULL) {
        struct cot_message_run run = {0};
        char *path = NULL;
        if (asprintf(&path, "%s/%s", seen->folder, entry->d_name) < 0) {
            good = false;
            break;
        }
        if (ends_with(entry->d_name, ".new.ids"))
            (void)unlink(path);
        else if (ends_with(entry->d_name, ".ids"))
            good = cot_message_run_open(path, &run, &ignored) == COT_OK && add_run(seen, &run, &ignored) == COT_OK;
        free(path);
    }
    if (folder != NULL)
        closedir(folder);
    return good;
}

/* Inputs that their join's kill has left behind go. */
static void drop_covered(struct cot_message_seen *seen)
{
    for (size_t i = 0; i < seen->n_runs; i++)
        for (size_t j = seen->n_runs; j-- > 0;) {
            const struct cot_message_run_head *a = seen->runs[i].head;
            const struct cot_message_run_head *b = seen->runs[j].head;
            if (j != i && b->first >= a->first && b->last <= a->last) {
                forget_runs(seen, j, 1);
                i -= j < i;
            }
        }
}

/* All of this store, of what it has, and without a gap? */
static bool is_believed(const struct cot_message_seen *seen, const struct cot_message_store *store)
{
    for (size_t i = 0; i < seen->n_runs; i++) {
        const struct cot_message_run_head *head = seen->runs[i].head;
        if (head->store != seen->store || head->n_events > store->n_events ||
            (i > 0 && head->first != seen->runs[i - 1].head->last + 1))
            return false;
    }
    return true;
}

static void discard(struct cot_message_seen *seen)
{
    struct cot_err ignored;
    while (seen->n_runs > 0)
        forget_runs(seen, seen->n_runs - 1, 1);
    if (cot_folder_remove(seen->folder, &ignored) != COT_OK)
        return; /* what can't be removed is met, and refused, by the next start */
}

cot_code cot_message_seen_open(const char *folder, const struct cot_message_store *store, int64_t now_ms,
                               struct cot_message_seen **ret_seen, int64_t *ret_since_ms, struct cot_err *err)
{
    struct cot_message_seen *seen = calloc(1, sizeof *seen);
    if (seen == NULL || (seen->folder = strdup(folder)) == NULL) {
        free(seen);
        return cot_fail(err, COT_NOMEM, "ids of calls");
    }
    seen->store = hash_of(store->salt);
    seen->period = period_of(now_ms);
    bool good = load_runs(seen);
    drop_covered(seen);
    if (!good || !is_believed(seen, store))
        discard(seen);
    if (seen->n_runs > 0) {
        seen->next_run = seen->runs[seen->n_runs - 1].head->last + 1;
        seen->mark_ms = seen->runs[seen->n_runs - 1].head->mark_ms;
    }
    drop_old(seen, now_ms);
    int64_t window_ms = now_ms - COT_MESSAGE_WINDOW_MS;
    *ret_since_ms = seen->mark_ms > window_ms ? seen->mark_ms : window_ms;
    *ret_seen = seen;
    return COT_OK;
}

void cot_message_seen_close(struct cot_message_seen *seen)
{
    if (seen == NULL)
        return;
    cot_message_seen_settle(seen);
    for (size_t i = 0; i < seen->n_runs; i++)
        cot_message_run_close(&seen->runs[i]);
    free(seen->runs);
    free(seen->slots);
    free(seen->recent);
    free(seen->folder);
    free(seen);
}

int64_t cot_message_seen_mark_ms(const struct cot_message_seen *seen)
{
    return seen->mark_ms;
}

struct cot_message_figures cot_message_seen_figures(const struct cot_message_seen *seen)
{
    struct cot_message_figures figures = {.n = seen->n_recent,
                                          .n_in_memory = seen->n_recent,
                                          .n_runs = seen->n_runs,
                                          .memory_size = sizeof *seen + seen->n_slots * sizeof *seen->slots +
                                                         seen->recent_capacity * sizeof *seen->recent +
                                                         seen->runs_capacity * sizeof *seen->runs};
    for (size_t i = 0; i < seen->n_runs; i++) {
        figures.n += seen->runs[i].head->n;
        figures.disk_size += seen->runs[i].size;
    }
    return figures;
}
