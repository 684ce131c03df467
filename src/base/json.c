#include "base/json.h"

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
