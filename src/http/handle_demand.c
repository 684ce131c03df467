/* What the shop will sell. */
#include <string.h>

#include "base/number.h"
#include "engine/service_demand.h"
#include "http/handlers.h"
#include "http/job.h"

enum { MAX_TOP = 200, MAX_HORIZON = 100 };

static cot_code read_service_level(const struct cot_exchange *exchange, struct cot_demand_use *use, struct cot_err *err)
{
    const double half = 0.5;
    const char *text = cot_exchange_query(exchange, "service_level");
    if (text == NULL)
        return COT_OK;
    if (!cot_parse_double(text, strlen(text), &use->service_level) ||
        !(use->service_level > half && use->service_level < 1))
        return cot_fail(err, COT_USAGE, "service_level is '%.40s': above 0.5 and below 1, such as 0.95", text);
    return COT_OK;
}

static cot_code read_numbers(const struct cot_exchange *exchange, struct cot_demand_use *use, struct cot_err *err)
{
    int64_t horizon = 0;
    int64_t top = 0;
    int64_t lead = 1;
    cot_code rc = cot_exchange_query_int(exchange, "horizon", 1, MAX_HORIZON, &horizon, err);
    if (rc == COT_OK)
        rc = cot_exchange_query_int(exchange, "top", 1, MAX_TOP, &top, err);
    if (rc == COT_OK)
        rc = cot_exchange_query_int(exchange, "lead_time", 0, MAX_HORIZON - 1, &lead, err);
    if (rc == COT_OK)
        rc = read_service_level(exchange, use, err);
    use->horizon = (size_t)horizon;
    use->top = (size_t)top;
    use->lead_time = (size_t)lead;
    use->stock =
        cot_exchange_query(exchange, "lead_time") != NULL || cot_exchange_query(exchange, "service_level") != NULL;
    return rc;
}

static cot_code forecast(struct cot_exchange *exchange, struct cot_store *store, yyjson_mut_doc **ret_doc,
                         struct cot_err *err)
{
    struct cot_demand_use use = {.as_of = cot_exchange_query(exchange, "as_of")};
    cot_code rc = cot_demand_by_parse(cot_exchange_query(exchange, "by"), &use.by, err);
    if (rc == COT_OK)
        rc = cot_demand_every_parse(cot_exchange_query(exchange, "every"), &use.every, err);
    if (rc == COT_OK)
        rc = cot_demand_measure_parse(cot_exchange_query(exchange, "measure"), &use.measure, err);
    if (rc == COT_OK)
        rc = read_numbers(exchange, &use, err);
    return rc == COT_OK ? cot_service_demand(exchange->service, store, &use, ret_doc, err) : rc;
}

cot_code cot_handle_forecasts(struct cot_exchange *exchange, struct cot_err *err)
{
    return cot_exchange_read(exchange, forecast, err);
}
