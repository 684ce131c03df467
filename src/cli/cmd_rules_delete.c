#include "cli/command.h"
#include "engine/rules.h"

static cot_code run(struct cot_call *call, struct cot_err *err)
{
    yyjson_mut_doc *doc = NULL;
    cot_code rc = cot_rules_delete(&call->context, call->arguments[0], &doc, err);
    if (rc != COT_OK)
        return rc;
    if (call->json)
        rc = cot_print_json(doc, err);
    else
        printf("'%s' deleted: 'coterie rules history' still knows its versions\n", call->arguments[0]);
    yyjson_mut_doc_free(doc);
    return rc;
}

const struct cot_command cot_command_rules_delete = {
    .name = "rules delete",
    .arguments = "NAME",
    .n_min = 1,
    .n_max = 1,
    .summary = "delete a segment by rule",
    .help = "Everybody leaves it. Not while another segment asks for it. Its versions stay: 'coterie rules put NAME\n"
            "--from-version N' brings one back.\n\n"
            "  coterie rules delete 'big spenders'",
    .run = run,
};
