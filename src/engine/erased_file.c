/*
 * DIR/erased: the keyed hashes of table erased, kept beside the database, so that whoever puts a backup in its place
 * (or in that of a database that can't be read any more) still knows whom the shop had erased. Text:
 *
 *   coterie erased 1
 *   SALT
 *   one hash a line, ascending
 *   sha256 of all lines before, in hex
 */
#include <errno.h>
#include <openssl/sha.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/folder.h"
#include "engine/erased.h"
#include "store/store.h"

enum { SUM_LINE = 2 * SHA256_DIGEST_LENGTH + 1, MAX_FILE_SIZE = 1 << 30 };

static const char magic[] = "coterie erased 1\n";

static void sum_line(const char *text, size_t size, char ret_line[SUM_LINE + 1])
{
    unsigned char sum[SHA256_DIGEST_LENGTH];
    SHA256((const unsigned char *)text, size, sum);
    for (size_t i = 0; i < sizeof sum; i++)
        snprintf(ret_line + 2 * i, 3, "%02x", sum[i]);
    memcpy(ret_line + 2 * sizeof sum, "\n", 2);
}

static cot_code write_text(const char *path, const struct cot_buf *text, struct cot_err *err)
{
    char *fresh = NULL;
    if (asprintf(&fresh, "%s.tmp", path) < 0)
        return cot_fail(err, COT_NOMEM, "'%s'", path);
    FILE *file = fopen(fresh, "w");
    bool written = file != NULL && fwrite(text->data, 1, text->size, file) == text->size && fflush(file) == 0 &&
                   fsync(fileno(file)) == 0;
    cot_code rc = written ? COT_OK : cot_fail(err, COT_IO, "writing '%s': %s", fresh, strerror(errno));
    if (file != NULL && fclose(file) != 0 && rc == COT_OK)
        rc = cot_fail(err, COT_IO, "writing '%s': %s", fresh, strerror(errno));
    if (rc == COT_OK && rename(fresh, path) != 0)
        rc = cot_fail(err, COT_IO, "'%s' can't take its name: %s", fresh, strerror(errno));
    if (rc == COT_OK)
        rc = cot_folder_sync_parent(path, err);
    else
        unlink(fresh);
    free(fresh);
    return rc;
}

cot_code cot_erased_save(struct cot_store *store, struct cot_err *err)
{
    struct cot_rows *rows = NULL;
    struct cot_buf text = {0};
    bool more = false;
    char *salt = NULL;
    char *path = NULL;
    char sum[SUM_LINE + 1];
    cot_code rc = cot_salt_get(store, &salt, err);
    if (rc == COT_OK)
        rc = cot_buf_printf(&text, err, "%s%s\n", magic, salt);
    if (rc == COT_OK)
        rc = cot_rows_open(store, &rows, err, "select distinct value_hash from erased order by 1");
    while (rc == COT_OK && (rc = cot_rows_next(rows, &more, err)) == COT_OK && more) {
        size_t size = 0;
        const char *hash = cot_rows_text(rows, 0, &size);
        rc = cot_buf_printf(&text, err, "%.*s\n", (int)size, hash);
    }
    cot_rows_close(rows);
    if (rc == COT_OK) {
        sum_line(text.data, text.size, sum);
        rc = cot_buf_puts(&text, sum, err);
    }
    if (rc == COT_OK && asprintf(&path, "%s/%s", cot_store_data_dir(store), COT_ERASED_FILE) < 0)
        rc = cot_fail(err, COT_NOMEM, "'%s'", COT_ERASED_FILE);
    if (rc == COT_OK)
        rc = write_text(path, &text, err);
    cot_buf_release(&text);
    free(salt);
    free(path);
    return rc;
}

/* The whole file, NUL-terminated; NULL where there is none. */
static cot_code read_text(const char *path, char **ret_text, size_t *ret_size, struct cot_err *err)
{
    struct stat status;
    char *text = NULL;
    cot_code rc = COT_OK;
    FILE *file = fopen(path, "r");
    if (file == NULL)
        return errno == ENOENT ? COT_OK : cot_fail(err, COT_IO, "'%s': %s", path, strerror(errno));
    if (fstat(fileno(file), &status) != 0 || status.st_size > MAX_FILE_SIZE)
        rc = cot_fail(err, COT_BAD_DATA, "'%s' is no list of erased identities", path);
    else if ((text = calloc(1, (size_t)status.st_size + 1)) == NULL)
        rc = cot_fail(err, COT_NOMEM, "'%s'", path);
    else if (fread(text, 1, (size_t)status.st_size, file) != (size_t)status.st_size)
        rc = cot_fail(err, COT_IO, "reading '%s' failed", path);
    fclose(file);
    if (rc == COT_OK) {
        *ret_text = text;
        *ret_size = (size_t)status.st_size;
    } else {
        free(text);
    }
    return rc;
}

static bool is_whole(const char *text, size_t size)
{
    char sum[SUM_LINE + 1];
    if (size < sizeof magic - 1 + SUM_LINE || memcmp(text, magic, sizeof magic - 1) != 0)
        return false;
    sum_line(text, size - SUM_LINE, sum);
    return memcmp(text + size - SUM_LINE, sum, SUM_LINE) == 0;
}

cot_code cot_erased_open(const char *data_dir, struct cot_erased **ret_erased, struct cot_err *err)
{
    struct cot_erased *erased = NULL;
    char *path = NULL;
    char *text = NULL;
    size_t size = 0;
    if (asprintf(&path, "%s/%s", data_dir, COT_ERASED_FILE) < 0)
        return cot_fail(err, COT_NOMEM, "'%s'", COT_ERASED_FILE);
    cot_code rc = read_text(path, &text, &size, err);
    if (rc == COT_OK && text != NULL && !is_whole(text, size))
        rc = cot_fail(err, COT_BAD_DATA, "'%s' is damaged: its checksum does not hold", path);
    if (rc == COT_OK && text == NULL)
        rc = cot_erased_parse("", 0, &erased, err);
    else if (rc == COT_OK)
        rc = cot_erased_parse(text + sizeof magic - 1, size - (sizeof magic - 1) - SUM_LINE, &erased, err);
    if (rc == COT_OK)
        *ret_erased = erased;
    free(text);
    free(path);
    return rc;
}
