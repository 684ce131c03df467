#include "http/metrics.h"

#include <stdatomic.h>
#include <stdlib.h>

#include "engine/service.h"
#include "http/route.h"

enum { N_CLASSES = 6, N_BOUNDS = 10 };

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

static cot_code write_durations(const struct cot_metrics *metrics, struct cot_buf *buf, struct cot_err *err)
{
    cot_code rc = cot_buf_puts(buf,
                               "# HELP coterie_http_request_duration_seconds From the request's head to its answer.\n"
                               "# TYPE coterie_http_request_duration_seconds histogram\n",
                               err);
    for (size_t i = 0; i <= cot_n_routes; i++) {
        const struct route_counts *counts = &metrics->routes[i];
        unsigned long long n = 0;
        for (size_t b = 0; b <= N_BOUNDS; b++)
            n += atomic_load(&counts->by_bound[b]);
        if (n == 0)
            continue;
        n = 0;
        for (size_t b = 0; b < N_BOUNDS && rc == COT_OK; b++) {
            n += atomic_load(&counts->by_bound[b]);
            rc = cot_buf_printf(
                buf, err, "coterie_http_request_duration_seconds_bucket{method=\"%s\",route=\"%s\",le=\"%g\"} %llu\n",
                route_method(i), route_path(i), (double)bounds_us[b] * 1e-6, n);
        }
        n += atomic_load(&counts->by_bound[N_BOUNDS]);
        if (rc == COT_OK)
            rc = cot_buf_printf(
                buf, err,
                "coterie_http_request_duration_seconds_bucket{method=\"%s\",route=\"%s\",le=\"+Inf\"} %llu\n"
                "coterie_http_request_duration_seconds_sum{method=\"%s\",route=\"%s\"} %.6f\n"
                "coterie_http_request_duration_seconds_count{method=\"%s\",route=\"%s\"} %llu\n",
                route_method(i), route_path(i), n, route_method(i), route_path(i),
                (double)atomic_load(&counts->sum_us) * 1e-6, route_method(i), route_path(i), n);
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
        rc = write_durations(metrics, buf, err);
    if (rc == COT_OK)
        rc = cot_buf_printf(buf, err,
                            "# HELP coterie_http_connections Open connections.\n"
                            "# TYPE coterie_http_connections gauge\ncoterie_http_connections %d\n",
                            atomic_load(&metrics->n_connections));
    return rc == COT_OK ? write_figures(service, buf, err) : rc;
}
