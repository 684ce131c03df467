/* What is told of rule segments (rule_segments.h). */
#include <math.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/threads.h"
#include "engine/live_profile.h"
#include "engine/rule_parts.h"

static void describe(const struct cot_rule_segment *segment, yyjson_mut_doc *doc, yyjson_mut_val *object)
{
    yyjson_mut_obj_add_strcpy(doc, object, "name", segment->name);
    yyjson_mut_obj_add_int(doc, object, "version", segment->version);
    yyjson_mut_obj_add_strcpy(doc, object, "rule",
                              segment->rule != NULL ? cot_segment_rule_text(segment->rule) : segment->text);
    yyjson_mut_obj_add_uint(doc, object, "members", segment->n_members);
    cot_json_add_time(doc, object, "created_at", segment->created_at_ms);
    if (segment->mistake != NULL)
        yyjson_mut_obj_add_strcpy(doc, object, "error", segment->mistake);
}

static cot_code find(const struct cot_rule_segments *segments, const char *name, size_t *ret_i, struct cot_err *err)
{
    *ret_i = cot_rule_segments_find(segments, name, strlen(name));
    return *ret_i != SIZE_MAX ? COT_OK
                              : cot_fail(err, COT_NOT_FOUND, "no segment '%.60s': GET /v1/segments lists them", name);
}

cot_code cot_rule_segments_describe(const struct cot_rule_segments *segments, const char *name, yyjson_mut_doc *doc,
                                    yyjson_mut_val *root, struct cot_err *err)
{
    size_t i_named = 0;
    if (name != NULL) {
        cot_code rc = find(segments, name, &i_named, err);
        if (rc == COT_OK)
            describe(&segments->segments[i_named], doc, root);
        return rc;
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
    size_t i = 0;
    size_t n = 0;
    uint32_t node = from;
    cot_code rc = find(segments, name, &i, err);
    if (rc != COT_OK)
        return rc;
    yyjson_mut_obj_add_strcpy(doc, root, "name", name);
    yyjson_mut_val *array = yyjson_mut_obj_add_arr(doc, root, "members");
    for (; node < segments->n_nodes && n < limit; node++)
        if (cot_rule_is_member(&segments->segments[i], node)) {
            add_customer(over, node, doc, array);
            n++;
        }
    if (node < segments->n_nodes)
        yyjson_mut_obj_add_uint(doc, root, "next", node);
    else
        yyjson_mut_obj_add_null(doc, root, "next");
    return COT_OK;
}

/* Preview */

enum { PREVIEW_BLOCK = 4096, PREVIEW_SLICE = 512 };

struct preview {
    const struct cot_rule_segments *segments;
    const struct cot_rule_shop *over;
    const struct cot_segment_rule *rule;
    pthread_mutex_t features;
    const struct cot_rule_segment *same;     /* as it is under this name; NULL: there is none */
    uint64_t *customers, *selected, *before; /* bits by node, before: in `same`; a block has words of its own */
    atomic_bool failed;
    size_t first; /* node of the blocks at hand */
};

static void preview_block(void *context, size_t begin, size_t end, size_t i_block, unsigned i_thread)
{
    struct preview *preview = context;
    (void)i_block;
    (void)i_thread;
    for (size_t node = preview->first + begin; node < preview->first + end; node++) {
        struct cot_rule_look look = {.over = preview->over,
                                     .segments = preview->segments,
                                     .root = (uint32_t)node,
                                     .features = &preview->features};
        struct cot_rule_view view;
        if (cot_live_root(preview->over->live->live, (uint32_t)node) != node)
            continue;
        if (cot_rule_look_make(&look, &view, NULL) != COT_OK) {
            preview->failed = true;
            return;
        }
        if (!cot_rule_is_customer(preview->over, (uint32_t)node, &view.run))
            continue;
        preview->customers[node / 64] |= UINT64_C(1) << node % 64;
        if (cot_segment_rule_selects(preview->rule, &view))
            preview->selected[node / 64] |= UINT64_C(1) << node % 64;
        if (preview->same != NULL && cot_rule_is_member(preview->same, (uint32_t)node))
            preview->before[node / 64] |= UINT64_C(1) << node % 64;
        if (look.failed)
            preview->failed = true;
    }
}

/* Whether somebody is selected and whether they were a member are asked in the same moment. Where others wait for the
 * lock it is done alone, in slices: to wait for a helper with it would make them wait, too. */
static cot_code select_all(struct preview *preview, unsigned n_threads, struct cot_err *err)
{
    size_t n_nodes = preview->segments->n_nodes;
    bool sliced = preview->segments->lock != NULL;
    size_t slice = sliced ? PREVIEW_SLICE : n_nodes;
    cot_code rc = COT_OK;
    preview->customers = calloc(n_nodes / 64 + 1, sizeof *preview->customers);
    preview->selected = calloc(n_nodes / 64 + 1, sizeof *preview->selected);
    preview->before = calloc(n_nodes / 64 + 1, sizeof *preview->before);
    if (preview->customers == NULL || preview->selected == NULL || preview->before == NULL)
        return cot_fail(err, COT_NOMEM, "a preview");
    for (; preview->first < n_nodes && rc == COT_OK; preview->first += slice) {
        size_t n = n_nodes - preview->first < slice ? n_nodes - preview->first : slice;
        /* What threads would have to change is ready before they begin. */
        rc = cot_live_settle(preview->over->live->live, (uint32_t)preview->first, (uint32_t)(preview->first + n), err);
        if (rc == COT_OK)
            cot_parallel_for(sliced ? 1 : n_threads, n, PREVIEW_BLOCK, preview_block, preview);
        cot_rule_segments_give_way(preview->segments);
    }
    return rc == COT_OK && preview->failed ? cot_fail(err, COT_NOMEM, "a preview") : rc;
}

static uint64_t count_bits(const uint64_t *a, const uint64_t *b, size_t n_nodes)
{
    uint64_t n = 0;
    for (size_t i = 0; i < n_nodes / 64 + 1; i++)
        n += (uint64_t)__builtin_popcountll(b != NULL ? a[i] & b[i] : a[i]);
    return n;
}

/* Up to COT_RULE_SAMPLE of those who are in `in` and not in `out` (NULL: nobody); how many there are.
 */
static uint64_t add_sample(const struct preview *preview, const uint64_t *in, const uint64_t *out, const char *key,
                           yyjson_mut_doc *doc, yyjson_mut_val *root)
{
    uint64_t n = 0;
    yyjson_mut_val *array = yyjson_mut_obj_add_arr(doc, root, key);
    for (size_t i = 0; i < preview->segments->n_nodes / 64 + 1; i++)
        for (uint64_t bits = in[i] & ~(out != NULL ? out[i] : 0); bits != 0; bits &= bits - 1)
            if (n++ < COT_RULE_SAMPLE)
                add_customer(preview->over, (uint32_t)(i * 64 + (size_t)__builtin_ctzll(bits)), doc, array);
    return n;
}

static void add_preview(const struct preview *preview, yyjson_mut_doc *doc, yyjson_mut_val *root)
{
    const struct cot_rule_segments *segments = preview->segments;
    size_t n_nodes = segments->n_nodes;
    yyjson_mut_obj_add_uint(doc, root, "customers", count_bits(preview->customers, NULL, n_nodes));
    yyjson_mut_obj_add_uint(doc, root, "count", count_bits(preview->selected, NULL, n_nodes));
    (void)add_sample(preview, preview->selected, NULL, "sample", doc, root);
    yyjson_mut_val *overlap = yyjson_mut_obj_add_arr(doc, root, "overlap");
    for (size_t i = 0; i < segments->n; i++) {
        const struct cot_rule_segment *segment = &segments->segments[i];
        yyjson_mut_val *other = yyjson_mut_arr_add_obj(doc, overlap);
        yyjson_mut_obj_add_strcpy(doc, other, "name", segment->name);
        yyjson_mut_obj_add_uint(doc, other, "members", segment->n_members);
        yyjson_mut_obj_add_uint(doc, other, "both", count_bits(preview->selected, segment->members, n_nodes));
        cot_rule_segments_give_way(segments);
    }
    uint64_t n_enter = add_sample(preview, preview->selected, preview->before, "enter_sample", doc, root);
    uint64_t n_leave = add_sample(preview, preview->before, preview->selected, "leave_sample", doc, root);
    yyjson_mut_obj_add_uint(doc, root, "enter", n_enter);
    yyjson_mut_obj_add_uint(doc, root, "leave", n_leave);
}

cot_code cot_rule_segments_preview(struct cot_rule_segments *segments, const struct cot_rule_shop *over,
                                   const char *name, struct cot_segment_rule *rule, unsigned n_threads,
                                   yyjson_mut_doc *doc, yyjson_mut_val *root, struct cot_err *err)
{
    struct preview preview = {.segments = segments, .over = over, .rule = rule, .features = PTHREAD_MUTEX_INITIALIZER};
    size_t i_same = name != NULL ? cot_rule_segments_find(segments, name, strlen(name)) : SIZE_MAX;
    if (i_same != SIZE_MAX)
        preview.same = &segments->segments[i_same];
    cot_code rc = cot_rule_segments_reach(segments, over, err);
    if (rc == COT_OK) {
        cot_rule_bind(rule, over);
        rc = select_all(&preview, n_threads, err);
    }
    if (rc == COT_OK)
        add_preview(&preview, doc, root);
    free(preview.customers);
    free(preview.selected);
    free(preview.before);
    return rc;
}

/* One customer */

cot_code cot_rule_segments_of(struct cot_rule_segments *segments, const struct cot_rule_shop *over, uint32_t node,
                              yyjson_mut_doc *doc, yyjson_mut_val *root, struct cot_err *err)
{
    uint32_t customer = cot_live_root(over->live->live, node);
    yyjson_mut_val *array = yyjson_mut_obj_add_arr(doc, root, "rules");
    cot_code rc = cot_rule_segments_reach(segments, over, err);
    for (size_t i = 0; rc == COT_OK && i < segments->n; i++)
        if (cot_rule_is_member(&segments->segments[i], customer))
            yyjson_mut_arr_add_strcpy(doc, array, segments->segments[i].name);
    return rc;
}

struct telling {
    const int64_t *event_ids;
    yyjson_mut_doc *doc;
    yyjson_mut_val *conditions, *flip;
};

static void add_value(yyjson_mut_doc *doc, yyjson_mut_val *object, const struct cot_rule_value *value)
{
    if (!isnan(value->number))
        yyjson_mut_obj_add_real(doc, object, "value", value->number);
    else if (value->word.size > 0)
        yyjson_mut_obj_add_strncpy(doc, object, "value", value->word.data, value->word.size);
    else
        yyjson_mut_obj_add_null(doc, object, "value");
}

static void tell(void *context, const struct cot_rule_finding *finding)
{
    struct telling *telling = context;
    yyjson_mut_doc *doc = telling->doc;
    yyjson_mut_val *object = yyjson_mut_arr_add_obj(doc, telling->conditions);
    yyjson_mut_obj_add_strncpy(doc, object, "condition", finding->condition.data, finding->condition.size);
    yyjson_mut_obj_add_bool(doc, object, "holds", finding->holds);
    add_value(doc, object, &finding->value);
    if (finding->turns_at_ms != COT_RULE_NEVER)
        cot_json_add_time(doc, object, "turns_at", finding->turns_at_ms);
    else
        yyjson_mut_obj_add_null(doc, object, "turns_at");
    if (telling->event_ids != NULL) {
        yyjson_mut_val *events = yyjson_mut_obj_add_arr(doc, object, "events");
        for (size_t i = 0; i < finding->n_evidence; i++)
            yyjson_mut_arr_add_int(doc, events, telling->event_ids[finding->evidence[i]]);
    }
    yyjson_mut_obj_add_bool(doc, object, "flips", finding->flips);
    yyjson_mut_obj_add_strcpy(doc, object, "to_flip", finding->to_flip);
    if (finding->flips)
        yyjson_mut_arr_add_strcpy(doc, telling->flip, finding->to_flip);
}

cot_code cot_rule_segments_explain(struct cot_rule_segments *segments, const struct cot_rule_shop *over, uint32_t node,
                                   const int64_t *event_ids, yyjson_mut_doc *doc, yyjson_mut_val *root,
                                   struct cot_err *err)
{
    struct cot_rule_look look = {.over = over, .segments = segments, .root = cot_live_root(over->live->live, node)};
    struct cot_rule_view view;
    yyjson_mut_val *array = yyjson_mut_obj_add_arr(doc, root, "rules");
    cot_code rc = cot_rule_segments_reach(segments, over, err);
    if (rc == COT_OK)
        rc = cot_rule_look_make(&look, &view, err);
    for (size_t i = 0; rc == COT_OK && i < segments->n; i++) {
        const struct cot_rule_segment *segment = &segments->segments[i];
        if (segment->rule == NULL)
            continue;
        yyjson_mut_val *object = yyjson_mut_arr_add_obj(doc, array);
        yyjson_mut_obj_add_strcpy(doc, object, "name", segment->name);
        yyjson_mut_obj_add_bool(doc, object, "member", cot_rule_is_member(segment, look.root));
        struct telling telling = {.event_ids = event_ids,
                                  .doc = doc,
                                  .conditions = yyjson_mut_obj_add_arr(doc, object, "conditions"),
                                  .flip = yyjson_mut_arr(doc)};
        if (!cot_segment_rule_explain(segment->rule, &view, tell, &telling) || look.failed)
            rc = cot_fail(err, COT_NOMEM, "why a customer is in a segment");
        yyjson_mut_obj_add_val(doc, object, "flip", telling.flip);
    }
    return rc;
}
