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

/* The values of one point: null where its customer is not known or has none. */
static cot_code add_values(yyjson_mut_doc *doc, yyjson_mut_val *point, yyjson_mut_val *number,
                           const struct map_features *chosen, struct cot_customer_reader *reader, struct cot_err *err)
{
    const struct cot_customer *customer = NULL;
    const struct cot_history *history = reader->history;
    uint64_t node = yyjson_mut_get_uint(number);
    cot_code rc = COT_OK;
    if (yyjson_mut_is_uint(number) && node < history->timelines.n_nodes &&
        history->people.customer_of[node] != COT_NO_CUSTOMER)
        rc = cot_customer_read(reader, history->people.customer_of[node], &customer, err);
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

static cot_code add_map(yyjson_mut_val *segments, const struct cot_history *history, yyjson_mut_doc *doc,
                        yyjson_mut_val *root, struct cot_err *err)
{
    struct cot_customer_reader reader = {.history = history};
    struct map_features chosen = choose_features(segments);
    size_t i, n;
    yyjson_mut_val *from;
    cot_code rc = COT_OK;
    yyjson_mut_val *source = yyjson_mut_obj_get(segments, "map");
    yyjson_mut_val *axes = yyjson_mut_obj_get(source, "axes");
    yyjson_mut_val *map = yyjson_mut_obj_add_obj(doc, root, "map");
    add_map_features(doc, map, &chosen);
    yyjson_mut_val *points = yyjson_mut_obj_add_arr(doc, map, "points");
    yyjson_mut_arr_foreach(yyjson_mut_obj_get(source, "points"), i, n, from)
    {
        yyjson_mut_val *point = yyjson_mut_arr_add_arr(doc, points);
        yyjson_mut_arr_add_real(doc, point, rounded(yyjson_mut_get_num(yyjson_mut_arr_get(from, 0))));
        yyjson_mut_arr_add_real(doc, point, rounded(yyjson_mut_get_num(yyjson_mut_arr_get(from, 1))));
        yyjson_mut_arr_add_val(point, yyjson_mut_val_mut_copy(doc, yyjson_mut_arr_get(from, 2)));
        rc = add_values(doc, point, yyjson_mut_arr_get(from, 4), &chosen, &reader, err);
        if (rc != COT_OK)
            break;
    }
    yyjson_mut_obj_add_val(doc, map, "axes", axes != NULL ? yyjson_mut_val_mut_copy(doc, axes) : yyjson_mut_arr(doc));
    cot_customer_reader_release(&reader);
    return rc;
}

cot_code cot_report_segments_add(yyjson_mut_val *segments, const struct cot_history *history, yyjson_mut_doc *doc,
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
    return add_map(segments, history, doc, root, err);
}
