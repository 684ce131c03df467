#include <stdio.h>

#include "cli/command.h"
#include "engine/keys.h"

static cot_code run(struct cot_call *call, struct cot_err *err)
{
    yyjson_mut_doc *doc = NULL;
    cot_code rc = cot_key_revoke_run(&call->context, call->arguments[0], &doc, err);
    if (rc != COT_OK)
        return rc;
    if (call->json)
        rc = cot_print_json(doc, err);
    else
        printf("%s is revoked\n", call->arguments[0]);
    yyjson_mut_doc_free(doc);
    return rc;
}

const struct cot_command cot_command_keys_revoke = {
    .name = "keys revoke",
    .arguments = "ID",
    .n_min = 1,
    .n_max = 1,
    .summary = "revoke a key of the server",
    .help = "A running server refuses the key within a second.\n\n"
            "  coterie keys revoke key-3f9c0a1b2c3d --data shop",
    .options = NULL,
    .run = run,
    .leaves_store = true,
};
