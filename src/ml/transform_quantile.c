#include "ml/transform_quantile.h"

#include <float.h>
#include <math.h>

#include "num/check.h"
#include "num/normal.h"
#include "num/order.h"

/* Shares nearer than this to 0 and 1 count as 0 and 1, and 0 and 1 as this far from them, so that no normal score is
 * infinite. As in scikit-learn. */
static const double BOUND = 1e-7;

/* As NumPy's linspace rounds. */
static double share_of(const struct cot_transform_fitted *column, size_t i)
{
    return i == 0 ? 0 : i + 1 == column->n_quantiles ? 1 : (double)i * (1 / (double)(column->n_quantiles - 1));
}

bool cot_transform_quantiles_fit(struct cot_transform_fitted *column, const float *sorted, size_t n, size_t n_quantiles)
{
    column->quantiles = cot_alloc_array(n_quantiles, 1, sizeof *column->quantiles);
    if (column->quantiles == NULL)
        return false;
    column->n_quantiles = n_quantiles;
    for (size_t i = 0; i < n_quantiles; i++) {
        /* By way of percent: where a quantile falls on a run of equal values, the rounding decides which of them count,
         * and scikit-learn's numbers are to be met. */
        double value = cot_quantile_sorted(sorted, n, share_of(column, i) * 100 / 100);
        column->quantiles[i] = i > 0 ? fmax(value, column->quantiles[i - 1]) : value; /* rounding must not descend */
    }
    return true;
}

/* How many quantiles are < x (or <= x). */
static size_t count_below(const struct cot_transform_fitted *column, double x, bool or_equal)
{
    size_t low = 0;
    size_t high = column->n_quantiles;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (column->quantiles[middle] < x || (or_equal && column->quantiles[middle] == x))
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

/* Share of the fitted values below x; of a value that several quantiles have, the middle of their shares. */
static double share_below(const struct cot_transform_fitted *column, double x)
{
    size_t first = count_below(column, x, false);
    size_t last = count_below(column, x, true);
    if (first < last)
        return (share_of(column, first) + share_of(column, last - 1)) / 2;
    if (first == 0 || first == column->n_quantiles)
        return first == 0 ? 0 : 1;
    double low = column->quantiles[first - 1];
    double part = (x - low) / (column->quantiles[first] - low);
    return share_of(column, first - 1) + part * (share_of(column, first) - share_of(column, first - 1));
}

double cot_transform_quantiles_forward(const struct cot_transform_fitted *column, double x)
{
    double least = column->quantiles[0];
    double most = column->quantiles[column->n_quantiles - 1];
    double share = share_below(column, x);
    if (column->kind == COT_TRANSFORM_QUANTILE_UNIFORM)
        return x == least ? 0 : x == most ? 1 : share;
    share = x - BOUND < least ? 0 : x + BOUND > most ? 1 : share;
    double edge = BOUND - DBL_EPSILON;
    return fmin(fmax(cot_normal_quantile(share), cot_normal_quantile(edge)), cot_normal_quantile(1 - edge));
}

double cot_transform_quantiles_inverse(const struct cot_transform_fitted *column, double z)
{
    bool normal = column->kind == COT_TRANSFORM_QUANTILE_NORMAL;
    double share = normal ? cot_normal_cdf(z) : z;
    double bound = normal ? BOUND * (1 + 1e-6) : 0; /* scores that went through float32 are still those of the ends */
    size_t last = column->n_quantiles - 1;
    if (last == 0 || share <= 0 || share - bound < 0)
        return column->quantiles[0];
    if (share >= 1 || share + bound > 1)
        return column->quantiles[last];
    double at = share * (double)last;
    size_t i = (size_t)at < last ? (size_t)at : last - 1;
    double part = (share - share_of(column, i)) / (share_of(column, i + 1) - share_of(column, i));
    return column->quantiles[i] + part * (column->quantiles[i + 1] - column->quantiles[i]);
}
