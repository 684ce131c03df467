/* Orders and refunds of live calls: lines whose money sums to the order's. */
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "connect/call.h"
#include "domain/money.h"

enum { MAX_LINES = 200 };

struct lines {
    size_t n;
    int64_t weights[MAX_LINES]; /* price x quantity */
    double quantities[MAX_LINES];
    bool all_priced;
};

void cot_call_product(yyjson_val *product, struct cot_record *record)
{
    record->product_id = cot_call_text_any(product, "product_id|sku|item_id|id|variant_id");
    record->name = cot_call_text_any(product, "name|item_name|title");
    record->category = cot_call_text_any(product, "category|item_category|product_type");
    record->brand = cot_call_text_any(product, "brand|item_brand|vendor");
}

/* Price and quantity of a product; a product without a price has weight 0. */
static bool read_line(struct cot_call_reader *reader, const struct cot_call_order *order, yyjson_val *product,
                      struct lines *lines)
{
    static const struct cot_decimal one = {.mantissa = 1};
    struct cot_decimal price = {0};
    struct cot_decimal quantity = one;
    bool has_price = false;
    bool has_quantity = false;
    int64_t minor = 0;
    if (!cot_call_decimal(reader, product, "price|unit_price", &price, &has_price) ||
        !cot_call_decimal(reader, product, "quantity|qty", &quantity, &has_quantity))
        return false;
    if (!has_quantity)
        quantity = one;
    if (quantity.mantissa < 0 || price.mantissa < 0)
        return cot_call_reject(reader, "number", "product %zu: price and quantity can't be below zero", lines->n + 1);
    if (!cot_money_product(price, quantity, order->exponent, &minor))
        return cot_call_reject(reader, "amount", "product %zu: price x quantity is too large", lines->n + 1);
    lines->weights[lines->n] = minor;
    lines->quantities[lines->n] = cot_decimal_double(quantity);
    lines->all_priced &= has_price;
    lines->n++;
    return true;
}

static bool read_lines(struct cot_call_reader *reader, const struct cot_call_order *order, yyjson_val *products,
                       struct lines *lines)
{
    size_t i;
    size_t n;
    yyjson_val *product;
    lines->all_priced = true;
    if (yyjson_arr_size(products) > MAX_LINES)
        return cot_call_reject(reader, "limit", "an order of %zu products: %d are the limit", yyjson_arr_size(products),
                               MAX_LINES);
    yyjson_arr_foreach(cot_json_some(products), i, n, product)
    {
        if (!read_line(reader, order, product, lines))
            return false;
    }
    return true;
}

static bool whole_order(struct cot_call_reader *reader, const struct cot_call_order *order)
{
    struct cot_record *record = &reader->records->records[order->i_record];
    record->flags |= COT_RECORD_ORDER_LEVEL;
    record->amount_minor = order->sign * order->amount_minor;
    record->discount_minor = order->discount_minor;
    record->flags |= order->has_amount ? COT_RECORD_HAS_AMOUNT : 0U;
    record->flags |= order->has_discount && order->sign > 0 ? COT_RECORD_HAS_DISCOUNT : 0U;
    (void)reader;
    return true;
}

bool cot_call_order_lines(struct cot_call_reader *reader, const struct cot_call_order *order)
{
    struct lines lines = {0};
    int64_t amounts[MAX_LINES];
    int64_t discounts[MAX_LINES];
    yyjson_val *products = yyjson_obj_get(order->object, order->products);
    if (order->amount_minor < 0 || order->discount_minor < 0)
        return cot_call_reject(reader, "amount", "an amount below zero: what is given back is a refund of its own");
    if (yyjson_arr_size(products) == 0)
        return whole_order(reader, order);
    if (!read_lines(reader, order, products, &lines))
        return false;
    int64_t sum = 0;
    for (size_t i = 0; i < lines.n; i++)
        sum += lines.weights[i];
    cot_money_allocate(order->discount_minor, lines.weights, lines.n, discounts);
    if (order->has_amount)
        cot_money_allocate(order->amount_minor, lines.weights, lines.n, amounts);
    else if (lines.all_priced && order->discount_minor <= sum)
        for (size_t i = 0; i < lines.n; i++)
            amounts[i] = lines.weights[i] - discounts[i];
    for (size_t i = 0; i < lines.n; i++) {
        /* The first line is the record that is there already. */
        struct cot_record *record =
            i == 0 ? &reader->records->records[order->i_record] : cot_call_again(reader, order->i_record);
        if (record == NULL)
            return false;
        bool known = order->has_amount || (lines.all_priced && order->discount_minor <= sum);
        record->flags &= ~(uint32_t)(COT_RECORD_HAS_AMOUNT | COT_RECORD_HAS_DISCOUNT | COT_RECORD_NEEDS_PRICE);
        cot_call_product(yyjson_arr_get(products, i), record);
        record->quantity = lines.quantities[i];
        record->amount_minor = known ? order->sign * amounts[i] : 0;
        record->flags |= known ? COT_RECORD_HAS_AMOUNT : COT_RECORD_NEEDS_PRICE;
        record->discount_minor = order->has_discount ? discounts[i] : 0;
        record->flags |= order->has_discount && order->sign > 0 ? COT_RECORD_HAS_DISCOUNT : 0U;
    }
    return true;
}
