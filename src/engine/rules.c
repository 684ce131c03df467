#include "engine/rules.h"

#include <inttypes.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/civil.h"
#include "base/json.h"
#include "engine/context_store.h"
#include "engine/rule_files.h"
#include "engine/rule_store.h"
#include "engine/rule_test.h"
#include "engine/rules_parts.h"

/* "user NAME", of whoever runs this; to be freed. NULL: no memory. */
static char *author_name(void)
{
    char buffer[4096];
    struct passwd entry;
    struct passwd *found = NULL;
    char *author = NULL;
    int n = getpwuid_r(getuid(), &entry, buffer, sizeof buffer, &found) == 0 && found != NULL
                ? asprintf(&author, "user %s", found->pw_name)
                : asprintf(&author, "user %u", getuid());
    return n >= 0 ? author : NULL;
}

struct cot_rule_shop cot_rules_shop(const struct cot_rules *rules)
{
    return (struct cot_rule_shop){rules->live, rules->shop};
}

static cot_code open_over_nobody(struct cot_rules *rules, struct cot_err *err)
{
    rules->shop = calloc(1, sizeof *rules->shop);
    if (rules->shop == NULL)
        return cot_fail(err, COT_NOMEM, "the shop");
    cot_dict_init(&rules->shop->nodes);
    cot_dict_init(&rules->shop->items);
    return cot_live_shop_new(NULL, 1, NULL, &rules->live, err);
}

static cot_code open_over_customers(const struct cot_context *context, struct cot_rules *rules, struct cot_dict *keys,
                                    struct cot_err *err)
{
    struct cot_dict own;
    cot_dict_init(&own);
    struct cot_dict *watched = keys != NULL ? keys : &own;
    cot_code rc = cot_rule_segments_keys(rules->store, watched, err);
    if (rc == COT_OK)
        rc = cot_import_shop_load(rules->store, &rules->shop, err);
    if (rc == COT_OK)
        rc = cot_live_shop_load(rules->store, context->data_dir, watched, cot_wall_ms(), &rules->live, err);
    cot_dict_release(&own);
    return rc;
}

cot_code cot_rules_open(const struct cot_context *context, enum cot_store_mode mode, enum cot_rules_over what,
                        struct cot_dict *keys, struct cot_rules *ret_rules, struct cot_err *err)
{
    *ret_rules = (struct cot_rules){0};
    cot_code rc = cot_context_open_store(context, mode, &ret_rules->store, err);
    if (rc == COT_OK)
        rc = what == COT_RULES_OVER_NOBODY ? open_over_nobody(ret_rules, err)
                                           : open_over_customers(context, ret_rules, keys, err);
    const struct cot_rule_shop over = cot_rules_shop(ret_rules);
    return rc == COT_OK ? cot_rule_segments_load(ret_rules->store, &over, &ret_rules->segments, err) : rc;
}

void cot_rules_close(struct cot_rules *rules)
{
    cot_rule_segments_free(rules->segments);
    cot_live_shop_free(rules->live);
    cot_import_shop_free(rules->shop);
    cot_store_close(rules->store);
}

/* Looking */

cot_code cot_rules_list(const struct cot_context *context, yyjson_mut_doc **ret_doc, struct cot_err *err)
{
    struct cot_rules rules = {0};
    yyjson_mut_doc *doc = NULL;
    yyjson_mut_val *root = NULL;
    cot_code rc = cot_json_document(&doc, &root, err);
    if (rc == COT_OK)
        rc = cot_rules_open(context, COT_STORE_READ_ONLY, COT_RULES_OVER_CUSTOMERS, NULL, &rules, err);
    if (rc == COT_OK)
        rc = cot_rule_segments_describe(rules.segments, NULL, doc, root, err);
    cot_rules_close(&rules);
    return cot_json_finish(rc, doc, ret_doc);
}

cot_code cot_rules_members(const struct cot_context *context, const char *name, int64_t from, int64_t limit,
                           yyjson_mut_doc **ret_doc, struct cot_err *err)
{
    struct cot_rules rules = {0};
    yyjson_mut_doc *doc = NULL;
    yyjson_mut_val *root = NULL;
    cot_code rc = cot_json_document(&doc, &root, err);
    if (rc == COT_OK)
        rc = cot_rules_open(context, COT_STORE_READ_ONLY, COT_RULES_OVER_CUSTOMERS, NULL, &rules, err);
    const struct cot_rule_shop over = cot_rules_shop(&rules);
    if (rc == COT_OK)
        rc = cot_rule_segments_members(rules.segments, &over, name, (uint32_t)from, (size_t)limit, doc, root, err);
    if (rc == COT_NOT_FOUND && rules.segments != NULL)
        rc = cot_fail(err, rc, "no segment '%.60s': 'coterie rules list' shows them", name);
    cot_rules_close(&rules);
    return cot_json_finish(rc, doc, ret_doc);
}

/* A rule that came alone, as a file that can be put again. */
static cot_code add_text(const char *name, const char *rule, yyjson_mut_doc *doc, yyjson_mut_val *object,
                         struct cot_err *err)
{
    struct cot_buf text = {0};
    cot_code rc = cot_buf_puts(&text, "segment \"", err);
    for (const char *c = name; rc == COT_OK && *c != '\0'; c++)
        rc = cot_buf_printf(&text, err, "%s%c", *c == '"' || *c == '\\' ? "\\" : "", *c);
    if (rc == COT_OK)
        rc = cot_buf_printf(&text, err, "\"\nrule\n%s\n", rule);
    if (rc == COT_OK)
        yyjson_mut_obj_add_strcpy(doc, object, "text", cot_buf_text(&text));
    cot_buf_release(&text);
    return rc;
}

static cot_code show(struct cot_store *store, const char *name, int64_t version, yyjson_mut_doc *doc,
                     yyjson_mut_val *root, struct cot_err *err)
{
    yyjson_mut_val *all = yyjson_mut_obj(doc);
    cot_code rc = cot_rule_store_history(store, name, version, doc, all, err);
    if (rc != COT_OK)
        return rc;
    yyjson_mut_val *newest = yyjson_mut_arr_get_first(yyjson_mut_obj_get(all, "versions"));
    const char *rule = yyjson_mut_get_str(yyjson_mut_obj_get(newest, "rule"));
    yyjson_mut_val *source = yyjson_mut_obj_remove_key(newest, "source");
    long long number = (long long)yyjson_mut_get_sint(yyjson_mut_obj_get(newest, "version"));
    if (rule == NULL)
        return cot_fail(err, COT_NOT_FOUND,
                        "version %lld of segment '%.60s' is its deletion: 'coterie rules history' lists the others",
                        number, name);
    yyjson_mut_obj_add_strcpy(doc, root, "name", name);
    yyjson_mut_obj_add_int(doc, root, "version", number);
    yyjson_mut_obj_add_val(doc, root, "rule", yyjson_mut_obj_remove_key(newest, "rule"));
    if (yyjson_mut_is_str(source))
        yyjson_mut_obj_add_val(doc, root, "text", source);
    else
        rc = add_text(name, rule, doc, root, err);
    yyjson_mut_obj_add_val(doc, root, "created_at", yyjson_mut_obj_remove_key(newest, "created_at"));
    yyjson_mut_obj_add_val(doc, root, "created_by", yyjson_mut_obj_remove_key(newest, "created_by"));
    return rc;
}

typedef cot_code versions_tell(struct cot_store *store, const char *name, int64_t version, yyjson_mut_doc *doc,
                               yyjson_mut_val *root, struct cot_err *err);

static cot_code tell_versions(const struct cot_context *context, const char *name, int64_t version, versions_tell *tell,
                              yyjson_mut_doc **ret_doc, struct cot_err *err)
{
    struct cot_store *store = NULL;
    yyjson_mut_doc *doc = NULL;
    yyjson_mut_val *root = NULL;
    cot_code rc = cot_json_document(&doc, &root, err);
    if (rc == COT_OK)
        rc = cot_context_open_store(context, COT_STORE_READ_ONLY, &store, err);
    if (rc == COT_OK)
        rc = tell(store, name, version, doc, root, err);
    cot_store_close(store);
    return cot_json_finish(rc, doc, ret_doc);
}

cot_code cot_rules_history(const struct cot_context *context, const char *name, yyjson_mut_doc **ret_doc,
                           struct cot_err *err)
{
    return tell_versions(context, name, 0, cot_rule_store_history, ret_doc, err);
}

cot_code cot_rules_show(const struct cot_context *context, const char *name, int64_t version, yyjson_mut_doc **ret_doc,
                        struct cot_err *err)
{
    return tell_versions(context, name, version, show, ret_doc, err);
}

/* Trying out */

static cot_code preview(const struct cot_context *context, const char *name, const struct cot_segment_rule *rule,
                        yyjson_mut_doc *doc, yyjson_mut_val *root, struct cot_err *err)
{
    struct cot_rules rules = {0};
    struct cot_dict keys;
    struct cot_segment_rule *checked = NULL;
    const char *text = cot_segment_rule_text(rule);
    cot_dict_init(&keys);
    cot_code rc = cot_rule_segments_add_keys(rule, &keys, err);
    if (rc == COT_OK)
        rc = cot_rules_open(context, COT_STORE_READ_ONLY, COT_RULES_OVER_CUSTOMERS, &keys, &rules, err);
    if (rc == COT_OK)
        rc = cot_rule_segments_check(rules.segments, name, text, strlen(text), &checked, err);
    const struct cot_rule_shop over = cot_rules_shop(&rules);
    yyjson_mut_obj_add_strcpy(doc, root, "name", name);
    if (rc == COT_OK)
        rc = cot_rule_segments_preview(rules.segments, &over, name, checked, context->n_threads, doc, root, err);
    cot_segment_rule_free(checked);
    cot_rules_close(&rules);
    cot_dict_release(&keys);
    return rc;
}

cot_code cot_rules_preview(const struct cot_context *context, const char *path, const char *name,
                           yyjson_mut_doc **ret_doc, struct cot_err *err)
{
    struct cot_segment_file *file = NULL;
    yyjson_mut_doc *doc = NULL;
    yyjson_mut_val *root = NULL;
    cot_code rc = cot_rule_file_read(path, &file, err);
    if (rc == COT_OK)
        rc = cot_json_document(&doc, &root, err);
    if (rc == COT_OK)
        rc = preview(context, name != NULL ? name : cot_segment_file_name(file), cot_segment_file_rule(file), doc, root,
                     err);
    cot_segment_file_free(file);
    return cot_json_finish(rc, doc, ret_doc);
}

/* Writing */

cot_code cot_rules_write(struct cot_rules *rules, const char *name, const char *rule, const char *source,
                         int64_t *ret_version, struct cot_err *err)
{
    struct cot_segment_rule *parsed = NULL;
    char *author = author_name();
    const struct cot_rule_version version = {name, rule, source, author, cot_wall_ms()};
    const struct cot_rule_shop over = cot_rules_shop(rules);
    cot_code rc = author == NULL ? cot_fail(err, COT_NOMEM, "a segment")
                                 : cot_rule_segments_check(rules->segments, name, rule, strlen(rule), &parsed, err);
    if (rc == COT_OK)
        rc = cot_rule_store_add(rules->store, &version, ret_version, err);
    free(author);
    if (rc == COT_OK)
        return cot_rule_segments_put(rules->segments, &over, name, (int32_t)*ret_version, version.created_at_ms, parsed,
                                     err);
    cot_segment_rule_free(parsed);
    return rc;
}

cot_code cot_rules_remove(struct cot_rules *rules, const char *name, int64_t *ret_version, struct cot_err *err)
{
    cot_code rc = cot_rule_segments_check_delete(rules->segments, name, err);
    char *author = author_name();
    const struct cot_rule_version version = {name, NULL, NULL, author, cot_wall_ms()};
    if (rc == COT_OK && author == NULL)
        rc = cot_fail(err, COT_NOMEM, "a segment");
    if (rc == COT_OK)
        rc = cot_rule_store_add(rules->store, &version, ret_version, err);
    free(author);
    if (rc == COT_OK)
        cot_rule_segments_delete(rules->segments, name);
    return rc;
}

/* What is to be put: texts of a file, or of an old version. */
struct content {
    struct cot_segment_file *file; /* NULL: an old version */
    struct cot_rule_stored stored;
    const char *rule, *source;
    uint64_t n_tests;
};

static void content_release(struct content *content)
{
    cot_segment_file_free(content->file);
    cot_rule_stored_release(&content->stored);
}

static cot_code content_of_file(const struct cot_rules_put *put, struct content *content, struct cot_err *err)
{
    cot_code rc = cot_rule_file_read(put->path, &content->file, err);
    if (rc == COT_OK && strcmp(cot_segment_file_name(content->file), put->name) != 0)
        rc = cot_fail(err, COT_USAGE, "'%s' holds segment '%s', not '%s'", put->path,
                      cot_segment_file_name(content->file), put->name);
    if (rc != COT_OK)
        return rc;
    rc = cot_rule_tests_pass(content->file, &content->n_tests, err);
    if (rc != COT_OK)
        return cot_err_prefix(err, rc, "'%s'", put->path);
    content->rule = cot_segment_rule_text(cot_segment_file_rule(content->file));
    content->source = cot_segment_file_text(content->file);
    return COT_OK;
}

static cot_code content_of_version(struct cot_store *store, const struct cot_rules_put *put, struct content *content,
                                   struct cot_err *err)
{
    cot_code rc = cot_rule_store_find(store, put->name, put->from_version, &content->stored, err);
    if (rc == COT_OK && content->stored.rule == NULL)
        rc = cot_fail(err, COT_NOT_FOUND, "version %" PRId64 " of segment '%.60s' is its deletion", put->from_version,
                      put->name);
    content->rule = content->stored.rule;
    content->source = content->stored.source;
    return rc;
}

static bool same_text(const char *a, const char *b)
{
    return a == NULL || b == NULL ? a == b : strcmp(a, b) == 0;
}

static cot_code put_content(struct cot_rules *rules, const char *name, const struct content *content,
                            yyjson_mut_doc *doc, yyjson_mut_val *root, struct cot_err *err)
{
    struct cot_rule_stored newest = {0};
    int64_t version = 0;
    cot_code rc = cot_rule_store_find(rules->store, name, 0, &newest, err);
    bool is_new = rc == COT_NOT_FOUND || (rc == COT_OK && newest.rule == NULL);
    bool same = rc == COT_OK && same_text(newest.rule, content->rule) && same_text(newest.source, content->source);
    version = newest.version;
    cot_rule_stored_release(&newest);
    if (rc == COT_NOT_FOUND)
        rc = COT_OK;
    if (rc == COT_OK && !same)
        rc = cot_rules_write(rules, name, content->rule, content->source, &version, err);
    yyjson_mut_obj_add_strcpy(doc, root, "name", name);
    yyjson_mut_obj_add_int(doc, root, "version", version);
    yyjson_mut_obj_add_str(doc, root, "action", same ? "unchanged" : is_new ? "added" : "changed");
    yyjson_mut_obj_add_uint(doc, root, "tests", content->n_tests);
    return rc;
}

cot_code cot_rules_put(const struct cot_context *context, const struct cot_rules_put *put, yyjson_mut_doc **ret_doc,
                       struct cot_err *err)
{
    struct cot_rules rules = {0};
    struct content content = {0};
    yyjson_mut_doc *doc = NULL;
    yyjson_mut_val *root = NULL;
    cot_code rc = cot_rule_name_check(put->name, err);
    if (rc == COT_OK && put->path != NULL)
        rc = content_of_file(put, &content, err);
    if (rc == COT_OK)
        rc = cot_json_document(&doc, &root, err);
    if (rc == COT_OK)
        rc = cot_rules_open(context, COT_STORE_EXISTING, COT_RULES_OVER_NOBODY, NULL, &rules, err);
    if (rc == COT_OK && put->path == NULL)
        rc = content_of_version(rules.store, put, &content, err);
    if (rc == COT_OK)
        rc = put_content(&rules, put->name, &content, doc, root, err);
    cot_rules_close(&rules);
    content_release(&content);
    return cot_json_finish(rc, doc, ret_doc);
}

cot_code cot_rules_delete(const struct cot_context *context, const char *name, yyjson_mut_doc **ret_doc,
                          struct cot_err *err)
{
    struct cot_rules rules = {0};
    yyjson_mut_doc *doc = NULL;
    yyjson_mut_val *root = NULL;
    int64_t version = 0;
    cot_code rc = cot_json_document(&doc, &root, err);
    if (rc == COT_OK)
        rc = cot_rules_open(context, COT_STORE_EXISTING, COT_RULES_OVER_NOBODY, NULL, &rules, err);
    if (rc == COT_OK)
        rc = cot_rules_remove(&rules, name, &version, err);
    cot_rules_close(&rules);
    yyjson_mut_obj_add_strcpy(doc, root, "name", name);
    yyjson_mut_obj_add_int(doc, root, "version", version);
    return cot_json_finish(rc, doc, ret_doc);
}
