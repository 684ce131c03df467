#include "num/order.h"

#include <math.h>
#include <stdint.h>
#include <string.h>

enum { DIGIT_BITS = 8, N_DIGITS = 4, N_VALUES = 1 << DIGIT_BITS };

/* Bits whose unsigned order is the floats' order: the sign flips, and for negatives all else too. */
static uint32_t key_of(float value)
{
    uint32_t bits;
    value += 0.0F; /* -0 becomes 0: equal values must have equal keys */
    memcpy(&bits, &value, sizeof bits);
    return bits ^ ((bits >> 31) != 0 ? UINT32_MAX : UINT32_C(0x80000000));
}

void cot_sort_floats(float *values, size_t n, float *scratch)
{
    float *from = values;
    float *to = scratch;
    for (int digit = 0; digit < N_DIGITS; digit++) {
        size_t at[N_VALUES] = {0};
        size_t before = 0;
        for (size_t i = 0; i < n; i++)
            at[(key_of(from[i]) >> (digit * DIGIT_BITS)) & (N_VALUES - 1)]++;
        for (int v = 0; v < N_VALUES; v++) {
            size_t count = at[v];
            at[v] = before;
            before += count;
        }
        for (size_t i = 0; i < n; i++)
            to[at[(key_of(from[i]) >> (digit * DIGIT_BITS)) & (N_VALUES - 1)]++] = from[i];
        float *swap = from;
        from = to;
        to = swap;
    }
}

void cot_sort_row_values(struct cot_row_value *values, size_t n, struct cot_row_value *scratch)
{
    struct cot_row_value *from = values;
    struct cot_row_value *to = scratch;
    size_t at[N_DIGITS][N_VALUES] = {{0}};
    for (size_t i = 0; i < n; i++) {
        uint32_t key = key_of(values[i].value);
        for (int digit = 0; digit < N_DIGITS; digit++)
            at[digit][(key >> (digit * DIGIT_BITS)) & (N_VALUES - 1)]++;
    }
    for (int digit = 0; digit < N_DIGITS; digit++) {
        size_t before = 0;
        for (int v = 0; v < N_VALUES; v++) {
            size_t count = at[digit][v];
            at[digit][v] = before;
            before += count;
        }
        for (size_t i = 0; i < n; i++)
            to[at[digit][(key_of(from[i].value) >> (digit * DIGIT_BITS)) & (N_VALUES - 1)]++] = from[i];
        struct cot_row_value *swap = from;
        from = to;
        to = swap;
    }
}

/* As key_of. */
static uint64_t wide_key_of(double value)
{
    uint64_t bits;
    value += 0.0;
    memcpy(&bits, &value, sizeof bits);
    return bits ^ ((bits >> 63) != 0 ? UINT64_MAX : UINT64_C(1) << 63);
}

enum { WIDE_DIGITS = 2 * N_DIGITS, PAIR_DIGITS = 2 * WIDE_DIGITS };

/* Digit 0 is the last that decides: the lowest of the second number. */
static size_t digit_of(const struct cot_double_pair *pair, int digit)
{
    uint64_t key = wide_key_of(digit < WIDE_DIGITS ? pair->second : pair->first);
    return (key >> (digit % WIDE_DIGITS * DIGIT_BITS)) & (N_VALUES - 1);
}

static void count_digits(const struct cot_double_pair *pairs, size_t n, size_t at[PAIR_DIGITS][N_VALUES])
{
    for (size_t i = 0; i < n; i++) {
        uint64_t low = wide_key_of(pairs[i].second);
        uint64_t high = wide_key_of(pairs[i].first);
        for (int digit = 0; digit < WIDE_DIGITS; digit++) {
            at[digit][(low >> (digit * DIGIT_BITS)) & (N_VALUES - 1)]++;
            at[WIDE_DIGITS + digit][(high >> (digit * DIGIT_BITS)) & (N_VALUES - 1)]++;
        }
    }
}

void cot_sort_double_pairs(struct cot_double_pair *pairs, size_t n, struct cot_double_pair *scratch)
{
    struct cot_double_pair *from = pairs;
    struct cot_double_pair *to = scratch;
    size_t at[PAIR_DIGITS][N_VALUES] = {{0}};
    count_digits(pairs, n, at);
    for (int digit = 0; digit < PAIR_DIGITS; digit++) {
        size_t before = 0;
        if (n == 0 || at[digit][digit_of(from, digit)] == n)
            continue; /* all have the same: counts and other numbers with few bits have many such digits */
        for (int v = 0; v < N_VALUES; v++) {
            size_t count = at[digit][v];
            at[digit][v] = before;
            before += count;
        }
        for (size_t i = 0; i < n; i++)
            to[at[digit][digit_of(from + i, digit)]++] = from[i];
        struct cot_double_pair *swap = from;
        from = to;
        to = swap;
    }
    if (from != pairs)
        memcpy(pairs, from, n * sizeof *pairs);
}

double cot_quantile_sorted(const float *sorted, size_t n, double q)
{
    double at = q * (double)(n - 1);
    size_t low = (size_t)at;
    if (low + 1 >= n)
        return (double)sorted[n - 1];
    double share = at - (double)low;
    return (double)sorted[low] + share * ((double)sorted[low + 1] - (double)sorted[low]);
}

size_t cot_count_at_most(const float *sorted, size_t n, float value)
{
    size_t low = 0;
    size_t high = n;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (sorted[middle] <= value)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

int cot_compare_doubles(const void *left, const void *right)
{
    double a = *(const double *)left;
    double b = *(const double *)right;
    return (a > b) - (a < b);
}
