/*
 * UCI "Online Retail" (doi:10.24432/C5BW33) and "Online Retail II": one row an invoice line.
 *
 * An InvoiceNo that begins with C is a credit note: a refund, whose number is its own and names no original order.
 * InvoiceNo A... are corrections of the books. Lines that are no goods (postage, bank charges, manual entries, fees,
 * samples) keep their money, which customers paid, and are flagged as adjustments. Negative quantities without a C are
 * stock written off: no one's refund, flagged too.
 */
#include <stdlib.h>

#include "connect/decode.h"
#include "connect/shapes.h"

static void adjust(struct cot_decoder *d, struct cot_record *record)
{
    if (record->kind != COT_RECORD_EVENT)
        return;
    char first = record->order_key.size > 0 ? record->order_key.data[0] : '\0';
    char code = record->product_id.size > 0 ? record->product_id.data[0] : '\0';
    bool is_goods =
        (code >= '0' && code <= '9') ||
        !cot_text_is_any(record->product_id,
                         "POST|DOT|M|C2|D|S|B|BANK CHARGES|AMAZONFEE|CRUK|PADS|ADJUST|ADJUST2|TEST001|TEST002");
    if ((first == 'C' || first == 'c') && record->event_kind == COT_EVENT_ORDER_LINE) {
        record->event_kind = COT_EVENT_REFUND;
        record->amount_minor = -llabs(record->amount_minor);
    }
    bool is_write_off = record->event_kind == COT_EVENT_REFUND && first != 'C' && first != 'c';
    if (first == 'A' || first == 'a' || !is_goods || is_write_off)
        record->flags |= COT_RECORD_ADJUSTMENT;
    (void)d;
}

static const struct cot_connector_column columns[] = {{"invoice_no|invoice", COT_FIELD_ORDER_ID, true},
                                                      {"stock_code", COT_FIELD_PRODUCT_ID, true},
                                                      {"description", COT_FIELD_PRODUCT_NAME, false},
                                                      {"quantity", COT_FIELD_QUANTITY, true},
                                                      {"invoice_date", COT_FIELD_OCCURRED_AT, true},
                                                      {"unit_price|price", COT_FIELD_UNIT_PRICE, true},
                                                      {"customer_id|customer", COT_FIELD_CUSTOMER_ID, true},
                                                      {"country", COT_FIELD_TRAIT, false},
                                                      {NULL, COT_FIELD_NONE, false}};

const struct cot_connector cot_connector_online_retail = {
    .name = "uci_online_retail",
    .title = "UCI Online Retail",
    .kind = COT_KIND_ORDERS,
    .description = "Invoice lines of a UK gift shop. Revenue is Quantity x UnitPrice in GBP; times are taken as they "
                   "stand. InvoiceNo "
                   "C... is a refund, A... a correction; postage and fees stay in the revenue, flagged as adjustments.",
    .columns = columns,
    .currency = "GBP",
    .channel = "web",
    .assumed_purposes = "service,analytics,personalisation,marketing",
    .decode = cot_decode_order_row,
    .adjust = adjust};
