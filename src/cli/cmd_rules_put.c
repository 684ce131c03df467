#include "cli/command.h"
#include "cli/rules_print.h"
#include "engine/rules.h"

static cot_code take_put(struct cot_call *call, struct cot_rules_put *ret_put, struct cot_err *err)
{
    *ret_put = (struct cot_rules_put){.name = call->arguments[0]};
    cot_code rc = cot_call_int(call, "from-version", 1, INT32_MAX, &ret_put->from_version, err);
    if (rc == COT_OK && (call->n_arguments == 2) == (ret_put->from_version != 0))
        rc = cot_fail(err, COT_USAGE, "give a file or --from-version, one of the two");
    if (call->n_arguments == 2)
        ret_put->path = call->arguments[1];
    return rc;
}

static cot_code run(struct cot_call *call, struct cot_err *err)
{
    struct cot_rules_put put;
    yyjson_mut_doc *doc = NULL;
    cot_code rc = take_put(call, &put, err);
    if (rc == COT_OK)
        rc = cot_rules_put(&call->context, &put, &doc, err);
    if (rc != COT_OK)
        return rc;
    yyjson_mut_val *root = yyjson_mut_doc_get_root(doc);
    if (call->json)
        rc = cot_print_json(doc, err);
    else
        printf("'%s' %s: version %lld, %llu tests passed\n", put.name, cot_rules_text(root, "action"),
               (long long)yyjson_mut_get_sint(yyjson_mut_obj_get(root, "version")),
               (unsigned long long)yyjson_mut_get_uint(yyjson_mut_obj_get(root, "tests")));
    yyjson_mut_doc_free(doc);
    return rc;
}

static const struct cot_option options[] = {
    {"from-version", "N", "put this old version again, in place of a file"},
    {NULL, NULL, NULL},
};

const struct cot_command cot_command_rules_put = {
    .name = "rules put",
    .arguments = "NAME [FILE]",
    .n_min = 1,
    .n_max = 2,
    .summary = "make a segment by rule of a file, or a new version of it",
    .help =
        "The file's tests have to pass ('coterie rules test --help' shows a file), and segments that it asks for\n"
        "have to be there. Versions before stay; the same file again changes nothing. What would change is shown by\n"
        "'coterie rules preview FILE'.\n\n"
        "  coterie rules put 'big spenders' big.segment\n"
        "  coterie rules put 'big spenders' --from-version 2",
    .options = options,
    .run = run,
};
