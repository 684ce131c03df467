#include "engine/predict_offers.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "domain/value_tier.h"
#include "engine/predict_customer.h"
#include "num/order.h"

/* Categories that are looked at: those with the most buyers. */
enum { MOST_CATEGORIES = 64 };

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

/* Who buys which categories, and what an order in one is worth. */
struct categories {
    size_t n;
    uint32_t codes[MOST_CATEGORIES]; /* of the catalogue */
    uint64_t *bought;                /* [customers] bits */
    double buyers[MOST_CATEGORIES], orders[MOST_CATEGORIES], spend[MOST_CATEGORIES];
    double days[MOST_CATEGORIES]; /* with any order, of the category's buyers */
    double both[MOST_CATEGORIES][MOST_CATEGORIES];
};

/* ---- counting ---- */

/* Room for looking at one customer after the other. */
struct walk {
    const struct cot_shop_league *league;
    struct cot_view view;
};

static cot_code lines_of(struct walk *w, size_t i, struct cot_run *ret_run, struct cot_err *err)
{
    const struct cot_history *history = &w->league->shop->history;
    uint32_t customer = cot_shop_customer_of(w->league->shop, w->league->now.nodes[i]);
    uint32_t begin = history->people.starts[customer];
    cot_code rc = cot_view_make(&w->view, &history->timelines, history->people.nodes + begin,
                                history->people.starts[customer + 1] - begin, ret_run, err);
    if (rc == COT_OK)
        ret_run->n = cot_run_until(ret_run, history->as_of_ms);
    return rc;
}

static uint32_t category_of(const struct cot_history *history, const struct cot_entry *entry)
{
    if (cot_entry_kind(entry) != COT_EVENT_ORDER_LINE || entry->item >= history->catalogue.n_items)
        return COT_DICT_NONE;
    return history->catalogue.items[entry->item].category;
}

static cot_code choose_categories(struct walk *w, struct categories *c, struct cot_err *err)
{
    const struct cot_history *history = &w->league->shop->history;
    size_t n_codes = history->catalogue.n_categories;
    struct count {
        uint64_t n, last;
    } *counts = calloc(n_codes + 1, sizeof *counts);
    cot_code rc = counts == NULL ? cot_fail(err, COT_NOMEM, "%zu categories", n_codes) : COT_OK;
    for (size_t i = 0; i < w->league->now.league.purchases.n && rc == COT_OK; i++) {
        struct cot_run run = {0};
        rc = lines_of(w, i, &run, err);
        for (size_t e = 0; e < run.n && rc == COT_OK; e++) {
            uint32_t code = category_of(history, run.entries + e);
            if (code < n_codes && counts[code].last != i + 1) {
                counts[code].last = i + 1;
                counts[code].n++;
            }
        }
    }
    for (; rc == COT_OK && c->n < MOST_CATEGORIES; c->n++) {
        size_t best = 0;
        for (size_t code = 1; code < n_codes; code++)
            best = counts[code].n > counts[best].n ? code : best;
        if (n_codes == 0 || counts[best].n < 2)
            break;
        c->codes[c->n] = (uint32_t)best;
        counts[best].n = 0;
    }
    free(counts);
    return rc;
}

static unsigned place_of(const struct categories *c, uint32_t code)
{
    unsigned k = 0;
    while (k < c->n && c->codes[k] != code)
        k++;
    return k;
}

static cot_code count_customer(struct walk *w, struct categories *c, size_t i, struct cot_err *err)
{
    const struct cot_shop *shop = w->league->shop;
    const struct cot_purchases *p = &w->league->now.league.purchases;
    int32_t last_day[MOST_CATEGORIES];
    struct cot_run run = {0};
    cot_code rc = lines_of(w, i, &run, err);
    for (size_t k = 0; k < c->n; k++)
        last_day[k] = INT32_MIN;
    for (size_t e = 0; e < run.n && rc == COT_OK; e++) {
        unsigned k = place_of(c, category_of(&shop->history, run.entries + e));
        if (k == c->n)
            continue;
        const struct cot_line *line = &shop->history.timelines.lines.lines[run.entries[e].detail];
        int32_t day = cot_shop_day(shop, cot_entry_ms(run.entries + e));
        c->spend[k] += (double)line->amount_minor / shop->history.minor_per_unit;
        c->orders[k] += day > last_day[k];
        last_day[k] = day > last_day[k] ? day : last_day[k];
        c->bought[i] |= UINT64_C(1) << k;
    }
    for (unsigned a = 0; a < c->n && rc == COT_OK; a++) {
        if ((c->bought[i] >> a & 1) == 0)
            continue;
        c->buyers[a] += 1;
        c->days[a] += (double)(p->starts[i + 1] - p->starts[i]);
        for (unsigned b = 0; b < c->n; b++)
            c->both[a][b] += c->bought[i] >> b & 1 ? 1 : 0;
    }
    return rc;
}

/* ---- cross-sell ---- */

/*
 * Of the categories a customer does not buy, the one with the largest gain. Of the buyers of one category a share buys
 * the other, too, in so many orders: that is a chance an order, which expected orders turn into one within the horizon.
 */
static struct offer best_category(const struct categories *c, size_t i, double n_customers, double orders)
{
    const double lean = 20; /* buyers' worth of the share of all, for rare pairs */
    struct offer best = {.i = i};
    for (unsigned b = 0; b < c->n; b++) {
        double follows = 0;
        unsigned because = 0;
        double all = c->buyers[b] / n_customers;
        if (c->bought[i] >> b & 1)
            continue;
        for (unsigned a = 0; a < c->n; a++) {
            if ((c->bought[i] >> a & 1) == 0)
                continue;
            double share = (c->both[a][b] + lean * all) / (c->buyers[a] + lean);
            because = share > follows ? a : because;
            follows = share > follows ? share : follows;
        }
        double chance = 1 - exp(-orders * follows * c->buyers[b] / c->days[b]);
        double gain = chance * c->spend[b] / c->orders[b];
        if (gain > best.gain)
            best = (struct offer){gain, chance, follows, i, b, because};
    }
    return best;
}

static void add_text(yyjson_mut_doc *doc, yyjson_mut_val *row, const char *key, const struct cot_dict *dict,
                     uint32_t code)
{
    const struct cot_dict_entry *entry = cot_dict_entry(dict, code);
    yyjson_mut_obj_add_strncpy(doc, row, key, entry->text, entry->size);
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

static void add_cross_sell(const struct cot_shop_league *league, const struct categories *c, const double *orders,
                           const char *tiers, double uplift, size_t top, struct offer *offers, yyjson_mut_doc *doc,
                           yyjson_mut_val *object)
{
    size_t n = league->now.league.purchases.n;
    size_t n_offers = 0;
    if (c->n < 2) {
        yyjson_mut_obj_add_null(doc, object, "cross_sell");
        return;
    }
    for (size_t i = 0; i < n; i++) {
        struct offer best = c->bought[i] != 0 ? best_category(c, i, (double)n, orders[i]) : (struct offer){.i = i};
        if (best.gain > 0)
            offers[n_offers++] = best;
    }
    qsort(offers, n_offers, sizeof *offers, offer_compare);
    yyjson_mut_val *rows = yyjson_mut_obj_add_arr(doc, object, "cross_sell");
    const struct cot_dict *names = &league->shop->history.categories;
    for (size_t k = 0; k < n_offers && k < top; k++) {
        const struct offer *offer = offers + k;
        yyjson_mut_val *row = add_row(league, offer, tiers, doc, rows);
        add_text(doc, row, "category", names, c->codes[offer->category]);
        add_text(doc, row, "because", names, c->codes[offer->because]);
        yyjson_mut_obj_add_real(doc, row, "follows", offer->follows);
        yyjson_mut_obj_add_real(doc, row, "chance", offer->chance);
        yyjson_mut_obj_add_real(doc, row, "order", c->spend[offer->category] / c->orders[offer->category]);
        yyjson_mut_obj_add_real(doc, row, "gain", uplift * offer->gain);
    }
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
    size_t n = league->now.league.purchases.n;
    const double *orders = league->results[h][COT_QUESTION_ORDERS].served.predicted;
    struct walk walk = {.league = league};
    struct categories *c = calloc(1, sizeof *c);
    struct offer *offers = calloc(n + 1, sizeof *offers);
    char assumes[160];
    if (c != NULL)
        c->bought = calloc(n + 1, sizeof *c->bought);
    cot_code rc = c == NULL || offers == NULL || c->bought == NULL ? cot_fail(err, COT_NOMEM, "%zu customers", n)
                                                                   : choose_categories(&walk, c, err);
    for (size_t i = 0; i < n && rc == COT_OK; i++)
        rc = count_customer(&walk, c, i, err);
    if (rc == COT_OK) {
        yyjson_mut_val *object = yyjson_mut_obj_add_obj(doc, root, "offers");
        snprintf(
            assumes, sizeof assumes,
            "assumes uplift %g: that an offer brings this share of what is open, which no holdout has measured yet",
            uplift);
        yyjson_mut_obj_add_uint(doc, object, "days", league->horizons[h]);
        yyjson_mut_obj_add_real(doc, object, "uplift", uplift);
        yyjson_mut_obj_add_strcpy(doc, object, "assumes", assumes);
        add_cross_sell(league, c, orders, tiers, uplift, top, offers, doc, object);
        rc = add_up_sell(league, orders, tiers, uplift, top, offers, doc, object, err);
    }
    cot_view_release(&walk.view);
    if (c != NULL)
        free(c->bought);
    free(c);
    free(offers);
    return rc;
}
