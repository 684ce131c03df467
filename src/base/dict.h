/*
 * An in-memory dictionary: texts, each with a small tag, numbered densely from 0 in the order in which they came.
 *
 * Tag and text together are the key (identity nodes: kind and value). Entries never move: the text of a number stays
 * valid until it is cut off or the dictionary is released. Cost: the text + 28 bytes an entry. One thread writes; while
 * nobody writes any number of threads may look up.
 */
#ifndef COT_BASE_DICT_H
#define COT_BASE_DICT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "coterie/err.h"

#define COT_DICT_NONE UINT32_MAX

struct cot_dict_entry {
    uint64_t hash;
    const char *text;
    uint32_t size;
    uint8_t tag;
};

struct cot_dict {
    uint64_t *slots; /* number + 1 below, the hash's upper half above; 0: free */
    size_t n_slots;  /* power of two */
    struct cot_dict_entry *entries;
    size_t n;
    size_t capacity;
    char **blocks; /* text memory */
    size_t n_blocks;
    size_t block_used; /* of the last block */
    size_t block_size;
};

void cot_dict_init(struct cot_dict *dict);
void cot_dict_release(struct cot_dict *dict);

/* The hash of a key, for the callers that compute it beforehand on other threads. */
uint64_t cot_dict_hash(uint8_t tag, const char *text, size_t size);

/* Number of a key, or COT_DICT_NONE. */
uint32_t cot_dict_find(const struct cot_dict *dict, uint8_t tag, const char *text, size_t size);
uint32_t cot_dict_find_hashed(const struct cot_dict *dict, uint64_t hash, uint8_t tag, const char *text, size_t size);

/* Number of a key, added where it is new. COT_LIMIT beyond 2^31 entries. */
cot_code cot_dict_add(struct cot_dict *dict, uint8_t tag, const char *text, size_t size, uint32_t *ret_number,
                      struct cot_err *err) COT_MUST_CHECK;
cot_code cot_dict_add_hashed(struct cot_dict *dict, uint64_t hash, uint8_t tag, const char *text, size_t size,
                             uint32_t *ret_number, struct cot_err *err) COT_MUST_CHECK;

/* Makes room for n entries at once. */
cot_code cot_dict_reserve(struct cot_dict *dict, size_t n, struct cot_err *err) COT_MUST_CHECK;

/* Forgets the numbers from n on (a transaction that was rolled back). Their text memory is kept until release. */
void cot_dict_truncate(struct cot_dict *dict, size_t n);

static inline const struct cot_dict_entry *cot_dict_entry(const struct cot_dict *dict, uint32_t number)
{
    return &dict->entries[number];
}

/*
 * Brings what a lookup will touch into the cache, in three steps that each need the one before: the slot, the entry,
 * the text. Call them some rows apart and ahead of the lookup: with millions of entries the waiting is most of its
 * cost.
 */
static inline void cot_dict_prefetch_slot(const struct cot_dict *dict, uint64_t hash)
{
    if (dict->n_slots > 0)
        __builtin_prefetch(&dict->slots[hash & (dict->n_slots - 1)]);
}

static inline void cot_dict_prefetch_entry(const struct cot_dict *dict, uint64_t hash)
{
    uint64_t slot = dict->n_slots > 0 ? dict->slots[hash & (dict->n_slots - 1)] : 0;
    if (slot != 0)
        __builtin_prefetch(&dict->entries[(uint32_t)slot - 1]);
}

static inline void cot_dict_prefetch_text(const struct cot_dict *dict, uint64_t hash)
{
    uint64_t slot = dict->n_slots > 0 ? dict->slots[hash & (dict->n_slots - 1)] : 0;
    if (slot != 0)
        __builtin_prefetch(dict->entries[(uint32_t)slot - 1].text);
}

#endif
