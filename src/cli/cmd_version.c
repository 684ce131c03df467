#include "cli/command.h"
#include "engine/version.h"

static cot_code run(struct cot_call *call, struct cot_err *err)
{
    yyjson_mut_doc *doc = NULL;
    cot_code rc = cot_version_run(&doc, err);
    if (rc != COT_OK)
        return rc;
    yyjson_mut_val *root = yyjson_mut_doc_get_root(doc);
    if (call->json)
        rc = cot_print_json(doc, err);
    else
        printf("coterie %s (schema %lld, DuckDB %s)\n", yyjson_mut_get_str(yyjson_mut_obj_get(root, "version")),
               (long long)yyjson_mut_get_sint(yyjson_mut_obj_get(root, "schema")),
               yyjson_mut_get_str(yyjson_mut_obj_get(root, "duckdb")));
    yyjson_mut_doc_free(doc);
    return rc;
}

const struct cot_command cot_command_version = {
    .name = "version",
    .arguments = "",
    .summary = "print the version of the program, its schema and DuckDB",
    .help = "Prints the versions of the program, of the data directory's schema that it writes, and of DuckDB.",
    .run = run,
    .leaves_store = true,
};
