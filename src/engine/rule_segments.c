#include "engine/rule_segments.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "engine/rule_parts.h"
#include "store/store.h"

static void segment_release(struct cot_rule_segment *segment)
{
    free(segment->name);
    free(segment->text);
    free(segment->mistake);
    free(segment->members);
    cot_segment_rule_free(segment->rule);
}

void cot_rule_segments_free(struct cot_rule_segments *segments)
{
    if (segments == NULL)
        return;
    for (size_t i = 0; i < segments->n; i++)
        segment_release(&segments->segments[i]);
    free(segments->segments);
    free(segments->items_changed);
    cot_rule_timers_release(&segments->timers);
    free(segments);
}

cot_code cot_rule_segments_new(struct cot_rule_segments **ret_segments, struct cot_err *err)
{
    *ret_segments = calloc(1, sizeof **ret_segments);
    return *ret_segments != NULL ? COT_OK : cot_fail(err, COT_NOMEM, "segments");
}

void cot_rule_segments_share(struct cot_rule_segments *segments, struct cot_state_lock *lock)
{
    segments->lock = lock;
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
    const struct cot_rule_segment *segment = &segments->segments[i];
    return (struct cot_rule_standing){segment->name, segment->version, segment->created_at_ms, segment->n_members};
}

const uint64_t *cot_rule_segments_bits(const struct cot_rule_segments *segments, size_t i, size_t *ret_n)
{
    *ret_n = (segments->n_nodes + 63) / 64;
    return segments->segments[i].members;
}

bool cot_rule_segments_has(const struct cot_rule_segments *segments, size_t i, uint32_t root)
{
    return root < segments->n_nodes && cot_rule_is_member(&segments->segments[i], root);
}

size_t cot_rule_segments_find(const struct cot_rule_segments *segments, const char *name, size_t size)
{
    for (size_t i = 0; i < segments->n; i++)
        if (strlen(segments->segments[i].name) == size && memcmp(segments->segments[i].name, name, size) == 0)
            return i;
    return SIZE_MAX;
}

int64_t cot_rule_segments_next_ms(const struct cot_rule_segments *segments, const struct cot_rule_shop *over)
{
    int64_t timer_ms = cot_rule_timers_next_ms(&segments->timers);
    int64_t link_ms = cot_live_next_link_ms(over->live->live);
    return segments->n == 0 ? COT_RULE_NEVER : timer_ms < link_ms ? timer_ms : link_ms;
}

/* Members */

static cot_code segment_reach(struct cot_rule_segment *segment, size_t n_nodes, struct cot_err *err)
{
    size_t before = segment->members_capacity;
    void *grown =
        cot_array_reserve(segment->members, &segment->members_capacity, n_nodes / 64 + 1, sizeof *segment->members);
    if (grown == NULL)
        return cot_fail(err, COT_NOMEM, "segments of %zu nodes", n_nodes);
    segment->members = grown;
    memset(segment->members + before, 0, (segment->members_capacity - before) * sizeof *segment->members);
    return COT_OK;
}

/* Rules are bound again where words have come that they may name. */
static void bind_all(struct cot_rule_segments *segments, const struct cot_rule_shop *over)
{
    const struct cot_rule_bound now = {over->shop->items.n, over->live->categories.n, over->live->brands.n,
                                       over->live->event_names.n, over->live->property_words.n};
    if (memcmp(&now, &segments->bound, sizeof now) == 0)
        return;
    segments->bound = now;
    for (size_t i = 0; i < segments->n; i++)
        if (segments->segments[i].rule != NULL)
            cot_rule_bind(segments->segments[i].rule, over);
}

cot_code cot_rule_segments_reach(struct cot_rule_segments *segments, const struct cot_rule_shop *over,
                                 struct cot_err *err)
{
    size_t n = cot_live_n_nodes(over->live->live);
    cot_code rc = cot_rule_timers_reach(&segments->timers, n, err);
    for (size_t i = 0; rc == COT_OK && i < segments->n; i++)
        rc = segment_reach(&segments->segments[i], n, err);
    if (rc == COT_OK && segments->n_nodes < n)
        segments->n_nodes = n;
    if (rc == COT_OK)
        bind_all(segments, over);
    return rc;
}

static void set_member(struct cot_rule_segment *segment, uint32_t root, bool member)
{
    if (cot_rule_is_member(segment, root) == member)
        return;
    segment->members[root / 64] ^= UINT64_C(1) << root % 64;
    segment->n_members += member ? 1 : UINT64_MAX;
}

/* Those that have become part of another customer are nobody. */
static void clear_members(struct cot_rule_segments *segments, const struct cot_rule_shop *over, uint32_t root)
{
    size_t n = 0;
    const uint32_t *members = cot_live_members(over->live->live, &root, &n);
    for (size_t m = 0; m < n; m++) {
        for (size_t i = 0; i < segments->n && members[m] != root; i++)
            set_member(&segments->segments[i], members[m], false);
        if (members[m] != root)
            cot_rule_timers_set(&segments->timers, members[m], COT_RULE_NEVER);
    }
}

/* Segments of one customer, and when to look again; fresh: only those whose rule is new. The arrays have room. */
static cot_code evaluate(struct cot_rule_segments *segments, const struct cot_rule_shop *over, uint32_t root,
                         bool fresh, struct cot_err *err)
{
    struct cot_rule_look look = {.over = over, .segments = segments, .root = root};
    struct cot_rule_view view;
    clear_members(segments, over, root);
    cot_code rc = cot_rule_look_make(&look, &view, err);
    if (rc != COT_OK)
        return rc;
    bool present = cot_rule_is_customer(over, root, &view.run);
    /* The others' moment stays, or comes up again. */
    int64_t earliest_ms =
        fresh ? cot_rule_timers_at_ms(&segments->timers, root) : cot_live_next_ms(over->live->live, root);
    for (size_t i = 0; i < segments->n; i++) {
        struct cot_rule_segment *segment = &segments->segments[i];
        int64_t next_ms = COT_RULE_NEVER;
        if (fresh && !segment->is_fresh)
            continue;
        set_member(segment, root,
                   present && segment->rule != NULL && cot_segment_rule_holds(segment->rule, &view, &next_ms));
        if (next_ms < earliest_ms)
            earliest_ms = next_ms;
    }
    cot_rule_timers_set(&segments->timers, root, earliest_ms);
    if (segments->on_change != NULL && !look.failed)
        segments->on_change(segments->context, segments, root);
    return look.failed ? cot_fail(err, COT_NOMEM, "segments of a customer") : COT_OK;
}

cot_code cot_rule_segments_touch(struct cot_rule_segments *segments, const struct cot_rule_shop *over, uint32_t node,
                                 struct cot_err *err)
{
    if (segments->n == 0 || node >= cot_live_n_nodes(over->live->live)) /* nothing is known of it yet */
        return COT_OK;
    cot_code rc = cot_rule_segments_reach(segments, over, err);
    return rc == COT_OK ? evaluate(segments, over, cot_live_root(over->live->live, node), false, err) : rc;
}

/* Time */

struct joining {
    struct cot_rule_segments *segments;
    const struct cot_rule_shop *over;
    cot_code rc;
    struct cot_err *err;
};

/* The end of a link that has come into force. Others of those that come with it may still change whose it is: each is
 * looked at again then. */
static void on_joined(void *context, uint32_t node)
{
    struct joining *joining = context;
    if (joining->rc == COT_OK)
        joining->rc = cot_rule_segments_touch(joining->segments, joining->over, node, joining->err);
}

cot_code cot_rule_segments_tick(struct cot_rule_segments *segments, const struct cot_rule_shop *over, int64_t now_ms,
                                struct cot_err *err)
{
    struct joining joining = {segments, over, COT_OK, err};
    uint32_t root = 0;
    cot_code rc = cot_live_shop_tick(over->live, now_ms, on_joined, &joining, err);
    if (rc == COT_OK)
        rc = joining.rc;
    now_ms = cot_live_now_ms(over->live->live);
    while (rc == COT_OK && segments->n > 0 && cot_rule_timers_take(&segments->timers, now_ms, &root)) {
        rc = cot_rule_segments_reach(segments, over, err);
        if (rc == COT_OK)
            rc = evaluate(segments, over, root, false, err);
    }
    return rc;
}

/* Everybody; fresh: in the segments alone whose rule is new. */
static cot_code evaluate_all(struct cot_rule_segments *segments, const struct cot_rule_shop *over, bool fresh,
                             struct cot_err *err)
{
    if (!fresh)
        cot_rule_timers_clear(&segments->timers);
    segments->bound = (struct cot_rule_bound){.n_items = SIZE_MAX}; /* rules may be new */
    segments->asks_for_items = false;
    for (size_t i = 0; i < segments->n; i++)
        segments->asks_for_items |=
            segments->segments[i].rule != NULL && cot_segment_rule_asks_for_items(segments->segments[i].rule);
    if (segments->n == 0)
        return COT_OK;
    cot_code rc = cot_rule_segments_reach(segments, over, err);
    for (uint32_t node = 0; rc == COT_OK && node < segments->n_nodes; node++) {
        if (cot_live_root(over->live->live, node) == node)
            rc = evaluate(segments, over, node, fresh, err);
        cot_rule_segments_give_way(segments);
    }
    return rc;
}

cot_code cot_rule_segments_evaluate(struct cot_rule_segments *segments, const struct cot_rule_shop *over,
                                    struct cot_err *err)
{
    return evaluate_all(segments, over, false, err);
}

/* Items */

cot_code cot_rule_segments_touch_item(struct cot_rule_segments *segments, uint32_t item, struct cot_err *err)
{
    if (!segments->asks_for_items)
        return COT_OK;
    size_t before = segments->items_changed_capacity;
    void *grown = cot_array_reserve(segments->items_changed, &segments->items_changed_capacity, item / 64 + 1,
                                    sizeof *segments->items_changed);
    if (grown == NULL)
        return cot_fail(err, COT_NOMEM, "changed items");
    segments->items_changed = grown;
    memset(segments->items_changed + before, 0,
           (segments->items_changed_capacity - before) * sizeof *segments->items_changed);
    segments->items_changed[item / 64] |= UINT64_C(1) << item % 64;
    segments->has_items_changed = true;
    return COT_OK;
}

static bool has_changed_item(const struct cot_rule_segments *segments, const struct cot_run *run)
{
    for (size_t i = 0; i < run->n; i++) {
        size_t item = run->entries[i].item;
        if (item / 64 < segments->items_changed_capacity && (segments->items_changed[item / 64] >> item % 64 & 1) != 0)
            return true;
    }
    return false;
}

cot_code cot_rule_segments_settle(struct cot_rule_segments *segments, const struct cot_rule_shop *over,
                                  struct cot_err *err)
{
    if (!segments->has_items_changed)
        return COT_OK;
    cot_code rc = cot_rule_segments_reach(segments, over, err);
    for (uint32_t node = 0; rc == COT_OK && node < segments->n_nodes; node++) {
        struct cot_run run;
        cot_rule_segments_give_way(segments);
        if (cot_live_root(over->live->live, node) != node)
            continue;
        rc = cot_live_run(over->live->live, node, &run, err);
        if (rc == COT_OK && has_changed_item(segments, &run))
            rc = evaluate(segments, over, node, false, err);
    }
    if (rc != COT_OK)
        return rc;
    memset(segments->items_changed, 0, segments->items_changed_capacity * sizeof *segments->items_changed);
    segments->has_items_changed = false;
    return COT_OK;
}

/* The set itself */

/* Marks the segments that a rule asks for, by itself or through others. */
static void mark_asked(const struct cot_rule_segments *segments, const struct cot_segment_rule *rule, bool *asked)
{
    for (size_t i = 0; rule != NULL && i < cot_segment_rule_n_references(rule); i++) {
        struct cot_text reference = cot_segment_rule_reference(rule, i);
        size_t found = cot_rule_segments_find(segments, reference.data, reference.size);
        if (found == SIZE_MAX || asked[found])
            continue;
        asked[found] = true;
        mark_asked(segments, segments->segments[found].rule, asked);
    }
}

static bool same_name(struct cot_text a, const char *name)
{
    return name != NULL && strlen(name) == a.size && memcmp(name, a.data, a.size) == 0;
}

static cot_code check_references(const struct cot_rule_segments *segments, const char *name,
                                 const struct cot_segment_rule *rule, struct cot_err *err)
{
    bool *asked = calloc(segments->n + 1, sizeof *asked);
    size_t i_self = name != NULL ? cot_rule_segments_find(segments, name, strlen(name)) : SIZE_MAX;
    cot_code rc = asked == NULL ? cot_fail(err, COT_NOMEM, "segments") : COT_OK;
    if (rc == COT_OK)
        mark_asked(segments, rule, asked);
    for (size_t i = 0; rc == COT_OK && i < cot_segment_rule_n_references(rule); i++) {
        struct cot_text reference = cot_segment_rule_reference(rule, i);
        if (same_name(reference, name) || (i_self != SIZE_MAX && asked[i_self]))
            rc = cot_fail(err, COT_BAD_DATA, "segment \"%.60s\" would ask for itself, directly or through another",
                          name);
        else if (cot_rule_segments_find(segments, reference.data, reference.size) == SIZE_MAX)
            rc = cot_fail(err, COT_BAD_DATA, "there is no segment \"%.*s\" to ask for: make it first",
                          (int)(reference.size < 60 ? reference.size : 60), reference.data);
    }
    free(asked);
    return rc;
}

cot_code cot_rule_segments_check(const struct cot_rule_segments *segments, const char *name, const char *text,
                                 size_t size, struct cot_segment_rule **ret_rule, struct cot_err *err)
{
    struct cot_segment_rule *rule = NULL;
    cot_code rc = cot_segment_rule_parse(text, size, &rule, NULL, err);
    if (rc == COT_OK)
        rc = check_references(segments, name, rule, err);
    if (rc == COT_OK && name != NULL && segments->n >= COT_RULE_MAX_SEGMENTS &&
        cot_rule_segments_find(segments, name, strlen(name)) == SIZE_MAX)
        rc = cot_fail(err, COT_LIMIT, "%zu segments: %d are the limit", segments->n, COT_RULE_MAX_SEGMENTS);
    if (rc == COT_OK)
        *ret_rule = rule;
    else
        cot_segment_rule_free(rule);
    return rc;
}

static int compare_names(const void *a, const void *b)
{
    return strcmp(((const struct cot_rule_segment *)a)->name, ((const struct cot_rule_segment *)b)->name);
}

/* By name, whenever they came; each after those that it asks for: a segment moves behind the last of them. No cycles:
 * it ends. */
static void order(struct cot_rule_segments *segments)
{
    if (segments->n > 0)
        qsort(segments->segments, segments->n, sizeof *segments->segments, compare_names);
    for (size_t i = 0; i < segments->n;) {
        size_t last = i;
        const struct cot_segment_rule *rule = segments->segments[i].rule;
        for (size_t j = 0; rule != NULL && j < cot_segment_rule_n_references(rule); j++) {
            struct cot_text reference = cot_segment_rule_reference(rule, j);
            size_t found = cot_rule_segments_find(segments, reference.data, reference.size);
            if (found != SIZE_MAX && found > last)
                last = found;
        }
        if (last == i) {
            i++;
            continue;
        }
        struct cot_rule_segment moved = segments->segments[i];
        memmove(&segments->segments[i], &segments->segments[i + 1], (last - i) * sizeof moved);
        segments->segments[last] = moved;
    }
}

/* The segment of a name, made where there is none. */
static cot_code segment_named(struct cot_rule_segments *segments, const char *name,
                              struct cot_rule_segment **ret_segment, struct cot_err *err)
{
    size_t i = cot_rule_segments_find(segments, name, strlen(name));
    if (i == SIZE_MAX) {
        void *grown =
            cot_array_reserve(segments->segments, &segments->capacity, segments->n + 1, sizeof *segments->segments);
        char *copy = strdup(name);
        if (grown != NULL)
            segments->segments = grown;
        if (grown == NULL || copy == NULL) {
            free(copy);
            return cot_fail(err, COT_NOMEM, "segment '%.60s'", name);
        }
        i = segments->n++;
        segments->segments[i] = (struct cot_rule_segment){.name = copy};
    }
    *ret_segment = &segments->segments[i];
    return COT_OK;
}

static cot_code put(struct cot_rule_segments *segments, const char *name, int32_t version, int64_t created_at_ms,
                    struct cot_segment_rule *rule, struct cot_err *err)
{
    struct cot_rule_segment *segment = NULL;
    cot_code rc = segment_named(segments, name, &segment, err);
    if (rc != COT_OK) {
        cot_segment_rule_free(rule);
        return rc;
    }
    cot_segment_rule_free(segment->rule);
    free(segment->text);
    free(segment->mistake);
    segment->text = segment->mistake = NULL;
    segment->rule = rule;
    segment->version = version;
    segment->created_at_ms = created_at_ms;
    return COT_OK;
}

/* A rule that is stored but can't be read, by a newer or older program: it is shown, and the others go on. */
static cot_code put_mistake(struct cot_rule_segments *segments, const char *name, int32_t version,
                            int64_t created_at_ms, struct cot_text text, const char *mistake, struct cot_err *err)
{
    struct cot_rule_segment *segment = NULL;
    cot_code rc = put(segments, name, version, created_at_ms, NULL, err);
    if (rc == COT_OK)
        rc = segment_named(segments, name, &segment, err);
    if (rc != COT_OK)
        return rc;
    segment->text = strndup(text.data, text.size);
    segment->mistake = strdup(mistake);
    return segment->text != NULL && segment->mistake != NULL ? COT_OK
                                                             : cot_fail(err, COT_NOMEM, "segment '%.60s'", name);
}

/* Marks a segment and those that ask for it, by themselves or through others; all come after those that they ask for.
 */
static void mark_fresh(struct cot_rule_segments *segments, const char *name)
{
    for (size_t i = 0; i < segments->n; i++) {
        struct cot_rule_segment *segment = &segments->segments[i];
        segment->is_fresh = strcmp(segment->name, name) == 0;
        for (size_t j = 0; segment->rule != NULL && j < cot_segment_rule_n_references(segment->rule); j++) {
            struct cot_text reference = cot_segment_rule_reference(segment->rule, j);
            size_t found = cot_rule_segments_find(segments, reference.data, reference.size);
            segment->is_fresh |= found < i && segments->segments[found].is_fresh;
        }
    }
}

cot_code cot_rule_segments_put(struct cot_rule_segments *segments, const struct cot_rule_shop *over, const char *name,
                               int32_t version, int64_t created_at_ms, struct cot_segment_rule *rule,
                               struct cot_err *err)
{
    bool first = segments->n == 0; /* nobody was looked at before */
    cot_code rc = put(segments, name, version, created_at_ms, rule, err);
    order(segments);
    mark_fresh(segments, name);
    return rc == COT_OK ? evaluate_all(segments, over, !first, err) : rc;
}

cot_code cot_rule_segments_check_delete(const struct cot_rule_segments *segments, const char *name, struct cot_err *err)
{
    size_t i_self = cot_rule_segments_find(segments, name, strlen(name));
    if (i_self == SIZE_MAX)
        return cot_fail(err, COT_NOT_FOUND, "no segment '%.60s'", name);
    for (size_t i = 0; i < segments->n; i++) {
        const struct cot_segment_rule *rule = segments->segments[i].rule;
        for (size_t j = 0; rule != NULL && j < cot_segment_rule_n_references(rule); j++)
            if (same_name(cot_segment_rule_reference(rule, j), name))
                return cot_fail(err, COT_USAGE, "segment '%.60s' asks for it: change or delete that one first",
                                segments->segments[i].name);
    }
    return COT_OK;
}

void cot_rule_segments_delete(struct cot_rule_segments *segments, const char *name)
{
    size_t i = cot_rule_segments_find(segments, name, strlen(name));
    if (i == SIZE_MAX)
        return;
    segment_release(&segments->segments[i]);
    memmove(&segments->segments[i], &segments->segments[i + 1], (segments->n - i - 1) * sizeof *segments->segments);
    segments->n--;
}

/* Loading */

struct loading {
    struct cot_rule_segments *segments; /* NULL: keys alone are asked for */
    struct cot_dict *keys;              /* NULL: rules alone are */
};

static cot_code take_stored(const struct loading *loading, const char *name, int32_t version, int64_t created_at_ms,
                            struct cot_text text, struct cot_err *err)
{
    struct cot_segment_rule *rule = NULL;
    struct cot_err why = {0};
    cot_code rc = cot_segment_rule_parse(text.data, text.size, &rule, NULL, &why);
    if (rc == COT_NOMEM)
        return cot_fail(err, rc, "segment '%.60s'", name);
    if (loading->segments == NULL) {
        cot_code added = rc == COT_OK ? cot_rule_segments_add_keys(rule, loading->keys, err) : COT_OK;
        cot_segment_rule_free(rule);
        return added;
    }
    return rc == COT_OK ? put(loading->segments, name, version, created_at_ms, rule, err)
                        : put_mistake(loading->segments, name, version, created_at_ms, text, why.message, err);
}

/* The newest version of each segment that was not deleted. */
static cot_code read_stored(struct cot_store *store, const struct loading *loading, struct cot_err *err)
{
    struct cot_rows *rows = NULL;
    bool more = false;
    cot_code rc = cot_rows_open(store, &rows, err,
                                "select name, max(version) as version, arg_max(rule, version), max(created_at) from"
                                " (select name, version, coalesce(rule, '') as rule, created_at from rule_segment)"
                                " group by name having arg_max(rule, version) <> '' order by name");
    while (rc == COT_OK && (rc = cot_rows_next(rows, &more, err)) == COT_OK && more) {
        char name[COT_RULE_MAX_NAME + 1] = "";
        size_t size = 0;
        const char *text = cot_rows_text(rows, 0, &size);
        memcpy(name, text, size < COT_RULE_MAX_NAME ? size : COT_RULE_MAX_NAME);
        text = cot_rows_text(rows, 2, &size);
        rc = take_stored(loading, name, (int32_t)cot_rows_int(rows, 1), cot_rows_int(rows, 3),
                         (struct cot_text){text, (uint32_t)size}, err);
    }
    cot_rows_close(rows);
    return rc;
}

cot_code cot_rule_segments_add_keys(const struct cot_segment_rule *rule, struct cot_dict *keys, struct cot_err *err)
{
    cot_code rc = COT_OK;
    for (size_t i = 0; rc == COT_OK && i < cot_segment_rule_n_properties(rule); i++) {
        struct cot_text key = cot_segment_rule_property(rule, i);
        uint32_t ignored = 0;
        rc = cot_dict_add(keys, 0, key.data, key.size, &ignored, err);
    }
    return rc;
}

cot_code cot_rule_segments_keys(struct cot_store *store, struct cot_dict *keys, struct cot_err *err)
{
    const struct loading loading = {.keys = keys};
    return read_stored(store, &loading, err);
}

cot_code cot_rule_segments_read(struct cot_store *store, struct cot_rule_segments **ret_segments, struct cot_err *err)
{
    struct loading loading = {0};
    cot_code rc = cot_rule_segments_new(&loading.segments, err);
    if (rc != COT_OK)
        return rc;
    rc = read_stored(store, &loading, err);
    order(loading.segments);
    if (rc == COT_OK)
        *ret_segments = loading.segments;
    else
        cot_rule_segments_free(loading.segments);
    return rc;
}

cot_code cot_rule_segments_load(struct cot_store *store, const struct cot_rule_shop *over,
                                struct cot_rule_segments **ret_segments, struct cot_err *err)
{
    struct cot_rule_segments *segments = NULL;
    cot_code rc = cot_rule_segments_read(store, &segments, err);
    if (rc == COT_OK)
        rc = cot_rule_segments_evaluate(segments, over, err);
    if (rc == COT_OK)
        *ret_segments = segments;
    else
        cot_rule_segments_free(segments);
    return rc;
}
