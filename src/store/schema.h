/*
 * The schema of coterie.duckdb, as steps from each version to the next. A step is never changed once released: add one.
 *
 * Conventions: *_at are TIMESTAMP_MS in UTC; *_minor are integer minor units of the base currency; *_id are ours.
 * Facts have occurred_at and recorded_at: "as of T" uses facts with both at or before T. Tables have no keys or
 * indexes: uniqueness is kept in memory by the one writer (architecture: DuckDB is for appends and scans).
 */
#ifndef COT_STORE_SCHEMA_H
#define COT_STORE_SCHEMA_H

#include "coterie/err.h"

struct cot_store;

enum { COT_SCHEMA_VERSION = 7 };

/* Brings an open store from the version it has (0: empty) to COT_SCHEMA_VERSION, in one transaction a step. */
cot_code cot_schema_migrate(struct cot_store *store, struct cot_err *err) COT_MUST_CHECK;

/* The version of an open store, 0 for an empty file. */
cot_code cot_schema_version(struct cot_store *store, int *ret_version, struct cot_err *err) COT_MUST_CHECK;

#endif
