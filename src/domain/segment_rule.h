/*
 * Rule segments: a small language of conditions on what a customer did and is.
 *
 *   count(order_line) within 365 days >= 5
 *   and sum(order_line.amount where category = "Shoes") since start of year > 200
 *   and not did(complaint) within 30 days
 *   and (trait "plan" in ("gold", "silver") or feature monetary_total >= 500)
 *   and sequence(product_view then cart_add within 1 hour then not order_line within 2 days) within 30 days
 *   and segment "subscribers"
 *
 * Grammar (words are case-insensitive, # begins a comment that goes to the end of the line):
 *
 *   rule      = and { "or" and }
 *   and       = unary { "and" unary }
 *   unary     = "not" unary | "(" rule ")" | condition
 *   condition = "did" "(" events ")" [window]
 *             | "count" "(" events ")" [window] op number
 *             | ("sum" | "min" | "max" | "distinct") "(" kind "." property ["where" filter] ")" [window] op number
 *             | ("first" | "last") "(" kind "." property ["where" filter] ")" [window] (op value | "in" list)
 *             | ("since_first" | "since_last") "(" events ")" [window] op duration
 *             | "trait" text ("exists" | op value | "in" list)
 *             | "feature" name (op value | "in" list)
 *             | "segment" text
 *             | "sequence" "(" step { "then" step } ")" [window]
 *   step      = ["not"] events ["within" duration]        "not" only in the last one, and there with a duration
 *   events    = kind ["where" filter]
 *   kind      = name of domain/event.h | "any" | text      text: what the shop's sources call the event
 *   filter    = test { "and" test }
 *   test      = property (op value | "in" list) | "property" text "exists"
 *   property  = "item" | "category" | "brand" | "channel" | "amount" | "quantity" | "discount" | "order" | "day"
 *             | "property" text                            whatever else the event said
 *   window    = "within" duration | "since" date | "before" date | "between" date "and" date
 *   date      = 2026-01-31 | "start" "of" ("day" | "week" | "month" | "year")      on the shop's clock
 *   duration  = number ("minutes" | "hours" | "days" | "weeks", or m, h, d, w)
 *   value     = number | text | "true" | "false"
 *   op        = "=" | "!=" | "<" | "<=" | ">" | ">="
 *
 * An event is within a duration where it came less than that before now. Numbers are amounts in major units. A
 * condition on something that is missing (no such trait, no such event, a feature without a value) does not hold,
 * whatever its operator; sums, counts and distinct counts of nothing are 0. Words, and the names of a shop's own
 * events, are the same in upper and lower case (ASCII); items, categories, brands and keys are not.
 */
#ifndef COT_DOMAIN_SEGMENT_RULE_H
#define COT_DOMAIN_SEGMENT_RULE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/civil.h"
#include "coterie/err.h"
#include "domain/batch.h"
#include "domain/event.h"
#include "domain/timeline.h"

struct cot_segment_rule;

enum {
    COT_RULE_MAX_SIZE = 16384,
    COT_RULE_MAX_NODES = 500,
    COT_RULE_MAX_DEPTH = 40,
    COT_RULE_MAX_STEPS = 10,
    COT_RULE_MAX_PROPERTIES = 100,
    COT_RULE_MAX_NAME = 100 /* of a segment */
};

/* Where a rule is wrong. */
struct cot_rule_place {
    size_t offset;
    unsigned line, column; /* from 1; column in bytes */
};

/* Parses a text of `size` bytes, which is copied. COT_BAD_DATA: err names line, column, what was found and what was
 * expected; ret_place (may be NULL) says where. COT_LIMIT: larger or deeper than a rule may be. */
cot_code cot_segment_rule_parse(const char *text, size_t size, struct cot_segment_rule **ret_rule,
                                struct cot_rule_place *ret_place, struct cot_err *err) COT_MUST_CHECK;
/* The same of a text that is part of another and begins there at `begin`: places are those of the other. */
cot_code cot_segment_rule_parse_in(const char *text, size_t size, const struct cot_rule_place *begin,
                                   struct cot_segment_rule **ret_rule, struct cot_rule_place *ret_place,
                                   struct cot_err *err) COT_MUST_CHECK;
void cot_segment_rule_free(struct cot_segment_rule *rule);

const char *cot_segment_rule_text(const struct cot_segment_rule *rule);

/* Names of the other segments that the rule asks for. */
size_t cot_segment_rule_n_references(const struct cot_segment_rule *rule);
struct cot_text cot_segment_rule_reference(const struct cot_segment_rule *rule, size_t i);

/* Keys of the properties ("property" text) that the rule asks for; each once. */
size_t cot_segment_rule_n_properties(const struct cot_segment_rule *rule);
struct cot_text cot_segment_rule_property(const struct cot_segment_rule *rule, size_t i);

/* Whether the rule asks what category or brand an item has: it may turn by what is said of items alone. */
bool cot_segment_rule_asks_for_items(const struct cot_segment_rule *rule);

/* Codes of the words that a rule names, in the dictionaries of the shop that it is to be looked at over.
 * COT_DICT_NONE: nobody ever had it. */
struct cot_rule_names {
    void *context;
    uint32_t (*item)(void *context, struct cot_text word);
    uint32_t (*category)(void *context, struct cot_text word);
    uint32_t (*brand)(void *context, struct cot_text word);
    uint32_t (*property)(void *context, struct cot_text key);
    uint32_t (*property_word)(void *context, struct cot_text word);
    /* What sources call an event: its kind; of a shop's own (COT_EVENT_CUSTOM) the name's code. */
    enum cot_event_kind (*event)(void *context, struct cot_text name, uint32_t *ret_code);
};

/* Looks the words up; again whenever the dictionaries have got new ones. Before anything below. */
void cot_segment_rule_bind(struct cot_segment_rule *rule, const struct cot_rule_names *names);

/* What a condition compares: a word, a number, or both. */
struct cot_rule_value {
    struct cot_text word; /* size 0: none */
    double number;        /* NaN: none */
};

/* The words of an item that filters ask for. */
struct cot_rule_item {
    uint32_t category, brand; /* codes; COT_DICT_NONE */
};

/* One customer at one moment. Functions get `context`. */
struct cot_rule_view {
    struct cot_run run; /* entries at or before now, in order */
    const struct cot_lines *lines;
    const struct cot_zone *zone; /* NULL: UTC */
    int64_t now_ms;
    int64_t spread_ms; /* of the hour: when features of this customer are looked at again */
    double minor_per_unit;
    void *context;
    struct cot_rule_item (*item)(void *context, uint32_t item);
    bool (*trait)(void *context, struct cot_text key, struct cot_rule_value *ret_value);
    bool (*feature)(void *context, size_t i_feature, struct cot_rule_value *ret_value);
    bool (*segment)(void *context, struct cot_text name);
};

#define COT_RULE_NEVER INT64_MAX

/* Does the rule hold? ret_next_ms: until then, nothing but a new fact changes that. O(conditions x entries). Any number
 * of threads at once, as far as the view's functions allow. */
bool cot_segment_rule_holds(const struct cot_segment_rule *rule, const struct cot_rule_view *view,
                            int64_t *ret_next_ms);

/* The same answer alone, sooner: cheap conditions first, and no more of them than it takes. */
bool cot_segment_rule_selects(const struct cot_segment_rule *rule, const struct cot_rule_view *view);

/* What was found of one condition. */
enum { COT_RULE_MAX_EVIDENCE = 20 };
struct cot_rule_finding {
    struct cot_text condition; /* as written */
    bool holds;
    struct cot_rule_value value; /* what was counted, summed, found: of durations seconds; neither: nothing was */
    int64_t turns_at_ms;         /* nothing but a new fact changes it before; COT_RULE_NEVER */
    size_t n_evidence;           /* entries that it rests on: the last ones, in order */
    size_t evidence[COT_RULE_MAX_EVIDENCE]; /* indices into the view's run */
    bool flips;          /* one of the fewest conditions that would have to turn for the rule to turn */
    const char *to_flip; /* what would have to happen for the condition to turn */
};

/* Each condition by itself: why somebody is in, or not, and what would flip it. False: no memory. */
typedef void cot_rule_tell(void *context, const struct cot_rule_finding *finding);
bool cot_segment_rule_explain(const struct cot_segment_rule *rule, const struct cot_rule_view *view,
                              cot_rule_tell *tell, void *context);

#endif
