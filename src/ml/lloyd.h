/*
 * Lloyd's steps on tiles: the inner loop of coterie/kmeans.h.
 *
 * One pass a step: bounds say which points may have changed their centre (Hamerly, doi:10.1137/1.9781611972801.12, with
 * one number a point: how much nearer the own centre is than any other), the kernel assigns those, and the sums take
 * the difference that changed labels make, in float64. Bounds and errors are kept on the safe side, so the labels are
 * those of computing every distance.
 */
#ifndef COT_ML_LLOYD_H
#define COT_ML_LLOYD_H

#include <stdbool.h>

#include "base/progress.h"
#include "ml/assign.h"

struct cot_lloyd_block;
struct cot_lloyd_scratch;

struct cot_lloyd {
    const struct cot_tiles *tiles;
    const float *weights; /* n_tiles * COT_TILE, 0 for padding, those that the tiles were made with; NULL: 1 each */
    size_t k;
    unsigned n_threads;
    const struct cot_progress *progress; /* told once a step; may be NULL */
    /* state: set the centres, then run */
    float *centres;                      /* k x d, in the tiles' units */
    uint32_t *labels;                    /* n_tiles * COT_TILE, nearest centre of each point */
    double *mass;                        /* k, weight of each centre's points */
    double *sums;                        /* k x d, weighted sums of each centre's points */
    int64_t *count;                      /* k, points of positive weight */
    size_t n_changed;                    /* labels that the last assignment changed */
    size_t n_skipped;                    /* points that the last assignment did not look at */
    size_t n_assigned, n_skipped_in_all; /* over all assignments of all runs */
    /* inside */
    struct cot_assign assign;
    float *slack;  /* n_tiles * COT_TILE: second nearest distance - nearest when the point was last looked at, never
                      above the true difference, plus its centre's loss until then; infinite for padding */
    double *loss;  /* k: what points of centre c lost of their slack at all moves of the centres */
    float *loss_f; /* the same, rounded up */
    bool fresh;    /* no point has a centre yet */
    double *moves; /* k: how far the centres moved last */
    double *peak;  /* k: the most that each cluster has weighed since its sums were last added up */
    bool *renewed; /* k: its sums were added up anew */
    size_t block, n_blocks;
    struct cot_lloyd_block *blocks;
    struct cot_lloyd_scratch *scratch; /* n_threads */
};

cot_code cot_lloyd_init(struct cot_lloyd *ret_lloyd, const struct cot_tiles *tiles, const float *weights, size_t k,
                        unsigned n_threads, enum cot_isa isa, struct cot_err *err) COT_MUST_CHECK;
void cot_lloyd_release(struct cot_lloyd *lloyd);

/* Bytes that cot_lloyd_init allocates; SIZE_MAX where that overflows. */
size_t cot_lloyd_memory(size_t n, size_t d, size_t k, unsigned n_threads);

/* From lloyd->centres until labels stay, or the centres move by <= tol in sum of squares, or max_iter. Steps made. */
unsigned cot_lloyd_run(struct cot_lloyd *lloyd, unsigned max_iter, double tol);

/* Sum of weight * squared distance to the own centre, in float64 and the tiles' units. O(k * d), or O(n * d) where the
 * clusters are so tight that the short formula would lose digits. */
double cot_lloyd_inertia(const struct cot_lloyd *lloyd);

#endif
