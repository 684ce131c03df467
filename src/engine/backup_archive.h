/*
 * The container of a backup: a POSIX ustar archive of regular files, so that any tar opens it. Written once, front to
 * back; read strictly: every byte is either content or has the one value that the writer gives it, so that no damage
 * goes unseen (headers carry their own sum, padding is zero, contents are for the caller to compare by SHA-256).
 *
 *   offset  size                   what
 *   0       512                    header of a file: name, mode 0600, size, time, sum, "ustar"
 *   512     size, padded to 512    content, then zeros
 *   ...                            more of these
 *   end     1024                   zeros
 */
#ifndef COT_ENGINE_BACKUP_ARCHIVE_H
#define COT_ENGINE_BACKUP_ARCHIVE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/progress.h"
#include "coterie/err.h"

enum { COT_ARCHIVE_MAX_NAME = 255, COT_SHA256_HEX_SIZE = 65 };

struct cot_archive_entry {
    char name[COT_ARCHIVE_MAX_NAME + 1]; /* relative, '/' between parts, no "..": checked when read */
    uint64_t size;
    char sha256[COT_SHA256_HEX_SIZE];
};

struct cot_archive_writer;

/* Makes a new file (mode 0600); COT_IO where there is one already. */
cot_code cot_archive_create(const char *path, struct cot_archive_writer **ret_writer,
                            struct cot_err *err) COT_MUST_CHECK;

/* Adds the file at `path` under entry->name; sets size and sha256. */
cot_code cot_archive_add_file(struct cot_archive_writer *writer, const char *path, const struct cot_progress *progress,
                              struct cot_archive_entry *entry, struct cot_err *err) COT_MUST_CHECK;
cot_code cot_archive_add_bytes(struct cot_archive_writer *writer, const void *bytes, struct cot_archive_entry *entry,
                               struct cot_err *err) COT_MUST_CHECK; /* entry->size of them */

/* Ends the archive and brings it to disk. */
cot_code cot_archive_finish(struct cot_archive_writer *writer, struct cot_err *err) COT_MUST_CHECK;
void cot_archive_writer_free(struct cot_archive_writer *writer);

struct cot_archive_reader;
cot_code cot_archive_open(const char *path, struct cot_archive_reader **ret_reader, struct cot_err *err) COT_MUST_CHECK;

/* The next entry (its sha256 is empty); false after the last, when the end has been checked too. */
cot_code cot_archive_next(struct cot_archive_reader *reader, struct cot_archive_entry *ret_entry, bool *ret_more,
                          struct cot_err *err) COT_MUST_CHECK;

/* The content of the entry that _next gave: to a new file, brought to disk (path NULL: to nowhere), or to memory of
 * entry->size bytes. Both set entry->sha256. One of them must be called for every entry. */
cot_code cot_archive_extract(struct cot_archive_reader *reader, const char *path, const struct cot_progress *progress,
                             struct cot_archive_entry *entry, struct cot_err *err) COT_MUST_CHECK;
cot_code cot_archive_read(struct cot_archive_reader *reader, void *ret_bytes, struct cot_archive_entry *entry,
                          struct cot_err *err) COT_MUST_CHECK;
void cot_archive_reader_free(struct cot_archive_reader *reader);

#endif
