/* Beam search for readable rules: see coterie/rule.h. */
#include "coterie/rule.h"

#include <math.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/threads.h"
#include "ml/rule_bins.h"
#include "num/check.h"

void cot_rule_options_init(struct cot_rule_options *ret_options)
{
    *ret_options = (struct cot_rule_options){.max_conditions = 3, .max_thresholds = 64, .beam = 4, .min_gain = 0.01};
}

/* Rows of a column's bins: how many, and how many of them in the segment. */
struct histogram {
    uint32_t all[COT_RULE_N_BINS];
    uint32_t hits[COT_RULE_N_BINS];
};

struct binned_condition {
    size_t i_column;
    enum cot_rule_operator op;
    size_t cut;
};

struct candidate {
    size_t n_conditions;
    struct binned_condition conditions[COT_RULE_MAX_CONDITIONS];
    size_t n_matching, n_hits;
    double f1;
    uint32_t *rows; /* n_matching; NULL: all rows, or not yet listed */
};

struct search {
    const struct cot_rule_bins *bins;
    const uint32_t *labels;
    size_t k;
    const struct cot_rule_options *options;
    const struct histogram *whole; /* k x d, over all rows */
    const size_t *sizes;           /* k */
    struct cot_rule *rules;
    _Atomic int no_memory;
};

/* ---- judging conditions ---- */

struct beam {
    size_t n, n_max;
    struct candidate *items; /* by descending F1 */
};

static double f1_of(size_t n_hits, size_t n_matching, size_t size)
{
    return n_matching + size > 0 ? 2.0 * (double)n_hits / (double)(n_matching + size) : 0;
}

/* Adds a condition, or tightens the one on the same side of the same column. False where there is no room. */
static bool add_condition(struct candidate *c, const struct binned_condition *condition, size_t max_conditions)
{
    bool number = condition->op == COT_RULE_AT_MOST || condition->op == COT_RULE_ABOVE;
    for (size_t i = 0; number && i < c->n_conditions; i++)
        if (c->conditions[i].i_column == condition->i_column && c->conditions[i].op == condition->op) {
            c->conditions[i].cut = condition->cut;
            return true;
        }
    if (c->n_conditions == max_conditions)
        return false;
    c->conditions[c->n_conditions++] = *condition;
    return true;
}

/* Offers parent + condition to the beam. Two with the same counts are taken for the same set: the first stays. */
static void offer(struct beam *beam, const struct candidate *parent, const struct binned_condition *condition,
                  size_t n_matching, size_t n_hits, size_t size, size_t max_conditions)
{
    double f1 = f1_of(n_hits, n_matching, size);
    if (n_matching == parent->n_matching || (beam->n == beam->n_max && f1 <= beam->items[beam->n - 1].f1))
        return;
    for (size_t i = 0; i < beam->n; i++)
        if (beam->items[i].n_matching == n_matching && beam->items[i].n_hits == n_hits)
            return;
    struct candidate made = *parent;
    made.rows = NULL;
    made.n_matching = n_matching;
    made.n_hits = n_hits;
    made.f1 = f1;
    if (!add_condition(&made, condition, max_conditions))
        return;
    size_t at = beam->n < beam->n_max ? beam->n++ : beam->n_max - 1;
    for (; at > 0 && beam->items[at - 1].f1 < f1; at--)
        beam->items[at] = beam->items[at - 1];
    beam->items[at] = made;
}

static void offer_column(struct beam *beam, const struct candidate *parent, const struct histogram *h,
                         const struct cot_rule_column *column, size_t j, size_t size, size_t max_conditions)
{
    size_t present = 0;
    size_t present_hits = 0;
    size_t below = 0;
    size_t below_hits = 0;
    for (size_t b = 0; b < COT_RULE_MISSING; b++) {
        present += h->all[b];
        present_hits += h->hits[b];
    }
    for (size_t cut = 0; cut < column->n_cuts; cut++) {
        struct binned_condition condition = {.i_column = j, .cut = cut};
        below += h->all[cut];
        below_hits += h->hits[cut];
        size_t all = column->is_category ? h->all[cut] : below;
        size_t hits = column->is_category ? h->hits[cut] : below_hits;
        condition.op = column->is_category ? COT_RULE_IS : COT_RULE_AT_MOST;
        offer(beam, parent, &condition, all, hits, size, max_conditions);
        condition.op = column->is_category ? COT_RULE_IS_NOT : COT_RULE_ABOVE;
        offer(beam, parent, &condition, present - all, present_hits - hits, size, max_conditions);
    }
}

static void count_rows(const struct search *s, const struct candidate *parent, size_t j, uint32_t segment,
                       struct histogram *ret_histogram)
{
    const unsigned char *bins = s->bins->columns[j].bins;
    memset(ret_histogram, 0, sizeof *ret_histogram);
    for (size_t r = 0; r < parent->n_matching; r++) {
        uint32_t i = parent->rows[r];
        ret_histogram->all[bins[i]]++;
        ret_histogram->hits[bins[i]] += s->labels[i] == segment;
    }
}

/* ---- listing rows ---- */

static bool condition_holds(const struct binned_condition *c, unsigned char bin)
{
    if (bin == COT_RULE_MISSING)
        return false;
    switch (c->op) {
    case COT_RULE_AT_MOST: return bin <= c->cut;
    case COT_RULE_ABOVE: return bin > c->cut;
    case COT_RULE_IS: return bin == c->cut;
    case COT_RULE_IS_NOT: return bin != c->cut;
    }
    return false;
}

static bool list_rows(const struct search *s, struct candidate *c)
{
    size_t n = 0;
    c->rows = cot_alloc_array(c->n_matching, 1, sizeof *c->rows);
    if (c->rows == NULL)
        return false;
    for (size_t i = 0; i < s->bins->n; i++) {
        bool holds = true;
        for (size_t t = 0; t < c->n_conditions && holds; t++)
            holds = condition_holds(&c->conditions[t], s->bins->columns[c->conditions[t].i_column].bins[i]);
        if (holds)
            c->rows[n++] = (uint32_t)i;
    }
    return n == c->n_matching; /* a difference would be a defect of the histograms */
}

/* ---- one segment ---- */

static void keep_best(struct candidate *best, const struct beam *beam)
{
    for (size_t i = 0; i < beam->n; i++) {
        struct candidate *slot = &best[beam->items[i].n_conditions];
        if (beam->items[i].f1 > slot->f1)
            *slot = beam->items[i];
    }
}

/* The shortest rule that no longer one beats by min_gain a condition. */
static const struct candidate *settle(const struct candidate *best, const struct cot_rule_options *o)
{
    const struct candidate *chosen = &best[0];
    for (size_t c = 1; c <= o->max_conditions; c++) {
        double needed = o->min_gain * (double)(c - chosen->n_conditions);
        if (best[c].n_conditions == c && best[c].f1 >= chosen->f1 + needed && best[c].f1 > chosen->f1)
            chosen = &best[c];
    }
    return chosen;
}

static void write_rule(const struct search *s, const struct candidate *c, size_t size, struct cot_rule *ret_rule)
{
    *ret_rule = (struct cot_rule){.n_conditions = c->n_conditions,
                                  .coverage = size > 0 ? (double)c->n_hits / (double)size : 0,
                                  .precision = c->n_matching > 0 ? (double)c->n_hits / (double)c->n_matching : 0,
                                  .f1 = c->f1,
                                  .n_matching = c->n_matching};
    for (size_t i = 0; i < c->n_conditions; i++) {
        const struct binned_condition *b = &c->conditions[i];
        const struct cot_rule_column *column = &s->bins->columns[b->i_column];
        double value = (double)column->cuts[b->cut];
        ret_rule->conditions[i].i_column = b->i_column;
        ret_rule->conditions[i].op = b->op;
        ret_rule->conditions[i].value =
            column->is_category ? value : cot_rule_round_between(value, (double)column->next[b->cut]);
    }
}

static void release_rows(struct beam *beam)
{
    for (size_t i = 0; i < beam->n; i++) {
        free(beam->items[i].rows);
        beam->items[i].rows = NULL;
    }
}

/* One round: all conditions on all rules of `from`. */
static bool extend(struct search *s, size_t segment, const struct beam *from, struct beam *to)
{
    struct histogram h;
    to->n = 0;
    for (size_t i = 0; i < from->n; i++)
        for (size_t j = 0; j < s->bins->d; j++) {
            count_rows(s, &from->items[i], j, (uint32_t)segment, &h);
            offer_column(to, &from->items[i], &h, &s->bins->columns[j], j, s->sizes[segment],
                         s->options->max_conditions);
        }
    for (size_t i = 0; i < to->n; i++)
        if (!list_rows(s, &to->items[i]))
            return false;
    return true;
}

static bool find_rule(struct search *s, size_t segment)
{
    size_t d = s->bins->d;
    size_t size = s->sizes[segment];
    struct candidate best[COT_RULE_MAX_CONDITIONS + 1] = {{0}};
    struct beam beams[2] = {{.n_max = s->options->beam}, {.n_max = s->options->beam}};
    bool ok = true;
    for (int b = 0; b < 2; b++) {
        beams[b].items = cot_alloc_array(s->options->beam, 1, sizeof *beams[b].items);
        ok = ok && beams[b].items != NULL;
    }
    best[0].n_matching = s->bins->n;
    best[0].n_hits = size;
    best[0].f1 = f1_of(size, s->bins->n, size);
    if (ok) {
        for (size_t j = 0; j < d; j++)
            offer_column(&beams[0], &best[0], &s->whole[segment * d + j], &s->bins->columns[j], j, size,
                         s->options->max_conditions);
        keep_best(best, &beams[0]);
    }
    for (size_t i = 0; ok && s->options->max_conditions > 1 && i < beams[0].n; i++)
        ok = list_rows(s, &beams[0].items[i]);
    for (unsigned round = 1; ok && round < s->options->max_conditions; round++) {
        struct beam *from = &beams[(round + 1) % 2];
        struct beam *to = &beams[round % 2];
        ok = extend(s, segment, from, to);
        release_rows(from);
        keep_best(best, to);
    }
    for (int b = 0; b < 2; b++) {
        if (beams[b].items != NULL)
            release_rows(&beams[b]);
        free(beams[b].items);
    }
    if (ok && size > 0)
        write_rule(s, settle(best, s->options), size, &s->rules[segment]);
    else
        s->rules[segment] = (struct cot_rule){0};
    return ok;
}

static void find_rules(void *context, size_t begin, size_t end, size_t i_block, unsigned i_thread)
{
    struct search *s = context;
    (void)i_block;
    (void)i_thread;
    for (size_t segment = begin; segment < end; segment++)
        if (!find_rule(s, segment))
            atomic_store(&s->no_memory, 1);
}

/* ---- all segments ---- */

struct counting {
    const struct cot_rule_bins *bins;
    const uint32_t *labels;
    size_t k;
    struct histogram *whole;
};

static void count_columns(void *context, size_t begin, size_t end, size_t i_block, unsigned i_thread)
{
    const struct counting *c = context;
    (void)i_block;
    (void)i_thread;
    for (size_t j = begin; j < end; j++) {
        const unsigned char *bins = c->bins->columns[j].bins;
        uint32_t all[COT_RULE_N_BINS] = {0};
        for (size_t i = 0; i < c->bins->n; i++) {
            all[bins[i]]++;
            c->whole[c->labels[i] * c->bins->d + j].hits[bins[i]]++;
        }
        for (size_t s = 0; s < c->k; s++)
            memcpy(c->whole[s * c->bins->d + j].all, all, sizeof all);
    }
}

cot_code cot_rules_find(const struct cot_matrix *x, const uint32_t *labels, size_t k,
                        const struct cot_rule_options *options, struct cot_rule *ret_rules, struct cot_err *err)
{
    struct cot_rule_bins bins = {0};
    struct search s = {.bins = &bins, .labels = labels, .k = k, .options = options, .rules = ret_rules};
    struct histogram *whole = NULL;
    size_t *sizes = NULL;
    cot_code rc = cot_check_labels(labels, x->n, k, err);
    if (rc != COT_OK)
        return rc;
    if (x->n == 0 || x->n > UINT32_MAX || options->max_conditions < 1 ||
        options->max_conditions > COT_RULE_MAX_CONDITIONS || options->max_thresholds < 1 || options->beam < 1)
        return cot_fail(err, COT_USAGE,
                        "rules over %zu rows with %u conditions, %u thresholds and a beam of %u: give 1 row, 1..%d "
                        "conditions, 1 threshold and a beam of 1",
                        x->n, options->max_conditions, options->max_thresholds, options->beam, COT_RULE_MAX_CONDITIONS);
    rc = cot_rule_bins_init(&bins, x, labels, k, options, err);
    if (rc != COT_OK)
        return rc;
    whole = cot_alloc_array(k, x->d, sizeof *whole);
    sizes = cot_alloc_array(k, 1, sizeof *sizes);
    if (whole == NULL || sizes == NULL) {
        rc = cot_fail(err, COT_NOMEM, "rules for %zu segments of %zu features", k, x->d);
        goto out;
    }
    for (size_t i = 0; i < x->n; i++)
        sizes[labels[i]]++;
    struct counting c = {.bins = &bins, .labels = labels, .k = k, .whole = whole};
    cot_parallel_for(options->n_threads, x->d, 1, count_columns, &c);
    s.whole = whole;
    s.sizes = sizes;
    cot_parallel_for(options->n_threads, k, 1, find_rules, &s);
    if (s.no_memory)
        rc = cot_fail(err, COT_NOMEM, "rules for %zu segments", k);
out:
    cot_rule_bins_release(&bins);
    free(whole);
    free(sizes);
    return rc;
}

int cot_rule_matches(const struct cot_rule *rule, const float *row)
{
    for (size_t i = 0; i < rule->n_conditions; i++) {
        const struct cot_rule_condition *c = &rule->conditions[i];
        double x = (double)row[c->i_column];
        bool holds =
            !isnan(x) && ((c->op == COT_RULE_AT_MOST && x <= c->value) || (c->op == COT_RULE_ABOVE && x > c->value) ||
                          (c->op == COT_RULE_IS && x == c->value) || (c->op == COT_RULE_IS_NOT && x != c->value));
        if (!holds)
            return 0;
    }
    return 1;
}
