#include "http/metrics.h"

#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/service.h"
#include "http/route.h"

enum { N_CLASSES = 6, N_BOUNDS = 10, MAX_LABELS = 256 };

static const int64_t bounds_us[N_BOUNDS] = {500, 1000, 2000, 5000, 10000, 25000, 100000, 250000, 1000000, 5000000};

struct route_counts {
    atomic_uint_fast64_t by_class[N_CLASSES]; /* 0: no answer; n: status n00 */
    atomic_uint_fast64_t by_bound[N_BOUNDS + 1];
    atomic_uint_fast64_t sum_us;
};

struct cot_metrics {
    struct route_counts *routes; /* [cot_n_routes + 1], the last: no route */
    atomic_int n_connections;
};

cot_code cot_metrics_open(struct cot_metrics **ret_metrics, struct cot_err *err)
{
    struct cot_metrics *metrics = calloc(1, sizeof *metrics);
    if (metrics != NULL)
        metrics->routes = calloc(cot_n_routes + 1, sizeof *metrics->routes);
    if (metrics == NULL || metrics->routes == NULL) {
        cot_metrics_free(metrics);
        return cot_fail(err, COT_NOMEM, "metrics");
    }
    *ret_metrics = metrics;
    return COT_OK;
}

void cot_metrics_free(struct cot_metrics *metrics)
{
    if (metrics == NULL)
        return;
    free(metrics->routes);
    free(metrics);
}

void cot_metrics_count(struct cot_metrics *metrics, const struct cot_route *route, int status, int64_t duration_us)
{
    size_t i_route = route != NULL ? (size_t)(route - cot_routes) : cot_n_routes;
    struct route_counts *counts = &metrics->routes[i_route];
    size_t i_bound = 0;
    while (i_bound < N_BOUNDS && duration_us > bounds_us[i_bound])
        i_bound++;
    atomic_fetch_add(&counts->by_class[status >= 100 && status < 600 ? status / 100 : 0], 1);
    atomic_fetch_add(&counts->by_bound[i_bound], 1);
    atomic_fetch_add(&counts->sum_us, (uint64_t)(duration_us > 0 ? duration_us : 0));
}

void cot_metrics_connections(struct cot_metrics *metrics, int change)
{
    atomic_fetch_add(&metrics->n_connections, change);
}

static const char *route_path(size_t i_route)
{
    return i_route < cot_n_routes ? cot_routes[i_route].path : "none";
}

static const char *route_method(size_t i_route)
{
    return i_route < cot_n_routes ? cot_routes[i_route].method : "";
}

static cot_code write_requests(const struct cot_metrics *metrics, struct cot_buf *buf, struct cot_err *err)
{
    cot_code rc = cot_buf_puts(buf,
                               "# HELP coterie_http_requests_total Requests answered.\n"
                               "# TYPE coterie_http_requests_total counter\n",
                               err);
    for (size_t i = 0; i <= cot_n_routes; i++)
        for (size_t c = 0; c < N_CLASSES; c++) {
            unsigned long long n = atomic_load(&metrics->routes[i].by_class[c]);
            if (n > 0 && rc == COT_OK)
                rc = cot_buf_printf(buf, err,
                                    "coterie_http_requests_total{method=\"%s\",route=\"%s\",status=\"%zuxx\"} %llu\n",
                                    route_method(i), route_path(i), c, n);
        }
    return rc;
}

/* One series of a histogram; labels as Prometheus writes them. */
struct series {
    const char *name, *labels;
    const int64_t *bounds_us;
    size_t n_bounds;
    const uint64_t *by_bound; /* [n_bounds + 1] */
    double sum_s;
};

static cot_code write_series(const struct series *series, struct cot_buf *buf, struct cot_err *err)
{
    unsigned long long n = 0;
    cot_code rc = COT_OK;
    for (size_t b = 0; b < series->n_bounds && rc == COT_OK; b++) {
        n += series->by_bound[b];
        rc = cot_buf_printf(buf, err, "%s_bucket{%s,le=\"%g\"} %llu\n", series->name, series->labels,
                            (double)series->bounds_us[b] * 1e-6, n);
    }
    n += series->by_bound[series->n_bounds];
    return rc == COT_OK
               ? cot_buf_printf(buf, err, "%s_bucket{%s,le=\"+Inf\"} %llu\n%s_sum{%s} %.6f\n%s_count{%s} %llu\n",
                                series->name, series->labels, n, series->name, series->labels, series->sum_s,
                                series->name, series->labels, n)
               : rc;
}

static cot_code write_head(const char *name, const char *help, struct cot_buf *buf, struct cot_err *err)
{
    return cot_buf_printf(buf, err, "# HELP %s %s\n# TYPE %s histogram\n", name, help, name);
}

static cot_code write_routes(const struct cot_metrics *metrics, struct cot_buf *buf, struct cot_err *err)
{
    static const char name[] = "coterie_http_request_duration_seconds";
    cot_code rc = write_head(name, "From the request's head to its answer.", buf, err);
    for (size_t i = 0; i <= cot_n_routes && rc == COT_OK; i++) {
        char labels[MAX_LABELS];
        uint64_t by_bound[N_BOUNDS + 1];
        uint64_t n = 0;
        for (size_t b = 0; b <= N_BOUNDS; b++)
            n += by_bound[b] = atomic_load(&metrics->routes[i].by_bound[b]);
        if (n == 0)
            continue;
        snprintf(labels, sizeof labels, "method=\"%s\",route=\"%s\"", route_method(i), route_path(i));
        const struct series series = {name,     labels,   bounds_us,
                                      N_BOUNDS, by_bound, (double)atomic_load(&metrics->routes[i].sum_us) * 1e-6};
        rc = write_series(&series, buf, err);
    }
    return rc;
}

static cot_code write_durations(const struct cot_service *service, struct cot_buf *buf, struct cot_err *err)
{
    struct cot_service_durations durations[COT_SERVICE_MAX_DURATIONS];
    size_t n = cot_service_durations(service, durations);
    cot_code rc = COT_OK;
    for (size_t i = 0; i < n && rc == COT_OK; i++) {
        char labels[MAX_LABELS];
        const struct cot_service_durations *one = &durations[i];
        if (i == 0 || strcmp(one->name, durations[i - 1].name) != 0)
            rc = write_head(one->name, one->help, buf, err);
        snprintf(labels, sizeof labels, "%s=\"%s\"", one->label, one->value);
        const struct series series = {one->name, labels, one->bounds_us, one->n_bounds, one->by_bound, one->sum_s};
        if (rc == COT_OK)
            rc = write_series(&series, buf, err);
    }
    return rc;
}

static cot_code write_figures(const struct cot_service *service, struct cot_buf *buf, struct cot_err *err)
{
    struct cot_service_figure figures[COT_SERVICE_MAX_FIGURES];
    size_t n = cot_service_figures(service, figures);
    cot_code rc = COT_OK;
    for (size_t i = 0; i < n && rc == COT_OK; i++)
        rc = cot_buf_printf(buf, err, "# HELP %s %s\n# TYPE %s %s\n%s %.17g\n", figures[i].name, figures[i].help,
                            figures[i].name, figures[i].is_counter ? "counter" : "gauge", figures[i].name,
                            figures[i].value);
    return rc;
}

cot_code cot_metrics_write(const struct cot_metrics *metrics, const struct cot_service *service, struct cot_buf *buf,
                           struct cot_err *err)
{
    cot_code rc = write_requests(metrics, buf, err);
    if (rc == COT_OK)
        rc = write_routes(metrics, buf, err);
    if (rc == COT_OK)
        rc = write_durations(service, buf, err);
    if (rc == COT_OK)
        rc = cot_buf_printf(buf, err,
                            "# HELP coterie_http_connections Open connections.\n"
                            "# TYPE coterie_http_connections gauge\ncoterie_http_connections %d\n",
                            atomic_load(&metrics->n_connections));
    return rc == COT_OK ? write_figures(service, buf, err) : rc;
}
