/* People as connected sets of nodes, found by SQL, against a plain union-find. */
#include "engine/person_map.h"

#include "base/rng.h"
#include "unit/engine/scratch.h"

enum { N_NODES = 400 };

static int find(int *parent, int i)
{
    while (parent[i] != i)
        i = parent[i] = parent[parent[i]];
    return i;
}

static void join(int *parent, int a, int b)
{
    a = find(parent, a);
    b = find(parent, b);
    parent[a > b ? a : b] = a > b ? b : a; /* the smallest is the root */
}

static void check_map(struct cot_store *store, int *parent)
{
    struct cot_err err = {0};
    struct cot_rows *rows = NULL;
    bool more = false;
    int n = 0;
    assert_ok(cot_person_map_make(store, &err), err);
    assert_ok(cot_rows_open(store, &rows, &err,
                            "select n.node_id, coalesce(m.customer, n.node_id) from node n"
                            " left join person_map m using (node_id) order by 1"),
              err);
    for (;;) {
        assert_ok(cot_rows_next(rows, &more, &err), err);
        if (!more)
            break;
        assert_int_equal(cot_rows_int(rows, 1), find(parent, (int)cot_rows_int(rows, 0)));
        n++;
    }
    assert_int_equal(n, N_NODES);
    cot_rows_close(rows);
}

static void agrees_with_union_find(void **state)
{
    char path[SCRATCH_PATH_SIZE];
    struct cot_err err = {0};
    struct cot_rng rng;
    (void)state;
    for (uint64_t seed = 1; seed <= 3; seed++) {
        int parent[N_NODES];
        scratch_make(path);
        struct cot_store *store = scratch_shop(path);
        cot_rng_init(&rng, seed);
        assert_ok(
            cot_store_exec(store, &err, "insert into node select range, 3, range::varchar, 1 from range(%d)", N_NODES),
            err);
        for (int i = 0; i < N_NODES; i++)
            parent[i] = i;
        for (int i = 0; i < N_NODES / 3; i++) { /* random pairs, and one long chain from the end to the front */
            int a = i < 100 ? N_NODES - 1 - i : (int)cot_rng_below(&rng, N_NODES);
            int b = i < 100 ? N_NODES - 2 - i : (int)cot_rng_below(&rng, N_NODES);
            bool taken_back = i >= 100 && i % 5 == 0;
            assert_ok(
                cot_store_exec(store, &err, "insert into link values (%d, %d, 1, '2024-01-01', '2024-01-01', 1)", a, b),
                err);
            if (taken_back)
                assert_ok(cot_store_exec(store, &err,
                                         "insert into link values (%d, %d, -1, '2024-01-02', '2024-01-02', 1)", b, a),
                          err);
            else
                join(parent, a, b);
        }
        check_map(store, parent);
        cot_store_close(store);
        scratch_remove(path);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(agrees_with_union_find),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
