/* What the files of rule segments share (rule_segments.h). */
#ifndef COT_ENGINE_RULE_PARTS_H
#define COT_ENGINE_RULE_PARTS_H

#include <pthread.h>

#include "engine/live_profile.h"
#include "engine/rule_segments.h"
#include "engine/rule_timers.h"
#include "engine/state_lock.h"

struct cot_rule_segment {
    char *name;
    struct cot_segment_rule *rule; /* NULL: what is stored can't be read (mistake): nobody is in it */
    char *text;                    /* as stored; of those that can't be read */
    char *mistake;
    int32_t version;
    int64_t created_at_ms;
    uint64_t *members;       /* bits by node: of customers' smallest ones */
    size_t members_capacity; /* words */
    uint64_t n_members;
    bool is_fresh; /* it, or one that it asks for, has a new rule */
};

/* How many words each dictionary had when the rules were bound to them. */
struct cot_rule_bound {
    size_t n_items, n_categories, n_brands, n_names, n_words;
};

struct cot_rule_segments {
    struct cot_rule_segment *segments; /* each after those that it asks for */
    size_t n, capacity;
    size_t n_nodes; /* that every member array and the timers have room for */
    struct cot_rule_timers timers;
    struct cot_rule_bound bound;
    uint64_t *items_changed; /* bits by item: whose category or brand is another one now */
    size_t n_items_changed, items_changed_capacity;
    bool has_items_changed, asks_for_items;
    struct cot_state_lock *lock;   /* NULL: nobody else looks meanwhile */
    cot_rule_evaluated *on_change; /* NULL: nobody is told */
    void *context;                 /* its */
};

/* Looking at one customer: the context of struct cot_rule_view. */
struct cot_rule_look {
    const struct cot_rule_shop *over;
    const struct cot_rule_segments *segments;
    uint32_t root;
    const struct cot_customer *customer; /* features; NULL: not asked for yet */
    pthread_mutex_t *features;           /* where several threads look; NULL: one does */
    bool failed;                         /* out of memory */
    char word[COT_LIVE_WORD_SIZE];
};

static inline bool cot_rule_is_member(const struct cot_rule_segment *segment, uint32_t node)
{
    return (segment->members[node / 64] >> node % 64 & 1) != 0;
}

/* Between two customers. */
static inline void cot_rule_segments_give_way(const struct cot_rule_segments *segments)
{
    if (segments->lock != NULL)
        (void)cot_state_give_way(segments->lock);
}

/* Index of a segment, SIZE_MAX. */
size_t cot_rule_segments_find(const struct cot_rule_segments *segments, const char *name, size_t size);
/* Room for every node that there is, and rules bound to every word. */
cot_code cot_rule_segments_reach(struct cot_rule_segments *segments, const struct cot_rule_shop *over,
                                 struct cot_err *err) COT_MUST_CHECK;

/* rule_look.c */
void cot_rule_bind(struct cot_segment_rule *rule, const struct cot_rule_shop *over);
/* look: its `over`, `segments` and `root` are set. */
cot_code cot_rule_look_make(struct cot_rule_look *look, struct cot_rule_view *ret_view,
                            struct cot_err *err) COT_MUST_CHECK;
/* Is a set of nodes somebody: is anything known of them? */
bool cot_rule_is_customer(const struct cot_rule_shop *over, uint32_t root, const struct cot_run *run);

#endif
