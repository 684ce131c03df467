#include "engine/segment_runs.h"

#include <stdlib.h>
#include <string.h>

#include "base/civil.h"
#include "engine/shop.h"
#include "store/store.h"

static char *text_of(const struct cot_rows *rows, size_t i_column)
{
    size_t size = 0;
    const char *text = cot_rows_text(rows, i_column, &size);
    return text == NULL ? strdup("") : strndup(text, size);
}

static void run_release(struct cot_segment_run_row *run)
{
    for (size_t i = 0; i < run->n_segments; i++) {
        free(run->segments[i].name);
        free(run->segments[i].color);
        free(run->segments[i].strategy);
        free(run->segments[i].detail);
    }
    free(run->segments);
    free(run->detail);
}

void cot_segment_runs_release(struct cot_segment_runs *runs)
{
    for (size_t i = 0; i < runs->n; i++)
        run_release(&runs->runs[i]);
    free(runs->runs);
    *runs = (struct cot_segment_runs){0};
}

static cot_code read_heads(struct cot_store *store, struct cot_segment_runs *runs, struct cot_err *err)
{
    struct cot_rows *rows = NULL;
    struct cot_zone *zone = NULL;
    char currency[4];
    double minor_per_unit = 0;
    bool more = false;
    int64_t n = 0;
    cot_code rc = cot_store_number(store, &n, err, "select count(*) from segment_run");
    if (rc != COT_OK)
        return rc;
    runs->runs = calloc((size_t)n + 1, sizeof *runs->runs);
    if (runs->runs == NULL)
        return cot_fail(err, COT_NOMEM, "%lld segment runs", (long long)n);
    rc = cot_shop_settings(store, &zone, currency, &minor_per_unit, err);
    if (rc == COT_OK)
        rc = cot_rows_open(store, &rows, err,
                           "select run_id, created_at, as_of, seed, n_customers from segment_run order by run_id");
    while (rc == COT_OK && runs->n < (size_t)n && (rc = cot_rows_next(rows, &more, err)) == COT_OK && more) {
        runs->runs[runs->n++] = (struct cot_segment_run_row){
            .run_id = cot_rows_int(rows, 0),
            .created_at_ms = cot_rows_int(rows, 1),
            .as_of_ms = cot_rows_int(rows, 2),
            .as_of_day = cot_ms_to_days(cot_zone_local(zone, cot_rows_int(rows, 2))),
            .seed = (uint64_t)cot_rows_int(rows, 3),
            .n_customers = cot_rows_int(rows, 4),
        };
    }
    cot_rows_close(rows);
    cot_zone_free(zone);
    return rc;
}

static cot_code add_segment(struct cot_segment_run_row *run, const struct cot_rows *rows, struct cot_err *err)
{
    struct cot_segment_row *grown = realloc(run->segments, (run->n_segments + 1) * sizeof *grown);
    if (grown == NULL)
        return cot_fail(err, COT_NOMEM, "segments of run %lld", (long long)run->run_id);
    run->segments = grown;
    struct cot_segment_row *row = &grown[run->n_segments++];
    *row = (struct cot_segment_row){
        .id = (int32_t)cot_rows_int(rows, 1),
        .name = text_of(rows, 2),
        .color = text_of(rows, 3),
        .size = cot_rows_int(rows, 4),
        .revenue_minor = cot_rows_int(rows, 5),
        .strategy = text_of(rows, 6),
    };
    if (row->name == NULL || row->color == NULL || row->strategy == NULL)
        return cot_fail(err, COT_NOMEM, "segments of run %lld", (long long)run->run_id);
    return COT_OK;
}

static cot_code read_segments(struct cot_store *store, struct cot_segment_runs *runs, struct cot_err *err)
{
    struct cot_rows *rows = NULL;
    bool more = false;
    size_t i = 0;
    cot_code rc = cot_rows_open(store, &rows, err,
                                "select run_id, segment_id, name, color, size, revenue_minor, strategy from segment"
                                " order by run_id, segment_id");
    while (rc == COT_OK && (rc = cot_rows_next(rows, &more, err)) == COT_OK && more) {
        while (i < runs->n && runs->runs[i].run_id < cot_rows_int(rows, 0))
            i++;
        if (i == runs->n)
            break;
        if (runs->runs[i].run_id == cot_rows_int(rows, 0))
            rc = add_segment(&runs->runs[i], rows, err);
    }
    cot_rows_close(rows);
    return rc;
}

cot_code cot_segment_runs_load(struct cot_store *store, struct cot_segment_runs *ret_runs, struct cot_err *err)
{
    struct cot_segment_runs runs = {0};
    cot_code rc = read_heads(store, &runs, err);
    if (rc == COT_OK)
        rc = read_segments(store, &runs, err);
    if (rc == COT_OK)
        *ret_runs = runs;
    else
        cot_segment_runs_release(&runs);
    return rc;
}

cot_code cot_segment_runs_find(const struct cot_segment_runs *runs, int64_t run_id, size_t *ret_i, struct cot_err *err)
{
    if (runs->n == 0)
        return cot_fail(err, COT_NOT_FOUND, "no segments yet: run 'coterie segment' first");
    for (size_t i = 0; i < runs->n; i++) {
        if (runs->runs[i].run_id == run_id || (run_id == 0 && i == runs->n - 1)) {
            *ret_i = i;
            return COT_OK;
        }
    }
    return cot_fail(err, COT_NOT_FOUND, "no segment run %lld: there are runs %lld to %lld", (long long)run_id,
                    (long long)runs->runs[0].run_id, (long long)runs->runs[runs->n - 1].run_id);
}

cot_code cot_segment_run_detail(struct cot_store *store, int64_t run_id, char **ret_json, struct cot_err *err)
{
    struct cot_rows *rows = NULL;
    char *json = NULL;
    bool more = false;
    cot_code rc =
        cot_rows_open(store, &rows, err, "select detail from segment_run where run_id = %lld", (long long)run_id);
    if (rc == COT_OK)
        rc = cot_rows_next(rows, &more, err);
    if (rc == COT_OK && !more)
        rc = cot_fail(err, COT_NOT_FOUND, "no segment run %lld", (long long)run_id);
    if (rc == COT_OK && (json = text_of(rows, 0)) == NULL)
        rc = cot_fail(err, COT_NOMEM, "document of segment run %lld", (long long)run_id);
    if (rc == COT_OK)
        *ret_json = json;
    cot_rows_close(rows);
    return rc;
}

const struct cot_segment_row *cot_segment_run_segment(const struct cot_segment_run_row *run, int32_t id)
{
    for (size_t i = 0; i < run->n_segments; i++)
        if (run->segments[i].id == id)
            return &run->segments[i];
    return NULL;
}

void cot_segment_members_release(struct cot_segment_members *members)
{
    free(members->customers);
    free(members->segments);
    *members = (struct cot_segment_members){0};
}

cot_code cot_segment_members_load(struct cot_store *store, int64_t run_id, struct cot_segment_members *ret_members,
                                  struct cot_err *err)
{
    struct cot_segment_members members = {0};
    struct cot_rows *rows = NULL;
    bool more = false;
    int64_t n = 0;
    cot_code rc =
        cot_store_number(store, &n, err, "select count(*) from segment_member where run_id = %lld", (long long)run_id);
    if (rc != COT_OK)
        goto out;
    members.customers = malloc(((size_t)n + 1) * sizeof *members.customers);
    members.segments = malloc(((size_t)n + 1) * sizeof *members.segments);
    if (members.customers == NULL || members.segments == NULL) {
        rc = cot_fail(err, COT_NOMEM, "%lld members of segments", (long long)n);
        goto out;
    }
    rc = cot_rows_open(store, &rows, err,
                       "select customer, segment_id from segment_member where run_id = %lld order by customer",
                       (long long)run_id);
    while (rc == COT_OK && members.n < (size_t)n && (rc = cot_rows_next(rows, &more, err)) == COT_OK && more) {
        members.customers[members.n] = (uint32_t)cot_rows_int(rows, 0);
        members.segments[members.n++] = (int32_t)cot_rows_int(rows, 1);
    }
    if (rc == COT_OK) {
        *ret_members = members;
        members = (struct cot_segment_members){0};
    }
out:
    cot_rows_close(rows);
    cot_segment_members_release(&members);
    return rc;
}

static void append_string(struct cot_appender *appender, const char *text)
{
    cot_append_text(appender, text, text != NULL ? strlen(text) : 0);
}

static cot_code write_segments(struct cot_store *store, const struct cot_segment_run_row *run, struct cot_err *err)
{
    struct cot_appender *appender = NULL;
    cot_code rc = cot_appender_open(store, "segment", &appender, err);
    for (size_t i = 0; rc == COT_OK && i < run->n_segments; i++) {
        const struct cot_segment_row *row = &run->segments[i];
        cot_append_int(appender, run->run_id);
        cot_append_int(appender, row->id);
        append_string(appender, row->name);
        append_string(appender, row->color);
        cot_append_int(appender, row->size);
        cot_append_int(appender, row->revenue_minor);
        append_string(appender, row->strategy);
        append_string(appender, row->detail);
        rc = cot_appender_end_row(appender, err);
    }
    cot_code closed = cot_appender_close(appender, rc == COT_OK ? err : NULL);
    return rc == COT_OK ? closed : rc;
}

static cot_code write_members(struct cot_store *store, int64_t run_id, const struct cot_segment_members *members,
                              struct cot_err *err)
{
    struct cot_appender *appender = NULL;
    cot_code rc = cot_appender_open(store, "segment_member", &appender, err);
    for (size_t i = 0; rc == COT_OK && i < members->n; i++) {
        cot_append_int(appender, run_id);
        cot_append_int(appender, members->customers[i]);
        cot_append_int(appender, members->segments[i]);
        rc = cot_appender_end_row(appender, err);
    }
    cot_code closed = cot_appender_close(appender, rc == COT_OK ? err : NULL);
    return rc == COT_OK ? closed : rc;
}

cot_code cot_segment_run_write(struct cot_store *store, const struct cot_segment_run_row *run,
                               const struct cot_segment_members *members, struct cot_err *err)
{
    struct cot_appender *appender = NULL;
    cot_code rc = cot_appender_open(store, "segment_run", &appender, err);
    if (rc == COT_OK) {
        cot_append_int(appender, run->run_id);
        cot_append_time(appender, run->created_at_ms);
        cot_append_time(appender, run->as_of_ms);
        cot_append_int(appender, (int64_t)run->seed);
        cot_append_int(appender, (int64_t)run->n_segments);
        cot_append_int(appender, run->n_customers);
        append_string(appender, run->detail);
        rc = cot_appender_end_row(appender, err);
    }
    cot_code closed = cot_appender_close(appender, rc == COT_OK ? err : NULL);
    rc = rc == COT_OK ? closed : rc;
    if (rc == COT_OK)
        rc = write_segments(store, run, err);
    if (rc == COT_OK)
        rc = write_members(store, run->run_id, members, err);
    return rc;
}
