/*
 * Load on a server, over keep-alive connections of one thread, so that it leaves the machine to the server.
 *
 *   bench_load HOST PORT KIND CONNECTIONS SECONDS [RATE] [SIZE] [SEED]
 *
 * KIND  track: one event a request (/v1/track); batch: SIZE events a request (/v1/batch); read: GET /v1/customers/ID,
 *       IDs from standard input, a line each
 * RATE  requests a second by an open loop: latency counts from the moment at which a request was due, so that a server
 *       that stalls pays for all that waited; 0: a closed loop, each connection sends when it has its answer
 *
 * Prints JSON: {"requests","events","seconds","failed","late","p50_ms","p90_ms","p99_ms","p999_ms","max_ms"}; late: due
 * and unsent at the end. An event counts once its answer is 200.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "base/thread_pace.h"

enum { MAX_REQUEST = 1 << 20, MAX_ANSWER = 1 << 16, MAX_EVENTS = 256, N_BUCKETS = 40000, MAX_WAIT_NS = 10000000 };

struct connection {
    int fd;
    bool busy;
    int64_t due_ns; /* of the request at hand */
    char *request;
    size_t size, sent;
    char answer[MAX_ANSWER];
    size_t n_answer;
    size_t expected; /* bytes of the whole answer; 0: not known yet */
};

struct load {
    const char *kind;
    int n_connections, batch;
    double rate;
    uint64_t seed, n_made;
    struct connection *connections;
    int epoll;
    char **ids;
    size_t n_ids;
    /* figures */
    uint64_t n_requests, n_events, n_failed;
    uint64_t buckets[N_BUCKETS]; /* by 1/20 power of two of microseconds: 3.5 % wide */
    int64_t max_ns;
};

static int64_t now_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

static void die(const char *what)
{
    perror(what);
    exit(1);
}

static uint64_t mix(uint64_t x)
{
    x ^= x >> 33;
    x *= UINT64_C(0xff51afd7ed558ccd);
    x ^= x >> 33;
    x *= UINT64_C(0xc4ceb9fe1a85ec53);
    return x ^ (x >> 33);
}

static size_t write_event(const struct load *load, uint64_t i, char *text, size_t room)
{
    static const char *const names[] = {"Product Viewed", "Product Viewed", "Product Viewed", "Product Added",
                                        "Products Searched"};
    uint64_t random = mix(load->seed * UINT64_C(1000003) + i);
    return (size_t)snprintf(text, room,
                            "{\"type\":\"track\",\"messageId\":\"ld-%llu-%llu\",\"userId\":\"%llu\",\"event\":\"%s\","
                            "\"properties\":{\"product_id\":\"p%llu\",\"category\":\"c%llu\",\"price\":%llu.99},"
                            "\"context\":{\"page\":{\"path\":\"/p/%llu\"},\"userAgent\":\"Mozilla/5.0 (X11; Linux "
                            "x86_64) AppleWebKit/537.36 Chrome/140.0 Safari/537.36\"}}",
                            (unsigned long long)load->seed, (unsigned long long)i,
                            (unsigned long long)(random % 100000), names[random / 7 % 5],
                            (unsigned long long)(random / 100 % 5000), (unsigned long long)(random / 100 % 40),
                            (unsigned long long)(random / 31 % 200), (unsigned long long)(random / 100 % 5000));
}

static void make_request(struct load *load, struct connection *connection)
{
    static char body[MAX_REQUEST];
    size_t size = 0;
    if (strcmp(load->kind, "read") == 0) {
        const char *id = load->ids[mix(load->seed + load->n_made++) % load->n_ids];
        connection->size = (size_t)snprintf(connection->request, MAX_REQUEST,
                                            "GET /v1/customers/%s HTTP/1.1\r\nHost: bench\r\n\r\n", id);
    } else {
        bool single = strcmp(load->kind, "track") == 0;
        if (!single)
            size = (size_t)snprintf(body, sizeof body, "{\"batch\":[");
        for (int i = 0; i < load->batch; i++) {
            if (i > 0)
                body[size++] = ',';
            size += write_event(load, load->n_made++, body + size, sizeof body - size);
        }
        if (!single)
            size += (size_t)snprintf(body + size, sizeof body - size, "]}");
        connection->size = (size_t)snprintf(
            connection->request, MAX_REQUEST,
            "POST /v1/%s HTTP/1.1\r\nHost: bench\r\nContent-Type: application/json\r\nContent-Length: %zu\r\n\r\n",
            single ? "track" : "batch", size);
        memcpy(connection->request + connection->size, body, size);
        connection->size += size;
    }
    connection->sent = connection->n_answer = connection->expected = 0;
    connection->busy = true;
}

static void push(struct connection *connection)
{
    while (connection->sent < connection->size) {
        ssize_t n = send(connection->fd, connection->request + connection->sent, connection->size - connection->sent,
                         MSG_NOSIGNAL);
        if (n < 0 && errno == EAGAIN)
            return; /* goes on when there is room */
        if (n < 0)
            die("send");
        connection->sent += (size_t)n;
    }
}

static void count(struct load *load, const struct connection *connection)
{
    int64_t took_ns = now_ns() - connection->due_ns;
    bool ok = strncmp(connection->answer, "HTTP/1.1 200", 12) == 0;
    double us = took_ns > 1000 ? (double)took_ns / 1000 : 1;
    size_t bucket = 0;
    int power = 0;
    for (double x = us; x >= 2; x /= 2)
        power++;
    bucket = (size_t)power * 1000 + (size_t)((us / (double)(UINT64_C(1) << power) - 1) * 1000);
    load->buckets[bucket < N_BUCKETS ? bucket : N_BUCKETS - 1]++;
    load->n_requests++;
    load->n_failed += !ok;
    load->n_events += ok ? (uint64_t)load->batch : 0;
    if (took_ns > load->max_ns)
        load->max_ns = took_ns;
}

/* True where the whole answer is there. */
static bool pull(struct connection *connection)
{
    for (;;) {
        if (connection->n_answer + 1 >= MAX_ANSWER)
            connection->n_answer = MAX_ANSWER / 2; /* only the head is looked at */
        ssize_t n =
            recv(connection->fd, connection->answer + connection->n_answer, MAX_ANSWER - 1 - connection->n_answer, 0);
        if (n < 0 && errno == EAGAIN)
            return false;
        if (n <= 0)
            die("recv");
        connection->n_answer += (size_t)n;
        connection->answer[connection->n_answer] = '\0';
        const char *end = strstr(connection->answer, "\r\n\r\n");
        if (connection->expected == 0 && end != NULL) {
            const char *length = strcasestr(connection->answer, "content-length:");
            connection->expected =
                (size_t)(end + 4 - connection->answer) + (length != NULL ? strtoull(length + 15, NULL, 10) : 0);
        }
        if (connection->expected > 0 && connection->n_answer >= connection->expected)
            return true;
    }
}

static void connect_all(struct load *load, const char *host, int port)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
    int one = 1;
    inet_pton(AF_INET, host, &address.sin_addr);
    load->epoll = epoll_create1(EPOLL_CLOEXEC);
    load->connections = calloc((size_t)load->n_connections, sizeof *load->connections);
    for (int i = 0; i < load->n_connections; i++) {
        struct connection *connection = &load->connections[i];
        connection->request = malloc(MAX_REQUEST);
        connection->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        if (connect(connection->fd, (struct sockaddr *)&address, sizeof address) != 0)
            die("connect");
        setsockopt(connection->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
        fcntl(connection->fd, F_SETFL, O_NONBLOCK);
        struct epoll_event event = {.events = EPOLLIN | EPOLLOUT | EPOLLET, .data.ptr = connection};
        epoll_ctl(load->epoll, EPOLL_CTL_ADD, connection->fd, &event);
    }
}

static void start(struct load *load, struct connection *connection, int64_t due_ns)
{
    connection->due_ns = due_ns;
    make_request(load, connection);
    push(connection);
}

static struct connection *idle(struct load *load)
{
    static int next;
    for (int i = 0; i < load->n_connections; i++) {
        struct connection *connection = &load->connections[(next + i) % load->n_connections];
        if (!connection->busy) {
            next = (next + i + 1) % load->n_connections;
            return connection;
        }
    }
    return NULL;
}

static double percentile_ms(const struct load *load, double share)
{
    uint64_t wanted = (uint64_t)((double)load->n_requests * share);
    uint64_t n = 0;
    for (size_t i = 0; i < N_BUCKETS; i++) {
        n += load->buckets[i];
        if (n > wanted)
            return (double)(UINT64_C(1) << (i / 1000)) * (1 + ((double)(i % 1000) + 1) / 1000) / 1000;
    }
    return (double)load->max_ns / 1e6;
}

static void run(struct load *load, double seconds)
{
    struct epoll_event events[MAX_EVENTS];
    int64_t began = now_ns();
    int64_t ends = began + (int64_t)(seconds * 1e9);
    uint64_t n_due = 0;
    for (int i = 0; i < load->n_connections && load->rate <= 0; i++)
        start(load, &load->connections[i], now_ns());
    int64_t now = began;
    while ((now = now_ns()) < ends) {
        struct connection *free_one = NULL;
        while (load->rate > 0 && (double)n_due < (double)(now - began) / 1e9 * load->rate &&
               (free_one = idle(load)) != NULL)
            start(load, free_one, began + (int64_t)((double)n_due++ * 1e9 / load->rate));
        int64_t due = load->rate > 0 ? began + (int64_t)((double)n_due * 1e9 / load->rate) : now;
        /* At the latest when the next is due; where all connections are busy, the next answer wakes us. */
        const struct timespec wait = {.tv_nsec = due > now && due < now + MAX_WAIT_NS ? due - now : MAX_WAIT_NS};
        int n = epoll_pwait2(load->epoll, events, MAX_EVENTS, &wait, NULL);
        for (int i = 0; i < n; i++) {
            struct connection *connection = events[i].data.ptr;
            if (events[i].events & EPOLLOUT)
                push(connection);
            if (!(events[i].events & EPOLLIN) || !connection->busy || !pull(connection))
                continue;
            count(load, connection);
            connection->busy = false;
            if (load->rate <= 0)
                start(load, connection, now_ns());
        }
    }
    double took = (double)(now_ns() - began) / 1e9;
    uint64_t late = load->rate > 0 ? (uint64_t)(took * load->rate) - n_due : 0;
    printf("{\"requests\":%llu,\"events\":%llu,\"seconds\":%.3f,\"failed\":%llu,\"late\":%llu,\"p50_ms\":%.3f,"
           "\"p90_ms\":%.3f,\"p99_ms\":%.3f,\"p999_ms\":%.3f,\"max_ms\":%.3f}\n",
           (unsigned long long)load->n_requests, (unsigned long long)load->n_events, took,
           (unsigned long long)load->n_failed, (unsigned long long)late, percentile_ms(load, 0.5),
           percentile_ms(load, 0.9), percentile_ms(load, 0.99), percentile_ms(load, 0.999), (double)load->max_ns / 1e6);
}

static void read_ids(struct load *load)
{
    char *line = NULL;
    size_t room = 0;
    size_t capacity = 0;
    ssize_t n = 0;
    while ((n = getline(&line, &room, stdin)) > 0) {
        line[strcspn(line, "\n")] = '\0';
        if (load->n_ids == capacity) {
            capacity = 2 * capacity + 1024;
            load->ids = realloc(load->ids, capacity * sizeof *load->ids);
            if (load->ids == NULL)
                die("ids");
        }
        load->ids[load->n_ids++] = strdup(line);
    }
    free(line);
    if (load->n_ids == 0) {
        fprintf(stderr, "bench_load: read: no ids on standard input\n");
        exit(64);
    }
}

int main(int argc, char **argv)
{
    static struct load load;
    if (argc < 6) {
        fprintf(stderr, "usage: bench_load HOST PORT track|batch|read CONNECTIONS SECONDS [RATE] [SIZE] [SEED]\n");
        return 64;
    }
    load.kind = argv[3];
    load.n_connections = (int)strtol(argv[4], NULL, 10);
    load.rate = argc > 6 ? strtod(argv[6], NULL) : 0;
    load.batch = argc > 7 ? (int)strtol(argv[7], NULL, 10) : 1;
    load.seed = argc > 8 ? strtoull(argv[8], NULL, 10) : 1;
    if (strcmp(load.kind, "read") == 0)
        read_ids(&load);
    cot_thread_be_prompt(); /* of clients on machines of their own */
    connect_all(&load, argv[1], (int)strtol(argv[2], NULL, 10));
    run(&load, strtod(argv[5], NULL));
    return 0;
}
