/*
 * What was predicted of customers: the newest kept predictions as of a moment, which features read.
 *
 * A prediction belongs to the node that was the customer's smallest when it was made, and is never computed anew: of a
 * customer who was two then, that of the smaller node holds until the next run; who was parted since has it where the
 * node is. Filled by the engine from the store or by hand, then immutable and shared by threads.
 */
#ifndef COT_DOMAIN_PREDICTION_H
#define COT_DOMAIN_PREDICTION_H

#include <stddef.h>
#include <stdint.h>

#include "coterie/err.h"

/* Horizons that are features: those that are predicted unless others are asked for. */
enum cot_predicted { COT_PREDICTED_30, COT_PREDICTED_90, COT_PREDICTED_365, COT_N_PREDICTED };
extern const unsigned cot_predicted_days[COT_N_PREDICTED];

#define COT_NO_NEXT_ORDER INT64_MIN

/* Of one customer. NaN: not predicted. */
struct cot_prediction {
    float spend[COT_N_PREDICTED];  /* major units of the base currency */
    float orders[COT_N_PREDICTED]; /* days with an order */
    float churn[COT_N_PREDICTED];  /* probability of no order */
    float tier;                    /* 0: the highest (value_tier.h) */
    int64_t next_order_ms;         /* by then one has come with a chance of a half; COT_NO_NEXT_ORDER */
    int64_t next_said_ms;          /* from when on that was known */
};

struct cot_predictions {
    uint32_t *row_of_node; /* [n_nodes], UINT32_MAX: none; nodes from n_nodes on have none */
    size_t n_nodes, nodes_capacity;
    struct cot_prediction *rows;
    size_t n, capacity;
};

void cot_predictions_release(struct cot_predictions *predictions);

/* The row of a node, made empty where there is none; valid until the next call. */
cot_code cot_predictions_put(struct cot_predictions *predictions, uint32_t node, struct cot_prediction **ret_row,
                             struct cot_err *err) COT_MUST_CHECK;

/* Of the customer who has these nodes, ascending: of each horizon, and of the next order and the tier, that of the
 * smallest node that has one. */
void cot_predictions_of(const struct cot_predictions *predictions, const uint32_t *nodes, size_t n_nodes,
                        struct cot_prediction *ret_prediction);

#endif
