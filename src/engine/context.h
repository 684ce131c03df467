/*
 * What every use case is given. A use case lives in one file of engine/, is called by cli and http alike, and returns
 * its result as a JSON document whose shape its header documents.
 */
#ifndef COT_ENGINE_CONTEXT_H
#define COT_ENGINE_CONTEXT_H

#include <stdint.h>

#include "base/progress.h"

struct cot_context {
    const char *data_dir; /* the shop's data directory */
    uint64_t seed;        /* of everything random; default 1 */
    unsigned n_threads;   /* 0: all cores */
    struct cot_progress progress;
};

#endif
