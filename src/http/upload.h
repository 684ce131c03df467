/*
 * Bodies that are files: they go to the data directory's tmp/ as they come, and are gone when the exchange ends.
 */
#ifndef COT_HTTP_UPLOAD_H
#define COT_HTTP_UPLOAD_H

#include <stddef.h>

#include "http/exchange.h"

struct cot_upload;

/* Makes the file, under the name that the query gives (?name=orders.csv). COT_USAGE where it gives none that is one. */
cot_code cot_upload_begin(struct cot_exchange *exchange, struct cot_err *err) COT_MUST_CHECK;
/* A failure is remembered: the handler says it. */
void cot_upload_append(struct cot_upload *upload, const char *data, size_t size);
/* Removes what a server that was killed left. */
void cot_upload_clean(const char *data_dir);

/* Removes it; fine where there is none. */
void cot_upload_end(struct cot_exchange *exchange);

#endif
