#include <stdio.h>

#include "cli/command.h"
#include "cli/table.h"
#include "engine/keys.h"

static const struct cot_column columns[] = {
    {"id", "key", COT_FORMAT_TEXT, 0},
    {"role", "role", COT_FORMAT_TEXT, 0},
    {"name", "name", COT_FORMAT_TEXT, 40},
    {"rate", "rate", COT_FORMAT_NUMBER, 0},
    {"created_at", "created", COT_FORMAT_TEXT, 0},
    {"revoked_at", "revoked", COT_FORMAT_TEXT, 0},
    {NULL, NULL, COT_FORMAT_TEXT, 0},
};

static cot_code run(struct cot_call *call, struct cot_err *err)
{
    yyjson_mut_doc *doc = NULL;
    cot_code rc = cot_key_list_run(&call->context, &doc, err);
    if (rc != COT_OK)
        return rc;
    yyjson_mut_val *keys = yyjson_mut_obj_get(yyjson_mut_doc_get_root(doc), "keys");
    if (call->json)
        rc = cot_print_json(doc, err);
    else if (yyjson_mut_arr_size(keys) == 0)
        printf("no keys: 'coterie keys create --role admin' makes one\n");
    else
        cot_table_print(stdout, keys, columns);
    yyjson_mut_doc_free(doc);
    return rc;
}

const struct cot_command cot_command_keys_list = {
    .name = "keys list",
    .arguments = "",
    .n_min = 0,
    .n_max = 0,
    .summary = "the server's keys, without the keys themselves",
    .help = "Lists the keys by id, with role, rate (0: the server's) and whether they are revoked.\n\n"
            "  coterie keys list --data shop",
    .options = NULL,
    .run = run,
    .leaves_store = true,
};
