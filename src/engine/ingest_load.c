/* The committer's memory, from the store: at the start, and after a commit that failed. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/civil.h"
#include "base/threads.h"
#include "engine/ingest_parts.h"

/* What the committer alone looks at, but for the shop. */
static void release_committers(struct cot_ingest *ingest)
{
    cot_dict_release(&ingest->orders);
    free(ingest->orders_known);
    ingest->orders_known = NULL;
    ingest->orders_capacity = 0;
    cot_dict_release(&ingest->consents);
    free(ingest->consents_granted);
    ingest->consents_granted = NULL;
    ingest->consents_capacity = 0;
    cot_live_facts_release(&ingest->facts);
}

void cot_ingest_unload(struct cot_ingest *ingest)
{
    cot_state_lock(&ingest->state, COT_STATE_SWAP); /* readers look things up in the shop */
    cot_import_shop_free(ingest->shop);             /* its writers end before the transaction does */
    ingest->shop = NULL;
    cot_state_unlock(&ingest->state);
    release_committers(ingest);
    ingest->loaded = false;
}

/* Which purposes a source does not assume; of none that is there: nothing. */
static cot_code load_policy(struct cot_ingest *ingest, struct cot_live_run *run, struct cot_err *err)
{
    struct cot_rows *rows = NULL;
    bool more = false;
    size_t size = 0;
    run->withheld = 0;
    cot_code rc = cot_rows_open(ingest->store, &rows, err, "select consent_policy from source where source_id = %d",
                                run->source_id);
    if (rc == COT_OK)
        rc = cot_rows_next(rows, &more, err);
    if (rc == COT_OK && more) {
        const char *policy = cot_rows_text(rows, 0, &size);
        run->withheld = cot_consent_policy_withheld(policy, size);
    }
    cot_rows_close(rows);
    return rc;
}

/* Sources that are there already, and what this process's runs have on disk. */
static cot_code load_runs(struct cot_ingest *ingest, struct cot_err *err)
{
    cot_code rc = COT_OK;
    for (int source = 0; source < COT_N_INGEST_SOURCES && rc == COT_OK; source++) {
        struct cot_live_run *run = &ingest->runs[source];
        int64_t source_id = 0;
        int64_t n_runs = 0;
        const char *name = cot_ingest_source_of((enum cot_ingest_source)source)->connector->name;
        rc = cot_store_number(ingest->store, &source_id, err, "select source_id from source where connector = '%s'",
                              name);
        if (rc == COT_OK && run->import_id != 0)
            rc = cot_store_number(ingest->store, &n_runs, err,
                                  "select count(*) from import_run where import_id = %d and source_id = %" PRId64,
                                  run->import_id, source_id);
        run->source_id = (int32_t)source_id;
        if (rc == COT_OK)
            rc = load_policy(ingest, run, err);
        if (n_runs == 0) {
            run->import_id = 0;
            memset(run->counts, 0, sizeof run->counts);
            memset(run->written, 0, sizeof run->written);
        }
    }
    return rc;
}

cot_code cot_ingest_make_live(struct cot_ingest *ingest, struct cot_import_shop *shop,
                              const struct cot_segment_rule *also, struct cot_live_shop **ret_live,
                              struct cot_rule_segments **ret_rules, struct cot_err *err)
{
    struct cot_live_shop *live = NULL;
    struct cot_dict keys;
    int64_t at_ms = cot_wall_ms();
    cot_dict_init(&keys);
    cot_code rc = ingest->next_day_ms == 0 ? cot_days_resume(ingest, &at_ms, err) : COT_OK;
    if (rc == COT_OK)
        rc = cot_rule_segments_keys(ingest->store, &keys, err);
    if (rc == COT_OK && also != NULL)
        rc = cot_rule_segments_add_keys(also, &keys, err);
    if (rc == COT_OK)
        rc = cot_live_shop_load(ingest->store, ingest->context.data_dir, &keys, at_ms, &live, err);
    cot_dict_release(&keys);
    const struct cot_rule_shop over = {live, shop};
    if (rc == COT_OK)
        rc = cot_rule_segments_load(ingest->store, &over, ret_rules, err);
    if (rc == COT_OK)
        *ret_live = live;
    else
        cot_live_shop_free(live);
    return rc;
}

cot_code cot_ingest_renew_live(struct cot_ingest *ingest, const struct cot_segment_rule *also, struct cot_err *err)
{
    struct cot_live_shop *live = NULL;
    struct cot_rule_segments *rules = NULL;
    cot_code rc = cot_ingest_make_live(ingest, ingest->shop, also, &live, &rules, err);
    if (rc != COT_OK)
        return rc;
    cot_state_lock(&ingest->state, COT_STATE_SWAP);
    struct cot_live_shop *old_live = ingest->live;
    struct cot_rule_segments *old_rules = ingest->rules;
    ingest->live = live;
    ingest->rules = rules;
    rc = cot_changes_begin(ingest, err);
    cot_days_begin(ingest);
    if (rc == COT_OK && ingest->census != NULL)
        rc = cot_census_restart(ingest->census, ingest->live, err);
    if (rc != COT_OK) {
        ingest->live = NULL;
        ingest->rules = NULL;
    }
    cot_state_unlock(&ingest->state);
    if (rc != COT_OK) {
        cot_live_shop_free(live);
        cot_rule_segments_free(rules);
    }
    cot_live_shop_free(old_live);
    cot_rule_segments_free(old_rules);
    return rc;
}

bool cot_ingest_holds(const struct cot_ingest *ingest, const struct cot_segment_rule *rule)
{
    bool held = true;
    for (size_t i = 0; i < cot_segment_rule_n_properties(rule); i++) {
        struct cot_text key = cot_segment_rule_property(rule, i);
        held &= cot_dict_find(&ingest->live->watched, 0, key.data, key.size) != COT_DICT_NONE;
    }
    return held;
}

cot_code cot_ingest_hold(struct cot_ingest *ingest, const struct cot_segment_rule *rule, struct cot_err *err)
{
    cot_code rc = cot_ingest_holds(ingest, rule) ? COT_OK : cot_ingest_renew_live(ingest, rule, err);
    if (ingest->live == NULL) /* the next group, or job, loads it again */
        cot_ingest_forget_memory(ingest);
    return rc;
}

/* What readers see; kept over a commit that failed, since nothing of that group was applied. */
static cot_code load_live(struct cot_ingest *ingest, struct cot_err *err)
{
    return ingest->is_offline || ingest->live != NULL ? COT_OK : cot_ingest_renew_live(ingest, NULL, err);
}

static void publish_currency(struct cot_ingest *ingest)
{
    pthread_mutex_lock(&ingest->mutex);
    memcpy(ingest->base_currency, ingest->shop->base_currency, sizeof ingest->base_currency);
    pthread_mutex_unlock(&ingest->mutex);
}

static cot_code load_shop(struct cot_ingest *ingest, struct cot_err *err)
{
    struct cot_import_shop *shop = NULL;
    cot_code rc = cot_import_shop_load(ingest->store, &shop, err);
    if (rc == COT_OK) {
        cot_state_lock(&ingest->state, COT_STATE_SWAP);
        ingest->shop = shop;
        cot_ingest_tap_init(ingest);
        cot_state_unlock(&ingest->state);
    }
    if (rc == COT_OK)
        rc = load_runs(ingest, err);
    if (rc == COT_OK)
        rc = cot_ingest_ids_load(ingest, err);
    if (rc == COT_OK)
        rc = cot_ingest_orders_load(ingest, err);
    if (rc == COT_OK)
        rc = load_live(ingest, err);
    if (rc == COT_OK)
        publish_currency(ingest);
    return rc;
}

cot_code cot_ingest_reload(struct cot_ingest *ingest, struct cot_err *err)
{
    struct cot_import_shop *shop = NULL;
    struct cot_live_shop *live = NULL;
    struct cot_rule_segments *rules = NULL;
    cot_code rc = cot_import_shop_load(ingest->store, &shop, err);
    if (rc == COT_OK)
        rc = cot_ingest_make_live(ingest, shop, NULL, &live, &rules, err);
    if (rc != COT_OK) {
        cot_import_shop_free(shop);
        return rc;
    }
    cot_state_lock(&ingest->state, COT_STATE_SWAP);
    struct cot_import_shop *old_shop = ingest->shop;
    struct cot_live_shop *old_live = ingest->live;
    struct cot_rule_segments *old_rules = ingest->rules;
    ingest->shop = shop;
    ingest->live = live;
    ingest->rules = rules;
    cot_ingest_tap_init(ingest);
    rc = cot_changes_begin(ingest, err);
    cot_days_begin(ingest);
    if (rc == COT_OK && ingest->census != NULL)
        rc = cot_census_restart(ingest->census, ingest->live, err);
    cot_state_unlock(&ingest->state);
    cot_import_shop_free(old_shop);
    cot_live_shop_free(old_live);
    cot_rule_segments_free(old_rules);
    release_committers(ingest);
    if (rc == COT_OK)
        rc = load_runs(ingest, err);
    if (rc == COT_OK)
        rc = cot_ingest_ids_load(ingest, err);
    if (rc == COT_OK)
        rc = cot_ingest_orders_load(ingest, err);
    if (rc == COT_OK)
        publish_currency(ingest);
    return rc;
}

cot_code cot_ingest_leave_room(struct cot_ingest *ingest, struct cot_err *err)
{
    unsigned n = ingest->context.n_threads != 0 ? ingest->context.n_threads : cot_threads_available();
    return ingest->is_offline ? COT_OK : cot_store_exec(ingest->store, err, "set threads = %u", n > 1 ? n / 2 : 1);
}

cot_code cot_ingest_load(struct cot_ingest *ingest, struct cot_err *err)
{
    cot_code rc = COT_OK;
    if (ingest->store == NULL)
        rc = cot_ingest_store_open(ingest, err);
    if (rc == COT_OK)
        rc = load_shop(ingest, err);
    if (rc == COT_OK)
        rc = cot_ingest_leave_room(ingest, err);
    ingest->loaded = rc == COT_OK;
    if (rc == COT_OK)
        return rc;
    /* DuckDB may have given up its file after a failed write: opening it again reads what is on disk. */
    cot_ingest_unload(ingest);
    cot_ingest_store_close(ingest);
    return rc;
}
