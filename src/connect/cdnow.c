/*
 * CDNOW (Fader and Hardie): purchases of CDs in 1997 and 1998. The master file has a header in some copies; the 1/10
 * sample has none and a second id. One row is one order.
 */
#include <string.h>

#include "connect/decode.h"
#include "connect/shapes.h"

static const struct cot_connector_column columns[] = {{"customer_id|id", COT_FIELD_CUSTOMER_ID, true},
                                                      {"sample_id", COT_FIELD_NONE, false},
                                                      {"date", COT_FIELD_OCCURRED_AT, true},
                                                      {"number_of_cds|quantity_cds|cds", COT_FIELD_QUANTITY, true},
                                                      {"dollar_value|dollars|spend", COT_FIELD_AMOUNT, true},
                                                      {NULL, COT_FIELD_NONE, false}};

const struct cot_connector cot_connector_cdnow = {.name = "cdnow",
                                                  .title = "CDNOW",
                                                  .kind = COT_KIND_ORDERS,
                                                  .description = "One row an order: number of CDs and dollars.",
                                                  .columns = columns,
                                                  .currency = "USD",
                                                  .channel = "web",
                                                  .assumed_purposes = "service,analytics,personalisation,marketing",
                                                  .decode = cot_decode_order_row};

/* All cells of a column are digits (and, with_point, a point). */
static bool is_digits(const struct cot_batch *sample, size_t i_column, size_t size, bool with_point)
{
    for (size_t i = 0; i < sample->n_rows; i++) {
        const struct cot_cell *cell = cot_batch_cell(sample, i, i_column);
        if (cell->size == 0 || (size > 0 && cell->size != size))
            return false;
        for (uint32_t j = 0; j < cell->size; j++)
            if ((cell->data[j] < '0' || cell->data[j] > '9') && !(with_point && cell->data[j] == '.'))
                return false;
    }
    return sample->n_rows > 0;
}

static bool is_dates_of_the_nineties(const struct cot_batch *sample, size_t i_column)
{
    for (size_t i = 0; i < sample->n_rows; i++) {
        const struct cot_cell *cell = cot_batch_cell(sample, i, i_column);
        if (cell->size != 8 || memcmp(cell->data, "199", 3) != 0 || !cot_value_looks_date(cell->data, cell->size))
            return false;
    }
    return sample->n_rows > 0;
}

/* id [id of the sample] yyyymmdd CDs dollars */
static bool fits_cells(const struct cot_batch *sample, enum cot_field *ret_fields)
{
    size_t n = sample->n_columns;
    if ((n != 4 && n != 5) || !is_digits(sample, 0, 5, false) || (n == 5 && !is_digits(sample, 1, 4, false)) ||
        !is_dates_of_the_nineties(sample, n - 3) || !is_digits(sample, n - 2, 0, false) ||
        !is_digits(sample, n - 1, 0, true))
        return false;
    ret_fields[0] = COT_FIELD_CUSTOMER_ID;
    if (n == 5)
        ret_fields[1] = COT_FIELD_NONE;
    ret_fields[n - 3] = COT_FIELD_OCCURRED_AT;
    ret_fields[n - 2] = COT_FIELD_QUANTITY;
    ret_fields[n - 1] = COT_FIELD_AMOUNT;
    return true;
}

const struct cot_connector cot_connector_cdnow_sample = {
    .name = "cdnow_sample",
    .title = "CDNOW without a header",
    .kind = COT_KIND_ORDERS,
    .description = "Columns by position: id, (id within the sample,) yyyymmdd, number of CDs, dollars.",
    .currency = "USD",
    .channel = "web",
    .assumed_purposes = "service,analytics,personalisation,marketing",
    .fits_cells = fits_cells,
    .decode = cot_decode_order_row};
