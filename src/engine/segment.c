#include "engine/segment.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/civil.h"
#include "base/json.h"
#include "engine/context_store.h"
#include "engine/features.h"
#include "engine/segment_describe.h"
#include "engine/segment_diff.h"
#include "engine/segment_document.h"
#include "engine/segment_json.h"
#include "engine/segment_learn.h"
#include "engine/segment_match.h"
#include "engine/segment_model.h"
#include "engine/segment_runs.h"
#include "engine/segment_tree.h"
#include "store/store.h"

/* All that one run of the segmentation holds; freed as a whole. */
struct job {
    const struct cot_context *context;
    const struct cot_segment_options *options;
    struct cot_store *store;
    struct cot_shop *shop;
    struct cot_feature_matrix matrix;
    struct cot_segment_money money;
    struct cot_segment_runs runs;
    struct cot_segment_members members_before;
    const struct cot_segment_run_row *before; /* the newest run, or NULL */
    int32_t extreme_id_before;
    struct cot_learned *learned;
    struct cot_description *description;
    struct cot_segment_tree *tree;
    int64_t *revenue_minor; /* [matrix.n] */
    uint32_t *customers;    /* [learned->n] */
    int32_t *ids;           /* [k] */
    const char **colors;    /* [k] */
    int64_t run_id, created_at_ms;
    char model_name[COT_MODEL_NAME_SIZE];
};

static void job_release(struct job *job)
{
    cot_segment_tree_free(job->tree);
    cot_description_free(job->description);
    cot_learned_free(job->learned);
    cot_segment_members_release(&job->members_before);
    cot_segment_runs_release(&job->runs);
    cot_feature_matrix_free(&job->matrix);
    cot_shop_free(job->shop);
    cot_store_close(job->store);
    free(job->revenue_minor);
    free(job->customers);
    free(job->ids);
    free(job->colors);
}

/* The extremes' id in the run before, from that run's document. */
static cot_code find_extreme_before(struct job *job, struct cot_err *err)
{
    char *json = NULL;
    cot_code rc = cot_segment_run_detail(job->store, job->before->run_id, &json, err);
    if (rc != COT_OK)
        return rc;
    yyjson_doc *doc = NULL;
    rc = cot_json_read(json, strlen(json), 0, &doc, err);
    yyjson_val *segments = yyjson_obj_get(yyjson_doc_get_root(doc), "segments");
    yyjson_val *segment;
    size_t i, n;
    yyjson_arr_foreach(cot_json_some(segments), i, n, segment)
    {
        const char *kind = yyjson_get_str(yyjson_obj_get(segment, "kind"));
        if (kind != NULL && strcmp(kind, "extreme") == 0)
            job->extreme_id_before = (int32_t)yyjson_get_int(yyjson_obj_get(segment, "id"));
    }
    yyjson_doc_free(doc);
    free(json);
    return rc == COT_NOMEM ? rc : COT_OK;
}

static cot_code load(struct job *job, struct cot_err *err)
{
    struct cot_features_options features = {.as_of = job->options->as_of,
                                            .without_timeless = job->options->without_timeless};
    cot_code rc = cot_context_open_store(job->context, COT_STORE_EXISTING, &job->store, err);
    if (rc == COT_OK)
        rc = cot_features_compute(job->context, job->store, &features, &job->shop, &job->matrix, err);
    if (rc == COT_OK)
        rc = cot_segment_money_load(job->store, &job->money, err);
    if (rc == COT_OK)
        rc = cot_segment_runs_load(job->store, &job->runs, err);
    if (rc != COT_OK || job->runs.n == 0)
        return rc;
    job->before = &job->runs.runs[job->runs.n - 1];
    rc = cot_segment_members_load(job->store, job->before->run_id, &job->members_before, err);
    return rc == COT_OK ? find_extreme_before(job, err) : rc;
}

/* Revenue of each customer: their order lines and refunds up to as-of, in minor units, exact. */
static cot_code sum_revenue(struct job *job, struct cot_err *err)
{
    const struct cot_history *history = &job->shop->history;
    job->revenue_minor = calloc(job->matrix.n + 1, sizeof *job->revenue_minor);
    if (job->revenue_minor == NULL)
        return cot_fail(err, COT_NOMEM, "revenue of %zu customers", job->matrix.n);
    for (size_t i = 0; i < job->matrix.n; i++) {
        uint32_t customer = cot_shop_customer_of(job->shop, job->matrix.customers[i]);
        for (uint32_t at = history->people.starts[customer]; at < history->people.starts[customer + 1]; at++) {
            struct cot_run run = cot_timelines_run(&history->timelines, history->people.nodes[at]);
            size_t n = cot_run_until(&run, history->as_of_ms);
            for (size_t e = 0; e < n; e++)
                if (cot_entry_is_commerce(&run.entries[e]))
                    job->revenue_minor[i] += history->timelines.lines.lines[run.entries[e].detail].amount_minor;
        }
    }
    return COT_OK;
}

/* How many segments the run before learned, so that a rerun does not flicker between two almost equal choices. */
static size_t k_before(const struct job *job)
{
    return job->before == NULL ? 0 : job->before->n_segments - (job->extreme_id_before != 0);
}

static cot_code learn(struct job *job, struct cot_err *err)
{
    struct cot_learn_options options = {.k = job->options->k,
                                        .preferred_k = k_before(job),
                                        .space = {.features = job->options->features,
                                                  .n_features = job->options->n_features,
                                                  .exclude = job->options->exclude,
                                                  .n_exclude = job->options->n_exclude,
                                                  .with_predictions = job->options->with_predictions,
                                                  .n_threads = job->context->n_threads},
                                        .seed = job->context->seed,
                                        .n_threads = job->context->n_threads,
                                        .progress = &job->context->progress};
    return cot_segments_learn(&job->matrix, &options, &job->learned, err);
}

static int32_t next_id(const struct job *job)
{
    int32_t next = 1;
    for (size_t i = 0; i < job->runs.n; i++)
        for (size_t j = 0; j < job->runs.runs[i].n_segments; j++)
            next = job->runs.runs[i].segments[j].id >= next ? job->runs.runs[i].segments[j].id + 1 : next;
    return next;
}

/* Ids that last, and customers that stay where they were unless they have clearly moved. */
static cot_code identify(struct job *job, struct cot_err *err)
{
    struct cot_learned *learned = job->learned;
    size_t q = learned->discriminant->q;
    struct cot_segment_before before = {
        .members = &job->members_before, .run = job->before, .extreme_id = job->extreme_id_before};
    job->customers = malloc((learned->n + 1) * sizeof *job->customers);
    job->ids = calloc(learned->k + 1, sizeof *job->ids);
    job->colors = calloc(learned->k + 1, sizeof *job->colors);
    if (job->customers == NULL || job->ids == NULL || job->colors == NULL)
        return cot_fail(err, COT_NOMEM, "ids of %zu segments", learned->k);
    for (size_t i = 0; i < learned->n; i++)
        job->customers[i] = job->matrix.customers[learned->rows[i]];
    struct cot_segment_now now = {.n = learned->n,
                                  .customers = job->customers,
                                  .labels = learned->labels,
                                  .k = learned->k,
                                  .extreme = learned->extreme};
    cot_code rc = cot_segment_match_ids(&now, &before, next_id(job), job->ids, err);
    if (rc != COT_OK)
        return rc;
    cot_segment_colors(job->ids, learned->k, job->before, job->colors);
    struct cot_matrix y = {.data = learned->y, .n = learned->n, .d = q, .stride = q};
    if (cot_segment_hold(&before, job->ids, learned->k, learned->extreme, job->customers, &y, learned->centroids,
                         learned->labels) > 0)
        cot_learned_centre(learned);
    return COT_OK;
}

/* Names of the operating segments; the biggest earner chooses first. */
static cot_code name_segments(struct job *job, struct cot_err *err)
{
    struct cot_description *d = job->description;
    struct cot_name_request *requests = calloc(d->k + 1, sizeof *requests);
    struct cot_name_contrast *contrasts = calloc(d->k * d->d + 1, sizeof *contrasts);
    double *differences = calloc(d->d + 1, sizeof *differences);
    char(*names)[COT_SEGMENT_NAME_SIZE] = calloc(d->k + 1, sizeof *names);
    cot_code rc = COT_OK;
    if (requests == NULL || contrasts == NULL || differences == NULL || names == NULL) {
        rc = cot_fail(err, COT_NOMEM, "names of %zu segments", d->k);
        goto out;
    }
    for (size_t a = 0; a < d->k; a++) {
        const struct cot_segment_row *row =
            job->before != NULL ? cot_segment_run_segment(job->before, job->ids[a]) : NULL;
        for (size_t o = 0; o < d->d; o++) {
            const struct cot_contrast *contrast = &d->contrasts[a * d->d + o];
            differences[o] = contrast->q <= COT_CONTRAST_MAX_Q ? contrast->difference : 0;
        }
        requests[a] = (struct cot_name_request){
            .contrasts = contrasts + a * d->d,
            .n_contrasts =
                cot_describe_differences(&job->matrix, job->learned->space, differences, contrasts + a * d->d, NULL),
            .extreme = a == job->learned->extreme,
            .buyer_share = d->segments[a].strategy_input.buyer_share,
            .one_time_share = d->segments[a].strategy_input.one_time_share,
            .previous = row != NULL ? row->name : NULL,
            .strength = (double)d->segments[a].revenue_minor,
        };
    }
    rc = cot_segment_names(requests, d->k, names, err);
    for (size_t a = 0; rc == COT_OK && a < d->k; a++)
        memcpy(d->segments[a].name, names[a], sizeof names[a]);
out:
    free(requests);
    free(contrasts);
    free(differences);
    free(names);
    return rc;
}

static cot_code explain(struct job *job, struct cot_err *err)
{
    unsigned n_threads = job->context->n_threads;
    cot_progress_report(&job->context->progress, "explaining segments", 0, 0);
    cot_code rc = cot_describe(&job->matrix, job->learned, job->revenue_minor, n_threads, &job->description, err);
    if (rc == COT_OK)
        rc = name_segments(job, err);
    if (rc == COT_OK)
        rc = cot_segment_tree_make(&job->matrix, job->learned, job->description, job->revenue_minor, job->options->zoom,
                                   n_threads, job->context->seed, &job->tree, err);
    return rc;
}

/* What a model file says of itself. */
static char *model_metadata(const struct job *job)
{
    yyjson_mut_doc *doc = yyjson_mut_doc_new(NULL);
    yyjson_mut_val *root = yyjson_mut_obj(doc);
    bool purposes[COT_N_PURPOSES] = {[COT_PURPOSE_ANALYTICS] = true};
    int64_t from_ms = INT64_MAX;
    yyjson_mut_doc_set_root(doc, root);
    yyjson_mut_obj_add_str(doc, root, "kind", "segments");
    yyjson_mut_obj_add_int(doc, root, "run", job->run_id);
    yyjson_mut_obj_add_uint(doc, root, "seed", job->context->seed);
    for (size_t kind = 0; kind < 128; kind++)
        from_ms = job->shop->history.kind_since_ms[kind] < from_ms ? job->shop->history.kind_since_ms[kind] : from_ms;
    if (from_ms != INT64_MAX) {
        cot_json_add_time(doc, root, "data_from", from_ms);
    }
    cot_shop_add_as_of(doc, root, job->shop, job->matrix.as_of_ms);
    yyjson_mut_obj_add_uint(doc, root, "customers", job->learned->n);
    for (size_t j = 0; j < job->learned->space->n_columns; j++)
        purposes[job->matrix.columns[job->learned->space->columns[j].i_matrix].purpose] = true;
    yyjson_mut_val *array = yyjson_mut_obj_add_arr(doc, root, "purposes");
    for (int purpose = 0; purpose < COT_N_PURPOSES; purpose++)
        if (purposes[purpose])
            yyjson_mut_arr_add_str(doc, array, cot_purpose_name((enum cot_purpose)purpose));
    char *json = yyjson_mut_write(doc, 0, NULL);
    yyjson_mut_doc_free(doc);
    return json;
}

static cot_code write_model(struct job *job, struct cot_err *err)
{
    const struct cot_learned *learned = job->learned;
    struct cot_segment_model model = {
        .metadata = model_metadata(job),
        .space = learned->space,
        .limits = learned->limits,
        .d = learned->discriminant->d,
        .q = learned->discriminant->q,
        .k = learned->k,
        .mean = learned->discriminant->mean,
        .axes = learned->discriminant->axes,
        .centroids = learned->centroids,
        .ids = job->ids,
        .extreme_id = learned->extreme != SIZE_MAX ? job->ids[learned->extreme] : 0,
    };
    cot_code rc = model.metadata == NULL
                      ? cot_fail(err, COT_NOMEM, "model of segments")
                      : cot_segment_model_write(job->context->data_dir, job->run_id, &model, job->model_name, err);
    free(model.metadata);
    return rc;
}

/* The rows of table segment and the members, as they will stand in the store. */
struct record {
    struct cot_segment_run_row run;
    struct cot_segment_members members;
};

static void record_release(struct record *record)
{
    for (size_t a = 0; a < record->run.n_segments && record->run.segments != NULL; a++) {
        free(record->run.segments[a].name);
        free(record->run.segments[a].color);
        free(record->run.segments[a].strategy);
        free(record->run.segments[a].detail);
    }
    free(record->run.segments);
    free(record->run.detail);
    free(record->members.segments);
}

static int row_compare(const void *a, const void *b)
{
    const struct cot_segment_row *x = a;
    const struct cot_segment_row *y = b;
    return (x->id > y->id) - (x->id < y->id);
}

static cot_code record_init(struct job *job, yyjson_mut_val *const *entries, struct record *record, struct cot_err *err)
{
    const struct cot_learned *learned = job->learned;
    record->run = (struct cot_segment_run_row){.run_id = job->run_id,
                                               .created_at_ms = job->created_at_ms,
                                               .as_of_ms = job->matrix.as_of_ms,
                                               .as_of_day = cot_shop_day(job->shop, job->matrix.as_of_ms),
                                               .seed = job->context->seed,
                                               .n_customers = (int64_t)job->matrix.n,
                                               .n_segments = learned->k};
    record->run.segments = calloc(learned->k + 1, sizeof *record->run.segments);
    record->members.n = learned->n;
    record->members.customers = job->customers;
    record->members.segments = malloc((learned->n + 1) * sizeof *record->members.segments);
    if (record->run.segments == NULL || record->members.segments == NULL)
        return cot_fail(err, COT_NOMEM, "record of the run");
    for (size_t i = 0; i < learned->n; i++)
        record->members.segments[i] = job->ids[learned->labels[i]];
    for (size_t a = 0; a < learned->k; a++) {
        const struct cot_segment_numbers *numbers = &job->description->segments[a];
        struct cot_segment_row *row = &record->run.segments[a];
        *row = (struct cot_segment_row){.id = job->ids[a],
                                        .name = strdup(numbers->name),
                                        .color = strdup(job->colors[a]),
                                        .size = (int64_t)numbers->size,
                                        .revenue_minor = numbers->revenue_minor,
                                        .strategy = strdup(cot_strategy_name(numbers->advice.strategy)),
                                        .detail = yyjson_mut_val_write(entries[a], 0, NULL)};
        if (row->name == NULL || row->color == NULL || row->strategy == NULL || row->detail == NULL)
            return cot_fail(err, COT_NOMEM, "record of segment '%s'", numbers->name);
    }
    qsort(record->run.segments, learned->k, sizeof *record->run.segments, row_compare);
    return COT_OK;
}

static cot_code add_changes(const struct job *job, const struct record *record, yyjson_mut_doc *doc,
                            yyjson_mut_val *root, struct cot_err *err)
{
    yyjson_mut_val *changes = NULL;
    struct cot_segment_side from = {job->before, &job->members_before};
    struct cot_segment_side to = {&record->run, &record->members};
    if (job->before == NULL) {
        yyjson_mut_obj_add_null(doc, root, "changes");
        return COT_OK;
    }
    cot_code rc = cot_segment_diff_build(&from, &to, job->money.minor_per_major, doc, &changes, err);
    if (rc == COT_OK)
        yyjson_mut_obj_add_val(doc, root, "changes", changes);
    return rc;
}

/* One transaction: the run, its segments and members, the table of features and the view of customers. The model's
 * file is on disk before; the pointer moves after. */
static cot_code persist(struct job *job, const struct record *record, struct cot_err *err)
{
    cot_code rc = cot_store_begin(job->store, err);
    if (rc != COT_OK)
        return rc;
    rc = cot_segment_run_write(job->store, &record->run, &record->members, err);
    if (rc == COT_OK)
        rc = cot_features_store(job->store, job->shop, &job->matrix, &job->context->progress, err);
    if (rc == COT_OK)
        rc = cot_store_commit(job->store, err);
    if (rc != COT_OK) {
        cot_store_rollback(job->store);
        return rc;
    }
    return cot_segment_model_publish(job->context->data_dir, job->model_name, err);
}

static cot_code write_down(struct job *job, yyjson_mut_doc *doc, struct cot_err *err)
{
    struct record record = {0};
    struct cot_segment_parts parts = {.context = job->context,
                                      .options = job->options,
                                      .shop = job->shop,
                                      .matrix = &job->matrix,
                                      .learned = job->learned,
                                      .description = job->description,
                                      .tree = job->tree,
                                      .ids = job->ids,
                                      .colors = job->colors,
                                      .before = job->before,
                                      .money = &job->money,
                                      .run_id = job->run_id,
                                      .created_at_ms = job->created_at_ms};
    yyjson_mut_val *root = yyjson_mut_obj(doc);
    yyjson_mut_val **entries = calloc(job->learned->k + 1, sizeof *entries);
    cot_code rc = entries == NULL ? cot_fail(err, COT_NOMEM, "document of the run") : COT_OK;
    if (rc != COT_OK)
        goto out;
    yyjson_mut_doc_set_root(doc, root);
    rc = cot_segment_document(&parts, doc, root, entries, err);
    if (rc == COT_OK)
        rc = record_init(job, entries, &record, err);
    if (rc == COT_OK)
        rc = add_changes(job, &record, doc, root, err);
    if (rc == COT_OK)
        rc = write_model(job, err);
    if (rc != COT_OK)
        goto out;
    yyjson_mut_obj_add_strcpy(doc, root, "model", job->model_name);
    record.run.detail = yyjson_mut_write(doc, 0, NULL);
    rc = record.run.detail == NULL ? cot_fail(err, COT_NOMEM, "document of the run") : persist(job, &record, err);
out:
    record_release(&record);
    free(entries);
    return rc;
}

cot_code cot_segment_run(const struct cot_context *context, const struct cot_segment_options *options,
                         yyjson_mut_doc **ret_doc, struct cot_err *err)
{
    struct job job = {.context = context, .options = options, .created_at_ms = cot_wall_ms()};
    yyjson_mut_doc *doc = yyjson_mut_doc_new(NULL);
    cot_code rc = doc == NULL ? cot_fail(err, COT_NOMEM, "document of the run") : load(&job, err);
    if (rc == COT_OK)
        rc = sum_revenue(&job, err);
    if (rc == COT_OK)
        rc = learn(&job, err);
    if (rc != COT_OK)
        goto out;
    job.run_id = job.before != NULL ? job.before->run_id + 1 : 1;
    rc = identify(&job, err);
    if (rc == COT_OK)
        rc = explain(&job, err);
    if (rc == COT_OK)
        rc = write_down(&job, doc, err);
    if (rc != COT_OK)
        goto out;
    *ret_doc = doc;
    doc = NULL;
out:
    yyjson_mut_doc_free(doc);
    job_release(&job);
    return rc;
}
