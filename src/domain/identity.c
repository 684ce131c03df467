#include "domain/identity.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <xxhash.h>

static const struct kind_row {
    enum cot_node_kind kind;
    const char *name;
} kind_rows[] = {
    {COT_NODE_USER, "user"},
    {COT_NODE_EMAIL, "email"},
    {COT_NODE_ANONYMOUS, "anonymous"},
    {COT_NODE_PHONE, "phone"},
};

const char *cot_node_kind_name(enum cot_node_kind kind)
{
    for (size_t i = 0; i < sizeof kind_rows / sizeof *kind_rows; i++)
        if (kind_rows[i].kind == kind)
            return kind_rows[i].name;
    return NULL;
}

bool cot_node_kind_from_name(const char *name, size_t size, enum cot_node_kind *ret_kind)
{
    for (size_t i = 0; i < sizeof kind_rows / sizeof *kind_rows; i++)
        if (strlen(kind_rows[i].name) == size && strncasecmp(kind_rows[i].name, name, size) == 0) {
            *ret_kind = kind_rows[i].kind;
            return true;
        }
    return false;
}

void cot_anonymous_customer_id(enum cot_node_kind kind, const char *value, size_t size,
                               char ret_text[COT_ANONYMOUS_ID_SIZE])
{
    XXH64_hash_t hash = XXH3_64bits_withSeed(value, size, (XXH64_hash_t)kind);
    snprintf(ret_text, COT_ANONYMOUS_ID_SIZE, "anon-%016llx", (unsigned long long)hash);
}
