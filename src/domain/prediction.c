#include "domain/prediction.h"

#include <math.h>
#include <stdlib.h>

#include "base/array.h"

const unsigned cot_predicted_days[COT_N_PREDICTED] = {30, 90, 365};

void cot_predictions_release(struct cot_predictions *predictions)
{
    free(predictions->row_of_node);
    free(predictions->rows);
    *predictions = (struct cot_predictions){0};
}

static void clear(struct cot_prediction *prediction)
{
    *prediction =
        (struct cot_prediction){.tier = NAN, .next_order_ms = COT_NO_NEXT_ORDER, .next_said_ms = COT_NO_NEXT_ORDER};
    for (int h = 0; h < COT_N_PREDICTED; h++)
        prediction->spend[h] = prediction->orders[h] = prediction->churn[h] = NAN;
}

cot_code cot_predictions_put(struct cot_predictions *predictions, uint32_t node, struct cot_prediction **ret_row,
                             struct cot_err *err)
{
    void *nodes = cot_array_reserve(predictions->row_of_node, &predictions->nodes_capacity, (size_t)node + 1,
                                    sizeof *predictions->row_of_node);
    if (nodes != NULL)
        predictions->row_of_node = nodes;
    void *rows =
        cot_array_reserve(predictions->rows, &predictions->capacity, predictions->n + 1, sizeof *predictions->rows);
    if (rows != NULL)
        predictions->rows = rows;
    if (nodes == NULL || rows == NULL)
        return cot_fail(err, COT_NOMEM, "predictions of %zu customers", predictions->n + 1);
    for (; predictions->n_nodes <= node; predictions->n_nodes++)
        predictions->row_of_node[predictions->n_nodes] = UINT32_MAX;
    uint32_t *row = &predictions->row_of_node[node];
    if (*row == UINT32_MAX) {
        *row = (uint32_t)predictions->n++;
        clear(&predictions->rows[*row]);
    }
    *ret_row = &predictions->rows[*row];
    return COT_OK;
}

/* What is not said yet is taken from a node's row. */
static void fill(struct cot_prediction *prediction, const struct cot_prediction *row)
{
    for (int h = 0; h < COT_N_PREDICTED; h++) {
        if (!isnan(prediction->churn[h]) || isnan(row->churn[h]))
            continue;
        prediction->spend[h] = row->spend[h];
        prediction->orders[h] = row->orders[h];
        prediction->churn[h] = row->churn[h];
    }
    if (isnan(prediction->tier) && !isnan(row->tier)) {
        prediction->tier = row->tier;
        prediction->next_order_ms = row->next_order_ms;
        prediction->next_said_ms = row->next_said_ms;
    }
}

void cot_predictions_of(const struct cot_predictions *predictions, const uint32_t *nodes, size_t n_nodes,
                        struct cot_prediction *ret_prediction)
{
    clear(ret_prediction);
    for (size_t i = 0; i < n_nodes; i++)
        if (nodes[i] < predictions->n_nodes && predictions->row_of_node[nodes[i]] != UINT32_MAX)
            fill(ret_prediction, &predictions->rows[predictions->row_of_node[nodes[i]]]);
}
