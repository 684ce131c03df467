/* Values of the prediction features: each documented by its row in feature_catalogue.h. */
#include <math.h>

#include "domain/feature_catalogue.h"

/* One function a horizon. */
#define OF_HORIZON(days)                                                                                               \
    float cot_feature_predicted_spend_##days##d(const struct cot_customer *customer)                                   \
    {                                                                                                                  \
        return customer->prediction.spend[COT_PREDICTED_##days];                                                       \
    }                                                                                                                  \
    float cot_feature_predicted_orders_##days##d(const struct cot_customer *customer)                                  \
    {                                                                                                                  \
        return customer->prediction.orders[COT_PREDICTED_##days];                                                      \
    }                                                                                                                  \
    float cot_feature_predicted_churn_##days##d(const struct cot_customer *customer)                                   \
    {                                                                                                                  \
        return customer->prediction.churn[COT_PREDICTED_##days];                                                       \
    }
OF_HORIZON(30)
OF_HORIZON(90)
OF_HORIZON(365)
#undef OF_HORIZON

float cot_feature_predicted_next_order_days(const struct cot_customer *customer)
{
    const struct cot_prediction *said = &customer->prediction;
    const struct cot_fold *fold = customer->fold;
    bool has_come = fold->n_orders > 0 && fold->orders[fold->n_orders - 1].first_ms > said->next_said_ms;
    if (said->next_order_ms == COT_NO_NEXT_ORDER || has_come)
        return NAN;
    return (float)((double)(said->next_order_ms - customer->as_of_ms) / (double)COT_MS_PER_DAY);
}

float cot_feature_value_tier(const struct cot_customer *customer)
{
    return customer->prediction.tier;
}
