/*
 * Ward by rounds of reciprocal nearest neighbours: every pair of clusters that are each other's nearest is joined, all
 * at once. Ward is reducible, so those joins are the ones that joining one pair at a time would make (Murtagh,
 * doi:10.1093/comjnl/26.4.354), and a round is one dense pass over the clusters that lost their nearest neighbour.
 */
#include <stdlib.h>

#include "base/progress.h"
#include "ml/linkage_methods.h"
#include "ml/ward_clusters.h"
#include "ml/ward_nearest.h"
#include "num/check.h"

enum { GAPS_SHARE = 8, SPARE_SHARE = 16 };

/* Joins reciprocal pairs, in order of their first place, while there are free places. Returns how many. */
static size_t join_pairs(struct cot_clusters *c, struct cot_merge *ret_merges)
{
    size_t n = 0;
    size_t n_places = c->used;
    for (size_t a = 0; a < n_places && c->used < c->capacity; a++) {
        if (c->masses[a] <= 0)
            continue;
        size_t b = c->nearest[a].near[0].place;
        /* Either may have been joined in this round: the lists of the joined still say to whom. */
        if (b > a && c->masses[b] > 0 && c->nearest[b].near[0].place == a)
            ret_merges[n++] = cot_clusters_merge(c, a, b);
    }
    return n;
}

static cot_code join_all(struct cot_nearest_work *work, size_t n, uint32_t *map, struct cot_merge *ret_merges,
                         const struct cot_progress *progress, struct cot_err *err)
{
    struct cot_clusters *c = work->clusters;
    for (size_t m = 0; m + 1 < n;) {
        cot_progress_report(progress, "joining clusters", m, n - 1);
        cot_nearest_find(work, COT_NEAREST_LOST);
        size_t gaps = c->used - c->n_live;
        if (gaps > c->used / GAPS_SHARE || c->capacity - c->used < c->n_live / SPARE_SHARE + 1)
            cot_clusters_compact(c, map);
        size_t joined = join_pairs(c, ret_merges + m);
        if (joined == 0) {
            /* Where rounding puts a union an ulp nearer than its parts, neighbours can point in a circle: once all have
             * looked at all, the nearest pair of all points at itself. */
            cot_nearest_find(work, COT_NEAREST_ALL);
            joined = join_pairs(c, ret_merges + m);
        }
        if (joined == 0)
            return cot_fail(err, COT_INTERNAL, "Ward found no pair among %zu clusters", c->n_live);
        m += joined;
    }
    cot_progress_report(progress, "joining clusters", n - 1, n - 1);
    return COT_OK;
}

size_t cot_ward_memory(size_t n, size_t d, unsigned n_threads)
{
    size_t n_places = cot_clusters_capacity(n);
    return cot_clusters_memory(n, d) + cot_nearest_work_memory(n_places, d, n_threads) +
           (n_places + 1) * sizeof(uint32_t);
}

cot_code cot_ward_merges(const struct cot_matrix *x, const struct cot_linkage_options *options,
                         struct cot_merge *ret_merges, struct cot_err *err)
{
    struct cot_clusters clusters = {0};
    struct cot_nearest_work work = {0};
    uint32_t *map = NULL;
    cot_bound_filter *filter = NULL;
    cot_code rc = cot_bound_filter_for(options->isa, &filter, err);
    if (rc == COT_OK)
        rc = cot_clusters_init(&clusters, x, options->weights, err);
    if (rc != COT_OK)
        return rc;
    map = cot_alloc_array(clusters.capacity + 1, 1, sizeof *map);
    rc = map == NULL ? cot_fail(err, COT_NOMEM, "Ward over %zu rows", x->n) : COT_OK;
    if (rc == COT_OK)
        rc = cot_nearest_work_init(&work, &clusters, options->n_threads, filter, err);
    if (rc == COT_OK)
        rc = join_all(&work, x->n, map, ret_merges, options->progress, err);
    cot_nearest_work_release(&work);
    cot_clusters_release(&clusters);
    free(map);
    return rc;
}
