/*
 * Explaining segments: contrasts, rules, typical customers, what to do, in numbers; names from them. Used by
 * engine/segment.c and the writing of its document.
 */
#ifndef COT_ENGINE_SEGMENT_DESCRIBE_H
#define COT_ENGINE_SEGMENT_DESCRIBE_H

#include "coterie/contrasts.h"
#include "coterie/err.h"
#include "coterie/rule.h"
#include "domain/segment_name.h"
#include "domain/strategy.h"
#include "engine/segment_learn.h"

enum { COT_PROTOTYPES = 5 };

/* Contrasts weaker than this are not shown, however certain. */
#define COT_CONTRAST_MIN 0.2
#define COT_CONTRAST_MAX_Q 0.01

struct cot_segment_numbers {
    size_t size;
    int64_t revenue_minor;
    struct cot_rule rule;              /* on the space's columns; coverage and precision over all customers */
    size_t prototypes[COT_PROTOTYPES]; /* indices into learned->rows, COT_MEDOIDS_NONE */
    double prototype_distances[COT_PROTOTYPES];
    struct cot_strategy_input strategy_input;
    struct cot_strategy_advice advice;
    char name[COT_SEGMENT_NAME_SIZE];
};

/* Everything by segment (k of learned) and output column of the space (d) or its columns (c). */
struct cot_description {
    size_t k, d, c;
    size_t n_sample;                         /* customers that means and contrasts are from */
    struct cot_segment_numbers *segments;    /* [k] */
    struct cot_contrast *contrasts;          /* k x d */
    double *z_means;                         /* k x d */
    double *means, *medians;                 /* k x c of raw values present; NaN where none */
    double *overall_means, *overall_medians; /* [c] */
    double *shares;                          /* k x d, category outputs: share of the segment in that category */
    double *overall_shares;                  /* [d] */
    int64_t revenue_minor;                   /* of all that have a segment */
};

/* revenue_minor: by row of the matrix. */
cot_code cot_describe(const struct cot_feature_matrix *matrix, const struct cot_learned *learned,
                      const int64_t *revenue_minor, unsigned n_threads, struct cot_description **ret_description,
                      struct cot_err *err) COT_MUST_CHECK;
void cot_description_free(struct cot_description *description);

/* What output column o is called: the feature's title; ret_category: the category's word, NULL for numbers and for the
 * rest of rare ones. */
const struct cot_feature_column *cot_describe_output(const struct cot_feature_matrix *matrix,
                                                     const struct cot_space *space, size_t o,
                                                     const char **ret_category);

/* Contrasts from mean differences, strongest first, in ret_contrasts (room for d); for names. ret_outputs, if not NULL,
 * gets their output columns. Returns how many. */
size_t cot_describe_differences(const struct cot_feature_matrix *matrix, const struct cot_space *space,
                                const double *differences, struct cot_name_contrast *ret_contrasts,
                                size_t *ret_outputs);

#endif
