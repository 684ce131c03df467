#include "ml/assign.h"

#include <float.h>
#include <math.h>

cot_code cot_assign_init(struct cot_assign *ret_assign, size_t k, size_t d, enum cot_isa isa, struct cot_err *err)
{
    struct cot_assign assign = {0};
    cot_code rc = cot_centres_init(&assign.centres, k, d, isa, err);
    if (rc != COT_OK)
        return rc;
    assign.lanes = cot_lanes_for(assign.centres.isa);
    *ret_assign = assign;
    return COT_OK;
}

void cot_assign_release(struct cot_assign *assign)
{
    cot_centres_release(&assign->centres);
    assign->rows = NULL;
}

void cot_assign_set(struct cot_assign *assign, const float *rows)
{
    assign->rows = rows;
    cot_centres_set(&assign->centres, rows);
}

/* Four sums in flight: one alone would wait for itself. */
double cot_lane_distance2(const float *tile, size_t lane, size_t d, const float *centre)
{
    enum { SUMS = 4 };
    double sums[SUMS] = {0};
    size_t j = 0;
    for (; j + SUMS <= d; j += SUMS)
        for (size_t u = 0; u < SUMS; u++) {
            double difference = (double)tile[(j + u) * COT_TILE + lane] - (double)centre[j + u];
            sums[u] += difference * difference;
        }
    for (; j < d; j++) {
        double difference = (double)tile[j * COT_TILE + lane] - (double)centre[j];
        sums[0] += difference * difference;
    }
    return (sums[0] + sums[1]) + (sums[2] + sums[3]);
}

/* Distances in float64 to all centres: what the kernel could not tell. */
static void decide_lane(const struct cot_assign *assign, const float *tile, size_t lane, struct cot_nearest *nearest)
{
    size_t d = assign->centres.d;
    double best = INFINITY;
    double second = INFINITY;
    size_t index = 0;
    for (size_t c = 0; c < assign->centres.k; c++) {
        double d2 = cot_lane_distance2(tile, lane, d, assign->rows + c * d);
        if (d2 < best) {
            second = best;
            best = d2;
            index = c;
        } else if (d2 < second) {
            second = d2;
        }
    }
    nearest->index[lane] = (uint32_t)index;
    /* Rounded outward; FLT_MIN is for what float32 holds only as a denormal number. */
    nearest->best[lane] = (float)(sqrt(best) * (1 + 2 * FLT_EPSILON) + 2 * FLT_MIN);
    nearest->second[lane] = (float)(sqrt(second) * (1 - 2 * FLT_EPSILON) - 2 * FLT_MIN);
}

/* Bounds of distances of some lanes from float32 scores; returns the lanes that these do not decide either. */
static uint32_t refine(const struct cot_assign *assign, const struct cot_tile_view *tile, uint32_t lanes,
                       struct cot_nearest *nearest)
{
    struct cot_nearest closer = {0};
    double error = assign->centres.refined_error.base + assign->centres.refined_error.slope * (double)tile->radius;
    cot_nearest_refine(&assign->centres, tile->data, lanes, &closer);
    uint32_t doubtful = lanes & assign->lanes->bound(&closer, tile->norm2, (float)(error * (1 + FLT_EPSILON)));
    for (uint32_t left = lanes & ~doubtful; left != 0; left &= left - 1) {
        size_t lane = (size_t)__builtin_ctz(left);
        nearest->best[lane] = closer.best[lane];
        nearest->second[lane] = closer.second[lane];
        nearest->index[lane] = closer.index[lane];
    }
    return doubtful;
}

void cot_assign_run(const struct cot_assign *assign, const struct cot_tile_view *tiles, size_t n_tiles,
                    struct cot_nearest *ret_nearest)
{
    cot_nearest_run(&assign->centres, tiles, n_tiles, ret_nearest);
    for (size_t t = 0; t < n_tiles; t++) {
        double error = cot_centres_error(&assign->centres, (double)tiles[t].radius);
        uint32_t doubtful = assign->lanes->bound(ret_nearest + t, tiles[t].norm2, (float)(error * (1 + FLT_EPSILON)));
        if (doubtful != 0 && assign->centres.wide != NULL)
            doubtful = refine(assign, tiles + t, doubtful, ret_nearest + t);
        for (; doubtful != 0; doubtful &= doubtful - 1)
            decide_lane(assign, tiles[t].data, (size_t)__builtin_ctz(doubtful), ret_nearest + t);
    }
}
