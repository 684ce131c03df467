/*
 * A rule that a person can read for each segment: a conjunction of a few conditions on raw features.
 *
 *   precision = |rule and segment| / |rule|,  coverage = |rule and segment| / |segment|,  F1 their harmonic mean
 *
 * Beam search over conditions, as in subgroup discovery and CN2 (Clark and Niblett, doi:10.1007/BF00116835; Lavrac et
 * al., JMLR 5, 2004), for the highest F1; another condition must earn at least min_gain, two bounds on one feature
 * count as two. Example: examples/rule.c. Thread rule: any thread; a rule is a plain value.
 */
#ifndef COTERIE_RULE_H
#define COTERIE_RULE_H

#include <stddef.h>
#include <stdint.h>

#include "coterie/err.h"
#include "coterie/matrix.h"

enum { COT_RULE_MAX_CONDITIONS = 4 };

enum cot_rule_operator {
    COT_RULE_AT_MOST, /* x <= value */
    COT_RULE_ABOVE,   /* x > value */
    COT_RULE_IS,      /* category x = value */
    COT_RULE_IS_NOT   /* category x != value */
};

struct cot_rule_condition {
    size_t i_column;
    enum cot_rule_operator op;
    double value; /* rounded to few digits where that changes nothing */
};

struct cot_rule {
    size_t n_conditions; /* 0: nothing beats "everybody" */
    struct cot_rule_condition conditions[COT_RULE_MAX_CONDITIONS];
    double coverage, precision, f1;
    size_t n_matching; /* rows that satisfy it */
};

struct cot_rule_options {
    unsigned max_conditions; /* 1..COT_RULE_MAX_CONDITIONS */
    unsigned max_thresholds; /* candidate thresholds a numeric column, quantiles of the distinct values; >= 1 */
    unsigned beam;           /* rules kept a round; >= 1 */
    double min_gain;         /* of F1, for one more condition */
    const unsigned char *is_category; /* d flags: the column holds category codes; NULL: none does */
    unsigned n_threads;               /* 0: all cores */
};

/* 3 conditions, 64 thresholds, beam 4, gain .01, no categories, all cores. */
void cot_rule_options_init(struct cot_rule_options *ret_options);

/*
 * x: n x d raw features, NaN is missing and satisfies no condition; labels: n in 0..k-1 (COT_USAGE else); ret_rules: k.
 * A segment without rows gets an empty rule of zeros. Errors: COT_NOMEM, COT_USAGE. O(k * conditions * beam * n * d)
 * time, O(n * d) bytes. Deterministic at any number of threads.
 */
cot_code cot_rules_find(const struct cot_matrix *x, const uint32_t *labels, size_t k,
                        const struct cot_rule_options *options, struct cot_rule *ret_rules,
                        struct cot_err *err) COT_MUST_CHECK;

/* 1 where a row of raw features satisfies the rule. */
int cot_rule_matches(const struct cot_rule *rule, const float *row);

#endif
