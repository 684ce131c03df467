/* What a customer does, drawn from its latent vector: orders, returns, sessions, newsletters, campaigns. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/civil.h"
#include "domain/simulation.h"

enum { MAX_LINES_OF_ORDER = 200, MAX_VIEWS = 400, NEWSLETTERS_A_MONTH_MAX = 8 };

static const double order_value_shape = 4; /* of one customer's orders: coefficient of variation 1/2 */
static const double after_dropout = 0.15;  /* of sessions, once the customer has left */

/* Everything a draw needs, so that the steps below stay small. */
struct drawing {
    const struct cot_simulation *simulation;
    const struct cot_simulation_customer *customer;
    const struct cot_simulation_segment *segment;
    struct cot_simulation_history *history;
    struct cot_rng rng;
    bool device_known[4]; /* a row has shown the device with the customer's id */
    cot_code rc;          /* the first failure; later additions do nothing */
};

static bool grow(void **array, size_t *capacity, size_t n, size_t item_size)
{
    if (n < *capacity)
        return true;
    size_t larger = *capacity < 64 ? 64 : *capacity * 2;
    void *moved = larger > SIZE_MAX / item_size ? NULL : realloc(*array, larger * item_size);
    if (moved == NULL)
        return false;
    *array = moved;
    *capacity = larger;
    return true;
}

static void add_line(struct drawing *d, const struct cot_simulation_line *line)
{
    struct cot_simulation_history *h = d->history;
    void *array = h->lines;
    if (!grow(&array, &h->lines_capacity, h->n_lines, sizeof *line)) {
        d->rc = COT_NOMEM;
        return;
    }
    h->lines = array;
    h->lines[h->n_lines++] = *line;
}

static void add_event(struct drawing *d, const struct cot_simulation_event *event)
{
    struct cot_simulation_history *h = d->history;
    void *array = h->events;
    if (event->at_ms >= d->simulation->end_ms)
        return;
    if (!grow(&array, &h->events_capacity, h->n_events, sizeof *event)) {
        d->rc = COT_NOMEM;
        return;
    }
    h->events = array;
    h->events[h->n_events] = *event;
    h->events[h->n_events].sequence = (uint32_t)h->n_events;
    h->n_events++;
}

static double trait(const struct drawing *d, enum cot_simulation_trait i)
{
    return d->customer->traits[i];
}

/* Moves a moment of the process to the customer's own hours and to the weekend or the week: by 3 days at most. */
static int64_t at_habit(struct drawing *d, int64_t at_ms)
{
    static const int to_weekend[7] = {-1, -2, 3, 2, 1, 0, 0};
    static const int to_week[7] = {0, 0, 0, 0, 0, -1, 1};
    int64_t day = cot_ms_to_days(at_ms);
    bool weekend = cot_rng_uniform(&d->rng) < trait(d, COT_SIMULATION_WEEKEND);
    int64_t moved = day + (weekend ? to_weekend : to_week)[cot_weekday(day)];
    double hour = trait(d, COT_SIMULATION_HOUR) + (d->segment->buys ? 2.5 : 12) * cot_rng_normal(&d->rng);
    hour -= 24 * floor(hour / 24);
    int64_t in_day = (int64_t)(hour * 3600) * COT_MS_PER_SECOND;
    if (in_day >= COT_MS_PER_DAY)
        in_day = COT_MS_PER_DAY - COT_MS_PER_SECOND;
    if (moved * COT_MS_PER_DAY >= d->simulation->start_ms && moved * COT_MS_PER_DAY < d->simulation->end_ms)
        day = moved;
    return day * COT_MS_PER_DAY + in_day;
}

static uint32_t draw_product(struct drawing *d, double price)
{
    size_t category = cot_rng_choice(&d->rng, d->customer->categories, COT_SIMULATION_N_CATEGORIES);
    const struct cot_simulation_product *rungs = &d->simulation->products[category * COT_SIMULATION_LADDER];
    size_t low = 0;
    size_t high = COT_SIMULATION_LADDER - 1;
    while (high - low > 1) { /* the two rungs around the price */
        size_t middle = (low + high) / 2;
        if ((double)rungs[middle].price_minor <= price * 100)
            low = middle;
        else
            high = middle;
    }
    double below = (double)rungs[low].price_minor;
    double above = (double)rungs[high].price_minor;
    double part = fmin(fmax((price * 100 - below) / (above - below), 0), 1);
    size_t rung = cot_rng_uniform(&d->rng) < part ? high : low; /* right on average */
    return (uint32_t)(category * COT_SIMULATION_LADDER + rung);
}

static void add_refund(struct drawing *d, const struct cot_simulation_line *sale)
{
    struct cot_simulation_line refund = *sale;
    double days = 3 + cot_rng_exponential(&d->rng, 1.0 / 7);
    refund.at_ms = sale->at_ms + (int64_t)(days * 86400) * COT_MS_PER_SECOND;
    if (refund.at_ms >= d->simulation->end_ms)
        return;
    refund.refund_of = sale->order;
    refund.quantity = -sale->quantity;
    refund.unit_minor = sale->unit_minor - sale->discount_minor / sale->quantity;
    refund.discount_minor = 0;
    refund.guest = false;
    d->history->n_refunds++;
    add_line(d, &refund);
}

static void add_order_line(struct drawing *d, const struct cot_simulation_line *order, double value)
{
    static const double depths[] = {.10, .15, .20, .25, .30, .40};
    struct cot_simulation_line line = *order;
    double discount = 0;
    if (cot_rng_uniform(&d->rng) < trait(d, COT_SIMULATION_DISCOUNT))
        discount = depths[cot_rng_below(&d->rng, sizeof depths / sizeof depths[0])];
    line.quantity = 1 + (int32_t)cot_rng_poisson(&d->rng, d->segment->quantity - 1);
    line.product = draw_product(d, value / (1 - discount) / line.quantity);
    line.unit_minor = d->simulation->products[line.product].price_minor;
    line.discount_minor = (int64_t)((double)line.unit_minor * discount + 0.5) * line.quantity;
    add_line(d, &line);
    if (cot_rng_uniform(&d->rng) < trait(d, COT_SIMULATION_RETURNS))
        add_refund(d, &line);
}

/* The lines share the order's value like a Dirichlet of parameter 2. */
static void add_order(struct drawing *d, int64_t at_ms, enum cot_channel channel)
{
    double parts[MAX_LINES_OF_ORDER];
    double sum = 0;
    struct cot_simulation_line order = {
        .at_ms = at_ms, .order = d->history->n_orders, .refund_of = UINT32_MAX, .channel = (uint8_t)channel};
    order.guest = channel == COT_CHANNEL_WEB && cot_rng_uniform(&d->rng) < 0.04;
    size_t n = 1 + (size_t)cot_rng_poisson(&d->rng, trait(d, COT_SIMULATION_EXTRA_LINES));
    if (n > MAX_LINES_OF_ORDER)
        n = MAX_LINES_OF_ORDER;
    double value = cot_rng_gamma(&d->rng, order_value_shape, order_value_shape / trait(d, COT_SIMULATION_ORDER_VALUE));
    for (size_t i = 0; i < n; i++)
        sum += parts[i] = cot_rng_gamma(&d->rng, 2, 1);
    for (size_t i = 0; i < n; i++)
        add_order_line(d, &order, value * parts[i] / sum);
    d->history->n_orders++;
}

/* One visit: pages, searches, views, perhaps a cart; where it ends in an order, the check-out. */
static void add_session(struct drawing *d, int64_t at_ms, enum cot_channel channel, bool ordering, bool guest)
{
    const struct cot_simulation_customer *c = d->customer;
    struct cot_simulation_event event = {.at_ms = at_ms,
                                         .session = d->history->n_sessions++,
                                         .product = COT_SIMULATION_NONE,
                                         .search_term = COT_SIMULATION_NONE,
                                         .newsletter = COT_SIMULATION_NONE,
                                         .channel = (uint8_t)channel};
    event.device = (uint8_t)cot_rng_below(&d->rng, (uint64_t)c->n_devices);
    /* On a new device the customer logs in at some time in the first session, so that its events are theirs; at once
     * where the history may end before. */
    bool new_device = !d->device_known[event.device];
    bool logs_in = new_device || (!guest && (ordering || cot_rng_uniform(&d->rng) < 0.5));
    event.logged_in = new_device && at_ms > d->simulation->end_ms - COT_MS_PER_DAY / 2;
    size_t n_views = cot_rng_poisson(&d->rng, fmax(trait(d, COT_SIMULATION_VIEWS) - 1, 0.2)) + 1;
    if (n_views > MAX_VIEWS)
        n_views = MAX_VIEWS;
    size_t login_view = logs_in ? cot_rng_below(&d->rng, n_views) : SIZE_MAX;
    bool carts = ordering || cot_rng_uniform(&d->rng) < trait(d, COT_SIMULATION_CART);
    double price = trait(d, COT_SIMULATION_ORDER_VALUE) / (1 + trait(d, COT_SIMULATION_EXTRA_LINES));

    event.kind = channel == COT_CHANNEL_APP ? COT_EVENT_APP_OPEN : COT_EVENT_PAGE_VIEW;
    add_event(d, &event);
    for (size_t i = 0; i < n_views; i++) {
        event.at_ms += (int64_t)(5 + cot_rng_exponential(&d->rng, 1.0 / 40)) * COT_MS_PER_SECOND;
        event.product = (uint16_t)draw_product(d, price * exp(0.4 * cot_rng_normal(&d->rng)));
        if (i == 0 && cot_rng_uniform(&d->rng) < trait(d, COT_SIMULATION_SEARCH)) {
            event.kind = COT_EVENT_SEARCH;
            event.search_term = (uint16_t)(event.product / COT_SIMULATION_LADDER * 4 + event.product % 4);
            uint16_t product = event.product;
            event.product = COT_SIMULATION_NONE;
            add_event(d, &event);
            event.product = product;
            event.search_term = COT_SIMULATION_NONE;
            event.at_ms += 8 * COT_MS_PER_SECOND;
        }
        event.logged_in = event.logged_in || i == login_view;
        event.kind = COT_EVENT_PRODUCT_VIEW;
        add_event(d, &event);
    }
    if (logs_in)
        d->device_known[event.device] = true;
    if (!carts)
        return;
    event.kind = COT_EVENT_CART_ADD;
    event.at_ms += 10 * COT_MS_PER_SECOND;
    add_event(d, &event);
    event.product = COT_SIMULATION_NONE;
    event.kind = COT_EVENT_CHECKOUT_START;
    event.at_ms += 30 * COT_MS_PER_SECOND;
    if (ordering || cot_rng_uniform(&d->rng) < 0.3)
        add_event(d, &event);
}

/* BG/NBD from first_ms on. Where the order is made on web or app, a session leads to it. */
static void draw_orders(struct drawing *d)
{
    const struct cot_simulation_customer *c = d->customer;
    bool with_sessions = !d->simulation->options.orders_only;
    double at_days = 0;
    if (!d->segment->buys)
        return;
    for (;;) {
        int64_t process_ms = c->first_ms + (int64_t)(at_days * (double)COT_MS_PER_DAY);
        if (process_ms >= d->simulation->end_ms || d->rc != COT_OK)
            return;
        int64_t at_ms = at_habit(d, process_ms);
        enum cot_channel channel =
            cot_simulation_channels[cot_rng_choice(&d->rng, c->channels, COT_SIMULATION_N_CHANNELS)];
        size_t first_line = d->history->n_lines;
        add_order(d, at_ms, channel);
        if (with_sessions && d->rc == COT_OK && (channel == COT_CHANNEL_WEB || channel == COT_CHANNEL_APP))
            add_session(d, at_ms - 10 * 60 * COT_MS_PER_SECOND, channel, true, d->history->lines[first_line].guest);
        if (at_days > 0 && cot_rng_uniform(&d->rng) < c->dropout) {
            d->history->dropout_ms = process_ms;
            return;
        }
        at_days += cot_rng_exponential(&d->rng, c->purchase_rate);
    }
}

/* Visits without an order: a Poisson process that all but ends when the customer has left. */
static void draw_sessions(struct drawing *d)
{
    const struct cot_simulation_customer *c = d->customer;
    double rate = trait(d, COT_SIMULATION_SESSIONS) / 30;
    double to_app = c->channels[1] / fmax(c->channels[0] + c->channels[1], 1e-9);
    for (double at = c->signup_ms; rate > 0 && d->rc == COT_OK;) {
        at += cot_rng_exponential(&d->rng, rate) * (double)COT_MS_PER_DAY;
        if (at >= (double)d->simulation->end_ms)
            return;
        if (at > (double)d->history->dropout_ms && cot_rng_uniform(&d->rng) >= after_dropout)
            continue;
        enum cot_channel channel = cot_rng_uniform(&d->rng) < to_app ? COT_CHANNEL_APP : COT_CHANNEL_WEB;
        add_session(d, at_habit(d, (int64_t)at), channel, false, false);
    }
}

/* Newsletters are sent on fixed days; those who have left open fewer. */
static void draw_newsletters(struct drawing *d)
{
    const struct cot_simulation *s = d->simulation;
    const int64_t month_ms = 30 * COT_MS_PER_DAY;
    double per_month = fmin(s->options.activity, NEWSLETTERS_A_MONTH_MAX);
    uint16_t newsletter = 0;
    for (int64_t at = s->start_ms + 9 * COT_MS_PER_HOUR; at < s->end_ms; at += month_ms, newsletter++) {
        int n = (int)per_month + (cot_rng_uniform(&d->rng) < per_month - floor(per_month));
        for (int i = 0; i < n && at + i * 3 * COT_MS_PER_DAY > d->customer->signup_ms && d->rc == COT_OK; i++) {
            struct cot_simulation_event event = {.at_ms = at + i * 3 * COT_MS_PER_DAY,
                                                 .session = UINT32_MAX,
                                                 .product = COT_SIMULATION_NONE,
                                                 .search_term = COT_SIMULATION_NONE,
                                                 .newsletter = newsletter,
                                                 .kind = COT_EVENT_EMAIL_SENT,
                                                 .channel = COT_CHANNEL_EMAIL,
                                                 .logged_in = true};
            double opens = trait(d, COT_SIMULATION_OPENS) * (event.at_ms > d->history->dropout_ms ? 0.5 : 1);
            add_event(d, &event);
            if (cot_rng_uniform(&d->rng) >= opens)
                continue;
            event.kind = COT_EVENT_EMAIL_OPEN;
            event.at_ms += (int64_t)(cot_rng_exponential(&d->rng, 1.0 / 20000) + 60) * COT_MS_PER_SECOND;
            add_event(d, &event);
            event.kind = COT_EVENT_EMAIL_CLICK;
            event.at_ms += 20 * COT_MS_PER_SECOND;
            if (cot_rng_uniform(&d->rng) < 0.3)
                add_event(d, &event);
        }
    }
}

/* A campaign offers a random half of those it takes in; the other half is its control. */
static void draw_responses(struct drawing *d)
{
    const struct cot_simulation_customer *c = d->customer;
    for (uint8_t i = 0; i < COT_SIMULATION_N_CAMPAIGNS; i++) {
        const struct cot_simulation_campaign *campaign = &d->simulation->campaigns[i];
        bool taken = cot_rng_uniform(&d->rng) < 0.25;
        if (!taken || c->signup_ms >= campaign->start_ms || campaign->start_ms >= campaign->end_ms)
            continue;
        struct cot_simulation_response response = {.campaign = i};
        response.treated = cot_rng_uniform(&d->rng) < 0.5;
        response.assigned_ms = campaign->start_ms + 9 * COT_MS_PER_HOUR;
        response.responded = cot_rng_uniform(&d->rng) < c->base_response + (response.treated ? c->uplift : 0);
        double room = (double)(campaign->end_ms - response.assigned_ms) / (double)COT_MS_PER_SECOND;
        response.responded_ms =
            response.assigned_ms + (int64_t)(cot_rng_uniform(&d->rng) * fmax(room, 0)) * COT_MS_PER_SECOND;
        d->history->responses[d->history->n_responses++] = response;
    }
}

static int compare_events(const void *a, const void *b)
{
    const struct cot_simulation_event *x = a;
    const struct cot_simulation_event *y = b;
    if (x->at_ms != y->at_ms)
        return x->at_ms < y->at_ms ? -1 : 1;
    return (x->sequence > y->sequence) - (x->sequence < y->sequence);
}

/* By time; then as drawn: sales before refunds, orders in their order, lines in theirs. */
static int compare_lines(const void *a, const void *b)
{
    const struct cot_simulation_line *x = a;
    const struct cot_simulation_line *y = b;
    if (x->at_ms != y->at_ms)
        return x->at_ms < y->at_ms ? -1 : 1;
    if (x->order != y->order)
        return x->order < y->order ? -1 : 1;
    if (x->product != y->product)
        return x->product < y->product ? -1 : 1;
    return (x->quantity > y->quantity) - (x->quantity < y->quantity);
}

cot_code cot_simulation_history_draw(const struct cot_simulation *simulation,
                                     const struct cot_simulation_customer *customer,
                                     struct cot_simulation_history *history, struct cot_err *err)
{
    struct drawing d = {.simulation = simulation,
                        .customer = customer,
                        .segment = &simulation->segments[customer->behaviour],
                        .history = history};
    history->n_lines = history->n_events = history->n_responses = 0;
    history->n_orders = history->n_refunds = history->n_sessions = 0;
    history->dropout_ms = INT64_MAX;
    cot_simulation_rng(simulation, COT_SIMULATION_STREAM_HISTORY, customer->index, &d.rng);
    draw_orders(&d);
    if (!simulation->options.orders_only) {
        draw_sessions(&d);
        draw_newsletters(&d);
        draw_responses(&d);
    }
    if (d.rc != COT_OK)
        return cot_fail(err, d.rc, "history of customer %zu", customer->index + 1);
    if (history->n_lines > 0)
        qsort(history->lines, history->n_lines, sizeof *history->lines, compare_lines);
    if (history->n_events > 0)
        qsort(history->events, history->n_events, sizeof *history->events, compare_events);
    return COT_OK;
}

void cot_simulation_history_release(struct cot_simulation_history *history)
{
    free(history->lines);
    free(history->events);
    *history = (struct cot_simulation_history){0};
}
