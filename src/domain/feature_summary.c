#include "domain/feature_summary.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"

static const int64_t window_days[COT_N_WINDOWS] = {7, 30, 60, 90, 180, 365};

static const int8_t activity_of_kind[128] = {
    [COT_EVENT_PAGE_VIEW] = COT_ACTIVITY_VIEWS,      [COT_EVENT_PRODUCT_VIEW] = COT_ACTIVITY_VIEWS,
    [COT_EVENT_LIST_VIEW] = COT_ACTIVITY_VIEWS,      [COT_EVENT_SEARCH] = COT_ACTIVITY_SEARCHES,
    [COT_EVENT_CART_ADD] = COT_ACTIVITY_CARTS,       [COT_EVENT_WISHLIST_ADD] = COT_ACTIVITY_WISHES,
    [COT_EVENT_REVIEW] = COT_ACTIVITY_WISHES,        [COT_EVENT_EMAIL_SENT] = COT_ACTIVITY_SENT,
    [COT_EVENT_EMAIL_OPEN] = COT_ACTIVITY_OPENS,     [COT_EVENT_EMAIL_CLICK] = COT_ACTIVITY_CLICKS,
    [COT_EVENT_CALL] = COT_ACTIVITY_CONTACTS,        [COT_EVENT_STORE_VISIT] = COT_ACTIVITY_CONTACTS,
    [COT_EVENT_COMPLAINT] = COT_ACTIVITY_COMPLAINTS,
}; /* 0 (orders) for kinds that are not counted by entry */

void cot_summary_scratch_release(struct cot_summary_scratch *scratch)
{
    free(scratch->weights);
    free(scratch->touched);
    *scratch = (struct cot_summary_scratch){0};
}

/* The smallest window that holds a moment, COT_N_WINDOWS: none. */
static unsigned window_of(int64_t as_of_ms, int64_t at_ms)
{
    unsigned window = 0;
    while (window < COT_N_WINDOWS && as_of_ms - at_ms >= window_days[window] * COT_MS_PER_DAY)
        window++;
    return window;
}

/* Entries, orders and sessions from the latest back to a year ago, then sums from small windows to large. */
static void summarise_windows(struct cot_customer *customer, const struct cot_fold *fold, const struct cot_run *run,
                              const struct cot_lines *lines)
{
    unsigned window;
    for (size_t i = fold->n_entries; i-- > 0;) {
        const struct cot_entry *entry = &run->entries[i];
        window = window_of(customer->as_of_ms, cot_entry_ms(entry));
        if (window == COT_N_WINDOWS)
            break;
        if (cot_entry_is_commerce(entry))
            customer->spend_minor[window] += lines->lines[entry->detail].amount_minor;
        else if (activity_of_kind[cot_entry_kind(entry) & 127] != 0)
            customer->counts[activity_of_kind[cot_entry_kind(entry) & 127]][window]++;
    }
    for (size_t i = fold->n_orders; i-- > 0;) {
        window = window_of(customer->as_of_ms, fold->orders[i].first_ms);
        if (window == COT_N_WINDOWS)
            break;
        customer->counts[COT_ACTIVITY_ORDERS][window]++;
    }
    for (size_t i = fold->n_sessions; i-- > 0;) {
        window = window_of(customer->as_of_ms, fold->sessions[i].first_ms);
        if (window == COT_N_WINDOWS)
            break;
        customer->counts[COT_ACTIVITY_SESSIONS][window]++;
    }
    for (window = 1; window < COT_N_WINDOWS; window++) {
        customer->spend_minor[window] += customer->spend_minor[window - 1];
        for (unsigned i = 0; i < COT_N_ACTIVITIES; i++)
            customer->counts[i][window] += customer->counts[i][window - 1];
    }
}

struct concentration {
    uint32_t n_lines;
    uint32_t n_distinct;
    uint32_t top;
    uint32_t top_lines;
    double entropy;
};

/* How a customer's lines spread over codes (categories or brands). Ties: the smaller code. */
static cot_code concentrate(struct concentration *ret, const struct cot_fold *fold,
                            const struct cot_catalogue *catalogue, bool brands, struct cot_summary_scratch *scratch,
                            struct cot_err *err)
{
    struct concentration result = {.top = COT_DICT_NONE, .entropy = NAN};
    size_t n_codes = brands ? catalogue->n_brands : catalogue->n_categories;
    size_t before = scratch->weights_capacity;
    void *weights = cot_array_reserve(scratch->weights, &scratch->weights_capacity, n_codes + 1, sizeof(uint32_t));
    if (weights != NULL)
        scratch->weights = weights;
    void *touched = cot_array_reserve(scratch->touched, &scratch->touched_capacity, n_codes + 1, sizeof(uint32_t));
    if (touched != NULL)
        scratch->touched = touched;
    if (weights == NULL || touched == NULL)
        return cot_fail(err, COT_NOMEM, "counters of %zu categories", n_codes);
    if (scratch->weights_capacity > before)
        memset(scratch->weights + before, 0, (scratch->weights_capacity - before) * sizeof *scratch->weights);
    for (size_t i = 0; i < fold->n_items; i++) {
        const struct cot_fold_item *item = &fold->items[i];
        if (item->item >= catalogue->n_items)
            continue;
        uint32_t code = brands ? catalogue->items[item->item].brand : catalogue->items[item->item].category;
        if (code == COT_DICT_NONE || item->n_lines == 0)
            continue;
        if (scratch->weights[code] == 0)
            scratch->touched[result.n_distinct++] = code;
        scratch->weights[code] += item->n_lines;
        result.n_lines += item->n_lines;
    }
    double sum = 0; /* of w ln w */
    for (uint32_t i = 0; i < result.n_distinct; i++) {
        uint32_t code = scratch->touched[i];
        uint32_t weight = scratch->weights[code];
        sum += (double)weight * log((double)weight);
        if (weight > result.top_lines || (weight == result.top_lines && code < result.top)) {
            result.top = code;
            result.top_lines = weight;
        }
        scratch->weights[code] = 0;
    }
    if (result.n_lines > 0)
        result.entropy = result.n_distinct > 1 ? log((double)result.n_lines) - sum / (double)result.n_lines : 0;
    *ret = result;
    return COT_OK;
}

static void summarise_items(struct cot_customer *customer, const struct cot_fold *fold,
                            const struct cot_catalogue *catalogue)
{
    int64_t since_ms = customer->as_of_ms - window_days[COT_WINDOW_90] * COT_MS_PER_DAY;
    double level_sum = 0;
    double paid_sum = 0;
    uint32_t n_level = 0;
    uint32_t n_paid = 0;
    for (size_t i = 0; i < fold->n_items; i++) {
        const struct cot_fold_item *item = &fold->items[i];
        customer->n_items_recent += item->last_ms > since_ms;
        customer->n_items_new += item->first_ms > since_ms;
        customer->n_item_orders += item->n_orders;
        customer->n_item_lines += item->n_lines;
        if (item->n_lines > customer->top_item_lines)
            customer->top_item_lines = item->n_lines;
        if (item->item >= catalogue->n_items || isnan(catalogue->log_price[item->item]))
            continue;
        level_sum += (double)item->n_lines * (double)catalogue->price_level[item->item];
        n_level += item->n_lines;
        paid_sum += item->log_price_sum - (double)item->n_priced * (double)catalogue->log_price[item->item];
        n_paid += item->n_priced;
    }
    customer->price_level = n_level > 0 ? level_sum / (double)n_level : NAN;
    customer->price_paid = n_paid > 0 ? paid_sum / (double)n_paid : NAN;
}

static void summarise_orders(struct cot_customer *customer, const struct cot_fold *fold)
{
    double mean = fold->n_orders > 0 ? (double)fold->gross_minor / (double)fold->n_orders : 0;
    for (size_t i = 0; i < fold->n_orders; i++) {
        double deviation = (double)fold->orders[i].gross_minor - mean;
        customer->order_value_m2 += deviation * deviation;
        customer->n_orders_discounted += fold->orders[i].discounted;
        customer->n_orders_returned += fold->orders[i].returned;
    }
}

static void summarise_engagement(struct cot_customer *customer, const struct cot_fold *fold)
{
    for (size_t i = 0; i < fold->n_sessions; i++) {
        const struct cot_fold_session *session = &fold->sessions[i];
        customer->n_session_events += session->n_events;
        if (session->cart_ms < 0 || (!session->bought && customer->as_of_ms - session->cart_ms < COT_MS_PER_DAY))
            continue;
        customer->n_carts++;
        customer->n_carts_abandoned += !session->bought;
    }
    for (size_t i = 0; i < fold->n_messages; i++) {
        const struct cot_fold_message *message = &fold->messages[i];
        customer->n_messages++;
        customer->n_messages_responded += message->responded;
        customer->n_emails += message->email;
        customer->n_emails_opened += message->email && message->opened;
        customer->n_emails_clicked += message->email && message->clicked;
    }
}

cot_code cot_summary_make(struct cot_customer *ret_customer, const struct cot_summary_input *input,
                          const struct cot_fold *fold, const struct cot_run *run, const struct cot_profile *profile,
                          const struct cot_prediction *prediction, struct cot_summary_scratch *scratch,
                          struct cot_err *err)
{
    struct concentration categories;
    struct concentration brands;
    struct cot_customer customer = {.as_of_ms = input->as_of_ms,
                                    .local_ms = cot_zone_local(input->fold.zone, input->as_of_ms),
                                    .minor_per_unit = input->minor_per_unit,
                                    .kind_since_ms = input->kind_since_ms,
                                    .fold = fold,
                                    .profile = profile,
                                    .prediction = *prediction};
    cot_code rc = concentrate(&categories, fold, input->catalogue, false, scratch, err);
    if (rc == COT_OK)
        rc = concentrate(&brands, fold, input->catalogue, true, scratch, err);
    if (rc != COT_OK)
        return rc;
    customer.n_category_lines = categories.n_lines;
    customer.n_categories = categories.n_distinct;
    customer.top_category = categories.top;
    customer.top_category_lines = categories.top_lines;
    customer.category_entropy = categories.entropy;
    customer.n_brand_lines = brands.n_lines;
    customer.n_brands = brands.n_distinct;
    customer.top_brand = brands.top;
    customer.top_brand_lines = brands.top_lines;
    summarise_windows(&customer, fold, run, input->fold.lines);
    summarise_items(&customer, fold, input->catalogue);
    summarise_orders(&customer, fold);
    summarise_engagement(&customer, fold);
    *ret_customer = customer;
    return COT_OK;
}
