#include "http/upload.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/folder.h"
#include "engine/service_upload.h"
#include "http/handlers.h"
#include "http/job.h"
#include "http/server_parts.h"

enum { MAX_NAME = 200, MAX_MAPS = 64 };

struct cot_upload {
    char *folder; /* of this upload alone */
    char *path;
    int fd;
    int why; /* errno of a write that failed; 0 */
};

static bool is_file_name(const char *name)
{
    size_t size = name != NULL ? strlen(name) : 0;
    if (size == 0 || size > MAX_NAME || name[0] == '.')
        return false;
    for (size_t i = 0; i < size; i++)
        if (name[i] == '/' || (unsigned char)name[i] < ' ')
            return false;
    return true;
}

static void upload_free(struct cot_upload *upload)
{
    struct cot_err ignored;
    if (upload == NULL)
        return;
    if (upload->fd >= 0)
        close(upload->fd);
    if (upload->folder != NULL && cot_folder_remove(upload->folder, &ignored) != COT_OK)
        ignored.code = COT_OK; /* the next server's start removes it */
    free(upload->folder);
    free(upload->path);
    free(upload);
}

cot_code cot_upload_begin(struct cot_exchange *exchange, struct cot_err *err)
{
    char tmp[4096];
    const char *name = cot_exchange_query(exchange, "name");
    if (!is_file_name(name))
        return cot_fail(err, COT_USAGE, "say the file's name, without folders: /v1/uploads?name=orders.csv");
    snprintf(tmp, sizeof tmp, "%s/tmp", exchange->server->options.data_dir);
    struct cot_upload *upload = calloc(1, sizeof *upload);
    if (upload == NULL)
        return cot_fail(err, COT_NOMEM, "an upload");
    upload->fd = -1;
    cot_code rc = cot_folder_make(tmp, err);
    if (rc == COT_OK && asprintf(&upload->folder, "%s/upload-XXXXXX", tmp) < 0) {
        upload->folder = NULL;
        rc = cot_fail(err, COT_NOMEM, "an upload");
    }
    if (rc == COT_OK && mkdtemp(upload->folder) == NULL) {
        rc = cot_fail(err, COT_IO, "'%s': %s", upload->folder, strerror(errno));
        free(upload->folder);
        upload->folder = NULL;
    }
    if (rc == COT_OK && asprintf(&upload->path, "%s/%s", upload->folder, name) < 0) {
        upload->path = NULL;
        rc = cot_fail(err, COT_NOMEM, "an upload");
    }
    if (rc == COT_OK) {
        upload->fd = open(upload->path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
        if (upload->fd < 0)
            rc = cot_fail(err, COT_IO, "'%s': %s", upload->path, strerror(errno));
    }
    if (rc == COT_OK)
        exchange->upload = upload;
    else
        upload_free(upload);
    return rc;
}

void cot_upload_clean(const char *data_dir)
{
    char path[8192];
    struct cot_err ignored;
    snprintf(path, sizeof path, "%s/tmp", data_dir);
    DIR *folder = opendir(path);
    const struct dirent *entry = NULL;
    while (folder != NULL && (entry = readdir(folder)) != NULL) {
        snprintf(path, sizeof path, "%s/tmp/%s", data_dir, entry->d_name);
        if (strncmp(entry->d_name, "upload-", 7) == 0 && cot_folder_remove(path, &ignored) != COT_OK)
            break; /* a folder that takes no change: uploads will say so */
    }
    if (folder != NULL)
        closedir(folder);
}

void cot_upload_append(struct cot_upload *upload, const char *data, size_t size)
{
    while (size > 0 && upload->why == 0) {
        ssize_t n = write(upload->fd, data, size);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0) {
            upload->why = n < 0 ? errno : ENOSPC;
            return;
        }
        data += n;
        size -= (size_t)n;
    }
}

void cot_upload_end(struct cot_exchange *exchange)
{
    upload_free(exchange->upload);
    exchange->upload = NULL;
}

struct maps {
    const char *texts[MAX_MAPS];
    size_t n;
};

static enum MHD_Result note_map(void *context, enum MHD_ValueKind kind, const char *key, const char *value)
{
    struct maps *maps = context;
    (void)kind;
    if (strcmp(key, "map") == 0 && value != NULL && maps->n < MAX_MAPS)
        maps->texts[maps->n++] = value;
    return MHD_YES;
}

/* Where the file was kept meanwhile means nothing to whoever sent it: its name does. */
static void leave_out_folder(const struct cot_upload *upload, struct cot_err *err)
{
    size_t n = strlen(upload->folder);
    char *at = strstr(err->message, upload->folder);
    if (at != NULL && at[n] == '/')
        memmove(at, at + n + 1, strlen(at + n + 1) + 1);
}

static cot_code import(struct cot_exchange *exchange, yyjson_mut_doc **ret_doc, struct cot_err *err)
{
    struct maps maps = {.n = 0};
    const char *path = exchange->upload->path;
    const char *dry_run = cot_exchange_query(exchange, "dry_run");
    MHD_get_connection_values(exchange->connection, MHD_GET_ARGUMENT_KIND, note_map, &maps);
    const struct cot_import_options options = {.paths = &path,
                                               .n_paths = 1,
                                               .dry_run = dry_run != NULL &&
                                                          (strcmp(dry_run, "true") == 0 || strcmp(dry_run, "1") == 0),
                                               .map = maps.texts,
                                               .n_map = maps.n,
                                               .connector = cot_exchange_query(exchange, "as"),
                                               .kind = cot_exchange_query(exchange, "kind"),
                                               .source = cot_exchange_query(exchange, "source"),
                                               .date_order = cot_exchange_query(exchange, "date_order"),
                                               .decimal = cot_exchange_query(exchange, "decimal"),
                                               .currency = cot_exchange_query(exchange, "currency"),
                                               .time_zone = cot_exchange_query(exchange, "time_zone"),
                                               .channel = cot_exchange_query(exchange, "channel"),
                                               .encoding = cot_exchange_query(exchange, "encoding"),
                                               .delimiter = cot_exchange_query(exchange, "delimiter"),
                                               .header = cot_exchange_query(exchange, "header")};
    cot_code rc = cot_service_import(exchange->service, &options, ret_doc, err);
    if (rc != COT_OK && err != NULL)
        leave_out_folder(exchange->upload, err);
    return rc;
}

cot_code cot_handle_upload(struct cot_exchange *exchange, struct cot_err *err)
{
    if (exchange->upload->why != 0)
        return cot_fail(err, COT_IO, "the file could not be kept: %s", strerror(exchange->upload->why));
    if (exchange->received_size == 0)
        return cot_fail(err, COT_USAGE, "the body is empty: it is the file itself");
    return cot_exchange_run(exchange, import, err);
}
