/* OpenBLAS works on one thread of ours at a time: its own would spin beside them. Before any call of it. */
#ifndef COT_NUM_BLAS_H
#define COT_NUM_BLAS_H

#include <cblas.h>

static inline void cot_blas_one_thread(void)
{
    openblas_set_num_threads(1);
}

#endif
