/* Encoded transforms: the checksum is made right first, so that the content behind it is reached. */
#include <stdlib.h>
#include <string.h>
#include <xxhash.h>

#include "coterie/transform.h"

int LLVMFuzzerTestOneInput(const unsigned char *bytes, size_t size);

int LLVMFuzzerTestOneInput(const unsigned char *bytes, size_t size)
{
    struct cot_transform *transform = NULL;
    unsigned char *copy = malloc(size > 0 ? size : 1);
    if (copy == NULL)
        return 0;
    memcpy(copy, bytes, size);
    if (size >= 28) {
        memcpy(copy, "COTX", 4);
        copy[4] = (unsigned char)(1 + copy[4] % 2); /* either version */
        memset(copy + 5, 0, 3);
        for (size_t i = 0; i < 8; i++)
            copy[8 + i] = (unsigned char)(size >> (8 * i));
        XXH64_hash_t hash = XXH3_64bits(copy, size - 8);
        for (size_t i = 0; i < 8; i++)
            copy[size - 8 + i] = (unsigned char)(hash >> (8 * i));
    }
    if (cot_transform_decode(copy, size, &transform, NULL) == COT_OK) {
        size_t d = cot_transform_d_in(transform);
        float *row = calloc(d, sizeof *row);
        float *z = calloc(cot_transform_d_out(transform), sizeof *z);
        struct cot_matrix x = {.data = row, .n = 1, .d = d, .stride = d};
        if (row == NULL || z == NULL || cot_transform_apply(transform, &x, 1, z, NULL) != COT_OK)
            abort();
        x = (struct cot_matrix){
            .data = z, .n = 1, .d = cot_transform_d_out(transform), .stride = cot_transform_d_out(transform)};
        if (cot_transform_inverse_rows(transform, &x, 1, row, NULL) == COT_INTERNAL)
            abort();
        free(row);
        free(z);
    }
    cot_transform_free(transform);
    free(copy);
    return 0;
}
