#include "engine/shop_categories.h"

#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "engine/shop_origins.h"

void cot_shop_categories_release(struct cot_shop_categories *c)
{
    free(c->starts);
    free(c->days);
    free(c->came);
    for (size_t k = 0; k < c->view.n_categories; k++)
        free(c->names[k]);
    *c = (struct cot_shop_categories){0};
}

size_t cot_shop_categories_place(const struct cot_shop_categories *c, uint32_t code)
{
    size_t k = 0;
    while (k < c->view.n_categories && c->codes[k] != code)
        k++;
    return k;
}

uint32_t cot_shop_category_of(const struct cot_shop *shop, const struct cot_entry *entry)
{
    const struct cot_catalogue *catalogue = &shop->history.catalogue;
    if (cot_entry_kind(entry) != COT_EVENT_ORDER_LINE || entry->item >= catalogue->n_items)
        return COT_DICT_NONE;
    return catalogue->items[entry->item].category;
}

/* What a customer did by the shop's moment. */
static cot_code lines_of(const struct cot_shop *shop, uint32_t node, struct cot_view *view, struct cot_run *ret_run,
                         struct cot_err *err)
{
    const struct cot_history *history = &shop->history;
    uint32_t customer = cot_shop_customer_of(shop, node);
    uint32_t begin = history->people.starts[customer];
    cot_code rc = cot_view_make(view, &history->timelines, history->people.nodes + begin,
                                history->people.starts[customer + 1] - begin, ret_run, err);
    if (rc == COT_OK)
        ret_run->n = cot_run_until(ret_run, history->as_of_ms);
    return rc;
}

/* Of a code of the catalogue; `last` counts customers from 1. */
struct buyers {
    size_t n, last;
};

static void choose_codes(struct cot_shop_categories *c, struct buyers *buyers, size_t n_codes)
{
    size_t n = 0;
    for (; n < COT_PROPENSITY_MOST; n++) {
        size_t best = 0;
        for (size_t code = 1; code < n_codes; code++)
            best = buyers[code].n > buyers[best].n ? code : best;
        if (n_codes == 0 || buyers[best].n < 2)
            break;
        c->codes[n] = (uint32_t)best;
        buyers[best].n = 0;
    }
    c->view.n_categories = n;
}

static cot_code name_codes(const struct cot_shop *shop, struct cot_shop_categories *c, struct cot_err *err)
{
    for (size_t k = 0; k < c->view.n_categories; k++) {
        const struct cot_dict_entry *entry = cot_dict_entry(&shop->history.categories, c->codes[k]);
        c->names[k] = strndup(entry->text, entry->size);
        if (c->names[k] == NULL)
            return cot_fail(err, COT_NOMEM, "%zu categories", c->view.n_categories);
    }
    return COT_OK;
}

/* Days hold codes of the catalogue at first, each once a day; what is not among the most bought goes. */
static void name_days(struct cot_shop_categories *c, size_t n_customers)
{
    size_t n = 0;
    size_t begin = 0;
    for (size_t i = 0; i < n_customers; i++) {
        size_t end = c->starts[i + 1];
        for (size_t d = begin; d < end; d++) {
            size_t place = cot_shop_categories_place(c, c->days[d].category);
            if (place < c->view.n_categories)
                c->days[n++] = (struct cot_category_day){c->days[d].day, (uint32_t)place, c->days[d].amount};
        }
        begin = end;
        c->starts[i + 1] = n;
    }
}

/* Appends customer i's days, and counts them as a buyer of each category once. */
static cot_code add_customer(const struct cot_shop *shop, const struct cot_run *run, size_t i,
                             struct cot_shop_categories *c, size_t *capacity, struct buyers *buyers,
                             struct cot_err *err)
{
    size_t first = c->starts[i];
    size_t *n = c->starts + i + 1;
    *n = first;
    struct cot_category_day *grown = cot_array_reserve(c->days, capacity, *n + run->n, sizeof *grown);
    if (grown == NULL)
        return cot_fail(err, COT_NOMEM, "%zu order lines", *n + run->n);
    c->days = grown;
    for (size_t e = 0; e < run->n; e++) {
        uint32_t code = cot_shop_category_of(shop, run->entries + e);
        int32_t day = cot_shop_day(shop, cot_entry_ms(run->entries + e));
        size_t d = *n;
        if (code == COT_DICT_NONE)
            continue;
        while (d > first && c->days[d - 1].day >= day && c->days[d - 1].category != code)
            d--;
        double amount = (double)shop->history.timelines.lines.lines[run->entries[e].detail].amount_minor /
                        shop->history.minor_per_unit;
        if (d > first && c->days[d - 1].day >= day) {
            c->days[d - 1].amount += amount;
            continue;
        }
        buyers[code].n += buyers[code].last != i + 1;
        buyers[code].last = i + 1;
        c->days[(*n)++] = (struct cot_category_day){day, code, amount};
    }
    return COT_OK;
}

cot_code cot_shop_categories_fill(const struct cot_shop *shop, const struct cot_purchases *purchases,
                                  const uint32_t *nodes, struct cot_shop_categories *ret_categories,
                                  struct cot_err *err)
{
    struct cot_shop_categories c = {0};
    struct cot_view view = {0};
    size_t n_codes = shop->history.catalogue.n_categories;
    struct buyers *buyers = calloc(n_codes + 1, sizeof *buyers);
    size_t capacity = 0;
    c.starts = calloc(purchases->n + 1, sizeof *c.starts);
    cot_code rc = buyers == NULL || c.starts == NULL ? cot_fail(err, COT_NOMEM, "%zu categories", n_codes) : COT_OK;
    for (size_t i = 0; i < purchases->n && n_codes > 0 && rc == COT_OK; i++) {
        struct cot_run run = {0};
        rc = lines_of(shop, nodes[i], &view, &run, err);
        if (rc == COT_OK)
            rc = add_customer(shop, &run, i, &c, &capacity, buyers, err);
    }
    if (rc == COT_OK) {
        choose_codes(&c, buyers, n_codes);
        name_days(&c, purchases->n);
        rc = name_codes(shop, &c, err);
    }
    if (rc == COT_OK) {
        c.view.starts = c.starts;
        c.view.days = c.days;
        *ret_categories = c;
    } else {
        cot_shop_categories_release(&c);
    }
    cot_view_release(&view);
    free(buyers);
    return rc;
}

/* For each item of today the place of its category at the origin. */
static uint8_t *places_of_items(const struct cot_shop_categories *c, const struct cot_shop *then,
                                const struct cot_shop *now)
{
    const struct cot_catalogue *old = &then->history.catalogue;
    const struct cot_catalogue *today = &now->history.catalogue;
    uint8_t *places = malloc((size_t)today->n_items + 1);
    for (uint32_t item = 0; places != NULL && item < today->n_items; item++) {
        uint32_t code = item < old->n_items ? old->items[item].category : COT_DICT_NONE;
        if (code == COT_DICT_NONE && today->items[item].category != COT_DICT_NONE) {
            const struct cot_dict_entry *name = cot_dict_entry(&now->history.categories, today->items[item].category);
            code = cot_dict_find(&then->history.categories, 0, name->text, name->size);
        }
        places[item] = (uint8_t)cot_shop_categories_place(c, code);
    }
    return places;
}

cot_code cot_shop_categories_came(struct cot_shop_categories *c, const struct cot_shop *then,
                                  const struct cot_shop *now, const struct cot_purchases *purchases,
                                  const size_t *starts, const uint32_t *nodes, int64_t until_ms, struct cot_err *err)
{
    size_t n = purchases->n;
    uint8_t *places = places_of_items(c, then, now);
    struct cot_view view = {0};
    cot_code rc = COT_OK;
    c->came = calloc(n + 1, sizeof *c->came);
    if (places == NULL || c->came == NULL)
        rc = cot_fail(err, COT_NOMEM, "%zu customers", n);
    for (size_t i = 0; i < n && c->view.n_categories > 0 && rc == COT_OK; i++) {
        struct cot_run run = {0};
        rc = cot_view_make(&view, &now->history.timelines, nodes + starts[i], starts[i + 1] - starts[i], &run, err);
        size_t end = rc == COT_OK ? cot_run_until(&run, until_ms) : 0;
        for (size_t e = 0; e < end; e++) {
            const struct cot_entry *entry = run.entries + e;
            if (cot_shop_day(now, cot_entry_ms(entry)) <= purchases->last_day ||
                cot_entry_kind(entry) != COT_EVENT_ORDER_LINE || entry->item >= now->history.catalogue.n_items)
                continue;
            if (places[entry->item] < c->view.n_categories)
                c->came[i] |= UINT64_C(1) << places[entry->item];
        }
    }
    c->view.came = c->came;
    cot_view_release(&view);
    free(places);
    return rc;
}
