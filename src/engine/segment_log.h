/*
 * The log of entries and exits: what was told of who is in which segment by rule, numbered, on disk.
 *
 * What was told is a set of (segment, customer), a customer being the node that names them. Whatever makes the shop in
 * memory differ from it (an event, a moment, a rule, a merge, an import, a restart) is noted as one change an element,
 * so that the set follows. A change is shown to nobody before it is on disk, and what is on disk is what was told:
 * after a crash the changes that were not written are found again by the same comparison, and none is told twice.
 *
 * Bounded: COT_LOG_MAX changes are kept (on disk up to twice as many); where older ones are cut off, the set itself is
 * written as it stands. Erasure finds people in both tables by their column `customer`.
 *
 * _load, _set, _clear and _stage: under the service's state lock. _write, _keep, _drop: the committer. The rest: any
 * thread.
 */
#ifndef COT_ENGINE_SEGMENT_LOG_H
#define COT_ENGINE_SEGMENT_LOG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "coterie/err.h"

struct cot_store;
struct cot_segment_log;

enum { COT_LOG_MAX = 100000, COT_LOG_ID_SIZE = 17, COT_CHANGE_MAX_EVENTS = 8 };

/* Why a customer entered or left: name, what it means. */
#define COT_CHANGE_CAUSES(X)                                                                                           \
    X(COT_CHANGE_EVENTS, "events")       /* events of theirs: event_ids */                                             \
    X(COT_CHANGE_FACTS, "facts")         /* something else was said of them: a trait, an identity, an order undone */  \
    X(COT_CHANGE_TIME, "time")           /* nothing: time went by */                                                   \
    X(COT_CHANGE_RULE, "rule")           /* the rule, or one that it asks for, changed */                              \
    X(COT_CHANGE_UNWATCHED, "unwatched") /* found at a start or after a command: time, or facts that came then */

enum cot_change_cause {
#define X(cause, name) cause,
    COT_CHANGE_CAUSES(X)
#undef X
        COT_N_CHANGE_CAUSES
};
const char *cot_change_cause_name(enum cot_change_cause cause);

struct cot_change {
    int64_t change_id;
    int64_t at_ms;
    int64_t event_ids[COT_CHANGE_MAX_EVENTS]; /* ascending; the newest of them */
    uint32_t n_events;
    uint32_t customer; /* the node that names them */
    uint32_t segment;  /* number of the name */
    int32_t version;
    uint8_t cause; /* enum cot_change_cause */
    bool entered;
};

cot_code cot_segment_log_open(struct cot_segment_log **ret_log, struct cot_err *err) COT_MUST_CHECK;
void cot_segment_log_free(struct cot_segment_log *log);

/* What is on disk, in place of what was held. ret_new: nothing is: the set that _set makes next is where the log
 * begins, no change; until _begun. */
cot_code cot_segment_log_load(struct cot_segment_log *log, struct cot_store *store, bool *ret_new,
                              struct cot_err *err) COT_MUST_CHECK;
void cot_segment_log_begun(struct cot_segment_log *log);

/* When the log was written last, and up to which event the shop had been looked at then. */
int64_t cot_segment_log_written_ms(const struct cot_segment_log *log);
int64_t cot_segment_log_event_id(const struct cot_segment_log *log);

/* The number of a name, new or known: 0, 1, ... */
cot_code cot_segment_log_segment(struct cot_segment_log *log, const char *name, uint32_t *ret_segment,
                                 struct cot_err *err) COT_MUST_CHECK;
uint32_t cot_segment_log_n_segments(const struct cot_segment_log *log);
const char *cot_segment_log_name(struct cot_segment_log *log, uint32_t segment); /* valid as long as the log */

/* Whether a customer was told to be in a segment. */
bool cot_segment_log_told(const struct cot_segment_log *log, uint32_t segment, uint32_t customer);

/* Notes change->entered of its customer, who was told otherwise; the number is the log's to give. */
cot_code cot_segment_log_add(struct cot_segment_log *log, const struct cot_change *change,
                             struct cot_err *err) COT_MUST_CHECK;

/* The next customer, from this one on, who was told to be in a segment; UINT32_MAX: none. */
uint32_t cot_segment_log_next(const struct cot_segment_log *log, uint32_t segment, uint32_t from);

/* Up to when and which event the shop was looked at is to be written, too, though nothing changed. */
void cot_segment_log_touch(struct cot_segment_log *log);

/* Whether something is noted and not on disk. */
bool cot_segment_log_waits(const struct cot_segment_log *log);

/* To disk: _stage takes what is noted up to now, _write puts it into the transaction at hand (nothing where nothing is
 * staged), _keep after its commit shows it to readers, _drop after a rollback leaves it for later. */
cot_code cot_segment_log_stage(struct cot_segment_log *log, struct cot_err *err) COT_MUST_CHECK;
cot_code cot_segment_log_write(struct cot_segment_log *log, struct cot_store *store, int64_t event_id, int64_t at_ms,
                               struct cot_err *err) COT_MUST_CHECK;
void cot_segment_log_keep(struct cot_segment_log *log);
void cot_segment_log_drop(struct cot_segment_log *log);

/* Readers: the log's id and its newest change on disk. */
void cot_segment_log_end(struct cot_segment_log *log, char ret_log_id[COT_LOG_ID_SIZE], int64_t *ret_last_id);

/* Up to max of the changes on disk after a number, oldest first; ret_last_id: the number looked at last. COT_NOT_FOUND
 * where some of those after it are not kept any more, or the number is yet to come. */
cot_code cot_segment_log_read(struct cot_segment_log *log, int64_t after_id, size_t max, struct cot_change *ret_changes,
                              size_t *ret_n, int64_t *ret_last_id, struct cot_err *err) COT_MUST_CHECK;

/* Waits until something is new since *turn (0: at first), at most so long, and moves *turn. */
void cot_segment_log_wait(struct cot_segment_log *log, uint64_t *turn, int64_t timeout_ms);
/* Ends a waiting. */
void cot_segment_log_wake(struct cot_segment_log *log);

#endif
