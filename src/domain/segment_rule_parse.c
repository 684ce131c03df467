/* From the text of a rule to its tree: recursive descent, one token ahead (grammar: segment_rule.h). */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "domain/event.h"
#include "domain/feature.h"
#include "domain/segment_rule_lex.h"
#include "domain/segment_rule_tree.h"

static bool read_date(struct parser *p, struct cot_rule_date *ret_date)
{
    static const struct {
        const char *name;
        enum cot_date_start start;
    } starts[] = {
        {"day", COT_START_DAY}, {"week", COT_START_WEEK}, {"month", COT_START_MONTH}, {"year", COT_START_YEAR}};
    if (p->token.kind == TOKEN_DATE) {
        ret_date->start = COT_START_NONE;
        if (!cot_parse_iso(p->rule->text + p->token.offset, p->token.size, &ret_date->local_ms))
            return expected(p, "a date");
        advance(p);
        return true;
    }
    if (!take_word(p, "start"))
        return expected(p, "a date (2026-01-31) or 'start of day'");
    if (!take_word(p, "of"))
        return expected(p, "'of'");
    for (size_t i = 0; i < sizeof starts / sizeof *starts; i++)
        if (take_word(p, starts[i].name)) {
            ret_date->start = starts[i].start;
            return true;
        }
    return expected(p, "day, week, month or year");
}

static bool read_window(struct parser *p, struct cot_rule_window *window)
{
    if (take_word(p, "within"))
        return read_duration(p, &window->within_ms);
    if (take_word(p, "since"))
        return window->has_since = true, read_date(p, &window->since);
    if (take_word(p, "before"))
        return window->has_before = true, read_date(p, &window->before);
    if (!take_word(p, "between"))
        return true;
    window->has_since = window->has_before = true;
    if (!read_date(p, &window->since))
        return false;
    return take_word(p, "and") ? read_date(p, &window->before) : expected(p, "'and'");
}

/* An operator; with lists, "in" too. */
static bool read_op(struct parser *p, bool with_in, enum cot_rule_op *ret_op)
{
    static const struct {
        const char *sign;
        enum cot_rule_op op;
    } ops[] = {{"=", COT_RULE_EQ},  {"!=", COT_RULE_NE}, {"<=", COT_RULE_LE},
               {">=", COT_RULE_GE}, {"<", COT_RULE_LT},  {">", COT_RULE_GT}};
    for (size_t i = 0; i < sizeof ops / sizeof *ops; i++)
        if (is_sign(p, ops[i].sign)) {
            *ret_op = ops[i].op;
            advance(p);
            return true;
        }
    if (with_in && take_word(p, "in")) {
        *ret_op = COT_RULE_IN;
        return true;
    }
    return expected(p, with_in ? "an operator (= != < <= > >= in)" : "an operator (= != < <= > >=)");
}

/* After the operator: one value, or a list in parentheses for "in". */
static bool read_literals(struct parser *p, enum cot_rule_op op, struct cot_rule_literals *ret_literals)
{
    enum { MAX_VALUES = 200 };
    size_t room = op == COT_RULE_IN ? MAX_VALUES : 1;
    struct cot_rule_value *values = allocate(p, room, sizeof *values);
    ret_literals->codes = allocate(p, room, sizeof *ret_literals->codes);
    if (values == NULL || ret_literals->codes == NULL)
        return false;
    ret_literals->values = values;
    if (op != COT_RULE_IN) {
        ret_literals->n = 1;
        return read_value(p, &values[0]);
    }
    if (!need_sign(p, "(", "'('"))
        return false;
    do {
        if (ret_literals->n > 0)
            advance(p);
        if (ret_literals->n == MAX_VALUES)
            return fail_at(p, p->token.offset, "a list of more than %d values", MAX_VALUES);
        if (!read_value(p, &values[ret_literals->n++]))
            return false;
    } while (is_sign(p, ","));
    return need_sign(p, ")", "',' or ')'");
}

static const char *const property_names[COT_N_PROPERTIES] = {"item",     "category", "brand", "channel", "amount",
                                                             "quantity", "discount", "order", "day"};

/* Remembers a key of the events' own properties, once. */
static bool keep_key(struct parser *p, struct cot_text key)
{
    struct cot_segment_rule *rule = p->rule;
    for (size_t i = 0; i < rule->n_properties; i++)
        if (rule->properties[i].size == key.size && memcmp(rule->properties[i].data, key.data, key.size) == 0)
            return true;
    if (rule->properties == NULL)
        rule->properties = allocate(p, COT_RULE_MAX_PROPERTIES, sizeof *rule->properties);
    if (rule->properties == NULL)
        return false;
    if (rule->n_properties == COT_RULE_MAX_PROPERTIES)
        return fail_at(p, p->token.offset, "more than %d properties of events in a rule", COT_RULE_MAX_PROPERTIES);
    rule->properties[rule->n_properties++] = key;
    return true;
}

static bool read_property(struct parser *p, struct cot_rule_what *what)
{
    if (take_word(p, "property")) {
        what->property = COT_PROPERTY_OWN;
        if (p->token.kind != TOKEN_TEXT || p->token.value.size == 0)
            return expected(p, "the property's key in quotes");
        what->key = p->token.value;
        if (!keep_key(p, what->key))
            return false;
        advance(p);
        return true;
    }
    for (int i = 0; i < COT_N_PROPERTIES; i++)
        if (take_word(p, property_names[i])) {
            what->property = (enum cot_rule_property)i;
            return true;
        }
    return expected(
        p, "a property (item, category, brand, channel, amount, quantity, discount, order, day, property \"...\")");
}

static bool is_number_property(enum cot_rule_property property)
{
    return property == COT_PROPERTY_AMOUNT || property == COT_PROPERTY_QUANTITY || property == COT_PROPERTY_DISCOUNT;
}

/* An operator and what to compare with, for a word, a number, or what may be either. */
static bool read_comparison(struct parser *p, const struct cot_rule_what *what, enum cot_rule_op *ret_op,
                            struct cot_rule_literals *ret_literals)
{
    size_t offset = p->token.offset;
    const char *name = what->property < COT_N_PROPERTIES ? property_names[what->property] : "property";
    if (!read_op(p, true, ret_op) || !read_literals(p, *ret_op, ret_literals))
        return false;
    bool ordered = *ret_op >= COT_RULE_LT && *ret_op <= COT_RULE_GE;
    if (ordered && cot_rule_is_word(what->property))
        return fail_at(p, offset, "'%s' is a word: compare it by =, != or in", name);
    for (size_t i = 0; i < ret_literals->n && (ordered || is_number_property(what->property)); i++)
        if (isnan(ret_literals->values[i].number))
            return fail_at(p, offset, "'%s' is a number here, and compared with one", name);
    return true;
}

static bool read_test(struct parser *p, struct cot_rule_test *test)
{
    size_t offset = p->token.offset;
    if (!read_property(p, &test->what))
        return false;
    if (test->what.property == COT_PROPERTY_ORDER || test->what.property == COT_PROPERTY_DAY)
        return fail_at(p, offset, "'%s' can be counted (distinct), not filtered by",
                       property_names[test->what.property]);
    if (test->what.property == COT_PROPERTY_OWN && take_word(p, "exists")) {
        test->exists = true;
        return true;
    }
    return read_comparison(p, &test->what, &test->op, &test->literals);
}

static bool read_where(struct parser *p, struct cot_rule_events *events)
{
    enum { MAX_TESTS = 20 };
    if (!take_word(p, "where"))
        return true;
    events->tests = allocate(p, MAX_TESTS, sizeof *events->tests);
    if (events->tests == NULL)
        return false;
    do {
        if (events->n_tests == MAX_TESTS)
            return fail_at(p, p->token.offset, "a filter of more than %d tests", MAX_TESTS);
        if (!read_test(p, &events->tests[events->n_tests++]))
            return false;
    } while (take_word(p, "and"));
    return true;
}

static bool read_kind(struct parser *p, struct cot_rule_events *events)
{
    enum { MAX_NAME = 256 };
    enum cot_event_kind kind;
    if (p->token.kind == TOKEN_TEXT) {
        events->name = p->token.value;
        events->kind = COT_EVENT_CUSTOM;
        if (events->name.size == 0 || events->name.size > MAX_NAME)
            return fail_at(p, p->token.offset, "an event's name has 1 to %d bytes", MAX_NAME);
        advance(p);
        return true;
    }
    if (take_word(p, "any")) {
        events->kind = COT_RULE_ANY_KIND;
        return true;
    }
    if (p->token.kind != TOKEN_WORD || !cot_event_kind_from_name(p->rule->text + p->token.offset, p->token.size, &kind))
        return expected(p, "a kind of event (order_line, refund, page_view, product_view, cart_add, ..., any) or an "
                           "event's name in quotes");
    events->kind = (int)kind;
    advance(p);
    return true;
}

static bool read_events(struct parser *p, struct cot_rule_events *events)
{
    return read_kind(p, events) && read_where(p, events);
}

static bool read_count(struct parser *p, struct cot_rule_node *node)
{
    return need_sign(p, "(", "'('") && read_events(p, &node->events) && need_sign(p, ")", "')'") &&
           read_window(p, &node->window) && read_op(p, false, &node->op) && read_literals(p, node->op, &node->literals);
}

/* did(...): a count of at least one. */
static bool read_did(struct parser *p, struct cot_rule_node *node)
{
    node->op = COT_RULE_GE;
    node->literals.values = allocate(p, 1, sizeof *node->literals.values);
    if (node->literals.values == NULL)
        return false;
    node->literals.n = 1;
    node->literals.values[0].number = 1;
    return need_sign(p, "(", "'('") && read_events(p, &node->events) && need_sign(p, ")", "')'") &&
           read_window(p, &node->window);
}

/* "(" kind "." property ["where" filter] ")" [window] */
static bool read_of_events(struct parser *p, struct cot_rule_node *node)
{
    if (!need_sign(p, "(", "'('") || !read_kind(p, &node->events) || !need_sign(p, ".", "'.' and a property"))
        return false;
    size_t offset = p->token.offset;
    if (!read_property(p, &node->what))
        return false;
    bool numeric = node->kind == COT_RULE_SUM || node->kind == COT_RULE_MIN || node->kind == COT_RULE_MAX;
    if (numeric && !is_number_property(node->what.property) && node->what.property != COT_PROPERTY_OWN)
        return fail_at(p, offset, "'%s' is no number: count it by distinct(...)", property_names[node->what.property]);
    bool counted = node->what.property == COT_PROPERTY_ORDER || node->what.property == COT_PROPERTY_DAY;
    if (counted && node->kind != COT_RULE_DISTINCT)
        return fail_at(p, offset, "'%s' can be counted (distinct), not compared", property_names[node->what.property]);
    return read_where(p, &node->events) && need_sign(p, ")", "')'") && read_window(p, &node->window);
}

static bool read_aggregate(struct parser *p, struct cot_rule_node *node)
{
    return read_of_events(p, node) && read_op(p, false, &node->op) && read_literals(p, node->op, &node->literals);
}

static bool read_first_or_last(struct parser *p, struct cot_rule_node *node)
{
    return read_of_events(p, node) && read_comparison(p, &node->what, &node->op, &node->literals);
}

static bool read_since(struct parser *p, struct cot_rule_node *node)
{
    int64_t ms = 0;
    if (!need_sign(p, "(", "'('") || !read_events(p, &node->events) || !need_sign(p, ")", "')'") ||
        !read_window(p, &node->window) || !read_op(p, false, &node->op) || !read_duration(p, &ms))
        return false;
    node->literals.values = allocate(p, 1, sizeof *node->literals.values);
    if (node->literals.values == NULL)
        return false;
    node->literals.n = 1;
    node->literals.values[0].number = (double)ms;
    return true;
}

/* What a trait or feature is compared with: only numbers are less or more. */
static bool read_value_comparison(struct parser *p, struct cot_rule_node *node)
{
    static const struct cot_rule_what either = {.property = COT_PROPERTY_OWN};
    return read_comparison(p, &either, &node->op, &node->literals);
}

static bool read_trait(struct parser *p, struct cot_rule_node *node)
{
    if (p->token.kind != TOKEN_TEXT || p->token.value.size == 0)
        return expected(p, "the trait's name in quotes");
    node->name = p->token.value;
    advance(p);
    if (take_word(p, "exists")) {
        node->kind = COT_RULE_TRAIT_EXISTS;
        return true;
    }
    return read_value_comparison(p, node);
}

static bool read_feature(struct parser *p, struct cot_rule_node *node)
{
    char name[64];
    size_t offset = p->token.offset;
    if (p->token.kind != TOKEN_WORD || p->token.size >= sizeof name)
        return expected(p, "a feature's name");
    memcpy(name, p->rule->text + offset, p->token.size);
    name[p->token.size] = '\0';
    node->i_feature = cot_feature_find(name);
    if (node->i_feature == SIZE_MAX)
        return fail_at(p, offset, "there is no feature '%s': 'coterie features list' shows them", name);
    advance(p);
    return read_value_comparison(p, node);
}

static bool read_segment(struct parser *p, struct cot_rule_node *node)
{
    struct cot_segment_rule *rule = p->rule;
    if (p->token.kind != TOKEN_TEXT || p->token.value.size == 0)
        return expected(p, "the segment's name in quotes");
    if (rule->references == NULL)
        rule->references = allocate(p, COT_RULE_MAX_NODES, sizeof *rule->references);
    if (rule->references == NULL)
        return false;
    node->name = p->token.value;
    rule->references[rule->n_references++] = node->name;
    advance(p);
    return true;
}

static bool read_step(struct parser *p, struct cot_rule_node *node)
{
    struct cot_rule_step *step = &node->steps[node->n_steps];
    size_t offset = p->token.offset;
    step->absent = take_word(p, "not");
    if (!read_events(p, &step->events))
        return false;
    if (take_word(p, "within") && !read_duration(p, &step->gap_ms))
        return false;
    if (node->n_steps == 0 && (step->absent || step->gap_ms != 0))
        return fail_at(p, offset, "a sequence begins with something that happened, at any time");
    if (step->absent && step->gap_ms == 0)
        return fail_at(p, offset, "'not' needs a time that has to go by: 'then not order_line within 2 days'");
    node->n_steps++;
    return true;
}

static bool read_sequence(struct parser *p, struct cot_rule_node *node)
{
    node->steps = allocate(p, COT_RULE_MAX_STEPS, sizeof *node->steps);
    if (node->steps == NULL || !need_sign(p, "(", "'('") || !read_step(p, node))
        return false;
    while (is_word(p, "then")) {
        size_t offset = p->token.offset;
        if (node->steps[node->n_steps - 1].absent)
            return fail_at(p, offset, "nothing comes after a step that must not happen");
        if (node->n_steps == COT_RULE_MAX_STEPS)
            return fail_at(p, offset, "a sequence of more than %d steps", COT_RULE_MAX_STEPS);
        advance(p);
        if (!read_step(p, node))
            return false;
    }
    return need_sign(p, ")", "'then' or ')'") && read_window(p, &node->window);
}

static const struct condition {
    const char *word;
    enum cot_rule_node_kind kind;
    bool (*read)(struct parser *p, struct cot_rule_node *node);
} conditions[] = {
    {"did", COT_RULE_COUNT, read_did},
    {"count", COT_RULE_COUNT, read_count},
    {"sum", COT_RULE_SUM, read_aggregate},
    {"min", COT_RULE_MIN, read_aggregate},
    {"max", COT_RULE_MAX, read_aggregate},
    {"distinct", COT_RULE_DISTINCT, read_aggregate},
    {"first", COT_RULE_FIRST, read_first_or_last},
    {"last", COT_RULE_LAST, read_first_or_last},
    {"since_first", COT_RULE_SINCE_FIRST, read_since},
    {"since_last", COT_RULE_SINCE_LAST, read_since},
    {"trait", COT_RULE_TRAIT, read_trait},
    {"feature", COT_RULE_FEATURE, read_feature},
    {"segment", COT_RULE_SEGMENT, read_segment},
    {"sequence", COT_RULE_SEQUENCE, read_sequence},
};

static struct cot_rule_node *make_node(struct parser *p, enum cot_rule_node_kind kind)
{
    if (p->n_nodes++ >= COT_RULE_MAX_NODES) {
        fail_at(p, p->token.offset, "a rule of more than %d conditions", COT_RULE_MAX_NODES);
        return NULL;
    }
    struct cot_rule_node *node = allocate(p, 1, sizeof *node);
    if (node == NULL)
        return NULL;
    node->kind = kind;
    node->i_condition = p->rule->n_conditions;
    p->rule->n_conditions += kind > COT_RULE_NOT;
    return node;
}

static struct cot_rule_node *read_rule(struct parser *p);

static struct cot_rule_node *read_condition(struct parser *p)
{
    size_t offset = p->token.offset;
    for (size_t i = 0; i < sizeof conditions / sizeof *conditions; i++) {
        if (!is_word(p, conditions[i].word))
            continue;
        struct cot_rule_node *node = make_node(p, conditions[i].kind);
        if (node == NULL)
            return NULL;
        advance(p);
        if (!conditions[i].read(p, node))
            return NULL;
        /* Comparisons of numbers are with numbers. */
        bool numeric = node->kind >= COT_RULE_COUNT && node->kind <= COT_RULE_DISTINCT;
        if (numeric && isnan(node->literals.values[0].number)) {
            fail_at(p, offset, "%s(...) is a number, and compared with one", conditions[i].word);
            return NULL;
        }
        node->source = (struct cot_text){p->rule->text + offset, (uint32_t)(p->end - offset)};
        return node;
    }
    expected(p, "a condition (did, count, sum, min, max, distinct, first, last, since_first, since_last, trait, "
                "feature, segment, sequence)");
    return NULL;
}

static struct cot_rule_node *read_unary(struct parser *p)
{
    struct cot_rule_node *node = NULL;
    if (++p->depth > COT_RULE_MAX_DEPTH) {
        fail_at(p, p->token.offset, "nested deeper than %d", COT_RULE_MAX_DEPTH);
    } else if (take_word(p, "not")) {
        node = make_node(p, COT_RULE_NOT);
        if (node != NULL && (node->first = read_unary(p)) == NULL)
            node = NULL;
    } else if (is_sign(p, "(")) {
        advance(p);
        node = read_rule(p);
        if (node != NULL && !need_sign(p, ")", "'and', 'or' or ')'"))
            node = NULL;
    } else {
        node = read_condition(p);
    }
    p->depth--;
    return node;
}

/* Operands joined by one word, to the left. */
static struct cot_rule_node *read_joined(struct parser *p, const char *word, enum cot_rule_node_kind kind,
                                         struct cot_rule_node *(*read)(struct parser *p))
{
    struct cot_rule_node *left = read(p);
    while (left != NULL && take_word(p, word)) {
        struct cot_rule_node *node = make_node(p, kind);
        struct cot_rule_node *right = node != NULL ? read(p) : NULL;
        if (right == NULL)
            return NULL;
        node->first = left;
        node->second = right;
        left = node;
    }
    return left;
}

static struct cot_rule_node *read_and(struct parser *p)
{
    return read_joined(p, "and", COT_RULE_AND, read_unary);
}

static struct cot_rule_node *read_rule(struct parser *p)
{
    return read_joined(p, "or", COT_RULE_OR, read_and);
}

cot_code cot_segment_rule_parse(const char *text, size_t size, struct cot_segment_rule **ret_rule,
                                struct cot_rule_place *ret_place, struct cot_err *err)
{
    return cot_segment_rule_parse_in(text, size, &(struct cot_rule_place){0, 1, 1}, ret_rule, ret_place, err);
}

cot_code cot_segment_rule_parse_in(const char *text, size_t size, const struct cot_rule_place *begin,
                                   struct cot_segment_rule **ret_rule, struct cot_rule_place *ret_place,
                                   struct cot_err *err)
{
    struct parser p = {.size = size, .noun = "rule", .begin = *begin, .err = err, .place = ret_place};
    if (ret_place != NULL)
        *ret_place = *begin;
    if (size > COT_RULE_MAX_SIZE)
        return cot_fail(err, COT_LIMIT, "a rule of %zu bytes: %d are the limit", size, COT_RULE_MAX_SIZE);
    p.rule = calloc(1, sizeof *p.rule);
    if (p.rule == NULL)
        return cot_fail(err, COT_NOMEM, "a rule");
    p.arena = &p.rule->arena;
    p.text = p.rule->text = cot_arena_copy(p.arena, text, size);
    if (p.text == NULL)
        p.rc = cot_fail(err, COT_NOMEM, "a rule");
    if (p.rc == COT_OK && memchr(text, '\0', size) != NULL)
        fail_at(&p, (size_t)((const char *)memchr(text, '\0', size) - text), "a NUL byte");
    if (p.rc == COT_OK) {
        advance(&p);
        p.rule->root = read_rule(&p);
    }
    if (p.rc == COT_OK && p.token.kind != TOKEN_END)
        expected(&p, "'and', 'or' or the end");
    if (p.rc == COT_OK)
        *ret_rule = p.rule;
    else
        cot_segment_rule_free(p.rule);
    return p.rc;
}

void cot_segment_rule_free(struct cot_segment_rule *rule)
{
    if (rule == NULL)
        return;
    cot_arena_release(&rule->arena);
    free(rule);
}

const char *cot_segment_rule_text(const struct cot_segment_rule *rule)
{
    return rule->text;
}

size_t cot_segment_rule_n_references(const struct cot_segment_rule *rule)
{
    return rule->n_references;
}

struct cot_text cot_segment_rule_reference(const struct cot_segment_rule *rule, size_t i)
{
    return rule->references[i];
}

size_t cot_segment_rule_n_properties(const struct cot_segment_rule *rule)
{
    return rule->n_properties;
}

struct cot_text cot_segment_rule_property(const struct cot_segment_rule *rule, size_t i)
{
    return rule->properties[i];
}
