/*
 * Does a rule hold for one customer now, and until when at least does that last?
 *
 * The second answer is a lower bound: the earliest moment at which an event leaves a window, a duration is reached, a
 * day begins. Whoever asks again then gets the right answer at every moment, without looking in between.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/dict.h"
#include "domain/segment_rule_tree.h"

/* The window as moments: from from_ms on, before until_ms. */
struct span {
    int64_t from_ms, until_ms;
};

static void wake(struct cot_rule_walk *walk, int64_t at_ms)
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

static int64_t date_ms(struct cot_rule_walk *walk, const struct cot_rule_date *date)
{
    if (date->start == COT_START_NONE)
        return cot_zone_utc(walk->view->zone, date->local_ms);
    wake(walk, start_of(walk->view, date->start, 1));
    return start_of(walk->view, date->start, 0);
}

static struct span span_of(struct cot_rule_walk *walk, const struct cot_rule_window *window)
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

/* When the first event that a sliding window holds leaves it: only then its count changes by itself. */
static void wake_when_it_leaves(struct cot_rule_walk *walk, const struct cot_rule_window *window, int64_t first_ms)
{
    if (window->within_ms > 0)
        wake(walk, first_ms + window->within_ms);
}

/* Notes an entry that the condition rests on; the last ones are kept. */
static void rest_on(struct cot_rule_walk *walk, size_t i_entry)
{
    struct cot_rule_finding *finding = walk->finding;
    if (finding == NULL)
        return;
    if (finding->n_evidence == COT_RULE_MAX_EVIDENCE)
        memmove(finding->evidence, finding->evidence + 1, --finding->n_evidence * sizeof *finding->evidence);
    finding->evidence[finding->n_evidence++] = i_entry;
}

static void found_number(struct cot_rule_walk *walk, double number)
{
    if (walk->finding != NULL)
        walk->finding->value.number = number;
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

/* What entries say */

static const struct cot_property *property_of(const struct cot_rule_view *view, const struct cot_entry *entry,
                                              const struct cot_rule_what *what)
{
    const struct cot_note *note = cot_entry_note(entry, view->lines);
    for (uint32_t i = 0; note != NULL && what->key_code != COT_DICT_NONE && i < note->n; i++)
        if (view->lines->properties[note->first + i].key == what->key_code)
            return &view->lines->properties[note->first + i];
    return NULL;
}

/* The amount, quantity or discount of an entry, or its property where that is a number; money in minor units: sums of
 * these are exact. NaN: it has none. */
static double minor_of(const struct cot_rule_view *view, const struct cot_entry *entry,
                       const struct cot_rule_what *what)
{
    if (what->property == COT_PROPERTY_OWN) {
        const struct cot_property *property = property_of(view, entry, what);
        return property != NULL ? property->number : (double)NAN;
    }
    if (!cot_entry_is_commerce(entry))
        return (double)NAN;
    const struct cot_line *line = &view->lines->lines[entry->detail];
    if (what->property == COT_PROPERTY_AMOUNT)
        return (double)line->amount_minor;
    if (what->property == COT_PROPERTY_QUANTITY)
        return (double)line->quantity;
    if (line->extra == COT_NO_EXTRA || view->lines->extras[line->extra].discount_minor == COT_UNKNOWN_MINOR)
        return (double)NAN;
    return (double)view->lines->extras[line->extra].discount_minor;
}

/* What makes minor_of the number that a rule names. */
static double unit_of(const struct cot_rule_view *view, const struct cot_rule_what *what)
{
    bool is_money = what->property == COT_PROPERTY_AMOUNT || what->property == COT_PROPERTY_DISCOUNT;
    return is_money ? view->minor_per_unit : 1;
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

static bool code_passes(uint32_t code, enum cot_rule_op op, const struct cot_rule_literals *literals)
{
    if (code == COT_DICT_NONE)
        return false;
    for (size_t i = 0; i < literals->n; i++)
        if ((literals->codes[i] == code) == (op != COT_RULE_NE))
            return true;
    return false;
}

static bool number_passes(double number, enum cot_rule_op op, const struct cot_rule_literals *literals)
{
    for (size_t i = 0; i < literals->n; i++)
        if (!isnan(number) && compare(number, op, literals->values[i].number))
            return true;
    return false;
}

/* A property: by number where both are numbers, else by word. */
static bool property_passes(const struct cot_property *property, enum cot_rule_op op,
                            const struct cot_rule_literals *literals)
{
    for (size_t i = 0; property != NULL && i < literals->n; i++) {
        bool numbers = !isnan(property->number) && !isnan(literals->values[i].number);
        bool same = literals->codes[i] == property->word;
        if (numbers ? compare(property->number, op, literals->values[i].number) : same == (op != COT_RULE_NE))
            return true;
    }
    return false;
}

static bool what_passes(const struct cot_rule_view *view, const struct cot_entry *entry,
                        const struct cot_rule_what *what, enum cot_rule_op op, const struct cot_rule_literals *literals)
{
    if (what->property == COT_PROPERTY_OWN)
        return property_passes(property_of(view, entry, what), op, literals);
    if (cot_rule_is_word(what->property))
        return code_passes(code_of(view, entry, what->property), op, literals);
    return number_passes(minor_of(view, entry, what) / unit_of(view, what), op, literals);
}

static bool passes(const struct cot_rule_view *view, const struct cot_entry *entry, const struct cot_rule_test *test)
{
    return test->exists ? property_of(view, entry, &test->what) != NULL
                        : what_passes(view, entry, &test->what, test->op, &test->literals);
}

static bool is_called(const struct cot_rule_view *view, const struct cot_entry *entry, uint32_t name_code)
{
    const struct cot_note *note = cot_entry_note(entry, view->lines);
    return note != NULL && note->name == name_code && name_code != COT_DICT_NONE;
}

static bool matches(const struct cot_rule_view *view, const struct cot_entry *entry,
                    const struct cot_rule_events *events)
{
    if (events->kind != COT_RULE_ANY_KIND && (int)cot_entry_kind(entry) != events->kind)
        return false;
    if (events->name.size > 0 && events->kind == COT_EVENT_CUSTOM && !is_called(view, entry, events->name_code))
        return false;
    for (size_t i = 0; i < events->n_tests; i++)
        if (!passes(view, entry, &events->tests[i]))
            return false;
    return true;
}

/* Counts and sums */

/* What is counted once: an order (each without a number by itself), a day, an item, a category, a word ... */
static uint64_t distinct_key(const struct cot_rule_view *view, size_t i_entry, const struct cot_rule_what *what)
{
    const struct cot_entry *entry = &view->run.entries[i_entry];
    if (what->property == COT_PROPERTY_DAY)
        return (uint64_t)cot_ms_to_days(cot_zone_local(view->zone, cot_entry_ms(entry))) + 1;
    if (what->property == COT_PROPERTY_ORDER) {
        if (!cot_entry_is_commerce(entry))
            return 0;
        uint64_t order = view->lines->lines[entry->detail].order;
        return order != 0 ? order : (UINT64_C(1) << 63) | entry->detail;
    }
    if (cot_rule_is_word(what->property)) {
        uint32_t code = code_of(view, entry, what->property);
        return code == COT_DICT_NONE ? 0 : (uint64_t)code + 1;
    }
    const struct cot_property *property = what->property == COT_PROPERTY_OWN ? property_of(view, entry, what) : NULL;
    if (property != NULL && isnan(property->number))
        return UINT64_C(0x7ff8000000000000) | property->word; /* the bits of a NaN, which no number has */
    double number = minor_of(view, entry, what);
    uint64_t bits = 0;
    memcpy(&bits, &number, sizeof bits);
    return isnan(number) ? 0 : bits + 1;
}

/* Keys that came already: a table of twice as many places as it may hold. */
struct keys {
    uint64_t *places; /* 0: free */
    size_t n_places;  /* a power of two; 0: no memory: keys are looked for among the entries instead */
};

static struct keys keys_make(size_t n)
{
    struct keys keys = {.n_places = 16};
    while (keys.n_places < 2 * n)
        keys.n_places *= 2;
    keys.places = calloc(keys.n_places, sizeof *keys.places);
    if (keys.places == NULL)
        keys.n_places = 0;
    return keys;
}

static bool keys_add(struct keys *keys, uint64_t key)
{
    size_t i = (size_t)((key * UINT64_C(0x9e3779b97f4a7c15)) >> 32) & (keys->n_places - 1);
    for (; keys->places[i] != 0; i = (i + 1) & (keys->n_places - 1))
        if (keys->places[i] == key)
            return false;
    keys->places[i] = key;
    return true;
}

/* Has an entry before this one, in the window, the same key? */
static bool key_came_before(const struct cot_rule_walk *walk, const struct cot_rule_node *node, size_t begin,
                            size_t i_entry, uint64_t key)
{
    for (size_t i = begin; i < i_entry; i++)
        if (matches(walk->view, &walk->view->run.entries[i], &node->events) &&
            distinct_key(walk->view, i, &node->what) == key)
            return true;
    return false;
}

static double fold(const struct cot_rule_walk *walk, const struct cot_rule_node *node, size_t i_entry, double value)
{
    const struct cot_rule_view *view = walk->view;
    if (node->kind == COT_RULE_COUNT)
        return value + 1;
    double number = minor_of(view, &view->run.entries[i_entry], &node->what);
    if (isnan(number))
        return value;
    if (node->kind == COT_RULE_SUM)
        return value + number;
    return isnan(value) || (node->kind == COT_RULE_MIN ? number < value : number > value) ? number : value;
}

static bool holds_aggregate(struct cot_rule_walk *walk, const struct cot_rule_node *node)
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
        rest_on(walk, i);
        value = fold(walk, node, i, value);
    }
    if (node->kind != COT_RULE_COUNT)
        value /= unit_of(walk->view, &node->what);
    found_number(walk, value);
    return compare(value, node->op, node->literals.values[0].number);
}

static bool holds_distinct(struct cot_rule_walk *walk, const struct cot_rule_node *node)
{
    const struct cot_run *run = &walk->view->run;
    struct span span = span_of(walk, &node->window);
    size_t begin = first_from(run, span.from_ms);
    struct keys keys = keys_make(run->n - begin);
    uint64_t n = 0;
    bool any = false;
    for (size_t i = begin; i < run->n && cot_entry_ms(&run->entries[i]) < span.until_ms; i++) {
        if (!matches(walk->view, &run->entries[i], &node->events))
            continue;
        if (!any)
            wake_when_it_leaves(walk, &node->window, cot_entry_ms(&run->entries[i]));
        any = true;
        uint64_t key = distinct_key(walk->view, i, &node->what);
        if (key == 0 || !(keys.n_places > 0 ? keys_add(&keys, key) : !key_came_before(walk, node, begin, i, key)))
            continue;
        rest_on(walk, i);
        n++;
    }
    free(keys.places);
    found_number(walk, (double)n);
    return compare((double)n, node->op, node->literals.values[0].number);
}

/* The first or last event of a window that matches; SIZE_MAX: none does. */
static size_t find_end(struct cot_rule_walk *walk, const struct cot_rule_node *node, bool first)
{
    const struct cot_run *run = &walk->view->run;
    struct span span = span_of(walk, &node->window);
    size_t found = SIZE_MAX;
    for (size_t i = first_from(run, span.from_ms); i < run->n && cot_entry_ms(&run->entries[i]) < span.until_ms; i++) {
        if (!matches(walk->view, &run->entries[i], &node->events))
            continue;
        if (found == SIZE_MAX)
            wake_when_it_leaves(walk, &node->window, cot_entry_ms(&run->entries[i]));
        found = i;
        if (first)
            break;
    }
    if (found != SIZE_MAX)
        rest_on(walk, found);
    return found;
}

static bool holds_end(struct cot_rule_walk *walk, const struct cot_rule_node *node)
{
    size_t i = find_end(walk, node, node->kind == COT_RULE_FIRST);
    if (i == SIZE_MAX)
        return false;
    const struct cot_entry *entry = &walk->view->run.entries[i];
    if (!cot_rule_is_word(node->what.property))
        found_number(walk, minor_of(walk->view, entry, &node->what) / unit_of(walk->view, &node->what));
    return what_passes(walk->view, entry, &node->what, node->op, &node->literals);
}

static bool holds_since(struct cot_rule_walk *walk, const struct cot_rule_node *node)
{
    size_t i = find_end(walk, node, node->kind == COT_RULE_SINCE_FIRST);
    if (i == SIZE_MAX)
        return false;
    int64_t found_ms = cot_entry_ms(&walk->view->run.entries[i]);
    int64_t limit_ms = (int64_t)node->literals.values[0].number;
    wake(walk, found_ms + limit_ms);     /* "at least" and "less than" turn */
    wake(walk, found_ms + limit_ms + 1); /* "more than" and "at most" do */
    found_number(walk, (double)(walk->view->now_ms - found_ms) / 1000);
    return compare((double)(walk->view->now_ms - found_ms), node->op, (double)limit_ms);
}

/* What is said of the customer */

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

static bool holds_value(struct cot_rule_walk *walk, const struct cot_rule_node *node)
{
    const struct cot_rule_view *view = walk->view;
    struct cot_rule_value value = {.word = {"", 0}, .number = (double)NAN};
    bool is_feature = node->kind == COT_RULE_FEATURE;
    /* Features change with time in ways of their own: they are looked at again every hour, each customer at another
     * moment of it. */
    if (is_feature)
        wake(walk,
             view->now_ms + COT_MS_PER_HOUR - (view->now_ms - view->spread_ms % COT_MS_PER_HOUR) % COT_MS_PER_HOUR);
    if (is_feature ? !view->feature(view->context, node->i_feature, &value)
                   : !view->trait(view->context, node->name, &value))
        return false;
    if (walk->finding != NULL)
        walk->finding->value = value;
    return node->kind == COT_RULE_TRAIT_EXISTS || value_passes(&value, node->op, &node->literals);
}

/* Sequences */

/* How far a sequence has come, entry by entry. Of each step the latest moment is kept at which it was reached: whatever
 * comes after it is nearest to that one. A last step that must not happen decides the earliest completion that still
 * waits: if an event spoils that one, it spoils all that came after, too. */
struct progress {
    int64_t reached_ms[COT_RULE_MAX_STEPS]; /* INT64_MIN: not yet */
    int64_t waiting_ms;                     /* earliest completion that waits for its time to go by; INT64_MIN: none */
    bool done;
    size_t chains[COT_RULE_MAX_STEPS][COT_RULE_MAX_STEPS]; /* entries by which each step was reached */
    size_t waiting_chain[COT_RULE_MAX_STEPS];
};

static void reach(struct progress *progress, size_t k, size_t i_entry, int64_t at_ms)
{
    progress->reached_ms[k] = at_ms;
    if (k > 0)
        memcpy(progress->chains[k], progress->chains[k - 1], k * sizeof *progress->chains[k]);
    progress->chains[k][k] = i_entry;
}

static void sequence_step(const struct cot_rule_walk *walk, const struct cot_rule_node *node, size_t i_entry,
                          struct progress *progress)
{
    const struct cot_entry *entry = &walk->view->run.entries[i_entry];
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
        reach(progress, k, i_entry, at_ms);
        if (k + 1 < n_happen)
            continue;
        if (!last->absent)
            progress->done = true;
        else if (progress->waiting_ms == INT64_MIN) {
            progress->waiting_ms = at_ms;
            memcpy(progress->waiting_chain, progress->chains[k], sizeof progress->waiting_chain);
        }
    }
}

/* What it rests on: the entries of the completed sequence, else of as many steps as were reached; value: how many. */
static void tell_progress(struct cot_rule_walk *walk, const struct cot_rule_node *node, const struct progress *progress)
{
    bool absent = node->steps[node->n_steps - 1].absent;
    size_t n = node->n_steps - absent;
    const size_t *chain = NULL;
    if (walk->finding == NULL)
        return;
    if (absent && (progress->done || progress->waiting_ms != INT64_MIN))
        chain = progress->waiting_chain;
    while (chain == NULL && n > 0 && progress->reached_ms[n - 1] == INT64_MIN)
        n--;
    if (chain == NULL && n > 0)
        chain = progress->chains[n - 1];
    for (size_t i = 0; i < n; i++)
        rest_on(walk, chain[i]);
    found_number(walk, (double)(n + (absent && progress->done)));
}

static bool holds_sequence(struct cot_rule_walk *walk, const struct cot_rule_node *node)
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
        sequence_step(walk, node, i, &progress);
    }
    if (!progress.done && progress.waiting_ms != INT64_MIN) {
        progress.done = progress.waiting_ms + last->gap_ms < walk->view->now_ms;
        wake(walk, progress.waiting_ms + last->gap_ms + 1);
    }
    tell_progress(walk, node, &progress);
    return progress.done;
}

/* Rules */

bool cot_rule_condition_holds(struct cot_rule_walk *walk, const struct cot_rule_node *node)
{
    switch (node->kind) {
    case COT_RULE_COUNT:
    case COT_RULE_SUM:
    case COT_RULE_MIN:
    case COT_RULE_MAX: return holds_aggregate(walk, node);
    case COT_RULE_DISTINCT: return holds_distinct(walk, node);
    case COT_RULE_FIRST:
    case COT_RULE_LAST: return holds_end(walk, node);
    case COT_RULE_SINCE_FIRST:
    case COT_RULE_SINCE_LAST: return holds_since(walk, node);
    case COT_RULE_TRAIT:
    case COT_RULE_TRAIT_EXISTS:
    case COT_RULE_FEATURE: return holds_value(walk, node);
    case COT_RULE_SEGMENT: return walk->view->segment(walk->view->context, node->name);
    case COT_RULE_SEQUENCE: return holds_sequence(walk, node);
    case COT_RULE_OR:
    case COT_RULE_AND:
    case COT_RULE_NOT: break;
    }
    return false;
}

static bool holds(struct cot_rule_walk *walk, const struct cot_rule_node *node)
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
    default: return cot_rule_condition_holds(walk, node);
    }
}

bool cot_segment_rule_holds(const struct cot_segment_rule *rule, const struct cot_rule_view *view, int64_t *ret_next_ms)
{
    struct cot_rule_walk walk = {.view = view, .next_ms = COT_RULE_NEVER};
    bool result = holds(&walk, rule->root);
    *ret_next_ms = walk.next_ms;
    return result;
}

/* Features cost most by far: what asks for one is looked at last. */
static bool asks_for_feature(const struct cot_rule_node *node)
{
    if (node == NULL)
        return false;
    return node->kind == COT_RULE_FEATURE || asks_for_feature(node->first) || asks_for_feature(node->second);
}

static bool selects(struct cot_rule_walk *walk, const struct cot_rule_node *node)
{
    if (node->kind == COT_RULE_NOT)
        return !selects(walk, node->first);
    if (node->kind != COT_RULE_OR && node->kind != COT_RULE_AND)
        return cot_rule_condition_holds(walk, node);
    bool second_first = asks_for_feature(node->first);
    const struct cot_rule_node *first = second_first ? node->second : node->first;
    if (selects(walk, first) == (node->kind == COT_RULE_OR))
        return node->kind == COT_RULE_OR;
    return selects(walk, second_first ? node->first : node->second);
}

bool cot_segment_rule_selects(const struct cot_segment_rule *rule, const struct cot_rule_view *view)
{
    struct cot_rule_walk walk = {.view = view, .next_ms = COT_RULE_NEVER};
    return selects(&walk, rule->root);
}
