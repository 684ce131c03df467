/*
 * Names for segments, in a shop's words, from what sets them apart.
 *
 * A table gives each feature, for "more than others" and "less than others", a phrase and the place that it takes in a
 * name: life stage, habit, frequency, value, noun ("Lapsed" + "weekend" + "big spenders"). The strongest contrasts fill
 * the places; siblings never share a name; a segment met again keeps the name that it has while that is still true.
 */
#ifndef COT_DOMAIN_SEGMENT_NAME_H
#define COT_DOMAIN_SEGMENT_NAME_H

#include <stdbool.h>
#include <stddef.h>

#include "coterie/err.h"

enum { COT_SEGMENT_NAME_SIZE = 96 };

/* One way in which a segment differs from all customers; strongest first. */
struct cot_name_contrast {
    const char *feature;
    const char *title;    /* "Income band": for features that the table does not know */
    const char *category; /* "Germany": categorical features; NULL: numeric */
    double difference;    /* standard deviations of all customers; categories: of the share */
};

struct cot_name_request {
    const struct cot_name_contrast *contrasts;
    size_t n_contrasts;
    bool extreme;          /* the segment of wholesale-size and one-off extremes */
    double buyer_share;    /* with any order: a segment of people who don't buy isn't one of buyers */
    double one_time_share; /* of the buyers, with exactly one order */
    const char *previous;  /* the name from the run before, or NULL */
    bool keep_previous;    /* whatever is true now: the name stands elsewhere already */
    double strength;       /* who may choose first: e.g. revenue; ties by position */
};

/*
 * Names n siblings; ret_names has n of COT_SEGMENT_NAME_SIZE bytes. Unique, also against one another's previous names
 * that stay. O(n^2 c). COT_NOMEM.
 */
cot_code cot_segment_names(const struct cot_name_request *requests, size_t n, char (*ret_names)[COT_SEGMENT_NAME_SIZE],
                           struct cot_err *err) COT_MUST_CHECK;

/* Feature names that the table of phrases uses, for tests; NULL after the last. */
const char *cot_segment_name_feature(size_t i);

#endif
