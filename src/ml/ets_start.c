#include "ml/ets_start.h"

#include <math.h>
#include <stdbool.h>

#include "ml/forecast_methods.h"

enum { FIRST = 10 }; /* values, or two seasons if that is more */

static double without_season(bool times, double value, double index)
{
    return times && index > 0 ? value / index : value - index;
}

void cot_ets_first(const struct cot_ets_form *form, const double *y, size_t n, size_t season,
                   struct cot_ets_first *ret_first)
{
    const double least = 0.05;
    bool times = form->season == COT_ETS_MULTIPLICATIVE;
    struct cot_series series = {.values = y, .n = n, .season = season};
    struct cot_ets_first first = {0};
    size_t period = season > 1 ? season : 1;
    size_t n_first = 2 * season > FIRST ? 2 * season : FIRST;
    double mean_x = 0;
    double mean_y = 0;
    double xy = 0;
    double xx = 0;
    if (n_first > n)
        n_first = n;
    if (form->season != COT_ETS_NO_SEASON)
        cot_season_indices(&series, times, first.seasonal);
    for (size_t i = 0; i < season && times; i++)
        first.seasonal[i] = fmax(first.seasonal[i], least);
    for (size_t i = 0; i < n_first; i++) {
        mean_x += (double)(i + 1) / (double)n_first;
        mean_y += without_season(times, y[i], first.seasonal[i % period]) / (double)n_first;
    }
    for (size_t i = 0; i < n_first; i++) {
        double x = (double)(i + 1) - mean_x;
        double value = without_season(times, y[i], first.seasonal[i % period]);
        xy += x * (value - mean_y);
        xx += x * x;
    }
    if (form->trend != COT_ETS_NO_TREND && xx > 0)
        first.trend = xy / xx;
    first.level = mean_y - first.trend * mean_x;
    if (form->multiplicative_error && first.level + first.trend < least) { /* a line that starts below 0 */
        first.trend = 0;
        first.level = mean_y;
    }
    *ret_first = first;
}
