/* Mixed data to what clustering sees, and back: skewed spend, an ordinary age, a country. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "coterie/transform.h"

int main(void)
{
    const struct cot_transform_column columns[3] = {
        {"spend", COT_TRANSFORM_QUANTILE_NORMAL}, {"age", COT_TRANSFORM_ROBUST}, {"country", COT_TRANSFORM_CATEGORY}};
    const float customers[6][3] = {{5, 30, 0}, {9, 41, 0}, {20, 35, 1}, {60, 28, 0}, {300, 55, 1}, {9000, NAN, 1}};
    const struct cot_matrix x = {.data = &customers[0][0], .n = 6, .d = 3, .stride = 3};
    struct cot_transform_options options;
    struct cot_transform *transform = NULL;
    struct cot_transform *copy = NULL;
    unsigned char *bytes = NULL;
    size_t size = 0;
    float z[6 * 4]; /* spend, age, two indicators */
    float back[6 * 3];
    struct cot_err err = {0};
    int right = 0;

    cot_transform_options_init(&options);
    options.winsor_low = 0; /* few rows: keep them as they are */
    options.winsor_high = 1;
    if (cot_transform_fit(&x, columns, &options, &transform, &err) != COT_OK ||
        cot_transform_encode(transform, &bytes, &size, &err) != COT_OK || /* to keep beside the model */
        cot_transform_decode(bytes, size, &copy, &err) != COT_OK ||
        cot_transform_apply(copy, &x, 0, z, &err) != COT_OK) {
        fprintf(stderr, "%s\n", err.message);
        goto out;
    }
    const struct cot_matrix scores = {.data = z, .n = 6, .d = cot_transform_d_out(copy), .stride = 4};
    if (cot_transform_inverse_rows(copy, &scores, 0, back, &err) != COT_OK) {
        fprintf(stderr, "%s\n", err.message);
        goto out;
    }
    right = scores.d == 4;
    for (size_t i = 0; i < 6; i++) {
        printf("%6.0f %4.0f %2.0f -> %+.2f %+.2f %+.2f %+.2f -> %6.0f %4.0f %2.0f\n", (double)customers[i][0],
               (double)customers[i][1], (double)customers[i][2], (double)z[4 * i], (double)z[4 * i + 1],
               (double)z[4 * i + 2], (double)z[4 * i + 3], (double)back[3 * i], (double)back[3 * i + 1],
               (double)back[3 * i + 2]);
        right = right && fabsf(back[3 * i] - customers[i][0]) < 1e-3F * customers[i][0] &&
                back[3 * i + 2] == customers[i][2];
    }
    right = right && back[3 * 5 + 1] == 35; /* the missing age is the median */
out:
    free(bytes);
    cot_transform_free(transform);
    cot_transform_free(copy);
    return right ? 0 : 1;
}
