/* Views: a learner sees rows inside a wider table without a copy, by the stride. */
#include <stdio.h>

#include "coterie/kmeans.h"
#include "coterie/matrix.h"

int main(void)
{
    /* Columns: id, recency, frequency. Only the last two are features; rows 1 to 4 are training rows. */
    const float table[5][3] = {{100, 0, 0}, {101, 3, 9}, {102, 5, 8}, {103, 90, 1}, {104, 80, 2}};
    const struct cot_matrix x = {.data = &table[1][1], .n = 4, .d = 2, .stride = 3};
    struct cot_kmeans_options options;
    struct cot_kmeans *kmeans = NULL;
    struct cot_err err = {0};

    for (size_t i = 0; i < x.n; i++)
        printf("recency %.0f, frequency %.0f\n", (double)cot_matrix_row(&x, i)[0], (double)cot_matrix_row(&x, i)[1]);
    cot_kmeans_options_init(&options, 2);
    if (cot_kmeans_fit(&x, &options, &kmeans, &err) != COT_OK) {
        fprintf(stderr, "%s\n", err.message);
        return 1;
    }
    int right = kmeans->labels[0] == kmeans->labels[1] && kmeans->labels[2] == kmeans->labels[3] &&
                kmeans->labels[0] != kmeans->labels[2];
    printf("labels: %u %u %u %u\n", (unsigned)kmeans->labels[0], (unsigned)kmeans->labels[1],
           (unsigned)kmeans->labels[2], (unsigned)kmeans->labels[3]);
    cot_kmeans_free(kmeans);
    return right ? 0 : 1;
}
