/* Traits stated of a customer, as a call (service_customer.h). */
#include <stdlib.h>
#include <string.h>

#include "engine/ingest_parts.h"
#include "engine/service_customer.h"

/* Who it is: an identity of the customer found, the shop's own where there is one; else the one that the id spells. */
static cot_code add_identity(yyjson_mut_doc *doc, yyjson_mut_val *call, yyjson_mut_val *profile, const char *id,
                             size_t size)
{
    enum cot_node_kind kind = COT_NODE_USER;
    size_t i;
    size_t n;
    yyjson_mut_val *identity;
    yyjson_mut_val *best = NULL;
    yyjson_mut_arr_foreach(yyjson_mut_obj_get(profile, "identities"), i, n, identity)
    {
        const char *name = yyjson_mut_get_str(yyjson_mut_obj_get(identity, "kind"));
        if (best == NULL || strcmp(name, "user") == 0)
            best = identity;
        if (strcmp(name, "user") == 0)
            break;
    }
    if (best != NULL) {
        yyjson_mut_val *value = yyjson_mut_obj_get(best, "value");
        yyjson_mut_obj_add_strcpy(doc, call, "kind", yyjson_mut_get_str(yyjson_mut_obj_get(best, "kind")));
        yyjson_mut_obj_add_strncpy(doc, call, "value", yyjson_mut_get_str(value), yyjson_mut_get_len(value));
        return COT_OK;
    }
    const char *colon = memchr(id, ':', size);
    if (colon == NULL || !cot_node_kind_from_name(id, (size_t)(colon - id), &kind) || colon + 1 == id + size)
        return COT_NOT_FOUND;
    yyjson_mut_obj_add_str(doc, call, "kind", cot_node_kind_name(kind));
    yyjson_mut_obj_add_strncpy(doc, call, "value", colon + 1, size - (size_t)(colon + 1 - id));
    return COT_OK;
}

/* What the customer has and the body doesn't name. */
static void take_back(yyjson_mut_doc *doc, yyjson_mut_val *traits, yyjson_mut_val *profile)
{
    size_t i;
    size_t n;
    yyjson_mut_val *key;
    yyjson_mut_val *value;
    yyjson_mut_obj_foreach(yyjson_mut_obj_get(profile, "traits"), i, n, key, value)
    {
        const char *name = yyjson_mut_get_str(key);
        if (yyjson_mut_obj_getn(traits, name, yyjson_mut_get_len(key)) == NULL)
            yyjson_mut_obj_add(traits, yyjson_mut_strncpy(doc, name, yyjson_mut_get_len(key)), yyjson_mut_null(doc));
    }
}

cot_code cot_service_traits_call(struct cot_service *service, const char *id, size_t size, yyjson_val *traits,
                                 enum cot_traits_how how, yyjson_doc **ret_call, struct cot_err *err)
{
    yyjson_mut_doc *profile = NULL;
    struct cot_err not_found = {0};
    cot_code rc = cot_service_customer(service, COT_CUSTOMER_PROFILE, id, size, &profile, &not_found);
    if (rc != COT_OK && rc != COT_NOT_FOUND)
        return cot_fail(err, rc, "%s", not_found.message);
    yyjson_mut_doc *doc = yyjson_mut_doc_new(NULL);
    yyjson_mut_val *call = yyjson_mut_obj(doc);
    yyjson_mut_val *copy = yyjson_val_mut_copy(doc, traits);
    yyjson_mut_val *known = yyjson_mut_doc_get_root(profile);
    char *text = NULL;
    size_t text_size = 0;
    rc = call == NULL || copy == NULL ? cot_fail(err, COT_NOMEM, "traits") : COT_OK;
    if (rc == COT_OK) {
        yyjson_mut_doc_set_root(doc, call);
        rc = add_identity(doc, call, known, id, size);
        if (rc != COT_OK)
            rc = cot_fail(err, rc, "%s: of somebody new write KIND:VALUE, as in user:42", not_found.message);
    }
    if (rc == COT_OK) {
        if (how == COT_TRAITS_REPLACE)
            take_back(doc, copy, known);
        yyjson_mut_obj_add_val(doc, call, "traits", copy);
        text = yyjson_mut_write(doc, YYJSON_WRITE_ALLOW_INVALID_UNICODE, &text_size);
        *ret_call = text != NULL ? yyjson_read(text, text_size, YYJSON_READ_NUMBER_AS_RAW) : NULL;
        if (*ret_call == NULL)
            rc = cot_fail(err, COT_NOMEM, "traits");
    }
    free(text);
    yyjson_mut_doc_free(doc);
    yyjson_mut_doc_free(profile);
    return rc;
}
