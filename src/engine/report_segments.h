/*
 * The report's sections on learned segments: the run's document without what a report does not show, and the map.
 *
 * A report is passed on: ids that look like e-mail addresses are replaced by our number of the customer, and the map's
 * points do not say who they are.
 */
#ifndef COT_ENGINE_REPORT_SEGMENTS_H
#define COT_ENGINE_REPORT_SEGMENTS_H

#include <yyjson.h>

#include "coterie/err.h"
#include "engine/shop.h"

/*
 * Adds "segments" and "map" (engine/report.h) to root; segments: the document of cot_segment_run, NULL where there is
 * no run: both become null. shop: as of the run, for the features that a point shows.
 */
cot_code cot_report_segments_add(yyjson_mut_val *segments, const struct cot_shop *shop, yyjson_mut_doc *doc,
                                 yyjson_mut_val *root, struct cot_err *err) COT_MUST_CHECK;

#endif
