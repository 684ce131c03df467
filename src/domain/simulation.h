/*
 * A simulated shop: customers with planted segments, whose every parameter is known.
 *
 * A customer's segment fixes the distributions of a vector of latent parameters (purchase rate, dropout, order value,
 * basket, discount, returns, categories, channels, sessions, e-mail, habits); the customer's history is drawn from its
 * own vector and from nothing else. Given the latent vector, history and segment are independent: no method that sees
 * only the history can beat the Bayes classifier that sees the vector. bench/planted_segments.py computes that bound.
 *
 * Purchases follow the BG/NBD model (Fader, Hardie and Lee 2005, doi:10.1287/mksc.1040.0098): while alive a Poisson
 * process of rate lambda ~ Gamma, and after each repeat purchase the customer leaves for good with probability
 * p ~ Beta. Order values follow Gamma around a mean of the customer's own (compare Fader and Hardie's Gamma-Gamma).
 *
 * Pure logic: nothing here reads or writes files. The same seed gives the same customer whatever the number of threads
 * or the order of the calls: every customer has random generators of its own.
 */
#ifndef COT_DOMAIN_SIMULATION_H
#define COT_DOMAIN_SIMULATION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/rng.h"
#include "coterie/err.h"
#include "domain/event.h"

/* How a trait is spread within a segment: normal on this scale. */
enum cot_simulation_scale { COT_SIMULATION_LOG, COT_SIMULATION_LOGIT, COT_SIMULATION_LINEAR };

/*
 * Latent traits that are normal on their scale: constant, name in truth.csv, scale, standard deviation at default
 * difficulty. The segment's value is the median.
 */
#define COT_SIMULATION_TRAITS(X)                                                                                       \
    X(COT_SIMULATION_ORDER_VALUE, "mean_order_value", COT_SIMULATION_LOG, 0.50) /* major units, after discount */      \
    X(COT_SIMULATION_EXTRA_LINES, "extra_lines", COT_SIMULATION_LOG, 0.35)      /* lines of an order beyond one */     \
    X(COT_SIMULATION_DISCOUNT, "discount_share", COT_SIMULATION_LOGIT, 0.70)    /* of lines */                         \
    X(COT_SIMULATION_RETURNS, "return_share", COT_SIMULATION_LOGIT, 0.60)       /* of lines */                         \
    X(COT_SIMULATION_SESSIONS, "sessions_per_month", COT_SIMULATION_LOG, 0.45)  /* without an order */                 \
    X(COT_SIMULATION_VIEWS, "views_per_session", COT_SIMULATION_LOG, 0.30)                                             \
    X(COT_SIMULATION_CART, "cart_share", COT_SIMULATION_LOGIT, 0.60)     /* of sessions without an order */            \
    X(COT_SIMULATION_SEARCH, "search_share", COT_SIMULATION_LOGIT, 0.70) /* of sessions */                             \
    X(COT_SIMULATION_OPENS, "open_share", COT_SIMULATION_LOGIT, 0.70)    /* of newsletters */                          \
    X(COT_SIMULATION_HOUR, "hour", COT_SIMULATION_LINEAR, 2.0)           /* of the day, mean of what they do */        \
    X(COT_SIMULATION_WEEKEND, "weekend_share", COT_SIMULATION_LOGIT, 0.50)                                             \
    X(COT_SIMULATION_AGE, "age", COT_SIMULATION_LINEAR, 9.0)

enum cot_simulation_trait {
#define X(trait, name, scale, deviation) trait,
    COT_SIMULATION_TRAITS(X)
#undef X
        COT_SIMULATION_N_TRAITS
};

struct cot_simulation_trait_row {
    const char *name;
    enum cot_simulation_scale scale;
    double deviation;
};
extern const struct cot_simulation_trait_row cot_simulation_traits[COT_SIMULATION_N_TRAITS];

enum {
    COT_SIMULATION_N_CATEGORIES = 8,
    COT_SIMULATION_N_CHANNELS = 4, /* web, app, store, marketplace */
    COT_SIMULATION_MAX_SEGMENTS = 10,
    COT_SIMULATION_N_OUTLIER_KINDS = 3, /* wholesaler, bot, test account */
    COT_SIMULATION_LADDER = 48,         /* products of a category, on a ladder of prices */
    COT_SIMULATION_N_PRODUCTS = COT_SIMULATION_N_CATEGORIES * COT_SIMULATION_LADDER,
    COT_SIMULATION_N_CAMPAIGNS = 6,
    COT_SIMULATION_N_SEARCH_TERMS = 32
};

/* The distributions of a segment (or of a kind of outlier). */
struct cot_simulation_segment {
    const char *name;
    double weight;                                  /* share of all customers */
    double orders_per_year;                         /* mean of lambda, while alive */
    double rate_shape;                              /* lambda ~ Gamma(shape, shape / mean) */
    double dropout_a, dropout_b;                    /* p ~ Beta(a, b) */
    double traits[COT_SIMULATION_N_TRAITS];         /* medians */
    double deviations[COT_SIMULATION_N_TRAITS];     /* on the scales of the traits */
    double categories[COT_SIMULATION_N_CATEGORIES]; /* Dirichlet parameters */
    double channels[COT_SIMULATION_N_CHANNELS];     /* Dirichlet parameters */
    double children_share;                          /* of customers with children at home */
    double base_response, uplift;                   /* of campaigns: medians of the customers' own */
    double quantity;                                /* mean pieces of a line */
    bool buys;                                      /* false: looks only (bots) */
};

struct cot_simulation_options {
    uint64_t seed;
    size_t n_customers;
    size_t n_segments;     /* 1..COT_SIMULATION_MAX_SEGMENTS */
    unsigned n_months;     /* length of the history */
    double outlier_share;  /* 0..0.5 */
    double spread;         /* widens every latent distribution within a segment: 1 is the default difficulty */
    double atypical_share; /* of each segment's customers: they live like another segment, and no data can tell */
    double activity;       /* multiplies purchase rates, sessions and messages; 1 is the default */
    bool orders_only;      /* no sessions, messages or campaigns */
};

struct cot_simulation_product {
    char id[8];
    char name[48];
    const char *category;
    const char *brand;
    int64_t price_minor;
    int64_t cost_minor;
};

struct cot_simulation_campaign {
    char id[8];
    const char *name;
    const char *type;
    int64_t start_ms, end_ms;
};

/* The shop: what all customers share. Immutable once made; threads share it. */
struct cot_simulation {
    struct cot_simulation_options options;
    int64_t start_ms, end_ms; /* the history is within [start, end) */
    size_t n_segments;        /* without outliers */
    struct cot_simulation_segment segments[COT_SIMULATION_MAX_SEGMENTS + COT_SIMULATION_N_OUTLIER_KINDS];
    struct cot_simulation_product products[COT_SIMULATION_N_PRODUCTS];
    struct cot_simulation_campaign campaigns[COT_SIMULATION_N_CAMPAIGNS];
};

extern const char *const cot_simulation_categories[COT_SIMULATION_N_CATEGORIES];
extern const enum cot_channel cot_simulation_channels[COT_SIMULATION_N_CHANNELS];
extern const char *const cot_simulation_search_terms[COT_SIMULATION_N_SEARCH_TERMS];
extern const char *const cot_simulation_outlier_label; /* truth's segment of every outlier */

/* Fills ret_simulation. COT_USAGE names an option out of its range. */
cot_code cot_simulation_init(const struct cot_simulation_options *options, struct cot_simulation *ret_simulation,
                             struct cot_err *err) COT_MUST_CHECK;

/* One customer: everything that is true of them before anything happens. */
struct cot_simulation_customer {
    size_t index;     /* 0..n_customers-1 */
    size_t segment;   /* index into segments; >= n_segments: an outlier of that kind */
    size_t behaviour; /* the segment whose distributions the vector is drawn from: another one if atypical */
    bool outlier;
    double purchase_rate;                   /* lambda, orders a day while alive, beyond the first order */
    double dropout;                         /* p */
    double traits[COT_SIMULATION_N_TRAITS]; /* on their natural scales */
    double categories[COT_SIMULATION_N_CATEGORIES];
    double channels[COT_SIMULATION_N_CHANNELS];
    double base_response, uplift; /* probability without the campaign; what the campaign adds */
    int64_t first_ms;             /* BG/NBD's time 0: the first order (for those who don't buy: the first session) */
    int64_t signup_ms;
    int country, household_size, income_band, n_devices;
    bool children;
};

void cot_simulation_customer_draw(const struct cot_simulation *simulation, size_t index,
                                  struct cot_simulation_customer *ret_customer);

/* "outlier" or the segment's name; and "customer" or the kind of outlier. */
const char *cot_simulation_label(const struct cot_simulation *simulation, const struct cot_simulation_customer *c);
const char *cot_simulation_kind(const struct cot_simulation *simulation, const struct cot_simulation_customer *c);

/* A line of an order, or a refund of one (quantity negative, unit price net of discount). */
struct cot_simulation_line {
    int64_t at_ms;
    uint32_t order;     /* number within the customer, from 0; refunds count on after the orders */
    uint32_t refund_of; /* the order that a refund is of; UINT32_MAX: a sale */
    uint32_t product;
    int32_t quantity;
    int64_t unit_minor;
    int64_t discount_minor; /* of the whole line */
    uint8_t channel;        /* enum cot_channel */
    bool guest;             /* the shop knew the e-mail address only */
};

enum { COT_SIMULATION_NONE = 0xFFFF };

struct cot_simulation_event {
    int64_t at_ms;
    uint32_t session;  /* UINT32_MAX: none (messages) */
    uint32_t sequence; /* order of making, to sort equal times */
    uint16_t product;  /* COT_SIMULATION_NONE: none */
    uint16_t search_term;
    uint16_t newsletter; /* number of the month */
    uint8_t kind;        /* enum cot_event_kind */
    uint8_t channel;     /* enum cot_channel */
    uint8_t device;
    bool logged_in; /* the row carries the customer's id, not only the device's */
};

/* Being offered a campaign, or being held out of it. */
struct cot_simulation_response {
    int64_t assigned_ms;
    int64_t responded_ms; /* where responded */
    uint8_t campaign;
    bool treated;
    bool responded;
};

/* All that one customer did, each array in order of time. Reused from customer to customer; _release frees. */
struct cot_simulation_history {
    struct cot_simulation_line *lines;
    size_t n_lines, lines_capacity;
    struct cot_simulation_event *events;
    size_t n_events, events_capacity;
    struct cot_simulation_response responses[COT_SIMULATION_N_CAMPAIGNS];
    size_t n_responses;
    uint32_t n_orders;  /* without refunds */
    uint32_t n_refunds; /* lines refunded */
    uint32_t n_sessions;
    int64_t dropout_ms; /* when the customer left for good; INT64_MAX: alive at the end */
};

/* Overwrites history. COT_NOMEM. O(events log events). */
cot_code cot_simulation_history_draw(const struct cot_simulation *simulation,
                                     const struct cot_simulation_customer *customer,
                                     struct cot_simulation_history *history, struct cot_err *err) COT_MUST_CHECK;
void cot_simulation_history_release(struct cot_simulation_history *history);

/* Expected number of repeat orders within `days` of the first, given the customer's own rate and dropout. */
double cot_simulation_expected_repeats(double purchase_rate, double dropout, double days);

/* The generator of customer `index` for one purpose ("stream"); streams are independent. */
enum cot_simulation_stream { COT_SIMULATION_STREAM_LATENT, COT_SIMULATION_STREAM_HISTORY, COT_SIMULATION_STREAM_DIRT };
void cot_simulation_rng(const struct cot_simulation *simulation, enum cot_simulation_stream stream, size_t index,
                        struct cot_rng *ret_rng);

#endif
