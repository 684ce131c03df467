/* A folder that lives as long as a test, and a shop in it. */
#ifndef COT_TESTS_UNIT_ENGINE_SCRATCH_H
#define COT_TESTS_UNIT_ENGINE_SCRATCH_H

#include <ftw.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "coterie/err.h"
#include "store/store.h"

enum { SCRATCH_PATH_SIZE = 256 };

/* Columns of schema 1, for inserts that give all of them. */
#define EVENT_COLUMNS                                                                                                  \
    "(event_id, node_id, kind, occurred_at, recorded_at, superseded_at, order_key, item_id, quantity, amount_minor,"   \
    " discount_minor, cost_minor, amount_original, currency, channel, session, campaign, detail, import_id, row_hash)"

static inline void scratch_make(char path[SCRATCH_PATH_SIZE])
{
    const char *parent = getenv("TMPDIR");
    snprintf(path, SCRATCH_PATH_SIZE, "%s/coterie-test-XXXXXX", parent != NULL ? parent : "/tmp");
    assert_non_null(mkdtemp(path));
}

static inline int scratch_unlink(const char *path, const struct stat *status, int type, struct FTW *ftw)
{
    (void)status;
    (void)type;
    (void)ftw;
    return remove(path);
}

static inline void scratch_remove(const char *path)
{
    assert_int_equal(nftw(path, scratch_unlink, 16, FTW_DEPTH | FTW_PHYS), 0);
}

/* Fails the test with the error's own words. */
#define assert_ok(call, err)                                                                                           \
    do {                                                                                                               \
        if ((call) != COT_OK)                                                                                          \
            fail_msg("%s: %s", #call, (err).message);                                                                  \
    } while (0)

static inline struct cot_store *scratch_shop(const char *path)
{
    struct cot_err err = {0};
    struct cot_store *store = NULL;
    struct cot_store_options options = {.mode = COT_STORE_CREATE, .n_threads = 1};
    assert_ok(cot_store_open(path, &options, &store, &err), err);
    return store;
}

#endif
