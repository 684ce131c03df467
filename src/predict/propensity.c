#include "predict/propensity.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "num/check.h"
#include "num/minimise.h"
#include "predict/league_score.h"
#include "predict/propensity_view.h"

/* Customers of an origin that are learned from, and tested: enough for a dozen weights and a loss of three digits. */
enum { SAMPLE = 2000 };

enum { BASE, LAST, REGRESSION };

static const struct cot_candidate candidates[COT_PROPENSITY_CANDIDATES] = {
    {"base_rate", "the share of all who bought in it in the last horizon", true},
    {"last_category", "that share of those who bought in the same category last", true},
    {"propensity", "logistic regression on both, own habits and what goes together", false},
};

struct cot_propensity {
    struct cot_propensity_origin origin; /* the newest */
    struct cot_purchases purchases;      /* its own */
    struct cot_propensity_view view;
    struct cot_propensity_score scores[COT_PROPENSITY_N_KINDS];
    double weights[COT_PROPENSITY_N_KINDS][COT_PROPENSITY_COLUMNS];
};

const struct cot_candidate *cot_propensity_candidates(void)
{
    return candidates;
}

const char *cot_propensity_name(enum cot_propensity_kind kind)
{
    return kind == COT_PROPENSITY_AGAIN ? "category_again" : "category_new";
}

const struct cot_propensity_score *cot_propensity_score(const struct cot_propensity *propensity,
                                                        enum cot_propensity_kind kind)
{
    return propensity->scores + kind;
}

void cot_propensity_free(struct cot_propensity *propensity)
{
    free(propensity);
}

static double chance_of(double log_odds)
{
    return 1 / (1 + exp(-log_odds));
}

/* ---- learning ---- */

/* Pairs of one kind: columns and outcomes. */
struct pairs {
    size_t n, capacity;
    float *columns; /* [n * COT_PROPENSITY_COLUMNS] */
    float *came, *weights;
    double total; /* of the weights */
};

static void pairs_release(struct pairs *pairs)
{
    free(pairs->columns);
    free(pairs->came);
    free(pairs->weights);
    *pairs = (struct pairs){0};
}

static size_t stride_of(size_t n)
{
    return n / SAMPLE + 1;
}

static cot_code pairs_init(struct pairs *pairs, const struct cot_propensity_view *views, size_t n, struct cot_err *err)
{
    *pairs = (struct pairs){0};
    for (size_t v = 0; v < n; v++) {
        size_t customers = views[v].origin->purchases->n;
        pairs->capacity += (customers / stride_of(customers) + 1) * views[v].origin->n_categories;
    }
    pairs->columns = cot_alloc_array(pairs->capacity, COT_PROPENSITY_COLUMNS, sizeof *pairs->columns);
    pairs->came = cot_alloc_array(pairs->capacity, 1, sizeof *pairs->came);
    pairs->weights = cot_alloc_array(pairs->capacity, 1, sizeof *pairs->weights);
    if (pairs->columns != NULL && pairs->came != NULL && pairs->weights != NULL)
        return COT_OK;
    pairs_release(pairs);
    return cot_fail(err, COT_NOMEM, "%zu pairs of a customer and a category", pairs->capacity);
}

static void pairs_add(struct pairs *pairs, const struct cot_propensity_view *view, enum cot_propensity_kind kind,
                      double weight)
{
    const struct cot_propensity_origin *origin = view->origin;
    for (size_t i = 0; i < origin->purchases->n; i += stride_of(origin->purchases->n)) {
        struct cot_propensity_person person;
        cot_propensity_person_read(origin, i, origin->purchases->last_day, &person);
        for (size_t k = 0; k < origin->n_categories; k++) {
            double columns[COT_PROPENSITY_COLUMNS];
            if (cot_propensity_kind_of(&person, k) != kind)
                continue;
            cot_propensity_columns(view, i, &person, k, columns);
            for (size_t c = 0; c < COT_PROPENSITY_COLUMNS; c++)
                pairs->columns[pairs->n * COT_PROPENSITY_COLUMNS + c] = (float)columns[c];
            pairs->came[pairs->n] = origin->came[i] >> k & 1 ? 1 : 0;
            pairs->weights[pairs->n++] = (float)weight;
            pairs->total += weight;
        }
    }
}

static double dot(const double *w, const float *columns)
{
    double sum = 0;
    for (size_t c = 0; c < COT_PROPENSITY_COLUMNS; c++)
        sum += w[c] * columns[c];
    return sum;
}

/* Mean log loss, with a pull to what the last category alone says, of one pair's weight. */
static double regression_loss(void *context, size_t n, const double *w, double *ret_gradient)
{
    const struct pairs *pairs = context;
    double value = 0;
    for (size_t c = 0; c < n; c++) {
        double off = w[c] - (c == 2 ? 1 : 0);
        value += off * off / pairs->total;
        ret_gradient[c] = 2 * off / pairs->total;
    }
    for (size_t p = 0; p < pairs->n; p++) {
        const float *columns = pairs->columns + p * COT_PROPENSITY_COLUMNS;
        double chance = chance_of(dot(w, columns));
        double weight = pairs->weights[p] / pairs->total;
        value -= weight * log(fmax(pairs->came[p] > 0 ? chance : 1 - chance, 1e-300));
        for (size_t c = 0; c < n; c++)
            ret_gradient[c] += weight * (chance - pairs->came[p]) * columns[c];
    }
    return value;
}

/* Weights by the outcomes of earlier origins, each counting half as much as the one after it; without any, what the
 * last category alone says. */
static cot_code learn(const struct cot_propensity_view *earlier, size_t n_earlier, enum cot_propensity_kind kind,
                      double ret_weights[COT_PROPENSITY_COLUMNS], struct cot_err *err)
{
    double low[COT_PROPENSITY_COLUMNS];
    double high[COT_PROPENSITY_COLUMNS];
    struct pairs pairs;
    double loss = 0;
    for (size_t c = 0; c < COT_PROPENSITY_COLUMNS; c++) {
        ret_weights[c] = c == 2 ? 1 : 0;
        low[c] = -20;
        high[c] = 20;
    }
    cot_code rc = pairs_init(&pairs, earlier, n_earlier, err);
    if (rc != COT_OK)
        return rc;
    for (size_t e = 0; e < n_earlier; e++)
        pairs_add(&pairs, earlier + e, kind, pow(0.5, (double)e));
    if (pairs.n > 0)
        rc = cot_minimise_until(regression_loss, &pairs, COT_PROPENSITY_COLUMNS, ret_weights, low, high, 1e-6, &loss,
                                NULL, err);
    pairs_release(&pairs);
    return rc;
}

/* ---- testing ---- */

static double say(const struct cot_propensity_view *view, size_t i, const struct cot_propensity_person *person,
                  size_t k, size_t candidate, const double *weights)
{
    enum cot_propensity_kind kind = cot_propensity_kind_of(person, k);
    double columns[COT_PROPENSITY_COLUMNS];
    float as_learned[COT_PROPENSITY_COLUMNS];
    if (candidate == BASE)
        return view->base[kind][k];
    if (candidate == LAST)
        return view->after[kind][person->last][k];
    cot_propensity_columns(view, i, person, k, columns);
    for (size_t c = 0; c < COT_PROPENSITY_COLUMNS; c++)
        as_learned[c] = (float)columns[c];
    return chance_of(dot(weights, as_learned));
}

/* What each candidate said of the pairs of a kind at the tested origins, and what came. */
struct said {
    size_t n;
    double *chances[COT_PROPENSITY_CANDIDATES], *came;
};

static void said_release(struct said *said)
{
    for (size_t c = 0; c < COT_PROPENSITY_CANDIDATES; c++)
        free(said->chances[c]);
    free(said->came);
}

static cot_code said_init(struct said *said, size_t n, struct cot_err *err)
{
    bool ok = true;
    *said = (struct said){.came = cot_alloc_array(n, 1, sizeof *said->came)};
    for (size_t c = 0; c < COT_PROPENSITY_CANDIDATES; c++) {
        said->chances[c] = cot_alloc_array(n, 1, sizeof *said->chances[c]);
        ok = ok && said->chances[c] != NULL;
    }
    return ok && said->came != NULL ? COT_OK : cot_fail(err, COT_NOMEM, "%zu predictions", n);
}

static void said_add(struct said *said, const struct cot_propensity_view *view, enum cot_propensity_kind kind,
                     const double *weights)
{
    const struct cot_propensity_origin *origin = view->origin;
    for (size_t i = 0; i < origin->purchases->n; i += stride_of(origin->purchases->n)) {
        struct cot_propensity_person person;
        cot_propensity_person_read(origin, i, origin->purchases->last_day, &person);
        for (size_t k = 0; k < origin->n_categories; k++) {
            if (cot_propensity_kind_of(&person, k) != kind)
                continue;
            for (size_t c = 0; c < COT_PROPENSITY_CANDIDATES; c++)
                said->chances[c][said->n] = say(view, i, &person, k, c, weights);
            said->came[said->n++] = origin->came[i] >> k & 1 ? 1 : 0;
        }
    }
}

static cot_code score(const struct said *said, uint64_t seed, struct cot_propensity_score *score, struct cot_err *err)
{
    cot_code rc = COT_OK;
    score->n = said->n;
    for (size_t c = 0; c < COT_PROPENSITY_CANDIDATES && said->n > 0 && rc == COT_OK; c++) {
        rc = cot_league_score(COT_QUESTION_CHURN, said->chances[c], said->came, said->n, seed, score->candidates + c,
                              err);
        if (score->candidates[c].score < score->candidates[score->best].score)
            score->best = c;
        if (candidates[c].naive && score->candidates[c].score < score->candidates[score->best_naive].score)
            score->best_naive = c;
    }
    score->serves = candidates[score->best].naive ? score->best_naive : score->best;
    return rc;
}

static cot_code test(const struct cot_propensity_view *views, size_t n_views, unsigned n_folds,
                     enum cot_propensity_kind kind, uint64_t seed, struct cot_propensity_score *ret_score,
                     struct cot_err *err)
{
    struct said said = {0};
    size_t n = 0;
    ret_score->n_folds = n_folds;
    for (size_t v = 1; v <= n_folds; v++) {
        size_t customers = views[v].origin->purchases->n;
        n += (customers / stride_of(customers) + 1) * views[v].origin->n_categories;
    }
    cot_code rc = said_init(&said, n, err);
    for (size_t v = 1; v <= n_folds && rc == COT_OK; v++) {
        double weights[COT_PROPENSITY_COLUMNS];
        rc = learn(views + v + 1, n_views - v - 1, kind, weights, err);
        if (rc == COT_OK)
            said_add(&said, views + v, kind, weights);
    }
    if (rc == COT_OK)
        rc = score(&said, seed, ret_score, err);
    said_release(&said);
    return rc;
}

/* ---- all ---- */

cot_code cot_propensity_run(const struct cot_propensity_origin *origins, size_t n_origins, unsigned horizon,
                            unsigned n_folds, uint64_t seed, struct cot_propensity **ret_propensity,
                            struct cot_err *err)
{
    struct cot_propensity *propensity = NULL;
    struct cot_propensity_view *views = NULL;
    cot_code rc = COT_OK;
    if (n_origins == 0 || origins[0].n_categories < 2) {
        *ret_propensity = NULL;
        return COT_OK;
    }
    propensity = calloc(1, sizeof *propensity);
    views = cot_alloc_array(n_origins, 1, sizeof *views);
    if (propensity == NULL || views == NULL) {
        rc = cot_fail(err, COT_NOMEM, "categories at %zu origins", n_origins);
        goto out;
    }
    for (size_t v = 0; v < n_origins; v++)
        cot_propensity_view_fill(views + v, origins + v, horizon);
    for (int kind = 0; kind < COT_PROPENSITY_N_KINDS && rc == COT_OK; kind++) {
        rc = test(views, n_origins, n_folds, (enum cot_propensity_kind)kind, seed, propensity->scores + kind, err);
        if (rc == COT_OK)
            rc = learn(views + 1, n_origins - 1, (enum cot_propensity_kind)kind, propensity->weights[kind], err);
    }
    if (rc != COT_OK)
        goto out;
    propensity->purchases = *origins[0].purchases;
    propensity->origin = origins[0];
    propensity->origin.purchases = &propensity->purchases;
    propensity->view = views[0];
    propensity->view.origin = &propensity->origin;
    *ret_propensity = propensity;
    propensity = NULL;
out:
    cot_propensity_free(propensity);
    free(views);
    return rc;
}

uint64_t cot_propensity_chances(const struct cot_propensity *propensity, size_t i,
                                double ret_chances[COT_PROPENSITY_MOST])
{
    const struct cot_propensity_view *view = &propensity->view;
    struct cot_propensity_person person;
    cot_propensity_person_read(view->origin, i, view->origin->purchases->last_day, &person);
    for (size_t k = 0; k < view->origin->n_categories; k++) {
        enum cot_propensity_kind kind = cot_propensity_kind_of(&person, k);
        ret_chances[k] = say(view, i, &person, k, propensity->scores[kind].serves, propensity->weights[kind]);
    }
    return person.bought;
}

double cot_propensity_follows(const struct cot_propensity *propensity, size_t a, size_t b)
{
    return propensity->view.follows[a][b];
}
