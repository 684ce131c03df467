#include "domain/identity_rules.h"

#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "domain/value.h"

/* Users: a shop's own ids are never joined by what two of them share (a family's address), only by word of the shop.
 * A browser stays whose it was first; a telephone on which the app is installed anew brings its owner's new ids along.
 */
static const struct cot_identity_rule defaults[COT_N_NODE_KINDS] = {
    [COT_NODE_USER] = {.limit = 1, .priority = 1},
    [COT_NODE_EMAIL] = {.limit = 5, .priority = 2},
    [COT_NODE_PHONE] = {.limit = 5, .priority = 3},
    [COT_NODE_LOYALTY] = {.limit = 5, .priority = 4},
    [COT_NODE_EXTERNAL] = {.limit = 50, .priority = 5},
    [COT_NODE_ANONYMOUS] = {.limit = 500, .priority = 6, .exclusive = true},
    [COT_NODE_DEVICE] = {.limit = 50, .priority = 7},
};

static void make_order(struct cot_identity_rules *rules)
{
    size_t n = 0;
    for (unsigned kind = 1; kind < COT_N_NODE_KINDS; kind++) {
        size_t i = n++;
        for (; i > 0 && rules->kinds[rules->order[i - 1]].priority > rules->kinds[kind].priority; i--)
            rules->order[i] = rules->order[i - 1];
        rules->order[i] = (enum cot_node_kind)kind;
    }
}

void cot_identity_rules_default(struct cot_identity_rules *ret_rules)
{
    memset(ret_rules, 0, sizeof *ret_rules);
    memcpy(ret_rules->kinds, defaults, sizeof defaults);
    cot_dict_init(&ret_rules->blocked);
    make_order(ret_rules);
}

void cot_identity_rules_release(struct cot_identity_rules *rules)
{
    cot_dict_release(&rules->blocked);
}

static cot_code read_number(yyjson_val *value, const char *kind, const char *name, unsigned max, unsigned *ret_value,
                            const char *what, struct cot_err *err)
{
    if (!yyjson_is_uint(value) || yyjson_get_uint(value) < 1 || yyjson_get_uint(value) > max)
        return cot_fail(err, COT_BAD_DATA, "%s: kinds.%.40s.%s: a whole number from 1 to %u", what, kind, name, max);
    *ret_value = (unsigned)yyjson_get_uint(value);
    return COT_OK;
}

static cot_code read_kind(const char *name, yyjson_val *said, struct cot_identity_rules *rules, const char *what,
                          struct cot_err *err)
{
    enum cot_node_kind kind = COT_NODE_USER;
    size_t i;
    size_t n;
    yyjson_val *key;
    yyjson_val *value;
    cot_code rc = COT_OK;
    if (!cot_node_kind_from_name(name, strlen(name), &kind) || !yyjson_is_obj(said))
        return cot_fail(err, COT_BAD_DATA,
                        "%s: kinds.%.40s: an object under one of user, email, phone, loyalty, external, device, "
                        "anonymous",
                        what, name);
    struct cot_identity_rule *rule = &rules->kinds[kind];
    yyjson_obj_foreach(cot_json_some(said), i, n, key, value)
    {
        const char *member = yyjson_get_str(key);
        if (strcmp(member, "limit") == 0)
            rc = read_number(value, name, "limit", COT_IDENTITY_MAX_LIMIT, &rule->limit, what, err);
        else if (strcmp(member, "priority") == 0)
            rc = read_number(value, name, "priority", 100, &rule->priority, what, err);
        else if (strcmp(member, "exclusive") == 0 && yyjson_is_bool(value))
            rule->exclusive = yyjson_get_bool(value);
        else
            rc = cot_fail(err, COT_BAD_DATA,
                          "%s: kinds.%.40s.%.40s: a kind has limit, priority (numbers) and exclusive (true or false)",
                          what, name, member);
        if (rc != COT_OK)
            return rc;
    }
    return COT_OK;
}

/* E-mail addresses are blocked however they are written; other values as they stand. */
static cot_code add_blocked(struct cot_identity_rules *rules, enum cot_node_kind kind, const char *value, size_t size,
                            struct cot_err *err)
{
    char email[256];
    size_t email_size = 0;
    uint32_t number = 0;
    if (kind == COT_NODE_EMAIL && size < sizeof email && cot_value_email(value, size, email, &email_size))
        return cot_dict_add(&rules->blocked, (uint8_t)kind, email, email_size, &number, err);
    return cot_dict_add(&rules->blocked, (uint8_t)kind, value, size, &number, err);
}

static cot_code read_blocked(yyjson_val *array, struct cot_identity_rules *rules, const char *what, struct cot_err *err)
{
    size_t i;
    size_t n;
    yyjson_val *value;
    cot_code rc = COT_OK;
    if (!yyjson_is_arr(array) || yyjson_arr_size(array) > COT_IDENTITY_MAX_BLOCKED)
        return cot_fail(err, COT_BAD_DATA, "%s: blocked: an array of at most %d texts \"KIND:VALUE\"", what,
                        COT_IDENTITY_MAX_BLOCKED);
    yyjson_arr_foreach(cot_json_some(array), i, n, value)
    {
        enum cot_node_kind kind = COT_NODE_USER;
        const char *text = yyjson_get_str(value);
        const char *colon = text != NULL ? strchr(text, ':') : NULL;
        if (colon == NULL || colon[1] == '\0' || !cot_node_kind_from_name(text, (size_t)(colon - text), &kind))
            return cot_fail(err, COT_BAD_DATA,
                            "%s: blocked[%zu] '%.80s': write KIND:VALUE, as in \"email:info@shop.example\"", what, i,
                            text != NULL ? text : "");
        rc = add_blocked(rules, kind, colon + 1, strlen(colon + 1), err);
        if (rc != COT_OK)
            return rc;
    }
    return COT_OK;
}

static cot_code read_members(yyjson_val *root, struct cot_identity_rules *rules, const char *what, struct cot_err *err)
{
    size_t i;
    size_t n;
    yyjson_val *key;
    yyjson_val *value;
    cot_code rc = COT_OK;
    if (!yyjson_is_obj(root))
        return cot_fail(err, COT_BAD_DATA, "%s: the rules are an object with \"kinds\" and \"blocked\"", what);
    yyjson_obj_foreach(cot_json_some(root), i, n, key, value)
    {
        const char *member = yyjson_get_str(key);
        if (strcmp(member, "blocked") == 0) {
            rc = read_blocked(value, rules, what, err);
        } else if (strcmp(member, "kinds") == 0 && yyjson_is_obj(value)) {
            size_t j;
            size_t m;
            yyjson_val *name;
            yyjson_val *kind;
            yyjson_obj_foreach(cot_json_some(value), j, m, name, kind)
            {
                if (rc == COT_OK)
                    rc = read_kind(yyjson_get_str(name), kind, rules, what, err);
            }
        } else {
            rc = cot_fail(err, COT_BAD_DATA, "%s: '%.40s': the rules have \"kinds\" (an object) and \"blocked\"", what,
                          member);
        }
        if (rc != COT_OK)
            return rc;
    }
    return COT_OK;
}

cot_code cot_identity_rules_read(const char *text, size_t size, const char *what, struct cot_identity_rules *ret_rules,
                                 struct cot_err *err)
{
    struct cot_identity_rules rules;
    yyjson_doc *doc = NULL;
    cot_code rc = cot_json_read(text, size, 0, &doc, err);
    if (rc != COT_OK)
        return cot_err_prefix(err, rc, "%s", what);
    cot_identity_rules_default(&rules);
    rc = read_members(yyjson_doc_get_root(doc), &rules, what, err);
    yyjson_doc_free(doc);
    if (rc != COT_OK) {
        cot_identity_rules_release(&rules);
        return rc;
    }
    make_order(&rules);
    *ret_rules = rules;
    return COT_OK;
}

void cot_identity_rules_write(const struct cot_identity_rules *rules, yyjson_mut_doc *doc, yyjson_mut_val *object)
{
    yyjson_mut_val *kinds = yyjson_mut_obj_add_obj(doc, object, "kinds");
    for (size_t i = 0; i < COT_N_NODE_KINDS - 1; i++) {
        const struct cot_identity_rule *rule = &rules->kinds[rules->order[i]];
        yyjson_mut_val *kind = yyjson_mut_obj_add_obj(doc, kinds, cot_node_kind_name(rules->order[i]));
        yyjson_mut_obj_add_uint(doc, kind, "limit", rule->limit);
        yyjson_mut_obj_add_uint(doc, kind, "priority", rule->priority);
        yyjson_mut_obj_add_bool(doc, kind, "exclusive", rule->exclusive);
    }
    yyjson_mut_val *blocked = yyjson_mut_obj_add_arr(doc, object, "blocked");
    for (uint32_t i = 0; i < rules->blocked.n; i++) {
        const struct cot_dict_entry *entry = cot_dict_entry(&rules->blocked, i);
        const char *name = cot_node_kind_name((enum cot_node_kind)entry->tag);
        size_t name_size = strlen(name);
        char *text = malloc(name_size + 1 + entry->size);
        if (text == NULL)
            continue;
        memcpy(text, name, name_size);
        text[name_size] = ':';
        memcpy(text + name_size + 1, entry->text, entry->size);
        yyjson_mut_arr_add_strncpy(doc, blocked, text, name_size + 1 + entry->size);
        free(text);
    }
}

size_t cot_identity_rules_sort(const struct cot_identity_rules *rules, struct cot_identity *identities, size_t n)
{
    size_t n_left = 0;
    for (size_t i = 0; i < n; i++) {
        struct cot_identity identity = identities[i];
        if (cot_identity_rules_block(rules, identity))
            continue;
        size_t j = n_left++;
        for (; j > 0 && rules->kinds[identities[j - 1].kind].priority > rules->kinds[identity.kind].priority; j--)
            identities[j] = identities[j - 1];
        identities[j] = identity;
    }
    return n_left;
}
