/* Entries and exits of segments by rule, into the log, with their causes (ingest_parts.h). */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "base/civil.h"
#include "engine/ingest_parts.h"
#include "engine/live_profile.h"

/* A log that could not be written is tried again after so long. */
#define RETRY_MS INT64_C(1000)

/* After a start, causes are looked for among so many of the newest events. */
enum { MAX_EVENTS_BEFORE = 1000000 };

void cot_changes_because(struct cot_ingest *ingest, enum cot_change_cause cause)
{
    ingest->reason.cause = cause;
    ingest->reason.n_events = 0;
    ingest->reason.sorted = false;
}

void cot_changes_event(struct cot_ingest *ingest, uint32_t node, int64_t event_id)
{
    struct cot_change_reason *reason = &ingest->reason;
    if (ingest->log == NULL || ingest->rules == NULL || cot_rule_segments_n(ingest->rules) == 0)
        return;
    void *grown = cot_array_reserve(reason->events, &reason->capacity, reason->n_events + 1, sizeof *reason->events);
    if (grown == NULL) {
        reason->failed = true;
        return;
    }
    reason->events = grown;
    reason->events[reason->n_events++] = (struct cot_customer_event){node, event_id};
}

static int by_customer(const void *a, const void *b)
{
    const struct cot_customer_event *x = a;
    const struct cot_customer_event *y = b;
    if (x->customer != y->customer)
        return x->customer < y->customer ? -1 : 1;
    return (x->event_id > y->event_id) - (x->event_id < y->event_id);
}

/* Sorted when first asked: most groups change no membership. */
static void sort_events(struct cot_ingest *ingest)
{
    struct cot_change_reason *reason = &ingest->reason;
    if (reason->sorted)
        return;
    for (size_t i = 0; i < reason->n_events; i++)
        reason->events[i].customer = cot_live_root(ingest->live->live, reason->events[i].customer);
    if (reason->n_events > 0)
        qsort(reason->events, reason->n_events, sizeof *reason->events, by_customer);
    reason->sorted = true;
}

/* The newest events of a customer among those at hand. */
static void find_events(struct cot_ingest *ingest, uint32_t root, struct cot_change *change)
{
    const struct cot_change_reason *reason = &ingest->reason;
    size_t low = 0;
    size_t high = reason->n_events;
    sort_events(ingest);
    while (low < high) { /* the first one after them */
        size_t middle = low + (high - low) / 2;
        if (reason->events[middle].customer <= root)
            low = middle + 1;
        else
            high = middle;
    }
    size_t first = low;
    while (first > 0 && low - first < COT_CHANGE_MAX_EVENTS && reason->events[first - 1].customer == root)
        first--;
    for (size_t i = first; i < low; i++)
        change->event_ids[change->n_events++] = reason->events[i].event_id;
}

static enum cot_change_cause cause_of(struct cot_ingest *ingest, const struct cot_rule_standing *standing,
                                      uint32_t root, struct cot_change *change)
{
    enum cot_change_cause cause = ingest->reason.cause;
    if (cause == COT_CHANGE_UNWATCHED && standing->created_at_ms >= ingest->reason.since_ms)
        return COT_CHANGE_RULE;
    if (cause != COT_CHANGE_UNWATCHED && cause != COT_CHANGE_EVENTS)
        return cause;
    find_events(ingest, root, change);
    if (change->n_events > 0)
        return COT_CHANGE_EVENTS;
    return cause == COT_CHANGE_EVENTS ? COT_CHANGE_FACTS : cause;
}

static cot_code note(struct cot_ingest *ingest, uint32_t segment, const struct cot_rule_standing *standing,
                     uint32_t customer, uint32_t root, bool entered, struct cot_err *err)
{
    if (cot_segment_log_told(ingest->log, segment, customer) == entered)
        return COT_OK;
    struct cot_change change = {.at_ms = cot_live_now_ms(ingest->live->live),
                                .customer = customer,
                                .segment = segment,
                                .version = standing->version,
                                .entered = entered};
    change.cause = (uint8_t)cause_of(ingest, standing, root, &change);
    return cot_segment_log_add(ingest->log, &change, err);
}

/* One customer against what was told of their nodes: those that do not name them are in nothing, as when two were made
 * one, or somebody got an id. */
static cot_code note_customer(struct cot_ingest *ingest, const struct cot_rule_segments *rules, uint32_t root,
                              struct cot_err *err)
{
    size_t n = 0;
    cot_code rc = COT_OK;
    const uint32_t *members = cot_live_members(ingest->live->live, &root, &n);
    uint32_t naming = cot_live_name_node(ingest->live, &ingest->shop->nodes, root);
    for (size_t i = 0; i < cot_rule_segments_n(rules) && rc == COT_OK; i++) {
        const struct cot_rule_standing standing = cot_rule_segments_at(rules, i);
        bool is_member = cot_rule_segments_has(rules, i, root);
        uint32_t segment = 0;
        rc = cot_segment_log_segment(ingest->log, standing.name, &segment, err);
        for (size_t m = 0; m < n && rc == COT_OK; m++)
            rc = note(ingest, segment, &standing, members[m], root, is_member && members[m] == naming, err);
    }
    return rc;
}

static void on_evaluated(void *context, const struct cot_rule_segments *rules, uint32_t root)
{
    struct cot_ingest *ingest = context;
    struct cot_err ignored;
    if (note_customer(ingest, rules, root, &ignored) != COT_OK)
        ingest->reason.failed = true;
}

cot_code cot_changes_failed(struct cot_ingest *ingest, struct cot_err *err)
{
    bool failed = ingest->reason.failed;
    ingest->reason.failed = false;
    return failed ? cot_fail(err, COT_NOMEM, "entries and exits of segments") : COT_OK;
}

static bool is_there(const struct cot_rule_segments *rules, const char *name)
{
    for (size_t i = 0; i < cot_rule_segments_n(rules); i++)
        if (strcmp(cot_rule_segments_at(rules, i).name, name) == 0)
            return true;
    return false;
}

cot_code cot_changes_gone(struct cot_ingest *ingest, struct cot_err *err)
{
    cot_code rc = COT_OK;
    if (ingest->log == NULL)
        return COT_OK;
    for (uint32_t segment = 0; segment < cot_segment_log_n_segments(ingest->log); segment++) {
        uint32_t customer = 0;
        if (is_there(ingest->rules, cot_segment_log_name(ingest->log, segment)))
            continue;
        while (rc == COT_OK && (customer = cot_segment_log_next(ingest->log, segment, customer)) != UINT32_MAX) {
            const struct cot_change change = {.at_ms = cot_live_now_ms(ingest->live->live),
                                              .customer = customer,
                                              .segment = segment,
                                              .cause = COT_CHANGE_RULE};
            rc = cot_segment_log_add(ingest->log, &change, err);
        }
    }
    return rc;
}

/* What came since the log was written last, or its newest part. */
static cot_code read_events(struct cot_ingest *ingest, struct cot_err *err)
{
    struct cot_rows *rows = NULL;
    bool more = false;
    cot_code rc = cot_rows_open(ingest->store, &rows, err,
                                "select node_id, event_id from event where event_id > %" PRId64
                                " and node_id is not null order by event_id desc limit %d",
                                cot_segment_log_event_id(ingest->log), MAX_EVENTS_BEFORE);
    while (rc == COT_OK && (rc = cot_rows_next(rows, &more, err)) == COT_OK && more)
        cot_changes_event(ingest, (uint32_t)cot_rows_int(rows, 0), cot_rows_int(rows, 1));
    cot_rows_close(rows);
    return rc;
}

/* is_shared: giving way between customers. */
static cot_code note_all(struct cot_ingest *ingest, bool is_shared, struct cot_err *err)
{
    cot_code rc = cot_changes_gone(ingest, err);
    uint32_t n = cot_rule_segments_n(ingest->rules) > 0 ? cot_live_n_nodes(ingest->live->live) : 0;
    for (uint32_t node = 0; node < n && rc == COT_OK; node++) {
        if (cot_live_root(ingest->live->live, node) == node)
            rc = note_customer(ingest, ingest->rules, node, err);
        if (is_shared)
            (void)cot_state_give_way(&ingest->state);
    }
    return rc;
}

cot_code cot_changes_renew(struct cot_ingest *ingest, struct cot_err *err)
{
    if (ingest->log == NULL)
        return COT_OK;
    cot_rule_segments_watch(ingest->rules, on_evaluated, ingest);
    cot_changes_because(ingest, COT_CHANGE_RULE);
    cot_code rc = note_all(ingest, true, err);
    cot_changes_because(ingest, COT_CHANGE_TIME);
    cot_segment_log_touch(ingest->log); /* whether it turned anybody or not: it was seen */
    return rc == COT_OK ? cot_changes_failed(ingest, err) : rc;
}

cot_code cot_changes_begin(struct cot_ingest *ingest, struct cot_err *err)
{
    bool is_new = false;
    if (ingest->log == NULL)
        return COT_OK;
    cot_code rc = cot_segment_log_load(ingest->log, ingest->store, &is_new, err);
    cot_changes_because(ingest, COT_CHANGE_UNWATCHED);
    ingest->reason.since_ms = cot_segment_log_written_ms(ingest->log);
    if (rc == COT_OK && !is_new)
        rc = read_events(ingest, err);
    if (rc == COT_OK)
        rc = note_all(ingest, false, err);
    if (rc == COT_OK && is_new)
        cot_segment_log_begun(ingest->log);
    cot_changes_because(ingest, COT_CHANGE_TIME);
    if (rc == COT_OK)
        rc = cot_changes_failed(ingest, err);
    if (rc != COT_OK)
        return rc;
    ingest->seen_event_id = ingest->shop->next_event_id - 1;
    cot_rule_segments_watch(ingest->rules, on_evaluated, ingest);
    return COT_OK;
}

cot_code cot_changes_write(struct cot_ingest *ingest, struct cot_err *err)
{
    if (ingest->log == NULL)
        return COT_OK;
    cot_state_lock(&ingest->state, COT_STATE_APPLY);
    cot_code rc = cot_segment_log_stage(ingest->log, err);
    int64_t event_id = ingest->seen_event_id;
    cot_state_unlock(&ingest->state);
    return rc == COT_OK ? cot_segment_log_write(ingest->log, ingest->store, event_id, cot_wall_ms(), err) : rc;
}

void cot_changes_end(struct cot_ingest *ingest, bool committed)
{
    if (ingest->log == NULL)
        return;
    if (committed)
        cot_segment_log_keep(ingest->log);
    else
        cot_segment_log_drop(ingest->log);
}

bool cot_changes_due(const struct cot_ingest *ingest)
{
    int64_t due_ms = cot_changes_due_ms(ingest);
    int64_t now_ms = cot_wall_ms();
    return due_ms <= now_ms || (due_ms != COT_RULE_NEVER && due_ms - now_ms > RETRY_MS); /* the clock was set back */
}

int64_t cot_changes_due_ms(const struct cot_ingest *ingest)
{
    return ingest->log != NULL && cot_segment_log_waits(ingest->log) ? atomic_load(&ingest->log_retry_ms)
                                                                     : COT_RULE_NEVER;
}

void cot_changes_settle(struct cot_ingest *ingest)
{
    if (ingest->loaded)
        cot_days_finish(ingest);
    if (ingest->log != NULL && ingest->live != NULL)
        cot_segment_log_touch(ingest->log);
    cot_changes_flush(ingest);
}

void cot_changes_flush(struct cot_ingest *ingest)
{
    struct cot_err ignored;
    if (!cot_changes_due(ingest))
        return;
    cot_code rc = ingest->loaded ? COT_OK : cot_ingest_load(ingest, &ignored);
    if (rc == COT_OK)
        rc = cot_store_begin(ingest->store, &ignored);
    if (rc == COT_OK)
        rc = cot_changes_write(ingest, &ignored);
    if (rc == COT_OK)
        rc = cot_store_commit(ingest->store, &ignored);
    cot_changes_end(ingest, rc == COT_OK);
    if (rc == COT_OK)
        return;
    atomic_store(&ingest->log_retry_ms, cot_wall_ms() + RETRY_MS);
    if (ingest->store != NULL) {
        cot_ingest_unload(ingest);
        cot_store_rollback(ingest->store);
    }
}
