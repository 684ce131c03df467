#include "engine/quality.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/json.h"
#include "domain/identity.h"
#include "engine/context_store.h"
#include "engine/quality_check.h"
#include "store/row_json.h"
#include "store/store.h"

/* Columns of a check's answer. */
enum { AT_N, AT_SHARE, AT_REVENUE_SHARE, AT_TEXT, AT_EXAMPLES };

static const double high_score = 0.05;
static const double medium_score = 0.005;

/* A condition on `fact` as a whole query. */
static const char where_sql[] =
    "with bad as materialized (select b.*, coalesce(k.item, b.code) as item, k.name from"
    "    (select * from fact where %s) b left join item_known k on k.item_id = b.item_id),"
    "  found as (select count(*) as n, coalesce(sum(abs(amount)), 0) as amount, count(customer) as n_with_customer,"
    "    count(*) filter (regexp_matches(order_key, '^C[0-9]')) as n_numbered,"
    "    count(distinct customer) as n_customers_found, max(moment) as max_at from bad),"
    "  named as (select string_agg(name, ', ' order by name) as names from (select distinct name from bad where name "
    "is not null"
    "    order by name limit 3)),"
    "  coded as (select string_agg(item, ', ' order by item) as items from (select distinct item from bad where item "
    "is not null"
    "    order by item limit 8)),"
    "  facts as (select *, n / greatest(n_lines, 1) as share, amount / turnover as revenue_share"
    "    from found, total, named, coded)"
    " select n, share, revenue_share, %s,"
    "   (select list({'customer': customer, 'order': order_key, 'item': item, 'name': name, 'at': moment,"
    "     'quantity': quantity, 'amount': major(amount)} order by abs(amount) desc, event_id) from"
    "     (select * from bad order by abs(amount) desc, event_id limit 5)) from facts";

static const char *severity_of(double weight, double score)
{
    if (weight == 0)
        return "info";
    return score >= high_score ? "high" : score >= medium_score ? "medium" : "low";
}

/* The shop's own id of a customer, unless that is an e-mail address; else ours. */
static cot_code label_customer(struct cot_store *store, int64_t customer, char **ret_label, struct cot_err *err)
{
    struct cot_rows *rows = NULL;
    bool more = false;
    char anonymous[COT_ANONYMOUS_ID_SIZE];
    size_t size = 0;
    cot_code rc = cot_rows_open(store, &rows, err,
                                "select n.kind, n.value from node n left join person_map m using (node_id)"
                                " where coalesce(m.customer, n.node_id) = %lld order by n.kind <> 1, n.node_id limit 1",
                                (long long)customer);
    if (rc == COT_OK)
        rc = cot_rows_next(rows, &more, err);
    const char *value = rc == COT_OK && more ? cot_rows_text(rows, 1, &size) : NULL;
    if (value != NULL) {
        enum cot_node_kind kind = (enum cot_node_kind)cot_rows_int(rows, 0);
        cot_anonymous_customer_id(kind, value, size, anonymous);
        bool ours = kind != COT_NODE_USER || memchr(value, '@', size) != NULL;
        *ret_label = ours ? strdup(anonymous) : strndup(value, size);
        if (*ret_label == NULL)
            rc = cot_fail(err, COT_NOMEM, "a customer's id");
    }
    cot_rows_close(rows);
    return rc;
}

static cot_code label_examples(struct cot_store *store, yyjson_mut_doc *doc, yyjson_mut_val *examples,
                               struct cot_err *err)
{
    size_t i;
    size_t n;
    yyjson_mut_val *example;
    cot_code rc = COT_OK;
    yyjson_mut_arr_foreach(examples, i, n, example)
    {
        char *label = NULL;
        yyjson_mut_val *customer = yyjson_mut_obj_get(example, "customer");
        if (rc != COT_OK || !yyjson_mut_is_int(customer))
            continue;
        rc = label_customer(store, yyjson_mut_get_sint(customer), &label, err);
        if (rc == COT_OK && label != NULL)
            yyjson_mut_set_str(customer, yyjson_mut_get_str(yyjson_mut_strcpy(doc, label)));
        free(label);
    }
    return rc;
}

static cot_code make_finding(yyjson_mut_doc *doc, const struct cot_quality_check *check, struct cot_rows *rows,
                             yyjson_mut_val **ret_finding, struct cot_err *err)
{
    size_t size = 0;
    double share = cot_rows_double(rows, AT_SHARE);
    double revenue_share = cot_rows_double(rows, AT_REVENUE_SHARE);
    share = isfinite(share) ? share : 0;
    revenue_share = isfinite(revenue_share) ? revenue_share : 0;
    double score = check->weight * fmax(share, revenue_share);
    const char *text = cot_rows_text(rows, AT_TEXT, &size);
    yyjson_mut_val *finding = yyjson_mut_obj(doc);
    yyjson_mut_val *examples = NULL;
    cot_code rc = cot_row_json(doc, rows, AT_EXAMPLES, &examples, err);
    if (rc != COT_OK)
        return rc;
    if (yyjson_mut_is_null(examples))
        examples = yyjson_mut_arr(doc);
    yyjson_mut_obj_add_str(doc, finding, "key", check->key);
    yyjson_mut_obj_add_str(doc, finding, "severity", severity_of(check->weight, score));
    yyjson_mut_obj_add_real(doc, finding, "score", score);
    yyjson_mut_obj_add_str(doc, finding, "dimension", check->dimension);
    yyjson_mut_obj_add_str(doc, finding, "title", check->title);
    yyjson_mut_obj_add_strncpy(doc, finding, "text", text != NULL ? text : check->title,
                               text != NULL ? size : strlen(check->title));
    yyjson_mut_obj_add_str(doc, finding, "means", check->means);
    yyjson_mut_obj_add_str(doc, finding, "action", check->action);
    yyjson_mut_obj_add_sint(doc, finding, "count", cot_rows_int(rows, AT_N));
    yyjson_mut_obj_add_real(doc, finding, "share", share);
    yyjson_mut_obj_add_real(doc, finding, "revenue_share", revenue_share);
    if (!yyjson_mut_obj_add_val(doc, finding, "examples", examples))
        return cot_fail(err, COT_NOMEM, "findings");
    *ret_finding = finding;
    return COT_OK;
}

static cot_code run_check(struct cot_store *store, yyjson_mut_doc *doc, yyjson_mut_val *findings,
                          const struct cot_quality_check *check, struct cot_err *err)
{
    struct cot_rows *rows = NULL;
    bool more = false;
    yyjson_mut_val *finding = NULL;
    cot_code rc = check->where != NULL ? cot_rows_open(store, &rows, err, where_sql, check->where, check->text)
                                       : cot_rows_open(store, &rows, err, "%s", check->sql);
    if (rc == COT_OK)
        rc = cot_rows_next(rows, &more, err);
    if (rc == COT_OK && more && cot_rows_int(rows, AT_N) > 0)
        rc = make_finding(doc, check, rows, &finding, err);
    cot_rows_close(rows);
    if (rc == COT_OK && finding != NULL) {
        yyjson_mut_arr_append(findings, finding);
        rc = label_examples(store, doc, yyjson_mut_obj_get(finding, "examples"), err);
    }
    return rc == COT_OK ? rc : cot_err_prefix(err, rc, "check '%s'", check->key);
}

static int severity_rank(const char *severity)
{
    return strcmp(severity, "high") == 0     ? 3
           : strcmp(severity, "medium") == 0 ? 2
           : strcmp(severity, "low") == 0    ? 1
                                             : 0;
}

/* Worst first; equals keep the order of the tables. */
static int compare_findings(const void *a, const void *b)
{
    yyjson_mut_val *const *x = a;
    yyjson_mut_val *const *y = b;
    int rank_x = severity_rank(yyjson_mut_get_str(yyjson_mut_obj_get(*x, "severity")));
    int rank_y = severity_rank(yyjson_mut_get_str(yyjson_mut_obj_get(*y, "severity")));
    double score_x = yyjson_mut_get_real(yyjson_mut_obj_get(*x, "score"));
    double score_y = yyjson_mut_get_real(yyjson_mut_obj_get(*y, "score"));
    if (rank_x != rank_y)
        return rank_y - rank_x;
    if (score_x != score_y)
        return score_x < score_y ? 1 : -1;
    return strcmp(yyjson_mut_get_str(yyjson_mut_obj_get(*x, "key")), yyjson_mut_get_str(yyjson_mut_obj_get(*y, "key")));
}

static cot_code sort_findings(yyjson_mut_val *findings, struct cot_err *err)
{
    size_t n = yyjson_mut_arr_size(findings);
    yyjson_mut_val **sorted = calloc(n + 1, sizeof *sorted);
    if (sorted == NULL)
        return cot_fail(err, COT_NOMEM, "findings");
    for (size_t i = 0; i < n; i++)
        sorted[i] = yyjson_mut_arr_remove_first(findings);
    qsort(sorted, n, sizeof(*sorted), compare_findings);
    for (size_t i = 0; i < n; i++)
        yyjson_mut_arr_append(findings, sorted[i]);
    free(sorted);
    return COT_OK;
}

static cot_code run_checks(const struct cot_context *context, struct cot_store *store, yyjson_mut_doc *doc,
                           yyjson_mut_val *findings, struct cot_err *err)
{
    const struct {
        const struct cot_quality_check *checks;
        size_t n;
    } groups[] = {
        {cot_quality_line_checks, cot_quality_n_line_checks},
        {cot_quality_customer_checks, cot_quality_n_customer_checks},
        {cot_quality_import_checks, cot_quality_n_import_checks},
    };
    size_t n_all = cot_quality_n_line_checks + cot_quality_n_customer_checks + cot_quality_n_import_checks;
    size_t n_done = 0;
    cot_code rc = COT_OK;
    for (size_t g = 0; g < sizeof groups / sizeof *groups; g++)
        for (size_t i = 0; rc == COT_OK && i < groups[g].n; i++) {
            cot_progress_report(&context->progress, "looking at data quality", n_done++, n_all);
            rc = run_check(store, doc, findings, &groups[g].checks[i], err);
        }
    cot_progress_report(&context->progress, "looking at data quality", n_all, n_all);
    return rc == COT_OK ? sort_findings(findings, err) : rc;
}

/* The rows of a query as an array of objects. */
static cot_code add_query(struct cot_store *store, yyjson_mut_doc *doc, yyjson_mut_val *array, const char *sql,
                          struct cot_err *err)
{
    struct cot_rows *rows = NULL;
    bool more = false;
    yyjson_mut_val *value = NULL;
    cot_code rc = cot_rows_open(store, &rows, err, "%s", sql);
    while (rc == COT_OK && (rc = cot_rows_next(rows, &more, err)) == COT_OK && more) {
        yyjson_mut_val *row = yyjson_mut_obj(doc);
        for (size_t i = 0; rc == COT_OK && i < cot_rows_n_columns(rows); i++) {
            rc = cot_row_json(doc, rows, i, &value, err);
            if (rc == COT_OK && !yyjson_mut_obj_add(row, yyjson_mut_strcpy(doc, cot_rows_column_name(rows, i)), value))
                rc = cot_fail(err, COT_NOMEM, "result");
        }
        if (rc == COT_OK)
            yyjson_mut_arr_append(array, row);
    }
    cot_rows_close(rows);
    return rc;
}

static const char totals_sql[] =
    "select n_lines as lines, n_order_lines as order_lines, n_refund_lines as refund_lines, n_customers as customers,"
    "  (select count(*) from item) as items, first_at as first, last_at as last, case when n_lines > 0 then "
    "major(turnover) else 0 end as "
    "turnover"
    " from total";

static cot_code fill_document(const struct cot_context *context, struct cot_store *store, yyjson_mut_doc *doc,
                              yyjson_mut_val *root, struct cot_err *err)
{
    char *currency = NULL;
    yyjson_mut_val *totals = yyjson_mut_arr(doc);
    yyjson_mut_val *findings = yyjson_mut_arr(doc);
    yyjson_mut_val *columns = yyjson_mut_arr(doc);
    cot_progress_report(&context->progress, "looking at data quality", 0, 0);
    cot_code rc = cot_quality_views_make(store, err);
    if (rc == COT_OK)
        rc = cot_store_setting(store, "base_currency", &currency, err);
    if (rc == COT_OK)
        rc = add_query(store, doc, totals, totals_sql, err);
    if (rc == COT_OK)
        rc = run_checks(context, store, doc, findings, err);
    if (rc == COT_OK)
        rc = add_query(store, doc, columns, cot_quality_columns_sql, err);
    if (rc == COT_OK) {
        yyjson_mut_val *total = yyjson_mut_arr_remove_first(totals);
        yyjson_mut_obj_add_val(doc, root, "as_of", yyjson_mut_val_mut_copy(doc, yyjson_mut_obj_get(total, "last")));
        yyjson_mut_obj_add_strcpy(doc, root, "currency", currency != NULL ? currency : "");
        yyjson_mut_obj_add_val(doc, root, "totals", total);
        yyjson_mut_obj_add_val(doc, root, "findings", findings);
        if (!yyjson_mut_obj_add_val(doc, root, "columns", columns))
            rc = cot_fail(err, COT_NOMEM, "result");
    }
    free(currency);
    return rc;
}

cot_code cot_quality_run(const struct cot_context *context, yyjson_mut_doc **ret_doc, struct cot_err *err)
{
    struct cot_store *store = NULL;
    yyjson_mut_doc *doc = NULL;
    yyjson_mut_val *root = NULL;
    cot_code rc = cot_json_document(&doc, &root, err);
    if (rc == COT_OK)
        rc = cot_context_open_store(context, COT_STORE_READ_ONLY, &store, err);
    if (rc == COT_OK)
        rc = fill_document(context, store, doc, root, err);
    cot_store_close(store);
    return cot_json_finish(rc, doc, ret_doc);
}
