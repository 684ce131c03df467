/* When customers bought and for how much: what predictions of purchases are learned from. */
#ifndef COT_PREDICT_PURCHASES_H
#define COT_PREDICT_PURCHASES_H

#include <stddef.h>
#include <stdint.h>

struct cot_purchase {
    int32_t day;   /* since any day zero */
    double amount; /* of all orders of that day */
};

/* Customer i: days[starts[i] .. starts[i + 1]), at least one, ascending, no day twice. */
struct cot_purchases {
    size_t n; /* customers */
    const size_t *starts;
    const struct cot_purchase *days;
    int32_t first_day, last_day; /* of the observation: the last may be without a purchase */
};

#endif
