#include <string.h>

#include "cli/command.h"
#include "cli/rules_print.h"
#include "engine/rules.h"

static unsigned long long count_of(yyjson_mut_val *object, const char *key)
{
    return yyjson_mut_get_uint(yyjson_mut_obj_get(object, key));
}

static void print_sync(yyjson_mut_val *root)
{
    size_t i;
    size_t n;
    yyjson_mut_val *segment;
    yyjson_mut_arr_foreach(yyjson_mut_obj_get(root, "segments"), i, n, segment)
    {
        const char *action = cot_rules_text(segment, "action");
        if (strcmp(action, "unchanged") == 0)
            continue;
        printf("%s '%s', version %llu\n", action, cot_rules_text(segment, "name"), count_of(segment, "version"));
        cot_rules_print_movement(stdout, segment);
    }
    printf("%llu added, %llu changed, %llu deleted, %llu unchanged%s\n", count_of(root, "added"),
           count_of(root, "changed"), count_of(root, "deleted"), count_of(root, "unchanged"),
           yyjson_mut_get_bool(yyjson_mut_obj_get(root, "dry_run")) ? " (dry run: nothing was written)" : "");
}

static cot_code run(struct cot_call *call, struct cot_err *err)
{
    yyjson_mut_doc *doc = NULL;
    cot_code rc = cot_rules_sync(&call->context, call->arguments[0], cot_call_flag(call, "dry-run"), &doc, err);
    if (rc != COT_OK)
        return rc;
    if (call->json)
        rc = cot_print_json(doc, err);
    else
        print_sync(yyjson_mut_doc_get_root(doc));
    yyjson_mut_doc_free(doc);
    return rc;
}

static const struct cot_option options[] = {
    {"dry-run", NULL, "say what would change and who would enter and leave; write nothing"},
    {NULL, NULL, NULL},
};

const struct cot_command cot_command_rules_sync = {
    .name = "rules sync",
    .arguments = "FOLDER",
    .n_min = 1,
    .n_max = 1,
    .summary = "make the shop's segments by rule those of a folder of files",
    .help =
        "Takes every file that ends with .segment, each after those that it asks for, and deletes the segments that\n"
        "no file holds: all of it or, where a file is wrong or one of its tests fails, nothing. The same folder\n"
        "again changes nothing.\n\n"
        "  coterie rules sync segments/ --dry-run\n"
        "  coterie rules sync segments/",
    .options = options,
    .run = run,
};
