#include "engine/census.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "base/json.h"
#include "domain/feature_catalogue.h"
#include "domain/rfm.h"
#include "engine/live_profile.h"

/* Ranks are at most so old where something has changed since. */
#define RANKS_AGE_MS INT64_C(600000)

enum { NOWHERE = 0 };

/* What RFM ranks one customer by: last order (ms), orders, revenue. NaN: never ordered. */
struct rfm_values {
    double of[3];
};

struct cot_census_ranks {
    size_t n;
    double *values[3]; /* ascending */
};

struct cot_census {
    size_t n; /* nodes */
    uint16_t *segments;
    struct rfm_values *values;
    uint64_t *waiting; /* bits by node */
    size_t segments_capacity, values_capacity, waiting_capacity;
    uint64_t n_waiting;
    uint32_t next;                   /* from here on they are looked for */
    int64_t run_id;                  /* of the model by which they stand; 0: none */
    uint64_t counts[UINT16_MAX + 1]; /* by 1 + the model's segment */
    bool changed;                    /* since the ranks were copied */
    struct cot_census_ranks *ranks;  /* NULL: none yet */
    int64_t ranked_at_ms;
};

static void ranks_free(struct cot_census_ranks *ranks)
{
    if (ranks == NULL)
        return;
    for (int part = 0; part < 3; part++)
        free(ranks->values[part]);
    free(ranks);
}

cot_code cot_census_open(struct cot_census **ret_census, struct cot_err *err)
{
    *ret_census = calloc(1, sizeof **ret_census);
    return *ret_census != NULL ? COT_OK : cot_fail(err, COT_NOMEM, "a census");
}

void cot_census_free(struct cot_census *census)
{
    if (census == NULL)
        return;
    free(census->segments);
    free(census->values);
    free(census->waiting);
    ranks_free(census->ranks);
    free(census);
}

/* Room for n nodes; new ones are nowhere and wait for nothing. */
static cot_code reach(struct cot_census *census, size_t n, struct cot_err *err)
{
    if (n <= census->n)
        return COT_OK;
    size_t words = census->waiting_capacity;
    void *segments = cot_array_reserve(census->segments, &census->segments_capacity, n, sizeof *census->segments);
    if (segments != NULL)
        census->segments = segments;
    void *values = cot_array_reserve(census->values, &census->values_capacity, n, sizeof *census->values);
    if (values != NULL)
        census->values = values;
    void *waiting = cot_array_reserve(census->waiting, &census->waiting_capacity, n / 64 + 1, sizeof *census->waiting);
    if (waiting != NULL)
        census->waiting = waiting;
    if (segments == NULL || values == NULL || waiting == NULL)
        return cot_fail(err, COT_NOMEM, "a census of %zu nodes", n);
    memset(census->waiting + words, 0, (census->waiting_capacity - words) * sizeof *census->waiting);
    for (; census->n < n; census->n++) {
        census->segments[census->n] = NOWHERE;
        census->values[census->n] = (struct rfm_values){{NAN, NAN, NAN}};
    }
    return COT_OK;
}

static void wait_all(struct cot_census *census, const struct cot_live_shop *live)
{
    for (uint32_t node = 0; node < census->n; node++) {
        uint64_t bit = UINT64_C(1) << (node % 64);
        if (cot_live_root(live->live, node) == node && (census->waiting[node / 64] & bit) == 0) {
            census->waiting[node / 64] |= bit;
            census->n_waiting++;
        }
    }
}

/* By a new model: nobody stands anywhere yet. */
static void stand_nowhere(struct cot_census *census)
{
    for (size_t node = 0; node < census->n; node++)
        census->segments[node] = NOWHERE;
    memset(census->counts, 0, sizeof census->counts);
}

cot_code cot_census_revisit(struct cot_census *census, const struct cot_live_shop *live, struct cot_err *err)
{
    cot_code rc = reach(census, cot_live_n_nodes(live->live), err);
    if (rc == COT_OK)
        wait_all(census, live);
    return rc;
}

cot_code cot_census_restart(struct cot_census *census, const struct cot_live_shop *live, struct cot_err *err)
{
    stand_nowhere(census);
    census->n = 0;
    census->n_waiting = 0;
    if (census->waiting != NULL)
        memset(census->waiting, 0, census->waiting_capacity * sizeof *census->waiting);
    return cot_census_revisit(census, live, err);
}

cot_code cot_census_touch(struct cot_census *census, uint32_t node, struct cot_err *err)
{
    cot_code rc = reach(census, (size_t)node + 1, err);
    if (rc != COT_OK)
        return rc;
    uint64_t bit = UINT64_C(1) << (node % 64);
    census->n_waiting += (census->waiting[node / 64] & bit) == 0;
    census->waiting[node / 64] |= bit;
    return COT_OK;
}

uint64_t cot_census_n_waiting(const struct cot_census *census)
{
    return census->n_waiting;
}

static void put(struct cot_census *census, uint32_t node, uint16_t segment, const struct rfm_values *values)
{
    if (census->segments[node] != NOWHERE)
        census->counts[census->segments[node]]--;
    if (segment != NOWHERE)
        census->counts[segment]++;
    census->segments[node] = segment;
    census->values[node] = *values;
}

static struct rfm_values values_of(const struct cot_customer *customer)
{
    const struct cot_fold *fold = customer->fold;
    if (fold->n_orders == 0)
        return (struct rfm_values){{NAN, NAN, NAN}};
    return (struct rfm_values){{(double)fold->orders[fold->n_orders - 1].first_ms,
                                (double)cot_feature_frequency(customer), (double)cot_feature_monetary_total(customer)}};
}

/* Numbers of erased people are nobody's. */
static bool is_anybody(const struct cot_dict *nodes, uint32_t node)
{
    return node < nodes->n && cot_node_kind_name((enum cot_node_kind)cot_dict_entry(nodes, node)->tag) != NULL;
}

/* A customer; whoever has become part of them is nowhere. */
static cot_code look_at(struct cot_census *census, const struct cot_rule_shop *over, uint32_t root, struct cot_err *err)
{
    struct cot_live_shop *live = over->live;
    static const struct rfm_values none = {{NAN, NAN, NAN}};
    size_t n = 0;
    size_t segment = SIZE_MAX;
    const struct cot_customer *customer = NULL;
    const uint32_t *members = cot_live_members(live->live, &root, &n);
    cot_code rc = reach(census, (size_t)members[n - 1] + 1, err);
    for (size_t i = 0; rc == COT_OK && i < n; i++)
        if (members[i] != root)
            put(census, members[i], NOWHERE, &none);
    if (rc == COT_OK && !is_anybody(&over->shop->nodes, root)) {
        put(census, root, NOWHERE, &none);
        return COT_OK;
    }
    if (rc == COT_OK)
        rc = cot_live_customer(live->live, root, &customer, err);
    if (rc == COT_OK)
        rc = cot_live_learned(live, root, customer, &segment, err);
    if (rc != COT_OK)
        return rc;
    const struct rfm_values values = values_of(customer);
    put(census, root, segment < UINT16_MAX ? (uint16_t)(segment + 1) : NOWHERE, &values);
    return COT_OK;
}

static int64_t run_of(const struct cot_live_shop *live)
{
    return live->model != NULL && live->runs.n > 0 ? live->runs.runs[live->runs.n - 1].run_id : 0;
}

bool cot_census_is_stale(const struct cot_census *census, const struct cot_live_shop *live)
{
    return run_of(live) != census->run_id;
}

cot_code cot_census_step(struct cot_census *census, const struct cot_rule_shop *over, size_t max, struct cot_err *err)
{
    const struct cot_live_shop *live = over->live;
    cot_code rc = COT_OK;
    if (cot_census_is_stale(census, live)) {
        stand_nowhere(census);
        census->run_id = run_of(live);
        rc = cot_census_revisit(census, live, err);
    }
    for (size_t i = 0; rc == COT_OK && i < max && census->n_waiting > 0; i++) {
        while (census->next / 64 >= (census->n + 63) / 64 ||
               census->waiting[census->next / 64] >> (census->next % 64) == 0) /* on to the next word, or around */
            census->next = census->next / 64 + 1 < (census->n + 63) / 64 ? (census->next / 64 + 1) * 64 : 0;
        census->next += (uint32_t)__builtin_ctzll(census->waiting[census->next / 64] >> (census->next % 64));
        uint32_t node = census->next;
        rc = look_at(census, over, cot_live_root(live->live, node), err);
        if (rc != COT_OK)
            return rc;
        census->waiting[node / 64] &= ~(UINT64_C(1) << (node % 64));
        census->n_waiting--;
        census->changed = true;
    }
    return rc;
}

static const struct cot_segment_row *row_of(const struct cot_live_shop *live, size_t segment)
{
    return cot_segment_run_segment(&live->runs.runs[live->runs.n - 1], live->model->ids[segment]);
}

void cot_census_describe(const struct cot_census *census, const struct cot_live_shop *live, yyjson_mut_doc *doc,
                         yyjson_mut_val *root)
{
    int64_t run_id = run_of(live);
    if (run_id == 0)
        yyjson_mut_obj_add_null(doc, root, "run");
    else
        yyjson_mut_obj_add_int(doc, root, "run", run_id);
    yyjson_mut_val *array = yyjson_mut_obj_add_arr(doc, root, "segments");
    for (size_t segment = 0; run_id != 0 && segment < live->model->k; segment++) {
        const struct cot_segment_row *row = row_of(live, segment);
        yyjson_mut_val *object = yyjson_mut_arr_add_obj(doc, array);
        yyjson_mut_obj_add_int(doc, object, "id", live->model->ids[segment]);
        yyjson_mut_obj_add_strcpy(doc, object, "name", row != NULL ? row->name : "");
        yyjson_mut_obj_add_strcpy(doc, object, "color", row != NULL ? row->color : "");
        yyjson_mut_obj_add_uint(doc, object, "members", run_id == census->run_id ? census->counts[segment + 1] : 0);
    }
    yyjson_mut_obj_add_uint(doc, root, "waiting", run_id == census->run_id ? census->n_waiting : census->n);
}

bool cot_census_snapshot(const struct cot_census *census, const struct cot_live_shop *live, struct cot_day *day)
{
    int64_t run_id = run_of(live);
    if (run_id == 0 || run_id != census->run_id || census->n_waiting > 0)
        return true;
    void *grown = realloc(day->segments, (day->n_segments + live->model->k + 1) * sizeof *day->segments);
    if (grown == NULL)
        return false;
    day->segments = grown;
    size_t first = day->n_segments;
    for (size_t segment = 0; segment < live->model->k; segment++) {
        const struct cot_segment_row *row = row_of(live, segment);
        struct cot_day_segment *of = &day->segments[day->n_segments++];
        *of = (struct cot_day_segment){.segment_id = live->model->ids[segment], .version = (int32_t)run_id};
        snprintf(of->name, sizeof of->name, "%s", row != NULL ? row->name : "");
        of->members.n_words = (census->n + 63) / 64;
        of->members.bits = calloc(of->members.n_words + 1, sizeof *of->members.bits);
        if (of->members.bits == NULL)
            return false;
    }
    for (size_t node = 0; node < census->n; node++)
        if (census->segments[node] != NOWHERE && census->segments[node] <= live->model->k)
            day->segments[first + census->segments[node] - 1].members.bits[node / 64] |= UINT64_C(1) << (node % 64);
    return true;
}

/* RFM */

int64_t cot_census_ranks_at_ms(const struct cot_census *census)
{
    return census->ranks == NULL ? 0 : census->ranked_at_ms + RANKS_AGE_MS;
}

bool cot_census_ranks_due(const struct cot_census *census, int64_t now_ms)
{
    return census->changed && census->n_waiting == 0 &&
           (now_ms >= cot_census_ranks_at_ms(census) || now_ms < census->ranked_at_ms);
}

cot_code cot_census_copy(const struct cot_census *census, struct cot_census_ranks **ret_ranks, struct cot_err *err)
{
    struct cot_census_ranks *ranks = calloc(1, sizeof *ranks);
    bool done = ranks != NULL;
    for (int part = 0; done && part < 3; part++) {
        ranks->values[part] = malloc((census->n + 1) * sizeof *ranks->values[part]);
        done = ranks->values[part] != NULL;
    }
    if (!done) {
        ranks_free(ranks);
        return cot_fail(err, COT_NOMEM, "ranks of %zu customers", census->n);
    }
    for (size_t node = 0; node < census->n; node++) {
        if (isnan(census->values[node].of[0]))
            continue;
        for (int part = 0; part < 3; part++)
            ranks->values[part][ranks->n] = census->values[node].of[part];
        ranks->n++;
    }
    *ret_ranks = ranks;
    return COT_OK;
}

static int ascending(const void *a, const void *b)
{
    double x = *(const double *)a;
    double y = *(const double *)b;
    return (x > y) - (x < y);
}

void cot_census_sort(struct cot_census_ranks *ranks)
{
    for (int part = 0; part < 3; part++)
        qsort(ranks->values[part], ranks->n, sizeof *ranks->values[part], ascending);
}

void cot_census_publish(struct cot_census *census, struct cot_census_ranks *ranks, int64_t now_ms)
{
    ranks_free(census->ranks);
    census->ranks = ranks;
    census->ranked_at_ms = now_ms;
    census->changed = census->n_waiting > 0;
}

void cot_census_add_rfm(const struct cot_census *census, const struct cot_customer *customer, yyjson_mut_doc *doc,
                        yyjson_mut_val *root)
{
    static const char *const keys[3] = {"recency", "frequency", "monetary"};
    unsigned scores[3] = {0, 0, 0};
    if (census->ranks == NULL) {
        yyjson_mut_obj_add_null(doc, root, "rfm");
        return;
    }
    const struct rfm_values values = values_of(customer);
    bool ordered = !isnan(values.of[0]);
    yyjson_mut_val *object = yyjson_mut_obj_add_obj(doc, root, "rfm");
    for (int part = 0; ordered && part < 3; part++)
        scores[part] = cot_rfm_score_among(census->ranks->values[part], census->ranks->n, values.of[part]);
    enum cot_rfm_group group = ordered ? cot_rfm_group_of(scores[0], scores[1], scores[2]) : COT_RFM_NONE;
    yyjson_mut_obj_add_str(doc, object, "group", cot_rfm_group_name(group));
    for (int part = 0; part < 3; part++)
        if (ordered)
            yyjson_mut_obj_add_uint(doc, object, keys[part], scores[part]);
        else
            yyjson_mut_obj_add_null(doc, object, keys[part]);
    cot_json_add_time(doc, object, "ranked_at", census->ranked_at_ms);
}
