#include <string.h>

#include "cli/command.h"
#include "engine/forget.h"

static long long count_of(yyjson_mut_val *object, const char *key)
{
    return (long long)yyjson_mut_get_sint(yyjson_mut_obj_get(object, key));
}

static void print_list(const char *title, yyjson_mut_val *array)
{
    size_t i;
    size_t n;
    yyjson_mut_val *item;
    yyjson_mut_arr_foreach(array, i, n, item)
    {
        printf("%s%s\n", i == 0 ? title : "  ", yyjson_mut_get_str(item));
    }
}

static void print_receipt(yyjson_mut_val *root)
{
    size_t i;
    size_t n;
    yyjson_mut_val *key;
    yyjson_mut_val *value;
    yyjson_mut_val *proof = yyjson_mut_obj_get(root, "proof");
    const char *status = yyjson_mut_get_str(yyjson_mut_obj_get(root, "status"));
    const char *receipt = yyjson_mut_get_str(yyjson_mut_obj_get(root, "receipt"));
    printf("receipt %s: %s\n", receipt != NULL ? receipt : "", status != NULL ? status : "");
    printf("%lld people with %lld identities; rows removed:", count_of(root, "people"), count_of(root, "identities"));
    yyjson_mut_obj_foreach(yyjson_mut_obj_get(root, "removed"), i, n, key, value)
    {
        printf("%s %s %lld", i == 0 ? "" : ",", yyjson_mut_get_str(key), (long long)yyjson_mut_get_sint(value));
    }
    printf("\n");
    print_list("files deleted:\n  ", yyjson_mut_obj_get(root, "files"));
    print_list("exports elsewhere that named them, for you to delete:\n  ", yyjson_mut_obj_get(root, "elsewhere"));
    printf("looked for them in %lld columns and %lld bytes of %lld files: ", count_of(proof, "columns_searched"),
           count_of(proof, "bytes_searched"), count_of(proof, "files_searched"));
    if (status != NULL && strcmp(status, "done") == 0)
        printf("nothing is left\n");
    else
        printf("%lld rows and %zu files still name them\n", count_of(proof, "rows_found"),
               yyjson_mut_arr_size(yyjson_mut_obj_get(proof, "found")));
    print_list("  still named in: ", yyjson_mut_obj_get(proof, "found"));
    if (count_of(root, "successor") > 0)
        printf("The models had learned from them: segments were learned anew (run %lld).\n",
               count_of(root, "successor"));
    else if (count_of(root, "models_deleted") > 0)
        printf("The models had learned from them and are deleted; run 'coterie segment' for new ones.\n");
    printf("Backups made before this still hold them.\n");
}

static cot_code run(struct cot_call *call, struct cot_err *err)
{
    yyjson_mut_doc *doc = NULL;
    bool finish = cot_call_flag(call, "finish");
    if (finish == (call->n_arguments > 0))
        return cot_fail(err, COT_USAGE, "whom? coterie forget ID... (or --finish alone)");
    cot_code rc = finish ? cot_forget_finish_run(&call->context, &doc, err)
                         : cot_forget_run(&call->context, call->arguments, call->n_arguments, &doc, err);
    if (rc != COT_OK)
        return rc;
    if (call->json)
        rc = cot_print_json(doc, err);
    else if (finish)
        printf("%lld erasures completed, %lld still pending\n", count_of(yyjson_mut_doc_get_root(doc), "finished"),
               count_of(yyjson_mut_doc_get_root(doc), "pending"));
    else
        print_receipt(yyjson_mut_doc_get_root(doc));
    yyjson_mut_doc_free(doc);
    return rc;
}

static const struct cot_option options[] = {
    {"finish", NULL, "complete erasures that were interrupted"},
    {NULL, NULL, NULL},
};

const struct cot_command cot_command_forget = {
    .name = "forget",
    .arguments = "ID...",
    .n_min = 0,
    .n_max = SIZE_MAX,
    .summary = "erase people: rows, files, models, and the proof of it",
    .help =
        "Erases everything that is held of a person, found by the shop's id, an e-mail address, an anonymous id or a\n"
        "phone number ('user:42' where 42 alone is ambiguous): rows of every table, quarantined rows, exports in the\n"
        "data directory, models learned from them. The database is written anew, since deleted rows stay in the file\n"
        "until then, and searched. A keyed hash stops a later import from bringing them back. Several ids at once\n"
        "need one rewriting only.\n\n"
        "  coterie forget 12347\n"
        "  coterie forget jo@example.org web-81f3 --json",
    .options = options,
    .run = run,
};
