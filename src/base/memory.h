/* How much memory there is, and the check that a fit makes before it allocates. */
#ifndef COT_BASE_MEMORY_H
#define COT_BASE_MEMORY_H

#include <stddef.h>
#include <stdint.h>

#include "coterie/err.h"

/* Bytes that this process can still take: what the machine has available, or its control group if that is less. */
size_t cot_memory_available(void);

/*
 * COT_LIMIT where `needed` is more than `limit` (0: what is available). The format names what needs it; the message
 * adds both sizes.
 */
cot_code cot_memory_check(size_t needed, size_t limit, struct cot_err *err, const char *format, ...) COT_MUST_CHECK
    __attribute__((format(printf, 4, 5)));

/* For prices: total + n * size, SIZE_MAX where that overflows or total is SIZE_MAX. */
static inline size_t cot_memory_add(size_t total, size_t n, size_t size)
{
    size_t product = 0;
    return __builtin_mul_overflow(n, size, &product) || __builtin_add_overflow(total, product, &total) ? SIZE_MAX
                                                                                                       : total;
}

#endif
