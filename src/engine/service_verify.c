#include "engine/service_verify.h"

#include <stdlib.h>
#include <string.h>

#include "base/civil.h"
#include "base/json.h"
#include "engine/ingest_parts.h"
#include "engine/live_profile.h"

/* The clocks are brought to the same moment for so many customers at a time, and readers wait for these. */
enum { BLOCK = 16 };

/* Memory, or the store replayed. */
struct side {
    struct cot_import_shop *shop;
    struct cot_live_shop *live;
    struct cot_rule_segments *rules;
};

struct verify {
    struct side memory, store;
    yyjson_mut_doc *doc;
    yyjson_mut_val *examples;
    uint64_t n_customers, n_events, n_differing;
};

static uint32_t n_nodes(const struct side *side)
{
    uint32_t n = cot_live_n_nodes(side->live->live);
    return n < side->shop->nodes.n ? n : (uint32_t)side->shop->nodes.n;
}

static bool is_root(const struct side *side, uint32_t node)
{
    return node < n_nodes(side) && cot_live_root(side->live->live, node) == node;
}

/* One customer as it is shown; null where this side has none of that number. */
static cot_code show(const struct side *side, uint32_t node, yyjson_mut_doc *doc, struct cot_err *err)
{
    const struct cot_rule_shop over = {side->live, side->shop};
    yyjson_mut_val *root = yyjson_mut_obj(doc);
    if (root == NULL)
        return cot_fail(err, COT_NOMEM, "a customer");
    if (!is_root(side, node)) {
        yyjson_mut_doc_set_root(doc, yyjson_mut_null(doc));
        return COT_OK;
    }
    yyjson_mut_doc_set_root(doc, root);
    const struct cot_customer *customer = NULL;
    cot_code rc = cot_live_customer(side->live->live, node, &customer, err);
    if (rc == COT_OK)
        rc = cot_live_profile(side->live, &side->shop->nodes, node, customer, doc, root, err);
    return rc == COT_OK ? cot_rule_segments_of(side->rules, &over, node, doc, root, err) : rc;
}

static void note_difference(struct verify *verify, yyjson_mut_doc *docs[2])
{
    if (verify->n_differing++ >= COT_VERIFY_EXAMPLES)
        return;
    yyjson_mut_val *example = yyjson_mut_arr_add_obj(verify->doc, verify->examples);
    yyjson_mut_obj_add_val(verify->doc, example, "memory",
                           yyjson_mut_val_mut_copy(verify->doc, yyjson_mut_doc_get_root(docs[0])));
    yyjson_mut_obj_add_val(verify->doc, example, "store",
                           yyjson_mut_val_mut_copy(verify->doc, yyjson_mut_doc_get_root(docs[1])));
}

/* Compares what both sides write into a document of their own. */
typedef cot_code side_show(const struct side *side, uint32_t node, yyjson_mut_doc *doc, struct cot_err *err);
static cot_code compare(struct verify *verify, side_show *show_it, uint32_t node, uint64_t *ret_events,
                        struct cot_err *err)
{
    yyjson_mut_doc *docs[2] = {yyjson_mut_doc_new(NULL), yyjson_mut_doc_new(NULL)};
    char *texts[2] = {NULL, NULL};
    size_t sizes[2] = {0, 0};
    cot_code rc = docs[0] == NULL || docs[1] == NULL ? cot_fail(err, COT_NOMEM, "a comparison") : COT_OK;
    if (rc == COT_OK)
        rc = show_it(&verify->memory, node, docs[0], err);
    if (rc == COT_OK)
        rc = show_it(&verify->store, node, docs[1], err);
    for (int i = 0; i < 2 && rc == COT_OK; i++) {
        texts[i] = yyjson_mut_write(docs[i], YYJSON_WRITE_ALLOW_INVALID_UNICODE, &sizes[i]);
        if (texts[i] == NULL)
            rc = cot_fail(err, COT_NOMEM, "a comparison");
    }
    if (rc == COT_OK && (sizes[0] != sizes[1] || memcmp(texts[0], texts[1], sizes[0]) != 0))
        note_difference(verify, docs);
    if (rc == COT_OK)
        *ret_events = yyjson_mut_get_uint(yyjson_mut_obj_get(yyjson_mut_doc_get_root(docs[1]), "events"));
    for (int i = 0; i < 2; i++) {
        free(texts[i]);
        yyjson_mut_doc_free(docs[i]);
    }
    return rc;
}

/* Both clocks to the same moment; the caller holds state. */
static cot_code tick(const struct verify *verify, struct cot_err *err)
{
    const struct side *const sides[] = {&verify->memory, &verify->store};
    int64_t now_ms = cot_wall_ms();
    cot_code rc = COT_OK;
    for (int i = 0; i < 2; i++)
        if (cot_live_now_ms(sides[i]->live->live) > now_ms)
            now_ms = cot_live_now_ms(sides[i]->live->live);
    for (int i = 0; i < 2 && rc == COT_OK; i++) {
        const struct cot_rule_shop over = {sides[i]->live, sides[i]->shop};
        rc = cot_rule_segments_tick(sides[i]->rules, &over, now_ms, err);
    }
    return rc;
}

/* Prices of the catalogue may be some minutes old: here both are those of now. Made without state: facts come by this
 * thread alone. */
static cot_code price(struct cot_ingest *ingest, const struct side *side, int64_t now_ms, struct cot_err *err)
{
    struct cot_catalogue catalogue = {0};
    cot_code rc = cot_live_catalogue_make(side->live->live, now_ms, &catalogue, err);
    if (rc != COT_OK)
        return rc;
    cot_state_lock(&ingest->state, COT_STATE_SWAP);
    cot_live_catalogue_set(side->live->live, now_ms, &catalogue);
    cot_state_unlock(&ingest->state);
    cot_catalogue_release(&catalogue);
    return COT_OK;
}

static cot_code begin(struct cot_ingest *ingest, struct verify *verify, struct cot_err *err)
{
    cot_state_lock(&ingest->state, COT_STATE_COMPARE);
    cot_code rc = tick(verify, err);
    int64_t now_ms = cot_live_now_ms(verify->store.live->live);
    cot_state_unlock(&ingest->state);
    if (rc == COT_OK)
        rc = price(ingest, &verify->memory, now_ms, err);
    return rc == COT_OK ? price(ingest, &verify->store, now_ms, err) : rc;
}

static cot_code compare_block(struct verify *verify, uint32_t first, uint32_t end, struct cot_err *err)
{
    cot_code rc = tick(verify, err);
    for (uint32_t node = first; node < end && rc == COT_OK; node++) {
        uint64_t n_events = 0;
        if (!is_root(&verify->memory, node) && !is_root(&verify->store, node))
            continue;
        rc = compare(verify, show, node, &n_events, err);
        verify->n_customers += is_root(&verify->store, node);
        verify->n_events += n_events;
    }
    return rc;
}

static cot_code show_segments(const struct side *side, uint32_t node, yyjson_mut_doc *doc, struct cot_err *err)
{
    (void)node;
    yyjson_mut_val *root = yyjson_mut_obj(doc);
    if (root == NULL)
        return cot_fail(err, COT_NOMEM, "segments");
    yyjson_mut_doc_set_root(doc, root);
    return cot_rule_segments_describe(side->rules, NULL, doc, root, err);
}

static cot_code compare_all(struct cot_ingest *ingest, struct verify *verify, struct cot_err *err)
{
    uint64_t ignored = 0;
    cot_code rc = begin(ingest, verify, err);
    cot_state_lock(&ingest->state, COT_STATE_COMPARE);
    if (rc == COT_OK)
        rc = tick(verify, err);
    if (rc == COT_OK)
        rc = compare(verify, show_segments, 0, &ignored, err);
    cot_state_unlock(&ingest->state);
    uint32_t n =
        n_nodes(&verify->memory) > n_nodes(&verify->store) ? n_nodes(&verify->memory) : n_nodes(&verify->store);
    for (uint32_t first = 0; first < n && rc == COT_OK; first += BLOCK) {
        cot_state_lock(&ingest->state, COT_STATE_COMPARE);
        rc = compare_block(verify, first, n - first < BLOCK ? n : first + BLOCK, err);
        cot_state_unlock(&ingest->state);
    }
    return rc;
}

static cot_code answer(struct verify *verify, struct cot_err *err)
{
    yyjson_mut_val *root = NULL;
    cot_code rc = cot_json_document(&verify->doc, &root, err);
    verify->examples = yyjson_mut_arr(verify->doc);
    return rc == COT_OK && verify->examples == NULL ? cot_fail(err, COT_NOMEM, "a comparison") : rc;
}

cot_code cot_service_verify(struct cot_service *service, yyjson_mut_doc **ret_doc, struct cot_err *err)
{
    struct cot_ingest *ingest = cot_service_ingest(service);
    struct verify verify = {.memory = {ingest->shop, ingest->live, ingest->rules}};
    if (ingest->live == NULL || ingest->shop == NULL)
        return cot_fail(err, COT_IO, "the shop is being loaded: ask again in a moment");
    cot_code rc = cot_import_shop_load(ingest->store, &verify.store.shop, err);
    if (rc == COT_OK)
        rc = cot_ingest_make_live(ingest, verify.store.shop, NULL, &verify.store.live, &verify.store.rules, err);
    if (rc == COT_OK)
        rc = answer(&verify, err);
    if (rc == COT_OK)
        rc = compare_all(ingest, &verify, err);
    if (rc == COT_OK) {
        yyjson_mut_val *root = yyjson_mut_doc_get_root(verify.doc);
        yyjson_mut_obj_add_bool(verify.doc, root, "equal", verify.n_differing == 0);
        yyjson_mut_obj_add_uint(verify.doc, root, "customers", verify.n_customers);
        yyjson_mut_obj_add_uint(verify.doc, root, "events", verify.n_events);
        yyjson_mut_obj_add_uint(verify.doc, root, "differing", verify.n_differing);
        yyjson_mut_obj_add_val(verify.doc, root, "examples", verify.examples);
    }
    cot_rule_segments_free(verify.store.rules);
    cot_live_shop_free(verify.store.live);
    cot_import_shop_free(verify.store.shop);
    return cot_json_finish(rc, verify.doc, ret_doc);
}
