/*
 * Orders: a row is a line (or a whole order); grouped shapes have order-level amounts that are shared out over the
 * lines.
 *
 * Revenue of a row is, in this order of preference: amount; gross_amount less discounts; total less tax and shipping;
 * unit_price x quantity less discounts; else the catalogue's price, which the importer looks up. Negative quantities or
 * amounts, refund flags and refund words make a refund.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "connect/decode.h"

enum order_status { STATUS_SALE, STATUS_REFUNDED, STATUS_CANCELLED, STATUS_NOT_PAID };

static enum order_status read_status(struct cot_text text)
{
    if (text.size > 3 && strncasecmp(text.data, "wc-", 3) == 0) {
        text.data += 3;
        text.size -= 3;
    }
    if (text.size == 0 || (text.size == 4 && memcmp(text.data, "paid", 4) == 0))
        return STATUS_SALE;
    if (cot_text_is_any(text, "refunded|refund|returned|return|chargeback|charged back|charged_back"))
        return STATUS_REFUNDED;
    if (cot_text_is_any(text, "cancelled|canceled|cancel|cancellation|storno"))
        return STATUS_CANCELLED;
    if (cot_text_is_any(text, "failed|pending|pending payment|pending-payment|pending_payment|unpaid|void|voided|draft|"
                              "checkout-draft|expired|abandoned|declined|trash|payment failed"))
        return STATUS_NOT_PAID;
    return STATUS_SALE;
}

/* What a row says in numbers. */
struct amounts {
    struct cot_decimal quantity;
    bool has_quantity;
    int64_t amount;
    bool has_amount;
    int64_t discount;
    bool has_discount;
    int64_t cost;
    bool has_cost;
    int64_t tax;
    bool has_tax;
    int64_t shipping;
    bool has_shipping;
};

static struct cot_decimal absolute(struct cot_decimal value)
{
    value.mantissa = llabs(value.mantissa);
    return value;
}

/* All discounts of the row; shops write them with either sign. */
static bool read_discounts(struct cot_decoder *d, struct amounts *a)
{
    static const enum cot_field fields[] = {COT_FIELD_DISCOUNT, COT_FIELD_COUPON_DISCOUNT, COT_FIELD_MATCH_DISCOUNT};
    for (size_t i = 0; i < sizeof fields / sizeof fields[0]; i++) {
        int64_t minor = 0;
        bool given = false;
        if (!cot_decode_money(d, fields[i], &minor, &given))
            return false;
        a->discount += llabs(minor) * given;
        a->has_discount |= given;
    }
    return true;
}

/* A share of discount that is already in the amount: the price before it was amount / (1 - share). */
static bool read_discount_share(struct cot_decoder *d, struct amounts *a)
{
    struct cot_decimal value;
    bool given = false;
    if (a->has_discount || !cot_decode_number(d, COT_FIELD_DISCOUNT_SHARE, &value, &given) || !given)
        return !d->rejected;
    double share = fabs(cot_decimal_double(value));
    if (share > 1)
        share /= 100;
    if (share >= 1 || !a->has_amount)
        return true;
    a->discount = (int64_t)llround(fabs((double)a->amount) * share / (1 - share));
    a->has_discount = true;
    return true;
}

static bool read_priced_amount(struct cot_decoder *d, struct amounts *a)
{
    static const struct cot_decimal one = {.mantissa = 1};
    struct cot_decimal price;
    bool given = false;
    if (!cot_decode_number(d, COT_FIELD_UNIT_PRICE, &price, &given) || !given)
        return !d->rejected;
    /* Shapes that keep their books by negative prices say so in their adjust function. */
    if (price.mantissa < 0 && (!a->has_quantity || a->quantity.mantissa >= 0) && d->mapping->connector->adjust == NULL)
        return cot_decode_reject(d, "price", "column '%.60s': a price below zero; a refund has a negative quantity",
                                 cot_decode_column(d, COT_FIELD_UNIT_PRICE));
    if (!cot_decode_product(d, price, a->has_quantity ? a->quantity : one, &a->amount))
        return false;
    a->has_amount = true;
    return true;
}

/* Takes the discount off an amount before it, whatever the sign. */
static bool take_off_discount(struct cot_decoder *d, struct amounts *a)
{
    if (!a->has_amount || !a->has_discount)
        return true;
    if (a->discount > llabs(a->amount))
        return cot_decode_reject(d, "amount", "the discount is larger than the amount before it");
    a->amount += a->amount < 0 ? a->discount : -a->discount;
    return true;
}

static bool read_amount(struct cot_decoder *d, struct amounts *a)
{
    if (!cot_decode_money(d, COT_FIELD_AMOUNT, &a->amount, &a->has_amount))
        return false;
    if (a->has_amount)
        return true;
    if (!cot_decode_money(d, COT_FIELD_GROSS_AMOUNT, &a->amount, &a->has_amount))
        return false;
    if (a->has_amount)
        return take_off_discount(d, a);
    if (!cot_decode_money(d, COT_FIELD_TOTAL, &a->amount, &a->has_amount))
        return false;
    if (a->has_amount) {
        int64_t off = llabs(a->tax) + llabs(a->shipping);
        if (off > llabs(a->amount))
            return cot_decode_reject(d, "amount", "tax and shipping are more than the total");
        a->amount += a->amount < 0 ? off : -off;
        return true;
    }
    return read_priced_amount(d, a) && take_off_discount(d, a);
}

static bool read_cost(struct cot_decoder *d, struct amounts *a)
{
    static const struct cot_decimal one = {.mantissa = 1};
    struct cot_decimal cost;
    bool given = false;
    if (!cot_decode_money(d, COT_FIELD_COST, &a->cost, &a->has_cost))
        return false;
    if (a->has_cost)
        return true;
    if (!cot_decode_number(d, COT_FIELD_UNIT_COST, &cost, &given))
        return false;
    if (given) {
        a->has_cost = true;
        return cot_decode_product(d, cost, absolute(a->has_quantity ? a->quantity : one), &a->cost);
    }
    if (!cot_decode_money(d, COT_FIELD_PROFIT, &a->cost, &given))
        return false;
    a->has_cost = given && a->has_amount;
    a->cost = a->has_cost ? a->amount - a->cost : 0;
    return true;
}

static bool read_amounts(struct cot_decoder *d, struct amounts *a)
{
    *a = (struct amounts){0};
    return cot_decode_number(d, COT_FIELD_QUANTITY, &a->quantity, &a->has_quantity) &&
           cot_decode_money(d, COT_FIELD_TAX, &a->tax, &a->has_tax) &&
           cot_decode_money(d, COT_FIELD_SHIPPING, &a->shipping, &a->has_shipping) && read_discounts(d, a) &&
           read_amount(d, a) && read_discount_share(d, a) && read_cost(d, a);
}

static void put_amounts(struct cot_record *record, const struct amounts *a)
{
    record->amount_minor = a->amount;
    record->discount_minor = a->discount;
    record->cost_minor = a->cost;
    record->tax_minor = a->tax;
    record->shipping_minor = a->shipping;
    record->flags |= (a->has_amount ? COT_RECORD_HAS_AMOUNT : 0U) | (a->has_discount ? COT_RECORD_HAS_DISCOUNT : 0U) |
                     (a->has_cost ? COT_RECORD_HAS_COST : 0U) | (a->has_tax ? COT_RECORD_HAS_TAX : 0U) |
                     (a->has_shipping ? COT_RECORD_HAS_SHIPPING : 0U);
    if (a->has_quantity)
        record->quantity = fabs(cot_decimal_double(a->quantity));
    else if (record->product_id.size > 0 || record->name.size > 0)
        record->quantity = 1;
}

/* A refund's money is negative, its cost too; what was not paid is not given back. */
static void make_refund(struct cot_record *record)
{
    record->event_kind = COT_EVENT_REFUND;
    record->amount_minor = -llabs(record->amount_minor);
    record->cost_minor = -llabs(record->cost_minor);
    record->tax_minor = -llabs(record->tax_minor);
    record->shipping_minor = -llabs(record->shipping_minor);
    struct cot_text none = {.data = NULL, .size = 0};
    if (record->refund_of.size == 0)
        record->refund_of = none;
}

static bool read_item(struct cot_decoder *d, struct cot_record *record)
{
    record->product_id = cot_decode_text(d, COT_FIELD_PRODUCT_ID);
    record->name = cot_decode_text(d, COT_FIELD_PRODUCT_NAME);
    if (record->product_id.size == 0)
        record->product_id = record->name; /* shops without article numbers know their products by name */
    record->category = cot_decode_text(d, COT_FIELD_CATEGORY);
    record->subcategory = cot_decode_text(d, COT_FIELD_SUBCATEGORY);
    record->brand = cot_decode_text(d, COT_FIELD_BRAND);
    return true;
}

static bool read_order(struct cot_decoder *d, struct cot_record *record)
{
    record->event_kind = COT_EVENT_ORDER_LINE;
    record->order_key = cot_decode_text(d, COT_FIELD_ORDER_ID);
    record->event_key = cot_decode_text(d, COT_FIELD_EVENT_ID);
    record->refund_of = cot_decode_text(d, COT_FIELD_REFUND_OF);
    record->session = cot_decode_text(d, COT_FIELD_SESSION_ID);
    record->campaign = cot_decode_text(d, COT_FIELD_CAMPAIGN);
    record->channel = cot_decode_channel(d);
    record->detail = cot_decode_text(d, COT_FIELD_COUPON);
    if (record->detail.size == 0)
        record->detail = cot_decode_text(d, COT_FIELD_REASON);
    return cot_decode_identity(d, record) && cot_decode_currency(d, record) &&
           cot_decode_dates(d, record, COT_UNDATED_REJECT) && read_item(d, record);
}

/* A refund of a line (or a part of it) that the same row sells. */
static bool add_refund(struct cot_decoder *d, size_t i_sale, int64_t amount, double quantity, enum cot_field date_field)
{
    int64_t at_ms = 0;
    bool given = false;
    if (!cot_decode_time(d, date_field, &at_ms, &given))
        return false;
    struct cot_record *refund = cot_decode_again(d, i_sale);
    if (refund == NULL)
        return false;
    refund->amount_minor = amount;
    refund->quantity = quantity;
    refund->refund_of = refund->order_key;
    if (amount != d->records->records[i_sale].amount_minor) /* a part: of which cost and tax nobody knows */
        refund->flags &= ~(uint32_t)(COT_RECORD_HAS_COST | COT_RECORD_HAS_TAX | COT_RECORD_HAS_SHIPPING);
    refund->flags &= ~(uint32_t)COT_RECORD_HAS_DISCOUNT;
    if (!(refund->flags & COT_RECORD_HAS_COST))
        refund->cost_minor = 0;
    if (!(refund->flags & COT_RECORD_HAS_TAX))
        refund->tax_minor = 0;
    if (!(refund->flags & COT_RECORD_HAS_SHIPPING))
        refund->shipping_minor = 0;
    refund->discount_minor = 0;
    refund->event_key = (struct cot_text){0};
    make_refund(refund);
    if (given && at_ms >= refund->occurred_at_ms)
        refund->occurred_at_ms = at_ms;
    if (refund->recorded_at_ms < refund->occurred_at_ms)
        refund->recorded_at_ms = refund->occurred_at_ms;
    return true;
}

/* Refunds that stand in the row of the sale: by status, or by an amount given back so far. */
static bool add_row_refunds(struct cot_decoder *d, size_t i_sale, enum order_status status)
{
    int64_t refunded = 0;
    bool given = false;
    if (!cot_decode_money(d, COT_FIELD_REFUNDED_AMOUNT, &refunded, &given))
        return false;
    const struct cot_record *sale = &d->records->records[i_sale];
    int64_t amount = sale->amount_minor;
    double quantity = sale->quantity;
    if (status == STATUS_CANCELLED)
        return add_refund(d, i_sale, amount, quantity, COT_FIELD_CANCELLED_AT);
    if (given && refunded != 0) {
        refunded = llabs(refunded) < amount ? llabs(refunded) : amount;
        return add_refund(d, i_sale, refunded, refunded == amount ? quantity : 0, COT_FIELD_REFUNDED_AT);
    }
    if (status == STATUS_REFUNDED)
        return add_refund(d, i_sale, amount, quantity, COT_FIELD_REFUNDED_AT);
    return true;
}

void cot_decode_order_row(struct cot_decoder *d)
{
    struct amounts a;
    bool flag = false;
    struct cot_text status_text = cot_decode_text(d, COT_FIELD_STATUS);
    enum order_status status = read_status(status_text);
    if (status == STATUS_NOT_PAID) {
        cot_decode_reject(d, "not_paid", "column '%.60s': '%.*s' is not a sale; import the file again once it is",
                          cot_decode_column(d, COT_FIELD_STATUS), (int)(status_text.size < 40 ? status_text.size : 40),
                          status_text.data);
        return;
    }
    struct cot_record *record = cot_decode_begin(d, COT_RECORD_EVENT);
    if (record == NULL || !read_order(d, record) || !read_amounts(d, &a))
        return;
    if (cot_decode_has(d, COT_FIELD_IS_REFUND)) {
        /* Words that are neither yes nor a refund ("online", "sale") are no refund. */
        struct cot_text text = cot_decode_text(d, COT_FIELD_IS_REFUND);
        if (read_status(text) == STATUS_REFUNDED)
            flag = true;
        else if (cot_value_bool(text.data, text.size, &flag) != COT_VALUE_OK)
            flag = false;
    }
    put_amounts(record, &a);
    bool has_money = cot_decode_has(d, COT_FIELD_AMOUNT) || cot_decode_has(d, COT_FIELD_GROSS_AMOUNT) ||
                     cot_decode_has(d, COT_FIELD_TOTAL) || cot_decode_has(d, COT_FIELD_UNIT_PRICE);
    if (!a.has_amount && record->product_id.size > 0)
        record->flags |= COT_RECORD_NEEDS_PRICE;
    else if (!a.has_amount && has_money) {
        cot_decode_reject(d, "amount", "the row has neither an amount nor a product whose price could be looked up");
        return;
    }
    if (record->product_id.size == 0)
        record->flags |= COT_RECORD_ORDER_LEVEL;
    size_t i_sale = d->records->n_records - 1;
    if (flag || record->amount_minor < 0 || (a.has_quantity && a.quantity.mantissa < 0)) {
        make_refund(record);
        cot_decode_traits(d, record, false);
        return;
    }
    if (!cot_decode_traits(d, record, false) || !add_row_refunds(d, i_sale, status))
        return;
    cot_decode_accepts_marketing(d, i_sale);
}

/* Grouped orders: the first row has the order's own fields, every row a line. */

struct line {
    size_t i_record;
    int64_t gross; /* after the line's own discount */
    int64_t shown; /* of the order's discount, where is_net: what the amount is below price and own discount */
    bool is_net;   /* the line says its amount after all discounts: the order's is in it */
};

static void stand_at_row(struct cot_decoder *d, const struct cot_row *row)
{
    d->row = row;
    d->line = row->line;
    d->first_record = d->records->n_records;
    d->first_trait = d->records->n_traits;
    d->rejected = false;
}

/* Fields that stand in the first row only hold for the whole order; texts move to where the records live. */
static bool complete_rows(struct cot_decoder *d)
{
    struct cot_group *group = &d->group;
    static const enum cot_field own[] = {
        COT_FIELD_PRODUCT_ID, COT_FIELD_PRODUCT_NAME, COT_FIELD_BRAND,      COT_FIELD_QUANTITY, COT_FIELD_UNIT_PRICE,
        COT_FIELD_DISCOUNT,   COT_FIELD_UNIT_COST,    COT_FIELD_CATEGORY,   COT_FIELD_AMOUNT,   COT_FIELD_EVENT_ID,
        COT_FIELD_COST,       COT_FIELD_GROSS_AMOUNT, COT_FIELD_SUBCATEGORY};
    bool is_own[COT_N_FIELDS] = {0};
    for (size_t i = 0; i < sizeof own / sizeof own[0]; i++)
        is_own[own[i]] = true;
    for (size_t i = 0; i < group->n_rows; i++) {
        struct cot_row *row = &group->rows[i];
        for (int field = 0; field < COT_N_FIELDS; field++) {
            struct cot_text *text = &row->fields[field];
            if (i > 0 && text->size == 0 && !is_own[field]) {
                *text = group->rows[0].fields[field];
            } else if (row->i_row == SIZE_MAX && text->size > 0) {
                text->data = cot_arena_copy(&d->records->arena, text->data, text->size);
                if (text->data == NULL)
                    return cot_decode_no_memory(d);
            }
        }
    }
    return true;
}

/* The order's discount in a line's net amount, as far as its price shows it; one that can't be read shows none. */
static int64_t discount_shown(const struct cot_decoder *d, const struct amounts *a)
{
    static const struct cot_decimal one = {.mantissa = 1};
    struct cot_decimal price;
    int64_t gross = 0;
    struct cot_text text = cot_decode_text(d, COT_FIELD_UNIT_PRICE);
    if (text.size == 0)
        return 0;
    const struct cot_mapped_column *column = &d->mapping->columns[d->mapping->field_column[COT_FIELD_UNIT_PRICE]];
    if (cot_value_decimal(text.data, text.size, column->style.decimal, &price, NULL) != COT_VALUE_OK ||
        !cot_money_product(price, a->has_quantity ? a->quantity : one, d->exponent, &gross))
        return 0;
    int64_t net = a->amount + a->discount;
    return a->amount >= 0 && gross > net ? gross - net : 0;
}

/* The line of one row: amount before the order's own discount. False: the row was rejected. */
static bool decode_line(struct cot_decoder *d, const struct cot_row *row, struct line *ret_line)
{
    struct amounts a = {0};
    stand_at_row(d, row);
    struct cot_record *record = cot_decode_begin(d, COT_RECORD_EVENT);
    if (record == NULL || !read_order(d, record) ||
        !cot_decode_number(d, COT_FIELD_QUANTITY, &a.quantity, &a.has_quantity) || !read_discounts(d, &a) ||
        !cot_decode_money(d, COT_FIELD_AMOUNT, &a.amount, &a.has_amount))
        return false;
    bool is_net = a.has_amount;
    if (!is_net && !read_priced_amount(d, &a))
        return false;
    if (!a.has_amount)
        return cot_decode_reject(d, "amount", "column '%.60s': no price", cot_decode_column(d, COT_FIELD_UNIT_PRICE));
    /* Line discounts of Shopify are of the whole line; one above it would be of another line. */
    if (a.discount > llabs(a.amount))
        a.discount = llabs(a.amount);
    if ((!is_net && !take_off_discount(d, &a)) || !read_cost(d, &a))
        return false;
    put_amounts(record, &a);
    *ret_line = (struct line){.i_record = d->records->n_records - 1,
                              .gross = a.amount,
                              .shown = is_net ? discount_shown(d, &a) : 0,
                              .is_net = is_net};
    return true;
}

/* Money of the order as a whole, from its first row. */
struct order_money {
    int64_t subtotal, discount, tax, shipping, total, refunded;
    bool has_subtotal, has_discount, has_tax, has_shipping, has_total, has_refunded;
};

static bool read_order_money(struct cot_decoder *d, struct order_money *m)
{
    return cot_decode_money(d, COT_FIELD_ORDER_SUBTOTAL, &m->subtotal, &m->has_subtotal) &&
           cot_decode_money(d, COT_FIELD_ORDER_DISCOUNT, &m->discount, &m->has_discount) &&
           cot_decode_money(d, COT_FIELD_TAX, &m->tax, &m->has_tax) &&
           cot_decode_money(d, COT_FIELD_SHIPPING, &m->shipping, &m->has_shipping) &&
           cot_decode_money(d, COT_FIELD_TOTAL, &m->total, &m->has_total) &&
           cot_decode_money(d, COT_FIELD_REFUNDED_AMOUNT, &m->refunded, &m->has_refunded);
}

/* All that can be wrong with the order as a whole is found before its lines are made. */
static bool read_order_head(struct cot_decoder *d, const struct cot_row *first, struct order_money *ret_money)
{
    struct cot_record scratch = {0};
    int64_t at_ms = 0;
    bool given = false;
    stand_at_row(d, first);
    return cot_decode_currency(d, &scratch) && read_order_money(d, ret_money) &&
           cot_decode_time(d, COT_FIELD_CANCELLED_AT, &at_ms, &given);
}

/* Sums over the lines with an amount above zero. */
struct line_sums {
    int64_t gross;
    int64_t open;  /* of those that are not net */
    int64_t shown; /* of the order's discount in the others */
};

/*
 * What comes off the lines that are not net beyond their own discounts. The subtotal (after all discounts) is the truth
 * where there is one; else the order's discount without what the net lines show of it. Where prices include tax (total
 * = subtotal + shipping) the tax comes off too, of all lines.
 */
static int64_t off_the_lines(const struct order_money *m, const struct line_sums *sums, int64_t *ret_tax)
{
    int64_t off = m->has_subtotal ? sums->gross - m->subtotal : llabs(m->discount) - sums->shown;
    if (off < 0)
        off = 0;
    if (off > sums->open)
        off = sums->open;
    int64_t net = sums->gross - off;
    bool tax_included = m->has_total && m->tax > 0 &&
                        llabs(m->total - net - m->shipping) < llabs(m->total - net - m->shipping - m->tax);
    *ret_tax = !tax_included ? 0 : m->tax < net ? m->tax : net;
    return off;
}

static bool share_out(struct cot_decoder *d, struct line *lines, size_t n, const struct order_money *m)
{
    struct line_sums sums = {0};
    int64_t tax = 0;
    int64_t *weights = cot_arena_alloc(&d->records->arena, 3 * n * sizeof *weights);
    if (weights == NULL)
        return cot_decode_no_memory(d);
    int64_t *discounts = weights + n;
    int64_t *taxes = weights + 2 * n;
    for (size_t i = 0; i < n; i++) {
        int64_t gross = lines[i].gross > 0 ? lines[i].gross : 0;
        weights[i] = lines[i].is_net ? 0 : gross;
        sums.gross += gross;
        sums.open += weights[i];
        sums.shown += lines[i].shown;
    }
    int64_t off = off_the_lines(m, &sums, &tax);
    cot_money_allocate(off, weights, n, discounts);
    for (size_t i = 0; i < n; i++)
        weights[i] = lines[i].gross > discounts[i] ? lines[i].gross - discounts[i] : 0;
    cot_money_allocate(tax, weights, n, taxes);
    for (size_t i = 0; i < n; i++) {
        struct cot_record *record = &d->records->records[lines[i].i_record];
        record->amount_minor -= discounts[i] + taxes[i];
        record->discount_minor += discounts[i];
        record->flags |= off > 0 && !lines[i].is_net ? COT_RECORD_HAS_DISCOUNT : 0U;
    }
    return true;
}

/* The order's refund, as one record of the order: the part of the money given back that was revenue. */
static bool add_order_refund(struct cot_decoder *d, size_t i_first, size_t n, const struct order_money *m,
                             bool is_cancelled)
{
    int64_t revenue = 0;
    for (size_t i = 0; i < n; i++)
        revenue += d->records->records[i_first + i].amount_minor;
    int64_t refunded = llabs(m->refunded);
    int64_t part = refunded;
    if (m->has_total && m->total > 0)
        part = refunded >= m->total ? revenue : (int64_t)llround((double)refunded * (double)revenue / (double)m->total);
    if (part > revenue || (is_cancelled && refunded == 0))
        part = revenue;
    if (part <= 0)
        return true;
    if (!add_refund(d, i_first, part, 0, COT_FIELD_CANCELLED_AT))
        return false;
    struct cot_record *refund = &d->records->records[d->records->n_records - 1];
    refund->product_id = refund->name = refund->category = refund->subcategory = refund->brand = (struct cot_text){0};
    refund->flags |= COT_RECORD_ORDER_LEVEL | COT_RECORD_HAS_AMOUNT;
    refund->flags &= ~(uint32_t)(COT_RECORD_HAS_COST | COT_RECORD_NEEDS_PRICE);
    refund->cost_minor = 0;
    return true;
}

static void reject_group(struct cot_decoder *d, const char *code, const char *reason)
{
    for (size_t i = 0; i < d->group.n_rows && d->rc == COT_OK; i++) {
        stand_at_row(d, &d->group.rows[i]);
        cot_decode_reject(d, code, "%s", reason);
    }
}

void cot_decode_order_group(struct cot_decoder *d)
{
    struct cot_group *group = &d->group;
    struct order_money money = {0};
    struct line *lines = cot_arena_alloc(&d->records->arena, group->n_rows * sizeof *lines);
    size_t n = 0;
    if (lines == NULL || !complete_rows(d)) {
        cot_decode_no_memory(d);
        return;
    }
    const struct cot_row *first = &group->rows[0];
    struct cot_text status_text = first->fields[COT_FIELD_STATUS];
    enum order_status status = read_status(status_text);
    bool pending_is_sale = cot_text_is_any(status_text, "pending|authorized"); /* orders placed, paid on delivery */
    bool is_cancelled = status == STATUS_CANCELLED || cot_text_is_any(status_text, "voided|void") ||
                        first->fields[COT_FIELD_CANCELLED_AT].size > 0;
    if (status == STATUS_NOT_PAID && !pending_is_sale && !is_cancelled) {
        reject_group(d, "not_paid", "the order's status says that it is no sale");
        return;
    }
    if (!read_order_head(d, first, &money)) {
        for (size_t i = 1; i < group->n_rows && d->rc == COT_OK; i++) {
            stand_at_row(d, &group->rows[i]);
            cot_decode_reject(d, "order", "the first line of the order was rejected");
        }
        return;
    }
    size_t begin = d->records->n_records;
    for (size_t i = 0; i < group->n_rows && d->rc == COT_OK; i++)
        n += decode_line(d, &group->rows[i], &lines[n]);
    if (n == 0 || d->rc != COT_OK)
        return;
    stand_at_row(d, first);
    d->first_record = begin;
    if (!share_out(d, lines, n, &money))
        return;
    if ((is_cancelled || money.refunded != 0 || status == STATUS_REFUNDED) &&
        !add_order_refund(d, begin, n, &money, is_cancelled || status == STATUS_REFUNDED))
        return;
    cot_decode_accepts_marketing(d, begin);
}
