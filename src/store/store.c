#include "store/store.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>
#include <yyjson.h>

#include "base/folder.h"
#include "base/threads.h"
#include "store/schema.h"

#define DEFAULT_MEMORY_LIMIT UINT64_C(1500000000)
#define DATABASE_NAME "coterie.duckdb"

struct cot_store {
    char *data_dir;
    char *path;
    duckdb_database database;
    bool is_snapshot; /* the database is another store's */
    duckdb_connection connection;
    pthread_mutex_t mutex; /* of the connection, among bulk writers */
};

cot_code cot_duckdb_fail(struct cot_err *err, cot_code otherwise, const char *what, const char *message)
{
    static const struct {
        const char *words;
        cot_code code;
    } causes[] = {{"Out of Memory", COT_NOMEM},   {"IO Error", COT_IO},    {"fsync", COT_IO},
                  {"Could not write", COT_IO},    {"No space", COT_IO},    {"Could not read", COT_IO},
                  {"Input/output error", COT_IO}, {"Cannot open", COT_IO}, {"bad_alloc", COT_NOMEM}};
    cot_code code = otherwise;
    if (message == NULL)
        message = "DuckDB gives no reason";
    for (size_t i = 0; i < sizeof causes / sizeof *causes && code == otherwise; i++)
        if (strstr(message, causes[i].words) != NULL)
            code = causes[i].code;
    const char *trace = strstr(message, "\n\nStack Trace");
    int size = (int)(trace != NULL ? (size_t)(trace - message) : strlen(message));
    return cot_fail(err, code, "%s%s%.*s", what != NULL ? what : "", what != NULL ? ": " : "", size, message);
}

/* Who has the file: a server of ours says so in the data directory. */
static cot_code fail_in_use(const struct cot_store *store, const char *message, struct cot_err *err)
{
    char path[4096];
    snprintf(path, sizeof path, "%s/server.json", store->data_dir);
    yyjson_doc *doc = yyjson_read_file(path, 0, NULL, NULL);
    const char *url = yyjson_get_str(yyjson_obj_get(yyjson_doc_get_root(doc), "url"));
    cot_code rc = url != NULL
                      ? cot_fail(err, COT_IO, "'%s' is in use by the server at %s: ask it over HTTP, or stop it first",
                                 store->data_dir, url)
                      : cot_fail(err, COT_IO, "'%s' is in use by another process: %s", store->path, message);
    yyjson_doc_free(doc);
    return rc;
}

static cot_code open_database(struct cot_store *store, const struct cot_store_options *options, struct cot_err *err)
{
    duckdb_config config = NULL;
    char *message = NULL;
    char threads[16];
    char memory[32];
    cot_code rc = COT_OK;
    uint64_t limit = options->memory_limit != 0 ? options->memory_limit : DEFAULT_MEMORY_LIMIT;
    unsigned n_threads = options->n_threads != 0 ? options->n_threads : cot_threads_available();
    snprintf(threads, sizeof threads, "%u", n_threads);
    snprintf(memory, sizeof memory, "%llu B", (unsigned long long)limit);

    if (duckdb_create_config(&config) != DuckDBSuccess)
        return cot_fail(err, COT_NOMEM, "DuckDB's configuration");
    /* checkpoint_threshold: bulk imports would otherwise checkpoint every 16 MB of log. Extensions are never fetched.
     */
    const char *const settings[][2] = {
        {"threads", threads},
        {"memory_limit", memory},
        {"autoinstall_known_extensions", "false"},
        {"autoload_known_extensions", "false"},
        {"checkpoint_threshold", "64MB"},
        {"access_mode", options->mode == COT_STORE_READ_ONLY ? "READ_ONLY" : "READ_WRITE"},
    };
    for (size_t i = 0; i < sizeof settings / sizeof *settings; i++)
        if (duckdb_set_config(config, settings[i][0], settings[i][1]) != DuckDBSuccess)
            rc = cot_fail(err, COT_INTERNAL, "DuckDB refuses %s = %s", settings[i][0], settings[i][1]);
    if (rc == COT_OK && duckdb_open_ext(store->path, &store->database, config, &message) != DuckDBSuccess) {
        bool locked = message != NULL && strstr(message, "Could not set lock") != NULL;
        bool barred = message != NULL && options->mode != COT_STORE_READ_ONLY &&
                      (strstr(message, "ermission denied") != NULL || strstr(message, "ead-only file system") != NULL);
        bool foreign = message != NULL && strstr(message, "not a valid DuckDB") != NULL;
        rc = locked ? fail_in_use(store, message, err) : cot_duckdb_fail(err, COT_BAD_DATA, NULL, message);
        if (!locked)
            rc = cot_err_prefix(err, foreign ? COT_BAD_DATA : rc, "'%s' can't be opened%s", store->path,
                                barred ? " for writing: let this user write the file and its folder" : "");
    }
    duckdb_free(message);
    duckdb_destroy_config(&config);
    return rc;
}

static cot_code check_schema(struct cot_store *store, enum cot_store_mode mode, struct cot_err *err)
{
    int version = 0;
    if (mode != COT_STORE_READ_ONLY)
        return cot_schema_migrate(store, err);
    cot_code rc = cot_schema_version(store, &version, err);
    if (rc == COT_OK && version > COT_SCHEMA_VERSION)
        rc = cot_fail(err, COT_BAD_DATA, "'%s' has schema %d, this program knows up to %d: use a newer coterie",
                      store->path, version, COT_SCHEMA_VERSION);
    else if (rc == COT_OK && version != COT_SCHEMA_VERSION)
        rc = cot_fail(err, COT_BAD_DATA, "'%s' has schema %d, this program reads %d: any writing command migrates it",
                      store->path, version, COT_SCHEMA_VERSION);
    return rc;
}

/* Opens data_dir/name, connects to it and brings its schema up to date or checks it. */
static cot_code open_file(const char *data_dir, const char *name, const struct cot_store_options *options,
                          struct cot_store **ret_store, struct cot_err *err)
{
    cot_code rc = COT_OK;
    struct cot_store *store = calloc(1, sizeof *store);
    if (store == NULL)
        return cot_fail(err, COT_NOMEM, "store");
    pthread_mutex_init(&store->mutex, NULL);
    store->data_dir = strdup(data_dir);
    if (store->data_dir == NULL || asprintf(&store->path, "%s/%s", data_dir, name) < 0) {
        store->path = NULL;
        rc = cot_fail(err, COT_NOMEM, "store");
        goto out;
    }
    rc = open_database(store, options, err);
    if (rc == COT_OK)
        rc = cot_store_connect(store, &store->connection, err);
    if (rc == COT_OK)
        rc = check_schema(store, options->mode, err);
    if (rc != COT_OK)
        goto out;
    *ret_store = store;
    store = NULL;
out:
    cot_store_close(store);
    return rc;
}

/* Removes what an earlier, interrupted making left. */
static cot_code remove_fresh(const char *data_dir, struct cot_err *err)
{
    static const char *const names[] = {COT_STORE_FRESH_NAME, COT_STORE_FRESH_NAME ".wal", COT_STORE_FRESH_NAME ".tmp"};
    cot_code rc = COT_OK;
    for (size_t i = 0; rc == COT_OK && i < sizeof names / sizeof *names; i++) {
        char *path = NULL;
        if (asprintf(&path, "%s/%s", data_dir, names[i]) < 0)
            return cot_fail(err, COT_NOMEM, "'%s/%s'", data_dir, names[i]);
        rc = cot_folder_remove(path, err);
        free(path);
    }
    return rc;
}

/* A log without its database would be taken for the new one's: whose it is is for people to say. */
static cot_code refuse_stray_log(const char *path, struct cot_err *err)
{
    char *log = NULL;
    if (asprintf(&log, "%s.wal", path) < 0)
        return cot_fail(err, COT_NOMEM, "'%s'", path);
    cot_code rc = access(log, F_OK) != 0
                      ? COT_OK
                      : cot_fail(err, COT_BAD_DATA,
                                 "'%s' is the log of a database that is not there: put '%s' back, or remove the log to"
                                 " begin a new shop",
                                 log, path);
    free(log);
    return rc;
}

/* Gives the new file its name, unless somebody else has made one by now: then that one is the shop. */
static cot_code take_name(const char *fresh, const char *path, struct cot_err *err)
{
    int status = renameat2(AT_FDCWD, fresh, AT_FDCWD, path, RENAME_NOREPLACE);
    if (status != 0 && errno == EEXIST)
        return COT_OK;
    if (status != 0 && errno == EINVAL) /* a file system that can only replace: the folder's lock has to do */
        status = rename(fresh, path);
    if (status != 0)
        return cot_fail(err, COT_IO, "'%s' can't take its name: %s", fresh, strerror(errno));
    return cot_folder_sync_parent(path, err);
}

/* Makes the database under another name and gives it its own when it is whole and on disk: whoever sees a shop sees
 * one with its schema, after kill -9 at any moment too. */
static cot_code create_whole(const char *data_dir, const char *path, const struct cot_store_options *options,
                             struct cot_err *err)
{
    struct cot_store *store = NULL;
    char *fresh = NULL;
    cot_code rc = refuse_stray_log(path, err);
    if (rc == COT_OK)
        rc = remove_fresh(data_dir, err);
    if (rc != COT_OK)
        return rc;
    rc = open_file(data_dir, COT_STORE_FRESH_NAME, options, &store, err);
    if (rc == COT_OK)
        rc = cot_store_exec(store, err, "force checkpoint");
    if (rc == COT_OK && (fresh = strdup(store->path)) == NULL)
        rc = cot_fail(err, COT_NOMEM, "'%s'", path);
    cot_store_close(store);
    if (rc == COT_OK)
        rc = cot_file_sync(fresh, err);
    if (rc == COT_OK)
        rc = take_name(fresh, path, err);
    cot_code removed = remove_fresh(data_dir, rc == COT_OK ? err : NULL);
    free(fresh);
    return rc == COT_OK ? removed : rc;
}

/* One process creates at a time: the folder is locked meanwhile. */
static cot_code create_file(const char *data_dir, const char *path, const struct cot_store_options *options,
                            struct cot_err *err)
{
    if (mkdir(data_dir, 0700) != 0 && errno != EEXIST)
        return cot_fail(err, COT_IO, "making folder '%s': %s", data_dir, strerror(errno));
    int folder = open(data_dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (folder < 0)
        return cot_fail(err, COT_IO, "folder '%s': %s", data_dir, strerror(errno));
    int status = 0;
    do
        status = flock(folder, LOCK_EX); /* a file system without locks: take_name still replaces nothing */
    while (status != 0 && errno == EINTR);
    cot_code rc = COT_OK;
    if (access(path, F_OK) != 0)
        rc = errno == ENOENT ? create_whole(data_dir, path, options, err)
                             : cot_fail(err, COT_IO, "'%s': %s", path, strerror(errno));
    close(folder);
    return rc;
}

cot_code cot_store_open(const char *data_dir, const struct cot_store_options *options, struct cot_store **ret_store,
                        struct cot_err *err)
{
    char *path = NULL;
    cot_code rc = COT_OK;
    if (asprintf(&path, "%s/%s", data_dir, DATABASE_NAME) < 0)
        return cot_fail(err, COT_NOMEM, "store");
    if (access(path, F_OK) != 0 && options->mode == COT_STORE_CREATE)
        rc = create_file(data_dir, path, options, err);
    else if (access(path, F_OK) != 0)
        rc = cot_fail(err, COT_NOT_FOUND, "'%s' holds no shop yet: 'coterie import FILE --data %s' makes one", data_dir,
                      data_dir);
    free(path);
    return rc == COT_OK ? open_file(data_dir, DATABASE_NAME, options, ret_store, err) : rc;
}

void cot_store_close(struct cot_store *store)
{
    if (store == NULL)
        return;
    if (store->connection != NULL)
        duckdb_disconnect(&store->connection);
    if (store->database != NULL && !store->is_snapshot)
        duckdb_close(&store->database);
    pthread_mutex_destroy(&store->mutex);
    free(store->data_dir);
    free(store->path);
    free(store);
}

const char *cot_store_path(const struct cot_store *store)
{
    return store->path;
}

const char *cot_store_data_dir(const struct cot_store *store)
{
    return store->data_dir;
}

duckdb_connection cot_store_connection(struct cot_store *store)
{
    return store->connection;
}

pthread_mutex_t *cot_store_mutex(struct cot_store *store)
{
    return &store->mutex;
}

cot_code cot_store_connect(struct cot_store *store, duckdb_connection *ret_connection, struct cot_err *err)
{
    if (duckdb_connect(store->database, ret_connection) != DuckDBSuccess)
        return cot_fail(err, COT_NOMEM, "a connection to '%s'", store->path);
    return COT_OK;
}

cot_code cot_store_open_snapshot(struct cot_store *store, struct cot_store **ret_snapshot, struct cot_err *err)
{
    struct cot_store *snapshot = calloc(1, sizeof *snapshot);
    if (snapshot == NULL)
        return cot_fail(err, COT_NOMEM, "store");
    pthread_mutex_init(&snapshot->mutex, NULL);
    snapshot->is_snapshot = true;
    snapshot->database = store->database;
    snapshot->data_dir = strdup(store->data_dir);
    snapshot->path = strdup(store->path);
    cot_code rc = snapshot->data_dir == NULL || snapshot->path == NULL
                      ? cot_fail(err, COT_NOMEM, "store")
                      : cot_store_connect(snapshot, &snapshot->connection, err);
    if (rc == COT_OK)
        rc = cot_store_begin(snapshot, err);
    if (rc == COT_OK)
        *ret_snapshot = snapshot;
    else
        cot_store_close(snapshot);
    return rc;
}

static cot_code exec_sql(struct cot_store *store, const char *sql, struct cot_err *err)
{
    duckdb_result result;
    cot_code rc = COT_OK;
    if (duckdb_query(store->connection, sql, &result) != DuckDBSuccess) {
        rc = cot_duckdb_fail(err, COT_INTERNAL, NULL, duckdb_result_error(&result));
    }
    duckdb_destroy_result(&result);
    return rc;
}

cot_code cot_store_exec(struct cot_store *store, struct cot_err *err, const char *format, ...)
{
    char *sql = NULL;
    va_list args;
    va_start(args, format);
    int size = vasprintf(&sql, format, args);
    va_end(args);
    if (size < 0)
        return cot_fail(err, COT_NOMEM, "SQL");
    cot_code rc = exec_sql(store, sql, err);
    free(sql);
    return rc;
}

cot_code cot_store_begin(struct cot_store *store, struct cot_err *err)
{
    return exec_sql(store, "begin transaction", err);
}

cot_code cot_store_commit(struct cot_store *store, struct cot_err *err)
{
    return exec_sql(store, "commit", err);
}

void cot_store_rollback(struct cot_store *store)
{
    /* Nothing to roll back, or a connection that is gone: either way nothing of the transaction is left. */
    (void)exec_sql(store, "rollback", NULL);
}

char *cot_sql_quote_n(const char *text, size_t size)
{
    char *quoted = malloc(2 * size + 3);
    char *at = quoted;
    if (quoted == NULL)
        return NULL;
    *at++ = '\'';
    for (size_t i = 0; i < size; i++) {
        if (text[i] == '\'')
            *at++ = '\'';
        *at++ = text[i];
    }
    *at++ = '\'';
    *at = '\0';
    return quoted;
}

char *cot_sql_quote(const char *text)
{
    return cot_sql_quote_n(text, strlen(text));
}

cot_code cot_store_setting(struct cot_store *store, const char *key, char **ret_value, struct cot_err *err)
{
    struct cot_rows *rows = NULL;
    bool more = false;
    size_t size = 0;
    char *value = NULL;
    char *quoted = cot_sql_quote(key);
    cot_code rc = quoted == NULL ? cot_fail(err, COT_NOMEM, "setting '%s'", key)
                                 : cot_rows_open(store, &rows, err, "select value from setting where key = %s", quoted);
    if (rc == COT_OK)
        rc = cot_rows_next(rows, &more, err);
    if (rc == COT_OK && more && !cot_rows_is_null(rows, 0)) {
        const char *text = cot_rows_text(rows, 0, &size);
        value = strndup(text, size);
        if (value == NULL)
            rc = cot_fail(err, COT_NOMEM, "setting '%s'", key);
    }
    if (rc == COT_OK)
        *ret_value = value;
    cot_rows_close(rows);
    free(quoted);
    return rc;
}

cot_code cot_store_set_setting(struct cot_store *store, const char *key, const char *value, struct cot_err *err)
{
    char *quoted_key = cot_sql_quote(key);
    char *quoted_value = cot_sql_quote(value);
    cot_code rc = COT_OK;
    if (quoted_key == NULL || quoted_value == NULL)
        rc = cot_fail(err, COT_NOMEM, "setting '%s'", key);
    else
        rc = cot_store_exec(store, err, "delete from setting where key = %s; insert into setting values (%s, %s)",
                            quoted_key, quoted_key, quoted_value);
    free(quoted_key);
    free(quoted_value);
    return rc;
}

cot_code cot_store_number(struct cot_store *store, int64_t *ret_value, struct cot_err *err, const char *format, ...)
{
    char *sql = NULL;
    struct cot_rows *rows = NULL;
    bool more = false;
    va_list args;
    va_start(args, format);
    int size = vasprintf(&sql, format, args);
    va_end(args);
    if (size < 0)
        return cot_fail(err, COT_NOMEM, "SQL");
    cot_code rc = cot_rows_open_on(store->connection, sql, &rows, err);
    if (rc == COT_OK)
        rc = cot_rows_next(rows, &more, err);
    if (rc == COT_OK)
        *ret_value = more && !cot_rows_is_null(rows, 0) ? cot_rows_int(rows, 0) : 0;
    cot_rows_close(rows);
    free(sql);
    return rc;
}
