/*
 * The lock of what readers see: one thread at a time, answers first.
 *
 * An answer takes microseconds and somebody waits for it; work (a group into memory, a rule over everybody) takes as
 * long as it takes. So answers go before work that waits, up to so many in a row that work is not kept from going on;
 * and work asks between two steps whether somebody waits, and then gives way. Who holds it for how long is counted, and
 * behind whom answers waited.
 */
#ifndef COT_ENGINE_STATE_LOCK_H
#define COT_ENGINE_STATE_LOCK_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

enum cot_state_holder {
    COT_STATE_ANSWER,  /* one customer's, or a list of a bounded length */
    COT_STATE_TAKE,    /* one call, into the transaction */
    COT_STATE_APPLY,   /* what was committed, into memory */
    COT_STATE_TIME,    /* moments that have come */
    COT_STATE_RULES,   /* a rule over everybody */
    COT_STATE_COMPARE, /* memory and store */
    COT_STATE_SWAP,    /* memory for other memory, made beside it */
    COT_N_STATE_HOLDERS
};

/* So many answers in a row go before work that waits: some two milliseconds of them. */
enum { COT_STATE_MAX_PASSED = 64 };

/* Giving way costs two switches between threads: a shorter hold is better ended first. */
#define COT_STATE_MIN_HOLD_NS INT64_C(100000)

/* Upper bounds of the counts of durations; the last count is of what is longer. */
enum { COT_STATE_N_BOUNDS = 8 };
extern const int64_t cot_state_bounds_us[COT_STATE_N_BOUNDS];

struct cot_state_durations {
    atomic_uint_fast64_t by_bound[COT_STATE_N_BOUNDS + 1];
    atomic_uint_fast64_t sum_ns;
};

struct cot_state_lock {
    pthread_mutex_t mutex; /* of what follows, up to the counts; held for nanoseconds */
    pthread_cond_t for_answers, for_work;
    bool held;
    enum cot_state_holder holder;
    int64_t since_ns;   /* monotonic */
    unsigned n_answers; /* that wait */
    unsigned n_work;    /* that waits */
    unsigned n_passed;  /* answers that went before it */
    uint64_t n_served;  /* work that had its turn: tickets from there on wait */

    struct cot_state_durations holds[COT_N_STATE_HOLDERS];
    struct cot_state_durations waits[COT_N_STATE_HOLDERS]; /* of answers, by who held when they came */
};

void cot_state_lock_init(struct cot_state_lock *lock);
void cot_state_lock_destroy(struct cot_state_lock *lock);

void cot_state_lock(struct cot_state_lock *lock, enum cot_state_holder holder);
void cot_state_unlock(struct cot_state_lock *lock);

/* Between two steps: lets those in who wait, where this hold has lasted long enough to be worth it. True: others were
 * in, and what was looked up before may be something else now. */
bool cot_state_give_way(struct cot_state_lock *lock);

/* As metrics name it: "answer", "take" and so on. */
const char *cot_state_holder_name(enum cot_state_holder holder);

#endif
