/* Customers as of a moment, from the timed ledger. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "domain/identity.h"

enum { N = 6 };

static void expect_roots(const struct cot_link *links, size_t n, int64_t as_of_ms, const uint32_t expected[N])
{
    uint32_t roots[N];
    struct cot_err err;
    assert_int_equal(cot_identity_resolve(links, n, N, as_of_ms, roots, &err), COT_OK);
    for (size_t i = 0; i < N; i++)
        assert_int_equal(roots[i], expected[i]);
}

static void ledger_in_time(void **state)
{
    static const struct cot_link links[] = {
        {4, 2, 1, 10, 10},  {2, 5, 1, 20, 20}, {5, 2, -1, 30, 30}, /* taken back, named the other way round */
        {0, 4, 1, 15, 100},                                        /* late: known from 100 on */
        {2, 5, 1, 25, 50},                                         /* late and before the unlink: changes nothing */
        {1, 3, -1, 5, 5},                                          /* unlinks what never was linked */
        {3, 3, 1, 5, 5},                                           /* itself */
    };
    (void)state;
    expect_roots(links, 7, 9, (uint32_t[N]){0, 1, 2, 3, 4, 5});
    expect_roots(links, 7, 10, (uint32_t[N]){0, 1, 2, 3, 2, 5});
    expect_roots(links, 7, 20, (uint32_t[N]){0, 1, 2, 3, 2, 2});
    expect_roots(links, 7, 30, (uint32_t[N]){0, 1, 2, 3, 2, 5});
    expect_roots(links, 7, 60, (uint32_t[N]){0, 1, 2, 3, 2, 5});
    expect_roots(links, 7, 100, (uint32_t[N]){0, 1, 0, 3, 0, 5});
}

static void equal_times_later_row_holds(void **state)
{
    static const struct cot_link links[] = {{0, 1, -1, 5, 5}, {1, 0, 1, 5, 5}};
    static const struct cot_link reversed[] = {{1, 0, 1, 5, 5}, {0, 1, -1, 5, 5}};
    (void)state;
    expect_roots(links, 2, 5, (uint32_t[N]){0, 0, 2, 3, 4, 5});
    expect_roots(reversed, 2, 5, (uint32_t[N]){0, 1, 2, 3, 4, 5});
}

static void unknown_node(void **state)
{
    static const struct cot_link link = {0, N, 1, 5, 5};
    uint32_t roots[N];
    struct cot_err err;
    (void)state;
    assert_int_equal(cot_identity_resolve(&link, 1, N, 5, roots, &err), COT_BAD_DATA);
    assert_non_null(strstr(err.message, "6"));
}

static void people_group(void **state)
{
    static const uint32_t roots[N] = {0, 1, 0, 3, 1, 5};
    static const bool has_fact[N] = {false, true, true, false, false, true};
    struct cot_people people;
    struct cot_err err;
    (void)state;
    assert_int_equal(cot_people_init(&people, roots, has_fact, N, &err), COT_OK);
    assert_int_equal(people.n, 3); /* {0, 2}, {1, 4}, {5}; nothing is known of 3 */
    assert_int_equal(people.nodes[people.starts[0]], 0);
    assert_int_equal(people.nodes[people.starts[0] + 1], 2);
    assert_int_equal(people.nodes[people.starts[1] + 1], 4);
    assert_int_equal(people.starts[3] - people.starts[2], 1);
    assert_int_equal(people.customer_of[3], COT_NO_CUSTOMER);
    assert_int_equal(people.customer_of[4], 1);
    cot_people_release(&people);
}

/* Placeholders name nobody; what a shop may well use as an id does. */
static void placeholders_are_blocked(void **state)
{
    static const struct {
        enum cot_node_kind kind;
        const char *value;
        bool blocked;
    } rows[] = {
        {COT_NODE_USER, "undefined", true},
        {COT_NODE_USER, "NULL", true},
        {COT_NODE_USER, "0", true},
        {COT_NODE_USER, "000000", true},
        {COT_NODE_USER, "7", false},
        {COT_NODE_USER, "1111", false},
        {COT_NODE_USER, "aaa", false},
        {COT_NODE_USER, "guest", true},
        {COT_NODE_USER, "guest7", false},
        {COT_NODE_ANONYMOUS, "00000000-0000-0000-0000-000000000000", true},
        {COT_NODE_PHONE, "+000000000", true},
        {COT_NODE_PHONE, "1111111", true},
        {COT_NODE_PHONE, "+491701", false},
        {COT_NODE_EMAIL, "test@test.com", true},
        {COT_NODE_EMAIL, "jo@test.com", false},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        if (cot_identity_is_blocked(rows[i].kind, rows[i].value, strlen(rows[i].value)) != rows[i].blocked)
            fail_msg("%s", rows[i].value);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ledger_in_time), cmocka_unit_test(equal_times_later_row_holds), cmocka_unit_test(unknown_node),
        cmocka_unit_test(people_group),   cmocka_unit_test(placeholders_are_blocked),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
