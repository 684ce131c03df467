/* The census beside the groups: who waits is looked at in small steps, between which answers go first. */
#include "engine/census.h"

#include "base/civil.h"
#include "engine/ingest_parts.h"

/* Customers a step, and steps a turn of the committer. */
enum { STEP = 4, STEPS = 8 };

cot_code cot_ingest_census_look(struct cot_ingest *ingest, size_t n_steps, struct cot_err *err)
{
    cot_code rc = COT_OK;
    for (size_t i = 0; i < n_steps && rc == COT_OK && cot_ingest_census_waits(ingest); i++) {
        const struct cot_rule_shop over = {ingest->live, ingest->shop};
        rc = cot_census_step(ingest->census, &over, STEP, err);
        (void)cot_state_give_way(&ingest->state);
    }
    return rc;
}

bool cot_ingest_census_waits(const struct cot_ingest *ingest)
{
    return ingest->census != NULL && ingest->live != NULL && ingest->shop != NULL &&
           (cot_census_n_waiting(ingest->census) > 0 || cot_census_is_stale(ingest->census, ingest->live));
}

/* Ranks are sorted beside what answers go on with. */
static void rank(struct cot_ingest *ingest)
{
    struct cot_err ignored; /* of memory: tried again */
    struct cot_census_ranks *ranks = NULL;
    int64_t now_ms = cot_wall_ms();
    cot_state_lock(&ingest->state, COT_STATE_TIME);
    if (ingest->live != NULL && cot_census_ranks_due(ingest->census, now_ms) &&
        cot_census_copy(ingest->census, &ranks, &ignored) != COT_OK)
        ranks = NULL;
    cot_state_unlock(&ingest->state);
    if (ranks == NULL)
        return;
    cot_census_sort(ranks);
    cot_state_lock(&ingest->state, COT_STATE_TIME);
    cot_census_publish(ingest->census, ranks, now_ms);
    cot_state_unlock(&ingest->state);
}

void cot_ingest_census_work(struct cot_ingest *ingest)
{
    struct cot_err err = {0};
    if (ingest->census == NULL)
        return;
    cot_state_lock(&ingest->state, COT_STATE_TIME);
    cot_code rc = cot_ingest_census_look(ingest, STEPS, &err);
    cot_state_unlock(&ingest->state);
    if (rc == COT_OK)
        rank(ingest);
}
