/*
 * Exports of segments: who may be addressed goes to a file, a control group stays out of it, everybody is logged.
 *
 * - Nobody who is suppressed, has unsubscribed (and not agreed again since) or has refused the purpose is exported;
 *   where nothing was said, the policies of the customer's sources decide (domain/consent.h).
 * - Holdout: customer c is held out where the first 64 bits of HMAC-SHA256(salt, "holdout:" campaign "/" id of c), as a
 *   fraction of 2^64, are below the share. So the same customer stays in the same arm of the same campaign, whatever
 *   else is exported and when, and a larger share only adds to the smaller one's control group.
 * - The file appears under its name, whole and on disk, after its log (tables export_run, export_member) is: no file
 *   without a log.
 */
#ifndef COT_ENGINE_EXPORT_H
#define COT_ENGINE_EXPORT_H

#include <stddef.h>
#include <yyjson.h>

#include "coterie/err.h"
#include "engine/context.h"

struct cot_export_options {
    const char *segment;  /* name (any case) or id, of the latest run */
    const char *format;   /* "csv", "parquet", "json" (a line an object) */
    const char *out;      /* a file that does not exist yet; NULL: DATA/exports/NAME-NUMBER.FORMAT */
    const char *purpose;  /* service, analytics, personalisation, marketing, advertising */
    const char *campaign; /* the holdout's key; NULL: "segment-ID" */
    const char
        *columns;   /* "customer_id,email,segment,phone" and features, by ','; NULL: customer_id, e-mail, segment */
    double holdout; /* share, 0..0.9 */
};

/*
 * {"export": 3,"path","format","purpose","campaign","holdout": 0.1,"run","segment": {"id","name"},
 *  "members": 812,"treated": 700,"held_out": 80,
 *  "excluded": {"total": 32,"suppressed","unsubscribed","refused","unknown_consent"},
 *  "columns": [...],"warnings": ["..."]}
 * COT_NOT_FOUND without segments, COT_USAGE for an unknown segment, column, purpose or format.
 */
cot_code cot_export_run(const struct cot_context *context, const struct cot_export_options *options,
                        yyjson_mut_doc **ret_doc, struct cot_err *err) COT_MUST_CHECK;

/* {"exports": [{"export","created_at","segment","format","path","purpose","campaign","holdout","treated","held_out",
 *  "excluded"}]}, newest first. */
cot_code cot_export_list_run(const struct cot_context *context, yyjson_mut_doc **ret_doc,
                             struct cot_err *err) COT_MUST_CHECK;

#endif
