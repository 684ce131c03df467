/* Customers of any shop, consent, suppression lists, links between identities; the simulator's truth, which is none. */
#include "connect/decode.h"
#include "connect/shapes.h"

#define PURPOSES "service,analytics,personalisation,marketing"
#define NAMES_WHEN                                                                                                     \
    "occurred_at|recorded_at|changed_at|updated_at|timestamp|datetime|date|time|created_at|consented_at|consent_date"
#define PEOPLE                                                                                                         \
    {COT_NAMES_CUSTOMER, COT_FIELD_CUSTOMER_ID, false}, {COT_NAMES_EMAIL, COT_FIELD_EMAIL, false},                     \
        {COT_NAMES_PHONE, COT_FIELD_PHONE, false}, {COT_NAMES_LOYALTY, COT_FIELD_LOYALTY_CARD, false},                 \
    {                                                                                                                  \
        COT_NAMES_ANONYMOUS, COT_FIELD_ANONYMOUS_ID, false                                                             \
    }

static const struct cot_connector_column customer_columns[] = {
    PEOPLE,
    {"updated_at|snapshot_date|as_of|snapshot_at|modified_at|last_updated|valid_from", COT_FIELD_OCCURRED_AT, false},
    {"recorded_at|loaded_at", COT_FIELD_RECORDED_AT, false},
    {"birth_date|birthday|date_of_birth|dob|birthdate|geburtsdatum", COT_FIELD_BIRTH_DATE, false},
    {"signup_date|signed_up_at|sign_up_date|registered_at|registration_date|joined_at|join_date|member_since|"
     "customer_since|created_at|date_created|created|first_seen|enrollment_date|dt_customer|date_joined",
     COT_FIELD_SIGNED_UP_AT, false},
    {"accepts_marketing|accepts_email_marketing|marketing_opt_in|newsletter|newsletter_opt_in|email_opt_in|"
     "email_consent|subscribed|opt_in|marketing_consent",
     COT_FIELD_ACCEPTS_MARKETING, false},
    {"id|key|number", COT_FIELD_CUSTOMER_ID, false},
    {NULL, COT_FIELD_NONE, false}};

const struct cot_connector cot_connector_customers = {
    .name = "customers",
    .title = "customers",
    .kind = COT_KIND_CUSTOMERS,
    .description =
        "One row a customer. Every other column is a trait: dated where there is a column such as updated_at, "
        "else flagged as timeless.",
    .columns = customer_columns,
    .one_of = "customer_id|email|anonymous_id|phone|loyalty_card",
    .assumed_purposes = PURPOSES,
    .is_generic = true,
    .is_timeless = true,
    .other_columns_are_traits = true,
    .unless = "order_id|invoice_no|event|event_name|quantity|purpose|product_id|sku",
    .decode = cot_decode_customer_row};

static const struct cot_connector_column consent_columns[] = {
    PEOPLE,
    {"purpose|category|consent_type|type|topic|list", COT_FIELD_PURPOSE, false},
    {"granted|consent|status|state|opted_in|opt_in|value|subscribed|given|accepted|consent_status|email_consent|"
     "marketing_consent|accepts_marketing",
     COT_FIELD_CONSENT, true},
    {NAMES_WHEN, COT_FIELD_OCCURRED_AT, false},
    {"channel|source", COT_FIELD_CHANNEL, false},
    {NULL, COT_FIELD_NONE, false}};

const struct cot_connector cot_connector_consent = {
    .name = "consent",
    .title = "consent list",
    .kind = COT_KIND_CONSENT,
    .description = "Who consented to which purpose (marketing where no column says), and when.",
    .columns = consent_columns,
    .one_of = "customer_id|email|anonymous_id|phone;purpose|occurred_at|email",
    .assumed_purposes = PURPOSES,
    .is_generic = true,
    .max_columns = 6,
    .unless = "order_id|product_id|event|event_name|amount|total|quantity|campaign|campaign_id|order_date",
    .decode = cot_decode_consent_row};

static const struct cot_connector_column suppression_columns[] = {
    PEOPLE,
    {"reason|suppression_reason|suppressed|bounce_type|cause", COT_FIELD_REASON, false},
    {"channel|medium", COT_FIELD_CHANNEL, false},
    {"suppressed_at|unsubscribed_at|bounced_at|" NAMES_WHEN, COT_FIELD_OCCURRED_AT, false},
    {NULL, COT_FIELD_NONE, false}};

/* Without a header: one column of addresses. A list that says nothing more is of people not to write to only where the
 * file's name says so (detect.c). */
static bool fits_addresses(const struct cot_batch *sample, enum cot_field *ret_fields)
{
    char email[256];
    size_t size = 0;
    if (sample->n_columns != 1 || sample->n_rows == 0)
        return false;
    for (size_t i = 0; i < sample->n_rows; i++) {
        const struct cot_cell *cell = cot_batch_cell(sample, i, 0);
        if (cell->size >= sizeof email || !cot_value_email(cell->data, cell->size, email, &size))
            return false;
    }
    ret_fields[0] = COT_FIELD_EMAIL;
    return true;
}

const struct cot_connector cot_connector_suppression = {
    .name = "suppression",
    .title = "suppression list",
    .kind = COT_KIND_SUPPRESSION,
    .description = "People never to write to, and why. A bare list of addresses needs a file name that says so "
                   "(suppression, unsubscribed, bounces, do-not-contact).",
    .columns = suppression_columns,
    .one_of = "customer_id|email|phone",
    .needs_file_name =
        "suppress|unsubscri|bounce|blocklist|blacklist|do_not|do-not|donot|optout|opt-out|opt_out|robinson",
    .is_generic = true,
    .max_columns = 6,
    .fits_cells = fits_addresses,
    .decode = cot_decode_suppression_row};

static const struct cot_connector_column link_columns[] = {
    PEOPLE, {"linked_at|login_at|" NAMES_WHEN, COT_FIELD_OCCURRED_AT, false}, {NULL, COT_FIELD_NONE, false}};

const struct cot_connector cot_connector_links = {.name = "links",
                                                  .title = "identity links",
                                                  .kind = COT_KIND_LINKS,
                                                  .description =
                                                      "Two identities a row that are one person, and since when.",
                                                  .columns = link_columns,
                                                  .one_of = "customer_id|email|phone;anonymous_id|loyalty_card",
                                                  .is_generic = true,
                                                  .max_columns = 4,
                                                  .unless = "event|event_name|product_id|order_id|amount|name|country",
                                                  .decode = cot_decode_link_row};

static const struct cot_connector_column truth_columns[] = {{"customer_id|seed", COT_FIELD_CUSTOMER_ID, true},
                                                            {"simulated_kind|months", COT_FIELD_NONE, true},
                                                            {"purchase_rate|customers", COT_FIELD_NONE, true},
                                                            {NULL, COT_FIELD_NONE, false}};

const struct cot_connector cot_connector_simulator_truth = {
    .name = "simulator_truth",
    .title = "the simulator's truth",
    .kind = COT_KIND_CUSTOMERS,
    .description = "What the simulator planted, for judging what was found: never imported.",
    .columns = truth_columns,
    .is_ignored = true,
    .decode = cot_decode_ignored_row};
