/* Real files, read and decoded without options: which shape they are and what their rows add up to. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "connect/connector.h"
#include "store/reader.h"

struct sums {
    uint64_t n_rows, n_unread, n_records, n_rejects, n_traits, n_orders, n_refunds, n_nobody;
    int64_t sales, refunds;
};

static void add(struct sums *sums, const struct cot_records *records)
{
    sums->n_records += records->n_records;
    sums->n_rejects += records->n_rejects;
    sums->n_traits += records->n_traits;
    for (size_t i = 0; i < records->n_records; i++) {
        const struct cot_record *record = &records->records[i];
        bool is_event = record->kind == COT_RECORD_EVENT;
        sums->n_nobody += is_event && record->user.size == 0 && record->email.size == 0;
        if (is_event && record->event_kind == COT_EVENT_ORDER_LINE) {
            sums->n_orders++;
            sums->sales += record->amount_minor;
        } else if (is_event && record->event_kind == COT_EVENT_REFUND) {
            sums->n_refunds++;
            sums->refunds += record->amount_minor;
        }
    }
}

static cot_code run(const char *path, struct sums *sums, char *ret_connector, struct cot_err *err)
{
    struct cot_reader *reader = NULL;
    struct cot_batch batch = {0};
    struct cot_mapping *mapping = NULL;
    struct cot_decoder *decoder = NULL;
    struct cot_records records = {0};
    bool more = true;
    cot_code rc = cot_reader_open(path, NULL, &reader, err);
    if (rc == COT_OK)
        rc = cot_reader_next(reader, &batch, &more, err);
    if (rc == COT_OK) {
        const struct cot_reader_info *info = cot_reader_info(reader);
        struct cot_mapping_options options = {.has_header = info->has_header};
        rc = cot_connector_detect(info->columns, info->n_columns, &batch, &options, &mapping, err);
    }
    while (rc == COT_OK && more) {
        cot_mapping_observe(mapping, &batch);
        if (cot_mapping_settled(mapping))
            break;
        rc = cot_reader_next(reader, &batch, &more, err);
    }
    if (rc == COT_OK)
        rc = cot_mapping_settle(mapping, err);
    if (rc == COT_OK)
        rc = cot_reader_rewind(reader, err);
    if (rc == COT_OK)
        rc = cot_decoder_open(mapping, &decoder, err);
    for (more = true; rc == COT_OK && more;) {
        rc = cot_reader_next(reader, &batch, &more, err);
        cot_records_clear(&records);
        if (rc == COT_OK && more)
            rc = cot_mapping_decode(mapping, decoder, &batch, &records, err);
        else if (rc == COT_OK)
            rc = cot_decoder_finish(decoder, &records, err);
        if (rc == COT_OK)
            add(sums, &records);
    }
    if (rc == COT_OK) {
        sums->n_rows = cot_reader_n_delivered(reader);
        sums->n_unread = cot_reader_n_rejected(reader);
        snprintf(ret_connector, 64, "%s", mapping->connector->name);
    }
    cot_decoder_free(decoder);
    cot_mapping_free(mapping);
    cot_records_release(&records);
    cot_batch_release(&batch);
    cot_reader_close(reader);
    return rc;
}

static struct sums read_set(const char *name, const char *connector)
{
    struct sums sums = {0};
    struct cot_err err = {0};
    char path[512];
    char found[64] = "";
    const char *sets = getenv("COTERIE_DATASETS");
    snprintf(path, sizeof path, "%s/%s", sets != NULL ? sets : "../shared/data", name);
    if (access(path, R_OK) != 0) {
        print_message("skipped: no data set %s\n", path);
        skip();
    }
    if (run(path, &sums, found, &err) != COT_OK)
        fail_msg("%s: %s", name, err.message);
    assert_string_equal(found, connector);
    assert_int_equal(sums.n_unread, 0);
    return sums;
}

static void test_online_retail(void **state)
{
    (void)state;
    struct sums sums = read_set("online_retail/online_retail.csv.gz", "uci_online_retail");
    assert_int_equal(sums.n_rows, 541909);
    assert_int_equal(sums.n_rejects, 0);
    assert_int_equal(sums.n_nobody, 135080);
    assert_int_equal(sums.n_refunds, 9288 + 1336 + 2);      /* credit notes, write-offs, two negative corrections */
    assert_int_equal(sums.sales + sums.refunds, 974774793); /* sum of Quantity x UnitPrice, in pence */
}

static void test_cdnow(void **state)
{
    (void)state;
    struct sums sums = read_set("cdnow/CDNOW_master.txt.gz", "cdnow");
    assert_int_equal(sums.n_orders, 69659);
    assert_int_equal(sums.sales, 250031563);
    sums = read_set("cdnow/CDNOW_sample.txt.gz", "cdnow_sample");
    assert_int_equal(sums.n_orders, 6919);
    assert_int_equal(read_set("cdnow/example_transactions.csv.gz", "purchase_log").n_orders, 15273);
}

static void test_complete_journey(void **state)
{
    (void)state;
    assert_int_equal(read_set("completejourney/transactions_sample.csv.gz", "complete_journey_transactions").n_orders,
                     75000);
    static const struct {
        const char *file;
        const char *connector;
        uint64_t n;
    } files[] = {{"products", "complete_journey_products", 92331},
                 {"demographics", "complete_journey_demographics", 801},
                 {"campaigns", "complete_journey_campaigns", 6589},
                 {"campaign_descriptions", "complete_journey_descriptions", 27},
                 {"coupons", "complete_journey_coupons", 116204},
                 {"coupon_redemptions", "complete_journey_redemptions", 2102},
                 {"promotions_sample", "complete_journey_promotions", 360535}};
    for (size_t i = 0; i < sizeof files / sizeof files[0]; i++) {
        char name[128];
        snprintf(name, sizeof name, "completejourney/%s.csv.gz", files[i].file);
        struct sums sums = read_set(name, files[i].connector);
        assert_int_equal(sums.n_records, files[i].n);
        assert_int_equal(sums.n_rejects, 0);
    }
}

static void test_adventureworks(void **state)
{
    (void)state;
    static const uint64_t n_sales[] = {2630, 23935, 29481};
    for (int i = 0; i < 3; i++) {
        char name[128];
        snprintf(name, sizeof name, "adventureworks/AdventureWorks_Sales_%d.csv.gz", 2017 + i);
        assert_int_equal(read_set(name, "adventureworks_sales").n_orders, n_sales[i]);
    }
    struct sums sums = read_set("adventureworks/AdventureWorks_Customers.csv.gz", "adventureworks_customers");
    assert_int_equal(sums.n_records, 18148);
    assert_int_equal(read_set("adventureworks/AdventureWorks_Products.csv.gz", "adventureworks_products").n_records,
                     293);
}

static void test_others(void **state)
{
    (void)state;
    assert_int_equal(read_set("marketing_campaign/marketing_campaign.csv.gz", "marketing_campaign").n_records, 2240);
    assert_int_equal(read_set("btydplus_grocery/groceryElog.csv.gz", "purchase_log").n_orders, 10483);
    assert_int_equal(read_set("retail_transactions_response/Retail_Data_Transactions.csv.gz", "orders").n_orders,
                     125000);
    struct sums sums = read_set("retail_transactions_response/Retail_Data_Response.csv.gz", "responses");
    assert_int_equal(sums.n_records, 6884);
    assert_int_equal(sums.n_traits, 6884);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_online_retail),  cmocka_unit_test(test_cdnow),  cmocka_unit_test(test_complete_journey),
        cmocka_unit_test(test_adventureworks), cmocka_unit_test(test_others),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
