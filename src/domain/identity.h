/*
 * Identity: who is the same person.
 *
 * A node is one identifier (a user id, an e-mail address, a device). Nodes are never merged or rewritten: a ledger of
 * timed links says which belong together, and a customer is a connected set of nodes under the links in force.
 */
#ifndef COT_DOMAIN_IDENTITY_H
#define COT_DOMAIN_IDENTITY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "coterie/err.h"
#include "domain/batch.h"

/* Numbers as stored in table node. Values are normalised before they become nodes: e-mail trimmed and lower-cased. */
enum cot_node_kind {
    COT_NODE_USER = 1, /* the shop's own customer id */
    COT_NODE_EMAIL = 2,
    COT_NODE_ANONYMOUS = 3, /* a browser's id */
    COT_NODE_PHONE = 4,
    COT_NODE_DEVICE = 5,   /* a telephone's or tablet's id */
    COT_NODE_LOYALTY = 6,  /* number of a loyalty card */
    COT_NODE_EXTERNAL = 7, /* another system's id: "type:id" */
    COT_N_NODE_KINDS = 8   /* 0 is none */
};

/* One identifier: kind and normalised value. */
struct cot_identity {
    enum cot_node_kind kind;
    struct cot_text value;
};

/* "user", "email", "anonymous", "phone", "device", "loyalty", "external"; NULL for a number that is no kind. From name:
 * case-insensitive. */
const char *cot_node_kind_name(enum cot_node_kind kind);
bool cot_node_kind_from_name(const char *name, size_t size, enum cot_node_kind *ret_kind);

/* Values that name nobody, whatever sends them: "undefined", "guest", zeros, "test@test.com": they would make one
 * person of everybody who has them. Normalised, as nodes are. */
bool cot_identity_is_blocked(enum cot_node_kind kind, const char *value, size_t size);

/* Our stable id of a customer for whom the shop has none: "anon-" and 16 hex digits, XXH3-64 of the value of the
 * customer's smallest node, seeded with its kind. */
enum { COT_ANONYMOUS_ID_SIZE = 22 };
void cot_anonymous_customer_id(enum cot_node_kind kind, const char *value, size_t size,
                               char ret_text[COT_ANONYMOUS_ID_SIZE]);

#define COT_NO_CUSTOMER UINT32_MAX

/* What a row of the ledger says of a pair. Above 0 they are one person from occurred_at on, below 0 no longer; a row of
 * 0 changes nothing: it is kept so that other rules may be tried on it. */
enum cot_link_op {
    COT_LINK_PARTED_BY_RULE = -2,
    COT_LINK_PARTED = -1, /* by word of the shop */
    COT_LINK_REFUSED = 0, /* a record named both, the rules said no */
    COT_LINK_NAMED = 1,   /* a record named both */
    COT_LINK_STATED = 2   /* by word of the shop: no limit applies */
};

/* One row of the ledger. */
struct cot_link {
    uint32_t node_a;
    uint32_t node_b;
    int op;
    int64_t occurred_at_ms;
    int64_t recorded_at_ms;
};

/*
 * Connected components as of a moment: ret_roots[node] is the smallest node of the node's component, n_nodes of them.
 * Of each unordered pair the op with the latest occurred_at counts, among equals the one later in the ledger; only rows
 * with both times <= as_of_ms are seen. Links of nodes beyond n_nodes are COT_BAD_DATA. O(links log links + nodes).
 */
cot_code cot_identity_resolve(const struct cot_link *links, size_t n_links, uint32_t n_nodes, int64_t as_of_ms,
                              uint32_t *ret_roots, struct cot_err *err) COT_MUST_CHECK;

/* Customers and their nodes. Customer i has nodes[starts[i] .. starts[i+1]), ascending: the first one names it. */
struct cot_people {
    uint32_t n;            /* customers, ascending by their first node */
    uint32_t *starts;      /* [n + 1] */
    uint32_t *nodes;       /* the nodes of all customers */
    uint32_t *customer_of; /* [n_nodes], COT_NO_CUSTOMER where the node belongs to none */
};

/* Groups nodes by root; a component none of whose nodes has a fact is no customer. */
cot_code cot_people_init(struct cot_people *people, const uint32_t *roots, const bool *has_fact, uint32_t n_nodes,
                         struct cot_err *err) COT_MUST_CHECK;
void cot_people_release(struct cot_people *people);

#endif
