/* Tests in segment files: what holds on a server holds in them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "engine/rule_test.h"

/* Runs one test with a rule; the found words of its first failure, NULL: it passed. */
static const char *run(const char *rule, const char *test, yyjson_mut_doc *doc)
{
    char text[4096];
    struct cot_err err = {0};
    struct cot_segment_file *file = NULL;
    size_t n_failed = 0;
    snprintf(text, sizeof text, "segment \"s\" rule %s test \"t\" at 2026-01-31 12:00 %s", rule, test);
    if (cot_segment_file_parse(text, strlen(text), &file, NULL, &err) != COT_OK)
        fail_msg("%s: %s", text, err.message);
    yyjson_mut_val *root = yyjson_mut_obj(doc);
    if (cot_rule_tests_run(file, doc, root, &n_failed, &err) != COT_OK)
        fail_msg("%s: %s", text, err.message);
    cot_segment_file_free(file);
    yyjson_mut_val *failures = yyjson_mut_obj_get(root, "failures");
    assert_int_equal(yyjson_mut_arr_size(failures), n_failed);
    assert_int_equal(yyjson_mut_get_uint(yyjson_mut_obj_get(root, "tests")), 1);
    return n_failed == 0 ? NULL : yyjson_mut_get_str(yyjson_mut_obj_get(yyjson_mut_arr_get_first(failures), "found"));
}

/* Each as it is written, and turned round, so that it fails. */
static void evaluates_what_is_given(void **state)
{
    (void)state;
    static const struct {
        const char *rule, *given, *later; /* member, so long after */
    } cases[] = {
        {"did(cart_add)", "given cart_add 1 day ago", ""},
        {"not did(cart_add) within 1 days and did(cart_add)", "given cart_add 1 day ago", ""},
        {"did(cart_add)", "given cart_add 1 day later", "24 hours later"},
        {"sum(order_line.amount) = 199.99",
         "given order_line 1 h ago amount 100.01 given order_line 2 h ago amount 99.98", ""},
        {"sum(refund.amount) = -20 and sum(refund.amount) < 0", "given refund 1 h ago amount 20", ""},
        {"sum(order_line.discount) = 5 and sum(order_line.quantity) = 3",
         "given order_line 1 h ago amount 9 discount 5 quantity 3", ""},
        {"distinct(order_line.order) = 1 and count(order_line) = 2",
         "given order_line 1 h ago amount 1 order \"o\" given order_line 1 h ago amount 1 order \"o\"", ""},
        {"did(product_view where item = \"p1\" and brand = \"Acme\" and category != \"Hats\" and channel = \"app\")",
         "given product_view 1 h ago item \"p1\" brand \"Acme\" category \"Shoes\" channel \"app\"", ""},
        {"distinct(order_line.item) = 2",
         "given order_line 1 h ago category \"A\" amount 1 given order_line 1 h ago category \"A\" amount 1", ""},
        {"max(\"Level Up\".property \"level\") >= 7 and did(\"level up\" where property \"boss\" = true)",
         "given \"Level Up\" 1 h ago property \"level\" = 7 property \"boss\" = true", ""},
        {"did(product_view)", "given \"Product Viewed\" 1 h ago", ""}, /* as sources call it */
        {"trait \"plan\" = \"gold\" and trait \"age\" > 30", "given trait \"plan\" = \"Gold\" given trait \"age\" = 33",
         ""},
        {"segment \"a\" and not segment \"b\"", "given trait \"x\" = 1 given segment \"a\"", ""},
        {"feature frequency = 1", "given order_line 3 days ago amount 5", ""},
        {"feature recency_days > 39", "given order_line 3 days ago amount 5", "38 days later"},
        {"did(order_line) since start of year", "given order_line 2026-01-01 00:00 amount 1", ""},
        {"sequence(cart_add then not order_line within 2 days)", "given cart_add 1 day ago", "25 hours later"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char test[1024];
        yyjson_mut_doc *doc = yyjson_mut_doc_new(NULL);
        snprintf(test, sizeof test, "%s expect member %s", cases[i].given, cases[i].later);
        const char *found = run(cases[i].rule, test, doc);
        if (found != NULL)
            fail_msg("%s, %s: %s", cases[i].rule, test, found);
        snprintf(test, sizeof test, "%s expect not member %s", cases[i].given, cases[i].later);
        found = run(cases[i].rule, test, doc);
        if (found == NULL || strcmp(found, "member") != 0)
            fail_msg("%s, %s: passed", cases[i].rule, test);
        yyjson_mut_doc_free(doc);
    }
}

/* The zone's midnight, not that of UTC. */
static void counts_days_on_the_shops_clock(void **state)
{
    (void)state;
    static const char text[] = "segment \"s\" zone \"America/New_York\" rule count(cart_add) since start of day = 1\n"
                               "test \"t\" at 2026-01-31 12:00\n"
                               "given cart_add 2026-01-31 00:00 given cart_add 2026-01-30 23:59 expect member";
    struct cot_err err = {0};
    struct cot_segment_file *file = NULL;
    size_t n_failed = 1;
    yyjson_mut_doc *doc = yyjson_mut_doc_new(NULL);
    assert_int_equal(cot_segment_file_parse(text, sizeof text - 1, &file, NULL, &err), COT_OK);
    assert_int_equal(cot_rule_tests_run(file, doc, yyjson_mut_obj(doc), &n_failed, &err), COT_OK);
    assert_int_equal(n_failed, 0);
    cot_segment_file_free(file);
    yyjson_mut_doc_free(doc);
}

/* A member is somebody of whom something is known. */
static void nobody_is_no_member(void **state)
{
    (void)state;
    yyjson_mut_doc *doc = yyjson_mut_doc_new(NULL);
    assert_null(run("count(any) = 0", "expect not member", doc));
    assert_null(run("count(any) = 0", "given trait \"a\" = 1 expect member", doc));
    yyjson_mut_doc_free(doc);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(evaluates_what_is_given),
        cmocka_unit_test(counts_days_on_the_shops_clock),
        cmocka_unit_test(nobody_is_no_member),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
