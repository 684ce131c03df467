#include "cli/command.h"
#include "cli/table.h"
#include "engine/rules.h"

static cot_code run(struct cot_call *call, struct cot_err *err)
{
    static const struct cot_column columns[] = {
        {"version", "version", COT_FORMAT_COUNT, 0},
        {"created_at", "since", COT_FORMAT_TEXT, 0},
        {"created_by", "by", COT_FORMAT_TEXT, 30},
        {"rule", "rule", COT_FORMAT_TEXT, 70},
        {NULL, NULL, COT_FORMAT_TEXT, 0},
    };
    size_t i;
    size_t n;
    yyjson_mut_val *version;
    yyjson_mut_doc *doc = NULL;
    cot_code rc = cot_rules_history(&call->context, call->arguments[0], &doc, err);
    if (rc != COT_OK)
        return rc;
    yyjson_mut_val *versions = yyjson_mut_obj_get(yyjson_mut_doc_get_root(doc), "versions");
    if (call->json) {
        rc = cot_print_json(doc, err);
    } else {
        yyjson_mut_arr_foreach(versions, i, n, version)
        {
            if (yyjson_mut_is_null(yyjson_mut_obj_get(version, "rule")))
                yyjson_mut_obj_put(version, yyjson_mut_str(doc, "rule"), yyjson_mut_str(doc, "(deleted)"));
        }
        cot_table_print(stdout, versions, columns);
    }
    yyjson_mut_doc_free(doc);
    return rc;
}

const struct cot_command cot_command_rules_history = {
    .name = "rules history",
    .arguments = "NAME",
    .n_min = 1,
    .n_max = 1,
    .summary = "the versions of a segment by rule: when, and by whom",
    .help =
        "Lists all versions, the newest first; a deletion is one, too. 'coterie rules show NAME --version N' prints\n"
        "one, 'coterie rules put NAME --from-version N' has it hold again.\n\n"
        "  coterie rules history 'big spenders'",
    .run = run,
};
