#include "engine/service_prediction.h"

#include <stdint.h>

#include "base/buf.h"
#include "base/json.h"
#include "engine/ingest_parts.h"
#include "engine/person.h"
#include "engine/prediction_newest.h"
#include "engine/prediction_store.h"
#include "store/store.h"

static cot_code none_yet(struct cot_err *err)
{
    return cot_fail(err, COT_NOT_FOUND, "nothing was predicted yet: 'coterie predict' does, and keeps what it says");
}

/* By what is in memory, which knows a withdrawal as soon as it is on disk. */
struct by_memory {
    struct cot_ingest *ingest;
    bool is_loading; /* it was not there to be asked */
};

static void consent_of(void *context, const uint32_t *nodes, size_t n, bool *ret_allowed)
{
    struct by_memory *memory = context;
    struct cot_ingest *ingest = memory->ingest;
    cot_state_lock(&ingest->state, COT_STATE_ANSWER);
    memory->is_loading |= ingest->live == NULL;
    for (size_t i = 0; i < n; i++)
        ret_allowed[i] = ingest->live != NULL && cot_live_shop_allows(ingest->live, nodes[i], COT_PREDICTION_PURPOSE);
    cot_state_unlock(&ingest->state);
}

static cot_code check_memory(const struct by_memory *memory, struct cot_err *err)
{
    return memory->is_loading ? cot_fail(err, COT_IO, "the shop is being loaded: ask again in a moment") : COT_OK;
}

cot_code cot_service_predictions(struct cot_service *service, struct cot_store *store, yyjson_mut_doc **ret_doc,
                                 struct cot_err *err)
{
    struct by_memory memory = {.ingest = cot_service_ingest(service)};
    const struct cot_prediction_consent consent = {consent_of, &memory};
    yyjson_mut_doc *doc = NULL;
    yyjson_mut_val *root = NULL;
    cot_code rc = cot_json_document(&doc, &root, err);
    yyjson_mut_val *runs = yyjson_mut_obj_add_arr(doc, root, "runs");
    if (rc == COT_OK)
        rc = cot_prediction_newest_add(store, INT64_MAX, &consent, doc, runs, err);
    if (rc == COT_OK)
        rc = check_memory(&memory, err);
    if (rc == COT_OK && yyjson_mut_arr_size(runs) == 0)
        rc = none_yet(err);
    return cot_json_finish(rc, doc, ret_doc);
}

cot_code cot_service_predictions_record(struct cot_service *service, struct cot_store *store, yyjson_mut_doc **ret_doc,
                                        struct cot_err *err)
{
    struct cot_context context = {.seed = 1, .n_threads = 1};
    (void)service;
    return cot_predictions_record(&context, store, ret_doc, err);
}

static cot_code add_predictions(struct cot_store *store, const struct cot_person *person, yyjson_mut_doc *doc,
                                yyjson_mut_val *array, struct cot_err *err)
{
    struct cot_buf nodes = {0};
    struct cot_buf sql = {0};
    cot_code rc = cot_person_list_nodes(person, &nodes, err);
    if (rc == COT_OK) /* one who was two then has two rows: that of the smaller node holds */
        rc = cot_buf_printf(
            &sql, err,
            "with newest as " COT_NEWEST_RUNS(
                "true") " select json_object('run', r.run_id, 'as_of', strftime(r.as_of, "
                        "'%%Y-%%m-%%dT%%H:%%M:%%S.%%gZ'), 'days',"
                        " r.horizon_days, 'spend', json_object('value', p.spend, 'low', p.spend_low, 'high', "
                        "p.spend_high),"
                        " 'orders', json_object('value', p.orders, 'low', p.orders_low, 'high', p.orders_high), "
                        "'churn', p.churn)"
                        "::varchar from newest r join prediction p using (run_id) where p.customer in (%s)"
                        " qualify row_number() over (partition by r.run_id order by p.customer) = 1 order by "
                        "r.horizon_days",
            cot_buf_text(&nodes));
    if (rc == COT_OK)
        rc = cot_prediction_rows_add(store, doc, array, cot_buf_text(&sql), err);
    cot_buf_release(&nodes);
    cot_buf_release(&sql);
    return rc;
}

cot_code cot_service_customer_predictions(struct cot_service *service, struct cot_store *store, const char *id,
                                          yyjson_mut_doc **ret_doc, struct cot_err *err)
{
    struct by_memory memory = {.ingest = cot_service_ingest(service)};
    struct cot_person person = {0};
    bool allowed = false;
    cot_code rc = cot_person_find(store, id, &person, err);
    if (rc != COT_OK)
        return rc;
    consent_of(&memory, &person.customer, 1, &allowed);
    yyjson_mut_doc *doc = NULL;
    yyjson_mut_val *root = NULL;
    rc = cot_json_document(&doc, &root, err);
    yyjson_mut_obj_add_strcpy(doc, root, "customer_id", person.customer_id);
    yyjson_mut_val *array = yyjson_mut_obj_add_arr(doc, root, "predictions");
    if (rc == COT_OK)
        rc = check_memory(&memory, err);
    if (rc == COT_OK && !allowed)
        rc = cot_fail(err, COT_NOT_FOUND, "no consent to %s: what was predicted of '%s' is not told",
                      cot_purpose_name(COT_PREDICTION_PURPOSE), id);
    if (rc == COT_OK)
        rc = add_predictions(store, &person, doc, array, err);
    if (rc == COT_OK && yyjson_mut_arr_size(array) == 0)
        rc = cot_fail(err, COT_NOT_FOUND, "nothing was predicted of '%s' yet", id);
    cot_person_release(&person);
    return cot_json_finish(rc, doc, ret_doc);
}
