/* A folder of segment files as the whole of a shop's segments by rule (rules.h). */
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/json.h"
#include "engine/rule_files.h"
#include "engine/rule_store.h"
#include "engine/rule_test.h"
#include "engine/rules_parts.h"

struct sync {
    const struct cot_context *context;
    bool dry_run;
    struct cot_rule_files files;
    size_t *order; /* indices of files, each after those that it asks for */
    struct cot_rules rules;
    uint64_t n_added, n_changed, n_unchanged, n_deleted;
    yyjson_mut_doc *doc;
    yyjson_mut_val *segments;
};

static const char *name_of(const struct sync *sync, size_t i)
{
    return cot_segment_file_name(sync->files.files[i].file);
}

static size_t find_file(const struct sync *sync, const char *name, size_t size)
{
    for (size_t i = 0; i < sync->files.n; i++)
        if (strlen(name_of(sync, i)) == size && memcmp(name_of(sync, i), name, size) == 0)
            return i;
    return SIZE_MAX;
}

/* Files of a folder: one file, or a folder that has none, is taken for a slip. */
static cot_code read_folder(struct sync *sync, const char *folder, struct cot_err *err)
{
    struct stat status;
    if (stat(folder, &status) == 0 && !S_ISDIR(status.st_mode))
        return cot_fail(err, COT_USAGE, "'%s' is no folder: 'coterie rules put' takes one file", folder);
    cot_code rc = cot_rule_files_read(&folder, 1, &sync->files, err);
    if (rc == COT_OK && sync->files.n == 0)
        rc =
            cot_fail(err, COT_NOT_FOUND,
                     "'%s' has no file that ends with " COT_RULE_FILE_SUFFIX ": all segments would be deleted", folder);
    return rc;
}

/* Every file by itself: readable, its tests pass, its name is its alone. */
static cot_code check_files(const struct sync *sync, struct cot_err *err)
{
    for (size_t i = 0; i < sync->files.n; i++) {
        const struct cot_rule_file *file = &sync->files.files[i];
        if (file->file == NULL) {
            *err = file->err;
            return file->err.code;
        }
    }
    for (size_t i = 0; i < sync->files.n; i++) {
        const struct cot_rule_file *file = &sync->files.files[i];
        const char *name = name_of(sync, i);
        uint64_t ignored = 0;
        size_t first = find_file(sync, name, strlen(name));
        if (first != i)
            return cot_fail(err, COT_BAD_DATA, "'%s' and '%s' both hold segment '%s'", sync->files.files[first].path,
                            file->path, name);
        cot_code rc = cot_rule_name_check(name, err);
        if (rc != COT_OK)
            return cot_err_prefix(err, rc, "'%s'", file->path);
        rc = cot_rule_tests_pass(file->file, &ignored, err);
        if (rc != COT_OK)
            return cot_err_prefix(err, rc, "'%s'", file->path);
    }
    return COT_OK;
}

/* Whether all that a file asks for comes before it. */
static cot_code is_ready(const struct sync *sync, size_t i, const bool *done, bool *ret_ready, struct cot_err *err)
{
    const struct cot_segment_rule *rule = cot_segment_file_rule(sync->files.files[i].file);
    *ret_ready = true;
    for (size_t j = 0; j < cot_segment_rule_n_references(rule); j++) {
        struct cot_text other = cot_segment_rule_reference(rule, j);
        size_t found = find_file(sync, other.data, other.size);
        if (found == SIZE_MAX)
            return cot_fail(err, COT_BAD_DATA, "'%s' asks for segment \"%.*s\", which no file of the folder holds",
                            sync->files.files[i].path, (int)(other.size < 60 ? other.size : 60), other.data);
        *ret_ready &= done[found];
    }
    return COT_OK;
}

static cot_code order_files(struct sync *sync, struct cot_err *err)
{
    size_t n = 0;
    size_t before = SIZE_MAX;
    bool *done = calloc(sync->files.n + 1, sizeof *done);
    sync->order = calloc(sync->files.n + 1, sizeof *sync->order);
    cot_code rc = done == NULL || sync->order == NULL ? cot_fail(err, COT_NOMEM, "segment files") : COT_OK;
    size_t waiting = 0;
    while (rc == COT_OK && n < sync->files.n && n != before) {
        before = n;
        for (size_t i = 0; i < sync->files.n && rc == COT_OK; i++) {
            bool ready = false;
            if (done[i])
                continue;
            rc = is_ready(sync, i, done, &ready, err);
            if (ready)
                sync->order[n++] = i;
            else
                waiting = i;
            done[i] = ready;
        }
    }
    free(done);
    if (rc == COT_OK && n < sync->files.n)
        rc = cot_fail(err, COT_BAD_DATA, "'%s': segments ask for each other in a circle",
                      sync->files.files[waiting].path);
    return rc;
}

/* Who enters and leaves, into what is said of one segment. */
static cot_code preview(struct sync *sync, const char *name, const char *rule, yyjson_mut_val *said,
                        struct cot_err *err)
{
    static const char *const keys[] = {"count", "enter", "leave", "enter_sample", "leave_sample"};
    const struct cot_rule_shop over = cot_rules_shop(&sync->rules);
    struct cot_segment_rule *parsed = NULL;
    yyjson_mut_val *all = yyjson_mut_obj(sync->doc);
    cot_code rc = cot_rule_segments_check(sync->rules.segments, name, rule, strlen(rule), &parsed, err);
    if (rc == COT_OK)
        rc = cot_rule_segments_preview(sync->rules.segments, &over, name, parsed, sync->context->n_threads, sync->doc,
                                       all, err);
    for (size_t i = 0; i < sizeof keys / sizeof *keys && rc == COT_OK; i++)
        yyjson_mut_obj_add_val(sync->doc, said, keys[i], yyjson_mut_obj_remove_key(all, keys[i]));
    cot_segment_rule_free(parsed);
    return rc;
}

static yyjson_mut_val *say(struct sync *sync, const char *name, const char *action)
{
    yyjson_mut_val *said = yyjson_mut_arr_add_obj(sync->doc, sync->segments);
    yyjson_mut_obj_add_strcpy(sync->doc, said, "name", name);
    yyjson_mut_obj_add_str(sync->doc, said, "action", action);
    return said;
}

static cot_code take_file(struct sync *sync, const struct cot_rule_file *file, struct cot_err *err)
{
    const char *name = cot_segment_file_name(file->file);
    const char *text = cot_segment_file_text(file->file);
    const char *rule = cot_segment_rule_text(cot_segment_file_rule(file->file));
    struct cot_rule_stored newest = {0};
    cot_code rc = cot_rule_store_find(sync->rules.store, name, 0, &newest, err);
    bool is_new = rc == COT_NOT_FOUND || (rc == COT_OK && newest.rule == NULL);
    bool same = !is_new && rc == COT_OK && newest.source != NULL && strcmp(newest.source, text) == 0;
    int64_t version = newest.version;
    cot_rule_stored_release(&newest);
    if (rc != COT_OK && rc != COT_NOT_FOUND)
        return rc;
    *(same ? &sync->n_unchanged : is_new ? &sync->n_added : &sync->n_changed) += 1;
    yyjson_mut_val *said = say(sync, name, same ? "unchanged" : is_new ? "added" : "changed");
    rc = COT_OK;
    if (!same && sync->dry_run)
        rc = preview(sync, name, rule, said, err);
    if (!same && rc == COT_OK) /* of a dry run rolled back: those that follow ask for it */
        rc = cot_rules_write(&sync->rules, name, rule, text, &version, err);
    yyjson_mut_obj_add_int(sync->doc, said, "version", version);
    yyjson_mut_obj_add_strcpy(sync->doc, said, "path", file->path);
    return rc == COT_OK ? rc : cot_err_prefix(err, rc, "'%s'", file->path);
}

/* One segment that has no file and that none asks for; ret_more: there was one. */
static cot_code delete_one(struct sync *sync, bool *ret_more, struct cot_err *err)
{
    struct cot_rule_segments *segments = sync->rules.segments;
    *ret_more = false;
    for (size_t i = 0; i < cot_rule_segments_n(segments); i++) {
        struct cot_rule_standing standing = cot_rule_segments_at(segments, i);
        int64_t version = 0;
        if (find_file(sync, standing.name, strlen(standing.name)) != SIZE_MAX ||
            cot_rule_segments_check_delete(segments, standing.name, NULL) != COT_OK)
            continue;
        yyjson_mut_val *said = say(sync, standing.name, "deleted");
        if (sync->dry_run)
            yyjson_mut_obj_add_uint(sync->doc, said, "leave", standing.n_members);
        cot_code rc =
            cot_rules_remove(&sync->rules, yyjson_mut_get_str(yyjson_mut_obj_get(said, "name")), &version, err);
        yyjson_mut_obj_add_int(sync->doc, said, "version", version);
        sync->n_deleted++;
        *ret_more = true;
        return rc;
    }
    return COT_OK;
}

static cot_code make_equal(struct sync *sync, struct cot_err *err)
{
    bool more = true;
    cot_code rc = cot_store_begin(sync->rules.store, err);
    if (rc != COT_OK)
        return rc;
    for (size_t i = 0; i < sync->files.n && rc == COT_OK; i++)
        rc = take_file(sync, &sync->files.files[sync->order[i]], err);
    while (rc == COT_OK && more)
        rc = delete_one(sync, &more, err);
    if (rc == COT_OK && !sync->dry_run)
        return cot_store_commit(sync->rules.store, err);
    cot_store_rollback(sync->rules.store);
    return rc;
}

/* A dry run looks at customers; its writes are rolled back. */
static cot_code open_shop(struct sync *sync, struct cot_err *err)
{
    struct cot_dict keys;
    cot_code rc = COT_OK;
    cot_dict_init(&keys);
    for (size_t i = 0; i < sync->files.n && rc == COT_OK; i++)
        rc = cot_rule_segments_add_keys(cot_segment_file_rule(sync->files.files[i].file), &keys, err);
    if (rc == COT_OK)
        rc = cot_rules_open(sync->context, COT_STORE_EXISTING,
                            sync->dry_run ? COT_RULES_OVER_CUSTOMERS : COT_RULES_OVER_NOBODY, &keys, &sync->rules, err);
    cot_dict_release(&keys);
    return rc;
}

static void add_totals(struct sync *sync, yyjson_mut_val *root)
{
    yyjson_mut_obj_add_bool(sync->doc, root, "dry_run", sync->dry_run);
    yyjson_mut_obj_add_val(sync->doc, root, "segments", sync->segments);
    yyjson_mut_obj_add_uint(sync->doc, root, "added", sync->n_added);
    yyjson_mut_obj_add_uint(sync->doc, root, "changed", sync->n_changed);
    yyjson_mut_obj_add_uint(sync->doc, root, "unchanged", sync->n_unchanged);
    yyjson_mut_obj_add_uint(sync->doc, root, "deleted", sync->n_deleted);
}

cot_code cot_rules_sync(const struct cot_context *context, const char *folder, bool dry_run, yyjson_mut_doc **ret_doc,
                        struct cot_err *err)
{
    struct sync sync = {.context = context, .dry_run = dry_run};
    yyjson_mut_val *root = NULL;
    cot_code rc = cot_json_document(&sync.doc, &root, err);
    sync.segments = yyjson_mut_arr(sync.doc);
    if (rc == COT_OK)
        rc = read_folder(&sync, folder, err);
    if (rc == COT_OK)
        rc = check_files(&sync, err);
    if (rc == COT_OK)
        rc = order_files(&sync, err);
    if (rc == COT_OK)
        rc = open_shop(&sync, err);
    if (rc == COT_OK)
        rc = make_equal(&sync, err);
    if (rc == COT_OK) {
        add_totals(&sync, root);
        *ret_doc = sync.doc;
        sync.doc = NULL;
    }
    cot_rules_close(&sync.rules);
    cot_rule_files_release(&sync.files);
    free(sync.order);
    yyjson_mut_doc_free(sync.doc);
    return rc;
}
