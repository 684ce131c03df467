/* Who of a segment may be addressed for a purpose, and in which arm. Part of export.h. */
#ifndef COT_ENGINE_EXPORT_AUDIENCE_H
#define COT_ENGINE_EXPORT_AUDIENCE_H

#include <stdint.h>

#include "coterie/err.h"
#include "domain/feature.h"

struct cot_store;

struct cot_export_audience {
    int64_t run_id;
    int32_t segment_id;
    char *segment; /* owned */
    int64_t n_members;
    int64_t n_treated;
    int64_t n_held_out;
    int64_t n_suppressed;
    int64_t n_unsubscribed;
    int64_t n_refused;
    int64_t n_unknown;
};

void cot_export_audience_release(struct cot_export_audience *audience);

/* Finds the segment of the latest run by name or id. */
cot_code cot_export_find_segment(struct cot_store *store, const char *segment, struct cot_export_audience *ret_audience,
                                 struct cot_err *err) COT_MUST_CHECK;

/* Makes the temporary table export_row(customer, customer_id, email, phone, arm: treated or holdout) and counts. */
cot_code cot_export_select(struct cot_store *store, enum cot_purpose purpose, const char *campaign, double holdout,
                           struct cot_export_audience *audience, struct cot_err *err) COT_MUST_CHECK;

#endif
