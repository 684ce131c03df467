#include "base/threads.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { N = 10007, BLOCK = 64, N_BLOCKS = (N + BLOCK - 1) / BLOCK };

struct sums {
    double block_sum[N_BLOCKS];
    unsigned char visits[N];
};

static void add_block(void *context, size_t begin, size_t end, size_t i_block, unsigned i_thread)
{
    struct sums *sums = context;
    (void)i_thread;
    for (size_t i = begin; i < end; i++) {
        sums->visits[i]++;
        sums->block_sum[i_block] += 1.0 / (double)(i + 1);
    }
}

static double total(unsigned n_threads)
{
    struct sums *sums = calloc(1, sizeof *sums);
    double result = 0;
    assert_non_null(sums);
    cot_parallel_for(n_threads, N, BLOCK, add_block, sums);
    for (size_t i = 0; i < N; i++)
        assert_int_equal(sums->visits[i], 1);
    for (size_t i = 0; i < N_BLOCKS; i++)
        result += sums->block_sum[i];
    free(sums);
    return result;
}

static void every_item_once_and_same_bytes_for_any_number_of_threads(void **state)
{
    (void)state;
    double one = total(1);
    double two = total(2);
    double eight = total(8);
    assert_memory_equal(&one, &two, sizeof one);
    assert_memory_equal(&one, &eight, sizeof one);
}

static void nothing_to_do_is_fine(void **state)
{
    (void)state;
    cot_parallel_for(4, 0, 16, add_block, NULL);
    assert_true(cot_threads_available() >= 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_item_once_and_same_bytes_for_any_number_of_threads),
        cmocka_unit_test(nothing_to_do_is_fine),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
