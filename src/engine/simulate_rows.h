/*
 * Rows of the simulated files as CSV text, good and dirty. Used by engine/simulate.c alone; formatting is by hand since
 * printf would take longer than everything else together.
 */
#ifndef COT_ENGINE_SIMULATE_ROWS_H
#define COT_ENGINE_SIMULATE_ROWS_H

#include "base/buf.h"
#include "domain/simulation.h"

/* The files: constant, name, kind as the importer calls it, header. */
#define COT_SIMULATE_FILES(X)                                                                                          \
    X(COT_SIMULATE_CUSTOMERS, "customers.csv", "customers",                                                            \
      "customer_id,email,country,birth_year,signup_date,household_size,children,income_band")                          \
    X(COT_SIMULATE_PRODUCTS, "products.csv", "products", "product_id,name,category,brand,price,cost")                  \
    X(COT_SIMULATE_ORDERS, "orders.csv", "orders",                                                                     \
      "order_id,customer_id,email,ordered_at,product_id,quantity,unit_price,discount,currency,channel,status,"         \
      "refund_of")                                                                                                     \
    X(COT_SIMULATE_EVENTS, "events.csv", "events",                                                                     \
      "event_id,customer_id,anonymous_id,session_id,event,occurred_at,product_id,channel,campaign,search_term")        \
    X(COT_SIMULATE_CAMPAIGNS, "campaigns.csv", "campaigns", "campaign_id,name,type,start_date,end_date")               \
    X(COT_SIMULATE_RESPONSES, "responses.csv", "responses",                                                            \
      "customer_id,campaign_id,arm,sent_at,response,responded_at")                                                     \
    X(COT_SIMULATE_CONSENT, "consent.csv", "consent", "customer_id,purpose,granted,occurred_at")                       \
    X(COT_SIMULATE_TRUTH, "truth.csv", "truth", "")

enum cot_simulate_file {
#define X(file, name, kind, header) file,
    COT_SIMULATE_FILES(X)
#undef X
        COT_SIMULATE_N_FILES
};

/* What is wrong with a dirty row: constant, name, what must become of the row. */
#define COT_SIMULATE_DIRT(X)                                                                                           \
    X(COT_SIMULATE_BAD_DATE, "bad_date")         /* 30 February, words */                                              \
    X(COT_SIMULATE_MISSING_DATE, "missing_date") /* empty */                                                           \
    X(COT_SIMULATE_FAR_DATE, "far_date")         /* the year 9999 */                                                   \
    X(COT_SIMULATE_BAD_QUANTITY, "bad_quantity") /* a word */                                                          \
    X(COT_SIMULATE_BAD_PRICE, "bad_price")       /* not a number */                                                    \
    X(COT_SIMULATE_HUGE_PRICE, "huge_price")     /* 1e308 */                                                           \
    X(COT_SIMULATE_MISSING_ID, "missing_id")     /* nobody is named */                                                 \
    X(COT_SIMULATE_DUPLICATE, "duplicate")       /* the same event_id again: the only kind that is no quarantine */

enum cot_simulate_dirt {
#define X(dirt, name) dirt,
    COT_SIMULATE_DIRT(X)
#undef X
        COT_SIMULATE_N_DIRTS,
    COT_SIMULATE_CLEAN = COT_SIMULATE_N_DIRTS
};

extern const char *const cot_simulate_file_names[COT_SIMULATE_N_FILES];
extern const char *const cot_simulate_file_kinds[COT_SIMULATE_N_FILES];
extern const char *const cot_simulate_dirt_names[COT_SIMULATE_N_DIRTS];

/* Text of the files for a run of customers, and what is in it. */
struct cot_simulate_rows {
    struct cot_buf text[COT_SIMULATE_N_FILES];
    uint64_t n_rows[COT_SIMULATE_N_FILES]; /* dirty ones too */
    uint64_t n_dirty[COT_SIMULATE_N_FILES][COT_SIMULATE_N_DIRTS];
    uint64_t n_segment[COT_SIMULATION_MAX_SEGMENTS + COT_SIMULATION_N_OUTLIER_KINDS];
    uint64_t n_orders, n_refunds, n_alive;
    struct {
        uint64_t n[2], n_responded[2]; /* control, treated */
        double uplift;                 /* sum over the treated of their own */
    } campaigns[COT_SIMULATION_N_CAMPAIGNS];
};

void cot_simulate_rows_clear(struct cot_simulate_rows *rows); /* keeps the memory */
void cot_simulate_rows_release(struct cot_simulate_rows *rows);

/* The header row of a file, and all rows of the files that are about the shop (products, campaigns). */
cot_code cot_simulate_add_header(struct cot_simulate_rows *rows, enum cot_simulate_file file,
                                 struct cot_err *err) COT_MUST_CHECK;
cot_code cot_simulate_add_shop(struct cot_simulate_rows *rows, const struct cot_simulation *simulation,
                               struct cot_err *err) COT_MUST_CHECK;

/* Everything about one customer. dirty_share: of each file's good rows that a bad copy follows. */
cot_code cot_simulate_add_customer(struct cot_simulate_rows *rows, const struct cot_simulation *simulation,
                                   const struct cot_simulation_customer *customer,
                                   const struct cot_simulation_history *history, double dirty_share,
                                   struct cot_err *err) COT_MUST_CHECK;

#endif
