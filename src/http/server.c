#include "http/server.h"

#include <arpa/inet.h>
#include <errno.h>
#include <malloc.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "base/civil.h"
#include "base/threads.h"
#include "http/server_parts.h"
#include "http/upload.h"

enum { HEAD_SIZE = 32768, BODY_OF_NO_ROUTE = 65536, FILE_MAX = 1 << 20 };

int64_t cot_now_us(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

/* Methods by name, so that an exchange keeps no pointer into the connection. */
static const char *method_name(const char *method)
{
    static const char *const names[] = {"GET", "POST", "PUT", "DELETE", "OPTIONS", "HEAD", "PATCH"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (strcmp(names[i], method) == 0)
            return names[i];
    return "other";
}

static struct cot_exchange *exchange_begin(struct cot_server *server, struct MHD_Connection *connection,
                                           const char *method, const char *url)
{
    bool known = false;
    struct cot_exchange *exchange = calloc(1, sizeof *exchange);
    if (exchange == NULL)
        return NULL;
    exchange->server = server;
    exchange->service = server->service;
    exchange->connection = connection;
    exchange->method = method_name(method);
    exchange->began_us = cot_now_us();
    exchange->received_at_ms = cot_wall_ms();
    exchange->route = cot_route_find(exchange->method, url, exchange->parameter, &exchange->parameter_size, &known);
    exchange->body.max_size = exchange->route != NULL ? exchange->route->max_body_size : BODY_OF_NO_ROUTE;
    if (exchange->body.max_size == 0)
        exchange->body.max_size = 1; /* 0 would be the buffer's own default */
    atomic_fetch_add(&server->n_open, 1);
    return exchange;
}

static void answer_unknown(struct cot_exchange *exchange, const char *url)
{
    bool cors = false;
    char methods[64];
    cot_route_methods(url, methods, &cors);
    if (strcmp(methods, "OPTIONS") == 0) {
        cot_exchange_answer_error(exchange, 404, "not_found", "no such path: /openapi.json lists them");
    } else if (strcmp(exchange->method, "OPTIONS") == 0) {
        exchange->status = 204;
    } else {
        cot_exchange_answer_error(exchange, 405, "method_not_allowed", "the path has no such method");
    }
}

static void handle(struct cot_exchange *exchange, const char *url)
{
    struct cot_err err = {0};
    const struct cot_route *route = exchange->route;
    if (exchange->too_large) {
        cot_exchange_answer_error(exchange, 413, "too_large", "the body is larger than the path takes");
        return;
    }
    if (route == NULL) {
        answer_unknown(exchange, url);
        return;
    }
    if (atomic_load(&exchange->server->draining) && !(route->flags & COT_ROUTE_ALWAYS)) {
        exchange->retry_after_s = 5;
        exchange->closes = true;
        cot_exchange_answer_error(exchange, 503, "stopping", "the server is stopping: try again in a moment");
        return;
    }
    if (route->roles != 0 && !(route->flags & COT_ROUTE_KEY_IN_BODY) && !cot_exchange_authorize(exchange, NULL))
        return;
    cot_code rc = route->handle(exchange, &err);
    if (rc != COT_OK)
        cot_exchange_answer_error(exchange, cot_code_http_status(rc), cot_code_name(rc), err.message);
}

static void add_headers(const struct cot_exchange *exchange, const char *url, struct MHD_Response *response)
{
    char text[64];
    char methods[64];
    bool cors = false;
    const char *type = exchange->content_type != NULL ? exchange->content_type : "application/json";
    if (exchange->answer.size > 0 || exchange->stream != NULL)
        MHD_add_response_header(response, "Content-Type", type);
    if (exchange->stream != NULL)
        MHD_add_response_header(response, "X-Accel-Buffering", "no"); /* a proxy passes on what comes as it comes */
    MHD_add_response_header(response, "Cache-Control", "no-store");
    MHD_add_response_header(response, "X-Content-Type-Options", "nosniff");
    if (exchange->retry_after_s > 0) {
        snprintf(text, sizeof text, "%u", exchange->retry_after_s);
        MHD_add_response_header(response, "Retry-After", text);
    }
    if (exchange->rate_reset_s > 0) {
        snprintf(text, sizeof text, "%llu", (unsigned long long)exchange->rate_reset_s);
        MHD_add_response_header(response, "X-RateLimit-Reset", text);
    }
    if (exchange->status == 401)
        MHD_add_response_header(response, "WWW-Authenticate", "Bearer");
    if (exchange->closes)
        MHD_add_response_header(response, "Connection", "close");
    if (exchange->route != NULL && !(exchange->route->flags & COT_ROUTE_CORS))
        return;
    cot_route_methods(url, methods, &cors);
    if (exchange->status == 405 || exchange->status == 204)
        MHD_add_response_header(response, "Allow", methods);
    if (cors) {
        MHD_add_response_header(response, "Access-Control-Allow-Origin", "*");
        MHD_add_response_header(response, "Access-Control-Allow-Methods", methods);
        MHD_add_response_header(response, "Access-Control-Allow-Headers",
                                "Authorization, Content-Type, Content-Encoding");
        MHD_add_response_header(response, "Access-Control-Max-Age", "86400");
    }
}

static enum MHD_Result send_answer(struct cot_exchange *exchange, const char *url)
{
    if (exchange->status == 0)
        cot_exchange_answer_error(exchange, 500, "COT_INTERNAL", "the path gave no answer");
    struct MHD_Response *response =
        exchange->stream != NULL ? cot_stream_response(exchange->stream)
                                 : MHD_create_response_from_buffer(exchange->answer.size, (void *)exchange->answer.data,
                                                                   MHD_RESPMEM_PERSISTENT);
    if (response != NULL)
        add_headers(exchange, url, response);
    exchange->stream = NULL; /* the response's */
    if (response == NULL)
        return MHD_NO;
    enum MHD_Result result = MHD_queue_response(exchange->connection, (unsigned)exchange->status, response);
    MHD_destroy_response(response);
    return result;
}

/* A body that is announced as too large is refused before it is sent. */
static bool is_announced_too_large(const struct cot_exchange *exchange)
{
    const char *length = cot_exchange_header(exchange, "Content-Length");
    return length != NULL && strtoull(length, NULL, 10) > exchange->body.max_size;
}

/* A file is taken only from who may bring it: that is asked before the first byte. False: the answer is there. */
static bool may_begin(struct cot_exchange *exchange)
{
    struct cot_err err = {0};
    if (exchange->route == NULL || !(exchange->route->flags & COT_ROUTE_UPLOAD))
        return true;
    if (!cot_exchange_authorize(exchange, NULL))
        return false;
    cot_code rc = cot_upload_begin(exchange, &err);
    if (rc != COT_OK)
        cot_exchange_answer_error(exchange, cot_code_http_status(rc), cot_code_name(rc), err.message);
    return rc == COT_OK;
}

/* How much is read of a body that is too large, so that its sender reads the answer. */
static uint64_t beyond(const struct cot_exchange *exchange)
{
    return exchange->upload != NULL ? exchange->body.max_size + BODY_OF_NO_ROUTE
                                    : 8 * exchange->body.max_size + BODY_OF_NO_ROUTE;
}

static enum MHD_Result on_request(void *context, struct MHD_Connection *connection, const char *url, const char *method,
                                  const char *version, const char *upload, size_t *upload_size, void **state)
{
    struct cot_exchange *exchange = *state;
    (void)version;
    if (exchange == NULL) {
        exchange = exchange_begin(context, connection, method, url);
        *state = exchange;
        if (exchange == NULL)
            return MHD_NO;
        exchange->too_large = is_announced_too_large(exchange);
        if (!exchange->too_large && may_begin(exchange))
            return MHD_YES;
        exchange->handled = true;
        if (exchange->too_large)
            handle(exchange, url);
        return send_answer(exchange, url);
    }
    if (*upload_size > 0) {
        exchange->received_size += *upload_size;
        if (exchange->upload != NULL)
            exchange->too_large = exchange->received_size > exchange->body.max_size;
        if (exchange->upload != NULL && !exchange->too_large)
            cot_upload_append(exchange->upload, upload, *upload_size);
        else if (!exchange->too_large)
            exchange->too_large = cot_buf_append(&exchange->body, upload, *upload_size, NULL) != COT_OK;
        *upload_size = 0;
        /* What goes on and on is cut off instead of read to its end. */
        return exchange->received_size > beyond(exchange) ? MHD_NO : MHD_YES;
    }
    if (!exchange->handled) {
        exchange->handled = true;
        handle(exchange, url);
        if (exchange->waits)
            return MHD_YES; /* it may be answered already, by another thread: not ours to touch */
    }
    cot_upload_end(exchange); /* what was sent is gone from the disk before its sender reads the answer */
    return send_answer(exchange, url);
}

static void on_completed(void *context, struct MHD_Connection *connection, void **state,
                         enum MHD_RequestTerminationCode code)
{
    struct cot_server *server = context;
    struct cot_exchange *exchange = *state;
    (void)connection;
    (void)code;
    if (exchange == NULL)
        return;
    int64_t duration_us = cot_now_us() - exchange->began_us;
    cot_metrics_count(server->metrics, exchange->route, exchange->status, duration_us);
    cot_access_log_write(server->log, exchange, duration_us);
    cot_upload_end(exchange);
    cot_stream_free(exchange->stream);
    cot_buf_release(&exchange->body);
    cot_buf_release(&exchange->answer);
    free(exchange);
    *state = NULL;
    atomic_fetch_sub(&server->n_open, 1);
}

static bool is_loopback(const struct sockaddr *address)
{
    if (address->sa_family == AF_INET)
        return (ntohl(((const struct sockaddr_in *)(const void *)address)->sin_addr.s_addr) >> 24) == 127;
    return address->sa_family == AF_INET6 &&
           IN6_IS_ADDR_LOOPBACK(&((const struct sockaddr_in6 *)(const void *)address)->sin6_addr);
}

/* Opens the socket and says whether it can be reached from this machine alone. */
static cot_code open_socket(const char *listen_at, int *ret_socket, bool *ret_loopback, struct cot_err *err)
{
    char host[256] = "";
    struct addrinfo hints = {.ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM, .ai_flags = AI_PASSIVE};
    struct addrinfo *addresses = NULL;
    const char *colon = strrchr(listen_at, ':');
    if (colon == NULL || colon[1] == '\0' || (size_t)(colon - listen_at) >= sizeof host)
        return cot_fail(err, COT_USAGE, "--listen %s: write ADDRESS:PORT, as in 127.0.0.1:8321", listen_at);
    size_t size = (size_t)(colon - listen_at);
    if (size >= 2 && listen_at[0] == '[' && listen_at[size - 1] == ']')
        memcpy(host, listen_at + 1, size - 2);
    else
        memcpy(host, listen_at, size);
    int status = getaddrinfo(host[0] != '\0' ? host : NULL, colon + 1, &hints, &addresses);
    if (status != 0)
        return cot_fail(err, COT_USAGE, "--listen %s: %s", listen_at, gai_strerror(status));
    int one = 1;
    int fd = socket(addresses->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    bool done = fd >= 0 && setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one) == 0 &&
                bind(fd, addresses->ai_addr, addresses->ai_addrlen) == 0 && listen(fd, SOMAXCONN) == 0;
    int why = errno;
    *ret_loopback = is_loopback(addresses->ai_addr);
    freeaddrinfo(addresses);
    if (!done) {
        if (fd >= 0)
            close(fd);
        return cot_fail(err, COT_IO, "listening at %s: %s", listen_at, strerror(why));
    }
    *ret_socket = fd;
    return COT_OK;
}

static cot_code read_pem(const char *path, char **ret_text, struct cot_err *err)
{
    FILE *file = fopen(path, "re");
    char *text = malloc(FILE_MAX + 1);
    cot_code rc = file == NULL ? cot_fail(err, COT_IO, "'%s': %s", path, strerror(errno)) : COT_OK;
    if (rc == COT_OK && text == NULL)
        rc = cot_fail(err, COT_NOMEM, "'%s'", path);
    if (rc == COT_OK) {
        size_t size = fread(text, 1, FILE_MAX, file);
        text[size] = '\0';
        if (ferror(file) || strstr(text, "-----BEGIN") == NULL)
            rc = cot_fail(err, COT_BAD_DATA, "'%s' is no PEM file", path);
    }
    if (file != NULL)
        fclose(file);
    if (rc == COT_OK)
        *ret_text = text;
    else
        free(text);
    return rc;
}

/* The first line of a file. */
static cot_code read_secret(const char *path, char **ret_secret, struct cot_err *err)
{
    char line[512] = "";
    FILE *file = fopen(path, "re");
    if (file == NULL)
        return cot_fail(err, COT_IO, "'%s': %s", path, strerror(errno));
    bool done = fgets(line, sizeof line, file) != NULL;
    fclose(file);
    line[strcspn(line, "\r\n")] = '\0';
    if (!done || line[0] == '\0')
        return cot_fail(err, COT_BAD_DATA, "'%s' holds no secret in its first line", path);
    *ret_secret = strdup(line);
    return *ret_secret != NULL ? COT_OK : cot_fail(err, COT_NOMEM, "'%s'", path);
}

/* Answers take and give memory thousands of times a second. What goes back to the system each time has to be taken from
 * it again, under a lock of the whole process. */
static void keep_memory(void)
{
    (void)mallopt(M_TRIM_THRESHOLD, 64 << 20);
    (void)mallopt(M_TOP_PAD, 1 << 20);
    (void)mallopt(M_MMAP_THRESHOLD, 32 << 20); /* as glibc's own would become, which the two above keep from changing */
}

/* Closes the socket where it fails. */
static cot_code open_connections(struct cot_server *server, int fd, const char *cert, const char *key,
                                 struct cot_err *err)
{
    const struct cot_server_options *options = &server->options;
    keep_memory();
    return cot_connections_open(
        &(struct cot_connections_options){
            .fd = fd,
            .n_workers = options->n_threads != 0 ? options->n_threads : cot_threads_available(),
            .max_open = options->max_connections,
            .idle_timeout_s = options->idle_timeout_s,
            .max_head_size = HEAD_SIZE,
            .cert = cert,
            .key = key,
            .on_request = on_request,
            .on_completed = on_completed,
            .context = server,
            .metrics = server->metrics,
        },
        &server->connections, err);
}

/* Room for so many connections among the process's files. */
static cot_code check_file_limit(const struct cot_server_options *options, struct cot_err *err)
{
    struct rlimit limit;
    rlim_t needed = (rlim_t)options->max_connections + 128;
    if (getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur >= needed)
        return COT_OK;
    limit.rlim_cur = limit.rlim_max < needed ? limit.rlim_max : needed;
    if (limit.rlim_cur < needed || setrlimit(RLIMIT_NOFILE, &limit) != 0)
        return cot_fail(err, COT_LIMIT,
                        "%u connections need more open files than this system allows (%llu): 'ulimit -n'",
                        options->max_connections, (unsigned long long)limit.rlim_max);
    return COT_OK;
}

static void make_url(struct cot_server *server, int fd)
{
    char host[128] = "";
    char port[16] = "";
    struct sockaddr_storage address;
    socklen_t size = sizeof address;
    if (getsockname(fd, (struct sockaddr *)&address, &size) == 0)
        (void)getnameinfo((struct sockaddr *)&address, size, host, sizeof host, port, sizeof port,
                          NI_NUMERICHOST | NI_NUMERICSERV);
    bool v6 = strchr(host, ':') != NULL;
    snprintf(server->url, sizeof server->url, "%s://%s%.90s%s:%s", server->options.tls_cert != NULL ? "https" : "http",
             v6 ? "[" : "", host, v6 ? "]" : "", port);
}

static cot_code check_options(const struct cot_server_options *options, struct cot_err *err)
{
    if ((options->tls_cert != NULL) != (options->tls_key != NULL))
        return cot_fail(err, COT_USAGE, "TLS needs both --tls-cert and --tls-key");
    if (options->tls_cert != NULL && MHD_is_feature_supported(MHD_FEATURE_TLS) != MHD_YES)
        return cot_fail(err, COT_USAGE, "this system's libmicrohttpd has no TLS: put a proxy in front");
    return check_file_limit(options, err);
}

/* A heartbeat in half the time after which a connection on which nothing moves is closed; half of the connections, at
 * most, for streams. */
static cot_code open_streams(struct cot_server *server, struct cot_err *err)
{
    size_t max = server->options.max_connections / 2;
    return cot_streams_open(server, (int64_t)server->options.idle_timeout_s * 500,
                            max < COT_MAX_STREAMS ? max : COT_MAX_STREAMS, &server->streams, err);
}

cot_code cot_server_start(const struct cot_server_options *options, struct cot_service *service,
                          struct cot_server **ret_server, struct cot_err *err)
{
    int fd = -1;
    char *cert = NULL;
    char *key = NULL;
    struct cot_server *server = calloc(1, sizeof *server);
    if (server == NULL)
        return cot_fail(err, COT_NOMEM, "server");
    server->options = *options;
    server->service = service;
    pthread_mutex_init(&server->keys_mutex, NULL);
    cot_code rc = check_options(options, err);
    if (rc == COT_OK && options->tls_cert != NULL)
        rc = read_pem(options->tls_cert, &cert, err);
    if (rc == COT_OK && options->tls_key != NULL)
        rc = read_pem(options->tls_key, &key, err);
    if (rc == COT_OK && options->shopify_secret != NULL)
        rc = read_secret(options->shopify_secret, &server->shopify_secret, err);
    if (rc == COT_OK)
        rc = cot_access_log_open(options->access_log, &server->log, err);
    if (rc == COT_OK)
        rc = cot_metrics_open(&server->metrics, err);
    if (rc == COT_OK)
        rc = cot_rate_limit_open(options->rate, &server->rates, err);
    if (rc == COT_OK)
        rc = open_streams(server, err);
    if (rc == COT_OK)
        rc = open_socket(options->listen, &fd, &server->loopback, err);
    if (rc == COT_OK)
        rc = cot_server_read_keys(server, err);
    if (rc == COT_OK && !server->loopback && server->keys.n == 0)
        rc = cot_fail(err, COT_USAGE,
                      "%s can be reached from other machines, but there are no keys: 'coterie keys create --role admin "
                      "--data %s' makes one, or listen at 127.0.0.1",
                      options->listen, options->data_dir);
    if (rc == COT_OK)
        make_url(server, fd);
    if (rc == COT_OK)
        cot_upload_clean(options->data_dir);
    if (rc == COT_OK) {
        rc = open_connections(server, fd, cert, key, err);
        fd = -1;
    }
    if (rc == COT_OK) {
        *ret_server = server;
        server = NULL;
    }
    if (fd >= 0)
        close(fd);
    free(cert);
    free(key);
    cot_server_stop(server, 0);
    return rc;
}

const char *cot_server_url(const struct cot_server *server)
{
    return server->url;
}

void cot_server_stop(struct cot_server *server, int64_t timeout_ms)
{
    if (server == NULL)
        return;
    if (server->connections != NULL) {
        const struct timespec step = {.tv_nsec = 2000000};
        int64_t until_us = cot_now_us() + timeout_ms * 1000;
        atomic_store(&server->draining, true);
        cot_connections_refuse_new(server->connections);
        cot_streams_end(server->streams);
        while (atomic_load(&server->n_open) > 0 && cot_now_us() < until_us)
            nanosleep(&step, NULL);
        while (atomic_load(&server->n_waiting) > 0) /* they are answered by threads that are at work */
            nanosleep(&step, NULL);
        cot_connections_close(server->connections);
    }
    cot_access_log_close(server->log);
    cot_metrics_free(server->metrics);
    cot_rate_limit_free(server->rates);
    cot_streams_free(server->streams);
    cot_key_ring_release(&server->keys);
    pthread_mutex_destroy(&server->keys_mutex);
    free(server->shopify_secret);
    free(server);
}
