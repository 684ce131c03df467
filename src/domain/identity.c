#include "domain/identity.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <xxhash.h>

/* A ledger row with its pair in ascending order and its place in the ledger. */
struct ledger_row {
    uint64_t pair; /* smaller node << 32 | larger node */
    int64_t occurred_at_ms;
    size_t sequence;
    int op;
};

static int ledger_row_compare(const void *a, const void *b)
{
    const struct ledger_row *x = a;
    const struct ledger_row *y = b;
    if (x->pair != y->pair)
        return x->pair < y->pair ? -1 : 1;
    if (x->occurred_at_ms != y->occurred_at_ms)
        return x->occurred_at_ms < y->occurred_at_ms ? -1 : 1;
    return x->sequence < y->sequence ? -1 : x->sequence > y->sequence;
}

/* Path halving; the smaller root wins a union, so a root is the smallest node of its component. */
static uint32_t root_find(uint32_t *roots, uint32_t node)
{
    while (roots[node] != node) {
        roots[node] = roots[roots[node]];
        node = roots[node];
    }
    return node;
}

static void root_union(uint32_t *roots, uint32_t a, uint32_t b)
{
    a = root_find(roots, a);
    b = root_find(roots, b);
    if (a < b)
        roots[b] = a;
    else
        roots[a] = b;
}

cot_code cot_identity_resolve(const struct cot_link *links, size_t n_links, uint32_t n_nodes, int64_t as_of_ms,
                              uint32_t *ret_roots, struct cot_err *err)
{
    size_t n_rows = 0;
    struct ledger_row *rows = malloc((n_links + 1) * sizeof *rows);
    if (rows == NULL)
        return cot_fail(err, COT_NOMEM, "ledger of %zu links", n_links);
    for (size_t i = 0; i < n_links; i++) {
        const struct cot_link *link = &links[i];
        if (link->node_a >= n_nodes || link->node_b >= n_nodes) {
            free(rows);
            return cot_fail(err, COT_BAD_DATA, "link %zu joins nodes %u and %u, but there are only %u nodes", i,
                            link->node_a, link->node_b, n_nodes);
        }
        if (link->op == COT_LINK_REFUSED || link->occurred_at_ms > as_of_ms || link->recorded_at_ms > as_of_ms)
            continue;
        uint64_t low = link->node_a < link->node_b ? link->node_a : link->node_b;
        uint64_t high = link->node_a < link->node_b ? link->node_b : link->node_a;
        rows[n_rows++] = (struct ledger_row){low << 32 | high, link->occurred_at_ms, i, link->op};
    }
    qsort(rows, n_rows, sizeof *rows, ledger_row_compare);
    for (uint32_t i = 0; i < n_nodes; i++)
        ret_roots[i] = i;
    for (size_t i = 0; i < n_rows; i++)
        if ((i + 1 == n_rows || rows[i + 1].pair != rows[i].pair) && rows[i].op > 0)
            root_union(ret_roots, (uint32_t)(rows[i].pair >> 32), (uint32_t)rows[i].pair);
    for (uint32_t i = 0; i < n_nodes; i++)
        ret_roots[i] = root_find(ret_roots, i);
    free(rows);
    return COT_OK;
}

cot_code cot_people_init(struct cot_people *people, const uint32_t *roots, const bool *has_fact, uint32_t n_nodes,
                         struct cot_err *err)
{
    struct cot_people made = {0};
    uint32_t n_members = 0;
    bool *present = calloc((size_t)n_nodes + 1, sizeof *present); /* of roots */
    made.customer_of = malloc(((size_t)n_nodes + 1) * sizeof *made.customer_of);
    made.starts = calloc((size_t)n_nodes + 2, sizeof *made.starts);
    made.nodes = malloc(((size_t)n_nodes + 1) * sizeof *made.nodes);
    if (present == NULL || made.customer_of == NULL || made.starts == NULL || made.nodes == NULL) {
        free(present);
        cot_people_release(&made);
        return cot_fail(err, COT_NOMEM, "customers of %u nodes", n_nodes);
    }
    for (uint32_t i = 0; i < n_nodes; i++)
        present[roots[i]] |= has_fact[i];
    /* A root is the smallest node of its set, so it is met before the others and numbers its customer. */
    for (uint32_t i = 0; i < n_nodes; i++) {
        made.customer_of[i] = COT_NO_CUSTOMER;
        if (!present[roots[i]])
            continue;
        made.customer_of[i] = roots[i] == i ? made.n++ : made.customer_of[roots[i]];
        made.starts[made.customer_of[i] + 1]++;
    }
    for (uint32_t i = 0; i < made.n; i++) {
        uint32_t count = made.starts[i + 1];
        made.starts[i + 1] = n_members; /* where the next node of customer i goes */
        n_members += count;
    }
    for (uint32_t i = 0; i < n_nodes; i++)
        if (made.customer_of[i] != COT_NO_CUSTOMER)
            made.nodes[made.starts[made.customer_of[i] + 1]++] = i;
    free(present);
    *people = made;
    return COT_OK;
}

void cot_people_release(struct cot_people *people)
{
    free(people->starts);
    free(people->nodes);
    free(people->customer_of);
    *people = (struct cot_people){0};
}

static const struct kind_row {
    enum cot_node_kind kind;
    const char *name;
} kind_rows[] = {
    {COT_NODE_USER, "user"},         {COT_NODE_EMAIL, "email"},   {COT_NODE_ANONYMOUS, "anonymous"},
    {COT_NODE_PHONE, "phone"},       {COT_NODE_DEVICE, "device"}, {COT_NODE_LOYALTY, "loyalty"},
    {COT_NODE_EXTERNAL, "external"},
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

static bool is_one_character_repeated(const char *value, size_t size)
{
    char first = '\0';
    for (size_t i = 0; i < size; i++) {
        char c = value[i];
        if (c == '-' || c == '+' || c == ' ')
            continue;
        if (first == '\0')
            first = c;
        if (c != first)
            return false;
    }
    return true;
}

bool cot_identity_is_blocked(enum cot_node_kind kind, const char *value, size_t size)
{
    static const char *const words[] = {"null",
                                        "undefined",
                                        "none",
                                        "nil",
                                        "nan",
                                        "anonymous",
                                        "guest",
                                        "unknown",
                                        "user",
                                        "userid",
                                        "test",
                                        "visitor",
                                        "[object object]",
                                        "true",
                                        "false",
                                        "default",
                                        "admin",
                                        "customer",
                                        "n/a",
                                        "-",
                                        "test@test.com",
                                        "test@test.test",
                                        "test@example.com",
                                        "user@example.com",
                                        "none@none.com",
                                        "no@email.com",
                                        "noreply@example.com",
                                        "a@a.com"};
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        if (strlen(words[i]) == size && strncasecmp(words[i], value, size) == 0)
            return true;
    /* Zeros of any length, and telephone numbers of one digit: placeholders. One letter may well be a shop's id. */
    if (!is_one_character_repeated(value, size))
        return false;
    return kind == COT_NODE_PHONE || memchr(value, '0', size) != NULL || size == 0;
}
