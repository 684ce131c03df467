/* The shop's store as use cases open it. Apart from context.h, so that callers of use cases see nothing of DuckDB. */
#ifndef COT_ENGINE_CONTEXT_STORE_H
#define COT_ENGINE_CONTEXT_STORE_H

#include "engine/context.h"
#include "store/store.h"

/* With the context's threads and DuckDB's usual memory; fails as cot_store_open. */
cot_code cot_context_open_store(const struct cot_context *context, enum cot_store_mode mode,
                                struct cot_store **ret_store, struct cot_err *err) COT_MUST_CHECK;

#endif
