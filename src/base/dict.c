#include "base/dict.h"

#include <stdlib.h>
#include <string.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

#define BLOCK_SIZE ((size_t)1 << 20)
#define MAX_ENTRIES ((size_t)INT32_MAX)
#define MIN_SLOTS ((size_t)1024)

void cot_dict_init(struct cot_dict *dict)
{
    *dict = (struct cot_dict){0};
}

void cot_dict_release(struct cot_dict *dict)
{
    for (size_t i = 0; i < dict->n_blocks; i++)
        free(dict->blocks[i]);
    free(dict->blocks);
    free(dict->entries);
    free(dict->slots);
    *dict = (struct cot_dict){0};
}

uint64_t cot_dict_hash(uint8_t tag, const char *text, size_t size)
{
    return XXH3_64bits_withSeed(text, size, tag);
}

/* The slot that holds the key or, where it is absent, the free slot where it belongs. n_slots > 0. */
static size_t find_slot(const struct cot_dict *dict, uint64_t hash, uint8_t tag, const char *text, size_t size)
{
    size_t mask = dict->n_slots - 1;
    for (size_t i = hash & mask;; i = (i + 1) & mask) {
        uint64_t slot = dict->slots[i];
        if (slot == 0)
            return i;
        if (slot >> 32 != hash >> 32)
            continue;
        const struct cot_dict_entry *entry = &dict->entries[(uint32_t)slot - 1];
        if (entry->hash == hash && entry->tag == tag && entry->size == size && memcmp(entry->text, text, size) == 0)
            return i;
    }
}

static void fill_slots(struct cot_dict *dict)
{
    size_t mask = dict->n_slots - 1;
    for (size_t number = 0; number < dict->n; number++) {
        uint64_t hash = dict->entries[number].hash;
        size_t i = hash & mask;
        while (dict->slots[i] != 0)
            i = (i + 1) & mask;
        dict->slots[i] = (hash >> 32 << 32) | (uint64_t)(number + 1);
    }
}

uint32_t cot_dict_find_hashed(const struct cot_dict *dict, uint64_t hash, uint8_t tag, const char *text, size_t size)
{
    if (dict->n_slots == 0)
        return COT_DICT_NONE;
    uint64_t slot = dict->slots[find_slot(dict, hash, tag, text, size)];
    return slot == 0 ? COT_DICT_NONE : (uint32_t)slot - 1;
}

uint32_t cot_dict_find(const struct cot_dict *dict, uint8_t tag, const char *text, size_t size)
{
    return cot_dict_find_hashed(dict, cot_dict_hash(tag, text, size), tag, text, size);
}

cot_code cot_dict_reserve(struct cot_dict *dict, size_t n, struct cot_err *err)
{
    if (n > MAX_ENTRIES)
        return cot_fail(err, COT_LIMIT, "a dictionary of %zu entries: %zu is the limit", n, MAX_ENTRIES);
    if (n > dict->capacity) {
        struct cot_dict_entry *entries = realloc(dict->entries, n * sizeof *entries);
        if (entries == NULL)
            return cot_fail(err, COT_NOMEM, "a dictionary of %zu entries", n);
        dict->entries = entries;
        dict->capacity = n;
    }
    size_t n_slots = dict->n_slots > 0 ? dict->n_slots : MIN_SLOTS;
    while (n_slots / 2 < n) /* at most half full: short probes */
        n_slots *= 2;
    if (n_slots == dict->n_slots)
        return COT_OK;
    uint64_t *slots = calloc(n_slots, sizeof *slots);
    if (slots == NULL)
        return cot_fail(err, COT_NOMEM, "a dictionary of %zu entries", n);
    free(dict->slots);
    dict->slots = slots;
    dict->n_slots = n_slots;
    fill_slots(dict);
    return COT_OK;
}

static cot_code grow(struct cot_dict *dict, struct cot_err *err)
{
    if (dict->n < dict->capacity && dict->n < dict->n_slots / 2)
        return COT_OK;
    size_t n = dict->n < MIN_SLOTS / 2 ? MIN_SLOTS / 2 : dict->n + dict->n / 2;
    return cot_dict_reserve(dict, n > MAX_ENTRIES && dict->n < MAX_ENTRIES ? MAX_ENTRIES : n, err);
}

static cot_code copy_text(struct cot_dict *dict, const char *text, size_t size, const char **ret_text,
                          struct cot_err *err)
{
    if (dict->n_blocks == 0 || size > dict->block_size - dict->block_used) {
        size_t block_size = size > BLOCK_SIZE ? size : BLOCK_SIZE;
        char **blocks = realloc(dict->blocks, (dict->n_blocks + 1) * sizeof *blocks);
        if (blocks == NULL)
            return cot_fail(err, COT_NOMEM, "a dictionary's text");
        dict->blocks = blocks;
        char *block = malloc(block_size);
        if (block == NULL)
            return cot_fail(err, COT_NOMEM, "a dictionary's text");
        dict->blocks[dict->n_blocks++] = block;
        dict->block_size = block_size;
        dict->block_used = 0;
    }
    char *copy = dict->blocks[dict->n_blocks - 1] + dict->block_used;
    if (size > 0)
        memcpy(copy, text, size);
    dict->block_used += size;
    *ret_text = copy;
    return COT_OK;
}

cot_code cot_dict_add_hashed(struct cot_dict *dict, uint64_t hash, uint8_t tag, const char *text, size_t size,
                             uint32_t *ret_number, struct cot_err *err)
{
    const char *copy = NULL;
    uint32_t found = cot_dict_find_hashed(dict, hash, tag, text, size);
    if (found != COT_DICT_NONE) {
        *ret_number = found;
        return COT_OK;
    }
    if (size > UINT32_MAX)
        return cot_fail(err, COT_LIMIT, "a text of %zu bytes in a dictionary", size);
    cot_code rc = grow(dict, err);
    if (rc == COT_OK)
        rc = copy_text(dict, text, size, &copy, err);
    if (rc != COT_OK)
        return rc;
    size_t i = find_slot(dict, hash, tag, text, size);
    dict->entries[dict->n] = (struct cot_dict_entry){.hash = hash, .text = copy, .size = (uint32_t)size, .tag = tag};
    dict->slots[i] = (hash >> 32 << 32) | (uint64_t)(dict->n + 1);
    *ret_number = (uint32_t)dict->n++;
    return COT_OK;
}

cot_code cot_dict_add(struct cot_dict *dict, uint8_t tag, const char *text, size_t size, uint32_t *ret_number,
                      struct cot_err *err)
{
    return cot_dict_add_hashed(dict, cot_dict_hash(tag, text, size), tag, text, size, ret_number, err);
}

void cot_dict_truncate(struct cot_dict *dict, size_t n)
{
    if (n >= dict->n)
        return;
    dict->n = n;
    memset(dict->slots, 0, dict->n_slots * sizeof *dict->slots);
    fill_slots(dict);
}
