/* Finding all of a person, and the keyed hashes of those who were erased. */
#include "engine/person.h"

#include "engine/erased.h"
#include "unit/engine/scratch.h"

struct fixture {
    char path[SCRATCH_PATH_SIZE];
    struct cot_store *store;
};

static int set_up(void **state)
{
    struct cot_err err = {0};
    struct fixture *fixture = calloc(1, sizeof *fixture);
    scratch_make(fixture->path);
    fixture->store = scratch_shop(fixture->path);
    assert_ok(cot_store_exec(fixture->store, &err,
                             "insert into node values (1, 1, '42', 1), (2, 2, 'jo@example.org', 1), (3, 3, 'web-9', 1),"
                             " (4, 3, 'web-10', 1), (5, 1, '43', 1), (6, 3, '42', 1), (7, 2, 'guest@example.org', 1),"
                             " (8, 1, 'O''Neil', 1);"
                             "insert into link values (1, 2, 1, '2024-01-01', '2024-01-01', 1),"
                             " (3, 2, 1, '2024-01-02', '2024-01-02', 1), (4, 3, 1, '2024-01-03', '2024-01-03', 1),"
                             " (1, 5, 1, '2024-01-01', '2024-01-01', 1), (5, 1, -1, '2024-02-01', '2024-02-01', 1)"),
              err);
    *state = fixture;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *fixture = *state;
    cot_store_close(fixture->store);
    scratch_remove(fixture->path);
    free(fixture);
    return 0;
}

static void finds_all_nodes_by_any_of_them(void **state)
{
    struct fixture *fixture = *state;
    const char *const ids[] = {"user:42", "jo@example.org", " JO@Example.ORG ", "web-9", "anonymous:web-10"};
    for (size_t i = 0; i < sizeof ids / sizeof *ids; i++) {
        struct cot_err err = {0};
        struct cot_person person = {0};
        struct cot_buf nodes = {0};
        assert_ok(cot_person_find(fixture->store, ids[i], &person, &err), err);
        assert_ok(cot_person_list_nodes(&person, &nodes, &err), err);
        assert_string_equal(cot_buf_text(&nodes), "1,2,3,4");
        assert_int_equal(person.customer, 1);
        assert_string_equal(person.customer_id, "42");
        cot_buf_release(&nodes);
        cot_person_release(&person);
    }
}

static void link_taken_back_parts_people(void **state)
{
    struct fixture *fixture = *state;
    struct cot_err err = {0};
    struct cot_person person = {0};
    assert_ok(cot_person_find(fixture->store, "43", &person, &err), err);
    assert_int_equal(person.n_nodes, 1);
    cot_person_release(&person);
}

static void ambiguous_and_unknown_ids_are_refused(void **state)
{
    struct fixture *fixture = *state;
    struct cot_err err = {0};
    struct cot_person person = {0};
    assert_int_equal(cot_person_find(fixture->store, "42", &person, &err), COT_USAGE);
    assert_non_null(strstr(err.message, "user, anonymous"));
    assert_int_equal(cot_person_find(fixture->store, "44", &person, &err), COT_NOT_FOUND);
    assert_int_equal(cot_person_find(fixture->store, "' or 1=1 --", &person, &err), COT_NOT_FOUND);
    assert_int_equal(cot_person_find(fixture->store, "", &person, &err), COT_USAGE);
    assert_int_equal(person.n_nodes, 0);
    assert_ok(cot_person_find(fixture->store, "O'Neil", &person, &err), err);
    assert_int_equal(person.customer, 8);
    cot_person_release(&person);
}

static void guest_is_found_by_our_id(void **state)
{
    struct fixture *fixture = *state;
    struct cot_err err = {0};
    struct cot_person person = {0};
    struct cot_person again = {0};
    assert_ok(cot_person_find(fixture->store, "guest@example.org", &person, &err), err);
    assert_memory_equal(person.customer_id, "anon-", 5);
    assert_int_equal(strlen(person.customer_id), 21);
    assert_ok(cot_person_find(fixture->store, person.customer_id, &again, &err), err);
    assert_int_equal(again.customer, 7);
    cot_person_release(&person);
    cot_person_release(&again);
}

/* HMAC-SHA256, key 000102..1f as hex text; computed with Python's hmac module. */
static void erased_identities_are_known_by_keyed_hash(void **state)
{
    struct fixture *fixture = *state;
    struct cot_err err = {0};
    struct cot_erased *erased = NULL;
    char hash[COT_ERASED_HASH_SIZE];
    const char *salt = "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f";
    cot_salted_hash(salt, "email", "jo@example.org", 14, hash);
    assert_string_equal(hash, "7893b0fcbe34f0a70f8ded6030191ef56b50529a73a318d6665ad2b4a8f89337");
    assert_ok(cot_erased_load(fixture->store, &erased, &err), err);
    assert_false(cot_erased_contains(erased, COT_NODE_EMAIL, "jo@example.org", 14));
    cot_erased_free(erased);
    assert_ok(cot_store_set_setting(fixture->store, "salt", salt, &err), err);
    assert_ok(cot_store_exec(fixture->store, &err, "insert into erased values ('%s', '2024-01-01')", hash), err);
    assert_ok(cot_erased_load(fixture->store, &erased, &err), err);
    assert_int_equal(cot_erased_count(erased), 1);
    assert_true(cot_erased_contains(erased, COT_NODE_EMAIL, "jo@example.org", 14));
    assert_false(cot_erased_contains(erased, COT_NODE_USER, "jo@example.org", 14));
    assert_false(cot_erased_contains(erased, COT_NODE_EMAIL, "jo@example.or", 13));
    cot_erased_free(erased);
}

static void salt_is_made_once(void **state)
{
    struct fixture *fixture = *state;
    struct cot_err err = {0};
    char *salt = NULL;
    char *again = NULL;
    assert_ok(cot_salt_get(fixture->store, &salt, &err), err);
    assert_ok(cot_salt_get(fixture->store, &again, &err), err);
    assert_int_equal(strlen(salt), 64);
    assert_string_equal(salt, again);
    free(salt);
    free(again);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(finds_all_nodes_by_any_of_them, set_up, tear_down),
        cmocka_unit_test_setup_teardown(link_taken_back_parts_people, set_up, tear_down),
        cmocka_unit_test_setup_teardown(ambiguous_and_unknown_ids_are_refused, set_up, tear_down),
        cmocka_unit_test_setup_teardown(guest_is_found_by_our_id, set_up, tear_down),
        cmocka_unit_test_setup_teardown(erased_identities_are_known_by_keyed_hash, set_up, tear_down),
        cmocka_unit_test_setup_teardown(salt_is_made_once, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
