#include "engine/version.h"

#include <duckdb.h>

#include "base/json.h"
#include "store/schema.h"

cot_code cot_version_run(yyjson_mut_doc **ret_doc, struct cot_err *err)
{
    yyjson_mut_doc *doc = NULL;
    yyjson_mut_val *root = NULL;
    cot_code rc = cot_json_document(&doc, &root, err);
    if (rc != COT_OK)
        return rc;
    yyjson_mut_obj_add_str(doc, root, "version", COTERIE_VERSION);
    yyjson_mut_obj_add_int(doc, root, "schema", COT_SCHEMA_VERSION);
    yyjson_mut_obj_add_str(doc, root, "duckdb", duckdb_library_version());
    *ret_doc = doc;
    return COT_OK;
}
