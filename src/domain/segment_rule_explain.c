/* Why somebody is in a segment or not: each condition by itself, and the fewest that would have to turn. */
#include <inttypes.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "domain/segment_rule_tree.h"

enum { TO_FLIP_SIZE = 300 };

/* More than all conditions together: no change of what can still change does it. */
#define IMPOSSIBLE 100000U

struct told {
    const struct cot_rule_node *node;
    struct cot_rule_finding finding;
    bool can_turn;
    char to_flip[TO_FLIP_SIZE];
};

struct telling {
    const struct cot_rule_view *view;
    struct told *told; /* by i_condition */
};

static const char *op_sign(enum cot_rule_op op)
{
    static const char *const signs[] = {"=", "!=", "<", "<=", ">", ">=", "in"};
    return signs[op];
}

static void say(struct told *told, const char *format, ...) __attribute__((format(printf, 2, 3)));

static void say(struct told *told, const char *format, ...)
{
    size_t n = strlen(told->to_flip);
    va_list args;
    va_start(args, format);
    vsnprintf(told->to_flip + n, sizeof told->to_flip - n, format, args);
    va_end(args);
}

/* "for 3 days", "for 40 minutes" */
static void say_duration(struct told *told, double ms)
{
    if (ms >= 2.0 * COT_MS_PER_DAY)
        say(told, "%.0f days", ceil(ms / COT_MS_PER_DAY));
    else if (ms >= 2.0 * COT_MS_PER_HOUR)
        say(told, "%.0f hours", ceil(ms / COT_MS_PER_HOUR));
    else
        say(told, "%.0f minutes", ceil(ms / 60000));
}

static void say_time(struct told *told, int64_t at_ms)
{
    char text[COT_TIME_TEXT_SIZE];
    cot_format_time(at_ms, text, sizeof text);
    say(told, "%s", text);
}

static void say_kind(struct told *told, const struct cot_rule_events *events)
{
    if (events->name.size > 0)
        say(told, "\"%.*s\"", (int)(events->name.size < 80 ? events->name.size : 80), events->name.data);
    else
        say(told, "%s",
            events->kind == COT_RULE_ANY_KIND ? "event" : cot_event_kind_name((enum cot_event_kind)events->kind));
    if (events->n_tests > 0)
        say(told, " that passes the filter");
}

static bool slides(const struct cot_rule_window *window)
{
    return window->within_ms > 0 || window->since.start != COT_START_NONE;
}

/* Is the window over, so that nothing comes into it any more? */
static bool is_over(const struct cot_rule_view *view, const struct cot_rule_window *window)
{
    return window->has_before && window->before.start == COT_START_NONE &&
           cot_zone_utc(view->zone, window->before.local_ms) <= view->now_ms;
}

/* More of what is counted, or less of it: what happened stays, unless the window goes on. */
static void flip_count(const struct cot_rule_view *view, struct told *told)
{
    const struct cot_rule_node *node = told->node;
    double value = told->finding.value.number;
    double needed = node->literals.values[0].number;
    bool wants = !told->finding.holds;
    enum cot_rule_op op = node->op;
    /* What is counted has to grow where more makes the condition what it is not. */
    bool grows = op == COT_RULE_GE || op == COT_RULE_GT   ? wants
                 : op == COT_RULE_LE || op == COT_RULE_LT ? !wants
                                                          : (wants ? value < needed : true);
    if (op == COT_RULE_NE)
        grows = wants || value < needed;
    if (grows) {
        bool beyond =
            op == COT_RULE_GT || op == COT_RULE_LE || (op == COT_RULE_EQ && !wants) || (op == COT_RULE_NE && wants);
        double least = beyond ? floor(needed) + 1 : ceil(needed);
        say(told, "%.0f more ", least > value ? least - value : 1);
        say_kind(told, &node->events);
        if (node->kind == COT_RULE_DISTINCT)
            say(told, ", each with something new");
        told->can_turn = !is_over(view, &node->window);
        if (!told->can_turn)
            say(told, ", but its time is over");
        return;
    }
    say(told, "fewer ");
    say_kind(told, &node->events);
    told->can_turn = slides(&node->window);
    if (told->finding.turns_at_ms != COT_RULE_NEVER) {
        say(told, ": the first one leaves the window at ");
        say_time(told, told->finding.turns_at_ms);
    } else {
        say(told, ": what happened stays");
    }
}

static void flip_number(const struct cot_rule_view *view, struct told *told)
{
    const struct cot_rule_node *node = told->node;
    static const char *const names[] = {[COT_RULE_SUM] = "the sum",
                                        [COT_RULE_MIN] = "the smallest",
                                        [COT_RULE_MAX] = "the largest",
                                        [COT_RULE_FIRST] = "the first",
                                        [COT_RULE_LAST] = "the last"};
    bool stays = node->kind == COT_RULE_FIRST && !slides(&node->window) && told->finding.n_evidence > 0;
    say(told, "%s of ", names[node->kind]);
    say_kind(told, &node->events);
    if (node->literals.n == 1)
        say(told, " has to become %s %.*s", told->finding.holds ? "other than" : op_sign(node->op),
            (int)(node->literals.values[0].word.size < 60 ? node->literals.values[0].word.size : 60),
            node->literals.values[0].word.data);
    else
        say(told, " has to become %s", told->finding.holds ? "none of the list" : "one of the list");
    if (!isnan(told->finding.value.number))
        say(told, " (it is %g)", told->finding.value.number);
    told->can_turn = !is_over(view, &node->window) && !stays;
    if (stays)
        say(told, ", but the first one stays the first");
}

static void flip_since(const struct cot_rule_view *view, struct told *told)
{
    const struct cot_rule_node *node = told->node;
    bool older = node->op == COT_RULE_GT || node->op == COT_RULE_GE;
    told->can_turn = true;
    if (told->finding.n_evidence == 0) {
        say(told, "a ");
        say_kind(told, &node->events);
        if (older)
            say(told, ", and then the time");
        return;
    }
    if (older != told->finding.holds) { /* it has to get older */
        double left = node->literals.values[0].number - told->finding.value.number * 1000;
        say(told, "nothing but time: ");
        say_duration(told, left > 0 ? left : 1);
        if (node->kind == COT_RULE_SINCE_LAST) {
            say(told, " without another ");
            say_kind(told, &node->events);
        }
        return;
    }
    say(told, "another ");
    say_kind(told, &node->events);
    told->can_turn = (node->kind == COT_RULE_SINCE_LAST || slides(&node->window)) && !is_over(view, &node->window);
    if (!told->can_turn)
        say(told, " would not do: what happened stays");
}

static void flip_value(struct told *told)
{
    const struct cot_rule_node *node = told->node;
    const struct cot_rule_value *value = &told->finding.value;
    told->can_turn = true;
    if (node->kind == COT_RULE_FEATURE)
        say(told, "the feature has to become ");
    else
        say(told, "the trait has to %s ", node->kind == COT_RULE_TRAIT_EXISTS ? "be" : "become");
    if (node->kind == COT_RULE_TRAIT_EXISTS)
        say(told, "%s", told->finding.holds ? "taken back" : "said");
    else if (node->literals.n == 1)
        say(told, "%s%s %.*s", told->finding.holds ? "no longer " : "", op_sign(node->op),
            (int)(node->literals.values[0].word.size < 60 ? node->literals.values[0].word.size : 60),
            node->literals.values[0].word.data);
    else
        say(told, "%s of the list", told->finding.holds ? "none" : "one");
    if (!isnan(value->number))
        say(told, " (it is %g)", value->number);
    else if (value->word.size > 0)
        say(told, " (it is \"%.*s\")", (int)(value->word.size < 60 ? value->word.size : 60), value->word.data);
    else
        say(told, " (it has no value)");
}

static void flip_sequence(const struct cot_rule_view *view, struct told *told)
{
    const struct cot_rule_node *node = told->node;
    const struct cot_rule_step *last = &node->steps[node->n_steps - 1];
    size_t n_reached = told->finding.n_evidence;
    if (told->finding.holds) {
        told->can_turn = slides(&node->window);
        if (told->finding.turns_at_ms == COT_RULE_NEVER)
            say(told, "what happened stays");
        else {
            say(told, "it leaves the window, at the earliest at ");
            say_time(told, told->finding.turns_at_ms);
        }
        return;
    }
    told->can_turn = !is_over(view, &node->window);
    if (n_reached < node->n_steps - last->absent) {
        say(told, "next: ");
        say_kind(told, &node->steps[n_reached].events);
        if (node->steps[n_reached].gap_ms > 0) {
            say(told, " within ");
            say_duration(told, (double)node->steps[n_reached].gap_ms);
            say(told, " of the step before");
        }
        return;
    }
    say(told, "no ");
    say_kind(told, &last->events);
    say(told, " for ");
    say_duration(told, (double)last->gap_ms);
    say(told, " after the steps before");
}

static void flip_segment(struct told *told)
{
    told->can_turn = true;
    say(told, "they have to %s segment \"%.*s\"", told->finding.holds ? "leave" : "enter", (int)told->node->name.size,
        told->node->name.data);
}

static void flip(const struct cot_rule_view *view, struct told *told)
{
    switch (told->node->kind) {
    case COT_RULE_COUNT:
    case COT_RULE_DISTINCT: flip_count(view, told); break;
    case COT_RULE_SUM:
    case COT_RULE_MIN:
    case COT_RULE_MAX:
    case COT_RULE_FIRST:
    case COT_RULE_LAST: flip_number(view, told); break;
    case COT_RULE_SINCE_FIRST:
    case COT_RULE_SINCE_LAST: flip_since(view, told); break;
    case COT_RULE_TRAIT:
    case COT_RULE_TRAIT_EXISTS:
    case COT_RULE_FEATURE: flip_value(told); break;
    case COT_RULE_SEQUENCE: flip_sequence(view, told); break;
    case COT_RULE_SEGMENT: flip_segment(told); break;
    case COT_RULE_OR:
    case COT_RULE_AND:
    case COT_RULE_NOT: break;
    }
}

static bool is_condition(const struct cot_rule_node *node)
{
    return node->kind != COT_RULE_OR && node->kind != COT_RULE_AND && node->kind != COT_RULE_NOT;
}

/* Every condition, in the order of the text. */
static void look(struct telling *telling, const struct cot_rule_node *node)
{
    if (!is_condition(node)) {
        look(telling, node->first);
        if (node->second != NULL)
            look(telling, node->second);
        return;
    }
    struct told *told = &telling->told[node->i_condition];
    told->node = node;
    told->finding.condition = node->source;
    told->finding.value = (struct cot_rule_value){{"", 0}, (double)NAN};
    struct cot_rule_walk walk = {.view = telling->view, .next_ms = COT_RULE_NEVER, .finding = &told->finding};
    told->finding.holds = cot_rule_condition_holds(&walk, node);
    told->finding.turns_at_ms = walk.next_ms;
    flip(telling->view, told);
    told->finding.to_flip = told->to_flip;
}

/* The fewest conditions that have to turn for a node to be `wanted`; mark: they are those. */
static unsigned turn(const struct telling *telling, const struct cot_rule_node *node, bool wanted, bool mark)
{
    if (node->kind == COT_RULE_NOT)
        return turn(telling, node->first, !wanted, mark);
    if (is_condition(node)) {
        struct told *told = &telling->told[node->i_condition];
        bool is_there = told->finding.holds == wanted;
        told->finding.flips |= mark && !is_there;
        return is_there ? 0 : told->can_turn ? 1 : IMPOSSIBLE;
    }
    unsigned first = turn(telling, node->first, wanted, false);
    unsigned second = turn(telling, node->second, wanted, false);
    bool both = (node->kind == COT_RULE_AND) == wanted;
    if (mark && (both || first <= second))
        (void)turn(telling, node->first, wanted, true);
    if (mark && (both || first > second))
        (void)turn(telling, node->second, wanted, true);
    unsigned n = both ? first + second : first <= second ? first : second;
    return n < IMPOSSIBLE ? n : IMPOSSIBLE;
}

static bool is_true(const struct telling *telling, const struct cot_rule_node *node)
{
    return turn(telling, node, true, false) == 0;
}

bool cot_segment_rule_explain(const struct cot_segment_rule *rule, const struct cot_rule_view *view,
                              cot_rule_tell *tell, void *context)
{
    struct telling telling = {.view = view, .told = calloc(rule->n_conditions + 1, sizeof *telling.told)};
    if (telling.told == NULL)
        return false;
    look(&telling, rule->root);
    bool wanted = !is_true(&telling, rule->root);
    if (turn(&telling, rule->root, wanted, false) < IMPOSSIBLE)
        (void)turn(&telling, rule->root, wanted, true);
    for (size_t i = 0; i < rule->n_conditions; i++)
        tell(context, &telling.told[i].finding);
    free(telling.told);
    return true;
}
