/*
 * Which rows a source has given before: a multiset of row hashes.
 *
 * A file that holds a row c_file times, of which the store holds c_store, adds max(0, c_file - c_store): equal rows
 * within a file stay, a file given again adds nothing, an overlapping file adds only the excess. After a file the store
 * holds max(c_store, c_file). Cost: 24 bytes a slot, three quarters full.
 */
#ifndef COT_ENGINE_IMPORT_SEEN_H
#define COT_ENGINE_IMPORT_SEEN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/hash.h"
#include "coterie/err.h"

struct cot_seen_slot {
    struct cot_hash128 hash;
    uint32_t n_stored; /* in the store */
    uint32_t n_file;   /* met in the file at hand */
};

struct cot_seen {
    struct cot_seen_slot *slots;
    size_t n_slots;
    size_t n;        /* distinct hashes */
    size_t *touched; /* slots that the file at hand met, while they are few */
    size_t n_touched, touched_capacity;
    bool touched_many; /* ending the file goes through all slots instead */
};

void cot_seen_init(struct cot_seen *seen);
void cot_seen_release(struct cot_seen *seen);

/* Room for n distinct hashes. */
cot_code cot_seen_reserve(struct cot_seen *seen, size_t n, struct cot_err *err) COT_MUST_CHECK;

/* Says that the store holds one more row of this hash. */
cot_code cot_seen_add_stored(struct cot_seen *seen, struct cot_hash128 hash, struct cot_err *err) COT_MUST_CHECK;

static inline size_t cot_seen_slot_of(const struct cot_seen *seen, struct cot_hash128 hash)
{
    /* The hash as a fraction of 2^64 names the slot: any number of slots will do, not only powers of two. */
    return (size_t)(((__extension__(unsigned __int128) hash.low) * seen->n_slots) >> 64);
}

/* Brings the slot of a hash into the cache ahead of meeting it. */
static inline void cot_seen_prefetch(const struct cot_seen *seen, struct cot_hash128 hash)
{
    if (seen->n_slots > 0)
        __builtin_prefetch(&seen->slots[cot_seen_slot_of(seen, hash)], 1);
}

/* Meets one row of the file: a duplicate of what the store holds already, or new? */
cot_code cot_seen_meet(struct cot_seen *seen, struct cot_hash128 hash, bool *ret_duplicate,
                       struct cot_err *err) COT_MUST_CHECK;

/* The same for a row that can be there only once, whatever its file says (its source gave it an id). */
cot_code cot_seen_meet_once(struct cot_seen *seen, struct cot_hash128 hash, bool *ret_duplicate,
                            struct cot_err *err) COT_MUST_CHECK;

/* The row met last with this hash was not taken after all: it counts as not met. */
void cot_seen_unmeet(struct cot_seen *seen, struct cot_hash128 hash);

/* Ends the file: what it added is in the store now (commit) or isn't (rollback). */
void cot_seen_commit(struct cot_seen *seen);
void cot_seen_rollback(struct cot_seen *seen);

#endif
