/*
 * The HTTP server: listens, checks rights and limits, dispatches by the table of routes (route.h).
 *
 * HTTP/1.1 with keep-alive on a pool of epoll threads (libmicrohttpd); TLS by certificate files. Handlers run on those
 * threads.
 */
#ifndef COT_HTTP_SERVER_H
#define COT_HTTP_SERVER_H

#include <stdint.h>

#include "coterie/err.h"

struct cot_server;
struct cot_service;

struct cot_server_options {
    const char *data_dir;
    const char *listen;   /* "127.0.0.1:8321", "[::1]:8321", ":8321" (every address); port 0: any free one */
    const char *tls_cert; /* PEM files; both or neither */
    const char *tls_key;
    const char *access_log;     /* file, "-": standard error, NULL: none */
    const char *shopify_secret; /* file with the secret that signs webhooks; NULL: none are taken */
    unsigned n_threads;         /* 0: all cores */
    unsigned max_connections;
    unsigned idle_timeout_s; /* of a connection on which nothing moves */
    int64_t rate;            /* requests a second of a key that has no rate of its own; 0: no limit */
};

/* The service is borrowed: it outlives the server. COT_USAGE where it would listen beyond loopback without keys. */
cot_code cot_server_start(const struct cot_server_options *options, struct cot_service *service,
                          struct cot_server **ret_server, struct cot_err *err) COT_MUST_CHECK;

/* Where it listens: "http://127.0.0.1:8321". */
const char *cot_server_url(const struct cot_server *server);

/* Takes no new connection, answers what has begun (for at most timeout_ms), then closes. NULL is fine. */
void cot_server_stop(struct cot_server *server, int64_t timeout_ms);

#endif
