/* Drawing a customer's latent vector from its segment's distributions. */
#include <math.h>

#include "base/civil.h"
#include "domain/simulation.h"

/* Customers join within this first part of the history, so that each is seen for a while. */
static const double joining_part = 0.3;

static double from_scale(enum cot_simulation_scale scale, double median, double deviation, double z)
{
    switch (scale) {
    case COT_SIMULATION_LOG: return median * exp(deviation * z);
    case COT_SIMULATION_LOGIT: {
        double odds = median / (1 - median) * exp(deviation * z);
        return odds / (1 + odds);
    }
    case COT_SIMULATION_LINEAR: break;
    }
    return median + deviation * z;
}

static void draw_dirichlet(struct cot_rng *rng, const double *parameters, size_t n, double *ret_shares)
{
    double sum = 0;
    for (size_t i = 0; i < n; i++)
        sum += ret_shares[i] = cot_rng_gamma(rng, parameters[i], 1);
    for (size_t i = 0; i < n; i++)
        ret_shares[i] = sum > 0 ? ret_shares[i] / sum : 1.0 / (double)n;
}

static size_t draw_segment(const struct cot_simulation *simulation, struct cot_rng *rng)
{
    double weights[COT_SIMULATION_MAX_SEGMENTS + COT_SIMULATION_N_OUTLIER_KINDS];
    size_t n = simulation->n_segments + COT_SIMULATION_N_OUTLIER_KINDS;
    for (size_t i = 0; i < n; i++)
        weights[i] = simulation->segments[i].weight;
    return cot_rng_choice(rng, weights, n);
}

/* The segment that a customer lives like: its own, or for an atypical one another by size. Outliers are typical. */
static size_t draw_behaviour(const struct cot_simulation *simulation, size_t segment, struct cot_rng *rng)
{
    double weights[COT_SIMULATION_MAX_SEGMENTS];
    bool atypical = cot_rng_uniform(rng) < simulation->options.atypical_share;
    if (!atypical || segment >= simulation->n_segments || simulation->n_segments < 2)
        return segment;
    for (size_t i = 0; i < simulation->n_segments; i++)
        weights[i] = i == segment ? 0 : simulation->segments[i].weight;
    return cot_rng_choice(rng, weights, simulation->n_segments);
}

/* Traits of the person that are told without a date. They lean on the segment, but say little of it. */
static void draw_person(const struct cot_simulation_segment *segment, struct cot_rng *rng,
                        struct cot_simulation_customer *c)
{
    static const double countries[] = {.78, .08, .05, .05, .04};
    c->country = (int)cot_rng_choice(rng, countries, sizeof countries / sizeof countries[0]);
    c->children = cot_rng_uniform(rng) < segment->children_share;
    c->household_size = 1 + (int)cot_rng_poisson(rng, c->children ? 1.2 : 0.6) + (c->children ? 1 : 0);
    double income = 0.55 * log(c->traits[COT_SIMULATION_ORDER_VALUE] / 55) + 0.8 * cot_rng_normal(rng);
    c->income_band = income < -0.8 ? 0 : income < -0.2 ? 1 : income < 0.4 ? 2 : income < 1.1 ? 3 : 4;
    c->n_devices = 1 + (cot_rng_uniform(rng) < 0.35) + (cot_rng_uniform(rng) < 0.15);
}

static void draw_times(const struct cot_simulation *simulation, struct cot_rng *rng, struct cot_simulation_customer *c)
{
    double span = (double)(simulation->end_ms - simulation->start_ms);
    double looking_days = cot_rng_exponential(rng, 1.0 / 8);
    c->first_ms = simulation->start_ms + (int64_t)(span * joining_part * cot_rng_uniform(rng));
    c->signup_ms = c->first_ms - (int64_t)(looking_days * (double)COT_MS_PER_DAY);
    if (c->signup_ms < simulation->start_ms)
        c->signup_ms = simulation->start_ms;
}

/* Ages of adults; and no single outlier may fill the files (nobody else comes near these limits). */
static void limit_traits(double *traits)
{
    traits[COT_SIMULATION_AGE] = fmin(fmax(traits[COT_SIMULATION_AGE], 18), 95);
    traits[COT_SIMULATION_SESSIONS] = fmin(traits[COT_SIMULATION_SESSIONS], 500);
    traits[COT_SIMULATION_VIEWS] = fmin(traits[COT_SIMULATION_VIEWS], 50);
    traits[COT_SIMULATION_EXTRA_LINES] = fmin(traits[COT_SIMULATION_EXTRA_LINES], 100);
    traits[COT_SIMULATION_ORDER_VALUE] = fmin(traits[COT_SIMULATION_ORDER_VALUE], 200000);
}

void cot_simulation_customer_draw(const struct cot_simulation *simulation, size_t index,
                                  struct cot_simulation_customer *ret_customer)
{
    struct cot_rng rng;
    struct cot_simulation_customer c = {.index = index};
    cot_simulation_rng(simulation, COT_SIMULATION_STREAM_LATENT, index, &rng);
    c.segment = draw_segment(simulation, &rng);
    c.outlier = c.segment >= simulation->n_segments;
    c.behaviour = draw_behaviour(simulation, c.segment, &rng);
    const struct cot_simulation_segment *segment = &simulation->segments[c.behaviour];
    if (segment->buys) {
        double mean = segment->orders_per_year / 365.25;
        c.purchase_rate = cot_rng_gamma(&rng, segment->rate_shape, segment->rate_shape / mean);
    }
    c.dropout = cot_rng_beta(&rng, segment->dropout_a, segment->dropout_b);
    for (size_t i = 0; i < COT_SIMULATION_N_TRAITS; i++)
        c.traits[i] = from_scale(cot_simulation_traits[i].scale, segment->traits[i], segment->deviations[i],
                                 cot_rng_normal(&rng));
    limit_traits(c.traits);
    draw_dirichlet(&rng, segment->categories, COT_SIMULATION_N_CATEGORIES, c.categories);
    draw_dirichlet(&rng, segment->channels, COT_SIMULATION_N_CHANNELS, c.channels);
    c.base_response = from_scale(COT_SIMULATION_LOGIT, segment->base_response, 0.4, cot_rng_normal(&rng));
    c.uplift = segment->uplift + 0.015 * cot_rng_normal(&rng);
    c.uplift = fmin(fmax(c.uplift, -c.base_response), 1 - c.base_response);
    draw_times(simulation, &rng, &c);
    draw_person(segment, &rng, &c);
    *ret_customer = c;
}
