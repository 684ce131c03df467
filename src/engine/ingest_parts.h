/* What the files of ingest share. */
#ifndef COT_ENGINE_INGEST_PARTS_H
#define COT_ENGINE_INGEST_PARTS_H

#include <pthread.h>
#include <stdatomic.h>

#include "connect/live.h"
#include "engine/census.h"
#include "engine/import_rows.h"
#include "engine/import_shop.h"
#include "engine/ingest.h"
#include "engine/live_facts.h"
#include "engine/message_seen.h"
#include "engine/rule_segments.h"
#include "engine/segment_days.h"
#include "engine/segment_log.h"
#include "engine/state_lock.h"

enum cot_call_fate { COT_CALL_ACCEPTED, COT_CALL_DUPLICATE, COT_CALL_QUARANTINED, COT_N_CALL_FATES };

struct cot_ingest_call {
    yyjson_val *value;
    struct cot_text id; /* its own, or one that we gave it */
    struct cot_hash128 hash;
    size_t first, n; /* of the batch's records */
    enum cot_call_fate fate;
    const char *code; /* why quarantined; static */
    const char *reason;
};

struct cot_ingest_batch {
    struct cot_ingest_request request;
    int64_t sent_at_ms;
    struct cot_records records;
    struct cot_ingest_call *calls;
    size_t n_calls;
    cot_code rc;
    struct cot_err err;
    cot_ingest_done *done;
    void *context;
    struct cot_ingest_batch *next;
};

/* An order of a live source: what of it is in the store. */
struct cot_order_known {
    struct cot_hash128 digest; /* of its newest content; 0: it was cancelled */
    int32_t version;
    int64_t net_minor; /* after refunds */
    int64_t first_event_id, last_event_id;
    uint32_t node; /* whose it is; COT_DICT_NONE: nobody's */
};

/* A source's row and this process's run of it in the store. */
struct cot_live_run {
    int32_t source_id; /* 0: not there yet */
    int32_t import_id;
    uint8_t withheld; /* purposes that it does not assume */
    int64_t started_at_ms;
    uint64_t counts[COT_N_CALL_FATES];  /* on disk with the next commit */
    uint64_t written[COT_N_CALL_FATES]; /* as the store has them */
};

/* An event of the group at hand, or of before a start, by whose customer it is. */
struct cot_customer_event {
    uint32_t customer; /* a node of theirs; once sorted: the smallest */
    int64_t event_id;
};

/* Why rules turn now. */
struct cot_change_reason {
    enum cot_change_cause cause;
    int64_t since_ms; /* unwatched: rules that are younger are the cause */
    struct cot_customer_event *events;
    size_t n_events, capacity;
    bool sorted; /* by customer, then id */
    bool failed; /* out of memory */
};

struct cot_ingest {
    struct cot_context context;
    struct cot_segment_log *log; /* NULL: offline */

    /* the committer's */
    struct cot_store *store; /* changed by the committer alone, with the mutex held; NULL: away */
    struct cot_import_shop *shop;
    struct cot_message_seen *seen; /* stays over a commit that failed; NULL: not opened, or offline */
    struct cot_dict orders;        /* tag: source; key */
    struct cot_order_known *orders_known;
    size_t orders_capacity;
    struct cot_dict consents; /* node and purpose */
    int8_t *consents_granted;
    size_t consents_capacity;
    struct cot_live_facts facts; /* of the group at hand */
    struct cot_import_tap tap;
    struct cot_live_run runs[COT_N_INGEST_SOURCES];
    enum cot_ingest_source source;    /* of the call at hand */
    int64_t counted_at_ms;            /* when the runs' counts were written last */
    int64_t pruned_at_ms;             /* when old ids were taken out of the store last */
    int64_t price_retry_ms;           /* prices of the catalogue are not tried again before */
    atomic_int_fast64_t log_retry_ms; /* writing the log failed: not before then */
    atomic_bool is_lent;
    bool loaded;
    bool is_offline; /* no server: nobody reads, so nothing is held in memory for readers */

    /* guarded by state, held by whoever changes or reads what readers see: live and the shop's dictionaries */
    struct cot_state_lock state;
    struct cot_live_shop *live; /* NULL: being loaded */
    struct cot_rule_segments *rules;
    uint32_t *touched; /* nodes of which the group at hand says something */
    size_t n_touched, touched_capacity;
    struct cot_change_reason reason;
    int64_t seen_event_id;     /* events up to this one are in live */
    int64_t next_day_ms;       /* the shop's next midnight; 0: nothing was loaded yet */
    struct cot_day *days;      /* snapshots on their way to the store, oldest first */
    struct cot_census *census; /* NULL: offline */
    atomic_uint_fast64_t n_links_refused;

    pthread_t thread, reader;
    bool has_thread, has_reader;

    /* guarded by mutex */
    pthread_mutex_t mutex;
    pthread_cond_t changed;
    struct cot_ingest_batch *first, *last;
    struct cot_ingest_job *first_job, *last_job;
    struct cot_ingest_job *first_read, *last_read;
    bool is_reading;         /* the store stays open for as long */
    pthread_cond_t readable; /* the store is open, something is to be read, or nothing is any more */
    size_t n_waiting;        /* calls */
    bool stopping;
    bool has_begun; /* memory is loaded, or begin_rc says why not (failure) */
    cot_code begin_rc;
    char base_currency[4];
    int64_t failed_at_ms; /* monotonic: the disk refused then; 0: it does not */
    struct cot_err failure;

    atomic_uint_fast64_t n_calls[COT_N_CALL_FATES];
    atomic_uint_fast64_t n_refused;
    atomic_uint_fast64_t n_commits;
    atomic_uint_fast64_t commit_us;
    atomic_uint_fast64_t n_ids;
    atomic_uint_fast64_t ids_disk_size;
};

struct cot_ingest *cot_service_ingest(struct cot_service *service);
const struct cot_live_source *cot_ingest_source_of(enum cot_ingest_source source);

/* ingest_batch.c: as _make, with the shop's base currency. */
cot_code cot_ingest_batch_decode(const char *base_currency, const struct cot_ingest_request *request,
                                 struct cot_ingest_batch **ret_batch, struct cot_err *err) COT_MUST_CHECK;

/* ingest_load.c: memory from the store; opens the store where it is closed. */
cot_code cot_ingest_load(struct cot_ingest *ingest, struct cot_err *err) COT_MUST_CHECK;
void cot_ingest_unload(struct cot_ingest *ingest);
/* After loading, which takes all: half of the processors are for the store, the others for those who answer. With fewer
 * processors than threads DuckDB's wait for each other at full speed. */
cot_code cot_ingest_leave_room(struct cot_ingest *ingest, struct cot_err *err) COT_MUST_CHECK;
/* The same from the store that is open, readers having what was there before until the new is. */
cot_code cot_ingest_reload(struct cot_ingest *ingest, struct cot_err *err) COT_MUST_CHECK;
/* What readers see, made anew from the store that is open, its clock at now, or where a shop that nobody served for a
 * while is resumed (ingest_days.c); shop: loaded from it; also: a rule that is to be answered besides those that are
 * stored, NULL: none. */
cot_code cot_ingest_make_live(struct cot_ingest *ingest, struct cot_import_shop *shop,
                              const struct cot_segment_rule *also, struct cot_live_shop **ret_live,
                              struct cot_rule_segments **ret_rules, struct cot_err *err) COT_MUST_CHECK;
/* The same in the place of what there is, between groups, on the committer's thread. */
cot_code cot_ingest_renew_live(struct cot_ingest *ingest, const struct cot_segment_rule *also,
                               struct cot_err *err) COT_MUST_CHECK;
/* Is what a rule asks for held in memory? Properties of events that no rule has asked for are not. The caller holds
 * state, or is the committer; live is there. */
bool cot_ingest_holds(const struct cot_ingest *ingest, const struct cot_segment_rule *rule);
/* Sees to it. */
cot_code cot_ingest_hold(struct cot_ingest *ingest, const struct cot_segment_rule *rule,
                         struct cot_err *err) COT_MUST_CHECK;

/* ingest_read.c: opens and closes the store; closing waits for the reader. _work_reading: the reader's thread. */
cot_code cot_ingest_store_open(struct cot_ingest *ingest, struct cot_err *err) COT_MUST_CHECK;
void cot_ingest_store_close(struct cot_ingest *ingest);
void *cot_ingest_work_reading(void *argument);

/*
 * ingest_away.c: the store given away for a while, on the committer's thread. Readers see memory as it was meanwhile;
 * calls wait. Coming back, only what the store has anew is loaded: nothing, the model of a new segmentation, or all of
 * it, beside the old, which readers have until it is there.
 */
struct cot_ingest_absence {
    char *before; /* what the store held */
};
cot_code cot_ingest_leave(struct cot_ingest *ingest, struct cot_ingest_absence *ret_absence,
                          struct cot_err *err) COT_MUST_CHECK;
/* Where it fails, the next group or job tries again. */
cot_code cot_ingest_come_back(struct cot_ingest *ingest, struct cot_ingest_absence *absence,
                              struct cot_err *err) COT_MUST_CHECK;

/* ingest_take.c: one call into the transaction at hand; sets its fate. */
cot_code cot_ingest_take(struct cot_ingest *ingest, struct cot_ingest_batch *batch, struct cot_ingest_call *call,
                         bool is_replay, struct cot_err *err) COT_MUST_CHECK;

/* ingest_order.c: orders as wholes. Looks at a call's order: ret_known, it says nothing new; else what was known of it
 * is superseded. */
cot_code cot_ingest_order_begin(struct cot_ingest *ingest, const struct cot_ingest_batch *batch,
                                const struct cot_ingest_call *call, bool *ret_known,
                                struct cot_err *err) COT_MUST_CHECK;
/* After the call's rows were put: event ids from first_event_id on are its. */
cot_code cot_ingest_order_end(struct cot_ingest *ingest, const struct cot_ingest_batch *batch,
                              const struct cot_ingest_call *call, const struct cot_money *money, int64_t first_event_id,
                              struct cot_err *err) COT_MUST_CHECK;
/* What is left of an order to give back, in minor units of the base currency; 0: nothing is known of it. */
cot_code cot_ingest_order_net(struct cot_ingest *ingest, enum cot_ingest_source source, struct cot_text key,
                              int64_t *ret_net_minor, struct cot_err *err) COT_MUST_CHECK;
/* Whose a known order is. False: not known, or nobody's. */
bool cot_ingest_order_owner(const struct cot_ingest *ingest, enum cot_ingest_source source, struct cot_text key,
                            struct cot_identity *ret_owner);
cot_code cot_ingest_orders_load(struct cot_ingest *ingest, struct cot_err *err) COT_MUST_CHECK;

/* ingest_identity.c: the tap, and links by word of the shop. */
void cot_ingest_tap_init(struct cot_ingest *ingest);
/* Links (COT_LINK_STATED) or parts (COT_LINK_PARTED) two nodes in the transaction at hand. */
cot_code cot_ingest_link(struct cot_ingest *ingest, uint32_t a, uint32_t b, int op, int64_t at_ms,
                         struct cot_err *err) COT_MUST_CHECK;
/* alias calls whose previous id is a user's: ret_done. */
cot_code cot_ingest_alias(struct cot_ingest *ingest, const struct cot_record *record, bool *ret_done,
                          struct cot_err *err) COT_MUST_CHECK;

/* ingest.c: ends the transaction at hand, in which `rc` was reached. Where it returns COT_OK, what was written is on
 * disk and visible; else nothing is, and memory is to be loaded again. */
cot_code cot_ingest_end(struct cot_ingest *ingest, cot_code rc, struct cot_err *err) COT_MUST_CHECK;
cot_code cot_ingest_apply(struct cot_ingest *ingest, struct cot_err *err) COT_MUST_CHECK;
/* Lets the clock go on to now, for readers and for the moments at which rules turn. The caller holds state; live is
 * there. */
cot_code cot_ingest_tick(struct cot_ingest *ingest, struct cot_err *err) COT_MUST_CHECK;
/* Drops all that is in memory; the next group, or job, loads it again. */
void cot_ingest_forget_memory(struct cot_ingest *ingest);

/* ingest_run.c: the source's and this run's rows in the store. */
cot_code cot_ingest_run_use(struct cot_ingest *ingest, enum cot_ingest_source source,
                            struct cot_err *err) COT_MUST_CHECK;
cot_code cot_ingest_runs_write(struct cot_ingest *ingest, int64_t now_ms, struct cot_err *err) COT_MUST_CHECK;

/* ingest_ids.c: the ids of calls. Loads what the store has and the folder of ids has not; _tick: between groups. */
cot_code cot_ingest_ids_load(struct cot_ingest *ingest, struct cot_err *err) COT_MUST_CHECK;
void cot_ingest_ids_tick(struct cot_ingest *ingest, const struct cot_ingest_batch *group);
/* At the end: a restart finds all of them in the folder. */
void cot_ingest_ids_close(struct cot_ingest *ingest);
/* Table of ids alone: those that are too old. In the transaction at hand. */
cot_code cot_ingest_ids_prune(struct cot_ingest *ingest, struct cot_err *err) COT_MUST_CHECK;

/*
 * ingest_changes.c: entries and exits of segments by rule, into the log (segment_log.h), with their causes. Without a
 * log they do nothing. _begin: live and rules have been put in place: what differs from what was told is noted, and
 * from then on whatever they do. _because: of what is evaluated from here on. _event: one more of the group at hand.
 * _gone: exits from segments that are no more. _renew: other rules have been put in the place of those before. The
 * caller holds state; these are all that may fail for want of memory,
 * and _failed says so later where the rules were at work.
 */
cot_code cot_changes_begin(struct cot_ingest *ingest, struct cot_err *err) COT_MUST_CHECK;
void cot_changes_because(struct cot_ingest *ingest, enum cot_change_cause cause);
void cot_changes_event(struct cot_ingest *ingest, uint32_t node, int64_t event_id);
cot_code cot_changes_gone(struct cot_ingest *ingest, struct cot_err *err) COT_MUST_CHECK;
cot_code cot_changes_renew(struct cot_ingest *ingest, struct cot_err *err) COT_MUST_CHECK;
cot_code cot_changes_failed(struct cot_ingest *ingest, struct cot_err *err) COT_MUST_CHECK;
/* To disk, by the committer: _write into the transaction at hand, _end after it; _flush: in one of its own, where the
 * log has something (what fails is tried again later). */
cot_code cot_changes_write(struct cot_ingest *ingest, struct cot_err *err) COT_MUST_CHECK;
void cot_changes_end(struct cot_ingest *ingest, bool committed);
void cot_changes_flush(struct cot_ingest *ingest);
/* The same before nobody watches for a while: notes up to which event and rule somebody did. */
void cot_changes_settle(struct cot_ingest *ingest);
/* Whether it is time for _flush; else when it will be, COT_RULE_NEVER. */
bool cot_changes_due(const struct cot_ingest *ingest);
int64_t cot_changes_due_ms(const struct cot_ingest *ingest);

/*
 * ingest_days.c: a snapshot of every segment at each midnight of the shop. _resume: with which moment to load a shop
 * that nobody served for a while: now, or the last at which it changed, so that the midnights since are met on the way.
 * _begin: it is loaded; _take: live stands at the next midnight (false: no memory, it has none). The caller of both
 * holds state. _finish, the committer, before facts that came later are applied: what was taken, into the store.
 */
cot_code cot_days_resume(struct cot_ingest *ingest, int64_t *ret_at_ms, struct cot_err *err) COT_MUST_CHECK;
void cot_days_begin(struct cot_ingest *ingest);
bool cot_days_take(struct cot_ingest *ingest);
void cot_days_finish(struct cot_ingest *ingest);
void cot_days_release(struct cot_ingest *ingest);

/* ingest_census.c: where customers stand (census.h). _look: at some who wait, in so many steps that give way; the
 * caller holds state. _work: a turn of it, by the committer; the caller does not. */
cot_code cot_ingest_census_look(struct cot_ingest *ingest, size_t n_steps, struct cot_err *err) COT_MUST_CHECK;
bool cot_ingest_census_waits(const struct cot_ingest *ingest);
void cot_ingest_census_work(struct cot_ingest *ingest);

/* ingest.c: the committer's thread; argument: the service. */
void *cot_ingest_work(void *argument);

#endif
