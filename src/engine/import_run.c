#include "engine/import_run.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/civil.h"
#include "engine/import_detail.h"

/* Hash of a file's bytes as 32 hex digits: a hash of the hashes of its megabytes. */
static cot_code hash_file(const char *path, char ret_hex[33], struct cot_err *err)
{
    enum { BLOCK = 1 << 20 };
    struct cot_hash128 sums[2] = {{0, 0}, {0, 0}};
    cot_code rc = COT_OK;
    char *block = malloc(BLOCK);
    int file = open(path, O_RDONLY | O_CLOEXEC);
    if (block == NULL || file < 0) {
        rc = block == NULL ? cot_fail(err, COT_NOMEM, "reading '%s'", path)
                           : cot_fail(err, COT_IO, "'%s': %s", path, strerror(errno));
        goto out;
    }
    for (;;) {
        size_t size = 0;
        ssize_t n = 0;
        while (size < BLOCK && (n = read(file, block + size, BLOCK - size)) > 0)
            size += (size_t)n;
        if (n < 0) {
            rc = cot_fail(err, COT_IO, "reading '%s': %s", path, strerror(errno));
            goto out;
        }
        if (size == 0)
            break;
        sums[1] = cot_hash128_bytes(block, size);
        sums[0] = cot_hash128_bytes(sums, sizeof sums);
    }
    snprintf(ret_hex, 33, "%016llx%016llx", (unsigned long long)sums[0].high, (unsigned long long)sums[0].low);
out:
    free(block);
    if (file >= 0)
        close(file);
    return rc;
}

/* Finds an earlier import of the very file, understood the very same way, of which nothing lies in quarantine. */
static cot_code find_unchanged(struct cot_import_session *session, const struct cot_source *source, const char *hash,
                               const char *reading, uint64_t *ret_n_rows, bool *ret_found, struct cot_err *err)
{
    struct cot_rows *rows = NULL;
    bool more = false;
    char *quoted = cot_sql_quote(reading);
    *ret_found = false;
    if (quoted == NULL)
        return cot_fail(err, COT_NOMEM, "import");
    cot_code rc = cot_rows_open(session->store, &rows, err,
                                "select rows_read from import_run where source_id = %d and content_hash = '%s' and"
                                " rows_quarantined = 0 and json_extract_string(detail, '$.reading') = %s"
                                " and import_id not in (select import_id from quarantine where status = 'open')"
                                " limit 1",
                                source->source_id, hash, quoted);
    if (rc == COT_OK)
        rc = cot_rows_next(rows, &more, err);
    if (rc == COT_OK && more) {
        *ret_found = true;
        *ret_n_rows = (uint64_t)cot_rows_int(rows, 0);
    }
    cot_rows_close(rows);
    free(quoted);
    return rc;
}

static cot_code store_run(struct cot_import_session *session, const struct cot_import_file *file,
                          const struct cot_reader_info *info, const char *hash, const char *detail, int64_t started_ms,
                          const struct cot_import_result *result, struct cot_err *err)
{
    struct cot_appender *appender = NULL;
    const struct cot_connector *connector = file->mapping->connector;
    const char *kind = cot_file_kind_name(connector->kind);
    cot_code rc = cot_appender_open(session->store, "import_run", &appender, err);
    if (rc != COT_OK)
        return rc;
    cot_append_int(appender, session->shop->import_id);
    cot_append_int(appender, session->source->source_id);
    cot_append_text(appender, file->path, strlen(file->path));
    cot_append_text(appender, kind, strlen(kind));
    cot_append_text(appender, connector->name, strlen(connector->name));
    cot_append_text(appender, hash, strlen(hash));
    cot_append_int(appender, (int64_t)info->file_size);
    cot_append_int(appender, (int64_t)result->n_read);
    cot_append_int(appender, (int64_t)result->counts.n_accepted);
    cot_append_int(appender, (int64_t)result->counts.n_quarantined);
    cot_append_int(appender, (int64_t)result->counts.n_duplicate);
    cot_append_text(appender, detail, strlen(detail));
    cot_append_time(appender, started_ms);
    cot_append_time(appender, cot_wall_ms());
    rc = cot_appender_end_row(appender, err);
    cot_code rc_close = cot_appender_close(appender, rc == COT_OK ? err : NULL);
    return rc != COT_OK ? rc : rc_close;
}

/* What the first file of a shop settles: its currency and time zone. */
static cot_code store_settings(struct cot_import_session *session, const struct cot_import_file *file,
                               struct cot_err *err)
{
    struct cot_import_shop *shop = session->shop;
    const struct cot_zone *zone = file->mapping->zone;
    cot_code rc = COT_OK;
    if (shop->base_changed)
        rc = cot_import_shop_store_base(shop, shop->import_id, err);
    if (rc == COT_OK && shop->time_zone == NULL && zone != NULL && file->mapping->connector->kind == COT_KIND_ORDERS) {
        shop->time_zone = strdup(cot_zone_name(zone));
        if (shop->time_zone == NULL)
            return cot_fail(err, COT_NOMEM, "time zone");
        rc = cot_store_set_setting(session->store, "time_zone", shop->time_zone, err);
    }
    shop->base_changed = shop->base_changed && rc != COT_OK;
    return rc;
}

static cot_code settle_asked(struct cot_import_shop *shop, const char *currency, struct cot_err *err)
{
    for (int i = 0; i < 3; i++)
        shop->base_currency[i] =
            (char)(currency[i] >= 'a' && currency[i] <= 'z' ? currency[i] - 'a' + 'A' : currency[i]);
    cot_import_shop_rescale_prices(shop);
    cot_code rc = cot_store_begin(shop->store, err);
    if (rc == COT_OK)
        rc = cot_import_shop_store_base(shop, shop->next_import_id, err);
    if (rc == COT_OK)
        return cot_store_commit(shop->store, err);
    cot_store_rollback(shop->store);
    return rc;
}

cot_code cot_import_settings(struct cot_import_session *session, struct cot_err *err)
{
    const struct cot_mapping_options *asked = &session->options.mapping;
    cot_code rc = COT_OK;
    if (session->shop->time_zone == NULL && asked->time_zone != NULL) {
        session->shop->time_zone = strdup(asked->time_zone);
        if (session->shop->time_zone == NULL)
            return cot_fail(err, COT_NOMEM, "time zone");
        rc = cot_store_set_setting(session->store, "time_zone", asked->time_zone, err);
    }
    if (rc == COT_OK && session->shop->base_currency[0] == '\0' && asked->currency != NULL)
        rc = settle_asked(session->shop, asked->currency, err);
    return rc;
}

/* Reads the file once more for a source whose orders have versions: the orders' fates first, then their rows. */
static cot_code settle_versions(struct cot_reader *reader, const struct cot_mapping *mapping,
                                struct cot_pipeline_options options, struct cot_row_pass *pass, struct cot_err *err)
{
    options.take = cot_rows_add_to_orders;
    cot_code rc = cot_pipeline_run(reader, mapping, &options, err);
    if (rc == COT_OK)
        rc = cot_source_decide_orders(pass->source, pass->shop, err);
    if (rc == COT_OK)
        rc = cot_reader_rewind(reader, err);
    pass->columns = cot_reader_info(reader)->columns; /* rewinding made them anew */
    pass->by_versions = true;
    return rc;
}

static cot_code take_rows(struct cot_import_session *session, struct cot_import_file *file, struct cot_reader *reader,
                          struct cot_import_result *result, struct cot_err *err)
{
    const struct cot_reader_info *info = cot_reader_info(reader);
    struct cot_row_pass pass = {.shop = session->shop,
                                .source = session->source,
                                .path = file->path,
                                .columns = info->columns,
                                .n_columns = info->n_columns,
                                .now_ms = cot_wall_ms()};
    char stage[160];
    const char *slash = strrchr(file->path, '/');
    snprintf(stage, sizeof stage, "reading %s", slash != NULL ? slash + 1 : file->path);
    struct cot_pipeline_options options = {.n_threads = session->context->n_threads,
                                           .progress = session->context->progress,
                                           .stage = stage,
                                           .take = cot_rows_take,
                                           .context = &pass};
    cot_code rc = COT_OK;
    bool natural = file->mapping->connector->has_natural_key;
    if (natural && session->source->has_history)
        rc = settle_versions(reader, file->mapping, options, &pass, err);
    if (rc == COT_OK)
        rc = cot_pipeline_run(reader, file->mapping, &options, err);
    if (rc == COT_OK && natural && !pass.by_versions)
        rc = cot_source_decide_orders(session->source, session->shop, err);
    if (rc != COT_OK)
        return rc;
    cot_rate_table_finish(&session->shop->rates);
    result->counts = pass.counts;
    result->n_read = cot_reader_n_delivered(reader) + cot_reader_n_rejected(reader);
    uint64_t n_taken = pass.counts.n_accepted + pass.counts.n_quarantined + pass.counts.n_duplicate;
    if (result->n_read != n_taken)
        rc =
            cot_fail(err, COT_INTERNAL,
                     "%llu rows were read, but %llu accepted + %llu quarantined + %llu duplicate: nothing was imported",
                     (unsigned long long)result->n_read, (unsigned long long)pass.counts.n_accepted,
                     (unsigned long long)pass.counts.n_quarantined, (unsigned long long)pass.counts.n_duplicate);
    return rc;
}

static cot_code run_transaction(struct cot_import_session *session, struct cot_import_file *file,
                                struct cot_reader *reader, const char *hash, const char *reading,
                                struct cot_import_result *result, struct cot_err *err)
{
    struct cot_import_shop *shop = session->shop;
    char *detail = NULL;
    int64_t started_ms = cot_wall_ms();
    shop->import_id = shop->next_import_id++;
    cot_code rc = cot_store_begin(session->store, err);
    if (rc == COT_OK)
        rc = find_unchanged(session, session->source, hash, reading, &result->n_read, &result->unchanged, err);
    if (rc == COT_OK && result->unchanged)
        result->counts.n_duplicate = result->n_read;
    else if (rc == COT_OK)
        rc = take_rows(session, file, reader, result, err);
    if (rc == COT_OK)
        rc = cot_import_shop_close_writers(shop, err);
    if (rc == COT_OK)
        rc = cot_source_settle_late(session->source, shop, err);
    if (rc == COT_OK)
        rc = cot_source_store(session->source, shop, err);
    if (rc == COT_OK)
        rc = cot_import_detail(file, cot_reader_info(reader), reading, &result->counts, &detail, err);
    if (rc == COT_OK)
        rc = store_run(session, file, cot_reader_info(reader), hash, detail, started_ms, result, err);
    if (rc == COT_OK)
        rc = store_settings(session, file, err);
    if (rc == COT_OK)
        rc = cot_store_commit(session->store, err);
    free(detail);
    return rc;
}

/* Opens the file's source, or keeps that of the file before where it is the same. */
static cot_code use_source(struct cot_import_session *session, const struct cot_import_file *file, struct cot_err *err)
{
    struct cot_source *source = session->source;
    if (source != NULL && source->connector == file->mapping->connector && strcmp(source->name, file->source_name) == 0)
        return COT_OK;
    cot_source_free(source);
    session->source = NULL;
    return cot_source_open(session->shop, file->mapping->connector, file->source_name, &session->source, err);
}

static void committed(struct cot_import_session *session, const struct cot_row_counts *counts)
{
    struct cot_source *source = session->source;
    if (source->is_new)
        session->shop->next_source_id++;
    /* A first import keeps no hashes: who wants to compare with it loads them from the store. */
    bool reload =
        (!source->has_history && counts->n_accepted > 0) || (!source->has_bad_history && counts->n_quarantined > 0);
    cot_source_committed(source);
    if (reload) {
        cot_source_free(source);
        session->source = NULL;
    }
}

/* Brings memory back to what the store holds. */
static cot_code roll_back(struct cot_import_session *session, struct cot_err *err)
{
    cot_import_shop_free(session->shop); /* its writers end before the transaction does */
    session->shop = NULL;
    cot_source_free(session->source);
    session->source = NULL;
    cot_store_rollback(session->store);
    return cot_import_shop_load(session->store, &session->shop, err);
}

cot_code cot_import_file_run(struct cot_import_session *session, struct cot_import_file *file,
                             struct cot_import_result *ret_result, struct cot_err *err)
{
    struct cot_reader *reader = NULL;
    struct cot_import_result result = {0};
    char hash[33];
    char *reading = NULL;
    struct cot_err ignored;
    struct cot_mapping_options *asked = &session->options.mapping;
    asked->base_currency = session->shop->base_currency[0] != '\0' ? session->shop->base_currency : NULL;
    asked->shop_time_zone = session->shop->time_zone;
    cot_code rc = cot_import_file_open(file, &session->options, &reader, err);
    if (rc == COT_OK)
        rc = hash_file(file->path, hash, err);
    if (rc == COT_OK)
        rc = cot_import_reading(file, cot_reader_info(reader), &reading, err);
    if (rc == COT_OK)
        rc = use_source(session, file, err);
    if (rc != COT_OK)
        goto out;
    rc = run_transaction(session, file, reader, hash, reading, &result, err);
    if (rc == COT_OK) {
        committed(session, &result.counts);
        *ret_result = result;
    } else {
        session->shop_failed = rc == COT_IO;
        if (strstr(err->message, file->path) == NULL)
            rc = cot_err_prefix(err, rc, "%s", file->path);
        if (roll_back(session, &ignored) != COT_OK)
            rc = cot_fail(err, ignored.code, "%s", ignored.message);
    }
out:
    cot_reader_close(reader);
    free(reading);
    return rc;
}
