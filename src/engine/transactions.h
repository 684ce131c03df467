/* A transactions file for the lab: who bought on which day, and for how much. Every shape of orders that import knows.
 */
#ifndef COT_ENGINE_TRANSACTIONS_H
#define COT_ENGINE_TRANSACTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "coterie/err.h"
#include "engine/context.h"

struct cot_purchase_day {
    uint32_t customer; /* 0, 1, ... */
    int32_t day;       /* since 1970-01-01, as the file has it */
    double amount;     /* of all purchases of that day; 0 where the file has no amounts */
};

struct cot_transactions {
    struct cot_purchase_day *days; /* by customer, then by day; a customer's days differ */
    size_t n;
    size_t n_customers;
    size_t n_rows; /* of the file */
    int32_t first_day, last_day;
};

/*
 * A row that can't be used fails the call with its line (COT_BAD_DATA): the lab keeps no quarantine. Refunds and rows
 * of nobody are left out. COT_BAD_DATA too for a file that is no list of orders or holds none.
 */
cot_code cot_transactions_read(const struct cot_context *context, const char *path,
                               struct cot_transactions *ret_transactions, struct cot_err *err) COT_MUST_CHECK;
void cot_transactions_release(struct cot_transactions *transactions);

#endif
