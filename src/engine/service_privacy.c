#include "engine/service_privacy.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/array.h"
#include "base/folder.h"
#include "base/json.h"
#include "engine/forget.h"
#include "engine/ingest_parts.h"
#include "engine/live_profile.h"
#include "engine/service_customer.h"

enum { MAX_SHOP = 10000, MAX_ID = 512, MAX_EVENTS = 1000000 };

struct people {
    char **ids; /* "kind:value" */
    size_t n, capacity;
};

static void people_release(struct people *people)
{
    for (size_t i = 0; i < people->n; i++)
        free(people->ids[i]);
    free(people->ids);
}

static cot_code people_add(struct people *people, const char *kind, const char *value, size_t size, struct cot_err *err)
{
    char *id = NULL;
    void *grown = cot_array_reserve(people->ids, &people->capacity, people->n + 1, sizeof *people->ids);
    if (grown != NULL)
        people->ids = grown;
    if (grown == NULL || asprintf(&id, "%s:%.*s", kind, (int)size, value) < 0)
        return cot_fail(err, COT_NOMEM, "a request of privacy");
    people->ids[people->n++] = id;
    return COT_OK;
}

/* The payload's customer, by id (a number, as Shopify has it), e-mail or telephone number; n 0: not known here. */
static cot_code find_customer(struct cot_ingest *ingest, yyjson_val *payload, struct people *people,
                              struct cot_err *err)
{
    static const char *const keys[] = {"id", "email", "phone"};
    static const char *const kinds[] = {"user", "email", "phone"};
    yyjson_val *customer = yyjson_obj_get(payload, "customer");
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++) {
        char id[MAX_ID];
        uint32_t node = 0;
        struct cot_err ignored;
        yyjson_val *value = yyjson_obj_get(customer, keys[i]);
        const char *text = yyjson_is_raw(value) ? yyjson_get_raw(value) : yyjson_get_str(value);
        if (text == NULL || yyjson_get_len(value) == 0)
            continue;
        int size = snprintf(id, sizeof id, "%s:%.*s", kinds[i], (int)yyjson_get_len(value), text);
        if (size <= 0 || (size_t)size >= sizeof id)
            continue;
        cot_state_lock(&ingest->state, COT_STATE_ANSWER);
        cot_code rc = ingest->live == NULL
                          ? COT_IO
                          : cot_live_find(ingest->live, &ingest->shop->nodes, id, (size_t)size, &node, &ignored);
        cot_state_unlock(&ingest->state);
        if (rc == COT_OK)
            return people_add(people, kinds[i], id + strlen(kinds[i]) + 1, (size_t)size - strlen(kinds[i]) - 1, err);
        if (rc == COT_IO)
            return cot_fail(err, COT_IO, "the shop is being loaded: ask again in a moment");
    }
    return COT_OK;
}

static cot_code find_shopify(struct cot_ingest *ingest, struct people *people, struct cot_err *err)
{
    struct cot_rows *rows = NULL;
    bool more = false;
    cot_code rc =
        cot_rows_open(ingest->store, &rows, err,
                      "with told as (select import_id from import_run where starts_with(connector, 'shopify')),"
                      " who as (select node_id from event semi join told using (import_id) union"
                      " select node_id from trait semi join told using (import_id) union"
                      " select node_id from node semi join told using (import_id))"
                      " select kind, value from node semi join who using (node_id) order by node_id limit %d",
                      MAX_SHOP + 1);
    while (rc == COT_OK && (rc = cot_rows_next(rows, &more, err)) == COT_OK && more) {
        size_t size = 0;
        const char *value = cot_rows_text(rows, 1, &size);
        const char *kind = cot_node_kind_name((enum cot_node_kind)cot_rows_int(rows, 0));
        if (value != NULL && kind != NULL)
            rc = people_add(people, kind, value, size, err);
    }
    cot_rows_close(rows);
    if (rc == COT_OK && people->n > MAX_SHOP)
        rc = cot_fail(err, COT_LIMIT,
                      "shop/redact of more than %d identities: stop the server and delete the data directory '%s'",
                      MAX_SHOP, ingest->context.data_dir);
    return rc;
}

static cot_code make_answer(const char *topic, size_t n_people, yyjson_mut_doc **ret_doc, struct cot_err *err)
{
    yyjson_mut_doc *doc = NULL;
    yyjson_mut_val *root = NULL;
    cot_code rc = cot_json_document(&doc, &root, err);
    if (rc != COT_OK)
        return rc;
    yyjson_mut_obj_add_strcpy(doc, root, "topic", topic);
    yyjson_mut_obj_add_uint(doc, root, "people", n_people);
    *ret_doc = doc;
    return COT_OK;
}

/* Files that data requests left: they are about somebody who is to be erased, or are old. */
static void delete_requests(const char *data_dir)
{
    char path[8192];
    snprintf(path, sizeof path, "%s/exports", data_dir);
    DIR *folder = opendir(path);
    const struct dirent *entry = NULL;
    while (folder != NULL && (entry = readdir(folder)) != NULL) {
        if (strncmp(entry->d_name, "data-request-", 13) != 0)
            continue;
        snprintf(path, sizeof path, "%s/exports/%s", data_dir, entry->d_name);
        (void)unlink(path); /* where it stays, the erasure's proof names it */
    }
    if (folder != NULL)
        closedir(folder);
}

static cot_code erase(struct cot_service *service, const char *topic, struct people *people, yyjson_mut_doc **ret_doc,
                      struct cot_err *err)
{
    struct cot_ingest *ingest = cot_service_ingest(service);
    struct cot_err ignored = {0};
    yyjson_mut_doc *receipt = NULL;
    cot_code rc = COT_OK;
    if (people->n > 0) {
        delete_requests(ingest->context.data_dir);
        cot_changes_settle(ingest);
        cot_ingest_forget_memory(ingest);
        cot_ingest_store_close(ingest);
        rc = cot_forget_run(&ingest->context, (const char *const *)people->ids, people->n, &receipt, err);
        if (cot_ingest_load(ingest, &ignored) != COT_OK)
            ingest->loaded = false; /* the next group, or job, tries again */
    }
    yyjson_mut_val *id = yyjson_mut_obj_get(yyjson_mut_doc_get_root(receipt), "receipt");
    size_t n = yyjson_mut_get_uint(yyjson_mut_obj_get(yyjson_mut_doc_get_root(receipt), "people"));
    if (rc == COT_OK)
        rc = make_answer(topic, n, ret_doc, err);
    if (rc == COT_OK && id != NULL)
        yyjson_mut_obj_add_strcpy(*ret_doc, yyjson_mut_doc_get_root(*ret_doc), "receipt", yyjson_mut_get_str(id));
    else if (rc == COT_OK)
        yyjson_mut_obj_add_null(*ret_doc, yyjson_mut_doc_get_root(*ret_doc), "receipt");
    yyjson_mut_doc_free(receipt);
    return rc;
}

/* Digits of the request's number, so that it is a file's name; "0" where there is none. */
static void request_number(yyjson_val *payload, char ret_number[32])
{
    yyjson_val *value = yyjson_obj_get(yyjson_obj_get(payload, "data_request"), "id");
    const char *text = yyjson_is_raw(value) ? yyjson_get_raw(value) : yyjson_get_str(value);
    size_t n = text != NULL ? strspn(text, "0123456789") : 0;
    if (n > yyjson_get_len(value))
        n = yyjson_get_len(value);
    snprintf(ret_number, 32, "%.*s", n > 0 && n < 31 ? (int)n : 1, n > 0 && n < 31 ? text : "0");
}

static cot_code write_known(struct cot_service *service, const char *id, const char *path, struct cot_err *err)
{
    yyjson_mut_doc *profile = NULL;
    yyjson_mut_doc *timeline = NULL;
    yyjson_write_err why = {0};
    cot_code rc = cot_service_customer(service, COT_CUSTOMER_PROFILE, id, strlen(id), &profile, err);
    if (rc == COT_OK)
        rc = cot_service_timeline(service, id, strlen(id), MAX_EVENTS, 0, &timeline, err);
    if (rc == COT_OK) {
        yyjson_mut_val *root = yyjson_mut_doc_get_root(profile);
        yyjson_mut_val *events = yyjson_mut_obj_get(yyjson_mut_doc_get_root(timeline), "events");
        yyjson_mut_obj_remove_key(root, "events");
        yyjson_mut_obj_add_val(profile, root, "timeline", yyjson_mut_val_mut_copy(profile, events));
        if (!yyjson_mut_write_file(path, profile, YYJSON_WRITE_PRETTY | YYJSON_WRITE_ALLOW_INVALID_UNICODE, NULL, &why))
            rc = cot_fail(err, COT_IO, "'%s': %s", path, why.msg);
    }
    yyjson_mut_doc_free(profile);
    yyjson_mut_doc_free(timeline);
    return rc;
}

static cot_code hand_out(struct cot_service *service, const char *topic, yyjson_val *payload,
                         const struct people *people, yyjson_mut_doc **ret_doc, struct cot_err *err)
{
    char number[32];
    char path[4096];
    const char *data_dir = cot_service_ingest(service)->context.data_dir;
    request_number(payload, number);
    snprintf(path, sizeof path, "%s/exports", data_dir);
    cot_code rc = people->n > 0 ? cot_folder_make(path, err) : COT_OK;
    snprintf(path, sizeof path, "%s/exports/data-request-%s.json", data_dir, number);
    if (rc == COT_OK && people->n > 0)
        rc = write_known(service, people->ids[0], path, err);
    if (rc == COT_OK)
        rc = make_answer(topic, people->n, ret_doc, err);
    if (rc == COT_OK && people->n > 0)
        yyjson_mut_obj_add_strcpy(*ret_doc, yyjson_mut_doc_get_root(*ret_doc), "file", path + strlen(data_dir) + 1);
    else if (rc == COT_OK)
        yyjson_mut_obj_add_null(*ret_doc, yyjson_mut_doc_get_root(*ret_doc), "file");
    return rc;
}

bool cot_service_is_privacy_topic(const char *topic)
{
    static const char *const topics[] = {"customers/redact", "customers/data_request", "shop/redact"};
    for (size_t i = 0; i < sizeof topics / sizeof *topics; i++)
        if (strcmp(topics[i], topic) == 0)
            return true;
    return false;
}

cot_code cot_service_privacy(struct cot_service *service, const char *topic, yyjson_val *payload,
                             yyjson_mut_doc **ret_doc, struct cot_err *err)
{
    struct people people = {0};
    bool whole = strcmp(topic, "shop/redact") == 0;
    cot_code rc = whole ? find_shopify(cot_service_ingest(service), &people, err)
                        : find_customer(cot_service_ingest(service), payload, &people, err);
    if (rc == COT_OK)
        rc = strcmp(topic, "customers/data_request") == 0 ? hand_out(service, topic, payload, &people, ret_doc, err)
                                                          : erase(service, topic, &people, ret_doc, err);
    people_release(&people);
    return rc;
}
