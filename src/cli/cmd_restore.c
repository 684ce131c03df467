#include "cli/command.h"
#include "engine/backup.h"

static void print_restore(const char *data_dir, yyjson_mut_val *root)
{
    const char *created_at = yyjson_mut_get_str(yyjson_mut_obj_get(root, "created_at"));
    unsigned long long n_erased = yyjson_mut_get_uint(yyjson_mut_obj_get(root, "erased_again"));
    printf("%s: the shop of %s is back (%llu files, %llu bytes)%s.\n", data_dir, created_at != NULL ? created_at : "?",
           (unsigned long long)yyjson_mut_get_uint(yyjson_mut_obj_get(root, "files")),
           (unsigned long long)yyjson_mut_get_uint(yyjson_mut_obj_get(root, "bytes")),
           yyjson_mut_get_bool(yyjson_mut_obj_get(root, "replaced")) ? "; the one that was there is gone" : "");
    if (n_erased > 0)
        printf("Not back: %llu %s erased after the backup.\n", n_erased,
               n_erased == 1 ? "person who was" : "people who were");
    size_t i;
    size_t n;
    yyjson_mut_val *warning;
    yyjson_mut_arr_foreach(yyjson_mut_obj_get(root, "warnings"), i, n, warning)
        printf("Warning: %s.\n", yyjson_mut_get_str(warning));
}

static cot_code run(struct cot_call *call, struct cot_err *err)
{
    yyjson_mut_doc *doc = NULL;
    struct cot_restore_options options = {.path = call->arguments[0], .force = cot_call_flag(call, "force")};
    cot_code rc = cot_restore_run(&call->context, &options, &doc, err);
    if (rc != COT_OK)
        return rc;
    if (call->json)
        rc = cot_print_json(doc, err);
    else
        print_restore(call->context.data_dir, yyjson_mut_doc_get_root(doc));
    yyjson_mut_doc_free(doc);
    return rc;
}

static const struct cot_option options_table[] = {
    {"force", NULL, "put the backup in the place of the shop that is there"},
    {NULL, NULL, NULL},
};

const struct cot_command cot_command_restore = {
    .name = "restore",
    .arguments = "FILE",
    .n_min = 1,
    .n_max = 1,
    .summary = "bring a backup back as a data directory",
    .help =
        "Compares every byte of the backup with its sums, unpacks it beside the data directory, opens the shop in it\n"
        "and only then gives it the name, in one step. A damaged backup changes nothing. People whom the shop that is\n"
        "replaced had erased since are erased from it first.\n\n"
        "  coterie restore /backups/coterie-20240131T020000Z.tar --data ./coterie-data",
    .options = options_table,
    .run = run,
};
