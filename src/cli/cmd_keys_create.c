#include <stdio.h>

#include "cli/command.h"
#include "engine/keys.h"

static cot_code run(struct cot_call *call, struct cot_err *err)
{
    enum cot_role role = COT_ROLE_WRITE;
    int64_t rate = 0;
    yyjson_mut_doc *doc = NULL;
    const char *name = cot_call_value(call, "role");
    if (name == NULL)
        return cot_fail(err, COT_USAGE, "--role is missing: choose write, server, analyst or admin");
    if (!cot_role_from_name(name, &role))
        return cot_fail(err, COT_USAGE, "--role %s: choose write, server, analyst or admin", name);
    cot_code rc = cot_call_int(call, "rate", 1, 10000000, &rate, err);
    if (rc == COT_OK)
        rc = cot_key_create_run(&call->context, role, cot_call_value(call, "name"), rate, &doc, err);
    if (rc != COT_OK)
        return rc;
    yyjson_mut_val *root = yyjson_mut_doc_get_root(doc);
    if (call->json)
        rc = cot_print_json(doc, err);
    else
        printf("%s\n%s (role %s) was made. The key above is shown this once: only its hash is kept.\n",
               yyjson_mut_get_str(yyjson_mut_obj_get(root, "key")), yyjson_mut_get_str(yyjson_mut_obj_get(root, "id")),
               cot_role_name(role));
    yyjson_mut_doc_free(doc);
    return rc;
}

static const struct cot_option options[] = {
    {"role", "ROLE", "write (sends events, may be public), server, analyst or admin"},
    {"name", "TEXT", "what it is for"},
    {"rate", "N", "requests a second that it may make (default: the server's --rate)"},
    {NULL, NULL, NULL},
};

const struct cot_command cot_command_keys_create = {
    .name = "keys create",
    .arguments = "",
    .n_min = 0,
    .n_max = 0,
    .summary = "make a key for the server",
    .help =
        "Makes a key of 256 random bits and shows it once; the data directory keeps its SHA-256 alone. A running\n"
        "server knows it within a second. Keys travel as 'Authorization: Bearer KEY', or as Segment's clients send\n"
        "their write key.\n\n"
        "  coterie keys create --role write --name 'web site' --json",
    .options = options,
    .run = run,
    .leaves_store = true,
};
