#include "predict/propensity_view.h"

#include <math.h>
#include <string.h>

/* As many customers' worth of the wider share do narrower shares carry. */
static const double lean = 20;

static double log_odds(double p)
{
    const double edge = 1e-6;
    p = fmin(fmax(p, edge), 1 - edge);
    return log(p / (1 - p));
}

void cot_propensity_person_read(const struct cot_propensity_origin *origin, size_t i, int32_t until,
                                struct cot_propensity_person *person)
{
    memset(person, 0, sizeof *person);
    person->last = origin->n_categories;
    for (size_t d = origin->starts[i]; d < origin->starts[i + 1] && origin->days[d].day <= until; d++) {
        uint32_t k = origin->days[d].category;
        person->bought |= UINT64_C(1) << k;
        person->count[k] += 1;
        person->last_day[k] = origin->days[d].day;
        person->last = k;
    }
}

static uint64_t bought_after(const struct cot_propensity_origin *origin, size_t i, int32_t day)
{
    uint64_t bits = 0;
    for (size_t d = origin->starts[i + 1]; d-- > origin->starts[i] && origin->days[d].day > day;)
        bits |= UINT64_C(1) << origin->days[d].category;
    return bits;
}

/* ---- shares ---- */

struct counts {
    double n[COT_PROPENSITY_N_KINDS][COT_PROPENSITY_MOST + 1][COT_PROPENSITY_MOST];
    double came[COT_PROPENSITY_N_KINDS][COT_PROPENSITY_MOST + 1][COT_PROPENSITY_MOST];
};

static void count_shares(const struct cot_propensity_view *view, struct counts *counts)
{
    const struct cot_propensity_origin *origin = view->origin;
    int32_t before = origin->purchases->last_day - (int32_t)view->horizon;
    for (size_t i = 0; i < origin->purchases->n; i++) {
        struct cot_propensity_person person;
        if (origin->purchases->days[origin->purchases->starts[i]].day > before)
            continue;
        cot_propensity_person_read(origin, i, before, &person);
        uint64_t came = bought_after(origin, i, before);
        for (size_t k = 0; k < origin->n_categories; k++) {
            enum cot_propensity_kind kind = cot_propensity_kind_of(&person, k);
            counts->n[kind][person.last][k] += 1;
            counts->came[kind][person.last][k] += came >> k & 1 ? 1 : 0;
        }
    }
}

static void fill_shares(struct cot_propensity_view *view, const struct counts *counts)
{
    size_t n = view->origin->n_categories;
    for (int kind = 0; kind < COT_PROPENSITY_N_KINDS; kind++)
        for (size_t k = 0; k < n; k++) {
            double all = 0;
            double came = 0;
            for (size_t a = 0; a <= n; a++) {
                all += counts->n[kind][a][k];
                came += counts->came[kind][a][k];
            }
            double base = (came + 0.5) / (all + 1);
            view->base[kind][k] = base;
            for (size_t a = 0; a <= n; a++)
                view->after[kind][a][k] = (counts->came[kind][a][k] + lean * base) / (counts->n[kind][a][k] + lean);
        }
}

/* ---- what goes together ---- */

static void fill_follows(struct cot_propensity_view *view)
{
    const struct cot_propensity_origin *origin = view->origin;
    size_t n = origin->n_categories;
    double n_customers = (double)origin->purchases->n;
    double n_days = 0;
    for (size_t i = 0; i < origin->purchases->n; i++) {
        struct cot_propensity_person person;
        cot_propensity_person_read(origin, i, origin->purchases->last_day, &person);
        n_days += (double)(origin->purchases->starts[i + 1] - origin->purchases->starts[i]);
        for (size_t a = 0; a < n; a++) {
            view->share[a] += person.count[a];
            for (size_t b = 0; b < n && (person.bought >> a & 1) != 0; b++)
                view->follows[a][b] += person.bought >> b & 1 ? 1 : 0;
        }
    }
    double buyers[COT_PROPENSITY_MOST];
    for (size_t a = 0; a < n; a++)
        buyers[a] = view->follows[a][a];
    for (size_t a = 0; a < n; a++) {
        view->share[a] = n_days > 0 ? view->share[a] / n_days : 0;
        for (size_t b = 0; b < n && n_customers > 0; b++)
            view->follows[a][b] = (view->follows[a][b] + lean * buyers[b] / n_customers) / (buyers[a] + lean);
    }
}

void cot_propensity_view_fill(struct cot_propensity_view *view, const struct cot_propensity_origin *origin,
                              unsigned horizon)
{
    struct counts counts = {0};
    *view = (struct cot_propensity_view){.origin = origin, .horizon = horizon};
    count_shares(view, &counts);
    fill_shares(view, &counts);
    fill_follows(view);
}

/* ---- columns ---- */

/* The largest share of the buyers of a category that they buy who buy this one, too. */
static double best_follows(const struct cot_propensity_view *view, const struct cot_propensity_person *person, size_t k)
{
    double best = 0;
    for (size_t a = 0; a < view->origin->n_categories; a++)
        best = (person->bought >> a & 1) != 0 && a != k ? fmax(best, view->follows[a][k]) : best;
    return best;
}

void cot_propensity_columns(const struct cot_propensity_view *view, size_t i,
                            const struct cot_propensity_person *person, size_t k, double *ret)
{
    const double habit = 5; /* days with an order that speak of what one buys as loudly as what all do */
    const struct cot_purchases *p = view->origin->purchases;
    enum cot_propensity_kind kind = cot_propensity_kind_of(person, k);
    double orders = (double)(p->starts[i + 1] - p->starts[i]);
    double here = p->last_day - p->days[p->starts[i]].day + 1;
    double silent = p->last_day - p->days[p->starts[i + 1] - 1].day;
    double rate = orders / (here + view->horizon);
    double share = (person->count[k] + habit * view->share[k]) / (orders + habit);
    ret[0] = 1;
    ret[1] = log_odds(view->base[kind][k]);
    ret[2] = log_odds(view->after[kind][person->last][k]);
    ret[3] = log(view->horizon * rate * share + 1e-6);
    ret[4] = log1p(orders);
    ret[5] = log1p(silent / view->horizon);
    ret[6] = log1p(silent * rate);
    ret[7] = log1p(person->count[k]);
    ret[8] = kind == COT_PROPENSITY_AGAIN ? log1p((p->last_day - person->last_day[k]) / view->horizon) : 0;
    ret[9] = log_odds(best_follows(view, person, k));
}
