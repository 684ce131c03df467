#include "engine/segment_log.h"

#include <inttypes.h>
#include <openssl/rand.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/array.h"
#include "base/buf.h"
#include "base/dict.h"
#include "base/number.h"
#include "store/store.h"

/* The customers who were told to be in one segment, a bit a node. */
struct told {
    uint64_t *bits;
    size_t n_words, capacity;
};

/* Changes by number, oldest first. */
struct changes {
    struct cot_change *changes;
    size_t n, capacity;
};

/* What _stage took and _write writes. */
struct stage {
    bool any;
    struct changes changes;
    struct told *told; /* by segment; NULL: the set is not written anew */
    size_t n_told;
    int64_t first_id, last_id; /* as they will be */
};

struct cot_segment_log {
    /* guarded by the service's state lock */
    struct told *told; /* by segment */
    size_t n_told, told_capacity;
    bool begins; /* what is set is where the log begins */

    /* the committer's */
    struct stage stage;
    int64_t n_rows; /* of segment_change */
    int64_t written_at_ms, event_id;

    /* guarded by mutex */
    pthread_mutex_t mutex;
    pthread_cond_t turned;
    struct cot_dict names;
    struct changes kept;
    char log_id[COT_LOG_ID_SIZE];
    int64_t first_id; /* changes from here on are in kept, but for erased people's */
    int64_t next_id;
    int64_t last_id; /* the newest on disk */
    uint64_t turn;

    atomic_bool waits;
    atomic_bool stale; /* segment_standing must be written anew */
};

static const char *const cause_names[] = {
#define X(cause, name) name,
    COT_CHANGE_CAUSES(X)
#undef X
};

const char *cot_change_cause_name(enum cot_change_cause cause)
{
    return cause_names[cause];
}

static enum cot_change_cause cause_of(const char *name, size_t size)
{
    for (int i = 0; i < COT_N_CHANGE_CAUSES; i++)
        if (strlen(cause_names[i]) == size && memcmp(cause_names[i], name, size) == 0)
            return (enum cot_change_cause)i;
    return COT_CHANGE_UNWATCHED;
}

static void told_release(struct told *told, size_t n)
{
    for (size_t i = 0; told != NULL && i < n; i++)
        free(told[i].bits);
    free(told);
}

static void stage_release(struct stage *stage)
{
    free(stage->changes.changes);
    told_release(stage->told, stage->n_told);
    *stage = (struct stage){0};
}

cot_code cot_segment_log_open(struct cot_segment_log **ret_log, struct cot_err *err)
{
    pthread_condattr_t monotonic;
    struct cot_segment_log *log = calloc(1, sizeof *log);
    if (log == NULL)
        return cot_fail(err, COT_NOMEM, "the log of segments");
    cot_dict_init(&log->names);
    pthread_mutex_init(&log->mutex, NULL);
    pthread_condattr_init(&monotonic);
    pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    pthread_cond_init(&log->turned, &monotonic);
    pthread_condattr_destroy(&monotonic);
    *ret_log = log;
    return COT_OK;
}

void cot_segment_log_free(struct cot_segment_log *log)
{
    if (log == NULL)
        return;
    told_release(log->told, log->n_told);
    stage_release(&log->stage);
    free(log->kept.changes);
    cot_dict_release(&log->names);
    pthread_cond_destroy(&log->turned);
    pthread_mutex_destroy(&log->mutex);
    free(log);
}

/* What was told */

cot_code cot_segment_log_segment(struct cot_segment_log *log, const char *name, uint32_t *ret_segment,
                                 struct cot_err *err)
{
    size_t size = strlen(name) + 1; /* with its end: the entry's text is a string */
    uint32_t segment = cot_dict_find(&log->names, 0, name, size);
    if (segment != COT_DICT_NONE) {
        *ret_segment = segment;
        return COT_OK;
    }
    void *grown = cot_array_reserve(log->told, &log->told_capacity, log->n_told + 1, sizeof *log->told);
    if (grown == NULL)
        return cot_fail(err, COT_NOMEM, "the log of a segment");
    log->told = grown;
    pthread_mutex_lock(&log->mutex); /* readers look at the entries */
    cot_code rc = cot_dict_add(&log->names, 0, name, size, &segment, err);
    pthread_mutex_unlock(&log->mutex);
    if (rc == COT_OK) {
        log->told[log->n_told++] = (struct told){0};
        *ret_segment = segment;
    }
    return rc;
}

uint32_t cot_segment_log_n_segments(const struct cot_segment_log *log)
{
    return (uint32_t)log->n_told;
}

const char *cot_segment_log_name(struct cot_segment_log *log, uint32_t segment)
{
    pthread_mutex_lock(&log->mutex);
    const char *name = cot_dict_entry(&log->names, segment)->text;
    pthread_mutex_unlock(&log->mutex);
    return name;
}

bool cot_segment_log_told(const struct cot_segment_log *log, uint32_t segment, uint32_t customer)
{
    const struct told *told = &log->told[segment];
    return customer / 64 < told->n_words && (told->bits[customer / 64] >> (customer % 64) & 1) != 0;
}

uint32_t cot_segment_log_next(const struct cot_segment_log *log, uint32_t segment, uint32_t from)
{
    const struct told *told = &log->told[segment];
    for (size_t word = from / 64; word < told->n_words; word++) {
        uint64_t bits = told->bits[word];
        if (word == from / 64)
            bits &= ~UINT64_C(0) << (from % 64);
        if (bits != 0)
            return (uint32_t)(word * 64) + (uint32_t)__builtin_ctzll(bits);
    }
    return UINT32_MAX;
}

static cot_code tell(struct cot_segment_log *log, uint32_t segment, uint32_t customer, bool member, struct cot_err *err)
{
    struct told *told = &log->told[segment];
    void *grown = cot_array_reserve(told->bits, &told->capacity, (size_t)customer / 64 + 1, sizeof *told->bits);
    if (grown == NULL)
        return cot_fail(err, COT_NOMEM, "the log of a segment");
    told->bits = grown;
    for (; told->n_words <= customer / 64; told->n_words++)
        told->bits[told->n_words] = 0;
    uint64_t bit = UINT64_C(1) << (customer % 64);
    if (member)
        told->bits[customer / 64] |= bit;
    else
        told->bits[customer / 64] &= ~bit;
    return COT_OK;
}

/* Appends; beyond the limit the oldest go. True: some went. The caller holds mutex. */
static cot_code keep_change(struct cot_segment_log *log, const struct cot_change *change, struct cot_err *err)
{
    struct changes *kept = &log->kept;
    if (kept->n >= 2 * (size_t)COT_LOG_MAX) { /* by half at once: each moves once */
        memmove(kept->changes, kept->changes + COT_LOG_MAX, (kept->n - COT_LOG_MAX) * sizeof *kept->changes);
        kept->n -= COT_LOG_MAX;
        log->first_id = kept->changes[0].change_id;
    }
    void *grown = cot_array_reserve(kept->changes, &kept->capacity, kept->n + 1, sizeof *kept->changes);
    if (grown == NULL)
        return cot_fail(err, COT_NOMEM, "%zu entries and exits", kept->n + 1);
    kept->changes = grown;
    kept->changes[kept->n++] = *change;
    return COT_OK;
}

cot_code cot_segment_log_add(struct cot_segment_log *log, const struct cot_change *change, struct cot_err *err)
{
    cot_code rc = tell(log, change->segment, change->customer, change->entered, err);
    if (rc != COT_OK || log->begins)
        return rc;
    struct cot_change numbered = *change;
    pthread_mutex_lock(&log->mutex);
    numbered.change_id = log->next_id;
    rc = keep_change(log, &numbered, err);
    if (rc == COT_OK)
        log->next_id++;
    bool cut = log->first_id > log->last_id + 1;
    pthread_mutex_unlock(&log->mutex);
    if (cut)
        atomic_store(&log->stale, true); /* what was never written is gone: the set itself says what it led to */
    if (rc == COT_OK)
        atomic_store(&log->waits, true);
    return rc;
}

void cot_segment_log_touch(struct cot_segment_log *log)
{
    atomic_store(&log->waits, true);
}

bool cot_segment_log_waits(const struct cot_segment_log *log)
{
    return atomic_load(&log->waits);
}

/* From disk */

static cot_code load_head(struct cot_segment_log *log, struct cot_store *store, int64_t *ret_standing_id, bool *ret_any,
                          struct cot_err *err)
{
    struct cot_rows *rows = NULL;
    size_t size = 0;
    cot_code rc = cot_rows_open(store, &rows, err,
                                "select log_id, first_id, last_id, standing_id, event_id, written_at from segment_log");
    if (rc == COT_OK)
        rc = cot_rows_next(rows, ret_any, err);
    if (rc == COT_OK && *ret_any) {
        const char *text = cot_rows_text(rows, 0, &size);
        pthread_mutex_lock(&log->mutex);
        snprintf(log->log_id, sizeof log->log_id, "%.*s", (int)size, text != NULL ? text : "");
        log->first_id = cot_rows_int(rows, 1);
        log->last_id = cot_rows_int(rows, 2);
        pthread_mutex_unlock(&log->mutex);
        *ret_standing_id = cot_rows_int(rows, 3);
        log->event_id = cot_rows_int(rows, 4);
        log->written_at_ms = cot_rows_int(rows, 5);
    }
    cot_rows_close(rows);
    return rc;
}

static cot_code segment_at(struct cot_segment_log *log, const struct cot_rows *rows, size_t i_column,
                           uint32_t *ret_segment, struct cot_err *err)
{
    char name[1024];
    size_t size = 0;
    const char *text = cot_rows_text(rows, i_column, &size);
    snprintf(name, sizeof name, "%.*s", (int)size, text != NULL ? text : "");
    return cot_segment_log_segment(log, name, ret_segment, err);
}

static cot_code load_standing(struct cot_segment_log *log, struct cot_store *store, struct cot_err *err)
{
    struct cot_rows *rows = NULL;
    bool more = false;
    cot_code rc = cot_rows_open(store, &rows, err, "select segment, customer from segment_standing");
    while (rc == COT_OK && (rc = cot_rows_next(rows, &more, err)) == COT_OK && more) {
        uint32_t segment = 0;
        rc = segment_at(log, rows, 0, &segment, err);
        if (rc == COT_OK)
            rc = tell(log, segment, (uint32_t)cot_rows_int(rows, 1), true, err);
    }
    cot_rows_close(rows);
    return rc;
}

/* "12 13 19" */
static void read_event_ids(const char *text, size_t size, struct cot_change *change)
{
    for (size_t at = 0; at < size && change->n_events < COT_CHANGE_MAX_EVENTS;) {
        const char *blank = memchr(text + at, ' ', size - at);
        size_t n = blank != NULL ? (size_t)(blank - text) - at : size - at;
        if (cot_parse_int(text + at, n, &change->event_ids[change->n_events]))
            change->n_events++;
        at += n + 1;
    }
}

static cot_code load_changes(struct cot_segment_log *log, struct cot_store *store, int64_t standing_id,
                             struct cot_err *err)
{
    struct cot_rows *rows = NULL;
    bool more = false;
    cot_code rc =
        cot_rows_open(store, &rows, err,
                      "select change_id, changed_at, segment, version, customer, entered, cause, event_ids from"
                      " segment_change order by change_id");
    while (rc == COT_OK && (rc = cot_rows_next(rows, &more, err)) == COT_OK && more) {
        size_t size = 0;
        size_t cause_size = 0;
        const char *cause = cot_rows_text(rows, 6, &cause_size);
        struct cot_change change = {.change_id = cot_rows_int(rows, 0),
                                    .at_ms = cot_rows_int(rows, 1),
                                    .version = (int32_t)cot_rows_int(rows, 3),
                                    .customer = (uint32_t)cot_rows_int(rows, 4),
                                    .entered = cot_rows_int(rows, 5) != 0,
                                    .cause = (uint8_t)cause_of(cause != NULL ? cause : "", cause_size)};
        const char *ids = cot_rows_text(rows, 7, &size);
        read_event_ids(ids, ids != NULL ? size : 0, &change);
        rc = segment_at(log, rows, 2, &change.segment, err);
        if (rc == COT_OK && change.change_id > standing_id)
            rc = tell(log, change.segment, change.customer, change.entered, err);
        if (rc == COT_OK) {
            pthread_mutex_lock(&log->mutex);
            rc = keep_change(log, &change, err);
            pthread_mutex_unlock(&log->mutex);
        }
        log->n_rows++;
    }
    cot_rows_close(rows);
    return rc;
}

static void forget_all(struct cot_segment_log *log)
{
    for (size_t i = 0; i < log->n_told; i++)
        log->told[i].n_words = 0;
    stage_release(&log->stage);
    atomic_store(&log->stale, false);
    log->begins = false;
    log->n_rows = 0;
    pthread_mutex_lock(&log->mutex);
    log->kept.n = 0;
    log->first_id = 1;
    log->last_id = 0;
    pthread_mutex_unlock(&log->mutex);
    atomic_store(&log->waits, false);
}

static cot_code begin_new(struct cot_segment_log *log, struct cot_err *err)
{
    unsigned char bytes[(COT_LOG_ID_SIZE - 1) / 2];
    if (RAND_bytes(bytes, sizeof bytes) != 1)
        return cot_fail(err, COT_IO, "the system gives no random bytes for the log of segments");
    pthread_mutex_lock(&log->mutex);
    for (size_t i = 0; i < sizeof bytes; i++)
        snprintf(log->log_id + 2 * i, 3, "%02x", bytes[i]);
    pthread_mutex_unlock(&log->mutex);
    log->begins = true;
    atomic_store(&log->stale, true);
    return COT_OK;
}

static void turn(struct cot_segment_log *log)
{
    log->turn++;
    pthread_cond_broadcast(&log->turned);
}

cot_code cot_segment_log_load(struct cot_segment_log *log, struct cot_store *store, bool *ret_new, struct cot_err *err)
{
    int64_t standing_id = 0;
    bool any = false;
    forget_all(log);
    cot_code rc = load_head(log, store, &standing_id, &any, err);
    if (rc == COT_OK && any)
        rc = load_standing(log, store, err);
    if (rc == COT_OK && any)
        rc = load_changes(log, store, standing_id, err);
    if (rc == COT_OK && !any)
        rc = begin_new(log, err);
    if (rc != COT_OK)
        return rc;
    pthread_mutex_lock(&log->mutex);
    log->next_id = log->last_id + 1;
    turn(log);
    pthread_mutex_unlock(&log->mutex);
    *ret_new = !any;
    return COT_OK;
}

void cot_segment_log_begun(struct cot_segment_log *log)
{
    log->begins = false;
    atomic_store(&log->waits, true);
}

int64_t cot_segment_log_written_ms(const struct cot_segment_log *log)
{
    return log->written_at_ms;
}

int64_t cot_segment_log_event_id(const struct cot_segment_log *log)
{
    return log->event_id;
}

/* To disk */

static cot_code stage_told(const struct cot_segment_log *log, struct stage *stage, struct cot_err *err)
{
    stage->told = calloc(log->n_told + 1, sizeof *stage->told);
    if (stage->told == NULL)
        return cot_fail(err, COT_NOMEM, "the log of segments");
    for (; stage->n_told < log->n_told; stage->n_told++) {
        const struct told *told = &log->told[stage->n_told];
        uint64_t *copy = malloc((told->n_words + 1) * sizeof *copy);
        if (copy == NULL)
            return cot_fail(err, COT_NOMEM, "the log of segments");
        if (told->n_words > 0)
            memcpy(copy, told->bits, told->n_words * sizeof *copy);
        stage->told[stage->n_told] = (struct told){copy, told->n_words, told->n_words};
    }
    return COT_OK;
}

/* Index of the first change after a number. */
static size_t first_after(const struct changes *kept, int64_t change_id)
{
    size_t low = 0;
    size_t high = kept->n;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (kept->changes[middle].change_id <= change_id)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static cot_code stage_changes(struct cot_segment_log *log, struct stage *stage, struct cot_err *err)
{
    pthread_mutex_lock(&log->mutex);
    size_t first = first_after(&log->kept, log->last_id);
    size_t n = log->kept.n - first;
    stage->changes.changes = malloc((n + 1) * sizeof *stage->changes.changes);
    if (stage->changes.changes != NULL && n > 0)
        memcpy(stage->changes.changes, log->kept.changes + first, n * sizeof *stage->changes.changes);
    stage->changes.n = n;
    stage->first_id = log->first_id;
    stage->last_id = log->next_id - 1;
    pthread_mutex_unlock(&log->mutex);
    return stage->changes.changes != NULL ? COT_OK : cot_fail(err, COT_NOMEM, "%zu entries and exits", n);
}

cot_code cot_segment_log_stage(struct cot_segment_log *log, struct cot_err *err)
{
    stage_release(&log->stage);
    if (!atomic_load(&log->waits))
        return COT_OK;
    cot_code rc = stage_changes(log, &log->stage, err);
    if (rc == COT_OK &&
        (atomic_load(&log->stale) || log->n_rows + (int64_t)log->stage.changes.n > 2 * (int64_t)COT_LOG_MAX))
        rc = stage_told(log, &log->stage, err);
    log->stage.any = rc == COT_OK;
    if (rc == COT_OK)
        atomic_store(&log->waits, false);
    if (rc == COT_OK && log->stage.told != NULL)
        atomic_store(&log->stale, false);
    return rc;
}

static cot_code write_changes(struct cot_segment_log *log, struct cot_store *store, struct cot_err *err)
{
    struct cot_appender *appender = NULL;
    struct cot_err ignored;
    const struct changes *changes = &log->stage.changes;
    cot_code rc = changes->n > 0 ? cot_appender_open(store, "segment_change", &appender, err) : COT_OK;
    for (size_t i = 0; i < changes->n && rc == COT_OK; i++) {
        const struct cot_change *change = &changes->changes[i];
        const char *name = cot_segment_log_name(log, change->segment);
        const char *cause = cot_change_cause_name((enum cot_change_cause)change->cause);
        char ids[COT_CHANGE_MAX_EVENTS * 21 + 1] = "";
        size_t used = 0;
        for (size_t j = 0; j < change->n_events; j++)
            used +=
                (size_t)snprintf(ids + used, sizeof ids - used, "%s%" PRId64, j > 0 ? " " : "", change->event_ids[j]);
        cot_append_int(appender, change->change_id);
        cot_append_time(appender, change->at_ms);
        cot_append_text(appender, name, strlen(name));
        cot_append_int(appender, change->version);
        cot_append_int(appender, change->customer);
        cot_append_int(appender, change->entered);
        cot_append_text(appender, cause, strlen(cause));
        cot_append_text(appender, used > 0 ? ids : NULL, used);
        rc = cot_appender_end_row(appender, err);
    }
    cot_code closed = cot_appender_close(appender, rc == COT_OK ? err : &ignored);
    return rc == COT_OK ? closed : rc;
}

static cot_code write_standing(struct cot_segment_log *log, struct cot_store *store, struct cot_err *err)
{
    struct cot_appender *appender = NULL;
    struct cot_err ignored;
    const struct stage *stage = &log->stage;
    cot_code rc = cot_store_exec(store, err,
                                 "delete from segment_standing; delete from segment_change where change_id < %" PRId64,
                                 stage->first_id);
    if (rc == COT_OK)
        rc = cot_appender_open(store, "segment_standing", &appender, err);
    for (uint32_t segment = 0; segment < stage->n_told && rc == COT_OK; segment++) {
        const char *name = cot_segment_log_name(log, segment);
        size_t size = strlen(name);
        for (size_t word = 0; word < stage->told[segment].n_words; word++)
            for (uint64_t bits = stage->told[segment].bits[word]; bits != 0 && rc == COT_OK; bits &= bits - 1) {
                cot_append_text(appender, name, size);
                cot_append_int(appender, (int64_t)(word * 64) + __builtin_ctzll(bits));
                rc = cot_appender_end_row(appender, err);
            }
    }
    cot_code closed = cot_appender_close(appender, rc == COT_OK ? err : &ignored);
    return rc == COT_OK ? closed : rc;
}

static cot_code write_head(struct cot_segment_log *log, struct cot_store *store, int64_t event_id, int64_t at_ms,
                           struct cot_err *err)
{
    const struct stage *stage = &log->stage;
    int64_t n = 0;
    cot_code rc = cot_store_number(store, &n, err, "select count(*) from segment_log");
    if (rc == COT_OK && n == 0)
        rc = cot_store_exec(store, err, "insert into segment_log values ('%s', 1, 0, 0, 0, null)", log->log_id);
    if (rc == COT_OK)
        rc = cot_store_exec(store, err,
                            "update segment_log set first_id = %" PRId64 ", last_id = %" PRId64 ", event_id = %" PRId64
                            ", written_at = epoch_ms(%" PRId64 ")::timestamp_ms",
                            stage->first_id, stage->last_id, event_id, at_ms);
    if (rc == COT_OK && stage->told != NULL)
        rc = cot_store_exec(store, err, "update segment_log set standing_id = last_id");
    return rc;
}

cot_code cot_segment_log_write(struct cot_segment_log *log, struct cot_store *store, int64_t event_id, int64_t at_ms,
                               struct cot_err *err)
{
    struct stage *stage = &log->stage;
    if (!stage->any)
        return COT_OK;
    if (stage->told != NULL && stage->last_id - COT_LOG_MAX >= stage->first_id)
        stage->first_id = stage->last_id - COT_LOG_MAX + 1;
    cot_code rc = write_changes(log, store, err);
    if (rc == COT_OK && stage->told != NULL)
        rc = write_standing(log, store, err);
    if (rc == COT_OK)
        rc = write_head(log, store, event_id, at_ms, err);
    if (rc == COT_OK) {
        log->event_id = event_id;
        log->written_at_ms = at_ms;
    }
    return rc;
}

void cot_segment_log_keep(struct cot_segment_log *log)
{
    struct stage *stage = &log->stage;
    if (!stage->any)
        return;
    log->n_rows += (int64_t)stage->changes.n;
    if (stage->told != NULL && log->n_rows > COT_LOG_MAX)
        log->n_rows = COT_LOG_MAX;
    pthread_mutex_lock(&log->mutex);
    log->last_id = stage->last_id;
    if (stage->told != NULL && stage->first_id > log->first_id)
        log->first_id = stage->first_id;
    turn(log);
    pthread_mutex_unlock(&log->mutex);
    stage_release(stage);
}

void cot_segment_log_drop(struct cot_segment_log *log)
{
    if (log->stage.any)
        atomic_store(&log->waits, true);
    if (log->stage.told != NULL)
        atomic_store(&log->stale, true);
    stage_release(&log->stage);
}

/* Readers */

void cot_segment_log_end(struct cot_segment_log *log, char ret_log_id[COT_LOG_ID_SIZE], int64_t *ret_last_id)
{
    pthread_mutex_lock(&log->mutex);
    memcpy(ret_log_id, log->log_id, COT_LOG_ID_SIZE);
    *ret_last_id = log->last_id;
    pthread_mutex_unlock(&log->mutex);
}

cot_code cot_segment_log_read(struct cot_segment_log *log, int64_t after_id, size_t max, struct cot_change *ret_changes,
                              size_t *ret_n, int64_t *ret_last_id, struct cot_err *err)
{
    cot_code rc = COT_OK;
    size_t n = 0;
    int64_t last_id = after_id;
    pthread_mutex_lock(&log->mutex);
    if (after_id > log->last_id || after_id + 1 < log->first_id)
        rc = cot_fail(err, COT_NOT_FOUND, "the log holds the changes from %" PRId64 " to %" PRId64, log->first_id,
                      log->last_id);
    for (size_t i = first_after(&log->kept, after_id); rc == COT_OK && i < log->kept.n && n < max; i++) {
        if (log->kept.changes[i].change_id > log->last_id)
            break;
        ret_changes[n++] = log->kept.changes[i];
    }
    if (rc == COT_OK)
        last_id = n == max && n > 0 ? ret_changes[n - 1].change_id : log->last_id;
    pthread_mutex_unlock(&log->mutex);
    *ret_n = n;
    *ret_last_id = last_id;
    return rc;
}

void cot_segment_log_wait(struct cot_segment_log *log, uint64_t *seen, int64_t timeout_ms)
{
    struct timespec until;
    clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_sec += timeout_ms / 1000;
    until.tv_nsec += timeout_ms % 1000 * 1000000;
    if (until.tv_nsec >= 1000000000) {
        until.tv_sec++;
        until.tv_nsec -= 1000000000;
    }
    pthread_mutex_lock(&log->mutex);
    while (log->turn == *seen && pthread_cond_timedwait(&log->turned, &log->mutex, &until) == 0)
        continue;
    *seen = log->turn;
    pthread_mutex_unlock(&log->mutex);
}

void cot_segment_log_wake(struct cot_segment_log *log)
{
    pthread_mutex_lock(&log->mutex);
    turn(log);
    pthread_mutex_unlock(&log->mutex);
}
