#include "engine/import_shop.h"

#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "base/civil.h"
#include "engine/identity_rules_store.h"

enum { PAIR_TAG = 1, CLAIMED_TAG = 2, GAP_TAG = 255 };

char *cot_text_dup(struct cot_text text)
{
    char *copy = malloc((size_t)text.size + 1);
    if (copy == NULL)
        return NULL;
    if (text.size > 0)
        memcpy(copy, text.data, text.size);
    copy[text.size] = '\0';
    return copy;
}

/* Adds a key under the number that the store gave it; numbers that erasure left free are filled with keys of no one. */
static cot_code add_at(struct cot_dict *dict, uint32_t number, uint8_t tag, const char *text, size_t size,
                       struct cot_err *err)
{
    uint32_t given = 0;
    cot_code rc = COT_OK;
    while (rc == COT_OK && dict->n < number) {
        uint32_t gap = (uint32_t)dict->n;
        rc = cot_dict_add(dict, GAP_TAG, (const char *)&gap, sizeof gap, &given, err);
    }
    if (rc == COT_OK)
        rc = cot_dict_add(dict, tag, text, size, &given, err);
    if (rc == COT_OK && given != number)
        rc = cot_fail(err, COT_BAD_DATA, "the shop's file numbers '%.*s' twice (%u and %u): restore a backup",
                      (int)(size < 80 ? size : 80), text, given, number);
    return rc;
}

static cot_code load_dict(struct cot_store *store, struct cot_dict *dict, const char *sql, struct cot_err *err)
{
    struct cot_rows *rows = NULL;
    bool more = false;
    cot_code rc = cot_rows_open(store, &rows, err, "%s", sql);
    while (rc == COT_OK && (rc = cot_rows_next(rows, &more, err)) == COT_OK && more) {
        size_t size = 0;
        const char *text = cot_rows_text(rows, 2, &size);
        rc = add_at(dict, (uint32_t)cot_rows_int(rows, 0), (uint8_t)cot_rows_int(rows, 1), text != NULL ? text : "",
                    size, err);
    }
    cot_rows_close(rows);
    return rc;
}

static bool is_exclusive(const struct cot_import_shop *shop, uint32_t node)
{
    uint8_t kind = cot_dict_entry(&shop->nodes, node)->tag;
    return kind < COT_N_NODE_KINDS && shop->identity.kinds[kind].exclusive;
}

static cot_code remember_pair(struct cot_import_shop *shop, uint32_t a, uint32_t b, int op, struct cot_err *err)
{
    uint32_t pair[2] = {a < b ? a : b, a < b ? b : a};
    uint32_t number = 0;
    uint32_t ignored = 0;
    cot_code rc = cot_dict_add(&shop->pairs, PAIR_TAG, (const char *)pair, sizeof pair, &number, err);
    for (int i = 0; i < 2 && rc == COT_OK && op != COT_LINK_REFUSED; i++)
        if (is_exclusive(shop, pair[i]))
            rc = cot_dict_add(&shop->pairs, CLAIMED_TAG, (const char *)&pair[i], sizeof pair[i], &ignored, err);
    if (rc != COT_OK)
        return rc;
    void *grown = cot_array_reserve(shop->pair_ops, &shop->pair_ops_capacity, shop->pairs.n, sizeof *shop->pair_ops);
    if (grown == NULL)
        return cot_fail(err, COT_NOMEM, "%zu links", shop->pairs.n);
    shop->pair_ops = grown;
    shop->pair_ops[number] = (int8_t)op;
    shop->sets_stale |= op < 0;
    return COT_OK;
}

/* The sets of nodes as the pairs say, reaching every node. */
static cot_code bring_sets(struct cot_import_shop *shop, struct cot_err *err)
{
    bool anew = shop->sets_stale;
    if (anew)
        cot_identity_sets_release(&shop->sets);
    cot_code rc = cot_identity_sets_reach(&shop->sets, &shop->nodes, err);
    for (uint32_t i = 0; anew && rc == COT_OK && i < shop->pairs.n; i++) {
        const struct cot_dict_entry *entry = cot_dict_entry(&shop->pairs, i);
        uint32_t pair[2];
        if (entry->tag != PAIR_TAG || shop->pair_ops[i] <= 0)
            continue;
        memcpy(pair, entry->text, sizeof pair);
        cot_identity_sets_join(&shop->sets, pair[0], pair[1]);
    }
    shop->sets_stale = rc != COT_OK;
    return rc;
}

static cot_code load_links(struct cot_import_shop *shop, struct cot_err *err)
{
    struct cot_rows *rows = NULL;
    bool more = false;
    cot_code rc =
        cot_rows_open(shop->store, &rows, err,
                      "select least(node_a, node_b), greatest(node_a, node_b), coalesce(arg_max(op, (occurred_at,"
                      " rowid)) filter (where op <> 0), 0) from link group by 1, 2 order by 1, 2");
    while (rc == COT_OK && (rc = cot_rows_next(rows, &more, err)) == COT_OK && more) {
        uint32_t a = (uint32_t)cot_rows_int(rows, 0);
        uint32_t b = (uint32_t)cot_rows_int(rows, 1);
        if (a < shop->nodes.n && b < shop->nodes.n)
            rc = remember_pair(shop, a, b, (int)cot_rows_int(rows, 2), err);
    }
    cot_rows_close(rows);
    shop->sets_stale = true; /* made when they are first asked */
    return rc;
}

static cot_code grow_item_states(struct cot_import_shop *shop, struct cot_err *err)
{
    if (shop->items.n <= shop->item_states_capacity)
        return COT_OK;
    size_t capacity = shop->items.n + shop->items.n / 2 + 1024;
    struct cot_item_state *states = realloc(shop->item_states, capacity * sizeof *states);
    if (states == NULL)
        return cot_fail(err, COT_NOMEM, "%zu items", capacity);
    for (size_t i = shop->item_states_capacity; i < capacity; i++)
        states[i] = (struct cot_item_state){.last_price = COT_NO_FACT};
    shop->item_states = states;
    shop->item_states_capacity = capacity;
    return COT_OK;
}

static cot_code load_item_facts(struct cot_import_shop *shop, struct cot_err *err)
{
    struct cot_rows *rows = NULL;
    bool more = false;
    cot_code rc = cot_rows_open(shop->store, &rows, err,
                                "select item_id, occurred_at, price_minor, cost_minor, name is not null,"
                                " category is not null from item_fact order by rowid");
    while (rc == COT_OK && (rc = cot_rows_next(rows, &more, err)) == COT_OK && more) {
        uint32_t item = (uint32_t)cot_rows_int(rows, 0);
        if (item >= shop->items.n)
            continue;
        shop->item_states[item].has_name |= cot_rows_int(rows, 4) != 0;
        shop->item_states[item].has_category |= cot_rows_int(rows, 5) != 0;
        rc = cot_import_shop_add_price(shop, item, cot_rows_int(rows, 1),
                                       cot_rows_is_null(rows, 2) ? COT_NO_MINOR : cot_rows_int(rows, 2),
                                       cot_rows_is_null(rows, 3) ? COT_NO_MINOR : cot_rows_int(rows, 3), err);
    }
    cot_rows_close(rows);
    return rc;
}

static cot_code load_rates(struct cot_import_shop *shop, struct cot_err *err)
{
    struct cot_rows *rows = NULL;
    bool more = false;
    cot_code rc = cot_rows_open(shop->store, &rows, err, "select currency, day, rate from rate order by rowid");
    while (rc == COT_OK && (rc = cot_rows_next(rows, &more, err)) == COT_OK && more) {
        char currency[4] = "";
        size_t size = 0;
        const char *text = cot_rows_text(rows, 0, &size);
        if (size == 3)
            memcpy(currency, text, 3);
        rc = cot_rate_table_add(&shop->rates, currency, cot_ms_to_days(cot_rows_int(rows, 1)), cot_rows_double(rows, 2),
                                err);
    }
    cot_rows_close(rows);
    cot_rate_table_finish(&shop->rates);
    return rc;
}

static cot_code load_settings(struct cot_import_shop *shop, struct cot_err *err)
{
    char *base = NULL;
    cot_code rc = cot_store_setting(shop->store, "base_currency", &base, err);
    if (rc == COT_OK && base != NULL && strlen(base) == 3)
        memcpy(shop->base_currency, base, 4);
    free(base);
    if (rc == COT_OK)
        rc = cot_store_setting(shop->store, "time_zone", &shop->time_zone, err);
    if (rc == COT_OK)
        rc = cot_identity_rules_load(shop->store, &shop->identity, err);
    if (rc == COT_OK)
        rc = cot_salt_get(shop->store, &shop->salt, err);
    if (rc == COT_OK)
        rc = cot_erased_load(shop->store, &shop->erased, err);
    return rc;
}

static cot_code load_counters(struct cot_import_shop *shop, struct cot_err *err)
{
    int64_t import_id = 0;
    int64_t source_id = 0;
    cot_code rc =
        cot_store_number(shop->store, &shop->next_event_id, err, "select coalesce(max(event_id), 0) + 1 from event");
    if (rc == COT_OK)
        rc = cot_store_number(shop->store, &shop->next_quarantine_id, err,
                              "select coalesce(max(quarantine_id), 0) + 1 from quarantine");
    if (rc == COT_OK)
        rc = cot_store_number(shop->store, &import_id, err, "select coalesce(max(import_id), 0) + 1 from import_run");
    if (rc == COT_OK)
        rc = cot_store_number(shop->store, &source_id, err, "select coalesce(max(source_id), 0) + 1 from source");
    shop->next_import_id = (int32_t)import_id;
    shop->next_source_id = (int32_t)source_id;
    return rc;
}

cot_code cot_import_shop_load(struct cot_store *store, struct cot_import_shop **ret_shop, struct cot_err *err)
{
    struct cot_import_shop *shop = calloc(1, sizeof *shop);
    if (shop == NULL)
        return cot_fail(err, COT_NOMEM, "the shop");
    shop->store = store;
    cot_code rc = load_settings(shop, err);
    if (rc == COT_OK)
        rc = load_counters(shop, err);
    if (rc == COT_OK)
        rc = load_dict(store, &shop->nodes, "select node_id, kind, value from node order by node_id", err);
    if (rc == COT_OK)
        rc = load_links(shop, err);
    if (rc == COT_OK)
        rc = load_dict(store, &shop->items, "select item_id, 0, product_id from item order by item_id", err);
    if (rc == COT_OK)
        rc = grow_item_states(shop, err);
    if (rc == COT_OK)
        rc = load_item_facts(shop, err);
    if (rc == COT_OK)
        rc = load_rates(shop, err);
    if (rc == COT_OK)
        *ret_shop = shop;
    else
        cot_import_shop_free(shop);
    return rc;
}

void cot_import_shop_move(struct cot_import_shop *shop, struct cot_store *store)
{
    for (int i = 0; i < COT_N_TABLES; i++) {
        cot_writer_abandon(shop->writers[i]);
        shop->writers[i] = NULL;
    }
    shop->store = store;
}

void cot_import_shop_free(struct cot_import_shop *shop)
{
    if (shop == NULL)
        return;
    cot_import_shop_move(shop, NULL);
    cot_dict_release(&shop->nodes);
    cot_dict_release(&shop->pairs);
    cot_identity_rules_release(&shop->identity);
    cot_identity_sets_release(&shop->sets);
    free(shop->pair_ops);
    cot_dict_release(&shop->items);
    cot_dict_release(&shop->traits);
    cot_rate_table_release(&shop->rates);
    cot_erased_free(shop->erased);
    free(shop->item_states);
    free(shop->prices);
    free(shop->trait_values);
    free(shop->salt);
    free(shop->time_zone);
    free(shop);
}

cot_code cot_import_shop_writer(struct cot_import_shop *shop, enum cot_table table, struct cot_writer **ret_writer,
                                struct cot_err *err)
{
    cot_code rc = COT_OK;
    if (shop->writers[table] == NULL)
        rc = cot_writer_open(shop->store, table, &shop->writers[table], err);
    if (rc == COT_OK)
        *ret_writer = shop->writers[table];
    return rc;
}

cot_code cot_import_shop_flush_writers(struct cot_import_shop *shop, struct cot_err *err)
{
    cot_code rc = COT_OK;
    for (int i = 0; i < COT_N_TABLES && rc == COT_OK; i++)
        if (shop->writers[i] != NULL)
            rc = cot_writer_flush(shop->writers[i], err);
    return rc;
}

cot_code cot_import_shop_close_writers(struct cot_import_shop *shop, struct cot_err *err)
{
    cot_code rc = COT_OK;
    for (int i = 0; i < COT_N_TABLES; i++) {
        struct cot_writer *writer = shop->writers[i];
        shop->writers[i] = NULL;
        if (rc == COT_OK)
            rc = cot_writer_close(writer, err);
        else
            cot_writer_abandon(writer);
    }
    return rc;
}

cot_code cot_import_shop_node(struct cot_import_shop *shop, enum cot_node_kind kind, struct cot_text value,
                              uint32_t *ret_node, bool *ret_new, struct cot_err *err)
{
    struct cot_writer *writer = NULL;
    size_t n = shop->nodes.n;
    cot_code rc = cot_dict_add(&shop->nodes, (uint8_t)kind, value.data, value.size, ret_node, err);
    *ret_new = rc == COT_OK && shop->nodes.n > n;
    if (rc != COT_OK || !*ret_new)
        return rc;
    rc = cot_import_shop_writer(shop, COT_TABLE_node, &writer, err);
    if (rc != COT_OK)
        return rc;
    cot_put_int32(writer, COT_node_node_id, (int32_t)*ret_node);
    cot_put_int8(writer, COT_node_kind, (int8_t)kind);
    cot_put_text(writer, COT_node_value, value.data, value.size);
    cot_put_int32(writer, COT_node_import_id, shop->import_id);
    rc = cot_writer_end_row(writer, err);
    return rc == COT_OK && shop->tap != NULL ? shop->tap->node(shop->tap->context, *ret_node, err) : rc;
}

cot_code cot_import_shop_write_link(struct cot_import_shop *shop, const struct cot_link *link, struct cot_err *err)
{
    struct cot_writer *writer = NULL;
    uint32_t a = link->node_a;
    uint32_t b = link->node_b;
    cot_code rc = remember_pair(shop, a, b, link->op, err);
    if (rc == COT_OK)
        rc = bring_sets(shop, err);
    if (rc == COT_OK && link->op > 0)
        cot_identity_sets_join(&shop->sets, a, b);
    if (rc == COT_OK)
        rc = cot_import_shop_writer(shop, COT_TABLE_link, &writer, err);
    if (rc != COT_OK)
        return rc;
    cot_put_int32(writer, COT_link_node_a, (int32_t)(a < b ? a : b));
    cot_put_int32(writer, COT_link_node_b, (int32_t)(a < b ? b : a));
    cot_put_int8(writer, COT_link_op, (int8_t)link->op);
    cot_put_time(writer, COT_link_occurred_at, link->occurred_at_ms);
    cot_put_time(writer, COT_link_recorded_at, link->recorded_at_ms);
    cot_put_int32(writer, COT_link_import_id, shop->import_id);
    rc = cot_writer_end_row(writer, err);
    return rc == COT_OK && shop->tap != NULL ? shop->tap->link(shop->tap->context, link, err) : rc;
}

/* The ledger's last word on a pair; false: it has none. */
static bool pair_op(const struct cot_import_shop *shop, uint32_t a, uint32_t b, int8_t *ret_op)
{
    uint32_t pair[2] = {a < b ? a : b, a < b ? b : a};
    uint32_t number = cot_dict_find(&shop->pairs, PAIR_TAG, (const char *)pair, sizeof pair);
    if (number == COT_DICT_NONE)
        return false;
    *ret_op = shop->pair_ops[number];
    return true;
}

static bool is_claimed(const struct cot_import_shop *shop, uint32_t node)
{
    return is_exclusive(shop, node) &&
           cot_dict_find(&shop->pairs, CLAIMED_TAG, (const char *)&node, sizeof node) != COT_DICT_NONE;
}

cot_code cot_import_shop_link(struct cot_import_shop *shop, uint32_t a, uint32_t b, int64_t occurred_at_ms,
                              int64_t recorded_at_ms, bool *ret_new, struct cot_err *err)
{
    struct cot_link link = {a, b, COT_LINK_NAMED, occurred_at_ms, recorded_at_ms};
    int8_t op = COT_LINK_REFUSED;
    *ret_new = false;
    if (a == b)
        return COT_OK;
    bool known = pair_op(shop, a, b, &op);
    if (op != COT_LINK_REFUSED)
        return COT_OK;
    bool may = !is_claimed(shop, a) && !is_claimed(shop, b);
    if (may) {
        cot_code rc = bring_sets(shop, err);
        if (rc != COT_OK)
            return rc;
        may = cot_identity_sets_may_join(&shop->sets, &shop->identity, a, b);
    }
    if (!may) {
        shop->n_links_refused++;
        link.op = COT_LINK_REFUSED;
        return known ? COT_OK : cot_import_shop_write_link(shop, &link, err);
    }
    *ret_new = true;
    return cot_import_shop_write_link(shop, &link, err);
}

cot_code cot_import_shop_item(struct cot_import_shop *shop, struct cot_text product_id, uint32_t *ret_item,
                              struct cot_err *err)
{
    struct cot_writer *writer = NULL;
    size_t n = shop->items.n;
    cot_code rc = cot_dict_add(&shop->items, 0, product_id.data, product_id.size, ret_item, err);
    if (rc != COT_OK || shop->items.n == n)
        return rc;
    rc = grow_item_states(shop, err);
    if (rc == COT_OK)
        rc = cot_import_shop_writer(shop, COT_TABLE_item, &writer, err);
    if (rc != COT_OK)
        return rc;
    cot_put_int32(writer, COT_item_item_id, (int32_t)*ret_item);
    cot_put_text(writer, COT_item_product_id, product_id.data, product_id.size);
    return cot_writer_end_row(writer, err);
}

uint32_t cot_import_shop_find_item(const struct cot_import_shop *shop, struct cot_text product_id)
{
    return cot_dict_find(&shop->items, 0, product_id.data, product_id.size);
}

cot_code cot_import_shop_add_price(struct cot_import_shop *shop, uint32_t item, int64_t from_ms, int64_t price_minor,
                                   int64_t cost_minor, struct cot_err *err)
{
    if (price_minor == COT_NO_MINOR && cost_minor == COT_NO_MINOR)
        return COT_OK;
    if (shop->n_prices == shop->prices_capacity) {
        size_t capacity = shop->prices_capacity + shop->prices_capacity / 2 + 1024;
        struct cot_item_price *prices = realloc(shop->prices, capacity * sizeof *prices);
        if (prices == NULL)
            return cot_fail(err, COT_NOMEM, "%zu prices", capacity);
        shop->prices = prices;
        shop->prices_capacity = capacity;
    }
    /* The chain of an item runs from late to early; among equal times the one that came last leads. */
    uint32_t *at = &shop->item_states[item].last_price;
    while (*at != COT_NO_FACT && shop->prices[*at].from_ms > from_ms)
        at = &shop->prices[*at].earlier;
    shop->prices[shop->n_prices] = (struct cot_item_price){from_ms, price_minor, cost_minor, *at};
    *at = (uint32_t)shop->n_prices++;
    return COT_OK;
}

static int64_t fact_at(const struct cot_import_shop *shop, uint32_t item, int64_t at_ms, bool cost)
{
    int64_t found = COT_NO_MINOR;
    for (uint32_t i = shop->item_states[item].last_price; i != COT_NO_FACT; i = shop->prices[i].earlier) {
        int64_t said = cost ? shop->prices[i].cost_minor : shop->prices[i].price_minor;
        if (said == COT_NO_MINOR)
            continue;
        found = said;
        if (shop->prices[i].from_ms <= at_ms)
            break;
    }
    return found;
}

int64_t cot_import_shop_price_at(const struct cot_import_shop *shop, uint32_t item, int64_t at_ms)
{
    return fact_at(shop, item, at_ms, false);
}

int64_t cot_import_shop_cost_at(const struct cot_import_shop *shop, uint32_t item, int64_t at_ms)
{
    return fact_at(shop, item, at_ms, true);
}

/* Compares and keeps the value's hash under node and key. */
static cot_code remember_trait(struct cot_import_shop *shop, uint32_t node, struct cot_text key, struct cot_text value,
                               bool *ret_changes, struct cot_err *err)
{
    unsigned char name[12];
    uint32_t number = 0;
    uint64_t key_hash = cot_dict_hash(0, key.data, key.size);
    uint64_t value_hash = cot_dict_hash(1, value.data, value.size);
    size_t n = shop->traits.n;
    memcpy(name, &node, 4);
    memcpy(name + 4, &key_hash, 8);
    cot_code rc = cot_dict_add(&shop->traits, 0, (const char *)name, sizeof name, &number, err);
    if (rc == COT_OK && shop->traits.n > shop->trait_values_capacity) {
        size_t capacity = shop->traits.n + shop->traits.n / 2 + 1024;
        uint64_t *values = realloc(shop->trait_values, capacity * sizeof *values);
        if (values == NULL)
            return cot_fail(err, COT_NOMEM, "%zu traits", capacity);
        shop->trait_values = values;
        shop->trait_values_capacity = capacity;
    }
    if (rc != COT_OK)
        return rc;
    *ret_changes = shop->traits.n > n || shop->trait_values[number] != value_hash;
    shop->trait_values[number] = value_hash;
    return COT_OK;
}

/* Loaded when a row first asks: files without traits on their events never pay for it. By a connection of its own: the
 * store's is writing, and what this file wrote so far has no traits of events, else they were loaded. */
static cot_code load_traits(struct cot_import_shop *shop, struct cot_err *err)
{
    duckdb_connection connection = NULL;
    struct cot_rows *rows = NULL;
    bool more = false;
    bool ignored = false;
    shop->traits_loaded = true;
    cot_code rc = cot_store_connect(shop->store, &connection, err);
    if (rc == COT_OK)
        rc = cot_rows_open_on(connection, "select node_id, key, last(value order by rowid) from trait group by all",
                              &rows, err);
    while (rc == COT_OK && (rc = cot_rows_next(rows, &more, err)) == COT_OK && more) {
        size_t key_size = 0;
        size_t value_size = 0;
        const char *key = cot_rows_text(rows, 1, &key_size);
        const char *value = cot_rows_text(rows, 2, &value_size);
        struct cot_text key_text = {key != NULL ? key : "", (uint32_t)key_size};
        struct cot_text value_text = {value != NULL ? value : "", (uint32_t)value_size};
        rc = remember_trait(shop, (uint32_t)cot_rows_int(rows, 0), key_text, value_text, &ignored, err);
    }
    cot_rows_close(rows);
    if (connection != NULL)
        duckdb_disconnect(&connection);
    return rc;
}

cot_code cot_import_shop_trait_changes(struct cot_import_shop *shop, uint32_t node, struct cot_text key,
                                       struct cot_text value, bool *ret_changes, struct cot_err *err)
{
    cot_code rc = shop->traits_loaded ? COT_OK : load_traits(shop, err);
    return rc == COT_OK ? remember_trait(shop, node, key, value, ret_changes, err) : rc;
}
