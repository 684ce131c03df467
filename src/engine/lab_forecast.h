/* The lab: forecasts of many series in a file, scored on their own last values. */
#ifndef COT_ENGINE_LAB_FORECAST_H
#define COT_ENGINE_LAB_FORECAST_H

#include <stdbool.h>
#include <yyjson.h>

#include "coterie/err.h"
#include "coterie/forecast.h"
#include "engine/context.h"

struct cot_lab_forecast_options {
    const char *input; /* columns series, time, value; the rows of a series in order of time, together or not */
    enum cot_forecast_method method;
    unsigned season;
    size_t horizon;
    bool backtest; /* hold the last `horizon` values of each series back, and score */
};

/*
 * {"method","season","horizon","series": n,"values": n,"missing": empty values, left out,"seconds": of the forecasts
 *  alone,"chosen": {"theta": 12,...},
 *  "scores": null | {"series": scored: more than `horizon` values,"smape": mean over series,"mae","rmse": over all
 *  values,"mase": mean over series | null,"coverage": of the 80% intervals},
 *  "forecasts": [{"series","method","mean": [...],"low": [...],"high": [...]}]}
 * COT_BAD_DATA names the line of a value that is no number, and of rows that go back in time. The caller frees the
 * document. Same document at any number of threads, but for the seconds.
 */
cot_code cot_lab_forecast_run(const struct cot_context *context, const struct cot_lab_forecast_options *options,
                              yyjson_mut_doc **ret_doc, struct cot_err *err) COT_MUST_CHECK;

#endif
