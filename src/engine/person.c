#include "engine/person.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "store/store.h"

void cot_person_release(struct cot_person *person)
{
    for (size_t i = 0; i < person->n_nodes; i++)
        free(person->nodes[i].value);
    free(person->nodes);
    free(person->customer_id);
    memset(person, 0, sizeof *person);
}

cot_code cot_person_list_nodes(const struct cot_person *person, struct cot_buf *buf, struct cot_err *err)
{
    cot_code rc = COT_OK;
    for (size_t i = 0; i < person->n_nodes && rc == COT_OK; i++)
        rc = cot_buf_printf(buf, err, i == 0 ? "%u" : ",%u", person->nodes[i].node_id);
    return rc;
}

/* The ids of a query of one column, as "1,2,3". */
static cot_code list_ids(struct cot_store *store, const char *sql, struct cot_buf *ids, size_t *ret_n,
                         struct cot_err *err)
{
    struct cot_rows *rows = NULL;
    bool more = false;
    size_t n = 0;
    cot_code rc = cot_rows_open(store, &rows, err, "%s", sql);
    cot_buf_clear(ids);
    while (rc == COT_OK && (rc = cot_rows_next(rows, &more, err)) == COT_OK && more)
        rc = cot_buf_printf(ids, err, n++ == 0 ? "%lld" : ",%lld", (long long)cot_rows_int(rows, 0));
    cot_rows_close(rows);
    *ret_n = n;
    return rc;
}

/* Widens `ids` to everything connected with it: a step a round until nothing is added. The newest row of the ledger
 * decides on each pair. */
static cot_code connect_nodes(struct cot_store *store, struct cot_buf *ids, struct cot_err *err)
{
    struct cot_buf sql = {0};
    size_t n = 0;
    size_t n_before = 0;
    cot_code rc = COT_OK;
    do {
        n_before = n;
        cot_buf_clear(&sql);
        rc = cot_buf_printf(&sql, err,
                            "with near as (select least(node_a, node_b) as a, greatest(node_a, node_b) as b,"
                            "  arg_max(op, (occurred_at, recorded_at, rowid)) as op from link"
                            "  where op <> 0 and (node_a in (%s) or node_b in (%s)) group by all)"
                            " select distinct unnest([a, b]) as node_id from near where op > 0"
                            " union select node_id from node where node_id in (%s) order by 1",
                            cot_buf_text(ids), cot_buf_text(ids), cot_buf_text(ids));
        if (rc == COT_OK)
            rc = list_ids(store, cot_buf_text(&sql), ids, &n, err);
    } while (rc == COT_OK && n > n_before);
    cot_buf_release(&sql);
    return rc;
}

static cot_code add_node(struct cot_person *person, const struct cot_rows *rows, struct cot_err *err)
{
    size_t size = 0;
    const char *text = cot_rows_text(rows, 2, &size);
    struct cot_person_node *grown = realloc(person->nodes, (person->n_nodes + 1) * sizeof *grown);
    if (grown == NULL)
        return cot_fail(err, COT_NOMEM, "a person's identities");
    person->nodes = grown;
    char *value = calloc(1, size + 1);
    if (value == NULL)
        return cot_fail(err, COT_NOMEM, "a person's identities");
    if (size > 0)
        memcpy(value, text, size);
    grown[person->n_nodes++] = (struct cot_person_node){.node_id = (uint32_t)cot_rows_int(rows, 0),
                                                        .kind = (enum cot_node_kind)cot_rows_int(rows, 1),
                                                        .value = value,
                                                        .value_size = size};
    return COT_OK;
}

static cot_code name_person(struct cot_person *person, struct cot_err *err)
{
    char anonymous[COT_ANONYMOUS_ID_SIZE];
    const struct cot_person_node *first = &person->nodes[0];
    person->customer = first->node_id;
    for (size_t i = 0; i < person->n_nodes && person->customer_id == NULL; i++)
        if (person->nodes[i].kind == COT_NODE_USER)
            person->customer_id = strdup(person->nodes[i].value);
    if (person->customer_id == NULL) {
        cot_anonymous_customer_id(first->kind, first->value, first->value_size, anonymous);
        person->customer_id = strdup(anonymous);
    }
    return person->customer_id != NULL ? COT_OK : cot_fail(err, COT_NOMEM, "a person's id");
}

cot_code cot_person_of_node(struct cot_store *store, uint32_t node_id, struct cot_person *ret_person,
                            struct cot_err *err)
{
    struct cot_person person = {0};
    struct cot_buf ids = {0};
    struct cot_rows *rows = NULL;
    bool more = false;
    cot_code rc = cot_buf_printf(&ids, err, "%u", node_id);
    if (rc == COT_OK)
        rc = connect_nodes(store, &ids, err);
    if (rc == COT_OK && ids.size == 0)
        rc = cot_fail(err, COT_NOT_FOUND, "no identity has the number %u", node_id);
    if (rc == COT_OK)
        rc = cot_rows_open(store, &rows, err,
                           "select node_id, kind, value from node where node_id in (%s) order by node_id",
                           cot_buf_text(&ids));
    while (rc == COT_OK && (rc = cot_rows_next(rows, &more, err)) == COT_OK && more)
        rc = add_node(&person, rows, err);
    if (rc == COT_OK)
        rc = name_person(&person, err);
    if (rc == COT_OK)
        *ret_person = person;
    else
        cot_person_release(&person);
    cot_rows_close(rows);
    cot_buf_release(&ids);
    return rc;
}

/* The nodes whose value is `id`, by kind: where one person has them all, ret_node is one of them. */
static cot_code find_by_value(struct cot_store *store, const char *id, enum cot_node_kind kind, uint32_t *ret_node,
                              bool *ret_found, struct cot_err *err)
{
    struct cot_rows *rows = NULL;
    struct cot_person person = {0};
    bool more = false;
    char kinds[128] = "";
    char *quoted = cot_sql_quote(id);
    char only[32] = "";
    cot_code rc = quoted == NULL ? cot_fail(err, COT_NOMEM, "'%s'", id) : COT_OK;
    if (kind != 0)
        snprintf(only, sizeof only, " and kind = %d", kind);
    if (rc == COT_OK)
        rc = cot_rows_open(store, &rows, err,
                           "select node_id, kind from node where (value = %s or (kind = %d and value ="
                           " lower(trim(%s))))%s order by kind, node_id",
                           quoted, COT_NODE_EMAIL, quoted, only);
    *ret_found = false;
    uint32_t nodes[8];
    size_t n = 0;
    while (rc == COT_OK && n < 8 && (rc = cot_rows_next(rows, &more, err)) == COT_OK && more) {
        nodes[n++] = (uint32_t)cot_rows_int(rows, 0);
        snprintf(kinds + strlen(kinds), sizeof kinds - strlen(kinds), "%s%s", n > 1 ? ", " : "",
                 cot_node_kind_name((enum cot_node_kind)cot_rows_int(rows, 1)));
    }
    cot_rows_close(rows);
    if (rc == COT_OK && n > 0) {
        *ret_node = nodes[0];
        *ret_found = true;
    }
    if (rc == COT_OK && n > 1) {
        rc = cot_person_of_node(store, nodes[0], &person, err);
        for (size_t i = 1; rc == COT_OK && i < n; i++) {
            bool same = false;
            for (size_t j = 0; j < person.n_nodes; j++)
                same = same || person.nodes[j].node_id == nodes[i];
            if (!same)
                rc = cot_fail(err, COT_USAGE, "'%s' names different people (as %s): write KIND:%s", id, kinds, id);
        }
        cot_person_release(&person);
    }
    free(quoted);
    return rc;
}

/* Our own id says nothing about where to look: hash every node. */
static cot_code find_by_our_id(struct cot_store *store, const char *id, uint32_t *ret_node, bool *ret_found,
                               struct cot_err *err)
{
    struct cot_rows *rows = NULL;
    bool more = false;
    cot_code rc =
        cot_rows_open(store, &rows, err, "select node_id, kind, value from node where kind <> %d", COT_NODE_USER);
    *ret_found = false;
    while (rc == COT_OK && !*ret_found && (rc = cot_rows_next(rows, &more, err)) == COT_OK && more) {
        char ours[COT_ANONYMOUS_ID_SIZE];
        size_t size = 0;
        const char *value = cot_rows_text(rows, 2, &size);
        if (value == NULL)
            continue;
        cot_anonymous_customer_id((enum cot_node_kind)cot_rows_int(rows, 1), value, size, ours);
        *ret_found = strcmp(ours, id) == 0;
        *ret_node = (uint32_t)cot_rows_int(rows, 0);
    }
    cot_rows_close(rows);
    return rc;
}

cot_code cot_person_find(struct cot_store *store, const char *id, struct cot_person *ret_person, struct cot_err *err)
{
    uint32_t node_id = 0;
    bool found = false;
    const char *colon = strchr(id, ':');
    enum cot_node_kind kind = 0;
    cot_code rc = COT_OK;
    if (id[0] == '\0')
        return cot_fail(err, COT_USAGE,
                        "an empty id names nobody: give a customer id, an e-mail address or an anonymous id");
    rc = find_by_value(store, id, 0, &node_id, &found, err);
    if (rc == COT_OK && !found && colon != NULL && cot_node_kind_from_name(id, (size_t)(colon - id), &kind))
        rc = find_by_value(store, colon + 1, kind, &node_id, &found, err);
    if (rc == COT_OK && !found && strlen(id) + 1 == COT_ANONYMOUS_ID_SIZE && strncmp(id, "anon-", 5) == 0)
        rc = find_by_our_id(store, id, &node_id, &found, err);
    if (rc == COT_OK && !found)
        rc = cot_fail(err, COT_NOT_FOUND,
                      "'%s' is nobody in '%s': not as customer id, e-mail, phone, card, device or other id", id,
                      cot_store_data_dir(store));
    return rc == COT_OK ? cot_person_of_node(store, node_id, ret_person, err) : rc;
}
