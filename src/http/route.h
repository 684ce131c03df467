/*
 * Routes are data: one row a route (src/http/routes.c) that drives dispatch, rights, limits, metrics, the access log
 * and the OpenAPI document at /openapi.json.
 */
#ifndef COT_HTTP_ROUTE_H
#define COT_HTTP_ROUTE_H

#include <stdbool.h>
#include <stddef.h>
#include <yyjson.h>

#include "coterie/err.h"
#include "http/exchange.h"

enum cot_route_flag {
    COT_ROUTE_CORS = 1 << 0,        /* browsers of any origin may call it */
    COT_ROUTE_KEY_IN_BODY = 1 << 1, /* the handler finds the key: it may stand in the body */
    COT_ROUTE_ALWAYS = 1 << 2,      /* answered while the server drains */
    COT_ROUTE_UPLOAD = 1 << 3       /* the body goes to a file (upload.h); the key stands in the head */
};

/* A parameter of the query. */
struct cot_route_query {
    const char *name;
    const char *schema; /* JSON Schema */
    const char *help;
};

struct cot_route {
    const char *method;
    const char *path;     /* template: at most one "{name}", a whole segment */
    unsigned roles;       /* enum cot_role bits that may call it, besides admin; 0: anybody, without a key */
    unsigned flags;       /* enum cot_route_flag */
    size_t max_body_size; /* bytes as sent; 0: no body */
    cot_code (*handle)(struct cot_exchange *exchange, struct cot_err *err);
    const char *request;  /* JSON Schema of the body as JSON text; NULL: none */
    const char *response; /* of the answer 200; NULL: not JSON */
    const char *type;     /* media type of that answer; NULL: application/json */
    const char *summary;
    const struct cot_route_query *query; /* ends with name NULL; NULL: none */
};

extern const struct cot_route cot_routes[];
extern const size_t cot_n_routes;

/* The route of a method and a path. ret_parameter receives what stands for {name}. Returns NULL where there is none;
 * ret_known_path says then whether other methods have that path. */
const struct cot_route *cot_route_find(const char *method, const char *path, char ret_parameter[COT_PARAMETER_SIZE],
                                       size_t *ret_parameter_size, bool *ret_known_path);

/* A message of a use case in the words of a request: its options (--date-order) are the route's query (date_order).
 * route may be NULL. Cuts what is longer than ret_text. */
void cot_route_words(const struct cot_route *route, const char *message, char *ret_text, size_t size);

/* The methods of a path for Allow and Access-Control-Allow-Methods: "GET, DELETE, OPTIONS" (ret_text of 64 bytes), and
 * whether browsers of other origins may use them. */
void cot_route_methods(const char *path, char ret_text[64], bool *ret_cors);

/* The OpenAPI 3.1 document of the table. */
cot_code cot_openapi_make(yyjson_mut_doc **ret_doc, struct cot_err *err) COT_MUST_CHECK;

/* Named schemas that rows refer to ("#/components/schemas/NAME"): ends with name NULL. */
struct cot_schema {
    const char *name;
    const char *json;
};
extern const struct cot_schema cot_schemas[];

#define COT_SCHEMA_REF(name) "{\"$ref\":\"#/components/schemas/" name "\"}"

#endif
