#include "engine/rule_store.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "engine/rule_segments.h"
#include "store/row_json.h"
#include "store/store.h"

cot_code cot_rule_name_check(const char *name, struct cot_err *err)
{
    if (name[0] == '\0' || strlen(name) > COT_RULE_MAX_NAME)
        return cot_fail(err, COT_USAGE, "a segment's name has 1 to %d bytes", COT_RULE_MAX_NAME);
    if (strcmp(name, "stream") == 0 || strcmp(name, "preview") == 0 || strcmp(name, "learned") == 0)
        return cot_fail(err, COT_USAGE, "no segment can be named '%s': that is a path of its own", name);
    return COT_OK;
}

/* A literal, null of NULL. */
static char *quote(const char *text)
{
    return text != NULL ? cot_sql_quote(text) : strdup("null");
}

cot_code cot_rule_store_add(struct cot_store *store, const struct cot_rule_version *version, int64_t *ret_version,
                            struct cot_err *err)
{
    char *name = quote(version->name);
    char *rule = quote(version->rule);
    char *source = quote(version->source);
    char *author = quote(version->author);
    int64_t number = 0;
    cot_code rc =
        name == NULL || rule == NULL || source == NULL || author == NULL
            ? cot_fail(err, COT_NOMEM, "a segment")
            : cot_store_number(store, &number, err,
                               "select coalesce(max(version), 0) + 1 from rule_segment where name = %s", name);
    if (rc == COT_OK)
        rc = cot_store_exec(store, err,
                            "insert into rule_segment (name, version, rule, created_at, source, created_by) values"
                            " (%s, %" PRId64 ", %s, epoch_ms(%" PRId64 ")::timestamp_ms, %s, %s)",
                            name, number, rule, version->created_at_ms, source, author);
    free(name);
    free(rule);
    free(source);
    free(author);
    if (rc == COT_OK)
        *ret_version = number;
    return rc;
}

/* Rows version, rule, source, created_at, created_by of a name, the newest first; version 0: of all. */
static cot_code open_versions(struct cot_store *store, const char *name, int64_t version, struct cot_rows **ret_rows,
                              struct cot_err *err)
{
    char *quoted = cot_sql_quote(name);
    cot_code rc = quoted == NULL
                      ? cot_fail(err, COT_NOMEM, "a segment")
                      : cot_rows_open(store, ret_rows, err,
                                      "select version, rule, source, created_at, created_by from rule_segment where"
                                      " name = %s and %" PRId64 " in (0, version) order by version desc",
                                      quoted, version);
    free(quoted);
    return rc;
}

static cot_code no_version(const char *name, int64_t version, struct cot_err *err)
{
    return version == 0 ? cot_fail(err, COT_NOT_FOUND, "no segment '%.60s', and there never was one", name)
                        : cot_fail(err, COT_NOT_FOUND, "segment '%.60s' has no version %" PRId64, name, version);
}

static cot_code copy_text(const struct cot_rows *rows, size_t i_column, char **ret_text, struct cot_err *err)
{
    size_t size = 0;
    const char *text = cot_rows_text(rows, i_column, &size);
    *ret_text = text != NULL ? strndup(text, size) : NULL;
    return text == NULL || *ret_text != NULL ? COT_OK : cot_fail(err, COT_NOMEM, "a segment");
}

cot_code cot_rule_store_find(struct cot_store *store, const char *name, int64_t version,
                             struct cot_rule_stored *ret_stored, struct cot_err *err)
{
    struct cot_rows *rows = NULL;
    struct cot_rule_stored stored = {0};
    bool more = false;
    cot_code rc = open_versions(store, name, version, &rows, err);
    if (rc == COT_OK)
        rc = cot_rows_next(rows, &more, err);
    if (rc == COT_OK && !more)
        rc = no_version(name, version, err);
    if (rc == COT_OK) {
        stored.version = cot_rows_int(rows, 0);
        rc = copy_text(rows, 1, &stored.rule, err);
    }
    if (rc == COT_OK)
        rc = copy_text(rows, 2, &stored.source, err);
    cot_rows_close(rows);
    if (rc == COT_OK)
        *ret_stored = stored;
    else
        cot_rule_stored_release(&stored);
    return rc;
}

void cot_rule_stored_release(struct cot_rule_stored *stored)
{
    free(stored->rule);
    free(stored->source);
    *stored = (struct cot_rule_stored){0};
}

cot_code cot_rule_store_history(struct cot_store *store, const char *name, int64_t version, yyjson_mut_doc *doc,
                                yyjson_mut_val *root, struct cot_err *err)
{
    struct cot_rows *rows = NULL;
    bool more = false;
    yyjson_mut_val *versions = yyjson_mut_arr(doc);
    cot_code rc = open_versions(store, name, version, &rows, err);
    while (rc == COT_OK && (rc = cot_rows_next(rows, &more, err)) == COT_OK && more) {
        yyjson_mut_val *object = yyjson_mut_arr_add_obj(doc, versions);
        yyjson_mut_obj_add_int(doc, object, "version", cot_rows_int(rows, 0));
        cot_row_add_text(doc, object, "rule", rows, 1);
        cot_row_add_text(doc, object, "source", rows, 2);
        cot_row_add_time(doc, object, "created_at", rows, 3);
        cot_row_add_text(doc, object, "created_by", rows, 4);
    }
    cot_rows_close(rows);
    if (rc == COT_OK && yyjson_mut_arr_size(versions) == 0)
        rc = no_version(name, version, err);
    if (rc != COT_OK)
        return rc;
    yyjson_mut_obj_add_strcpy(doc, root, "name", name);
    yyjson_mut_obj_add_val(doc, root, "versions", versions);
    return COT_OK;
}
