#include "cli/command.h"
#include "engine/rules.h"

static cot_code run(struct cot_call *call, struct cot_err *err)
{
    size_t i;
    size_t n;
    yyjson_mut_val *member;
    yyjson_mut_doc *doc = NULL;
    int64_t limit = INT32_MAX;
    int64_t from = 0;
    cot_code rc = cot_call_int(call, "limit", 1, INT32_MAX, &limit, err);
    if (rc == COT_OK)
        rc = cot_call_int(call, "from", 0, INT32_MAX, &from, err);
    if (rc == COT_OK)
        rc = cot_rules_members(&call->context, call->arguments[0], from, limit, &doc, err);
    if (rc != COT_OK)
        return rc;
    if (call->json) {
        rc = cot_print_json(doc, err);
    } else {
        yyjson_mut_arr_foreach(yyjson_mut_obj_get(yyjson_mut_doc_get_root(doc), "members"), i, n, member)
        {
            printf("%s\n", yyjson_mut_get_str(member));
        }
    }
    yyjson_mut_doc_free(doc);
    return rc;
}

static const struct cot_option options[] = {
    {"limit", "N", "so many of them (default: all)"},
    {"from", "N", "go on here: \"next\" of the JSON before"},
    {NULL, NULL, NULL},
};

const struct cot_command cot_command_rules_members = {
    .name = "rules members",
    .arguments = "NAME",
    .n_min = 1,
    .n_max = 1,
    .summary = "who is in a segment by rule now",
    .help = "Prints the customers' ids, one a line. No list to send to: 'coterie export segment' heeds consent.\n\n"
            "  coterie rules members 'big spenders'",
    .options = options,
    .run = run,
};
