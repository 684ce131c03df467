#include "engine/identity_rules_store.h"

#include <stdlib.h>
#include <string.h>

cot_code cot_identity_rules_load(struct cot_store *store, struct cot_identity_rules *ret_rules, struct cot_err *err)
{
    char *text = NULL;
    cot_code rc = cot_store_setting(store, "identity_rules", &text, err);
    if (rc == COT_OK && text == NULL)
        cot_identity_rules_default(ret_rules);
    else if (rc == COT_OK)
        rc = cot_identity_rules_read(text, strlen(text), "setting identity_rules", ret_rules, err);
    free(text);
    return rc;
}

cot_code cot_identity_rules_save(struct cot_store *store, const struct cot_identity_rules *rules, struct cot_err *err)
{
    yyjson_mut_doc *doc = yyjson_mut_doc_new(NULL);
    yyjson_mut_val *root = yyjson_mut_obj(doc);
    char *text = NULL;
    if (root != NULL) {
        yyjson_mut_doc_set_root(doc, root);
        cot_identity_rules_write(rules, doc, root);
        text = yyjson_mut_write(doc, 0, NULL);
    }
    cot_code rc = text == NULL ? cot_fail(err, COT_NOMEM, "the rules of identity")
                               : cot_store_set_setting(store, "identity_rules", text, err);
    free(text);
    yyjson_mut_doc_free(doc);
    return rc;
}
