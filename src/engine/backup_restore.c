/* Restoring a backup (see backup.h). */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/folder.h"
#include "engine/backup.h"
#include "engine/backup_verify.h"
#include "engine/erased.h"
#include "engine/forget.h"
#include "store/schema.h"
#include "store/store.h"

enum target {
    TARGET_MISSING, /* or an empty folder */
    TARGET_SHOP,
    TARGET_OTHER
};

static cot_code count_one(void *context, const char *name, const char *path, const struct stat *status,
                          struct cot_err *err)
{
    size_t *n = context;
    (void)name;
    (void)path;
    (void)status;
    (void)err;
    ++*n;
    return COT_OK;
}

static cot_code look_at_target(const char *data_dir, enum target *ret_target, struct cot_err *err)
{
    struct stat status;
    char *database = NULL;
    char *erased = NULL;
    size_t n = 0;
    if (lstat(data_dir, &status) != 0) {
        *ret_target = TARGET_MISSING;
        return errno == ENOENT ? COT_OK : cot_fail(err, COT_IO, "'%s': %s", data_dir, strerror(errno));
    }
    *ret_target = TARGET_OTHER;
    if (!S_ISDIR(status.st_mode))
        return COT_OK;
    if (asprintf(&database, "%s/coterie.duckdb", data_dir) < 0)
        database = NULL;
    if (asprintf(&erased, "%s/%s", data_dir, COT_ERASED_FILE) < 0)
        erased = NULL;
    cot_code rc = database == NULL || erased == NULL ? cot_fail(err, COT_NOMEM, "'%s'", data_dir)
                                                     : cot_folder_walk(data_dir, count_one, &n, err);
    if (rc == COT_OK && n == 0)
        *ret_target = TARGET_MISSING;
    else if (rc == COT_OK && (access(database, F_OK) == 0 || access(erased, F_OK) == 0))
        *ret_target = TARGET_SHOP;
    free(database);
    free(erased);
    return rc;
}

static cot_code check_target(const char *data_dir, bool force, enum target *ret_target, struct cot_err *err)
{
    enum target target = TARGET_MISSING;
    cot_code rc = look_at_target(data_dir, &target, err);
    if (rc == COT_OK && target == TARGET_SHOP && !force)
        rc = cot_fail(err, COT_USAGE,
                      "'%s' holds a shop: give another --data, or --force to put the backup in its place", data_dir);
    if (rc == COT_OK && target == TARGET_OTHER)
        rc = cot_fail(err, COT_USAGE, "'%s' holds something that is no shop and is left alone: give another --data",
                      data_dir);
    if (rc == COT_OK)
        *ret_target = target;
    return rc;
}

/* The path without slashes at its end; where it exists, without links in it, so that the shop itself is swapped. */
static char *plain_path(const char *path)
{
    char *plain = realpath(path, NULL);
    if (plain == NULL)
        plain = strdup(path);
    size_t length = plain != NULL ? strlen(plain) : 0;
    while (length > 1 && plain[length - 1] == '/')
        plain[--length] = '\0';
    return plain;
}

/* Opens what was unpacked, migrates it where it is older, reads something: the proof that it is a shop. */
static cot_code try_shop(const struct cot_context *context, const char *folder, struct cot_err *err)
{
    struct cot_store *store = NULL;
    struct cot_store_options options = {.mode = COT_STORE_EXISTING, .n_threads = context->n_threads};
    int64_t n = 0;
    cot_code rc = cot_store_open(folder, &options, &store, err);
    if (rc == COT_OK)
        rc = cot_store_number(store, &n, err, "select count(*) from event");
    cot_store_close(store);
    return rc == COT_OK ? rc : cot_err_prefix(err, COT_BAD_DATA, "the shop in the backup can't be used");
}

/* Puts `fresh` in the place of data_dir in one step; what was there has the name `fresh` afterwards. Both names are
 * always whole shops. */
static cot_code swap(const char *fresh, const char *data_dir, struct cot_err *err)
{
    if (renameat2(AT_FDCWD, fresh, AT_FDCWD, data_dir, RENAME_EXCHANGE) != 0)
        return cot_fail(err, COT_IO, "exchanging '%s' and '%s': %s", fresh, data_dir, strerror(errno));
    return cot_folder_sync_parent(data_dir, err);
}

/* The shop that is there must be in nobody's use. One that can't be read at all may be replaced: that is what backups
 * are for. Read-only, so that closing it changes nothing on disk. */
static cot_code hold_old_shop(const char *data_dir, struct cot_store **ret_store, struct cot_err *err)
{
    struct cot_store_options options = {.mode = COT_STORE_READ_ONLY, .n_threads = 1};
    struct cot_err reason = {0};
    cot_code rc = cot_store_open(data_dir, &options, ret_store, &reason);
    return rc == COT_IO ? cot_fail(err, COT_IO, "%s", reason.message) : COT_OK;
}

static cot_code take_place(const char *fresh, const char *data_dir, enum target target, struct cot_err *err)
{
    if (target == TARGET_SHOP)
        return swap(fresh, data_dir, err);
    if (rename(fresh, data_dir) != 0)
        return cot_fail(err, COT_IO, "'%s' can't take the name '%s': %s", fresh, data_dir, strerror(errno));
    return cot_folder_sync_parent(data_dir, err);
}

/* Whoever the shop that is replaced had erased stays erased: from its table where it can be read, and from the list
 * beside it (erased.h). */
static cot_code erase_again(const struct cot_context *context, const char *fresh, const char *data_dir,
                            struct cot_store *old, uint64_t *ret_n, struct cot_err *err)
{
    struct cot_erased *lists[2] = {NULL, NULL};
    uint64_t n_people = 0;
    cot_code rc = cot_erased_open(data_dir, &lists[0], err);
    if (rc == COT_OK && old != NULL)
        rc = cot_erased_load(old, &lists[1], err);
    for (size_t i = 0; rc == COT_OK && i < 2; i++)
        if (lists[i] != NULL && cot_erased_count(lists[i]) > 0) {
            struct cot_context there = *context;
            uint64_t n = 0;
            there.data_dir = fresh;
            rc = cot_forget_listed(&there, lists[i], &n, err);
            n_people += n;
        }
    if (rc == COT_OK)
        *ret_n = n_people;
    cot_erased_free(lists[0]);
    cot_erased_free(lists[1]);
    return rc;
}

static cot_code make_document(const struct cot_context *context, const char *path, const struct cot_manifest *manifest,
                              bool replaced, uint64_t n_erased, yyjson_mut_doc **ret_doc, struct cot_err *err)
{
    yyjson_mut_doc *doc = yyjson_mut_doc_new(NULL);
    yyjson_mut_val *root = yyjson_mut_obj(doc);
    yyjson_mut_doc_set_root(doc, root);
    yyjson_mut_obj_add_strcpy(doc, root, "path", path);
    yyjson_mut_obj_add_strcpy(doc, root, "data", context->data_dir);
    yyjson_mut_obj_add_strcpy(doc, root, "created_at", manifest->created_at != NULL ? manifest->created_at : "");
    yyjson_mut_obj_add_int(doc, root, "schema", manifest->schema);
    yyjson_mut_obj_add_uint(doc, root, "files", manifest->n_files);
    yyjson_mut_obj_add_uint(doc, root, "bytes", manifest->n_bytes);
    yyjson_mut_obj_add_uint(doc, root, "erased_again", n_erased);
    if (!yyjson_mut_obj_add_bool(doc, root, "replaced", replaced)) {
        yyjson_mut_doc_free(doc);
        return cot_fail(err, COT_NOMEM, "result");
    }
    *ret_doc = doc;
    return COT_OK;
}

cot_code cot_restore_run(const struct cot_context *context, const struct cot_restore_options *options,
                         yyjson_mut_doc **ret_doc, struct cot_err *err)
{
    struct cot_manifest manifest = {0};
    enum target target = TARGET_MISSING;
    struct cot_store *old = NULL;
    uint64_t n_erased = 0;
    char *fresh = NULL;
    bool made = false;
    char *data_dir = plain_path(context->data_dir);
    if (data_dir == NULL || asprintf(&fresh, "%s.restore-XXXXXX", data_dir) < 0) {
        free(data_dir);
        return cot_fail(err, COT_NOMEM, "restore");
    }
    cot_code rc = check_target(data_dir, options->force, &target, err);
    if (rc == COT_OK && target == TARGET_SHOP)
        rc = hold_old_shop(data_dir, &old, err);
    if (rc == COT_OK && mkdtemp(fresh) == NULL)
        rc = cot_fail(err, COT_IO, "making a folder beside '%s': %s", data_dir, strerror(errno));
    made = rc == COT_OK;
    if (rc == COT_OK)
        rc = cot_backup_verify(options->path, fresh, &context->progress, &manifest, err);
    if (rc == COT_OK)
        rc = try_shop(context, fresh, err);
    if (rc == COT_OK && target == TARGET_SHOP)
        rc = erase_again(context, fresh, data_dir, old, &n_erased, err);
    if (rc == COT_OK)
        rc = take_place(fresh, data_dir, target, err);
    cot_store_close(old);
    if (rc == COT_OK)
        rc = make_document(context, options->path, &manifest, target == TARGET_SHOP, n_erased, ret_doc, err);
    if (made) { /* the shop that was replaced, or what was unpacked in vain */
        cot_code removed = cot_folder_remove(fresh, rc == COT_OK ? err : NULL);
        rc = rc == COT_OK ? removed : rc;
    }
    cot_manifest_release(&manifest);
    free(fresh);
    free(data_dir);
    return rc;
}
