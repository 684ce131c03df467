/* How many clusters? Three planted ones, and the evidence for every k. */
#include <stdio.h>

#include "coterie/choose_k.h"

int main(void)
{
    enum { N = 300 };
    static float points[N][2];
    const float centres[3][2] = {{0, 0}, {10, 0}, {0, 10}};
    const struct cot_matrix x = {.data = &points[0][0], .n = N, .d = 2, .stride = 2};
    struct cot_choose_k_options options;
    struct cot_k_choice *choice = NULL;
    struct cot_err err = {0};

    for (int i = 0; i < N; i++) { /* a grid of 10 x 10 points around each centre */
        points[i][0] = centres[i % 3][0] + 0.3F * (float)(i / 3 % 10);
        points[i][1] = centres[i % 3][1] + 0.3F * (float)(i / 30);
    }
    cot_choose_k_options_init(&options);
    options.k_max = 6;
    if (cot_choose_k(&x, &options, &choice, &err) != COT_OK) {
        fprintf(stderr, "%s\n", err.message);
        return 1;
    }
    printf(" k  stability  silhouette     BIC  score\n");
    for (size_t i = 0; i < choice->n_evidence; i++) {
        const struct cot_k_evidence *e = &choice->evidence[i];
        printf("%2zu     %6.3f      %6.3f  %6.0f  %5.3f%s\n", e->k, e->stability, e->silhouette, e->bic, e->score,
               e->k == choice->k ? "  <-" : "");
    }
    int right = choice->k == 3;
    cot_k_choice_free(choice);
    return right ? 0 : 1;
}
