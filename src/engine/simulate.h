/*
 * A simulated shop as files that `import` takes, with the truth beside them (domain/simulation.h says what is true).
 *
 * In the folder: customers.csv, products.csv, orders.csv, events.csv, campaigns.csv, responses.csv, consent.csv;
 * truth.csv (a row a customer: its segment and latent parameters) and truth.json (the segments' distributions, the
 * campaigns, and how many rows of each file an importer must accept, quarantine and recognise as duplicates). An
 * import of the folder leaves the two truth files alone. Orders and events are grouped by customer, in order of time
 * within one.
 */
#ifndef COT_ENGINE_SIMULATE_H
#define COT_ENGINE_SIMULATE_H

#include <stdbool.h>
#include <stdint.h>
#include <yyjson.h>

#include "coterie/err.h"
#include "engine/context.h"

enum cot_simulate_difficulty { COT_SIMULATE_EASY, COT_SIMULATE_DEFAULT, COT_SIMULATE_HARD };

struct cot_simulate_options {
    const char *out_dir; /* made where it is missing; files of these names in it are replaced */
    uint64_t n_customers;
    uint64_t n_events; /* about so many rows of orders, events and responses together; 0: as it comes */
    unsigned n_segments;
    unsigned n_months;
    double dirty_share;   /* bad or repeated rows, as a share of the good ones */
    double outlier_share; /* wholesalers, bots, test accounts */
    enum cot_simulate_difficulty difficulty;
    bool orders_only; /* customers, products and orders */
};

/* The defaults of everything but out_dir and n_customers. */
struct cot_simulate_options cot_simulate_defaults(void);

/*
 * Writes the files. The document is truth.json:
 *   {"seed","customers","months","start","end","spread","atypical_share","activity",
 *    "files":[{"path","kind","rows","accepted","quarantined","duplicate","dirty":{reason:rows,...}}],
 *    "orders","refunds","alive",
 *    "traits":[{"name","scale"}],
 *    "segments":[{"name","kind","weight","size","rate_shape","rate_mean_per_day","dropout_a","dropout_b",
 *                 "traits":{...},"deviations":{...},"categories":{...},"channels":{...},"base_response","uplift"}],
 *    "campaigns":[{"campaign_id","treated","control","treated_responses","control_responses","expected_uplift"}]}
 * The same options and seed give the same bytes at any number of threads. COT_USAGE: an option out of range; COT_IO.
 */
cot_code cot_simulate_run(const struct cot_context *context, const struct cot_simulate_options *options,
                          yyjson_mut_doc **ret_doc, struct cot_err *err) COT_MUST_CHECK;

#endif
