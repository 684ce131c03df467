#include "engine/backup.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/civil.h"
#include "base/folder.h"
#include "base/json.h"
#include "engine/backup_archive.h"
#include "engine/backup_verify.h"
#include "engine/context_store.h"
#include "store/schema.h"
#include "store/store.h"

static const char database_name[] = "coterie.duckdb";

struct backup {
    const struct cot_context *context;
    struct cot_archive_writer *writer;
    yyjson_mut_doc *manifest;
    yyjson_mut_val *files;
    uint64_t n_files;
    uint64_t n_bytes;
};

static bool has_ending(const char *name, const char *ending)
{
    size_t length = strlen(name);
    size_t n = strlen(ending);
    return length >= n && strcmp(name + length - n, ending) == 0;
}

/* What a crash may have left, what the database writes beside itself while it is open, and the ids of calls, which a
 * server makes anew from the database. */
static bool is_passing(const char *name)
{
    return has_ending(name, ".tmp") || has_ending(name, ".wal") || strstr(name, ".tmp/") != NULL ||
           strncmp(name, ".tmp", 4) == 0 || strncmp(name, "ids/", 4) == 0;
}

static cot_code add_file(struct backup *backup, const char *name, const char *path, struct cot_err *err)
{
    struct cot_archive_entry entry = {0};
    yyjson_mut_doc *doc = backup->manifest;
    yyjson_mut_val *row = yyjson_mut_obj(doc);
    if (strlen(name) > COT_ARCHIVE_MAX_NAME)
        return cot_fail(err, COT_LIMIT, "the name '%s' is too long for a backup", name);
    memcpy(entry.name, name, strlen(name) + 1);
    cot_code rc = cot_archive_add_file(backup->writer, path, &backup->context->progress, &entry, err);
    if (rc != COT_OK)
        return rc;
    if (!yyjson_mut_obj_add_strcpy(doc, row, "path", name) || !yyjson_mut_obj_add_uint(doc, row, "size", entry.size) ||
        !yyjson_mut_obj_add_strcpy(doc, row, "sha256", entry.sha256) || !yyjson_mut_arr_append(backup->files, row))
        return cot_fail(err, COT_NOMEM, "manifest");
    backup->n_files++;
    backup->n_bytes += entry.size;
    return COT_OK;
}

static cot_code visit_file(void *context, const char *name, const char *path, const struct stat *status,
                           struct cot_err *err)
{
    if (!S_ISREG(status->st_mode) || is_passing(name) || strcmp(name, database_name) == 0)
        return COT_OK;
    return add_file(context, name, path, err);
}

static cot_code add_manifest(struct backup *backup, char ret_sha256[COT_SHA256_HEX_SIZE], struct cot_err *err)
{
    struct cot_archive_entry entry = {.name = COT_MANIFEST_NAME};
    struct cot_archive_entry sum = {.name = COT_MANIFEST_SUM_NAME};
    char line[COT_SHA256_HEX_SIZE + 32];
    size_t size = 0;
    char *text =
        yyjson_mut_write(backup->manifest, YYJSON_WRITE_PRETTY_TWO_SPACES | YYJSON_WRITE_NEWLINE_AT_END, &size);
    if (text == NULL)
        return cot_fail(err, COT_NOMEM, "manifest");
    entry.size = size;
    cot_code rc = cot_archive_add_bytes(backup->writer, text, &entry, err);
    free(text);
    if (rc != COT_OK)
        return rc;
    sum.size = (uint64_t)snprintf(line, sizeof line, "%s  %s\n", entry.sha256, COT_MANIFEST_NAME);
    memcpy(ret_sha256, entry.sha256, COT_SHA256_HEX_SIZE);
    rc = cot_archive_add_bytes(backup->writer, line, &sum, err);
    return rc == COT_OK ? cot_archive_finish(backup->writer, err) : rc;
}

/* Everything that is in the shop, into an archive at `path`. The database comes last: closing our look at it ends the
 * lock that keeps other processes out. */
static cot_code write_archive(struct backup *backup, const char *path, const char *created_at,
                              char ret_sha256[COT_SHA256_HEX_SIZE], struct cot_err *err)
{
    struct cot_store *store = NULL;
    yyjson_mut_val *root = yyjson_mut_obj(backup->manifest);
    backup->files = yyjson_mut_arr(backup->manifest);
    yyjson_mut_doc_set_root(backup->manifest, root);
    yyjson_mut_obj_add_str(backup->manifest, root, "format", "coterie-backup");
    yyjson_mut_obj_add_int(backup->manifest, root, "version", COT_BACKUP_VERSION);
    yyjson_mut_obj_add_str(backup->manifest, root, "created_at", created_at);
    yyjson_mut_obj_add_str(backup->manifest, root, "coterie", COTERIE_VERSION);
    yyjson_mut_obj_add_str(backup->manifest, root, "duckdb", duckdb_library_version());
    yyjson_mut_obj_add_int(backup->manifest, root, "schema", COT_SCHEMA_VERSION);
    if (!yyjson_mut_obj_add_val(backup->manifest, root, "files", backup->files))
        return cot_fail(err, COT_NOMEM, "manifest");

    cot_progress_report(&backup->context->progress, "bringing the shop to one state", 0, 0);
    cot_code rc = cot_context_open_store(backup->context, COT_STORE_EXISTING, &store, err);
    if (rc == COT_OK)
        rc = cot_store_exec(store, err, "force checkpoint");
    if (rc == COT_OK)
        rc = cot_archive_create(path, &backup->writer, err);
    if (rc == COT_OK)
        rc = cot_folder_walk(backup->context->data_dir, visit_file, backup, err);
    if (rc == COT_OK)
        rc = add_file(backup, database_name, cot_store_path(store), err);
    if (rc == COT_OK)
        rc = add_manifest(backup, ret_sha256, err);
    cot_store_close(store);
    return rc;
}

/* Where the backup goes: a name of its own inside a folder. */
static cot_code choose_path(const char *out, const char *created_at, char **ret_path, struct cot_err *err)
{
    struct stat status;
    char compact[COT_TIME_TEXT_SIZE];
    size_t n = 0;
    size_t length = strlen(out);
    bool exists = stat(out, &status) == 0;
    if (length == 0)
        return cot_fail(err, COT_USAGE, "--out is empty: give a file or a folder");
    if (exists && !S_ISDIR(status.st_mode))
        return cot_fail(err, COT_USAGE, "'%s' exists already: give another name", out);
    for (const char *at = created_at; *at != '\0'; at++)
        if (*at != '-' && *at != ':')
            compact[n++] = *at;
    compact[n] = '\0';
    bool is_folder = exists || out[length - 1] == '/';
    int used = is_folder ? asprintf(ret_path, "%s%scoterie-%s.tar", out, out[length - 1] == '/' ? "" : "/", compact)
                         : asprintf(ret_path, "%s", out);
    if (used < 0) {
        *ret_path = NULL;
        return cot_fail(err, COT_NOMEM, "backup");
    }
    return is_folder ? cot_folder_make(out, err) : COT_OK;
}

/* A backup inside the data directory would hold the ones before it. */
static cot_code check_outside(const char *path, const char *data_dir, struct cot_err *err)
{
    char *folder = strdup(path);
    char *slash = folder != NULL ? strrchr(folder, '/') : NULL;
    if (slash != NULL)
        slash[slash == folder] = '\0';
    char *real_folder = realpath(slash != NULL ? folder : ".", NULL);
    char *real_data = realpath(data_dir, NULL);
    cot_code rc = COT_OK;
    if (real_folder == NULL)
        rc = cot_fail(err, COT_IO, "the folder of '%s': %s", path, strerror(errno));
    else if (real_data != NULL) {
        size_t n = strlen(real_data);
        if (strncmp(real_folder, real_data, n) == 0 && (real_folder[n] == '\0' || real_folder[n] == '/'))
            rc = cot_fail(err, COT_USAGE, "'%s' lies in the data directory '%s': write the backup elsewhere", path,
                          data_dir);
    }
    free(folder);
    free(real_folder);
    free(real_data);
    return rc;
}

static cot_code make_document(const struct backup *backup, const char *path, const char *created_at, const char *sha256,
                              yyjson_mut_doc **ret_doc, struct cot_err *err)
{
    yyjson_mut_doc *doc = NULL;
    yyjson_mut_val *root = NULL;
    cot_code rc = cot_json_document(&doc, &root, err);
    yyjson_mut_obj_add_strcpy(doc, root, "path", path);
    yyjson_mut_obj_add_strcpy(doc, root, "created_at", created_at);
    yyjson_mut_obj_add_int(doc, root, "schema", COT_SCHEMA_VERSION);
    yyjson_mut_obj_add_uint(doc, root, "files", backup->n_files);
    yyjson_mut_obj_add_uint(doc, root, "bytes", backup->n_bytes);
    if (rc == COT_OK && !yyjson_mut_obj_add_strcpy(doc, root, "sha256", sha256))
        rc = cot_fail(err, COT_NOMEM, "result");
    return cot_json_finish(rc, doc, ret_doc);
}

/* Renames without ever replacing a file, where the file system can. */
static cot_code take_name(const char *part, const char *path, struct cot_err *err)
{
    if (renameat2(AT_FDCWD, part, AT_FDCWD, path, RENAME_NOREPLACE) == 0)
        return COT_OK;
    if (errno == EINVAL && access(path, F_OK) != 0 && rename(part, path) == 0)
        return COT_OK;
    return cot_fail(err, COT_IO, "'%s': %s", path, strerror(errno));
}

cot_code cot_backup_run(const struct cot_context *context, const char *out, yyjson_mut_doc **ret_doc,
                        struct cot_err *err)
{
    struct backup backup = {.context = context};
    struct cot_manifest manifest = {0};
    char created_at[COT_TIME_TEXT_SIZE];
    char sha256[COT_SHA256_HEX_SIZE] = "";
    char *path = NULL;
    char *part = NULL;
    cot_format_time((int64_t)time(NULL) * 1000, created_at, sizeof created_at);
    cot_code rc = choose_path(out, created_at, &path, err);
    if (rc == COT_OK)
        rc = check_outside(path, context->data_dir, err);
    if (rc == COT_OK && asprintf(&part, "%s.part", path) < 0) {
        part = NULL;
        rc = cot_fail(err, COT_NOMEM, "backup");
    }
    if (rc != COT_OK)
        goto out;
    unlink(part); /* of a backup that was killed: the shop is ours alone once it is open, so nobody writes it now */
    backup.manifest = yyjson_mut_doc_new(NULL);
    rc = backup.manifest != NULL ? write_archive(&backup, part, created_at, sha256, err)
                                 : cot_fail(err, COT_NOMEM, "manifest");
    if (rc == COT_OK) /* what can't be read back is no backup */
        rc = cot_backup_verify(part, NULL, &context->progress, &manifest, err);
    if (rc == COT_OK)
        rc = take_name(part, path, err);
    if (rc != COT_OK) {
        if (backup.writer != NULL)
            unlink(part);
        goto out;
    }
    rc = cot_folder_sync_parent(path, err);
    if (rc == COT_OK)
        rc = make_document(&backup, path, created_at, sha256, ret_doc, err);
    if (rc != COT_OK) /* what is said to have failed is not there */
        unlink(path);
out:
    cot_manifest_release(&manifest);
    cot_archive_writer_free(backup.writer);
    yyjson_mut_doc_free(backup.manifest);
    free(part);
    free(path);
    return rc;
}
