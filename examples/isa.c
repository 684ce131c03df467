/* Instruction sets: which kernels this machine runs, and that the answer does not depend on them. */
#include <stdio.h>

#include "coterie/isa.h"
#include "coterie/kmeans.h"

int main(void)
{
    const float points[6] = {0, 1, 2, 10, 11, 13};
    const struct cot_matrix x = {.data = points, .n = 6, .d = 1, .stride = 1};
    struct cot_err err = {0};
    enum cot_isa best = COT_ISA_BEST;
    double inertia = -1;
    int right = 1;

    if (cot_isa_resolve(COT_ISA_BEST, &best, &err) != COT_OK) {
        fprintf(stderr, "%s\n", err.message);
        return 1;
    }
    printf("this machine runs %s\n", cot_isa_name(best));
    for (int isa = COT_ISA_SCALAR; isa < COT_N_ISAS; isa++) {
        struct cot_kmeans_options options;
        struct cot_kmeans *kmeans = NULL;
        if (!cot_isa_supported((enum cot_isa)isa))
            continue;
        cot_kmeans_options_init(&options, 2);
        options.isa = (enum cot_isa)isa;
        if (cot_kmeans_fit(&x, &options, &kmeans, &err) != COT_OK) {
            fprintf(stderr, "%s\n", err.message);
            return 1;
        }
        printf("%s: inertia %.17g\n", cot_isa_name((enum cot_isa)isa), kmeans->inertia);
        right = right && (inertia < 0 || inertia == kmeans->inertia);
        inertia = kmeans->inertia;
        cot_kmeans_free(kmeans);
    }
    return right ? 0 : 1;
}
