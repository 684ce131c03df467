/* The handlers that the table of routes names: one file a group of paths. */
#ifndef COT_HTTP_HANDLERS_H
#define COT_HTTP_HANDLERS_H

#include "http/exchange.h"

/* handle_system.c */
cot_code cot_handle_health(struct cot_exchange *exchange, struct cot_err *err);
cot_code cot_handle_ready(struct cot_exchange *exchange, struct cot_err *err);
cot_code cot_handle_metrics(struct cot_exchange *exchange, struct cot_err *err);
cot_code cot_handle_openapi(struct cot_exchange *exchange, struct cot_err *err);
cot_code cot_handle_verify(struct cot_exchange *exchange, struct cot_err *err);

/* handle_ingest.c */
cot_code cot_handle_call(struct cot_exchange *exchange, struct cot_err *err);
cot_code cot_handle_batch(struct cot_exchange *exchange, struct cot_err *err);
cot_code cot_handle_ga4(struct cot_exchange *exchange, struct cot_err *err);
cot_code cot_handle_ga4_debug(struct cot_exchange *exchange, struct cot_err *err);
cot_code cot_handle_shopify(struct cot_exchange *exchange, struct cot_err *err);

/* handle_pixel.c */
cot_code cot_handle_pixel(struct cot_exchange *exchange, struct cot_err *err);

/* handle_quarantine.c */
cot_code cot_handle_quarantine_list(struct cot_exchange *exchange, struct cot_err *err);
cot_code cot_handle_quarantine_replay(struct cot_exchange *exchange, struct cot_err *err);
cot_code cot_handle_quarantine_correct(struct cot_exchange *exchange, struct cot_err *err);

/* handle_customer.c */
cot_code cot_handle_customer(struct cot_exchange *exchange, struct cot_err *err);
cot_code cot_handle_customer_segments(struct cot_exchange *exchange, struct cot_err *err);
cot_code cot_handle_customer_explain(struct cot_exchange *exchange, struct cot_err *err);
cot_code cot_handle_customer_timeline(struct cot_exchange *exchange, struct cot_err *err);
cot_code cot_handle_customer_forget(struct cot_exchange *exchange, struct cot_err *err);
cot_code cot_handle_receipt(struct cot_exchange *exchange, struct cot_err *err);
cot_code cot_handle_link(struct cot_exchange *exchange, struct cot_err *err);
cot_code cot_handle_unlink(struct cot_exchange *exchange, struct cot_err *err);

/* handle_prediction.c */
cot_code cot_handle_predictions(struct cot_exchange *exchange, struct cot_err *err);
cot_code cot_handle_predictions_record(struct cot_exchange *exchange, struct cot_err *err);
cot_code cot_handle_customer_predictions(struct cot_exchange *exchange, struct cot_err *err);

/* handle_facts.c */
cot_code cot_handle_products(struct cot_exchange *exchange, struct cot_err *err);
cot_code cot_handle_consent(struct cot_exchange *exchange, struct cot_err *err);
cot_code cot_handle_traits_patch(struct cot_exchange *exchange, struct cot_err *err);
cot_code cot_handle_traits_put(struct cot_exchange *exchange, struct cot_err *err);

/* upload.c */
cot_code cot_handle_upload(struct cot_exchange *exchange, struct cot_err *err);

/* handle_identity.c */
cot_code cot_handle_identity(struct cot_exchange *exchange, struct cot_err *err);
cot_code cot_handle_identity_simulate(struct cot_exchange *exchange, struct cot_err *err);
cot_code cot_handle_identity_apply(struct cot_exchange *exchange, struct cot_err *err);

/* handle_demand.c */
cot_code cot_handle_forecasts(struct cot_exchange *exchange, struct cot_err *err);

/* handle_segment.c */
cot_code cot_handle_segment_list(struct cot_exchange *exchange, struct cot_err *err);
cot_code cot_handle_segment(struct cot_exchange *exchange, struct cot_err *err);
cot_code cot_handle_segment_learned(struct cot_exchange *exchange, struct cot_err *err);
cot_code cot_handle_segment_history(struct cot_exchange *exchange, struct cot_err *err);
cot_code cot_handle_segment_versions(struct cot_exchange *exchange, struct cot_err *err);
cot_code cot_handle_segment_stream(struct cot_exchange *exchange, struct cot_err *err);
cot_code cot_handle_segment_members(struct cot_exchange *exchange, struct cot_err *err);
cot_code cot_handle_segment_preview(struct cot_exchange *exchange, struct cot_err *err);
cot_code cot_handle_segment_put(struct cot_exchange *exchange, struct cot_err *err);
cot_code cot_handle_segment_delete(struct cot_exchange *exchange, struct cot_err *err);

#endif
