/*
 * The AVX-512 and AMX instructions that kernels use, in plain C: so that their logic is tested on machines without
 * them. Include this, then the kernel's source; each name stands for what Intel's intrinsics guide says of it.
 */
#ifndef COT_TESTS_AVX512_EMULATED_H
#define COT_TESTS_AVX512_EMULATED_H

#include <immintrin.h>
#include <math.h>
#include <stdint.h>
#include <string.h>

enum { EMU_LANES = 16 };

struct emu_ps {
    float v[EMU_LANES];
};
struct emu_si {
    uint32_t v[EMU_LANES];
};

#define EMU static __attribute__((unused, noinline))
#define EACH(i) for (int i = 0; i < EMU_LANES; i++)

EMU struct emu_ps emu_set1_ps(float a)
{
    struct emu_ps r;
    EACH(i) r.v[i] = a;
    return r;
}
EMU struct emu_si emu_set1_epi32(int32_t a)
{
    struct emu_si r;
    EACH(i) r.v[i] = (uint32_t)a;
    return r;
}
EMU struct emu_ps emu_load_ps(const float *p)
{
    struct emu_ps r;
    memcpy(&r, p, sizeof r);
    return r;
}
EMU struct emu_si emu_load_si(const void *p)
{
    struct emu_si r;
    memcpy(&r, p, sizeof r);
    return r;
}
/* Lanes without a bit are 0, and nothing is read for them. */
EMU struct emu_ps emu_maskz_load_ps(uint16_t mask, const float *p)
{
    struct emu_ps r = {{0}};
    for (int i = 0; i < EMU_LANES; i++)
        if ((mask >> i & 1) != 0)
            r.v[i] = p[i];
    return r;
}
EMU struct emu_si emu_maskz_load_si(uint16_t mask, const uint32_t *p)
{
    struct emu_si r = {{0}};
    for (int i = 0; i < EMU_LANES; i++)
        if ((mask >> i & 1) != 0)
            r.v[i] = p[i];
    return r;
}
EMU void emu_store(void *p, const void *a)
{
    memcpy(p, a, 64);
}
/* The second operand where either is NaN, as the instruction has it. */
EMU struct emu_ps emu_min_ps(struct emu_ps a, struct emu_ps b)
{
    EACH(i) a.v[i] = a.v[i] < b.v[i] ? a.v[i] : b.v[i];
    return a;
}
EMU struct emu_ps emu_max_ps(struct emu_ps a, struct emu_ps b)
{
    EACH(i) a.v[i] = a.v[i] > b.v[i] ? a.v[i] : b.v[i];
    return a;
}
EMU struct emu_ps emu_add_ps(struct emu_ps a, struct emu_ps b)
{
    EACH(i) a.v[i] += b.v[i];
    return a;
}
EMU struct emu_ps emu_sub_ps(struct emu_ps a, struct emu_ps b)
{
    EACH(i) a.v[i] -= b.v[i];
    return a;
}
EMU struct emu_ps emu_fnmadd_ps(struct emu_ps a, struct emu_ps b, struct emu_ps c)
{
    EACH(i) c.v[i] = fmaf(-a.v[i], b.v[i], c.v[i]);
    return c;
}
EMU struct emu_ps emu_mul_ps(struct emu_ps a, struct emu_ps b)
{
    EACH(i) a.v[i] *= b.v[i];
    return a;
}
EMU struct emu_ps emu_sqrt_ps(struct emu_ps a)
{
    EACH(i) a.v[i] = sqrtf(a.v[i]);
    return a;
}
/* Index bit 4 chooses the table, bits 0..3 the lane. */
EMU struct emu_ps emu_permutex2var_ps(struct emu_ps low, struct emu_si index, struct emu_ps high)
{
    struct emu_ps r;
    EACH(i) r.v[i] = (index.v[i] & 16) != 0 ? high.v[index.v[i] & 15] : low.v[index.v[i] & 15];
    return r;
}
EMU struct emu_ps emu_gather_ps(struct emu_si index, const float *base)
{
    struct emu_ps r;
    EACH(i) r.v[i] = base[index.v[i]];
    return r;
}
/* Within 128 bits: lanes 0 and 1 (high: 2 and 3) of both, in turn. */
EMU struct emu_ps emu_unpack(struct emu_ps a, struct emu_ps b, int from)
{
    struct emu_ps r;
    EACH(i) r.v[i] = (i & 1) != 0 ? b.v[(i & 12) + from + (i & 3) / 2] : a.v[(i & 12) + from + (i & 3) / 2];
    return r;
}
/* Within 128 bits: two lanes of a, then two of b, each chosen by two bits. */
EMU struct emu_ps emu_shuffle_ps(struct emu_ps a, struct emu_ps b, int control)
{
    struct emu_ps r;
    EACH(i) r.v[i] = ((i & 3) < 2 ? a : b).v[(i & 12) + (control >> 2 * (i & 3) & 3)];
    return r;
}
/* Two quarters of a, then two of b, each chosen by two bits. */
EMU struct emu_ps emu_shuffle_quarters(struct emu_ps a, struct emu_ps b, int control)
{
    struct emu_ps r;
    EACH(i) r.v[i] = (i < 8 ? a : b).v[4 * (control >> 2 * (i / 4) & 3) + (i & 3)];
    return r;
}
EMU uint16_t emu_unequal_mask(struct emu_si a, struct emu_si b)
{
    uint16_t mask = 0;
    EACH(i) mask = (uint16_t)(mask | (a.v[i] != b.v[i]) << i);
    return mask;
}
EMU struct emu_si emu_compress(uint16_t mask, struct emu_si a)
{
    struct emu_si r = {{0}};
    int n = 0;
    EACH(i) if ((mask >> i & 1) != 0) r.v[n++] = a.v[i];
    return r;
}
EMU uint16_t emu_less_mask(struct emu_ps a, struct emu_ps b)
{
    uint16_t mask = 0;
    EACH(i) mask = (uint16_t)(mask | (a.v[i] < b.v[i]) << i);
    return mask;
}
EMU struct emu_si emu_mask_set1_epi32(struct emu_si a, uint16_t mask, int32_t b)
{
    EACH(i) a.v[i] = (mask >> i & 1) != 0 ? (uint32_t)b : a.v[i];
    return a;
}
EMU struct emu_si emu_castps_si512(struct emu_ps a)
{
    struct emu_si r;
    memcpy(&r, &a, sizeof r);
    return r;
}
EMU struct emu_ps emu_castsi512_ps(struct emu_si a)
{
    struct emu_ps r;
    memcpy(&r, &a, sizeof r);
    return r;
}
EMU struct emu_si emu_add_epi32(struct emu_si a, struct emu_si b)
{
    EACH(i) a.v[i] += b.v[i];
    return a;
}
EMU struct emu_si emu_and(struct emu_si a, struct emu_si b)
{
    EACH(i) a.v[i] &= b.v[i];
    return a;
}
EMU struct emu_si emu_or(struct emu_si a, struct emu_si b)
{
    EACH(i) a.v[i] |= b.v[i];
    return a;
}
EMU struct emu_si emu_srli_epi32(struct emu_si a, int n)
{
    EACH(i) a.v[i] >>= n;
    return a;
}

/* ---- tile registers: 16 rows of 64 bytes each ---- */

struct emu_tiles {
    unsigned char rows[8][16][64];
};

EMU struct emu_tiles *emu_tiles(void)
{
    static _Thread_local struct emu_tiles tiles;
    return &tiles;
}
EMU void emu_tile_load(int tile, const void *p, size_t stride)
{
    EACH(row) memcpy(emu_tiles()->rows[tile][row], (const char *)p + (size_t)row * stride, 64);
}
EMU void emu_tile_store(int tile, void *p, size_t stride)
{
    EACH(row) memcpy((char *)p + (size_t)row * stride, emu_tiles()->rows[tile][row], 64);
}
/* Denormal numbers count as 0, on the way in and out. */
EMU float emu_flush(float x)
{
    return fabsf(x) < 0x1p-126F ? 0 : x;
}
EMU float emu_bf16(const unsigned char *row, int i)
{
    uint16_t half = 0;
    memcpy(&half, row + 2 * i, sizeof half);
    uint32_t bits = (uint32_t)half << 16;
    float x = 0;
    memcpy(&x, &bits, sizeof x);
    return emu_flush(x);
}
/* TDPBF16PS: c[m][n] += (sum over k of a[m][2k] * b[k][2n]) + (sum over k of a[m][2k + 1] * b[k][2n + 1]). */
EMU void emu_tile_dpbf16ps(int c, int a, int b)
{
    struct emu_tiles *t = emu_tiles();
    EACH(m) EACH(n)
    {
        float sum = 0;
        float even = 0;
        float odd = 0;
        EACH(k)
        {
            even = emu_flush(fmaf(emu_bf16(t->rows[a][m], 2 * k), emu_bf16(t->rows[b][k], 2 * n), even));
            odd = emu_flush(fmaf(emu_bf16(t->rows[a][m], 2 * k + 1), emu_bf16(t->rows[b][k], 2 * n + 1), odd));
        }
        memcpy(&sum, t->rows[c][m] + 4 * n, sizeof sum);
        sum = emu_flush(sum + emu_flush(even + odd));
        memcpy(t->rows[c][m] + 4 * n, &sum, sizeof sum);
    }
}

/* Compilers have some of them as macros. */
#undef _mm512_set1_ps
#undef _mm512_setzero_ps
#undef _mm512_set1_epi32
#undef _mm512_setzero_si512
#undef _mm512_load_ps
#undef _mm512_storeu_ps
#undef _mm512_storeu_si512
#undef _mm512_store_si512
#undef _mm512_min_ps
#undef _mm512_max_ps
#undef _mm512_add_ps
#undef _mm512_sub_ps
#undef _mm512_fnmadd_ps
#undef _mm512_cmp_ps_mask
#undef _mm512_mask_set1_epi32
#undef _mm512_castps_si512
#undef _mm512_castsi512_ps
#undef _mm512_add_epi32
#undef _mm512_and_si512
#undef _mm512_or_si512
#undef _mm512_srli_epi32
#undef _mm512_loadu_ps
#undef _mm512_store_ps
#undef _mm512_loadu_si512
#undef _mm512_maskz_loadu_ps
#undef _mm512_maskz_loadu_epi32
#undef _mm512_setr_epi32
#undef _mm512_mul_ps
#undef _mm512_sqrt_ps
#undef _mm512_permutex2var_ps
#undef _mm512_i32gather_ps
#undef _mm512_unpacklo_ps
#undef _mm512_unpackhi_ps
#undef _mm512_shuffle_ps
#undef _mm512_shuffle_f32x4
#undef _mm512_cmpneq_epi32_mask
#undef _mm512_maskz_compress_epi32
#undef _tile_loadconfig
#undef _tile_release
#undef _tile_zero
#undef _tile_loadd
#undef _tile_stored
#undef _tile_dpbf16ps

#define __m512 struct emu_ps
#define __m512i struct emu_si
#define __mmask16 uint16_t
#define _mm512_set1_ps emu_set1_ps
#define _mm512_setzero_ps() emu_set1_ps(0)
#define _mm512_set1_epi32 emu_set1_epi32
#define _mm512_setzero_si512() emu_set1_epi32(0)
#define _mm512_load_ps emu_load_ps
#define _mm512_storeu_ps(p, a) emu_store(p, (struct emu_ps[1]){a})
#define _mm512_store_ps(p, a) emu_store(p, (struct emu_ps[1]){a})
#define _mm512_loadu_ps emu_load_ps
#define _mm512_loadu_si512 emu_load_si
#define _mm512_maskz_loadu_ps emu_maskz_load_ps
#define _mm512_maskz_loadu_epi32(mask, p) emu_maskz_load_si(mask, (const uint32_t *)(p))
#define _mm512_setr_epi32(...) ((struct emu_si){{__VA_ARGS__}})
#define _mm512_mul_ps emu_mul_ps
#define _mm512_sqrt_ps emu_sqrt_ps
#define _mm512_permutex2var_ps emu_permutex2var_ps
#define _mm512_i32gather_ps(index, base, scale) emu_gather_ps(index, base)
#define _mm512_unpacklo_ps(a, b) emu_unpack(a, b, 0)
#define _mm512_unpackhi_ps(a, b) emu_unpack(a, b, 2)
#define _mm512_shuffle_ps emu_shuffle_ps
#define _mm512_shuffle_f32x4 emu_shuffle_quarters
#define _mm512_cmpneq_epi32_mask emu_unequal_mask
#define _mm512_maskz_compress_epi32 emu_compress
#define _mm512_storeu_si512(p, a) emu_store(p, (struct emu_si[1]){a})
#define _mm512_store_si512(p, a) emu_store(p, (struct emu_si[1]){a})
#define _mm512_min_ps emu_min_ps
#define _mm512_max_ps emu_max_ps
#define _mm512_add_ps emu_add_ps
#define _mm512_sub_ps emu_sub_ps
#define _mm512_fnmadd_ps emu_fnmadd_ps
#define _mm512_cmp_ps_mask(a, b, predicate) ((predicate) == _CMP_LT_OQ ? emu_less_mask(a, b) : emu_less_mask(b, a))
#define _mm512_mask_set1_epi32 emu_mask_set1_epi32
#define _mm512_castps_si512 emu_castps_si512
#define _mm512_castsi512_ps emu_castsi512_ps
#define _mm512_add_epi32 emu_add_epi32
#define _mm512_and_si512 emu_and
#define _mm512_or_si512 emu_or
#define _mm512_srli_epi32 emu_srli_epi32
#define _tile_loadconfig(config) ((void)(config))
#define _tile_release() ((void)0)
#define _tile_zero(tile) memset(emu_tiles()->rows[tile], 0, sizeof emu_tiles()->rows[tile])
#define _tile_loadd emu_tile_load
#define _tile_stored emu_tile_store
#define _tile_dpbf16ps emu_tile_dpbf16ps
#define target(...)
#define cot_nearest_avx512 emulated_nearest_avx512
#define cot_nearest_amx emulated_nearest_amx
#define cot_nearest_lane_avx512 emulated_nearest_lane_avx512
#define cot_lanes_avx512 emulated_lanes_avx512
#define cot_tile_turn_avx512 emulated_tile_turn_avx512

#endif
