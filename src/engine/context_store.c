#include "engine/context_store.h"

cot_code cot_context_open_store(const struct cot_context *context, enum cot_store_mode mode,
                                struct cot_store **ret_store, struct cot_err *err)
{
    const struct cot_store_options options = {.mode = mode, .n_threads = context->n_threads};
    return cot_store_open(context->data_dir, &options, ret_store, err);
}
