/* The handlers that the table of routes names: one file a group of paths. */
#ifndef COT_HTTP_HANDLERS_H
#define COT_HTTP_HANDLERS_H

#include "http/exchange.h"

/* handle_system.c */
cot_code cot_handle_health(struct cot_exchange *exchange, struct cot_err *err);
cot_code cot_handle_ready(struct cot_exchange *exchange, struct cot_err *err);
cot_code cot_handle_metrics(struct cot_exchange *exchange, struct cot_err *err);
cot_code cot_handle_openapi(struct cot_exchange *exchange, struct cot_err *err);

#endif
