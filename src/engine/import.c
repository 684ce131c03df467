#include "engine/import.h"

#include <stdlib.h>
#include <string.h>

#include "base/threads.h"
#include "engine/import_dry.h"
#include "engine/import_run.h"
#include "store/store.h"

static void add_reasons(yyjson_mut_doc *doc, yyjson_mut_val *value, const struct cot_row_counts *counts)
{
    yyjson_mut_val *reasons = yyjson_mut_obj_add_arr(doc, value, "reasons");
    for (size_t i = 0; i < counts->n_reasons; i++) {
        yyjson_mut_val *reason = yyjson_mut_arr_add_obj(doc, reasons);
        yyjson_mut_obj_add_str(doc, reason, "code", counts->reasons[i].code);
        yyjson_mut_obj_add_uint(doc, reason, "rows", counts->reasons[i].n);
        yyjson_mut_obj_add_uint(doc, reason, "line", counts->reasons[i].first_line);
        yyjson_mut_obj_add_strcpy(doc, reason, "example", counts->reasons[i].example);
    }
}

static void add_result(yyjson_mut_doc *doc, yyjson_mut_val *files, const struct cot_import_file *file,
                       const struct cot_import_result *result)
{
    const struct cot_connector *connector = file->mapping->connector;
    yyjson_mut_val *value = yyjson_mut_arr_add_obj(doc, files);
    yyjson_mut_obj_add_strcpy(doc, value, "path", file->path);
    yyjson_mut_obj_add_str(doc, value, "kind", cot_file_kind_name(connector->kind));
    yyjson_mut_obj_add_str(doc, value, "connector", connector->name);
    yyjson_mut_obj_add_strcpy(doc, value, "source", file->source_name);
    yyjson_mut_obj_add_uint(doc, value, "rows_read", result->n_read);
    yyjson_mut_obj_add_uint(doc, value, "rows_accepted", result->counts.n_accepted);
    yyjson_mut_obj_add_uint(doc, value, "rows_quarantined", result->counts.n_quarantined);
    yyjson_mut_obj_add_uint(doc, value, "rows_duplicate", result->counts.n_duplicate);
    add_reasons(doc, value, &result->counts);
    yyjson_mut_obj_add_bool(doc, value, "unchanged", result->unchanged);
}

static void add_failed(yyjson_mut_doc *doc, yyjson_mut_val *failed, const char *path, const struct cot_err *err)
{
    yyjson_mut_val *value = yyjson_mut_arr_add_obj(doc, failed);
    yyjson_mut_obj_add_strcpy(doc, value, "path", path);
    yyjson_mut_obj_add_str(doc, value, "code", cot_code_name(err->code));
    yyjson_mut_obj_add_strcpy(doc, value, "message", err->message);
}

static void add_skipped(yyjson_mut_doc *doc, yyjson_mut_val *root, const struct cot_import_files *files)
{
    yyjson_mut_val *skipped = yyjson_mut_obj_add_arr(doc, root, "skipped");
    for (size_t i = 0; i < files->n_skipped; i++)
        yyjson_mut_arr_add_strcpy(doc, skipped, files->skipped[i]);
}

/* A defect of the file alone, or of more than that? */
static bool is_the_files(cot_code rc)
{
    return rc == COT_BAD_DATA || rc == COT_LIMIT || rc == COT_IO || rc == COT_NOT_FOUND;
}

/* A file that was named itself stops the import before anything is taken in. */
static cot_code check_named(const struct cot_import_files *files, struct cot_err *err)
{
    bool any_usable = false;
    for (size_t i = 0; i < files->n; i++) {
        const struct cot_import_file *file = &files->files[i];
        if (file->rc != COT_OK && !file->from_folder)
            return cot_fail(err, file->rc, "%s", file->err.message);
        any_usable |= file->rc == COT_OK;
    }
    const struct cot_import_file *first = &files->files[0];
    if (!any_usable && files->n == 1)
        return cot_fail(err, first->rc, "%s", first->err.message);
    if (!any_usable)
        return cot_fail(err, first->rc, "none of %zu files can be used; the first: %s", files->n, first->err.message);
    return COT_OK;
}

static cot_code import_all(struct cot_import_session *session, struct cot_import_files *files, yyjson_mut_doc *doc,
                           struct cot_err *err)
{
    yyjson_mut_val *root = yyjson_mut_doc_get_root(doc);
    yyjson_mut_val *done = yyjson_mut_obj_add_arr(doc, root, "files");
    yyjson_mut_val *failed = yyjson_mut_obj_add_arr(doc, root, "failed");
    for (size_t i = 0; i < files->n; i++) {
        struct cot_import_file *file = &files->files[i];
        struct cot_import_result result = {0};
        struct cot_err file_err = {0};
        cot_code rc = file->rc;
        if (rc == COT_OK)
            rc = cot_import_file_run(session, file, &result, &file_err);
        else
            file_err = file->err;
        bool ends = !is_the_files(rc) || session->shop_failed || session->shop == NULL;
        if (rc != COT_OK && ends && files->n > 1)
            return cot_fail(err, rc, "%s (%zu of %zu files are in: import again for the rest)", file_err.message,
                            yyjson_mut_arr_size(done), files->n);
        if (rc != COT_OK && files->n == 1)
            return cot_fail(err, rc, "%s", file_err.message);
        if (rc == COT_OK)
            add_result(doc, done, file, &result);
        else
            add_failed(doc, failed, file->path, &file_err);
    }
    return COT_OK;
}

static uint32_t find_root(uint32_t *parents, uint32_t i)
{
    while (parents[i] != i)
        i = parents[i] = parents[parents[i]];
    return i;
}

/* Joins the nodes that are linked by the latest word of the ledger on each pair. */
static cot_code join_linked(struct cot_store *store, uint32_t *parents, size_t n, struct cot_err *err)
{
    struct cot_rows *rows = NULL;
    bool more = false;
    cot_code rc = cot_rows_open(store, &rows, err,
                                "select node_a, node_b from link where op <> 0 group by all"
                                " having last(op order by occurred_at, rowid) > 0");
    while (rc == COT_OK && (rc = cot_rows_next(rows, &more, err)) == COT_OK && more) {
        uint32_t a = (uint32_t)cot_rows_int(rows, 0);
        uint32_t b = (uint32_t)cot_rows_int(rows, 1);
        if (a < n && b < n)
            parents[find_root(parents, a)] = find_root(parents, b);
    }
    cot_rows_close(rows);
    return rc;
}

static cot_code count_customers(struct cot_import_shop *shop, int64_t *ret_n, struct cot_err *err)
{
    struct cot_rows *rows = NULL;
    bool more = false;
    int64_t n_customers = 0;
    size_t n = shop->nodes.n;
    uint32_t *parents = calloc(n + 1, sizeof *parents);
    bool *met = calloc(n + 1, sizeof *met);
    cot_code rc = COT_OK;
    if (parents == NULL || met == NULL) {
        rc = cot_fail(err, COT_NOMEM, "%zu identities", n);
        goto out;
    }
    for (uint32_t i = 0; i < n; i++)
        parents[i] = i;
    rc = join_linked(shop->store, parents, n, err);
    if (rc == COT_OK)
        rc = cot_rows_open(shop->store, &rows, err,
                           "select distinct node_id from event where node_id is not null and superseded_at is null"
                           " union select distinct node_id from trait");
    while (rc == COT_OK && (rc = cot_rows_next(rows, &more, err)) == COT_OK && more) {
        uint32_t node = (uint32_t)cot_rows_int(rows, 0);
        uint32_t person = node < n ? find_root(parents, node) : (uint32_t)n;
        n_customers += !met[person];
        met[person] = true;
    }
    if (rc == COT_OK)
        *ret_n = n_customers;
out:
    cot_rows_close(rows);
    free(parents);
    free(met);
    return rc;
}

static cot_code add_totals(struct cot_import_session *session, yyjson_mut_doc *doc, struct cot_err *err)
{
    yyjson_mut_val *root = yyjson_mut_doc_get_root(doc);
    int64_t n_customers = 0;
    int64_t n_orders = 0;
    cot_progress_report(&session->context->progress, "counting customers and orders", 0, 0);
    cot_code rc = count_customers(session->shop, &n_customers, err);
    /* Hashes instead of texts: an eighth of the memory, and no two of 10 million orders are alike by chance. */
    if (rc == COT_OK)
        rc = cot_store_number(session->store, &n_orders, err,
                              "select (select count(*) from (select distinct node_id, hash(order_key) from event where"
                              " kind = %d and order_key is not null and superseded_at is null)) + (select count(*) from"
                              " event where kind = %d and order_key is null and superseded_at is null)",
                              COT_EVENT_ORDER_LINE, COT_EVENT_ORDER_LINE);
    if (rc != COT_OK)
        return rc;
    yyjson_mut_obj_add_int(doc, root, "customers", n_customers);
    yyjson_mut_obj_add_int(doc, root, "orders", n_orders);
    if (session->shop->base_currency[0] != '\0')
        yyjson_mut_obj_add_strcpy(doc, root, "base_currency", session->shop->base_currency);
    else
        yyjson_mut_obj_add_null(doc, root, "base_currency");
    return COT_OK;
}

static cot_code run_session(struct cot_import_session *session, struct cot_import_files *files, yyjson_mut_doc *doc,
                            struct cot_err *err)
{
    const struct cot_store_options how = {.mode = COT_STORE_CREATE, .n_threads = session->context->n_threads};
    /* With few cores one of DuckDB's threads is enough for appending: reading and decoding need the others, and an
     * insert by one thread copies rows once instead of twice. */
    unsigned n_threads = how.n_threads != 0 ? how.n_threads : cot_threads_available();
    unsigned n_appending = n_threads <= 4 ? 1 : n_threads / 2;
    cot_code rc = cot_store_open(session->context->data_dir, &how, &session->store, err);
    if (rc == COT_OK)
        rc = cot_import_shop_load(session->store, &session->shop, err);
    if (rc == COT_OK)
        rc = cot_import_settings(session, err);
    if (rc == COT_OK)
        rc = cot_store_exec(session->store, err, "set threads = %u", n_appending);
    if (rc == COT_OK)
        rc = import_all(session, files, doc, err);
    if (rc == COT_OK)
        rc = cot_store_exec(session->store, err, "set threads = %u", n_threads);
    if (rc == COT_OK) {
        add_skipped(doc, yyjson_mut_doc_get_root(doc), files);
        rc = add_totals(session, doc, err);
    }
    cot_source_free(session->source);
    cot_import_shop_free(session->shop);
    cot_store_close(session->store);
    return rc;
}

cot_code cot_import_run(const struct cot_context *context, const struct cot_import_options *options,
                        yyjson_mut_doc **ret_doc, struct cot_err *err)
{
    struct cot_import_session session = {.context = context};
    struct cot_import_files files = {0};
    yyjson_mut_doc *doc = yyjson_mut_doc_new(NULL);
    cot_code rc = doc == NULL ? cot_fail(err, COT_NOMEM, "import") : COT_OK;
    if (rc == COT_OK)
        rc = cot_file_options_parse(options, &session.options, err);
    if (rc == COT_OK)
        rc = cot_import_files_list(options, &files, err);
    if (rc == COT_OK)
        rc = cot_import_files_plan(&files, &session.options, &context->progress, err);
    if (rc == COT_OK)
        rc = check_named(&files, err);
    if (rc != COT_OK)
        goto out;
    yyjson_mut_doc_set_root(doc, yyjson_mut_obj(doc));
    rc = options->dry_run ? cot_import_dry_run(context, &files, &session.options, doc, err)
                          : run_session(&session, &files, doc, err);
    if (rc != COT_OK)
        goto out;
    *ret_doc = doc;
    doc = NULL;
out:
    cot_import_files_release(&files);
    cot_file_options_release(&session.options);
    yyjson_mut_doc_free(doc);
    return rc;
}
