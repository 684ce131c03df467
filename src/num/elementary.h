/*
 * Logarithms and exponentials of many float64 at once: vectors as wide as the processor has. Every width does the same
 * operations on each number, so the results are the same bytes with every instruction set. Thread rule: any thread.
 */
#ifndef COT_NUM_ELEMENTARY_H
#define COT_NUM_ELEMENTARY_H

#include <stddef.h>

#include "coterie/isa.h"

struct cot_elementary {
    /*
     * Natural logarithms of n positive, finite, normal numbers, within 1 unit in the last place; NaN for any other
     * number. ret_log may be x.
     */
    void (*log)(size_t n, const double *x, double *ret_log);
    /*
     * e to the power of n numbers, within 1 unit in the last place; 0 below -708, infinite above 709, where results
     * leave the normal numbers; NaN for NaN. ret_exp may be x.
     */
    void (*exp)(size_t n, const double *x, double *ret_exp);
};

/* For the kernels of a resolved instruction set. */
const struct cot_elementary *cot_elementary_for(enum cot_isa isa);

/* For the widest vectors that this machine runs. */
const struct cot_elementary *cot_elementary_best(void);

#endif
