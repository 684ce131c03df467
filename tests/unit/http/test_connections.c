/* Connections are spread evenly over the workers, whoever is quick, and beyond the limit they wait their turn. */
#include "http/connections.h"

#include <arpa/inet.h>
#include <poll.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

enum { N_WORKERS = 3, N_CLIENTS = 60 };

struct workers {
    pthread_mutex_t mutex;
    pthread_t threads[N_WORKERS];
    unsigned n_requests[N_WORKERS];
    unsigned n;
};

static enum MHD_Result on_request(void *context, struct MHD_Connection *connection, const char *url, const char *method,
                                  const char *version, const char *upload, size_t *upload_size, void **state)
{
    struct workers *workers = context;
    unsigned i = 0;
    (void)url, (void)method, (void)version, (void)upload, (void)upload_size;
    if (*state == NULL) { /* an answer before the request has been read whole would close the connection */
        *state = workers;
        return MHD_YES;
    }
    pthread_mutex_lock(&workers->mutex);
    while (i < workers->n && !pthread_equal(workers->threads[i], pthread_self()))
        i++;
    if (i == workers->n && i < N_WORKERS)
        workers->threads[workers->n++] = pthread_self();
    if (i < N_WORKERS)
        workers->n_requests[i]++;
    pthread_mutex_unlock(&workers->mutex);
    struct MHD_Response *response =
        MHD_create_response_from_buffer(2, (void *)(uintptr_t) "ok", MHD_RESPMEM_PERSISTENT);
    enum MHD_Result result = MHD_queue_response(connection, MHD_HTTP_OK, response);
    MHD_destroy_response(response);
    return result;
}

static void on_completed(void *context, struct MHD_Connection *connection, void **state,
                         enum MHD_RequestTerminationCode code)
{
    (void)context, (void)connection, (void)state, (void)code;
}

static struct sockaddr_in address;

static struct cot_connections *start(struct workers *workers, struct cot_metrics *metrics, unsigned max_open)
{
    struct cot_connections *connections = NULL;
    struct cot_err err = {0};
    socklen_t size = sizeof address;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    address = (struct sockaddr_in){.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
    assert_int_equal(bind(fd, (struct sockaddr *)&address, size), 0);
    assert_int_equal(listen(fd, 128), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)&address, &size), 0);
    const struct cot_connections_options options = {.fd = fd,
                                                    .n_workers = N_WORKERS,
                                                    .max_open = max_open,
                                                    .idle_timeout_s = 30,
                                                    .max_head_size = 16384,
                                                    .on_request = on_request,
                                                    .on_completed = on_completed,
                                                    .context = workers,
                                                    .metrics = metrics};
    assert_int_equal(cot_connections_open(&options, &connections, &err), COT_OK);
    return connections;
}

static int client_connect(void)
{
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(connect(fd, (struct sockaddr *)&address, sizeof address), 0);
    return fd;
}

static void client_ask(int fd)
{
    static const char request[] = "GET / HTTP/1.1\r\nHost: test\r\n\r\n";
    assert_int_equal(send(fd, request, sizeof request - 1, MSG_NOSIGNAL), sizeof request - 1);
}

/* Whether an answer comes within so long. */
static bool client_hears(int fd, int timeout_ms)
{
    char answer[1024];
    struct pollfd wait = {.fd = fd, .events = POLLIN};
    return poll(&wait, 1, timeout_ms) == 1 && recv(fd, answer, sizeof answer, 0) > 0 &&
           strncmp(answer, "HTTP/1.1 200", 12) == 0;
}

static void spread_evenly(void **state)
{
    struct workers workers = {.mutex = PTHREAD_MUTEX_INITIALIZER};
    struct cot_metrics *metrics = NULL;
    int clients[N_CLIENTS];
    (void)state;
    assert_int_equal(cot_metrics_open(&metrics, NULL), COT_OK);
    struct cot_connections *connections = start(&workers, metrics, 1000);
    for (int i = 0; i < N_CLIENTS; i++)
        clients[i] = client_connect();
    for (int i = 0; i < N_CLIENTS; i++)
        client_ask(clients[i]);
    for (int i = 0; i < N_CLIENTS; i++)
        assert_true(client_hears(clients[i], 10000));
    assert_int_equal(workers.n, N_WORKERS);
    for (int i = 0; i < N_WORKERS; i++)
        assert_int_equal(workers.n_requests[i], N_CLIENTS / N_WORKERS);
    for (int i = 0; i < N_CLIENTS; i++)
        close(clients[i]);
    cot_connections_close(connections);
    cot_metrics_free(metrics);
}

static void beyond_the_limit_they_wait(void **state)
{
    struct workers workers = {.mutex = PTHREAD_MUTEX_INITIALIZER};
    struct cot_metrics *metrics = NULL;
    int clients[N_WORKERS];
    (void)state;
    assert_int_equal(cot_metrics_open(&metrics, NULL), COT_OK);
    struct cot_connections *connections = start(&workers, metrics, N_WORKERS); /* one each */
    for (int i = 0; i < N_WORKERS; i++) {
        clients[i] = client_connect();
        client_ask(clients[i]);
        assert_true(client_hears(clients[i], 10000));
    }
    int late = client_connect(); /* the system takes it, the server does not yet */
    client_ask(late);
    assert_false(client_hears(late, 200));
    close(clients[1]);
    assert_true(client_hears(late, 10000));
    cot_connections_refuse_new(connections);
    close(clients[0]);
    int refused = client_connect();
    client_ask(refused);
    assert_false(client_hears(refused, 200));
    client_ask(late); /* those that are open go on */
    assert_true(client_hears(late, 10000));
    cot_connections_close(connections);
    close(clients[2]);
    close(late);
    close(refused);
    cot_metrics_free(metrics);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(spread_evenly), cmocka_unit_test(beyond_the_limit_they_wait)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
