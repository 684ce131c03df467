#include "engine/version.h"

#include <duckdb.h>

#include "store/schema.h"

cot_code cot_version_run(yyjson_mut_doc **ret_doc, struct cot_err *err)
{
    yyjson_mut_doc *doc = yyjson_mut_doc_new(NULL);
    yyjson_mut_val *root = yyjson_mut_obj(doc);
    if (doc == NULL || root == NULL) {
        yyjson_mut_doc_free(doc);
        return cot_fail(err, COT_NOMEM, "versions");
    }
    yyjson_mut_doc_set_root(doc, root);
    yyjson_mut_obj_add_str(doc, root, "version", COTERIE_VERSION);
    yyjson_mut_obj_add_int(doc, root, "schema", COT_SCHEMA_VERSION);
    yyjson_mut_obj_add_str(doc, root, "duckdb", duckdb_library_version());
    *ret_doc = doc;
    return COT_OK;
}
