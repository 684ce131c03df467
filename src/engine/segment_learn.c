#include "engine/segment_learn.h"

#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "coterie/kmeans.h"

enum {
    MIN_CUSTOMERS = 40,
    MAX_PATH_ROWS = 6000, /* the choice of k: Ward is exact and quadratic */
    MAX_FIT_ROWS = 60000  /* the axes */
};

void cot_learned_free(struct cot_learned *learned)
{
    if (learned == NULL)
        return;
    free(learned->rows);
    free(learned->labels);
    cot_space_free(learned->space);
    free(learned->evidence.evidence);
    free(learned->stability_deviations);
    free(learned->jaccards);
    cot_discriminant_free(learned->discriminant);
    free(learned->y);
    free(learned->centroids);
    free(learned);
}

/* What learning goes through; freed at its end. */
struct course {
    const struct cot_feature_matrix *matrix;
    const struct cot_learn_options *options;
    struct cot_learned *learned;
    uint32_t *rows; /* [n] in canonical order: by what is known of a customer, not by when it was imported */
    bool *extreme;  /* [n] likewise */
    size_t n;
    uint32_t *core; /* [n_core] rows that are not extreme, in canonical order: buyers, then visitors set apart */
    size_t n_core;
    size_t n_buyers;       /* the first of core; all of it where visitors are not set apart */
    float *z;              /* n_path x d */
    uint32_t *core_labels; /* [n_core] */
};

/* By what is known of people, whatever was predicted of them. */
static bool is_known(const struct cot_feature_matrix *matrix, size_t column)
{
    return matrix->columns[column].group != COT_FEATURE_PREDICTION;
}

static bool has_data(const struct cot_feature_matrix *matrix, size_t row)
{
    size_t n_present = 0;
    size_t n = 0;
    for (size_t j = 0; j < matrix->d; j++) {
        n += is_known(matrix, j);
        n_present += is_known(matrix, j) && !isnan(matrix->values[row * matrix->d + j]);
    }
    return 10 * n_present >= n;
}

struct keyed_row {
    struct cot_hash128 key;
    uint32_t row;
};

static int keyed_compare(const void *a, const void *b)
{
    const struct keyed_row *x = a;
    const struct keyed_row *y = b;
    if (x->key.high != y->key.high)
        return x->key.high < y->key.high ? -1 : 1;
    if (x->key.low != y->key.low)
        return x->key.low < y->key.low ? -1 : 1;
    return (x->row > y->row) - (x->row < y->row);
}

/* A customer's place in the canonical order: a hash of the values, categories by their words. */
static struct cot_hash128 row_key(const struct cot_feature_matrix *matrix, size_t row)
{
    struct cot_hasher hasher;
    cot_hasher_init(&hasher);
    for (size_t j = 0; j < matrix->d; j++) {
        float value = matrix->values[row * matrix->d + j];
        const struct cot_feature_column *column = &matrix->columns[j];
        if (!is_known(matrix, j))
            continue;
        if (column->transform == COT_TRANSFORM_CATEGORY && value >= 0 && value < (float)column->n_categories) {
            const char *word = column->category_names[(size_t)value];
            cot_hasher_text(&hasher, word, strlen(word));
        } else {
            cot_hasher_double(&hasher, (double)value);
        }
    }
    return cot_hasher_finish(&hasher);
}

/* Who takes part, in canonical order: sampling by it is random to what matters and the same for the same shop. */
static cot_code gather_rows(struct course *c, struct cot_err *err)
{
    const struct cot_feature_matrix *matrix = c->matrix;
    struct keyed_row *keyed = malloc((matrix->n + 1) * sizeof *keyed);
    c->rows = malloc((matrix->n + 1) * sizeof *c->rows);
    c->extreme = calloc(matrix->n + 1, sizeof *c->extreme);
    if (keyed == NULL || c->rows == NULL || c->extreme == NULL) {
        free(keyed);
        return cot_fail(err, COT_NOMEM, "%zu customers", matrix->n);
    }
    for (size_t row = 0; row < matrix->n; row++) {
        if (!matrix->analytics[row])
            c->learned->n_no_consent++;
        else if (!has_data(matrix, row))
            c->learned->n_no_data++;
        else
            keyed[c->n++] = (struct keyed_row){.key = row_key(matrix, row), .row = (uint32_t)row};
    }
    qsort(keyed, c->n, sizeof *keyed, keyed_compare);
    for (size_t i = 0; i < c->n; i++)
        c->rows[i] = keyed[i].row;
    free(keyed);
    if (c->n < MIN_CUSTOMERS)
        return cot_fail(err, COT_BAD_DATA,
                        "%zu customers to learn from (%zu without consent to analytics, %zu without data): %d are "
                        "needed",
                        c->n, c->learned->n_no_consent, c->learned->n_no_data, MIN_CUSTOMERS);
    return COT_OK;
}

static bool has_order(const struct course *c, uint32_t row)
{
    size_t column = cot_feature_matrix_find(c->matrix, "frequency");
    return column == SIZE_MAX || c->matrix->values[(size_t)row * c->matrix->d + column] > 0;
}

/* Fills core: buyers first, then visitors, where there are neither too few nor too many of them. */
static cot_code set_apart(struct course *c, struct cot_err *err)
{
    cot_code rc = cot_extremes_find(c->matrix, c->rows, c->n, &c->learned->limits, c->extreme, err);
    if (rc != COT_OK)
        return rc;
    c->core = malloc((c->n + 1) * sizeof *c->core);
    if (c->core == NULL)
        return cot_fail(err, COT_NOMEM, "%zu customers", c->n);
    for (int want_order = 1; want_order >= 0; want_order--) {
        for (size_t i = 0; i < c->n; i++)
            if (!c->extreme[i] && has_order(c, c->rows[i]) == (want_order == 1))
                c->core[c->n_core++] = c->rows[i];
        c->n_buyers = want_order == 1 ? c->n_core : c->n_buyers;
    }
    size_t n_visitors = c->n_core - c->n_buyers;
    if (n_visitors >= COT_LEARN_MIN_VISITORS && n_visitors < c->n_buyers)
        return COT_OK;
    c->n_core = 0; /* all together, in canonical order */
    for (size_t i = 0; i < c->n; i++)
        if (!c->extreme[i])
            c->core[c->n_core++] = c->rows[i];
    c->n_buyers = c->n_core;
    return COT_OK;
}

static double score_of(const struct cot_k_choice *choice, size_t k)
{
    for (size_t e = 0; e < choice->n_evidence; e++)
        if (choice->evidence[e].k == k && choice->evidence[e].stable)
            return choice->evidence[e].score;
    return -1;
}

/* Segments that are set apart before k is looked for, without the extremes' own. */
static size_t n_apart(const struct course *c)
{
    return c->n_core > c->n_buyers;
}

/* The k that will be: asked for, else the evidence's, else the one before where the evidence isn't clearly better. */
static size_t settle_k(const struct course *c, const struct cot_k_choice *choice)
{
    size_t before = c->options->preferred_k > n_apart(c) ? c->options->preferred_k - n_apart(c) : 0;
    if (c->options->k > 0)
        return c->options->k > n_apart(c) ? c->options->k - n_apart(c) : 1;
    if (before >= choice->evidence[0].k && score_of(choice, before) >= score_of(choice, choice->k) - COT_LEARN_K_MARGIN)
        return before;
    return choice->k;
}

/* Two or three groups (the active, the lapsed and the rest) are what evidence likes best of almost any shop, and tell
 * it nothing it can act on: they have to be asked for. A shop of a few dozen customers has no more to give. */
static size_t least_k(size_t n)
{
    return n >= 80 ? 4 : n >= 50 ? 3 : 2;
}

/* Fits the path of k on a sample and takes over its evidence and the fit of the k that was settled on. */
static cot_code fit_path(struct course *c, size_t n_path, struct cot_discriminant **ret_fit, struct cot_err *err)
{
    struct cot_learned *learned = c->learned;
    struct cot_discriminant_path_options options;
    struct cot_discriminant_path *path = NULL;
    struct cot_matrix z = {.data = c->z, .n = n_path, .d = learned->space->d, .stride = learned->space->d};
    cot_discriminant_path_options_init(&options);
    options.shrinkage = learned->space->shrinkage;
    options.seed = c->options->seed;
    options.n_threads = c->options->n_threads;
    options.progress = c->options->progress;
    size_t asked = c->options->k > n_apart(c) ? c->options->k - n_apart(c) : 0;
    options.k_min = asked >= 2 && asked < least_k(n_path) ? asked : least_k(n_path);
    if (asked > options.k_max)
        options.k_max = asked;
    cot_code rc = cot_discriminant_path_fit(&z, &options, &path, err);
    if (rc != COT_OK)
        return rc;
    size_t k = settle_k(c, &path->choice);
    size_t e = k - options.k_min;
    if (k < options.k_min || e >= path->choice.n_evidence) {
        rc = cot_fail(err, COT_USAGE, "--k %zu: this shop's %zu customers allow %zu to %zu", c->options->k, c->n_core,
                      2 + n_apart(c), options.k_min + path->choice.n_evidence - 1 + n_apart(c));
        goto out;
    }
    learned->evidence = path->choice;
    learned->evidence.k = k + n_apart(c);
    for (size_t i = 0; i < learned->evidence.n_evidence; i++)
        learned->evidence.evidence[i].k += n_apart(c);
    path->choice.evidence = NULL;
    learned->stability_deviations = path->stability_deviations;
    path->stability_deviations = NULL;
    learned->n_components = path->n_components;
    learned->jaccards = calloc(k + 2, sizeof *learned->jaccards);
    if (learned->jaccards == NULL) {
        rc = cot_fail(err, COT_NOMEM, "stability of %zu segments", k);
        goto out;
    }
    memcpy(learned->jaccards, path->jaccards[e], k * sizeof *learned->jaccards);
    learned->jaccards[k] = NAN; /* those set apart are found by a limit, not by a fit */
    learned->jaccards[k + 1] = NAN;
    learned->visitors = n_apart(c) > 0 ? k : SIZE_MAX;
    *ret_fit = path->fits[e];
    path->fits[e] = NULL;
out:
    cot_discriminant_path_free(path);
    return rc;
}

/* Labels of rows [0, n) of the core by the fit's axes and centres, a block of rows at a time. */
static cot_code assign_core(struct course *c, const struct cot_discriminant *fit, size_t n, struct cot_err *err)
{
    enum { ROWS_AT_ONCE = 65536 };
    size_t block = n < ROWS_AT_ONCE ? n : ROWS_AT_ONCE;
    float *z = malloc((block * fit->d + 1) * sizeof *z);
    float *y = malloc((block * fit->q + 1) * sizeof *y);
    cot_code rc = z == NULL || y == NULL ? cot_fail(err, COT_NOMEM, "%zu customers", n) : COT_OK;
    for (size_t begin = 0; rc == COT_OK && begin < n; begin += block) {
        size_t m = n - begin < block ? n - begin : block;
        struct cot_matrix z_view = {.data = z, .n = m, .d = fit->d, .stride = fit->d};
        struct cot_matrix y_view = {.data = y, .n = m, .d = fit->q, .stride = fit->q};
        rc = cot_space_apply(c->learned->space, c->matrix, c->core + begin, m, c->options->n_threads, z, err);
        if (rc == COT_OK)
            rc = cot_discriminant_project(fit, &z_view, c->options->n_threads, y, err);
        if (rc == COT_OK)
            rc = cot_kmeans_assign(&y_view, fit->centroids, fit->k, c->options->n_threads, c->core_labels + begin, NULL,
                                   err);
        cot_progress_report(c->options->progress, "assigning customers", begin + m, n);
    }
    free(z);
    free(y);
    return rc;
}

/* A sample of the core for the axes: buyers, and visitors in proportion. */
static size_t sample_rows(const struct course *c, uint32_t *ret_rows, size_t *ret_n_buyers)
{
    size_t n_visitors = c->n_core - c->n_buyers;
    size_t limit = c->n_core < MAX_FIT_ROWS ? c->n_core : MAX_FIT_ROWS;
    size_t buyers = limit * c->n_buyers / c->n_core;
    size_t visitors = limit - buyers < n_visitors ? limit - buyers : n_visitors;
    memcpy(ret_rows, c->core, buyers * sizeof *ret_rows);
    memcpy(ret_rows + buyers, c->core + c->n_buyers, visitors * sizeof *ret_rows);
    *ret_n_buyers = buyers;
    return buyers + visitors;
}

/* The fit on the path's sample, refined on a larger one, with the visitors as a further cluster where they are apart.
 */
static cot_code refine(struct course *c, size_t n_path, struct cot_discriminant **fit, struct cot_err *err)
{
    struct cot_discriminant_options options = {
        .shrinkage = c->learned->space->shrinkage, .max_iter = 5, .n_threads = c->options->n_threads};
    struct cot_discriminant *refined = NULL;
    size_t n_buyers = 0, k = (*fit)->k + n_apart(c), d = (*fit)->d;
    if (c->n_core <= n_path && n_apart(c) == 0)
        return assign_core(c, *fit, c->n_core, err);
    uint32_t *rows = malloc((c->n_core + 1) * sizeof *rows);
    uint32_t *labels = NULL;
    float *z = NULL;
    cot_code rc = rows == NULL ? cot_fail(err, COT_NOMEM, "%zu customers", c->n_core) : COT_OK;
    if (rc == COT_OK)
        rc = assign_core(c, *fit, c->n_buyers, err);
    if (rc != COT_OK)
        goto out;
    size_t n_fit = sample_rows(c, rows, &n_buyers);
    z = malloc(n_fit * d * sizeof *z);
    labels = malloc(n_fit * sizeof *labels);
    if (z == NULL || labels == NULL) {
        rc = cot_fail(err, COT_NOMEM, "%zu customers", n_fit);
        goto out;
    }
    memcpy(labels, c->core_labels, n_buyers * sizeof *labels);
    for (size_t i = n_buyers; i < n_fit; i++)
        labels[i] = (uint32_t)(*fit)->k;
    rc = cot_space_apply(c->learned->space, c->matrix, rows, n_fit, c->options->n_threads, z, err);
    struct cot_matrix view = {.data = z, .n = n_fit, .d = d, .stride = d};
    if (rc == COT_OK)
        rc = cot_discriminant_fit(&view, labels, k, &options, &refined, err);
    if (rc == COT_OK) {
        cot_discriminant_free(*fit);
        *fit = refined;
        rc = assign_core(c, *fit, c->n_core, err);
    }
out:
    free(rows);
    free(labels);
    free(z);
    return rc;
}

static int row_compare(const void *a, const void *b)
{
    uint32_t x = *(const uint32_t *)a;
    uint32_t y = *(const uint32_t *)b;
    return (x > y) - (x < y);
}

/* From canonical order to rows ascending; segments numbered by size, the extremes last. */
static cot_code order_result(struct course *c, struct cot_err *err)
{
    struct cot_learned *learned = c->learned;
    size_t k = learned->discriminant->k;
    uint32_t *label_of_row = malloc((c->matrix->n + 1) * sizeof *label_of_row);
    learned->rows = malloc((c->n + 1) * sizeof *learned->rows);
    learned->labels = malloc((c->n + 1) * sizeof *learned->labels);
    if (label_of_row == NULL || learned->rows == NULL || learned->labels == NULL) {
        free(label_of_row);
        return cot_fail(err, COT_NOMEM, "%zu customers", c->n);
    }
    learned->n = c->n;
    learned->extreme = c->n > c->n_core ? k : SIZE_MAX;
    learned->k = k + (c->n > c->n_core);
    for (size_t i = 0; i < c->n; i++)
        label_of_row[c->rows[i]] = (uint32_t)k;
    for (size_t i = 0; i < c->n_core; i++)
        label_of_row[c->core[i]] = c->core_labels[i];
    memcpy(learned->rows, c->rows, c->n * sizeof *learned->rows);
    qsort(learned->rows, c->n, sizeof *learned->rows, row_compare);
    for (size_t i = 0; i < c->n; i++)
        learned->labels[i] = label_of_row[learned->rows[i]];
    free(label_of_row);
    return COT_OK;
}

void cot_learned_centre(struct cot_learned *learned)
{
    size_t q = learned->discriminant->q;
    double *sums = calloc(learned->k * (q + 1), sizeof *sums);
    if (sums == NULL)
        return; /* the old centroids stay, which is nearly right */
    for (size_t i = 0; i < learned->n; i++) {
        double *sum = sums + learned->labels[i] * (q + 1);
        sum[q] += 1;
        for (size_t a = 0; a < q; a++)
            sum[a] += (double)learned->y[i * q + a];
    }
    for (size_t s = 0; s < learned->k; s++)
        for (size_t a = 0; a < q && sums[s * (q + 1) + q] > 0; a++)
            learned->centroids[s * q + a] = (float)(sums[s * (q + 1) + a] / sums[s * (q + 1) + q]);
    free(sums);
}

static cot_code project_all(struct course *c, struct cot_err *err)
{
    enum { ROWS_AT_ONCE = 65536 };
    struct cot_learned *learned = c->learned;
    const struct cot_discriminant *fit = learned->discriminant;
    size_t block = learned->n < ROWS_AT_ONCE ? learned->n : ROWS_AT_ONCE;
    float *z = malloc((block * fit->d + 1) * sizeof *z);
    learned->y = malloc((learned->n * fit->q + 1) * sizeof *learned->y);
    learned->centroids = calloc(learned->k * fit->q + 1, sizeof *learned->centroids);
    cot_code rc = COT_OK;
    if (z == NULL || learned->y == NULL || learned->centroids == NULL)
        rc = cot_fail(err, COT_NOMEM, "%zu customers", learned->n);
    for (size_t begin = 0; rc == COT_OK && begin < learned->n; begin += block) {
        size_t m = learned->n - begin < block ? learned->n - begin : block;
        struct cot_matrix view = {.data = z, .n = m, .d = fit->d, .stride = fit->d};
        rc = cot_space_apply(learned->space, c->matrix, learned->rows + begin, m, c->options->n_threads, z, err);
        if (rc == COT_OK)
            rc = cot_discriminant_project(fit, &view, c->options->n_threads, learned->y + begin * fit->q, err);
    }
    free(z);
    if (rc == COT_OK)
        cot_learned_centre(learned);
    return rc;
}

static cot_code learn(struct course *c, struct cot_err *err)
{
    struct cot_learned *learned = c->learned;
    size_t n_path = 0;
    cot_progress_report(c->options->progress, "preparing features", 0, 0);
    cot_code rc = gather_rows(c, err);
    if (rc == COT_OK)
        rc = set_apart(c, err);
    if (rc == COT_OK)
        rc = cot_space_fit(c->matrix, c->core, c->n_buyers, &c->options->space, &learned->space, err);
    if (rc != COT_OK)
        return rc;
    n_path = c->n_buyers < MAX_PATH_ROWS ? c->n_buyers : MAX_PATH_ROWS;
    c->z = malloc(n_path * learned->space->d * sizeof *c->z);
    c->core_labels = malloc((c->n_core + 1) * sizeof *c->core_labels);
    if (c->z == NULL || c->core_labels == NULL)
        return cot_fail(err, COT_NOMEM, "%zu customers", c->n_core);
    rc = cot_space_apply(learned->space, c->matrix, c->core, n_path, c->options->n_threads, c->z, err);
    if (rc == COT_OK)
        rc = fit_path(c, n_path, &learned->discriminant, err);
    if (rc == COT_OK)
        rc = refine(c, n_path, &learned->discriminant, err);
    if (rc == COT_OK)
        rc = order_result(c, err);
    return rc == COT_OK ? project_all(c, err) : rc;
}

cot_code cot_segments_learn(const struct cot_feature_matrix *matrix, const struct cot_learn_options *options,
                            struct cot_learned **ret_learned, struct cot_err *err)
{
    struct course c = {.matrix = matrix, .options = options};
    cot_code rc = COT_OK;
    c.learned = calloc(1, sizeof *c.learned);
    if (c.learned == NULL)
        return cot_fail(err, COT_NOMEM, "segments");
    rc = learn(&c, err);
    if (rc == COT_OK) {
        *ret_learned = c.learned;
        c.learned = NULL;
    }
    cot_learned_free(c.learned);
    free(c.rows);
    free(c.extreme);
    free(c.core);
    free(c.z);
    free(c.core_labels);
    return rc;
}
