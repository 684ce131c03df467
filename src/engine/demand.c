#include "engine/demand.h"

#include <stdlib.h>
#include <string.h>

#include "engine/demand_customers.h"
#include "engine/demand_document.h"
#include "num/check.h"
#include "store/store.h"

enum { DEFAULT_WEEKS = 4, DEFAULT_DAYS = 28, DEFAULT_TOP = 50, DEFAULT_FOLDS = 5 };

static cot_code parse(const char *name, const char *const *names, size_t n, const char *option, size_t *ret_i,
                      struct cot_err *err)
{
    if (name == NULL)
        return COT_OK;
    for (size_t i = 0; i < n; i++)
        if (strcmp(name, names[i]) == 0) {
            *ret_i = i;
            return COT_OK;
        }
    return cot_fail(err, COT_USAGE, "--%s is '%s': %s%s%s or %s", option, name, names[0], n > 2 ? ", " : "",
                    n > 2 ? names[1] : "", names[n - 1]);
}

cot_code cot_demand_by_parse(const char *name, enum cot_demand_by *ret_by, struct cot_err *err)
{
    static const char *const names[] = {"product", "category", "shop"};
    size_t i = COT_DEMAND_BY_PRODUCT;
    cot_code rc = parse(name, names, sizeof names / sizeof *names, "by", &i, err);
    if (rc == COT_OK)
        *ret_by = (enum cot_demand_by)i;
    return rc;
}

cot_code cot_demand_every_parse(const char *name, enum cot_demand_every *ret_every, struct cot_err *err)
{
    static const char *const names[] = {"week", "day"};
    size_t i = COT_DEMAND_EVERY_WEEK;
    cot_code rc = parse(name, names, sizeof names / sizeof *names, "every", &i, err);
    if (rc == COT_OK)
        *ret_every = (enum cot_demand_every)i;
    return rc;
}

cot_code cot_demand_measure_parse(const char *name, enum cot_demand_measure *ret_measure, struct cot_err *err)
{
    static const char *const names[] = {"units", "revenue"};
    size_t i = COT_DEMAND_UNITS;
    cot_code rc = parse(name, names, sizeof names / sizeof *names, "measure", &i, err);
    if (rc == COT_OK)
        *ret_measure = (enum cot_demand_measure)i;
    return rc;
}

static cot_code complete(const struct cot_demand_use *use, struct cot_demand_use *ret_use, struct cot_err *err)
{
    *ret_use = *use;
    if (use->horizon == 0)
        ret_use->horizon = use->every == COT_DEMAND_EVERY_WEEK ? DEFAULT_WEEKS : DEFAULT_DAYS;
    if (use->top == 0)
        ret_use->top = DEFAULT_TOP;
    if (use->folds == 0)
        ret_use->folds = DEFAULT_FOLDS;
    if (!(use->service_level > 0))
        ret_use->service_level = 0.95;
    if (ret_use->horizon > COT_DEMAND_MAX_HORIZON || use->lead_time > COT_DEMAND_MAX_HORIZON - 1)
        return cot_fail(err, COT_USAGE, "%zu steps ahead, a lead time of %zu: at most %d", ret_use->horizon,
                        use->lead_time, (int)COT_DEMAND_MAX_HORIZON);
    if (use->folds > COT_DEMAND_MAX_FOLDS)
        return cot_fail(err, COT_USAGE, "%u origins: at most %d", use->folds, (int)COT_DEMAND_MAX_FOLDS);
    if (use->stock && use->measure != COT_DEMAND_UNITS)
        return cot_fail(err, COT_USAGE, "stock is counted in units: leave --measure revenue out for stock advice");
    if (use->stock && use->by != COT_DEMAND_BY_PRODUCT)
        return cot_fail(err, COT_USAGE, "stock is kept of products: leave --by out for stock advice");
    return COT_OK;
}

static cot_code forecast(const struct cot_context *context, const struct cot_demand_use *use,
                         const struct cot_demand_histories *histories, yyjson_mut_doc *doc, struct cot_err *err)
{
    const struct cot_demand_options options = {
        .max_folds = use->folds, .service_level = use->service_level, .n_threads = context->n_threads};
    struct cot_demand_result result = {0};
    struct cot_demand_tree now = cot_demand_history_tree(&histories->now, use);
    struct cot_demand_tree pasts[COT_DEMAND_MAX_FOLDS];
    struct cot_demand_outcome outcome = {use, histories, &now, &result};
    for (size_t p = 0; p < histories->n_pasts; p++)
        pasts[p] = cot_demand_history_tree(histories->pasts + p, use);
    cot_code rc = cot_demand_run(&now, pasts, histories->n_pasts, &options, &result, err);
    if (rc == COT_OK)
        rc = cot_demand_document_fill(&outcome, doc, err);
    if (rc == COT_OK && use->out != NULL)
        rc = cot_demand_file_write(&outcome, use->out, err);
    cot_demand_release(&result);
    return rc;
}

cot_code cot_demand_document(struct cot_store *store, const struct cot_context *context,
                             const struct cot_demand_use *use, yyjson_mut_doc **ret_doc, struct cot_err *err)
{
    struct cot_demand_histories histories = {0};
    struct cot_demand_use whole;
    yyjson_mut_doc *doc = yyjson_mut_doc_new(NULL);
    if (doc == NULL)
        return cot_fail(err, COT_NOMEM, "forecast");
    yyjson_mut_doc_set_root(doc, yyjson_mut_obj(doc));
    cot_code rc = complete(use, &whole, err);
    cot_progress_report(&context->progress, "forecast", 0, 1);
    if (rc == COT_OK)
        rc = cot_demand_histories_load(store, &whole, &histories, err);
    if (rc == COT_OK && !whole.without_customers)
        rc = cot_demand_customers_fill(context, store, &histories, err);
    if (rc == COT_OK)
        rc = forecast(context, &whole, &histories, doc, err);
    cot_progress_report(&context->progress, "forecast", 1, 1);
    cot_demand_histories_release(&histories);
    if (rc == COT_OK)
        *ret_doc = doc;
    else
        yyjson_mut_doc_free(doc);
    return rc;
}

cot_code cot_demand_use_run(const struct cot_context *context, const struct cot_demand_use *use,
                            yyjson_mut_doc **ret_doc, struct cot_err *err)
{
    const struct cot_store_options options = {.mode = COT_STORE_READ_ONLY, .n_threads = context->n_threads};
    struct cot_store *store = NULL;
    cot_code rc = cot_store_open(context->data_dir, &options, &store, err);
    if (rc == COT_OK)
        rc = cot_demand_document(store, context, use, ret_doc, err);
    cot_store_close(store);
    return rc;
}
