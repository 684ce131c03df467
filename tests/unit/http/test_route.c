/* The table of routes: every row is whole, reachable and in the OpenAPI document. */
#include "http/route.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static void test_every_row_is_whole_and_reachable(void **state)
{
    char path[256];
    char parameter[COT_PARAMETER_SIZE];
    size_t size = 0;
    bool known = false;
    (void)state;
    for (size_t i = 0; i < cot_n_routes; i++) {
        const struct cot_route *route = &cot_routes[i];
        assert_non_null(route->handle);
        assert_non_null(route->summary);
        assert_true(route->path[0] == '/');
        assert_true(route->request == NULL || route->max_body_size > 0);
        size_t before = strcspn(route->path, "{");
        const char *after = strchr(route->path, '}');
        snprintf(path, sizeof path, "%.*s%s%s", (int)before, route->path, after != NULL ? "x%2Fy" : "",
                 after != NULL ? after + 1 : "");
        assert_ptr_equal(cot_route_find(route->method, path, parameter, &size, &known), route);
        if (after != NULL)
            assert_string_equal(parameter, "x/y");
    }
}

static void test_others_are_none(void **state)
{
    static const char *const paths[] = {"", "/", "/healt", "/healthzz", "/healthz/", "//healthz"};
    char parameter[COT_PARAMETER_SIZE];
    size_t size = 0;
    bool known = true;
    (void)state;
    for (size_t i = 0; i < sizeof paths / sizeof *paths; i++) {
        assert_null(cot_route_find("GET", paths[i], parameter, &size, &known));
        assert_false(known);
    }
    assert_null(cot_route_find("DELETE", "/healthz", parameter, &size, &known));
    assert_true(known);
    assert_non_null(cot_route_find("HEAD", "/healthz", parameter, &size, &known));
}

static void check_references(yyjson_mut_val *value, yyjson_mut_val *schemas)
{
    size_t i;
    size_t n;
    yyjson_mut_val *key;
    yyjson_mut_val *child;
    if (yyjson_mut_is_arr(value)) {
        yyjson_mut_arr_foreach(value, i, n, child)
        {
            check_references(child, schemas);
        }
    }
    if (!yyjson_mut_is_obj(value))
        return;
    yyjson_mut_obj_foreach(value, i, n, key, child)
    {
        if (yyjson_mut_equals_str(key, "$ref")) {
            const char *name = yyjson_mut_get_str(child);
            assert_int_equal(strncmp(name, "#/components/schemas/", 21), 0);
            assert_non_null(yyjson_mut_obj_get(schemas, name + 21));
        }
        check_references(child, schemas);
    }
}

static void test_messages_name_the_query(void **state)
{
    static const char *const pairs[][2] = {
        {"--by is 'foo': product or shop", "by is 'foo': product or shop"},
        {"leave --measure revenue out", "leave measure revenue out"},
        {"say --lead-time 2 or --service-level .9", "say lead_time 2 or service_level .9"},
        {"--bytes, --data and --by-far stay, as does --", "--bytes, --data and --by-far stay, as does --"},
        {"", ""},
    };
    char parameter[COT_PARAMETER_SIZE];
    char words[64];
    size_t size = 0;
    bool known = false;
    const struct cot_route *route = cot_route_find("GET", "/v1/forecasts", parameter, &size, &known);
    (void)state;
    for (size_t i = 0; i < sizeof pairs / sizeof *pairs; i++) {
        cot_route_words(route, pairs[i][0], words, sizeof words);
        assert_string_equal(words, pairs[i][1]);
        cot_route_words(NULL, pairs[i][0], words, sizeof words);
        assert_string_equal(words, pairs[i][0]);
    }
    cot_route_words(route, "say --lead-time 2", words, 9); /* cut inside the name */
    assert_string_equal(words, "say lead");
    cot_route_words(route, "say all", words, 4);
    assert_string_equal(words, "say");
}

static void test_openapi_has_every_row(void **state)
{
    struct cot_err err = {0};
    yyjson_mut_doc *doc = NULL;
    (void)state;
    if (cot_openapi_make(&doc, &err) != COT_OK)
        fail_msg("%s", err.message);
    yyjson_mut_val *root = yyjson_mut_doc_get_root(doc);
    assert_string_equal(yyjson_mut_get_str(yyjson_mut_obj_get(root, "openapi")), "3.1.0");
    yyjson_mut_val *schemas = yyjson_mut_obj_get(yyjson_mut_obj_get(root, "components"), "schemas");
    for (size_t i = 0; i < cot_n_routes; i++) {
        char method[16] = "";
        for (size_t j = 0; cot_routes[i].method[j] != '\0'; j++)
            method[j] = (char)(cot_routes[i].method[j] | 0x20);
        yyjson_mut_val *path = yyjson_mut_obj_get(yyjson_mut_obj_get(root, "paths"), cot_routes[i].path);
        yyjson_mut_val *operation = yyjson_mut_obj_get(path, method);
        assert_non_null(operation);
        assert_string_equal(yyjson_mut_get_str(yyjson_mut_obj_get(operation, "summary")), cot_routes[i].summary);
    }
    check_references(root, schemas);
    yyjson_mut_doc_free(doc);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_row_is_whole_and_reachable),
        cmocka_unit_test(test_others_are_none),
        cmocka_unit_test(test_messages_name_the_query),
        cmocka_unit_test(test_openapi_has_every_row),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
