/* Assignment kernels against float64: points and centres of any finite bits, every kernel that this machine runs. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "ml/assign.h"
#include "num/check.h"

int LLVMFuzzerTestOneInput(const unsigned char *bytes, size_t size);

struct source {
    const unsigned char *bytes;
    size_t size;
};

static unsigned char next_byte(struct source *source)
{
    if (source->size == 0)
        return 0;
    source->size--;
    return *source->bytes++;
}

static float next_float(struct source *source)
{
    uint32_t bits = 0;
    float value = 0;
    for (int i = 0; i < 4; i++)
        bits = bits << 8 | next_byte(source);
    memcpy(&value, &bits, sizeof value);
    return isfinite(value) ? value : 0;
}

enum { MAX_N = 40, MAX_D = 9, MAX_K = 10 };

static void check(const struct cot_tiles *tiles, const float *centres, size_t k, enum cot_isa isa)
{
    struct cot_assign assign = {0};
    if (cot_assign_init(&assign, k, tiles->d, isa, NULL) != COT_OK)
        abort();
    cot_assign_set(&assign, centres);
    for (size_t i = 0; i < tiles->n; i++) {
        _Alignas(64) float data[MAX_D * COT_TILE];
        const float *norm2 = tiles->norm2 + i / COT_TILE * COT_TILE;
        struct cot_tile_view view = {data, norm2, cot_tile_radius(norm2)};
        struct cot_nearest nearest;
        double least = INFINITY;
        size_t index = 0;
        cot_tiles_get(tiles, i / COT_TILE, data);
        cot_assign_run(&assign, &view, 1, &nearest);
        for (size_t c = 0; c < k; c++) {
            double d2 = cot_lane_distance2(view.data, i % COT_TILE, tiles->d, centres + c * tiles->d);
            if (d2 < least) {
                least = d2;
                index = c;
            }
        }
        if (nearest.index[i % COT_TILE] != index || (double)nearest.best[i % COT_TILE] < sqrt(least))
            abort();
    }
    cot_assign_release(&assign);
}

int LLVMFuzzerTestOneInput(const unsigned char *bytes, size_t size)
{
    struct source source = {.bytes = bytes, .size = size};
    size_t n = next_byte(&source) % MAX_N + 1;
    size_t d = next_byte(&source) % MAX_D + 1;
    size_t k = next_byte(&source) % MAX_K + 1;
    float x[MAX_N * MAX_D];
    float centres[MAX_K * MAX_D];
    struct cot_matrix view = {.data = x, .n = n, .d = d, .stride = d};
    struct cot_tiles tiles = {0};
    for (size_t i = 0; i < n * d; i++)
        x[i] = next_float(&source);
    if (cot_tiles_init(&tiles, &view, NULL, 1, COT_ISA_BEST, NULL) != COT_OK)
        abort();
    for (size_t c = 0; c < k; c++) {
        float row[MAX_D];
        for (size_t j = 0; j < d; j++)
            row[j] = next_float(&source);
        cot_tiles_inward(&tiles, row, centres + c * d);
    }
    for (int isa = COT_ISA_SCALAR; isa < COT_N_ISAS; isa++)
        if (cot_isa_supported((enum cot_isa)isa)) {
            tiles.isa = (enum cot_isa)isa; /* rows turned by each, too */
            check(&tiles, centres, k, (enum cot_isa)isa);
        }
    cot_tiles_release(&tiles);
    return 0;
}
