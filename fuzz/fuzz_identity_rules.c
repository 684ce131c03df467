/* Rules of identity: any text is refused or gives rules that are within their limits and read again as written. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "domain/identity_rules.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_again(const struct cot_identity_rules *rules)
{
    struct cot_err err = {0};
    struct cot_identity_rules again;
    yyjson_mut_doc *doc = yyjson_mut_doc_new(NULL);
    yyjson_mut_val *root = yyjson_mut_obj(doc);
    size_t size = 0;
    yyjson_mut_doc_set_root(doc, root);
    cot_identity_rules_write(rules, doc, root);
    char *text = yyjson_mut_write(doc, 0, &size);
    if (text == NULL || cot_identity_rules_read(text, size, "again", &again, &err) != COT_OK)
        abort();
    if (memcmp(again.kinds, rules->kinds, sizeof again.kinds) != 0 || again.blocked.n != rules->blocked.n)
        abort();
    cot_identity_rules_release(&again);
    free(text);
    yyjson_mut_doc_free(doc);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct cot_err err = {0};
    struct cot_identity_rules rules;
    cot_code rc = cot_identity_rules_read((const char *)data, size, "fuzz", &rules, &err);
    if (rc != COT_OK && (rc != COT_BAD_DATA || err.message[0] == '\0'))
        abort();
    if (rc != COT_OK)
        return 0;
    for (int kind = 1; kind < COT_N_NODE_KINDS; kind++)
        if (rules.kinds[kind].limit < 1 || rules.kinds[kind].limit > COT_IDENTITY_MAX_LIMIT)
            abort();
    check_again(&rules);
    cot_identity_rules_release(&rules);
    return 0;
}
