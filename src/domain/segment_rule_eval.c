/*
 * Does a rule hold for one customer now, and until when at least does that last?
 *
 * The second answer is a lower bound: the earliest moment at which an event leaves a window, a duration is reached, a
 * day begins. Whoever asks again then gets the right answer at every moment, without looking in between.
 */
#include <math.h>
#include <string.h>
#include <strings.h>

#include "base/dict.h"
#include "domain/segment_rule_tree.h"

struct walk {
    const struct cot_rule_view *view;
    int64_t next_ms;
};

/* The window as moments: from from_ms on, before until_ms. */
struct span {
    int64_t from_ms, until_ms;
};

static void wake(struct walk *walk, int64_t at_ms)
{
    if (at_ms > walk->view->now_ms && at_ms < walk->next_ms)
        walk->next_ms = at_ms;
}

/* Local midnight that begins the current day, week (Monday), month or year, `ahead` of them later. */
static int64_t start_of(const struct cot_rule_view *view, enum cot_date_start start, int ahead)
{
    struct cot_civil civil;
    int64_t local_ms = cot_zone_local(view->zone, view->now_ms);
    int64_t days = cot_ms_to_days(local_ms);
    cot_civil_from_ms(local_ms, &civil);
    switch (start) {
    case COT_START_DAY: days += ahead; break;
    case COT_START_WEEK: days += 7 * ahead - cot_weekday(days); break;
    case COT_START_MONTH:
        civil.month += ahead;
        civil.year += civil.month > 12;
        civil.month = civil.month > 12 ? 1 : civil.month;
        days = cot_days_from_civil(civil.year, civil.month, 1);
        break;
    case COT_START_YEAR: days = cot_days_from_civil(civil.year + ahead, 1, 1); break;
    case COT_START_NONE: break;
    }
    return cot_zone_utc(view->zone, days * COT_MS_PER_DAY);
}

static int64_t date_ms(struct walk *walk, const struct cot_rule_date *date)
{
    if (date->start == COT_START_NONE)
        return cot_zone_utc(walk->view->zone, date->local_ms);
    wake(walk, start_of(walk->view, date->start, 1));
    return start_of(walk->view, date->start, 0);
}

static struct span span_of(struct walk *walk, const struct cot_rule_window *window)
{
    struct span span = {INT64_MIN, INT64_MAX};
    if (window->within_ms > 0)
        span.from_ms = walk->view->now_ms - window->within_ms + 1;
    if (window->has_since)
        span.from_ms = date_ms(walk, &window->since);
    if (window->has_before)
        span.until_ms = date_ms(walk, &window->before);
    return span;
}

/* Index of the first entry at or after a moment. */
static size_t first_from(const struct cot_run *run, int64_t from_ms)
{
    return from_ms == INT64_MIN ? 0 : cot_run_until(run, from_ms - 1);
}

static bool compare(double value, enum cot_rule_op op, double with)
{
    switch (op) {
    case COT_RULE_EQ: return value == with;
    case COT_RULE_NE: return value != with && !isnan(value);
    case COT_RULE_LT: return value < with;
    case COT_RULE_LE: return value <= with;
    case COT_RULE_GT: return value > with;
    case COT_RULE_GE: return value >= with;
    case COT_RULE_IN: break;
    }
    return value == with;
}

static bool words_equal(struct cot_text a, struct cot_text b)
{
    return a.size == b.size && strncasecmp(a.data, b.data, a.size) == 0;
}

/* The amount, quantity or discount of an entry, money in minor units: sums of these are exact. NaN: it has none. */
static double minor_of(const struct cot_rule_view *view, const struct cot_entry *entry, enum cot_rule_property property)
{
    if (!cot_entry_is_commerce(entry))
        return NAN;
    const struct cot_line *line = &view->lines->lines[entry->detail];
    if (property == COT_PROPERTY_AMOUNT)
        return (double)line->amount_minor;
    if (property == COT_PROPERTY_QUANTITY)
        return (double)line->quantity;
    if (line->extra == COT_NO_EXTRA || view->lines->extras[line->extra].discount_minor == COT_UNKNOWN_MINOR)
        return NAN;
    return (double)view->lines->extras[line->extra].discount_minor;
}

/* What makes minor_of the number that a rule names. */
static double unit_of(const struct cot_rule_view *view, enum cot_rule_property property)
{
    return property == COT_PROPERTY_QUANTITY ? 1 : view->minor_per_unit;
}

static double number_of(const struct cot_rule_view *view, const struct cot_entry *entry,
                        enum cot_rule_property property)
{
    return minor_of(view, entry, property) / unit_of(view, property);
}

/* The code of an entry's item, category, brand or channel; COT_DICT_NONE: none. */
static uint32_t code_of(const struct cot_rule_view *view, const struct cot_entry *entry,
                        enum cot_rule_property property)
{
    if (property == COT_PROPERTY_CHANNEL)
        return cot_entry_channel(entry);
    if (entry->item == COT_NO_ITEM)
        return COT_DICT_NONE;
    if (property == COT_PROPERTY_ITEM)
        return entry->item;
    struct cot_rule_item item = view->item(view->context, entry->item);
    return property == COT_PROPERTY_CATEGORY ? item.category : item.brand;
}

static uint32_t literal_code(const struct cot_rule_view *view, enum cot_rule_property property, struct cot_text word)
{
    switch (property) {
    case COT_PROPERTY_ITEM: return view->item_code(view->context, word);
    case COT_PROPERTY_CATEGORY: return view->category_code(view->context, word);
    case COT_PROPERTY_BRAND: return view->brand_code(view->context, word);
    default: return cot_channel_from_name(word.data, word.size);
    }
}

static bool passes(const struct cot_rule_view *view, const struct cot_entry *entry, const struct cot_rule_test *test)
{
    bool is_word = test->property <= COT_PROPERTY_CHANNEL;
    double number = is_word ? (double)NAN : number_of(view, entry, test->property);
    uint32_t code = is_word ? code_of(view, entry, test->property) : COT_DICT_NONE;
    if (is_word ? code == COT_DICT_NONE : isnan(number))
        return false;
    for (size_t i = 0; i < test->literals.n; i++) {
        const struct cot_rule_value *literal = &test->literals.values[i];
        if (!is_word && compare(number, test->op, literal->number))
            return true;
        if (is_word && (literal_code(view, test->property, literal->word) == code) == (test->op != COT_RULE_NE))
            return true;
    }
    return false;
}

static bool matches(const struct cot_rule_view *view, const struct cot_entry *entry,
                    const struct cot_rule_events *events)
{
    if (events->kind != COT_RULE_ANY_KIND && (int)cot_entry_kind(entry) != events->kind)
        return false;
    for (size_t i = 0; i < events->n_tests; i++)
        if (!passes(view, entry, &events->tests[i]))
            return false;
    return true;
}

/* When the first event that a sliding window holds leaves it: only then its count changes by itself. */
static void wake_when_it_leaves(struct walk *walk, const struct cot_rule_window *window, int64_t first_ms)
{
    if (window->within_ms > 0)
        wake(walk, first_ms + window->within_ms);
}

/* What is counted once: an order (each without a number by itself), a day, an item, a category ... */
static uint64_t distinct_key(const struct cot_rule_view *view, size_t i_entry, enum cot_rule_property property)
{
    const struct cot_entry *entry = &view->run.entries[i_entry];
    if (property == COT_PROPERTY_DAY)
        return (uint64_t)cot_ms_to_days(cot_zone_local(view->zone, cot_entry_ms(entry))) + 1;
    if (property == COT_PROPERTY_ORDER) {
        if (!cot_entry_is_commerce(entry))
            return 0;
        uint64_t order = view->lines->lines[entry->detail].order;
        return order != 0 ? order : (UINT64_C(1) << 63) | entry->detail;
    }
    if (property >= COT_PROPERTY_AMOUNT) {
        double number = number_of(view, entry, property);
        uint64_t bits = 0;
        memcpy(&bits, &number, sizeof bits);
        return isnan(number) ? 0 : bits + 1;
    }
    uint32_t code = code_of(view, entry, property);
    return code == COT_DICT_NONE ? 0 : (uint64_t)code + 1;
}

/* Has an entry before this one, in the window, the same key? */
static bool key_came_before(const struct walk *walk, const struct cot_rule_node *node, size_t begin, size_t i_entry,
                            uint64_t key)
{
    for (size_t i = begin; i < i_entry; i++)
        if (matches(walk->view, &walk->view->run.entries[i], &node->events) &&
            distinct_key(walk->view, i, node->property) == key)
            return true;
    return false;
}

static double fold(const struct walk *walk, const struct cot_rule_node *node, size_t begin, size_t i_entry,
                   double value)
{
    const struct cot_rule_view *view = walk->view;
    if (node->kind == COT_RULE_COUNT)
        return value + 1;
    if (node->kind == COT_RULE_DISTINCT) {
        uint64_t key = distinct_key(view, i_entry, node->property);
        return value + (key != 0 && !key_came_before(walk, node, begin, i_entry, key));
    }
    double number = minor_of(view, &view->run.entries[i_entry], node->property);
    if (isnan(number))
        return value;
    if (node->kind == COT_RULE_SUM)
        return value + number;
    return isnan(value) || (node->kind == COT_RULE_MIN ? number < value : number > value) ? number : value;
}

static bool holds_aggregate(struct walk *walk, const struct cot_rule_node *node)
{
    const struct cot_run *run = &walk->view->run;
    struct span span = span_of(walk, &node->window);
    size_t begin = first_from(run, span.from_ms);
    bool is_extreme = node->kind == COT_RULE_MIN || node->kind == COT_RULE_MAX;
    double value = is_extreme ? (double)NAN : 0;
    bool any = false;
    for (size_t i = begin; i < run->n && cot_entry_ms(&run->entries[i]) < span.until_ms; i++) {
        if (!matches(walk->view, &run->entries[i], &node->events))
            continue;
        if (!any)
            wake_when_it_leaves(walk, &node->window, cot_entry_ms(&run->entries[i]));
        any = true;
        value = fold(walk, node, begin, i, value);
    }
    if (is_extreme || node->kind == COT_RULE_SUM)
        value /= unit_of(walk->view, node->property);
    return compare(value, node->op, node->literals.values[0].number);
}

static bool holds_since(struct walk *walk, const struct cot_rule_node *node)
{
    const struct cot_run *run = &walk->view->run;
    struct span span = span_of(walk, &node->window);
    int64_t found_ms = INT64_MIN;
    for (size_t i = first_from(run, span.from_ms); i < run->n && cot_entry_ms(&run->entries[i]) < span.until_ms; i++) {
        if (!matches(walk->view, &run->entries[i], &node->events))
            continue;
        if (found_ms == INT64_MIN)
            wake_when_it_leaves(walk, &node->window, cot_entry_ms(&run->entries[i]));
        found_ms = cot_entry_ms(&run->entries[i]);
        if (node->kind == COT_RULE_SINCE_FIRST)
            break;
    }
    if (found_ms == INT64_MIN)
        return false;
    int64_t limit_ms = (int64_t)node->literals.values[0].number;
    wake(walk, found_ms + limit_ms);     /* "at least" and "less than" turn */
    wake(walk, found_ms + limit_ms + 1); /* "more than" and "at most" do */
    return compare((double)(walk->view->now_ms - found_ms), node->op, (double)limit_ms);
}

static bool value_passes(const struct cot_rule_value *value, enum cot_rule_op op,
                         const struct cot_rule_literals *literals)
{
    for (size_t i = 0; i < literals->n; i++) {
        const struct cot_rule_value *literal = &literals->values[i];
        bool numbers = !isnan(value->number) && !isnan(literal->number);
        bool holds = false;
        if (numbers)
            holds = compare(value->number, op, literal->number);
        else if (op == COT_RULE_EQ || op == COT_RULE_IN)
            holds = value->word.size > 0 && words_equal(value->word, literal->word);
        else if (op == COT_RULE_NE)
            holds = value->word.size > 0 && !words_equal(value->word, literal->word);
        if (holds)
            return true;
    }
    return false;
}

static bool holds_trait(struct walk *walk, const struct cot_rule_node *node)
{
    struct cot_rule_value value = {.word = {"", 0}, .number = (double)NAN};
    if (!walk->view->trait(walk->view->context, node->name, &value))
        return false;
    return node->kind == COT_RULE_TRAIT_EXISTS || value_passes(&value, node->op, &node->literals);
}

/* Features change with time in ways of their own: they are looked at again every hour. */
static bool holds_feature(struct walk *walk, const struct cot_rule_node *node)
{
    struct cot_rule_value value = {.word = {"", 0}, .number = (double)NAN};
    wake(walk, walk->view->now_ms + COT_MS_PER_HOUR);
    return walk->view->feature(walk->view->context, node->i_feature, &value) &&
           value_passes(&value, node->op, &node->literals);
}

/* How far a sequence has come, entry by entry. Of each step the latest moment is kept at which it was reached: whatever
 * comes after it is nearest to that one. A last step that must not happen decides the earliest completion that still
 * waits: if an event spoils that one, it spoils all that came after, too. */
struct progress {
    int64_t reached_ms[COT_RULE_MAX_STEPS]; /* INT64_MIN: not yet */
    int64_t waiting_ms;                     /* earliest completion that waits for its time to go by; INT64_MIN: none */
    bool done;
};

static void sequence_step(const struct walk *walk, const struct cot_rule_node *node, const struct cot_entry *entry,
                          struct progress *progress)
{
    const struct cot_rule_step *last = &node->steps[node->n_steps - 1];
    size_t n_happen = node->n_steps - last->absent;
    int64_t at_ms = cot_entry_ms(entry);
    if (last->absent && progress->waiting_ms != INT64_MIN) {
        if (progress->waiting_ms + last->gap_ms < at_ms)
            progress->done = true;
        else if (matches(walk->view, entry, &last->events))
            progress->waiting_ms = INT64_MIN;
    }
    for (size_t k = n_happen; k-- > 0 && !progress->done;) { /* backwards: an entry takes one step at most */
        const struct cot_rule_step *step = &node->steps[k];
        bool ready = k == 0 || (progress->reached_ms[k - 1] != INT64_MIN &&
                                (step->gap_ms == 0 || at_ms - progress->reached_ms[k - 1] <= step->gap_ms));
        if (!ready || !matches(walk->view, entry, &step->events))
            continue;
        progress->reached_ms[k] = at_ms;
        if (k + 1 < n_happen)
            continue;
        if (!last->absent)
            progress->done = true;
        else if (progress->waiting_ms == INT64_MIN)
            progress->waiting_ms = at_ms;
    }
}

static bool holds_sequence(struct walk *walk, const struct cot_rule_node *node)
{
    const struct cot_run *run = &walk->view->run;
    const struct cot_rule_step *last = &node->steps[node->n_steps - 1];
    struct span span = span_of(walk, &node->window);
    struct progress progress = {.waiting_ms = INT64_MIN};
    for (size_t k = 0; k < COT_RULE_MAX_STEPS; k++)
        progress.reached_ms[k] = INT64_MIN;
    size_t begin = first_from(run, span.from_ms);
    for (size_t i = begin; i < run->n && !progress.done && cot_entry_ms(&run->entries[i]) < span.until_ms; i++) {
        /* Any entry's leaving may end it: the next of the window is the next moment to look. */
        if (i == begin)
            wake_when_it_leaves(walk, &node->window, cot_entry_ms(&run->entries[i]));
        sequence_step(walk, node, &run->entries[i], &progress);
    }
    if (!progress.done && progress.waiting_ms != INT64_MIN) {
        progress.done = progress.waiting_ms + last->gap_ms < walk->view->now_ms;
        wake(walk, progress.waiting_ms + last->gap_ms + 1);
    }
    return progress.done;
}

static bool holds(struct walk *walk, const struct cot_rule_node *node)
{
    switch (node->kind) {
    case COT_RULE_OR: { /* both are looked at: either may turn */
        bool first = holds(walk, node->first);
        return holds(walk, node->second) || first;
    }
    case COT_RULE_AND: {
        bool first = holds(walk, node->first);
        return holds(walk, node->second) && first;
    }
    case COT_RULE_NOT: return !holds(walk, node->first);
    case COT_RULE_COUNT:
    case COT_RULE_SUM:
    case COT_RULE_MIN:
    case COT_RULE_MAX:
    case COT_RULE_DISTINCT: return holds_aggregate(walk, node);
    case COT_RULE_SINCE_FIRST:
    case COT_RULE_SINCE_LAST: return holds_since(walk, node);
    case COT_RULE_TRAIT:
    case COT_RULE_TRAIT_EXISTS: return holds_trait(walk, node);
    case COT_RULE_FEATURE: return holds_feature(walk, node);
    case COT_RULE_SEGMENT: return walk->view->segment(walk->view->context, node->name);
    case COT_RULE_SEQUENCE: return holds_sequence(walk, node);
    }
    return false;
}

bool cot_segment_rule_holds(const struct cot_segment_rule *rule, const struct cot_rule_view *view, int64_t *ret_next_ms)
{
    struct walk walk = {.view = view, .next_ms = COT_RULE_NEVER};
    bool result = holds(&walk, rule->root);
    *ret_next_ms = walk.next_ms;
    return result;
}

static void explain(struct walk *walk, const struct cot_rule_node *node, cot_rule_tell *tell, void *context)
{
    if (node->kind == COT_RULE_OR || node->kind == COT_RULE_AND) {
        explain(walk, node->first, tell, context);
        explain(walk, node->second, tell, context);
    } else if (node->kind == COT_RULE_NOT) {
        explain(walk, node->first, tell, context);
    } else {
        tell(context, node->source, holds(walk, node));
    }
}

void cot_segment_rule_explain(const struct cot_segment_rule *rule, const struct cot_rule_view *view,
                              cot_rule_tell *tell, void *context)
{
    struct walk walk = {.view = view, .next_ms = COT_RULE_NEVER};
    explain(&walk, rule->root, tell, context);
}
