/* The AVX-512 and AMX kernels' own source, on emulated instructions: everything but the silicon. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "unit/num/kernel_scenes.h"

#if defined(__x86_64__)

#include "num/bf16.h"
#include "unit/num/avx512_emulated.h"

cot_nearest_kernel emulated_nearest_avx512;
cot_nearest_kernel emulated_nearest_amx;
void emulated_nearest_lane_avx512(const struct cot_centres *centres, const float *tile, size_t lane,
                                  struct cot_nearest *ret_nearest);

#define running running_avx512
#define take take_avx512
#define PAIR PAIR_AVX512
#include "num/nearest_avx512.c"
#undef running
#undef take
#undef PAIR
#undef AVX512
#undef AVX512_INLINE
#define running running_amx
#include "num/nearest_amx.c"

/* As cot_centres_init would make them on a machine that has the instructions. */
static struct cot_centres centres_for(const struct scene_data *data, enum cot_isa isa)
{
    struct cot_centres centres = {0};
    assert_int_equal(cot_centres_init(&centres, data->k, data->d, COT_ISA_SCALAR, NULL), COT_OK);
    centres.isa = isa;
    if (isa == COT_ISA_AMX)
        assert_true(cot_centres_add_bf16(&centres));
    cot_centres_set(&centres, data->centres);
    return centres;
}

/* Every lane once more, as for those that AMX does not decide. */
static void emulated_lanes(const struct cot_centres *centres, const struct cot_tile_view *tiles, size_t n_tiles,
                           struct cot_nearest *ret_nearest)
{
    for (size_t t = 0; t < n_tiles; t++)
        for (size_t lane = 0; lane < COT_TILE; lane++)
            cot_nearest_lane_avx512(centres, tiles[t].data, lane, ret_nearest + t);
}

static void check(enum cot_isa isa, cot_nearest_kernel *kernel)
{
    static const size_t shapes[][3] = {{1, 1, 1},    {33, 7, 5},   {64, 32, 17}, {20, 33, 40},
                                       {40, 129, 9}, {17, 300, 4}, {20, 20, 150}};
    for (int scene = 0; scene < N_SCENES; scene++)
        for (size_t i = 0; i < sizeof shapes / sizeof *shapes; i++) {
            struct scene_data data;
            assert_true(scene_make(&data, (enum scene)scene, shapes[i][0], shapes[i][1], shapes[i][2], i + 1));
            struct cot_centres centres = centres_for(&data, isa);
            if (kernel == emulated_lanes)
                centres.error = centres.refined_error;
            const char *wrong = scene_check(&data, kernel, &centres);
            if (wrong != NULL)
                fail_msg("%s, scene %d, shape %zu x %zu, k %zu: %s", cot_isa_name(isa), scene, data.n, data.d, data.k,
                         wrong);
            cot_centres_release(&centres);
            scene_free(&data);
        }
}

static void test_avx512(void **state)
{
    (void)state;
    check(COT_ISA_AVX512, emulated_nearest_avx512);
}

static void test_amx(void **state)
{
    (void)state;
    check(COT_ISA_AMX, emulated_nearest_amx);
}

static void test_amx_refined(void **state)
{
    (void)state;
    check(COT_ISA_AMX, emulated_lanes);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_avx512), cmocka_unit_test(test_amx),
                                       cmocka_unit_test(test_amx_refined)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}

#else

int main(void)
{
    return 0; /* no such kernels on this processor */
}

#endif
