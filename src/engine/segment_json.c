#include "engine/segment_json.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "domain/money.h"
#include "store/store.h"

cot_code cot_segment_money_load(struct cot_store *store, struct cot_segment_money *ret_money, struct cot_err *err)
{
    char *currency = NULL;
    cot_code rc = cot_store_setting(store, "base_currency", &currency, err);
    if (rc != COT_OK)
        return rc;
    int exponent = currency != NULL ? cot_currency_exponent(currency) : 2;
    snprintf(ret_money->currency, sizeof ret_money->currency, "%s", currency != NULL ? currency : "");
    ret_money->minor_per_major = pow(10, exponent >= 0 ? exponent : 2);
    free(currency);
    return COT_OK;
}

const char *cot_segment_change_name(int64_t size_before, int64_t size)
{
    if (size_before < 0)
        return "born";
    if (10 * size >= 11 * size_before && size > size_before)
        return "grown";
    return 10 * size <= 9 * size_before && size < size_before ? "shrunk" : "kept";
}
