/* Discriminant clustering: a column that varies a lot but separates nothing gets no say. */
#include <math.h>
#include <stdio.h>

#include "coterie/discriminant.h"

int main(void)
{
    enum { N = 200 };
    static float z[N][2];
    uint32_t start[N];
    const struct cot_matrix x = {.data = &z[0][0], .n = N, .d = 2, .stride = 2};
    const struct cot_discriminant_options options = {.max_iter = 50};
    struct cot_discriminant *fit = NULL;
    struct cot_err err = {0};
    int right = 1;

    for (int i = 0; i < N; i++) {
        int truth = i % 2;
        z[i][0] = (truth ? 1.0F : -1.0F) + 0.02F * (float)(i / 2 % 10); /* separates */
        z[i][1] = 0.03F * (float)(i / 2) - 1.5F;                        /* only varies */
        start[i] = (uint32_t)(i % 10 == 3 ? 1 - truth : truth);         /* a guess, a tenth of it wrong */
    }
    if (cot_discriminant_fit(&x, start, 2, &options, &fit, &err) != COT_OK) {
        fprintf(stderr, "%s\n", err.message);
        return 1;
    }
    printf("axis: %.3f x0 %+.3f x1; between over within: %.1f\n", fit->axes[0], fit->axes[1], fit->ratios[0]);
    for (int i = 0; i < N; i++)
        right = right && (fit->labels[i] == fit->labels[0]) == (i % 2 == 0);
    right = right && fabs(fit->axes[0]) > 5 * fabs(fit->axes[1]);
    cot_discriminant_free(fit);
    return right ? 0 : 1;
}
