/* Part of loading a shop (shop.h): events into timelines. */
#ifndef COT_ENGINE_SHOP_EVENTS_H
#define COT_ENGINE_SHOP_EVENTS_H

#include "coterie/err.h"
#include "domain/history.h"

struct cot_progress;
struct cot_store;

/* Fills history->timelines (for n_nodes nodes) and kind_since_ms as of history->as_of_ms. */
cot_code cot_shop_load_events(struct cot_store *store, uint32_t n_nodes, unsigned n_threads,
                              const struct cot_progress *progress, struct cot_history *history,
                              struct cot_err *err) COT_MUST_CHECK;

#endif
