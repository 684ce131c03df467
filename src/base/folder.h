/* Folders: walking, removing, and making changes of names last. */
#ifndef COT_BASE_FOLDER_H
#define COT_BASE_FOLDER_H

#include <stdint.h>
#include <sys/stat.h>

#include "coterie/err.h"

/* One file below a folder. name: relative, parts joined by '/'. path: folder and name. Anything but COT_OK ends the
 * walk. */
typedef cot_code cot_folder_visit(void *context, const char *name, const char *path, const struct stat *status,
                                  struct cot_err *err);

/* Visits everything below a folder that is no folder itself, in byte order of names; links are visited, not followed.
 * A folder that does not exist is empty. Depth at most 32. */
cot_code cot_folder_walk(const char *folder, cot_folder_visit *visit, void *context,
                         struct cot_err *err) COT_MUST_CHECK;

/* Removes a folder or a file with all that is in it; fine where there is none. */
cot_code cot_folder_remove(const char *path, struct cot_err *err) COT_MUST_CHECK;

/* Makes a folder (mode 0700) and those above it, as far as they are missing. */
cot_code cot_folder_make(const char *path, struct cot_err *err) COT_MUST_CHECK;

/* After a rename or a new file: brings the names in the folder that holds `path` to disk. */
cot_code cot_folder_sync_parent(const char *path, struct cot_err *err) COT_MUST_CHECK;

/* Brings a file's content to disk. */
cot_code cot_file_sync(const char *path, struct cot_err *err) COT_MUST_CHECK;

#endif
