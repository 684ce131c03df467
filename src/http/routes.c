/* The table of routes. Adding a path is adding a row here and its handler (handlers.h). */
#include "http/handlers.h"
#include "http/route.h"

const struct cot_schema cot_schemas[] = {
    {"Error",
     "{\"type\":\"object\",\"required\":[\"error\"],\"properties\":{\"error\":{\"type\":\"object\",\"required\":"
     "[\"code\",\"message\"],\"properties\":{\"code\":{\"type\":\"string\"},\"message\":{\"type\":\"string\","
     "\"description\":\"the value, where it stood and what to do\"}}}}}"},
    {"Status", "{\"type\":\"object\",\"required\":[\"status\"],\"properties\":{\"status\":{\"type\":\"string\"}}}"},
    {NULL, NULL},
};

const struct cot_route cot_routes[] = {
    {.method = "GET",
     .path = "/healthz",
     .flags = COT_ROUTE_ALWAYS,
     .handle = cot_handle_health,
     .response = COT_SCHEMA_REF("Status"),
     .summary = "Whether the process lives"},
    {.method = "GET",
     .path = "/readyz",
     .flags = COT_ROUTE_ALWAYS,
     .handle = cot_handle_ready,
     .response = COT_SCHEMA_REF("Status"),
     .summary = "Whether it can do its work: 503 says why not"},
    {.method = "GET",
     .path = "/metrics",
     .roles = COT_ROLE_SERVER | COT_ROLE_ANALYST,
     .flags = COT_ROUTE_ALWAYS,
     .handle = cot_handle_metrics,
     .summary = "Counters for Prometheus"},
    {.method = "GET",
     .path = "/openapi.json",
     .handle = cot_handle_openapi,
     .response = "{\"type\":\"object\"}",
     .summary = "This document"},
};

const size_t cot_n_routes = sizeof cot_routes / sizeof *cot_routes;
