/*
 * Which calls came before: the ids of at least a day, as 64-bit fingerprints of their 128-bit hashes.
 *
 * Two generations: ids go into the newer one, which becomes the older one after a day and is dropped after another.
 * Cost: 8 bytes an id at three quarters full; two of 100 million ids share a fingerprint with probability 3e-4, which
 * would drop one call as a duplicate.
 */
#ifndef COT_ENGINE_MESSAGE_SEEN_H
#define COT_ENGINE_MESSAGE_SEEN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/hash.h"
#include "coterie/err.h"

#define COT_MESSAGE_WINDOW_MS INT64_C(86400000)

struct cot_message_generation {
    uint64_t *slots; /* 0: free */
    size_t n_slots, n;
};

struct cot_message_seen {
    struct cot_message_generation newer, older;
    int64_t newer_since_ms;
};

void cot_message_seen_release(struct cot_message_seen *seen);

/* Begins a new generation where the newer one is a day old. */
void cot_message_seen_tick(struct cot_message_seen *seen, int64_t now_ms);

/* Adds an id; ret_met: it was there. */
cot_code cot_message_seen_meet(struct cot_message_seen *seen, struct cot_hash128 hash, bool *ret_met,
                               struct cot_err *err) COT_MUST_CHECK;

size_t cot_message_seen_count(const struct cot_message_seen *seen);

#endif
