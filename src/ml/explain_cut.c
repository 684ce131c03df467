#include "ml/explain_cut.h"

#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/threads.h"
#include "num/distance.h"

enum { MAX_COLUMNS_A_CALL = 64, ROWS_A_BLOCK = 4096, LANES = 4, PREFETCH = 24 /* rows ahead */ };

/* The smaller loss first, then the wider gap; columns and thresholds come in ascending order, so that ties keep the
 * first.
 */
static bool is_better(const struct cot_explain_cut *a, const struct cot_explain_cut *b)
{
    if (!b->found || !a->found)
        return a->found && !b->found;
    return a->loss < b->loss || (a->loss == b->loss && a->margin > b->margin);
}

/* ---- fewest mistakes ---- */

struct mistakes_search {
    const struct cot_explain_data *data;
    size_t begin, end;
    const uint32_t *centres;
    size_t n_centres;
    const double *masses;
    size_t first_column;
    struct cot_explain_cut cuts[MAX_COLUMNS_A_CALL];
};

static float centre_value(const struct mistakes_search *s, uint32_t centre, size_t j)
{
    return s->data->centroids[(size_t)centre * s->data->x->d + j];
}

/* The node's centres by ascending value in column j: by heap sort, as qsort has no context. */
static void sift_down(const struct mistakes_search *s, uint32_t *order, size_t at, size_t n, size_t j)
{
    for (size_t child = 2 * at + 1; child < n; child = 2 * at + 1) {
        if (child + 1 < n && centre_value(s, order[child + 1], j) > centre_value(s, order[child], j))
            child++;
        if (centre_value(s, order[child], j) <= centre_value(s, order[at], j))
            return;
        uint32_t swap = order[at];
        order[at] = order[child];
        order[child] = swap;
        at = child;
    }
}

static void order_centres(const struct mistakes_search *s, size_t j, uint32_t *ret_order)
{
    memcpy(ret_order, s->centres, s->n_centres * sizeof *ret_order);
    for (size_t i = s->n_centres / 2; i-- > 0;)
        sift_down(s, ret_order, i, s->n_centres, j);
    for (size_t n = s->n_centres; n-- > 1;) {
        uint32_t swap = ret_order[0];
        ret_order[0] = ret_order[n];
        ret_order[n] = swap;
        sift_down(s, ret_order, 0, n, j);
    }
}

/*
 * Sweeps a threshold over the values of rows and centres. A row is a mistake where its centre lies on the other side.
 * on_left: of each centre, the mass of its rows that the threshold has passed; step: +1 for a centre not yet passed.
 */
static struct cot_explain_cut sweep_mistakes(const struct mistakes_search *s, size_t j, const uint32_t *order,
                                             double *on_left, double *step)
{
    const struct cot_explain_data *data = s->data;
    const struct cot_row_value *values = data->sorted + j * data->x->n;
    float last = centre_value(s, order[s->n_centres - 1], j);
    double span = (double)last - (double)centre_value(s, order[0], j);
    struct cot_explain_cut best = {.i_column = j};
    double mistakes = 0;
    size_t i_centre = 0;
    size_t i = s->begin;
    for (size_t c = 0; c < s->n_centres; c++) {
        on_left[order[c]] = 0;
        step[order[c]] = 1;
    }
    while (span > 0) {
        while (i < s->end && data->living[values[i].row] == COT_EXPLAIN_DEAD)
            i++;
        float centre = centre_value(s, order[i_centre], j);
        float at = i < s->end && values[i].value < centre ? values[i].value : centre;
        if (at >= last)
            break;
        for (; i < s->end && values[i].value == at; i++) {
            uint32_t label = data->living[values[i].row];
            if (i + PREFETCH < s->end)
                __builtin_prefetch(&data->living[values[i + PREFETCH].row]);
            if (label == COT_EXPLAIN_DEAD)
                continue;
            double weight = cot_explain_weight(data, values[i].row);
            on_left[label] += weight;
            mistakes += step[label] * weight;
        }
        for (; centre_value(s, order[i_centre], j) == at; i_centre++) {
            mistakes += s->masses[order[i_centre]] - 2 * on_left[order[i_centre]];
            step[order[i_centre]] = -1;
        }
        if (i_centre == 0 || (best.found && mistakes > best.loss))
            continue;
        while (i < s->end && data->living[values[i].row] == COT_EXPLAIN_DEAD)
            i++;
        centre = centre_value(s, order[i_centre], j);
        float next = i < s->end && values[i].value < centre ? values[i].value : centre;
        struct cot_explain_cut cut = {.found = true,
                                      .loss = mistakes,
                                      .margin = ((double)next - (double)at) / span,
                                      .i_column = j,
                                      .low = at,
                                      .high = next};
        if (is_better(&cut, &best))
            best = cut;
    }
    return best;
}

static void search_mistakes(void *context, size_t begin, size_t end, size_t i_block, unsigned i_thread)
{
    struct mistakes_search *s = context;
    double *sums = s->data->sums + i_thread * (2 * s->data->k + 2 * s->data->n_score_lanes);
    uint32_t *order = s->data->orders + i_thread * s->data->k;
    (void)i_block;
    for (size_t i = begin; i < end; i++) {
        order_centres(s, s->first_column + i, order);
        s->cuts[i] = sweep_mistakes(s, s->first_column + i, order, sums, sums + s->data->k);
    }
}

/* What the mistakes of a cut cost if every later cut is perfect: each takes the nearest centre on its side. */
static double damage_of(const struct mistakes_search *s, const struct cot_explain_cut *cut)
{
    const struct cot_explain_data *data = s->data;
    const struct cot_row_value *values = data->sorted + cut->i_column * data->x->n;
    size_t d = data->x->d;
    double damage = 0;
    for (size_t i = s->begin; i < s->end; i++) {
        uint32_t label = data->living[values[i].row];
        bool left = values[i].value <= cut->low;
        if (label == COT_EXPLAIN_DEAD || (centre_value(s, label, cut->i_column) <= cut->low) == left)
            continue;
        const float *row = cot_matrix_row(data->x, values[i].row);
        double nearest = DBL_MAX;
        for (size_t c = 0; c < s->n_centres; c++)
            if ((centre_value(s, s->centres[c], cut->i_column) <= cut->low) == left)
                nearest = fmin(nearest, cot_distance2(row, data->centroids + (size_t)s->centres[c] * d, d));
        damage += cot_explain_weight(data, values[i].row) *
                  (nearest - cot_distance2(row, data->centroids + (size_t)label * d, d));
    }
    return damage;
}

struct cot_explain_cut cot_explain_cut_mistakes(const struct cot_explain_data *data, size_t begin, size_t end,
                                                const uint32_t *centres, size_t n_centres, const double *masses)
{
    struct mistakes_search s = {
        .data = data, .begin = begin, .end = end, .centres = centres, .n_centres = n_centres, .masses = masses};
    struct cot_explain_cut best = {0};
    double damage = -1; /* of the best; -1: not needed so far */
    for (; s.first_column < data->x->d; s.first_column += MAX_COLUMNS_A_CALL) {
        size_t rest = data->x->d - s.first_column;
        size_t n = rest < MAX_COLUMNS_A_CALL ? rest : MAX_COLUMNS_A_CALL;
        cot_parallel_for(data->n_threads, n, 1, search_mistakes, &s);
        for (size_t i = 0; i < n; i++) {
            const struct cot_explain_cut *cut = &s.cuts[i];
            bool better = is_better(cut, &best);
            double other = -1;
            if (best.found && cut->found && cut->loss == best.loss && best.loss > 0) {
                damage = damage >= 0 ? damage : damage_of(&s, &best);
                other = damage_of(&s, cut);
                better = other < damage || (other == damage && better);
            }
            if (!better)
                continue;
            best = *cut;
            damage = other;
        }
    }
    return best;
}

/* ---- least cost ---- */

struct cost_search {
    const struct cot_explain_data *data;
    size_t begin, end;
    const uint32_t *candidates;
    size_t n_candidates;
    const double *totals; /* n_score_lanes: of the node */
    size_t first_column;
    struct cot_explain_cut cuts[MAX_COLUMNS_A_CALL];
};

/*
 * A row's score for candidate c: w (|x - c|^2 - |x - own|^2) = w sum_j (own - c)_j (2 x - own - c)_j, where own is
 * candidate 0. So the own cluster costs 0, and a sum of scores is the change of the cost, without cancellation.
 * factors: d x lanes of own - c, then d x lanes of own + c.
 */
static void fill_factors(const struct cost_search *s, double *ret_factors)
{
    size_t d = s->data->x->d;
    size_t m = s->data->n_score_lanes;
    const float *own = s->data->centroids + (size_t)s->candidates[0] * d;
    for (size_t c = 0; c < m; c++) {
        const float *centre = s->data->centroids + (size_t)s->candidates[c < s->n_candidates ? c : 0] * d;
        for (size_t j = 0; j < d; j++) {
            ret_factors[j * m + c] = (double)own[j] - (double)centre[j];
            ret_factors[(d + j) * m + c] = (double)own[j] + (double)centre[j];
        }
    }
}

static void score_block(void *context, size_t begin, size_t end, size_t i_block, unsigned i_thread)
{
    const struct cost_search *s = context;
    const struct cot_explain_data *data = s->data;
    size_t d = data->x->d;
    size_t m = data->n_score_lanes;
    (void)i_block;
    (void)i_thread;
    for (size_t i = s->begin + begin; i < s->begin + end; i++) {
        uint32_t row = data->sorted[i].row;
        const float *x = cot_matrix_row(data->x, row);
        double weight = cot_explain_weight(data, row);
        double sums[COT_EXPLAIN_CUT_MAX_LANES] = {0};
        if (i + PREFETCH < s->end)
            __builtin_prefetch(cot_matrix_row(data->x, data->sorted[i + PREFETCH].row));
        for (size_t j = 0; j < d; j++) {
            const double *factors = data->factors + j * m;
            double twice = 2 * (double)x[j];
            for (size_t c = 0; c < m; c++)
                sums[c] += factors[c] * (twice - factors[d * m + c]);
        }
        for (size_t c = 0; c < m; c++)
            data->scores[(size_t)row * m + c] = weight * sums[c];
    }
}

/* The least of m lanes, m a multiple of LANES; in lanes so that it vectorises. */
static inline double least_of(const double *values, size_t m)
{
    double least[LANES];
    memcpy(least, values, sizeof least);
    for (size_t c = LANES; c < m; c += LANES)
        for (size_t lane = 0; lane < LANES; lane++)
            least[lane] = values[c + lane] < least[lane] ? values[c + lane] : least[lane];
    double low = least[0] < least[1] ? least[0] : least[1];
    double high = least[2] < least[3] ? least[2] : least[3];
    return low < high ? low : high;
}

static uint32_t lane_of(const double *values, size_t m, double value)
{
    uint32_t lane = 0;
    while (lane + 1 < m && values[lane] != value)
        lane++;
    return lane;
}

/* Rows come in another order in every column: a cache line ahead of time is most of the speed. */
static inline void prefetch_scores(const struct cot_explain_data *data, uint32_t row)
{
    const double *scores = data->scores + (size_t)row * data->n_score_lanes;
    __builtin_prefetch(scores);
    if (data->n_score_lanes > 8)
        __builtin_prefetch(scores + 8);
}

/* left, right: n_score_lanes sums of the rows on either side. */
static struct cot_explain_cut sweep_costs(const struct cost_search *s, size_t j, double *left, double *right)
{
    const struct cot_explain_data *data = s->data;
    const struct cot_row_value *values = data->sorted + j * data->x->n;
    size_t m = data->n_score_lanes;
    struct cot_explain_cut best = {.i_column = j};
    double span = (double)values[s->end - 1].value - (double)values[s->begin].value;
    memset(left, 0, m * sizeof *left);
    memcpy(right, s->totals, m * sizeof *right);
    for (size_t i = s->begin; i + 1 < s->end; i++) {
        const double *scores = data->scores + (size_t)values[i].row * m;
        if (i + PREFETCH < s->end)
            prefetch_scores(data, values[i + PREFETCH].row);
        for (size_t c = 0; c < m; c++) {
            left[c] += scores[c];
            right[c] -= scores[c];
        }
        if (values[i].value == values[i + 1].value)
            continue;
        double on_left = least_of(left, m);
        double on_right = least_of(right, m);
        if (best.found && on_left + on_right >= best.loss)
            continue;
        best.found = true;
        best.loss = on_left + on_right;
        best.margin = ((double)values[i + 1].value - (double)values[i].value) / span;
        best.low = values[i].value;
        best.high = values[i + 1].value;
        best.lane[0] = lane_of(left, m, on_left);
        best.lane[1] = lane_of(right, m, on_right);
    }
    return best;
}

static void search_costs(void *context, size_t begin, size_t end, size_t i_block, unsigned i_thread)
{
    struct cost_search *s = context;
    size_t m = s->data->n_score_lanes;
    double *sums = s->data->sums + i_thread * (2 * s->data->k + 2 * m) + 2 * s->data->k;
    (void)i_block;
    for (size_t i = begin; i < end; i++)
        s->cuts[i] = sweep_costs(s, s->first_column + i, sums, sums + m);
}

struct cot_explain_cut cot_explain_cut_cost(const struct cot_explain_data *data, size_t begin, size_t end,
                                            const uint32_t *candidates, size_t n_candidates)
{
    double totals[COT_EXPLAIN_CUT_MAX_LANES] = {0};
    struct cost_search s = {.data = data,
                            .begin = begin,
                            .end = end,
                            .candidates = candidates,
                            .n_candidates = n_candidates,
                            .totals = totals};
    struct cot_explain_cut best = {0};
    fill_factors(&s, data->factors);
    cot_parallel_for(data->n_threads, end - begin, ROWS_A_BLOCK, score_block, &s);
    for (size_t i = begin; i < end; i++) {
        const double *scores = data->scores + (size_t)data->sorted[i].row * data->n_score_lanes;
        for (size_t c = 0; c < data->n_score_lanes; c++)
            totals[c] += scores[c];
    }
    for (; s.first_column < data->x->d; s.first_column += MAX_COLUMNS_A_CALL) {
        size_t rest = data->x->d - s.first_column;
        size_t n = rest < MAX_COLUMNS_A_CALL ? rest : MAX_COLUMNS_A_CALL;
        cot_parallel_for(data->n_threads, n, 1, search_costs, &s);
        for (size_t i = 0; i < n; i++)
            if (is_better(&s.cuts[i], &best))
                best = s.cuts[i];
    }
    return best;
}
