/*
 * Daily snapshots of every segment: how many customers, what they brought, who came and went since the day before.
 *
 * Taken at the shop's midnight by the server (ingest_days.c), kept for good (tables segment_day, segment_day_member). A
 * day without one is not made up: histories show it as missing.
 */
#ifndef COT_ENGINE_SEGMENT_DAYS_H
#define COT_ENGINE_SEGMENT_DAYS_H

#include <stddef.h>
#include <stdint.h>
#include <yyjson.h>

#include "coterie/err.h"
#include "engine/context.h"

struct cot_store;

enum { COT_DAY_N_WINDOWS = 2, COT_DAY_MAX_NAME = 256 };
extern const int cot_day_windows[COT_DAY_N_WINDOWS]; /* 30 and 365 days */

/* A set of customers, a bit a node. */
struct cot_day_members {
    uint64_t *bits;
    size_t n_words;
};

struct cot_day_segment {
    int32_t segment_id; /* learned segments; 0: by rule */
    char name[COT_DAY_MAX_NAME];
    int32_t version;
    struct cot_day_members members;
    int64_t revenue_minor[COT_DAY_N_WINDOWS]; /* net, within each window before as_of */
};

/* A snapshot on its way to the store. */
struct cot_day {
    int64_t day;      /* that ended, as a number of days since 1970-01-01 on the shop's clock */
    int64_t as_of_ms; /* when it was taken: its end */
    struct cot_day_segment *segments;
    size_t n_segments;
    struct cot_day *next;
};
void cot_day_free(struct cot_day *day); /* NULL is fine; not those after it */

/* Writes a snapshot, and compares it with that of the day before; the caller holds the transaction. A day that is there
 * already stays. */
cot_code cot_day_write(struct cot_store *store, const struct cot_day *day, struct cot_err *err) COT_MUST_CHECK;

/*
 * {"currency","segments": [{"segment_id": 3 | null,"name","days": [{"day","as_of","version","size","revenue_30",
 *   "revenue_365","entered","exited"}]}]}
 *   segments by rule first, by name; learned ones by id, under their newest name; days: oldest first, the last max_days
 *   that the segment had; of a day without a snapshot only "day" stands, the rest is null
 * name: a segment by rule, else the number of a learned one; NULL: all. COT_NOT_FOUND where it has no snapshot.
 */
cot_code cot_segment_days_describe(struct cot_store *store, const char *name, int64_t max_days, yyjson_mut_doc *doc,
                                   yyjson_mut_val *root, struct cot_err *err) COT_MUST_CHECK;

/* The same of a data directory. */
cot_code cot_segment_days_run(const struct cot_context *context, const char *name, int64_t max_days,
                              yyjson_mut_doc **ret_doc, struct cot_err *err) COT_MUST_CHECK;

#endif
