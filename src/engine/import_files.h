/*
 * Which files an import takes, what each of them is, and in which order they go in.
 */
#ifndef COT_ENGINE_IMPORT_FILES_H
#define COT_ENGINE_IMPORT_FILES_H

#include <stdbool.h>
#include <stddef.h>

#include "connect/connector.h"
#include "coterie/err.h"
#include "engine/import.h"
#include "store/reader.h"

/* The options of the command line, parsed. */
struct cot_file_options {
    struct cot_reader_options reader;
    struct cot_mapping_options mapping; /* but for file_name, has_header and what the shop's settings say */
    struct cot_column_override *overrides;
    const char *kind;
    const char *source;
};

cot_code cot_file_options_parse(const struct cot_import_options *options, struct cot_file_options *ret_parsed,
                                struct cot_err *err) COT_MUST_CHECK;
void cot_file_options_release(struct cot_file_options *parsed);

/* A file as planned. */
struct cot_import_file {
    char *path;
    bool from_folder;
    struct cot_mapping *mapping;
    const char *source_name; /* the mapping's connector's or the options' */
    cot_code rc;             /* why it can't be used */
    struct cot_err err;
};

struct cot_import_files {
    struct cot_import_file *files;
    size_t n;
    char **skipped; /* in folders, no data by their names */
    size_t n_skipped;
};

/* Lists files and, for folders, what lies in them. COT_IO for a path that isn't there. */
cot_code cot_import_files_list(const struct cot_import_options *options, struct cot_import_files *ret_files,
                               struct cot_err *err) COT_MUST_CHECK;
void cot_import_files_release(struct cot_import_files *files);

/* Opens the file, finds out what it is and how its columns are written; the reader stands at the first row then. */
cot_code cot_import_file_open(struct cot_import_file *file, const struct cot_file_options *options,
                              struct cot_reader **ret_reader, struct cot_err *err) COT_MUST_CHECK;

/* Finds out what each file is (file->rc where that fails) and orders them. */
cot_code cot_import_files_plan(struct cot_import_files *files, const struct cot_file_options *options,
                               const struct cot_progress *progress, struct cot_err *err) COT_MUST_CHECK;

#endif
