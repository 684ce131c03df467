/*
 * Ward by nearest-neighbour chains over centroids.
 *
 * The live clusters stand densely in slots, eight to a tile, column after column, so one scan of all of them
 * vectorises. A cluster's nearest neighbour stays its nearest until that neighbour is merged away: Ward is reducible, a
 * union is never nearer than the nearer of its parts. So each is scanned once, in parallel, and again only where that
 * happened.
 */
#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/progress.h"
#include "base/threads.h"
#include "ml/linkage_methods.h"
#include "num/check.h"

typedef double lanes __attribute__((vector_size(32)));
typedef int64_t lane_mask __attribute__((vector_size(32)));

enum { TILE = 8, LANES = 4, QUERIES_A_BLOCK = 64, MERGES_A_REPORT = 256 };

static const uint32_t DEAD = UINT32_MAX;

struct ward {
    size_t d;
    size_t n_live;
    double *means;     /* tiles x d x TILE */
    double *mass;      /* a slot; of its points */
    double *height;    /* a slot: of its last merge, 0 for a leaf */
    uint32_t *cluster; /* a slot: leaves 0..n-1, merge m makes n + m */
    uint32_t *leaf;    /* a slot: any leaf of it */
    uint32_t *nearest; /* a slot: cluster that is nearest */
    double *nearest_d; /* a slot: squared height to it */
    uint32_t *slot_of; /* a cluster: its slot, or DEAD */
};

/* ---- the scan ---- */

#define INLINE static inline __attribute__((always_inline))

/* Squared Ward heights of a tile's clusters with a query: 2 w v / (w + v) * |m - q|^2. */
INLINE void tile_heights2(const double *means, const double *mass, size_t d, const double *query, double query_mass,
                          lanes ret_heights2[2])
{
    lanes sum[2] = {{0}, {0}};
    for (size_t j = 0; j < d; j++) {
        const lanes *m = (const lanes *)(const void *)(means + j * TILE);
        lanes a = m[0] - query[j];
        lanes b = m[1] - query[j];
        sum[0] += a * a;
        sum[1] += b * b;
    }
    for (int half = 0; half < 2; half++) {
        lanes w;
        memcpy(&w, mass + half * LANES, sizeof w);
        ret_heights2[half] = (w * query_mass) / (w + query_mass) * 2.0 * sum[half];
    }
}

/* Nearest live slot to the query in slot `self`; the lowest slot on a tie. */
INLINE size_t scan_body(const struct ward *ward, size_t self, const double *query, double *ret_height2)
{
    size_t n_tiles = (ward->n_live + TILE - 1) / TILE;
    lanes best[2] = {(lanes){0} + DBL_MAX, (lanes){0} + DBL_MAX};
    lane_mask best_tile[2] = {{0}, {0}};
    for (size_t t = 0; t < n_tiles; t++) {
        lanes h[2];
        tile_heights2(ward->means + t * ward->d * TILE, ward->mass + t * TILE, ward->d, query, ward->mass[self], h);
        if (t == self / TILE)
            h[self % TILE / LANES][self % LANES] = DBL_MAX;
        if (t + 1 == n_tiles)
            for (size_t s = ward->n_live - t * TILE; s < TILE; s++)
                h[s / LANES][s % LANES] = DBL_MAX;
        for (int half = 0; half < 2; half++) {
            lane_mask smaller = h[half] < best[half];
            best[half] = (lanes)((smaller & (lane_mask)h[half]) | (~smaller & (lane_mask)best[half]));
            best_tile[half] = (smaller & (int64_t)t) | (~smaller & best_tile[half]);
        }
    }
    size_t winner = SIZE_MAX;
    double height2 = DBL_MAX;
    for (size_t s = 0; s < TILE; s++) {
        double h = best[s / LANES][s % LANES];
        size_t slot = (size_t)best_tile[s / LANES][s % LANES] * TILE + s;
        if (h < height2 || (h == height2 && h < DBL_MAX && slot < winner)) {
            height2 = h;
            winner = slot;
        }
    }
    *ret_height2 = height2;
    return winner;
}

#if defined(__x86_64__)
__attribute__((target("avx2"))) static size_t scan_avx2(const struct ward *ward, size_t self, const double *query,
                                                        double *ret_height2)
{
    return scan_body(ward, self, query, ret_height2);
}
#define HAVE_AVX2() __builtin_cpu_supports("avx2")
#else
#define scan_avx2 scan_body
#define HAVE_AVX2() 0
#endif

/* query: scratch of d doubles. */
static void find_nearest(struct ward *ward, size_t slot, double *query)
{
    const double *lane = ward->means + slot / TILE * ward->d * TILE + slot % TILE;
    for (size_t j = 0; j < ward->d; j++)
        query[j] = lane[j * TILE];
    size_t winner = HAVE_AVX2() ? scan_avx2(ward, slot, query, &ward->nearest_d[slot])
                                : scan_body(ward, slot, query, &ward->nearest_d[slot]);
    ward->nearest[slot] = ward->cluster[winner];
}

struct first_scan {
    struct ward *ward;
    double *queries; /* d a block */
};

static void scan_block(void *context, size_t begin, size_t end, size_t i_block, unsigned i_thread)
{
    struct first_scan *first = context;
    (void)i_thread;
    for (size_t slot = begin; slot < end; slot++)
        find_nearest(first->ward, slot, first->queries + i_block * first->ward->d);
}

/* ---- the chain ---- */

/* Slot a becomes the union of a and b, with cluster number `made`; the last live slot moves to b. */
static void merge_slots(struct ward *ward, size_t a, size_t b, double height, uint32_t made)
{
    size_t d = ward->d;
    double *lane_a = ward->means + a / TILE * d * TILE + a % TILE;
    double *lane_b = ward->means + b / TILE * d * TILE + b % TILE;
    double mass = ward->mass[a] + ward->mass[b];
    for (size_t j = 0; j < d; j++)
        lane_a[j * TILE] = (ward->mass[a] * lane_a[j * TILE] + ward->mass[b] * lane_b[j * TILE]) / mass;
    ward->mass[a] = mass;
    ward->height[a] = height;
    ward->slot_of[ward->cluster[a]] = DEAD;
    ward->slot_of[ward->cluster[b]] = DEAD;
    ward->cluster[a] = made;
    ward->slot_of[made] = (uint32_t)a;
    ward->nearest[a] = made; /* not yet known: a cluster is never its own neighbour */

    size_t last = --ward->n_live;
    if (b == last)
        return;
    const double *lane_last = ward->means + last / TILE * d * TILE + last % TILE;
    for (size_t j = 0; j < d; j++)
        lane_b[j * TILE] = lane_last[j * TILE];
    ward->mass[b] = ward->mass[last];
    ward->height[b] = ward->height[last];
    ward->cluster[b] = ward->cluster[last];
    ward->leaf[b] = ward->leaf[last];
    ward->nearest[b] = ward->nearest[last];
    ward->nearest_d[b] = ward->nearest_d[last];
    ward->slot_of[ward->cluster[b]] = (uint32_t)b;
}

static void follow_chain(struct ward *ward, size_t n, uint32_t *chain, double *query, struct cot_merge *ret_merges,
                         const struct cot_progress *progress)
{
    size_t length = 0;
    for (size_t m = 0; m + 1 < n;) {
        if (length == 0)
            chain[length++] = ward->cluster[0];
        uint32_t top = chain[length - 1];
        size_t slot = ward->slot_of[top];
        if (ward->nearest[slot] == top || ward->slot_of[ward->nearest[slot]] == DEAD)
            find_nearest(ward, slot, query);
        uint32_t next = ward->nearest[slot];
        /* On a tie the one before wins, or the chain could run in a circle. */
        if (length > 1 && ward->nearest_d[ward->slot_of[chain[length - 2]]] <= ward->nearest_d[slot])
            next = chain[length - 2];
        if (length < 2 || next != chain[length - 2]) {
            chain[length++] = next;
            continue;
        }
        size_t other = ward->slot_of[next];
        size_t a = slot < other ? slot : other;
        size_t b = slot < other ? other : slot;
        /* Rounding must not put a union below its parts. */
        double height = sqrt(ward->nearest_d[slot]);
        height = fmax(height, fmax(ward->height[a], ward->height[b]));
        ret_merges[m] = (struct cot_merge){.a = ward->leaf[a], .b = ward->leaf[b], .height = height};
        merge_slots(ward, a, b, height, (uint32_t)(n + m));
        length -= 2;
        m++;
        if (m % MERGES_A_REPORT == 0)
            cot_progress_report(progress, "joining clusters", m, n - 1);
    }
}

static void place_leaves(struct ward *ward, const struct cot_matrix *x, const float *weights)
{
    for (size_t i = 0; i < x->n; i++) {
        const float *row = cot_matrix_row(x, i);
        double *lane = ward->means + i / TILE * x->d * TILE + i % TILE;
        for (size_t j = 0; j < x->d; j++)
            lane[j * TILE] = (double)row[j];
        ward->mass[i] = weights != NULL ? (double)weights[i] : 1.0;
        ward->cluster[i] = ward->leaf[i] = ward->slot_of[i] = (uint32_t)i;
    }
}

cot_code cot_ward_merges(const struct cot_matrix *x, const struct cot_linkage_options *options,
                         struct cot_merge *ret_merges, struct cot_err *err)
{
    size_t n = x->n;
    size_t n_padded = (n + TILE - 1) / TILE * TILE;
    size_t n_blocks = cot_n_blocks(n, QUERIES_A_BLOCK);
    struct ward ward = {.d = x->d, .n_live = n};
    uint32_t *chain = cot_alloc_array(n + 1, 1, sizeof *chain);
    double *queries = cot_alloc_array(n_blocks, x->d, sizeof *queries);
    cot_code rc = COT_OK;

    ward.means = cot_alloc_aligned(n_padded, x->d, sizeof *ward.means);
    ward.mass = cot_alloc_array(n_padded, 1, sizeof *ward.mass);
    ward.height = cot_alloc_array(n, 1, sizeof *ward.height);
    ward.cluster = cot_alloc_array(n, 1, sizeof *ward.cluster);
    ward.leaf = cot_alloc_array(n, 1, sizeof *ward.leaf);
    ward.nearest = cot_alloc_array(n, 1, sizeof *ward.nearest);
    ward.nearest_d = cot_alloc_array(n, 1, sizeof *ward.nearest_d);
    ward.slot_of = cot_alloc_array(2 * n, 1, sizeof *ward.slot_of);
    if (chain == NULL || queries == NULL || ward.means == NULL || ward.mass == NULL || ward.height == NULL ||
        ward.cluster == NULL || ward.leaf == NULL || ward.nearest == NULL || ward.nearest_d == NULL ||
        ward.slot_of == NULL) {
        rc = cot_fail(err, COT_NOMEM, "Ward over %zu x %zu numbers", n, x->d);
        goto out;
    }
    place_leaves(&ward, x, options->weights);
    struct first_scan first = {.ward = &ward, .queries = queries};
    cot_progress_report(options->progress, "joining clusters", 0, n - 1);
    cot_parallel_for(options->n_threads, n, QUERIES_A_BLOCK, scan_block, &first);
    follow_chain(&ward, n, chain, queries, ret_merges, options->progress);
    cot_progress_report(options->progress, "joining clusters", n - 1, n - 1);
out:
    free(chain);
    free(queries);
    free(ward.means);
    free(ward.mass);
    free(ward.height);
    free(ward.cluster);
    free(ward.leaf);
    free(ward.nearest);
    free(ward.nearest_d);
    free(ward.slot_of);
    return rc;
}
