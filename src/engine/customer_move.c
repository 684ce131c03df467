#include "engine/customer_move.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* What a shop can influence, and which way it can go: 0 both ways, +1 only up (what happened can't be undone), -1 only
 * down (an order today makes the last order recent; nobody wants it to be longer ago). */
static const struct {
    const char *feature;
    int direction;
} actionable[] = {
    {"frequency", 1},
    {"monetary_total", 1},
    {"monetary_average", 0},
    {"recency_days", -1},
    {"overdue_ratio", -1},
    {"interpurchase_days", -1},
    {"active_month_share", 1},
    {"basket_units", 0},
    {"basket_lines", 0},
    {"basket_items", 0},
    {"distinct_items", 1},
    {"discount_share", 0},
    {"discounted_order_share", 0},
    {"return_rate", -1},
    {"returned_order_share", -1},
    {"refund_share", -1},
    {"category_count", 1},
    {"category_entropy", 0},
    {"price_level", 0},
    {"unit_price_average", 0},
    {"repeat_item_share", 0},
    {"spend_30d", 1},
    {"spend_90d", 1},
    {"spend_365d", 1},
    {"orders_30d", 1},
    {"orders_90d", 1},
    {"orders_365d", 1},
    {"visit_recency_days", -1},
    {"sessions_7d", 1},
    {"sessions_30d", 1},
    {"sessions_90d", 1},
    {"sessions_total", 1},
    {"session_events", 0},
    {"views_7d", 1},
    {"views_30d", 1},
    {"views_90d", 1},
    {"carts_30d", 1},
    {"carts_90d", 1},
    {"cart_abandon_rate", -1},
    {"searches_90d", 0},
    {"email_opens_30d", 1},
    {"email_opens_90d", 1},
    {"email_clicks_90d", 1},
    {"email_open_rate", 0},
    {"email_click_rate", 0},
    {"campaign_response_rate", 1},
    {"channel_web_share", 0},
    {"channel_app_share", 0},
    {"channel_store_share", 0},
    {"channel_marketplace_share", 0},
    {"channel_count", 1},
};

static const double max_deviation = 2.5; /* as far as customers go */

struct lever {
    size_t i_column, o;
    double weight; /* gain towards the target, per unit of z */
    double room;   /* largest useful change of z, signed */
};

static bool direction_of(const char *name, int *ret_direction)
{
    for (size_t i = 0; i < sizeof actionable / sizeof actionable[0]; i++)
        if (strcmp(actionable[i].feature, name) == 0) {
            *ret_direction = actionable[i].direction;
            return true;
        }
    return false;
}

static int pull_compare(const void *a, const void *b)
{
    const struct cot_customer_pull *x = a;
    const struct cot_customer_pull *y = b;
    if (fabs(x->share) != fabs(y->share))
        return fabs(x->share) < fabs(y->share) ? 1 : -1;
    return (x->i_column > y->i_column) - (x->i_column < y->i_column);
}

cot_code cot_customer_pulls(const struct cot_segment_model *model, const float *raw, size_t segment,
                            struct cot_customer_pull *ret_pulls, size_t *ret_n, struct cot_err *err)
{
    size_t n = model->space->n_columns, n_used = 0;
    const float *centre = model->centroids + segment * model->q;
    double *gains = calloc(n + 1, sizeof *gains);
    float *z = calloc(model->d + 1, sizeof *z);
    double towards = 0;
    cot_code rc = gains == NULL || z == NULL ? cot_fail(err, COT_NOMEM, "pulls") : COT_OK;
    if (rc == COT_OK)
        rc = cot_space_apply_raw(model->space, raw, 1, 1, z, err);
    if (rc != COT_OK)
        goto out;
    /* |y - average|^2 - |y - centre|^2 = 2 y.centre - |centre|^2, and y is a sum over columns: so are the pulls */
    for (size_t o = 0; o < model->d; o++) {
        double along = 0;
        for (size_t a = 0; a < model->q; a++)
            along += model->axes[o * model->q + a] * (double)centre[a];
        gains[cot_transform_source(model->space->transform, o, NULL)] += ((double)z[o] - model->mean[o]) * along;
    }
    for (size_t j = 0; j < n; j++)
        towards += gains[j] > 0 ? gains[j] : 0;
    for (size_t j = 0; j < n; j++)
        if (towards > 0 && gains[j] != 0)
            ret_pulls[n_used++] = (struct cot_customer_pull){.i_column = j, .share = gains[j] / towards};
    qsort(ret_pulls, n_used, sizeof *ret_pulls, pull_compare);
    *ret_n = n_used;
out:
    free(gains);
    free(z);
    return rc;
}

static int lever_compare(const void *a, const void *b)
{
    const struct lever *x = a;
    const struct lever *y = b;
    double gx = x->weight * x->room, gy = y->weight * y->room;
    if (gx != gy)
        return gx < gy ? 1 : -1;
    return (x->o > y->o) - (x->o < y->o);
}

/* All levers that help, the most powerful first. */
static size_t find_levers(const struct cot_segment_model *model, const float *raw, const float *z, size_t segment,
                          size_t target, struct lever *levers)
{
    size_t n = 0;
    for (size_t o = 0; o < model->d; o++) {
        size_t j = cot_transform_source(model->space->transform, o, NULL);
        const struct cot_space_column *column = &model->space->columns[j];
        struct lever lever = {.i_column = j, .o = o};
        int direction = 0;
        if (column->n_categories > 0 || isnan(raw[j]) || !direction_of(column->name, &direction))
            continue;
        for (size_t a = 0; a < model->q; a++)
            lever.weight += model->axes[o * model->q + a] * ((double)model->centroids[target * model->q + a] -
                                                             (double)model->centroids[segment * model->q + a]);
        int sign = lever.weight > 0 ? 1 : -1;
        if (lever.weight == 0 || direction * sign < 0)
            continue;
        lever.room = sign * max_deviation - (double)z[o];
        if (lever.room * sign > 0.05)
            levers[n++] = lever;
    }
    qsort(levers, n, sizeof *levers, lever_compare);
    return n;
}

/* Changes of z on the first m levers, in proportion to their weights (the smallest in length), each within its room,
 * that gain `wanted`. False where they can't. */
static bool share_out(const struct lever *levers, size_t m, double wanted, double *ret_changes)
{
    bool full[COT_MAX_CHANGES] = {false};
    for (size_t round = 0; round <= m; round++) {
        double left = wanted, squares = 0;
        bool again = false;
        for (size_t i = 0; i < m; i++) {
            left -= full[i] ? levers[i].weight * levers[i].room : 0;
            squares += full[i] ? 0 : levers[i].weight * levers[i].weight;
        }
        if (left <= 0 || squares <= 0)
            return left <= 1e-9;
        for (size_t i = 0; i < m; i++) {
            ret_changes[i] = full[i] ? levers[i].room : levers[i].weight * left / squares;
            if (!full[i] && fabs(ret_changes[i]) > fabs(levers[i].room)) {
                full[i] = true;
                again = true;
            }
        }
        if (!again)
            return true;
    }
    return false;
}

/* Shares were drawn to the mean by the number of orders: back to what a person would see. */
static double undrawn(const struct cot_space_column *column, double value, double orders)
{
    if (isnan(column->prior) || !(orders > 0))
        return value;
    double share = (value * (orders + COT_SPACE_PRIOR_ORDERS) - COT_SPACE_PRIOR_ORDERS * column->prior) / orders;
    return fmin(fmax(share, 0), 1);
}

static double drawn(const struct cot_space_column *column, double value, double orders)
{
    if (isnan(column->prior) || !(orders > 0))
        return value;
    return (orders * value + COT_SPACE_PRIOR_ORDERS * column->prior) / (orders + COT_SPACE_PRIOR_ORDERS);
}

static bool is_whole(const char *name)
{
    static const char *const names[] = {
        "frequency",    "orders_30d",     "orders_90d",     "orders_365d",    "sessions_7d",  "sessions_30d",
        "sessions_90d", "sessions_total", "views_7d",       "views_30d",      "views_90d",    "carts_30d",
        "carts_90d",    "searches_90d",   "distinct_items", "category_count", "channel_count"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        if (strcmp(names[i], name) == 0)
            return true;
    return false;
}

/* Three digits, rounded the way the change goes, so that what is shown is what was tried. */
static double readable(double value, bool up)
{
    double scale = value != 0 ? pow(10, 2 - floor(log10(fabs(value)))) : 1;
    return (up ? ceil(value * scale - 1e-9) : floor(value * scale + 1e-9)) / scale;
}

/* Writes the changes into a copy of raw, in values that can be; then asks the model. */
static cot_code try_changes(const struct cot_segment_model *model, const float *raw, const float *z, double orders,
                            const struct lever *levers, const double *changes, size_t m, struct cot_customer_move *move,
                            struct cot_err *err)
{
    const struct cot_space *space = model->space;
    float *changed = malloc((space->n_columns + model->d + 1) * sizeof *changed);
    double *y = malloc((model->q + 1) * sizeof *y);
    cot_code rc = changed == NULL || y == NULL ? cot_fail(err, COT_NOMEM, "changes") : COT_OK;
    if (rc != COT_OK)
        goto out;
    memcpy(changed, raw, space->n_columns * sizeof *changed);
    move->n_changes = 0;
    for (size_t i = 0; i < m; i++) {
        size_t j = levers[i].i_column, o = levers[i].o;
        const struct cot_space_column *column = &space->columns[j];
        double value =
            cot_transform_inverse(space->transform, o, ((double)z[o] + changes[i]) / (double)space->scale[o]);
        double from = undrawn(column, (double)raw[j], orders);
        from = isnan(column->prior) ? from : round(from * 1e4) / 1e4; /* undoing float32 arithmetic */
        double to = undrawn(column, value, orders);
        if (is_whole(column->name))
            to = changes[i] > 0 ? ceil(to - 1e-6) : floor(to + 1e-6);
        else
            to = readable(to, changes[i] > 0);
        if (!isnan(column->prior)) /* a share: to a tenth of a percent, and no share is above 1 */
            to = fmin(fmax(round(to * 1000) / 1000, 0), 1);
        if (fabs(to - from) < 1e-9)
            continue;
        changed[j] = (float)drawn(column, to, orders);
        move->changes[move->n_changes++] = (struct cot_customer_change){.i_column = j, .from = from, .to = to};
    }
    rc = cot_space_apply_raw(space, changed, 1, 1, changed + space->n_columns, err);
    if (rc != COT_OK)
        goto out;
    cot_segment_model_project(model, changed + space->n_columns, y);
    move->reached = cot_segment_model_nearest(model, y, NULL) == move->target;
out:
    free(changed);
    free(y);
    return rc;
}

/* How much nearer the own centre is than the target's, in the units of levers: what changes must gain. */
static double gap_of(const struct cot_segment_model *model, const double *y, size_t segment, size_t target,
                     double *ret_distance)
{
    double own = 0, other = 0;
    for (size_t a = 0; a < model->q; a++) {
        double to_own = y[a] - (double)model->centroids[segment * model->q + a];
        double to_other = y[a] - (double)model->centroids[target * model->q + a];
        own += to_own * to_own;
        other += to_other * to_other;
    }
    *ret_distance = sqrt(other);
    return (other - own) / 2;
}

cot_code cot_customer_smallest_move(const struct cot_segment_model *model, const float *raw, double orders,
                                    size_t segment, size_t target, struct cot_customer_move *ret_move,
                                    struct cot_err *err)
{
    /* beyond the border by a little, then by more: rounding to whole numbers and third segments may take it back */
    static const double beyond[] = {1.02, 1.2, 1.5, 2.0};
    struct cot_customer_move move = {.target = target};
    struct lever *levers = calloc(model->d + 1, sizeof *levers);
    float *z = calloc(model->d + 1, sizeof *z);
    double *y = calloc(model->q + 1, sizeof *y);
    double changes[COT_MAX_CHANGES] = {0};
    cot_code rc = levers == NULL || z == NULL || y == NULL ? cot_fail(err, COT_NOMEM, "smallest change") : COT_OK;
    if (rc == COT_OK)
        rc = cot_space_apply_raw(model->space, raw, 1, 1, z, err);
    if (rc != COT_OK)
        goto out;
    cot_segment_model_project(model, z, y);
    double gap = gap_of(model, y, segment, target, &move.distance);
    size_t n = find_levers(model, raw, z, segment, target, levers);
    for (size_t m = 1; rc == COT_OK && !move.reached && m <= COT_MAX_CHANGES && m <= n; m++)
        for (size_t b = 0; rc == COT_OK && !move.reached && b < sizeof beyond / sizeof beyond[0]; b++)
            if (share_out(levers, m, fmax(gap, 1e-3) * beyond[b], changes))
                rc = try_changes(model, raw, z, orders, levers, changes, m, &move, err);
    if (!move.reached)
        move.n_changes = 0;
    if (rc == COT_OK)
        *ret_move = move;
out:
    free(levers);
    free(z);
    free(y);
    return rc;
}
