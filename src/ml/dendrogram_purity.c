/*
 * Dendrogram purity: see coterie/metrics.h.
 *
 * In leaf order every node is an interval, and two leaves join at the last row of the linkage among the gaps between
 * them. So the joins within one class follow from the gaps between its neighbouring members: each is the root of some
 * stretch of members, a of them left of the gap and b right of it, and stands for a * b pairs of which the join's
 * subtree has a + b members of the class.
 */
#include <math.h>
#include <stdlib.h>

#include "coterie/metrics.h"
#include "ml/contingency.h"
#include "num/check.h"

struct purity {
    size_t n, n_classes;
    uint32_t *order;     /* n leaves from left to right */
    size_t *start;       /* 2 n - 1 nodes: first place in leaf order */
    size_t *gaps;        /* n - 1: the row of the linkage that joins place p with p + 1 */
    size_t *stack;       /* n: places of gaps with descending rows, for the largest of those up to here */
    uint32_t *classes;   /* n leaves: 0..n_classes-1 */
    size_t *first, *end; /* n_classes: where in joins those of a class are */
    size_t *last;        /* n_classes: place of the last member so far; SIZE_MAX: none */
    size_t *joins;       /* n: rows at which neighbouring members of a class join, class by class */
    size_t *lefts;       /* n: members left of each gap on the stack */
};

static size_t node_size(const struct cot_linkage *linkage, size_t node)
{
    return node < linkage->n ? 1 : (size_t)linkage->z[4 * (node - linkage->n) + 3];
}

/* Every node but the last joined once, after it was made, into one of the size of both. */
static cot_code check_tree(const struct cot_linkage *linkage, unsigned char *joined, struct cot_err *err)
{
    size_t n = linkage->n;
    for (size_t m = 0; m + 1 < n; m++) {
        const double *row = linkage->z + 4 * m;
        for (int side = 0; side < 2; side++)
            if (!(row[side] >= 0 && row[side] < (double)(n + m)) || row[side] != floor(row[side]) ||
                joined[(size_t)row[side]]++ != 0)
                return cot_fail(err, COT_BAD_DATA, "row %zu of the linkage joins %g, which is no cluster there", m,
                                row[side]);
        if (row[3] != (double)(node_size(linkage, (size_t)row[0]) + node_size(linkage, (size_t)row[1])))
            return cot_fail(err, COT_BAD_DATA, "row %zu of the linkage has %g leaves, but its clusters have %zu", m,
                            row[3], node_size(linkage, (size_t)row[0]) + node_size(linkage, (size_t)row[1]));
    }
    return COT_OK;
}

static void lay_out(struct purity *p, const struct cot_linkage *linkage)
{
    for (size_t m = p->n - 1; m-- > 0;) {
        size_t left = (size_t)linkage->z[4 * m];
        size_t right = (size_t)linkage->z[4 * m + 1];
        p->start[left] = p->start[p->n + m];
        p->start[right] = p->start[p->n + m] + node_size(linkage, left);
        p->gaps[p->start[right] - 1] = m;
    }
    for (uint32_t leaf = 0; leaf < p->n; leaf++)
        p->order[p->start[leaf]] = leaf;
}

/* The largest row among the gaps from place q on: stack[0..n_stack) are places, ascending, their rows descending. */
static size_t largest_from(const struct purity *p, size_t n_stack, size_t q)
{
    size_t low = 0;
    size_t high = n_stack - 1;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (p->stack[middle] < q)
            low = middle + 1;
        else
            high = middle;
    }
    return p->gaps[p->stack[low]];
}

static void find_joins(struct purity *p)
{
    size_t n_stack = 0;
    for (size_t i = 0; i < p->n; i++)
        p->end[p->classes[i]]++;
    for (size_t c = 0, at = 0; c < p->n_classes; c++) {
        size_t count = p->end[c];
        p->first[c] = p->end[c] = at;
        p->last[c] = SIZE_MAX;
        at += count;
    }
    for (size_t place = 0; place < p->n; place++) {
        uint32_t class = p->classes[p->order[place]];
        if (place > 0) {
            while (n_stack > 0 && p->gaps[p->stack[n_stack - 1]] < p->gaps[place - 1])
                n_stack--;
            p->stack[n_stack++] = place - 1;
        }
        if (p->last[class] != SIZE_MAX)
            p->joins[p->end[class]++] = largest_from(p, n_stack, p->last[class]);
        p->last[class] = place;
    }
}

/*
 * Sum over a class's pairs of the purity of their join: a Cartesian tree of its n joins, by a stack of those whose
 * right side is still open. lefts: members in the stretch left of each.
 */
static double sum_of_class(const struct purity *p, const struct cot_linkage *linkage, const size_t *joins, size_t n)
{
    double sum = 0;
    size_t n_stack = 0;
    for (size_t i = 0; i <= n; i++) {
        size_t members = 1; /* between the open gap and gap i */
        while (n_stack > 0 && (i == n || joins[p->stack[n_stack - 1]] < joins[i])) {
            size_t row = joins[p->stack[--n_stack]];
            double left = (double)p->lefts[n_stack];
            double right = (double)members;
            sum += left * right * (left + right) / (double)node_size(linkage, linkage->n + row);
            members += p->lefts[n_stack];
        }
        p->stack[n_stack] = i;
        p->lefts[n_stack++] = members;
    }
    return sum;
}

static cot_code prepare(struct purity *p, struct cot_err *err)
{
    p->order = cot_alloc_array(p->n, 1, sizeof *p->order);
    p->start = cot_alloc_array(p->n, 2, sizeof *p->start);
    p->gaps = cot_alloc_array(p->n, 1, sizeof *p->gaps);
    p->stack = cot_alloc_array(p->n + 1, 1, sizeof *p->stack);
    p->classes = cot_alloc_array(p->n, 1, sizeof *p->classes);
    p->first = cot_alloc_array(p->n, 3, sizeof *p->first);
    p->joins = cot_alloc_array(p->n, 1, sizeof *p->joins);
    p->lefts = cot_alloc_array(p->n + 1, 1, sizeof *p->lefts);
    if (p->order == NULL || p->start == NULL || p->gaps == NULL || p->stack == NULL || p->classes == NULL ||
        p->first == NULL || p->joins == NULL || p->lefts == NULL)
        return cot_fail(err, COT_NOMEM, "purity of a tree over %zu leaves", p->n);
    p->end = p->first + p->n;
    p->last = p->first + 2 * p->n;
    return COT_OK;
}

static void release(struct purity *p)
{
    free(p->order);
    free(p->start);
    free(p->gaps);
    free(p->stack);
    free(p->classes);
    free(p->first);
    free(p->joins);
    free(p->lefts);
}

cot_code cot_metric_dendrogram_purity(const struct cot_linkage *linkage, const uint32_t *labels, double *ret_purity,
                                      struct cot_err *err)
{
    struct purity p = {.n = linkage->n};
    double sum = 0;
    double n_pairs = 0;
    if (p.n == 0 || p.n >= UINT32_MAX)
        return cot_fail(err, COT_USAGE, "purity of a tree over %zu leaves: 1 to %u", p.n, UINT32_MAX - 1);
    unsigned char *joined = cot_alloc_array(p.n, 2, 1);
    cot_code rc = joined == NULL ? cot_fail(err, COT_NOMEM, "purity of a tree over %zu leaves", p.n)
                                 : check_tree(linkage, joined, err);
    free(joined);
    if (rc == COT_OK)
        rc = prepare(&p, err);
    if (rc == COT_OK && !cot_labels_encode(labels, p.n, p.classes, &p.n_classes))
        rc = cot_fail(err, COT_NOMEM, "purity of a tree over %zu leaves", p.n);
    if (rc != COT_OK)
        goto out;
    lay_out(&p, linkage);
    find_joins(&p);
    for (size_t c = 0; c < p.n_classes; c++) {
        size_t n_joins = p.end[c] - p.first[c];
        sum += sum_of_class(&p, linkage, p.joins + p.first[c], n_joins);
        n_pairs += (double)n_joins * ((double)n_joins + 1) / 2;
    }
    *ret_purity = n_pairs > 0 ? sum / n_pairs : 1;
out:
    release(&p);
    return rc;
}
