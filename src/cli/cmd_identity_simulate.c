#include "cli/command.h"
#include "cli/identity_print.h"
#include "engine/identity.h"

static cot_code run(struct cot_call *call, struct cot_err *err)
{
    yyjson_mut_doc *doc = NULL;
    cot_code rc = cot_identity_run(&call->context, COT_IDENTITY_SIMULATE, cot_call_value(call, "rules"), &doc, err);
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

const struct cot_command cot_command_identity_simulate = {
    .name = "identity simulate",
    .arguments = "",
    .n_min = 0,
    .n_max = 0,
    .summary = "which customers other rules of identity would join or split",
    .help = "Tries rules on all that records ever named together, in the order in which it came, and changes nothing.\n"
            "Links that the shop itself made or parted stay. A file holds what differs from the built-in rules:\n\n"
            "  {\"kinds\": {\"email\": {\"limit\": 3}, \"device\": {\"exclusive\": true}},\n"
            "   \"blocked\": [\"email:info@shop.example\", \"loyalty:0000\"]}\n\n"
            "Kinds are user, email, phone, loyalty, external, device and anonymous; each has limit, priority and\n"
            "exclusive ('coterie identity show' explains). Another priority counts for records to come.\n\n"
            "  coterie identity simulate --rules rules.json --data shop",
    .options = options,
    .run = run,
};
