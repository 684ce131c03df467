/* The AVX-512 lanes' and tiles' own source, on emulated instructions. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>

#include <cmocka.h>

#include "unit/num/lanes_check.h"

#if defined(__x86_64__)

#include "unit/num/avx512_emulated.h"

extern const struct cot_lanes emulated_lanes_avx512;
cot_tile_turn emulated_tile_turn_avx512;

#include "num/lanes_avx512.c"
#undef AVX512
#undef AVX512_INLINE
#include "num/tiles_avx512.c"

static void test_lanes(void **state)
{
    static const size_t ks[] = {1, 16, 17, 32, 33, LANES_CHECK_K};
    (void)state;
    for (size_t i = 0; i < sizeof ks / sizeof *ks; i++)
        for (size_t n = 1; n <= LANES_CHECK_N; n += 19) {
            const char *wrong = lanes_check(&emulated_lanes_avx512, n, ks[i], 1 + i * 100 + n);
            if (wrong != NULL)
                fail_msg("k %zu, n %zu: %s", ks[i], n, wrong);
        }
}

static void test_turn(void **state)
{
    (void)state;
    for (size_t d = 1; d <= 40; d++)
        assert_null(turn_check(emulated_tile_turn_avx512, d, d));
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_lanes), cmocka_unit_test(test_turn)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}

#else

int main(void)
{
    return 0; /* no such instructions on this processor */
}

#endif
