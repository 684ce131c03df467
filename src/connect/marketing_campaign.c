/*
 * "Marketing campaign" / customer personality (SAS Institute, Kaggle): a snapshot of 2,240 customers, one row each,
 * with what they spent, how they bought and which campaigns they accepted. Nothing but Dt_Customer is dated: traits.
 */
#include "connect/decode.h"
#include "connect/shapes.h"

static const struct cot_connector_column columns[] = {{"id", COT_FIELD_CUSTOMER_ID, true},
                                                      {"year_birth", COT_FIELD_TRAIT, true},
                                                      {"dt_customer", COT_FIELD_SIGNED_UP_AT, true},
                                                      {"mnt_wines", COT_FIELD_TRAIT, true},
                                                      {"income", COT_FIELD_TRAIT, true},
                                                      {"z_cost_contact|z_revenue", COT_FIELD_NONE, false},
                                                      {"z_revenue", COT_FIELD_NONE, false},
                                                      {NULL, COT_FIELD_NONE, false}};

const struct cot_connector cot_connector_marketing_campaign = {
    .name = "marketing_campaign",
    .title = "Marketing campaign snapshot",
    .kind = COT_KIND_CUSTOMERS,
    .description = "One row a customer; amounts, counts and accepted campaigns are traits of an undated snapshot.",
    .columns = columns,
    .assumed_purposes = "service,analytics,personalisation,marketing",
    .is_timeless = true,
    .other_columns_are_traits = true,
    .decode = cot_decode_customer_row};
