#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>

#include <cmocka.h>

#include "num/check.h"
#include "unit/num/lanes_check.h"

static void test_every_instruction_set_says_the_same(void **state)
{
    static const size_t ks[] = {1, 7, 8, 9, 16, 17, 32, 33, LANES_CHECK_K};
    static const size_t ns[] = {1, 7, 8, 15, 16, 17, 64, LANES_CHECK_N};
    (void)state;
    for (int isa = COT_ISA_SCALAR; isa < COT_N_ISAS; isa++) {
        if (!cot_isa_supported((enum cot_isa)isa))
            continue;
        for (size_t i = 0; i < sizeof ks / sizeof *ks; i++)
            for (size_t m = 0; m < sizeof ns / sizeof *ns; m++) {
                const char *wrong = lanes_check(cot_lanes_for((enum cot_isa)isa), ns[m], ks[i], 1 + i * 100 + m);
                if (wrong != NULL)
                    fail_msg("%s, k %zu, n %zu: %s", cot_isa_name((enum cot_isa)isa), ks[i], ns[m], wrong);
            }
    }
}

/* Tiles, gathered points and single points of every instruction set are the same bytes; padding is 0. */
static void test_tiles_are_the_same_bytes(void **state)
{
    enum { N = 53, MAX_D = 37 };
    static const size_t ds[] = {1, 3, 4, 8, 15, 16, 17, MAX_D};
    static const uint32_t at[] = {3, 0, 49, 7, 7, 12, 50, 1, 2, 3, 4, 5, 6, 30, 31, 32, 33, 20, 21};
    float x[N * MAX_D];
    struct cot_rng rng;
    (void)state;
    cot_rng_init(&rng, 3);
    for (size_t i = 0; i < N * MAX_D; i++)
        x[i] = (float)(1e3 + 100 * cot_rng_normal(&rng));
    for (size_t i = 0; i < sizeof ds / sizeof *ds; i++)
        for (int isa = COT_ISA_SCALAR; isa < COT_N_ISAS; isa++) {
            size_t d = ds[i];
            struct cot_matrix view = {.data = x, .n = N, .d = d, .stride = MAX_D};
            struct cot_tiles tiles = {0};
            _Alignas(64) float tile[MAX_D * COT_TILE];
            _Alignas(64) float gathered[2 * MAX_D * COT_TILE];
            float row[MAX_D];
            if (!cot_isa_supported((enum cot_isa)isa))
                continue;
            assert_int_equal(cot_tiles_init(&tiles, &view, NULL, 1, (enum cot_isa)isa, NULL), COT_OK);
            for (size_t p = 0; p < tiles.n_tiles * COT_TILE; p++) {
                cot_tiles_get(&tiles, p / COT_TILE, tile);
                if (p < N)
                    cot_tiles_point(&tiles, p, row);
                else
                    memset(row, 0, sizeof row);
                for (size_t j = 0; j < d; j++)
                    assert_memory_equal(row + j, tile + j * COT_TILE + p % COT_TILE, sizeof *row);
            }
            cot_tiles_gather(&tiles, 2, at, sizeof at / sizeof *at, gathered);
            for (size_t p = 0; p < 2 * COT_TILE; p++) {
                cot_tiles_point(&tiles, 2 + at[p < sizeof at / sizeof *at ? p : sizeof at / sizeof *at - 1], row);
                for (size_t j = 0; j < d; j++)
                    assert_memory_equal(row + j, gathered + (p / COT_TILE * d + j) * COT_TILE + p % COT_TILE,
                                        sizeof *row);
            }
            cot_tiles_release(&tiles);
        }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_instruction_set_says_the_same),
        cmocka_unit_test(test_tiles_are_the_same_bytes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
