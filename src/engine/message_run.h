/*
 * A run of fingerprints of ids on disk: sorted, read through a mapping, with a filter before it.
 *
 * The file, in the machine's order of bytes (little-endian on all that this program runs on):
 *
 *   0   8   "COTIDS1\n"
 *   8   8   n, fingerprints
 *   16  8   blocks of the filter
 *   24  8   period: the number of the time span at whose end all of it is dropped
 *   32  8   first   } it holds what the runs with these numbers held, which a restart finds without a gap
 *   40  8   last    }
 *   48  8   mark_ms: all ids recorded before it stand in this run or an earlier one
 *   56  8   n_events: the store has given so many event ids
 *   64  8   store: hash of the store's own random text
 *   72  8   XXH3 of the 72 bytes before and of all that follows
 *   80  48  zero
 *   128     filter: blocks of 32 bytes, one bit in each of eight 32-bit words (a split block Bloom filter, as
 * Parquet's)
 *   ...     fingerprints, 8 bytes each, ascending
 *
 * Cost: 8 bytes an id and 1.25 of the filter, of which a lookup touches one block and, for one id in a hundred that is
 * not there, a page of fingerprints.
 */
#ifndef COT_ENGINE_MESSAGE_RUN_H
#define COT_ENGINE_MESSAGE_RUN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "coterie/err.h"

struct cot_message_run_head {
    char magic[8];
    uint64_t n, n_blocks;
    int64_t period;
    uint64_t first, last;
    int64_t mark_ms, n_events;
    uint64_t store, checksum;
    uint64_t zero[6];
};

struct cot_message_run {
    char *path;
    size_t size; /* of the mapping */
    const struct cot_message_run_head *head;
    const uint32_t *filter;
    const uint64_t *values;
};

/* COT_BAD_DATA where the file is none, is cut or damaged. */
cot_code cot_message_run_open(const char *path, struct cot_message_run *ret_run, struct cot_err *err) COT_MUST_CHECK;
void cot_message_run_close(struct cot_message_run *run);

bool cot_message_run_has(const struct cot_message_run *run, uint64_t value);
/* The block of the filter that _has looks at first. */
static inline size_t cot_message_run_block(uint64_t value, uint64_t n_blocks)
{
    return (size_t)(((value >> 32) * n_blocks) >> 32);
}

/* Writes one run of several sorted lists, each without repetition; equal values become one. head: what it says but n,
 * filter and checksum. On disk, under its name, when it returns COT_OK; else nothing is there. */
struct cot_message_list {
    const uint64_t *values;
    size_t n;
};
cot_code cot_message_run_write(const char *path, const struct cot_message_run_head *head,
                               const struct cot_message_list *lists, size_t n_lists,
                               struct cot_err *err) COT_MUST_CHECK;

#endif
