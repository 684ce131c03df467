/*
 * The shop in memory while a server runs: every customer as of now, changed by each call as soon as it is on disk.
 *
 * Loaded by replaying the store, then changed by the facts of committed groups (live_facts.h). What is shown of a
 * customer equals a replay from disk, but for prices of the catalogue, which may be some minutes old. One thread at a
 * time: the service's state lock guards it, together with the import shop's dictionaries.
 */
#ifndef COT_ENGINE_LIVE_SHOP_H
#define COT_ENGINE_LIVE_SHOP_H

#include <stdbool.h>
#include <stdint.h>

#include "domain/consent.h"
#include "domain/live.h"
#include "engine/import_shop.h"
#include "engine/segment_model.h"
#include "engine/segment_runs.h"

struct cot_consent_state {
    int64_t occurred_at_ms; /* INT64_MIN: nothing was said */
    bool granted;
};

/* What an item's category and brand are now, for rules; the catalogue's, for features, may be some minutes old. */
struct cot_live_item {
    uint32_t category, brand; /* COT_DICT_NONE */
    int64_t category_since_ms, brand_since_ms;
};

struct cot_live_shop {
    struct cot_live *live;
    struct cot_zone *zone;
    char currency[4];
    double minor_per_unit;
    struct cot_trait_words words;
    struct cot_dict categories, subcategories, brands;
    uint32_t n_traits;              /* so far: their sequence */
    struct cot_dict event_names;    /* of a shop's own events, in lower case */
    struct cot_dict watched;        /* keys of the properties that are held: those that rules ask for */
    struct cot_dict property_words; /* in lower case */
    struct cot_property *gathered;  /* of the event at hand */
    size_t gathered_capacity;
    struct cot_live_item *items;
    size_t n_items, items_capacity;
    struct cot_consent_state (*consents)[COT_N_PURPOSES]; /* by node */
    size_t n_consents, consents_capacity;
    struct cot_predictions predictions; /* the newest kept */
    uint8_t *withheld;                  /* by node: purposes that its source does not assume */
    size_t n_withheld, withheld_capacity;
    struct cot_segment_runs runs;
    struct cot_segment_model *model; /* of the newest run; NULL: none yet */
};

/* An empty shop in which nothing has happened. zone: becomes the shop's, NULL: UTC; watched: keys of the properties of
 * events to hold (copied; NULL: none). */
cot_code cot_live_shop_new(struct cot_zone *zone, double minor_per_unit, const struct cot_dict *watched,
                           struct cot_live_shop **ret_live, struct cot_err *err) COT_MUST_CHECK;
/* Replays the store, the clock at a moment by which everything in it was recorded. */
cot_code cot_live_shop_load(struct cot_store *store, const char *data_dir, const struct cot_dict *watched,
                            int64_t at_ms, struct cot_live_shop **ret_live, struct cot_err *err) COT_MUST_CHECK;
void cot_live_shop_free(struct cot_live_shop *live);

/* The newest run of the segmentation and its model, as they are in the store now; others may be there already. */
cot_code cot_live_shop_load_model(struct cot_store *store, const char *data_dir, struct cot_live_shop *live,
                                  struct cot_err *err) COT_MUST_CHECK;

/* An event with what it is called and says: name is that of a shop's own event (COT_EVENT_CUSTOM), properties a JSON
 * object of values; either may be empty. event->said is set here. */
cot_code cot_live_shop_event(struct cot_live_shop *live, struct cot_live_event *event, struct cot_text name,
                             struct cot_text properties, struct cot_err *err) COT_MUST_CHECK;
/* A name's or word's code whatever its case; COT_DICT_NONE: no event is called so, no property says so. */
uint32_t cot_live_shop_event_name(const struct cot_live_shop *live, struct cot_text name);
uint32_t cot_live_shop_property_word(const struct cot_live_shop *live, struct cot_text word);

/* What was said of consent by one node. */
cot_code cot_live_shop_consent(struct cot_live_shop *live, uint32_t node, enum cot_purpose purpose, bool granted,
                               int64_t occurred_at_ms, struct cot_err *err) COT_MUST_CHECK;

/* The source of a node does not assume these purposes. */
cot_code cot_live_shop_withhold(struct cot_live_shop *live, uint32_t node, uint8_t purposes,
                                struct cot_err *err) COT_MUST_CHECK;

/* Does the customer to whom a node belongs allow a purpose? */
bool cot_live_shop_allows(const struct cot_live_shop *live, uint32_t node, enum cot_purpose purpose);

/* A trait's text as stated; interned. */
cot_code cot_live_shop_trait(struct cot_live_shop *live, uint32_t node, struct cot_text key, struct cot_text value,
                             double number, int64_t occurred_at_ms, struct cot_err *err) COT_MUST_CHECK;
/* ret_changed: an item that has come up before is of another category or brand now. */
cot_code cot_live_shop_item(struct cot_live_shop *live, uint32_t item, const struct cot_text words[3],
                            int64_t occurred_at_ms, int64_t recorded_at_ms, bool timeless, bool *ret_changed,
                            struct cot_err *err) COT_MUST_CHECK;

/* Moves the clock to now; a clock that was set back waits until it is passed again. joined: as cot_live_advance. */
cot_code cot_live_shop_tick(struct cot_live_shop *live, int64_t now_ms, cot_live_touch *joined, void *context,
                            struct cot_err *err) COT_MUST_CHECK;

#endif
