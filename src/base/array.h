/*
 * Growing plain arrays: element count and capacity stay with the owner.
 */
#ifndef COT_BASE_ARRAY_H
#define COT_BASE_ARRAY_H

#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

/*
 * The array, moved if need be, with room for n elements (by half again, so that appending costs O(1) each). NULL where
 * there is no memory: the old array is then still there. Usage:
 *
 *   void *grown = cot_array_reserve(xs, &capacity, n + 1, sizeof *xs);
 *   if (grown == NULL) ...;
 *   xs = grown;
 */
static inline void *cot_array_reserve(void *array, size_t *capacity, size_t n, size_t element_size)
{
    size_t wanted = *capacity + *capacity / 2;
    if (n <= *capacity && array != NULL)
        return array;
    if (wanted < n)
        wanted = n;
    if (wanted < 8)
        wanted = 8;
    if (wanted > SIZE_MAX / 2 / element_size)
        return NULL;
    void *grown = realloc(array, wanted * element_size);
    if (grown != NULL)
        *capacity = wanted;
    return grown;
}

#endif
