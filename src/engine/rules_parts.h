/* What rules.c and rules_sync.c share: the store with its segments, over its customers or over nobody. */
#ifndef COT_ENGINE_RULES_PARTS_H
#define COT_ENGINE_RULES_PARTS_H

#include "domain/segment_file.h"
#include "engine/rule_segments.h"
#include "engine/rules.h"
#include "store/store.h"

struct cot_rules {
    struct cot_store *store;
    struct cot_import_shop *shop;
    struct cot_live_shop *live;
    struct cot_rule_segments *segments;
};

enum cot_rules_over {
    COT_RULES_OVER_NOBODY,   /* what is stored and what it asks for: at once */
    COT_RULES_OVER_CUSTOMERS /* the shop in memory: O(events) */
};

/* keys: of the properties that further rules ask for, NULL: none; those of stored rules are added. Close it also where
 * this fails. */
cot_code cot_rules_open(const struct cot_context *context, enum cot_store_mode mode, enum cot_rules_over what,
                        struct cot_dict *keys, struct cot_rules *ret_rules, struct cot_err *err) COT_MUST_CHECK;
void cot_rules_close(struct cot_rules *rules);

struct cot_rule_shop cot_rules_shop(const struct cot_rules *rules);

/* Writes a version and has it hold in memory. source NULL: the rule came alone. */
cot_code cot_rules_write(struct cot_rules *rules, const char *name, const char *rule, const char *source,
                         int64_t *ret_version, struct cot_err *err) COT_MUST_CHECK;
cot_code cot_rules_remove(struct cot_rules *rules, const char *name, int64_t *ret_version,
                          struct cot_err *err) COT_MUST_CHECK;

#endif
