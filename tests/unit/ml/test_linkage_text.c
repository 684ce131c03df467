/* Newick and JSON: what is written is read back by a reader of its own, and gives the linkage again. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <yyjson.h>

#include "coterie/linkage.h"
#include "unit/ml/planted.h"

static struct cot_linkage *fit(size_t n, struct planted *ret_planted)
{
    struct cot_linkage *linkage = NULL;
    *ret_planted = planted_make(n, 3, 2, 2, 4, 8);
    struct cot_matrix x = planted_view(ret_planted);
    assert_int_equal(cot_linkage_fit(&x, NULL, &linkage, NULL), COT_OK);
    return linkage;
}

enum { MOST = 64 };

struct reader {
    const char *at;
    char names[MOST][32]; /* leaves as they come */
    double depth[MOST];   /* distance to the root */
    size_t n;
};

static void read_name(struct reader *r)
{
    char *to = r->names[r->n];
    if (*r->at != '\'') {
        while (strchr(":,();", *r->at) == NULL)
            *to++ = *r->at++;
    } else {
        for (r->at++; r->at[0] != '\'' || r->at[1] == '\''; r->at++) {
            r->at += r->at[0] == '\'';
            *to++ = *r->at;
        }
        r->at++;
    }
    *to = '\0';
    r->n++;
}

/* A subtree and its length: the leaves that it has read become that much deeper. Returns its leaves. */
static size_t read_subtree(struct reader *r)
{
    size_t first = r->n;
    if (*r->at == '(') {
        r->at++;
        read_subtree(r);
        assert_int_equal(*r->at++, ',');
        read_subtree(r);
        assert_int_equal(*r->at++, ')');
    } else {
        read_name(r);
    }
    if (*r->at == ':') {
        char *end = NULL;
        double length = strtod(r->at + 1, &end);
        assert_true(length >= 0);
        r->at = end;
        for (size_t i = first; i < r->n; i++)
            r->depth[i] += length;
    }
    return r->n - first;
}

static void read_tree(const char *text, struct reader *ret_reader)
{
    *ret_reader = (struct reader){.at = text};
    read_subtree(ret_reader);
    assert_string_equal(ret_reader->at, ";\n");
}

static void test_newick_reads_back(void **state)
{
    struct planted p;
    struct cot_linkage *linkage = fit(40, &p);
    struct reader reader;
    uint32_t order[40];
    char *text = NULL;
    (void)state;
    assert_int_equal(cot_linkage_newick(linkage, NULL, &text, NULL), COT_OK);
    read_tree(text, &reader);
    assert_int_equal(reader.n, 40);
    assert_int_equal(cot_linkage_leaf_order(linkage, order, NULL), COT_OK);
    double top = linkage->z[4 * 38 + 2];
    for (size_t i = 0; i < 40; i++) {
        assert_int_equal(strtoul(reader.names[i], NULL, 10), order[i]);
        assert_true(fabs(reader.depth[i] - top) < 1e-12 * top); /* all leaves are equally deep */
    }
    free(text);
    cot_linkage_free(linkage);
    planted_free(&p);
}

static void test_names_are_quoted(void **state)
{
    static const char *const names[] = {"plain", "", "it's", "a b", "x(1),[y];", "under_score", "\xc3\xa9t\xc3\xa9",
                                        "q\"q\\"};
    struct planted p;
    struct cot_linkage *linkage = fit(8, &p);
    struct reader reader;
    uint32_t order[8];
    char *text = NULL;
    (void)state;
    assert_int_equal(cot_linkage_newick(linkage, names, &text, NULL), COT_OK);
    read_tree(text, &reader);
    assert_int_equal(cot_linkage_leaf_order(linkage, order, NULL), COT_OK);
    for (size_t i = 0; i < 8; i++)
        assert_string_equal(reader.names[i], names[order[i]]);
    assert_non_null(strstr(text, "'it''s'"));
    assert_null(strstr(text, "'plain'"));
    free(text);

    assert_int_equal(cot_linkage_json(linkage, names, &text, NULL), COT_OK);
    yyjson_doc *doc = yyjson_read(text, strlen(text), 0);
    yyjson_val *list = yyjson_obj_get(yyjson_doc_get_root(doc), "names");
    assert_int_equal(yyjson_arr_size(list), 8);
    for (size_t i = 0; i < 8; i++)
        assert_string_equal(yyjson_get_str(yyjson_arr_get(list, i)), names[i]);
    yyjson_doc_free(doc);
    free(text);
    cot_linkage_free(linkage);
    planted_free(&p);
}

static void test_json_reads_back(void **state)
{
    static const char *const bad[] = {"a", "\xff", "c"};
    struct planted p;
    struct cot_linkage *linkage = fit(50, &p);
    struct cot_err err = {0};
    char *text = NULL;
    (void)state;
    assert_int_equal(cot_linkage_json(linkage, NULL, &text, NULL), COT_OK);
    yyjson_doc *doc = yyjson_read(text, strlen(text), 0);
    yyjson_val *root = yyjson_doc_get_root(doc);
    yyjson_val *joins = yyjson_obj_get(root, "joins");
    assert_int_equal(yyjson_get_uint(yyjson_obj_get(root, "n")), 50);
    assert_null(yyjson_obj_get(root, "names"));
    assert_int_equal(yyjson_arr_size(joins), 49);
    for (size_t m = 0; m < 49; m++) {
        yyjson_val *join = yyjson_arr_get(joins, m);
        assert_int_equal(yyjson_get_uint(yyjson_obj_get(join, "left")), (uint64_t)linkage->z[4 * m]);
        assert_int_equal(yyjson_get_uint(yyjson_obj_get(join, "right")), (uint64_t)linkage->z[4 * m + 1]);
        assert_true(yyjson_get_num(yyjson_obj_get(join, "height")) == linkage->z[4 * m + 2]);
        assert_int_equal(yyjson_get_uint(yyjson_obj_get(join, "leaves")), (uint64_t)linkage->z[4 * m + 3]);
    }
    yyjson_doc_free(doc);
    free(text);
    cot_linkage_free(linkage);
    planted_free(&p);
    linkage = fit(3, &p);
    text = NULL;
    assert_int_equal(cot_linkage_json(linkage, bad, &text, &err), COT_BAD_DATA);
    assert_null(text);
    cot_linkage_free(linkage);
    planted_free(&p);
}

/* A chain is as deep as it is long: no recursion, no limit on the way. */
static void test_one_leaf_and_a_deep_chain(void **state)
{
    enum { N = 200000 };
    double *z = calloc(4 * (size_t)N, sizeof *z);
    struct cot_linkage one = {.n = 1};
    struct cot_linkage chain = {.n = N, .z = z};
    const char *const names[] = {"only one"};
    char *text = NULL;
    (void)state;
    assert_int_equal(cot_linkage_newick(&one, NULL, &text, NULL), COT_OK);
    assert_string_equal(text, "0;\n");
    free(text);
    assert_int_equal(cot_linkage_newick(&one, names, &text, NULL), COT_OK);
    assert_string_equal(text, "'only one';\n");
    free(text);
    assert_int_equal(cot_linkage_json(&one, NULL, &text, NULL), COT_OK);
    assert_string_equal(text, "{\"n\":1,\"joins\":[]}");
    free(text);
    for (size_t m = 0; m + 1 < N; m++) {
        z[4 * m] = m == 0 ? 0 : (double)(m + 1);
        z[4 * m + 1] = m == 0 ? 1 : (double)(N + m - 1);
        z[4 * m + 2] = (double)m;
        z[4 * m + 3] = (double)(m + 2);
    }
    assert_int_equal(cot_linkage_newick(&chain, NULL, &text, NULL), COT_OK);
    size_t depth = 0;
    size_t deepest = 0;
    for (const char *c = text; *c != '\0'; c++) {
        depth += *c == '(';
        depth -= *c == ')';
        deepest = depth > deepest ? depth : deepest;
    }
    assert_int_equal(depth, 0);
    assert_int_equal(deepest, N - 1);
    free(text);
    free(z);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_newick_reads_back),
        cmocka_unit_test(test_names_are_quoted),
        cmocka_unit_test(test_json_reads_back),
        cmocka_unit_test(test_one_leaf_and_a_deep_chain),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
