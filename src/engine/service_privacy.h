/*
 * What Shopify asks of every app for people's privacy: webhooks customers/redact, customers/data_request, shop/redact.
 */
#ifndef COT_ENGINE_SERVICE_PRIVACY_H
#define COT_ENGINE_SERVICE_PRIVACY_H

#include <stdbool.h>
#include <yyjson.h>

#include "coterie/err.h"
#include "engine/service.h"

bool cot_service_is_privacy_topic(const char *topic);

/*
 * On the committer's thread. Asked again they answer the same: nobody is left to erase.
 *
 * customers/redact: erases the customer of the payload: {"topic","people": 0 or 1,"receipt": id or null}
 * customers/data_request: writes all that is known of the customer to exports/data-request-ID.json, for the shop's
 * owner to hand on: {"topic","people": 0 or 1,"file": path or null}; a later redact deletes it shop/redact: erases
 * everybody of whom Shopify told, as customers/redact. COT_LIMIT beyond 10,000: then the data directory is for its
 * owner to delete.
 */
cot_code cot_service_privacy(struct cot_service *service, const char *topic, yyjson_val *payload,
                             yyjson_mut_doc **ret_doc, struct cot_err *err) COT_MUST_CHECK;

#endif
