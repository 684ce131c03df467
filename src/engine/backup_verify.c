#include "engine/backup_verify.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/folder.h"
#include "base/json.h"
#include "engine/backup_archive.h"
#include "store/schema.h"

enum { MAX_MANIFEST_SIZE = 64 << 20, MAX_SUM_SIZE = 256 };

struct verify {
    const char *path;
    const char *folder; /* NULL: only look */
    const struct cot_progress *progress;
    struct cot_archive_reader *reader;
    struct cot_archive_entry *entries;
    size_t n_entries;
    char *manifest;
    uint64_t manifest_size;
    char manifest_sha256[COT_SHA256_HEX_SIZE];
    char sum[MAX_SUM_SIZE + 1];
};

void cot_manifest_release(struct cot_manifest *manifest)
{
    yyjson_doc_free(manifest->doc);
    memset(manifest, 0, sizeof *manifest);
}

/* Unpacks one file below the folder, or only reads it. */
static cot_code take_file(struct verify *verify, struct cot_archive_entry *entry, struct cot_err *err)
{
    char *path = NULL;
    if (verify->folder == NULL)
        return cot_archive_extract(verify->reader, NULL, verify->progress, entry, err);
    if (asprintf(&path, "%s/%s", verify->folder, entry->name) < 0)
        return cot_fail(err, COT_NOMEM, "'%s'", entry->name);
    cot_code rc = COT_OK;
    char *slash = strrchr(path, '/');
    if (strchr(entry->name, '/') != NULL) {
        *slash = '\0';
        rc = cot_folder_make(path, err);
        *slash = '/';
    }
    if (rc == COT_OK)
        rc = cot_archive_extract(verify->reader, path, verify->progress, entry, err);
    if (rc == COT_OK)
        rc = cot_folder_sync_parent(path, err);
    free(path);
    return rc;
}

static cot_code take_manifest(struct verify *verify, struct cot_archive_entry *entry, struct cot_err *err)
{
    if (entry->size > MAX_MANIFEST_SIZE || verify->manifest != NULL)
        return cot_fail(err, COT_BAD_DATA, "'%s' is damaged: its manifest can't be right", verify->path);
    verify->manifest = malloc(entry->size + 1);
    if (verify->manifest == NULL)
        return cot_fail(err, COT_NOMEM, "manifest");
    verify->manifest_size = entry->size;
    cot_code rc = cot_archive_read(verify->reader, verify->manifest, entry, err);
    memcpy(verify->manifest_sha256, entry->sha256, sizeof verify->manifest_sha256);
    return rc;
}

static cot_code take_entry(struct verify *verify, struct cot_archive_entry *entry, struct cot_err *err)
{
    if (strcmp(entry->name, COT_MANIFEST_NAME) == 0)
        return take_manifest(verify, entry, err);
    if (strcmp(entry->name, COT_MANIFEST_SUM_NAME) == 0) {
        if (entry->size > MAX_SUM_SIZE)
            return cot_fail(err, COT_BAD_DATA, "'%s' is damaged: the manifest's sum can't be right", verify->path);
        return cot_archive_read(verify->reader, verify->sum, entry, err);
    }
    cot_code rc = take_file(verify, entry, err);
    if (rc != COT_OK)
        return rc;
    struct cot_archive_entry *grown = realloc(verify->entries, (verify->n_entries + 1) * sizeof *grown);
    if (grown == NULL)
        return cot_fail(err, COT_NOMEM, "%zu files of a backup", verify->n_entries);
    grown[verify->n_entries++] = *entry;
    verify->entries = grown;
    return COT_OK;
}

/* The i-th entry must be the i-th row of the manifest: same name, size and content. */
static cot_code compare_entry(const struct verify *verify, const struct cot_archive_entry *entry, yyjson_val *row,
                              struct cot_err *err)
{
    const char *name = yyjson_get_str(yyjson_obj_get(row, "path"));
    const char *sha256 = yyjson_get_str(yyjson_obj_get(row, "sha256"));
    if (name == NULL || strcmp(name, entry->name) != 0 || yyjson_get_uint(yyjson_obj_get(row, "size")) != entry->size)
        return cot_fail(err, COT_BAD_DATA, "'%s' is damaged: '%s' is not what its manifest lists", verify->path,
                        entry->name);
    if (sha256 == NULL || strcmp(sha256, entry->sha256) != 0)
        return cot_fail(err, COT_BAD_DATA, "'%s' is damaged: the content of '%s' is not the one that was saved",
                        verify->path, entry->name);
    return COT_OK;
}

static cot_code read_manifest(const struct verify *verify, struct cot_manifest *ret_manifest, struct cot_err *err)
{
    char expected[MAX_SUM_SIZE];
    snprintf(expected, sizeof expected, "%s  %s\n", verify->manifest_sha256, COT_MANIFEST_NAME);
    if (verify->manifest == NULL)
        return cot_fail(err, COT_BAD_DATA, "'%s' has no manifest: it is no backup of Coterie, or damaged",
                        verify->path);
    if (strcmp(expected, verify->sum) != 0)
        return cot_fail(err, COT_BAD_DATA, "'%s' is damaged: its manifest is not the one that was saved", verify->path);
    if (cot_json_read(verify->manifest, verify->manifest_size, 0, &ret_manifest->doc, err) == COT_NOMEM)
        return COT_NOMEM;
    yyjson_val *root = yyjson_doc_get_root(ret_manifest->doc);
    const char *format = yyjson_get_str(yyjson_obj_get(root, "format"));
    if (format == NULL || strcmp(format, "coterie-backup") != 0)
        return cot_fail(err, COT_BAD_DATA, "'%s' is no backup of Coterie", verify->path);
    int64_t version = yyjson_get_sint(yyjson_obj_get(root, "version"));
    ret_manifest->schema = yyjson_get_sint(yyjson_obj_get(root, "schema"));
    ret_manifest->created_at = yyjson_get_str(yyjson_obj_get(root, "created_at"));
    if (version != COT_BACKUP_VERSION || ret_manifest->schema > COT_SCHEMA_VERSION)
        return cot_fail(err, COT_BAD_DATA,
                        "'%s' has format %lld and schema %lld, this program knows up to %d and %d: use a newer coterie",
                        verify->path, (long long)version, (long long)ret_manifest->schema, COT_BACKUP_VERSION,
                        COT_SCHEMA_VERSION);
    return COT_OK;
}

static cot_code compare_all(const struct verify *verify, struct cot_manifest *manifest, struct cot_err *err)
{
    yyjson_val *rows = yyjson_obj_get(yyjson_doc_get_root(manifest->doc), "files");
    size_t i;
    size_t n;
    yyjson_val *row;
    cot_code rc = COT_OK;
    if (yyjson_arr_size(rows) != verify->n_entries)
        return cot_fail(err, COT_BAD_DATA, "'%s' is damaged: %zu files, its manifest lists %zu", verify->path,
                        verify->n_entries, yyjson_arr_size(rows));
    yyjson_arr_foreach(cot_json_some(rows), i, n, row)
    {
        if (rc == COT_OK)
            rc = compare_entry(verify, &verify->entries[i], row, err);
        manifest->n_bytes += verify->entries[i].size;
    }
    manifest->n_files = verify->n_entries;
    return rc;
}

cot_code cot_backup_verify(const char *path, const char *folder, const struct cot_progress *progress,
                           struct cot_manifest *ret_manifest, struct cot_err *err)
{
    struct verify verify = {.path = path, .folder = folder, .progress = progress};
    struct cot_manifest manifest = {0};
    struct cot_archive_entry entry;
    bool more = false;
    cot_code rc = cot_archive_open(path, &verify.reader, err);
    while (rc == COT_OK && (rc = cot_archive_next(verify.reader, &entry, &more, err)) == COT_OK && more)
        rc = take_entry(&verify, &entry, err);
    if (rc == COT_OK)
        rc = read_manifest(&verify, &manifest, err);
    if (rc == COT_OK)
        rc = compare_all(&verify, &manifest, err);
    if (rc == COT_OK)
        *ret_manifest = manifest;
    else
        cot_manifest_release(&manifest);
    cot_archive_reader_free(verify.reader);
    free(verify.entries);
    free(verify.manifest);
    return rc;
}
