#include "domain/strategy.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/*
 * Limits, and why. A customer one gap late is merely due; at twice their gap about 1 in 7 of a Poisson buyer's gaps is
 * still open, at three times 1 in 20: so beyond 2 is "quiet", beyond 3 is "gone" unless they were worth much.
 */
#define OVERDUE_QUIET 2.0
#define OVERDUE_GONE 3.0
#define VALUE_HIGH 1.5 /* times the average customer's spend */
#define VALUE_LOW 0.5
#define TREND_FALLING (-0.25)

static const char *const names[] = {
    [COT_STRATEGY_RETAIN] = "retain",           [COT_STRATEGY_GROW] = "grow",
    [COT_STRATEGY_WIN_BACK] = "win back",       [COT_STRATEGY_NURTURE] = "nurture",
    [COT_STRATEGY_LEAVE_ALONE] = "leave alone",
};

const char *cot_strategy_name(enum cot_strategy strategy)
{
    return names[strategy];
}

/* Text that grows by pieces and stays within its array. */
struct sentence {
    char *text;
    size_t size, used;
};

__attribute__((format(printf, 2, 3))) static void say(struct sentence *sentence, const char *format, ...)
{
    va_list arguments;
    size_t room = sentence->size - sentence->used;
    va_start(arguments, format);
    int n = vsnprintf(sentence->text + sentence->used, room, format, arguments);
    va_end(arguments);
    if (n > 0)
        sentence->used += (size_t)n < room ? (size_t)n : room - 1;
}

/* Days late relative to the own rhythm, else to the shop's; 0 (not late) where nothing is known. */
static double overdue_of(const struct cot_strategy_input *in)
{
    if (isfinite(in->overdue))
        return in->overdue;
    if (isfinite(in->recency_days) && in->overall_gap > 0)
        return in->recency_days / in->overall_gap;
    return 0;
}

static enum cot_strategy choose(const struct cot_strategy_input *in, double overdue)
{
    double value = isfinite(in->value_ratio) ? in->value_ratio : 1;
    if (in->buyer_share < 0.5)
        return COT_STRATEGY_NURTURE;
    if (in->one_time_share >= 0.5 && value < VALUE_HIGH)
        return overdue < OVERDUE_QUIET ? COT_STRATEGY_NURTURE : COT_STRATEGY_LEAVE_ALONE;
    if (overdue >= OVERDUE_GONE)
        return value >= VALUE_LOW ? COT_STRATEGY_WIN_BACK : COT_STRATEGY_LEAVE_ALONE;
    if (overdue >= OVERDUE_QUIET)
        return value >= VALUE_LOW ? COT_STRATEGY_WIN_BACK : COT_STRATEGY_NURTURE;
    if (value >= VALUE_HIGH || in->trend <= TREND_FALLING)
        return value >= 1 ? COT_STRATEGY_RETAIN : COT_STRATEGY_NURTURE;
    return COT_STRATEGY_GROW;
}

static void describe_rhythm(struct sentence *s, const struct cot_strategy_input *in, double overdue)
{
    if (in->buyer_share < 0.5) {
        say(s, "; only %.0f%% have bought", 100 * in->buyer_share);
        return;
    }
    if (isfinite(in->recency_days))
        say(s, "; last order %.0f days ago", in->recency_days);
    if (isfinite(in->overdue))
        say(s, ", %.1f times their own usual gap", overdue);
    else if (in->overall_gap > 0)
        say(s, ", %.1f times the shop's usual gap of %.0f days", overdue, in->overall_gap);
    if (in->one_time_share >= 0.5)
        say(s, "; %.0f%% have ordered once", 100 * in->one_time_share);
    if (isfinite(in->trend) && fabs(in->trend) >= 0.1)
        say(s, in->trend > 0 ? "; spend is rising (trend %+.2f)" : "; spend is falling (trend %+.2f)", in->trend);
}

static const char *conclusion(enum cot_strategy strategy)
{
    switch (strategy) {
    case COT_STRATEGY_RETAIN: return ". Keep them: service and early access rather than discounts.";
    case COT_STRATEGY_GROW: return ". Active: widen what they buy and how often.";
    case COT_STRATEGY_WIN_BACK: return ". They were worth having: ask them back before the habit is gone.";
    case COT_STRATEGY_NURTURE: return ". Help them to the next order.";
    case COT_STRATEGY_LEAVE_ALONE: return ". Quiet and worth little: spend nothing on them.";
    }
    return ".";
}

void cot_strategy_advise(const struct cot_strategy_input *input, struct cot_strategy_advice *ret_advice)
{
    struct sentence s = {.text = ret_advice->why, .size = sizeof ret_advice->why};
    double overdue = overdue_of(input);
    ret_advice->overdue = overdue;
    ret_advice->strategy = choose(input, overdue);
    ret_advice->why[0] = '\0';
    if (isfinite(input->value_ratio))
        say(&s, "Each is worth %.1f times the average customer", input->value_ratio);
    else
        say(&s, "What they are worth is not known");
    if (isfinite(input->revenue_share))
        say(&s, " (%.0f%% of revenue)", 100 * input->revenue_share);
    describe_rhythm(&s, input, overdue);
    say(&s, "%s", conclusion(ret_advice->strategy));
}
