/*
 * What to do with a segment: retain, grow, win back, nurture or leave alone, with the numbers behind the advice.
 *
 * Recency alone misleads: 60 days are nothing for someone who buys twice a year and an alarm for someone who buys every
 * week. So the clock is each customer's own rhythm: overdue = days since the last order / their own usual gap.
 */
#ifndef COT_DOMAIN_STRATEGY_H
#define COT_DOMAIN_STRATEGY_H

#include <stddef.h>

enum cot_strategy {
    COT_STRATEGY_RETAIN,     /* worth much and active: keep what works */
    COT_STRATEGY_GROW,       /* active, worth less than they could be */
    COT_STRATEGY_WIN_BACK,   /* were worth something and went quiet */
    COT_STRATEGY_NURTURE,    /* new or not yet buyers: towards the next order */
    COT_STRATEGY_LEAVE_ALONE /* gone and worth little: no money after them */
};

/* What is known of a segment; NaN where the data does not tell. */
struct cot_strategy_input {
    double value_ratio;    /* mean spend per customer / that of all ordinary customers (no extremes) */
    double revenue_share;  /* of the shop's revenue */
    double overdue;        /* median of recency / own usual gap between orders; 1 = just due */
    double overall_gap;    /* days: the shop's median gap, for customers with one order */
    double recency_days;   /* median days since the last order */
    double orders;         /* median number of orders */
    double one_time_share; /* share with exactly one order */
    double buyer_share;    /* share with any order */
    double tenure_days;    /* median days since the first order */
    double trend;          /* mean of (spend of last 90 days - of the 90 before) / their sum, -1..1 */
};

struct cot_strategy_advice {
    enum cot_strategy strategy;
    double overdue; /* the figure used, own rhythm or the shop's */
    char why[400];  /* one or two sentences with the numbers */
};

const char *cot_strategy_name(enum cot_strategy strategy); /* "win back" */

/* Pure: the same numbers give the same advice. */
void cot_strategy_advise(const struct cot_strategy_input *input, struct cot_strategy_advice *ret_advice);

#endif
