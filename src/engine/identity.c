#include "engine/identity.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/civil.h"
#include "base/json.h"
#include "engine/context_store.h"
#include "engine/identity_evidence.h"
#include "engine/identity_rules_store.h"

enum { MAX_RULES_SIZE = 16 << 20, N_SHOWN = 5 };

/* Two partitions of the nodes into customers, and what is being written. */
struct change {
    struct cot_identity_evidence evidence;
    const struct cot_identity_rules *rules;
    uint32_t *now, *then; /* [nodes]: the smallest node of the customer */
    bool *has_fact;       /* [2][nodes], of those smallest nodes */
    yyjson_mut_doc *doc;
    yyjson_mut_val *root;
};

/* Which customers one customer of the other partition is made of. */
struct group {
    uint32_t whole;
    uint32_t first, n; /* of the parts */
};

struct groups {
    uint64_t *pairs; /* whole << 32 | part, ascending, distinct */
    size_t n_pairs;
    struct group *groups; /* of two parts or more; most parts first */
    size_t n;
};

static void groups_release(struct groups *groups)
{
    free(groups->pairs);
    free(groups->groups);
}

static int compare_pairs(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a;
    uint64_t y = *(const uint64_t *)b;
    return x < y ? -1 : x > y;
}

static int compare_groups(const void *a, const void *b)
{
    const struct group *x = a;
    const struct group *y = b;
    return x->n != y->n ? (x->n > y->n ? -1 : 1) : x->whole < y->whole ? -1 : x->whole > y->whole;
}

/* keep: parts, or wholes, of whom nothing is known are left out. */
static cot_code groups_make(const uint32_t *whole, const uint32_t *part, const bool *keep, size_t n_nodes,
                            struct groups *ret_groups, struct cot_err *err)
{
    struct groups groups = {.pairs = malloc((n_nodes + 1) * sizeof *groups.pairs),
                            .groups = malloc((n_nodes + 1) * sizeof *groups.groups)};
    if (groups.pairs == NULL || groups.groups == NULL) {
        groups_release(&groups);
        return cot_fail(err, COT_NOMEM, "%zu identities", n_nodes);
    }
    size_t n = 0;
    for (uint32_t i = 0; i < n_nodes; i++)
        if (keep[i])
            groups.pairs[n++] = (uint64_t)whole[i] << 32 | part[i];
    qsort(groups.pairs, n, sizeof *groups.pairs, compare_pairs);
    for (size_t i = 0; i < n; i++)
        if (i == 0 || groups.pairs[i] != groups.pairs[groups.n_pairs - 1])
            groups.pairs[groups.n_pairs++] = groups.pairs[i];
    for (size_t i = 0; i < groups.n_pairs;) {
        size_t end = i + 1;
        while (end < groups.n_pairs && groups.pairs[end] >> 32 == groups.pairs[i] >> 32)
            end++;
        if (end - i > 1)
            groups.groups[groups.n++] =
                (struct group){(uint32_t)(groups.pairs[i] >> 32), (uint32_t)i, (uint32_t)(end - i)};
        i = end;
    }
    qsort(groups.groups, groups.n, sizeof *groups.groups, compare_groups);
    *ret_groups = groups;
    return COT_OK;
}

/* The smallest node of each set, whatever node names it there. */
static void smallest_nodes(struct cot_identity_sets *sets, uint32_t *ret_smallest, uint32_t *scratch)
{
    for (uint32_t i = 0; i < sets->n; i++)
        scratch[i] = UINT32_MAX;
    for (uint32_t i = 0; i < sets->n; i++) {
        uint32_t root = cot_identity_sets_root(sets, i);
        if (scratch[root] == UINT32_MAX)
            scratch[root] = i;
        ret_smallest[i] = scratch[root];
    }
}

static void change_release(struct change *change)
{
    cot_identity_evidence_release(&change->evidence);
    free(change->now);
    free(change->then);
    free(change->has_fact);
    yyjson_mut_doc_free(change->doc);
}

static cot_code change_make(struct cot_store *store, const struct cot_identity_rules *rules, struct change *change,
                            struct cot_err *err)
{
    struct cot_identity_sets now = {0};
    struct cot_identity_sets then = {0};
    change->rules = rules;
    cot_code rc = cot_identity_evidence_load(store, &change->evidence, err);
    if (rc == COT_OK)
        rc = cot_identity_evidence_now(&change->evidence, &now, err);
    if (rc == COT_OK)
        rc = cot_identity_evidence_try(&change->evidence, rules, &then, err);
    size_t n = change->evidence.nodes.n;
    uint32_t *scratch = rc == COT_OK ? malloc((n + 1) * sizeof *scratch) : NULL;
    change->now = malloc((n + 1) * sizeof *change->now);
    change->then = malloc((n + 1) * sizeof *change->then);
    change->has_fact = calloc(2 * n + 1, sizeof *change->has_fact);
    change->doc = yyjson_mut_doc_new(NULL);
    change->root = yyjson_mut_obj(change->doc);
    if (rc == COT_OK && (scratch == NULL || change->now == NULL || change->then == NULL || change->has_fact == NULL ||
                         change->root == NULL))
        rc = cot_fail(err, COT_NOMEM, "%zu identities", n);
    if (rc == COT_OK) {
        yyjson_mut_doc_set_root(change->doc, change->root);
        smallest_nodes(&now, change->now, scratch);
        smallest_nodes(&then, change->then, scratch);
        for (uint32_t i = 0; i < n; i++)
            if (change->evidence.has_fact[i])
                change->has_fact[change->now[i]] = change->has_fact[n + change->then[i]] = true;
    }
    free(scratch);
    cot_identity_sets_release(&now);
    cot_identity_sets_release(&then);
    return rc;
}

static void add_identity(const struct change *change, yyjson_mut_val *array, uint32_t node)
{
    const struct cot_dict_entry *entry = cot_dict_entry(&change->evidence.nodes, node);
    const char *kind = cot_node_kind_name((enum cot_node_kind)entry->tag);
    struct cot_buf text = {0};
    if (kind != NULL && cot_buf_printf(&text, NULL, "%s:", kind) == COT_OK &&
        cot_buf_append(&text, entry->text, entry->size, NULL) == COT_OK)
        yyjson_mut_arr_add_strncpy(change->doc, array, text.data, text.size);
    cot_buf_release(&text);
}

/* What people call the customer of a partition whose smallest node it is. */
static yyjson_mut_val *customer_name(const struct change *change, const uint32_t *partition, uint32_t smallest)
{
    char text[COT_ANONYMOUS_ID_SIZE];
    const struct cot_dict *nodes = &change->evidence.nodes;
    for (uint32_t i = smallest; i < nodes->n; i++)
        if (partition[i] == smallest && cot_dict_entry(nodes, i)->tag == COT_NODE_USER)
            return yyjson_mut_strncpy(change->doc, cot_dict_entry(nodes, i)->text, cot_dict_entry(nodes, i)->size);
    const struct cot_dict_entry *first = cot_dict_entry(nodes, smallest);
    cot_anonymous_customer_id((enum cot_node_kind)first->tag, first->text, first->size, text);
    return yyjson_mut_strcpy(change->doc, text);
}

/* Identities through which a customer to be is joined: the weaker end of each link that is new. */
static void add_reasons(const struct change *change, yyjson_mut_val *array, uint32_t whole)
{
    size_t n = 0;
    uint32_t last = UINT32_MAX;
    for (size_t i = 0; i < change->evidence.n_pairs && n < N_SHOWN; i++) {
        const struct cot_identity_pair *pair = &change->evidence.pairs[i];
        if (!pair->will_be || change->then[pair->a] != whole || change->now[pair->a] == change->now[pair->b])
            continue;
        uint8_t kind_a = cot_dict_entry(&change->evidence.nodes, pair->a)->tag;
        uint8_t kind_b = cot_dict_entry(&change->evidence.nodes, pair->b)->tag;
        bool a_is_weaker = change->rules->kinds[kind_a].priority > change->rules->kinds[kind_b].priority;
        uint32_t weaker = a_is_weaker ? pair->a : pair->b;
        if (weaker == last)
            continue;
        add_identity(change, array, weaker);
        last = weaker;
        n++;
    }
}

static cot_code add_joins(struct change *change, struct cot_err *err)
{
    struct groups groups = {0};
    size_t n_nodes = change->evidence.nodes.n;
    uint64_t n_customers = 0;
    bool *keep = calloc(n_nodes + 1, sizeof *keep);
    cot_code rc = keep == NULL ? cot_fail(err, COT_NOMEM, "%zu identities", n_nodes) : COT_OK;
    for (size_t i = 0; rc == COT_OK && i < n_nodes; i++)
        keep[i] = change->has_fact[change->now[i]];
    if (rc == COT_OK)
        rc = groups_make(change->then, change->now, keep, n_nodes, &groups, err);
    free(keep);
    if (rc != COT_OK)
        return rc;
    for (size_t i = 0; i < groups.n; i++)
        n_customers += groups.groups[i].n;
    yyjson_mut_val *joins = yyjson_mut_obj_add_obj(change->doc, change->root, "joins");
    yyjson_mut_obj_add_uint(change->doc, joins, "groups", groups.n);
    yyjson_mut_obj_add_uint(change->doc, joins, "customers", n_customers);
    yyjson_mut_val *sample = yyjson_mut_obj_add_arr(change->doc, joins, "sample");
    for (size_t i = 0; i < groups.n && i < COT_IDENTITY_SAMPLE; i++) {
        yyjson_mut_val *row = yyjson_mut_arr_add_obj(change->doc, sample);
        yyjson_mut_val *customers = yyjson_mut_obj_add_arr(change->doc, row, "customers");
        for (uint32_t j = 0; j < groups.groups[i].n && j < N_SHOWN; j++)
            yyjson_mut_arr_append(
                customers, customer_name(change, change->now, (uint32_t)groups.pairs[groups.groups[i].first + j]));
        yyjson_mut_obj_add_uint(change->doc, row, "n", groups.groups[i].n);
        add_reasons(change, yyjson_mut_obj_add_arr(change->doc, row, "by"), groups.groups[i].whole);
    }
    groups_release(&groups);
    return COT_OK;
}

static void add_part(const struct change *change, yyjson_mut_val *parts, uint32_t smallest)
{
    size_t n = 0;
    yyjson_mut_val *part = yyjson_mut_arr_add_arr(change->doc, parts);
    for (uint32_t i = smallest; i < change->evidence.nodes.n && n < N_SHOWN; i++)
        if (change->then[i] == smallest) {
            add_identity(change, part, i);
            n++;
        }
}

static cot_code add_splits(struct change *change, struct cot_err *err)
{
    struct groups groups = {0};
    size_t n_nodes = change->evidence.nodes.n;
    uint64_t n_parts = 0;
    bool *keep = calloc(n_nodes + 1, sizeof *keep);
    cot_code rc = keep == NULL ? cot_fail(err, COT_NOMEM, "%zu identities", n_nodes) : COT_OK;
    for (size_t i = 0; rc == COT_OK && i < n_nodes; i++)
        keep[i] = change->has_fact[change->now[i]];
    if (rc == COT_OK)
        rc = groups_make(change->now, change->then, keep, n_nodes, &groups, err);
    free(keep);
    if (rc != COT_OK)
        return rc;
    for (size_t i = 0; i < groups.n; i++)
        n_parts += groups.groups[i].n;
    yyjson_mut_val *splits = yyjson_mut_obj_add_obj(change->doc, change->root, "splits");
    yyjson_mut_obj_add_uint(change->doc, splits, "customers", groups.n);
    yyjson_mut_obj_add_uint(change->doc, splits, "parts", n_parts);
    yyjson_mut_val *sample = yyjson_mut_obj_add_arr(change->doc, splits, "sample");
    for (size_t i = 0; i < groups.n && i < COT_IDENTITY_SAMPLE; i++) {
        yyjson_mut_val *row = yyjson_mut_arr_add_obj(change->doc, sample);
        yyjson_mut_obj_add_val(change->doc, row, "customer",
                               customer_name(change, change->now, groups.groups[i].whole));
        yyjson_mut_obj_add_uint(change->doc, row, "n", groups.groups[i].n);
        yyjson_mut_val *parts = yyjson_mut_obj_add_arr(change->doc, row, "parts");
        for (uint32_t j = 0; j < groups.groups[i].n && j < N_SHOWN; j++)
            add_part(change, parts, (uint32_t)groups.pairs[groups.groups[i].first + j]);
    }
    groups_release(&groups);
    return COT_OK;
}

static cot_code change_tell(struct change *change, bool applied, struct cot_err *err)
{
    size_t n = change->evidence.nodes.n;
    uint64_t counts[2] = {0, 0};
    for (size_t i = 0; i < 2 * n; i++)
        counts[i >= n] += change->has_fact[i];
    yyjson_mut_val *customers = yyjson_mut_obj_add_obj(change->doc, change->root, "customers");
    yyjson_mut_obj_add_uint(change->doc, customers, "now", counts[0]);
    yyjson_mut_obj_add_uint(change->doc, customers, "then", counts[1]);
    cot_code rc = add_joins(change, err);
    if (rc == COT_OK)
        rc = add_splits(change, err);
    yyjson_mut_obj_add_bool(change->doc, change->root, "applied", applied);
    return rc;
}

cot_code cot_identity_simulate(struct cot_store *store, const struct cot_identity_rules *rules,
                               yyjson_mut_doc **ret_doc, struct cot_err *err)
{
    struct change change = {0};
    cot_code rc = change_make(store, rules, &change, err);
    if (rc == COT_OK)
        rc = change_tell(&change, false, err);
    if (rc == COT_OK) {
        *ret_doc = change.doc;
        change.doc = NULL;
    }
    change_release(&change);
    return rc;
}

/* The ledger's new rows: pairs that the rules link or part. */
static cot_code write_links(struct cot_store *store, const struct cot_identity_evidence *evidence, int64_t now_ms,
                            struct cot_err *err)
{
    struct cot_appender *appender = NULL;
    cot_code rc = cot_appender_open(store, "link", &appender, err);
    if (rc != COT_OK)
        return rc;
    for (size_t i = 0; i < evidence->n_pairs && rc == COT_OK; i++) {
        const struct cot_identity_pair *pair = &evidence->pairs[i];
        if (pair->will_be == pair->is_linked)
            continue;
        cot_append_int(appender, pair->a);
        cot_append_int(appender, pair->b);
        cot_append_int(appender, pair->will_be ? COT_LINK_NAMED : COT_LINK_PARTED_BY_RULE);
        cot_append_time(appender, now_ms);
        cot_append_time(appender, now_ms);
        cot_append_null(appender); /* no import brought it */
        rc = cot_appender_end_row(appender, err);
    }
    cot_code closed = cot_appender_close(appender, rc == COT_OK ? err : NULL);
    return rc == COT_OK ? closed : rc;
}

cot_code cot_identity_apply(struct cot_store *store, const struct cot_identity_rules *rules, int64_t now_ms,
                            yyjson_mut_doc **ret_doc, struct cot_err *err)
{
    struct change change = {0};
    cot_code rc = change_make(store, rules, &change, err);
    if (rc == COT_OK)
        rc = change_tell(&change, true, err);
    if (rc == COT_OK)
        rc = cot_store_begin(store, err);
    if (rc == COT_OK) {
        rc = cot_identity_rules_save(store, rules, err);
        if (rc == COT_OK)
            rc = write_links(store, &change.evidence, now_ms, err);
        if (rc == COT_OK)
            rc = cot_store_commit(store, err);
        if (rc != COT_OK)
            cot_store_rollback(store);
    }
    if (rc == COT_OK) {
        *ret_doc = change.doc;
        change.doc = NULL;
    }
    change_release(&change);
    return rc;
}

/* Identities by kind, and the most of it that one customer has. */
static cot_code add_figures(struct cot_store *store, const struct cot_identity_rules *rules, yyjson_mut_doc *doc,
                            yyjson_mut_val *root, struct cot_err *err)
{
    struct cot_identity_evidence evidence = {0};
    struct cot_identity_sets sets = {0};
    uint64_t n[COT_N_NODE_KINDS] = {0};
    uint32_t largest[COT_N_NODE_KINDS] = {0};
    uint64_t n_customers = 0;
    uint64_t n_refused = 0;
    cot_code rc = cot_identity_evidence_load(store, &evidence, err);
    if (rc == COT_OK)
        rc = cot_identity_evidence_now(&evidence, &sets, err);
    bool *seen = rc == COT_OK ? calloc(sets.n + 1, sizeof *seen) : NULL;
    if (rc == COT_OK && seen == NULL)
        rc = cot_fail(err, COT_NOMEM, "%zu identities", sets.n);
    for (uint32_t i = 0; rc == COT_OK && i < sets.n; i++) {
        uint8_t kind = cot_dict_entry(&evidence.nodes, i)->tag;
        uint32_t set = cot_identity_sets_root(&sets, i);
        n_customers += evidence.has_fact[i] && !seen[set];
        seen[set] = seen[set] || evidence.has_fact[i];
        if (kind >= COT_N_NODE_KINDS)
            continue;
        n[kind]++;
        largest[kind] = sets.counts[set][kind] > largest[kind] ? sets.counts[set][kind] : largest[kind];
    }
    for (size_t i = 0; rc == COT_OK && i < evidence.n_pairs; i++)
        n_refused += !evidence.pairs[i].is_linked && evidence.pairs[i].shop == 0;
    yyjson_mut_val *kinds = yyjson_mut_obj_add_arr(doc, root, "kinds");
    for (size_t i = 0; rc == COT_OK && i < COT_N_NODE_KINDS - 1; i++) {
        const struct cot_identity_rule *rule = &rules->kinds[rules->order[i]];
        yyjson_mut_val *kind = yyjson_mut_arr_add_obj(doc, kinds);
        yyjson_mut_obj_add_str(doc, kind, "kind", cot_node_kind_name(rules->order[i]));
        yyjson_mut_obj_add_uint(doc, kind, "limit", rule->limit);
        yyjson_mut_obj_add_uint(doc, kind, "priority", rule->priority);
        yyjson_mut_obj_add_bool(doc, kind, "exclusive", rule->exclusive);
        yyjson_mut_obj_add_uint(doc, kind, "identities", n[rules->order[i]]);
        yyjson_mut_obj_add_uint(doc, kind, "largest", largest[rules->order[i]]);
    }
    yyjson_mut_obj_add_uint(doc, root, "identities", evidence.nodes.n);
    yyjson_mut_obj_add_uint(doc, root, "customers", n_customers);
    yyjson_mut_obj_add_uint(doc, root, "refused", n_refused);
    free(seen);
    cot_identity_sets_release(&sets);
    cot_identity_evidence_release(&evidence);
    return rc;
}

cot_code cot_identity_show(struct cot_store *store, yyjson_mut_doc **ret_doc, struct cot_err *err)
{
    struct cot_identity_rules rules;
    char *own = NULL;
    yyjson_mut_doc *doc = NULL;
    yyjson_mut_val *root = NULL;
    cot_code rc = cot_json_document(&doc, &root, err);
    if (rc == COT_OK)
        rc = cot_identity_rules_load(store, &rules, err);
    if (rc != COT_OK) {
        yyjson_mut_doc_free(doc);
        return rc;
    }
    cot_identity_rules_write(&rules, doc, yyjson_mut_obj_add_obj(doc, root, "rules"));
    rc = cot_store_setting(store, "identity_rules", &own, err);
    yyjson_mut_obj_add_bool(doc, root, "own", own != NULL);
    free(own);
    if (rc == COT_OK)
        rc = add_figures(store, &rules, doc, root, err);
    cot_identity_rules_release(&rules);
    return cot_json_finish(rc, doc, ret_doc);
}

static cot_code read_rules(const char *path, struct cot_identity_rules *ret_rules, struct cot_err *err)
{
    FILE *file = fopen(path, "re");
    char *text = malloc(MAX_RULES_SIZE + 1);
    cot_code rc = file == NULL   ? cot_fail(err, COT_IO, "'%s': %s", path, strerror(errno))
                  : text == NULL ? cot_fail(err, COT_NOMEM, "'%s'", path)
                                 : COT_OK;
    size_t size = rc == COT_OK ? fread(text, 1, MAX_RULES_SIZE + 1, file) : 0;
    if (rc == COT_OK && ferror(file))
        rc = cot_fail(err, COT_IO, "'%s': %s", path, strerror(errno));
    if (rc == COT_OK && size > MAX_RULES_SIZE)
        rc = cot_fail(err, COT_LIMIT, "'%s' is larger than %d bytes", path, MAX_RULES_SIZE);
    if (rc == COT_OK)
        rc = cot_identity_rules_read(text, size, path, ret_rules, err);
    if (file != NULL)
        fclose(file);
    free(text);
    return rc;
}

cot_code cot_identity_run(const struct cot_context *context, enum cot_identity_task task, const char *rules_path,
                          yyjson_mut_doc **ret_doc, struct cot_err *err)
{
    struct cot_identity_rules rules;
    struct cot_store *store = NULL;
    cot_code rc = COT_OK;
    if (task == COT_IDENTITY_SHOW || rules_path == NULL)
        cot_identity_rules_default(&rules);
    else
        rc = read_rules(rules_path, &rules, err);
    if (rc != COT_OK)
        return rc;
    rc = cot_context_open_store(context, task == COT_IDENTITY_APPLY ? COT_STORE_EXISTING : COT_STORE_READ_ONLY, &store,
                                err);
    if (rc == COT_OK)
        rc = task == COT_IDENTITY_SHOW       ? cot_identity_show(store, ret_doc, err)
             : task == COT_IDENTITY_SIMULATE ? cot_identity_simulate(store, &rules, ret_doc, err)
                                             : cot_identity_apply(store, &rules, cot_wall_ms(), ret_doc, err);
    cot_store_close(store);
    cot_identity_rules_release(&rules);
    return rc;
}
