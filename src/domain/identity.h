/*
 * Identity: who is the same person.
 *
 * A node is one identifier (a user id, an e-mail address, a device). Nodes are never merged or rewritten: a ledger of
 * timed links says which belong together, and a customer is a connected set of nodes under the links in force.
 */
#ifndef COT_DOMAIN_IDENTITY_H
#define COT_DOMAIN_IDENTITY_H

#include <stddef.h>
#include <stdint.h>

/* Numbers as stored in table node. Values are normalised before they become nodes: e-mail trimmed and lower-cased. */
enum cot_node_kind {
    COT_NODE_USER = 1, /* the shop's own customer id */
    COT_NODE_EMAIL = 2,
    COT_NODE_ANONYMOUS = 3, /* a browser or device id */
    COT_NODE_PHONE = 4
};

/* One row of the ledger. op 1 links a and b from occurred_at on, -1 unlinks them. */
struct cot_link {
    uint32_t node_a;
    uint32_t node_b;
    int op;
    int64_t occurred_at_ms;
    int64_t recorded_at_ms;
};

#endif
