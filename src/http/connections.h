/*
 * The server's connections. One thread accepts them and hands each to the worker that has fewest; a worker is a daemon
 * of libmicrohttpd with one thread. In libmicrohttpd's own pool the threads race for connections, and one of them may
 * get nearly all.
 */
#ifndef COT_HTTP_CONNECTIONS_H
#define COT_HTTP_CONNECTIONS_H

#include <microhttpd.h>

#include "coterie/err.h"
#include "http/metrics.h"

struct cot_connections;

struct cot_connections_options {
    int fd; /* it listens, without blocking; closed by cot_connections_close, also where opening fails */
    unsigned n_workers;
    unsigned max_open;       /* more wait until others are closed */
    unsigned idle_timeout_s; /* of a connection on which nothing moves */
    unsigned max_head_size;  /* bytes of a request's line and headers */
    const char *cert;        /* PEM; NULL: no TLS */
    const char *key;
    MHD_AccessHandlerCallback on_request;
    MHD_RequestCompletedCallback on_completed;
    void *context; /* of both */
    struct cot_metrics *metrics;
};

cot_code cot_connections_open(const struct cot_connections_options *options, struct cot_connections **ret_connections,
                              struct cot_err *err) COT_MUST_CHECK;

/* None is accepted any more; those that are open go on. */
void cot_connections_refuse_new(struct cot_connections *connections);

/* Ends all; none may be suspended. NULL is allowed. */
void cot_connections_close(struct cot_connections *connections);

#endif
