/* Snapshots at the shop's midnights (segment_days.h, ingest_parts.h). */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/civil.h"
#include "engine/ingest_parts.h"
#include "engine/shop.h"

/* Readers wait for so many customers at a time. */
enum { SLICE = 256 };

/* Customers whose learned segment is found at midnight itself: some hundredths of a second's work. */
enum { MAX_LOOKS = 1000 };

/* A snapshot that is taken later than this after its midnight would be another moment's. */
#define LATE_MS INT64_C(900000)

/* Missed days are made up for up to so far back. */
#define MAX_BACK_MS (400 * COT_MS_PER_DAY)

/* The first midnight after a moment, in the shop's zone. */
static int64_t midnight_after(const struct cot_zone *zone, int64_t ms)
{
    int64_t day = cot_ms_to_days(cot_zone_local(zone, ms));
    int64_t midnight_ms = cot_zone_utc(zone, (day + 1) * COT_MS_PER_DAY);
    return midnight_ms > ms ? midnight_ms : cot_zone_utc(zone, (day + 2) * COT_MS_PER_DAY);
}

void cot_days_begin(struct cot_ingest *ingest)
{
    int64_t now_ms = cot_live_now_ms(ingest->live->live);
    if (ingest->next_day_ms == 0 || ingest->next_day_ms + LATE_MS < now_ms)
        ingest->next_day_ms = midnight_after(ingest->live->zone, now_ms);
}

/* Everything that memory is made of was recorded by then. */
static const char last_fact_sql[] =
    "select max(moment) from (select max(recorded_at) as moment from event union all select max(superseded_at) from "
    "event"
    " union all select max(recorded_at) from trait union all select max(recorded_at) from consent"
    " union all select max(recorded_at) from link union all select max(recorded_at) from item_fact"
    " union all select max(greatest(started_at, finished_at)) from import_run union all select max(created_at) from"
    " rule_segment union all select max(greatest(requested_at, finished_at)) from erasure"
    " union all select max(written_at) from segment_log union all select max(as_of) from segment_day)";

cot_code cot_days_resume(struct cot_ingest *ingest, int64_t *ret_at_ms, struct cot_err *err)
{
    int64_t n = 0;
    int64_t last_ms = 0;
    int64_t now_ms = cot_wall_ms();
    struct cot_zone *zone = NULL;
    char currency[4];
    double minor_per_unit = 0;
    *ret_at_ms = now_ms;
    cot_code rc = cot_store_number(ingest->store, &n, err, "select count(*) from segment_log");
    if (rc == COT_OK && n > 0)
        rc = cot_store_number(ingest->store, &last_ms, err, "%s", last_fact_sql);
    if (rc == COT_OK && n > 0)
        rc = cot_shop_settings(ingest->store, &zone, currency, &minor_per_unit, err);
    if (rc == COT_OK && n > 0 && last_ms >= now_ms - MAX_BACK_MS && midnight_after(zone, last_ms) < now_ms)
        *ret_at_ms = last_ms;
    cot_zone_free(zone);
    return rc;
}

static bool keep_members(const uint64_t *bits, size_t n_words, struct cot_day_members *ret_members)
{
    ret_members->n_words = n_words;
    ret_members->bits = calloc(n_words + 1, sizeof *ret_members->bits);
    if (ret_members->bits != NULL && n_words > 0)
        memcpy(ret_members->bits, bits, n_words * sizeof *bits);
    return ret_members->bits != NULL;
}

/* Who is where now. NULL: no memory. */
static struct cot_day *take(const struct cot_ingest *ingest, int64_t midnight_ms)
{
    size_t n = cot_rule_segments_n(ingest->rules);
    struct cot_day *day = calloc(1, sizeof *day);
    bool done = day != NULL;
    if (done) {
        day->day = cot_ms_to_days(cot_zone_local(ingest->live->zone, midnight_ms - 1));
        day->as_of_ms = cot_live_now_ms(ingest->live->live);
        day->segments = calloc(n + 1, sizeof *day->segments);
        done = day->segments != NULL;
    }
    for (size_t i = 0; done && i < n; i++) {
        struct cot_day_segment *segment = &day->segments[day->n_segments++];
        const struct cot_rule_standing standing = cot_rule_segments_at(ingest->rules, i);
        size_t n_words = 0;
        const uint64_t *members = cot_rule_segments_bits(ingest->rules, i, &n_words);
        snprintf(segment->name, sizeof segment->name, "%s", standing.name);
        segment->version = standing.version;
        done = keep_members(members, n_words, &segment->members);
    }
    done = done && cot_census_snapshot(ingest->census, ingest->live, day);
    if (done)
        return day;
    cot_day_free(day);
    return NULL;
}

bool cot_days_take(struct cot_ingest *ingest)
{
    int64_t midnight_ms = ingest->next_day_ms;
    int64_t now_ms = cot_live_now_ms(ingest->live->live);
    ingest->next_day_ms = midnight_after(ingest->live->zone, midnight_ms);
    if (now_ms - midnight_ms > LATE_MS)
        return true; /* that day has none */
    /* Whoever waits is looked at first; where too many do, learned segments have no snapshot of that day. */
    const struct cot_rule_shop over = {ingest->live, ingest->shop};
    if (cot_census_step(ingest->census, &over, MAX_LOOKS, NULL) != COT_OK)
        return false;
    struct cot_day *day = take(ingest, midnight_ms);
    if (cot_census_revisit(ingest->census, ingest->live, NULL) != COT_OK)
        return false;
    struct cot_day **last = &ingest->days;
    while (*last != NULL)
        last = &(*last)->next;
    *last = day;
    return day != NULL;
}

/* What came in the windows before a moment: as the features spend_30d and spend_365d count it. */
static void sum_windows(const struct cot_run *run, const struct cot_lines *lines, int64_t as_of_ms,
                        int64_t ret_sums[COT_DAY_N_WINDOWS])
{
    for (size_t i = cot_run_until(run, as_of_ms); i-- > 0;) {
        const struct cot_entry *entry = &run->entries[i];
        int64_t age_ms = as_of_ms - cot_entry_ms(entry);
        if (age_ms >= cot_day_windows[COT_DAY_N_WINDOWS - 1] * COT_MS_PER_DAY)
            break;
        if (!cot_entry_is_commerce(entry))
            continue;
        for (size_t w = 0; w < COT_DAY_N_WINDOWS; w++)
            if (age_ms < cot_day_windows[w] * COT_MS_PER_DAY)
                ret_sums[w] += lines->lines[entry->detail].amount_minor;
    }
}

static bool is_in(const struct cot_day_members *members, uint32_t node)
{
    return node / 64 < members->n_words && (members->bits[node / 64] >> (node % 64) & 1) != 0;
}

static cot_code add_customer(struct cot_live *live, struct cot_day *day, uint32_t node, struct cot_err *err)
{
    bool any = false;
    struct cot_run run = {0};
    int64_t sums[COT_DAY_N_WINDOWS] = {0};
    for (size_t i = 0; i < day->n_segments && !any; i++)
        any = is_in(&day->segments[i].members, node);
    cot_code rc = any ? cot_live_run(live, node, &run, err) : COT_OK;
    if (rc != COT_OK || !any)
        return rc;
    sum_windows(&run, cot_live_lines(live), day->as_of_ms, sums);
    for (size_t i = 0; i < day->n_segments; i++)
        for (size_t w = 0; w < COT_DAY_N_WINDOWS; w++)
            if (is_in(&day->segments[i].members, node))
                day->segments[i].revenue_minor[w] += sums[w];
    return COT_OK;
}

static cot_code add_revenue(struct cot_ingest *ingest, struct cot_day *day, struct cot_err *err)
{
    cot_code rc = COT_OK;
    uint32_t n = 1;
    for (uint32_t node = 0; node < n && rc == COT_OK;) {
        cot_state_lock(&ingest->state, COT_STATE_TIME);
        if (ingest->live == NULL)
            rc = cot_fail(err, COT_IO, "the shop is being loaded");
        else
            n = cot_live_n_nodes(ingest->live->live);
        for (uint32_t end = n - node < SLICE ? n : node + SLICE; rc == COT_OK && node < end; node++)
            rc = add_customer(ingest->live->live, day, node, err);
        cot_state_unlock(&ingest->state);
    }
    return rc;
}

static cot_code write_day(struct cot_ingest *ingest, const struct cot_day *day, struct cot_err *err)
{
    cot_code rc = cot_store_begin(ingest->store, err);
    if (rc != COT_OK)
        return rc;
    rc = cot_day_write(ingest->store, day, err);
    if (rc == COT_OK)
        rc = cot_store_commit(ingest->store, err);
    if (rc != COT_OK)
        cot_store_rollback(ingest->store);
    return rc;
}

static struct cot_day *take_first(struct cot_ingest *ingest)
{
    cot_state_lock(&ingest->state, COT_STATE_TIME);
    struct cot_day *day = ingest->days;
    if (day != NULL)
        ingest->days = day->next;
    cot_state_unlock(&ingest->state);
    return day;
}

void cot_days_finish(struct cot_ingest *ingest)
{
    struct cot_day *day = NULL;
    while (ingest->store != NULL && (day = take_first(ingest)) != NULL) {
        struct cot_err ignored; /* that day has none */
        cot_code rc = add_revenue(ingest, day, &ignored);
        if (rc == COT_OK)
            rc = write_day(ingest, day, &ignored);
        cot_day_free(day);
        if (rc != COT_OK)
            return;
    }
}

void cot_days_release(struct cot_ingest *ingest)
{
    while (ingest->days != NULL) {
        struct cot_day *next = ingest->days->next;
        cot_day_free(ingest->days);
        ingest->days = next;
    }
}
