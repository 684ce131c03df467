#include "ml/contingency.h"

#include <stdlib.h>
#include <string.h>

#include "num/check.h"

static int compare_labels(const void *a, const void *b)
{
    uint32_t x = *(const uint32_t *)a;
    uint32_t y = *(const uint32_t *)b;
    return (x > y) - (x < y);
}

/* Codes 0..k-1 by ascending label, through a table of all labels up to the largest. */
static int code_by_table(const uint32_t *labels, size_t n, uint32_t largest, uint32_t *ret_codes, size_t *ret_k)
{
    uint32_t *code = cot_alloc_array((size_t)largest + 1, 1, sizeof *code);
    uint32_t k = 0;
    if (code == NULL)
        return 0;
    for (size_t i = 0; i < n; i++)
        code[labels[i]] = 1;
    for (size_t l = 0; l <= largest; l++)
        if (code[l] != 0)
            code[l] = k++;
    for (size_t i = 0; i < n; i++)
        ret_codes[i] = code[labels[i]];
    *ret_k = k;
    free(code);
    return 1;
}

static int code_by_sorting(const uint32_t *labels, size_t n, uint32_t *ret_codes, size_t *ret_k)
{
    uint32_t *sorted = cot_alloc_array(n, 1, sizeof *sorted);
    size_t k = 0;
    if (sorted == NULL)
        return 0;
    memcpy(sorted, labels, n * sizeof *sorted);
    qsort(sorted, n, sizeof *sorted, compare_labels);
    for (size_t i = 0; i < n; i++)
        if (i == 0 || sorted[i] != sorted[i - 1])
            sorted[k++] = sorted[i];
    for (size_t i = 0; i < n; i++) {
        const uint32_t *at = bsearch(&labels[i], sorted, k, sizeof *sorted, compare_labels);
        ret_codes[i] = (uint32_t)(at - sorted);
    }
    *ret_k = k;
    free(sorted);
    return 1;
}

int cot_labels_encode(const uint32_t *labels, size_t n, uint32_t *ret_codes, size_t *ret_k)
{
    uint32_t largest = 0;
    for (size_t i = 0; i < n; i++)
        largest = labels[i] > largest ? labels[i] : largest;
    return largest < 4 * n + 1024 ? code_by_table(labels, n, largest, ret_codes, ret_k)
                                  : code_by_sorting(labels, n, ret_codes, ret_k);
}

/* Items in ascending order of their code, stable; sums: counts of the codes. */
static int order_by(const uint32_t *codes, size_t n, size_t k, const uint32_t *order, const size_t *sums,
                    uint32_t *ret_order)
{
    size_t *at = cot_alloc_array(k, 1, sizeof *at);
    if (at == NULL)
        return 0;
    for (size_t c = 1; c < k; c++)
        at[c] = at[c - 1] + sums[c - 1];
    for (size_t i = 0; i < n; i++) {
        uint32_t item = order != NULL ? order[i] : (uint32_t)i;
        ret_order[at[codes[item]]++] = item;
    }
    free(at);
    return 1;
}

static void count_cells(struct cot_contingency *table, const uint32_t *a, const uint32_t *b, const uint32_t *order)
{
    for (size_t i = 0; i < table->n; i++) {
        uint32_t item = order[i];
        struct cot_cell *last = table->n_cells > 0 ? &table->cells[table->n_cells - 1] : NULL;
        if (last != NULL && last->a == a[item] && last->b == b[item])
            last->count++;
        else
            table->cells[table->n_cells++] = (struct cot_cell){.a = a[item], .b = b[item], .count = 1};
    }
}

cot_code cot_contingency_init(struct cot_contingency *ret_table, const uint32_t *a, const uint32_t *b, size_t n,
                              struct cot_err *err)
{
    struct cot_contingency table = {.n = n};
    uint32_t *work = NULL;
    cot_code rc = COT_OK;
    if (n == 0 || n > UINT32_MAX)
        return cot_fail(err, COT_USAGE, "comparing %zu labels: give 1 to %u", n, UINT32_MAX);
    work = cot_alloc_array(n, 4, sizeof *work);
    uint32_t *codes_a = work;
    uint32_t *codes_b = work + n;
    int ok =
        work != NULL && cot_labels_encode(a, n, codes_a, &table.k_a) && cot_labels_encode(b, n, codes_b, &table.k_b);
    if (ok) {
        table.sums_a = cot_alloc_array(table.k_a, 1, sizeof *table.sums_a);
        table.sums_b = cot_alloc_array(table.k_b, 1, sizeof *table.sums_b);
        table.cells = cot_alloc_array(n, 1, sizeof *table.cells);
        ok = table.sums_a != NULL && table.sums_b != NULL && table.cells != NULL;
    }
    for (size_t i = 0; ok && i < n; i++) {
        table.sums_a[codes_a[i]]++;
        table.sums_b[codes_b[i]]++;
    }
    ok = ok && order_by(codes_b, n, table.k_b, NULL, table.sums_b, work + 2 * n) &&
         order_by(codes_a, n, table.k_a, work + 2 * n, table.sums_a, work + 3 * n);
    if (!ok) {
        rc = cot_fail(err, COT_NOMEM, "comparing %zu labels", n);
        goto out;
    }
    count_cells(&table, codes_a, codes_b, work + 3 * n);
    *ret_table = table;
    table = (struct cot_contingency){0};
out:
    cot_contingency_release(&table);
    free(work);
    return rc;
}

void cot_contingency_release(struct cot_contingency *table)
{
    free(table->sums_a);
    free(table->sums_b);
    free(table->cells);
    *table = (struct cot_contingency){0};
}
