/* Indices that compare two labelings: see coterie/metrics.h. */
#include <math.h>
#include <stdlib.h>

#include "coterie/metrics.h"
#include "ml/contingency.h"
#include "num/check.h"

static double n_pairs(size_t n)
{
    return (double)n * ((double)n - 1) / 2;
}

cot_code cot_metric_ari(const uint32_t *a, const uint32_t *b, size_t n, double *ret_ari, struct cot_err *err)
{
    struct cot_contingency t = {0};
    double together = 0;
    double in_a = 0;
    double in_b = 0;
    cot_code rc = cot_contingency_init(&t, a, b, n, err);
    if (rc != COT_OK)
        return rc;
    for (size_t c = 0; c < t.n_cells; c++)
        together += n_pairs(t.cells[c].count);
    for (size_t i = 0; i < t.k_a; i++)
        in_a += n_pairs(t.sums_a[i]);
    for (size_t i = 0; i < t.k_b; i++)
        in_b += n_pairs(t.sums_b[i]);
    double expected = n > 1 ? in_a * in_b / n_pairs(n) : 0;
    double most = (in_a + in_b) / 2;
    *ret_ari = most == expected ? 1 : (together - expected) / (most - expected);
    cot_contingency_release(&t);
    return COT_OK;
}

static double entropy(const size_t *sums, size_t k, size_t n)
{
    double h = 0;
    for (size_t i = 0; i < k; i++) {
        double p = (double)sums[i] / (double)n;
        h -= p * log(p);
    }
    return h;
}

static double mutual_information(const struct cot_contingency *t)
{
    double n = (double)t->n;
    double sum = 0;
    for (size_t c = 0; c < t->n_cells; c++) {
        double count = (double)t->cells[c].count;
        double product = (double)t->sums_a[t->cells[c].a] * (double)t->sums_b[t->cells[c].b];
        sum += count / n * log(n * count / product);
    }
    return sum;
}

/* Vinh, Epps and Bailey's equation 24a; lf[i] = log i!. */
static double expected_information(const struct cot_contingency *t, const double *lf)
{
    size_t n = t->n;
    double sum = 0;
    for (size_t i = 0; i < t->k_a; i++)
        for (size_t j = 0; j < t->k_b; j++) {
            size_t a = t->sums_a[i];
            size_t b = t->sums_b[j];
            size_t least = a + b > n ? a + b - n : 1;
            double fixed = lf[a] + lf[b] + lf[n - a] + lf[n - b] - lf[n];
            double product = (double)a * (double)b;
            least = least > 0 ? least : 1;
            for (size_t c = least; c <= (a < b ? a : b); c++) {
                double log_p = fixed - lf[c] - lf[a - c] - lf[b - c] - lf[n - a - b + c];
                sum += (double)c / (double)n * log((double)n * (double)c / product) * exp(log_p);
            }
        }
    return sum;
}

cot_code cot_metric_ami(const uint32_t *a, const uint32_t *b, size_t n, double *ret_ami, struct cot_err *err)
{
    struct cot_contingency t = {0};
    double *log_factorials = NULL;
    cot_code rc = cot_contingency_init(&t, a, b, n, err);
    if (rc != COT_OK)
        return rc;
    if ((t.k_a == 1 && t.k_b == 1) || (t.k_a == n && t.k_b == n)) {
        *ret_ami = 1;
        goto out;
    }
    log_factorials = cot_alloc_array(n + 1, 1, sizeof *log_factorials);
    if (log_factorials == NULL) {
        rc = cot_fail(err, COT_NOMEM, "adjusted mutual information of %zu labels", n);
        goto out;
    }
    for (size_t i = 0; i <= n; i++) {
        int sign = 0;
        log_factorials[i] = lgamma_r((double)i + 1, &sign);
    }
    double information = mutual_information(&t);
    double expected = expected_information(&t, log_factorials);
    double most = (entropy(t.sums_a, t.k_a, n) + entropy(t.sums_b, t.k_b, n)) / 2;
    double room = most - expected;
    /* No room for agreement beyond chance: one side is a single cluster, so nothing is learned from it. */
    *ret_ami = fabs(room) < 1e-15 ? 0 : (information - expected) / room;
out:
    cot_contingency_release(&t);
    free(log_factorials);
    return rc;
}
