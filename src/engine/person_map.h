/*
 * Which nodes belong to which person, for queries over all of them.
 */
#ifndef COT_ENGINE_PERSON_MAP_H
#define COT_ENGINE_PERSON_MAP_H

#include "coterie/err.h"

struct cot_store;

/*
 * Makes the temporary table person_map(node_id, customer) on the store's own connection: a row for every node that is
 * not itself its person's smallest, under the links in force now. So the customer of a row is
 *
 *   coalesce(m.customer, e.node_id)   with   left join person_map m on m.node_id = e.node_id
 *
 * Works on a store opened read-only too. O(links x rounds); rounds grow with the logarithm of the longest chain.
 */
cot_code cot_person_map_make(struct cot_store *store, struct cot_err *err) COT_MUST_CHECK;

#endif
