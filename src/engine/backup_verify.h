/* Reading a backup: its manifest, and every byte against it. */
#ifndef COT_ENGINE_BACKUP_VERIFY_H
#define COT_ENGINE_BACKUP_VERIFY_H

#include <stdint.h>
#include <yyjson.h>

#include "base/progress.h"
#include "coterie/err.h"

#define COT_MANIFEST_NAME "MANIFEST.json"
#define COT_MANIFEST_SUM_NAME "MANIFEST.json.sha256"

enum { COT_BACKUP_VERSION = 1 };

struct cot_manifest {
    yyjson_doc *doc; /* owns the texts */
    const char *created_at;
    int64_t schema;
    uint64_t n_files;
    uint64_t n_bytes;
};

/* Reads all of a backup and compares it with its manifest; with a folder (that exists), unpacks it there, on disk when
 * it returns. COT_BAD_DATA for any damage: then what was unpacked is not to be used. */
cot_code cot_backup_verify(const char *path, const char *folder, const struct cot_progress *progress,
                           struct cot_manifest *ret_manifest, struct cot_err *err) COT_MUST_CHECK;

void cot_manifest_release(struct cot_manifest *manifest);

#endif
