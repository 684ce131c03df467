/* Numbers rounded to bfloat16, laid out as the operands of AMX tile products. */
#ifndef COT_NUM_BF16_H
#define COT_NUM_BF16_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

/* A tile register: 16 rows of 64 bytes, so 16 x 32 bfloat16 or 16 x 16 float32. */
enum { COT_AMX_ROWS = 16, COT_AMX_COLUMNS = 32, COT_AMX_TILE = COT_AMX_ROWS * COT_AMX_COLUMNS };

/* To nearest, ties to even; finite numbers only. */
static inline uint16_t cot_bf16(float x)
{
    uint32_t bits = 0;
    memcpy(&bits, &x, sizeof bits);
    return (uint16_t)((bits + 0x7fff + ((bits >> 16) & 1)) >> 16);
}

/* Elements that k centres of d columns take: k padded to 16, d to 32, with zeros. */
static inline size_t cot_bf16_size(size_t k, size_t d)
{
    size_t n_row_tiles = (k + COT_AMX_ROWS - 1) / COT_AMX_ROWS;
    size_t n_column_tiles = (d + COT_AMX_COLUMNS - 1) / COT_AMX_COLUMNS;
    return n_row_tiles * n_column_tiles * COT_AMX_TILE;
}

/* First operand: tile (row tile, column tile) after tile, row tiles first; rows are centres, 32 columns each. */
static inline void cot_bf16_pack_centres(const float *rows, size_t k, size_t d, uint16_t *ret_bf16)
{
    size_t n_column_tiles = (d + COT_AMX_COLUMNS - 1) / COT_AMX_COLUMNS;
    for (size_t c = 0; c < k; c++)
        for (size_t j = 0; j < d; j++) {
            size_t tile = c / COT_AMX_ROWS * n_column_tiles + j / COT_AMX_COLUMNS;
            ret_bf16[tile * COT_AMX_TILE + c % COT_AMX_ROWS * COT_AMX_COLUMNS + j % COT_AMX_COLUMNS] =
                cot_bf16(rows[c * d + j]);
        }
}

#endif
