/*
 * Where every customer stands now: the learned segment by the newest model, and what RFM ranks by.
 *
 * A customer is looked at again after each fact of theirs, and all of them after a midnight or with a new model: not at
 * once, but by the committer between groups (an assignment costs more than a fact). Until then they wait and are
 * counted where they were; how many wait is said with every count. One thread at a time: the service's state lock
 * guards it, but for _sort.
 */
#ifndef COT_ENGINE_CENSUS_H
#define COT_ENGINE_CENSUS_H

#include <stdbool.h>
#include <stdint.h>
#include <yyjson.h>

#include "engine/live_shop.h"
#include "engine/rule_segments.h"
#include "engine/segment_days.h"

struct cot_census;

cot_code cot_census_open(struct cot_census **ret_census, struct cot_err *err) COT_MUST_CHECK;
void cot_census_free(struct cot_census *census);

/* A shop was loaded: nobody stands anywhere, and all wait to be looked at. */
cot_code cot_census_restart(struct cot_census *census, const struct cot_live_shop *live,
                            struct cot_err *err) COT_MUST_CHECK;
/* All wait to be looked at again: a day has begun. */
cot_code cot_census_revisit(struct cot_census *census, const struct cot_live_shop *live,
                            struct cot_err *err) COT_MUST_CHECK;
/* One does, by any of their nodes. */
cot_code cot_census_touch(struct cot_census *census, uint32_t node, struct cot_err *err) COT_MUST_CHECK;

/* How many nodes wait to be looked at. */
uint64_t cot_census_n_waiting(const struct cot_census *census);
/* Whether they stand by another model than the newest. */
bool cot_census_is_stale(const struct cot_census *census, const struct cot_live_shop *live);
/* Looks at up to so many of them; a model that is not the one of before makes all wait. */
cot_code cot_census_step(struct cot_census *census, const struct cot_rule_shop *over, size_t max,
                         struct cot_err *err) COT_MUST_CHECK;

/* {"run","segments": [{"id","name","color","members"}],"waiting"}: of the newest model; run null, no segments: none. */
void cot_census_describe(const struct cot_census *census, const struct cot_live_shop *live, yyjson_mut_doc *doc,
                         yyjson_mut_val *root);

/* The learned segments of a snapshot, behind those that it has. Nothing where there is no model. False: no memory. */
bool cot_census_snapshot(const struct cot_census *census, const struct cot_live_shop *live, struct cot_day *day);

/*
 * Ranks for RFM, of all customers as they were looked at last: _ranks_due at most every ten minutes, where something
 * changed and nobody waits. _copy, in the lock, takes the values; _sort, outside, and _publish puts them in place.
 */
struct cot_census_ranks;
bool cot_census_ranks_due(const struct cot_census *census, int64_t now_ms);
cot_code cot_census_copy(const struct cot_census *census, struct cot_census_ranks **ret_ranks,
                         struct cot_err *err) COT_MUST_CHECK;
void cot_census_sort(struct cot_census_ranks *ranks);
void cot_census_publish(struct cot_census *census, struct cot_census_ranks *ranks, int64_t now_ms);

/* When they will be, if something changes; 0: at once. */
int64_t cot_census_ranks_at_ms(const struct cot_census *census);

/* "rfm": {"group","recency","frequency","monetary","ranked_at"} | null of one customer: their own values of now among
 * the ranks; scores null without an order; null: nobody was ranked yet. */
void cot_census_add_rfm(const struct cot_census *census, const struct cot_customer *customer, yyjson_mut_doc *doc,
                        yyjson_mut_val *root);

#endif
