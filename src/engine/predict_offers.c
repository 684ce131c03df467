#include "engine/predict_offers.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "domain/value_tier.h"
#include "engine/predict_customer.h"
#include "num/order.h"

struct offer {
    double gain, chance, follows;
    size_t i; /* row of league->now */
    unsigned category, because;
};

static int offer_compare(const void *left, const void *right)
{
    const struct offer *a = left;
    const struct offer *b = right;
    if (a->gain != b->gain)
        return a->gain > b->gain ? -1 : 1;
    return (a->i > b->i) - (a->i < b->i);
}

/* ---- cross-sell ---- */

/* Mean spend of a day with an order in each category. */
static void order_values(const struct cot_shop_league *league, double ret_values[COT_PROPENSITY_MOST])
{
    const struct cot_propensity_origin *view = &league->now.categories.view;
    double n[COT_PROPENSITY_MOST] = {0};
    memset(ret_values, 0, COT_PROPENSITY_MOST * sizeof *ret_values);
    for (size_t d = 0; d < view->starts[league->now.league.purchases.n]; d++) {
        n[view->days[d].category] += 1;
        ret_values[view->days[d].category] += view->days[d].amount;
    }
    for (size_t k = 0; k < view->n_categories; k++)
        ret_values[k] = n[k] > 0 ? ret_values[k] / n[k] : 0;
}

/* The category that they buy whose buyers most often buy this one, too. */
static unsigned reason_for(const struct cot_propensity *propensity, uint64_t bought, unsigned k)
{
    unsigned because = 0;
    double best = -1;
    for (unsigned a = 0; a < COT_PROPENSITY_MOST; a++) {
        double follows = bought >> a & 1 ? cot_propensity_follows(propensity, a, k) : -1;
        because = follows > best ? a : because;
        best = fmax(best, follows);
    }
    return because;
}

/* Of the categories that a customer has not bought in, the one with the largest gain; none of who has bought in none.
 */
static struct offer best_category(const struct cot_shop_league *league, const struct cot_propensity *propensity,
                                  const double *values, size_t i)
{
    double chances[COT_PROPENSITY_MOST];
    uint64_t bought = cot_propensity_chances(propensity, i, chances);
    struct offer best = {.i = i};
    for (unsigned k = 0; k < league->now.categories.view.n_categories && bought != 0; k++)
        if ((bought >> k & 1) == 0 && chances[k] * values[k] > best.gain) {
            unsigned because = reason_for(propensity, bought, k);
            best = (struct offer){
                chances[k] * values[k], chances[k], cot_propensity_follows(propensity, because, k), i, k, because};
        }
    return best;
}

static yyjson_mut_val *add_row(const struct cot_shop_league *league, const struct offer *offer, const char *tiers,
                               yyjson_mut_doc *doc, yyjson_mut_val *rows)
{
    char buffer[COT_ANONYMOUS_ID_SIZE];
    const char tier[] = {tiers[offer->i], '\0'};
    size_t size = 0;
    const char *id = cot_predict_customer_id(league, offer->i, buffer, &size);
    yyjson_mut_val *row = yyjson_mut_arr_add_obj(doc, rows);
    yyjson_mut_obj_add_strncpy(doc, row, "customer_id", id, size);
    yyjson_mut_obj_add_strcpy(doc, row, "tier", tier);
    return row;
}

/* Who says the chances, and what that was worth. */
static void add_tested(const struct cot_propensity_score *score, yyjson_mut_doc *doc, yyjson_mut_val *object)
{
    const struct cot_candidate *candidates = cot_propensity_candidates();
    yyjson_mut_val *tested = yyjson_mut_obj_add_obj(doc, object, "cross_sell_tested");
    yyjson_mut_obj_add_str(doc, tested, "model", candidates[score->serves].name);
    yyjson_mut_obj_add_str(doc, tested, "title", candidates[score->serves].title);
    yyjson_mut_obj_add_str(doc, tested, "measure", cot_question_measure(COT_QUESTION_CHURN));
    cot_json_add_number(doc, tested, "score", score->candidates[score->serves].score);
    yyjson_mut_obj_add_str(doc, tested, "naive", candidates[score->best_naive].name);
    cot_json_add_number(doc, tested, "naive_score", score->candidates[score->best_naive].score);
}

static void add_cross_sell(const struct cot_shop_league *league, const struct cot_propensity *propensity,
                           const char *tiers, double uplift, size_t top, struct offer *offers, yyjson_mut_doc *doc,
                           yyjson_mut_val *object)
{
    const struct cot_propensity_score *score =
        propensity != NULL ? cot_propensity_score(propensity, COT_PROPENSITY_NEW) : NULL;
    double values[COT_PROPENSITY_MOST];
    size_t n_offers = 0;
    if (score == NULL || score->n_folds == 0) { /* no categories, or nobody knows what chances are worth */
        yyjson_mut_obj_add_null(doc, object, "cross_sell");
        yyjson_mut_obj_add_null(doc, object, "cross_sell_tested");
        return;
    }
    order_values(league, values);
    for (size_t i = 0; i < league->now.league.purchases.n; i++) {
        struct offer best = best_category(league, propensity, values, i);
        if (best.gain > 0)
            offers[n_offers++] = best;
    }
    qsort(offers, n_offers, sizeof *offers, offer_compare);
    yyjson_mut_val *rows = yyjson_mut_obj_add_arr(doc, object, "cross_sell");
    char *const *names = league->now.categories.names;
    for (size_t k = 0; k < n_offers && k < top; k++) {
        const struct offer *offer = offers + k;
        yyjson_mut_val *row = add_row(league, offer, tiers, doc, rows);
        yyjson_mut_obj_add_strcpy(doc, row, "category", names[offer->category]);
        yyjson_mut_obj_add_strcpy(doc, row, "because", names[offer->because]);
        yyjson_mut_obj_add_real(doc, row, "follows", offer->follows);
        yyjson_mut_obj_add_real(doc, row, "chance", offer->chance);
        yyjson_mut_obj_add_real(doc, row, "order", values[offer->category]);
        yyjson_mut_obj_add_real(doc, row, "gain", uplift * offer->gain);
    }
    add_tested(score, doc, object);
}

/* ---- up-sell ---- */

static double order_value(const struct cot_shop_league *league, size_t i)
{
    struct cot_predict_past past = cot_predict_past(league, i);
    return past.spend / past.orders;
}

/* Median spend a day with an order in each tier; 0 where the tier has nobody. */
static cot_code tier_medians(const struct cot_shop_league *league, const char *tiers, double ret[COT_N_VALUE_TIERS],
                             struct cot_err *err)
{
    size_t n = league->now.league.purchases.n;
    double *values = malloc((n + 1) * sizeof *values);
    if (values == NULL)
        return cot_fail(err, COT_NOMEM, "%zu customers", n);
    for (size_t t = 0; t < COT_N_VALUE_TIERS; t++) {
        size_t m = 0;
        for (size_t i = 0; i < n; i++)
            if (tiers[i] == cot_value_tier_name(t))
                values[m++] = order_value(league, i);
        qsort(values, m, sizeof *values, cot_compare_doubles);
        ret[t] = m > 0 ? values[m / 2] : 0;
    }
    free(values);
    return COT_OK;
}

static cot_code add_up_sell(const struct cot_shop_league *league, const double *orders, const char *tiers,
                            double uplift, size_t top, struct offer *offers, yyjson_mut_doc *doc,
                            yyjson_mut_val *object, struct cot_err *err)
{
    double medians[COT_N_VALUE_TIERS];
    size_t n_offers = 0;
    cot_code rc = tier_medians(league, tiers, medians, err);
    if (rc != COT_OK)
        return rc;
    for (size_t i = 0; i < league->now.league.purchases.n; i++) {
        double gap = medians[tiers[i] - 'A'] - order_value(league, i);
        if (gap > 0 && orders[i] > 0 && cot_predict_past(league, i).orders > 1) /* one order tells no habit */
            offers[n_offers++] = (struct offer){.gain = gap * orders[i], .i = i};
    }
    qsort(offers, n_offers, sizeof *offers, offer_compare);
    yyjson_mut_val *rows = yyjson_mut_obj_add_arr(doc, object, "up_sell");
    for (size_t k = 0; k < n_offers && k < top; k++) {
        yyjson_mut_val *row = add_row(league, offers + k, tiers, doc, rows);
        yyjson_mut_obj_add_real(doc, row, "order", order_value(league, offers[k].i));
        yyjson_mut_obj_add_real(doc, row, "usual", medians[tiers[offers[k].i] - 'A']);
        yyjson_mut_obj_add_real(doc, row, "orders", orders[offers[k].i]);
        yyjson_mut_obj_add_real(doc, row, "gain", uplift * offers[k].gain);
    }
    return COT_OK;
}

cot_code cot_predict_offers_add(const struct cot_shop_league *league, size_t h, const char *tiers, double uplift,
                                size_t top, yyjson_mut_doc *doc, yyjson_mut_val *root, struct cot_err *err)
{
    const double *orders = league->results[h][COT_QUESTION_ORDERS].served.predicted;
    struct offer *offers = calloc(league->now.league.purchases.n + 1, sizeof *offers);
    char assumes[160];
    if (offers == NULL)
        return cot_fail(err, COT_NOMEM, "%zu customers", league->now.league.purchases.n);
    yyjson_mut_val *object = yyjson_mut_obj_add_obj(doc, root, "offers");
    snprintf(assumes, sizeof assumes,
             "assumes uplift %g: that an offer brings this share of what is open, which no holdout has measured yet",
             uplift);
    yyjson_mut_obj_add_uint(doc, object, "days", league->horizons[h]);
    yyjson_mut_obj_add_real(doc, object, "uplift", uplift);
    yyjson_mut_obj_add_strcpy(doc, object, "assumes", assumes);
    add_cross_sell(league, league->propensities[h], tiers, uplift, top, offers, doc, object);
    cot_code rc = add_up_sell(league, orders, tiers, uplift, top, offers, doc, object, err);
    free(offers);
    return rc;
}
