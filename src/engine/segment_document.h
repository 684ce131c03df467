/* The document of a run of the segmentation (its shape: engine/segment.h), from what was learned and described. */
#ifndef COT_ENGINE_SEGMENT_DOCUMENT_H
#define COT_ENGINE_SEGMENT_DOCUMENT_H

#include <yyjson.h>

#include "coterie/err.h"
#include "engine/segment.h"
#include "engine/segment_describe.h"
#include "engine/segment_json.h"
#include "engine/segment_learn.h"
#include "engine/segment_runs.h"
#include "engine/segment_tree.h"
#include "engine/shop.h"

struct cot_segment_parts {
    const struct cot_context *context;
    const struct cot_segment_options *options;
    const struct cot_shop *shop;
    const struct cot_feature_matrix *matrix;
    const struct cot_learned *learned;
    const struct cot_description *description;
    const struct cot_segment_tree *tree;
    const int32_t *ids;                       /* [k] */
    const char *const *colors;                /* [k] */
    const struct cot_segment_run_row *before; /* the run before, or NULL */
    const struct cot_segment_money *money;
    int64_t run_id;
    int64_t created_at_ms;
};

/* Everything but "changes" and "model". ret_segments[a]: the entry of segment a in "segments". */
cot_code cot_segment_document(const struct cot_segment_parts *parts, yyjson_mut_doc *doc, yyjson_mut_val *root,
                              yyjson_mut_val **ret_segments, struct cot_err *err) COT_MUST_CHECK;

/* Adds "map", in a file of its own. */
cot_code cot_segment_document_map(const struct cot_segment_parts *parts, yyjson_mut_doc *doc, yyjson_mut_val *root,
                                  struct cot_err *err) COT_MUST_CHECK;

#endif
