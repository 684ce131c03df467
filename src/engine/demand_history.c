#include "engine/demand_history.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/civil.h"
#include "domain/event.h"
#include "engine/demand_days.h"
#include "engine/shop.h"
#include "num/check.h"
#include "store/store.h"

enum { SHOP, CATEGORY, PRODUCT }; /* levels of series */
enum { RECENT_DAYS = 91, QUARTER_MS = 900000, MAX_CATEGORIES = 200 };

/* Order lines that hold as of a moment, by product and quarter of an hour (time zones are whole quarters apart);
 * without those that the same customer gave back whole within a day: an order by mistake is no demand. Sums are exact,
 * whatever the order of the rows. */
static const char lines_sql[] =
    "create or replace temp table %s as with fact as (select * from event"
    "    where kind in (%d, %d) and occurred_at <= epoch_ms(%" PRId64 ")::timestamp_ms"
    "      and recorded_at <= epoch_ms(%" PRId64 ")::timestamp_ms"
    "      and (superseded_at is null or superseded_at > epoch_ms(%" PRId64 ")::timestamp_ms))"
    " select coalesce(item_id, -1)::bigint as item,"
    " epoch_ms(occurred_at) // %d as quarter,"
    " sum(case when coalesce(quantity, 0) = 0 then 1 else abs(quantity)::decimal(18, 4) end)::double as units,"
    " sum(greatest(amount_minor, 0))::double as minor from fact l where kind = %d and not exists ("
    "    select 1 from fact r where r.kind = %d and r.node_id = l.node_id and r.item_id = l.item_id"
    "      and abs(r.quantity) = abs(l.quantity) and r.occurred_at >= l.occurred_at"
    "      and r.occurred_at < l.occurred_at + interval 1 day) group by 1, 2";

/* What is known of products as of a moment (the newest word, undated ones before all others), and how much each had
 * sold of late; those that sold later only are not `known`. */
static const char items_sql[] =
    "create or replace temp table demand_item as with word as (select item_id, name, category,"
    "    (case when coalesce(timeless, false) then 0 else epoch_ms(occurred_at) end, rowid) as since from item_fact"
    "    where coalesce(timeless, false) or (occurred_at <= epoch_ms(%" PRId64 ")::timestamp_ms"
    "      and recorded_at <= epoch_ms(%" PRId64 ")::timestamp_ms)),"
    "  fact as (select item_id, arg_max(name, since) as name, arg_max(category, since) as category from word group by "
    "1),"
    "  sold as (select item, true as known,"
    "      sum(case when quarter >= %" PRId64 " then %s::decimal(38, 4) else 0 end) as recent from %s group by 1)"
    " select l.item, known, coalesce(i.product_id, '') as id, coalesce(f.name, '') as name,"
    "   coalesce(f.category, '') as category, recent"
    " from (from sold union all select distinct item, false, 0 from demand_came"
    "    where item not in (select item from sold)) l"
    " left join item i on i.item_id = l.item left join fact f on f.item_id = l.item";

/* Of the shop as it is known; of one past origin as it was known then. */
static const char came[] = "demand_came";
static const char known_then[] = "demand_line";

struct load {
    struct cot_store *store;
    const struct cot_demand_use *use;
    struct cot_demand_history *history;
    const char *lines; /* the table of them */
    struct cot_zone *zone;
    double minor_per_unit;
    struct cot_dict categories; /* number i: series 1 + i */
    size_t *rest;               /* [n_series]: of a category (or the shop): its other products; 0: none yet */
    size_t *series_of_item;     /* [n_items]; the first is lines without a product */
    size_t n_items;
    struct cot_demand_days days;
};

/* ---- which series ---- */

static void copy_text(const char *text, size_t size, char ret_text[COT_DEMAND_NAME_SIZE])
{
    if (size > COT_DEMAND_NAME_SIZE - 1) { /* not within a character */
        size = COT_DEMAND_NAME_SIZE - 1;
        while (size > 0 && ((unsigned char)text[size] & 0xc0) == 0x80)
            size--;
    }
    if (size > 0)
        memcpy(ret_text, text, size);
    ret_text[size] = '\0';
}

static void copy_column(const struct cot_rows *rows, size_t i_column, char ret_text[COT_DEMAND_NAME_SIZE])
{
    size_t size = 0;
    const char *text = cot_rows_text(rows, i_column, &size);
    copy_text(text, size, ret_text);
}

static cot_code add_series(struct load *load, size_t parent, size_t level, struct cot_demand_product **ret_product,
                           struct cot_err *err)
{
    struct cot_demand_history *h = load->history;
    size_t n = h->n_series + 1;
    struct cot_demand_series *series = realloc(h->series, n * sizeof *series);
    if (series != NULL)
        h->series = series;
    struct cot_demand_product *products = realloc(h->products, n * sizeof *products);
    if (products != NULL)
        h->products = products;
    size_t *rest = realloc(load->rest, n * sizeof *rest);
    if (rest != NULL)
        load->rest = rest;
    if (series == NULL || products == NULL || rest == NULL)
        return cot_fail(err, COT_NOMEM, "%zu series", n);
    rest[n - 1] = 0;
    series[n - 1] = (struct cot_demand_series){.parent = parent, .level = level};
    products[n - 1] = (struct cot_demand_product){.category = parent == COT_DEMAND_NO_PARENT ? 0 : parent};
    *ret_product = products + n - 1;
    h->n_series = n;
    return COT_OK;
}

/* The largest categories of late; a shop whose products have none goes without. */
static cot_code add_categories(struct load *load, struct cot_err *err)
{
    struct cot_rows *rows = NULL;
    struct cot_demand_product *product = NULL;
    int64_t n_named = 0;
    bool more = false;
    cot_code rc = cot_store_number(load->store, &n_named, err,
                                   "select count(distinct category) from demand_item where known and category <> ''");
    if (rc != COT_OK || n_named == 0 || load->use->by == COT_DEMAND_BY_SHOP)
        return rc;
    rc = cot_rows_open(load->store, &rows, err,
                       "select category, sum(recent) as s from demand_item where known group by 1"
                       " order by s desc, 1 limit %d",
                       (int)MAX_CATEGORIES);
    while (rc == COT_OK && (rc = cot_rows_next(rows, &more, err)) == COT_OK && more) {
        uint32_t number = 0;
        size_t size = 0;
        const char *text = cot_rows_text(rows, 0, &size);
        rc = cot_dict_add(&load->categories, 0, text, size, &number, err);
        if (rc == COT_OK)
            rc = add_series(load, 0, CATEGORY, &product, err);
        if (rc != COT_OK)
            break;
        copy_text(text, size, product->name);
        if (size == 0)
            copy_text("(no category)", strlen("(no category)"), product->name);
        load->history->n_categories++;
    }
    cot_rows_close(rows);
    return rc;
}

/* The series that a category is: the shop where it is none of the largest. */
static size_t category_of(const struct load *load, const struct cot_rows *rows, size_t i_column)
{
    size_t size = 0;
    const char *text = cot_rows_text(rows, i_column, &size);
    uint32_t number = cot_dict_find(&load->categories, 0, text != NULL ? text : "", size);
    return number == COT_DICT_NONE ? 0 : 1 + number;
}

static cot_code add_products(struct load *load, struct cot_err *err)
{
    struct cot_rows *rows = NULL;
    struct cot_demand_product *product = NULL;
    bool more = false;
    if (load->use->by != COT_DEMAND_BY_PRODUCT)
        return COT_OK;
    cot_code rc = cot_rows_open(load->store, &rows, err,
                                "select item, id, name, category from demand_item where item >= 0 and recent > 0"
                                " order by recent desc, item limit %zu",
                                load->use->top);
    while (rc == COT_OK && (rc = cot_rows_next(rows, &more, err)) == COT_OK && more) {
        rc = add_series(load, category_of(load, rows, 3), PRODUCT, &product, err);
        if (rc != COT_OK)
            break;
        copy_column(rows, 1, product->id);
        copy_column(rows, 2, product->name);
        load->series_of_item[cot_rows_int(rows, 0) + 1] = load->history->n_series - 1;
        load->history->n_products++;
    }
    cot_rows_close(rows);
    return rc;
}

/* Everything else is in "other products" of its category, or in the category itself where nothing is below it. What
 * sold later only makes no series: nobody knew of it. */
static cot_code place_others(struct load *load, struct cot_err *err)
{
    struct cot_rows *rows = NULL;
    struct cot_demand_product *product = NULL;
    bool more = false;
    bool below = load->use->by == COT_DEMAND_BY_PRODUCT;
    cot_code rc = cot_rows_open(load->store, &rows, err,
                                "select item, category, known from demand_item order by not known, item");
    while (rc == COT_OK && (rc = cot_rows_next(rows, &more, err)) == COT_OK && more) {
        size_t *place = load->series_of_item + cot_rows_int(rows, 0) + 1;
        size_t category = category_of(load, rows, 1);
        bool needs_rest = below || (category == 0 && load->history->n_categories > 0);
        if (*place > 0)
            continue;
        if (needs_rest && load->rest[category] == 0 && cot_rows_int(rows, 2) != 0) {
            rc = add_series(load, category, below ? PRODUCT : CATEGORY, &product, err);
            if (rc != COT_OK)
                break;
            load->rest[category] = load->history->n_series - 1;
            const char *name = below ? "(other products)" : "(other categories)";
            copy_text(name, strlen(name), product->name);
        }
        *place = needs_rest && load->rest[category] > 0 ? load->rest[category] : category;
    }
    cot_rows_close(rows);
    return rc;
}

static cot_code make_series(struct load *load, struct cot_err *err)
{
    struct cot_demand_product *shop = NULL;
    int64_t last = -1;
    cot_code rc = cot_store_number(load->store, &last, err, "select coalesce(max(item), -1) from demand_item");
    load->n_items = (size_t)(last + 2);
    if (rc == COT_OK &&
        (load->series_of_item = cot_alloc_array(load->n_items, 1, sizeof *load->series_of_item)) == NULL)
        rc = cot_fail(err, COT_NOMEM, "%zu products", load->n_items);
    if (rc == COT_OK)
        rc = add_series(load, COT_DEMAND_NO_PARENT, SHOP, &shop, err);
    if (rc == COT_OK) {
        copy_text("(shop)", strlen("(shop)"), shop->name);
        rc = add_categories(load, err);
    }
    if (rc == COT_OK)
        rc = add_products(load, err);
    if (rc == COT_OK)
        rc = place_others(load, err);
    return rc;
}

/* ---- their values ---- */

static int32_t day_of(const struct load *load, int64_t quarter)
{
    return (int32_t)cot_ms_to_days(cot_zone_local(load->zone, quarter * QUARTER_MS));
}

/* Adds the lines of some quarters of an hour to their days. */
static cot_code add_lines(struct load *load, const char *lines, int64_t after, struct cot_err *err)
{
    struct cot_rows *rows = NULL;
    bool more = false;
    bool units = load->use->measure == COT_DEMAND_UNITS;
    cot_code rc = cot_rows_open(
        load->store, &rows, err,
        "select item, quarter, units, minor from %s where quarter > %" PRId64 " order by item, quarter", lines, after);
    while (rc == COT_OK && (rc = cot_rows_next(rows, &more, err)) == COT_OK && more) {
        size_t series = load->series_of_item[cot_rows_int(rows, 0) + 1];
        double value = units ? cot_rows_double(rows, 2) : cot_rows_double(rows, 3) / load->minor_per_unit;
        cot_demand_days_add(&load->days, series, day_of(load, cot_rows_int(rows, 1)), value);
    }
    cot_rows_close(rows);
    return rc;
}

static cot_code fill_days(struct load *load, struct cot_err *err)
{
    int64_t first = 0;
    cot_code rc = cot_store_number(load->store, &first, err, "select coalesce(min(quarter), -1) from %s", load->lines);
    if (rc == COT_OK && first < 0)
        rc = cot_fail(err, COT_NOT_FOUND, "nothing was sold by then: import orders first ('coterie import FILE')");
    if (rc != COT_OK)
        return rc;
    int32_t last_day = (int32_t)cot_ms_to_days(cot_zone_local(load->zone, load->history->as_of_ms));
    rc = cot_demand_days_init(&load->days, load->history->n_series, day_of(load, first), last_day, err);
    return rc == COT_OK ? add_lines(load, load->lines, first - 1, err) : rc;
}

/* Calendar steps that are forecast: the horizon; of stock, at least until the order after the next one is there. */
static size_t steps_ahead(const struct cot_demand_use *use)
{
    size_t lead = use->stock ? use->lead_time + 1 : 0;
    return use->horizon > lead ? use->horizon : lead;
}

static int32_t days_ahead(const struct cot_demand_use *use)
{
    return (int32_t)steps_ahead(use) * (use->every == COT_DEMAND_EVERY_WEEK ? COT_DEMAND_DAYS_A_WEEK : 1);
}

/* What came after a past origin. */
static cot_code fill_actual(struct load *load, struct cot_err *err)
{
    struct cot_demand_history *h = load->history;
    int32_t first = h->last_day + 1;
    cot_demand_days_release(&load->days);
    cot_code rc = cot_demand_days_init(&load->days, h->n_series, first, first + days_ahead(load->use) - 1, err);
    if (rc == COT_OK)
        rc = add_lines(load, came, h->as_of_ms / QUARTER_MS, err);
    return rc == COT_OK ? cot_demand_days_to_actual(&load->days, h, err) : rc;
}

static cot_code load_all(struct load *load, struct cot_err *err)
{
    struct cot_demand_history *h = load->history;
    int64_t recent = (h->as_of_ms - RECENT_DAYS * COT_MS_PER_DAY) / QUARTER_MS;
    cot_code rc = cot_store_exec(load->store, err, lines_sql, load->lines, (int)COT_EVENT_ORDER_LINE,
                                 (int)COT_EVENT_REFUND, h->as_of_ms, h->as_of_ms, h->as_of_ms, (int)QUARTER_MS,
                                 (int)COT_EVENT_ORDER_LINE, (int)COT_EVENT_REFUND);
    if (rc == COT_OK)
        rc = cot_store_exec(load->store, err, items_sql, h->as_of_ms, h->as_of_ms, recent,
                            load->use->measure == COT_DEMAND_UNITS ? "units" : "minor", load->lines);
    if (rc == COT_OK)
        rc = make_series(load, err);
    if (rc == COT_OK)
        rc = fill_days(load, err);
    if (rc == COT_OK)
        rc = cot_demand_days_to_steps(&load->days, h, err);
    if (rc == COT_OK)
        rc = cot_demand_plan(h, steps_ahead(load->use), err);
    if (rc == COT_OK && load->lines != came)
        rc = fill_actual(load, err);
    return rc;
}

static void history_release(struct cot_demand_history *history)
{
    free(history->series);
    free(history->products);
    free(history->values);
    free(history->shut);
    free(history->steps_ahead);
    free(history->shut_ahead);
    free(history->actual);
    free(history->customers);
    *history = (struct cot_demand_history){0};
}

/* `then`: what is known of the shop itself (currency, as of when); its lines go into a table of that name. */
static cot_code load_history(const struct load *shop, const struct cot_demand_history *then, const char *lines,
                             struct cot_demand_history *ret_history, struct cot_err *err)
{
    struct cot_demand_history history = *then;
    struct load load = *shop;
    load.history = &history;
    load.lines = lines;
    cot_dict_init(&load.categories);
    cot_code rc = load_all(&load, err);
    if (rc == COT_OK)
        *ret_history = history;
    else
        history_release(&history);
    cot_demand_days_release(&load.days);
    cot_dict_release(&load.categories);
    free(load.rest);
    free(load.series_of_item);
    return rc;
}

/* Past origins, the newest first, until one is too young to choose by any before it. */
static cot_code load_pasts(const struct load *shop, const struct cot_demand_history *as_is,
                           struct cot_demand_histories *histories, struct cot_err *err)
{
    const struct cot_demand_history *now = &histories->now;
    struct cot_demand_history then = *as_is;
    struct cot_err none = {0};
    cot_code rc = COT_OK;
    size_t most = shop->use->folds > 0 ? shop->use->folds - 1 : 0;
    histories->pasts = cot_alloc_array(most, 1, sizeof *histories->pasts);
    if (histories->pasts == NULL)
        return cot_fail(err, COT_NOMEM, "%zu origins", most);
    for (int32_t day = now->last_day - days_ahead(shop->use); histories->n_pasts < most && day > now->first_day;
         day -= days_ahead(shop->use)) {
        struct cot_demand_history *past = histories->pasts + histories->n_pasts;
        then.as_of_ms = cot_zone_utc(shop->zone, ((int64_t)day + 1) * COT_MS_PER_DAY) - 1;
        rc = load_history(shop, &then, known_then, past, &none);
        if (rc == COT_NOT_FOUND)
            return COT_OK;
        if (rc != COT_OK)
            return cot_fail(err, rc, "%s", none.message);
        histories->n_pasts++;
        if (cot_demand_n_folds(past->n_steps, past->n_ahead, shop->use->folds) == 0) {
            history_release(histories->pasts + --histories->n_pasts);
            return COT_OK;
        }
    }
    return COT_OK;
}

cot_code cot_demand_histories_load(struct cot_store *store, const struct cot_demand_use *use,
                                   struct cot_demand_histories *ret_histories, struct cot_err *err)
{
    struct cot_demand_histories histories = {0};
    struct cot_demand_history as_is = {.every = use->every};
    struct load shop = {.store = store, .use = use};
    char currency[4] = "";
    cot_code rc = cot_shop_settings(store, &shop.zone, currency, &shop.minor_per_unit, err);
    if (rc == COT_OK) {
        memcpy(as_is.currency, currency, sizeof currency);
        rc = use->as_of != NULL ? cot_shop_as_of(store, use->as_of, &as_is.as_of_ms, err)
                                : cot_shop_last_day(store, shop.zone, &as_is.as_of_ms, err);
    }
    if (rc == COT_OK)
        rc = load_history(&shop, &as_is, came, &histories.now, err);
    if (rc == COT_OK)
        rc = load_pasts(&shop, &as_is, &histories, err);
    if (rc == COT_OK)
        rc = cot_store_exec(store, err,
                            "drop table if exists demand_item; drop table if exists %s;"
                            " drop table if exists %s",
                            came, known_then);
    if (rc == COT_OK)
        *ret_histories = histories;
    else
        cot_demand_histories_release(&histories);
    cot_zone_free(shop.zone);
    return rc;
}

void cot_demand_histories_release(struct cot_demand_histories *histories)
{
    history_release(&histories->now);
    for (size_t p = 0; p < histories->n_pasts; p++)
        history_release(histories->pasts + p);
    free(histories->pasts);
    *histories = (struct cot_demand_histories){0};
}

/* The model's steps among the first n to come. */
static size_t n_open(const struct cot_demand_history *h, size_t n)
{
    size_t open = 0;
    for (size_t i = 0; i < n; i++)
        open += h->steps_ahead[i] != SIZE_MAX;
    return open;
}

struct cot_demand_tree cot_demand_history_tree(const struct cot_demand_history *h, const struct cot_demand_use *use)
{
    size_t lead = use->stock ? n_open(h, use->lead_time + 1) : 0; /* until delivery, and until the next order */
    return (struct cot_demand_tree){.series = h->series,
                                    .n_series = h->n_series,
                                    .n_steps = h->n_steps,
                                    .horizon = h->n_ahead,
                                    .season = cot_demand_season(h),
                                    .lead = use->stock && lead == 0 ? 1 : lead,
                                    .shut = h->shut_ahead,
                                    .actual = h->actual,
                                    .customers = h->customers};
}
