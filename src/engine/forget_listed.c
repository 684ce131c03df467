/* Erasing whoever is on a list of keyed hashes (see forget.h). */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/context_store.h"
#include "engine/erased.h"
#include "engine/forget.h"
#include "store/store.h"

struct ids {
    char **texts; /* "kind:value" */
    size_t n, capacity;
};

static void ids_release(struct ids *ids)
{
    for (size_t i = 0; i < ids->n; i++)
        free(ids->texts[i]);
    free(ids->texts);
}

static cot_code add_id(struct ids *ids, enum cot_node_kind kind, const char *value, size_t size, struct cot_err *err)
{
    if (ids->n == ids->capacity) {
        size_t capacity = ids->capacity > 0 ? 2 * ids->capacity : 16;
        char **grown = realloc(ids->texts, capacity * sizeof *grown);
        if (grown == NULL)
            return cot_fail(err, COT_NOMEM, "%zu erased identities", capacity);
        ids->texts = grown;
        ids->capacity = capacity;
    }
    if (asprintf(&ids->texts[ids->n], "%s:%.*s", cot_node_kind_name(kind), (int)size, value) < 0)
        return cot_fail(err, COT_NOMEM, "erased identities");
    ids->n++;
    return COT_OK;
}

static cot_code find_listed(struct cot_store *store, const struct cot_erased *erased, struct ids *ids,
                            struct cot_err *err)
{
    struct cot_rows *rows = NULL;
    bool more = false;
    cot_code rc = cot_rows_open(store, &rows, err, "select kind, value from node where value is not null");
    while (rc == COT_OK && (rc = cot_rows_next(rows, &more, err)) == COT_OK && more) {
        size_t size = 0;
        enum cot_node_kind kind = (enum cot_node_kind)cot_rows_int(rows, 0);
        const char *value = cot_rows_text(rows, 1, &size);
        if (cot_erased_contains(erased, kind, value, size))
            rc = add_id(ids, kind, value, size, err);
    }
    cot_rows_close(rows);
    return rc;
}

cot_code cot_forget_listed(const struct cot_context *context, const struct cot_erased *erased, uint64_t *ret_n_people,
                           struct cot_err *err)
{
    struct cot_store *store = NULL;
    struct ids ids = {0};
    yyjson_mut_doc *doc = NULL;
    uint64_t n_people = 0;
    cot_code rc = cot_context_open_store(context, COT_STORE_EXISTING, &store, err);
    if (rc == COT_OK)
        rc = cot_erased_merge(erased, store, err);
    if (rc == COT_OK)
        rc = cot_erased_save(store, err);
    if (rc == COT_OK)
        rc = find_listed(store, erased, &ids, err);
    cot_store_close(store);
    if (rc == COT_OK && ids.n > 0)
        rc = cot_forget_run(context, (const char *const *)ids.texts, ids.n, &doc, err);
    if (rc == COT_OK && doc != NULL)
        n_people = yyjson_mut_get_uint(yyjson_mut_obj_get(yyjson_mut_doc_get_root(doc), "people"));
    if (rc == COT_OK)
        *ret_n_people = n_people;
    yyjson_mut_doc_free(doc);
    ids_release(&ids);
    return rc;
}
