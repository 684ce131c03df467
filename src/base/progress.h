/*
 * Progress of long work. The engine reports; only cli and http show. Reports may come from any thread, one at a time.
 */
#ifndef COT_BASE_PROGRESS_H
#define COT_BASE_PROGRESS_H

#include <stddef.h>
#include <stdint.h>

struct cot_progress {
    /* stage: a few words ("reading orders.csv"); total 0 = unknown. NULL: nobody is looking. */
    void (*report)(void *context, const char *stage, uint64_t done, uint64_t total);
    void *context;
};

static inline void cot_progress_report(const struct cot_progress *progress, const char *stage, uint64_t done,
                                       uint64_t total)
{
    if (progress != NULL && progress->report != NULL)
        progress->report(progress->context, stage, done, total);
}

#endif
