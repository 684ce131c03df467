#include "store/schema.h"

#include "store/store.h"

/* Version 1. Every table and column is described in docs/schema.md's terms here, once, by COMMENT ON. */
static const char *const step_1 =
    "create table setting(key varchar, value varchar);"

    "create table source(source_id integer, name varchar, connector varchar, kind varchar, consent_policy varchar,"
    "  created_at timestamp_ms);"
    "comment on table source is 'where data comes from; rows are told apart within one source (idempotence)';"

    "create table import_run(import_id integer, source_id integer, path varchar, kind varchar, connector varchar,"
    "  content_hash varchar, size bigint, rows_read bigint, rows_accepted bigint, rows_quarantined bigint,"
    "  rows_duplicate bigint, detail varchar, started_at timestamp_ms, finished_at timestamp_ms);"
    "comment on table import_run is 'one row a file taken in; detail is JSON: mapping, encoding, date format, flags';"

    "create table node(node_id integer, kind utinyint, value varchar, import_id integer);"
    "comment on table node is 'identity nodes: kind as in domain/identity.h (user, email, anonymous, ...)';"

    "create table link(node_a integer, node_b integer, op tinyint, occurred_at timestamp_ms,"
    "  recorded_at timestamp_ms, import_id integer);"
    "comment on table link is 'timed ledger: op 1 says that two nodes are one person, -1 takes it back';"

    "create table item(item_id integer, product_id varchar);"
    "create table item_fact(item_id integer, name varchar, category varchar, subcategory varchar, brand varchar,"
    "  price_minor bigint, cost_minor bigint, occurred_at timestamp_ms, recorded_at timestamp_ms, timeless boolean,"
    "  row_hash uhugeint, import_id integer);"
    "comment on table item_fact is 'what the catalogue said of an item and since when; the last fact holds';"

    "create table event(event_id bigint, node_id integer, kind utinyint, occurred_at timestamp_ms,"
    "  recorded_at timestamp_ms, superseded_at timestamp_ms, order_key varchar, item_id integer, quantity double,"
    "  amount_minor bigint, discount_minor bigint, cost_minor bigint, amount_original bigint, currency varchar,"
    "  channel varchar, session varchar, campaign varchar, detail varchar, import_id integer, row_hash uhugeint);"
    "comment on table event is 'everything that happened; node_id null: no customer. amount_minor: revenue after"
    " discount, without tax and shipping, negative for refunds, base currency. detail: search term, coupon, reason';"

    "create table trait(node_id integer, key varchar, value varchar, number double, occurred_at timestamp_ms,"
    "  recorded_at timestamp_ms, timeless boolean, import_id integer, row_hash uhugeint);"
    "comment on table trait is 'what was said of a person; timeless: undated, backtests also run without it';"

    "create table consent(node_id integer, purpose varchar, granted boolean, occurred_at timestamp_ms,"
    "  recorded_at timestamp_ms, import_id integer, row_hash uhugeint);"
    "create table suppression(node_id integer, channel varchar, reason varchar, occurred_at timestamp_ms,"
    "  recorded_at timestamp_ms, import_id integer, row_hash uhugeint);"

    "create table campaign(campaign varchar, name varchar, type varchar, starts_at timestamp_ms,"
    "  ends_at timestamp_ms, import_id integer, row_hash uhugeint);"
    "create table coupon(coupon varchar, product_id varchar, campaign varchar, import_id integer, row_hash uhugeint);"
    "create table promotion(product_id varchar, store varchar, display varchar, mailer varchar, week varchar,"
    "  import_id integer, row_hash uhugeint);"
    "create table rate(currency varchar, day date, rate double, import_id integer, row_hash uhugeint);"
    "comment on table rate is 'units of the base currency for one unit of currency, from that day on';"

    "create table order_version(source_id integer, order_key varchar, version integer, digest uhugeint,"
    "  import_id integer);"
    "comment on table order_version is 'sources with a natural key: the newest content of each order';"

    "create table quarantine(quarantine_id bigint, import_id integer, path varchar, line bigint, code varchar,"
    "  reason varchar, raw varchar, status varchar, row_hash uhugeint, recorded_at timestamp_ms);"
    "comment on table quarantine is 'rows that could not be used; raw: the row as JSON; status: open or replayed';"

    "create table segment_run(run_id integer, created_at timestamp_ms, as_of timestamp_ms, seed ubigint, k integer,"
    "  n_customers bigint, detail varchar);"
    "comment on table segment_run is 'every run is kept; detail is JSON: evidence, features used, tree';"
    "create table segment(run_id integer, segment_id integer, name varchar, color varchar, size bigint,"
    "  revenue_minor bigint, strategy varchar, detail varchar);"
    "comment on table segment is 'segments of each run; segment_id lasts across runs; detail is JSON';"
    "create table segment_member(run_id integer, customer integer, segment_id integer);"
    "comment on table segment_member is 'customer: the smallest node_id of the person';"

    "create table export_run(export_id integer, created_at timestamp_ms, segment_id integer, segment varchar,"
    "  format varchar, path varchar, purpose varchar, holdout double, n_treated bigint, n_holdout bigint,"
    "  n_excluded bigint, detail varchar);"
    "create table export_member(export_id integer, customer integer, arm varchar);"
    "comment on table export_member is 'arm: treated or holdout';"

    "create table erasure(receipt_id varchar, requested_at timestamp_ms, finished_at timestamp_ms, status varchar,"
    "  detail varchar);"
    "create table erased(value_hash varchar, recorded_at timestamp_ms);"
    "comment on table erased is 'keyed hashes of erased identities: they stop a re-import from bringing a person "
    "back';";

static const char *const steps[COT_SCHEMA_VERSION] = {step_1};

cot_code cot_schema_version(struct cot_store *store, int *ret_version, struct cot_err *err)
{
    int64_t n = 0;
    int64_t version = 0;
    cot_code rc = cot_store_number(
        store, &n, err, "select count(*) from duckdb_tables() where table_name = 'setting' and not internal");
    if (rc == COT_OK && n > 0)
        rc = cot_store_number(store, &version, err,
                              "select cast(value as integer) from setting where key = 'schema_version'");
    if (rc == COT_OK)
        *ret_version = (int)version;
    return rc;
}

static cot_code take_step(struct cot_store *store, int to_version, struct cot_err *err)
{
    cot_code rc = cot_store_begin(store, err);
    if (rc != COT_OK)
        return rc;
    rc = cot_store_exec(store, err, "%s", steps[to_version - 1]);
    if (rc == COT_OK)
        rc = cot_store_exec(store, err,
                            "delete from setting where key = 'schema_version';"
                            "insert into setting values ('schema_version', '%d')",
                            to_version);
    if (rc == COT_OK)
        rc = cot_store_commit(store, err);
    if (rc != COT_OK)
        cot_store_rollback(store);
    return rc;
}

cot_code cot_schema_migrate(struct cot_store *store, struct cot_err *err)
{
    int version = 0;
    cot_code rc = cot_schema_version(store, &version, err);
    if (rc == COT_OK && version > COT_SCHEMA_VERSION)
        return cot_fail(err, COT_BAD_DATA, "%s has schema %d, this program knows up to %d: use a newer coterie",
                        cot_store_path(store), version, COT_SCHEMA_VERSION);
    for (int next = version + 1; rc == COT_OK && next <= COT_SCHEMA_VERSION; next++)
        rc = take_step(store, next, err);
    return rc;
}
