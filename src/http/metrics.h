/*
 * What the server counts, as Prometheus reads it: requests by route and status class, and how long they took. Any
 * thread.
 */
#ifndef COT_HTTP_METRICS_H
#define COT_HTTP_METRICS_H

#include <stdint.h>

#include "base/buf.h"
#include "coterie/err.h"

struct cot_metrics;
struct cot_route;
struct cot_service;

cot_code cot_metrics_open(struct cot_metrics **ret_metrics, struct cot_err *err) COT_MUST_CHECK;
void cot_metrics_free(struct cot_metrics *metrics);

/* route NULL: a path that is none. */
void cot_metrics_count(struct cot_metrics *metrics, const struct cot_route *route, int status, int64_t duration_us);
void cot_metrics_connections(struct cot_metrics *metrics, int change);

/* Text format 0.0.4. */
cot_code cot_metrics_write(const struct cot_metrics *metrics, const struct cot_service *service, struct cot_buf *buf,
                           struct cot_err *err) COT_MUST_CHECK;

#endif
