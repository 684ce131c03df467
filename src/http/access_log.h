/*
 * The access log: a line of JSON a request, without personal data: the route's template instead of the path, no query,
 * no address, no agent; the key by its id. Lines are written whole; any thread.
 */
#ifndef COT_HTTP_ACCESS_LOG_H
#define COT_HTTP_ACCESS_LOG_H

#include "coterie/err.h"
#include "http/exchange.h"

struct cot_access_log;

/* path "-": standard error; NULL: none. COT_IO where it can't be opened. */
cot_code cot_access_log_open(const char *path, struct cot_access_log **ret_log, struct cot_err *err) COT_MUST_CHECK;
void cot_access_log_close(struct cot_access_log *log);

/* {"time","method","route","status","duration_us","received","sent","key"} */
void cot_access_log_write(struct cot_access_log *log, const struct cot_exchange *exchange, int64_t duration_us);

#endif
