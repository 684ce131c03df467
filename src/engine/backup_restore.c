/* Restoring a backup (see backup.h). */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/folder.h"
#include "base/json.h"
#include "engine/backup.h"
#include "engine/backup_verify.h"
#include "engine/erased.h"
#include "engine/forget.h"
#include "store/schema.h"
#include "store/store.h"

enum target {
    TARGET_MISSING, /* or an empty folder */
    TARGET_BEGUN,   /* no shop yet: what a making of one that was killed has left */
    TARGET_SHOP,
    TARGET_OTHER
};

struct contents {
    size_t n_begun; /* files of a shop whose making was interrupted */
    size_t n_other;
};

static cot_code count_one(void *context, const char *name, const char *path, const struct stat *status,
                          struct cot_err *err)
{
    struct contents *contents = context;
    const size_t size = sizeof COT_STORE_FRESH_NAME - 1;
    bool is_begun = strncmp(name, COT_STORE_FRESH_NAME, size) == 0 && (name[size] == '\0' || name[size] == '.');
    (void)path;
    (void)status;
    (void)err;
    contents->n_begun += is_begun;
    contents->n_other += !is_begun;
    return COT_OK;
}

static cot_code look_at_target(const char *data_dir, enum target *ret_target, struct cot_err *err)
{
    struct stat status;
    char *database = NULL;
    char *erased = NULL;
    struct contents contents = {0};
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
                                                     : cot_folder_walk(data_dir, count_one, &contents, err);
    if (rc == COT_OK && contents.n_other == 0)
        *ret_target = contents.n_begun == 0 ? TARGET_MISSING : TARGET_BEGUN;
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

/* Opens what was unpacked, migrates it where it is older, reads something: the proof that it is a shop. Its log of
 * entries and exits begins anew: numbers after the backup's may have been told already, of other changes. */
static cot_code try_shop(const struct cot_context *context, const char *folder, struct cot_err *err)
{
    struct cot_store *store = NULL;
    struct cot_store_options options = {.mode = COT_STORE_EXISTING, .n_threads = context->n_threads};
    int64_t n = 0;
    cot_code rc = cot_store_open(folder, &options, &store, err);
    if (rc == COT_OK)
        rc = cot_store_number(store, &n, err, "select count(*) from event");
    if (rc == COT_OK)
        rc = cot_store_exec(store, err,
                            "delete from segment_log; delete from segment_change; delete from segment_standing");
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

/* The shop that is replaced, and whom it had erased: by its table and by the list beside it (erased.h). */
struct old_shop {
    struct cot_store *store;   /* held until the backup has its place; NULL: none, or one that can't be read */
    struct cot_erased *table;  /* NULL: can't be read, see table_err */
    struct cot_erased *listed; /* NULL: damaged, see listed_err */
    struct cot_err table_err;
    struct cot_err listed_err;
    uint64_t n_erased; /* people who were erased from the backup's shop */
};

static void release_old_shop(struct old_shop *old)
{
    cot_store_close(old->store);
    cot_erased_free(old->table);
    cot_erased_free(old->listed);
}

/* Nothing that time or memory would mend: what is there is damaged, of another version or not there at all. */
static bool is_unusable(cot_code rc)
{
    return rc == COT_BAD_DATA || rc == COT_NOT_FOUND;
}

/* The shop that is there must be in nobody's use. One that can't be read at all may be replaced: that is what backups
 * are for. Then the list beside it has to do, as the table where the list is damaged; whoever was erased must not come
 * back because neither was looked at. Read-only, so that closing the shop changes nothing on disk. */
static cot_code hold_old_shop(const char *data_dir, struct old_shop *old, struct cot_err *err)
{
    struct cot_store_options options = {.mode = COT_STORE_READ_ONLY, .n_threads = 1};
    cot_code rc = cot_store_open(data_dir, &options, &old->store, &old->table_err);
    if (rc == COT_OK)
        rc = cot_erased_load(old->store, &old->table, &old->table_err);
    if (rc != COT_OK && !is_unusable(rc))
        return cot_fail(err, rc, "whom the shop had erased can't be read, so nothing was restored: %s",
                        old->table_err.message);
    rc = cot_erased_open(data_dir, &old->listed, &old->listed_err);
    if (rc == COT_BAD_DATA && old->table != NULL)
        return COT_OK;
    if (rc == COT_BAD_DATA)
        return cot_fail(err, rc,
                        "%s; nor can the shop's own table be read: nothing tells whom it had erased. To restore all the"
                        " same, move '%s/%s' away and erase them again with 'coterie forget'",
                        old->listed_err.message, data_dir, COT_ERASED_FILE);
    return rc == COT_OK ? rc : cot_fail(err, rc, "%s", old->listed_err.message);
}

static cot_code take_place(const char *fresh, const char *data_dir, enum target target, struct cot_err *err)
{
    if (target == TARGET_SHOP || target == TARGET_BEGUN)
        return swap(fresh, data_dir, err);
    if (rename(fresh, data_dir) != 0)
        return cot_fail(err, COT_IO, "'%s' can't take the name '%s': %s", fresh, data_dir, strerror(errno));
    return cot_folder_sync_parent(data_dir, err);
}

/* Whoever the shop that is replaced had erased stays erased. */
static cot_code erase_again(const struct cot_context *context, const char *fresh, struct old_shop *old,
                            struct cot_err *err)
{
    const struct cot_erased *const lists[2] = {old->listed, old->table};
    cot_code rc = COT_OK;
    for (size_t i = 0; rc == COT_OK && i < 2; i++)
        if (lists[i] != NULL && cot_erased_count(lists[i]) > 0) {
            struct cot_context there = *context;
            uint64_t n = 0;
            there.data_dir = fresh;
            rc = cot_forget_listed(&there, lists[i], &n, err);
            old->n_erased += n;
        }
    return rc;
}

static void add_warnings(yyjson_mut_doc *doc, const struct old_shop *old)
{
    char text[COT_ERR_MESSAGE_SIZE + 256];
    yyjson_mut_val *warnings = yyjson_mut_obj_add_arr(doc, yyjson_mut_doc_get_root(doc), "warnings");
    if (old->table_err.message[0] != '\0') {
        snprintf(text, sizeof text,
                 "the table of erased people could not be read (%s): only those in the file '%s' beside it are erased"
                 " again",
                 old->table_err.message, COT_ERASED_FILE);
        yyjson_mut_arr_add_strcpy(doc, warnings, text);
    }
    if (old->listed_err.message[0] != '\0') {
        snprintf(text, sizeof text, "%s: only those in the shop's own table are erased again", old->listed_err.message);
        yyjson_mut_arr_add_strcpy(doc, warnings, text);
    }
}

static cot_code make_document(const struct cot_context *context, const char *path, const struct cot_manifest *manifest,
                              bool replaced, const struct old_shop *old, yyjson_mut_doc **ret_doc, struct cot_err *err)
{
    yyjson_mut_doc *doc = NULL;
    yyjson_mut_val *root = NULL;
    cot_code rc = cot_json_document(&doc, &root, err);
    yyjson_mut_obj_add_strcpy(doc, root, "path", path);
    yyjson_mut_obj_add_strcpy(doc, root, "data", context->data_dir);
    yyjson_mut_obj_add_strcpy(doc, root, "created_at", manifest->created_at != NULL ? manifest->created_at : "");
    yyjson_mut_obj_add_int(doc, root, "schema", manifest->schema);
    yyjson_mut_obj_add_uint(doc, root, "files", manifest->n_files);
    yyjson_mut_obj_add_uint(doc, root, "bytes", manifest->n_bytes);
    yyjson_mut_obj_add_uint(doc, root, "erased_again", old->n_erased);
    add_warnings(doc, old);
    if (rc == COT_OK && !yyjson_mut_obj_add_bool(doc, root, "replaced", replaced))
        rc = cot_fail(err, COT_NOMEM, "result");
    return cot_json_finish(rc, doc, ret_doc);
}

cot_code cot_restore_run(const struct cot_context *context, const struct cot_restore_options *options,
                         yyjson_mut_doc **ret_doc, struct cot_err *err)
{
    struct cot_manifest manifest = {0};
    enum target target = TARGET_MISSING;
    struct old_shop old = {0};
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
        rc = erase_again(context, fresh, &old, err);
    if (rc == COT_OK)
        rc = take_place(fresh, data_dir, target, err);
    if (rc == COT_OK)
        rc = make_document(context, options->path, &manifest, target == TARGET_SHOP, &old, ret_doc, err);
    release_old_shop(&old);
    if (made) { /* the shop that was replaced, or what was unpacked in vain */
        cot_code removed = cot_folder_remove(fresh, rc == COT_OK ? err : NULL);
        rc = rc == COT_OK ? removed : rc;
    }
    cot_manifest_release(&manifest);
    free(fresh);
    free(data_dir);
    return rc;
}
