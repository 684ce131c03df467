/* The map of customers: the two directions in which the segments' axes vary most, and what they mean. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "coterie/pca.h"
#include "engine/segment_document.h"

enum { MAX_POINTS = 3000, MIN_PER_SEGMENT = 30, N_TITLES = 3 };

/* Which customers are shown: in proportion to the segments, but none of a small one is lost among the others. */
static size_t choose_points(const struct cot_segment_parts *p, size_t *ret_points)
{
    const struct cot_learned *learned = p->learned;
    size_t n = 0;
    for (size_t a = 0; a < learned->k; a++) {
        size_t size = p->description->segments[a].size;
        size_t fair = learned->n > 0 ? MAX_POINTS * size / learned->n : 0;
        size_t wanted = fair > MIN_PER_SEGMENT ? fair : MIN_PER_SEGMENT;
        size_t step = size / (wanted > 0 ? wanted : 1) + 1, seen = 0;
        for (size_t i = 0; i < learned->n && n < MAX_POINTS; i++)
            if (learned->labels[i] == a && seen++ % step == 0)
                ret_points[n++] = i;
    }
    return n;
}

static cot_code standardised(const struct cot_segment_parts *p, const size_t *points, size_t n, float *ret_z,
                             struct cot_err *err)
{
    uint32_t *rows = malloc((n + 1) * sizeof *rows);
    if (rows == NULL)
        return cot_fail(err, COT_NOMEM, "map of %zu customers", n);
    for (size_t i = 0; i < n; i++)
        rows[i] = p->learned->rows[points[i]];
    cot_code rc = cot_space_apply(p->learned->space, p->matrix, rows, n, p->context->n_threads, ret_z, err);
    free(rows);
    return rc;
}

/* Correlation of a score with a standardised column. */
static double correlation(const float *scores, size_t axis, const float *z, size_t d, size_t o, size_t n)
{
    double sx = 0, sy = 0, xx = 0, yy = 0, xy = 0;
    for (size_t i = 0; i < n; i++) {
        double x = (double)scores[2 * i + axis], y = (double)z[i * d + o];
        sx += x;
        sy += y;
        xx += x * x;
        yy += y * y;
        xy += x * y;
    }
    double m = n > 0 ? (double)n : 1;
    double vx = xx - sx * sx / m, vy = yy - sy * sy / m;
    return vx > 0 && vy > 0 ? (xy - sx * sy / m) / sqrt(vx * vy) : 0;
}

/* The features that go most with one end of an axis, as a text. */
static void add_titles(const struct cot_segment_parts *p, const double *correlations, int sign, const char *key,
                       yyjson_mut_doc *doc, yyjson_mut_val *object)
{
    const struct cot_space *space = p->learned->space;
    char text[300] = "";
    size_t used = 0;
    double below = INFINITY;
    for (size_t i = 0; i < N_TITLES; i++) {
        size_t best = SIZE_MAX;
        const char *category = NULL;
        for (size_t o = 0; o < space->d; o++) {
            double value = sign * correlations[o];
            if (value < below && value > 0.25 && (best == SIZE_MAX || value > sign * correlations[best]))
                best = o;
        }
        if (best == SIZE_MAX)
            break;
        below = sign * correlations[best];
        const struct cot_feature_column *column = cot_describe_output(p->matrix, space, best, &category);
        int n = snprintf(text + used, sizeof text - used, "%s%s%s%s", used > 0 ? ", " : "", column->title,
                         category != NULL ? " " : "", category != NULL ? category : "");
        used += n > 0 && (size_t)n < sizeof text - used ? (size_t)n : 0;
    }
    yyjson_mut_obj_add_strcpy(doc, object, key, text);
}

static cot_code add_axes(const struct cot_segment_parts *p, const struct cot_pca *pca, const float *scores,
                         const float *z, size_t n, yyjson_mut_doc *doc, yyjson_mut_val *map, struct cot_err *err)
{
    size_t d = p->learned->space->d;
    double *correlations = malloc((d + 1) * sizeof *correlations);
    yyjson_mut_val *axes = yyjson_mut_obj_add_arr(doc, map, "axes");
    if (correlations == NULL)
        return cot_fail(err, COT_NOMEM, "map");
    for (size_t axis = 0; axis < 2; axis++) {
        yyjson_mut_val *object = yyjson_mut_arr_add_obj(doc, axes);
        double share = axis < pca->n_components && pca->total > 0 ? pca->variance[axis] / pca->total : 0;
        for (size_t o = 0; o < d; o++)
            correlations[o] = correlation(scores, axis, z, d, o, n);
        yyjson_mut_obj_add_real(doc, object, "share", cot_json_round(share, 4));
        add_titles(p, correlations, 1, "high", doc, object);
        add_titles(p, correlations, -1, "low", doc, object);
    }
    free(correlations);
    return COT_OK;
}

static void add_points(const struct cot_segment_parts *p, const size_t *points, const float *scores, size_t n,
                       yyjson_mut_doc *doc, yyjson_mut_val *map)
{
    yyjson_mut_val *array = yyjson_mut_obj_add_arr(doc, map, "points");
    for (size_t i = 0; i < n; i++) {
        char buffer[COT_ANONYMOUS_ID_SIZE];
        size_t size = 0;
        uint32_t customer = p->matrix->customers[p->learned->rows[points[i]]];
        const char *id = cot_shop_customer_id(p->shop, cot_shop_customer_of(p->shop, customer), buffer, &size);
        yyjson_mut_val *point = yyjson_mut_arr_add_arr(doc, array);
        yyjson_mut_arr_add_real(doc, point, cot_json_round((double)scores[2 * i], 3));
        yyjson_mut_arr_add_real(doc, point, cot_json_round((double)scores[2 * i + 1], 3));
        yyjson_mut_arr_add_int(doc, point, p->ids[p->learned->labels[points[i]]]);
        yyjson_mut_arr_add_strncpy(doc, point, id, size);
    }
}

cot_code cot_segment_document_map(const struct cot_segment_parts *p, yyjson_mut_doc *doc, yyjson_mut_val *root,
                                  struct cot_err *err)
{
    size_t q = p->learned->discriminant->q, d = p->learned->space->d;
    size_t *points = malloc(MAX_POINTS * sizeof *points);
    float *y = malloc(MAX_POINTS * (q + 1) * sizeof *y);
    float *z = malloc(MAX_POINTS * (d + 1) * sizeof *z);
    float *scores = calloc(2 * MAX_POINTS, sizeof *scores);
    float *narrow = calloc(2 * MAX_POINTS, sizeof *narrow);
    struct cot_pca *pca = NULL;
    cot_code rc = points == NULL || y == NULL || z == NULL || scores == NULL || narrow == NULL
                      ? cot_fail(err, COT_NOMEM, "map of %d customers", MAX_POINTS)
                      : COT_OK;
    if (rc != COT_OK)
        goto out;
    size_t n = choose_points(p, points);
    size_t n_axes = q < 2 ? q : 2;
    for (size_t i = 0; i < n; i++)
        memcpy(y + i * q, p->learned->y + points[i] * q, q * sizeof *y);
    struct cot_matrix view = {.data = y, .n = n, .d = q, .stride = q};
    rc = standardised(p, points, n, z, err);
    if (rc == COT_OK)
        rc = cot_pca_fit(&view, n_axes, p->context->n_threads, &pca, err);
    if (rc == COT_OK)
        rc = cot_pca_transform(pca, &view, p->context->n_threads, narrow, err);
    if (rc != COT_OK)
        goto out;
    for (size_t i = 0; i < n; i++)
        for (size_t a = 0; a < n_axes; a++)
            scores[2 * i + a] = narrow[i * n_axes + a];
    yyjson_mut_val *map = yyjson_mut_obj_add_obj(doc, root, "map");
    add_points(p, points, scores, n, doc, map);
    rc = add_axes(p, pca, scores, z, n, doc, map, err);
out:
    cot_pca_free(pca);
    free(points);
    free(y);
    free(z);
    free(scores);
    free(narrow);
    return rc;
}
