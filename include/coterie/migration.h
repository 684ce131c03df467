/*
 * Two segmentations of the same population, at two times: who moved where, which segment is which, what was born, died,
 * split or merged.
 *
 * Points (customers) have a label in the earlier segmentation, in the later one, or in both. Segments continue one
 * another by optimal matching (coterie/matching.h) on the Jaccard index of their points among those in both:
 *
 *   jaccard(i, j) = |i and j| / |i or j|
 *
 * A matched pair is the same segment if it has min_jaccard, or min_overlap of the smaller one, so that a segment that
 * halves or doubles is still itself. A later segment without a match is a birth, an earlier one a death.
 *
 * Example: examples/migration.c. A migration owns its counts. Thread rule: any thread; immutable.
 */
#ifndef COTERIE_MIGRATION_H
#define COTERIE_MIGRATION_H

#include <stddef.h>
#include <stdint.h>

#include "coterie/err.h"

/* The label of a point that is not in a segmentation. */
#define COT_MIGRATION_ABSENT UINT32_MAX

/* "No segment": a birth or a death. */
#define COT_MIGRATION_NONE ((size_t)-1)

struct cot_migration {
    size_t n_from, n_to; /* segments */
    size_t *counts;      /* (n_from + 1) x (n_to + 1) row-major: points from i to j; the last row and column: absent */
    size_t n_common;     /* points in both */
    size_t n_joined;     /* in the later one only */
    size_t n_left;       /* in the earlier one only */
};

/*
 * from, to: n labels, 0..n_from-1 and 0..n_to-1 or COT_MIGRATION_ABSENT (COT_USAGE else). No segments and no points
 * are allowed. COT_NOMEM. O(n + n_from n_to).
 */
cot_code cot_migration_count(const uint32_t *from, size_t n_from, const uint32_t *to, size_t n_to, size_t n,
                             struct cot_migration *ret_migration, struct cot_err *err) COT_MUST_CHECK;
void cot_migration_release(struct cot_migration *migration);

/* Points that were in i and are in j; i = n_from: were absent, j = n_to: are absent. */
static inline size_t cot_migration_cell(const struct cot_migration *migration, size_t i, size_t j)
{
    return migration->counts[i * (migration->n_to + 1) + j];
}

/* Which of the two a segment is of. */
enum cot_migration_side { COT_MIGRATION_FROM, COT_MIGRATION_TO };

/* Points of a segment that are in both segmentations. O(segments of the other side). */
size_t cot_migration_common(const struct cot_migration *migration, enum cot_migration_side side, size_t segment);

/* 0..1; 0 where neither has a point in both. */
double cot_migration_jaccard(const struct cot_migration *migration, size_t i, size_t j);

struct cot_migration_options {
    double min_jaccard;             /* 0..1 */
    double min_overlap;             /* 0..1, of the smaller segment; above 1: never by this */
    const unsigned char *forbidden; /* n_from x n_to flags: pairs that can't be the same; NULL: none */
};

/* min_jaccard 0.25, min_overlap 0.6, nothing forbidden. */
void cot_migration_options_init(struct cot_migration_options *ret_options);

/*
 * ret_from: n_to, the earlier segment that each later one continues, or COT_MIGRATION_NONE: a birth. The earlier ones
 * that are in no place of it are deaths. Pairs without a common point never match. COT_USAGE for thresholds below 0 or
 * NaN, COT_NOMEM. O(min^2 max) of the numbers of segments.
 */
cot_code cot_migration_match(const struct cot_migration *migration, const struct cot_migration_options *options,
                             size_t *ret_from, struct cot_err *err) COT_MUST_CHECK;

/* Points in both whose later segment does not continue their earlier one; from: as cot_migration_match gives it. */
size_t cot_migration_moved(const struct cot_migration *migration, const size_t *from);

/*
 * The parts into which an earlier segment split (side FROM) or from which a later one merged (side TO): segments of the
 * other side with min_share or more of its common points, of which those are at least half their own, so that a trickle
 * into a big neighbour is no split. Returns how many parts, 0 where there are fewer than two. ret_parts: as many places
 * as the other side has segments, ascending.
 */
size_t cot_migration_parts(const struct cot_migration *migration, enum cot_migration_side side, size_t segment,
                           double min_share, size_t *ret_parts);

/*
 * Matching where no points are common: segments by their centroids (row-major, n_from x d and n_to x d, in one space),
 * least total squared distance. ret_from: n_to, as above; pairs farther apart than max_distance (INFINITY: any) are not
 * the same. COT_BAD_DATA for NaN or infinity, COT_USAGE for a max_distance below 0 or NaN.
 */
cot_code cot_migration_match_centroids(const float *from, size_t n_from, const float *to, size_t n_to, size_t d,
                                       double max_distance, size_t *ret_from, struct cot_err *err) COT_MUST_CHECK;

#endif
