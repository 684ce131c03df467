#include "engine/rule_timers.h"

#include <stdlib.h>
#include <string.h>

#include "base/array.h"

cot_code cot_rule_timers_reach(struct cot_rule_timers *timers, size_t n_nodes, struct cot_err *err)
{
    void *places = cot_array_reserve(timers->places, &timers->places_capacity, n_nodes + 1, sizeof *timers->places);
    if (places != NULL)
        timers->places = places;
    void *heap = cot_array_reserve(timers->heap, &timers->capacity, n_nodes + 1, sizeof *timers->heap);
    if (heap != NULL)
        timers->heap = heap;
    if (places == NULL || heap == NULL)
        return cot_fail(err, COT_NOMEM, "moments of %zu nodes", n_nodes);
    if (timers->n_nodes < n_nodes) {
        memset(timers->places + timers->n_nodes, 0, (n_nodes - timers->n_nodes) * sizeof *timers->places);
        timers->n_nodes = n_nodes;
    }
    return COT_OK;
}

void cot_rule_timers_release(struct cot_rule_timers *timers)
{
    free(timers->heap);
    free(timers->places);
    *timers = (struct cot_rule_timers){0};
}

void cot_rule_timers_clear(struct cot_rule_timers *timers)
{
    timers->n = 0;
    if (timers->n_nodes > 0)
        memset(timers->places, 0, timers->n_nodes * sizeof *timers->places);
}

static void put(struct cot_rule_timers *timers, size_t i, struct cot_rule_timer timer)
{
    timers->heap[i] = timer;
    timers->places[timer.node] = (uint32_t)i + 1;
}

/* Puts a timer where it belongs, from the free place i on: up, else down. */
static void settle(struct cot_rule_timers *timers, size_t i, struct cot_rule_timer timer)
{
    while (i > 0 && timers->heap[(i - 1) / 2].at_ms > timer.at_ms) {
        put(timers, i, timers->heap[(i - 1) / 2]);
        i = (i - 1) / 2;
    }
    for (size_t child = 2 * i + 1; child < timers->n; child = 2 * i + 1) {
        child += child + 1 < timers->n && timers->heap[child + 1].at_ms < timers->heap[child].at_ms;
        if (timers->heap[child].at_ms >= timer.at_ms)
            break;
        put(timers, i, timers->heap[child]);
        i = child;
    }
    put(timers, i, timer);
}

static void drop(struct cot_rule_timers *timers, size_t i)
{
    timers->places[timers->heap[i].node] = 0;
    struct cot_rule_timer last = timers->heap[--timers->n];
    if (i < timers->n)
        settle(timers, i, last);
}

void cot_rule_timers_set(struct cot_rule_timers *timers, uint32_t node, int64_t at_ms)
{
    size_t place = timers->places[node];
    if (at_ms == INT64_MAX && place > 0)
        drop(timers, place - 1);
    else if (at_ms != INT64_MAX)
        settle(timers, place > 0 ? place - 1 : timers->n++, (struct cot_rule_timer){at_ms, node});
}

int64_t cot_rule_timers_at_ms(const struct cot_rule_timers *timers, uint32_t node)
{
    return timers->places[node] > 0 ? timers->heap[timers->places[node] - 1].at_ms : INT64_MAX;
}

int64_t cot_rule_timers_next_ms(const struct cot_rule_timers *timers)
{
    return timers->n > 0 ? timers->heap[0].at_ms : INT64_MAX;
}

bool cot_rule_timers_take(struct cot_rule_timers *timers, int64_t now_ms, uint32_t *ret_node)
{
    if (timers->n == 0 || timers->heap[0].at_ms > now_ms)
        return false;
    *ret_node = timers->heap[0].node;
    drop(timers, 0);
    return true;
}
