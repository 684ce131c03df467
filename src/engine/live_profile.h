/*
 * One customer as of now, as JSON documents: what the server's reads answer. From memory alone; the caller holds the
 * state lock. `customer` is the view of the customer to whom `node` belongs (cot_live_customer).
 */
#ifndef COT_ENGINE_LIVE_PROFILE_H
#define COT_ENGINE_LIVE_PROFILE_H

#include <yyjson.h>

#include "engine/live_shop.h"

/* The node of whom people name: a user id, an e-mail address (any case), an anonymous id, a telephone number, our own
 * anon-...; "kind:value" where a value alone is ambiguous. COT_NOT_FOUND, or COT_USAGE where two persons have it. Nodes
 * that are not on disk yet are nobody's. */
cot_code cot_live_find(const struct cot_live_shop *live, const struct cot_dict *nodes, const char *id, size_t size,
                       uint32_t *ret_node, struct cot_err *err) COT_MUST_CHECK;

/* {"customer_id","identities":[{"kind","value"}],"traits":{key: value},"consent":{purpose: bool},"currency","as_of",
 *  "first_event","last_event","events","features":{name: value | null},"segment": as below} */
cot_code cot_live_profile(struct cot_live_shop *live, const struct cot_dict *nodes, uint32_t node,
                          const struct cot_customer *customer, yyjson_mut_doc *doc, yyjson_mut_val *root,
                          struct cot_err *err) COT_MUST_CHECK;

/* {"id","name","color","run","assigned_by":"model","distance"} or null: no model, no consent to analytics. */
cot_code cot_live_add_segment(const struct cot_live_shop *live, uint32_t node, const struct cot_customer *customer,
                              yyjson_mut_doc *doc, yyjson_mut_val *root, struct cot_err *err) COT_MUST_CHECK;

/* {"customer_id","segment","pulls":[{"feature","title","unit","value","share"}],"nearest":{"id","name","distance","reached",
 *  "changes":[{"feature","title","unit","from","to"}]} | null} */
cot_code cot_live_explain(struct cot_live_shop *live, const struct cot_dict *nodes, uint32_t node, yyjson_mut_doc *doc,
                          yyjson_mut_val *root, struct cot_err *err) COT_MUST_CHECK;

/* The latest fact of a trait's key among the customer's nodes; NULL: none. */
const struct cot_trait_fact *cot_live_best_trait(const struct cot_live_shop *live, uint32_t node, uint32_t key);

/* The word of a category feature's value; NULL: none. */
enum { COT_LIVE_WORD_SIZE = 256 };
const char *cot_live_word(const struct cot_live_shop *live, const struct cot_feature *feature, float value,
                          char ret_word[COT_LIVE_WORD_SIZE]);

/* The model's segment of a customer as of now; SIZE_MAX: no model, no consent to analytics. */
cot_code cot_live_learned(const struct cot_live_shop *live, uint32_t node, const struct cot_customer *customer,
                          size_t *ret_segment, struct cot_err *err) COT_MUST_CHECK;

/* The node that names a customer: the first of the shop's own ids, else the smallest. */
uint32_t cot_live_name_node(const struct cot_live_shop *live, const struct cot_dict *nodes, uint32_t node);
/* As it names them; false: an erased person's. */
enum { COT_LIVE_NAME_SIZE = 1024 };
bool cot_live_node_name(const struct cot_dict *nodes, uint32_t node, char ret_name[COT_LIVE_NAME_SIZE]);

void cot_live_add_customer_id(const struct cot_live_shop *live, const struct cot_dict *nodes, uint32_t node,
                              yyjson_mut_doc *doc, yyjson_mut_val *object, const char *key);

#endif
