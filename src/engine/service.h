/*
 * The shop as a running server holds it: the store is its own for as long as it runs.
 *
 * Any thread may call, except for _open and _close.
 */
#ifndef COT_ENGINE_SERVICE_H
#define COT_ENGINE_SERVICE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "coterie/err.h"
#include "engine/context.h"

struct cot_service;

/* Opens the store, making one where there is none, and keeps other processes out. COT_IO where one is in already. */
cot_code cot_service_open(const struct cot_context *context, struct cot_service **ret_service,
                          struct cot_err *err) COT_MUST_CHECK;
void cot_service_close(struct cot_service *service);

/* Whether it can do its work now; else why not. */
cot_code cot_service_ready(struct cot_service *service, struct cot_err *err) COT_MUST_CHECK;

/* Whether a command, or an upload, has the store now. */
bool cot_service_is_lent(const struct cot_service *service);

/* Says in the data directory where the server listens, for the commands that find the store in use. */
cot_code cot_service_announce(struct cot_service *service, const char *url, struct cot_err *err) COT_MUST_CHECK;

/* One number for metrics. Names end as Prometheus wants them: _total for counters, units at the end. */
struct cot_service_figure {
    const char *name;
    const char *help;
    bool is_counter;
    double value;
};

enum { COT_SERVICE_MAX_FIGURES = 32, COT_SERVICE_MAX_DURATIONS = 16, COT_SERVICE_MAX_BOUNDS = 10 };
size_t cot_service_figures(const struct cot_service *service,
                           struct cot_service_figure ret_figures[COT_SERVICE_MAX_FIGURES]);

/* How long things took that metrics show as a histogram; bounds ascend, the last count is of what took longer. */
struct cot_service_durations {
    const char *name;
    const char *help;
    const char *label, *value;
    const int64_t *bounds_us;
    size_t n_bounds;
    uint64_t by_bound[COT_SERVICE_MAX_BOUNDS + 1];
    double sum_s;
};

/* Those that took place at all; of one name in a row. */
size_t cot_service_durations(const struct cot_service *service,
                             struct cot_service_durations ret_durations[COT_SERVICE_MAX_DURATIONS]);

#endif
