/*
 * What this machine can do at most: float32 multiply-adds, AMX's of bfloat16, and reading memory, with as many
 * threads as it has cores. Prints {"gflops": {"avx2": ..., "avx512": ..., "amx": ...}, "gbs": ..., "threads": ...}; the
 * best of several short runs.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/threads.h"
#include "coterie/isa.h"
#include "num/check.h"

enum { MAX_THREADS = 256, SUMS = 12, STEPS = 4000000, RUNS = 7, AMX_ROWS = 16, AMX_COLUMNS = 32, AMX_STEPS = 400000 };
#define READ_SIZE ((size_t)512 << 20)

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

struct work {
    const float *memory;
    float results[MAX_THREADS];
};

#if defined(__x86_64__)

#include <immintrin.h>

__attribute__((target("avx2,fma"))) static void multiply_avx2(void *context, size_t begin, size_t end, size_t i_block,
                                                              unsigned i_thread)
{
    struct work *work = context;
    __m256 s[SUMS];
    __m256 x = _mm256_set1_ps(0.999F);
    (void)begin;
    (void)end;
    (void)i_thread;
#pragma GCC unroll 12
    for (int u = 0; u < SUMS; u++)
        s[u] = _mm256_set1_ps((float)u);
    for (int i = 0; i < STEPS; i++) {
#pragma GCC unroll 12
        for (int u = 0; u < SUMS; u++)
            s[u] = _mm256_fmadd_ps(s[u], x, x);
    }
    for (int u = 1; u < SUMS; u++)
        s[0] = _mm256_add_ps(s[0], s[u]);
    work->results[i_block] = _mm256_cvtss_f32(s[0]);
}

__attribute__((target("avx512f"))) static void multiply_avx512(void *context, size_t begin, size_t end, size_t i_block,
                                                               unsigned i_thread)
{
    struct work *work = context;
    __m512 s[SUMS];
    __m512 x = _mm512_set1_ps(0.999F);
    (void)begin;
    (void)end;
    (void)i_thread;
#pragma GCC unroll 12
    for (int u = 0; u < SUMS; u++)
        s[u] = _mm512_set1_ps((float)u);
    for (int i = 0; i < STEPS; i++) {
#pragma GCC unroll 12
        for (int u = 0; u < SUMS; u++)
            s[u] = _mm512_fmadd_ps(s[u], x, x);
    }
    for (int u = 1; u < SUMS; u++)
        s[0] = _mm512_add_ps(s[0], s[u]);
    work->results[i_block] = _mm512_cvtss_f32(s[0]);
}

/* Four sums, two tiles of each operand, as the assignment kernel has them; all in registers. */
__attribute__((target("amx-tile,amx-bf16"))) static void multiply_amx(void *context, size_t begin, size_t end,
                                                                      size_t i_block, unsigned i_thread)
{
    struct {
        uint8_t palette, start_row;
        uint8_t reserved[14];
        uint16_t columns_size[16];
        uint8_t rows[16];
    } config = {.palette = 1};
    (void)context;
    (void)begin;
    (void)end;
    (void)i_block;
    (void)i_thread;
    for (int i = 0; i < 8; i++) {
        config.columns_size[i] = AMX_COLUMNS * 2;
        config.rows[i] = AMX_ROWS;
    }
    __asm__ volatile("" : : "r"(&config) : "memory"); /* GCC 12 thinks that only its first bytes are read */
    _tile_loadconfig(&config);                        /* all registers are 0 */
    for (int i = 0; i < AMX_STEPS; i++) {
        _tile_dpbf16ps(0, 4, 6);
        _tile_dpbf16ps(1, 4, 7);
        _tile_dpbf16ps(2, 5, 6);
        _tile_dpbf16ps(3, 5, 7);
    }
    _tile_release();
}

#endif

static void read_memory(void *context, size_t begin, size_t end, size_t i_block, unsigned i_thread)
{
    typedef float lanes __attribute__((vector_size(32)));
    struct work *work = context;
    lanes sums[4] = {{0}};
    (void)i_thread;
    for (size_t i = begin; i < end; i += 32)
        for (size_t u = 0; u < 4; u++) {
            lanes x;
            memcpy(&x, work->memory + i + u * 8, sizeof x);
            sums[u] += x;
        }
    work->results[i_block % MAX_THREADS] = sums[0][0] + sums[1][1] + sums[2][2] + sums[3][3];
}

static double best_seconds(unsigned n_threads, size_t n, size_t block, cot_parallel_body *body, struct work *work)
{
    double best = 1e300;
    for (int run = 0; run < RUNS; run++) {
        double start = now();
        cot_parallel_for(n_threads, n, block, body, work);
        double seconds = now() - start;
        best = seconds < best ? seconds : best;
    }
    return best;
}

int main(void)
{
    struct work work = {0};
    unsigned n_threads = cot_threads_available();
    float *memory = cot_alloc_uninitialised(READ_SIZE, 1, 1);
    if (memory == NULL)
        return 1;
    memset(memory, 0, READ_SIZE);
    work.memory = memory;
    printf("{\"threads\": %u, \"gflops\": {", n_threads);
#if defined(__x86_64__)
    const char *comma = "";
    if (cot_isa_supported(COT_ISA_AVX2)) {
        double seconds = best_seconds(n_threads, n_threads, 1, multiply_avx2, &work);
        printf("\"avx2\": %.1f", 2.0 * 8 * SUMS * STEPS * n_threads / seconds / 1e9);
        comma = ", ";
    }
    if (cot_isa_supported(COT_ISA_AVX512)) {
        double seconds = best_seconds(n_threads, n_threads, 1, multiply_avx512, &work);
        printf("%s\"avx512\": %.1f", comma, 2.0 * 16 * SUMS * STEPS * n_threads / seconds / 1e9);
    }
    if (cot_isa_supported(COT_ISA_AMX)) {
        double seconds = best_seconds(n_threads, n_threads, 1, multiply_amx, &work);
        double flop = 4.0 * 2 * AMX_ROWS * AMX_ROWS * AMX_COLUMNS * AMX_STEPS * n_threads;
        printf("%s\"amx\": %.1f", comma, flop / seconds / 1e9);
    }
#endif
    double seconds = best_seconds(n_threads, READ_SIZE / sizeof(float), READ_SIZE / sizeof(float) / n_threads / 4,
                                  read_memory, &work);
    printf("}, \"gbs\": %.1f}\n", (double)READ_SIZE / seconds / 1e9);
    free(memory);
    return 0;
}
