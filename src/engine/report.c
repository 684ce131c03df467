#include "engine/report.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/civil.h"
#include "base/json.h"
#include "domain/event.h"
#include "engine/context_store.h"
#include "engine/quality.h"
#include "engine/report_demand.h"
#include "engine/report_page.h"
#include "engine/report_predictions.h"
#include "engine/report_segments.h"
#include "engine/report_shop.h"
#include "engine/report_sources.h"
#include "engine/report_totals.h"
#include "engine/rfm.h"
#include "engine/segment.h"
#include "engine/segment_days.h"
#include "engine/shop.h"
#include "store/store.h"

enum { NOTICE_SIZE = 320, MAX_CHECKED_LINES = 2000000 };

/* What a report is made of; freed together. */
struct parts {
    yyjson_mut_doc *segments; /* NULL: no run */
    yyjson_mut_doc *history;  /* likewise */
    struct cot_store *store;
    struct cot_shop *shop;
    struct cot_report_totals totals;
};

static void parts_release(struct parts *parts)
{
    yyjson_mut_doc_free(parts->segments);
    yyjson_mut_doc_free(parts->history);
    cot_report_totals_release(&parts->totals);
    cot_shop_free(parts->shop);
    cot_store_close(parts->store);
    *parts = (struct parts){0};
}

/* No run at all is fine, a missing one is not. */
static cot_code find_run(const struct cot_context *context, int64_t run_id, struct parts *parts, struct cot_err *err)
{
    cot_code rc = cot_segment_show_run(context, run_id, &parts->segments, err);
    if (rc == COT_NOT_FOUND && run_id == 0)
        return COT_OK;
    if (rc == COT_OK)
        rc = cot_segment_history_run(context, &parts->history, err);
    return rc;
}

/* The run's moment; without a run that of the newest data. */
static cot_code moment(const struct parts *parts, int64_t *ret_as_of_ms, struct cot_err *err)
{
    if (parts->segments == NULL) {
        *ret_as_of_ms = COT_AS_OF_LAST_DAY;
        return COT_OK;
    }
    yyjson_mut_val *root = yyjson_mut_doc_get_root(parts->segments);
    const char *text = yyjson_mut_get_str(yyjson_mut_obj_get(root, "as_of"));
    if (text == NULL || !cot_parse_iso(text, strlen(text), ret_as_of_ms))
        return cot_fail(err, COT_BAD_DATA, "the segment run's moment '%s' is no time: run 'coterie segment' again",
                        text != NULL ? text : "");
    return COT_OK;
}

static cot_code load_shop(const struct cot_context *context, struct parts *parts, struct cot_err *err)
{
    struct cot_shop_options options = {.n_threads = context->n_threads, .progress = &context->progress};
    cot_code rc = cot_context_open_store(context, COT_STORE_READ_ONLY, &parts->store, err);
    if (rc == COT_OK)
        rc = moment(parts, &options.as_of_ms, err);
    if (rc == COT_OK)
        rc = cot_shop_load(parts->store, &options, &parts->shop, err);
    if (rc == COT_OK)
        rc = cot_report_totals_measure(&parts->totals, &parts->shop->history.people, &parts->shop->history.timelines,
                                       parts->shop->history.as_of_ms, parts->shop->zone, &context->progress, err);
    return rc;
}

/* Lines as of the moment that belong to nobody. */
static cot_code count_unassigned(struct parts *parts, int64_t *ret_lines, int64_t *ret_minor, struct cot_err *err)
{
    struct cot_rows *rows = NULL;
    bool more = false;
    int64_t as_of_ms = parts->shop->history.as_of_ms;
    cot_code rc = cot_rows_open(
        parts->store, &rows, err,
        "select count(*), sum(amount_minor)::bigint from event where node_id is null and kind in (%d, %d)"
        " and occurred_at <= epoch_ms(%" PRId64 ")::timestamp_ms and recorded_at <= epoch_ms(%" PRId64
        ")::timestamp_ms and (superseded_at is null or superseded_at > epoch_ms(%" PRId64 ")::timestamp_ms)",
        COT_EVENT_ORDER_LINE, COT_EVENT_REFUND, as_of_ms, as_of_ms, as_of_ms);
    if (rc == COT_OK)
        rc = cot_rows_next(rows, &more, err);
    if (rc == COT_OK && more) {
        *ret_lines = cot_rows_int(rows, 0);
        *ret_minor = cot_rows_int(rows, 1);
    }
    cot_rows_close(rows);
    return rc;
}

/* Says where the data goes on beyond the moment of the report. */
static cot_code add_notices(struct parts *parts, yyjson_mut_doc *doc, yyjson_mut_val *root, struct cot_err *err)
{
    char text[NOTICE_SIZE];
    char date[COT_TIME_TEXT_SIZE];
    int64_t n_newer = 0;
    int64_t as_of_ms = parts->shop->history.as_of_ms;
    yyjson_mut_val *notices = yyjson_mut_obj_add_arr(doc, root, "notices");
    cot_code rc = cot_store_number(parts->store, &n_newer, err,
                                   "select count(*) from event where superseded_at is null and greatest(occurred_at,"
                                   " recorded_at) > epoch_ms(%" PRId64 ")::timestamp_ms",
                                   as_of_ms);
    if (rc != COT_OK || n_newer == 0)
        return rc;
    cot_format_date(cot_zone_local(parts->shop->zone, as_of_ms), date, sizeof date);
    snprintf(text, sizeof text,
             "Everything here is as of %s, the moment of the segments. The shop has %" PRId64
             " newer event%s: 'coterie segment' and then 'coterie report' take them in.",
             date, n_newer, n_newer == 1 ? "" : "s");
    yyjson_mut_arr_add_strcpy(doc, notices, text);
    return COT_OK;
}

/* RFM as of the report's moment; crossed with the segments where they are those of the newest run, which cot_rfm_cross
 * takes. */
static cot_code add_rfm(const struct cot_context *context, struct parts *parts, yyjson_mut_doc *doc,
                        yyjson_mut_val *root, struct cot_err *err)
{
    struct cot_feature_matrix matrix = {0};
    struct cot_feature_matrix_options options = {.n_threads = context->n_threads, .progress = &context->progress};
    yyjson_mut_val *rfm = yyjson_mut_obj(doc);
    yyjson_mut_val *cross = NULL;
    yyjson_mut_val *run = yyjson_mut_obj_get(yyjson_mut_doc_get_root(parts->segments), "run");
    cot_code rc = rfm == NULL ? cot_fail(err, COT_NOMEM, "report") : COT_OK;
    if (rc == COT_OK)
        rc = cot_feature_matrix_fill(&parts->shop->history, &options, &matrix, err);
    if (rc == COT_OK)
        rc = cot_rfm_describe(parts->shop, &matrix, doc, rfm, err);
    if (rc == COT_OK && run != NULL)
        rc = cot_rfm_cross(parts->store, &matrix, doc, &cross, err);
    cot_feature_matrix_free(&matrix);
    if (rc != COT_OK)
        return rc;
    if (cross != NULL && yyjson_mut_get_sint(run) == yyjson_mut_get_sint(yyjson_mut_obj_get(cross, "run")))
        yyjson_mut_obj_add_val(doc, rfm, "cross", cross);
    else
        yyjson_mut_obj_add_null(doc, rfm, "cross");
    bool scored = yyjson_mut_get_uint(yyjson_mut_obj_get(rfm, "scored")) > 0;
    yyjson_mut_obj_add_val(doc, root, "rfm", scored ? rfm : yyjson_mut_null(doc));
    return COT_OK;
}

static void add_header(const struct parts *parts, yyjson_mut_doc *doc, yyjson_mut_val *root)
{
    yyjson_mut_obj_add_str(doc, root, "version", COTERIE_VERSION);
    cot_shop_add_as_of(doc, root, parts->shop, parts->shop->history.as_of_ms);
    yyjson_mut_obj_add_strcpy(doc, root, "currency", parts->shop->currency);
    yyjson_mut_obj_add_strcpy(doc, root, "time_zone", cot_zone_name(parts->shop->zone));
}

/* Daily snapshots, where a server took any. */
static cot_code add_days(const struct parts *parts, yyjson_mut_doc *doc, yyjson_mut_val *root, struct cot_err *err)
{
    enum { DAYS = 90 };
    yyjson_mut_val *days = yyjson_mut_obj(doc);
    cot_code rc = days == NULL ? cot_fail(err, COT_NOMEM, "report")
                               : cot_segment_days_describe(parts->store, NULL, DAYS, doc, days, err);
    bool any = yyjson_mut_arr_size(yyjson_mut_obj_get(days, "segments")) > 0;
    if (rc == COT_OK)
        yyjson_mut_obj_add_val(doc, root, "days", any ? days : yyjson_mut_null(doc));
    return rc;
}

static cot_code add_parts(const struct cot_context *context, struct parts *parts, yyjson_mut_doc *doc,
                          yyjson_mut_val *root, struct cot_err *err)
{
    yyjson_mut_val *sources = NULL;
    struct cot_report_shop shop = {.totals = &parts->totals,
                                   .as_of_ms = parts->shop->history.as_of_ms,
                                   .zone = parts->shop->zone,
                                   .currency = parts->shop->currency,
                                   .minor_per_unit = parts->shop->history.minor_per_unit};
    yyjson_mut_val *segments = yyjson_mut_doc_get_root(parts->segments);
    yyjson_mut_val *history = yyjson_mut_doc_get_root(parts->history);
    add_header(parts, doc, root);
    cot_code rc = add_notices(parts, doc, root, err);
    if (rc == COT_OK)
        rc = count_unassigned(parts, &shop.unassigned_lines, &shop.unassigned_minor, err);
    if (rc == COT_OK)
        rc = cot_report_shop_add(&shop, doc, root, err);
    if (rc == COT_OK)
        rc = cot_report_segments_add(segments, parts->shop, doc, root, err);
    if (rc == COT_OK)
        rc = add_rfm(context, parts, doc, root, err);
    if (rc == COT_OK)
        rc = cot_report_predictions_add(parts->store, parts->shop, doc, root, err);
    if (rc == COT_OK)
        rc = add_days(parts, doc, root, err);
    if (rc == COT_OK)
        rc = cot_report_demand_add(parts->store, context, shop.as_of_ms, doc, root, err);
    if (rc == COT_OK)
        rc = cot_report_sources_make(parts->store, doc, &sources, err);
    if (rc != COT_OK)
        return rc;
    yyjson_mut_obj_add_val(doc, root, "history",
                           history != NULL ? yyjson_mut_val_mut_copy(doc, history) : yyjson_mut_null(doc));
    yyjson_mut_obj_add_val(doc, root, "provenance", sources);
    return COT_OK;
}

static void add_quality_document(yyjson_mut_doc *quality, yyjson_mut_doc *doc, yyjson_mut_val *root)
{
    size_t i, n;
    yyjson_mut_val *finding;
    yyjson_mut_val *copy = yyjson_mut_val_mut_copy(doc, yyjson_mut_doc_get_root(quality));
    yyjson_mut_arr_foreach(yyjson_mut_obj_get(copy, "findings"), i, n, finding)
        yyjson_mut_obj_remove_key(finding, "examples"); /* of customers: they stay in the shop */
    yyjson_mut_obj_add_val(doc, root, "quality", copy);
}

/* The checks read every line some twenty times: beyond a few million lines the report names them instead. The store
 * must be closed: the use case opens it for itself. */
static cot_code add_quality(const struct cot_context *context, uint64_t n_lines, bool always, yyjson_mut_doc *doc,
                            yyjson_mut_val *root, struct cot_err *err)
{
    char text[NOTICE_SIZE];
    yyjson_mut_doc *quality = NULL;
    if (n_lines > MAX_CHECKED_LINES && !always) {
        snprintf(text, sizeof text,
                 "Not checked for this report: the shop is so large that it takes minutes. 'coterie quality' checks it,"
                 " 'coterie report --quality' checks it here.");
        yyjson_mut_val *skipped = yyjson_mut_obj_add_obj(doc, root, "quality");
        yyjson_mut_obj_add_strcpy(doc, skipped, "skipped", text);
        return COT_OK;
    }
    cot_code rc = cot_quality_run(context, &quality, err);
    if (rc == COT_OK)
        add_quality_document(quality, doc, root);
    yyjson_mut_doc_free(quality);
    return rc;
}

static cot_code write_page(const yyjson_mut_doc *doc, const char *path, struct cot_err *err)
{
    struct cot_buf page = {0};
    cot_code rc = cot_report_page_make(doc, &page, err);
    if (rc == COT_OK)
        rc = cot_report_page_write(&page, path, err);
    cot_buf_release(&page);
    return rc;
}

cot_code cot_report_run(const struct cot_context *context, const struct cot_report_options *options,
                        yyjson_mut_doc **ret_doc, struct cot_err *err)
{
    struct parts parts = {0};
    yyjson_mut_doc *doc = NULL;
    yyjson_mut_val *root = NULL;
    cot_code rc = cot_json_document(&doc, &root, err);
    if (rc == COT_OK)
        rc = find_run(context, options->run_id, &parts, err);
    if (rc == COT_OK)
        rc = load_shop(context, &parts, err);
    if (rc != COT_OK)
        goto out;
    uint64_t n_lines = parts.totals.n_lines + parts.totals.n_refunds;
    rc = add_parts(context, &parts, doc, root, err);
    parts_release(&parts);
    if (rc == COT_OK)
        rc = add_quality(context, n_lines, options->always_check, doc, root, err);
    if (rc == COT_OK && options->out_path != NULL)
        rc = write_page(doc, options->out_path, err);
    if (rc != COT_OK)
        goto out;
    *ret_doc = doc;
    doc = NULL;
out:
    parts_release(&parts);
    yyjson_mut_doc_free(doc);
    return rc;
}
