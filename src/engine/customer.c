#include "engine/customer.h"

#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "domain/event.h"
#include "domain/rfm.h"
#include "engine/context_store.h"
#include "engine/customer_move.h"
#include "engine/features.h"
#include "engine/person.h"
#include "engine/rfm.h"
#include "engine/segment_json.h"
#include "engine/segment_model.h"
#include "engine/segment_runs.h"
#include "store/row_json.h"
#include "store/store.h"

enum { N_TIMELINE = 20, N_PULLS = 6 };

/* All that showing a customer holds. */
struct look {
    const struct cot_context *context;
    struct cot_store *store;
    struct cot_person person;
    struct cot_buf nodes; /* "3,17,240" */
    struct cot_segment_money money;
    struct cot_shop *shop;
    struct cot_feature_matrix matrix;
    size_t row; /* of the matrix, SIZE_MAX: no facts yet */
    struct cot_segment_runs runs;
    struct cot_segment_model *model; /* of the newest run, NULL: none */
    yyjson_mut_doc *doc;
    yyjson_mut_val *root;
};

static void look_release(struct look *look)
{
    cot_person_release(&look->person);
    cot_buf_release(&look->nodes);
    cot_feature_matrix_free(&look->matrix);
    cot_shop_free(look->shop);
    cot_segment_runs_release(&look->runs);
    cot_segment_model_free(look->model);
    yyjson_mut_doc_free(look->doc);
    cot_store_close(look->store);
}

static void add_money(struct look *look, yyjson_mut_val *object, const char *key, const struct cot_rows *rows, size_t i)
{
    cot_json_add_number(look->doc, object, key, cot_rows_double(rows, i) / look->money.minor_per_major);
}

static void add_identities(struct look *look)
{
    yyjson_mut_obj_add_uint(look->doc, look->root, "customer", look->person.customer);
    yyjson_mut_obj_add_strcpy(look->doc, look->root, "customer_id", look->person.customer_id);
    yyjson_mut_val *array = yyjson_mut_obj_add_arr(look->doc, look->root, "identities");
    for (size_t i = 0; i < look->person.n_nodes; i++) {
        const struct cot_person_node *node = &look->person.nodes[i];
        const char *kind = cot_node_kind_name(node->kind);
        yyjson_mut_val *entry = yyjson_mut_arr_add_obj(look->doc, array);
        yyjson_mut_obj_add_str(look->doc, entry, "kind", kind != NULL ? kind : "other");
        yyjson_mut_obj_add_strncpy(look->doc, entry, "value", node->value, node->value_size);
    }
}

/* The latest of each trait; among equals the one that came last. */
static cot_code add_traits(struct look *look, struct cot_err *err)
{
    struct cot_rows *rows = NULL;
    bool more = false;
    yyjson_mut_val *array = yyjson_mut_obj_add_arr(look->doc, look->root, "traits");
    cot_code rc = cot_rows_open(look->store, &rows, err,
                                "select key, arg_max(value, (not timeless, occurred_at, rowid)),"
                                " arg_max(timeless, (not timeless, occurred_at, rowid)) from trait"
                                " where node_id in (%s) group by key order by key",
                                cot_buf_text(&look->nodes));
    while (rc == COT_OK && (rc = cot_rows_next(rows, &more, err)) == COT_OK && more) {
        yyjson_mut_val *entry = yyjson_mut_arr_add_obj(look->doc, array);
        cot_row_add_text(look->doc, entry, "key", rows, 0);
        cot_row_add_text(look->doc, entry, "value", rows, 1);
        yyjson_mut_obj_add_bool(look->doc, entry, "timeless", cot_rows_int(rows, 2) != 0);
    }
    cot_rows_close(rows);
    return rc;
}

static cot_code add_consent(struct look *look, struct cot_err *err)
{
    struct cot_rows *rows = NULL;
    bool more = false;
    yyjson_mut_val *array = yyjson_mut_obj_add_arr(look->doc, look->root, "consent");
    cot_code rc = cot_rows_open(look->store, &rows, err,
                                "select purpose, arg_max(granted, (occurred_at, rowid)), max(occurred_at) from consent"
                                " where node_id in (%s) group by purpose order by purpose",
                                cot_buf_text(&look->nodes));
    while (rc == COT_OK && (rc = cot_rows_next(rows, &more, err)) == COT_OK && more) {
        yyjson_mut_val *entry = yyjson_mut_arr_add_obj(look->doc, array);
        cot_row_add_text(look->doc, entry, "purpose", rows, 0);
        yyjson_mut_obj_add_bool(look->doc, entry, "granted", cot_rows_int(rows, 1) != 0);
        cot_row_add_time(look->doc, entry, "since", rows, 2);
    }
    cot_rows_close(rows);
    return rc;
}

static void add_local_day(const struct look *look, yyjson_mut_val *object, const char *key, const struct cot_rows *rows,
                          size_t i_column)
{
    if (cot_rows_is_null(rows, i_column))
        yyjson_mut_obj_add_null(look->doc, object, key);
    else
        cot_json_add_day(look->doc, object, key, cot_shop_day(look->shop, cot_rows_int(rows, i_column)));
}

static cot_code add_totals(struct look *look, struct cot_err *err)
{
    struct cot_rows *rows = NULL;
    bool more = false;
    cot_code rc = cot_rows_open(
        look->store, &rows, err,
        "select count(distinct order_key) filter (kind = %d) + count(*) filter (kind = %d and order_key is null),"
        " sum(amount_minor), -sum(amount_minor) filter (kind = %d), min(occurred_at) filter (kind = %d),"
        " max(occurred_at) filter (kind = %d), count(*) from event"
        " where superseded_at is null and node_id in (%s)",
        COT_EVENT_ORDER_LINE, COT_EVENT_ORDER_LINE, COT_EVENT_REFUND, COT_EVENT_ORDER_LINE, COT_EVENT_ORDER_LINE,
        cot_buf_text(&look->nodes));
    if (rc == COT_OK)
        rc = cot_rows_next(rows, &more, err);
    if (rc == COT_OK && more) {
        yyjson_mut_val *totals = yyjson_mut_obj_add_obj(look->doc, look->root, "totals");
        yyjson_mut_obj_add_int(look->doc, totals, "orders", cot_rows_int(rows, 0));
        add_money(look, totals, "revenue", rows, 1);
        add_money(look, totals, "refunds", rows, 2);
        cot_row_add_time(look->doc, totals, "first_order", rows, 3);
        cot_row_add_time(look->doc, totals, "last_order", rows, 4);
        add_local_day(look, totals, "first_order_day", rows, 3);
        add_local_day(look, totals, "last_order_day", rows, 4);
        yyjson_mut_obj_add_int(look->doc, totals, "events", cot_rows_int(rows, 5));
    }
    cot_rows_close(rows);
    return rc;
}

static cot_code add_timeline(struct look *look, struct cot_err *err)
{
    struct cot_rows *rows = NULL;
    bool more = false;
    yyjson_mut_val *array = yyjson_mut_obj_add_arr(look->doc, look->root, "timeline");
    cot_code rc = cot_rows_open(
        look->store, &rows, err,
        "with last as (select * from event where superseded_at is null and node_id in (%s)"
        "  order by occurred_at desc, event_id desc limit %d)"
        " select last.occurred_at, last.kind, last.order_key, item.product_id,"
        "  (select arg_max(f.name, (f.recorded_at, f.rowid)) from item_fact f where f.item_id = last.item_id),"
        "  last.quantity, last.amount_minor, last.channel, last.detail"
        " from last left join item on item.item_id = last.item_id"
        " order by last.occurred_at desc, last.event_id desc",
        cot_buf_text(&look->nodes), N_TIMELINE);
    while (rc == COT_OK && (rc = cot_rows_next(rows, &more, err)) == COT_OK && more) {
        yyjson_mut_val *entry = yyjson_mut_arr_add_obj(look->doc, array);
        const char *kind = cot_event_kind_name((enum cot_event_kind)cot_rows_int(rows, 1));
        cot_row_add_time(look->doc, entry, "at", rows, 0);
        yyjson_mut_obj_add_str(look->doc, entry, "kind", kind != NULL ? kind : "other");
        cot_row_add_text(look->doc, entry, "order", rows, 2);
        cot_row_add_text(look->doc, entry, "item", rows, 3);
        cot_row_add_text(look->doc, entry, "name", rows, 4);
        cot_json_add_number(look->doc, entry, "quantity", cot_rows_double(rows, 5));
        add_money(look, entry, "amount", rows, 6);
        cot_row_add_text(look->doc, entry, "channel", rows, 7);
        cot_row_add_text(look->doc, entry, "detail", rows, 8);
    }
    cot_rows_close(rows);
    return rc;
}

static float value_at(const struct look *look, size_t row, size_t column)
{
    return look->matrix.values[row * look->matrix.d + column];
}

/* Share of the customers with a value who have less, those with the same counted by half. */
static double percentile(const struct look *look, size_t column)
{
    float own = value_at(look, look->row, column);
    double n = 0, below = 0;
    for (size_t i = 0; i < look->matrix.n; i++) {
        float value = value_at(look, i, column);
        if (isnan(value))
            continue;
        n++;
        below += value < own ? 1 : value == own ? 0.5 : 0;
    }
    return n > 0 ? below / n : NAN;
}

static void add_feature_value(struct look *look, yyjson_mut_val *entry, const char *key,
                              const struct cot_feature_column *column, double value)
{
    bool category = column->transform == COT_TRANSFORM_CATEGORY;
    if (isnan(value) || (category && !(value >= 0 && value < (double)column->n_categories)))
        yyjson_mut_obj_add_null(look->doc, entry, key);
    else if (category)
        yyjson_mut_obj_add_strcpy(look->doc, entry, key, column->category_names[(size_t)value]);
    else
        cot_json_add_number(look->doc, entry, key, cot_json_round(value, 4));
}

static void add_features(struct look *look)
{
    cot_shop_add_as_of(look->doc, look->root, look->shop, look->matrix.as_of_ms);
    yyjson_mut_val *array = yyjson_mut_obj_add_arr(look->doc, look->root, "features");
    for (size_t j = 0; look->row != SIZE_MAX && j < look->matrix.d; j++) {
        const struct cot_feature_column *column = &look->matrix.columns[j];
        yyjson_mut_val *entry = yyjson_mut_arr_add_obj(look->doc, array);
        double value = (double)value_at(look, look->row, j);
        yyjson_mut_obj_add_strcpy(look->doc, entry, "feature", column->name);
        yyjson_mut_obj_add_strcpy(look->doc, entry, "title", column->title);
        yyjson_mut_obj_add_strcpy(look->doc, entry, "unit", column->unit);
        yyjson_mut_obj_add_str(look->doc, entry, "group", cot_feature_group_name(column->group));
        add_feature_value(look, entry, "value", column, value);
        if (column->transform == COT_TRANSFORM_CATEGORY || isnan(value))
            yyjson_mut_obj_add_null(look->doc, entry, "percentile");
        else
            cot_json_add_number(look->doc, entry, "percentile", cot_json_round(percentile(look, j), 4));
    }
}

static cot_code add_rfm(struct look *look, struct cot_err *err)
{
    struct cot_rfm_score *scores = calloc(look->matrix.n + 1, sizeof *scores);
    cot_code rc = scores == NULL ? cot_fail(err, COT_NOMEM, "RFM of %zu customers", look->matrix.n) : COT_OK;
    if (rc == COT_OK)
        rc = cot_rfm_score_matrix(&look->matrix, scores, err);
    if (rc == COT_OK && (look->row == SIZE_MAX || scores[look->row].group == COT_RFM_NONE)) {
        yyjson_mut_obj_add_null(look->doc, look->root, "rfm");
    } else if (rc == COT_OK) {
        const struct cot_rfm_score *score = &scores[look->row];
        yyjson_mut_val *rfm = yyjson_mut_obj_add_obj(look->doc, look->root, "rfm");
        yyjson_mut_obj_add_uint(look->doc, rfm, "recency", score->recency);
        yyjson_mut_obj_add_uint(look->doc, rfm, "frequency", score->frequency);
        yyjson_mut_obj_add_uint(look->doc, rfm, "monetary", score->monetary);
        yyjson_mut_obj_add_str(look->doc, rfm, "group", cot_rfm_group_name((enum cot_rfm_group)score->group));
    }
    free(scores);
    return rc;
}

/* The model of the newest run, by the path that the run's document names. */
static cot_code load_model(struct look *look, struct cot_err *err)
{
    char *json = NULL;
    const struct cot_segment_run_row *run = &look->runs.runs[look->runs.n - 1];
    cot_code rc = cot_segment_run_detail(look->store, run->run_id, &json, err);
    if (rc != COT_OK)
        return rc;
    yyjson_doc *doc = NULL;
    if (cot_json_read(json, strlen(json), 0, &doc, err) == COT_NOMEM) {
        free(json);
        return COT_NOMEM;
    }
    const char *name = yyjson_get_str(yyjson_obj_get(yyjson_doc_get_root(doc), "model"));
    if (name == NULL)
        rc = cot_fail(err, COT_BAD_DATA, "segment run %lld names no model: run 'coterie segment' again",
                      (long long)run->run_id);
    else
        rc = cot_segment_model_read(look->context->data_dir, name, &look->model, err);
    yyjson_doc_free(doc);
    free(json);
    return rc;
}

/* Index among the model's segments, SIZE_MAX. */
static size_t index_of(const struct cot_segment_model *model, int64_t id)
{
    for (size_t s = 0; s < model->k; s++)
        if (model->ids[s] == id)
            return s;
    return SIZE_MAX;
}

/* The segment in the newest run, else (a customer who came later) by the model. SIZE_MAX: none. */
static cot_code find_segment(struct look *look, const double *y, size_t *ret_segment, bool *ret_by_model,
                             struct cot_err *err)
{
    const struct cot_segment_run_row *run = &look->runs.runs[look->runs.n - 1];
    int64_t id = 0;
    cot_code rc = cot_store_number(look->store, &id, err,
                                   "select max(segment_id) from segment_member where run_id = %lld and customer = %u",
                                   (long long)run->run_id, look->person.customer);
    if (rc != COT_OK)
        return rc;
    *ret_by_model = id == 0;
    *ret_segment = id != 0 ? index_of(look->model, id) : SIZE_MAX;
    if (id != 0 || !look->matrix.analytics[look->row])
        return COT_OK;
    if (look->model->extreme_id != 0 && cot_extreme_is(&look->model->limits, &look->matrix, (uint32_t)look->row))
        *ret_segment = index_of(look->model, look->model->extreme_id);
    else
        *ret_segment = cot_segment_model_nearest(look->model, y, NULL);
    return COT_OK;
}

static void add_head(struct look *look, yyjson_mut_val *object, size_t segment)
{
    const struct cot_segment_run_row *run = &look->runs.runs[look->runs.n - 1];
    const struct cot_segment_row *row = cot_segment_run_segment(run, look->model->ids[segment]);
    yyjson_mut_obj_add_int(look->doc, object, "id", look->model->ids[segment]);
    yyjson_mut_obj_add_strcpy(look->doc, object, "name", row != NULL ? row->name : "");
    yyjson_mut_obj_add_strcpy(look->doc, object, "color", row != NULL ? row->color : "");
}

/* Median of a matrix column, for "against all". */
static double median_of(const struct look *look, size_t column)
{
    double low = NAN;
    float *values = malloc((look->matrix.n + 1) * sizeof *values);
    size_t n = 0;
    for (size_t i = 0; values != NULL && i < look->matrix.n; i++)
        if (!isnan(value_at(look, i, column)))
            values[n++] = value_at(look, i, column);
    /* quickselect of the middle */
    for (size_t from = 0, to = n; n > 0;) {
        float pivot = values[from + (to - from) / 2];
        size_t i = from, j = to;
        while (i < j) {
            while (values[i] < pivot)
                i++;
            while (values[j - 1] > pivot)
                j--;
            if (i < j) {
                float swap = values[i];
                values[i++] = values[j - 1];
                values[--j] = swap;
            }
        }
        if (i > n / 2 && j > n / 2 && j < to)
            to = j;
        else if (i <= n / 2 && i > from)
            from = i;
        else {
            low = (double)values[n / 2];
            break;
        }
        if (to - from <= 1) {
            low = (double)values[n / 2];
            break;
        }
    }
    free(values);
    return low;
}

static cot_code add_pulls(struct look *look, const float *raw, size_t segment, yyjson_mut_val *object,
                          struct cot_err *err)
{
    const struct cot_space *space = look->model->space;
    struct cot_customer_pull *pulls = calloc(space->n_columns + 1, sizeof *pulls);
    size_t n = 0;
    char why[400] = "";
    size_t used = 0;
    cot_code rc = pulls == NULL ? cot_fail(err, COT_NOMEM, "pulls")
                                : cot_customer_pulls(look->model, raw, segment, pulls, &n, err);
    yyjson_mut_val *array = yyjson_mut_obj_add_arr(look->doc, object, "pulls");
    for (size_t i = 0; rc == COT_OK && i < n && i < N_PULLS; i++) {
        size_t column = cot_feature_matrix_find(&look->matrix, space->columns[pulls[i].i_column].name);
        if (column == SIZE_MAX)
            continue;
        const struct cot_feature_column *feature = &look->matrix.columns[column];
        yyjson_mut_val *entry = yyjson_mut_arr_add_obj(look->doc, array);
        yyjson_mut_obj_add_strcpy(look->doc, entry, "feature", feature->name);
        yyjson_mut_obj_add_strcpy(look->doc, entry, "title", feature->title);
        yyjson_mut_obj_add_strcpy(look->doc, entry, "unit", feature->unit);
        add_feature_value(look, entry, "value", feature, (double)value_at(look, look->row, column));
        if (feature->transform != COT_TRANSFORM_CATEGORY)
            cot_json_add_number(look->doc, entry, "overall_median", cot_json_round(median_of(look, column), 4));
        yyjson_mut_obj_add_real(look->doc, entry, "share", cot_json_round(pulls[i].share, 4));
        if (pulls[i].share > 0.02 && used < sizeof why / 2) {
            int m = snprintf(why + used, sizeof why - used, "%s%s (%.0f%%)", used > 0 ? ", " : "", feature->title,
                             100 * pulls[i].share);
            used += m > 0 ? (size_t)m : 0;
        }
    }
    char sentence[512];
    snprintf(sentence, sizeof sentence, "What pulls there, against an average customer: %s.",
             used > 0 ? why : "nothing in particular");
    yyjson_mut_obj_add_strcpy(look->doc, object, "why", sentence);
    free(pulls);
    return rc;
}

static void describe_changes(struct look *look, const struct cot_customer_move *move, yyjson_mut_val *object)
{
    const struct cot_space *space = look->model->space;
    yyjson_mut_val *array = yyjson_mut_obj_add_arr(look->doc, object, "changes");
    char why[600] = "";
    size_t used = 0;
    for (size_t i = 0; i < move->n_changes; i++) {
        const struct cot_customer_change *change = &move->changes[i];
        size_t column = cot_feature_matrix_find(&look->matrix, space->columns[change->i_column].name);
        if (column == SIZE_MAX)
            continue;
        const struct cot_feature_column *feature = &look->matrix.columns[column];
        bool share = strcmp(feature->unit, "share") == 0;
        yyjson_mut_val *entry = yyjson_mut_arr_add_obj(look->doc, array);
        yyjson_mut_obj_add_strcpy(look->doc, entry, "feature", feature->name);
        yyjson_mut_obj_add_strcpy(look->doc, entry, "title", feature->title);
        yyjson_mut_obj_add_strcpy(look->doc, entry, "unit", feature->unit);
        cot_json_add_number(look->doc, entry, "from", cot_json_round(change->from, 4));
        cot_json_add_number(look->doc, entry, "to", cot_json_round(change->to, 4));
        int m = snprintf(why + used, sizeof why - used, "%s%s from %.4g%s to %.4g%s", used > 0 ? ", " : "",
                         feature->title, (share ? 100 : 1) * change->from, share ? "%" : "",
                         (share ? 100 : 1) * change->to, share ? "%" : "");
        used += m > 0 && (size_t)m < sizeof why - used ? (size_t)m : 0;
    }
    yyjson_mut_obj_add_bool(look->doc, object, "reached", move->reached);
    char sentence[700];
    if (move->reached)
        snprintf(sentence, sizeof sentence, "The smallest change that would move them there: %s.", why);
    else
        snprintf(sentence, sizeof sentence,
                 "No change within what customers do, of what a shop can influence, "
                 "would move them there.");
    yyjson_mut_obj_add_strcpy(look->doc, object, "why", sentence);
}

/* The other segments from near to far: the nearest to which some change leads, else the nearest. */
static cot_code add_nearest(struct look *look, const float *raw, size_t segment, struct cot_err *err)
{
    const struct cot_segment_model *model = look->model;
    struct cot_customer_move best = {0};
    bool any = false;
    size_t frequency = cot_feature_matrix_find(&look->matrix, "frequency");
    double orders = frequency != SIZE_MAX ? (double)value_at(look, look->row, frequency) : NAN;
    cot_code rc = COT_OK;
    for (size_t s = 0; rc == COT_OK && s < model->k; s++) {
        struct cot_customer_move move = {0};
        if (s == segment || model->ids[s] == model->extreme_id)
            continue;
        rc = cot_customer_smallest_move(model, raw, orders, segment, s, &move, err);
        bool better =
            !any || (move.reached && !best.reached) || (move.reached == best.reached && move.distance < best.distance);
        if (rc == COT_OK && better)
            best = move;
        any = true;
    }
    if (rc != COT_OK || !any) {
        yyjson_mut_obj_add_null(look->doc, look->root, "nearest");
        return rc;
    }
    yyjson_mut_val *object = yyjson_mut_obj_add_obj(look->doc, look->root, "nearest");
    add_head(look, object, best.target);
    cot_json_add_number(look->doc, object, "distance", cot_json_round(best.distance, 4));
    describe_changes(look, &best, object);
    return COT_OK;
}

static double distance_to(const struct cot_segment_model *model, const double *y, size_t segment)
{
    double sum = 0;
    for (size_t a = 0; a < model->q; a++) {
        double gap = y[a] - (double)model->centroids[segment * model->q + a];
        sum += gap * gap;
    }
    return sqrt(sum);
}

static cot_code add_segment(struct look *look, struct cot_err *err)
{
    const struct cot_segment_run_row *run = &look->runs.runs[look->runs.n - 1];
    const struct cot_segment_model *model = look->model;
    float *raw = calloc(model->space->n_columns + model->d + 1, sizeof *raw);
    double *y = calloc(model->q + 1, sizeof *y);
    size_t segment = SIZE_MAX;
    bool by_model = false;
    cot_code rc = raw == NULL || y == NULL ? cot_fail(err, COT_NOMEM, "segment of the customer") : COT_OK;
    if (rc != COT_OK)
        goto out;
    float *z = raw + model->space->n_columns;
    cot_space_raw(model->space, &look->matrix, (uint32_t)look->row, raw);
    rc = cot_space_apply_raw(model->space, raw, 1, 1, z, err);
    if (rc == COT_OK) {
        cot_segment_model_project(model, z, y);
        rc = find_segment(look, y, &segment, &by_model, err);
    }
    if (rc != COT_OK)
        goto out;
    if (segment == SIZE_MAX) {
        yyjson_mut_obj_add_null(look->doc, look->root, "segment");
        yyjson_mut_obj_add_null(look->doc, look->root, "nearest");
        goto out;
    }
    yyjson_mut_val *object = yyjson_mut_obj_add_obj(look->doc, look->root, "segment");
    add_head(look, object, segment);
    yyjson_mut_obj_add_int(look->doc, object, "run", run->run_id);
    yyjson_mut_obj_add_str(look->doc, object, "assigned_by", by_model ? "model" : "run");
    cot_json_add_number(look->doc, object, "distance", cot_json_round(distance_to(model, y, segment), 4));
    rc = add_pulls(look, raw, segment, object, err);
    if (rc == COT_OK)
        rc = add_nearest(look, raw, segment, err);
out:
    free(raw);
    free(y);
    return rc;
}

static void find_row(struct look *look)
{
    look->row = SIZE_MAX;
    for (size_t i = 0; i < look->matrix.n && look->row == SIZE_MAX; i++)
        if (look->matrix.customers[i] == look->person.customer)
            look->row = i;
}

static cot_code open_look(struct look *look, const char *id, struct cot_err *err)
{
    struct cot_features_options features = {0};
    cot_code rc = cot_json_document(&look->doc, &look->root, err);
    if (rc == COT_OK)
        rc = cot_context_open_store(look->context, COT_STORE_READ_ONLY, &look->store, err);
    if (rc == COT_OK)
        rc = cot_person_find(look->store, id, &look->person, err);
    if (rc == COT_OK)
        rc = cot_person_list_nodes(&look->person, &look->nodes, err);
    if (rc == COT_OK)
        rc = cot_segment_money_load(look->store, &look->money, err);
    if (rc == COT_OK)
        rc = cot_segment_runs_load(look->store, &look->runs, err);
    if (rc == COT_OK)
        rc = cot_features_compute(look->context, look->store, &features, &look->shop, &look->matrix, err);
    if (rc == COT_OK && look->runs.n > 0)
        rc = load_model(look, err);
    if (rc == COT_OK)
        find_row(look);
    return rc;
}

cot_code cot_customer_show_run(const struct cot_context *context, const char *id, yyjson_mut_doc **ret_doc,
                               struct cot_err *err)
{
    struct look look = {.context = context};
    cot_code rc = open_look(&look, id, err);
    if (rc != COT_OK)
        goto out;
    add_identities(&look);
    yyjson_mut_obj_add_strcpy(look.doc, look.root, "currency", look.money.currency);
    rc = add_traits(&look, err);
    if (rc == COT_OK)
        rc = add_consent(&look, err);
    if (rc == COT_OK)
        rc = add_totals(&look, err);
    if (rc == COT_OK)
        rc = add_timeline(&look, err);
    if (rc != COT_OK)
        goto out;
    add_features(&look);
    rc = add_rfm(&look, err);
    if (rc == COT_OK && look.model != NULL && look.row != SIZE_MAX) {
        rc = add_segment(&look, err);
    } else if (rc == COT_OK) {
        yyjson_mut_obj_add_null(look.doc, look.root, "segment");
        yyjson_mut_obj_add_null(look.doc, look.root, "nearest");
    }
    if (rc != COT_OK)
        goto out;
    *ret_doc = look.doc;
    look.doc = NULL;
out:
    look_release(&look);
    return rc;
}
