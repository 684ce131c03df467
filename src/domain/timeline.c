#include "domain/timeline.h"

#include <stdlib.h>
#include <string.h>
#include <xxhash.h>

#include "base/array.h"

static cot_code add_extra(struct cot_lines *lines, const struct cot_line_extra *extra, uint32_t *ret_index,
                          struct cot_err *err)
{
    *ret_index = COT_NO_EXTRA;
    if (extra->discount_minor == COT_UNKNOWN_MINOR && extra->cost_minor == COT_UNKNOWN_MINOR &&
        extra->note == COT_NO_NOTE)
        return COT_OK;
    void *grown = cot_array_reserve(lines->extras, &lines->extras_capacity, lines->n_extras + 1, sizeof *lines->extras);
    if (grown == NULL)
        return cot_fail(err, COT_NOMEM, "discounts and costs of %zu order lines", lines->n_extras + 1);
    lines->extras = grown;
    *ret_index = (uint32_t)lines->n_extras;
    lines->extras[lines->n_extras++] = *extra;
    return COT_OK;
}

cot_code cot_lines_add(struct cot_lines *lines, const struct cot_line *line, const struct cot_line_extra *extra,
                       uint32_t *ret_index, struct cot_err *err)
{
    uint32_t i_extra = COT_NO_EXTRA;
    if (lines->n >= UINT32_MAX - 1)
        return cot_fail(err, COT_LIMIT, "more than %u order lines in one shop", UINT32_MAX - 1);
    void *grown = cot_array_reserve(lines->lines, &lines->capacity, lines->n + 1, sizeof *lines->lines);
    if (grown == NULL)
        return cot_fail(err, COT_NOMEM, "%zu order lines", lines->n + 1);
    lines->lines = grown;
    cot_code rc = add_extra(lines, extra, &i_extra, err);
    if (rc != COT_OK)
        return rc;
    lines->lines[lines->n] = *line;
    lines->lines[lines->n].extra = i_extra;
    *ret_index = (uint32_t)lines->n++;
    return COT_OK;
}

cot_code cot_lines_note(struct cot_lines *lines, uint32_t hash, uint32_t name, const struct cot_property *properties,
                        size_t n, uint32_t *ret_index, struct cot_err *err)
{
    if (lines->n_notes >= COT_NO_NOTE || lines->n_properties + n > UINT32_MAX)
        return cot_fail(err, COT_LIMIT, "more than %u names and properties of events", COT_NO_NOTE);
    void *notes = cot_array_reserve(lines->notes, &lines->notes_capacity, lines->n_notes + 1, sizeof *lines->notes);
    if (notes != NULL)
        lines->notes = notes;
    void *grown = cot_array_reserve(lines->properties, &lines->properties_capacity, lines->n_properties + n + 1,
                                    sizeof *lines->properties);
    if (grown != NULL)
        lines->properties = grown;
    if (notes == NULL || grown == NULL)
        return cot_fail(err, COT_NOMEM, "names and properties of %zu events", lines->n_notes + 1);
    *ret_index = (uint32_t)lines->n_notes;
    lines->notes[lines->n_notes++] = (struct cot_note){hash, name, (uint32_t)lines->n_properties, (uint32_t)n};
    if (n > 0)
        memcpy(lines->properties + lines->n_properties, properties, n * sizeof *properties);
    lines->n_properties += n;
    return COT_OK;
}

void cot_lines_release(struct cot_lines *lines)
{
    free(lines->lines);
    free(lines->extras);
    free(lines->notes);
    free(lines->properties);
    *lines = (struct cot_lines){0};
}

uint64_t cot_order_hash(const char *key, size_t size)
{
    if (key == NULL || size == 0)
        return 0;
    uint64_t hash = XXH3_64bits(key, size);
    return hash != 0 ? hash : 1;
}

uint32_t cot_detail_hash(const char *text, size_t size)
{
    uint64_t hash = cot_order_hash(text, size);
    if (hash == 0)
        return 0;
    uint32_t folded = (uint32_t)(hash ^ hash >> 32);
    return folded != 0 ? folded : 1;
}

size_t cot_run_until(const struct cot_run *run, int64_t as_of_ms)
{
    size_t low = 0;
    size_t high = run->n;
    if (high == 0 || cot_entry_ms(&run->entries[high - 1]) <= as_of_ms)
        return high;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (cot_entry_ms(&run->entries[middle]) <= as_of_ms)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static void merge_two(const struct cot_entry *a, size_t n_a, const struct cot_entry *b, size_t n_b,
                      struct cot_entry *ret_entries)
{
    size_t i = 0;
    size_t j = 0;
    while (i < n_a && j < n_b) {
        bool from_b = cot_entry_ms(&b[j]) < cot_entry_ms(&a[i]);
        *ret_entries++ = from_b ? b[j++] : a[i++];
    }
    if (i < n_a)
        memcpy(ret_entries, a + i, (n_a - i) * sizeof *a);
    else if (j < n_b)
        memcpy(ret_entries, b + j, (n_b - j) * sizeof *b);
}

void cot_runs_merge(const struct cot_run *runs, size_t n_runs, struct cot_entry *ret_entries)
{
    if (n_runs == 2) {
        merge_two(runs[0].entries, runs[0].n, runs[1].entries, runs[1].n, ret_entries);
        return;
    }
    /* Concatenated in node order, a stable sort by time is the merge. The scratch lies behind the entries. */
    size_t n = 0;
    for (size_t i = 0; i < n_runs; i++) {
        if (runs[i].n > 0)
            memcpy(ret_entries + n, runs[i].entries, runs[i].n * sizeof *ret_entries);
        n += runs[i].n;
    }
    cot_run_sort(ret_entries, n, ret_entries + n);
}

void cot_run_sort(struct cot_entry *entries, size_t n, struct cot_entry *scratch)
{
    size_t ordered = 1;
    while (ordered < n && cot_entry_ms(&entries[ordered - 1]) <= cot_entry_ms(&entries[ordered]))
        ordered++;
    if (ordered >= n)
        return;
    if (n <= 16) { /* insertion sort */
        for (size_t i = ordered; i < n; i++) {
            struct cot_entry entry = entries[i];
            size_t j = i;
            for (; j > 0 && cot_entry_ms(&entries[j - 1]) > cot_entry_ms(&entry); j--)
                entries[j] = entries[j - 1];
            entries[j] = entry;
        }
        return;
    }
    size_t half = n / 2;
    cot_run_sort(entries, half, scratch);
    cot_run_sort(entries + half, n - half, scratch);
    memcpy(scratch, entries, half * sizeof *entries);
    size_t i = 0;
    size_t j = half;
    for (size_t k = 0; i < half; k++) {
        bool from_right = j < n && cot_entry_ms(&entries[j]) < cot_entry_ms(&scratch[i]);
        entries[k] = from_right ? entries[j++] : scratch[i++];
    }
}

void cot_timelines_release(struct cot_timelines *timelines)
{
    free(timelines->starts);
    free(timelines->entries);
    cot_lines_release(&timelines->lines);
    *timelines = (struct cot_timelines){0};
}

cot_code cot_view_make(struct cot_view *view, const struct cot_timelines *timelines, const uint32_t *nodes,
                       size_t n_nodes, struct cot_run *ret_run, struct cot_err *err)
{
    size_t n = 0;
    size_t n_runs = 0;
    if (n_nodes == 1) {
        *ret_run = cot_timelines_run(timelines, nodes[0]);
        return COT_OK;
    }
    void *grown = cot_array_reserve(view->runs, &view->runs_capacity, n_nodes, sizeof *view->runs);
    if (grown == NULL)
        return cot_fail(err, COT_NOMEM, "view of %zu nodes", n_nodes);
    view->runs = grown;
    for (size_t i = 0; i < n_nodes; i++) {
        struct cot_run run = cot_timelines_run(timelines, nodes[i]);
        n += run.n;
        if (run.n > 0)
            view->runs[n_runs++] = run;
    }
    if (n_runs <= 1) {
        *ret_run = n_runs == 1 ? view->runs[0] : (struct cot_run){NULL, 0};
        return COT_OK;
    }
    grown = cot_array_reserve(view->entries, &view->capacity, 2 * n, sizeof *view->entries);
    if (grown == NULL)
        return cot_fail(err, COT_NOMEM, "view of %zu entries", n);
    view->entries = grown;
    cot_runs_merge(view->runs, n_runs, view->entries);
    *ret_run = (struct cot_run){view->entries, n};
    return COT_OK;
}

void cot_view_release(struct cot_view *view)
{
    free(view->entries);
    free(view->runs);
    *view = (struct cot_view){0};
}
