/* What a shop sold, as a tree of equally spaced series: shop, categories, products. */
#ifndef COT_ENGINE_DEMAND_HISTORY_H
#define COT_ENGINE_DEMAND_HISTORY_H

#include <stdbool.h>
#include <stdint.h>

#include "base/dict.h"
#include "coterie/err.h"
#include "engine/demand.h"
#include "ml/demand.h"

struct cot_store;

enum { COT_DEMAND_DAYS_A_WEEK = 7, COT_DEMAND_NAME_SIZE = 96 };

struct cot_demand_product {
    uint32_t item;
    size_t category; /* series; 0: the shop itself, where there are no categories */
    char id[COT_DEMAND_NAME_SIZE], name[COT_DEMAND_NAME_SIZE];
};

struct cot_demand_history {
    enum cot_demand_every every;
    int64_t as_of_ms;
    char currency[8];
    /* calendar, in days of the shop's time zone since 1970 */
    int32_t first_day, last_day;                 /* of the history: whole weeks where weeks are forecast */
    bool closed_weekday[COT_DEMAND_DAYS_A_WEEK]; /* Monday first: the shop sells nothing on them */
    size_t n_filled;                             /* other days on which it sold nothing, filled in */
    bool *shut;                                  /* [n_calendar_days], from calendar_day on: those days */
    int32_t calendar_day;
    size_t n_calendar_days;
    /* series: the shop, then categories, then products and each category's other products */
    size_t n_series, n_categories, n_products;
    size_t n_steps;
    struct cot_demand_series *series;
    double *values;                      /* [n_series * n_steps] */
    struct cot_demand_product *products; /* [n_series]: of a category name only */
    /* what is to be forecast: calendar steps, of which the model takes those that the shop is open on */
    size_t n_calendar_ahead, n_ahead;
    size_t *steps_ahead; /* [n_calendar_ahead]: the model's step; SIZE_MAX: a closed weekday */
    bool *shut_ahead;    /* [n_ahead]: a holiday is expected */
    double *actual;      /* [n_series * n_ahead]: what came; NULL: of now */
    double *customers;   /* [n_ahead]: what the shop's customers say of its sales; NULL: nothing */
};

/* The shop as it is known, and as it was known at past origins, the newest first. */
struct cot_demand_histories {
    struct cot_demand_history now;
    struct cot_demand_history *pasts; /* [n_pasts] */
    size_t n_pasts;
};

/*
 * Past origins lie as many calendar steps apart as are forecast (the horizon, and what a delivery takes), as far as the
 * history reaches, at most one fewer than use->folds. Each is loaded as of its day: its lines, products that sold best,
 * categories and calendar are those that were known then; what came is then put into that tree. COT_NOT_FOUND where
 * nothing was sold, or not for two whole steps. O(order lines) an origin.
 */
cot_code cot_demand_histories_load(struct cot_store *store, const struct cot_demand_use *use,
                                   struct cot_demand_histories *ret_histories, struct cot_err *err) COT_MUST_CHECK;
void cot_demand_histories_release(struct cot_demand_histories *histories);

/* The history as the model takes it (a loan). */
struct cot_demand_tree cot_demand_history_tree(const struct cot_demand_history *history,
                                               const struct cot_demand_use *use);

/* Steps a season: open days a week; weeks a year. */
unsigned cot_demand_season(const struct cot_demand_history *history);

/* First day of the i-th step after the history, every calendar day counting. */
int32_t cot_demand_next_day(const struct cot_demand_history *history, size_t i);

/* 0 = Monday .. 6 = Sunday. */
int cot_demand_weekday(int32_t day);

/* The model's step of the i-th step to come; SIZE_MAX: nothing is sold on it, a closed weekday or a holiday. */
size_t cot_demand_open_step(const struct cot_demand_history *history, size_t i);

#endif
