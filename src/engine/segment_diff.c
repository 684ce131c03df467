#include "engine/segment_diff.h"

#include <stdbool.h>
#include <stdlib.h>

#include "base/json.h"
#include "coterie/migration.h"
#include "engine/context_store.h"
#include "engine/segment.h"
#include "engine/segment_json.h"
#include "store/store.h"

/* Customers by where they were and where they are; the last row and column: in no learned segment of that run. */
struct migration {
    const struct cot_segment_side *from, *to;
    struct cot_migration counted;
    int64_t n_common, n_joined, n_left, n_moved;
};

static int64_t cell(const struct migration *m, size_t i_from, size_t i_to)
{
    return (int64_t)cot_migration_cell(&m->counted, i_from, i_to);
}

/* COT_MIGRATION_ABSENT: in no learned segment. */
static uint32_t index_of(const struct cot_segment_run_row *run, int32_t id)
{
    for (size_t i = 0; i < run->n_segments; i++)
        if (run->segments[i].id == id)
            return (uint32_t)i;
    return COT_MIGRATION_ABSENT;
}

/* Goes through both lists of members at once; labels: room for each customer of either. Returns how many there are. */
static size_t label(struct migration *m, uint32_t *from, uint32_t *to)
{
    const struct cot_segment_members *a = m->from->members;
    const struct cot_segment_members *b = m->to->members;
    size_t i = 0, j = 0, n = 0;
    for (; i < a->n || j < b->n; n++) {
        bool left = j == b->n || (i < a->n && a->customers[i] < b->customers[j]);
        bool joined = !left && (i == a->n || b->customers[j] < a->customers[i]);
        from[n] = joined ? COT_MIGRATION_ABSENT : index_of(m->from->run, a->segments[i]);
        to[n] = left ? COT_MIGRATION_ABSENT : index_of(m->to->run, b->segments[j]);
        m->n_left += left;
        m->n_joined += joined;
        if (!left && !joined) {
            m->n_common++;
            m->n_moved += a->segments[i] != b->segments[j];
        }
        i += !joined;
        j += !left;
    }
    return n;
}

static cot_code count(struct migration *m, struct cot_err *err)
{
    size_t n_most = m->from->members->n + m->to->members->n;
    uint32_t *labels = calloc(2 * n_most + 1, sizeof *labels);
    if (labels == NULL)
        return cot_fail(err, COT_NOMEM, "migration of %zu customers", n_most);
    size_t n = label(m, labels, labels + n_most);
    cot_code rc = cot_migration_count(labels, m->from->run->n_segments, labels + n_most, m->to->run->n_segments, n,
                                      &m->counted, err);
    free(labels);
    return rc;
}

static yyjson_mut_val *side_of(const struct cot_segment_run_row *run, yyjson_mut_doc *doc)
{
    yyjson_mut_val *side = yyjson_mut_obj(doc);
    yyjson_mut_obj_add_int(doc, side, "run", run->run_id);
    cot_json_add_time(doc, side, "as_of", run->as_of_ms);
    cot_json_add_day(doc, side, "as_of_day", run->as_of_day);
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

/* Splits (side FROM: a segment of `from` whose customers went to several) or merges (the same with time reversed). */
static cot_code parts_of(const struct migration *m, enum cot_migration_side side, yyjson_mut_doc *doc,
                         yyjson_mut_val **ret_array, struct cot_err *err)
{
    bool is_split = side == COT_MIGRATION_FROM;
    const struct cot_segment_run_row *whole = is_split ? m->from->run : m->to->run;
    const struct cot_segment_run_row *part = is_split ? m->to->run : m->from->run;
    size_t *parts = calloc(part->n_segments + 1, sizeof *parts);
    if (parts == NULL)
        return cot_fail(err, COT_NOMEM, "parts of %zu segments", whole->n_segments);
    *ret_array = yyjson_mut_arr(doc);
    for (size_t i = 0; i < whole->n_segments; i++) {
        size_t n_parts = cot_migration_parts(&m->counted, side, i, COT_SEGMENT_PART_SHARE, parts);
        if (n_parts == 0)
            continue;
        yyjson_mut_val *list = yyjson_mut_arr(doc);
        for (size_t p = 0; p < n_parts; p++) {
            yyjson_mut_val *entry = head_of(&part->segments[parts[p]], doc);
            yyjson_mut_obj_add_int(doc, entry, "customers", is_split ? cell(m, i, parts[p]) : cell(m, parts[p], i));
            yyjson_mut_arr_append(list, entry);
        }
        yyjson_mut_val *entry = head_of(&whole->segments[i], doc);
        yyjson_mut_obj_add_val(doc, entry, is_split ? "into" : "from", list);
        yyjson_mut_arr_append(*ret_array, entry);
    }
    free(parts);
    return COT_OK;
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
    int64_t stayed = before != NULL && after != NULL
                         ? cell(m, index_of(m->from->run, before->id), index_of(m->to->run, after->id))
                         : 0;
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
    for (size_t i = 0; i < m->counted.n_from; i++) {
        yyjson_mut_val *row = yyjson_mut_arr(doc);
        for (size_t j = 0; j < m->counted.n_to; j++)
            yyjson_mut_arr_add_int(doc, row, cell(m, i, j));
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
    struct migration m = {.from = from, .to = to};
    yyjson_mut_val *splits = NULL;
    yyjson_mut_val *merges = NULL;
    cot_code rc = count(&m, err);
    if (rc == COT_OK)
        rc = parts_of(&m, COT_MIGRATION_FROM, doc, &splits, err);
    if (rc == COT_OK)
        rc = parts_of(&m, COT_MIGRATION_TO, doc, &merges, err);
    if (rc != COT_OK)
        goto out;
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
    yyjson_mut_obj_add_val(doc, value, "splits", splits);
    yyjson_mut_obj_add_val(doc, value, "merges", merges);
    yyjson_mut_obj_add_val(doc, value, "segments", flows(&m, minor_per_major, doc));
    yyjson_mut_obj_add_val(doc, value, "migration", matrix_of(&m, doc));
    *ret_value = value;
out:
    cot_migration_release(&m.counted);
    return rc;
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
    struct cot_segment_runs runs = {0};
    struct cot_segment_members members_a = {0}, members_b = {0};
    struct cot_segment_money money;
    yyjson_mut_doc *doc = NULL;
    yyjson_mut_val *value = NULL;
    size_t a = 0, b = 0;
    cot_code rc = cot_context_open_store(context, COT_STORE_READ_ONLY, &store, err);
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
