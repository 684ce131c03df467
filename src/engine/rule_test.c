#include "engine/rule_test.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "connect/decode.h"
#include "engine/rule_files.h"
#include "engine/rule_parts.h"

/* Of every currency's minor units a multiple: what a test gives is kept as it is written. */
#define MINOR_PER_UNIT 10000.0

/* Tags of items: those that have a name, and those of which a test says a category or brand alone. */
enum { ITEM_NAMED, ITEM_NAMELESS };

/* The shop of one test. Its only customer is node 0. */
struct world {
    struct cot_live_shop *live;
    struct cot_import_shop names; /* its dictionaries alone */
    struct cot_rule_segments *segments;
};

static struct cot_rule_shop over(const struct world *world)
{
    return (struct cot_rule_shop){world->live, &world->names};
}

static void release(struct world *world)
{
    cot_rule_segments_free(world->segments);
    cot_live_shop_free(world->live);
    cot_dict_release(&world->names.items);
    cot_dict_release(&world->names.nodes);
}

static cot_code make_world(const struct cot_segment_file *file, int64_t at_ms, struct world *world, struct cot_err *err)
{
    struct cot_zone *zone = NULL;
    struct cot_dict keys;
    cot_dict_init(&keys);
    cot_dict_init(&world->names.items);
    cot_dict_init(&world->names.nodes);
    cot_code rc = cot_rule_segments_add_keys(cot_segment_file_rule(file), &keys, err);
    if (rc == COT_OK)
        rc = cot_zone_open(cot_segment_file_zone(file), &zone, err);
    if (rc == COT_OK)
        rc = cot_live_shop_new(zone, MINOR_PER_UNIT, &keys, &world->live, err);
    cot_dict_release(&keys);
    if (rc == COT_OK)
        rc = cot_live_shop_tick(world->live, at_ms, NULL, NULL, err);
    if (rc == COT_OK)
        rc = cot_live_add_node(world->live->live, 0, err);
    return rc == COT_OK ? cot_rule_segments_new(&world->segments, err) : rc;
}

/* The item of an event, COT_NO_ITEM where nothing is said of one; its category and brand are known from then on. */
static cot_code give_item(struct world *world, const struct cot_given_event *given, uint32_t *ret_item,
                          struct cot_err *err)
{
    const struct cot_text words[3] = {given->category, {NULL, 0}, given->brand};
    bool ignored = false;
    *ret_item = COT_NO_ITEM;
    if (given->item.data == NULL && given->category.data == NULL && given->brand.data == NULL)
        return COT_OK;
    size_t n = world->names.items.n;
    cot_code rc = given->item.data != NULL
                      ? cot_dict_add(&world->names.items, ITEM_NAMED, given->item.data, given->item.size, ret_item, err)
                      : cot_dict_add(&world->names.items, ITEM_NAMELESS, (const char *)&n, sizeof n, ret_item, err);
    if (rc != COT_OK || (given->category.data == NULL && given->brand.data == NULL))
        return rc;
    return cot_live_shop_item(world->live, *ret_item, words, 0, 0, true, &ignored, err);
}

/* What an event says besides, as the store has it: a JSON object. *ret_json is to be freed. */
static cot_code properties_json(const struct cot_given_value *properties, char **ret_json, size_t *ret_size,
                                struct cot_err *err)
{
    *ret_json = NULL;
    *ret_size = 0;
    if (properties == NULL)
        return COT_OK;
    yyjson_mut_doc *doc = yyjson_mut_doc_new(NULL);
    yyjson_mut_val *root = yyjson_mut_obj(doc);
    yyjson_mut_doc_set_root(doc, root);
    for (const struct cot_given_value *given = properties; given != NULL; given = given->next)
        yyjson_mut_obj_put(root, yyjson_mut_strn(doc, given->key.data, given->key.size),
                           yyjson_mut_strn(doc, given->value.word.data, given->value.word.size));
    *ret_json = yyjson_mut_write(doc, YYJSON_WRITE_NOFLAG, ret_size);
    yyjson_mut_doc_free(doc);
    return *ret_json != NULL ? COT_OK : cot_fail(err, COT_NOMEM, "properties of an event");
}

static int64_t minor(double amount)
{
    return isnan(amount) ? COT_UNKNOWN_MINOR : (int64_t)llround(amount * MINOR_PER_UNIT);
}

static cot_code give_event(struct world *world, const struct cot_given_event *given, struct cot_err *err)
{
    char *json = NULL;
    size_t json_size = 0;
    enum cot_event_kind kind = given->kind;
    double amount = isnan(given->amount) ? 0 : given->amount;
    if (given->name.data != NULL)
        (void)cot_event_kind_from_spelling(given->name, &kind);
    struct cot_live_event event = {.kind = kind,
                                   .channel = given->channel,
                                   .occurred_at_ms = given->at_ms,
                                   .order = cot_order_hash(given->order.data, given->order.size),
                                   .quantity = isnan(given->quantity) ? 0 : given->quantity,
                                   .amount_minor = minor(kind == COT_EVENT_REFUND ? -fabs(amount) : amount),
                                   .discount_minor = minor(given->discount),
                                   .cost_minor = COT_UNKNOWN_MINOR};
    cot_code rc = give_item(world, given, &event.item, err);
    if (rc == COT_OK)
        rc = properties_json(given->properties, &json, &json_size, err);
    if (rc == COT_OK)
        rc = cot_live_shop_event(world->live, &event, given->name, (struct cot_text){json, (uint32_t)json_size}, err);
    free(json);
    return rc;
}

static bool is_given(const struct cot_segment_test *test, struct cot_text name)
{
    for (const struct cot_given_segment *given = test->segments; given != NULL; given = given->next)
        if (given->name.size == name.size && memcmp(given->name.data, name.data, name.size) == 0)
            return true;
    return false;
}

static cot_code put_rule(struct world *world, const char *name, const char *text, struct cot_err *err)
{
    struct cot_rule_shop shop = over(world);
    struct cot_segment_rule *rule = NULL;
    cot_code rc = cot_rule_segments_check(world->segments, name, text, strlen(text), &rule, err);
    return rc == COT_OK ? cot_rule_segments_put(world->segments, &shop, name, 1, 0, rule, err) : rc;
}

/* Stands for another segment: everybody is in it, or nobody. */
static cot_code put_other(struct world *world, struct cot_text name, bool member, struct cot_err *err)
{
    char *copy = strndup(name.data, name.size);
    cot_code rc = copy == NULL ? cot_fail(err, COT_NOMEM, "a test")
                               : put_rule(world, copy, member ? "count(any) >= 0" : "count(any) < 0", err);
    free(copy);
    return rc;
}

static cot_code give_all(struct world *world, const struct cot_segment_file *file, const struct cot_segment_test *test,
                         struct cot_err *err)
{
    const struct cot_segment_rule *rule = cot_segment_file_rule(file);
    const char *name = cot_segment_file_name(file);
    cot_code rc = COT_OK;
    for (const struct cot_given_event *given = test->events; rc == COT_OK && given != NULL; given = given->next)
        rc = give_event(world, given, err);
    for (const struct cot_given_value *given = test->traits; rc == COT_OK && given != NULL; given = given->next)
        rc = cot_live_shop_trait(world->live, 0, given->key, given->value.word, given->value.number, COT_TIMELESS, err);
    for (size_t i = 0; rc == COT_OK && i < cot_segment_rule_n_references(rule); i++) {
        struct cot_text other = cot_segment_rule_reference(rule, i);
        rc = put_other(world, other, is_given(test, other), err);
    }
    return rc == COT_OK ? put_rule(world, name, cot_segment_rule_text(rule), err) : rc;
}

/* Why the customer is, or is not, in the segment. */
static cot_code add_conditions(struct world *world, const char *name, yyjson_mut_doc *doc, yyjson_mut_val *failure,
                               struct cot_err *err)
{
    size_t i;
    size_t n;
    yyjson_mut_val *rule;
    struct cot_rule_shop shop = over(world);
    yyjson_mut_val *all = yyjson_mut_obj(doc);
    cot_code rc = cot_rule_segments_explain(world->segments, &shop, 0, NULL, doc, all, err);
    yyjson_mut_arr_foreach(yyjson_mut_obj_get(all, "rules"), i, n, rule)
    {
        if (strcmp(yyjson_mut_get_str(yyjson_mut_obj_get(rule, "name")), name) == 0)
            yyjson_mut_obj_add_val(doc, failure, "conditions", yyjson_mut_obj_remove_key(rule, "conditions"));
    }
    return rc;
}

/* One entry of "failures" where a member is none, or the other way round. */
static cot_code check(struct world *world, const char *name, const struct cot_segment_test *test,
                      const struct cot_segment_expectation *expectation, yyjson_mut_doc *doc, yyjson_mut_val *failures,
                      bool *ret_passed, struct cot_err *err)
{
    struct cot_rule_shop shop = over(world);
    cot_code rc = cot_rule_segments_tick(world->segments, &shop, expectation->at_ms, err);
    if (rc == COT_OK) /* rules on features are looked at by the hour, else */
        rc = cot_rule_segments_touch(world->segments, &shop, 0, err);
    if (rc != COT_OK)
        return rc;
    size_t i = cot_rule_segments_find(world->segments, name, strlen(name));
    bool member = cot_rule_segments_has(world->segments, i, 0);
    *ret_passed = member == expectation->member;
    if (*ret_passed)
        return COT_OK;
    yyjson_mut_val *failure = yyjson_mut_arr_add_obj(doc, failures);
    yyjson_mut_obj_add_strncpy(doc, failure, "test", test->name.data, test->name.size);
    yyjson_mut_obj_add_uint(doc, failure, "line", expectation->line);
    cot_json_add_time(doc, failure, "at", expectation->at_ms);
    yyjson_mut_obj_add_str(doc, failure, "expected", expectation->member ? "member" : "not member");
    yyjson_mut_obj_add_str(doc, failure, "found", member ? "member" : "not member");
    return add_conditions(world, name, doc, failure, err);
}

static cot_code run_one(const struct cot_segment_file *file, const struct cot_segment_test *test, yyjson_mut_doc *doc,
                        yyjson_mut_val *failures, bool *ret_passed, struct cot_err *err)
{
    struct world world = {0};
    *ret_passed = true;
    cot_code rc = make_world(file, test->at_ms, &world, err);
    if (rc == COT_OK)
        rc = give_all(&world, file, test, err);
    const struct cot_segment_expectation *expectation = test->expectations;
    for (; rc == COT_OK && *ret_passed && expectation != NULL; expectation = expectation->next)
        rc = check(&world, cot_segment_file_name(file), test, expectation, doc, failures, ret_passed, err);
    release(&world);
    return rc;
}

cot_code cot_rule_tests_run(const struct cot_segment_file *file, yyjson_mut_doc *doc, yyjson_mut_val *root,
                            size_t *ret_n_failed, struct cot_err *err)
{
    size_t n = 0;
    size_t n_failed = 0;
    cot_code rc = COT_OK;
    yyjson_mut_val *failures = yyjson_mut_arr(doc);
    for (const struct cot_segment_test *test = cot_segment_file_tests(file); rc == COT_OK && test != NULL;
         test = test->next) {
        bool passed = false;
        rc = run_one(file, test, doc, failures, &passed, err);
        n++;
        n_failed += !passed;
    }
    if (rc != COT_OK)
        return rc;
    yyjson_mut_obj_add_uint(doc, root, "tests", n);
    yyjson_mut_obj_add_uint(doc, root, "failed", n_failed);
    yyjson_mut_obj_add_val(doc, root, "failures", failures);
    *ret_n_failed = n_failed;
    return COT_OK;
}

static const char *text_of(yyjson_mut_val *object, const char *key)
{
    return yyjson_mut_get_str(yyjson_mut_obj_get(object, key));
}

cot_code cot_rule_tests_pass(const struct cot_segment_file *file, uint64_t *ret_n, struct cot_err *err)
{
    size_t n_failed = 0;
    yyjson_mut_doc *doc = NULL;
    yyjson_mut_val *root = NULL;
    cot_code rc = cot_json_document(&doc, &root, err);
    if (rc == COT_OK)
        rc = cot_rule_tests_run(file, doc, root, &n_failed, err);
    yyjson_mut_val *failure = yyjson_mut_arr_get_first(yyjson_mut_obj_get(root, "failures"));
    if (rc == COT_OK && failure != NULL)
        rc = cot_fail(err, COT_BAD_DATA, "line %llu: test \"%s\" expects %s and finds %s",
                      (unsigned long long)yyjson_mut_get_uint(yyjson_mut_obj_get(failure, "line")),
                      text_of(failure, "test"), text_of(failure, "expected"), text_of(failure, "found"));
    if (rc == COT_OK)
        *ret_n = yyjson_mut_get_uint(yyjson_mut_obj_get(root, "tests"));
    yyjson_mut_doc_free(doc);
    return rc;
}

struct totals {
    uint64_t n_tests;
    size_t n_failed, n_unusable;
};

static cot_code run_file(const struct cot_rule_file *file, yyjson_mut_doc *doc, yyjson_mut_val *array,
                         struct totals *totals, struct cot_err *err)
{
    size_t n_failed = 0;
    yyjson_mut_val *object = yyjson_mut_arr_add_obj(doc, array);
    yyjson_mut_obj_add_strcpy(doc, object, "path", file->path);
    if (file->file == NULL) {
        yyjson_mut_obj_add_strcpy(doc, object, "error", file->err.message);
        totals->n_unusable++;
        return COT_OK;
    }
    yyjson_mut_obj_add_strcpy(doc, object, "name", cot_segment_file_name(file->file));
    cot_code rc = cot_rule_tests_run(file->file, doc, object, &n_failed, err);
    totals->n_tests += yyjson_mut_get_uint(yyjson_mut_obj_get(object, "tests"));
    totals->n_failed += n_failed;
    return rc;
}

cot_code cot_rule_tests_run_files(const char *const *paths, size_t n, yyjson_mut_doc **ret_doc, struct cot_err *err)
{
    struct cot_rule_files files = {0};
    struct totals totals = {0};
    yyjson_mut_doc *doc = NULL;
    yyjson_mut_val *root = NULL;
    cot_code rc = cot_json_document(&doc, &root, err);
    yyjson_mut_val *array = yyjson_mut_obj_add_arr(doc, root, "files");
    if (rc == COT_OK)
        rc = cot_rule_files_read(paths, n, &files, err);
    if (rc == COT_OK && files.n == 0)
        rc = cot_fail(err, COT_NOT_FOUND, "'%s' has no file that ends with " COT_RULE_FILE_SUFFIX, paths[0]);
    for (size_t i = 0; i < files.n && rc == COT_OK; i++)
        rc = run_file(&files.files[i], doc, array, &totals, err);
    cot_rule_files_release(&files);
    yyjson_mut_obj_add_uint(doc, root, "tests", totals.n_tests);
    yyjson_mut_obj_add_uint(doc, root, "failed", totals.n_failed);
    yyjson_mut_obj_add_uint(doc, root, "unusable", totals.n_unusable);
    return cot_json_finish(rc, doc, ret_doc);
}
