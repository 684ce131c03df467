#include "engine/report_segments.h"

#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A point shows this many features: the first of the heat map, which has those first that tell segments apart best. */
enum { MAP_FEATURES = 5, ID_TEXT_SIZE = 48 };

struct map_features {
    size_t n;
    const struct cot_feature *features[MAP_FEATURES];
};

static void mask_prototypes(yyjson_mut_doc *doc, yyjson_mut_val *segments)
{
    size_t i, n, j, n_prototypes;
    yyjson_mut_val *segment;
    yyjson_mut_val *prototype;
    yyjson_mut_arr_foreach(yyjson_mut_obj_get(segments, "segments"), i, n, segment)
    {
        yyjson_mut_arr_foreach(yyjson_mut_obj_get(segment, "prototypes"), j, n_prototypes, prototype)
        {
            char text[ID_TEXT_SIZE];
            const char *id = yyjson_mut_get_str(yyjson_mut_obj_get(prototype, "customer_id"));
            uint64_t customer = yyjson_mut_get_uint(yyjson_mut_obj_get(prototype, "customer"));
            if (id != NULL && strchr(id, '@') == NULL)
                continue;
            snprintf(text, sizeof text, "no. %llu", (unsigned long long)customer);
            yyjson_mut_obj_put(prototype, yyjson_mut_str(doc, "customer_id"), yyjson_mut_strcpy(doc, text));
        }
    }
}

/* The heat map's first features of the catalogue that are numbers. */
static struct map_features choose_features(yyjson_mut_val *segments)
{
    struct map_features chosen = {0};
    size_t i, n;
    yyjson_mut_val *row;
    yyjson_mut_val *heatmap = yyjson_mut_obj_get(segments, "heatmap");
    yyjson_mut_arr_foreach(yyjson_mut_obj_get(heatmap, "features"), i, n, row)
    {
        const char *name = yyjson_mut_get_str(yyjson_mut_obj_get(row, "feature"));
        size_t found = name != NULL ? cot_feature_find(name) : SIZE_MAX;
        if (found != SIZE_MAX && cot_features[found].transform != COT_TRANSFORM_CATEGORY && chosen.n < MAP_FEATURES)
            chosen.features[chosen.n++] = &cot_features[found];
    }
    return chosen;
}

/* Four significant digits: what a tooltip shows, at half the bytes. */
static double rounded(double value)
{
    char text[32];
    snprintf(text, sizeof text, "%.4g", value);
    return fabs(value) >= 10000 ? round(value) : strtod(text, NULL);
}

/* A point's customer, found by the id that the map gives. */
struct named_customer {
    const char *id;
    size_t size;
    uint32_t i_customer; /* in people; COT_NO_CUSTOMER */
};

struct named_customers {
    size_t n;
    struct named_customer *rows; /* by id */
};

static int compare_ids(const void *a, const void *b)
{
    const struct named_customer *x = a;
    const struct named_customer *y = b;
    if (x->size != y->size)
        return x->size < y->size ? -1 : 1;
    return memcmp(x->id, y->id, x->size);
}

/* One pass over all customers' ids, since a shop has no index by them. */
static cot_code find_customers(yyjson_mut_val *points, const struct cot_shop *shop, struct named_customers *ret,
                               struct cot_err *err)
{
    char buffer[COT_ANONYMOUS_ID_SIZE];
    size_t i, n;
    yyjson_mut_val *point;
    struct named_customers named = {.rows = calloc(yyjson_mut_arr_size(points) + 1, sizeof *named.rows)};
    if (named.rows == NULL)
        return cot_fail(err, COT_NOMEM, "map of customers");
    yyjson_mut_arr_foreach(points, i, n, point)
    {
        yyjson_mut_val *id = yyjson_mut_arr_get(point, 3);
        if (yyjson_mut_is_str(id))
            named.rows[named.n++] =
                (struct named_customer){yyjson_mut_get_str(id), yyjson_mut_get_len(id), COT_NO_CUSTOMER};
    }
    qsort(named.rows, named.n, sizeof *named.rows, compare_ids);
    for (uint32_t customer = 0; named.n > 0 && customer < shop->history.people.n; customer++) {
        struct named_customer key = {.i_customer = customer};
        key.id = cot_shop_customer_id(shop, customer, buffer, &key.size);
        struct named_customer *found = bsearch(&key, named.rows, named.n, sizeof *named.rows, compare_ids);
        if (found != NULL)
            found->i_customer = customer;
    }
    *ret = named;
    return COT_OK;
}

/* The values of one point: null where its customer is not known or has none. */
static cot_code add_values(yyjson_mut_doc *doc, yyjson_mut_val *point, yyjson_mut_val *id,
                           const struct named_customers *named, const struct map_features *chosen,
                           struct cot_customer_reader *reader, struct cot_err *err)
{
    const struct cot_customer *customer = NULL;
    struct named_customer key = {.id = yyjson_mut_get_str(id), .size = yyjson_mut_get_len(id)};
    const struct named_customer *found = NULL;
    cot_code rc = COT_OK;
    if (key.id != NULL)
        found = bsearch(&key, named->rows, named->n, sizeof *named->rows, compare_ids);
    if (found != NULL && found->i_customer != COT_NO_CUSTOMER)
        rc = cot_customer_read(reader, found->i_customer, &customer, err);
    for (size_t i = 0; rc == COT_OK && i < chosen->n; i++) {
        double value = customer != NULL ? (double)chosen->features[i]->value(customer) : NAN;
        if (isfinite(value))
            yyjson_mut_arr_add_real(doc, point, rounded(value));
        else
            yyjson_mut_arr_add_null(doc, point);
    }
    return rc;
}

static void add_map_features(yyjson_mut_doc *doc, yyjson_mut_val *map, const struct map_features *chosen)
{
    yyjson_mut_val *names = yyjson_mut_obj_add_arr(doc, map, "features");
    for (size_t i = 0; i < chosen->n; i++) {
        yyjson_mut_val *name = yyjson_mut_arr_add_obj(doc, names);
        yyjson_mut_obj_add_str(doc, name, "feature", chosen->features[i]->name);
        yyjson_mut_obj_add_str(doc, name, "title", chosen->features[i]->title);
        yyjson_mut_obj_add_str(doc, name, "unit", chosen->features[i]->unit);
    }
}

static cot_code add_points(yyjson_mut_val *source, const struct cot_shop *shop, const struct map_features *chosen,
                           yyjson_mut_doc *doc, yyjson_mut_val *points, struct cot_err *err)
{
    struct cot_customer_reader reader = {.history = &shop->history};
    struct named_customers named = {0};
    size_t i, n;
    yyjson_mut_val *from;
    cot_code rc = find_customers(source, shop, &named, err);
    if (rc != COT_OK)
        return rc;
    yyjson_mut_arr_foreach(source, i, n, from)
    {
        yyjson_mut_val *point = yyjson_mut_arr_add_arr(doc, points);
        yyjson_mut_arr_add_real(doc, point, rounded(yyjson_mut_get_num(yyjson_mut_arr_get(from, 0))));
        yyjson_mut_arr_add_real(doc, point, rounded(yyjson_mut_get_num(yyjson_mut_arr_get(from, 1))));
        yyjson_mut_arr_add_val(point, yyjson_mut_val_mut_copy(doc, yyjson_mut_arr_get(from, 2)));
        rc = add_values(doc, point, yyjson_mut_arr_get(from, 3), &named, chosen, &reader, err);
        if (rc != COT_OK)
            break;
    }
    free(named.rows);
    cot_customer_reader_release(&reader);
    return rc;
}

static cot_code add_map(yyjson_mut_val *segments, const struct cot_shop *shop, yyjson_mut_doc *doc,
                        yyjson_mut_val *root, struct cot_err *err)
{
    struct map_features chosen = choose_features(segments);
    yyjson_mut_val *source = yyjson_mut_obj_get(segments, "map");
    yyjson_mut_val *axes = yyjson_mut_obj_get(source, "axes");
    yyjson_mut_val *map = yyjson_mut_obj_add_obj(doc, root, "map");
    add_map_features(doc, map, &chosen);
    yyjson_mut_val *points = yyjson_mut_obj_add_arr(doc, map, "points");
    yyjson_mut_obj_add_val(doc, map, "axes", axes != NULL ? yyjson_mut_val_mut_copy(doc, axes) : yyjson_mut_arr(doc));
    return add_points(yyjson_mut_obj_get(source, "points"), shop, &chosen, doc, points, err);
}

cot_code cot_report_segments_add(yyjson_mut_val *segments, const struct cot_shop *shop, yyjson_mut_doc *doc,
                                 yyjson_mut_val *root, struct cot_err *err)
{
    if (segments == NULL) {
        yyjson_mut_obj_add_null(doc, root, "segments");
        yyjson_mut_obj_add_null(doc, root, "map");
        return COT_OK;
    }
    yyjson_mut_val *copy = yyjson_mut_val_mut_copy(doc, segments);
    if (copy == NULL)
        return cot_fail(err, COT_NOMEM, "report");
    yyjson_mut_obj_remove_key(copy, "map");
    yyjson_mut_obj_remove_key(copy, "features");
    yyjson_mut_obj_remove_key(copy, "dropped_features");
    mask_prototypes(doc, copy);
    yyjson_mut_obj_add_val(doc, root, "segments", copy);
    return add_map(segments, shop, doc, root, err);
}
