/* What changed between two runs; the shape of the result is documented in engine/segment.h. */
#ifndef COT_ENGINE_SEGMENT_DIFF_H
#define COT_ENGINE_SEGMENT_DIFF_H

#include <yyjson.h>

#include "coterie/err.h"
#include "engine/segment_runs.h"

/*
 * Limits of a split and a merge: a part counts from a fifth of its segment on, and two parts make a split or a merge.
 */
#define COT_SEGMENT_PART_SHARE 0.2

struct cot_segment_side {
    const struct cot_segment_run_row *run;
    const struct cot_segment_members *members;
};

/* Makes the document's value; minor_per_major: 100 for currencies with two decimals. */
cot_code cot_segment_diff_build(const struct cot_segment_side *from, const struct cot_segment_side *to,
                                double minor_per_major, yyjson_mut_doc *doc, yyjson_mut_val **ret_value,
                                struct cot_err *err) COT_MUST_CHECK;

#endif
