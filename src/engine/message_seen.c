#include "engine/message_seen.h"

#include <stdlib.h>

enum { MIN_SLOTS = 4096 };

void cot_message_seen_release(struct cot_message_seen *seen)
{
    free(seen->newer.slots);
    free(seen->older.slots);
    *seen = (struct cot_message_seen){0};
}

void cot_message_seen_tick(struct cot_message_seen *seen, int64_t now_ms)
{
    if (seen->newer_since_ms == 0)
        seen->newer_since_ms = now_ms;
    if (now_ms - seen->newer_since_ms < COT_MESSAGE_WINDOW_MS)
        return;
    free(seen->older.slots);
    seen->older = seen->newer;
    seen->newer = (struct cot_message_generation){0};
    seen->newer_since_ms = now_ms;
}

static uint64_t fingerprint(struct cot_hash128 hash)
{
    uint64_t value = hash.low ^ (hash.high * UINT64_C(0x9e3779b97f4a7c15));
    return value != 0 ? value : 1;
}

/* The slot that has the fingerprint, or the free one where it belongs. */
static size_t find(const struct cot_message_generation *generation, uint64_t value)
{
    size_t mask = generation->n_slots - 1;
    size_t i = (value >> 20) & mask;
    while (generation->slots[i] != 0 && generation->slots[i] != value)
        i = (i + 1) & mask;
    return i;
}

static cot_code grow(struct cot_message_generation *generation, struct cot_err *err)
{
    if (generation->n_slots > 0 && generation->n < generation->n_slots / 4 * 3)
        return COT_OK;
    struct cot_message_generation grown = {.n_slots = generation->n_slots > 0 ? 2 * generation->n_slots : MIN_SLOTS,
                                           .n = generation->n};
    grown.slots = calloc(grown.n_slots, sizeof *grown.slots);
    if (grown.slots == NULL)
        return cot_fail(err, COT_NOMEM, "%zu ids of calls", generation->n);
    for (size_t i = 0; i < generation->n_slots; i++)
        if (generation->slots[i] != 0)
            grown.slots[find(&grown, generation->slots[i])] = generation->slots[i];
    free(generation->slots);
    *generation = grown;
    return COT_OK;
}

static bool has(const struct cot_message_generation *generation, uint64_t value)
{
    return generation->n_slots > 0 && generation->slots[find(generation, value)] != 0;
}

cot_code cot_message_seen_meet(struct cot_message_seen *seen, struct cot_hash128 hash, bool *ret_met,
                               struct cot_err *err)
{
    uint64_t value = fingerprint(hash);
    if (has(&seen->newer, value) || has(&seen->older, value)) {
        *ret_met = true;
        return COT_OK;
    }
    cot_code rc = grow(&seen->newer, err);
    if (rc != COT_OK)
        return rc;
    seen->newer.slots[find(&seen->newer, value)] = value;
    seen->newer.n++;
    *ret_met = false;
    return COT_OK;
}

size_t cot_message_seen_count(const struct cot_message_seen *seen)
{
    return seen->newer.n + seen->older.n;
}
