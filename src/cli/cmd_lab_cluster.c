#include <string.h>

#include "cli/command.h"
#include "engine/lab.h"

static cot_code take_names(const struct cot_call *call, struct cot_lab_cluster_options *options, struct cot_err *err)
{
    static const char *const seedings[] = {
        [COT_KMEANS_SEED_AUTO] = "auto", [COT_KMEANS_SEED_GREEDY] = "greedy", [COT_KMEANS_SEED_CHAIN] = "chain"};
    const char *method = cot_call_value(call, "method");
    const char *isa = cot_call_value(call, "isa");
    const char *seeding = cot_call_value(call, "seeding");
    cot_code rc = method != NULL ? cot_lab_method_parse(method, &options->method, err) : COT_OK;
    if (rc == COT_OK && isa != NULL) {
        rc = cot_isa_parse(isa, &options->isa, err);
        if (rc == COT_OK)
            rc = cot_isa_resolve(options->isa, &options->isa, err);
    }
    if (rc != COT_OK || seeding == NULL)
        return rc;
    for (size_t i = 0; i < sizeof seedings / sizeof *seedings; i++)
        if (strcmp(seedings[i], seeding) == 0) {
            options->seeding = (enum cot_kmeans_seeding)i;
            return COT_OK;
        }
    return cot_fail(err, COT_USAGE, "--seeding is '%s': auto, greedy or chain", seeding);
}

/* Which options a method takes; those that it would have to ignore are refused. */
static const struct {
    const char *option;
    unsigned methods; /* bits */
    const char *where;
} special[] = {
#define BIT(method) (1U << COT_LAB_##method)
#define HIERARCHICAL (BIT(WARD) | BIT(AVERAGE) | BIT(COMPLETE) | BIT(SINGLE) | BIT(TREE))
    {"n-init", BIT(KMEANS) | BIT(MINIBATCH), "kmeans and minibatch"},
    {"tol", BIT(KMEANS), "kmeans"},
    {"init", BIT(KMEANS) | BIT(MINIBATCH), "kmeans and minibatch"},
    {"isa", BIT(KMEANS) | BIT(WARD), "kmeans and ward"},
    {"seeding", BIT(KMEANS) | BIT(MINIBATCH), "kmeans and minibatch"},
    {"batch", BIT(MINIBATCH), "minibatch"},
    {"max-iter", BIT(KMEANS) | BIT(MINIBATCH) | BIT(TREE), "kmeans, minibatch and tree"},
    {"linkage-out", HIERARCHICAL, "ward, average, complete, single and tree"},
    {"cut", HIERARCHICAL, "ward, average, complete, single and tree"},
#undef HIERARCHICAL
#undef BIT
};

static cot_code check_options(const struct cot_call *call, enum cot_lab_method method, struct cot_err *err)
{
    for (size_t i = 0; i < sizeof special / sizeof *special; i++)
        if (cot_call_value(call, special[i].option) != NULL && (special[i].methods >> method & 1) == 0)
            return cot_fail(err, COT_USAGE, "--%s is for --method %s only", special[i].option, special[i].where);
    return COT_OK;
}

static void print_outcome(yyjson_mut_doc *doc)
{
    yyjson_mut_val *root = yyjson_mut_doc_get_root(doc);
    printf("%llu x %llu numbers, %llu clusters\n",
           (unsigned long long)yyjson_mut_get_uint(yyjson_mut_obj_get(root, "n")),
           (unsigned long long)yyjson_mut_get_uint(yyjson_mut_obj_get(root, "d")),
           (unsigned long long)yyjson_mut_get_uint(yyjson_mut_obj_get(root, "k")));
    if (yyjson_mut_obj_get(root, "kernel") != NULL)
        printf("kernel      %s\n", yyjson_mut_get_str(yyjson_mut_obj_get(root, "kernel")));
    printf("inertia     %.9g\n", yyjson_mut_get_real(yyjson_mut_obj_get(root, "inertia")));
    printf("iterations  %llu\n", (unsigned long long)yyjson_mut_get_uint(yyjson_mut_obj_get(root, "iterations")));
    printf("seconds     %.4f (the fit alone)\n", yyjson_mut_get_real(yyjson_mut_obj_get(root, "seconds")));
}

static cot_code run(struct cot_call *call, struct cot_err *err)
{
    struct cot_lab_cluster_options options = {.n_init = 1, .max_iter = 300, .tol = 1e-4};
    yyjson_mut_doc *doc = NULL;
    int64_t k = 0;
    int64_t cut = 0;
    int64_t n_init = 1;
    cot_code rc = take_names(call, &options, err);
    int64_t batch = 0;
    int64_t max_iter = options.method == COT_LAB_KMEANS ? 300 : 100;
    if (rc == COT_OK)
        rc = check_options(call, options.method, err);
    if (rc == COT_OK)
        rc = cot_call_int(call, "k", 1, INT32_MAX, &k, err);
    if (rc == COT_OK)
        rc = cot_call_int(call, "cut", 1, INT32_MAX, &cut, err);
    if (rc == COT_OK)
        rc = cot_call_int(call, "batch", 1, INT32_MAX, &batch, err);
    if (rc == COT_OK)
        rc = cot_call_int(call, "n-init", 1, 10000, &n_init, err);
    if (rc == COT_OK)
        rc = cot_call_int(call, "max-iter", options.method == COT_LAB_TREE ? 0 : 1, 1000000, &max_iter, err);
    if (rc == COT_OK)
        rc = cot_call_double(call, "tol", 0, 1e300, &options.tol, err);
    options.input = cot_call_value(call, "input");
    if (rc == COT_OK && (options.input == NULL || (k == 0 && cut == 0)))
        rc = cot_fail(err, COT_USAGE, "lab cluster needs --input FILE and --k K");
    if (rc != COT_OK)
        return rc;
    options.k = (size_t)k;
    options.cut = (size_t)cut;
    options.batch = (size_t)batch;
    options.n_init = (unsigned)n_init;
    options.max_iter = (unsigned)max_iter;
    options.init = cot_call_value(call, "init");
    options.labels_out = cot_call_value(call, "labels-out");
    options.centroids_out = cot_call_value(call, "centroids-out");
    options.linkage_out = cot_call_value(call, "linkage-out");
    rc = cot_lab_cluster_run(&call->context, &options, &doc, err);
    if (rc != COT_OK)
        return rc;
    if (call->json)
        rc = cot_print_json(doc, err);
    else
        print_outcome(doc);
    yyjson_mut_doc_free(doc);
    return rc;
}

static const struct cot_option options_of_lab_cluster[] = {
    {"input", "FILE", "NumPy array (.npy, float32 or float64), CSV or white-space text, each plain or gzip"},
    {"k", "K", "number of clusters"},
    {"method", "NAME", "kmeans (default), minibatch, ward, average, complete, single (exact) or tree (Ward, polished)"},
    {"cut", "K", "hierarchical: labels, centroids and inertia at K clusters (tree: polished)"},
    {"n-init", "N", "k-means, minibatch: runs from different seedings, the best is kept (default 1)"},
    {"max-iter", "N", "Lloyd steps at most (default 300; tree: 100; minibatch: 100 passes over the data)"},
    {"batch", "N", "minibatch: points a batch (default 1024)"},
    {"tol", "T", "k-means: stop when the centres move less, relative to the mean variance (default 1e-4)"},
    {"init", "FILE", "k-means, minibatch: start from these centroids instead of seeding"},
    {"seeding", "NAME", "k-means, minibatch: greedy (k-means++), chain (AFK-MC2) or auto (by size; the default)"},
    {"isa", "NAME",
     "k-means, ward: kernels of scalar, avx2, avx512 or amx (default: the best here); the result is the same"},
    {"labels-out", "FILE", "write one label a line, or an int32 array where FILE ends with .npy"},
    {"centroids-out", "FILE", "write the centroids as a float32 .npy"},
    {"linkage-out", "FILE",
     "hierarchical: write SciPy's linkage matrix as a float64 .npy (tree: over its micro-clusters)"},
    {NULL, NULL, NULL},
};

const struct cot_command cot_command_lab_cluster = {
    .name = "lab cluster",
    .arguments = "",
    .n_min = 0,
    .n_max = 0,
    .summary = "cluster a table of numbers, without a shop",
    .help = "Runs one learner on raw data and prints inertia, iterations and the seconds of the fit alone. K-means is\n"
            "seeded by greedy k-means++; ward, average, complete and single are exact; tree is what 'segment' uses.\n\n"
            "  coterie lab cluster --input points.npy --k 8 --seed 1 --labels-out labels.txt\n"
            "  coterie lab cluster --input points.csv.gz --k 8 --method ward --linkage-out linkage.npy",
    .options = options_of_lab_cluster,
    .run = run,
    .leaves_store = true,
};
