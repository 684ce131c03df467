/* Errors: a code for the program, a sentence for people that names the value, its place and what to do. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "coterie/err.h"
#include "coterie/kmeans.h"

/* What a caller's own function looks like: it adds what it knows and hands the code on. */
static cot_code cluster_file(const char *path, const struct cot_matrix *x, struct cot_err *err)
{
    struct cot_kmeans_options options;
    struct cot_kmeans *kmeans = NULL;
    cot_kmeans_options_init(&options, 2);
    cot_code rc = cot_kmeans_fit(x, &options, &kmeans, err);
    if (rc != COT_OK)
        return cot_err_prefix(err, rc, "%s", path);
    cot_kmeans_free(kmeans);
    return COT_OK;
}

int main(void)
{
    const float values[4] = {1, 2, NAN, 4};
    const struct cot_matrix x = {.data = values, .n = 4, .d = 1, .stride = 1};
    struct cot_err err = {0};
    cot_code rc = cluster_file("orders.npy", &x, &err);

    printf("%s (%s): %s\n", cot_code_name(rc), cot_code_text(rc), err.message);
    printf("exit status %d, HTTP status %d\n", cot_code_exit_status(rc), cot_code_http_status(rc));
    int right = rc == COT_BAD_DATA && strncmp(err.message, "orders.npy: ", 12) == 0 &&
                strstr(err.message, "row 2, column 0") != NULL && cot_code_exit_status(rc) == 65;
    return right ? 0 : 1;
}
