/*
 * Following what is written into a shop's transaction: for live state, which applies the same facts once they are on
 * disk.
 */
#ifndef COT_ENGINE_IMPORT_TAP_H
#define COT_ENGINE_IMPORT_TAP_H

#include <stdbool.h>

#include "domain/identity.h"
#include "domain/record.h"

struct cot_money;

/* Every function is told of one row; texts are the record's. */
struct cot_import_tap {
    void *context;
    cot_code (*event)(void *context, const struct cot_record *record, uint32_t node, uint32_t item,
                      const struct cot_money *money, struct cot_err *err);
    cot_code (*trait)(void *context, const struct cot_record *record, const struct cot_trait *trait, uint32_t node,
                      bool timeless, struct cot_err *err);
    cot_code (*item)(void *context, const struct cot_record *record, uint32_t item, struct cot_err *err);
    cot_code (*link)(void *context, const struct cot_link *link, struct cot_err *err);
    cot_code (*node)(void *context, uint32_t node, struct cot_err *err); /* it is new */
};

#endif
