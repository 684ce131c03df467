#include "engine/rfm.h"

#include <math.h>
#include <stdlib.h>

#include "base/json.h"
#include "engine/context_store.h"
#include "store/store.h"

static float *column_copy(const struct cot_feature_matrix *matrix, const char *name)
{
    size_t j = cot_feature_matrix_find(matrix, name);
    float *values = malloc((matrix->n + 1) * sizeof *values);
    for (size_t i = 0; values != NULL && i < matrix->n; i++)
        values[i] = matrix->values[i * matrix->d + j];
    return values;
}

cot_code cot_rfm_score_matrix(const struct cot_feature_matrix *matrix, struct cot_rfm_score *ret_scores,
                              struct cot_err *err)
{
    float *recency = column_copy(matrix, "recency_days");
    float *frequency = column_copy(matrix, "frequency");
    float *monetary = column_copy(matrix, "monetary_total");
    cot_code rc = recency == NULL || frequency == NULL || monetary == NULL
                      ? cot_fail(err, COT_NOMEM, "RFM of %zu customers", matrix->n)
                      : cot_rfm_score(recency, frequency, monetary, matrix->n, ret_scores, err);
    free(recency);
    free(frequency);
    free(monetary);
    return rc;
}

struct totals {
    size_t n;
    double recency_days, orders, revenue;
};

static void add_groups(yyjson_mut_doc *doc, yyjson_mut_val *root, const struct totals *groups, size_t n_scored,
                       double revenue)
{
    yyjson_mut_val *array = yyjson_mut_arr(doc);
    for (unsigned group = 0; group < COT_RFM_N_GROUPS; group++) {
        const struct totals *of = &groups[group];
        double n = of->n > 0 ? (double)of->n : NAN;
        yyjson_mut_val *object = yyjson_mut_arr_add_obj(doc, array);
        yyjson_mut_obj_add_str(doc, object, "group", cot_rfm_group_name((enum cot_rfm_group)group));
        yyjson_mut_obj_add_uint(doc, object, "customers", of->n);
        cot_json_add_number(doc, object, "share",
                            n_scored > 0 ? cot_json_round((double)of->n / (double)n_scored, 6) : 0);
        cot_json_add_number(doc, object, "revenue", cot_json_round(of->revenue, 2));
        cot_json_add_number(doc, object, "revenue_share", revenue > 0 ? cot_json_round(of->revenue / revenue, 6) : NAN);
        cot_json_add_number(doc, object, "recency_days", cot_json_round(of->recency_days / n, 2));
        cot_json_add_number(doc, object, "orders", cot_json_round(of->orders / n, 3));
        cot_json_add_number(doc, object, "spend", cot_json_round(of->revenue / n, 2));
        yyjson_mut_obj_add_str(doc, object, "advice", cot_rfm_group_advice((enum cot_rfm_group)group));
    }
    yyjson_mut_obj_add_val(doc, root, "groups", array);
}

static void add_grid(yyjson_mut_doc *doc, yyjson_mut_val *root, struct totals grid[5][5])
{
    yyjson_mut_val *array = yyjson_mut_arr(doc);
    for (unsigned r = 5; r >= 1; r--)
        for (unsigned fm = 5; fm >= 1; fm--) {
            yyjson_mut_val *object = yyjson_mut_arr_add_obj(doc, array);
            yyjson_mut_obj_add_uint(doc, object, "recency", r);
            yyjson_mut_obj_add_uint(doc, object, "frequency_monetary", fm);
            yyjson_mut_obj_add_str(doc, object, "group", cot_rfm_group_name(cot_rfm_group_of(r, fm, fm)));
            yyjson_mut_obj_add_uint(doc, object, "customers", grid[r - 1][fm - 1].n);
            cot_json_add_number(doc, object, "revenue", cot_json_round(grid[r - 1][fm - 1].revenue, 2));
        }
    yyjson_mut_obj_add_val(doc, root, "grid", array);
}

cot_code cot_rfm_describe(const struct cot_shop *shop, const struct cot_feature_matrix *matrix, yyjson_mut_doc *doc,
                          yyjson_mut_val *root, struct cot_err *err)
{
    size_t j_recency = cot_feature_matrix_find(matrix, "recency_days");
    size_t j_orders = cot_feature_matrix_find(matrix, "frequency");
    size_t j_spend = cot_feature_matrix_find(matrix, "monetary_total");
    struct totals groups[COT_RFM_N_GROUPS + 1] = {0};
    struct totals grid[5][5] = {0};
    double revenue = 0;
    struct cot_rfm_score *scores = malloc((matrix->n + 1) * sizeof *scores);
    if (scores == NULL)
        return cot_fail(err, COT_NOMEM, "RFM of %zu customers", matrix->n);
    cot_code rc = cot_rfm_score_matrix(matrix, scores, err);
    for (size_t i = 0; rc == COT_OK && i < matrix->n; i++) {
        const float *row = matrix->values + i * matrix->d;
        const struct cot_rfm_score *score = &scores[i];
        struct totals *group = &groups[score->group];
        group->n++;
        group->recency_days += (double)row[j_recency];
        group->orders += (double)row[j_orders];
        group->revenue += (double)row[j_spend];
        if (score->group == COT_RFM_NONE)
            continue;
        revenue += (double)row[j_spend];
        struct totals *cell = &grid[score->recency - 1][(score->frequency + score->monetary + 1) / 2 - 1];
        cell->n++;
        cell->revenue += (double)row[j_spend];
    }
    free(scores);
    if (rc != COT_OK)
        return rc;
    cot_shop_add_as_of(doc, root, shop, matrix->as_of_ms);
    yyjson_mut_obj_add_strcpy(doc, root, "currency", shop->currency);
    yyjson_mut_obj_add_uint(doc, root, "customers", matrix->n);
    yyjson_mut_obj_add_uint(doc, root, "scored", matrix->n - groups[COT_RFM_NONE].n);
    yyjson_mut_obj_add_uint(doc, root, "without_order", groups[COT_RFM_NONE].n);
    add_groups(doc, root, groups, matrix->n - groups[COT_RFM_NONE].n, revenue);
    add_grid(doc, root, grid);
    return COT_OK;
}

enum { MAX_CROSS_SEGMENTS = 256 };

struct cross {
    int64_t run_id;
    int64_t segment_ids[MAX_CROSS_SEGMENTS];
    size_t n_segments;
    size_t counts[COT_RFM_N_GROUPS + 1][MAX_CROSS_SEGMENTS];
};

static cot_code cross_segments(struct cot_store *store, struct cross *cross, yyjson_mut_doc *doc,
                               yyjson_mut_val *segments, struct cot_err *err)
{
    struct cot_rows *rows = NULL;
    bool more = false;
    cot_code rc = cot_rows_open(store, &rows, err,
                                "select segment_id, name from segment where run_id = %lld"
                                " order by revenue_minor desc, segment_id",
                                (long long)cross->run_id);
    while (rc == COT_OK && (rc = cot_rows_next(rows, &more, err)) == COT_OK && more) {
        size_t size = 0;
        const char *name = cot_rows_text(rows, 1, &size);
        if (cross->n_segments == MAX_CROSS_SEGMENTS)
            break;
        cross->segment_ids[cross->n_segments++] = cot_rows_int(rows, 0);
        yyjson_mut_val *object = yyjson_mut_arr_add_obj(doc, segments);
        yyjson_mut_obj_add_sint(doc, object, "id", cot_rows_int(rows, 0));
        yyjson_mut_obj_add_strncpy(doc, object, "name", name != NULL ? name : "", size);
    }
    cot_rows_close(rows);
    return rc;
}

static int node_compare(const void *a, const void *b)
{
    uint32_t x = *(const uint32_t *)a;
    uint32_t y = *(const uint32_t *)b;
    return x < y ? -1 : x > y;
}

static cot_code cross_count(struct cot_store *store, const struct cot_feature_matrix *matrix,
                            const struct cot_rfm_score *scores, struct cross *cross, struct cot_err *err)
{
    struct cot_rows *rows = NULL;
    bool more = false;
    cot_code rc =
        cot_rows_open(store, &rows, err, "select customer, segment_id from segment_member where run_id = %lld",
                      (long long)cross->run_id);
    while (rc == COT_OK && (rc = cot_rows_next(rows, &more, err)) == COT_OK && more) {
        uint32_t customer = (uint32_t)cot_rows_int(rows, 0);
        size_t segment = 0;
        const uint32_t *found =
            bsearch(&customer, matrix->customers, matrix->n, sizeof *matrix->customers, node_compare);
        while (segment < cross->n_segments && cross->segment_ids[segment] != cot_rows_int(rows, 1))
            segment++;
        if (found != NULL && segment < cross->n_segments)
            cross->counts[scores[found - matrix->customers].group][segment]++;
    }
    cot_rows_close(rows);
    return rc;
}

cot_code cot_rfm_cross(struct cot_store *store, const struct cot_feature_matrix *matrix, yyjson_mut_doc *doc,
                       yyjson_mut_val **ret_cross, struct cot_err *err)
{
    yyjson_mut_val *object = yyjson_mut_obj(doc);
    yyjson_mut_val *segments = yyjson_mut_arr(doc);
    yyjson_mut_val *groups = yyjson_mut_arr(doc);
    yyjson_mut_val *counts = yyjson_mut_arr(doc);
    struct cot_rfm_score *scores = malloc((matrix->n + 1) * sizeof *scores);
    struct cross *cross = calloc(1, sizeof *cross);
    cot_code rc =
        scores == NULL || cross == NULL
            ? cot_fail(err, COT_NOMEM, "RFM of %zu customers", matrix->n)
            : cot_store_number(store, &cross->run_id, err, "select coalesce(max(run_id), 0) from segment_run");
    if (rc == COT_OK && cross->run_id == 0) {
        *ret_cross = yyjson_mut_null(doc);
        goto out;
    }
    if (rc == COT_OK)
        rc = cot_rfm_score_matrix(matrix, scores, err);
    if (rc == COT_OK)
        rc = cross_segments(store, cross, doc, segments, err);
    if (rc == COT_OK)
        rc = cross_count(store, matrix, scores, cross, err);
    if (rc != COT_OK)
        goto out;
    for (unsigned group = 0; group <= COT_RFM_N_GROUPS; group++) {
        yyjson_mut_val *row = yyjson_mut_arr_add_arr(doc, counts);
        yyjson_mut_arr_add_str(doc, groups, cot_rfm_group_name((enum cot_rfm_group)group));
        for (size_t i = 0; i < cross->n_segments; i++)
            yyjson_mut_arr_add_uint(doc, row, cross->counts[group][i]);
    }
    yyjson_mut_obj_add_sint(doc, object, "run", cross->run_id);
    yyjson_mut_obj_add_val(doc, object, "segments", segments);
    yyjson_mut_obj_add_val(doc, object, "groups", groups);
    yyjson_mut_obj_add_val(doc, object, "counts", counts);
    *ret_cross = object;
out:
    free(scores);
    free(cross);
    return rc;
}

cot_code cot_rfm_run(const struct cot_context *context, const struct cot_features_options *options,
                     yyjson_mut_doc **ret_doc, struct cot_err *err)
{
    struct cot_store *store = NULL;
    struct cot_shop *shop = NULL;
    struct cot_feature_matrix matrix = {0};
    yyjson_mut_val *cross = NULL;
    yyjson_mut_doc *doc = NULL;
    yyjson_mut_val *root = NULL;
    cot_code rc = cot_json_document(&doc, &root, err);
    if (rc == COT_OK)
        rc = cot_context_open_store(context, COT_STORE_READ_ONLY, &store, err);
    if (rc == COT_OK)
        rc = cot_features_compute(context, store, options, &shop, &matrix, err);
    if (rc == COT_OK)
        rc = cot_rfm_describe(shop, &matrix, doc, root, err);
    if (rc == COT_OK)
        rc = cot_rfm_cross(store, &matrix, doc, &cross, err);
    if (rc == COT_OK)
        yyjson_mut_obj_add_val(doc, root, "cross", cross);
    cot_feature_matrix_free(&matrix);
    cot_shop_free(shop);
    cot_store_close(store);
    return cot_json_finish(rc, doc, ret_doc);
}
