#include "cli/command.h"
#include "cli/rules_print.h"
#include "engine/rule_test.h"

static unsigned long long count_of(yyjson_mut_val *object, const char *key)
{
    return yyjson_mut_get_uint(yyjson_mut_obj_get(object, key));
}

static void print_tests(yyjson_mut_val *root)
{
    size_t i;
    size_t n;
    yyjson_mut_val *file;
    yyjson_mut_arr_foreach(yyjson_mut_obj_get(root, "files"), i, n, file)
    {
        const char *path = yyjson_mut_get_str(yyjson_mut_obj_get(file, "path"));
        const char *error = yyjson_mut_get_str(yyjson_mut_obj_get(file, "error"));
        if (error != NULL)
            printf("%s\n", error);
        cot_rules_print_failures(stdout, path, yyjson_mut_obj_get(file, "failures"));
    }
    printf("%zu file%s, %llu tests: %llu passed, %llu failed\n", n, n == 1 ? "" : "s", count_of(root, "tests"),
           count_of(root, "tests") - count_of(root, "failed"), count_of(root, "failed"));
}

static cot_code run(struct cot_call *call, struct cot_err *err)
{
    yyjson_mut_doc *doc = NULL;
    cot_code rc = cot_rule_tests_run_files(call->arguments, call->n_arguments, &doc, err);
    if (rc != COT_OK)
        return rc;
    yyjson_mut_val *root = yyjson_mut_doc_get_root(doc);
    if (call->json)
        rc = cot_print_json(doc, err);
    else
        print_tests(root);
    if (rc == COT_OK && count_of(root, "failed") + count_of(root, "unusable") > 0) {
        call->json = false; /* the document that was printed names them */
        rc = cot_fail(err, COT_BAD_DATA, "%llu tests failed, %llu files can't be used", count_of(root, "failed"),
                      count_of(root, "unusable"));
    }
    yyjson_mut_doc_free(doc);
    return rc;
}

const struct cot_command cot_command_rules_test = {
    .name = "rules test",
    .arguments = "FILE|FOLDER...",
    .n_min = 1,
    .n_max = SIZE_MAX,
    .summary = "run the tests that segment files hold",
    .help = "Looks at the made-up customers of each test as a server would look at them, at the test's own time; no\n"
            "shop is needed. Of a folder, the files that end with .segment. A test that fails is told with what each\n"
            "condition found; the exit status is 65 then.\n\n"
            "  segment \"big spenders\"\n"
            "  rule\n"
            "    sum(order_line.amount) within 30 days > 200\n"
            "  test \"two orders, and a month later\"\n"
            "    at 2026-01-31 12:00\n"
            "    given order_line 3 days ago item \"p1\" amount 150\n"
            "    given order_line 2026-01-20 amount 80\n"
            "    expect member\n"
            "    expect not member 30 days later\n\n"
            "  coterie rules test segments/",
    .run = run,
    .leaves_store = true,
};
