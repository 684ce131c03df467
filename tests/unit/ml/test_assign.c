#include "ml/assign.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "unit/num/kernel_scenes.h"

/* Labels are those of float64 distances to every centre, the lower index on a tie; bounds hold. */
static void check(enum cot_isa isa, enum scene scene, size_t n, size_t d, size_t k, uint64_t seed)
{
    struct scene_data data;
    struct cot_assign assign = {0};
    assert_true(scene_make(&data, scene, n, d, k, seed));
    assert_int_equal(cot_assign_init(&assign, k, d, isa, NULL), COT_OK);
    cot_assign_set(&assign, data.centres);
    cot_assign_run(&assign, data.views, data.tiles.n_tiles, data.nearest);
    for (size_t i = 0; i < n; i++) {
        const struct cot_nearest *nearest = data.nearest + i / COT_TILE;
        double best = INFINITY;
        double second = INFINITY;
        size_t index = 0;
        for (size_t c = 0; c < k; c++) {
            double d2 = cot_lane_distance2(data.views[i / COT_TILE].data, i % COT_TILE, d, data.centres + c * d);
            if (d2 < best) {
                second = best;
                best = d2;
                index = c;
            } else if (d2 < second) {
                second = d2;
            }
        }
        if (nearest->index[i % COT_TILE] != index)
            fail_msg("%s, scene %d: point %zu has label %u, not %zu", cot_isa_name(isa), (int)scene, i,
                     (unsigned)nearest->index[i % COT_TILE], index);
        assert_true((double)nearest->best[i % COT_TILE] >= sqrt(best));
        assert_true(k == 1 || (double)nearest->second[i % COT_TILE] <= sqrt(second));
    }
    cot_assign_release(&assign);
    scene_free(&data);
}

static void test_labels_are_those_of_float64(void **state)
{
    (void)state;
    for (int isa = COT_ISA_SCALAR; isa < COT_N_ISAS; isa++)
        for (int scene = 0; scene < N_SCENES && cot_isa_supported((enum cot_isa)isa); scene++) {
            check((enum cot_isa)isa, (enum scene)scene, 700, 5, 37, 1);
            check((enum cot_isa)isa, (enum scene)scene, 300, 150, 12, 2);
            check((enum cot_isa)isa, (enum scene)scene, 17, 1, 3, 3);
            check((enum cot_isa)isa, (enum scene)scene, 40, 4, 1, 4);
        }
}

/* Centres that float32 scores can't tell apart: |c| is a million times their distance. */
static void test_tight_centres_far_from_the_origin(void **state)
{
    enum { N = 64, D = 2, K = 4 };
    float x[N * D];
    struct cot_tiles tiles = {0};
    struct cot_assign assign = {0};
    float centres[K * D];
    (void)state;
    for (size_t i = 0; i < N; i++) {
        x[i * D] = (i % 2 == 0 ? -1.0F : 1.0F) * (1024.0F + (float)(i % 4 / 2) * 0.0009765625F);
        x[i * D + 1] = 0;
    }
    struct cot_matrix view = {.data = x, .n = N, .d = D, .stride = D};
    assert_int_equal(cot_tiles_init(&tiles, &view, NULL, 1, COT_ISA_BEST, NULL), COT_OK);
    for (size_t c = 0; c < K; c++)
        cot_tiles_point(&tiles, c, centres + c * D);
    assert_int_equal(cot_assign_init(&assign, K, D, COT_ISA_BEST, NULL), COT_OK);
    cot_assign_set(&assign, centres);
    for (size_t t = 0; t < tiles.n_tiles; t++) {
        _Alignas(64) float data[D * COT_TILE];
        const float *norm2 = tiles.norm2 + t * COT_TILE;
        struct cot_tile_view tile = {data, norm2, cot_tile_radius(norm2)};
        struct cot_nearest nearest;
        cot_tiles_get(&tiles, t, data);
        cot_assign_run(&assign, &tile, 1, &nearest);
        for (size_t lane = 0; lane < COT_TILE; lane++)
            assert_int_equal(nearest.index[lane], lane % K);
    }
    cot_assign_release(&assign);
    cot_tiles_release(&tiles);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_labels_are_those_of_float64),
        cmocka_unit_test(test_tight_centres_far_from_the_origin),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
