/*
 * Answers that need the store: made on the committer's thread, while the exchange waits.
 */
#ifndef COT_HTTP_JOB_H
#define COT_HTTP_JOB_H

#include "http/exchange.h"

/* Makes the answer's document, or fails as handlers do. */
typedef cot_code cot_exchange_work(struct cot_exchange *exchange, yyjson_mut_doc **ret_doc, struct cot_err *err);

/* The handler returns what this returns, and touches the exchange no more. */
cot_code cot_exchange_run(struct cot_exchange *exchange, cot_exchange_work *work, struct cot_err *err) COT_MUST_CHECK;

#endif
