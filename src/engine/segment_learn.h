/*
 * Learning segments from a feature matrix: who takes part, the extremes, the space, how many, who belongs where.
 * Pure of the store: what the unit tests of quality call.
 */
#ifndef COT_ENGINE_SEGMENT_LEARN_H
#define COT_ENGINE_SEGMENT_LEARN_H

#include <stddef.h>
#include <stdint.h>

#include "base/progress.h"
#include "coterie/discriminant.h"
#include "coterie/err.h"
#include "engine/segment_extreme.h"
#include "engine/segment_space.h"

struct cot_learn_options {
    size_t k;           /* 0: by evidence */
    size_t preferred_k; /* of the run before; it stays unless the evidence is clearly for another. 0: none */
    struct cot_space_options space;
    uint64_t seed;
    unsigned n_threads;
    const struct cot_progress *progress;
};

/* The evidence must be better by this much (of a score of 0..1) for another k than the run before's. */
#define COT_LEARN_K_MARGIN 0.05

/*
 * In a shop of buyers, customers without any order have no purchase features: how far they are from a buyer is a
 * question without an answer. They begin as a segment of their own, and the others are found without them. Not where
 * they are few, or most: then their engagement decides.
 */
#define COT_LEARN_MIN_VISITORS 20

struct cot_learned {
    size_t n;            /* customers that have a segment */
    uint32_t *rows;      /* [n] of the matrix, ascending: so by customer */
    uint32_t *labels;    /* [n] 0..k-1 */
    size_t k;            /* the extremes' segment included, which is the last one where there is one */
    size_t extreme;      /* its label, SIZE_MAX: none */
    size_t visitors;     /* the label that began as those without an order; SIZE_MAX: they were not set apart */
    size_t n_no_consent; /* customers without a segment */
    size_t n_no_data;
    struct cot_space *space;
    struct cot_extreme_limits limits;
    struct cot_k_choice evidence; /* owned: evidence.evidence */
    double *stability_deviations; /* [evidence.n_evidence] */
    double *jaccards;             /* [k]: NaN for the extremes */
    size_t n_components;
    struct cot_discriminant *discriminant; /* axes; its labels are those of the sample it was fitted on */
    float *y;                              /* n x discriminant->q */
    float *centroids;                      /* k x q, means of the segments */
};

/* COT_BAD_DATA where too few customers or features are left. Same data and seed: same labels, whatever the order of the
 * matrix's rows and the number of threads. */
cot_code cot_segments_learn(const struct cot_feature_matrix *matrix, const struct cot_learn_options *options,
                            struct cot_learned **ret_learned, struct cot_err *err) COT_MUST_CHECK;
void cot_learned_free(struct cot_learned *learned);

/* Means of y by label, anew (after labels were changed). Empty segments keep their centroid. */
void cot_learned_centre(struct cot_learned *learned);

#endif
