/*
 * One person: all identity nodes that belong together under the links in force now. What is shown of, given out about
 * or erased from a person starts here.
 */
#ifndef COT_ENGINE_PERSON_H
#define COT_ENGINE_PERSON_H

#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "coterie/err.h"
#include "domain/identity.h"

struct cot_store;

struct cot_person_node {
    uint32_t node_id;
    enum cot_node_kind kind;
    char *value; /* NUL-terminated; may hold NULs inside, so use the size */
    size_t value_size;
};

struct cot_person {
    uint32_t customer;             /* the smallest node_id: what segment_member.customer holds */
    char *customer_id;             /* the shop's own id, else ours (anon-...) */
    size_t n_nodes;                /* at least 1 */
    struct cot_person_node *nodes; /* by node_id */
};

/*
 * Finds a person by what people type: the shop's id, an e-mail address (any case), an anonymous id, a phone number or
 * our own anon-... id; "kind:value" (user:42, email:..., anonymous:..., phone:...) where a value alone is ambiguous.
 *
 * COT_NOT_FOUND where nobody has it; COT_USAGE where two persons have it (the message says which kinds to choose from).
 */
cot_code cot_person_find(struct cot_store *store, const char *id, struct cot_person *ret_person,
                         struct cot_err *err) COT_MUST_CHECK;

/* The person to whom a node belongs. */
cot_code cot_person_of_node(struct cot_store *store, uint32_t node_id, struct cot_person *ret_person,
                            struct cot_err *err) COT_MUST_CHECK;

/* Appends the node ids as "3,17,240", for `where node_id in (...)`. */
cot_code cot_person_list_nodes(const struct cot_person *person, struct cot_buf *buf,
                               struct cot_err *err) COT_MUST_CHECK;

void cot_person_release(struct cot_person *person);

#endif
