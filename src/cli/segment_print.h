/* A run of the segmentation for people: a table, a paragraph a segment, the evidence for how many. */
#ifndef COT_CLI_SEGMENT_PRINT_H
#define COT_CLI_SEGMENT_PRINT_H

#include <stdio.h>
#include <yyjson.h>

/* doc: as cot_segment_run gives it (engine/segment.h). */
void cot_segment_print(FILE *stream, yyjson_mut_doc *doc);

/* What changed (the document of cot_segment_diff_run, or "changes" of a run). */
void cot_segment_print_changes(FILE *stream, yyjson_mut_val *changes);

/* Text, word-wrapped at the terminal's usual 100 columns, each line after the indent. */
void cot_print_wrapped(FILE *stream, const char *indent, const char *text);

#endif
