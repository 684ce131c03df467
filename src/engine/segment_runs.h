/*
 * Runs of the segmentation in the store: tables segment_run, segment and segment_member. Every run is kept.
 */
#ifndef COT_ENGINE_SEGMENT_RUNS_H
#define COT_ENGINE_SEGMENT_RUNS_H

#include <stddef.h>
#include <stdint.h>

#include "coterie/err.h"

struct cot_store;

struct cot_segment_row {
    int32_t id; /* lasts across runs */
    char *name;
    char *color;
    int64_t size;
    int64_t revenue_minor;
    char *strategy;
    char *detail; /* JSON: the segment as in the run's document */
};

struct cot_segment_run_row {
    int64_t run_id;
    int64_t created_at_ms;
    int64_t as_of_ms;
    int64_t as_of_day; /* in the shop's time zone */
    uint64_t seed;
    int64_t n_customers;
    size_t n_segments;
    struct cot_segment_row *segments; /* by id */
    char *detail;                     /* JSON: the run's whole document; NULL unless asked for */
};

struct cot_segment_runs {
    size_t n;
    struct cot_segment_run_row *runs; /* oldest first */
};

/* All runs, with segments and without details. */
cot_code cot_segment_runs_load(struct cot_store *store, struct cot_segment_runs *ret_runs,
                               struct cot_err *err) COT_MUST_CHECK;
void cot_segment_runs_release(struct cot_segment_runs *runs);

/* The run of that id, 0 for the newest; COT_NOT_FOUND names the runs that there are. */
cot_code cot_segment_runs_find(const struct cot_segment_runs *runs, int64_t run_id, size_t *ret_i,
                               struct cot_err *err) COT_MUST_CHECK;

/* The document of a run (malloc'd JSON text). */
cot_code cot_segment_run_detail(struct cot_store *store, int64_t run_id, char **ret_json,
                                struct cot_err *err) COT_MUST_CHECK;

const struct cot_segment_row *cot_segment_run_segment(const struct cot_segment_run_row *run, int32_t id);

/* Who was where, by customer. */
struct cot_segment_members {
    size_t n;
    uint32_t *customers; /* ascending */
    int32_t *segments;   /* segment ids */
};

cot_code cot_segment_members_load(struct cot_store *store, int64_t run_id, struct cot_segment_members *ret_members,
                                  struct cot_err *err) COT_MUST_CHECK;
void cot_segment_members_release(struct cot_segment_members *members);

/* Writes a run with its segments and members; the caller holds the transaction. */
cot_code cot_segment_run_write(struct cot_store *store, const struct cot_segment_run_row *run,
                               const struct cot_segment_members *members, struct cot_err *err) COT_MUST_CHECK;

#endif
