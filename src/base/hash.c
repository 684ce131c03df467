#include "base/hash.h"

#include <math.h>
#include <string.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

enum part_kind { PART_ABSENT, PART_TEXT, PART_INT, PART_DOUBLE, PART_FOLD };

struct cot_hash128 cot_hash128_bytes(const void *data, size_t size)
{
    XXH128_hash_t hash = XXH3_128bits(data, size);
    return (struct cot_hash128){.high = hash.high64, .low = hash.low64};
}

void cot_hasher_init(struct cot_hasher *hasher)
{
    hasher->size = 0;
}

static void put_u64(unsigned char *at, uint64_t value)
{
    for (int i = 0; i < 8; i++)
        at[i] = (unsigned char)(value >> (8 * i));
}

/* Replaces what is gathered by its hash, so that the next part fits. */
static void fold(struct cot_hasher *hasher)
{
    struct cot_hash128 hash = cot_hash128_bytes(hasher->bytes, hasher->size);
    hasher->bytes[0] = PART_FOLD;
    put_u64(hasher->bytes + 1, hash.high);
    put_u64(hasher->bytes + 9, hash.low);
    hasher->size = 17;
}

static void put_number(struct cot_hasher *hasher, enum part_kind kind, uint64_t value)
{
    if (hasher->size + 9 > COT_HASHER_SIZE)
        fold(hasher);
    hasher->bytes[hasher->size] = (unsigned char)kind;
    put_u64(hasher->bytes + hasher->size + 1, value);
    hasher->size += 9;
}

void cot_hasher_text(struct cot_hasher *hasher, const char *text, size_t size)
{
    if (text == NULL) {
        if (hasher->size + 1 > COT_HASHER_SIZE)
            fold(hasher);
        hasher->bytes[hasher->size++] = PART_ABSENT;
        return;
    }
    put_number(hasher, PART_TEXT, size);
    while (size > 0) {
        size_t room = COT_HASHER_SIZE - hasher->size;
        size_t n = size < room ? size : room;
        memcpy(hasher->bytes + hasher->size, text, n);
        hasher->size += n;
        text += n;
        size -= n;
        if (size > 0)
            fold(hasher);
    }
}

void cot_hasher_int(struct cot_hasher *hasher, int64_t value)
{
    put_number(hasher, PART_INT, (uint64_t)value);
}

void cot_hasher_double(struct cot_hasher *hasher, double value)
{
    uint64_t bits;
    value = isnan(value) ? (double)NAN : value == 0 ? 0.0 : value;
    memcpy(&bits, &value, sizeof bits);
    put_number(hasher, PART_DOUBLE, bits);
}

struct cot_hash128 cot_hasher_finish(struct cot_hasher *hasher)
{
    return cot_hash128_bytes(hasher->bytes, hasher->size);
}
