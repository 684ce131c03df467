/* Looking back: the newest run, the list of its segments, and their history over all runs. */
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "engine/context_store.h"
#include "engine/segment.h"
#include "engine/segment_json.h"
#include "engine/segment_runs.h"
#include "store/store.h"

/* What every look back opens. */
struct past {
    struct cot_store *store;
    struct cot_segment_runs runs;
    struct cot_segment_money money;
};

static cot_code past_open(const struct cot_context *context, struct past *past, struct cot_err *err)
{
    cot_code rc = cot_context_open_store(context, COT_STORE_READ_ONLY, &past->store, err);
    if (rc == COT_OK)
        rc = cot_segment_runs_load(past->store, &past->runs, err);
    if (rc == COT_OK)
        rc = cot_segment_money_load(past->store, &past->money, err);
    return rc;
}

static void past_close(struct past *past)
{
    cot_segment_runs_release(&past->runs);
    cot_store_close(past->store);
}

cot_code cot_segment_show_run(const struct cot_context *context, int64_t run_id, yyjson_mut_doc **ret_doc,
                              struct cot_err *err)
{
    struct past past = {0};
    char *json = NULL;
    yyjson_doc *parsed = NULL;
    yyjson_mut_doc *doc = NULL;
    size_t i = 0;
    cot_code rc = past_open(context, &past, err);
    if (rc == COT_OK)
        rc = cot_segment_runs_find(&past.runs, run_id, &i, err);
    if (rc == COT_OK)
        rc = cot_segment_run_detail(past.store, past.runs.runs[i].run_id, &json, err);
    if (rc != COT_OK)
        goto out;
    rc = cot_json_read(json, strlen(json), 0, &parsed, err);
    if (rc == COT_NOMEM)
        goto out;
    doc = parsed != NULL ? yyjson_doc_mut_copy(parsed, NULL) : NULL;
    if (doc == NULL) {
        rc = cot_fail(err, COT_BAD_DATA, "the document of segment run %lld can't be read: run 'coterie segment' again",
                      (long long)past.runs.runs[i].run_id);
        goto out;
    }
    *ret_doc = doc;
out:
    yyjson_doc_free(parsed);
    free(json);
    past_close(&past);
    return rc;
}

static void add_head(yyjson_mut_doc *doc, yyjson_mut_val *object, const struct cot_segment_run_row *run)
{
    yyjson_mut_obj_add_int(doc, object, "run", run->run_id);
    cot_json_add_time(doc, object, "as_of", run->as_of_ms);
    cot_json_add_day(doc, object, "as_of_day", run->as_of_day);
    cot_json_add_time(doc, object, "created_at", run->created_at_ms);
    yyjson_mut_obj_add_int(doc, object, "customers", run->n_customers);
    yyjson_mut_obj_add_uint(doc, object, "k", run->n_segments);
}

static void add_totals(yyjson_mut_doc *doc, yyjson_mut_val *object, const struct cot_segment_run_row *run,
                       const struct cot_segment_row *row, double minor_per_major)
{
    int64_t revenue = 0, size = 0;
    for (size_t i = 0; i < run->n_segments; i++) {
        revenue += run->segments[i].revenue_minor;
        size += run->segments[i].size;
    }
    yyjson_mut_obj_add_int(doc, object, "size", row->size);
    yyjson_mut_obj_add_real(doc, object, "share", size > 0 ? (double)row->size / (double)size : 0);
    yyjson_mut_obj_add_real(doc, object, "revenue", (double)row->revenue_minor / minor_per_major);
    yyjson_mut_obj_add_real(doc, object, "revenue_share",
                            revenue > 0 ? (double)row->revenue_minor / (double)revenue : 0);
}

static int by_revenue(const void *a, const void *b)
{
    const struct cot_segment_row *x = *(const struct cot_segment_row *const *)a;
    const struct cot_segment_row *y = *(const struct cot_segment_row *const *)b;
    if (x->revenue_minor != y->revenue_minor)
        return x->revenue_minor < y->revenue_minor ? 1 : -1;
    return (x->id > y->id) - (x->id < y->id);
}

static const char *change_of(const struct cot_segment_runs *runs, const struct cot_segment_row *row)
{
    const struct cot_segment_row *before =
        runs->n > 1 ? cot_segment_run_segment(&runs->runs[runs->n - 2], row->id) : NULL;
    return runs->n < 2 ? NULL : cot_segment_change_name(before != NULL ? before->size : -1, row->size);
}

cot_code cot_segment_list_run(const struct cot_context *context, yyjson_mut_doc **ret_doc, struct cot_err *err)
{
    struct past past = {0};
    const struct cot_segment_row **order = NULL;
    size_t i_run = 0;
    cot_code rc = past_open(context, &past, err);
    if (rc == COT_OK)
        rc = cot_segment_runs_find(&past.runs, 0, &i_run, err);
    if (rc != COT_OK)
        goto out;
    const struct cot_segment_run_row *run = &past.runs.runs[i_run];
    yyjson_mut_doc *doc = yyjson_mut_doc_new(NULL);
    order = calloc(run->n_segments + 1, sizeof *order);
    if (doc == NULL || order == NULL) {
        yyjson_mut_doc_free(doc);
        rc = cot_fail(err, COT_NOMEM, "list of segments");
        goto out;
    }
    for (size_t i = 0; i < run->n_segments; i++)
        order[i] = &run->segments[i];
    qsort(order, run->n_segments, sizeof(const struct cot_segment_row *), by_revenue);
    yyjson_mut_val *root = yyjson_mut_obj(doc);
    yyjson_mut_val *array = yyjson_mut_arr(doc);
    yyjson_mut_doc_set_root(doc, root);
    add_head(doc, root, run);
    yyjson_mut_obj_add_strcpy(doc, root, "currency", past.money.currency);
    yyjson_mut_obj_add_val(doc, root, "segments", array);
    for (size_t i = 0; i < run->n_segments; i++) {
        yyjson_mut_val *entry = yyjson_mut_obj(doc);
        const char *change = change_of(&past.runs, order[i]);
        yyjson_mut_obj_add_int(doc, entry, "id", order[i]->id);
        yyjson_mut_obj_add_strcpy(doc, entry, "name", order[i]->name);
        yyjson_mut_obj_add_strcpy(doc, entry, "color", order[i]->color);
        add_totals(doc, entry, run, order[i], past.money.minor_per_major);
        yyjson_mut_obj_add_strcpy(doc, entry, "strategy", order[i]->strategy);
        if (change != NULL)
            yyjson_mut_obj_add_str(doc, entry, "change", change);
        else
            yyjson_mut_obj_add_null(doc, entry, "change");
        yyjson_mut_arr_append(array, entry);
    }
    *ret_doc = doc;
out:
    free(order);
    past_close(&past);
    return rc;
}

/* Customers of segment `id` in `members` that aren't in it in `other` (people known to only one of both included). */
static int64_t only_here(const struct cot_segment_members *members, const struct cot_segment_members *other, int32_t id)
{
    int64_t n = 0;
    size_t j = 0;
    for (size_t i = 0; i < members->n; i++) {
        if (members->segments[i] != id)
            continue;
        while (j < other->n && other->customers[j] < members->customers[i])
            j++;
        n += j == other->n || other->customers[j] != members->customers[i] || other->segments[j] != id;
    }
    return n;
}

/* The newest row of a segment, for its name and colour; runs in which it is not count as none. */
static const struct cot_segment_row *newest_row(const struct cot_segment_runs *runs, int32_t id)
{
    const struct cot_segment_row *row = NULL;
    for (size_t i = runs->n; i-- > 0 && row == NULL;)
        row = cot_segment_run_segment(&runs->runs[i], id);
    return row;
}

static int32_t max_id(const struct cot_segment_runs *runs)
{
    int32_t max = 0;
    for (size_t i = 0; i < runs->n; i++)
        for (size_t j = 0; j < runs->runs[i].n_segments; j++)
            max = runs->runs[i].segments[j].id > max ? runs->runs[i].segments[j].id : max;
    return max;
}

/* Adds what segment ids were in run i, given its members and those of the run before (NULL for the first). */
static void add_run_entries(const struct past *past, size_t i, const struct cot_segment_members *members,
                            const struct cot_segment_members *before, yyjson_mut_doc *doc, yyjson_mut_val **arrays)
{
    static const struct cot_segment_members nobody = {0};
    const struct cot_segment_run_row *run = &past->runs.runs[i];
    for (int32_t id = 1; id <= max_id(&past->runs); id++) {
        const struct cot_segment_row *row = cot_segment_run_segment(run, id);
        if (arrays[id] == NULL)
            continue;
        if (row == NULL) {
            yyjson_mut_arr_add_null(doc, arrays[id]);
            continue;
        }
        yyjson_mut_val *entry = yyjson_mut_obj(doc);
        yyjson_mut_obj_add_int(doc, entry, "run", run->run_id);
        add_totals(doc, entry, run, row, past->money.minor_per_major);
        yyjson_mut_obj_add_int(doc, entry, "joined", only_here(members, before != NULL ? before : &nobody, id));
        yyjson_mut_obj_add_int(doc, entry, "left", before != NULL ? only_here(before, members, id) : 0);
        yyjson_mut_arr_append(arrays[id], entry);
    }
}

static cot_code add_history(const struct past *past, yyjson_mut_doc *doc, yyjson_mut_val **arrays, struct cot_err *err)
{
    struct cot_segment_members members[2] = {0};
    cot_code rc = COT_OK;
    for (size_t i = 0; rc == COT_OK && i < past->runs.n; i++) {
        struct cot_segment_members *now = &members[i % 2];
        cot_segment_members_release(now);
        rc = cot_segment_members_load(past->store, past->runs.runs[i].run_id, now, err);
        if (rc == COT_OK)
            add_run_entries(past, i, now, i > 0 ? &members[(i + 1) % 2] : NULL, doc, arrays);
    }
    cot_segment_members_release(&members[0]);
    cot_segment_members_release(&members[1]);
    return rc;
}

cot_code cot_segment_history_run(const struct cot_context *context, yyjson_mut_doc **ret_doc, struct cot_err *err)
{
    struct past past = {0};
    yyjson_mut_doc *doc = NULL;
    yyjson_mut_val **arrays = NULL;
    size_t i_run = 0;
    cot_code rc = past_open(context, &past, err);
    if (rc == COT_OK)
        rc = cot_segment_runs_find(&past.runs, 0, &i_run, err);
    if (rc != COT_OK)
        goto out;
    doc = yyjson_mut_doc_new(NULL);
    arrays = calloc((size_t)max_id(&past.runs) + 1, sizeof *arrays);
    if (doc == NULL || arrays == NULL) {
        rc = cot_fail(err, COT_NOMEM, "history of segments");
        goto out;
    }
    yyjson_mut_val *root = yyjson_mut_obj(doc);
    yyjson_mut_val *runs = yyjson_mut_arr(doc);
    yyjson_mut_val *segments = yyjson_mut_arr(doc);
    yyjson_mut_doc_set_root(doc, root);
    yyjson_mut_obj_add_strcpy(doc, root, "currency", past.money.currency);
    yyjson_mut_obj_add_val(doc, root, "runs", runs);
    yyjson_mut_obj_add_val(doc, root, "segments", segments);
    for (size_t i = 0; i < past.runs.n; i++)
        add_head(doc, yyjson_mut_arr_add_obj(doc, runs), &past.runs.runs[i]);
    for (int32_t id = 1; id <= max_id(&past.runs); id++) {
        const struct cot_segment_row *row = newest_row(&past.runs, id);
        if (row == NULL)
            continue;
        yyjson_mut_val *entry = yyjson_mut_arr_add_obj(doc, segments);
        yyjson_mut_obj_add_int(doc, entry, "id", id);
        yyjson_mut_obj_add_strcpy(doc, entry, "name", row->name);
        yyjson_mut_obj_add_strcpy(doc, entry, "color", row->color);
        arrays[id] = yyjson_mut_arr(doc);
        yyjson_mut_obj_add_val(doc, entry, "runs", arrays[id]);
    }
    rc = add_history(&past, doc, arrays, err);
    if (rc != COT_OK)
        goto out;
    *ret_doc = doc;
    doc = NULL;
out:
    yyjson_mut_doc_free(doc);
    free(arrays);
    past_close(&past);
    return rc;
}
