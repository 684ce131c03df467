#include "cli/command.h"
#include "engine/backup.h"

static void print_backup(yyjson_mut_val *root)
{
    printf("%s: %llu files, %llu bytes, read back and compared.\n",
           yyjson_mut_get_str(yyjson_mut_obj_get(root, "path")),
           (unsigned long long)yyjson_mut_get_uint(yyjson_mut_obj_get(root, "files")),
           (unsigned long long)yyjson_mut_get_uint(yyjson_mut_obj_get(root, "bytes")));
    printf("It holds personal data: keep it where you keep the shop. People forgotten later are still in it; after a\n"
           "restore, forget them again.\n");
}

static cot_code run(struct cot_call *call, struct cot_err *err)
{
    yyjson_mut_doc *doc = NULL;
    const char *out = cot_call_value(call, "out");
    if (out == NULL)
        return cot_fail(err, COT_USAGE, "where to? coterie backup --out FILE|FOLDER");
    cot_code rc = cot_backup_run(&call->context, out, &doc, err);
    if (rc != COT_OK)
        return rc;
    if (call->json)
        rc = cot_print_json(doc, err);
    else
        print_backup(yyjson_mut_doc_get_root(doc));
    yyjson_mut_doc_free(doc);
    return rc;
}

static const struct cot_option options[] = {
    {"out", "FILE|DIR", "the backup's file, or a folder in which to make one named by the time"},
    {NULL, NULL, NULL},
};

const struct cot_command cot_command_backup = {
    .name = "backup",
    .arguments = "",
    .n_min = 0,
    .n_max = 0,
    .summary = "copy the whole shop into one file",
    .help = "Brings the shop to one consistent state and copies all of its data directory (history, settings, models,\n"
            "exports) into one tar file with SHA-256 sums, then reads it back. 'coterie restore' brings it back.\n\n"
            "  coterie backup --out /backups/",
    .options = options,
    .run = run,
};
