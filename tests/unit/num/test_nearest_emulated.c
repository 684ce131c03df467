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

#define running running_avx512
#include "num/nearest_avx512.c"
#undef running
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
    if (isa == COT_ISA_AMX) {
        centres.bf16_size = cot_bf16_size(data->k, data->d);
        centres.bf16 = cot_alloc_aligned(centres.bf16_size, 1, sizeof *centres.bf16);
        assert_non_null(centres.bf16);
    }
    cot_centres_set(&centres, data->centres);
    return centres;
}

static void check(enum cot_isa isa, cot_nearest_kernel *kernel)
{
    static const size_t shapes[][3] = {{1, 1, 1}, {33, 7, 5}, {64, 32, 17}, {20, 33, 40}, {40, 129, 9}, {17, 300, 4}};
    for (int scene = 0; scene < N_SCENES; scene++)
        for (size_t i = 0; i < sizeof shapes / sizeof *shapes; i++) {
            struct scene_data data;
            assert_true(scene_make(&data, (enum scene)scene, shapes[i][0], shapes[i][1], shapes[i][2], i + 1));
            struct cot_centres centres = centres_for(&data, isa);
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

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_avx512), cmocka_unit_test(test_amx)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}

#else

int main(void)
{
    return 0; /* no such kernels on this processor */
}

#endif
