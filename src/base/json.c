#include "base/json.h"

#include <math.h>

#include "base/civil.h"

cot_code cot_json_read(const char *text, size_t size, yyjson_read_flag flags, yyjson_doc **ret_doc, struct cot_err *err)
{
    yyjson_read_err why = {0};
    /* Without YYJSON_READ_INSITU the text is not written to. */
    yyjson_doc *doc = yyjson_read_opts((char *)(size_t)text, size, flags & ~YYJSON_READ_INSITU, NULL, &why);
    if (doc == NULL && why.code == YYJSON_READ_ERROR_MEMORY_ALLOCATION)
        return cot_fail(err, COT_NOMEM, "%zu bytes of JSON", size);
    if (doc == NULL)
        return cot_fail(err, COT_BAD_DATA, "not JSON: %s at byte %zu", why.msg, why.pos + 1);
    *ret_doc = doc;
    return COT_OK;
}

cot_code cot_json_document(yyjson_mut_doc **ret_doc, yyjson_mut_val **ret_root, struct cot_err *err)
{
    yyjson_mut_doc *doc = yyjson_mut_doc_new(NULL);
    yyjson_mut_val *root = yyjson_mut_obj(doc);
    if (root == NULL) {
        yyjson_mut_doc_free(doc);
        return cot_fail(err, COT_NOMEM, "a document");
    }
    yyjson_mut_doc_set_root(doc, root);
    *ret_doc = doc;
    *ret_root = root;
    return COT_OK;
}

cot_code cot_json_finish(cot_code rc, yyjson_mut_doc *doc, yyjson_mut_doc **ret_doc)
{
    if (rc == COT_OK)
        *ret_doc = doc;
    else
        yyjson_mut_doc_free(doc);
    return rc;
}

void cot_json_add_number(yyjson_mut_doc *doc, yyjson_mut_val *object, const char *key, double value)
{
    if (isfinite(value))
        yyjson_mut_obj_add_real(doc, object, key, value);
    else
        yyjson_mut_obj_add_null(doc, object, key);
}

double cot_json_round(double value, int n_digits)
{
    static const double scales[] = {1, 10, 100, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9};
    double scale = n_digits < (int)(sizeof scales / sizeof *scales) ? scales[n_digits] : pow(10, n_digits);
    return isfinite(value) && fabs(value) < 1e15 / scale ? round(value * scale) / scale : value;
}

void cot_json_add_time(yyjson_mut_doc *doc, yyjson_mut_val *object, const char *key, int64_t ms)
{
    char text[COT_TIME_TEXT_SIZE];
    cot_format_time(ms, text, sizeof text);
    yyjson_mut_obj_add_strcpy(doc, object, key, text);
}

void cot_json_add_day(yyjson_mut_doc *doc, yyjson_mut_val *object, const char *key, int64_t day)
{
    char text[COT_TIME_TEXT_SIZE];
    cot_format_date(day * COT_MS_PER_DAY, text, sizeof text);
    yyjson_mut_obj_add_strcpy(doc, object, key, text);
}
