/*
 * Rule segments over the shop in memory: who is in which of them now.
 *
 * A customer is looked at again when a fact of theirs is applied, and when the moment comes at which a rule may turn by
 * itself: of each customer only the earliest such moment is kept. Counts are exact at any time: whoever asks first lets
 * the moments pass that have come. One thread at a time: the service's state lock guards it.
 */
#ifndef COT_ENGINE_RULE_SEGMENTS_H
#define COT_ENGINE_RULE_SEGMENTS_H

#include <yyjson.h>

#include "domain/segment_rule.h"
#include "engine/live_shop.h"

struct cot_rule_segments;
struct cot_state_lock;
struct cot_store;

/* What the rules are evaluated over; borrowed. */
struct cot_rule_shop {
    struct cot_live_shop *live;
    const struct cot_import_shop *shop;
};

/* Told of each customer that was evaluated: the smallest node. */
typedef void cot_rule_evaluated(void *context, const struct cot_rule_segments *segments, uint32_t root);

enum { COT_RULE_MAX_SEGMENTS = 500, COT_RULE_SAMPLE = 20 };

/* None, over a shop in which nothing has happened. */
cot_code cot_rule_segments_new(struct cot_rule_segments **ret_segments, struct cot_err *err) COT_MUST_CHECK;
/* Reads the newest versions, for nobody yet. One that can't be read has nobody and says why. */
cot_code cot_rule_segments_read(struct cot_store *store, struct cot_rule_segments **ret_segments,
                                struct cot_err *err) COT_MUST_CHECK;
/* Evaluates them for everybody. */
cot_code cot_rule_segments_evaluate(struct cot_rule_segments *segments, const struct cot_rule_shop *over,
                                    struct cot_err *err) COT_MUST_CHECK;
/* Both. */
cot_code cot_rule_segments_load(struct cot_store *store, const struct cot_rule_shop *over,
                                struct cot_rule_segments **ret_segments, struct cot_err *err) COT_MUST_CHECK;
void cot_rule_segments_free(struct cot_rule_segments *segments);

/* From now on looking at everybody gives way between customers on the lock that its caller holds. NULL: it doesn't. */
void cot_rule_segments_share(struct cot_rule_segments *segments, struct cot_state_lock *lock);

/* From now on; not of the evaluation by _load. on_change NULL: nobody. */
void cot_rule_segments_watch(struct cot_rule_segments *segments, cot_rule_evaluated *on_change, void *context);

/* What is known of one of them, 0 <= i < _n. */
struct cot_rule_standing {
    const char *name;
    int32_t version;
    int64_t created_at_ms;
    uint64_t n_members;
};
size_t cot_rule_segments_n(const struct cot_rule_segments *segments);
struct cot_rule_standing cot_rule_segments_at(const struct cot_rule_segments *segments, size_t i);
/* Its members as bits by node, n words of them. */
const uint64_t *cot_rule_segments_bits(const struct cot_rule_segments *segments, size_t i, size_t *ret_n);
bool cot_rule_segments_has(const struct cot_rule_segments *segments, size_t i, uint32_t root);

/* Adds the keys of the properties that the stored rules, or one rule, ask for: what the shop in memory has to hold. */
cot_code cot_rule_segments_keys(struct cot_store *store, struct cot_dict *keys, struct cot_err *err) COT_MUST_CHECK;
cot_code cot_rule_segments_add_keys(const struct cot_segment_rule *rule, struct cot_dict *keys,
                                    struct cot_err *err) COT_MUST_CHECK;

/* Something of this node's customer has changed. */
cot_code cot_rule_segments_touch(struct cot_rule_segments *segments, const struct cot_rule_shop *over, uint32_t node,
                                 struct cot_err *err) COT_MUST_CHECK;

/* The category or brand of an item has changed: _settle looks at all who had to do with it, once for many items.
 * O(entries) where any rule asks for such words. */
cot_code cot_rule_segments_touch_item(struct cot_rule_segments *segments, uint32_t item,
                                      struct cot_err *err) COT_MUST_CHECK;
cot_code cot_rule_segments_settle(struct cot_rule_segments *segments, const struct cot_rule_shop *over,
                                  struct cot_err *err) COT_MUST_CHECK;

/* Moves the shop's clock to a moment (not back) and lets those pass that have come. */
cot_code cot_rule_segments_tick(struct cot_rule_segments *segments, const struct cot_rule_shop *over, int64_t now_ms,
                                struct cot_err *err) COT_MUST_CHECK;
/* The next of them, COT_RULE_NEVER. */
int64_t cot_rule_segments_next_ms(const struct cot_rule_segments *segments, const struct cot_rule_shop *over);

/* Parses a rule and checks that the segments it asks for are there and do not ask for `name` in turn. */
cot_code cot_rule_segments_check(const struct cot_rule_segments *segments, const char *name, const char *text,
                                 size_t size, struct cot_segment_rule **ret_rule, struct cot_err *err) COT_MUST_CHECK;

/* A version that is on disk takes effect; the rule becomes the segments', in any case. */
cot_code cot_rule_segments_put(struct cot_rule_segments *segments, const struct cot_rule_shop *over, const char *name,
                               int32_t version, int64_t created_at_ms, struct cot_segment_rule *rule,
                               struct cot_err *err) COT_MUST_CHECK;

/* COT_USAGE where another segment asks for it, COT_NOT_FOUND where there is none. */
cot_code cot_rule_segments_check_delete(const struct cot_rule_segments *segments, const char *name,
                                        struct cot_err *err) COT_MUST_CHECK;
void cot_rule_segments_delete(struct cot_rule_segments *segments, const char *name);

/* {"name","version","rule","members","created_at"[,"error"]}; name NULL: an array of all of them under "segments".
 * error: why what is stored can't be read. */
cot_code cot_rule_segments_describe(const struct cot_rule_segments *segments, const char *name, yyjson_mut_doc *doc,
                                    yyjson_mut_val *root, struct cot_err *err) COT_MUST_CHECK;

/* {"name","members": [customer ids],"next": node | null}: up to limit of them, from node `from` on. */
cot_code cot_rule_segments_members(const struct cot_rule_segments *segments, const struct cot_rule_shop *over,
                                   const char *name, uint32_t from, size_t limit, yyjson_mut_doc *doc,
                                   yyjson_mut_val *root, struct cot_err *err) COT_MUST_CHECK;

/* {"customers","count","sample": [customer ids],"overlap": [{"name","members","both"}],"enter","leave","enter_sample",
 * "leave_sample"}: the last four against segment `name` as it is (NULL, or none of that name: as against nobody). Binds
 * the rule. n_threads 0: all there are; where it gives way, it is one. */
cot_code cot_rule_segments_preview(struct cot_rule_segments *segments, const struct cot_rule_shop *over,
                                   const char *name, struct cot_segment_rule *rule, unsigned n_threads,
                                   yyjson_mut_doc *doc, yyjson_mut_val *root, struct cot_err *err) COT_MUST_CHECK;

/* "rules": [names] of a customer. */
cot_code cot_rule_segments_of(struct cot_rule_segments *segments, const struct cot_rule_shop *over, uint32_t node,
                              yyjson_mut_doc *doc, yyjson_mut_val *root, struct cot_err *err) COT_MUST_CHECK;

/* "rules": [{"name","member","conditions": [{"condition","holds","value","turns_at","events": [event ids],"flips",
 * "to_flip"}],"flip": [what it takes]}]: why in, why not, and what would change it. event_ids: of the customer's
 * entries up to now, in their order; NULL: not known, "events" are left out. */
cot_code cot_rule_segments_explain(struct cot_rule_segments *segments, const struct cot_rule_shop *over, uint32_t node,
                                   const int64_t *event_ids, yyjson_mut_doc *doc, yyjson_mut_val *root,
                                   struct cot_err *err) COT_MUST_CHECK;

#endif
