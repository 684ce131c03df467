/* Squared Euclidean distance of two float rows, in double precision: for the places where it is not the hot loop. */
#ifndef COT_NUM_DISTANCE_H
#define COT_NUM_DISTANCE_H

#include <stddef.h>

static inline double cot_distance2(const float *a, const float *b, size_t d)
{
    double sum = 0;
    for (size_t j = 0; j < d; j++) {
        double step = (double)a[j] - (double)b[j];
        sum += step * step;
    }
    return sum;
}

#endif
