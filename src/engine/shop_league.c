#include "engine/shop_league.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "store/store.h"

enum { DEFAULT_FOLDS = 3, MAX_DAYS = 3650 };

/* Origins beside the tested ones that are learned from, at most, and customers of each that are looked at. */
enum { MORE_ORIGINS = 3, SAMPLE = 100000 };

unsigned cot_shop_league_needs_days(unsigned horizon)
{
    return horizon * (2 + COT_LEAGUE_LEARNS_FROM);
}

size_t cot_shop_league_value_horizon(const struct cot_shop_league *league)
{
    size_t best = SIZE_MAX;
    size_t shortest = 0;
    for (size_t h = 0; h < league->n_horizons; h++) {
        if (league->results[h][0].n_folds > 0 && (best == SIZE_MAX || league->horizons[h] > league->horizons[best]))
            best = h;
        if (league->horizons[h] < league->horizons[shortest])
            shortest = h;
    }
    return best != SIZE_MAX ? best : shortest;
}

static cot_code parse_horizons(const char *text, unsigned *ret_horizons, size_t *ret_n, struct cot_err *err)
{
    const char *at = text;
    *ret_n = 0;
    for (;;) {
        char *end = NULL;
        errno = 0;
        long days = strtol(at, &end, 10);
        if (end == at || errno != 0 || days < 1 || days > MAX_DAYS || (*end != ',' && *end != '\0') ||
            *ret_n == COT_LEAGUE_MAX_HORIZONS)
            return cot_fail(err, COT_USAGE, "--horizon is '%s': 1 to %d numbers of days up to %d, such as 30,90", text,
                            (int)COT_LEAGUE_MAX_HORIZONS, (int)MAX_DAYS);
        for (size_t i = 0; i < *ret_n; i++)
            if (ret_horizons[i] == (unsigned)days)
                return cot_fail(err, COT_USAGE, "--horizon is '%s': %ld days are there twice", text, days);
        ret_horizons[(*ret_n)++] = (unsigned)days;
        if (*end == '\0')
            return COT_OK;
        at = end + 1;
    }
}

static cot_code horizons_of(const struct cot_shop_league_options *options, unsigned *ret_horizons, size_t *ret_n,
                            struct cot_err *err)
{
    return parse_horizons(options->horizons != NULL ? options->horizons : "30,90,365", ret_horizons, ret_n, err);
}

cot_code cot_shop_league_check(const struct cot_shop_league_options *options, struct cot_err *err)
{
    unsigned horizons[COT_LEAGUE_MAX_HORIZONS];
    size_t n = 0;
    return horizons_of(options, horizons, &n, err);
}

/* What customers will buy in which category, tested as the league is. */
static cot_code run_categories(const struct cot_context *context, const struct cot_shop_origins *origins, size_t h,
                               struct cot_shop_league *league, struct cot_err *err)
{
    struct cot_propensity_origin views[1 + COT_LEAGUE_MAX_FOLDS + MORE_ORIGINS] = {league->now.categories.view};
    views[0].purchases = &league->now.league.purchases;
    for (size_t i = 0; i < origins->n; i++) {
        views[1 + i] = origins->origins[i].categories.view;
        views[1 + i].purchases = &origins->origins[i].league.purchases;
    }
    return cot_propensity_run(views, 1 + origins->n, league->horizons[h], league->results[h][0].n_folds, context->seed,
                              league->propensities + h, err);
}

static cot_code run_horizon(const struct cot_context *context, struct cot_store *store, unsigned max_folds, size_t h,
                            struct cot_shop_league *league, struct cot_err *err)
{
    struct cot_shop_origins_options options = {.horizon = league->horizons[h],
                                               .most = max_folds + MORE_ORIGINS,
                                               .sample = SAMPLE,
                                               .n_threads = context->n_threads,
                                               .progress = &context->progress};
    struct cot_shop_origins origins = {0};
    struct cot_league_origin views[1 + COT_LEAGUE_MAX_FOLDS + MORE_ORIGINS] = {league->now.league};
    cot_code rc = cot_shop_origins_make(store, league->shop, &league->now, &options, &origins, err);
    for (size_t i = 0; i < origins.n; i++)
        views[1 + i] = origins.origins[i].league;
    cot_progress_report(&context->progress, "predicting", h, league->n_horizons);
    if (rc == COT_OK)
        rc = cot_league_run(views, 1 + origins.n, league->horizons[h], max_folds, context->n_threads, context->seed,
                            league->results[h], league->newest + h, err);
    if (rc == COT_OK)
        rc = run_categories(context, &origins, h, league, err);
    cot_shop_origins_release(&origins);
    return rc;
}

cot_code cot_shop_league_run(const struct cot_context *context, struct cot_store *store,
                             const struct cot_shop_league_options *options, struct cot_shop_league *ret_league,
                             struct cot_err *err)
{
    struct cot_shop_options shop_options = {
        .as_of_ms = COT_AS_OF_LAST_DAY, .n_threads = context->n_threads, .progress = &context->progress};
    struct cot_shop_league league = {0};
    unsigned max_folds = options->max_folds > 0 ? options->max_folds : DEFAULT_FOLDS;
    cot_code rc = horizons_of(options, league.horizons, &league.n_horizons, err);
    if (rc == COT_OK && options->as_of != NULL)
        rc = cot_shop_as_of(store, options->as_of, &shop_options.as_of_ms, err);
    if (rc == COT_OK)
        rc = cot_shop_load(store, &shop_options, &league.shop, err);
    if (rc == COT_OK)
        rc = cot_shop_origin_now(league.shop, context->n_threads, &league.now, err);
    for (size_t h = 0; h < league.n_horizons && rc == COT_OK; h++)
        rc = run_horizon(context, store, max_folds, h, &league, err);
    cot_progress_report(&context->progress, "predicting", league.n_horizons, league.n_horizons);
    if (rc != COT_OK) {
        cot_shop_league_release(&league);
        return rc;
    }
    *ret_league = league;
    return COT_OK;
}

void cot_shop_league_release(struct cot_shop_league *league)
{
    for (size_t h = 0; h < COT_LEAGUE_MAX_HORIZONS; h++) {
        cot_league_release(league->results[h]);
        cot_league_newest_free(league->newest[h]);
        cot_propensity_free(league->propensities[h]);
    }
    cot_shop_origin_release(&league->now);
    cot_shop_free(league->shop);
    *league = (struct cot_shop_league){0};
}
