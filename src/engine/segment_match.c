#include "engine/segment_match.h"

#include <stdlib.h>
#include <string.h>

#include "coterie/migration.h"
#include "num/distance.h"

/* Okabe and Ito's eight without black and yellow first (jfly.uni-koeln.de/color), then Tol's muted scheme. Every pair
 * of neighbours differs in lightness as well. */
static const char *const palette[] = {
    "#0072B2", "#E69F00", "#009E73", "#CC79A7", "#56B4E9", "#D55E00", "#882255", "#999933", "#332288", "#DDCC77",
    "#117733", "#AA4499", "#44AA99", "#661100", "#6699CC", "#888888", "#F0E442", "#CC6677", "#4B0055", "#00588B",
};
enum { N_PALETTE = sizeof palette / sizeof palette[0] };

static size_t index_of(const struct cot_segment_run_row *run, int32_t id)
{
    for (size_t i = 0; i < run->n_segments; i++)
        if (run->segments[i].id == id)
            return i;
    return SIZE_MAX;
}

/* Labels in the run before of the customers of this one, in their order. */
static void label_before(const struct cot_segment_now *now, const struct cot_segment_before *before, uint32_t *ret_from)
{
    for (size_t i = 0, j = 0; i < now->n; i++) {
        ret_from[i] = COT_MIGRATION_ABSENT;
        while (j < before->members->n && before->members->customers[j] < now->customers[i])
            j++;
        if (j == before->members->n || before->members->customers[j] != now->customers[i])
            continue;
        size_t b = index_of(before->run, before->members->segments[j]);
        if (b != SIZE_MAX)
            ret_from[i] = (uint32_t)b;
    }
}

static bool is_kind_equal(const struct cot_segment_now *now, const struct cot_segment_before *before, size_t a,
                          size_t b)
{
    return (a == now->extreme) == (before->run->segments[b].id == before->extreme_id);
}

/* The extremes of two runs are the same group by definition, even when no customer is in both. */
static void keep_extremes(const struct cot_segment_now *now, const struct cot_segment_before *before, int32_t *ids)
{
    if (now->extreme != SIZE_MAX && before->extreme_id != 0)
        ids[now->extreme] = before->extreme_id;
}

static cot_code match_before(const struct cot_segment_now *now, const struct cot_segment_before *before, int32_t *ids,
                             struct cot_err *err)
{
    size_t n_before = before->run->n_segments;
    struct cot_migration migration = {0};
    struct cot_migration_options options = {.min_jaccard = COT_SEGMENT_MATCH_JACCARD,
                                            .min_overlap = COT_SEGMENT_MATCH_OVERLAP};
    uint32_t *from = calloc(now->n + 1, sizeof *from);
    size_t *matched = calloc(now->k + 1, sizeof *matched);
    unsigned char *forbidden = calloc(n_before * now->k + 1, sizeof *forbidden);
    cot_code rc = COT_OK;
    if (from == NULL || matched == NULL || forbidden == NULL) {
        rc = cot_fail(err, COT_NOMEM, "matching %zu with %zu segments", now->k, n_before);
        goto out;
    }
    label_before(now, before, from);
    for (size_t b = 0; b < n_before; b++)
        for (size_t a = 0; a < now->k; a++)
            forbidden[b * now->k + a] = !is_kind_equal(now, before, a, b);
    options.forbidden = forbidden;
    rc = cot_migration_count(from, n_before, now->labels, now->k, now->n, &migration, err);
    if (rc == COT_OK)
        rc = cot_migration_match(&migration, &options, matched, err);
    if (rc != COT_OK)
        goto out;
    for (size_t a = 0; a < now->k; a++)
        if (matched[a] != COT_MIGRATION_NONE)
            ids[a] = before->run->segments[matched[a]].id;
    keep_extremes(now, before, ids);
out:
    cot_migration_release(&migration);
    free(from);
    free(matched);
    free(forbidden);
    return rc;
}

cot_code cot_segment_match_ids(const struct cot_segment_now *now, const struct cot_segment_before *before,
                               int32_t next_id, int32_t *ret_ids, struct cot_err *err)
{
    memset(ret_ids, 0, now->k * sizeof *ret_ids);
    cot_code rc = before->run != NULL && before->run->n_segments > 0 ? match_before(now, before, ret_ids, err) : COT_OK;
    for (size_t a = 0; rc == COT_OK && a < now->k; a++)
        if (ret_ids[a] == 0)
            ret_ids[a] = next_id++;
    return rc;
}

static bool is_taken(const char **colors, size_t k, const char *color)
{
    for (size_t i = 0; i < k; i++)
        if (colors[i] != NULL && strcmp(colors[i], color) == 0)
            return true;
    return false;
}

void cot_segment_colors(const int32_t *ids, size_t k, const struct cot_segment_run_row *before, const char **ret_colors)
{
    for (size_t i = 0; i < k; i++) {
        const struct cot_segment_row *row = before != NULL ? cot_segment_run_segment(before, ids[i]) : NULL;
        ret_colors[i] = NULL;
        for (size_t c = 0; row != NULL && c < N_PALETTE; c++)
            if (strcmp(palette[c], row->color) == 0)
                ret_colors[i] = palette[c];
    }
    for (size_t i = 0; i < k; i++) {
        for (size_t c = 0; ret_colors[i] == NULL && c < N_PALETTE; c++)
            if (!is_taken(ret_colors, k, palette[c]))
                ret_colors[i] = palette[c];
        if (ret_colors[i] == NULL) /* more segments than colours: they repeat */
            ret_colors[i] = palette[(size_t)ids[i] % N_PALETTE];
    }
}

static size_t label_of(const int32_t *ids, size_t k, int32_t id)
{
    for (size_t a = 0; a < k; a++)
        if (ids[a] == id)
            return a;
    return SIZE_MAX;
}

size_t cot_segment_hold(const struct cot_segment_before *before, const int32_t *ids, size_t k, size_t extreme,
                        const uint32_t *customers, const struct cot_matrix *y, const float *centroids, uint32_t *labels)
{
    static const double nearer2 = (1 - COT_SEGMENT_MARGIN) * (1 - COT_SEGMENT_MARGIN);
    size_t n_held = 0;
    if (before->run == NULL)
        return 0;
    for (size_t i = 0, j = 0; i < y->n; i++) {
        while (j < before->members->n && before->members->customers[j] < customers[i])
            j++;
        if (j == before->members->n)
            break;
        if (before->members->customers[j] != customers[i] || labels[i] == extreme)
            continue;
        size_t old = label_of(ids, k, before->members->segments[j]);
        if (old == SIZE_MAX || old == extreme || old == labels[i])
            continue;
        const float *row = cot_matrix_row(y, i);
        double to_new = cot_distance2(row, centroids + labels[i] * y->d, y->d);
        double to_old = cot_distance2(row, centroids + old * y->d, y->d);
        if (to_new < nearer2 * to_old)
            continue;
        labels[i] = (uint32_t)old;
        n_held++;
    }
    return n_held;
}
