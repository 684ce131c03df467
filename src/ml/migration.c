#include "coterie/migration.h"

#include <math.h>
#include <stdbool.h>
#include <stdlib.h>

#include "coterie/matching.h"
#include "num/check.h"
#include "num/distance.h"

static cot_code check_label(uint32_t label, size_t k, const char *side, size_t i, struct cot_err *err)
{
    if (label == COT_MIGRATION_ABSENT || label < k)
        return COT_OK;
    return cot_fail(err, COT_USAGE, "%s label %zu (counted from 0) is %u; there are %zu segments", side, i,
                    (unsigned)label, k);
}

cot_code cot_migration_count(const uint32_t *from, size_t n_from, const uint32_t *to, size_t n_to, size_t n,
                             struct cot_migration *ret_migration, struct cot_err *err)
{
    struct cot_migration m = {.n_from = n_from, .n_to = n_to};
    cot_code rc = COT_OK;
    if (n_from >= UINT32_MAX || n_to >= UINT32_MAX)
        return cot_fail(err, COT_USAGE, "migration between %zu and %zu segments", n_from, n_to);
    m.counts = cot_alloc_array(n_from + 1, n_to + 1, sizeof *m.counts);
    if (m.counts == NULL)
        return cot_fail(err, COT_NOMEM, "migration between %zu and %zu segments", n_from, n_to);
    for (size_t i = 0; i < n && rc == COT_OK; i++) {
        bool was = from[i] != COT_MIGRATION_ABSENT;
        bool is = to[i] != COT_MIGRATION_ABSENT;
        rc = check_label(from[i], n_from, "earlier", i, err);
        if (rc == COT_OK)
            rc = check_label(to[i], n_to, "later", i, err);
        if (rc != COT_OK)
            break;
        m.counts[(was ? from[i] : n_from) * (n_to + 1) + (is ? to[i] : n_to)]++;
        m.n_common += was && is;
        m.n_joined += !was && is;
        m.n_left += was && !is;
    }
    if (rc != COT_OK) {
        cot_migration_release(&m);
        return rc;
    }
    *ret_migration = m;
    return COT_OK;
}

void cot_migration_release(struct cot_migration *migration)
{
    free(migration->counts);
    *migration = (struct cot_migration){0};
}

/* Count of a segment of one side and one of the other. */
static size_t shared(const struct cot_migration *m, enum cot_migration_side side, size_t segment, size_t other)
{
    return side == COT_MIGRATION_FROM ? cot_migration_cell(m, segment, other) : cot_migration_cell(m, other, segment);
}

static size_t n_others(const struct cot_migration *m, enum cot_migration_side side)
{
    return side == COT_MIGRATION_FROM ? m->n_to : m->n_from;
}

size_t cot_migration_common(const struct cot_migration *migration, enum cot_migration_side side, size_t segment)
{
    size_t total = 0;
    for (size_t other = 0; other < n_others(migration, side); other++)
        total += shared(migration, side, segment, other);
    return total;
}

static double jaccard_of(size_t both, size_t a, size_t b)
{
    return both > 0 ? (double)both / (double)(a + b - both) : 0;
}

double cot_migration_jaccard(const struct cot_migration *migration, size_t i, size_t j)
{
    return jaccard_of(cot_migration_cell(migration, i, j), cot_migration_common(migration, COT_MIGRATION_FROM, i),
                      cot_migration_common(migration, COT_MIGRATION_TO, j));
}

void cot_migration_options_init(struct cot_migration_options *ret_options)
{
    *ret_options = (struct cot_migration_options){.min_jaccard = 0.25, .min_overlap = 0.6};
}

cot_code cot_migration_match(const struct cot_migration *migration, const struct cot_migration_options *options,
                             size_t *ret_from, struct cot_err *err)
{
    const struct cot_migration *m = migration;
    double *cost = NULL;
    size_t *common = NULL;
    size_t *columns = NULL;
    cot_code rc = COT_OK;
    if (!(options->min_jaccard >= 0) || !(options->min_overlap >= 0))
        return cot_fail(err, COT_USAGE, "segments are the same from jaccard %g or overlap %g on: give 0..1",
                        options->min_jaccard, options->min_overlap);
    cost = cot_alloc_array(m->n_to, m->n_from, sizeof *cost);
    common = cot_alloc_array(m->n_from + m->n_to, 1, sizeof *common);
    columns = cot_alloc_array(m->n_to, 1, sizeof *columns);
    if (cost == NULL || common == NULL || columns == NULL) {
        rc = cot_fail(err, COT_NOMEM, "matching %zu with %zu segments", m->n_to, m->n_from);
        goto out;
    }
    for (size_t i = 0; i < m->n_from; i++)
        common[i] = cot_migration_common(m, COT_MIGRATION_FROM, i);
    for (size_t j = 0; j < m->n_to; j++)
        common[m->n_from + j] = cot_migration_common(m, COT_MIGRATION_TO, j);
    for (size_t j = 0; j < m->n_to; j++)
        for (size_t i = 0; i < m->n_from; i++) {
            bool forbidden = options->forbidden != NULL && options->forbidden[i * m->n_to + j];
            double jaccard = jaccard_of(cot_migration_cell(m, i, j), common[i], common[m->n_from + j]);
            cost[j * m->n_from + i] = forbidden ? 1 : 1 - jaccard;
        }
    rc = cot_matching_solve(cost, m->n_to, m->n_from, columns, NULL, err);
    for (size_t j = 0; rc == COT_OK && j < m->n_to; j++) {
        size_t i = columns[j];
        ret_from[j] = COT_MIGRATION_NONE;
        if (i == COT_MATCHING_NONE)
            continue;
        double jaccard = 1 - cost[j * m->n_from + i];
        double smaller = (double)(common[i] < common[m->n_from + j] ? common[i] : common[m->n_from + j]);
        double overlap = (double)cot_migration_cell(m, i, j);
        if (jaccard > 0 && (jaccard >= options->min_jaccard || overlap >= options->min_overlap * smaller))
            ret_from[j] = i;
    }
out:
    free(cost);
    free(common);
    free(columns);
    return rc;
}

size_t cot_migration_moved(const struct cot_migration *migration, const size_t *from)
{
    size_t stayed = 0;
    for (size_t j = 0; j < migration->n_to; j++)
        if (from[j] != COT_MIGRATION_NONE)
            stayed += cot_migration_cell(migration, from[j], j);
    return migration->n_common - stayed;
}

size_t cot_migration_parts(const struct cot_migration *migration, enum cot_migration_side side, size_t segment,
                           double min_share, size_t *ret_parts)
{
    enum cot_migration_side other_side = side == COT_MIGRATION_FROM ? COT_MIGRATION_TO : COT_MIGRATION_FROM;
    double total = (double)cot_migration_common(migration, side, segment);
    size_t n_parts = 0;
    for (size_t other = 0; other < n_others(migration, side); other++) {
        size_t n = shared(migration, side, segment, other);
        if (n == 0 || (double)n < min_share * total || 2 * n < cot_migration_common(migration, other_side, other))
            continue;
        ret_parts[n_parts++] = other;
    }
    return n_parts >= 2 ? n_parts : 0;
}

cot_code cot_migration_match_centroids(const float *from, size_t n_from, const float *to, size_t n_to, size_t d,
                                       double max_distance, size_t *ret_from, struct cot_err *err)
{
    struct cot_matrix before = {.data = from, .n = n_from, .d = d, .stride = d};
    struct cot_matrix after = {.data = to, .n = n_to, .d = d, .stride = d};
    double *cost = NULL;
    size_t *columns = NULL;
    if (!(max_distance >= 0))
        return cot_fail(err, COT_USAGE, "segments are the same up to a distance of %g: give 0 or more", max_distance);
    cot_code rc = cot_check_finite(&before, false, err);
    if (rc == COT_OK)
        rc = cot_check_finite(&after, false, err);
    if (rc != COT_OK)
        return rc;
    cost = cot_alloc_array(n_to, n_from, sizeof *cost);
    columns = cot_alloc_array(n_to, 1, sizeof *columns);
    if (cost == NULL || columns == NULL) {
        rc = cot_fail(err, COT_NOMEM, "matching %zu with %zu centroids", n_to, n_from);
        goto out;
    }
    for (size_t j = 0; j < n_to; j++)
        for (size_t i = 0; i < n_from; i++)
            cost[j * n_from + i] = cot_distance2(cot_matrix_row(&after, j), cot_matrix_row(&before, i), d);
    rc = cot_matching_solve(cost, n_to, n_from, columns, NULL, err);
    for (size_t j = 0; rc == COT_OK && j < n_to; j++) {
        size_t i = columns[j];
        bool same = i != COT_MATCHING_NONE && sqrt(cost[j * n_from + i]) <= max_distance;
        ret_from[j] = same ? i : COT_MIGRATION_NONE;
    }
out:
    free(cost);
    free(columns);
    return rc;
}
