/*
 * 128-bit content hashes (xxHash's XXH3, 128 bits): row hashes and order digests. Not secret: never for access or
 * erasure.
 *
 * A content is hashed as a sequence of parts, each preceded by its kind and size, so that ("ab", "c") and ("a", "bc")
 * differ. Numbers are hashed as little-endian bytes: the same content gives the same hash on every machine and in every
 * version (the hashes stand in the store).
 */
#ifndef COT_BASE_HASH_H
#define COT_BASE_HASH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct cot_hash128 {
    uint64_t high;
    uint64_t low;
};

struct cot_hash128 cot_hash128_bytes(const void *data, size_t size);

static inline bool cot_hash128_equal(struct cot_hash128 a, struct cot_hash128 b)
{
    return a.high == b.high && a.low == b.low;
}

/* Sum of hashes: a digest of a multiset, whatever its order. */
static inline struct cot_hash128 cot_hash128_add(struct cot_hash128 a, struct cot_hash128 b)
{
    struct cot_hash128 sum = {.high = a.high + b.high, .low = a.low + b.low};
    sum.high += sum.low < a.low;
    return sum;
}

/* The bytes of one content, gathered on the stack up to COT_HASHER_SIZE, folded into a running hash beyond. */
enum { COT_HASHER_SIZE = 1024 };

struct cot_hasher {
    size_t size;
    unsigned char bytes[COT_HASHER_SIZE];
};

void cot_hasher_init(struct cot_hasher *hasher);
void cot_hasher_text(struct cot_hasher *hasher, const char *text, size_t size); /* text NULL: an absent value */
void cot_hasher_int(struct cot_hasher *hasher, int64_t value);
void cot_hasher_double(struct cot_hasher *hasher, double value); /* -0 as 0, every NaN alike */
struct cot_hash128 cot_hasher_finish(struct cot_hasher *hasher);

#endif
