#include "engine/export.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/folder.h"
#include "domain/consent.h"
#include "engine/context_store.h"
#include "engine/export_audience.h"
#include "store/store.h"

enum { MAX_COLUMNS = 200, MIN_HOLDOUT = 30 };

static const struct format_row {
    const char *name;
    const char *copy; /* options of COPY */
} formats[] = {
    {"csv", "format csv, header true, delimiter ',', quote '\"', escape '\"'"},
    {"parquet", "format parquet, compression zstd"},
    {"json", "format json, array false"},
};

struct export
{
    const struct cot_export_options *options;
    const struct format_row *format;
    enum cot_purpose purpose;
    struct cot_export_audience audience;
    int64_t export_id;
    int64_t created_at_ms;
    char *campaign;
    char *path;
    char *part;            /* until it is whole */
    struct cot_buf select; /* the columns, as SQL */
    yyjson_mut_doc *doc;   /* the answer */
    yyjson_mut_val *columns;
};

static cot_code check_options(struct export *export, struct cot_err *err)
{
    const struct cot_export_options *options = export->options;
    for (size_t i = 0; i < sizeof formats / sizeof *formats; i++)
        if (strcmp(options->format, formats[i].name) == 0)
            export->format = &formats[i];
    if (export->format == NULL)
        return cot_fail(err, COT_USAGE, "--format %s: give csv, parquet or json", options->format);
    if (!cot_purpose_from_name(options->purpose, strlen(options->purpose), &export->purpose))
        return cot_fail(err, COT_USAGE,
                        "--purpose %s: give service, analytics, personalisation, marketing or advertising",
                        options->purpose);
    if (!(options->holdout >= 0 && options->holdout <= 0.9))
        return cot_fail(err, COT_USAGE, "a holdout of %g: give a share from 0%% to 90%%", options->holdout);
    return COT_OK;
}

/* NAME-NUMBER.FORMAT in the data directory, the name reduced to what every file system takes. */
static cot_code default_path(const struct cot_context *context, struct export *export, struct cot_err *err)
{
    char name[64];
    char *folder = NULL;
    size_t n = 0;
    for (const char *at = export->audience.segment; *at != '\0' && n + 1 < sizeof name; at++)
        if (isalnum((unsigned char)*at))
            name[n++] = (char)tolower((unsigned char)*at);
        else if (n > 0 && name[n - 1] != '-')
            name[n++] = '-';
    name[n] = '\0';
    if (asprintf(&folder, "%s/exports", context->data_dir) < 0)
        return cot_fail(err, COT_NOMEM, "export");
    cot_code rc = cot_folder_make(folder, err);
    if (rc == COT_OK && asprintf(&export->path, "%s/%s-%lld.%s", folder, n > 0 ? name : "segment",
                                 (long long)export->export_id, export->format->name) < 0) {
        export->path = NULL;
        rc = cot_fail(err, COT_NOMEM, "export");
    }
    free(folder);
    return rc;
}

static cot_code choose_names(const struct cot_context *context, struct cot_store *store, struct export *export,
                             struct cot_err *err)
{
    const struct cot_export_options *options = export->options;
    cot_code rc =
        cot_store_number(store, &export->export_id, err, "select coalesce(max(export_id), 0) + 1 from export_run");
    if (rc != COT_OK)
        return rc;
    if (options->campaign != NULL)
        export->campaign = strdup(options->campaign);
    else if (asprintf(&export->campaign, "segment-%d", export->audience.segment_id) < 0)
        export->campaign = NULL;
    if (export->campaign == NULL)
        return cot_fail(err, COT_NOMEM, "export");
    if (options->out == NULL)
        rc = default_path(context, export, err);
    else if ((export->path = strdup(options->out)) == NULL)
        rc = cot_fail(err, COT_NOMEM, "export");
    if (rc == COT_OK && access(export->path, F_OK) == 0)
        rc = cot_fail(err, COT_USAGE, "'%s' exists already: give another name", export->path);
    if (rc == COT_OK && asprintf(&export->part, "%s.tmp", export->path) < 0) {
        export->part = NULL;
        rc = cot_fail(err, COT_NOMEM, "export");
    }
    return rc;
}

/* One asked-for column: ours, or one of table feature_value. */
static cot_code add_column(struct cot_store *store, struct export *export, const char *name, struct cot_err *err)
{
    int64_t n = 0;
    cot_code rc = COT_OK;
    const char *comma = export->select.size > 0 ? ", " : "";
    char *quoted = cot_sql_quote(export->audience.segment);
    char *quoted_name = cot_sql_quote(name);
    if (quoted == NULL || quoted_name == NULL)
        rc = cot_fail(err, COT_NOMEM, "SQL");
    else if (yyjson_mut_arr_size(export->columns) >= MAX_COLUMNS)
        rc = cot_fail(err, COT_LIMIT, "more than %d columns", MAX_COLUMNS);
    else if (strcmp(name, "segment") == 0)
        rc = cot_buf_printf(&export->select, err, "%s%s as segment", comma, quoted);
    else if (strcmp(name, "customer_id") == 0 || strcmp(name, "email") == 0 || strcmp(name, "phone") == 0)
        rc = cot_buf_printf(&export->select, err, "%sr.%s", comma, name);
    else {
        rc =
            cot_store_number(store, &n, err,
                             "select count(*) from duckdb_columns() where table_name = 'feature_value' and not internal"
                             " and column_name = %s and column_name not in ('customer', 'customer_id')",
                             quoted_name);
        if (rc == COT_OK && (n == 0 || strchr(name, '"') != NULL))
            rc = cot_fail(err, COT_USAGE,
                          "there is no column '%s': there are customer_id, email, phone, segment and the features"
                          " ('coterie features list')",
                          name);
        if (rc == COT_OK)
            rc = cot_buf_printf(&export->select, err, "%sf.\"%s\"", comma, name);
    }
    if (rc == COT_OK && !yyjson_mut_arr_add_strcpy(export->doc, export->columns, name))
        rc = cot_fail(err, COT_NOMEM, "columns");
    free(quoted);
    free(quoted_name);
    return rc;
}

static cot_code choose_columns(struct cot_store *store, struct export *export, struct cot_err *err)
{
    int64_t n_emails = 0;
    cot_code rc = COT_OK;
    if (export->options->columns == NULL) {
        rc = cot_store_number(store, &n_emails, err, "select count(email) from export_row");
        if (rc == COT_OK)
            rc = add_column(store, export, "customer_id", err);
        if (rc == COT_OK && n_emails > 0)
            rc = add_column(store, export, "email", err);
        return rc == COT_OK ? add_column(store, export, "segment", err) : rc;
    }
    char *names = strdup(export->options->columns);
    char *rest = names;
    if (names == NULL)
        return cot_fail(err, COT_NOMEM, "columns");
    for (char *name = NULL; rc == COT_OK && (name = strsep(&rest, ",")) != NULL;) {
        name += strspn(name, " ");
        for (size_t length = strlen(name); length > 0 && name[length - 1] == ' ';)
            name[--length] = '\0';
        rc = add_column(store, export, name, err);
    }
    free(names);
    return rc;
}

static cot_code write_part(struct cot_store *store, const struct export *export, struct cot_err *err)
{
    int64_t n_features = 0;
    char *quoted = cot_sql_quote(export->part);
    cot_code rc = quoted == NULL ? cot_fail(err, COT_NOMEM, "SQL") : COT_OK;
    unlink(export->part); /* of an export that was killed */
    int fd = rc == COT_OK ? open(export->part, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600) : -1;
    if (rc == COT_OK && fd < 0)
        rc = cot_fail(err, COT_IO, "making '%s': %s", export->part, strerror(errno));
    if (fd >= 0)
        close(fd);
    if (rc == COT_OK)
        rc = cot_store_number(
            store, &n_features, err,
            "select count(*) from duckdb_tables() where table_name = 'feature_value' and not internal");
    if (rc == COT_OK)
        rc = cot_store_exec(store, err,
                            "copy (select %s from export_row r %s where r.arm = 'treated' order by r.customer)"
                            " to %s (%s, use_tmp_file false)",
                            cot_buf_text(&export->select),
                            n_features > 0 ? "left join feature_value f on f.customer = r.customer" : "", quoted,
                            export->format->copy);
    free(quoted);
    return rc == COT_OK ? cot_file_sync(export->part, err) : rc;
}

static cot_code write_log(struct cot_store *store, const struct export *export, struct cot_err *err)
{
    char *segment = cot_sql_quote(export->audience.segment);
    char *path = cot_sql_quote(export->path);
    char *json = yyjson_mut_val_write(yyjson_mut_doc_get_root(export->doc), 0, NULL);
    char *detail = json != NULL ? cot_sql_quote(json) : NULL;
    const struct cot_export_audience *audience = &export->audience;
    cot_code rc = segment == NULL || path == NULL || detail == NULL ? cot_fail(err, COT_NOMEM, "SQL") : COT_OK;
    if (rc == COT_OK)
        rc = cot_store_exec(store, err,
                            "insert into export_run values (%lld, make_timestamp(%lld), %d, %s, '%s', %s, '%s', %.17g,"
                            " %lld, %lld, %lld, %s);"
                            "insert into export_member select %lld, customer, arm from export_row order by customer",
                            (long long)export->export_id, (long long)export->created_at_ms * 1000, audience->segment_id,
                            segment, export->format->name, path, cot_purpose_name(export->purpose),
                            export->options->holdout, (long long)audience->n_treated, (long long)audience->n_held_out,
                            (long long)(audience->n_members - audience->n_treated - audience->n_held_out), detail,
                            (long long)export->export_id);
    free(segment);
    free(path);
    free(json);
    free(detail);
    return rc;
}

/* The log first: a file that nobody knows of must not be. */
static cot_code publish(struct cot_store *store, const struct export *export, struct cot_err *err)
{
    cot_code rc = cot_store_begin(store, err);
    if (rc != COT_OK)
        return rc;
    rc = write_log(store, export, err);
    if (rc == COT_OK)
        rc = write_part(store, export, err);
    if (rc == COT_OK)
        rc = cot_store_commit(store, err);
    if (rc != COT_OK) {
        cot_store_rollback(store);
        unlink(export->part);
        return rc;
    }
    if (rename(export->part, export->path) != 0) {
        rc = cot_fail(err, COT_IO, "'%s' can't take its name: %s", export->path, strerror(errno));
        unlink(export->part);
        cot_code undone = cot_store_exec(store, NULL,
                                         "begin; delete from export_run where export_id = %lld;"
                                         "delete from export_member where export_id = %lld; commit",
                                         (long long)export->export_id, (long long)export->export_id);
        return undone == COT_OK ? rc : cot_err_prefix(err, rc, "and its log can't be taken back");
    }
    return cot_folder_sync_parent(export->path, err);
}

static void add_warnings(struct export *export, yyjson_mut_val *root)
{
    yyjson_mut_doc *doc = export->doc;
    const struct cot_export_audience *audience = &export->audience;
    yyjson_mut_val *warnings = yyjson_mut_obj_add_arr(doc, root, "warnings");
    if (export->options->holdout == 0)
        yyjson_mut_arr_add_str(doc, warnings,
                               "without a holdout nobody can tell later what this export has done: effects can't be"
                               " measured backwards");
    else if (audience->n_held_out < MIN_HOLDOUT)
        yyjson_mut_arr_add_str(doc, warnings,
                               "the control group has fewer than 30 customers: only very large effects"
                               " will show");
    if (audience->n_treated == 0)
        yyjson_mut_arr_add_str(doc, warnings, "nobody is left to address: the file is empty");
}

static cot_code fill_document(struct export *export, struct cot_err *err)
{
    yyjson_mut_doc *doc = export->doc;
    const struct cot_export_audience *audience = &export->audience;
    yyjson_mut_val *root = yyjson_mut_doc_get_root(doc);
    yyjson_mut_obj_add_sint(doc, root, "export", export->export_id);
    yyjson_mut_obj_add_strcpy(doc, root, "path", export->path);
    yyjson_mut_obj_add_str(doc, root, "format", export->format->name);
    yyjson_mut_obj_add_str(doc, root, "purpose", cot_purpose_name(export->purpose));
    yyjson_mut_obj_add_strcpy(doc, root, "campaign", export->campaign);
    yyjson_mut_obj_add_real(doc, root, "holdout", export->options->holdout);
    yyjson_mut_obj_add_sint(doc, root, "run", audience->run_id);
    yyjson_mut_val *segment = yyjson_mut_obj_add_obj(doc, root, "segment");
    yyjson_mut_obj_add_int(doc, segment, "id", audience->segment_id);
    yyjson_mut_obj_add_strcpy(doc, segment, "name", audience->segment);
    yyjson_mut_obj_add_sint(doc, root, "members", audience->n_members);
    yyjson_mut_obj_add_sint(doc, root, "treated", audience->n_treated);
    yyjson_mut_obj_add_sint(doc, root, "held_out", audience->n_held_out);
    yyjson_mut_val *excluded = yyjson_mut_obj_add_obj(doc, root, "excluded");
    yyjson_mut_obj_add_sint(doc, excluded, "total", audience->n_members - audience->n_treated - audience->n_held_out);
    yyjson_mut_obj_add_sint(doc, excluded, "suppressed", audience->n_suppressed);
    yyjson_mut_obj_add_sint(doc, excluded, "unsubscribed", audience->n_unsubscribed);
    yyjson_mut_obj_add_sint(doc, excluded, "refused", audience->n_refused);
    yyjson_mut_obj_add_sint(doc, excluded, "unknown_consent", audience->n_unknown);
    add_warnings(export, root);
    return yyjson_mut_obj_add_val(doc, root, "columns", export->columns) ? COT_OK : cot_fail(err, COT_NOMEM, "result");
}

static void export_release(struct export *export)
{
    cot_export_audience_release(&export->audience);
    cot_buf_release(&export->select);
    yyjson_mut_doc_free(export->doc);
    free(export->campaign);
    free(export->path);
    free(export->part);
}

cot_code cot_export_run(const struct cot_context *context, const struct cot_export_options *options,
                        yyjson_mut_doc **ret_doc, struct cot_err *err)
{
    struct cot_store *store = NULL;
    struct export export = {.options = options, .created_at_ms = (int64_t)time(NULL) * 1000};
    export.doc = yyjson_mut_doc_new(NULL);
    export.columns = yyjson_mut_arr(export.doc);
    yyjson_mut_doc_set_root(export.doc, yyjson_mut_obj(export.doc));
    cot_code rc = export.columns == NULL ? cot_fail(err, COT_NOMEM, "export") : check_options(&export, err);
    if (rc == COT_OK)
        rc = cot_context_open_store(context, COT_STORE_EXISTING, &store, err);
    if (rc == COT_OK)
        rc = cot_export_find_segment(store, options->segment, &export.audience, err);
    if (rc == COT_OK)
        rc = choose_names(context, store, &export, err);
    cot_progress_report(&context->progress, "choosing whom to address", 0, 0);
    if (rc == COT_OK)
        rc = cot_export_select(store, export.purpose, export.campaign, options->holdout, &export.audience, err);
    if (rc == COT_OK)
        rc = choose_columns(store, &export, err);
    if (rc == COT_OK)
        rc = fill_document(&export, err);
    if (rc == COT_OK)
        rc = publish(store, &export, err);
    cot_store_close(store);
    if (rc == COT_OK) {
        *ret_doc = export.doc;
        export.doc = NULL;
    }
    export_release(&export);
    return rc;
}
