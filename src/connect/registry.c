/* The table of known shapes. Adding one: its file, its line in shapes.h, its line here. */
#include <string.h>

#include "connect/live.h"
#include "connect/shapes.h"

const struct cot_connector *const cot_connectors[] = {&cot_connector_online_retail,
                                                      &cot_connector_shopify_orders,
                                                      &cot_connector_shopify_customers,
                                                      &cot_connector_woocommerce_lines,
                                                      &cot_connector_woocommerce_orders,
                                                      &cot_connector_woocommerce_analytics,
                                                      &cot_connector_journey_transactions,
                                                      &cot_connector_journey_products,
                                                      &cot_connector_journey_demographics,
                                                      &cot_connector_journey_campaigns,
                                                      &cot_connector_journey_descriptions,
                                                      &cot_connector_journey_coupons,
                                                      &cot_connector_journey_redemptions,
                                                      &cot_connector_journey_promotions,
                                                      &cot_connector_adventureworks_sales,
                                                      &cot_connector_adventureworks_customers,
                                                      &cot_connector_adventureworks_products,
                                                      &cot_connector_cdnow,
                                                      &cot_connector_cdnow_sample,
                                                      &cot_connector_superstore,
                                                      &cot_connector_order_documents,
                                                      &cot_connector_marketing_campaign,
                                                      &cot_connector_simulator_truth,
                                                      &cot_connector_orders,
                                                      &cot_connector_event_log,
                                                      &cot_connector_events,
                                                      &cot_connector_customers,
                                                      &cot_connector_products,
                                                      &cot_connector_campaigns,
                                                      &cot_connector_campaign_targets,
                                                      &cot_connector_responses,
                                                      &cot_connector_coupons,
                                                      &cot_connector_redemptions,
                                                      &cot_connector_consent,
                                                      &cot_connector_suppression,
                                                      &cot_connector_rates,
                                                      &cot_connector_links,
                                                      NULL};

const struct cot_connector *cot_connector_find(const char *name)
{
    for (size_t i = 0; cot_connectors[i] != NULL; i++)
        if (strcmp(cot_connectors[i]->name, name) == 0)
            return cot_connectors[i];
    return NULL;
}
