/*
 * What import_run.detail says of a file: how it was understood (so that a replay can understand its rows again the same
 * way) and what is to be known about its rows.
 *
 * {"reading": "...",  fingerprint of how the file was understood: the same text, the same understanding
 *  "encoding","compression","delimiter","header","columns":[names],
 *  "connector","source","zone","currency","channel",
 *  "fields":[{"field","trait","date_order","decimal","currency"}]   a column each,
 *  "mapping": as cot_mapping_describe, for people,
 *  "undated": rows without a time of recording, "timeless": rows without any time, "reasons":[{"code","rows"}]}
 */
#ifndef COT_ENGINE_IMPORT_DETAIL_H
#define COT_ENGINE_IMPORT_DETAIL_H

#include "engine/import_files.h"
#include "engine/import_rows.h"

/* The fingerprint, a fresh string. */
cot_code cot_import_reading(const struct cot_import_file *file, const struct cot_reader_info *info, char **ret_reading,
                            struct cot_err *err) COT_MUST_CHECK;

/* The whole as JSON text, a fresh string. */
cot_code cot_import_detail(const struct cot_import_file *file, const struct cot_reader_info *info, const char *reading,
                           const struct cot_row_counts *counts, char **ret_detail, struct cot_err *err) COT_MUST_CHECK;

/* How the file's columns are called and what was decided on them, from a detail: the mapping that decodes its rows
 * again. ret_columns has *ret_n_columns fresh strings, NULL-terminated. */
cot_code cot_import_detail_mapping(const char *detail, size_t size, const struct cot_mapping_options *options,
                                   struct cot_mapping **ret_mapping, char ***ret_columns, size_t *ret_n_columns,
                                   struct cot_err *err) COT_MUST_CHECK;
void cot_import_columns_free(char **columns);

/* {"encoding","compression","delimiter","header"} of a file as read. */
yyjson_mut_val *cot_import_reads_as(const struct cot_reader_info *info, yyjson_mut_doc *doc);

#endif
