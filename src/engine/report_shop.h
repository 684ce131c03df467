/* The report's figures of the shop as a whole, as JSON: headline, months, cohorts, concentration. */
#ifndef COT_ENGINE_REPORT_SHOP_H
#define COT_ENGINE_REPORT_SHOP_H

#include <stdint.h>
#include <yyjson.h>

#include "coterie/err.h"
#include "engine/report_totals.h"

struct cot_report_shop {
    const struct cot_report_totals *totals;
    int64_t as_of_ms;
    const struct cot_zone *zone;
    const char *currency;  /* "" where the shop has none yet */
    double minor_per_unit; /* 100 for GBP, 1 for JPY */
    int64_t unassigned_lines;
    int64_t unassigned_minor; /* net */
};

/* Adds "headline", "months", "cohorts" and "concentration" (engine/report.h) to root. */
cot_code cot_report_shop_add(const struct cot_report_shop *shop, yyjson_mut_doc *doc, yyjson_mut_val *root,
                             struct cot_err *err) COT_MUST_CHECK;

#endif
