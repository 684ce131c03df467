/* Small parts that the documents of segments share. */
#ifndef COT_ENGINE_SEGMENT_JSON_H
#define COT_ENGINE_SEGMENT_JSON_H

#include <stdint.h>

#include "base/json.h"

struct cot_store;

/* The shop's base currency, and what divides minor units into major ones. */
struct cot_segment_money {
    char currency[8]; /* "" where the shop has none yet */
    double minor_per_major;
};

cot_code cot_segment_money_load(struct cot_store *store, struct cot_segment_money *ret_money,
                                struct cot_err *err) COT_MUST_CHECK;

/* "born" (no size before: -1), "grown", "shrunk" (by a tenth or more) or "kept". */
const char *cot_segment_change_name(int64_t size_before, int64_t size);

#endif
