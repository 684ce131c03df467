/* A rule that a person can read for each segment. */
#include <stdio.h>

#include "coterie/rule.h"

static void print_rule(const struct cot_rule *rule, const char *const *names)
{
    const char *const operators[] = {"<=", ">", "is", "is not"};
    for (size_t c = 0; c < rule->n_conditions; c++)
        printf("%s%s %s %g", c > 0 ? " and " : "", names[rule->conditions[c].i_column],
               operators[rule->conditions[c].op], rule->conditions[c].value);
    printf(" (precision %.0f%%, coverage %.0f%%)\n", 100 * rule->precision, 100 * rule->coverage);
}

int main(void)
{
    enum { N = 400 };
    static float customers[N][2];
    const char *const names[2] = {"orders", "days since the last order"};
    uint32_t labels[N];
    const struct cot_matrix x = {.data = &customers[0][0], .n = N, .d = 2, .stride = 2};
    struct cot_rule_options options;
    struct cot_rule rules[2];
    struct cot_err err = {0};

    for (int i = 0; i < N; i++) { /* the loyal: more than five orders, the last within 30 days */
        customers[i][0] = (float)(i % 20);
        customers[i][1] = (float)(i / 20 * 5);
        labels[i] = customers[i][0] > 5 && customers[i][1] <= 30 ? 0 : 1;
    }
    cot_rule_options_init(&options);
    if (cot_rules_find(&x, labels, 2, &options, rules, &err) != COT_OK) {
        fprintf(stderr, "%s\n", err.message);
        return 1;
    }
    print_rule(&rules[0], names);
    const float loyal[2] = {12, 3};
    const float gone[2] = {12, 80};
    int right = rules[0].precision == 1 && rules[0].coverage == 1 && rules[0].n_conditions == 2 &&
                cot_rule_matches(&rules[0], loyal) && !cot_rule_matches(&rules[0], gone);
    return right ? 0 : 1;
}
