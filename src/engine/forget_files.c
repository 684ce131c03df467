/* Steps 2 and 3 of an erasure: files of exports and models, and the database's own file. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/folder.h"
#include "engine/forget_steps.h"

/* The part of a path below a folder, or NULL. */
static const char *below(const char *path, const char *folder)
{
    size_t n = strlen(folder);
    while (n > 1 && folder[n - 1] == '/')
        n--;
    return strncmp(path, folder, n) == 0 && path[n] == '/' ? path + n + 1 : NULL;
}

cot_code cot_forget_list_exports(struct cot_store *store, struct cot_forget *forget, struct cot_err *err)
{
    struct cot_rows *rows = NULL;
    bool more = false;
    char *data_dir = realpath(cot_store_data_dir(store), NULL);
    cot_code rc =
        data_dir == NULL ? cot_fail(err, COT_IO, "'%s': %s", cot_store_data_dir(store), strerror(errno)) : COT_OK;
    if (rc == COT_OK)
        rc = cot_rows_open(store, &rows, err,
                           "select distinct r.path from export_run r join export_member m using (export_id)"
                           " where m.arm = 'treated' and m.customer in (%s) and r.path is not null order by 1",
                           cot_buf_text(&forget->nodes));
    while (rc == COT_OK && (rc = cot_rows_next(rows, &more, err)) == COT_OK && more) {
        size_t size = 0;
        const char *text = cot_rows_text(rows, 0, &size);
        char *path = strndup(text, size);
        char *real = path != NULL ? realpath(path, NULL) : NULL;
        const char *name = real != NULL ? below(real, data_dir) : NULL;
        if (path == NULL)
            rc = cot_fail(err, COT_NOMEM, "exports");
        else if (name != NULL)
            yyjson_mut_arr_add_strcpy(forget->doc, forget->files, name);
        else if (real != NULL) /* what is gone already needs nobody */
            yyjson_mut_arr_add_strcpy(forget->doc, forget->elsewhere, real);
        free(path);
        free(real);
    }
    cot_rows_close(rows);
    free(data_dir);
    return rc;
}

static cot_code list_model(void *context, const char *name, const char *path, const struct stat *status,
                           struct cot_err *err)
{
    struct cot_forget *forget = context;
    char *text = NULL;
    (void)path;
    (void)status;
    if (asprintf(&text, "models/%s", name) < 0)
        return cot_fail(err, COT_NOMEM, "models");
    yyjson_mut_arr_add_strcpy(forget->doc, forget->files, text);
    free(text);
    return COT_OK;
}

cot_code cot_forget_delete_files(const char *data_dir, struct cot_forget *forget, struct cot_err *err)
{
    char *models = NULL;
    size_t i;
    size_t n;
    yyjson_mut_val *name;
    size_t n_exports = yyjson_mut_arr_size(forget->files);
    if (asprintf(&models, "%s/models", data_dir) < 0)
        return cot_fail(err, COT_NOMEM, "models");
    cot_code rc = cot_folder_walk(models, list_model, forget, err);
    free(models);
    yyjson_mut_arr_foreach(forget->files, i, n, name)
    {
        char *path = NULL;
        if (rc != COT_OK)
            break;
        if (asprintf(&path, "%s/%s", data_dir, yyjson_mut_get_str(name)) < 0)
            return cot_fail(err, COT_NOMEM, "files");
        if (unlink(path) != 0 && errno != ENOENT)
            rc = cot_fail(err, COT_IO, "deleting '%s': %s", path, strerror(errno));
        if (rc == COT_OK)
            rc = cot_folder_sync_parent(path, err);
        free(path);
    }
    if (rc == COT_OK && !yyjson_mut_obj_add_uint(forget->doc, yyjson_mut_doc_get_root(forget->doc), "models_deleted",
                                                 yyjson_mut_arr_size(forget->files) - n_exports))
        rc = cot_fail(err, COT_NOMEM, "receipt");
    return rc;
}

/* Same tables, same number of rows in each. */
static cot_code compare_copy(struct cot_store *store, struct cot_err *err)
{
    struct cot_rows *rows = NULL;
    struct cot_buf sql = {0};
    bool more = false;
    int64_t n_different = 0;
    int64_t n_missing = 0;
    cot_code rc =
        cot_rows_open(store, &rows, err,
                      "select table_name from duckdb_tables() where database_name = current_database() and not"
                      " internal and not temporary");
    if (rc == COT_OK)
        rc = cot_buf_puts(&sql, "select 0", err);
    while (rc == COT_OK && (rc = cot_rows_next(rows, &more, err)) == COT_OK && more) {
        size_t size = 0;
        const char *table = cot_rows_text(rows, 0, &size);
        rc = cot_buf_printf(
            &sql, err, " + ((select count(*) from \"%.*s\") <> (select count(*) from rewritten.\"%.*s\"))::integer",
            (int)size, table, (int)size, table);
    }
    cot_rows_close(rows);
    if (rc == COT_OK)
        rc = cot_store_number(store, &n_different, err, "%s", cot_buf_text(&sql));
    if (rc == COT_OK)
        rc = cot_store_number(store, &n_missing, err,
                              "select count(*) from duckdb_views() v where not internal and not temporary and"
                              " database_name = current_database() and not exists (select 1 from duckdb_views() w where"
                              " w.database_name = 'rewritten' and w.view_name = v.view_name)");
    if (rc == COT_OK && n_different + n_missing > 0)
        rc = cot_fail(err, COT_INTERNAL, "the rewritten database lacks something: the old one stays");
    cot_buf_release(&sql);
    return rc;
}

static cot_code copy_database(struct cot_store *store, const char *fresh, struct cot_err *err)
{
    struct cot_rows *rows = NULL;
    bool more = false;
    size_t size = 0;
    char *quoted = cot_sql_quote(fresh);
    cot_code rc = quoted == NULL ? cot_fail(err, COT_NOMEM, "SQL") : COT_OK;
    if (rc == COT_OK)
        rc = cot_store_exec(store, err, "attach %s as rewritten", quoted);
    if (rc == COT_OK)
        rc = cot_rows_open(store, &rows, err, "select replace(current_database(), '\"', '\"\"')");
    if (rc == COT_OK)
        rc = cot_rows_next(rows, &more, err);
    if (rc == COT_OK) {
        char name[256];
        const char *text = cot_rows_text(rows, 0, &size);
        snprintf(name, sizeof name, "%.*s", (int)size, text);
        cot_rows_close(rows);
        rows = NULL;
        rc = cot_store_exec(store, err, "copy from database \"%s\" to rewritten", name);
    }
    cot_rows_close(rows);
    if (rc == COT_OK)
        rc = compare_copy(store, err);
    if (rc == COT_OK) /* detaching brings all of it into the one file */
        rc = cot_store_exec(store, err, "checkpoint rewritten; detach rewritten");
    free(quoted);
    return rc == COT_OK ? cot_file_sync(fresh, err) : rc;
}

/* The new file takes the name while the old one is still locked, so that nobody can write to a file that is on its way
 * out; the old one is not checkpointed on closing: its log's name belongs to the new one by then. */
cot_code cot_forget_rewrite(struct cot_store *store, const struct cot_progress *progress, struct cot_err *err)
{
    char *fresh = NULL;
    char *path = strdup(cot_store_path(store));
    cot_code rc = COT_OK;
    cot_progress_report(progress, "writing the database anew", 0, 0);
    if (path == NULL || asprintf(&fresh, "%s.rewrite.tmp", path) < 0) {
        fresh = NULL;
        rc = cot_fail(err, COT_NOMEM, "rewriting");
    }
    if (rc == COT_OK)
        rc = cot_folder_remove(fresh, err); /* of a run that was killed */
    if (rc == COT_OK)
        rc = cot_store_exec(store, err, "force checkpoint; pragma disable_checkpoint_on_shutdown");
    if (rc == COT_OK)
        rc = copy_database(store, fresh, err);
    if (rc == COT_OK && rename(fresh, path) != 0)
        rc = cot_fail(err, COT_IO, "'%s' can't take its name: %s", fresh, strerror(errno));
    if (rc == COT_OK)
        rc = cot_folder_sync_parent(path, err);
    cot_store_close(store);
    if (rc != COT_OK && fresh != NULL)
        unlink(fresh);
    free(fresh);
    free(path);
    return rc;
}
