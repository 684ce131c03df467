#include "num/nearest.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "unit/num/kernel_scenes.h"

static const size_t shapes[][3] = {{1, 1, 1},   {5, 3, 2},    {16, 16, 8},  {33, 7, 5},   {64, 32, 64},
                                   {50, 1, 17}, {40, 129, 9}, {17, 300, 4}, {100, 64, 33}};

static cot_nearest_kernel *const kernels[COT_N_ISAS] = {
    [COT_ISA_SCALAR] = cot_nearest_scalar,
#if defined(__x86_64__)
    [COT_ISA_AVX2] = cot_nearest_avx2,
    [COT_ISA_AVX512] = cot_nearest_avx512,
    [COT_ISA_AMX] = cot_nearest_amx,
#endif
};

static void check_everywhere(enum cot_isa isa)
{
    for (int scene = 0; scene < N_SCENES; scene++)
        for (size_t i = 0; i < sizeof shapes / sizeof *shapes; i++) {
            struct scene_data data;
            struct cot_centres centres = {0};
            assert_true(scene_make(&data, (enum scene)scene, shapes[i][0], shapes[i][1], shapes[i][2], i + 1));
            assert_int_equal(cot_centres_init(&centres, data.k, data.d, isa, NULL), COT_OK);
            cot_centres_set(&centres, data.centres);
            const char *wrong = scene_check(&data, kernels[isa], &centres);
            if (wrong != NULL)
                fail_msg("%s, scene %d, shape %zu x %zu, k %zu: %s", cot_isa_name(isa), scene, data.n, data.d, data.k,
                         wrong);
            cot_centres_release(&centres);
            scene_free(&data);
        }
}

static void test_every_kernel_within_its_bound(void **state)
{
    (void)state;
    for (int isa = COT_ISA_SCALAR; isa < COT_N_ISAS; isa++) {
        if (cot_isa_supported((enum cot_isa)isa))
            check_everywhere((enum cot_isa)isa);
        else
            print_message("skipped: this machine does not run %s\n", cot_isa_name((enum cot_isa)isa));
    }
}

#if defined(__x86_64__)

static void all_lanes_refined(const struct cot_centres *centres, const struct cot_tile_view *tiles, size_t n_tiles,
                              struct cot_nearest *ret_nearest)
{
    for (size_t t = 0; t < n_tiles; t++)
        cot_nearest_refine(centres, tiles[t].data, (1U << COT_TILE) - 1, ret_nearest + t);
}

static void test_refined_within_its_bound(void **state)
{
    (void)state;
    if (!cot_isa_supported(COT_ISA_AMX)) {
        print_message("skipped: this machine does not run amx\n");
        return;
    }
    for (int scene = 0; scene < N_SCENES; scene++)
        for (size_t i = 0; i < sizeof shapes / sizeof *shapes; i++) {
            struct scene_data data;
            struct cot_centres centres = {0};
            assert_true(scene_make(&data, (enum scene)scene, shapes[i][0], shapes[i][1], shapes[i][2], i + 1));
            assert_int_equal(cot_centres_init(&centres, data.k, data.d, COT_ISA_AMX, NULL), COT_OK);
            cot_centres_set(&centres, data.centres);
            centres.error = centres.refined_error;
            const char *wrong = scene_check(&data, all_lanes_refined, &centres);
            if (wrong != NULL)
                fail_msg("scene %d, shape %zu x %zu, k %zu: %s", scene, data.n, data.d, data.k, wrong);
            cot_centres_release(&centres);
            scene_free(&data);
        }
}

#endif

/* The bound must be worth something: on ordinary data it decides nearly every point. */
static void test_bound_decides_ordinary_points(void **state)
{
    struct scene_data data;
    struct cot_centres centres = {0};
    size_t n_decided = 0;
    (void)state;
    assert_true(scene_make(&data, SCENE_RANDOM, 4000, 32, 16, 4));
    assert_int_equal(cot_centres_init(&centres, data.k, data.d, COT_ISA_BEST, NULL), COT_OK);
    cot_centres_set(&centres, data.centres);
    cot_nearest_run(&centres, data.views, data.tiles.n_tiles, data.nearest);
    for (size_t i = 0; i < data.n; i++) {
        const struct cot_nearest *nearest = data.nearest + i / COT_TILE;
        double error = cot_centres_error(&centres, (double)data.views[i / COT_TILE].radius);
        n_decided += (double)(nearest->second[i % COT_TILE] - nearest->best[i % COT_TILE]) > 2 * error;
    }
    assert_true(n_decided > data.n * 99 / 100);
    cot_centres_release(&centres);
    scene_free(&data);
}

static void test_unsupported_isa_is_refused(void **state)
{
    struct cot_err err = {0};
    enum cot_isa isa = COT_ISA_BEST;
    (void)state;
    assert_int_equal(cot_isa_parse("sse9", &isa, &err), COT_USAGE);
    assert_non_null(strstr(err.message, "sse9"));
    assert_int_equal(cot_isa_parse("avx512", &isa, &err), COT_OK);
    assert_int_equal(isa, COT_ISA_AVX512);
    for (int i = 0; i < COT_N_ISAS; i++) {
        enum cot_isa resolved = COT_ISA_BEST;
        cot_code rc = cot_isa_resolve((enum cot_isa)i, &resolved, &err);
        assert_int_equal(rc, cot_isa_supported((enum cot_isa)i) ? COT_OK : COT_USAGE);
        if (rc == COT_OK)
            assert_true(resolved != COT_ISA_BEST && cot_isa_supported(resolved));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_kernel_within_its_bound),
#if defined(__x86_64__)
        cmocka_unit_test(test_refined_within_its_bound),
#endif
        cmocka_unit_test(test_bound_decides_ordinary_points),
        cmocka_unit_test(test_unsupported_isa_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
