/* Forecasts of a seasonal series by Theta, and of a part that is rarely asked for. */
#include <math.h>
#include <stdio.h>

#include "coterie/forecast.h"

enum { MONTHS = 48, AHEAD = 12 };

int main(void)
{
    double sales[MONTHS];
    double parts[MONTHS];
    double mean[AHEAD];
    double low[AHEAD];
    double high[AHEAD];
    struct cot_forecast_options options = {.method = COT_FORECAST_THETA, .season = 12};
    enum cot_forecast_method method = COT_FORECAST_AUTO;
    struct cot_err err = {0};

    for (int i = 0; i < MONTHS; i++) {
        sales[i] = (100 + i) * (i % 12 == 11 ? 2 : 1); /* Decembers are twice as good */
        parts[i] = i % 5 == 0 ? 3 : 0;
    }
    if (cot_forecast(sales, MONTHS, &options, AHEAD, mean, low, high, &method, &err) != COT_OK) {
        fprintf(stderr, "%s\n", err.message);
        return 1;
    }
    printf("January %.0f (80%%: %.0f to %.0f), December %.0f\n", mean[0], low[0], high[0], mean[11]);
    double december = mean[11] / mean[0];
    options.method = COT_FORECAST_AUTO;
    options.season = 1;
    if (cot_forecast(parts, MONTHS, &options, 1, mean, low, high, &method, &err) != COT_OK) {
        fprintf(stderr, "%s\n", err.message);
        return 1;
    }
    printf("parts: %.2f a month by %s\n", mean[0], cot_forecast_method_name(method));
    return fabs(december - 2) < 0.3 && fabs(mean[0] - 0.6) < 0.3 ? 0 : 1;
}
