#include "engine/lend.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "engine/ingest_parts.h"

#define SOCKET_NAME "server.sock"

enum { ANSWER_SIZE = COT_ERR_MESSAGE_SIZE + 16, POLL_MS = 200 };

struct cot_lender {
    struct cot_service *service;
    char *data_dir;
    char *path;
    int listening; /* the thread's, once there is one */
    int wake[2];   /* closed at one end: stop */
    pthread_t thread;
    bool has_thread;
};

/* One loan: the lender's thread waits until the committer is through with it. */
struct loan {
    int connection;
    pthread_mutex_t mutex;
    pthread_cond_t changed;
    bool done; /* guarded by mutex */
};

/* A socket's name may have 108 bytes, a folder's more: it is named through the folder's descriptor. */
static cot_code socket_address(const char *data_dir, int *ret_folder, struct sockaddr_un *ret_address,
                               struct cot_err *err)
{
    int folder = open(data_dir, O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (folder < 0)
        return cot_fail(err, COT_IO, "folder '%s': %s", data_dir, strerror(errno));
    *ret_address = (struct sockaddr_un){.sun_family = AF_UNIX};
    snprintf(ret_address->sun_path, sizeof ret_address->sun_path, "/proc/self/fd/%d/" SOCKET_NAME, folder);
    *ret_folder = folder;
    return COT_OK;
}

static bool is_gone(int connection, int timeout_ms)
{
    char byte;
    struct pollfd waited = {.fd = connection, .events = POLLIN | POLLRDHUP};
    if (poll(&waited, 1, timeout_ms) <= 0)
        return false;
    if (waited.revents & (POLLHUP | POLLRDHUP | POLLERR))
        return true;
    return recv(connection, &byte, 1, MSG_DONTWAIT) == 0;
}

static void say(int connection, const char *text)
{
    size_t size = strlen(text);
    while (size > 0) {
        ssize_t sent = send(connection, text, size, MSG_NOSIGNAL);
        if (sent <= 0)
            return; /* whoever asked is gone */
        text += sent;
        size -= (size_t)sent;
    }
}

/* On the committer's thread: the store is away for as long as the borrower's connection lasts. */
static cot_code lend(struct cot_ingest_job *job, struct cot_service *service, struct cot_store *store,
                     struct cot_err *err)
{
    const struct loan *loan = job->context;
    struct cot_ingest *ingest = cot_service_ingest(service);
    struct cot_ingest_absence absence = {0};
    (void)store;
    if (is_gone(loan->connection, 0))
        return COT_OK;
    cot_code rc = cot_ingest_leave(ingest, &absence, err);
    if (rc != COT_OK)
        return rc;
    say(loan->connection, "lent\n");
    while (!is_gone(loan->connection, POLL_MS))
        continue;
    return cot_ingest_come_back(ingest, &absence, err);
}

static void on_done(void *context)
{
    struct loan *loan = context;
    pthread_mutex_lock(&loan->mutex);
    loan->done = true;
    pthread_cond_signal(&loan->changed);
    pthread_mutex_unlock(&loan->mutex);
}

static void serve_borrower(struct cot_lender *lender, int connection)
{
    char text[ANSWER_SIZE];
    struct cot_err err = {0};
    struct loan loan = {.connection = connection};
    struct cot_ingest_job job = {.run = lend, .done = on_done, .context = &loan};
    pthread_mutex_init(&loan.mutex, NULL);
    pthread_cond_init(&loan.changed, NULL);
    cot_code rc = cot_ingest_run(lender->service, &job, &err);
    if (rc == COT_OK) {
        pthread_mutex_lock(&loan.mutex);
        while (!loan.done)
            pthread_cond_wait(&loan.changed, &loan.mutex);
        pthread_mutex_unlock(&loan.mutex);
        rc = job.result;
        err = job.err;
    }
    if (rc != COT_OK) { /* it was not lent; after a loan nobody reads this */
        snprintf(text, sizeof text, "no: %s\n", err.message);
        say(connection, text);
    }
    pthread_cond_destroy(&loan.changed);
    pthread_mutex_destroy(&loan.mutex);
}

/* A socket that an earlier server left is nobody's: the store is ours. */
static cot_code listen_at(const char *data_dir, int *ret_socket, struct cot_err *err)
{
    int folder = -1;
    struct sockaddr_un address;
    cot_code rc = socket_address(data_dir, &folder, &address, err);
    if (rc != COT_OK)
        return rc;
    (void)unlinkat(folder, SOCKET_NAME, 0);
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    mode_t mask = umask(0177);
    bool done = fd >= 0 && bind(fd, (struct sockaddr *)&address, sizeof address) == 0 && listen(fd, 64) == 0;
    int why = errno;
    umask(mask);
    close(folder);
    if (!done) {
        if (fd >= 0)
            close(fd);
        return cot_fail(err, COT_IO, "'%s/" SOCKET_NAME "': %s", data_dir, strerror(why));
    }
    *ret_socket = fd;
    return COT_OK;
}

/* A restore puts another folder in the place of the one that holds the socket: whoever waits at the old one is served,
 * everybody else finds the new one. */
static void follow(struct cot_lender *lender)
{
    struct pollfd waiting = {.fd = lender->listening, .events = POLLIN};
    struct cot_err err;
    int fresh = -1;
    if (access(lender->path, F_OK) == 0 || listen_at(lender->data_dir, &fresh, &err) != COT_OK)
        return;
    while (poll(&waiting, 1, 0) > 0) {
        int connection = accept4(lender->listening, NULL, NULL, SOCK_CLOEXEC);
        if (connection < 0)
            break;
        serve_borrower(lender, connection);
        close(connection);
    }
    close(lender->listening);
    lender->listening = fresh;
}

static void *work(void *argument)
{
    struct cot_lender *lender = argument;
    for (;;) {
        struct pollfd waited[2] = {{.fd = lender->listening, .events = POLLIN},
                                   {.fd = lender->wake[0], .events = POLLIN}};
        if (poll(waited, 2, -1) < 0)
            continue;
        if (waited[1].revents != 0)
            return NULL;
        int connection = accept4(lender->listening, NULL, NULL, SOCK_CLOEXEC);
        if (connection < 0)
            continue;
        serve_borrower(lender, connection);
        follow(lender); /* before the borrower has an end: the next command finds the socket */
        close(connection);
    }
}

cot_code cot_lender_open(struct cot_service *service, const char *data_dir, struct cot_lender **ret_lender,
                         struct cot_err *err)
{
    struct cot_lender *lender = calloc(1, sizeof *lender);
    if (lender == NULL)
        return cot_fail(err, COT_NOMEM, "a lender");
    lender->service = service;
    lender->listening = lender->wake[0] = lender->wake[1] = -1;
    lender->data_dir = strdup(data_dir);
    cot_code rc = lender->data_dir == NULL || asprintf(&lender->path, "%s/" SOCKET_NAME, data_dir) < 0
                      ? cot_fail(err, COT_NOMEM, "a lender")
                      : listen_at(data_dir, &lender->listening, err);
    if (rc == COT_OK && pipe2(lender->wake, O_CLOEXEC) != 0)
        rc = cot_fail(err, COT_IO, "a pipe: %s", strerror(errno));
    if (rc == COT_OK && pthread_create(&lender->thread, NULL, work, lender) != 0)
        rc = cot_fail(err, COT_NOMEM, "a thread");
    lender->has_thread = rc == COT_OK;
    if (rc == COT_OK)
        *ret_lender = lender;
    else
        cot_lender_close(lender);
    return rc;
}

void cot_lender_close(struct cot_lender *lender)
{
    if (lender == NULL)
        return;
    if (lender->wake[1] >= 0)
        close(lender->wake[1]);
    if (lender->has_thread)
        pthread_join(lender->thread, NULL);
    if (lender->wake[0] >= 0)
        close(lender->wake[0]);
    if (lender->listening >= 0) {
        close(lender->listening);
        (void)unlink(lender->path);
    }
    free(lender->path);
    free(lender->data_dir);
    free(lender);
}

/* "lent" or why not, up to the end of the line. */
static cot_code read_answer(int connection, const char *data_dir, struct cot_err *err)
{
    char text[ANSWER_SIZE];
    size_t size = 0;
    while (size + 1 < sizeof text && memchr(text, '\n', size) == NULL) {
        ssize_t n = recv(connection, text + size, sizeof text - 1 - size, 0);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return cot_fail(err, COT_IO, "'%s': its server is stopping: try again in a moment", data_dir);
        size += (size_t)n;
    }
    text[size] = '\0';
    text[strcspn(text, "\n")] = '\0';
    if (strcmp(text, "lent") == 0)
        return COT_OK;
    return cot_fail(err, COT_IO, "'%s' is in use by its server, which does not lend it: %s", data_dir,
                    strncmp(text, "no: ", 4) == 0 ? text + 4 : text);
}

cot_code cot_lend_borrow(const char *data_dir, int *ret_loan, struct cot_err *err)
{
    int folder = -1;
    struct sockaddr_un address;
    *ret_loan = -1;
    if (socket_address(data_dir, &folder, &address, NULL) != COT_OK)
        return COT_OK; /* no shop yet */
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    bool connected = fd >= 0 && connect(fd, (struct sockaddr *)&address, sizeof address) == 0;
    close(folder);
    if (!connected) { /* none listens; a store that is in use all the same says so when it is opened */
        if (fd >= 0)
            close(fd);
        return COT_OK;
    }
    cot_code rc = read_answer(fd, data_dir, err);
    if (rc == COT_OK)
        *ret_loan = fd;
    else
        close(fd);
    return rc;
}

void cot_lend_return(int loan)
{
    char byte;
    if (loan < 0)
        return;
    shutdown(loan, SHUT_WR);
    ssize_t n = 0;
    do
        n = recv(loan, &byte, 1, 0);
    while (n > 0 || (n < 0 && errno == EINTR)); /* the server closes it when it has taken up what changed */
    close(loan);
}
