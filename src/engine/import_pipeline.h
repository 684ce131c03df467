/*
 * One pass over a file: a thread reads batches, threads decode them, the caller takes the results in file order.
 *
 * What the caller sees depends on the file alone, never on the number of threads. Grouped shapes are decoded by one
 * thread in file order. Memory: a ring of N_JOBS_PER_THREAD batches a thread.
 */
#ifndef COT_ENGINE_IMPORT_PIPELINE_H
#define COT_ENGINE_IMPORT_PIPELINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/hash.h"
#include "base/progress.h"
#include "connect/connector.h"
#include "coterie/err.h"
#include "store/reader.h"

/* One row of the file that was understood: its records are records[first .. first + n). */
struct cot_row_unit {
    size_t first;
    size_t n;
    uint64_t line;
    size_t i_row;            /* of the batch; SIZE_MAX where it stood in an earlier one */
    struct cot_hash128 hash; /* of all that it says or, where its source gave it an id, of that */
    uint64_t node_hash;      /* cot_dict_hash of the strongest identity that its first record names; 0: none */
    bool has_key;            /* the hash is of the source's own id */
};

struct cot_decoded {
    struct cot_batch batch;
    struct cot_records records;
    struct cot_row_unit *units;
    size_t n_units;
    size_t units_capacity;
};

/* Cuts the records into rows and hashes them. */
cot_code cot_decoded_cut(struct cot_decoded *decoded, struct cot_err *err) COT_MUST_CHECK;
void cot_decoded_release(struct cot_decoded *decoded);

/* Takes the rows of one batch. `before` is the batch before it, for rows whose cells stood there (NULL at the first).
 */
typedef cot_code cot_pipeline_take(void *context, const struct cot_decoded *decoded, const struct cot_decoded *before,
                                   struct cot_err *err);

struct cot_pipeline_options {
    unsigned n_threads; /* 0: all cores */
    struct cot_progress progress;
    const char *stage;
    cot_pipeline_take *take;
    void *context;
};

/* From where the reader stands to its end. Fails as reader, decoder or `take` fail; all threads have ended then. */
cot_code cot_pipeline_run(struct cot_reader *reader, const struct cot_mapping *mapping,
                          const struct cot_pipeline_options *options, struct cot_err *err) COT_MUST_CHECK;

#endif
