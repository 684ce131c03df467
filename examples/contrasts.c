/* What sets a segment apart: features tested against everybody else, with the false discovery rate held. */
#include <math.h>
#include <stdio.h>

#include "coterie/contrasts.h"

int main(void)
{
    /* Orders a year, age. The segment differs in orders only. */
    const float customers[8][2] = {{9, 30}, {10, 45}, {11, 38}, {10, 52}, {1, 31}, {2, 47}, {3, 36}, {2, 51}};
    const char *const names[2] = {"orders", "age"};
    const uint32_t labels[8] = {0, 0, 0, 0, 1, 1, 1, 1};
    const struct cot_matrix x = {.data = &customers[0][0], .n = 8, .d = 2, .stride = 2};
    struct cot_contrast contrasts[2 * 2]; /* k x d */
    struct cot_err err = {0};

    if (cot_contrasts_compute(&x, labels, 2, 1, contrasts, &err) != COT_OK) {
        fprintf(stderr, "%s\n", err.message);
        return 1;
    }
    for (size_t j = 0; j < 2; j++)
        printf("segment 0, %s: %.2f instead of %.2f, %+.2f standard deviations, q = %.4f\n", names[j],
               contrasts[j].mean_in, contrasts[j].mean_out, contrasts[j].difference, contrasts[j].q);

    /* scipy.stats.ttest_ind(equal_var=False): t = 13.856, p = 8.86e-06 for orders. */
    int right = fabs(contrasts[0].t - 13.856406460551018) < 1e-6 && contrasts[0].q < 0.001 && contrasts[1].q > 0.5;
    return right ? 0 : 1;
}
