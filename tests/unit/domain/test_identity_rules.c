/* Rules of identity: read, refused with the place, written and read again; the sets that they let grow. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "domain/identity_sets.h"

static struct cot_identity_rules read_rules(const char *text)
{
    struct cot_identity_rules rules;
    struct cot_err err = {0};
    assert_int_equal(cot_identity_rules_read(text, strlen(text), "test", &rules, &err), COT_OK);
    return rules;
}

static void defaults_and_changes(void **state)
{
    struct cot_identity_rules rules =
        read_rules("{\"kinds\":{\"Email\":{\"limit\":2,\"priority\":9}},\"blocked\":[\"email: Info@Shop.example \"]}");
    (void)state;
    assert_int_equal(rules.kinds[COT_NODE_EMAIL].limit, 2);
    assert_int_equal(rules.kinds[COT_NODE_USER].limit, 1);
    assert_true(rules.kinds[COT_NODE_ANONYMOUS].exclusive);
    assert_int_equal(rules.order[0], COT_NODE_USER);
    assert_int_equal(rules.order[COT_N_NODE_KINDS - 2], COT_NODE_EMAIL);
    struct cot_identity named[] = {{COT_NODE_EMAIL, {"jo@x.example", 12}},
                                   {COT_NODE_EMAIL, {"info@shop.example", 17}},
                                   {COT_NODE_LOYALTY, {"7", 1}},
                                   {COT_NODE_USER, {"u", 1}}};
    assert_int_equal(cot_identity_rules_sort(&rules, named, 4), 3);
    assert_int_equal(named[0].kind, COT_NODE_USER);
    assert_int_equal(named[1].kind, COT_NODE_LOYALTY);
    assert_string_equal(named[2].value.data, "jo@x.example");

    yyjson_mut_doc *doc = yyjson_mut_doc_new(NULL);
    yyjson_mut_val *root = yyjson_mut_obj(doc);
    yyjson_mut_doc_set_root(doc, root);
    cot_identity_rules_write(&rules, doc, root);
    char *text = yyjson_mut_write(doc, 0, NULL);
    struct cot_identity_rules again = read_rules(text);
    assert_memory_equal(rules.kinds, again.kinds, sizeof rules.kinds);
    assert_int_equal(again.blocked.n, 1);
    free(text);
    yyjson_mut_doc_free(doc);
    cot_identity_rules_release(&rules);
    cot_identity_rules_release(&again);
}

static void refusals_name_the_place(void **state)
{
    static const struct {
        const char *text, *said;
    } rows[] = {{"[", "test"},
                {"[]", "an object"},
                {"{\"kind\":{}}", "'kind'"},
                {"{\"kinds\":{\"fax\":{}}}", "kinds.fax"},
                {"{\"kinds\":{\"email\":{\"limit\":0}}}", "kinds.email.limit"},
                {"{\"kinds\":{\"email\":{\"limit\":1.5}}}", "kinds.email.limit"},
                {"{\"kinds\":{\"email\":{\"priority\":101}}}", "from 1 to 100"},
                {"{\"kinds\":{\"email\":{\"exclusive\":1}}}", "kinds.email.exclusive"},
                {"{\"blocked\":[\"email:a@b.example\",\"x\"]}", "blocked[1] 'x'"},
                {"{\"blocked\":[7]}", "blocked[0]"},
                {"{\"blocked\":{}}", "an array"}};
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct cot_identity_rules rules;
        struct cot_err err = {0};
        assert_int_equal(cot_identity_rules_read(rows[i].text, strlen(rows[i].text), "test", &rules, &err),
                         COT_BAD_DATA);
        if (strstr(err.message, rows[i].said) == NULL)
            fail_msg("%s: '%s' is not in '%s'", rows[i].text, rows[i].said, err.message);
    }
}

static void limits_hold_over_chains(void **state)
{
    static const struct {
        uint8_t kind;
        const char *value;
    } rows[] = {{COT_NODE_USER, "u0"}, {COT_NODE_USER, "u1"},     {COT_NODE_EMAIL, "a"},    {COT_NODE_EMAIL, "b"},
                {COT_NODE_EMAIL, "c"}, {COT_NODE_ANONYMOUS, "x"}, {COT_NODE_ANONYMOUS, "y"}};
    struct cot_identity_rules rules = read_rules("{\"kinds\":{\"email\":{\"limit\":2}}}");
    struct cot_identity_sets sets = {0};
    struct cot_dict nodes;
    struct cot_err err;
    uint32_t number = 0;
    (void)state;
    cot_dict_init(&nodes);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        assert_int_equal(cot_dict_add(&nodes, rows[i].kind, rows[i].value, strlen(rows[i].value), &number, &err),
                         COT_OK);
    assert_int_equal(cot_identity_sets_reach(&sets, &nodes, &err), COT_OK);
    assert_true(cot_identity_sets_may_join(&sets, &rules, 2, 3));
    cot_identity_sets_join(&sets, 2, 3);
    assert_false(cot_identity_sets_may_join(&sets, &rules, 3, 4)); /* three addresses */
    cot_identity_sets_join(&sets, 0, 5);
    cot_identity_sets_join(&sets, 1, 6);
    assert_true(cot_identity_sets_may_join(&sets, &rules, 5, 2));
    cot_identity_sets_join(&sets, 5, 2);
    assert_false(cot_identity_sets_may_join(&sets, &rules, 3, 6)); /* two users, through b and y */
    assert_true(cot_identity_sets_may_join(&sets, &rules, 0, 3));  /* one already */
    cot_identity_sets_release(&sets);
    cot_dict_release(&nodes);
    cot_identity_rules_release(&rules);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(defaults_and_changes),
                                       cmocka_unit_test(refusals_name_the_place),
                                       cmocka_unit_test(limits_hold_over_chains)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
