/*
 * Moments at which customers are to be looked at again: of each the earliest, by its node. A binary heap with places,
 * so that a moment that changes takes the room of the one before. O(log n) a change; one thread at a time.
 */
#ifndef COT_ENGINE_RULE_TIMERS_H
#define COT_ENGINE_RULE_TIMERS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "coterie/err.h"

struct cot_rule_timer {
    int64_t at_ms;
    uint32_t node;
};

/* All zero: none. */
struct cot_rule_timers {
    struct cot_rule_timer *heap;
    size_t n, capacity;
    uint32_t *places; /* by node: index in the heap + 1; 0: none */
    size_t n_nodes, places_capacity;
};

/* Room for nodes below n_nodes. */
cot_code cot_rule_timers_reach(struct cot_rule_timers *timers, size_t n_nodes, struct cot_err *err) COT_MUST_CHECK;
void cot_rule_timers_release(struct cot_rule_timers *timers);
void cot_rule_timers_clear(struct cot_rule_timers *timers);

/* The node's moment, instead of the one it had; INT64_MAX: none. There is room. */
void cot_rule_timers_set(struct cot_rule_timers *timers, uint32_t node, int64_t at_ms);

/* The node's moment; INT64_MAX: none. */
int64_t cot_rule_timers_at_ms(const struct cot_rule_timers *timers, uint32_t node);

/* The earliest moment; INT64_MAX: none. Takes the node of it where it has come by now_ms. */
int64_t cot_rule_timers_next_ms(const struct cot_rule_timers *timers);
bool cot_rule_timers_take(struct cot_rule_timers *timers, int64_t now_ms, uint32_t *ret_node);

#endif
