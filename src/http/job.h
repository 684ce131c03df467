/*
 * Answers that need the store: made on another thread, while the exchange waits.
 */
#ifndef COT_HTTP_JOB_H
#define COT_HTTP_JOB_H

#include "http/exchange.h"

struct cot_store;

/* Makes the answer's document, or fails as handlers do. */
typedef cot_code cot_exchange_work(struct cot_exchange *exchange, yyjson_mut_doc **ret_doc, struct cot_err *err);

/* On the committer's thread. The handler returns what this returns, and touches the exchange no more. */
cot_code cot_exchange_run(struct cot_exchange *exchange, cot_exchange_work *work, struct cot_err *err) COT_MUST_CHECK;

/* The same on the reader's thread (engine/ingest.h), which holds nobody up: from the store that it is given. */
typedef cot_code cot_exchange_reading(struct cot_exchange *exchange, struct cot_store *store, yyjson_mut_doc **ret_doc,
                                      struct cot_err *err);
cot_code cot_exchange_read(struct cot_exchange *exchange, cot_exchange_reading *reading,
                           struct cot_err *err) COT_MUST_CHECK;

#endif
