#include "engine/live_facts.h"

#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "engine/import_write.h"

enum fact_kind { FACT_EVENT, FACT_TRAIT, FACT_ITEM, FACT_LINK, FACT_CONSENT, FACT_SUPERSEDE, FACT_NODE };

struct cot_live_fact {
    enum fact_kind kind;
    int64_t event_id; /* 0: no event */
    bool is_last;     /* of those that belong together */
    union {
        struct {
            struct cot_live_event event;
            struct cot_text name, properties;
        } event;
        struct cot_link link;
        struct {
            uint32_t node;
            struct cot_text key, value;
            double number;
            int64_t occurred_at_ms;
        } trait;
        struct {
            uint32_t item;
            struct cot_text words[3];
            int64_t occurred_at_ms, recorded_at_ms;
            bool timeless;
        } item;
        struct {
            uint32_t node;
            enum cot_purpose purpose;
            bool granted;
            int64_t occurred_at_ms;
        } consent;
        struct {
            uint32_t node;
            uint64_t order;
        } supersede;
        struct {
            uint32_t node;
            uint8_t withheld;
        } node;
    } is;
};

void cot_live_facts_clear(struct cot_live_facts *facts)
{
    facts->n = facts->n_applied = 0;
    cot_arena_clear(&facts->arena);
}

void cot_live_facts_release(struct cot_live_facts *facts)
{
    free(facts->facts);
    cot_arena_release(&facts->arena);
    *facts = (struct cot_live_facts){0};
}

static cot_code add(struct cot_live_facts *facts, enum fact_kind kind, struct cot_live_fact **ret_fact,
                    struct cot_err *err)
{
    void *grown = cot_array_reserve(facts->facts, &facts->capacity, facts->n + 1, sizeof *facts->facts);
    if (grown == NULL)
        return cot_fail(err, COT_NOMEM, "%zu facts", facts->n + 1);
    facts->facts = grown;
    *ret_fact = &facts->facts[facts->n++];
    (*ret_fact)->kind = kind;
    (*ret_fact)->event_id = 0;
    (*ret_fact)->is_last = false;
    return COT_OK;
}

static bool keep(struct cot_live_facts *facts, struct cot_text text, struct cot_text *ret_text)
{
    const char *copy = cot_arena_copy(&facts->arena, text.data != NULL ? text.data : "", text.size);
    *ret_text = (struct cot_text){copy, text.size};
    return copy != NULL;
}

cot_code cot_live_facts_add_event(struct cot_live_facts *facts, const struct cot_record *record, uint32_t node,
                                  uint32_t item, const struct cot_money *money, int64_t event_id, struct cot_err *err)
{
    struct cot_live_fact *fact = NULL;
    if (node == COT_DICT_NONE)
        return COT_OK;
    cot_code rc = add(facts, FACT_EVENT, &fact, err);
    if (rc != COT_OK)
        return rc;
    bool message = cot_event_kind_group(record->event_kind) == COT_EVENT_GROUP_MESSAGE;
    struct cot_text detail = message ? record->campaign : record->session;
    bool gives_back = record->event_kind == COT_EVENT_REFUND && record->refund_of.size > 0;
    struct cot_text order = gives_back ? record->refund_of : record->order_key;
    fact->event_id = event_id;
    fact->is.event.event =
        (struct cot_live_event){.node = node,
                                .kind = record->event_kind,
                                .channel = cot_channel_from_name(record->channel.data, record->channel.size),
                                .occurred_at_ms = record->occurred_at_ms,
                                .item = item == COT_DICT_NONE ? COT_NO_ITEM : item,
                                .detail = detail.size > 0 ? cot_detail_hash(detail.data, detail.size) : 0,
                                .order = cot_order_hash(order.data, order.size),
                                .quantity = record->quantity,
                                .amount_minor = money->amount_minor == COT_NO_MINOR ? 0 : money->amount_minor,
                                .discount_minor = money->discount_minor, /* COT_NO_MINOR is COT_UNKNOWN_MINOR */
                                .cost_minor = money->cost_minor};
    const struct cot_text none = {"", 0};
    return keep(facts, record->event_kind == COT_EVENT_CUSTOM ? record->detail : none, &fact->is.event.name) &&
                   keep(facts, record->properties, &fact->is.event.properties)
               ? COT_OK
               : cot_fail(err, COT_NOMEM, "an event");
}

cot_code cot_live_facts_add_trait(struct cot_live_facts *facts, const struct cot_record *record,
                                  const struct cot_trait *trait, uint32_t node, bool timeless, struct cot_err *err)
{
    struct cot_live_fact *fact = NULL;
    cot_code rc = add(facts, FACT_TRAIT, &fact, err);
    if (rc != COT_OK)
        return rc;
    fact->is.trait.node = node;
    fact->is.trait.number = trait->number;
    fact->is.trait.occurred_at_ms = timeless ? COT_TIMELESS : record->occurred_at_ms;
    return keep(facts, trait->key, &fact->is.trait.key) && keep(facts, trait->value, &fact->is.trait.value)
               ? COT_OK
               : cot_fail(err, COT_NOMEM, "a trait");
}

cot_code cot_live_facts_add_item(struct cot_live_facts *facts, const struct cot_record *record, uint32_t item,
                                 struct cot_err *err)
{
    struct cot_live_fact *fact = NULL;
    if (record->category.size + record->subcategory.size + record->brand.size == 0)
        return COT_OK;
    cot_code rc = add(facts, FACT_ITEM, &fact, err);
    if (rc != COT_OK)
        return rc;
    fact->is.item.item = item;
    fact->is.item.occurred_at_ms = record->occurred_at_ms;
    fact->is.item.recorded_at_ms = record->recorded_at_ms;
    fact->is.item.timeless = (record->flags & COT_RECORD_TIMELESS) != 0;
    return keep(facts, record->category, &fact->is.item.words[0]) &&
                   keep(facts, record->subcategory, &fact->is.item.words[1]) &&
                   keep(facts, record->brand, &fact->is.item.words[2])
               ? COT_OK
               : cot_fail(err, COT_NOMEM, "a fact of an item");
}

cot_code cot_live_facts_add_link(struct cot_live_facts *facts, const struct cot_link *link, struct cot_err *err)
{
    struct cot_live_fact *fact = NULL;
    cot_code rc = add(facts, FACT_LINK, &fact, err);
    if (rc == COT_OK)
        fact->is.link = *link;
    return rc;
}

cot_code cot_live_facts_add_consent(struct cot_live_facts *facts, uint32_t node, enum cot_purpose purpose, bool granted,
                                    int64_t occurred_at_ms, struct cot_err *err)
{
    struct cot_live_fact *fact = NULL;
    cot_code rc = add(facts, FACT_CONSENT, &fact, err);
    if (rc != COT_OK)
        return rc;
    fact->is.consent.node = node;
    fact->is.consent.purpose = purpose;
    fact->is.consent.granted = granted;
    fact->is.consent.occurred_at_ms = occurred_at_ms;
    return COT_OK;
}

cot_code cot_live_facts_add_supersede(struct cot_live_facts *facts, uint32_t node, uint64_t order, struct cot_err *err)
{
    struct cot_live_fact *fact = NULL;
    cot_code rc = add(facts, FACT_SUPERSEDE, &fact, err);
    if (rc != COT_OK)
        return rc;
    fact->is.supersede.node = node;
    fact->is.supersede.order = order;
    return COT_OK;
}

cot_code cot_live_facts_add_node(struct cot_live_facts *facts, uint32_t node, uint8_t withheld, struct cot_err *err)
{
    struct cot_live_fact *fact = NULL;
    cot_code rc = add(facts, FACT_NODE, &fact, err);
    if (rc != COT_OK)
        return rc;
    fact->is.node.node = node;
    fact->is.node.withheld = withheld;
    return COT_OK;
}

static cot_code apply_item(const struct cot_live_fact *fact, struct cot_live_shop *live,
                           const struct cot_live_touches *touches, struct cot_err *err)
{
    bool changed = false;
    cot_code rc = cot_live_shop_item(live, fact->is.item.item, fact->is.item.words, fact->is.item.occurred_at_ms,
                                     fact->is.item.recorded_at_ms, fact->is.item.timeless, &changed, err);
    if (rc == COT_OK && changed)
        touches->item(touches->context, fact->is.item.item);
    return rc;
}

static cot_code apply_one(struct cot_live_fact *fact, struct cot_live_shop *live,
                          const struct cot_live_touches *touches, struct cot_err *err)
{
    uint32_t node = COT_DICT_NONE; /* whom it concerns; none: nobody in particular */
    cot_code rc = COT_OK;
    switch (fact->kind) {
    case FACT_EVENT:
        node = fact->is.event.event.node;
        rc = cot_live_shop_event(live, &fact->is.event.event, fact->is.event.name, fact->is.event.properties, err);
        break;
    case FACT_LINK:
        node = fact->is.link.node_a;
        rc = cot_live_add_link(live->live, &fact->is.link, err);
        break;
    case FACT_TRAIT:
        node = fact->is.trait.node;
        rc = cot_live_shop_trait(live, node, fact->is.trait.key, fact->is.trait.value, fact->is.trait.number,
                                 fact->is.trait.occurred_at_ms, err);
        break;
    case FACT_ITEM: rc = apply_item(fact, live, touches, err); break;
    case FACT_CONSENT:
        node = fact->is.consent.node;
        rc = cot_live_shop_consent(live, node, fact->is.consent.purpose, fact->is.consent.granted,
                                   fact->is.consent.occurred_at_ms, err);
        break;
    case FACT_SUPERSEDE:
        node = fact->is.supersede.node;
        rc = cot_live_supersede_lines(live->live, node, fact->is.supersede.order, err);
        break;
    case FACT_NODE: /* what makes it known comes with it */
        rc = cot_live_shop_withhold(live, fact->is.node.node, fact->is.node.withheld, err);
        break;
    }
    if (rc != COT_OK || node == COT_DICT_NONE)
        return rc;
    touches->node(touches->context, node, fact->event_id);
    if (fact->kind == FACT_LINK) /* an end of a link that parts two has a customer of its own */
        touches->node(touches->context, fact->is.link.node_b, 0);
    return COT_OK;
}

void cot_live_facts_mark(struct cot_live_facts *facts)
{
    if (facts->n > 0)
        facts->facts[facts->n - 1].is_last = true;
}

cot_code cot_live_facts_apply(struct cot_live_facts *facts, struct cot_live_shop *live,
                              const struct cot_live_touches *touches, struct cot_err *err)
{
    cot_code rc = COT_OK;
    bool is_last = false;
    while (cot_live_facts_left(facts) && !is_last && rc == COT_OK) {
        struct cot_live_fact *fact = &facts->facts[facts->n_applied++];
        is_last = fact->is_last;
        rc = apply_one(fact, live, touches, err);
    }
    return rc;
}
