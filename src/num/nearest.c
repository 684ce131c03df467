#include "num/nearest.h"

#include <float.h>
#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "num/bf16.h"
#include "num/check.h"
#include "num/nearest_kernels.h"

static cot_nearest_kernel *const kernels[COT_N_ISAS] = {
    [COT_ISA_SCALAR] = cot_nearest_scalar,
#if defined(__x86_64__)
    [COT_ISA_AVX2] = cot_nearest_avx2,
    [COT_ISA_AVX512] = cot_nearest_avx512,
    [COT_ISA_AMX] = cot_nearest_amx,
#endif
};

/* With so few centres making the operands of tile products takes longer than float32 arithmetic. Measured. */
enum { AMX_PAYS = 16 };

static size_t padded(size_t k)
{
    return (k + COT_TILE - 1) / COT_TILE * COT_TILE;
}

bool cot_centres_add_bf16(struct cot_centres *centres)
{
    centres->bf16 = cot_alloc_aligned(cot_bf16_size(centres->k, centres->d), 1, sizeof *centres->bf16);
    centres->wide = cot_alloc_aligned(padded(centres->k), centres->d, sizeof *centres->wide);
    return centres->bf16 != NULL && centres->wide != NULL;
}

cot_code cot_centres_init(struct cot_centres *ret_centres, size_t k, size_t d, enum cot_isa isa, struct cot_err *err)
{
    struct cot_centres c = {.k = k, .d = d, .n_groups = (k + COT_CENTRE_GROUP - 1) / COT_CENTRE_GROUP};
    cot_code rc = cot_isa_resolve(isa, &c.isa, err);
    if (rc != COT_OK)
        return rc;
    if (isa == COT_ISA_BEST && c.isa == COT_ISA_AMX && k <= AMX_PAYS)
        c.isa = COT_ISA_AVX512;
    c.packed = cot_alloc_aligned(c.n_groups * COT_CENTRE_GROUP, d, sizeof *c.packed);
    c.half_norm = cot_alloc_array(padded(k), 1, sizeof *c.half_norm);
    if (c.packed == NULL || c.half_norm == NULL || (c.isa == COT_ISA_AMX && !cot_centres_add_bf16(&c))) {
        cot_centres_release(&c);
        return cot_fail(err, COT_NOMEM, "%zu centres of %zu columns", k, d);
    }
    *ret_centres = c;
    return COT_OK;
}

void cot_centres_release(struct cot_centres *centres)
{
    free(centres->packed);
    free(centres->half_norm);
    free(centres->bf16);
    free(centres->wide);
    *centres = (struct cot_centres){0};
}

/*
 * Higham, "Accuracy and Stability of Numerical Algorithms", section 3.1: a sum whose longest chain has m additions is
 * off by at most gamma_m = m u / (1 - m u) times the sum of the magnitudes, which Cauchy and Schwarz bound by norms. u
 * is 2^-24 for float32. What underflows adds an absolute error.
 *
 * AMX (num/bf16.h): the unit roundoff of bfloat16 is 2^-8, so of x c are missing xl cl <= 2^-16, what is beyond both
 * parts of x, 2^-16, and of c, 2^-16, each times |x| |c| and a little. A tile product sums 16 pairs of columns, the two
 * of a pair apart, before it adds them to the sum (Intel's manual, TDPBF16PS). It takes denormal numbers for 0.
 */
static double gamma_of(double n_additions)
{
    const double u = 0x1p-24;
    double m = n_additions + 4;
    return m * u < 0.5 ? m * u / (1 - m * u) : INFINITY;
}

static struct cot_score_error error_of(double gamma, double max_norm, double tiny_base, double tiny_slope)
{
    return (struct cot_score_error){1.001 * gamma * max_norm * max_norm / 2 + tiny_base,
                                    1.001 * gamma * max_norm + tiny_slope};
}

static void set_errors(struct cot_centres *centres, double max_norm)
{
    double d = (double)centres->d;
    double chain = d <= COT_CHAIN ? d : COT_CHAIN + ceil(d / COT_CHAIN);
    double tiny = (d + 4) * 0x1p-148;
    centres->error = error_of(gamma_of(chain), max_norm, tiny, 0);
    centres->refined_error = centres->error;
    if (centres->isa == COT_ISA_AMX) {
        double tiles = COT_AMX_ROWS + 2 + (double)cot_amx_tiles(cot_amx_halves(centres->d));
        double parts = 3.05 * 0x1p-16;
        double gamma = parts + (1 + parts) * gamma_of(fmax(chain, tiles)); /* AVX-512 takes many columns */
        tiny = (d + 4) * 0x1p-120;
        centres->error = error_of(gamma, max_norm, tiny * (1 + max_norm), tiny);
    }
}

void cot_centres_set(struct cot_centres *centres, const float *rows)
{
    size_t d = centres->d;
    double most = 0;
    for (size_t c = centres->k; c < padded(centres->k); c++)
        centres->half_norm[c] = FLT_MAX;
    for (size_t c = 0; c < centres->k; c++) {
        double norm2 = 0;
        float *column = centres->packed + c / COT_CENTRE_GROUP * d * COT_CENTRE_GROUP + c % COT_CENTRE_GROUP;
        for (size_t j = 0; j < d; j++) {
            column[j * COT_CENTRE_GROUP] = rows[c * d + j];
            norm2 += (double)rows[c * d + j] * (double)rows[c * d + j];
        }
        centres->half_norm[c] = (float)(norm2 / 2);
        most = norm2 > most ? norm2 : most;
    }
    set_errors(centres, sqrt(most) * (1 + DBL_EPSILON * (double)(d + 4)));
    if (centres->isa != COT_ISA_AMX)
        return;
    cot_bf16_pack_centres(rows, centres->k, d, centres->bf16);
    for (size_t c = 0; c < centres->k; c++)
        for (size_t j = 0; j < d; j++)
            centres->wide[(c / COT_TILE * d + j) * COT_TILE + c % COT_TILE] = rows[c * d + j];
}

void cot_nearest_run(const struct cot_centres *centres, const struct cot_tile_view *tiles, size_t n_tiles,
                     struct cot_nearest *ret_nearest)
{
    kernels[centres->isa](centres, tiles, n_tiles, ret_nearest);
}

void cot_nearest_refine(const struct cot_centres *centres, const float *tile, uint32_t lanes,
                        struct cot_nearest *ret_nearest)
{
#if defined(__x86_64__)
    for (; lanes != 0; lanes &= lanes - 1)
        cot_nearest_lane_avx512(centres, tile, (size_t)__builtin_ctz(lanes), ret_nearest);
#else
    (void)centres, (void)tile, (void)lanes, (void)ret_nearest; /* no kernel here is less exact */
#endif
}
