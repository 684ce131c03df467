#include "domain/feature_fold.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "domain/refund.h"

enum {
    FIRST_SLOTS = 16,
    SESSION_LOOK_BACK = 8, /* interleaved sessions of one person: devices, tabs */
    MESSAGE_LOOK_BACK = 64
};

#define SESSION_GAP_MS                                                                                                 \
    (30 * 60 * COT_MS_PER_SECOND) /* ends a session that has no id: web analytics' usual half hour                     \
                                   */
#define CART_MS COT_MS_PER_DAY    /* an order within a day of the last cart_add is the cart's */

void cot_fold_clear(struct cot_fold *fold)
{
    struct cot_fold kept = {
        .orders = fold->orders,
        .orders_capacity = fold->orders_capacity,
        .items = fold->items,
        .items_capacity = fold->items_capacity,
        .purchases = fold->purchases,
        .purchases_capacity = fold->purchases_capacity,
        .sessions = fold->sessions,
        .sessions_capacity = fold->sessions_capacity,
        .messages = fold->messages,
        .messages_capacity = fold->messages_capacity,
        .order_map = {.slots = fold->order_map.slots, .capacity = fold->order_map.capacity},
        .item_map = {.slots = fold->item_map.slots, .capacity = fold->item_map.capacity},
        .first_ms = -1,
        .last_visit_ms = -1,
    };
    *fold = kept;
}

void cot_fold_release(struct cot_fold *fold)
{
    free(fold->orders);
    free(fold->items);
    free(fold->purchases);
    free(fold->sessions);
    free(fold->messages);
    free(fold->order_map.slots);
    free(fold->item_map.slots);
    *fold = (struct cot_fold){0};
}

static size_t slot_of(uint64_t key, size_t n_slots)
{
    return (size_t)(key * UINT64_C(0x9e3779b97f4a7c15) >> 32) & (n_slots - 1);
}

uint32_t cot_fold_find_order(const struct cot_fold *fold, uint64_t key)
{
    const struct cot_fold_map *map = &fold->order_map;
    if (map->n_slots == 0)
        return COT_NONE;
    for (size_t i = slot_of(key, map->n_slots); map->slots[i] != 0; i = (i + 1) & (map->n_slots - 1))
        if (fold->orders[map->slots[i] - 1].key == key)
            return map->slots[i] - 1;
    return COT_NONE;
}

uint32_t cot_fold_find_item(const struct cot_fold *fold, uint32_t item)
{
    const struct cot_fold_map *map = &fold->item_map;
    if (map->n_slots == 0)
        return COT_NONE;
    for (size_t i = slot_of(item, map->n_slots); map->slots[i] != 0; i = (i + 1) & (map->n_slots - 1))
        if (fold->items[map->slots[i] - 1].item == item)
            return map->slots[i] - 1;
    return COT_NONE;
}

static void map_put(struct cot_fold_map *map, uint64_t key, size_t index)
{
    size_t i = slot_of(key, map->n_slots);
    while (map->slots[i] != 0)
        i = (i + 1) & (map->n_slots - 1);
    map->slots[i] = (uint32_t)index + 1;
}

/* Doubles the map where n keys would fill more than half of it; true where the keys must be put in again. */
static cot_code map_grow(struct cot_fold_map *map, size_t n, bool *ret_emptied, struct cot_err *err)
{
    *ret_emptied = false;
    if (map->n_slots > 0 && n * 2 <= map->n_slots)
        return COT_OK;
    size_t n_slots = map->n_slots == 0 ? FIRST_SLOTS : map->n_slots * 2;
    if (n_slots > map->capacity) {
        uint32_t *slots = realloc(map->slots, n_slots * sizeof *slots);
        if (slots == NULL)
            return cot_fail(err, COT_NOMEM, "map of %zu orders or items of a customer", n);
        map->slots = slots;
        map->capacity = n_slots;
    }
    memset(map->slots, 0, n_slots * sizeof *map->slots);
    map->n_slots = n_slots;
    *ret_emptied = true;
    return COT_OK;
}

/* Day and hour habits and the gaps between days with an order, from the order's first moment. */
static void order_calendar(struct cot_fold *fold, const struct cot_zone *zone, int64_t at_ms)
{
    struct cot_civil civil;
    int64_t local_ms = cot_zone_local(zone, at_ms);
    int64_t day = cot_ms_to_days(local_ms);
    int64_t local_time = local_ms - day * COT_MS_PER_DAY;
    cot_civil_from_ms(local_ms, &civil);
    int64_t month = (int64_t)civil.year * 12 + civil.month;
    fold->weekday_orders[cot_weekday(day)]++;
    /* Midnight sharp, here or in UTC, is what a date without a time of day becomes. */
    if (local_time != 0 && at_ms % COT_MS_PER_DAY != 0)
        fold->hour_orders[local_time / COT_MS_PER_HOUR]++;
    if (fold->n_order_months == 0 || month != fold->last_order_month)
        fold->n_order_months++;
    fold->last_order_month = month;
    if (fold->n_order_days == 0) {
        fold->first_order_day = fold->last_order_day = day;
        fold->n_order_days = 1;
        return;
    }
    int64_t gap = day - fold->last_order_day;
    if (gap <= 0) /* a clock put back may repeat a day's end, never more */
        return;
    if (fold->last_gap_days > 0) {
        double ratio = (double)fold->last_gap_days / (double)(fold->last_gap_days + gap) - 0.5;
        fold->gap_ratio_sum += ratio * ratio;
        fold->n_gap_pairs++;
    }
    fold->gap_square_sum += gap * gap;
    fold->last_gap_days = gap;
    fold->last_order_day = day;
    fold->n_order_days++;
}

static cot_code order_add(struct cot_fold *fold, const struct cot_fold_input *input, const struct cot_entry *entry,
                          uint64_t key, struct cot_err *err)
{
    bool emptied = false;
    void *grown = cot_array_reserve(fold->orders, &fold->orders_capacity, fold->n_orders + 1, sizeof *fold->orders);
    if (grown == NULL)
        return cot_fail(err, COT_NOMEM, "%zu orders of a customer", fold->n_orders + 1);
    fold->orders = grown;
    if (key != 0) {
        cot_code rc = map_grow(&fold->order_map, fold->n_orders + 1, &emptied, err);
        if (rc != COT_OK)
            return rc;
    }
    for (size_t i = 0; emptied && i < fold->n_orders; i++)
        if (fold->orders[i].key != 0)
            map_put(&fold->order_map, fold->orders[i].key, i);
    fold->orders[fold->n_orders] = (struct cot_fold_order){.key = key, .first_ms = cot_entry_ms(entry)};
    if (key != 0)
        map_put(&fold->order_map, key, fold->n_orders);
    fold->n_orders++;
    unsigned channel = cot_entry_channel(entry);
    fold->channel_orders[channel < COT_N_CHANNELS ? channel : COT_CHANNEL_OTHER]++;
    order_calendar(fold, input->zone, cot_entry_ms(entry));
    return COT_OK;
}

static cot_code item_add(struct cot_fold *fold, uint32_t item, int64_t at_ms, uint32_t *ret_index, struct cot_err *err)
{
    bool emptied = false;
    void *grown = cot_array_reserve(fold->items, &fold->items_capacity, fold->n_items + 1, sizeof *fold->items);
    if (grown == NULL)
        return cot_fail(err, COT_NOMEM, "%zu items of a customer", fold->n_items + 1);
    fold->items = grown;
    cot_code rc = map_grow(&fold->item_map, fold->n_items + 1, &emptied, err);
    if (rc != COT_OK)
        return rc;
    for (size_t i = 0; emptied && i < fold->n_items; i++)
        map_put(&fold->item_map, fold->items[i].item, i);
    fold->items[fold->n_items] =
        (struct cot_fold_item){.item = item, .first_ms = at_ms, .last_purchase = COT_NONE, .last_open = COT_NONE};
    map_put(&fold->item_map, item, fold->n_items);
    *ret_index = (uint32_t)fold->n_items++;
    return COT_OK;
}

/* True where the order has a line of the item already. */
static bool order_has_item(const struct cot_fold *fold, const struct cot_fold_item *item, uint32_t i_order)
{
    int64_t first_ms = fold->orders[i_order].first_ms;
    uint32_t i = item->last_purchase;
    for (; i != COT_NONE && fold->purchases[i].at_ms >= first_ms; i = fold->purchases[i].previous)
        if (fold->purchases[i].order == i_order)
            return true;
    return false;
}

static cot_code fold_purchase(struct cot_fold *fold, const struct cot_entry *entry, const struct cot_line *line,
                              uint32_t i_order, struct cot_err *err)
{
    int64_t at_ms = cot_entry_ms(entry);
    uint32_t i_item = cot_fold_find_item(fold, entry->item);
    cot_code rc = i_item != COT_NONE ? COT_OK : item_add(fold, entry->item, at_ms, &i_item, err);
    if (rc != COT_OK)
        return rc;
    void *grown =
        cot_array_reserve(fold->purchases, &fold->purchases_capacity, fold->n_purchases + 1, sizeof *fold->purchases);
    if (grown == NULL)
        return cot_fail(err, COT_NOMEM, "%zu purchases of a customer", fold->n_purchases + 1);
    fold->purchases = grown;
    struct cot_fold_item *item = &fold->items[i_item];
    if (!order_has_item(fold, item, i_order)) {
        item->n_orders++;
        fold->orders[i_order].n_items++;
    }
    double unit_price = (double)line->amount_minor / (double)line->quantity;
    if (unit_price > 0) {
        item->log_price_sum += log(unit_price);
        item->n_priced++;
    }
    item->n_lines++;
    item->last_ms = at_ms;
    fold->purchases[fold->n_purchases] = (struct cot_fold_purchase){.at_ms = at_ms,
                                                                    .units = (double)line->quantity,
                                                                    .order = i_order,
                                                                    .previous = item->last_purchase,
                                                                    .previous_open = item->last_open};
    item->last_purchase = item->last_open = (uint32_t)fold->n_purchases++;
    return COT_OK;
}

/* Discount and cost where the source gives them. A refund takes back revenue and cost. */
static void fold_extra(struct cot_fold *fold, const struct cot_fold_input *input, const struct cot_line *line,
                       bool refund)
{
    if (line->extra == COT_NO_EXTRA)
        return;
    const struct cot_line_extra *extra = &input->lines->extras[line->extra];
    if (extra->cost_minor != COT_UNKNOWN_MINOR) {
        int64_t cost = extra->cost_minor < 0 ? -extra->cost_minor : extra->cost_minor;
        fold->n_cost_known++;
        fold->margin_minor += line->amount_minor - (refund ? -cost : cost);
        fold->margin_base_minor += line->amount_minor;
    }
    if (extra->discount_minor != COT_UNKNOWN_MINOR && !refund) {
        fold->n_discount_known++;
        fold->n_discounted += extra->discount_minor != 0;
        fold->discount_minor += extra->discount_minor < 0 ? -extra->discount_minor : extra->discount_minor;
        fold->discount_base_minor += line->amount_minor;
    }
}

/* An order line marks the carts of the last day as bought. */
static void sessions_buy(struct cot_fold *fold, int64_t at_ms)
{
    for (size_t i = fold->n_sessions; i-- > 0 && fold->sessions[i].first_ms >= at_ms - 2 * CART_MS;) {
        struct cot_fold_session *session = &fold->sessions[i];
        if (session->cart_ms >= 0 && session->cart_ms >= at_ms - CART_MS)
            session->bought = true;
    }
}

static cot_code fold_line(struct cot_fold *fold, const struct cot_fold_input *input, const struct cot_entry *entry,
                          struct cot_err *err)
{
    const struct cot_line *line = &input->lines->lines[entry->detail];
    uint32_t i_order = line->order != 0 ? cot_fold_find_order(fold, line->order) : COT_NONE;
    cot_code rc = COT_OK;
    if (i_order == COT_NONE) {
        rc = order_add(fold, input, entry, line->order, err);
        i_order = (uint32_t)fold->n_orders - 1;
    }
    if (rc != COT_OK)
        return rc;
    struct cot_fold_order *order = &fold->orders[i_order];
    order->n_lines++;
    order->gross_minor += line->amount_minor;
    order->units += (double)line->quantity;
    order->discounted |= line->extra != COT_NO_EXTRA && input->lines->extras[line->extra].discount_minor != 0 &&
                         input->lines->extras[line->extra].discount_minor != COT_UNKNOWN_MINOR;
    fold->n_lines++;
    fold->gross_minor += line->amount_minor;
    fold->units += (double)line->quantity;
    fold_extra(fold, input, line, false);
    sessions_buy(fold, cot_entry_ms(entry));
    return entry->item != COT_NO_ITEM ? fold_purchase(fold, entry, line, i_order, err) : COT_OK;
}

static void fold_refund(struct cot_fold *fold, const struct cot_fold_input *input, const struct cot_entry *entry)
{
    const struct cot_line *line = &input->lines->lines[entry->detail];
    struct cot_refund refund = {.order = line->order, .item = entry->item, .units = (double)line->quantity};
    uint32_t i_order = COT_NONE;
    fold->units_returned += cot_refund_match(fold, &refund, &i_order);
    fold->n_refunds++;
    fold->n_refunds_unmatched += i_order == COT_NONE;
    if (i_order != COT_NONE)
        fold->orders[i_order].refund_minor += line->amount_minor;
    fold->refund_minor += line->amount_minor;
    fold_extra(fold, input, line, true);
}

/* The session that an event continues, or COT_NONE. */
static uint32_t session_find(const struct cot_fold *fold, uint32_t id, int64_t at_ms)
{
    for (size_t i = fold->n_sessions, looked = 0; i-- > 0 && looked < SESSION_LOOK_BACK; looked++) {
        const struct cot_fold_session *session = &fold->sessions[i];
        if (session->id == id && (id != 0 || at_ms - session->last_ms <= SESSION_GAP_MS))
            return (uint32_t)i;
    }
    return COT_NONE;
}

static cot_code fold_visit(struct cot_fold *fold, const struct cot_fold_input *input, const struct cot_entry *entry,
                           struct cot_err *err)
{
    int64_t at_ms = cot_entry_ms(entry);
    uint32_t session_id = cot_entry_hash(entry, input->lines);
    uint32_t i = session_find(fold, session_id, at_ms);
    if (i == COT_NONE) {
        void *grown =
            cot_array_reserve(fold->sessions, &fold->sessions_capacity, fold->n_sessions + 1, sizeof *fold->sessions);
        if (grown == NULL)
            return cot_fail(err, COT_NOMEM, "%zu sessions of a customer", fold->n_sessions + 1);
        fold->sessions = grown;
        i = (uint32_t)fold->n_sessions++;
        fold->sessions[i] = (struct cot_fold_session){.first_ms = at_ms, .cart_ms = -1, .id = session_id};
    }
    struct cot_fold_session *session = &fold->sessions[i];
    session->last_ms = at_ms;
    session->n_events++;
    if (cot_entry_kind(entry) == COT_EVENT_CART_ADD) {
        session->cart_ms = at_ms;
        session->bought = false;
    }
    fold->last_visit_ms = at_ms;
    return COT_OK;
}

static cot_code message_add(struct cot_fold *fold, const struct cot_fold_input *input, const struct cot_entry *entry,
                            struct cot_err *err)
{
    void *grown =
        cot_array_reserve(fold->messages, &fold->messages_capacity, fold->n_messages + 1, sizeof *fold->messages);
    if (grown == NULL)
        return cot_fail(err, COT_NOMEM, "%zu messages to a customer", fold->n_messages + 1);
    fold->messages = grown;
    fold->messages[fold->n_messages++] =
        (struct cot_fold_message){.sent_ms = cot_entry_ms(entry),
                                  .campaign = cot_entry_hash(entry, input->lines),
                                  .email = cot_entry_kind(entry) == COT_EVENT_EMAIL_SENT};
    return COT_OK;
}

/* Opens and clicks answer the latest message of their campaign (of any, where they name none). */
static void message_answer(struct cot_fold *fold, const struct cot_fold_input *input, const struct cot_entry *entry)
{
    enum cot_event_kind kind = cot_entry_kind(entry);
    bool email = kind == COT_EVENT_EMAIL_OPEN || kind == COT_EVENT_EMAIL_CLICK;
    uint32_t campaign = cot_entry_hash(entry, input->lines);
    for (size_t i = fold->n_messages, looked = 0; i-- > 0 && looked < MESSAGE_LOOK_BACK; looked++) {
        struct cot_fold_message *message = &fold->messages[i];
        if ((campaign != 0 && message->campaign != campaign) || (email && !message->email))
            continue;
        message->opened |= email;
        message->clicked |= kind == COT_EVENT_EMAIL_CLICK;
        message->responded |= !email;
        return;
    }
}

static cot_code fold_entry(struct cot_fold *fold, const struct cot_fold_input *input, const struct cot_entry *entry,
                           struct cot_err *err)
{
    enum cot_event_kind kind = cot_entry_kind(entry);
    fold->kind_counts[kind & 127]++;
    if (fold->first_ms < 0)
        fold->first_ms = cot_entry_ms(entry);
    switch (cot_event_kind_group(kind)) {
    case COT_EVENT_GROUP_PURCHASE:
        if (kind == COT_EVENT_ORDER_LINE)
            return fold_line(fold, input, entry, err);
        fold_refund(fold, input, entry);
        return COT_OK;
    case COT_EVENT_GROUP_ENGAGEMENT: return fold_visit(fold, input, entry, err);
    case COT_EVENT_GROUP_MESSAGE:
        if (kind == COT_EVENT_EMAIL_SENT || kind == COT_EVENT_CAMPAIGN_SENT)
            return message_add(fold, input, entry, err);
        if (kind != COT_EVENT_UNSUBSCRIBE)
            message_answer(fold, input, entry);
        return COT_OK;
    case COT_EVENT_GROUP_SERVICE: return COT_OK;
    }
    return COT_OK;
}

cot_code cot_fold_extend(struct cot_fold *fold, const struct cot_fold_input *input, const struct cot_run *run,
                         size_t end, struct cot_err *err)
{
    cot_code rc = COT_OK;
    for (size_t i = fold->n_entries; rc == COT_OK && i < end; i++)
        rc = fold_entry(fold, input, &run->entries[i], err);
    if (rc == COT_OK && end > fold->n_entries)
        fold->n_entries = end;
    return rc;
}
