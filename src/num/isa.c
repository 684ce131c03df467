#include "coterie/isa.h"

#include <string.h>

#if defined(__x86_64__)
#include <cpuid.h>
#include <sys/syscall.h>
#include <unistd.h>
#endif

static const char *const names[COT_N_ISAS] = {
    [COT_ISA_BEST] = "best",     [COT_ISA_SCALAR] = "scalar", [COT_ISA_AVX2] = "avx2",
    [COT_ISA_AVX512] = "avx512", [COT_ISA_AMX] = "amx",
};

const char *cot_isa_name(enum cot_isa isa)
{
    return names[isa];
}

cot_code cot_isa_parse(const char *name, enum cot_isa *ret_isa, struct cot_err *err)
{
    for (int i = 0; i < COT_N_ISAS; i++)
        if (strcmp(names[i], name) == 0) {
            *ret_isa = (enum cot_isa)i;
            return COT_OK;
        }
    return cot_fail(err, COT_USAGE, "instruction set '%s': best, scalar, avx2, avx512 or amx", name);
}

#if defined(__x86_64__)

/* Linux hands out the 8 KB of tile registers on request only (Documentation/arch/x86/xstate.rst). */
static bool amx_granted(void)
{
    enum { ARCH_REQ_XCOMP_PERM = 0x1023, XFEATURE_XTILEDATA = 18 };
    return syscall(SYS_arch_prctl, ARCH_REQ_XCOMP_PERM, XFEATURE_XTILEDATA) == 0;
}

static bool amx_supported(void)
{
    enum { AMX_BF16 = 1 << 22, AMX_TILE = 1 << 24 }; /* leaf 7, EDX */
    unsigned a = 0;
    unsigned b = 0;
    unsigned c = 0;
    unsigned d = 0;
    if (!__builtin_cpu_supports("avx512f") || __get_cpuid_count(7, 0, &a, &b, &c, &d) == 0)
        return false;
    return (d & AMX_BF16) != 0 && (d & AMX_TILE) != 0 && amx_granted();
}

bool cot_isa_supported(enum cot_isa isa)
{
    switch (isa) {
    case COT_ISA_BEST:
    case COT_ISA_SCALAR: return true;
    case COT_ISA_AVX2:
        return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") && __builtin_cpu_supports("bmi2");
    case COT_ISA_AVX512: return __builtin_cpu_supports("avx512f");
    case COT_ISA_AMX: return amx_supported();
    }
    return false;
}

#else

bool cot_isa_supported(enum cot_isa isa)
{
    return isa == COT_ISA_BEST || isa == COT_ISA_SCALAR;
}

#endif

cot_code cot_isa_resolve(enum cot_isa isa, enum cot_isa *ret_isa, struct cot_err *err)
{
    if (!cot_isa_supported(isa))
        return cot_fail(err, COT_USAGE, "this machine does not run %s kernels: choose another instruction set, or best",
                        names[isa]);
    if (isa == COT_ISA_BEST)
        for (isa = COT_ISA_AMX; !cot_isa_supported(isa);)
            isa = (enum cot_isa)(isa - 1);
    *ret_isa = isa;
    return COT_OK;
}
