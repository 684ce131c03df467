/*
 * Requests a second, by key: a token bucket that holds a second's worth. Any thread.
 */
#ifndef COT_HTTP_RATE_LIMIT_H
#define COT_HTTP_RATE_LIMIT_H

#include <stdbool.h>
#include <stdint.h>

#include "coterie/err.h"

struct cot_rate_limit;

/* rate: requests a second of keys that have none of their own, 0: no limit. */
cot_code cot_rate_limit_open(int64_t rate, struct cot_rate_limit **ret_limit, struct cot_err *err) COT_MUST_CHECK;
void cot_rate_limit_free(struct cot_rate_limit *limit);

/* Takes one request of `id` at a monotonic time in microseconds. False: too many; ret_wait_ms says when to come again.
 * A rate of 0 is the limit's own. */
bool cot_rate_limit_take(struct cot_rate_limit *limit, const char *id, int64_t rate, int64_t now_us,
                         int64_t *ret_wait_ms);

#endif
