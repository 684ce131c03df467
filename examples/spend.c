/* Gamma-Gamma: what a customer's next purchase is worth, between their own mean and everybody's. */
#include <stdio.h>

#include "coterie/spend.h"

int main(void)
{
    const double purchases[6] = {1, 1, 2, 3, 5, 8};
    const double mean_value[6] = {12, 90, 30, 25, 41, 33};
    struct cot_spend model;
    struct cot_err err = {0};

    if (cot_spend_fit(6, purchases, mean_value, 1, &model, &err) != COT_OK) {
        fprintf(stderr, "%s\n", err.message);
        return 1;
    }
    double once = cot_spend_expected(&model, 1, 90);
    double often = cot_spend_expected(&model, 8, 90);
    printf("a customer with one purchase of 90 is expected to spend %.2f, with eight of 90 each %.2f\n", once, often);
    return once < often && often < 90 ? 0 : 1;
}
