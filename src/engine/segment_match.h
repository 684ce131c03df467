/*
 * Identity of segments across runs: ids by optimal matching on common customers, colours that last with the id, and
 * hysteresis, so that a customer near a border does not flip with every run.
 */
#ifndef COT_ENGINE_SEGMENT_MATCH_H
#define COT_ENGINE_SEGMENT_MATCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "coterie/err.h"
#include "coterie/matrix.h"
#include "engine/segment_runs.h"

/* A segment is the one of the run before if their common customers are at least this part of the union of both... */
#define COT_SEGMENT_MATCH_JACCARD 0.25
/* ... or at least this part of the smaller one: a segment that halves or doubles is still itself. */
#define COT_SEGMENT_MATCH_OVERLAP 0.6

/*
 * A customer leaves their segment only for a centre that is nearer by this part of the distance: with 0.1, at less than
 * 0.9 times the distance to the old one. Borders are where a customer's next order decides nothing.
 */
#define COT_SEGMENT_MARGIN 0.1

struct cot_segment_now {
    size_t n;                  /* customers in a segment */
    const uint32_t *customers; /* [n] ascending */
    const uint32_t *labels;    /* [n] 0..k-1 */
    size_t k;
    size_t extreme; /* the extremes' label: matches only the extremes; SIZE_MAX: there are none */
};

struct cot_segment_before {
    const struct cot_segment_members *members;
    const struct cot_segment_run_row *run; /* the run before; NULL: this is the first */
    int32_t extreme_id;                    /* the extremes' id in it; 0: there were none */
};

/*
 * ret_ids: k ids; matched segments keep theirs, others get new ones from next_id on, by label. Two segments match by
 * the Jaccard index of their customers among those known to both runs, best total first (coterie/migration.h).
 */
cot_code cot_segment_match_ids(const struct cot_segment_now *now, const struct cot_segment_before *before,
                               int32_t next_id, int32_t *ret_ids, struct cot_err *err) COT_MUST_CHECK;

/* ret_colors: k colours "#rrggbb" of a palette safe for colour-blind readers; those of matched ids stay, the others
 * take the first that no sibling has. */
void cot_segment_colors(const int32_t *ids, size_t k, const struct cot_segment_run_row *before,
                        const char **ret_colors);

/*
 * Moves back who was in another segment and is not clearly nearer to the new one. y: n x q, rows as now->customers;
 * centroids: k x q; labels (n) are changed; customers of the extremes' segment neither move nor are moved to. Returns
 * how many were kept back.
 */
size_t cot_segment_hold(const struct cot_segment_before *before, const int32_t *ids, size_t k, size_t extreme,
                        const uint32_t *customers, const struct cot_matrix *y, const float *centroids,
                        uint32_t *labels);

#endif
