/* In which categories customers bought as of an origin, and did within the horizon after it. */
#ifndef COT_ENGINE_SHOP_CATEGORIES_H
#define COT_ENGINE_SHOP_CATEGORIES_H

#include "engine/shop.h"
#include "predict/propensity.h"

struct cot_shop_categories {
    struct cot_propensity_origin view; /* its arrays are those below; its purchases are for who uses it to set */
    uint32_t
        codes[COT_PROPENSITY_MOST];   /* of the catalogue: those with the most buyers (two or more), the most first */
    char *names[COT_PROPENSITY_MOST]; /* NUL-terminated */
    size_t *starts;
    struct cot_category_day *days;
    uint64_t *came;
};

/* Place of a code among the codes; n_categories: none of them. */
size_t cot_shop_categories_place(const struct cot_shop_categories *categories, uint32_t code);

/* The catalogue's code of an order line's item; COT_DICT_NONE: no order line, or not known. */
uint32_t cot_shop_category_of(const struct cot_shop *shop, const struct cot_entry *entry);

/* Of customers who have ordered, named by a node of theirs. COT_NOMEM. */
cot_code cot_shop_categories_fill(const struct cot_shop *shop, const struct cot_purchases *purchases,
                                  const uint32_t *nodes, struct cot_shop_categories *ret_categories,
                                  struct cot_err *err) COT_MUST_CHECK;

/* What came: of customer i what nodes[starts[i] .. starts[i + 1]) of the shop of today bought after
 * purchases->last_day, by a moment. What is in which category is as it was known at the origin; of what was not known
 * then, as it is today. */
cot_code cot_shop_categories_came(struct cot_shop_categories *categories, const struct cot_shop *then,
                                  const struct cot_shop *now, const struct cot_purchases *purchases,
                                  const size_t *starts, const uint32_t *nodes, int64_t until_ms,
                                  struct cot_err *err) COT_MUST_CHECK;
void cot_shop_categories_release(struct cot_shop_categories *categories);

#endif
