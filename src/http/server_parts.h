/* What the server's files share. */
#ifndef COT_HTTP_SERVER_PARTS_H
#define COT_HTTP_SERVER_PARTS_H

#include <microhttpd.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>

#include "engine/keys.h"
#include "http/access_log.h"
#include "http/connections.h"
#include "http/exchange.h"
#include "http/metrics.h"
#include "http/rate_limit.h"
#include "http/route.h"
#include "http/server.h"
#include "http/stream.h"

struct cot_server {
    /* immutable once started */
    struct cot_server_options options;
    struct cot_service *service;
    struct cot_connections *connections;
    struct cot_access_log *log;
    struct cot_metrics *metrics;
    struct cot_rate_limit *rates;
    struct cot_streams *streams;
    char url[128];
    bool loopback;
    char *shopify_secret; /* NULL: none */

    atomic_bool draining;
    atomic_int n_open;    /* exchanges begun and not completed */
    atomic_int n_waiting; /* suspended */

    /* guarded by keys_mutex */
    pthread_mutex_t keys_mutex;
    struct cot_key_ring keys;
    int64_t keys_checked_us;
    struct timespec keys_changed; /* of the file, when it was read */
    uint64_t keys_inode;
};

int64_t cot_now_us(void); /* monotonic */

/* Reads the keys again where their file has changed; looked for at most once a second. */
cot_code cot_server_read_keys(struct cot_server *server, struct cot_err *err) COT_MUST_CHECK;

/* Whether a key is still in force; "", none, where none was needed. */
bool cot_server_key_holds(struct cot_server *server, const char *key_id);

/* Whether the exchange may go on: by its key, the route's roles and the key's rate. False: the answer is there.
 * `body_key` is a key that stood in the body, NULL: none. */
bool cot_exchange_authorize(struct cot_exchange *exchange, const char *body_key);

#endif
