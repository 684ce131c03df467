/*
 * What a group of calls says, kept until the group is on disk and then applied to the shop in memory.
 */
#ifndef COT_ENGINE_LIVE_FACTS_H
#define COT_ENGINE_LIVE_FACTS_H

#include "base/arena.h"
#include "engine/import_tap.h"
#include "engine/live_shop.h"

struct cot_live_fact;

struct cot_live_facts {
    struct cot_live_fact *facts;
    size_t n, capacity;
    size_t n_applied;
    struct cot_arena arena; /* texts */
};

void cot_live_facts_clear(struct cot_live_facts *facts);
void cot_live_facts_release(struct cot_live_facts *facts);

/* As the tap (import_tap.h) tells them. Events without a person are not kept. */
cot_code cot_live_facts_add_event(struct cot_live_facts *facts, const struct cot_record *record, uint32_t node,
                                  uint32_t item, const struct cot_money *money, int64_t event_id,
                                  struct cot_err *err) COT_MUST_CHECK;
cot_code cot_live_facts_add_trait(struct cot_live_facts *facts, const struct cot_record *record,
                                  const struct cot_trait *trait, uint32_t node, bool timeless,
                                  struct cot_err *err) COT_MUST_CHECK;
cot_code cot_live_facts_add_item(struct cot_live_facts *facts, const struct cot_record *record, uint32_t item,
                                 struct cot_err *err) COT_MUST_CHECK;
cot_code cot_live_facts_add_link(struct cot_live_facts *facts, const struct cot_link *link,
                                 struct cot_err *err) COT_MUST_CHECK;
cot_code cot_live_facts_add_consent(struct cot_live_facts *facts, uint32_t node, enum cot_purpose purpose, bool granted,
                                    int64_t occurred_at_ms, struct cot_err *err) COT_MUST_CHECK;
/* A new node, and the purposes that its source does not assume (cot_consent_policy_withheld). */
cot_code cot_live_facts_add_node(struct cot_live_facts *facts, uint32_t node, uint8_t withheld,
                                 struct cot_err *err) COT_MUST_CHECK;
cot_code cot_live_facts_add_supersede(struct cot_live_facts *facts, uint32_t node, uint64_t order,
                                      struct cot_err *err) COT_MUST_CHECK;

/* What was added since the last mark belongs together: a call. */
void cot_live_facts_mark(struct cot_live_facts *facts);

/* Who is told of what the facts applied are about. */
struct cot_live_touches {
    void *context;
    /* What it says may concern other nodes of the same customer. event_id 0: it is no event. */
    void (*node)(void *context, uint32_t node, int64_t event_id);
    void (*item)(void *context, uint32_t item); /* whose category or brand is another one now */
};
/* Applies the first that belong together of those that are left. */
cot_code cot_live_facts_apply(struct cot_live_facts *facts, struct cot_live_shop *live,
                              const struct cot_live_touches *touches, struct cot_err *err) COT_MUST_CHECK;

static inline bool cot_live_facts_left(const struct cot_live_facts *facts)
{
    return facts->n_applied < facts->n;
}

#endif
