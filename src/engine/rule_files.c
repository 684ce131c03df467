#include "engine/rule_files.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/array.h"

static cot_code read_text(const char *path, char **ret_text, size_t *ret_size, struct cot_err *err)
{
    FILE *file = fopen(path, "re");
    char *text = malloc(COT_SEGMENT_FILE_MAX_SIZE + 1);
    cot_code rc = file == NULL   ? cot_fail(err, COT_IO, "'%s': %s", path, strerror(errno))
                  : text == NULL ? cot_fail(err, COT_NOMEM, "'%s'", path)
                                 : COT_OK;
    size_t size = rc == COT_OK ? fread(text, 1, COT_SEGMENT_FILE_MAX_SIZE + 1, file) : 0;
    if (rc == COT_OK && ferror(file))
        rc = cot_fail(err, COT_IO, "'%s': %s", path, strerror(errno));
    if (file != NULL)
        fclose(file);
    if (rc == COT_OK) {
        *ret_text = text;
        *ret_size = size;
    } else {
        free(text);
    }
    return rc;
}

cot_code cot_rule_file_read(const char *path, struct cot_segment_file **ret_file, struct cot_err *err)
{
    char *text = NULL;
    size_t size = 0;
    cot_code rc = read_text(path, &text, &size, err);
    if (rc != COT_OK)
        return rc;
    rc = cot_segment_file_parse(text, size, ret_file, NULL, err);
    free(text);
    return rc == COT_OK ? rc : cot_err_prefix(err, rc, "'%s'", path);
}

/* A file with what is in it, or why it can't be used. path: a fresh string, taken over in any case. */
static cot_code add_file(struct cot_rule_files *files, char *path, struct cot_err *err)
{
    void *grown =
        path != NULL ? cot_array_reserve(files->files, &files->capacity, files->n + 1, sizeof *files->files) : NULL;
    if (grown == NULL) {
        free(path);
        return cot_fail(err, COT_NOMEM, "segment files");
    }
    files->files = grown;
    struct cot_rule_file *file = &files->files[files->n++];
    *file = (struct cot_rule_file){.path = path};
    cot_code rc = cot_rule_file_read(path, &file->file, &file->err);
    return rc == COT_NOMEM ? cot_fail(err, rc, "'%s'", path) : COT_OK;
}

static int is_segment_file(const struct dirent *entry)
{
    size_t size = strlen(entry->d_name);
    size_t suffix = strlen(COT_RULE_FILE_SUFFIX);
    return entry->d_name[0] != '.' && size > suffix && strcmp(entry->d_name + size - suffix, COT_RULE_FILE_SUFFIX) == 0;
}

static int by_bytes(const struct dirent **a, const struct dirent **b)
{
    return strcmp((*a)->d_name, (*b)->d_name);
}

static cot_code add_folder(struct cot_rule_files *files, const char *folder, struct cot_err *err)
{
    struct dirent **entries = NULL;
    cot_code rc = COT_OK;
    int n = scandir(folder, &entries, is_segment_file, by_bytes);
    if (n < 0)
        return cot_fail(err, COT_IO, "folder '%s': %s", folder, strerror(errno));
    size_t size = strlen(folder);
    for (int i = 0; i < n; i++) {
        char *path = NULL;
        if (rc == COT_OK &&
            asprintf(&path, "%s%s%s", folder, size > 0 && folder[size - 1] == '/' ? "" : "/", entries[i]->d_name) < 0)
            path = NULL;
        if (rc == COT_OK)
            rc = add_file(files, path, err);
        free(entries[i]);
    }
    free(entries);
    return rc;
}

cot_code cot_rule_files_read(const char *const *paths, size_t n, struct cot_rule_files *ret_files, struct cot_err *err)
{
    struct cot_rule_files files = {0};
    cot_code rc = COT_OK;
    for (size_t i = 0; i < n && rc == COT_OK; i++) {
        struct stat status;
        if (stat(paths[i], &status) != 0)
            rc = cot_fail(err, COT_NOT_FOUND, "'%s': %s", paths[i], strerror(errno));
        else
            rc = S_ISDIR(status.st_mode) ? add_folder(&files, paths[i], err) : add_file(&files, strdup(paths[i]), err);
    }
    if (rc == COT_OK)
        *ret_files = files;
    else
        cot_rule_files_release(&files);
    return rc;
}

void cot_rule_files_release(struct cot_rule_files *files)
{
    for (size_t i = 0; i < files->n; i++) {
        free(files->files[i].path);
        cot_segment_file_free(files->files[i].file);
    }
    free(files->files);
    *files = (struct cot_rule_files){0};
}
