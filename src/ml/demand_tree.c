/* Series made to add up, and the quantile of a stock. */
#include <math.h>
#include <stdbool.h>

#include "ml/demand.h"
#include "num/normal.h"

/* Children share what their sum is short of the parent by their variances (equally where all are certain); those that
 * would fall below 0 are held there, and the others share again. */
static void share_out(const struct cot_demand_series *series, size_t n, size_t parent, const double *variances,
                      double target, double *values, double *held)
{
    for (size_t i = parent + 1; i < n; i++)
        held[i] = series[i].parent == parent && values[i] < 0 ? 1 : 0;
    for (size_t round = 0; round < n; round++) {
        double sum = 0;
        double variance = 0;
        double n_free = 0;
        bool again = false;
        for (size_t i = parent + 1; i < n; i++)
            if (series[i].parent == parent) {
                if (held[i] > 0)
                    values[i] = 0;
                sum += values[i];
                variance += held[i] > 0 ? 0 : variances[i];
                n_free += held[i] > 0 ? 0 : 1;
            }
        double short_of = target - sum;
        if (!(n_free > 0))
            return;
        for (size_t i = parent + 1; i < n; i++)
            if (series[i].parent == parent && !(held[i] > 0)) {
                values[i] += short_of * (variance > 0 ? variances[i] / variance : 1 / n_free);
                if (values[i] < 0) {
                    held[i] = 1;
                    again = true;
                }
            }
        if (!again)
            return;
    }
}

void cot_demand_reconcile(const struct cot_demand_series *series, size_t n_series, const double *variances,
                          double *values, double *scratch)
{
    double *best = scratch;          /* variance of what a series and all below it say together */
    double *sums = best + n_series;  /* of the children */
    double *below = sums + n_series; /* variance of that sum; < 0: no children */
    double *held = below + n_series;
    for (size_t i = 0; i < n_series; i++) {
        sums[i] = 0;
        below[i] = -1;
    }
    for (size_t i = n_series; i-- > 0;) {
        best[i] = variances[i];
        if (below[i] >= 0) {
            double both = below[i] + variances[i];
            double weight = both > 0 ? variances[i] / both : 1; /* of the children's sum */
            values[i] = weight * sums[i] + (1 - weight) * values[i];
            best[i] = weight * below[i];
        }
        if (i > 0) {
            size_t parent = series[i].parent;
            sums[parent] += values[i];
            below[parent] = (below[parent] > 0 ? below[parent] : 0) + best[i];
        }
    }
    values[0] = values[0] > 0 ? values[0] : 0;
    for (size_t i = 0; i < n_series; i++)
        if (below[i] >= 0)
            share_out(series, n_series, i, best, values[i], values, held);
}

double cot_demand_quantile(double mean, double variance, double chance)
{
    const double many = 1000;
    const double barely = 1.0001;
    if (!(mean > 0))
        return 0;
    if (mean > many)
        return ceil(mean + cot_normal_quantile(chance) * sqrt(variance > mean ? variance : mean));
    bool poisson = !(variance > barely * mean);
    double size = poisson ? 0 : mean * mean / (variance - mean);
    double p = poisson ? 0 : mean / variance;
    double mass = poisson ? exp(-mean) : exp(size * log(p));
    double sum = mass;
    double units = 0;
    /* Heavy tails end somewhere: Chebyshev's bound holds for any distribution. */
    double most = mean + sqrt((variance > mean ? variance : mean) / (1 - chance)) + 1;
    while (sum < chance && units < most) {
        units += 1;
        mass *= poisson ? mean / units : (size + units - 1) / units * (1 - p);
        sum += mass;
    }
    return units;
}
