/* A block of points' share of one of Lloyd's steps: who may have moved, where to, and what that does to the sums. */
#ifndef COT_ML_LLOYD_BLOCK_H
#define COT_ML_LLOYD_BLOCK_H

#include "ml/lloyd.h"

struct cot_lloyd_block {
    /* what the last step changed; a centre's rows count only where it was touched */
    double *sums;   /* k x d */
    double *mass;   /* k, where points have weights */
    int64_t *count; /* k */
    bool *touched;  /* k */
    size_t n_changed;
    size_t n_looked; /* points that were assigned, not only bounded */
};

cot_code cot_lloyd_block_init(struct cot_lloyd_block *ret_block, size_t k, size_t d,
                              struct cot_err *err) COT_MUST_CHECK;
void cot_lloyd_block_release(struct cot_lloyd_block *block);

/* What one thread needs to work on any block. */
struct cot_lloyd_scratch {
    size_t batch;                /* points */
    float *tiles;                /* a batch of points side by side */
    float *norms2;               /* their norms */
    struct cot_nearest *nearest; /* what was found of each tile */
};

cot_code cot_lloyd_scratch_init(struct cot_lloyd_scratch *ret_scratch, size_t d, enum cot_isa isa,
                                struct cot_err *err) COT_MUST_CHECK;
void cot_lloyd_scratch_release(struct cot_lloyd_scratch *scratch);
/* At most, with any instruction set. */
size_t cot_lloyd_scratch_memory(size_t d);

/* Assigns the points of tiles [begin, end): labels and slack of those that may have changed, and the block's sums. */
void cot_lloyd_block_step(struct cot_lloyd *lloyd, struct cot_lloyd_block *block,
                          const struct cot_lloyd_scratch *scratch, size_t begin, size_t end);

#endif
