#include "engine/import_seen.h"

#include <stdlib.h>

#define MIN_SLOTS ((size_t)1024)

void cot_seen_init(struct cot_seen *seen)
{
    *seen = (struct cot_seen){0};
}

void cot_seen_release(struct cot_seen *seen)
{
    free(seen->slots);
    *seen = (struct cot_seen){0};
}

static bool slot_free(const struct cot_seen_slot *slot)
{
    return slot->n_stored == 0 && slot->n_file == 0 && slot->hash.low == 0 && slot->hash.high == 0;
}

/* The all-zero hash marks free slots; a content that hashes to it is taken for another one. */
static struct cot_hash128 nonzero(struct cot_hash128 hash)
{
    hash.low |= hash.high == 0 && hash.low == 0;
    return hash;
}

static struct cot_seen_slot *find(const struct cot_seen *seen, struct cot_hash128 hash)
{
    /* The hash as a fraction of 2^64 names the slot: any number of slots will do, not only powers of two. */
    size_t i = (size_t)(((__extension__(unsigned __int128) hash.low) * seen->n_slots) >> 64);
    for (;; i = i + 1 == seen->n_slots ? 0 : i + 1) {
        struct cot_seen_slot *slot = &seen->slots[i];
        if (slot_free(slot) || cot_hash128_equal(slot->hash, hash))
            return slot;
    }
}

cot_code cot_seen_reserve(struct cot_seen *seen, size_t n, struct cot_err *err)
{
    size_t n_slots = n + n / 3 + MIN_SLOTS;
    if (n_slots <= seen->n_slots)
        return COT_OK;
    struct cot_seen larger = {.slots = calloc(n_slots, sizeof *larger.slots), .n_slots = n_slots, .n = seen->n};
    if (larger.slots == NULL)
        return cot_fail(err, COT_NOMEM, "hashes of %zu rows that were imported before", n);
    for (size_t i = 0; i < seen->n_slots; i++)
        if (!slot_free(&seen->slots[i]))
            *find(&larger, seen->slots[i].hash) = seen->slots[i];
    free(seen->slots);
    *seen = larger;
    return COT_OK;
}

static cot_code find_or_add(struct cot_seen *seen, struct cot_hash128 hash, struct cot_seen_slot **ret_slot,
                            struct cot_err *err)
{
    if (seen->n + 1 > seen->n_slots / 4 * 3) {
        cot_code rc = cot_seen_reserve(seen, seen->n + seen->n / 2 + MIN_SLOTS, err);
        if (rc != COT_OK)
            return rc;
    }
    struct cot_seen_slot *slot = find(seen, hash);
    if (slot_free(slot)) {
        slot->hash = hash;
        seen->n++;
    }
    *ret_slot = slot;
    return COT_OK;
}

cot_code cot_seen_stored(struct cot_seen *seen, struct cot_hash128 hash, uint32_t n, struct cot_err *err)
{
    struct cot_seen_slot *slot = NULL;
    cot_code rc = find_or_add(seen, nonzero(hash), &slot, err);
    if (rc == COT_OK && slot->n_stored < n)
        slot->n_stored = n;
    return rc;
}

cot_code cot_seen_meet(struct cot_seen *seen, struct cot_hash128 hash, bool *ret_duplicate, struct cot_err *err)
{
    struct cot_seen_slot *slot = NULL;
    cot_code rc = find_or_add(seen, nonzero(hash), &slot, err);
    if (rc == COT_OK)
        *ret_duplicate = ++slot->n_file <= slot->n_stored;
    return rc;
}

void cot_seen_unmeet(struct cot_seen *seen, struct cot_hash128 hash)
{
    struct cot_seen_slot *slot = find(seen, nonzero(hash));
    if (slot->n_file > 0)
        slot->n_file--;
}

void cot_seen_commit(struct cot_seen *seen)
{
    for (size_t i = 0; i < seen->n_slots; i++) {
        struct cot_seen_slot *slot = &seen->slots[i];
        if (slot->n_stored < slot->n_file)
            slot->n_stored = slot->n_file;
        slot->n_file = 0;
    }
}

void cot_seen_rollback(struct cot_seen *seen)
{
    for (size_t i = 0; i < seen->n_slots; i++)
        seen->slots[i].n_file = 0;
}
