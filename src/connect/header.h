/* Names of columns, made comparable. */
#ifndef COT_CONNECT_HEADER_H
#define COT_CONNECT_HEADER_H

#include <stdbool.h>
#include <stddef.h>

enum { COT_HEADER_SIZE = 128 };

/* "CustomerID", "Customer ID", "customer.id" -> "customer_id": lower case, words joined by '_', quotes dropped; cut to
 * size. */
void cot_header_snake(const char *name, char *ret_text, size_t size);

/* The same without '_': what is compared, so that "ordernumber" is "Order Number". */
void cot_header_squash(const char *name, char *ret_text, size_t size);

/* Whether a column's squashed name is one of `names` ("customer_id|client_id"); also behind the wrappers that JSON
 * exports put around fields ("properties.", "traits.", "context."). ret_rank: which of the names. */
bool cot_header_matches(const char *squashed, const char *names, size_t *ret_rank);

#endif
