/*
 * Live state: a shop that changes event by event, and the features of any of its customers as of a day.
 *
 * Facts are applied as they are recorded; what a customer looks like on a day equals, to the bit, the replay of the
 * facts with both times at or before it (tests/unit/domain/test_replay_equals_live.c). An event that comes in order
 * extends the customer's fold; anything late, a superseded order, a merge or an unmerge folds that one customer anew.
 * Facts that lie ahead (occurred_at after now) are kept and come into force as the days go by.
 *
 * The clock only goes forward. One writer; a customer's view is valid until the next call.
 */
#ifndef COT_DOMAIN_LIVE_H
#define COT_DOMAIN_LIVE_H

#include <stdint.h>

#include "coterie/err.h"
#include "domain/catalogue.h"
#include "domain/event.h"
#include "domain/feature_summary.h"
#include "domain/identity.h"
#include "domain/prediction.h"
#include "domain/profile.h"
#include "domain/timeline.h"

struct cot_live;

struct cot_live_options {
    const struct cot_zone *zone;         /* NULL: UTC; must outlive the state */
    double minor_per_unit;               /* 100 for GBP */
    const struct cot_trait_words *words; /* keys and values of traits; must outlive the state */
    int64_t catalogue_age_ms;            /* how old the catalogue's prices may become; 0: they are always those of now,
                                          * else the caller makes them when they are due */
    size_t min_kept_entries;             /* a customer's fold is kept from so many entries on; 0: 256 */
};

/* What an event is called and says, as far as it is to be held. */
struct cot_live_said {
    uint32_t name; /* code of the name of a shop's own event; COT_DICT_NONE: none */
    const struct cot_property *properties;
    size_t n_properties;
};

struct cot_live_event {
    uint32_t node;
    enum cot_event_kind kind;
    enum cot_channel channel;
    int64_t occurred_at_ms;
    uint32_t item;   /* COT_NO_ITEM: none */
    uint32_t detail; /* hash of session or campaign (cot_detail_hash) of what is neither order line nor refund */
    uint64_t order;  /* cot_order_hash; order lines and refunds */
    double quantity; /* order lines and refunds; <= 0: not known, counts as 1 */
    int64_t amount_minor, discount_minor, cost_minor; /* the last two may be COT_UNKNOWN_MINOR */
    const struct cot_live_said *said;                 /* copied; NULL: nothing */
};

cot_code cot_live_open(const struct cot_live_options *options, struct cot_live **ret_live,
                       struct cot_err *err) COT_MUST_CHECK;
void cot_live_free(struct cot_live *live);

/* Moves the clock; COT_USAGE backwards. Links, traits and items that were waiting for the moment come into force.
 * `joined` (may be NULL) gets the ends of links that do: other nodes of their customers are reached from these. */
typedef void cot_live_touch(void *context, uint32_t node);
cot_code cot_live_advance(struct cot_live *live, int64_t now_ms, cot_live_touch *joined, void *context,
                          struct cot_err *err) COT_MUST_CHECK;
/* The moment at which the next link comes into force; INT64_MAX: none waits. */
int64_t cot_live_next_link_ms(const struct cot_live *live);

/* Prices the catalogue as of now, instead of the first that asks for a customer: O(events). */
cot_code cot_live_price(struct cot_live *live, struct cot_err *err) COT_MUST_CHECK;

/* The same in two steps. _make reads facts alone: who adds facts may call it while others advance the clock and look
 * customers up. _set takes what it made, and gives back the catalogue before, for the caller to release. */
cot_code cot_live_catalogue_make(const struct cot_live *live, int64_t as_of_ms, struct cot_catalogue *ret_catalogue,
                                 struct cot_err *err) COT_MUST_CHECK;
void cot_live_catalogue_set(struct cot_live *live, int64_t as_of_ms, struct cot_catalogue *catalogue);
/* The moment at which the prices are as old as they may become. */
int64_t cot_live_catalogue_due_ms(const struct cot_live *live);

/* A node is known from here on, a customer of its own, whatever else is said of it: consent is kept elsewhere. */
cot_code cot_live_add_node(struct cot_live *live, uint32_t node, struct cot_err *err) COT_MUST_CHECK;

/*
 * The newest predictions from here on: borrowed, until the next are set. `allows`: does the customer to whom a node
 * belongs still consent to COT_PREDICTION_PURPOSE? Consent is kept elsewhere.
 */
typedef bool cot_live_allows(void *context, uint32_t node);
void cot_live_set_predictions(struct cot_live *live, const struct cot_predictions *predictions, cot_live_allows *allows,
                              void *context);

/* Each is recorded now: the caller has advanced the clock to the fact's recorded_at. */
cot_code cot_live_add_event(struct cot_live *live, const struct cot_live_event *event,
                            struct cot_err *err) COT_MUST_CHECK;
cot_code cot_live_add_link(struct cot_live *live, const struct cot_link *link, struct cot_err *err) COT_MUST_CHECK;
cot_code cot_live_add_trait(struct cot_live *live, uint32_t node, const struct cot_trait_fact *trait,
                            struct cot_err *err) COT_MUST_CHECK;
cot_code cot_live_add_item(struct cot_live *live, const struct cot_item_fact *fact, struct cot_err *err) COT_MUST_CHECK;

/* A newer version of an order is coming: takes back the node's lines and refunds with that key. */
cot_code cot_live_supersede(struct cot_live *live, uint32_t node, uint64_t order, struct cot_err *err) COT_MUST_CHECK;

/* The same of its lines alone: refunds that came by themselves stay. */
cot_code cot_live_supersede_lines(struct cot_live *live, uint32_t node, uint64_t order,
                                  struct cot_err *err) COT_MUST_CHECK;

/* How many nodes have come up, those between included. */
uint32_t cot_live_n_nodes(const struct cot_live *live);

/* The nodes of the customer to whom a node belongs now, ascending; valid until the next link. */
const uint32_t *cot_live_members(const struct cot_live *live, const uint32_t *node, size_t *ret_n);

/* How many items have come up, in events or in what is said of them, those between included. */
uint32_t cot_live_n_items(const struct cot_live *live);

/* What was said of one node, in the order in which it came. */
const struct cot_trait_fact *cot_live_traits(const struct cot_live *live, uint32_t node, size_t *ret_n);

/* A customer's events up to now, in order, without its features; valid until the next fact. O(1) but for a customer of
 * several nodes of whom something late has come. */
cot_code cot_live_run(struct cot_live *live, uint32_t node, struct cot_run *ret_run,
                      struct cot_err *err) COT_MUST_CHECK;
/* Makes the runs of the customers of nodes [begin, end) ready: until the next fact any number of threads may call
 * cot_live_run for them. */
cot_code cot_live_settle(struct cot_live *live, uint32_t begin, uint32_t end, struct cot_err *err) COT_MUST_CHECK;
/* When the next of its events or traits comes that lies ahead; INT64_MAX: none does. After cot_live_run. */
int64_t cot_live_next_ms(const struct cot_live *live, uint32_t node);
/* The money of its lines. */
const struct cot_lines *cot_live_lines(const struct cot_live *live);

/* The moment at which the clock stands. */
int64_t cot_live_now_ms(const struct cot_live *live);

/* The customer to whom a node belongs now: the smallest of its nodes. */
uint32_t cot_live_root(const struct cot_live *live, uint32_t node);

/* The features' view of that customer as of now; valid until the next fact or the next customer. O(entries of the last
 * 365 days + items), and of customers with hundreds of entries those that are new, where nothing late has come. Prices
 * of items are those of now, or as old as they may become. */
cot_code cot_live_customer(struct cot_live *live, uint32_t node, const struct cot_customer **ret_customer,
                           struct cot_err *err) COT_MUST_CHECK;

/* How often a customer was folded from the first entry on, for tests and figures. */
uint64_t cot_live_n_refolds(const struct cot_live *live);

#endif
