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
    free(seen->touched);
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
    size_t i = cot_seen_slot_of(seen, hash);
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
    struct cot_seen larger = *seen;
    larger.slots = calloc(n_slots, sizeof *larger.slots);
    larger.n_slots = n_slots;
    larger.touched_many = seen->touched_many || seen->n_touched > 0; /* they move */
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

cot_code cot_seen_add_stored(struct cot_seen *seen, struct cot_hash128 hash, struct cot_err *err)
{
    struct cot_seen_slot *slot = NULL;
    cot_code rc = find_or_add(seen, nonzero(hash), &slot, err);
    if (rc == COT_OK)
        slot->n_stored++;
    return rc;
}

/* Remembers which slots a file met as long as that is cheaper than going through all of them at its end. */
static void touch(struct cot_seen *seen, const struct cot_seen_slot *slot)
{
    if (seen->touched_many)
        return;
    if (seen->n_touched == seen->touched_capacity) {
        size_t capacity = 2 * seen->touched_capacity + MIN_SLOTS;
        size_t *touched = capacity < seen->n_slots / 8 ? realloc(seen->touched, capacity * sizeof *touched) : NULL;
        if (touched == NULL) {
            seen->touched_many = true;
            return;
        }
        seen->touched = touched;
        seen->touched_capacity = capacity;
    }
    seen->touched[seen->n_touched++] = (size_t)(slot - seen->slots);
}

static cot_code meet(struct cot_seen *seen, struct cot_hash128 hash, struct cot_seen_slot **ret_slot,
                     struct cot_err *err)
{
    cot_code rc = find_or_add(seen, nonzero(hash), ret_slot, err);
    if (rc == COT_OK && (*ret_slot)->n_file++ == 0)
        touch(seen, *ret_slot);
    return rc;
}

cot_code cot_seen_meet(struct cot_seen *seen, struct cot_hash128 hash, bool *ret_duplicate, struct cot_err *err)
{
    struct cot_seen_slot *slot = NULL;
    cot_code rc = meet(seen, hash, &slot, err);
    if (rc == COT_OK)
        *ret_duplicate = slot->n_file <= slot->n_stored;
    return rc;
}

cot_code cot_seen_meet_once(struct cot_seen *seen, struct cot_hash128 hash, bool *ret_duplicate, struct cot_err *err)
{
    struct cot_seen_slot *slot = NULL;
    cot_code rc = meet(seen, hash, &slot, err);
    if (rc == COT_OK)
        *ret_duplicate = slot->n_file > 1 || slot->n_stored > 0;
    return rc;
}

void cot_seen_unmeet(struct cot_seen *seen, struct cot_hash128 hash)
{
    struct cot_seen_slot *slot = find(seen, nonzero(hash));
    if (slot->n_file > 0)
        slot->n_file--;
}

static void end_slot(struct cot_seen_slot *slot, bool commit)
{
    if (commit && slot->n_stored < slot->n_file)
        slot->n_stored = slot->n_file;
    slot->n_file = 0;
}

static void end_file(struct cot_seen *seen, bool commit)
{
    if (seen->touched_many)
        for (size_t i = 0; i < seen->n_slots; i++)
            end_slot(&seen->slots[i], commit);
    else
        for (size_t i = 0; i < seen->n_touched; i++)
            end_slot(&seen->slots[seen->touched[i]], commit);
    seen->n_touched = 0;
    seen->touched_many = false;
}

void cot_seen_commit(struct cot_seen *seen)
{
    end_file(seen, true);
}

void cot_seen_rollback(struct cot_seen *seen)
{
    end_file(seen, false);
}
