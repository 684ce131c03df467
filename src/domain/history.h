/*
 * A shop's history in memory, as of a moment: everything that features are computed from.
 *
 * Filled by the engine from the store (engine/shop.h) or by hand, then immutable and shared by threads.
 */
#ifndef COT_DOMAIN_HISTORY_H
#define COT_DOMAIN_HISTORY_H

#include <stddef.h>
#include <stdint.h>

#include "base/dict.h"
#include "domain/catalogue.h"
#include "domain/consent.h"
#include "domain/feature.h"
#include "domain/feature_summary.h"
#include "domain/identity.h"
#include "domain/prediction.h"
#include "domain/profile.h"
#include "domain/timeline.h"

struct cot_history {
    int64_t as_of_ms;
    const struct cot_zone *zone; /* the shop's, not owned; NULL: UTC */
    double minor_per_unit;       /* 100 for GBP, 1 for JPY */
    struct cot_timelines timelines;
    struct cot_people people;
    struct cot_catalogue catalogue;
    struct cot_dict categories, subcategories, brands; /* words of the catalogue's codes */
    struct cot_trait_words words;
    uint32_t *trait_starts;        /* [n_nodes + 1] */
    struct cot_trait_fact *traits; /* node i: traits[trait_starts[i] .. trait_starts[i + 1]) */
    uint32_t *consent_starts;      /* [n_nodes + 1] */
    struct cot_consent_fact *consents;
    uint8_t *withheld;                  /* [n_nodes]: purposes that the node's source does not assume, as bits */
    int64_t kind_since_ms[128];         /* first event of each kind in the shop, INT64_MAX: none */
    struct cot_predictions predictions; /* the newest of each horizon made by as_of_ms */
};

void cot_history_release(struct cot_history *history);

/* Fills the catalogue's prices from the order lines in the timelines. */
cot_code cot_history_price(struct cot_history *history, struct cot_err *err) COT_MUST_CHECK;

/* What a thread needs to look at one customer after the other. Zero is empty. */
struct cot_customer_reader {
    const struct cot_history *history;
    enum cot_timeless timeless;
    struct cot_view view;
    struct cot_fold fold;
    struct cot_summary_scratch scratch;
    struct cot_profile profile;
    struct cot_customer customer;
};
void cot_customer_reader_release(struct cot_customer_reader *reader);

/* The summary of customer i_customer of the history's people; valid until the next read. */
cot_code cot_customer_read(struct cot_customer_reader *reader, uint32_t i_customer,
                           const struct cot_customer **ret_customer, struct cot_err *err) COT_MUST_CHECK;

/* Does the customer allow a purpose? */
bool cot_history_allows(const struct cot_history *history, uint32_t i_customer, enum cot_purpose purpose);

enum { COT_MAX_CATEGORIES = 20 }; /* a category column's most frequent words; the rest is "other" */

struct cot_feature_matrix_options {
    enum cot_timeless timeless;
    unsigned n_threads; /* 0: all cores */
    const struct cot_progress *progress;
};

/* The features of all customers: the catalogue's own columns first, in its order, then imported traits that are no
 * identifiers, by name. Same bytes at any number of threads. */
cot_code cot_feature_matrix_fill(const struct cot_history *history, const struct cot_feature_matrix_options *options,
                                 struct cot_feature_matrix *ret_matrix, struct cot_err *err) COT_MUST_CHECK;

#endif
