/*
 * Fits and scores buy-till-you-die models, timed.   bench_btyd CUSTOMERS FITS SCORED HORIZON
 *
 * CUSTOMERS: binary, float64 x, tx, T, mean spend of one customer after another. Each model is fitted FITS times; then
 * SCORED customers (the file's over and over, each time observed a little longer, so that no two are the same) get
 * their expected purchases in HORIZON, P(alive) and expected spend. Prints a JSON object.
 */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "coterie/btyd.h"
#include "coterie/spend.h"

enum { FIELDS = 4 };

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

struct table {
    size_t n;
    double *columns[FIELDS];
};

static void fail(const char *what)
{
    fprintf(stderr, "bench_btyd: %s\n", what);
    exit(1);
}

static struct table table_of(size_t n)
{
    struct table table = {.n = n};
    for (int f = 0; f < FIELDS; f++)
        if ((table.columns[f] = calloc(n > 0 ? n : 1, sizeof(double))) == NULL)
            fail("no memory");
    return table;
}

static void free_table(struct table *table)
{
    for (int f = 0; f < FIELDS; f++)
        free(table->columns[f]);
}

static struct table read_table(const char *path)
{
    FILE *file = fopen(path, "rb");
    if (file == NULL || fseek(file, 0, SEEK_END) != 0)
        fail(path);
    struct table table = table_of((size_t)ftell(file) / (FIELDS * sizeof(double)));
    rewind(file);
    for (size_t i = 0; i < table.n; i++) {
        double row[FIELDS];
        if (fread(row, sizeof row, 1, file) != 1)
            fail(path);
        for (int f = 0; f < FIELDS; f++)
            table.columns[f][i] = row[f];
    }
    fclose(file);
    return table;
}

static struct table repeated(const struct table *from, size_t n)
{
    struct table table = table_of(n);
    for (size_t i = 0; i < n; i++) {
        for (int f = 0; f < FIELDS; f++)
            table.columns[f][i] = from->columns[f][i % from->n];
        table.columns[2][i] += 0.01 * (double)(i / from->n);
    }
    return table;
}

static struct cot_btyd_customers customers_of(const struct table *table)
{
    return (struct cot_btyd_customers){
        .n = table->n, .x = table->columns[0], .tx = table->columns[1], .T = table->columns[2]};
}

static void print_parameters(const double *parameters, size_t n)
{
    printf("], \"parameters\": [");
    for (size_t i = 0; i < n; i++)
        printf("%s%.17g", i > 0 ? ", " : "", parameters[i]);
}

static void bench_kind(enum cot_btyd_kind kind, const struct table *table, const struct table *scored, int n_fits,
                       double horizon)
{
    const struct cot_btyd_customers customers = customers_of(table);
    const struct cot_btyd_customers many = customers_of(scored);
    struct cot_btyd_options options;
    struct cot_btyd model = {0};
    struct cot_err err = {0};
    double *expected = calloc(scored->n, sizeof *expected);
    double *alive = calloc(scored->n, sizeof *alive);
    double sum = 0;
    if (expected == NULL || alive == NULL)
        fail("no memory");
    cot_btyd_options_init(&options, kind);
    options.k = 1; /* times between purchases are not in the table */
    printf("\"%s\": {\"seconds\": [", cot_btyd_kind_name(kind));
    for (int i = 0; i < n_fits; i++) {
        double start = now();
        if (cot_btyd_fit(&customers, &options, &model, &err) != COT_OK)
            fail(err.message);
        printf("%s%.6f", i > 0 ? ", " : "", now() - start);
    }
    double start = now();
    if (cot_btyd_score(&model, &many, horizon, 0, expected, alive, &err) != COT_OK)
        fail(err.message);
    double seconds = now() - start;
    for (size_t i = 0; i < scored->n; i++)
        sum += expected[i];
    print_parameters(model.parameters, COT_BTYD_PARAMETERS);
    printf("], \"log_likelihood\": %.6f, \"score_seconds\": %.6f, \"mean_expected\": %.9f}, ", model.log_likelihood,
           seconds, sum / (double)scored->n);
    free(expected);
    free(alive);
}

static void bench_spend(const struct table *table, const struct table *scored, int n_fits)
{
    struct cot_spend model = {0};
    struct cot_err err = {0};
    double sum = 0;
    printf("\"gammagamma\": {\"seconds\": [");
    for (int i = 0; i < n_fits; i++) {
        double start = now();
        if (cot_spend_fit(table->n, table->columns[0], table->columns[3], 0, &model, &err) != COT_OK)
            fail(err.message);
        printf("%s%.6f", i > 0 ? ", " : "", now() - start);
    }
    double start = now();
    for (size_t i = 0; i < scored->n; i++)
        sum += cot_spend_expected(&model, scored->columns[0][i], scored->columns[3][i]);
    print_parameters(model.parameters, COT_SPEND_PARAMETERS);
    printf("], \"log_likelihood\": %.6f, \"score_seconds\": %.6f, \"mean_expected\": %.9f}", model.log_likelihood,
           now() - start, sum / (double)scored->n);
}

int main(int argc, char **argv)
{
    if (argc != 5)
        fail("usage: bench_btyd CUSTOMERS FITS SCORED HORIZON");
    struct table table = read_table(argv[1]);
    int n_fits = (int)strtol(argv[2], NULL, 10);
    struct table scored = repeated(&table, strtoul(argv[3], NULL, 10));
    double horizon = strtod(argv[4], NULL);
    printf("{");
    bench_kind(COT_BTYD_BGNBD, &table, &scored, n_fits, horizon);
    bench_kind(COT_BTYD_MBGCNBDK, &table, &scored, n_fits, horizon);
    bench_kind(COT_BTYD_PARETO, &table, &scored, n_fits, horizon);
    bench_spend(&table, &scored, n_fits);
    printf("}\n");
    free_table(&table);
    free_table(&scored);
    return 0;
}
