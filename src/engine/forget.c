#include "engine/forget.h"

#include <ctype.h>
#include <openssl/rand.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/json.h"
#include "engine/context_store.h"
#include "engine/erased.h"
#include "engine/forget_steps.h"
#include "engine/segment.h"

enum { RECEIPT_BYTES = 12 };

static void forget_release(struct cot_forget *forget)
{
    for (size_t i = 0; i < forget->n_people; i++)
        cot_person_release(&forget->people[i]);
    for (size_t i = 0; i < forget->n_values; i++)
        free(forget->values[i].text);
    free(forget->people);
    free(forget->values);
    cot_buf_release(&forget->nodes);
    yyjson_mut_doc_free(forget->doc);
}

static cot_code add_value(struct cot_forget *forget, const char *text, size_t size, struct cot_err *err)
{
    char *lower = calloc(1, size + 1);
    if (lower == NULL)
        return cot_fail(err, COT_NOMEM, "identities");
    for (size_t i = 0; i < size; i++)
        lower[i] = (char)tolower((unsigned char)text[i]);
    for (size_t i = 0; i < forget->n_values; i++)
        if (forget->values[i].size == size && memcmp(forget->values[i].text, lower, size) == 0) {
            free(lower);
            return COT_OK;
        }
    struct cot_forget_value *grown = realloc(forget->values, (forget->n_values + 1) * sizeof *grown);
    if (grown == NULL || size == 0) {
        forget->values = grown != NULL ? grown : forget->values;
        free(lower);
        return grown == NULL ? cot_fail(err, COT_NOMEM, "identities") : COT_OK;
    }
    bool is_long = size >= COT_FORGET_LONG_VALUE || (size >= 5 && memchr(lower, '@', size) != NULL);
    grown[forget->n_values++] = (struct cot_forget_value){.text = lower, .size = size, .is_long = is_long};
    forget->values = grown;
    return COT_OK;
}

static cot_code add_person(struct cot_store *store, struct cot_forget *forget, const char *id, struct cot_err *err)
{
    struct cot_person person = {0};
    struct cot_person *grown = realloc(forget->people, (forget->n_people + 1) * sizeof *grown);
    if (grown == NULL)
        return cot_fail(err, COT_NOMEM, "people");
    forget->people = grown;
    cot_code rc = cot_person_find(store, id, &person, err);
    if (rc != COT_OK)
        return rc;
    for (size_t i = 0; i < forget->n_people; i++)
        if (grown[i].customer == person.customer) { /* the same person by another id */
            cot_person_release(&person);
            return COT_OK;
        }
    grown[forget->n_people++] = person; /* owned from here on */
    forget->n_identities += person.n_nodes;
    if (forget->nodes.size > 0)
        rc = cot_buf_puts(&forget->nodes, ",", err);
    if (rc == COT_OK)
        rc = cot_person_list_nodes(&person, &forget->nodes, err);
    if (rc == COT_OK)
        rc = add_value(forget, person.customer_id, strlen(person.customer_id), err);
    for (size_t i = 0; rc == COT_OK && i < person.n_nodes; i++)
        rc = add_value(forget, person.nodes[i].value, person.nodes[i].value_size, err);
    return rc;
}

static cot_code begin_receipt(struct cot_forget *forget, char ret_receipt[2 * RECEIPT_BYTES + 1], struct cot_err *err)
{
    unsigned char bytes[RECEIPT_BYTES];
    yyjson_mut_val *root = NULL;
    if (RAND_bytes(bytes, sizeof bytes) != 1)
        return cot_fail(err, COT_IO, "the system gives no random bytes for a receipt");
    for (size_t i = 0; i < sizeof bytes; i++)
        snprintf(ret_receipt + 2 * i, 3, "%02x", bytes[i]);
    cot_code rc = cot_json_document(&forget->doc, &root, err);
    yyjson_mut_obj_add_strcpy(forget->doc, root, "receipt", ret_receipt);
    yyjson_mut_obj_add_str(forget->doc, root, "status", "pending");
    forget->removed = yyjson_mut_obj_add_obj(forget->doc, root, "removed");
    forget->changed = yyjson_mut_obj_add_obj(forget->doc, root, "changed");
    forget->files = yyjson_mut_obj_add_arr(forget->doc, root, "files");
    forget->elsewhere = yyjson_mut_obj_add_arr(forget->doc, root, "elsewhere");
    return rc == COT_OK && forget->elsewhere == NULL ? cot_fail(err, COT_NOMEM, "receipt") : rc;
}

/* Step 1: all rows or none, and the note that something is under way. */
static cot_code delete_rows(struct cot_store *store, struct cot_forget *forget, const char *receipt,
                            struct cot_err *err)
{
    cot_code rc = cot_forget_list_exports(store, forget, err);
    if (rc == COT_OK)
        rc = cot_store_begin(store, err);
    if (rc != COT_OK)
        return rc;
    rc = cot_forget_delete_rows(store, forget, err);
    if (rc == COT_OK)
        rc = cot_store_exec(
            store, err, "insert into erasure values ('%s', epoch_ms(epoch_ms(now())), null, 'pending', null)", receipt);
    if (rc == COT_OK)
        rc = cot_store_commit(store, err);
    if (rc != COT_OK)
        cot_store_rollback(store);
    return rc;
}

/* The receipt's end, in the document and in the store. */
static cot_code end_receipt(struct cot_store *store, struct cot_forget *forget, const char *receipt, bool absent,
                            struct cot_err *err)
{
    yyjson_mut_val *root = yyjson_mut_doc_get_root(forget->doc);
    yyjson_mut_set_str(yyjson_mut_obj_get(root, "status"), absent ? "done" : "pending");
    yyjson_mut_obj_add_uint(forget->doc, root, "people", forget->n_people);
    if (!yyjson_mut_obj_add_uint(forget->doc, root, "identities", forget->n_identities))
        return cot_fail(err, COT_NOMEM, "receipt");
    char *json = yyjson_mut_write(forget->doc, 0, NULL);
    char *quoted = json != NULL ? cot_sql_quote(json) : NULL;
    cot_code rc = quoted == NULL ? cot_fail(err, COT_NOMEM, "receipt") : COT_OK;
    if (rc == COT_OK)
        rc = cot_store_exec(
            store, err, "update erasure set detail = %s, status = '%s', finished_at = %s where receipt_id = '%s'",
            quoted, absent ? "done" : "pending", absent ? "epoch_ms(epoch_ms(now()))" : "null", receipt);
    free(json);
    free(quoted);
    return rc;
}

/* Models that had learned from them are gone: others take their place, learned from those who are left. The erasure
 * holds whether that works or not. */
static cot_code learn_successors(const struct cot_context *context, yyjson_mut_doc *doc, struct cot_err *err)
{
    yyjson_mut_doc *run = NULL;
    struct cot_err why = {0};
    struct cot_segment_options options = {0};
    yyjson_mut_val *root = yyjson_mut_doc_get_root(doc);
    bool added = false;
    if (yyjson_mut_get_uint(yyjson_mut_obj_get(root, "models_deleted")) == 0)
        added = yyjson_mut_obj_add_null(doc, root, "successor");
    else if (cot_segment_run(context, &options, &run, &why) == COT_OK)
        added =
            yyjson_mut_obj_add_sint(doc, root, "successor", yyjson_mut_get_sint(yyjson_mut_doc_ptr_get(run, "/run")));
    else
        added = yyjson_mut_obj_add_null(doc, root, "successor") &&
                yyjson_mut_obj_add_strcpy(doc, root, "no_successor_because", why.message);
    yyjson_mut_doc_free(run);
    return added ? COT_OK : cot_fail(err, COT_NOMEM, "receipt");
}

cot_code cot_forget_run(const struct cot_context *context, const char *const *ids, size_t n_ids,
                        yyjson_mut_doc **ret_doc, struct cot_err *err)
{
    struct cot_store *store = NULL;
    struct cot_forget forget = {0};
    char receipt[2 * RECEIPT_BYTES + 1] = "";
    bool absent = false;
    cot_code rc = cot_context_open_store(context, COT_STORE_EXISTING, &store, err);
    for (size_t i = 0; rc == COT_OK && i < n_ids; i++)
        rc = add_person(store, &forget, ids[i], err);
    if (rc == COT_OK)
        rc = begin_receipt(&forget, receipt, err);
    cot_progress_report(&context->progress, "deleting", 0, 0);
    if (rc == COT_OK)
        rc = delete_rows(store, &forget, receipt, err);
    if (rc == COT_OK)
        rc = cot_erased_save(store, err);
    if (rc == COT_OK)
        rc = cot_forget_delete_files(context->data_dir, &forget, err);
    if (rc == COT_OK) {
        rc = cot_forget_rewrite(store, &context->progress, err);
        store = NULL;
    }
    if (rc == COT_OK)
        rc = cot_context_open_store(context, COT_STORE_EXISTING, &store, err);
    if (rc == COT_OK)
        rc = cot_forget_prove(store, &forget, &context->progress, &absent, err);
    if (rc == COT_OK)
        rc = end_receipt(store, &forget, receipt, absent, err);
    cot_store_close(store);
    if (rc == COT_OK)
        rc = learn_successors(context, forget.doc, err);
    if (rc == COT_OK) {
        *ret_doc = forget.doc;
        forget.doc = NULL;
    } else if (receipt[0] != '\0' && forget.removed != NULL) {
        rc = cot_err_prefix(err, rc, "erasure %s is not complete ('coterie forget --finish' completes it)", receipt);
    }
    forget_release(&forget);
    return rc;
}

/* Of those whose proof failed: whether the files that it named are gone by now. */
static bool files_are_gone(const char *data_dir, const char *detail, size_t size)
{
    yyjson_doc *doc = yyjson_read(detail, size, 0);
    yyjson_val *proof = yyjson_obj_get(yyjson_doc_get_root(doc), "proof");
    size_t i;
    size_t n;
    yyjson_val *name;
    bool gone = proof != NULL && yyjson_get_sint(yyjson_obj_get(proof, "rows_found")) == 0;
    yyjson_arr_foreach(cot_json_some(yyjson_obj_get(proof, "found")), i, n, name)
    {
        char *path = NULL;
        if (asprintf(&path, "%s/%s", data_dir, yyjson_get_str(name)) < 0)
            path = NULL;
        gone = gone && path != NULL && access(path, F_OK) != 0;
        free(path);
    }
    yyjson_doc_free(doc);
    return gone;
}

/* The receipts that a rewriting completes: those that a crash interrupted, and those whose files are gone. */
static cot_code list_finishable(struct cot_store *store, struct cot_buf *list, int64_t *ret_n, struct cot_err *err)
{
    struct cot_rows *rows = NULL;
    bool more = false;
    int64_t n = 0;
    cot_code rc = cot_rows_open(store, &rows, err, "select receipt_id, detail from erasure where status = 'pending'");
    while (rc == COT_OK && (rc = cot_rows_next(rows, &more, err)) == COT_OK && more) {
        size_t size = 0;
        size_t id_size = 0;
        const char *id = cot_rows_text(rows, 0, &id_size);
        const char *detail = cot_rows_text(rows, 1, &size);
        if (detail == NULL || files_are_gone(cot_store_data_dir(store), detail, size))
            rc = cot_buf_printf(list, err, "%s'%.*s'", n++ > 0 ? ", " : "", (int)id_size, id);
    }
    cot_rows_close(rows);
    *ret_n = n;
    return rc;
}

cot_code cot_forget_finish_run(const struct cot_context *context, yyjson_mut_doc **ret_doc, struct cot_err *err)
{
    struct cot_store *store = NULL;
    struct cot_forget forget = {0};
    struct cot_buf receipts = {0};
    char receipt[2 * RECEIPT_BYTES + 1] = "";
    int64_t n_left = 0;
    int64_t n_pending = 0;
    yyjson_mut_doc *doc = NULL;
    yyjson_mut_val *root = NULL;
    cot_code rc = begin_receipt(&forget, receipt, err);
    if (rc == COT_OK)
        rc = cot_context_open_store(context, COT_STORE_EXISTING, &store, err);
    if (rc == COT_OK)
        rc = list_finishable(store, &receipts, &n_pending, err);
    if (rc == COT_OK)
        rc = cot_erased_save(store, err);
    if (rc == COT_OK && n_pending > 0)
        rc = cot_forget_delete_files(context->data_dir, &forget, err);
    if (rc == COT_OK && n_pending > 0) {
        rc = cot_forget_rewrite(store, &context->progress, err);
        store = NULL;
        if (rc == COT_OK)
            rc = cot_context_open_store(context, COT_STORE_EXISTING, &store, err);
        if (rc == COT_OK)
            rc = cot_store_exec(store, err,
                                "update erasure set status = 'done', finished_at = epoch_ms(epoch_ms(now()))"
                                " where receipt_id in (%s)",
                                cot_buf_text(&receipts));
    }
    if (rc == COT_OK)
        rc = cot_store_number(store, &n_left, err, "select count(*) from erasure where status = 'pending'");
    cot_store_close(store);
    if (rc == COT_OK)
        rc = cot_json_document(&doc, &root, err);
    if (rc == COT_OK && (!yyjson_mut_obj_add_sint(doc, root, "finished", n_pending) ||
                         !yyjson_mut_obj_add_sint(doc, root, "pending", n_left)))
        rc = cot_fail(err, COT_NOMEM, "result");
    cot_buf_release(&receipts);
    forget_release(&forget);
    return cot_json_finish(rc, doc, ret_doc);
}
