/* Sorting and quantiles. */
#ifndef COT_NUM_ORDER_H
#define COT_NUM_ORDER_H

#include <stddef.h>
#include <stdint.h>

/* A value and the row that it is from. */
struct cot_row_value {
    float value;
    uint32_t row;
};

/* Ascending by value, stable; no NaN. scratch: n. Radix sort, O(n). */
void cot_sort_row_values(struct cot_row_value *values, size_t n, struct cot_row_value *scratch);

/* Ascending; no NaN. scratch: n. Radix sort, O(n). */
void cot_sort_floats(float *values, size_t n, float *scratch);

struct cot_double_pair {
    double first, second;
};

/* Ascending by first, of equal ones by second; no NaN. scratch: n. Radix sort, O(n). */
void cot_sort_double_pairs(struct cot_double_pair *pairs, size_t n, struct cot_double_pair *scratch);

/* Quantile q in 0..1 of n >= 1 ascending values, by linear interpolation (R's type 7, NumPy's default). */
double cot_quantile_sorted(const float *sorted, size_t n, double q);

/* For qsort of doubles, ascending; no NaN. */
int cot_compare_doubles(const void *left, const void *right);

/* How many of the ascending values are <= value. O(log n). */
size_t cot_count_at_most(const float *sorted, size_t n, float value);

#endif
