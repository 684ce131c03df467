#include "base/folder.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { MAX_DEPTH = 32 };

static cot_code walk(const char *folder, const char *below, int depth, cot_folder_visit *visit, void *context,
                     struct cot_err *err);

static cot_code walk_entry(const char *folder, const char *below, const char *entry, int depth, cot_folder_visit *visit,
                           void *context, struct cot_err *err)
{
    char *name = NULL;
    char *path = NULL;
    struct stat status;
    cot_code rc = COT_OK;
    if (asprintf(&name, "%s%s%s", below, below[0] != '\0' ? "/" : "", entry) < 0)
        name = NULL;
    if (asprintf(&path, "%s/%s", folder, name != NULL ? name : "") < 0)
        path = NULL;
    if (name == NULL || path == NULL)
        rc = cot_fail(err, COT_NOMEM, "names in '%s'", folder);
    else if (lstat(path, &status) != 0)
        rc = errno == ENOENT ? COT_OK : cot_fail(err, COT_IO, "'%s': %s", path, strerror(errno));
    else if (S_ISDIR(status.st_mode))
        rc = walk(folder, name, depth + 1, visit, context, err);
    else
        rc = visit(context, name, path, &status, err);
    free(name);
    free(path);
    return rc;
}

static int keep_names(const struct dirent *entry)
{
    return strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0;
}

/* Byte order, whatever the locale. */
static int compare_names(const struct dirent **a, const struct dirent **b)
{
    return strcmp((*a)->d_name, (*b)->d_name);
}

static cot_code walk(const char *folder, const char *below, int depth, cot_folder_visit *visit, void *context,
                     struct cot_err *err)
{
    struct dirent **entries = NULL;
    char *path = NULL;
    cot_code rc = COT_OK;
    if (depth > MAX_DEPTH)
        return cot_fail(err, COT_LIMIT, "'%s/%s' is more than %d folders deep", folder, below, MAX_DEPTH);
    if (asprintf(&path, "%s/%s", folder, below) < 0)
        return cot_fail(err, COT_NOMEM, "names in '%s'", folder);
    int n = scandir(path, &entries, keep_names, compare_names);
    if (n < 0 && errno != ENOENT)
        rc = cot_fail(err, COT_IO, "reading folder '%s': %s", path, strerror(errno));
    for (int i = 0; i < n; i++) {
        if (rc == COT_OK)
            rc = walk_entry(folder, below, entries[i]->d_name, depth, visit, context, err);
        free(entries[i]);
    }
    free(entries);
    free(path);
    return rc;
}

cot_code cot_folder_walk(const char *folder, cot_folder_visit *visit, void *context, struct cot_err *err)
{
    return walk(folder, "", 0, visit, context, err);
}

static int remove_one(const char *path, const struct stat *status, int type, struct FTW *ftw)
{
    (void)status;
    (void)type;
    (void)ftw;
    return remove(path);
}

cot_code cot_folder_remove(const char *path, struct cot_err *err)
{
    if (nftw(path, remove_one, 16, FTW_DEPTH | FTW_PHYS) != 0 && errno != ENOENT)
        return cot_fail(err, COT_IO, "removing '%s': %s", path, strerror(errno));
    return COT_OK;
}

cot_code cot_folder_make(const char *path, struct cot_err *err)
{
    cot_code rc = COT_OK;
    char *copy = strdup(path);
    if (copy == NULL)
        return cot_fail(err, COT_NOMEM, "folder '%s'", path);
    for (char *at = copy + 1; rc == COT_OK && *at != '\0'; at++) {
        if (*at != '/')
            continue;
        *at = '\0';
        if (mkdir(copy, 0700) != 0 && errno != EEXIST)
            rc = cot_fail(err, COT_IO, "making folder '%s': %s", copy, strerror(errno));
        *at = '/';
    }
    if (rc == COT_OK && mkdir(copy, 0700) != 0 && errno != EEXIST)
        rc = cot_fail(err, COT_IO, "making folder '%s': %s", path, strerror(errno));
    free(copy);
    return rc;
}

static cot_code sync_path(const char *path, int flags, struct cot_err *err)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC | flags);
    if (fd < 0)
        return cot_fail(err, COT_IO, "'%s': %s", path, strerror(errno));
    cot_code rc = fsync(fd) == 0 ? COT_OK : cot_fail(err, COT_IO, "bringing '%s' to disk: %s", path, strerror(errno));
    close(fd);
    return rc;
}

cot_code cot_folder_sync_parent(const char *path, struct cot_err *err)
{
    char *parent = strdup(path);
    if (parent == NULL)
        return cot_fail(err, COT_NOMEM, "folder of '%s'", path);
    size_t length = strlen(parent);
    while (length > 1 && parent[length - 1] == '/')
        parent[--length] = '\0';
    char *slash = strrchr(parent, '/');
    if (slash != NULL)
        slash[slash == parent] = '\0';
    cot_code rc = sync_path(slash != NULL ? parent : ".", O_DIRECTORY, err);
    free(parent);
    return rc;
}

cot_code cot_file_sync(const char *path, struct cot_err *err)
{
    return sync_path(path, 0, err);
}
