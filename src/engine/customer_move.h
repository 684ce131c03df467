/* Why a customer is in a segment, and the smallest change that would move them to another. Pure of the store. */
#ifndef COT_ENGINE_CUSTOMER_MOVE_H
#define COT_ENGINE_CUSTOMER_MOVE_H

#include <stdbool.h>
#include <stddef.h>

#include "coterie/err.h"
#include "engine/segment_model.h"

/* A feature's part in being nearer to the own centre than an average customer is. */
struct cot_customer_pull {
    size_t i_column; /* of the model's space */
    double share;    /* of all that pulls towards it; negative: pulls away */
};

struct cot_customer_change {
    size_t i_column;
    double from, to; /* raw values */
};

enum { COT_MAX_CHANGES = 6 };

struct cot_customer_move {
    size_t target; /* index of the model's segments */
    double distance;
    size_t n_changes;
    struct cot_customer_change changes[COT_MAX_CHANGES];
    bool reached; /* checked: assigning the changed values gives the target */
};

/* raw: the customer's values by the space's columns, as cot_space_raw gives them. ret_pulls: n_columns, strongest
 * first. Returns how many pulls are not 0 in ret_n. */
cot_code cot_customer_pulls(const struct cot_segment_model *model, const float *raw, size_t segment,
                            struct cot_customer_pull *ret_pulls, size_t *ret_n, struct cot_err *err) COT_MUST_CHECK;

/*
 * The smallest change, in standard deviations, of as few features as will do, that makes `target` the nearest centre.
 * Only features that a shop can influence change, within what customers do (2.5 deviations), totals only upwards.
 * orders: the customer's number of orders, by which shares were drawn to the mean.
 */
cot_code cot_customer_smallest_move(const struct cot_segment_model *model, const float *raw, double orders,
                                    size_t segment, size_t target, struct cot_customer_move *ret_move,
                                    struct cot_err *err) COT_MUST_CHECK;

#endif
