/* Columns cut into at most 256 bins, so that all thresholds of a column are judged from one histogram. */
#ifndef COT_ML_RULE_BINS_H
#define COT_ML_RULE_BINS_H

#include "coterie/rule.h"

enum {
    COT_RULE_MAX_CUTS = 250,
    COT_RULE_OTHER = 254,   /* a category beyond the most frequent ones: no condition names it */
    COT_RULE_MISSING = 255, /* NaN: satisfies no condition */
    COT_RULE_N_BINS = 256
};

struct cot_rule_column {
    int is_category;
    size_t n_cuts;       /* numbers: x <= cuts[b] is bin <= b; categories: x = cuts[b] is bin b */
    float *cuts;         /* ascending */
    float *next;         /* numbers: the next larger value that occurs, to round between */
    unsigned char *bins; /* n */
};

struct cot_rule_bins {
    size_t n, d;
    struct cot_rule_column *columns;
};

/* Cuts are quantiles of each column, and of each segment's values in it so that small segments get theirs. */
cot_code cot_rule_bins_init(struct cot_rule_bins *ret_bins, const struct cot_matrix *x, const uint32_t *labels,
                            size_t k, const struct cot_rule_options *options, struct cot_err *err) COT_MUST_CHECK;
void cot_rule_bins_release(struct cot_rule_bins *bins);

/* A number with few digits in [low, high). low < high. */
double cot_rule_round_between(double low, double high);

#endif
