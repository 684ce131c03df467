#include "engine/demand_days.h"

#include <stdlib.h>
#include <string.h>

#include "base/civil.h"
#include "num/check.h"

enum { WEEK = COT_DEMAND_DAYS_A_WEEK, HABIT_WEEKS = 26, LEAST_WEEKS = 4, WEEKS_A_YEAR = 52 };

cot_code cot_demand_days_init(struct cot_demand_days *days, size_t n_series, int32_t first_day, int32_t last_day,
                              struct cot_err *err)
{
    size_t n_days = last_day >= first_day ? (size_t)(last_day - first_day) + 1 : 0;
    double *values = cot_alloc_array(n_series, n_days, sizeof *values);
    if (values == NULL)
        return cot_fail(err, COT_NOMEM, "%zu series of %zu days", n_series, n_days);
    *days = (struct cot_demand_days){n_series, n_days, first_day, values};
    return COT_OK;
}

void cot_demand_days_release(struct cot_demand_days *days)
{
    free(days->values);
    *days = (struct cot_demand_days){0};
}

void cot_demand_days_add(struct cot_demand_days *days, size_t series, int32_t day, double value)
{
    int64_t at = (int64_t)day - days->first_day;
    if (at >= 0 && (size_t)at < days->n_days)
        days->values[series * days->n_days + (size_t)at] += value;
}

/* Parents come before their children. */
static void add_up(const struct cot_demand_days *days, const struct cot_demand_history *h)
{
    for (size_t i = days->n_series; i-- > 1;)
        for (size_t d = 0; d < days->n_days; d++)
            days->values[h->series[i].parent * days->n_days + d] += days->values[i * days->n_days + d];
}

static int weekday_at(const struct cot_demand_days *days, size_t d)
{
    return cot_weekday(days->first_day + (int64_t)d);
}

/* Share of a weekday's last half year on which the shop sold something; 1 where there are too few to tell. */
static double open_share(const struct cot_demand_days *days, int weekday)
{
    size_t n = 0;
    size_t n_open = 0;
    for (size_t d = days->n_days; d-- > 0 && n < HABIT_WEEKS;)
        if (weekday_at(days, d) == weekday) {
            n++;
            n_open += days->values[d] > 0;
        }
    return n >= LEAST_WEEKS ? (double)n_open / (double)n : 1;
}

static void find_closed(const struct cot_demand_days *days, struct cot_demand_history *h)
{
    const double rarely = 0.1;
    const double nearly_always = 0.9;
    double n = 0;
    double n_open = 0;
    size_t n_closed = 0;
    for (int w = 0; w < WEEK; w++) {
        h->closed_weekday[w] = open_share(days, w) <= rarely;
        n_closed += h->closed_weekday[w];
    }
    if (n_closed == WEEK)
        memset(h->closed_weekday, 0, sizeof h->closed_weekday);
    for (size_t d = 0; d < days->n_days; d++)
        if (!h->closed_weekday[weekday_at(days, d)]) {
            n += 1;
            n_open += days->values[d] > 0;
        }
    for (size_t d = 0; d < days->n_days && n_open >= nearly_always * n; d++)
        h->shut[d] = !h->closed_weekday[weekday_at(days, d)] && !(days->values[d] > 0);
}

/* Holidays get what the same weekday had before (after, where there is none before). */
static void fill_shut(const struct cot_demand_days *days, struct cot_demand_history *h)
{
    for (size_t d = 0; d < days->n_days; d++) {
        size_t from = d;
        if (!h->shut[d])
            continue;
        h->n_filled++;
        while (from >= WEEK && h->shut[from])
            from -= WEEK;
        for (size_t later = d; h->shut[from] && later < days->n_days; later += WEEK)
            from = later;
        for (size_t i = 0; i < days->n_series && !h->shut[from]; i++)
            days->values[i * days->n_days + d] = days->values[i * days->n_days + from];
    }
}

static cot_code make_values(const struct cot_demand_days *days, struct cot_demand_history *h, size_t first, size_t n,
                            struct cot_err *err)
{
    bool weeks = h->every == COT_DEMAND_EVERY_WEEK;
    size_t n_days = weeks ? n * WEEK : n;
    h->n_steps = 0;
    for (size_t d = first; d < first + n_days; d++)
        h->n_steps += weeks ? (d - first) % WEEK == 0 : !h->closed_weekday[weekday_at(days, d)];
    if (h->n_steps < 2)
        return cot_fail(err, COT_NOT_FOUND, "the history holds %zu whole %s: it takes two to forecast", h->n_steps,
                        weeks ? "week(s)" : "open day(s)");
    h->values = cot_alloc_array(days->n_series, h->n_steps, sizeof *h->values);
    if (h->values == NULL)
        return cot_fail(err, COT_NOMEM, "%zu series of %zu steps", days->n_series, h->n_steps);
    h->first_day = days->first_day + (int32_t)first;
    h->last_day = h->first_day + (int32_t)n_days - 1;
    for (size_t i = 0; i < days->n_series; i++) {
        double *to = h->values + i * h->n_steps;
        size_t step = 0;
        h->series[i].values = to;
        for (size_t d = first; d < first + n_days; d++) {
            if (!weeks && h->closed_weekday[weekday_at(days, d)])
                continue;
            size_t at = weeks ? (d - first) / WEEK : step++;
            to[at] += days->values[i * days->n_days + d];
        }
    }
    return COT_OK;
}

cot_code cot_demand_days_to_steps(struct cot_demand_days *days, struct cot_demand_history *h, struct cot_err *err)
{
    size_t first = 0;
    size_t n = days->n_days;
    h->shut = cot_alloc_array(n, 1, sizeof *h->shut);
    if (h->shut == NULL)
        return cot_fail(err, COT_NOMEM, "%zu days", n);
    h->calendar_day = days->first_day;
    h->n_calendar_days = n;
    add_up(days, h);
    if (h->every == COT_DEMAND_EVERY_WEEK) {
        while (first < n && weekday_at(days, first) != 0)
            first++;
        n = (n - first) / WEEK;
    } else {
        find_closed(days, h);
        fill_shut(days, h);
    }
    return make_values(days, h, first, n, err);
}

unsigned cot_demand_season(const struct cot_demand_history *h)
{
    unsigned n = 0;
    if (h->every == COT_DEMAND_EVERY_WEEK)
        return WEEKS_A_YEAR;
    for (int w = 0; w < WEEK; w++)
        n += !h->closed_weekday[w];
    return n;
}

int32_t cot_demand_next_day(const struct cot_demand_history *h, size_t i)
{
    return h->last_day + 1 + (int32_t)i * (h->every == COT_DEMAND_EVERY_WEEK ? WEEK : 1);
}

int cot_demand_weekday(int32_t day)
{
    return cot_weekday(day);
}

/* Nothing is to be expected of a date on which the shop was shut in every earlier year. */
static bool expect_shut(const struct cot_demand_history *h, int32_t day)
{
    struct cot_civil date;
    int64_t ms = 0;
    bool ever = false;
    if (h->every == COT_DEMAND_EVERY_WEEK)
        return false;
    cot_civil_from_ms((int64_t)day * COT_MS_PER_DAY, &date);
    for (;;) {
        date.year--;
        if (!cot_civil_to_ms(&date, &ms)) /* 29 February */
            return ever;
        int64_t at = cot_ms_to_days(ms) - h->calendar_day;
        if (at < 0)
            return ever;
        if ((size_t)at < h->n_calendar_days) {
            bool closed = h->closed_weekday[cot_weekday(h->calendar_day + at)];
            bool between =
                closed && at > 0 && (size_t)at + 1 < h->n_calendar_days && h->shut[at - 1] && h->shut[at + 1];
            if (!h->shut[at] && !closed)
                return false;
            ever = ever || h->shut[at] || between;
        }
    }
}

cot_code cot_demand_plan(struct cot_demand_history *h, size_t n, struct cot_err *err)
{
    h->steps_ahead = cot_alloc_array(n, 1, sizeof *h->steps_ahead);
    h->shut_ahead = cot_alloc_array(n + 1, 1, sizeof *h->shut_ahead);
    if (h->steps_ahead == NULL || h->shut_ahead == NULL)
        return cot_fail(err, COT_NOMEM, "%zu steps ahead", n);
    h->n_calendar_ahead = n;
    for (size_t i = 0; i < n; i++) {
        int32_t day = cot_demand_next_day(h, i);
        bool closed = h->every == COT_DEMAND_EVERY_DAY && h->closed_weekday[cot_weekday(day)];
        h->steps_ahead[i] = closed ? SIZE_MAX : h->n_ahead;
        h->shut_ahead[h->n_ahead] = !closed && expect_shut(h, day);
        h->n_ahead += !closed;
    }
    h->n_ahead += h->n_ahead == 0;
    return COT_OK;
}

size_t cot_demand_open_step(const struct cot_demand_history *h, size_t i)
{
    size_t step = h->steps_ahead[i];
    return step == SIZE_MAX || h->shut_ahead[step] ? SIZE_MAX : step;
}

cot_code cot_demand_days_to_actual(struct cot_demand_days *days, struct cot_demand_history *h, struct cot_err *err)
{
    size_t a_step = h->every == COT_DEMAND_EVERY_WEEK ? WEEK : 1;
    h->actual = cot_alloc_array(h->n_series, h->n_ahead, sizeof *h->actual);
    if (h->actual == NULL)
        return cot_fail(err, COT_NOMEM, "%zu series of %zu steps", h->n_series, h->n_ahead);
    add_up(days, h);
    size_t step = 0;
    for (size_t d = 0; d < days->n_days; d++) {
        size_t at = h->steps_ahead[d / a_step];
        step = at != SIZE_MAX ? at : step;
        for (size_t i = 0; i < h->n_series; i++)
            h->actual[i * h->n_ahead + step] += days->values[i * days->n_days + d];
    }
    return COT_OK;
}
