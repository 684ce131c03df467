#include "cli/command.h"
#include "cli/identity_print.h"
#include "engine/identity.h"

static cot_code run(struct cot_call *call, struct cot_err *err)
{
    yyjson_mut_doc *doc = NULL;
    cot_code rc = cot_identity_run(&call->context, COT_IDENTITY_APPLY, cot_call_value(call, "rules"), &doc, err);
    if (rc != COT_OK)
        return rc;
    if (call->json)
        rc = cot_print_json(doc, err);
    else
        cot_identity_print_change(stdout, doc);
    yyjson_mut_doc_free(doc);
    return rc;
}

static const struct cot_option options[] = {
    {"rules", "FILE", "the rules, as JSON (default: the built-in ones)"},
    {NULL, NULL, NULL},
};

const struct cot_command cot_command_identity_apply = {
    .name = "identity apply",
    .arguments = "",
    .n_min = 0,
    .n_max = 0,
    .summary = "take other rules of identity up",
    .help =
        "Joins and splits customers as 'coterie identity simulate' says, from now on, and keeps the rules for what\n"
        "comes. The ledger of links is only added to: the rules before, applied again, bring everybody back.\n\n"
        "  coterie identity apply --rules rules.json --data shop",
    .options = options,
    .run = run,
};
