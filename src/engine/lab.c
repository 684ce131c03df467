#include "engine/lab.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "coterie/kmeans.h"
#include "coterie/kmeans_stream.h"
#include "coterie/linkage.h"
#include "coterie/tree.h"
#include "ml/means.h"
#include "num/array.h"

/* What every method comes down to. */
struct outcome {
    size_t n, d, k;
    uint32_t *labels; /* n */
    float *centroids; /* k x d */
    double *linkage;  /* n_joins x 4, or NULL */
    size_t n_joins;
    double inertia;
    unsigned n_iter;
    double seconds;
    const char *kernel; /* or NULL */
    double skipped;
};

static void outcome_release(struct outcome *o)
{
    free(o->labels);
    free(o->centroids);
    free(o->linkage);
}

static double seconds_now(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

static cot_code read_init(const struct cot_lab_cluster_options *o, size_t d, struct cot_array *ret_init,
                          struct cot_err *err)
{
    struct cot_array init = {0};
    if (o->init == NULL)
        return COT_OK;
    cot_code rc = cot_array_read(o->init, &init, err);
    if (rc == COT_OK && (init.n != o->k || init.d != d))
        rc = cot_fail(err, COT_USAGE, "'%s' holds %zu x %zu initial centroids, but %zu x %zu are needed", o->init,
                      init.n, init.d, o->k, d);
    if (rc == COT_OK)
        *ret_init = init;
    else
        cot_array_release(&init);
    return rc;
}

static cot_code fit_kmeans(const struct cot_context *context, const struct cot_lab_cluster_options *o,
                           const struct cot_matrix *x, struct outcome *outcome, struct cot_err *err)
{
    struct cot_array init = {0};
    struct cot_kmeans *kmeans = NULL;
    struct cot_minibatch_options minibatch;
    struct cot_kmeans_options *options = &minibatch.kmeans;
    cot_minibatch_options_init(&minibatch, o->k);
    options->n_init = o->n_init;
    options->max_iter = o->max_iter;
    options->tol = o->tol;
    options->seed = context->seed;
    options->n_threads = context->n_threads;
    options->isa = o->isa;
    options->seeding = o->seeding;
    options->progress = &context->progress;
    if (o->batch > 0)
        minibatch.batch = o->batch;
    cot_code rc = read_init(o, x->d, &init, err);
    options->init = init.data;
    double start = seconds_now();
    if (rc == COT_OK)
        rc = o->method == COT_LAB_MINIBATCH ? cot_kmeans_minibatch_fit(x, &minibatch, &kmeans, err)
                                            : cot_kmeans_fit(x, options, &kmeans, err);
    if (rc == COT_OK) {
        outcome->seconds = seconds_now() - start;
        outcome->inertia = kmeans->inertia;
        outcome->n_iter = kmeans->n_iter;
        outcome->kernel = cot_isa_name(kmeans->isa);
        outcome->skipped = kmeans->skipped;
        outcome->labels = kmeans->labels;
        outcome->centroids = kmeans->centroids;
        kmeans->labels = NULL;
        kmeans->centroids = NULL;
    }
    cot_kmeans_free(kmeans);
    cot_array_release(&init);
    return rc;
}

/* Means of the labelled rows, and the inertia about them. */
static cot_code measure(const struct cot_matrix *x, unsigned n_threads, struct outcome *outcome, struct cot_err *err)
{
    struct cot_means means = {0};
    cot_code rc = cot_means_init(&means, x, outcome->labels, NULL, outcome->k, n_threads, err);
    if (rc != COT_OK)
        return rc;
    for (size_t i = 0; i < x->n; i++) {
        const float *row = cot_matrix_row(x, i);
        const float *mean = means.means + outcome->labels[i] * x->d;
        double d2 = 0;
        for (size_t j = 0; j < x->d; j++)
            d2 += ((double)row[j] - (double)mean[j]) * ((double)row[j] - (double)mean[j]);
        outcome->inertia += d2;
    }
    outcome->centroids = means.means;
    means.means = NULL;
    cot_means_release(&means);
    return COT_OK;
}

static cot_code fit_linkage(const struct cot_context *context, const struct cot_lab_cluster_options *o,
                            const struct cot_matrix *x, struct outcome *outcome, struct cot_err *err)
{
    static const enum cot_linkage_method methods[COT_N_LAB_METHODS] = {[COT_LAB_WARD] = COT_LINKAGE_WARD,
                                                                       [COT_LAB_AVERAGE] = COT_LINKAGE_AVERAGE,
                                                                       [COT_LAB_COMPLETE] = COT_LINKAGE_COMPLETE,
                                                                       [COT_LAB_SINGLE] = COT_LINKAGE_SINGLE};
    struct cot_linkage *linkage = NULL;
    struct cot_linkage_options options = {
        .method = methods[o->method], .n_threads = context->n_threads, .isa = o->isa, .progress = &context->progress};
    if (outcome->k > x->n)
        return cot_fail(err, COT_USAGE, "k is %zu, but there are %zu rows: k must be 1..%zu", outcome->k, x->n, x->n);
    double start = seconds_now();
    cot_code rc = cot_linkage_fit(x, &options, &linkage, err);
    if (rc != COT_OK)
        return rc;
    outcome->labels = calloc(x->n, sizeof *outcome->labels);
    rc = outcome->labels == NULL ? cot_fail(err, COT_NOMEM, "%zu labels", x->n) : COT_OK;
    if (rc == COT_OK)
        rc = cot_linkage_cut_k(linkage, outcome->k, outcome->labels, err);
    outcome->seconds = seconds_now() - start;
    if (rc == COT_OK)
        rc = measure(x, context->n_threads, outcome, err);
    outcome->linkage = linkage->z;
    outcome->n_joins = x->n - 1;
    linkage->z = NULL;
    cot_linkage_free(linkage);
    return rc;
}

/* The operating cut, or another one, becomes the outcome. */
static cot_code take_cut(const struct cot_tree *tree, const struct cot_matrix *x, struct cot_tree_options *options,
                         size_t cut_at, struct outcome *outcome, struct cot_err *err)
{
    struct cot_cut *cut = NULL;
    size_t size = cot_tree_k(tree) * x->d * sizeof *outcome->centroids;
    if (cut_at > 0 && cut_at != options->k) {
        options->k = cut_at;
        cot_code rc = cot_tree_cut(tree, x, options, &cut, err);
        if (rc != COT_OK)
            return rc;
        outcome->k = cut->k;
        outcome->inertia = cut->inertia;
        outcome->n_iter = cut->n_iter;
        outcome->labels = cut->labels;
        outcome->centroids = cut->centroids;
        cut->labels = NULL;
        cut->centroids = NULL;
        cot_cut_free(cut);
        return COT_OK;
    }
    outcome->k = cot_tree_k(tree);
    outcome->inertia = cot_tree_inertia(tree);
    outcome->n_iter = cot_tree_n_iter(tree);
    outcome->labels = calloc(x->n, sizeof *outcome->labels);
    outcome->centroids = malloc(size);
    if (outcome->labels == NULL || outcome->centroids == NULL)
        return cot_fail(err, COT_NOMEM, "labels of %zu rows", x->n);
    memcpy(outcome->labels, cot_tree_labels(tree), x->n * sizeof *outcome->labels);
    memcpy(outcome->centroids, cot_tree_centroids(tree), size);
    return COT_OK;
}

static cot_code take_linkage(const struct cot_linkage *linkage, struct outcome *outcome, struct cot_err *err)
{
    outcome->n_joins = linkage->n - 1;
    outcome->linkage = calloc(linkage->n, 4 * sizeof *outcome->linkage);
    if (outcome->linkage == NULL)
        return cot_fail(err, COT_NOMEM, "a tree of %zu leaves", linkage->n);
    if (outcome->n_joins > 0)
        memcpy(outcome->linkage, linkage->z, outcome->n_joins * 4 * sizeof *outcome->linkage);
    return COT_OK;
}

static cot_code fit_tree(const struct cot_context *context, const struct cot_lab_cluster_options *o,
                         const struct cot_matrix *x, struct outcome *outcome, struct cot_err *err)
{
    struct cot_tree *tree = NULL;
    struct cot_tree_options options;
    cot_tree_options_init(&options, o->k > 0 ? o->k : o->cut);
    options.max_polish = o->max_iter;
    options.seed = context->seed;
    options.n_threads = context->n_threads;
    options.progress = &context->progress;
    double start = seconds_now();
    cot_code rc = cot_tree_fit(x, &options, &tree, err);
    if (rc == COT_OK)
        rc = take_cut(tree, x, &options, o->cut, outcome, err);
    outcome->seconds = seconds_now() - start;
    if (rc == COT_OK)
        rc = take_linkage(cot_tree_ward(tree), outcome, err);
    cot_tree_free(tree);
    return rc;
}

static bool ends_with(const char *text, const char *end)
{
    size_t size = strlen(text);
    return size >= strlen(end) && strcmp(text + size - strlen(end), end) == 0;
}

static cot_code write_labels(const char *path, const struct outcome *outcome, struct cot_err *err)
{
    if (ends_with(path, ".npy"))
        return cot_npy_write(path, COT_NPY_INT32, outcome->labels, outcome->n, 0, err);
    FILE *file = fopen(path, "w");
    bool ok = file != NULL;
    if (file == NULL)
        return cot_fail(err, COT_IO, "can't write '%s': %s", path, strerror(errno));
    for (size_t i = 0; i < outcome->n && ok; i++)
        ok = fprintf(file, "%u\n", (unsigned)outcome->labels[i]) > 0;
    ok = fclose(file) == 0 && ok;
    return ok ? COT_OK : cot_fail(err, COT_IO, "writing '%s' failed: %s", path, strerror(errno));
}

static cot_code write_files(const struct cot_lab_cluster_options *o, const struct outcome *outcome, struct cot_err *err)
{
    cot_code rc = COT_OK;
    if (o->labels_out != NULL)
        rc = write_labels(o->labels_out, outcome, err);
    if (rc == COT_OK && o->centroids_out != NULL)
        rc = cot_npy_write(o->centroids_out, COT_NPY_FLOAT32, outcome->centroids, outcome->k, outcome->d, err);
    if (rc == COT_OK && o->linkage_out != NULL)
        rc = cot_npy_write(o->linkage_out, COT_NPY_FLOAT64, outcome->linkage, outcome->n_joins, 4, err);
    return rc;
}

/* One row a method: its name and its fit. */
static const struct method {
    const char *name;
    cot_code (*fit)(const struct cot_context *context, const struct cot_lab_cluster_options *o,
                    const struct cot_matrix *x, struct outcome *outcome, struct cot_err *err);
} methods[COT_N_LAB_METHODS] = {
    [COT_LAB_KMEANS] = {"kmeans", fit_kmeans},
    [COT_LAB_MINIBATCH] = {"minibatch", fit_kmeans},
    [COT_LAB_WARD] = {"ward", fit_linkage},
    [COT_LAB_AVERAGE] = {"average", fit_linkage},
    [COT_LAB_COMPLETE] = {"complete", fit_linkage},
    [COT_LAB_SINGLE] = {"single", fit_linkage},
    [COT_LAB_TREE] = {"tree", fit_tree},
};

cot_code cot_lab_method_parse(const char *name, enum cot_lab_method *ret_method, struct cot_err *err)
{
    for (int i = 0; i < COT_N_LAB_METHODS; i++)
        if (strcmp(methods[i].name, name) == 0) {
            *ret_method = (enum cot_lab_method)i;
            return COT_OK;
        }
    return cot_fail(err, COT_USAGE, "--method is '%s': kmeans, minibatch, ward, average, complete, single or tree",
                    name);
}

static cot_code document_of(const struct outcome *outcome, enum cot_lab_method method, yyjson_mut_doc **ret_doc,
                            struct cot_err *err)
{
    yyjson_mut_doc *doc = yyjson_mut_doc_new(NULL);
    yyjson_mut_val *root = doc != NULL ? yyjson_mut_obj(doc) : NULL;
    bool ok = root != NULL && yyjson_mut_obj_add_uint(doc, root, "n", outcome->n) &&
              yyjson_mut_obj_add_uint(doc, root, "d", outcome->d) &&
              yyjson_mut_obj_add_uint(doc, root, "k", outcome->k) &&
              yyjson_mut_obj_add_str(doc, root, "method", methods[method].name) &&
              (outcome->kernel == NULL || (yyjson_mut_obj_add_str(doc, root, "kernel", outcome->kernel) &&
                                           yyjson_mut_obj_add_real(doc, root, "skipped", outcome->skipped))) &&
              yyjson_mut_obj_add_real(doc, root, "inertia", outcome->inertia) &&
              yyjson_mut_obj_add_uint(doc, root, "iterations", outcome->n_iter) &&
              yyjson_mut_obj_add_real(doc, root, "seconds", outcome->seconds);
    if (!ok) {
        yyjson_mut_doc_free(doc);
        return cot_fail(err, COT_NOMEM, "result");
    }
    yyjson_mut_doc_set_root(doc, root);
    *ret_doc = doc;
    return COT_OK;
}

static cot_code check_options(const struct cot_lab_cluster_options *options, struct cot_err *err)
{
    bool kmeans = options->method == COT_LAB_KMEANS || options->method == COT_LAB_MINIBATCH;
    if (options->k == 0 && options->cut == 0)
        return cot_fail(err, COT_USAGE, "say how many clusters");
    if (!kmeans && options->init != NULL)
        return cot_fail(err, COT_USAGE, "initial centroids are for k-means only");
    if (kmeans && options->linkage_out != NULL)
        return cot_fail(err, COT_USAGE, "k-means makes no linkage: choose a hierarchical method");
    if (kmeans && options->cut != 0)
        return cot_fail(err, COT_USAGE, "k-means makes no tree to cut: choose a hierarchical method");
    return COT_OK;
}

cot_code cot_lab_cluster_run(const struct cot_context *context, const struct cot_lab_cluster_options *options,
                             yyjson_mut_doc **ret_doc, struct cot_err *err)
{
    struct cot_array array = {0};
    struct outcome outcome = {0};
    cot_code rc = check_options(options, err);
    if (rc == COT_OK)
        rc = cot_array_read(options->input, &array, err);
    if (rc != COT_OK)
        return rc;
    struct cot_matrix x = cot_array_view(&array);
    outcome.n = x.n;
    outcome.d = x.d;
    outcome.k = options->cut != 0 ? options->cut : options->k;
    rc = methods[options->method].fit(context, options, &x, &outcome, err);
    if (rc == COT_OK)
        rc = write_files(options, &outcome, err);
    if (rc == COT_OK)
        rc = document_of(&outcome, options->method, ret_doc, err);
    outcome_release(&outcome);
    cot_array_release(&array);
    return rc;
}
