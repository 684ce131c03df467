/* A live source's row in the store, and one row of import_run a server run: what its events, traits and quarantined
 * calls belong to. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/civil.h"
#include "engine/ingest_parts.h"

/* How often the counts are written, at most. After kill -9 they lack what came since; the rows themselves never do. */
#define COUNTS_EVERY_MS INT64_C(1000)

static cot_code insert_source(struct cot_ingest *ingest, struct cot_live_run *run,
                              const struct cot_connector *connector, struct cot_err *err)
{
    run->source_id = ingest->shop->next_source_id;
    cot_code rc = cot_store_exec(
        ingest->store, err, "insert into source values (%d, '%s', '%s', '%s', '%s', now()::timestamp::timestamp_ms)",
        run->source_id, connector->name, connector->name, cot_file_kind_name(connector->kind),
        connector->assumed_purposes != NULL ? connector->assumed_purposes : "");
    const char *policy = connector->assumed_purposes;
    run->withheld = cot_consent_policy_withheld(policy, policy != NULL ? strlen(policy) : 0);
    if (rc == COT_OK)
        ingest->shop->next_source_id++;
    return rc;
}

cot_code cot_ingest_run_use(struct cot_ingest *ingest, enum cot_ingest_source source, struct cot_err *err)
{
    struct cot_live_run *run = &ingest->runs[source];
    const struct cot_connector *connector = cot_ingest_source_of(source)->connector;
    cot_code rc = COT_OK;
    ingest->source = source;
    if (run->source_id == 0)
        rc = insert_source(ingest, run, connector, err);
    if (rc == COT_OK && run->import_id == 0) {
        run->import_id = ingest->shop->next_import_id++;
        run->started_at_ms = cot_wall_ms();
        rc = cot_store_exec(ingest->store, err,
                            "insert into import_run values (%d, %d, 'live', '%s', '%s', '', 0, 0, 0, 0, 0, '{}',"
                            " epoch_ms(%" PRId64 ")::timestamp_ms, epoch_ms(%" PRId64 ")::timestamp_ms)",
                            run->import_id, run->source_id, cot_file_kind_name(connector->kind), connector->name,
                            run->started_at_ms, run->started_at_ms);
    }
    ingest->shop->import_id = run->import_id;
    return rc;
}

cot_code cot_ingest_runs_write(struct cot_ingest *ingest, int64_t now_ms, struct cot_err *err)
{
    cot_code rc = COT_OK;
    if (now_ms - ingest->counted_at_ms < COUNTS_EVERY_MS && now_ms >= ingest->counted_at_ms)
        return COT_OK;
    ingest->counted_at_ms = now_ms;
    for (int source = 0; source < COT_N_INGEST_SOURCES && rc == COT_OK; source++) {
        struct cot_live_run *run = &ingest->runs[source];
        const uint64_t *counts = run->counts;
        if (memcmp(counts, run->written, sizeof run->counts) == 0)
            continue;
        rc = cot_store_exec(
            ingest->store, err,
            "update import_run set rows_read = %llu, rows_accepted = %llu, rows_quarantined = %llu,"
            " rows_duplicate = %llu, finished_at = epoch_ms(%" PRId64 ")::timestamp_ms where import_id = %d",
            (unsigned long long)(counts[0] + counts[1] + counts[2]), (unsigned long long)counts[COT_CALL_ACCEPTED],
            (unsigned long long)counts[COT_CALL_QUARANTINED], (unsigned long long)counts[COT_CALL_DUPLICATE], now_ms,
            run->import_id);
        memcpy(run->written, counts, sizeof run->counts);
    }
    return rc;
}
