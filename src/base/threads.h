/*
 * Parallel loops with results that do not depend on the number of threads.
 *
 * cot_parallel_for cuts [0, n) into blocks of `block` items, whatever the number of threads, and runs `body` once a
 * block. Determinism is the caller's by construction: a body writes only to its own block's outputs (or to slot
 * `i_block` of an array of partial results, which the caller then reduces in block order).
 */
#ifndef COT_BASE_THREADS_H
#define COT_BASE_THREADS_H

#include <stddef.h>

#include "coterie/err.h"

/* Half-open range [begin, end) of block i_block; i_thread in [0, n_threads) selects per-thread scratch. */
typedef void cot_parallel_body(void *context, size_t begin, size_t end, size_t i_block, unsigned i_thread);

/* Cores this process may use, at least 1. */
unsigned cot_threads_available(void);

/* n_threads 0 means all available. Falls back to fewer threads if some can't be started: the result is the same. */
void cot_parallel_for(unsigned n_threads, size_t n, size_t block, cot_parallel_body *body, void *context);

static inline size_t cot_n_blocks(size_t n, size_t block)
{
    return (n + block - 1) / block;
}

#endif
