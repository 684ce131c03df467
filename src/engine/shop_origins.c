#include "engine/shop_origins.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "base/civil.h"
#include "base/rng.h"
#include "store/store.h"

enum { SAMPLE_SEED = 90210 };

/* The last millisecond of a local day. */
static int64_t day_end(const struct cot_shop *shop, int32_t day)
{
    const struct cot_zone *zone = shop->history.zone;
    int64_t local = ((int64_t)day + 1) * COT_MS_PER_DAY;
    return (zone != NULL ? cot_zone_utc(zone, local) : local) - 1;
}

void cot_shop_origin_release(struct cot_shop_origin *origin)
{
    free(origin->nodes);
    free(origin->starts);
    free(origin->days);
    free(origin->features);
    free(origin->orders);
    free(origin->spend);
    free(origin->waits);
    cot_shop_categories_release(&origin->categories);
    *origin = (struct cot_shop_origin){0};
}

void cot_shop_origins_release(struct cot_shop_origins *origins)
{
    for (size_t i = 0; i < origins->n; i++)
        cot_shop_origin_release(origins->origins + i);
    free(origins->origins);
    *origins = (struct cot_shop_origins){0};
}

/* ---- purchases ---- */

/* What one thread needs to fold one group of nodes after the other. */
struct reader {
    const struct cot_shop *shop;
    struct cot_view view;
    struct cot_fold fold;
};

static void reader_release(struct reader *reader)
{
    cot_view_release(&reader->view);
    cot_fold_release(&reader->fold);
}

/* Folds what some nodes did until a moment: their orders, and what was given back of them by then. */
static cot_code read_nodes(struct reader *reader, const uint32_t *nodes, size_t n_nodes, int64_t until_ms,
                           struct cot_err *err)
{
    const struct cot_history *history = &reader->shop->history;
    struct cot_fold_input input = {.lines = &history->timelines.lines, .zone = history->zone};
    struct cot_run run = {0};
    cot_fold_clear(&reader->fold);
    cot_code rc = cot_view_make(&reader->view, &history->timelines, nodes, n_nodes, &run, err);
    return rc == COT_OK ? cot_fold_extend(&reader->fold, &input, &run, cot_run_until(&run, until_ms), err) : rc;
}

/* What was kept of an order, in major units. */
static double kept(const struct cot_shop *shop, const struct cot_fold_order *order)
{
    double minor = (double)(order->gross_minor + order->refund_minor);
    return minor > 0 ? minor / shop->history.minor_per_unit : 0;
}

/* Appends the folded orders by day; orders are in order of time, local days nearly: clocks go back. */
static cot_code add_days(const struct reader *reader, struct cot_shop_origin *o, size_t *n_days, size_t *capacity,
                         struct cot_err *err)
{
    size_t first = *n_days;
    const struct cot_fold *fold = &reader->fold;
    struct cot_purchase *grown = cot_array_reserve(o->days, capacity, *n_days + fold->n_orders, sizeof *grown);
    if (grown == NULL)
        return cot_fail(err, COT_NOMEM, "%zu purchases", *n_days + fold->n_orders);
    o->days = grown;
    for (size_t i = 0; i < fold->n_orders; i++) {
        int32_t day = cot_shop_day(reader->shop, fold->orders[i].first_ms);
        double amount = kept(reader->shop, fold->orders + i);
        if (*n_days > first && o->days[*n_days - 1].day >= day)
            o->days[*n_days - 1].amount += amount;
        else
            o->days[(*n_days)++] = (struct cot_purchase){day, amount};
    }
    return COT_OK;
}

/* ---- who ---- */

/* Which customers of a shop take part, at most `sample` of them by chance; ret_rows: their indices in people. */
static cot_code choose_customers(const struct cot_shop *shop, const struct cot_shop *now, size_t sample,
                                 uint32_t **ret_rows, size_t *ret_n, struct cot_err *err)
{
    const struct cot_people *people = &shop->history.people;
    uint32_t *rows = malloc(((size_t)people->n + 1) * sizeof *rows);
    double share = sample > 0 && people->n > sample ? (double)sample / people->n : 1;
    size_t n = 0;
    if (rows == NULL)
        return cot_fail(err, COT_NOMEM, "%u customers", people->n);
    for (uint32_t i = 0; i < people->n; i++) {
        uint32_t node = people->nodes[people->starts[i]];
        uint32_t i_now = cot_shop_customer_of(now, node);
        struct cot_rng rng;
        cot_rng_split(&rng, SAMPLE_SEED, node);
        if (cot_rng_uniform(&rng) < share && i_now != COT_NO_CUSTOMER &&
            cot_history_allows(&shop->history, i, COT_PURPOSE_ANALYTICS) &&
            (shop == now || cot_history_allows(&now->history, i_now, COT_PURPOSE_ANALYTICS)))
            rows[n++] = i;
    }
    *ret_rows = rows;
    *ret_n = n;
    return COT_OK;
}

/* Purchases of those chosen who have ordered; `rows` shrinks to them. */
static cot_code fill_purchases(struct reader *reader, struct cot_shop_origin *o, uint32_t *rows, size_t *n_rows,
                               struct cot_err *err)
{
    const struct cot_history *history = &reader->shop->history;
    const struct cot_people *people = &history->people;
    size_t n = 0;
    size_t n_days = 0;
    size_t capacity = 0;
    cot_code rc = COT_OK;
    o->starts = calloc(*n_rows + 1, sizeof *o->starts);
    o->nodes = calloc(*n_rows + 1, sizeof *o->nodes);
    if (o->starts == NULL || o->nodes == NULL)
        return cot_fail(err, COT_NOMEM, "%zu customers", *n_rows);
    for (size_t r = 0; r < *n_rows && rc == COT_OK; r++) {
        uint32_t begin = people->starts[rows[r]];
        size_t before = n_days;
        rc = read_nodes(reader, people->nodes + begin, people->starts[rows[r] + 1] - begin, history->as_of_ms, err);
        if (rc == COT_OK)
            rc = add_days(reader, o, &n_days, &capacity, err);
        if (rc != COT_OK || n_days == before)
            continue;
        o->nodes[n] = people->nodes[begin];
        rows[n++] = rows[r];
        o->starts[n] = n_days;
    }
    *n_rows = n;
    o->league.purchases = (struct cot_purchases){
        .n = n, .starts = o->starts, .days = o->days, .last_day = cot_shop_day(reader->shop, history->as_of_ms)};
    for (size_t i = 0; i < n_days; i++)
        if (i == 0 || o->days[i].day < o->league.purchases.first_day)
            o->league.purchases.first_day = o->days[i].day;
    return rc;
}

/* ---- features ---- */

/* Numbers of the catalogue alone: traits come and go between origins, and codes of categories differ. Not what was
 * predicted before: a model that learns from models of the same question repeats them. */
static bool is_used(size_t column)
{
    return cot_features[column].transform != COT_TRANSFORM_CATEGORY &&
           cot_features[column].group != COT_FEATURE_PREDICTION;
}

static cot_code fill_features(const struct cot_shop *shop, const struct cot_shop_origins_options *options,
                              struct cot_shop_origin *o, const uint32_t *rows, struct cot_err *err)
{
    const struct cot_feature_matrix_options matrix_options = {.timeless = COT_WITHOUT_TIMELESS,
                                                              .n_threads = options->n_threads};
    struct cot_feature_matrix matrix = {0};
    size_t n = o->league.purchases.n;
    size_t d = 0;
    for (size_t j = 0; j < cot_n_features; j++)
        d += is_used(j);
    cot_code rc = cot_feature_matrix_fill(&shop->history, &matrix_options, &matrix, err);
    o->features = rc == COT_OK ? malloc((n * d + 1) * sizeof *o->features) : NULL;
    if (rc == COT_OK && o->features == NULL)
        rc = cot_fail(err, COT_NOMEM, "features of %zu customers", n);
    for (size_t i = 0; i < n && rc == COT_OK; i++) {
        float *to = o->features + i * d;
        for (size_t j = 0; j < cot_n_features; j++)
            if (is_used(j))
                *to++ = matrix.values[rows[i] * matrix.d + j];
    }
    o->league.features = o->features;
    o->league.n_features = d;
    cot_feature_matrix_free(&matrix);
    return rc;
}

/* ---- outcomes ---- */

#define NOBODY UINT32_MAX

/* To whom of an origin each node of today counts: its customer then; a later node to the first of those to whom it was
 * joined since. */
static cot_code find_owners(const struct cot_shop *then, const struct cot_shop *now, const struct cot_shop_origin *o,
                            const uint32_t *rows, uint32_t **ret_owners, struct cot_err *err)
{
    const struct cot_people *people = &then->history.people;
    const struct cot_people *today = &now->history.people;
    uint32_t n_nodes = now->history.timelines.n_nodes;
    uint32_t n_then = then->history.timelines.n_nodes;
    uint32_t *owners = malloc(((size_t)n_nodes + 1) * sizeof *owners);
    uint32_t *places = malloc(((size_t)people->n + 1) * sizeof *places); /* customer of then -> row of the origin */
    if (owners == NULL || places == NULL) {
        free(owners);
        free(places);
        return cot_fail(err, COT_NOMEM, "%u identity nodes", n_nodes);
    }
    for (uint32_t i = 0; i < people->n; i++)
        places[i] = NOBODY;
    for (size_t i = 0; i < o->league.purchases.n; i++)
        places[rows[i]] = (uint32_t)i;
    memset(owners, 0xff, ((size_t)n_nodes + 1) * sizeof *owners);
    for (uint32_t p = 0; p < today->n; p++) {
        uint32_t heir = NOBODY;
        for (uint32_t k = today->starts[p]; k < today->starts[p + 1]; k++) {
            uint32_t node = today->nodes[k];
            uint32_t customer = node < n_then ? people->customer_of[node] : COT_NO_CUSTOMER;
            owners[node] = customer != COT_NO_CUSTOMER ? places[customer] : NOBODY;
            heir = heir == NOBODY ? owners[node] : heir;
        }
        for (uint32_t k = today->starts[p]; k < today->starts[p + 1]; k++) {
            uint32_t node = today->nodes[k];
            bool known = node < n_then && people->customer_of[node] != COT_NO_CUSTOMER;
            owners[node] = known ? owners[node] : heir;
        }
    }
    free(places);
    *ret_owners = owners;
    return COT_OK;
}

/* Groups nodes by owner: nodes of owner i are ret_nodes[ret_starts[i] .. ret_starts[i + 1]), ascending. */
static cot_code group_nodes(const uint32_t *owners, uint32_t n_nodes, size_t n_owners, size_t **ret_starts,
                            uint32_t **ret_nodes, struct cot_err *err)
{
    size_t *starts = calloc(n_owners + 2, sizeof *starts);
    uint32_t *nodes = malloc(((size_t)n_nodes + 1) * sizeof *nodes);
    if (starts == NULL || nodes == NULL) {
        free(starts);
        free(nodes);
        return cot_fail(err, COT_NOMEM, "%u identity nodes", n_nodes);
    }
    for (uint32_t node = 0; node < n_nodes; node++)
        if (owners[node] != NOBODY)
            starts[owners[node] + 2]++;
    for (size_t i = 2; i < n_owners + 2; i++)
        starts[i] += starts[i - 1];
    for (uint32_t node = 0; node < n_nodes; node++)
        if (owners[node] != NOBODY)
            nodes[starts[owners[node] + 1]++] = node;
    *ret_starts = starts;
    *ret_nodes = nodes;
    return COT_OK;
}

static cot_code fill_outcomes(struct reader *now, const struct cot_shop *then, int32_t horizon,
                              struct cot_shop_origin *o, const uint32_t *rows, struct cot_err *err)
{
    size_t n = o->league.purchases.n;
    int32_t origin = o->league.purchases.last_day;
    int64_t until_ms = day_end(now->shop, origin + horizon);
    uint32_t *owners = NULL;
    uint32_t *nodes = NULL;
    size_t *starts = NULL;
    cot_code rc = find_owners(then, now->shop, o, rows, &owners, err);
    if (rc == COT_OK)
        rc = group_nodes(owners, now->shop->history.timelines.n_nodes, n, &starts, &nodes, err);
    o->orders = calloc(n + 1, sizeof *o->orders);
    o->spend = calloc(n + 1, sizeof *o->spend);
    o->waits = calloc(n + 1, sizeof *o->waits);
    if (rc == COT_OK && (o->orders == NULL || o->spend == NULL || o->waits == NULL))
        rc = cot_fail(err, COT_NOMEM, "%zu customers", n);
    for (size_t i = 0; i < n && rc == COT_OK; i++) {
        int32_t last = origin;
        o->waits[i] = INFINITY;
        rc = read_nodes(now, nodes + starts[i], starts[i + 1] - starts[i], until_ms, err);
        for (size_t k = 0; k < now->fold.n_orders && rc == COT_OK; k++) {
            int32_t day = cot_shop_day(now->shop, now->fold.orders[k].first_ms);
            if (day <= origin)
                continue;
            o->waits[i] = fmin(o->waits[i], day - origin);
            o->orders[i] += day > last ? 1 : 0;
            o->spend[i] += kept(now->shop, now->fold.orders + k);
            last = day > last ? day : last;
        }
    }
    if (rc == COT_OK)
        rc = cot_shop_categories_came(&o->categories, then, now->shop, &o->league.purchases, starts, nodes, until_ms,
                                      err);
    o->league.orders = o->orders;
    o->league.spend = o->spend;
    o->league.waits = o->waits;
    free(owners);
    free(nodes);
    free(starts);
    return rc;
}

/* ---- all ---- */

static cot_code make_origin(const struct cot_shop *then, const struct cot_shop *now,
                            const struct cot_shop_origins_options *options, struct cot_shop_origin *ret_origin,
                            struct cot_err *err)
{
    struct reader reader = {.shop = then};
    struct reader outcome = {.shop = now};
    struct cot_shop_origin origin = {0};
    uint32_t *rows = NULL;
    size_t n = 0;
    cot_code rc = choose_customers(then, now, options->sample, &rows, &n, err);
    if (rc == COT_OK)
        rc = fill_purchases(&reader, &origin, rows, &n, err);
    if (rc == COT_OK && !options->without_features)
        rc = fill_features(then, options, &origin, rows, err);
    if (rc == COT_OK && !options->without_categories)
        rc = cot_shop_categories_fill(then, &origin.league.purchases, origin.nodes, &origin.categories, err);
    if (rc == COT_OK && then != now)
        rc = fill_outcomes(&outcome, then, (int32_t)options->horizon, &origin, rows, err);
    reader_release(&reader);
    reader_release(&outcome);
    free(rows);
    if (rc == COT_OK)
        *ret_origin = origin;
    else
        cot_shop_origin_release(&origin);
    return rc;
}

cot_code cot_shop_origin_now(const struct cot_shop *now, unsigned n_threads, struct cot_shop_origin *ret_origin,
                             struct cot_err *err)
{
    struct cot_shop_origins_options options = {.n_threads = n_threads};
    cot_code rc = make_origin(now, now, &options, ret_origin, err);
    if (rc == COT_OK && ret_origin->league.purchases.n == 0) {
        cot_shop_origin_release(ret_origin);
        rc = cot_fail(err, COT_NOT_FOUND, "nobody has ordered anything yet: import orders first");
    }
    return rc;
}

cot_code cot_shop_origin_make(struct cot_store *store, const struct cot_shop *now, int32_t day,
                              const struct cot_shop_origins_options *options, struct cot_shop_origin *ret_origin,
                              struct cot_err *err)
{
    struct cot_shop_options shop_options = {.as_of_ms = day_end(now, day), .n_threads = options->n_threads};
    struct cot_shop *then = NULL;
    cot_code rc = cot_shop_load(store, &shop_options, &then, err);
    if (rc == COT_OK)
        rc = make_origin(then, now, options, ret_origin, err);
    cot_shop_free(then);
    return rc;
}

const char *cot_shop_origin_feature(size_t column)
{
    for (size_t j = 0; j < cot_n_features; j++)
        if (is_used(j) && column-- == 0)
            return cot_features[j].title;
    return NULL;
}

cot_code cot_shop_origins_make(struct cot_store *store, const struct cot_shop *now, const struct cot_shop_origin *last,
                               const struct cot_shop_origins_options *options, struct cot_shop_origins *ret_origins,
                               struct cot_err *err)
{
    struct cot_shop_origins origins = {.origins = calloc((size_t)options->most + 1, sizeof *origins.origins)};
    const struct cot_purchases *all = &last->league.purchases;
    int64_t n_days = (int64_t)all->last_day - all->first_day + 1;
    unsigned n = cot_league_origins_that_fit(n_days, options->horizon, options->most);
    cot_code rc = origins.origins == NULL ? cot_fail(err, COT_NOMEM, "%u origins", n) : COT_OK;
    for (unsigned i = 0; i < n && rc == COT_OK; i++) {
        int32_t day = all->last_day - (int32_t)((i + 1) * options->horizon);
        cot_progress_report(options->progress, "going back in time", i, n);
        rc = cot_shop_origin_make(store, now, day, options, origins.origins + i, err);
        origins.n += rc == COT_OK;
    }
    if (rc != COT_OK) {
        cot_shop_origins_release(&origins);
        return rc;
    }
    *ret_origins = origins;
    return COT_OK;
}
