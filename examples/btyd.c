/* Buy-till-you-die: how many purchases are to come, from four customers of whom one has long been silent. */
#include <math.h>
#include <stdio.h>

#include "coterie/btyd.h"

int main(void)
{
    /* Repeat purchases, the last of them and the end of the observation, in weeks after the first purchase. */
    const double x[8] = {0, 0, 0, 1, 2, 3, 5, 6};
    const double tx[8] = {0, 0, 0, 9, 14, 33, 12, 37};
    const double T[8] = {39, 38, 30, 39, 38, 36, 39, 38};
    const struct cot_btyd_customers customers = {.n = 8, .x = x, .tx = tx, .T = T};
    struct cot_btyd_options options;
    struct cot_btyd model;
    struct cot_err err = {0};

    cot_btyd_options_init(&options, COT_BTYD_BGNBD);
    options.prior_weight = 4; /* eight customers can't tell four parameters: lean on usual shops */
    if (cot_btyd_fit(&customers, &options, &model, &err) != COT_OK) {
        fprintf(stderr, "%s\n", err.message);
        return 1;
    }
    for (size_t i = 0; i < COT_BTYD_PARAMETERS; i++)
        printf("%s %.3f ", cot_btyd_parameter_name(model.kind, i), model.parameters[i]);
    const struct cot_btyd_customer silent = {x[6], tx[6], T[6]};
    const struct cot_btyd_customer busy = {x[7], tx[7], T[7]};
    double silent_alive = cot_btyd_alive(&model, silent);
    double busy_alive = cot_btyd_alive(&model, busy);
    printf("\nsilent since week 12: still a customer with chance %.2f, %.2f purchases in 26 weeks\n", silent_alive,
           cot_btyd_expected(&model, silent, 26));
    printf("bought in week 37: chance %.2f, %.2f purchases, the next one within %.1f weeks as likely as not\n",
           busy_alive, cot_btyd_expected(&model, busy, 26), cot_btyd_next(&model, busy, 0.5));
    return silent_alive < busy_alive && cot_btyd_expected(&model, silent, 26) < cot_btyd_expected(&model, busy, 26) ? 0
                                                                                                                    : 1;
}
