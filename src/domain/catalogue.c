#include "domain/catalogue.h"

#include <math.h>
#include <stdlib.h>

static int fact_compare(const void *a, const void *b)
{
    const struct cot_item_fact *x = *(const struct cot_item_fact *const *)a;
    const struct cot_item_fact *y = *(const struct cot_item_fact *const *)b;
    if (x->timeless != y->timeless)
        return x->timeless ? -1 : 1;
    if (!x->timeless && x->occurred_at_ms != y->occurred_at_ms)
        return x->occurred_at_ms < y->occurred_at_ms ? -1 : 1;
    return x < y ? -1 : x > y; /* both point into one array */
}

static void item_apply(struct cot_catalogue *catalogue, const struct cot_item_fact *fact)
{
    struct cot_item *item = &catalogue->items[fact->item];
    if (fact->category != COT_DICT_NONE)
        item->category = fact->category;
    if (fact->subcategory != COT_DICT_NONE)
        item->subcategory = fact->subcategory;
    if (fact->brand != COT_DICT_NONE)
        item->brand = fact->brand;
}

cot_code cot_catalogue_init(struct cot_catalogue *catalogue, uint32_t n_items, const struct cot_item_fact *facts,
                            size_t n_facts, int64_t as_of_ms, struct cot_err *err)
{
    struct cot_catalogue made = {.n_items = n_items};
    size_t n_seen = 0;
    const struct cot_item_fact **seen = malloc((n_facts + 1) * sizeof *seen);
    made.items = malloc(((size_t)n_items + 1) * sizeof *made.items);
    made.log_price = malloc(((size_t)n_items + 1) * sizeof *made.log_price);
    made.price_level = malloc(((size_t)n_items + 1) * sizeof *made.price_level);
    if (seen == NULL || made.items == NULL || made.log_price == NULL || made.price_level == NULL) {
        free(seen);
        cot_catalogue_release(&made);
        return cot_fail(err, COT_NOMEM, "catalogue of %u items", n_items);
    }
    for (uint32_t i = 0; i < n_items; i++) {
        made.items[i] = (struct cot_item){COT_DICT_NONE, COT_DICT_NONE, COT_DICT_NONE};
        made.log_price[i] = made.price_level[i] = NAN;
    }
    for (size_t i = 0; i < n_facts; i++) {
        const struct cot_item_fact *fact = &facts[i];
        if (fact->item < n_items &&
            (fact->timeless || (fact->occurred_at_ms <= as_of_ms && fact->recorded_at_ms <= as_of_ms)))
            seen[n_seen++] = fact;
    }
    qsort(seen, n_seen, sizeof *seen, fact_compare);
    for (size_t i = 0; i < n_seen; i++) {
        item_apply(&made, seen[i]);
        if (seen[i]->category != COT_DICT_NONE && seen[i]->category >= made.n_categories)
            made.n_categories = seen[i]->category + 1;
        if (seen[i]->brand != COT_DICT_NONE && seen[i]->brand >= made.n_brands)
            made.n_brands = seen[i]->brand + 1;
    }
    free(seen);
    *catalogue = made;
    return COT_OK;
}

void cot_catalogue_release(struct cot_catalogue *catalogue)
{
    free(catalogue->items);
    free(catalogue->log_price);
    free(catalogue->price_level);
    *catalogue = (struct cot_catalogue){0};
}

bool cot_price_of(const struct cot_entry *entry, const struct cot_lines *lines, uint32_t n_items,
                  struct cot_price *ret_price)
{
    const struct cot_line *line = &lines->lines[entry->detail];
    if (entry->item >= n_items || line->amount_minor <= 0)
        return false;
    *ret_price = (struct cot_price){entry->item, (float)((double)line->amount_minor / (double)line->quantity)};
    return true;
}

static int float_compare(const void *a, const void *b)
{
    float x = *(const float *)a;
    float y = *(const float *)b;
    return x < y ? -1 : x > y;
}

/* Sorts the values. */
static float median(float *values, size_t n)
{
    qsort(values, n, sizeof *values, float_compare);
    return n % 2 == 1 ? values[n / 2] : (values[n / 2 - 1] + values[n / 2]) / 2;
}

/* Group of an item for the price level: its category, or the one behind them all. */
static uint32_t item_group(const struct cot_catalogue *catalogue, uint32_t i_item)
{
    uint32_t category = catalogue->items[i_item].category;
    return category != COT_DICT_NONE ? category : catalogue->n_categories;
}

/* ln of the median price of every item; starts has n_items + 1 places, values n_prices. */
static void price_items(struct cot_catalogue *catalogue, const struct cot_price *prices, size_t n_prices,
                        size_t *starts, float *values)
{
    for (size_t i = 0; i < n_prices; i++)
        starts[prices[i].item + 1]++;
    for (uint32_t i = 0; i < catalogue->n_items; i++)
        starts[i + 1] += starts[i];
    for (size_t i = n_prices; i-- > 0;)
        values[--starts[prices[i].item + 1]] = prices[i].unit_price;
    /* Now starts[i + 1] is where item i begins; it ends where the next one begins. */
    for (uint32_t i = 0; i < catalogue->n_items; i++) {
        size_t end = i + 1 < catalogue->n_items ? starts[i + 2] : n_prices;
        size_t n = end - starts[i + 1];
        catalogue->log_price[i] = n > 0 ? logf(median(values + starts[i + 1], n)) : NAN;
    }
}

cot_code cot_catalogue_price(struct cot_catalogue *catalogue, struct cot_price *prices, size_t n_prices,
                             struct cot_err *err)
{
    size_t n_groups = (size_t)catalogue->n_categories + 1;
    size_t n_values = n_prices > catalogue->n_items ? n_prices : catalogue->n_items;
    size_t *starts = calloc((size_t)catalogue->n_items + 2, sizeof *starts);
    size_t *groups = calloc(n_groups + 1, sizeof *groups);
    float *values = malloc((n_values + 1) * sizeof *values);
    float *level = malloc(n_groups * sizeof *level);
    cot_code rc = COT_OK;
    if (starts == NULL || groups == NULL || values == NULL || level == NULL) {
        rc = cot_fail(err, COT_NOMEM, "prices of %u items", catalogue->n_items);
        goto out;
    }
    price_items(catalogue, prices, n_prices, starts, values);
    for (uint32_t i = 0; i < catalogue->n_items; i++)
        if (!isnan(catalogue->log_price[i]))
            groups[item_group(catalogue, i) + 1]++;
    for (size_t i = 0; i < n_groups; i++)
        groups[i + 1] += groups[i];
    for (uint32_t i = 0; i < catalogue->n_items; i++)
        if (!isnan(catalogue->log_price[i]))
            values[groups[item_group(catalogue, i)]++] = catalogue->log_price[i];
    for (size_t i = 0, start = 0; i < n_groups; start = groups[i++])
        level[i] = groups[i] > start ? median(values + start, groups[i] - start) : NAN;
    for (uint32_t i = 0; i < catalogue->n_items; i++)
        catalogue->price_level[i] = catalogue->log_price[i] - level[item_group(catalogue, i)];
out:
    free(starts);
    free(groups);
    free(values);
    free(level);
    return rc;
}
