/*
 * Instruction sets that the numeric kernels are written for, and which of them this processor runs.
 *
 * Kernels differ in speed only: labels, centroids and inertia are the same bytes whichever one runs (how many points
 * bounds spared may differ).
 * Example: examples/isa.c. Thread rule: every function may be called from any thread.
 */
#ifndef COTERIE_ISA_H
#define COTERIE_ISA_H

#include <stdbool.h>

#include "coterie/err.h"

enum cot_isa {
    COT_ISA_BEST,   /* the last of those below that the processor and the operating system support */
    COT_ISA_SCALAR, /* plain C: the reference that the others are compared with */
    COT_ISA_AVX2,   /* AVX2 and FMA, 8 float32 at once */
    COT_ISA_AVX512, /* AVX-512 F, 16 float32 at once */
    COT_ISA_AMX     /* AMX tiles of bfloat16, rechecked in float32 and float64; needs AVX-512 F, too */
};

enum { COT_N_ISAS = COT_ISA_AMX + 1 };

/* "best", "scalar", "avx2", "avx512", "amx". */
const char *cot_isa_name(enum cot_isa isa);

/* COT_USAGE for a name that is none of the above. */
cot_code cot_isa_parse(const char *name, enum cot_isa *ret_isa, struct cot_err *err) COT_MUST_CHECK;

/* Whether this machine runs it; COT_ISA_BEST and COT_ISA_SCALAR always. */
bool cot_isa_supported(enum cot_isa isa);

/*
 * COT_ISA_BEST becomes the set that will run; another one stays, or gives COT_USAGE where this machine does not run it.
 * For AMX the first call asks the operating system for the tile registers.
 */
cot_code cot_isa_resolve(enum cot_isa isa, enum cot_isa *ret_isa, struct cot_err *err) COT_MUST_CHECK;

#endif
