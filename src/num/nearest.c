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

cot_code cot_centres_init(struct cot_centres *ret_centres, size_t k, size_t d, enum cot_isa isa, struct cot_err *err)
{
    struct cot_centres c = {.k = k, .d = d, .n_groups = (k + COT_CENTRE_GROUP - 1) / COT_CENTRE_GROUP};
    cot_code rc = cot_isa_resolve(isa, &c.isa, err);
    if (rc != COT_OK)
        return rc;
    c.packed = cot_alloc_aligned(c.n_groups * COT_CENTRE_GROUP, d, sizeof *c.packed);
    c.half_norm = cot_alloc_array(c.n_groups, COT_CENTRE_GROUP, sizeof *c.half_norm);
    if (c.isa == COT_ISA_AMX) {
        c.bf16_size = cot_bf16_size(k, d);
        c.bf16 = cot_alloc_aligned(c.bf16_size, 1, sizeof *c.bf16);
    }
    if (c.packed == NULL || c.half_norm == NULL || (c.isa == COT_ISA_AMX && c.bf16 == NULL)) {
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
    *centres = (struct cot_centres){0};
}

/*
 * Higham, "Accuracy and Stability of Numerical Algorithms", section 3.1: a sum whose longest chain has m additions is
 * off by at most gamma_m = m u / (1 - m u) times the sum of the magnitudes, which Cauchy and Schwarz bound by norms. u
 * is 2^-24 for float32; products of numbers rounded to bfloat16 (unit roundoff 2^-9) are off by (2 u + u^2) more, and
 * AMX sums all columns in one chain. What underflows adds an absolute error; AMX takes denormal numbers for 0.
 */
static void set_error(struct cot_centres *centres, double max_norm)
{
    bool amx = centres->isa == COT_ISA_AMX;
    double d = (double)centres->d;
    double m = (amx || d <= COT_CHAIN ? d : COT_CHAIN + ceil(d / COT_CHAIN)) + 4;
    double u = 0x1p-24;
    double gamma = m * u < 0.5 ? m * u / (1 - m * u) : INFINITY;
    double tiny = (d + 4) * (amx ? 0x1p-124 * (1 + max_norm) : 0x1p-148);
    if (amx)
        gamma += 2 * 0x1p-9 + 0x1p-18;
    centres->error_base = 1.001 * gamma * max_norm * max_norm / 2 + tiny;
    centres->error_slope = 1.001 * gamma * max_norm + (amx ? (d + 4) * 0x1p-124 : 0);
}

void cot_centres_set(struct cot_centres *centres, const float *rows)
{
    size_t d = centres->d;
    double most = 0;
    for (size_t c = 0; c < centres->n_groups * COT_CENTRE_GROUP; c++) {
        double norm2 = 0;
        if (c >= centres->k) {
            centres->half_norm[c] = FLT_MAX;
            continue;
        }
        float *column = centres->packed + c / COT_CENTRE_GROUP * d * COT_CENTRE_GROUP + c % COT_CENTRE_GROUP;
        for (size_t j = 0; j < d; j++) {
            column[j * COT_CENTRE_GROUP] = rows[c * d + j];
            norm2 += (double)rows[c * d + j] * (double)rows[c * d + j];
        }
        centres->half_norm[c] = (float)(norm2 / 2);
        most = norm2 > most ? norm2 : most;
    }
    set_error(centres, sqrt(most) * (1 + DBL_EPSILON * (double)(d + 4)));
    if (centres->bf16 != NULL)
        cot_bf16_pack_centres(rows, centres->k, d, centres->bf16);
}

void cot_nearest_run(const struct cot_centres *centres, const struct cot_tile_view *tiles, size_t n_tiles,
                     struct cot_nearest *ret_nearest)
{
    kernels[centres->isa](centres, tiles, n_tiles, ret_nearest);
}
