#include "http/connections.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/thread_pace.h"

/* Where all workers are full, or the system has no more files, it is looked again after so long. */
enum { LOOK_AGAIN_MS = 20 };

struct worker {
    struct MHD_Daemon *daemon;
    struct cot_metrics *metrics;
    unsigned max_open;
    uint64_t n_added; /* by the accepting thread alone */
    atomic_uint_least64_t n_closed;
};

struct cot_connections {
    int fd;
    int stop_fd; /* can be read once the accepting thread shall end */
    bool accepts;
    pthread_t thread;
    size_t n_workers;
    struct worker *workers;
    size_t i_last; /* worker that got the last connection */
};

static void on_connection(void *context, struct MHD_Connection *connection, void **state,
                          enum MHD_ConnectionNotificationCode code)
{
    struct worker *worker = context;
    (void)connection;
    (void)state;
    cot_metrics_connections(worker->metrics, code == MHD_CONNECTION_NOTIFY_STARTED ? 1 : -1);
    if (code == MHD_CONNECTION_NOTIFY_CLOSED)
        atomic_fetch_add(&worker->n_closed, 1);
}

/* libmicrohttpd's own words are of broken connections: nothing that a shop could act on. */
static void on_message(void *context, const char *format, va_list args)
{
    (void)context;
    (void)format;
    (void)args;
}

/* The worker with fewest connections, of those with room; among equals in turn. NULL: all are full. */
static struct worker *worker_with_fewest(struct cot_connections *connections)
{
    struct worker *best = NULL;
    uint64_t fewest = UINT64_MAX;
    for (size_t i = 1; i <= connections->n_workers; i++) {
        struct worker *worker = &connections->workers[(connections->i_last + i) % connections->n_workers];
        uint64_t n_open = worker->n_added - atomic_load(&worker->n_closed);
        if (n_open < worker->max_open && n_open < fewest) {
            best = worker;
            fewest = n_open;
        }
    }
    return best;
}

/* Accepts what waits. False: nothing can be accepted for a while. */
static bool accept_waiting(struct cot_connections *connections)
{
    struct worker *worker = NULL;
    while ((worker = worker_with_fewest(connections)) != NULL) {
        struct sockaddr_storage address;
        socklen_t size = sizeof address;
        int client = accept4(connections->fd, (struct sockaddr *)&address, &size, SOCK_NONBLOCK | SOCK_CLOEXEC);
        if (client < 0 && (errno == EAGAIN || errno == EWOULDBLOCK))
            return true;
        if (client < 0 && (errno == EINTR || errno == ECONNABORTED))
            continue;
        if (client < 0)
            return false; /* no more files, no memory */
        if (MHD_add_connection(worker->daemon, client, (struct sockaddr *)&address, size) == MHD_YES)
            worker->n_added++;
        connections->i_last = (size_t)(worker - connections->workers);
    }
    return false;
}

static void *accept_all(void *argument)
{
    struct cot_connections *connections = argument;
    bool can_accept = true;
    for (;;) {
        struct pollfd waits[] = {{.fd = connections->stop_fd, .events = POLLIN},
                                 {.fd = connections->fd, .events = POLLIN}};
        int n = poll(waits, can_accept ? 2 : 1, can_accept ? -1 : LOOK_AGAIN_MS);
        if (n > 0 && waits[0].revents != 0)
            return NULL;
        can_accept = accept_waiting(connections);
    }
}

static cot_code open_worker(const struct cot_connections_options *options, struct worker *worker, struct cot_err *err)
{
    bool is_tls = options->cert != NULL;
    unsigned flags = MHD_USE_EPOLL_INTERNAL_THREAD | MHD_USE_ITC | MHD_USE_NO_LISTEN_SOCKET | MHD_ALLOW_SUSPEND_RESUME |
                     MHD_USE_TURBO | MHD_USE_ERROR_LOG | (is_tls ? MHD_USE_TLS : 0U);
    struct MHD_OptionItem items[] = {
        {MHD_OPTION_CONNECTION_LIMIT, (intptr_t)worker->max_open, NULL},
        {MHD_OPTION_CONNECTION_TIMEOUT, (intptr_t)options->idle_timeout_s, NULL},
        {MHD_OPTION_CONNECTION_MEMORY_LIMIT, (intptr_t)options->max_head_size, NULL},
        {is_tls ? MHD_OPTION_HTTPS_MEM_CERT : MHD_OPTION_END, 0, (void *)(uintptr_t)options->cert},
        {is_tls ? MHD_OPTION_HTTPS_MEM_KEY : MHD_OPTION_END, 0, (void *)(uintptr_t)options->key},
        {MHD_OPTION_END, 0, NULL},
    };
    worker->metrics = options->metrics;
    worker->daemon =
        MHD_start_daemon(flags, 0, NULL, NULL, options->on_request, options->context, MHD_OPTION_EXTERNAL_LOGGER,
                         on_message, NULL, MHD_OPTION_NOTIFY_COMPLETED, options->on_completed, options->context,
                         MHD_OPTION_NOTIFY_CONNECTION, on_connection, worker, MHD_OPTION_ARRAY, items, MHD_OPTION_END);
    if (worker->daemon == NULL)
        return cot_fail(err, COT_IO, "the server can't be started%s",
                        is_tls ? ": do certificate and key belong together?" : "");
    return COT_OK;
}

cot_code cot_connections_open(const struct cot_connections_options *options, struct cot_connections **ret_connections,
                              struct cot_err *err)
{
    struct cot_connections *connections = calloc(1, sizeof *connections);
    struct worker *workers = calloc(options->n_workers, sizeof *workers);
    if (connections == NULL || workers == NULL) {
        free(connections);
        free(workers);
        close(options->fd);
        return cot_fail(err, COT_NOMEM, "%u workers of the server", options->n_workers);
    }
    *connections = (struct cot_connections){.fd = options->fd, .stop_fd = -1, .workers = workers};
    cot_thread_be_prompt(); /* the workers' threads take it over */
    cot_code rc = COT_OK;
    for (; rc == COT_OK && connections->n_workers < options->n_workers; connections->n_workers++) {
        struct worker *worker = &workers[connections->n_workers];
        worker->max_open = (options->max_open + options->n_workers - 1) / options->n_workers;
        rc = open_worker(options, worker, err);
    }
    if (rc == COT_OK) {
        connections->stop_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
        connections->accepts =
            connections->stop_fd >= 0 && pthread_create(&connections->thread, NULL, accept_all, connections) == 0;
        if (!connections->accepts)
            rc = cot_fail(err, COT_IO, "the thread that accepts connections can't be started");
    }
    if (rc != COT_OK)
        cot_connections_close(connections);
    else
        *ret_connections = connections;
    return rc;
}

void cot_connections_refuse_new(struct cot_connections *connections)
{
    if (!connections->accepts)
        return;
    while (eventfd_write(connections->stop_fd, 1) != 0)
        continue; /* interrupted */
    pthread_join(connections->thread, NULL);
    connections->accepts = false;
}

void cot_connections_close(struct cot_connections *connections)
{
    if (connections == NULL)
        return;
    cot_connections_refuse_new(connections);
    for (size_t i = 0; i < connections->n_workers; i++)
        if (connections->workers[i].daemon != NULL)
            MHD_stop_daemon(connections->workers[i].daemon);
    if (connections->stop_fd >= 0)
        close(connections->stop_fd);
    close(connections->fd);
    free(connections->workers);
    free(connections);
}
