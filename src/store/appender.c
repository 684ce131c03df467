/* Appending rows (see store.h). */
#include <math.h>
#include <stdlib.h>

#include "store/store.h"

struct cot_appender {
    duckdb_appender appender;
    duckdb_state state; /* of the appends since the last end of row */
};

static cot_code appender_error(struct cot_appender *appender, struct cot_err *err)
{
    duckdb_error_data data = duckdb_appender_error_data(appender->appender);
    const char *message = duckdb_error_data_message(data);
    cot_code rc = cot_duckdb_fail(err, COT_IO, "appending rows", message);
    duckdb_destroy_error_data(&data);
    return rc;
}

cot_code cot_appender_open(struct cot_store *store, const char *table, struct cot_appender **ret_appender,
                           struct cot_err *err)
{
    struct cot_appender *appender = calloc(1, sizeof *appender);
    if (appender == NULL)
        return cot_fail(err, COT_NOMEM, "appender of table '%s'", table);
    if (duckdb_appender_create(cot_store_connection(store), NULL, table, &appender->appender) != DuckDBSuccess) {
        cot_code rc = appender_error(appender, err);
        duckdb_appender_destroy(&appender->appender);
        free(appender);
        return rc;
    }
    *ret_appender = appender;
    return COT_OK;
}

void cot_append_int(struct cot_appender *appender, int64_t value)
{
    appender->state |= duckdb_append_int64(appender->appender, value);
}

void cot_append_double(struct cot_appender *appender, double value)
{
    if (!isfinite(value))
        cot_append_null(appender);
    else
        appender->state |= duckdb_append_double(appender->appender, value);
}

void cot_append_time(struct cot_appender *appender, int64_t ms)
{
    if (ms == INT64_MIN) {
        cot_append_null(appender);
        return;
    }
    duckdb_value value = duckdb_create_timestamp_ms((duckdb_timestamp_ms){.millis = ms});
    appender->state |= duckdb_append_value(appender->appender, value);
    duckdb_destroy_value(&value);
}

void cot_append_text(struct cot_appender *appender, const char *text, size_t size)
{
    appender->state |= text == NULL ? duckdb_append_null(appender->appender)
                                    : duckdb_append_varchar_length(appender->appender, text, size);
}

void cot_append_null(struct cot_appender *appender)
{
    appender->state |= duckdb_append_null(appender->appender);
}

cot_code cot_appender_end_row(struct cot_appender *appender, struct cot_err *err)
{
    duckdb_state state = appender->state;
    appender->state = DuckDBSuccess;
    if (state != DuckDBSuccess || duckdb_appender_end_row(appender->appender) != DuckDBSuccess)
        return appender_error(appender, err);
    return COT_OK;
}

cot_code cot_appender_close(struct cot_appender *appender, struct cot_err *err)
{
    cot_code rc = COT_OK;
    if (appender == NULL)
        return COT_OK;
    if (duckdb_appender_close(appender->appender) != DuckDBSuccess)
        rc = appender_error(appender, err);
    duckdb_appender_destroy(&appender->appender);
    free(appender);
    return rc;
}
