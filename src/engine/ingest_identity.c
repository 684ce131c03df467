/* What is written, told to live state, and links by word of the shop (ingest_parts.h). */
#include "engine/ingest_parts.h"

static cot_code on_event(void *context, const struct cot_record *record, uint32_t node, uint32_t item,
                         const struct cot_money *money, struct cot_err *err)
{
    struct cot_ingest *ingest = context;
    return cot_live_facts_add_event(&ingest->facts, record, node, item, money, ingest->shop->next_event_id - 1, err);
}

static cot_code on_trait(void *context, const struct cot_record *record, const struct cot_trait *trait, uint32_t node,
                         bool timeless, struct cot_err *err)
{
    struct cot_ingest *ingest = context;
    return cot_live_facts_add_trait(&ingest->facts, record, trait, node, timeless, err);
}

static cot_code on_item(void *context, const struct cot_record *record, uint32_t item, struct cot_err *err)
{
    struct cot_ingest *ingest = context;
    return cot_live_facts_add_item(&ingest->facts, record, item, err);
}

static cot_code on_link(void *context, const struct cot_link *link, struct cot_err *err)
{
    struct cot_ingest *ingest = context;
    return link->op != COT_LINK_REFUSED ? cot_live_facts_add_link(&ingest->facts, link, err) : COT_OK;
}

static cot_code on_node(void *context, uint32_t node, struct cot_err *err)
{
    struct cot_ingest *ingest = context;
    uint8_t withheld = ingest->runs[ingest->source].withheld;
    return withheld != 0 ? cot_live_facts_add_node(&ingest->facts, node, withheld, err) : COT_OK;
}

void cot_ingest_tap_init(struct cot_ingest *ingest)
{
    ingest->tap = (struct cot_import_tap){
        .context = ingest, .event = on_event, .trait = on_trait, .item = on_item, .link = on_link, .node = on_node};
    ingest->shop->tap = ingest->is_offline ? NULL : &ingest->tap;
}

cot_code cot_ingest_link(struct cot_ingest *ingest, uint32_t a, uint32_t b, int op, int64_t at_ms, struct cot_err *err)
{
    const struct cot_link link = {a, b, op, at_ms, at_ms};
    return cot_import_shop_write_link(ingest->shop, &link, err);
}

cot_code cot_ingest_alias(struct cot_ingest *ingest, const struct cot_record *record, bool *ret_done,
                          struct cot_err *err)
{
    const struct cot_dict *nodes = &ingest->shop->nodes;
    *ret_done = false;
    if (record->kind != COT_RECORD_LINK || record->user.size == 0 || record->anonymous.size == 0)
        return COT_OK;
    uint32_t previous = cot_dict_find(nodes, COT_NODE_USER, record->anonymous.data, record->anonymous.size);
    uint32_t now = COT_DICT_NONE;
    bool is_new = false;
    if (previous == COT_DICT_NONE)
        return COT_OK;
    cot_code rc = cot_import_shop_node(ingest->shop, COT_NODE_USER, record->user, &now, &is_new, err);
    *ret_done = true;
    if (rc != COT_OK || now == previous)
        return rc;
    return cot_ingest_link(ingest, now, previous, COT_LINK_STATED, record->occurred_at_ms, err);
}
