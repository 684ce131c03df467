#include "cli/command.h"
#include "cli/identity_print.h"
#include "engine/identity.h"

static cot_code run(struct cot_call *call, struct cot_err *err)
{
    yyjson_mut_doc *doc = NULL;
    cot_code rc = cot_identity_run(&call->context, COT_IDENTITY_SHOW, NULL, &doc, err);
    if (rc != COT_OK)
        return rc;
    if (call->json)
        rc = cot_print_json(doc, err);
    else
        cot_identity_print_rules(stdout, doc);
    yyjson_mut_doc_free(doc);
    return rc;
}

const struct cot_command cot_command_identity_show = {
    .name = "identity show",
    .arguments = "",
    .n_min = 0,
    .n_max = 0,
    .summary = "by which rules identifiers make one customer, and how many there are",
    .help =
        "Shows the rules of identity in force, a line a kind of identifier: how many of it one customer may have\n"
        "before a record that names two no longer makes two customers one; its priority (the smallest takes what a\n"
        "record says); whether whoever is linked to one first keeps it. --json has them under \"rules\" as\n"
        "'coterie identity simulate' reads them.\n\n"
        "  coterie identity show --data shop",
    .options = NULL,
    .run = run,
};
