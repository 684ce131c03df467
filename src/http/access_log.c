#include "http/access_log.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/civil.h"
#include "http/route.h"

struct cot_access_log {
    int file; /* -1: none */
};

cot_code cot_access_log_open(const char *path, struct cot_access_log **ret_log, struct cot_err *err)
{
    struct cot_access_log *log = calloc(1, sizeof *log);
    if (log == NULL)
        return cot_fail(err, COT_NOMEM, "access log");
    log->file = -1;
    if (path != NULL && strcmp(path, "-") == 0)
        log->file = STDERR_FILENO;
    else if (path != NULL)
        log->file = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0640);
    if (path != NULL && log->file < 0) {
        free(log);
        return cot_fail(err, COT_IO, "access log '%s': %s", path, strerror(errno));
    }
    *ret_log = log;
    return COT_OK;
}

void cot_access_log_close(struct cot_access_log *log)
{
    if (log == NULL)
        return;
    if (log->file > STDERR_FILENO)
        close(log->file);
    free(log);
}

void cot_access_log_write(struct cot_access_log *log, const struct cot_exchange *exchange, int64_t duration_us)
{
    char line[512];
    char time[COT_TIME_TEXT_SIZE];
    char key[COT_KEY_ID_SIZE + 2] = "null";
    if (log->file < 0)
        return;
    cot_format_time(exchange->received_at_ms, time, sizeof time);
    if (exchange->key_id[0] != '\0')
        snprintf(key, sizeof key, "\"%s\"", exchange->key_id);
    int size = snprintf(
        line, sizeof line,
        "{\"time\":\"%s\",\"method\":\"%s\",\"route\":%s%s%s,\"status\":%d,\"duration_us\":%lld,\"received\":%llu,"
        "\"sent\":%zu,\"key\":%s}\n",
        time, exchange->method, exchange->route != NULL ? "\"" : "",
        exchange->route != NULL ? exchange->route->path : "null", exchange->route != NULL ? "\"" : "", exchange->status,
        (long long)duration_us, (unsigned long long)exchange->received_size, exchange->answer.size, key);
    /* A log that can't be written (a full disk) must not stop the shop. */
    if (size > 0 && (size_t)size < sizeof line && write(log->file, line, (size_t)size) != size)
        return;
}
