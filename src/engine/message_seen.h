/*
 * Which calls came before: the ids of at least a day, as 64-bit fingerprints of their 128-bit hashes, on disk beyond
 * what has come last.
 *
 * The newest ids are held in memory; full, they are written as a run (message_run.h), runs of like size become one in a
 * thread of its own, and a run is dropped when the last of its ids is a day old. The store stays the truth: a run is
 * written only of ids whose calls are on disk there, says up to when it knows them all, and so what a restart has to
 * read from the store is what came since. Where a file is missing or damaged, or knows more than the store (an older
 * copy of it was put back), nothing of the folder is believed and all is read from the store.
 *
 * Cost: memory for COT_MESSAGE_RECENT ids (6 MB), whatever the number of ids; 9.25 bytes an id on disk, of which 1.25
 * (the filters) are looked at with every call and so stay in the system's cache (`make bench`, part ids). Two of 100
 * million ids share a fingerprint with probability 3e-4, which would drop one call as a duplicate.
 *
 * One thread.
 */
#ifndef COT_ENGINE_MESSAGE_SEEN_H
#define COT_ENGINE_MESSAGE_SEEN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/hash.h"
#include "coterie/err.h"

#define COT_MESSAGE_WINDOW_MS INT64_C(86400000)
/* Ids are dropped by spans of this length. */
#define COT_MESSAGE_PERIOD_MS (COT_MESSAGE_WINDOW_MS / 4)

enum { COT_MESSAGE_RECENT = 1 << 18 };

struct cot_message_seen;

/* What the store says of itself. */
struct cot_message_store {
    const char *salt; /* its own random text */
    int64_t n_events; /* event ids given so far */
};

/* Opens what the folder has, or begins anew; the folder is made when first written to. ret_since_ms: ids recorded from
 * then on are to be met and kept from the store. A folder that can't be read is taken for an empty one. */
cot_code cot_message_seen_open(const char *folder, const struct cot_message_store *store, int64_t now_ms,
                               struct cot_message_seen **ret_seen, int64_t *ret_since_ms,
                               struct cot_err *err) COT_MUST_CHECK;
/* Writes nothing: _flush before it, else a restart reads more from the store. NULL is fine. */
void cot_message_seen_close(struct cot_message_seen *seen);

/* Adds an id; ret_met: it was there. */
cot_code cot_message_seen_meet(struct cot_message_seen *seen, struct cot_hash128 hash, bool *ret_met,
                               struct cot_err *err) COT_MUST_CHECK;
/* What was added since is on disk in the store; or is not, and counts as never met. */
void cot_message_seen_keep(struct cot_message_seen *seen);
void cot_message_seen_drop(struct cot_message_seen *seen);

/* Between groups: writes a run where that is due, joins runs, drops what is too old. mark_ms: whatever the store gets
 * from now on is recorded at or after it. A disk that refuses is no failure: ids stay in memory. */
void cot_message_seen_tick(struct cot_message_seen *seen, const struct cot_message_store *store, int64_t now_ms,
                           int64_t mark_ms);
/* Writes what is in memory, due or not. */
cot_code cot_message_seen_flush(struct cot_message_seen *seen, const struct cot_message_store *store, int64_t mark_ms,
                                struct cot_err *err) COT_MUST_CHECK;
/* Waits for runs that are being joined. */
void cot_message_seen_settle(struct cot_message_seen *seen);

/* Nothing may be recorded in the store before this: the last mark, which goes back where the clock does, if by more
 * than a minute and the disk takes it. */
int64_t cot_message_seen_mark_ms(const struct cot_message_seen *seen);

struct cot_message_figures {
    size_t n, n_in_memory, n_runs;
    uint64_t disk_size;   /* bytes */
    uint64_t memory_size; /* of this process's own */
};
struct cot_message_figures cot_message_seen_figures(const struct cot_message_seen *seen);

#endif
