/* Demand with many zeros: how large when there is one, and how often. */
#include <math.h>
#include <stdlib.h>

#include "ml/forecast_methods.h"
#include "num/check.h"

static void fill(double *ret_mean, size_t horizon, double value)
{
    for (size_t h = 0; h < horizon; h++)
        ret_mean[h] = value;
}

/* Demands, and the times between them, the first counted from before the series. Room for n each. */
static size_t split_demand(const struct cot_series *series, double *ret_sizes, double *ret_gaps)
{
    size_t n = 0;
    size_t last = 0;
    for (size_t i = 0; i < series->n; i++)
        if (series->values[i] != 0) {
            ret_sizes[n] = series->values[i];
            ret_gaps[n++] = (double)(i + 1 - last);
            last = i + 1;
        }
    return n;
}

/* Both smoothed with the weight that is best for it; 0 where there never was a demand. */
static cot_code croston(const struct cot_series *series, bool unbiased, double *ret_rate, struct cot_err *err)
{
    double *sizes = cot_alloc_array(series->n, 2, sizeof *sizes);
    if (sizes == NULL)
        return cot_fail(err, COT_NOMEM, "a series of %zu values", series->n);
    double *gaps = sizes + series->n;
    size_t n = split_demand(series, sizes, gaps);
    double alpha = 0;
    *ret_rate = 0;
    if (n > 0) {
        double size = cot_smooth(sizes, n, NULL);
        double gap = cot_smooth(gaps, n, &alpha);
        *ret_rate = size / gap * (unbiased ? 1 - alpha / 2 : 1);
    }
    free(sizes);
    return COT_OK;
}

cot_code cot_forecast_croston(const struct cot_series *series, size_t horizon, double *ret_mean, struct cot_err *err)
{
    double rate = 0;
    cot_code rc = croston(series, false, &rate, err);
    fill(ret_mean, horizon, rate);
    return rc;
}

cot_code cot_forecast_sba(const struct cot_series *series, size_t horizon, double *ret_mean, struct cot_err *err)
{
    double rate = 0;
    cot_code rc = croston(series, true, &rate, err);
    fill(ret_mean, horizon, rate);
    return rc;
}

/* Chance of demand and its size, each smoothed; the chance at every step, the size at every demand. */
static double tsb_run(const struct cot_series *series, double alpha_chance, double alpha_size, double *ret_loss)
{
    double chance = 0;
    double size = 0;
    double n_demands = 0;
    double loss = 0;
    for (size_t i = 0; i < series->n; i++)
        if (series->values[i] != 0) {
            size += series->values[i];
            n_demands += 1;
        }
    *ret_loss = 0;
    if (n_demands == 0)
        return 0;
    chance = n_demands / (double)series->n;
    size /= n_demands;
    for (size_t i = 0; i < series->n; i++) {
        double error = series->values[i] - chance * size;
        bool demand = series->values[i] != 0;
        loss += error * error;
        chance += alpha_chance * ((demand ? 1 : 0) - chance);
        if (demand)
            size += alpha_size * (series->values[i] - size);
    }
    *ret_loss = loss;
    return chance * size;
}

cot_code cot_forecast_tsb(const struct cot_series *series, size_t horizon, double *ret_mean, struct cot_err *err)
{
    static const double alphas[] = {0.01, 0.02, 0.05, 0.1, 0.15, 0.2, 0.3};
    enum { N = sizeof alphas / sizeof *alphas };
    double best = INFINITY;
    double rate = 0;
    (void)err;
    for (size_t a = 0; a < N; a++)
        for (size_t b = 0; b < N; b++) {
            double loss = 0;
            double level = tsb_run(series, alphas[a], alphas[b], &loss);
            if (loss < best) {
                best = loss;
                rate = level;
            }
        }
    fill(ret_mean, horizon, rate);
    return COT_OK;
}

/* Values added up in stretches, smoothed with the small weight usual for rare demand (few stretches are left to learn
 * one from), and shared out again. sums: room for n values. The newest values are all in, the oldest may be left over.
 */
static double rate_of_stretches(const struct cot_series *series, size_t stretch, double *sums)
{
    const double least = 0.1;
    const double most = 0.3;
    size_t n = series->n / stretch;
    for (size_t s = 0; s < n; s++) {
        sums[s] = 0;
        for (size_t i = 0; i < stretch; i++)
            sums[s] += series->values[series->n - (n - s) * stretch + i];
    }
    return cot_smooth_within(sums, n, least, most, NULL) / (double)stretch;
}

/* Mean over stretches of `shortest` values (0: the mean time between demands) up to that mean time. */
static cot_code aggregated(const struct cot_series *series, size_t shortest, double *ret_rate, struct cot_err *err)
{
    double *sizes = cot_alloc_array(series->n, 2, sizeof *sizes);
    if (sizes == NULL)
        return cot_fail(err, COT_NOMEM, "a series of %zu values", series->n);
    double *gaps = sizes + series->n;
    size_t n = split_demand(series, sizes, gaps);
    double gap = 0;
    *ret_rate = 0;
    for (size_t i = 0; i < n; i++)
        gap += gaps[i] / (double)n;
    size_t longest = gap > 1 ? (size_t)lround(gap) : 1;
    if (shortest == 0)
        shortest = longest;
    for (size_t stretch = shortest; stretch <= longest && n > 0; stretch++)
        *ret_rate += rate_of_stretches(series, stretch, sizes) / (double)(longest - shortest + 1);
    free(sizes);
    return COT_OK;
}

cot_code cot_forecast_adida(const struct cot_series *series, size_t horizon, double *ret_mean, struct cot_err *err)
{
    double rate = 0;
    cot_code rc = aggregated(series, 0, &rate, err);
    fill(ret_mean, horizon, rate);
    return rc;
}

cot_code cot_forecast_imapa(const struct cot_series *series, size_t horizon, double *ret_mean, struct cot_err *err)
{
    double rate = 0;
    cot_code rc = aggregated(series, 1, &rate, err);
    fill(ret_mean, horizon, rate);
    return rc;
}
