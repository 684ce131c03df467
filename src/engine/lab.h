/*
 * The lab: one learner on raw data, without a shop.
 */
#ifndef COT_ENGINE_LAB_H
#define COT_ENGINE_LAB_H

#include <yyjson.h>

#include "coterie/err.h"
#include "coterie/isa.h"
#include "coterie/kmeans.h"
#include "engine/context.h"

enum cot_lab_method {
    COT_LAB_KMEANS,
    COT_LAB_MINIBATCH,
    COT_LAB_WARD,
    COT_LAB_AVERAGE,
    COT_LAB_COMPLETE,
    COT_LAB_SINGLE,
    COT_LAB_TREE,
    COT_N_LAB_METHODS
};

/* COT_USAGE for a name that is none of them. */
cot_code cot_lab_method_parse(const char *name, enum cot_lab_method *ret_method, struct cot_err *err) COT_MUST_CHECK;

struct cot_lab_cluster_options {
    const char *input;         /* .npy, CSV or white-space text, each plain or gzip */
    const char *labels_out;    /* one label a line; int32 array where it ends with ".npy"; NULL: not written */
    const char *centroids_out; /* k x d float32 .npy; NULL: not written */
    const char *linkage_out;   /* (n-1) x 4 float64 .npy as SciPy has it (tree: over its micro-clusters, if it has
                                  any); not for k-means */
    const char *init;          /* initial centroids, as input; k-means and mini-batches */
    enum cot_lab_method method;
    enum cot_isa isa;                /* k-means and Ward */
    enum cot_kmeans_seeding seeding; /* k-means only */
    size_t k;                        /* clusters; 0: cut */
    size_t cut;        /* clusters that labels, centroids and inertia are of, where not k; not for k-means; 0: k */
    unsigned n_init;   /* k-means and mini-batches */
    unsigned max_iter; /* k-means: Lloyd steps; tree: of the polish; mini-batches: passes over the data */
    size_t batch;      /* points of a mini-batch; 0: the usual number */
    double tol;        /* k-means only */
};

/*
 * {"n","d","k","method","kernel","inertia","iterations","seconds"}: inertia of the labels about their means (k-means:
 * about its centroids), seconds of the fit alone, the instruction set that ran (k-means). context gives seed and
 * threads. Errors as the learners', COT_IO, COT_BAD_DATA for an input that can't be understood. The caller frees the
 * document.
 */
cot_code cot_lab_cluster_run(const struct cot_context *context, const struct cot_lab_cluster_options *options,
                             yyjson_mut_doc **ret_doc, struct cot_err *err) COT_MUST_CHECK;

#endif
