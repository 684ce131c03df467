/* A parsed rule, as segment_rule_parse.c makes it and segment_rule_eval.c walks it. */
#ifndef COT_DOMAIN_SEGMENT_RULE_TREE_H
#define COT_DOMAIN_SEGMENT_RULE_TREE_H

#include "base/arena.h"
#include "domain/segment_rule.h"

enum cot_rule_op { COT_RULE_EQ, COT_RULE_NE, COT_RULE_LT, COT_RULE_LE, COT_RULE_GT, COT_RULE_GE, COT_RULE_IN };

enum cot_rule_property {
    COT_PROPERTY_ITEM,
    COT_PROPERTY_CATEGORY,
    COT_PROPERTY_BRAND,
    COT_PROPERTY_CHANNEL,
    COT_PROPERTY_AMOUNT,
    COT_PROPERTY_QUANTITY,
    COT_PROPERTY_DISCOUNT,
    COT_PROPERTY_ORDER,
    COT_PROPERTY_DAY,
    COT_N_PROPERTIES,
    COT_PROPERTY_OWN = COT_N_PROPERTIES /* "property" text */
};

/* One value, or the members of a list. */
struct cot_rule_literals {
    struct cot_rule_value *values;
    uint32_t *codes; /* bound: of the values' words; NULL: they have none */
    size_t n;
};

/* What of an event is asked for. */
struct cot_rule_what {
    enum cot_rule_property property;
    struct cot_text key; /* COT_PROPERTY_OWN */
    uint32_t key_code;   /* bound */
};

struct cot_rule_test {
    struct cot_rule_what what;
    bool exists; /* no more than that */
    enum cot_rule_op op;
    struct cot_rule_literals literals;
};

#define COT_RULE_ANY_KIND 0

struct cot_rule_events {
    int kind;             /* enum cot_event_kind, COT_RULE_ANY_KIND; of a name: bound */
    struct cot_text name; /* what sources call it; size 0: none */
    uint32_t name_code;   /* bound, COT_EVENT_CUSTOM with a name; COT_DICT_NONE: no event is called so */
    struct cot_rule_test *tests;
    size_t n_tests;
};

enum cot_date_start { COT_START_NONE, COT_START_DAY, COT_START_WEEK, COT_START_MONTH, COT_START_YEAR };

/* A date of the shop's clock, or the start of its current day, week, month or year. */
struct cot_rule_date {
    enum cot_date_start start;
    int64_t local_ms; /* where start is NONE */
};

struct cot_rule_window {
    int64_t within_ms; /* 0: none */
    bool has_since, has_before;
    struct cot_rule_date since, before; /* from since on; before before */
};

struct cot_rule_step {
    struct cot_rule_events events;
    int64_t gap_ms; /* after the step before; 0: any time */
    bool absent;    /* the last one: must not come within gap_ms */
};

enum cot_rule_node_kind {
    COT_RULE_OR,
    COT_RULE_AND,
    COT_RULE_NOT,
    COT_RULE_COUNT,
    COT_RULE_SUM,
    COT_RULE_MIN,
    COT_RULE_MAX,
    COT_RULE_DISTINCT,
    COT_RULE_FIRST,
    COT_RULE_LAST,
    COT_RULE_SINCE_FIRST,
    COT_RULE_SINCE_LAST,
    COT_RULE_TRAIT,
    COT_RULE_TRAIT_EXISTS,
    COT_RULE_FEATURE,
    COT_RULE_SEGMENT,
    COT_RULE_SEQUENCE
};

struct cot_rule_node {
    enum cot_rule_node_kind kind;
    size_t i_condition;                   /* among the rule's conditions, in the order of the text */
    struct cot_text source;               /* the condition as written */
    struct cot_rule_node *first, *second; /* operands */
    struct cot_rule_events events;
    struct cot_rule_what what;
    struct cot_rule_window window;
    enum cot_rule_op op;
    struct cot_rule_literals literals; /* durations: in ms */
    struct cot_text name;              /* trait's key, segment's name */
    size_t i_feature;
    struct cot_rule_step *steps;
    size_t n_steps;
};

struct cot_segment_rule {
    struct cot_arena arena; /* of everything below */
    char *text;
    struct cot_rule_node *root;
    struct cot_text *references;
    size_t n_references;
    struct cot_text *properties; /* keys */
    size_t n_properties;
    size_t n_conditions;
};

static inline bool cot_rule_is_word(enum cot_rule_property property)
{
    return property <= COT_PROPERTY_CHANNEL;
}

/* Looking at one customer (segment_rule_eval.c). finding: of one condition, for explaining; NULL: nobody asks. */
struct cot_rule_walk {
    const struct cot_rule_view *view;
    int64_t next_ms;
    struct cot_rule_finding *finding;
};
bool cot_rule_condition_holds(struct cot_rule_walk *walk, const struct cot_rule_node *node);

#endif
