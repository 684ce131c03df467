#include "engine/rule_segments.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "domain/feature_catalogue.h"
#include "engine/live_profile.h"
#include "store/store.h"

struct segment {
    char *name;
    struct cot_segment_rule *rule;
    int32_t version;
    int64_t created_at_ms;
    uint8_t *members; /* by node: of customers' smallest ones */
    size_t members_capacity;
    uint64_t n_members;
};

/* A moment at which a customer is to be looked at again. */
struct timer {
    int64_t at_ms;
    uint32_t root;
};

struct cot_rule_segments {
    struct segment *segments; /* each after those that it asks for */
    size_t n, capacity;
    size_t n_nodes;    /* of every member array, and of timer_at */
    int64_t *timer_at; /* by node: the moment kept; COT_RULE_NEVER: none */
    size_t timer_at_capacity;
    struct timer *heap; /* a binary heap, the earliest first; those that differ from timer_at are void */
    size_t n_heap, heap_capacity;
    cot_rule_evaluated *on_change; /* NULL: nobody is told */
    void *context;                 /* its */
};

/* Evaluating one customer. */
struct look {
    const struct cot_rule_shop *over;
    struct cot_rule_segments *segments;
    uint32_t root;
    const struct cot_customer *customer; /* features; NULL: not asked for yet */
    bool failed;                         /* out of memory */
    char word[COT_LIVE_WORD_SIZE];
};

void cot_rule_segments_free(struct cot_rule_segments *segments)
{
    if (segments == NULL)
        return;
    for (size_t i = 0; i < segments->n; i++) {
        free(segments->segments[i].name);
        free(segments->segments[i].members);
        cot_segment_rule_free(segments->segments[i].rule);
    }
    free(segments->segments);
    free(segments->timer_at);
    free(segments->heap);
    free(segments);
}

static size_t find(const struct cot_rule_segments *segments, const char *name, size_t size)
{
    for (size_t i = 0; i < segments->n; i++)
        if (strlen(segments->segments[i].name) == size && memcmp(segments->segments[i].name, name, size) == 0)
            return i;
    return SIZE_MAX;
}

void cot_rule_segments_watch(struct cot_rule_segments *segments, cot_rule_evaluated *on_change, void *context)
{
    segments->on_change = on_change;
    segments->context = context;
}

size_t cot_rule_segments_n(const struct cot_rule_segments *segments)
{
    return segments->n;
}

struct cot_rule_standing cot_rule_segments_at(const struct cot_rule_segments *segments, size_t i)
{
    const struct segment *segment = &segments->segments[i];
    return (struct cot_rule_standing){segment->name, segment->version, segment->created_at_ms, segment->n_members};
}

bool cot_rule_segments_has(const struct cot_rule_segments *segments, size_t i, uint32_t root)
{
    const struct segment *segment = &segments->segments[i];
    return root < segment->members_capacity && segment->members[root] != 0;
}

/* Timers */

static bool heap_push(struct cot_rule_segments *segments, int64_t at_ms, uint32_t root)
{
    void *grown =
        cot_array_reserve(segments->heap, &segments->heap_capacity, segments->n_heap + 1, sizeof *segments->heap);
    if (grown == NULL)
        return false;
    segments->heap = grown;
    size_t i = segments->n_heap++;
    for (; i > 0 && segments->heap[(i - 1) / 2].at_ms > at_ms; i = (i - 1) / 2)
        segments->heap[i] = segments->heap[(i - 1) / 2];
    segments->heap[i] = (struct timer){at_ms, root};
    return true;
}

static struct timer heap_pop(struct cot_rule_segments *segments)
{
    struct timer *heap = segments->heap;
    struct timer first = heap[0];
    struct timer last = heap[--segments->n_heap];
    size_t i = 0;
    for (size_t child = 1; child < segments->n_heap; child = 2 * i + 1) {
        if (child + 1 < segments->n_heap && heap[child + 1].at_ms < heap[child].at_ms)
            child++;
        if (heap[child].at_ms >= last.at_ms)
            break;
        heap[i] = heap[child];
        i = child;
    }
    heap[i] = last;
    return first;
}

int64_t cot_rule_segments_next_ms(const struct cot_rule_segments *segments)
{
    return segments->n_heap > 0 ? segments->heap[0].at_ms : COT_RULE_NEVER;
}

/* Room for every node that there is. */
static cot_code reach(struct cot_rule_segments *segments, const struct cot_rule_shop *over, struct cot_err *err)
{
    size_t n = cot_live_n_nodes(over->live->live);
    void *grown =
        cot_array_reserve(segments->timer_at, &segments->timer_at_capacity, n + 1, sizeof *segments->timer_at);
    if (grown == NULL)
        return cot_fail(err, COT_NOMEM, "segments of %zu nodes", n);
    segments->timer_at = grown;
    for (size_t i = 0; i < segments->n; i++) {
        struct segment *segment = &segments->segments[i];
        size_t before = segment->members_capacity;
        grown = cot_array_reserve(segment->members, &segment->members_capacity, n + 1, 1);
        if (grown == NULL)
            return cot_fail(err, COT_NOMEM, "segments of %zu nodes", n);
        segment->members = grown;
        memset(segment->members + before, 0, segment->members_capacity - before);
    }
    for (; segments->n_nodes < n; segments->n_nodes++)
        segments->timer_at[segments->n_nodes] = COT_RULE_NEVER;
    return COT_OK;
}

/* What rules ask for (struct cot_rule_view) */

static uint32_t item_code(void *context, struct cot_text word)
{
    const struct look *look = context;
    return cot_dict_find(&look->over->shop->items, 0, word.data, word.size);
}

static uint32_t category_code(void *context, struct cot_text word)
{
    const struct look *look = context;
    return cot_dict_find(&look->over->live->categories, 0, word.data, word.size);
}

static uint32_t brand_code(void *context, struct cot_text word)
{
    const struct look *look = context;
    return cot_dict_find(&look->over->live->brands, 0, word.data, word.size);
}

static struct cot_rule_item item_of(void *context, uint32_t item)
{
    const struct cot_live_shop *live = ((const struct look *)context)->over->live;
    if (item >= live->n_items)
        return (struct cot_rule_item){COT_DICT_NONE, COT_DICT_NONE};
    return (struct cot_rule_item){live->items[item].category, live->items[item].brand};
}

static bool trait_of(void *context, struct cot_text key, struct cot_rule_value *ret_value)
{
    const struct look *look = context;
    const struct cot_live_shop *live = look->over->live;
    uint32_t code = cot_dict_find(&live->words.keys, 0, key.data, key.size);
    const struct cot_trait_fact *fact = code != COT_DICT_NONE ? cot_live_best_trait(live, look->root, code) : NULL;
    /* A trait that was taken back has neither number nor word; the words of identifying ones are not held. */
    if (fact == NULL ||
        (isnan(fact->number) && fact->value == COT_DICT_NONE && live->words.roles[code] != COT_TRAIT_IDENTIFYING))
        return false;
    ret_value->number = (double)fact->number;
    if (fact->value != COT_DICT_NONE) {
        const struct cot_dict_entry *word = cot_dict_entry(&live->words.values, fact->value);
        ret_value->word = (struct cot_text){word->text, word->size};
    }
    return true;
}

static bool feature_of(void *context, size_t i_feature, struct cot_rule_value *ret_value)
{
    struct look *look = context;
    const struct cot_feature *feature = &cot_features[i_feature];
    if (look->customer == NULL &&
        cot_live_customer(look->over->live->live, look->root, &look->customer, NULL) != COT_OK) {
        look->failed = true;
        return false;
    }
    float value = feature->value(look->customer);
    if (feature->labels == COT_LABELS_NONE) {
        ret_value->number = (double)value;
        return !isnan(value);
    }
    const char *word = cot_live_word(look->over->live, feature, value, look->word);
    if (word != NULL)
        ret_value->word = (struct cot_text){word, (uint32_t)strlen(word)};
    return word != NULL;
}

static bool segment_of(void *context, struct cot_text name)
{
    const struct look *look = context;
    size_t i = find(look->segments, name.data, name.size);
    return i != SIZE_MAX && look->segments->segments[i].members[look->root] != 0;
}

static cot_code make_view(struct look *look, struct cot_rule_view *ret_view, struct cot_err *err)
{
    struct cot_live_shop *live = look->over->live;
    *ret_view = (struct cot_rule_view){.lines = cot_live_lines(live->live),
                                       .zone = live->zone,
                                       .now_ms = cot_live_now_ms(live->live),
                                       .minor_per_unit = live->minor_per_unit,
                                       .context = look,
                                       .item_code = item_code,
                                       .category_code = category_code,
                                       .brand_code = brand_code,
                                       .item = item_of,
                                       .trait = trait_of,
                                       .feature = feature_of,
                                       .segment = segment_of};
    return cot_live_run(live->live, look->root, &ret_view->run, err);
}

/* A set of nodes of which something is known. */
static bool is_customer(const struct cot_rule_shop *over, uint32_t root, const struct cot_run *run)
{
    size_t n = 0;
    if (run->n > 0)
        return true;
    const uint32_t *members = cot_live_members(over->live->live, &root, &n);
    for (size_t i = 0; i < n; i++) {
        size_t n_traits = 0;
        (void)cot_live_traits(over->live->live, members[i], &n_traits);
        if (n_traits > 0)
            return true;
    }
    return false;
}

static void set_member(struct segment *segment, uint32_t root, bool member)
{
    segment->n_members += (uint64_t)member - segment->members[root];
    segment->members[root] = member;
}

/* All segments of one customer, and when to look again. The arrays have room. */
static cot_code evaluate(struct cot_rule_segments *segments, const struct cot_rule_shop *over, uint32_t root,
                         struct cot_err *err)
{
    struct look look = {.over = over, .segments = segments, .root = root};
    struct cot_rule_view view;
    int64_t earliest_ms = COT_RULE_NEVER;
    size_t n = 0;
    const uint32_t *members = cot_live_members(over->live->live, &root, &n);
    for (size_t m = 0; m < n; m++) /* those that have become part of this customer */
        for (size_t i = 0; i < segments->n && members[m] != root; i++) {
            set_member(&segments->segments[i], members[m], false);
            segments->timer_at[members[m]] = COT_RULE_NEVER;
        }
    cot_code rc = make_view(&look, &view, err);
    if (rc != COT_OK)
        return rc;
    bool present = is_customer(over, root, &view.run);
    earliest_ms = cot_live_next_ms(over->live->live, root);
    for (size_t i = 0; i < segments->n; i++) {
        int64_t next_ms = COT_RULE_NEVER;
        set_member(&segments->segments[i], root,
                   present && cot_segment_rule_holds(segments->segments[i].rule, &view, &next_ms));
        if (next_ms < earliest_ms)
            earliest_ms = next_ms;
    }
    if (segments->timer_at[root] != earliest_ms) {
        segments->timer_at[root] = earliest_ms;
        look.failed |= earliest_ms != COT_RULE_NEVER && !heap_push(segments, earliest_ms, root);
    }
    if (segments->on_change != NULL && !look.failed)
        segments->on_change(segments->context, segments, root);
    return look.failed ? cot_fail(err, COT_NOMEM, "segments of a customer") : COT_OK;
}

cot_code cot_rule_segments_touch(struct cot_rule_segments *segments, const struct cot_rule_shop *over, uint32_t node,
                                 struct cot_err *err)
{
    if (segments->n == 0)
        return COT_OK;
    cot_code rc = reach(segments, over, err);
    return rc == COT_OK ? evaluate(segments, over, cot_live_root(over->live->live, node), err) : rc;
}

cot_code cot_rule_segments_tick(struct cot_rule_segments *segments, const struct cot_rule_shop *over,
                                struct cot_err *err)
{
    cot_code rc = COT_OK;
    int64_t now_ms = cot_live_now_ms(over->live->live);
    while (segments->n_heap > 0 && segments->heap[0].at_ms <= now_ms && rc == COT_OK) {
        struct timer timer = heap_pop(segments);
        if (segments->timer_at[timer.root] != timer.at_ms)
            continue;
        segments->timer_at[timer.root] = COT_RULE_NEVER;
        rc = evaluate(segments, over, timer.root, err);
    }
    return rc;
}

static cot_code evaluate_all(struct cot_rule_segments *segments, const struct cot_rule_shop *over, struct cot_err *err)
{
    cot_code rc = segments->n > 0 ? reach(segments, over, err) : COT_OK;
    segments->n_heap = 0;
    for (size_t i = 0; i < segments->n_nodes; i++)
        segments->timer_at[i] = COT_RULE_NEVER;
    for (uint32_t node = 0; rc == COT_OK && segments->n > 0 && node < segments->n_nodes; node++)
        if (cot_live_root(over->live->live, node) == node)
            rc = evaluate(segments, over, node, err);
    return rc;
}

/* The set itself */

/* Does the segment at index i ask for `name`, by itself or through others? */
static bool asks_for(const struct cot_rule_segments *segments, const struct cot_segment_rule *rule, const char *name,
                     unsigned depth)
{
    for (size_t i = 0; i < cot_segment_rule_n_references(rule); i++) {
        struct cot_text reference = cot_segment_rule_reference(rule, i);
        size_t found = find(segments, reference.data, reference.size);
        if (strlen(name) == reference.size && memcmp(name, reference.data, reference.size) == 0)
            return true;
        if (found != SIZE_MAX && depth < COT_RULE_MAX_SEGMENTS &&
            asks_for(segments, segments->segments[found].rule, name, depth + 1))
            return true;
    }
    return false;
}

cot_code cot_rule_segments_check(const struct cot_rule_segments *segments, const char *name, const char *text,
                                 size_t size, struct cot_segment_rule **ret_rule, struct cot_err *err)
{
    struct cot_segment_rule *rule = NULL;
    cot_code rc = cot_segment_rule_parse(text, size, &rule, NULL, err);
    for (size_t i = 0; rc == COT_OK && i < cot_segment_rule_n_references(rule); i++) {
        struct cot_text reference = cot_segment_rule_reference(rule, i);
        bool itself =
            name != NULL && strlen(name) == reference.size && memcmp(name, reference.data, reference.size) == 0;
        if (!itself && find(segments, reference.data, reference.size) == SIZE_MAX)
            rc = cot_fail(err, COT_BAD_DATA, "there is no segment \"%.*s\" to ask for: make it first",
                          (int)(reference.size < 60 ? reference.size : 60), reference.data);
    }
    if (rc == COT_OK && name != NULL && asks_for(segments, rule, name, 0))
        rc = cot_fail(err, COT_BAD_DATA, "segment \"%.60s\" would ask for itself, directly or through another", name);
    if (rc == COT_OK)
        *ret_rule = rule;
    else
        cot_segment_rule_free(rule);
    return rc;
}

/* Each after those that it asks for: a segment moves behind the last of them. No cycles: it ends. */
static void order(struct cot_rule_segments *segments)
{
    for (size_t i = 0; i < segments->n;) {
        size_t last = i;
        const struct cot_segment_rule *rule = segments->segments[i].rule;
        for (size_t j = 0; j < cot_segment_rule_n_references(rule); j++) {
            struct cot_text reference = cot_segment_rule_reference(rule, j);
            size_t found = find(segments, reference.data, reference.size);
            if (found != SIZE_MAX && found > last)
                last = found;
        }
        if (last == i) {
            i++;
            continue;
        }
        struct segment moved = segments->segments[i];
        memmove(&segments->segments[i], &segments->segments[i + 1], (last - i) * sizeof moved);
        segments->segments[last] = moved;
    }
}

static cot_code put(struct cot_rule_segments *segments, const char *name, int32_t version, int64_t created_at_ms,
                    struct cot_segment_rule *rule, struct cot_err *err)
{
    size_t i = find(segments, name, strlen(name));
    if (i == SIZE_MAX) {
        void *grown =
            cot_array_reserve(segments->segments, &segments->capacity, segments->n + 1, sizeof *segments->segments);
        char *copy = strdup(name);
        if (grown != NULL)
            segments->segments = grown;
        if (grown == NULL || copy == NULL) {
            free(copy);
            cot_segment_rule_free(rule);
            return cot_fail(err, COT_NOMEM, "segment '%.60s'", name);
        }
        i = segments->n++;
        segments->segments[i] = (struct segment){.name = copy};
    }
    cot_segment_rule_free(segments->segments[i].rule);
    segments->segments[i].rule = rule;
    segments->segments[i].version = version;
    segments->segments[i].created_at_ms = created_at_ms;
    return COT_OK;
}

cot_code cot_rule_segments_put(struct cot_rule_segments *segments, const struct cot_rule_shop *over, const char *name,
                               int32_t version, int64_t created_at_ms, struct cot_segment_rule *rule,
                               struct cot_err *err)
{
    cot_code rc = put(segments, name, version, created_at_ms, rule, err);
    order(segments);
    return rc == COT_OK ? evaluate_all(segments, over, err) : rc;
}

cot_code cot_rule_segments_check_delete(const struct cot_rule_segments *segments, const char *name, struct cot_err *err)
{
    if (find(segments, name, strlen(name)) == SIZE_MAX)
        return cot_fail(err, COT_NOT_FOUND, "no segment '%.60s'", name);
    for (size_t i = 0; i < segments->n; i++)
        if (asks_for(segments, segments->segments[i].rule, name, COT_RULE_MAX_SEGMENTS))
            return cot_fail(err, COT_USAGE, "segment '%.60s' asks for it: change or delete that one first",
                            segments->segments[i].name);
    return COT_OK;
}

void cot_rule_segments_delete(struct cot_rule_segments *segments, const char *name)
{
    size_t i = find(segments, name, strlen(name));
    if (i == SIZE_MAX)
        return;
    free(segments->segments[i].name);
    free(segments->segments[i].members);
    cot_segment_rule_free(segments->segments[i].rule);
    memmove(&segments->segments[i], &segments->segments[i + 1], (segments->n - i - 1) * sizeof *segments->segments);
    segments->n--;
}

cot_code cot_rule_segments_load(struct cot_store *store, const struct cot_rule_shop *over,
                                struct cot_rule_segments **ret_segments, struct cot_err *err)
{
    struct cot_rows *rows = NULL;
    bool more = false;
    struct cot_rule_segments *segments = calloc(1, sizeof *segments);
    if (segments == NULL)
        return cot_fail(err, COT_NOMEM, "segments");
    cot_code rc = cot_rows_open(store, &rows, err,
                                "select name, max(version) as version, arg_max(rule, version), max(created_at) from"
                                " (select name, version, coalesce(rule, '') as rule, created_at from rule_segment)"
                                " group by name having arg_max(rule, version) <> '' order by name");
    while (rc == COT_OK && (rc = cot_rows_next(rows, &more, err)) == COT_OK && more) {
        char name[COT_RULE_MAX_NAME + 1] = "";
        size_t size = 0;
        struct cot_segment_rule *rule = NULL;
        const char *text = cot_rows_text(rows, 0, &size);
        memcpy(name, text, size < COT_RULE_MAX_NAME ? size : COT_RULE_MAX_NAME);
        text = cot_rows_text(rows, 2, &size);
        rc = cot_segment_rule_parse(text, size, &rule, NULL, err);
        if (rc == COT_OK)
            rc = put(segments, name, (int32_t)cot_rows_int(rows, 1), cot_rows_int(rows, 3), rule, err);
        else
            rc = cot_err_prefix(err, rc, "segment '%s' as it is stored", name);
    }
    cot_rows_close(rows);
    order(segments);
    if (rc == COT_OK)
        rc = evaluate_all(segments, over, err);
    if (rc == COT_OK)
        *ret_segments = segments;
    else
        cot_rule_segments_free(segments);
    return rc;
}

/* Documents */

static void describe(const struct segment *segment, yyjson_mut_doc *doc, yyjson_mut_val *object)
{
    char text[COT_TIME_TEXT_SIZE];
    cot_format_time(segment->created_at_ms, text, sizeof text);
    yyjson_mut_obj_add_strcpy(doc, object, "name", segment->name);
    yyjson_mut_obj_add_int(doc, object, "version", segment->version);
    yyjson_mut_obj_add_strcpy(doc, object, "rule", cot_segment_rule_text(segment->rule));
    yyjson_mut_obj_add_uint(doc, object, "members", segment->n_members);
    yyjson_mut_obj_add_strcpy(doc, object, "created_at", text);
}

cot_code cot_rule_segments_describe(const struct cot_rule_segments *segments, const char *name, yyjson_mut_doc *doc,
                                    yyjson_mut_val *root, struct cot_err *err)
{
    if (name != NULL) {
        size_t i = find(segments, name, strlen(name));
        if (i == SIZE_MAX)
            return cot_fail(err, COT_NOT_FOUND, "no segment '%.60s': GET /v1/segments lists them", name);
        describe(&segments->segments[i], doc, root);
        return COT_OK;
    }
    yyjson_mut_val *array = yyjson_mut_obj_add_arr(doc, root, "segments");
    for (size_t i = 0; i < segments->n; i++)
        describe(&segments->segments[i], doc, yyjson_mut_arr_add_obj(doc, array));
    return COT_OK;
}

static void add_customer(const struct cot_rule_shop *over, uint32_t node, yyjson_mut_doc *doc, yyjson_mut_val *array)
{
    yyjson_mut_val *object = yyjson_mut_obj(doc);
    cot_live_add_customer_id(over->live, &over->shop->nodes, node, doc, object, "id");
    yyjson_mut_arr_append(array, yyjson_mut_obj_remove_key(object, "id"));
}

cot_code cot_rule_segments_members(const struct cot_rule_segments *segments, const struct cot_rule_shop *over,
                                   const char *name, uint32_t from, size_t limit, yyjson_mut_doc *doc,
                                   yyjson_mut_val *root, struct cot_err *err)
{
    size_t i = find(segments, name, strlen(name));
    size_t n = 0;
    uint32_t node = from;
    if (i == SIZE_MAX)
        return cot_fail(err, COT_NOT_FOUND, "no segment '%.60s': GET /v1/segments lists them", name);
    yyjson_mut_obj_add_strcpy(doc, root, "name", name);
    yyjson_mut_val *array = yyjson_mut_obj_add_arr(doc, root, "members");
    for (; node < segments->n_nodes && n < limit; node++)
        if (segments->segments[i].members[node]) {
            add_customer(over, node, doc, array);
            n++;
        }
    if (node < segments->n_nodes)
        yyjson_mut_obj_add_uint(doc, root, "next", node);
    else
        yyjson_mut_obj_add_null(doc, root, "next");
    return COT_OK;
}

struct preview {
    uint64_t n_customers, n, n_enter, n_leave;
    uint64_t both[COT_RULE_MAX_SEGMENTS];
};

static void count_preview(const struct cot_rule_segments *segments, size_t i_same, uint32_t root, bool holds,
                          struct preview *preview)
{
    bool before = i_same != SIZE_MAX && segments->segments[i_same].members[root];
    preview->n_customers++;
    preview->n += holds;
    preview->n_enter += holds && !before;
    preview->n_leave += !holds && before;
    for (size_t i = 0; holds && i < segments->n; i++)
        preview->both[i] += segments->segments[i].members[root];
}

cot_code cot_rule_segments_preview(struct cot_rule_segments *segments, const struct cot_rule_shop *over,
                                   const char *name, const struct cot_segment_rule *rule, yyjson_mut_doc *doc,
                                   yyjson_mut_val *root, struct cot_err *err)
{
    struct preview preview = {0};
    size_t i_same = name != NULL ? find(segments, name, strlen(name)) : SIZE_MAX;
    yyjson_mut_val *sample = yyjson_mut_arr(doc);
    cot_code rc = reach(segments, over, err);
    for (uint32_t node = 0; rc == COT_OK && node < segments->n_nodes; node++) {
        struct look look = {.over = over, .segments = segments, .root = node};
        struct cot_rule_view view;
        int64_t ignored = 0;
        if (cot_live_root(over->live->live, node) != node)
            continue;
        rc = make_view(&look, &view, err);
        if (rc != COT_OK || !is_customer(over, node, &view.run))
            continue;
        bool holds = cot_segment_rule_holds(rule, &view, &ignored);
        if (holds && preview.n < COT_RULE_SAMPLE)
            add_customer(over, node, doc, sample);
        count_preview(segments, i_same, node, holds, &preview);
        if (look.failed)
            rc = cot_fail(err, COT_NOMEM, "a preview");
    }
    yyjson_mut_obj_add_uint(doc, root, "customers", preview.n_customers);
    yyjson_mut_obj_add_uint(doc, root, "count", preview.n);
    yyjson_mut_obj_add_val(doc, root, "sample", sample);
    yyjson_mut_val *overlap = yyjson_mut_obj_add_arr(doc, root, "overlap");
    for (size_t i = 0; i < segments->n; i++) {
        yyjson_mut_val *other = yyjson_mut_arr_add_obj(doc, overlap);
        yyjson_mut_obj_add_strcpy(doc, other, "name", segments->segments[i].name);
        yyjson_mut_obj_add_uint(doc, other, "members", segments->segments[i].n_members);
        yyjson_mut_obj_add_uint(doc, other, "both", preview.both[i]);
    }
    yyjson_mut_obj_add_uint(doc, root, "enter", preview.n_enter);
    yyjson_mut_obj_add_uint(doc, root, "leave", preview.n_leave);
    return rc;
}

struct telling {
    yyjson_mut_doc *doc;
    yyjson_mut_val *array;
};

static void tell(void *context, struct cot_text condition, bool holds)
{
    struct telling *telling = context;
    yyjson_mut_val *object = yyjson_mut_arr_add_obj(telling->doc, telling->array);
    yyjson_mut_obj_add_strncpy(telling->doc, object, "condition", condition.data, condition.size);
    yyjson_mut_obj_add_bool(telling->doc, object, "holds", holds);
}

cot_code cot_rule_segments_of(struct cot_rule_segments *segments, const struct cot_rule_shop *over, uint32_t node,
                              bool explain, yyjson_mut_doc *doc, yyjson_mut_val *root, struct cot_err *err)
{
    struct look look = {.over = over, .segments = segments, .root = cot_live_root(over->live->live, node)};
    struct cot_rule_view view;
    yyjson_mut_val *array = yyjson_mut_obj_add_arr(doc, root, "rules");
    cot_code rc = reach(segments, over, err);
    if (rc == COT_OK)
        rc = make_view(&look, &view, err);
    for (size_t i = 0; rc == COT_OK && i < segments->n; i++) {
        const struct segment *segment = &segments->segments[i];
        bool member = segment->members[look.root] != 0;
        if (!explain) {
            if (member)
                yyjson_mut_arr_add_strcpy(doc, array, segment->name);
            continue;
        }
        yyjson_mut_val *object = yyjson_mut_arr_add_obj(doc, array);
        yyjson_mut_obj_add_strcpy(doc, object, "name", segment->name);
        yyjson_mut_obj_add_bool(doc, object, "member", member);
        struct telling telling = {doc, yyjson_mut_obj_add_arr(doc, object, "conditions")};
        cot_segment_rule_explain(segment->rule, &view, tell, &telling);
    }
    return rc;
}
