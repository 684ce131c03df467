/*
 * Numbers as sums of two bfloat16, laid out as the first operand of AMX tile products.
 *
 * The product of x = xh + xl and c = ch + cl over columns is summed as xl ch, xh cl, xh ch, each over all columns in
 * halves of a tile register (16 columns), two halves a register. What is left out: xl cl, and what x and c are beyond
 * 16 bits.
 */
#ifndef COT_NUM_BF16_H
#define COT_NUM_BF16_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

/* A tile register: 16 rows of 64 bytes, so 16 x 32 bfloat16 or 16 x 16 float32. */
enum { COT_AMX_ROWS = 16, COT_AMX_COLUMNS = 32, COT_AMX_HALF = 16, COT_AMX_TILE = COT_AMX_ROWS * COT_AMX_COLUMNS };

/* Halves that d columns take. */
static inline size_t cot_amx_halves(size_t d)
{
    return (d + COT_AMX_HALF - 1) / COT_AMX_HALF;
}

/* Register tiles of a product of so many halves. */
static inline size_t cot_amx_tiles(size_t n_halves)
{
    return (3 * n_halves + 1) / 2;
}

/* To nearest, halves away from 0; finite numbers only. */
static inline uint16_t cot_bf16(float x)
{
    uint32_t bits = 0;
    memcpy(&bits, &x, sizeof bits);
    return (uint16_t)((bits + 0x8000) >> 16);
}

static inline float cot_bf16_value(uint16_t half)
{
    uint32_t bits = (uint32_t)half << 16;
    float x = 0;
    memcpy(&x, &bits, sizeof x);
    return x;
}

/* Elements that k centres of d columns take. */
static inline size_t cot_bf16_size(size_t k, size_t d)
{
    return (k + COT_AMX_ROWS - 1) / COT_AMX_ROWS * cot_amx_tiles(cot_amx_halves(d)) * COT_AMX_TILE;
}

/* Tile after tile of 16 centres; columns and centres that are not there stay as they are: 0. */
static inline void cot_bf16_pack_centres(const float *rows, size_t k, size_t d, uint16_t *ret_bf16)
{
    size_t n_halves = cot_amx_halves(d);
    size_t size = cot_amx_tiles(n_halves) * COT_AMX_TILE;
    for (size_t c = 0; c < k; c++)
        for (size_t j = 0; j < d; j++) {
            uint16_t high = cot_bf16(rows[c * d + j]);
            uint16_t low = cot_bf16(rows[c * d + j] - cot_bf16_value(high));
            const uint16_t parts[] = {high, low, high};
            for (size_t part = 0; part < sizeof parts / sizeof *parts; part++) {
                size_t half = part * n_halves + j / COT_AMX_HALF;
                ret_bf16[c / COT_AMX_ROWS * size + half / 2 * COT_AMX_TILE + c % COT_AMX_ROWS * COT_AMX_COLUMNS +
                         half % 2 * COT_AMX_HALF + j % COT_AMX_HALF] = parts[part];
            }
        }
}

#endif
