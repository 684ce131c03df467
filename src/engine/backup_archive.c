#include "engine/backup_archive.h"

#include <errno.h>
#include <fcntl.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum { BLOCK = 512, CHUNK = 1 << 20 };

/* Offsets in a ustar header. */
enum {
    AT_NAME = 0,
    AT_MODE = 100,
    AT_UID = 108,
    AT_GID = 116,
    AT_SIZE = 124,
    AT_TIME = 136,
    AT_SUM = 148,
    AT_TYPE = 156,
    AT_MAGIC = 257,
    AT_PREFIX = 345,
    NAME_SIZE = 100,
    PREFIX_SIZE = 155,
    SIZE_SIZE = 12
};

struct cot_archive_writer {
    int fd;
    char *path;
    char *chunk;
};

struct cot_archive_reader {
    int fd;
    char *path;
    char *chunk;
    uint64_t n_left; /* bytes of the file not read yet */
};

/* Reading and writing whole pieces */

static cot_code write_all(int fd, const char *path, const void *data, size_t size, struct cot_err *err)
{
    const char *at = data;
    while (size > 0) {
        ssize_t n = write(fd, at, size);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return cot_fail(err, COT_IO, "writing '%s': %s", path, strerror(errno));
        at += n;
        size -= (size_t)n;
    }
    return COT_OK;
}

static cot_code read_all(int fd, const char *path, void *ret_data, size_t size, struct cot_err *err)
{
    char *at = ret_data;
    while (size > 0) {
        ssize_t n = read(fd, at, size);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return cot_fail(err, COT_IO, "reading '%s': %s", path, strerror(errno));
        if (n == 0)
            return cot_fail(err, COT_BAD_DATA, "'%s' ends too early", path);
        at += n;
        size -= (size_t)n;
    }
    return COT_OK;
}

static cot_code reader_take(struct cot_archive_reader *reader, void *ret_data, size_t size, struct cot_err *err)
{
    if (size > reader->n_left)
        return cot_fail(err, COT_BAD_DATA, "'%s' is damaged: it ends too early", reader->path);
    reader->n_left -= size;
    return read_all(reader->fd, reader->path, ret_data, size, err);
}

/* SHA-256 over pieces */

static cot_code digest_begin(EVP_MD_CTX **ret_digest, struct cot_err *err)
{
    EVP_MD_CTX *digest = EVP_MD_CTX_new();
    if (digest == NULL || EVP_DigestInit_ex(digest, EVP_sha256(), NULL) != 1) {
        EVP_MD_CTX_free(digest);
        return cot_fail(err, COT_NOMEM, "SHA-256");
    }
    *ret_digest = digest;
    return COT_OK;
}

static void digest_end(EVP_MD_CTX *digest, char ret_hex[COT_SHA256_HEX_SIZE])
{
    unsigned char bytes[EVP_MAX_MD_SIZE];
    unsigned n = 0;
    memset(ret_hex, 0, COT_SHA256_HEX_SIZE);
    if (digest != NULL && EVP_DigestFinal_ex(digest, bytes, &n) == 1)
        for (unsigned i = 0; i < n && i < 32; i++)
            snprintf(ret_hex + (size_t)2 * i, 3, "%02x", bytes[i]);
    EVP_MD_CTX_free(digest);
}

/* Headers */

static unsigned header_sum(const unsigned char header[BLOCK])
{
    unsigned sum = 0;
    for (int i = 0; i < BLOCK; i++)
        sum += i >= AT_SUM && i < AT_SUM + 8 ? ' ' : header[i];
    return sum;
}

/* Octal where 11 digits hold it, else GNU's base 256: a set top bit and big-endian bytes. */
static void put_size(unsigned char *header, uint64_t size)
{
    if (size < UINT64_C(1) << 33) {
        snprintf((char *)header + AT_SIZE, SIZE_SIZE, "%011llo", (unsigned long long)size);
        return;
    }
    header[AT_SIZE] = 0x80;
    for (int i = 0; i < 8; i++)
        header[AT_SIZE + SIZE_SIZE - 1 - i] = (unsigned char)(size >> (8 * i));
}

static bool get_octal(const unsigned char *field, int size, uint64_t *ret_value)
{
    uint64_t value = 0;
    int i = 0;
    for (; i < size && field[i] >= '0' && field[i] <= '7'; i++)
        value = value * 8 + (uint64_t)(field[i] - '0');
    *ret_value = value;
    return i > 0;
}

static bool get_size(const unsigned char *header, uint64_t *ret_size)
{
    uint64_t size = 0;
    if (header[AT_SIZE] != 0x80)
        return get_octal(header + AT_SIZE, SIZE_SIZE, ret_size);
    for (int i = 0; i < 8; i++)
        size = size << 8 | header[AT_SIZE + SIZE_SIZE - 8 + i];
    *ret_size = size;
    return size <= INT64_MAX;
}

static cot_code write_header(struct cot_archive_writer *writer, const struct cot_archive_entry *entry,
                             struct cot_err *err)
{
    unsigned char header[BLOCK] = {0};
    size_t length = strlen(entry->name);
    size_t split = 0; /* where the prefix ends, if the name needs one */
    if (length > NAME_SIZE)
        for (size_t i = 0; i < length && i <= PREFIX_SIZE; i++)
            if (entry->name[i] == '/' && length - i - 1 <= NAME_SIZE)
                split = i;
    if (length == 0 || (length > NAME_SIZE && split == 0))
        return cot_fail(err, COT_LIMIT, "the name '%s' is too long for a backup", entry->name);
    if (split > 0)
        memcpy(header + AT_PREFIX, entry->name, split);
    size_t skip = split > 0 ? split + 1 : 0;
    memcpy(header + AT_NAME, entry->name + skip, length - skip);
    memcpy(header + AT_MODE, "0000600", 8);
    memcpy(header + AT_UID, "0000000", 8);
    memcpy(header + AT_GID, "0000000", 8);
    put_size(header, entry->size);
    snprintf((char *)header + AT_TIME, 12, "%011llo", (unsigned long long)time(NULL));
    header[AT_TYPE] = '0';
    memcpy(header + AT_MAGIC, "ustar\00000", 8);
    snprintf((char *)header + AT_SUM, 8, "%06o", header_sum(header));
    header[AT_SUM + 7] = ' ';
    return write_all(writer->fd, writer->path, header, sizeof header, err);
}

/* A name that stays below the folder that it is put in. */
static bool name_is_safe(const char *name)
{
    if (name[0] == '\0' || name[0] == '/' || name[strlen(name) - 1] == '/')
        return false;
    for (const char *part = name; part != NULL; part = strchr(part, '/')) {
        part += *part == '/';
        size_t length = strcspn(part, "/");
        if (length == 0 || (length == 1 && part[0] == '.') || (length == 2 && memcmp(part, "..", 2) == 0))
            return false;
    }
    return true;
}

static bool parse_header(const unsigned char header[BLOCK], struct cot_archive_entry *ret_entry)
{
    uint64_t sum = 0;
    char prefix[PREFIX_SIZE + 1] = "";
    char name[NAME_SIZE + 1] = "";
    memset(ret_entry, 0, sizeof *ret_entry);
    if (!get_octal(header + AT_SUM, 6, &sum) || sum != header_sum(header) || header[AT_SUM + 6] != '\0' ||
        header[AT_SUM + 7] != ' ')
        return false;
    if (memcmp(header + AT_MAGIC, "ustar\00000", 8) != 0 || header[AT_TYPE] != '0' ||
        !get_size(header, &ret_entry->size))
        return false;
    memcpy(prefix, header + AT_PREFIX, PREFIX_SIZE);
    memcpy(name, header + AT_NAME, NAME_SIZE);
    int n = snprintf(ret_entry->name, sizeof ret_entry->name, "%s%s%s", prefix, prefix[0] != '\0' ? "/" : "", name);
    return n > 0 && (size_t)n < sizeof ret_entry->name && name_is_safe(ret_entry->name);
}

/* Writing */

static cot_code write_padding(struct cot_archive_writer *writer, uint64_t size, struct cot_err *err)
{
    static const char zeros[BLOCK];
    size_t rest = (size_t)(size % BLOCK);
    return rest == 0 ? COT_OK : write_all(writer->fd, writer->path, zeros, BLOCK - rest, err);
}

cot_code cot_archive_create(const char *path, struct cot_archive_writer **ret_writer, struct cot_err *err)
{
    cot_code rc = COT_OK;
    struct cot_archive_writer *writer = calloc(1, sizeof *writer);
    if (writer == NULL)
        return cot_fail(err, COT_NOMEM, "backup");
    writer->fd = -1;
    writer->path = strdup(path);
    writer->chunk = malloc(CHUNK);
    if (writer->path == NULL || writer->chunk == NULL)
        rc = cot_fail(err, COT_NOMEM, "backup");
    else if ((writer->fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600)) < 0)
        rc = cot_fail(err, COT_IO, "making '%s': %s", path, strerror(errno));
    if (rc == COT_OK)
        *ret_writer = writer;
    else
        cot_archive_writer_free(writer);
    return rc;
}

cot_code cot_archive_add_file(struct cot_archive_writer *writer, const char *path, const struct cot_progress *progress,
                              struct cot_archive_entry *entry, struct cot_err *err)
{
    struct stat status;
    EVP_MD_CTX *digest = NULL;
    cot_code rc = COT_OK;
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    if (fd < 0 || fstat(fd, &status) != 0) {
        rc = cot_fail(err, COT_IO, "reading '%s': %s", path, strerror(errno));
        goto out;
    }
    entry->size = (uint64_t)status.st_size;
    rc = digest_begin(&digest, err);
    if (rc == COT_OK)
        rc = write_header(writer, entry, err);
    for (uint64_t done = 0; rc == COT_OK && done < entry->size;) {
        size_t n = entry->size - done < CHUNK ? (size_t)(entry->size - done) : CHUNK;
        rc = read_all(fd, path, writer->chunk, n, err);
        if (rc == COT_OK && EVP_DigestUpdate(digest, writer->chunk, n) != 1)
            rc = cot_fail(err, COT_INTERNAL, "SHA-256 of '%s'", path);
        if (rc == COT_OK)
            rc = write_all(writer->fd, writer->path, writer->chunk, n, err);
        done += n;
        cot_progress_report(progress, "copying", done, entry->size);
    }
    if (rc == COT_OK)
        rc = write_padding(writer, entry->size, err);
out:
    digest_end(digest, entry->sha256);
    if (fd >= 0)
        close(fd);
    return rc;
}

cot_code cot_archive_add_bytes(struct cot_archive_writer *writer, const void *bytes, struct cot_archive_entry *entry,
                               struct cot_err *err)
{
    EVP_MD_CTX *digest = NULL;
    cot_code rc = digest_begin(&digest, err);
    if (rc == COT_OK)
        rc = write_header(writer, entry, err);
    if (rc == COT_OK && EVP_DigestUpdate(digest, bytes, entry->size) != 1)
        rc = cot_fail(err, COT_INTERNAL, "SHA-256 of '%s'", entry->name);
    if (rc == COT_OK)
        rc = write_all(writer->fd, writer->path, bytes, entry->size, err);
    if (rc == COT_OK)
        rc = write_padding(writer, entry->size, err);
    digest_end(digest, entry->sha256);
    return rc;
}

cot_code cot_archive_finish(struct cot_archive_writer *writer, struct cot_err *err)
{
    static const char zeros[2 * BLOCK];
    cot_code rc = write_all(writer->fd, writer->path, zeros, sizeof zeros, err);
    if (rc == COT_OK && fsync(writer->fd) != 0)
        rc = cot_fail(err, COT_IO, "bringing '%s' to disk: %s", writer->path, strerror(errno));
    int fd = writer->fd;
    writer->fd = -1;
    if (close(fd) != 0 && rc == COT_OK)
        rc = cot_fail(err, COT_IO, "closing '%s': %s", writer->path, strerror(errno));
    return rc;
}

void cot_archive_writer_free(struct cot_archive_writer *writer)
{
    if (writer == NULL)
        return;
    if (writer->fd >= 0)
        close(writer->fd);
    free(writer->path);
    free(writer->chunk);
    free(writer);
}

/* Reading */

cot_code cot_archive_open(const char *path, struct cot_archive_reader **ret_reader, struct cot_err *err)
{
    struct stat status;
    cot_code rc = COT_OK;
    struct cot_archive_reader *reader = calloc(1, sizeof *reader);
    if (reader == NULL)
        return cot_fail(err, COT_NOMEM, "backup");
    reader->fd = -1;
    reader->path = strdup(path);
    reader->chunk = malloc(CHUNK);
    if (reader->path == NULL || reader->chunk == NULL)
        rc = cot_fail(err, COT_NOMEM, "backup");
    else if ((reader->fd = open(path, O_RDONLY | O_CLOEXEC)) < 0 || fstat(reader->fd, &status) != 0)
        rc = cot_fail(err, errno == ENOENT ? COT_NOT_FOUND : COT_IO, "opening '%s': %s", path, strerror(errno));
    else if (!S_ISREG(status.st_mode))
        rc = cot_fail(err, COT_USAGE, "'%s' is no file: give the backup's file", path);
    else
        reader->n_left = (uint64_t)status.st_size;
    if (rc == COT_OK)
        *ret_reader = reader;
    else
        cot_archive_reader_free(reader);
    return rc;
}

static bool is_zero(const char *bytes, size_t size)
{
    for (size_t i = 0; i < size; i++)
        if (bytes[i] != 0)
            return false;
    return true;
}

cot_code cot_archive_next(struct cot_archive_reader *reader, struct cot_archive_entry *ret_entry, bool *ret_more,
                          struct cot_err *err)
{
    unsigned char header[BLOCK];
    cot_code rc = reader_take(reader, header, sizeof header, err);
    if (rc != COT_OK)
        return rc;
    if (!is_zero((const char *)header, sizeof header)) {
        if (!parse_header(header, ret_entry) || ret_entry->size > reader->n_left)
            return cot_fail(err, COT_BAD_DATA, "'%s' is damaged or no backup of Coterie", reader->path);
        *ret_more = true;
        return COT_OK;
    }
    rc = reader_take(reader, header, sizeof header, err);
    if (rc == COT_OK && (!is_zero((const char *)header, sizeof header) || reader->n_left != 0))
        rc = cot_fail(err, COT_BAD_DATA, "'%s' is damaged: there is something after its end", reader->path);
    if (rc == COT_OK)
        *ret_more = false;
    return rc;
}

/* Hashes the content of an entry and gives it to `fd` (-1: no) and ret_bytes (NULL: no). */
static cot_code take_content(struct cot_archive_reader *reader, int fd, const char *path, char *ret_bytes,
                             const struct cot_progress *progress, struct cot_archive_entry *entry, struct cot_err *err)
{
    EVP_MD_CTX *digest = NULL;
    size_t padding = entry->size % BLOCK == 0 ? 0 : BLOCK - (size_t)(entry->size % BLOCK);
    cot_code rc = digest_begin(&digest, err);
    for (uint64_t done = 0; rc == COT_OK && done < entry->size;) {
        size_t n = entry->size - done < CHUNK ? (size_t)(entry->size - done) : CHUNK;
        rc = reader_take(reader, reader->chunk, n, err);
        if (rc == COT_OK && EVP_DigestUpdate(digest, reader->chunk, n) != 1)
            rc = cot_fail(err, COT_INTERNAL, "SHA-256 of '%s'", entry->name);
        if (rc == COT_OK && fd >= 0)
            rc = write_all(fd, path, reader->chunk, n, err);
        else if (rc == COT_OK && ret_bytes != NULL)
            memcpy(ret_bytes + done, reader->chunk, n);
        done += n;
        cot_progress_report(progress, "unpacking", done, entry->size);
    }
    if (rc == COT_OK)
        rc = reader_take(reader, reader->chunk, padding, err);
    if (rc == COT_OK && !is_zero(reader->chunk, padding))
        rc = cot_fail(err, COT_BAD_DATA, "'%s' is damaged after '%s'", reader->path, entry->name);
    digest_end(digest, entry->sha256);
    return rc;
}

cot_code cot_archive_extract(struct cot_archive_reader *reader, const char *path, const struct cot_progress *progress,
                             struct cot_archive_entry *entry, struct cot_err *err)
{
    if (path == NULL)
        return take_content(reader, -1, NULL, NULL, progress, entry, err);
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (fd < 0)
        return cot_fail(err, COT_IO, "making '%s': %s", path, strerror(errno));
    cot_code rc = take_content(reader, fd, path, NULL, progress, entry, err);
    if (rc == COT_OK && fsync(fd) != 0)
        rc = cot_fail(err, COT_IO, "bringing '%s' to disk: %s", path, strerror(errno));
    close(fd);
    return rc;
}

cot_code cot_archive_read(struct cot_archive_reader *reader, void *ret_bytes, struct cot_archive_entry *entry,
                          struct cot_err *err)
{
    return take_content(reader, -1, NULL, ret_bytes, NULL, entry, err);
}

void cot_archive_reader_free(struct cot_archive_reader *reader)
{
    if (reader == NULL)
        return;
    if (reader->fd >= 0)
        close(reader->fd);
    free(reader->path);
    free(reader->chunk);
    free(reader);
}
