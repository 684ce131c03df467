/* The simulated shop: its planted segments, its catalogue and its campaigns. */
#include "domain/simulation.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/civil.h"

const struct cot_simulation_trait_row cot_simulation_traits[COT_SIMULATION_N_TRAITS] = {
#define X(trait, name, scale, deviation) {name, scale, deviation},
    COT_SIMULATION_TRAITS(X)
#undef X
};

const char *const cot_simulation_categories[COT_SIMULATION_N_CATEGORIES] = {"grocery",     "home", "fashion", "beauty",
                                                                            "electronics", "toys", "sports",  "garden"};

const enum cot_channel cot_simulation_channels[COT_SIMULATION_N_CHANNELS] = {
    COT_CHANNEL_WEB, COT_CHANNEL_APP, COT_CHANNEL_STORE, COT_CHANNEL_MARKETPLACE};

const char *const cot_simulation_outlier_label = "outlier";

static const char *const nouns[COT_SIMULATION_N_CATEGORIES][4] = {
    {"coffee", "olive oil", "tea", "chocolate"},
    {"lamp", "cushion", "frying pan", "curtain"},
    {"dress", "jacket", "jeans", "trainers"},
    {"face cream", "perfume", "shampoo", "lipstick"},
    {"headphones", "keyboard", "camera", "speaker"},
    {"puzzle", "building set", "doll", "board game"},
    {"running shoes", "yoga mat", "tent", "bicycle helmet"},
    {"rose", "lawn mower", "plant pot", "garden chair"},
};

const char *const cot_simulation_search_terms[COT_SIMULATION_N_SEARCH_TERMS] = {
    "coffee",       "olive oil",  "tea",        "chocolate",     "lamp",     "cushion",    "frying pan",
    "curtain",      "dress",      "jacket",     "jeans",         "trainers", "face cream", "perfume",
    "shampoo",      "lipstick",   "headphones", "keyboard",      "camera",   "speaker",    "puzzle",
    "building set", "doll",       "board game", "running shoes", "yoga mat", "tent",       "bicycle helmet",
    "rose",         "lawn mower", "plant pot",  "garden chair"};

static const char *const brands[] = {"Alder", "Birch", "Cedar",   "Dovetail", "Elm",    "Fennel",
                                     "Gorse", "Hazel", "Juniper", "Kestrel",  "Linden", "Marram"};

/* Shares below sum to 1; the Dirichlet parameters are these times a concentration. */
static const double category_concentration = 9;
static const double channel_concentration = 9;
static const double rate_shape = 10;
static const double dropout_concentration = 20;

/* What the segments are, in the order of their sizes. Traits in the order of COT_SIMULATION_TRAITS. */
struct profile {
    const char *name;
    double orders_per_year, dropout;
    double traits[COT_SIMULATION_N_TRAITS];
    double categories[COT_SIMULATION_N_CATEGORIES];
    double channels[COT_SIMULATION_N_CHANNELS];
    double children_share, base_response, uplift, quantity;
};

/* clang-format off */
static const struct profile profiles[COT_SIMULATION_MAX_SEGMENTS] = {
    /*                     orders/y  leave  value lines  disc   ret   sess views  cart  srch  open  hour wkend age */
    {"mainstream",           5, 0.002, {  50,  0.9,  0.12, 0.03,  0.7,  2.0, 0.15, 0.15, 0.12,  18,  0.28, 46},
        {.05, .62, .05, .05, .07, .05, .05, .06}, {.80, .10, .06, .04}, .12, .05, .020, 1.2},
    {"bargain_hunters",      9, 0.002, {  24,  3.0,  0.75, 0.03,  2.4,  3.4, 0.50, 0.60, 0.65,  21,  0.40, 36},
        {.07, .08, .06, .65, .03, .05, .03, .03}, {.42, .05, .03, .50}, .10, .10, .080, 1.4},
    {"families",            14, 0.001, {  95,  5.5,  0.40, 0.06,  1.2,  2.4, 0.42, 0.30, 0.35,  14,  0.55, 37},
        {.16, .07, .04, .03, .03, .62, .03, .02}, {.20, .70, .05, .05}, .92, .12, .050, 1.5},
    {"lapsing",             12, 0.450, {  62,  0.7,  0.55, 0.10,  0.9,  2.6, 0.30, 0.35, 0.05,  16,  0.35, 31},
        {.03, .06, .06, .05, .05, .04, .68, .03}, {.30, .05, .05, .60}, .06, .02, .100, 1.1},
    {"premium",              7, 0.002, { 400,  0.9,  0.06, 0.07,  1.8,  5.5, 0.13, 0.12, 0.26,  16,  0.24, 48},
        {.02, .07, .04, .03, .74, .02, .06, .02}, {.83, .09, .05, .03}, .10, .06, .010, 1.1},
    {"store_regulars",      13, 0.001, {  28,  2.8,  0.06, 0.01, 0.15,  1.5, 0.10, 0.12, 0.05,  10,  0.10, 66},
        {.74, .05, .02, .03, .02, .01, .02, .11}, {.07, .01, .90, .02}, .04, .04, -.010, 1.3},
    {"fashion_returners",   10, 0.002, {  75,  2.0,  0.28, 0.38,  4.2,  5.0, 0.35, 0.32, 0.30,  21,  0.42, 25},
        {.02, .04, .76, .10, .03, .01, .03, .01}, {.10, .84, .03, .03}, .04, .08, .060, 1.1},
    {"gift_givers",          4, 0.025, { 130,  0.4,  0.05, 0.12,  0.4,  4.0, 0.20, 0.85, 0.06,  16,  0.75, 58},
        {.03, .05, .05, .04, .03, .04, .04, .72}, {.06, .02, .02, .90}, .06, .03, .040, 1.1},
    {"athletes",             9, 0.010, {  88,  0.9,  0.18, 0.14,  2.2,  2.4, 0.25, 0.50, 0.55,   7,  0.45, 31},
        {.06, .02, .10, .03, .06, .01, .70, .02}, {.50, .44, .03, .03}, .20, .09, .030, 1.1},
    {"stockpilers",          3, 0.012, { 220, 10.0,  0.55, 0.02,  0.3,  6.0, 0.55, 0.20, 0.25,  20,  0.60, 48},
        {.80, .10, .01, .04, .01, .02, .01, .01}, {.90, .04, .03, .03}, .60, .07, .020, 2.5},
};

static const struct profile outlier_profiles[COT_SIMULATION_N_OUTLIER_KINDS] = {
    {"wholesaler",          40, 0.005, {2600,  9.0,  0.55, 0.02,  0.8,  5.0, 0.30, 0.60, 0.15,  10,  0.04, 48},
        {.20, .20, .10, .10, .10, .10, .10, .10}, {.86, .02, .02, .10}, .35, .02, 0, 24},
    {"bot",                  0, 0.500, {  50,  1.0,  0.20, 0.05,   10,    5, 0.35, 0.50, 0.01,  12,  0.29, 40},
        {.125,.125,.125,.125,.125,.125,.125,.125},{.97, .01, .01, .01}, .35, .01, 0, 1},
    {"test_account",       500, 0.120, { 1.6,  0.3,  0.85, 0.65,  1.0,  1.5, 0.80, 0.05, 0.02,  14,  0.04, 40},
        {.125,.125,.125,.125,.125,.125,.125,.125},{.90, .08, .01, .01}, .35, .01, 0, 1},
};
static const double outlier_weights[COT_SIMULATION_N_OUTLIER_KINDS] = {.40, .30, .30};
/* Outliers differ among themselves more than customers do, above all in volume. */
static const double outlier_widening = 1.5, outlier_widening_log = 3.6;
/* clang-format on */

static void set_segment(const struct profile *profile, double weight, bool outlier,
                        const struct cot_simulation_options *options, struct cot_simulation_segment *ret_segment)
{
    double narrowing = 1 / (options->spread * options->spread); /* of variances */
    *ret_segment = (struct cot_simulation_segment){
        .name = profile->name,
        .weight = weight,
        .orders_per_year = profile->orders_per_year * options->activity,
        .rate_shape = rate_shape * narrowing,
        .dropout_a = dropout_concentration * profile->dropout,
        .dropout_b = dropout_concentration * (1 - profile->dropout),
        .children_share = profile->children_share,
        .base_response = profile->base_response,
        .uplift = profile->uplift,
        .quantity = profile->quantity,
        .buys = profile->orders_per_year > 0,
    };
    for (size_t i = 0; i < COT_SIMULATION_N_TRAITS; i++)
        ret_segment->deviations[i] = cot_simulation_traits[i].deviation * options->spread *
                                     (!outlier                                               ? 1
                                      : cot_simulation_traits[i].scale == COT_SIMULATION_LOG ? outlier_widening_log
                                                                                             : outlier_widening);
    memcpy(ret_segment->traits, profile->traits, sizeof ret_segment->traits);
    ret_segment->traits[COT_SIMULATION_SESSIONS] *= options->activity;
    for (size_t i = 0; i < COT_SIMULATION_N_CATEGORIES; i++)
        ret_segment->categories[i] = profile->categories[i] * category_concentration * narrowing;
    for (size_t i = 0; i < COT_SIMULATION_N_CHANNELS; i++)
        ret_segment->channels[i] = profile->channels[i] * channel_concentration * narrowing;
}

static void set_segments(struct cot_simulation *simulation)
{
    const struct cot_simulation_options *options = &simulation->options;
    size_t n = options->n_segments;
    double sum = 0;
    double sizes[COT_SIMULATION_MAX_SEGMENTS];
    simulation->n_segments = n;
    for (size_t i = 0; i < n; i++) /* from 20 down to 1 in equal steps */
        sum += sizes[i] = n > 1 ? 20 - 19 * (double)i / (double)(n - 1) : 1;
    for (size_t i = 0; i < n; i++)
        set_segment(&profiles[i], sizes[i] / sum * (1 - options->outlier_share), false, options,
                    &simulation->segments[i]);
    for (size_t i = 0; i < COT_SIMULATION_N_OUTLIER_KINDS; i++)
        set_segment(&outlier_profiles[i], outlier_weights[i] * options->outlier_share, true, options,
                    &simulation->segments[n + i]);
}

/* Each category has a ladder of prices in equal ratios, so that any order value can be met closely. */
static void set_products(struct cot_simulation *simulation)
{
    const double lowest = 1.5;
    const double ratio = 1.135;
    for (size_t i = 0; i < COT_SIMULATION_N_PRODUCTS; i++) {
        struct cot_simulation_product *product = &simulation->products[i];
        size_t category = i / COT_SIMULATION_LADDER;
        size_t rung = i % COT_SIMULATION_LADDER;
        double price = lowest * pow(ratio, (double)rung) * (1 + 0.01 * (double)category);
        product->price_minor = (int64_t)(price * 20 + 0.5) * 5 - 1; /* ends in 4 or 9 */
        product->cost_minor = (int64_t)((double)product->price_minor * (0.45 + 0.03 * (double)(i % 8)));
        product->category = cot_simulation_categories[category];
        product->brand = brands[(i * 7 + category) % (sizeof brands / sizeof brands[0])];
        snprintf(product->id, sizeof product->id, "P%04zu", i + 1);
        snprintf(product->name, sizeof product->name, "%s %s %zu", product->brand, nouns[category][rung % 4],
                 rung / 4 + 1);
    }
}

static void set_campaigns(struct cot_simulation *simulation)
{
    static const struct {
        const char *name, *type;
    } rows[COT_SIMULATION_N_CAMPAIGNS] = {{"Spring offer", "email"},   {"Come back", "email"}, {"App days", "push"},
                                          {"Free delivery", "coupon"}, {"New in", "email"},    {"Thank you", "coupon"}};
    int64_t span = simulation->end_ms - simulation->start_ms;
    for (int i = 0; i < COT_SIMULATION_N_CAMPAIGNS; i++) {
        struct cot_simulation_campaign *campaign = &simulation->campaigns[i];
        int64_t start = simulation->start_ms + span * (35 + 10 * i) / 100;
        snprintf(campaign->id, sizeof campaign->id, "K%02d", i + 1);
        campaign->name = rows[i].name;
        campaign->type = rows[i].type;
        campaign->start_ms = cot_ms_to_days(start) * COT_MS_PER_DAY;
        campaign->end_ms = campaign->start_ms + 14 * COT_MS_PER_DAY;
        if (campaign->end_ms > simulation->end_ms)
            campaign->end_ms = simulation->end_ms;
    }
}

cot_code cot_simulation_init(const struct cot_simulation_options *options, struct cot_simulation *ret_simulation,
                             struct cot_err *err)
{
    const double month_days = 365.25 / 12;
    if (options->n_customers < 1)
        return cot_fail(err, COT_USAGE, "a shop of 0 customers: give at least 1");
    if (options->n_segments < 1 || options->n_segments > COT_SIMULATION_MAX_SEGMENTS)
        return cot_fail(err, COT_USAGE, "%zu segments: give 1 to %d", options->n_segments, COT_SIMULATION_MAX_SEGMENTS);
    if (options->n_months < 1 || options->n_months > 120)
        return cot_fail(err, COT_USAGE, "%u months: give 1 to 120", options->n_months);
    if (!(options->outlier_share >= 0 && options->outlier_share <= 0.5))
        return cot_fail(err, COT_USAGE, "a share of outliers of %g: give 0 to 0.5", options->outlier_share);
    if (!(options->atypical_share >= 0 && options->atypical_share <= 0.5))
        return cot_fail(err, COT_USAGE, "a share of atypical customers of %g: give 0 to 0.5", options->atypical_share);
    if (!(options->spread > 0) || !(options->activity > 0))
        return cot_fail(err, COT_USAGE, "a spread of %g and an activity of %g: both are above 0", options->spread,
                        options->activity);
    memset(ret_simulation, 0, sizeof *ret_simulation);
    ret_simulation->options = *options;
    ret_simulation->end_ms = cot_days_from_civil(2026, 1, 1) * COT_MS_PER_DAY;
    ret_simulation->start_ms = ret_simulation->end_ms - (int64_t)(options->n_months * month_days) * COT_MS_PER_DAY;
    set_segments(ret_simulation);
    set_products(ret_simulation);
    set_campaigns(ret_simulation);
    return COT_OK;
}

const char *cot_simulation_label(const struct cot_simulation *simulation, const struct cot_simulation_customer *c)
{
    return c->outlier ? cot_simulation_outlier_label : simulation->segments[c->segment].name;
}

const char *cot_simulation_kind(const struct cot_simulation *simulation, const struct cot_simulation_customer *c)
{
    return c->outlier ? simulation->segments[c->segment].name : "customer";
}

double cot_simulation_expected_repeats(double purchase_rate, double dropout, double days)
{
    if (days <= 0)
        return 0;
    return dropout > 1e-12 ? -expm1(-purchase_rate * dropout * days) / dropout : purchase_rate * days;
}

void cot_simulation_rng(const struct cot_simulation *simulation, enum cot_simulation_stream stream, size_t index,
                        struct cot_rng *ret_rng)
{
    cot_rng_split(ret_rng, simulation->options.seed, (uint64_t)index * 4 + (uint64_t)stream);
}
