#include "engine/import_write.h"

#include <math.h>
#include <string.h>

#include "base/civil.h"

/* The identities that a record names, in the order of the shop's rules and without the values that they block: the
 * first is the one that the record's facts go with. */
static size_t identities_of(const struct cot_import_shop *shop, const struct cot_record *record,
                            struct cot_identity ret_identities[COT_RECORD_MAX_IDENTITIES])
{
    return cot_identity_rules_sort(&shop->identity, ret_identities, cot_record_identities(record, ret_identities));
}

static uint32_t find_node(const struct cot_import_shop *shop, struct cot_identity identity)
{
    return cot_dict_find(&shop->nodes, (uint8_t)identity.kind, identity.value.data, identity.value.size);
}

bool cot_record_node(const struct cot_import_shop *shop, const struct cot_record *record, uint32_t *ret_node)
{
    struct cot_identity identities[COT_RECORD_MAX_IDENTITIES];
    if (identities_of(shop, record, identities) == 0)
        return false;
    uint32_t node = find_node(shop, identities[0]);
    if (node == COT_DICT_NONE)
        return false;
    *ret_node = node;
    return true;
}

bool cot_record_is_erased(const struct cot_import_shop *shop, const struct cot_record *record)
{
    struct cot_identity identities[COT_RECORD_MAX_IDENTITIES];
    if (cot_erased_count(shop->erased) == 0)
        return false;
    size_t n = cot_record_identities(record, identities);
    for (size_t i = 0; i < n; i++)
        /* Whoever the shop knows was not erased: only strangers cost a keyed hash. */
        if (find_node(shop, identities[i]) == COT_DICT_NONE &&
            cot_erased_contains(shop->erased, identities[i].kind, identities[i].value.data, identities[i].value.size))
            return true;
    return false;
}

/* The record's node, COT_DICT_NONE where it names nobody. Several identities are linked to the first. */
static cot_code resolve_node(struct cot_import_shop *shop, const struct cot_record *record, struct cot_row_write *write,
                             uint32_t *ret_node, struct cot_err *err)
{
    struct cot_identity identities[COT_RECORD_MAX_IDENTITIES];
    uint32_t first = COT_DICT_NONE;
    cot_code rc = COT_OK;
    size_t n = identities_of(shop, record, identities);
    for (size_t i = 0; i < n && rc == COT_OK; i++) {
        uint32_t node = COT_DICT_NONE;
        bool is_new = false;
        bool link_is_new = false;
        rc = cot_import_shop_node(shop, identities[i].kind, identities[i].value, &node, &is_new, err);
        if (rc == COT_OK && i > 0)
            rc = cot_import_shop_link(shop, first, node, record->occurred_at_ms, record->recorded_at_ms, &link_is_new,
                                      err);
        if (i == 0)
            first = node;
        write->changed |= is_new || link_is_new;
    }
    if (rc == COT_OK)
        *ret_node = first;
    return rc;
}

static void put_node(struct cot_writer *writer, size_t column, uint32_t node)
{
    if (node == COT_DICT_NONE)
        cot_put_null(writer, column);
    else
        cot_put_int32(writer, column, (int32_t)node);
}

static void put_minor(struct cot_writer *writer, size_t column, int64_t minor)
{
    if (minor == COT_NO_MINOR)
        cot_put_null(writer, column);
    else
        cot_put_int64(writer, column, minor);
}

/* Empty texts are NULL. */
static void put_text(struct cot_writer *writer, size_t column, struct cot_text text)
{
    cot_put_text(writer, column, text.size > 0 ? text.data : NULL, text.size);
}

/* The first row written for a row of the file carries its hash: so hashes count rows of files. */
static void put_hash(struct cot_writer *writer, size_t column, struct cot_row_write *write)
{
    if (write->hash_written) {
        cot_put_null(writer, column);
    } else {
        cot_put_hash(writer, column, write->hash);
        write->hash_written = true;
    }
}

static cot_code write_fact(struct cot_import_shop *shop, const struct cot_record *record, uint32_t item,
                           const struct cot_money *money, struct cot_row_write *write, struct cot_err *err)
{
    struct cot_writer *writer = NULL;
    struct cot_item_state *state = &shop->item_states[item];
    cot_code rc = cot_import_shop_writer(shop, COT_TABLE_item_fact, &writer, err);
    if (rc != COT_OK)
        return rc;
    state->has_name |= record->name.size > 0;
    state->has_category |= record->category.size > 0;
    cot_put_int32(writer, COT_item_fact_item_id, (int32_t)item);
    put_text(writer, COT_item_fact_name, record->name);
    put_text(writer, COT_item_fact_category, record->category);
    put_text(writer, COT_item_fact_subcategory, record->subcategory);
    put_text(writer, COT_item_fact_brand, record->brand);
    put_minor(writer, COT_item_fact_price_minor, money != NULL ? money->price_minor : COT_NO_MINOR);
    put_minor(writer, COT_item_fact_cost_minor, money != NULL ? money->cost_minor : COT_NO_MINOR);
    cot_put_time(writer, COT_item_fact_occurred_at, record->occurred_at_ms);
    cot_put_time(writer, COT_item_fact_recorded_at, record->recorded_at_ms);
    cot_put_int8(writer, COT_item_fact_timeless, (record->flags & COT_RECORD_TIMELESS) != 0);
    if (money != NULL)
        put_hash(writer, COT_item_fact_row_hash, write);
    else
        cot_put_null(writer, COT_item_fact_row_hash);
    cot_put_int32(writer, COT_item_fact_import_id, shop->import_id);
    rc = cot_writer_end_row(writer, err);
    return rc == COT_OK && shop->tap != NULL ? shop->tap->item(shop->tap->context, record, item, err) : rc;
}

static cot_code write_product(struct cot_import_shop *shop, const struct cot_record *record,
                              const struct cot_money *money, struct cot_row_write *write, struct cot_err *err)
{
    uint32_t item = 0;
    cot_code rc = cot_import_shop_item(shop, record->product_id, &item, err);
    if (rc == COT_OK)
        rc = write_fact(shop, record, item, money, write, err);
    if (rc == COT_OK)
        rc = cot_import_shop_add_price(shop, item, record->occurred_at_ms, money->price_minor, money->cost_minor, err);
    return rc;
}

/* The item of an event, COT_DICT_NONE for none; what the event's row says of it is kept while nothing else is known. */
static cot_code resolve_item(struct cot_import_shop *shop, const struct cot_record *record, struct cot_row_write *write,
                             uint32_t *ret_item, struct cot_err *err)
{
    *ret_item = COT_DICT_NONE;
    if (record->product_id.size == 0 || (record->flags & COT_RECORD_ADJUSTMENT))
        return COT_OK;
    cot_code rc = cot_import_shop_item(shop, record->product_id, ret_item, err);
    if (rc != COT_OK)
        return rc;
    const struct cot_item_state *state = &shop->item_states[*ret_item];
    bool says_name = record->name.size > 0 && !state->has_name;
    bool says_category = record->category.size > 0 && !state->has_category;
    return says_name || says_category ? write_fact(shop, record, *ret_item, NULL, write, err) : COT_OK;
}

static cot_code write_trait(struct cot_import_shop *shop, const struct cot_record *record,
                            const struct cot_trait *trait, uint32_t node, struct cot_row_write *write,
                            struct cot_err *err)
{
    struct cot_writer *writer = NULL;
    cot_code rc = cot_import_shop_writer(shop, COT_TABLE_trait, &writer, err);
    if (rc != COT_OK)
        return rc;
    bool timeless = trait->timeless || (record->flags & COT_RECORD_TIMELESS);
    write->n_timeless += timeless;
    cot_put_int32(writer, COT_trait_node_id, (int32_t)node);
    cot_put_text(writer, COT_trait_key, trait->key.data, trait->key.size);
    put_text(writer, COT_trait_value, trait->value);
    cot_put_double(writer, COT_trait_number, trait->number);
    cot_put_time(writer, COT_trait_occurred_at, timeless ? 0 : record->occurred_at_ms);
    cot_put_time(writer, COT_trait_recorded_at, timeless ? 0 : record->recorded_at_ms);
    cot_put_int8(writer, COT_trait_timeless, timeless);
    cot_put_int32(writer, COT_trait_import_id, shop->import_id);
    put_hash(writer, COT_trait_row_hash, write);
    rc = cot_writer_end_row(writer, err);
    return rc == COT_OK && shop->tap != NULL ? shop->tap->trait(shop->tap->context, record, trait, node, timeless, err)
                                             : rc;
}

/* A customer's own row is kept whole; on an event's row only what changes is said again. */
static cot_code write_traits(struct cot_import_shop *shop, const struct cot_record *record,
                             const struct cot_trait *traits, uint32_t node, struct cot_row_write *write,
                             struct cot_err *err)
{
    cot_code rc = COT_OK;
    bool whole = record->kind == COT_RECORD_CUSTOMER;
    for (size_t i = 0; i < record->n_traits && rc == COT_OK; i++) {
        bool changes = false;
        if (!whole || shop->traits_loaded)
            rc = cot_import_shop_trait_changes(shop, node, traits[i].key, traits[i].value, &changes, err);
        if (rc == COT_OK && (whole || changes))
            rc = write_trait(shop, record, &traits[i], node, write, err);
    }
    return rc;
}

static void put_what(struct cot_writer *writer, const struct cot_record *record, uint32_t item)
{
    bool gives_back = record->event_kind == COT_EVENT_REFUND && record->refund_of.size > 0;
    struct cot_text detail = record->detail;
    /* A refund stands under the order that it gives back; its own number, where that is another, is its detail. */
    if (detail.size == 0 && gives_back && record->order_key.size > 0 &&
        (record->order_key.size != record->refund_of.size ||
         memcmp(record->order_key.data, record->refund_of.data, record->order_key.size) != 0))
        detail = record->order_key;
    if (detail.size == 0 && (record->flags & COT_RECORD_ADJUSTMENT))
        detail = record->product_id;
    put_text(writer, COT_event_order_key, gives_back ? record->refund_of : record->order_key);
    if (item == COT_DICT_NONE)
        cot_put_null(writer, COT_event_item_id);
    else
        cot_put_int32(writer, COT_event_item_id, (int32_t)item);
    cot_put_double(writer, COT_event_quantity, record->quantity != 0 ? record->quantity : (double)NAN);
    put_text(writer, COT_event_channel, record->channel);
    put_text(writer, COT_event_session, record->session);
    put_text(writer, COT_event_campaign, record->campaign);
    put_text(writer, COT_event_detail, detail);
}

static cot_code write_event(struct cot_import_shop *shop, const struct cot_record *record, uint32_t node,
                            const struct cot_money *money, struct cot_row_write *write, struct cot_err *err)
{
    struct cot_writer *writer = NULL;
    uint32_t item = COT_DICT_NONE;
    cot_code rc = cot_import_shop_writer(shop, COT_TABLE_event, &writer, err);
    if (rc == COT_OK)
        rc = resolve_item(shop, record, write, &item, err);
    if (rc != COT_OK)
        return rc;
    write->n_undated += (record->flags & COT_RECORD_UNDATED) != 0;
    cot_put_int64(writer, COT_event_event_id, shop->next_event_id++);
    put_node(writer, COT_event_node_id, node);
    cot_put_int8(writer, COT_event_kind, (int8_t)record->event_kind);
    cot_put_time(writer, COT_event_occurred_at, record->occurred_at_ms);
    cot_put_time(writer, COT_event_recorded_at, record->recorded_at_ms);
    cot_put_null(writer, COT_event_superseded_at);
    put_what(writer, record, item);
    put_minor(writer, COT_event_amount_minor, money->amount_minor);
    put_minor(writer, COT_event_discount_minor, money->discount_minor);
    put_minor(writer, COT_event_cost_minor, money->cost_minor);
    put_minor(writer, COT_event_amount_original, money->original_minor);
    cot_put_text(writer, COT_event_currency, money->currency[0] != '\0' ? money->currency : NULL, 3);
    cot_put_int32(writer, COT_event_import_id, shop->import_id);
    put_hash(writer, COT_event_row_hash, write);
    put_text(writer, COT_event_properties, record->properties);
    rc = cot_writer_end_row(writer, err);
    return rc == COT_OK && shop->tap != NULL ? shop->tap->event(shop->tap->context, record, node, item, money, err)
                                             : rc;
}

static cot_code write_campaign(struct cot_import_shop *shop, const struct cot_record *record,
                               struct cot_row_write *write, struct cot_err *err)
{
    struct cot_writer *writer = NULL;
    cot_code rc = cot_import_shop_writer(shop, COT_TABLE_campaign, &writer, err);
    if (rc != COT_OK)
        return rc;
    put_text(writer, COT_campaign_campaign, record->campaign);
    put_text(writer, COT_campaign_name, record->name);
    put_text(writer, COT_campaign_type, record->detail);
    cot_put_time(writer, COT_campaign_starts_at, record->starts_at_ms != 0 ? record->starts_at_ms : INT64_MIN);
    cot_put_time(writer, COT_campaign_ends_at, record->ends_at_ms != 0 ? record->ends_at_ms : INT64_MIN);
    cot_put_int32(writer, COT_campaign_import_id, shop->import_id);
    put_hash(writer, COT_campaign_row_hash, write);
    return cot_writer_end_row(writer, err);
}

static cot_code write_coupon(struct cot_import_shop *shop, const struct cot_record *record, struct cot_row_write *write,
                             struct cot_err *err)
{
    struct cot_writer *writer = NULL;
    cot_code rc = cot_import_shop_writer(shop, COT_TABLE_coupon, &writer, err);
    if (rc != COT_OK)
        return rc;
    put_text(writer, COT_coupon_coupon, record->detail);
    put_text(writer, COT_coupon_product_id, record->product_id);
    put_text(writer, COT_coupon_campaign, record->campaign);
    cot_put_int32(writer, COT_coupon_import_id, shop->import_id);
    put_hash(writer, COT_coupon_row_hash, write);
    return cot_writer_end_row(writer, err);
}

static cot_code write_promotion(struct cot_import_shop *shop, const struct cot_record *record,
                                struct cot_row_write *write, struct cot_err *err)
{
    struct cot_writer *writer = NULL;
    cot_code rc = cot_import_shop_writer(shop, COT_TABLE_promotion, &writer, err);
    if (rc != COT_OK)
        return rc;
    put_text(writer, COT_promotion_product_id, record->product_id);
    put_text(writer, COT_promotion_store, record->store);
    put_text(writer, COT_promotion_display, record->display);
    put_text(writer, COT_promotion_mailer, record->mailer);
    put_text(writer, COT_promotion_week, record->week);
    cot_put_int32(writer, COT_promotion_import_id, shop->import_id);
    put_hash(writer, COT_promotion_row_hash, write);
    return cot_writer_end_row(writer, err);
}

static cot_code write_rate(struct cot_import_shop *shop, const struct cot_record *record, struct cot_row_write *write,
                           struct cot_err *err)
{
    struct cot_writer *writer = NULL;
    int64_t day = cot_ms_to_days(record->occurred_at_ms);
    cot_code rc = cot_import_shop_writer(shop, COT_TABLE_rate, &writer, err);
    if (rc == COT_OK)
        rc = cot_rate_table_add(&shop->rates, record->currency, day, record->rate, err);
    if (rc != COT_OK)
        return rc;
    cot_put_text(writer, COT_rate_currency, record->currency, strlen(record->currency));
    cot_put_int32(writer, COT_rate_day, (int32_t)day);
    cot_put_double(writer, COT_rate_rate, record->rate);
    cot_put_int32(writer, COT_rate_import_id, shop->import_id);
    put_hash(writer, COT_rate_row_hash, write);
    return cot_writer_end_row(writer, err);
}

static cot_code write_consent(struct cot_import_shop *shop, const struct cot_record *record, uint32_t node,
                              struct cot_row_write *write, struct cot_err *err)
{
    struct cot_writer *writer = NULL;
    cot_code rc = cot_import_shop_writer(shop, COT_TABLE_consent, &writer, err);
    if (rc != COT_OK)
        return rc;
    put_node(writer, COT_consent_node_id, node);
    put_text(writer, COT_consent_purpose, record->purpose);
    cot_put_int8(writer, COT_consent_granted, record->granted);
    cot_put_time(writer, COT_consent_occurred_at, record->occurred_at_ms);
    cot_put_time(writer, COT_consent_recorded_at, record->recorded_at_ms);
    cot_put_int32(writer, COT_consent_import_id, shop->import_id);
    put_hash(writer, COT_consent_row_hash, write);
    return cot_writer_end_row(writer, err);
}

static cot_code write_suppression(struct cot_import_shop *shop, const struct cot_record *record, uint32_t node,
                                  struct cot_row_write *write, struct cot_err *err)
{
    struct cot_writer *writer = NULL;
    cot_code rc = cot_import_shop_writer(shop, COT_TABLE_suppression, &writer, err);
    if (rc != COT_OK)
        return rc;
    put_node(writer, COT_suppression_node_id, node);
    put_text(writer, COT_suppression_channel, record->channel);
    put_text(writer, COT_suppression_reason, record->detail);
    cot_put_time(writer, COT_suppression_occurred_at, record->occurred_at_ms);
    cot_put_time(writer, COT_suppression_recorded_at, record->recorded_at_ms);
    cot_put_int32(writer, COT_suppression_import_id, shop->import_id);
    put_hash(writer, COT_suppression_row_hash, write);
    return cot_writer_end_row(writer, err);
}

cot_code cot_record_write(struct cot_import_shop *shop, const struct cot_record *record, const struct cot_trait *traits,
                          const struct cot_money *money, struct cot_row_write *write, struct cot_err *err)
{
    uint32_t node = COT_DICT_NONE;
    cot_code rc = resolve_node(shop, record, write, &node, err);
    if (rc == COT_OK && node != COT_DICT_NONE && record->kind != COT_RECORD_EVENT)
        rc = write_traits(shop, record, traits, node, write, err);
    if (rc != COT_OK)
        return rc;
    switch (record->kind) {
    case COT_RECORD_EVENT:
        rc = write_event(shop, record, node, money, write, err);
        if (rc == COT_OK && node != COT_DICT_NONE) /* after the event, which carries the row's hash */
            rc = write_traits(shop, record, traits, node, write, err);
        return rc;
    case COT_RECORD_CUSTOMER:
    case COT_RECORD_LINK: return COT_OK;
    case COT_RECORD_PRODUCT: return write_product(shop, record, money, write, err);
    case COT_RECORD_CAMPAIGN: return write_campaign(shop, record, write, err);
    case COT_RECORD_COUPON: return write_coupon(shop, record, write, err);
    case COT_RECORD_CONSENT: return write_consent(shop, record, node, write, err);
    case COT_RECORD_SUPPRESSION: return write_suppression(shop, record, node, write, err);
    case COT_RECORD_RATE: return write_rate(shop, record, write, err);
    case COT_RECORD_PROMOTION: return write_promotion(shop, record, write, err);
    }
    return cot_fail(err, COT_INTERNAL, "a record of kind %d", (int)record->kind);
}
