/* Segment files (domain/segment_file.h) on disk. */
#ifndef COT_ENGINE_RULE_FILES_H
#define COT_ENGINE_RULE_FILES_H

#include <stddef.h>

#include "domain/segment_file.h"

#define COT_RULE_FILE_SUFFIX ".segment"

struct cot_rule_file {
    char *path;
    struct cot_segment_file *file; /* NULL: it can't be used */
    struct cot_err err;            /* why not; it names the path */
};

struct cot_rule_files {
    struct cot_rule_file *files; /* in the order of the paths; of a folder by name */
    size_t n, capacity;
};

/* COT_IO, COT_LIMIT, COT_BAD_DATA; err names the path. */
cot_code cot_rule_file_read(const char *path, struct cot_segment_file **ret_file, struct cot_err *err) COT_MUST_CHECK;

/* Files, and of folders (not those inside) the files that end with .segment. A file that can't be used is among them
 * and says why; COT_NOT_FOUND: a path that is not there; COT_IO: a folder that can't be read. */
cot_code cot_rule_files_read(const char *const *paths, size_t n, struct cot_rule_files *ret_files,
                             struct cot_err *err) COT_MUST_CHECK;
void cot_rule_files_release(struct cot_rule_files *files);

#endif
