/*
 * Backup and restore of a whole data directory: history, settings, models, exports.
 *
 * A backup is one file, a ustar archive (backup_archive.h) that any tar opens: every file of the data directory, then
 * MANIFEST.json with size and SHA-256 of each, then MANIFEST.json.sha256. The shop's database is brought to one
 * consistent file by a checkpoint first and nobody else can have it open meanwhile.
 */
#ifndef COT_ENGINE_BACKUP_H
#define COT_ENGINE_BACKUP_H

#include <stdbool.h>
#include <yyjson.h>

#include "coterie/err.h"
#include "engine/context.h"

/*
 * out: a file that does not exist yet, or a folder in which to make coterie-YYYYMMDDTHHMMSSZ.tar. The file appears
 * under its name when it is complete, on disk and read back.
 *
 * {"path","created_at","schema","files": 3,"bytes": 123456,"sha256": of the manifest}
 */
cot_code cot_backup_run(const struct cot_context *context, const char *out, yyjson_mut_doc **ret_doc,
                        struct cot_err *err) COT_MUST_CHECK;

struct cot_restore_options {
    const char *path; /* of the backup */
    bool force;       /* put it in the place of the shop that is there */
};

/*
 * Verifies all of a backup, unpacks it beside context->data_dir, opens the shop in it and then takes the name in one
 * step. COT_BAD_DATA for a damaged backup or one of a newer program, COT_USAGE where the directory holds something
 * (with force: something that is no shop; what an interrupted making of a shop left is nothing); then nothing has
 * changed.
 *
 * People whom the shop that is replaced had erased are erased from the backup's shop, too, before it takes the name
 * ("erased_again" says how many); where nothing is replaced nobody knows of erasures that came after the backup. They
 * stand in its table and in the file beside it (erased.h): "warnings" says which of the two could not be read.
 * COT_BAD_DATA where the file is damaged and the table can't be read either; COT_IO, COT_NOMEM, ... where the shop
 * might be read another time.
 *
 * {"path","data","created_at","schema","files","bytes","erased_again": 0,"warnings": ["..."],"replaced": false}
 */
cot_code cot_restore_run(const struct cot_context *context, const struct cot_restore_options *options,
                         yyjson_mut_doc **ret_doc, struct cot_err *err) COT_MUST_CHECK;

#endif
