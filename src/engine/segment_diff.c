#include "engine/segment_diff.h"

#include <stdbool.h>
#include <stdlib.h>

#include "base/civil.h"
#include "engine/segment.h"
#include "engine/segment_json.h"
#include "store/store.h"

/* Customers by where they were and where they are; the last row and column: in no learned segment of that run. */
struct migration {
    const struct cot_segment_side *from, *to;
    size_t n_from, n_to;
    int64_t *counts; /* (n_from + 1) x (n_to + 1) */
    int64_t n_common, n_joined, n_left, n_moved;
};

static int64_t *cell(const struct migration *m, size_t i_from, size_t i_to)
{
    return &m->counts[i_from * (m->n_to + 1) + i_to];
}

static size_t index_of(const struct cot_segment_run_row *run, int32_t id)
{
    for (size_t i = 0; i < run->n_segments; i++)
        if (run->segments[i].id == id)
            return i;
    return run->n_segments;
}

static void count(struct migration *m)
{
    const struct cot_segment_members *a = m->from->members;
    const struct cot_segment_members *b = m->to->members;
    size_t i = 0, j = 0;
    while (i < a->n || j < b->n) {
        bool left = j == b->n || (i < a->n && a->customers[i] < b->customers[j]);
        bool joined = !left && (i == a->n || b->customers[j] < a->customers[i]);
        size_t i_from = joined ? m->n_from : index_of(m->from->run, a->segments[i]);
        size_t i_to = left ? m->n_to : index_of(m->to->run, b->segments[j]);
        (*cell(m, i_from, i_to))++;
        m->n_left += left;
        m->n_joined += joined;
        if (!left && !joined) {
            m->n_common++;
            m->n_moved += a->segments[i] != b->segments[j];
        }
        i += !joined;
        j += !left;
    }
}

static yyjson_mut_val *side_of(const struct cot_segment_run_row *run, yyjson_mut_doc *doc)
{
    char text[COT_TIME_TEXT_SIZE];
    yyjson_mut_val *side = yyjson_mut_obj(doc);
    yyjson_mut_obj_add_int(doc, side, "run", run->run_id);
    cot_format_time(run->as_of_ms, text, sizeof text);
    yyjson_mut_obj_add_strcpy(doc, side, "as_of", text);
    yyjson_mut_obj_add_int(doc, side, "customers", run->n_customers);
    return side;
}

static yyjson_mut_val *head_of(const struct cot_segment_row *row, yyjson_mut_doc *doc)
{
    yyjson_mut_val *head = yyjson_mut_obj(doc);
    yyjson_mut_obj_add_int(doc, head, "id", row->id);
    yyjson_mut_obj_add_strcpy(doc, head, "name", row->name);
    return head;
}

/* Segments of `of` that `other` does not have. */
static yyjson_mut_val *only_in(const struct cot_segment_run_row *of, const struct cot_segment_run_row *other,
                               yyjson_mut_doc *doc)
{
    yyjson_mut_val *array = yyjson_mut_arr(doc);
    for (size_t i = 0; i < of->n_segments; i++) {
        if (cot_segment_run_segment(other, of->segments[i].id) != NULL)
            continue;
        yyjson_mut_val *head = head_of(&of->segments[i], doc);
        yyjson_mut_obj_add_int(doc, head, "size", of->segments[i].size);
        yyjson_mut_arr_append(array, head);
    }
    return array;
}

/* Customers of row i (or column i) that are in both runs. */
static int64_t common_of(const struct migration *m, size_t i, bool by_row)
{
    int64_t total = 0;
    for (size_t j = 0; j < (by_row ? m->n_to : m->n_from); j++)
        total += by_row ? *cell(m, i, j) : *cell(m, j, i);
    return total;
}

/* Splits (by_row: a segment of `from` whose customers went to several) or merges (the same with time reversed). */
static yyjson_mut_val *parts_of(const struct migration *m, bool by_row, yyjson_mut_doc *doc)
{
    const struct cot_segment_run_row *whole = by_row ? m->from->run : m->to->run;
    const struct cot_segment_run_row *part = by_row ? m->to->run : m->from->run;
    yyjson_mut_val *array = yyjson_mut_arr(doc);
    for (size_t i = 0; i < whole->n_segments; i++) {
        int64_t total = common_of(m, i, by_row);
        yyjson_mut_val *parts = yyjson_mut_arr(doc);
        for (size_t j = 0; j < part->n_segments; j++) {
            int64_t n = by_row ? *cell(m, i, j) : *cell(m, j, i);
            /* a part is a fifth of the whole and, so that a trickle into a big neighbour is no split, most of itself */
            bool most_of_itself = 2 * n >= common_of(m, j, !by_row);
            if (n == 0 || (double)n < COT_SEGMENT_PART_SHARE * (double)total || !most_of_itself)
                continue;
            yyjson_mut_val *entry = head_of(&part->segments[j], doc);
            yyjson_mut_obj_add_int(doc, entry, "customers", n);
            yyjson_mut_arr_append(parts, entry);
        }
        if (yyjson_mut_arr_size(parts) < 2)
            continue;
        yyjson_mut_val *entry = head_of(&whole->segments[i], doc);
        yyjson_mut_obj_add_val(doc, entry, by_row ? "into" : "from", parts);
        yyjson_mut_arr_append(array, entry);
    }
    return array;
}

static void add_money(yyjson_mut_doc *doc, yyjson_mut_val *object, const char *key, const struct cot_segment_row *row,
                      double minor_per_major)
{
    if (row == NULL)
        yyjson_mut_obj_add_null(doc, object, key);
    else
        yyjson_mut_obj_add_real(doc, object, key, (double)row->revenue_minor / minor_per_major);
}

/* One line a segment of either run: before, after, who came and went. */
static yyjson_mut_val *flow_of(const struct migration *m, const struct cot_segment_row *before,
                               const struct cot_segment_row *after, double minor_per_major, yyjson_mut_doc *doc)
{
    size_t i = before != NULL ? index_of(m->from->run, before->id) : m->n_from;
    size_t j = after != NULL ? index_of(m->to->run, after->id) : m->n_to;
    int64_t stayed = before != NULL && after != NULL ? *cell(m, i, j) : 0;
    yyjson_mut_val *flow = head_of(after != NULL ? after : before, doc);
    yyjson_mut_obj_add_int(doc, flow, "size_before", before != NULL ? before->size : 0);
    yyjson_mut_obj_add_int(doc, flow, "size_after", after != NULL ? after->size : 0);
    yyjson_mut_obj_add_int(doc, flow, "stayed", stayed);
    yyjson_mut_obj_add_int(doc, flow, "came", after != NULL ? after->size - stayed : 0);
    yyjson_mut_obj_add_int(doc, flow, "went", before != NULL ? before->size - stayed : 0);
    add_money(doc, flow, "revenue_before", before, minor_per_major);
    add_money(doc, flow, "revenue_after", after, minor_per_major);
    return flow;
}

static yyjson_mut_val *flows(const struct migration *m, double minor_per_major, yyjson_mut_doc *doc)
{
    const struct cot_segment_run_row *from = m->from->run;
    const struct cot_segment_run_row *to = m->to->run;
    yyjson_mut_val *array = yyjson_mut_arr(doc);
    for (size_t j = 0; j < to->n_segments; j++) {
        const struct cot_segment_row *before = cot_segment_run_segment(from, to->segments[j].id);
        yyjson_mut_arr_append(array, flow_of(m, before, &to->segments[j], minor_per_major, doc));
    }
    for (size_t i = 0; i < from->n_segments; i++)
        if (cot_segment_run_segment(to, from->segments[i].id) == NULL)
            yyjson_mut_arr_append(array, flow_of(m, &from->segments[i], NULL, minor_per_major, doc));
    return array;
}

static yyjson_mut_val *ids_of(const struct cot_segment_run_row *run, yyjson_mut_doc *doc)
{
    yyjson_mut_val *ids = yyjson_mut_arr(doc);
    for (size_t i = 0; i < run->n_segments; i++)
        yyjson_mut_arr_add_int(doc, ids, run->segments[i].id);
    return ids;
}

static yyjson_mut_val *matrix_of(const struct migration *m, yyjson_mut_doc *doc)
{
    yyjson_mut_val *matrix = yyjson_mut_obj(doc);
    yyjson_mut_val *counts = yyjson_mut_arr(doc);
    for (size_t i = 0; i < m->n_from; i++) {
        yyjson_mut_val *row = yyjson_mut_arr(doc);
        for (size_t j = 0; j < m->n_to; j++)
            yyjson_mut_arr_add_int(doc, row, *cell(m, i, j));
        yyjson_mut_arr_append(counts, row);
    }
    yyjson_mut_obj_add_val(doc, matrix, "from", ids_of(m->from->run, doc));
    yyjson_mut_obj_add_val(doc, matrix, "to", ids_of(m->to->run, doc));
    yyjson_mut_obj_add_val(doc, matrix, "counts", counts);
    return matrix;
}

cot_code cot_segment_diff_build(const struct cot_segment_side *from, const struct cot_segment_side *to,
                                double minor_per_major, yyjson_mut_doc *doc, yyjson_mut_val **ret_value,
                                struct cot_err *err)
{
    struct migration m = {.from = from, .to = to, .n_from = from->run->n_segments, .n_to = to->run->n_segments};
    m.counts = calloc((m.n_from + 1) * (m.n_to + 1), sizeof *m.counts);
    if (m.counts == NULL)
        return cot_fail(err, COT_NOMEM, "migration between %zu and %zu segments", m.n_from, m.n_to);
    count(&m);
    yyjson_mut_val *value = yyjson_mut_obj(doc);
    yyjson_mut_obj_add_val(doc, value, "from", side_of(from->run, doc));
    yyjson_mut_obj_add_val(doc, value, "to", side_of(to->run, doc));
    yyjson_mut_obj_add_int(doc, value, "common", m.n_common);
    yyjson_mut_obj_add_int(doc, value, "moved", m.n_moved);
    yyjson_mut_obj_add_real(doc, value, "moved_share", m.n_common > 0 ? (double)m.n_moved / (double)m.n_common : 0.0);
    yyjson_mut_obj_add_int(doc, value, "joined", m.n_joined);
    yyjson_mut_obj_add_int(doc, value, "left", m.n_left);
    yyjson_mut_obj_add_val(doc, value, "births", only_in(to->run, from->run, doc));
    yyjson_mut_obj_add_val(doc, value, "deaths", only_in(from->run, to->run, doc));
    yyjson_mut_obj_add_val(doc, value, "splits", parts_of(&m, true, doc));
    yyjson_mut_obj_add_val(doc, value, "merges", parts_of(&m, false, doc));
    yyjson_mut_obj_add_val(doc, value, "segments", flows(&m, minor_per_major, doc));
    yyjson_mut_obj_add_val(doc, value, "migration", matrix_of(&m, doc));
    free(m.counts);
    *ret_value = value;
    return COT_OK;
}

/* Which runs are meant: 0 and 0 are the last two. */
static cot_code choose_runs(const struct cot_segment_runs *runs, int64_t run_a, int64_t run_b, size_t *ret_a,
                            size_t *ret_b, struct cot_err *err)
{
    if (run_a == 0 && run_b == 0) {
        if (runs->n < 2)
            return cot_fail(err, COT_NOT_FOUND,
                            "%zu segment runs: a difference needs two; run 'coterie segment' again on newer data",
                            runs->n);
        *ret_a = runs->n - 2;
        *ret_b = runs->n - 1;
        return COT_OK;
    }
    cot_code rc = cot_segment_runs_find(runs, run_a, ret_a, err);
    return rc == COT_OK ? cot_segment_runs_find(runs, run_b, ret_b, err) : rc;
}

cot_code cot_segment_diff_run(const struct cot_context *context, int64_t run_a, int64_t run_b, yyjson_mut_doc **ret_doc,
                              struct cot_err *err)
{
    struct cot_store *store = NULL;
    struct cot_store_options options = {.mode = COT_STORE_READ_ONLY, .n_threads = context->n_threads};
    struct cot_segment_runs runs = {0};
    struct cot_segment_members members_a = {0}, members_b = {0};
    struct cot_segment_money money;
    yyjson_mut_doc *doc = NULL;
    yyjson_mut_val *value = NULL;
    size_t a = 0, b = 0;
    cot_code rc = cot_store_open(context->data_dir, &options, &store, err);
    if (rc == COT_OK)
        rc = cot_segment_runs_load(store, &runs, err);
    if (rc == COT_OK)
        rc = choose_runs(&runs, run_a, run_b, &a, &b, err);
    if (rc == COT_OK)
        rc = cot_segment_members_load(store, runs.runs[a].run_id, &members_a, err);
    if (rc == COT_OK)
        rc = cot_segment_members_load(store, runs.runs[b].run_id, &members_b, err);
    if (rc == COT_OK)
        rc = cot_segment_money_load(store, &money, err);
    if (rc != COT_OK)
        goto out;
    doc = yyjson_mut_doc_new(NULL);
    if (doc == NULL) {
        rc = cot_fail(err, COT_NOMEM, "difference of runs");
        goto out;
    }
    struct cot_segment_side from = {&runs.runs[a], &members_a};
    struct cot_segment_side to = {&runs.runs[b], &members_b};
    rc = cot_segment_diff_build(&from, &to, money.minor_per_major, doc, &value, err);
    if (rc != COT_OK)
        goto out;
    yyjson_mut_obj_add_strcpy(doc, value, "currency", money.currency);
    yyjson_mut_doc_set_root(doc, value);
    *ret_doc = doc;
    doc = NULL;
out:
    yyjson_mut_doc_free(doc);
    cot_segment_members_release(&members_a);
    cot_segment_members_release(&members_b);
    cot_segment_runs_release(&runs);
    cot_store_close(store);
    return rc;
}
