/* What the checks of quality_check.h read. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "domain/money.h"
#include "engine/person_map.h"
#include "engine/quality_check.h"
#include "store/store.h"

/* Codes and names that shops book beside what they sell. */
#define NO_PRODUCT_WORDS                                                                                               \
    "'postage|shipping|carriage$|freight|^delivery|delivery (charge|fee)|^manual$|adjust|bad debt|bank charge|"        \
    "commission|( |^|n)fee$|discount|voucher|gift card|^samples?$|^cruk|donation$|^deposit|surcharge|rounding|"        \
    "write.?off|cash back'"

static const char views_sql[] =
    /* A code keeps what it is although someone once wrote "test" or "damaged" as its name: all its names must say so.
     */
    "create or replace temp table item_known as"
    "  select i.item_id, i.product_id as item, arg_min(f.name, (f.occurred_at, f.name)) as name, count(distinct "
    "f.name) as "
    "n_names,"
    "    min(f.category) as category,"
    "    coalesce(bool_and(regexp_matches(f.name, '^test([ ._-]|$)|test product', 'i')), false) as named_test,"
    "    coalesce(bool_and(regexp_matches(f.name, " NO_PRODUCT_WORDS ", 'i')), false) as named_service"
    "  from item i left join item_fact f on f.item_id = i.item_id and f.name is not null group by all;"

    /* A code without any digit is odd where nearly all others have digits. */
    "create or replace temp table item_odd as"
    "  with habit as (select avg(case when regexp_matches(item, '[0-9]') then 1 else 0 end) as with_digit"
    "    from item_known)"
    "  select item_id, case"
    "    when regexp_matches(item, '^test|^dummy|^xxx', 'i') or named_test then 'test'"
    "    when named_service or regexp_matches(item, " NO_PRODUCT_WORDS ", 'i') then 'service'"
    "    when with_digit > 0.9 and not regexp_matches(item, '[0-9]') and length(item) <= 4 then 'code' end as odd"
    "  from item_known, habit where odd is not null;"

    /* The importer leaves corrections of the books without an item and puts their code into detail. */
    "create or replace temp table itemised as select distinct import_id from event where kind in (1, 2)"
    "  and item_id is not null;"

    /* Numbers only: names are joined to the few lines that are shown. */
    "create or replace temp table fact as"
    "  select e.event_id, e.import_id, e.kind, e.occurred_at as moment, e.order_key, hash(e.order_key) as order_hash,"
    "    e.item_id, case when e.item_id is null and t.import_id is not null then e.detail end as code, e.quantity,"
    "    e.amount_minor as amount, e.discount_minor as discount, coalesce(m.customer, e.node_id) as customer,"
    "    r.finished_at as imported_at, e.row_hash,"
    "    case when e.item_id is null and t.import_id is not null and e.detail is not null then 'correction' else o.odd "
    "end"
    "      as odd"
    "  from event e left join person_map m on m.node_id = e.node_id left join item_odd o on o.item_id = e.item_id"
    "    left join import_run r on r.import_id = e.import_id left join itemised t on t.import_id = e.import_id"
    "  where e.kind in (1, 2) and e.superseded_at is null;"

    "create or replace temp view line as select f.*, coalesce(k.item, f.code) as item, k.name"
    "  from fact f left join item_known k on k.item_id = f.item_id;"

    "create or replace temp table repeated as select row_hash, count(*) as c, min(event_id) as event_id,"
    "  min(import_id) as import_id from fact group by row_hash having count(*) > 1;"

    "create or replace temp table basket as select order_hash, min(import_id) as import_id, min(event_id) as event_id,"
    "    count(*) as c, min(customer) as low, max(customer) as high, min(moment) filter (kind = 1) as first,"
    "    max(moment) filter (kind = 1) as last, sum(abs(amount)) as moved"
    "  from fact where order_key is not null group by order_hash;"

    "create or replace temp table buyer as"
    "  select customer, count(*) as n_lines, count(*) filter (kind = 1) as n_bought,"
    "    min(moment) as first, max(moment) as last,"
    "    sum(amount)::bigint as spend, coalesce(sum(amount) filter (kind = 1), 0)::bigint as gross,"
    "    coalesce(sum(discount), 0)::bigint as discount, coalesce(sum(quantity) filter (kind = 1), 0) as units"
    "  from fact where customer is not null group by customer;"

    "create or replace temp table total as"
    "  select count(*) as n_lines, count(*) filter (kind = 1) as n_order_lines,"
    "    count(*) filter (kind = 2) as n_refund_lines, greatest(coalesce(sum(abs(amount)), 0), 1)::double as turnover,"
    "    (select count(*) from buyer) as n_customers,"
    "    greatest((select coalesce(sum(rows_read), 0) from import_run), 1) as n_rows_read,"
    "    min(moment) as first_at, max(moment) as last_at from fact";

static cot_code setting_or(struct cot_store *store, const char *key, const char *fallback, char **ret_value,
                           struct cot_err *err)
{
    char *value = NULL;
    cot_code rc = cot_store_setting(store, key, &value, err);
    if (rc == COT_OK && value == NULL && (value = strdup(fallback)) == NULL)
        rc = cot_fail(err, COT_NOMEM, "setting '%s'", key);
    if (rc == COT_OK)
        *ret_value = value;
    return rc;
}

/* Money and days the shop's way. */
static cot_code make_macros(struct cot_store *store, struct cot_err *err)
{
    char *currency = NULL;
    char *zone = NULL;
    char *quoted_currency = NULL;
    char *quoted_zone = NULL;
    cot_code rc = setting_or(store, "base_currency", "", &currency, err);
    if (rc == COT_OK)
        rc = setting_or(store, "time_zone", "UTC", &zone, err);
    if (rc != COT_OK)
        goto out;
    int decimals = cot_currency_exponent(currency);
    quoted_currency = cot_sql_quote(currency);
    quoted_zone = cot_sql_quote(zone);
    if (quoted_currency == NULL || quoted_zone == NULL) {
        rc = cot_fail(err, COT_NOMEM, "SQL");
        goto out;
    }
    rc = cot_store_exec(
        store, err,
        "create or replace temp macro major(x) as x / power(10, %d);"
        "create or replace temp macro money(x) as trim(format('{:,.%df}', x / power(10, %d)) || ' ' || %s);"
        "create or replace temp macro per_cent(x) as case when x > 0 and x < 0.0005"
        "  then format('{:.3f}%%', 100 * x) else format('{:.1f}%%', 100 * x) end;",
        decimals, decimals, decimals, quoted_currency);
    if (rc == COT_OK && strcmp(zone, "UTC") == 0)
        rc = cot_store_exec(store, err, "create or replace temp macro day_of(x) as cast(x as date)");
    else if (rc == COT_OK)
        rc = cot_store_exec(store, err,
                            "create or replace temp macro day_of(x) as"
                            "  cast((cast(x as timestamp) at time zone 'UTC') at time zone %s as date)",
                            quoted_zone);
out:
    free(currency);
    free(zone);
    free(quoted_currency);
    free(quoted_zone);
    return rc;
}

cot_code cot_quality_views_make(struct cot_store *store, struct cot_err *err)
{
    cot_code rc = cot_person_map_make(store, err);
    if (rc == COT_OK)
        rc = make_macros(store, err);
    if (rc == COT_OK)
        rc = cot_store_exec(store, err, "%s", views_sql);
    return rc;
}

/* One row a source and column. Names are shown, values never. */
const char cot_quality_columns_sql[] =
    "with origin as (select import_id, source_id as source, finished_at from import_run),"
    "  e as not materialized (select o.source, o.finished_at, e.* from event e left join origin o using (import_id)"
    "    where e.superseded_at is null),"
    "  orders as (select source, 1 - coalesce(sum(c) filter (low <> high), 0) / sum(c) as one_customer,"
    "      1 - coalesce(sum(c) filter (last - first > interval 1 day), 0) / sum(c) as one_day from basket"
    "    left join origin using (import_id) group by 1),"
    "  twice as (select source, sum(c - 1) as n from repeated left join origin using (import_id) group by 1),"
    "  renamed as (select source, count(*) as n from fact join item_known using (item_id)"
    "    left join origin using (import_id) where n_names > 1 group by 1),"
    "  l as (select source, count(*) as rows, count(node_id) as n_node, count(order_key) as n_order,"
    "      count(item_id) as n_item, count(quantity) as n_quantity, count(*) filter (quantity > 0) as ok_quantity,"
    "      count(amount_minor) as n_amount,"
    "      count(*) filter (kind = 1 and amount_minor > 0 or kind = 2 and amount_minor <= 0) as ok_amount,"
    "      count(discount_minor) as n_discount, count(*) filter (discount_minor >= 0) as ok_discount,"
    "      count(cost_minor) as n_cost, count(*) filter (cost_minor > 0) as ok_cost,"
    "      count(channel) as n_channel, count(campaign) as n_campaign, count(currency) as n_currency,"
    "      count(*) filter (occurred_at <= coalesce(finished_at, occurred_at)) as ok_time,"
    "      count(*) filter (recorded_at - occurred_at < interval 1 day) as in_time from e where kind in (1, 2) group "
    "by source),"
    "  b as (select source, count(*) as rows, count(node_id) as n_node, count(session) as n_session,"
    "      count(item_id) as n_item, count(channel) as n_channel,"
    "      count(*) filter (occurred_at <= coalesce(finished_at, occurred_at)) as ok_time,"
    "      count(*) filter (recorded_at - occurred_at < interval 1 day) as in_time"
    "    from e where kind not in (1, 2) group by source),"
    "  t as (select o.source, t.key, count(*) as rows, count(*) filter (coalesce(t.value, '') <> '') as n_value,"
    "      count(distinct t.node_id) as n_people, count(*) filter (not t.timeless) as n_dated from trait t"
    "    left join origin o using (import_id) group by all),"
    "  n as (select o.source, n.kind, count(*) as rows, count(*) filter (coalesce(n.value, '') <> '') as n_value,"
    "      count(*) filter (case when n.kind = 2 then regexp_matches(n.value, '^[^@ ]+@[^@ ]+\\.[^@ ]+$')"
    "        when n.kind = 4 then regexp_matches(n.value, '^\\+?[0-9]{6,15}$') else length(n.value) > 0 end) as ok "
    "from node n left join origin o using (import_id) group by all),"
    "  a as ("
    "  select source, 'lines' as \"table\", unnest(["
    "    {'column': 'customer', 'completeness': n_node / rows, 'validity': null, 'uniqueness': null,"
    "     'consistency': one_customer, 'timeliness': null},"
    "    {'column': 'order', 'completeness': n_order / rows, 'validity': null, 'uniqueness': null,"
    "     'consistency': one_day, 'timeliness': null},"
    "    {'column': 'product', 'completeness': n_item / rows, 'validity': null, 'uniqueness': null,"
    "     'consistency': (n_item - coalesce(renamed.n, 0)) / nullif(n_item, 0), 'timeliness': null},"
    "    {'column': 'quantity', 'completeness': n_quantity / rows, 'validity': ok_quantity / nullif(n_quantity, 0),"
    "     'uniqueness': null, 'consistency': null, 'timeliness': null},"
    "    {'column': 'amount', 'completeness': n_amount / rows, 'validity': ok_amount / nullif(n_amount, 0),"
    "     'uniqueness': null, 'consistency': null, 'timeliness': null},"
    "    {'column': 'discount', 'completeness': n_discount / rows, 'validity': ok_discount / nullif(n_discount, 0),"
    "     'uniqueness': null, 'consistency': null, 'timeliness': null},"
    "    {'column': 'cost', 'completeness': n_cost / rows, 'validity': ok_cost / nullif(n_cost, 0),"
    "     'uniqueness': null, 'consistency': null, 'timeliness': null},"
    "    {'column': 'currency', 'completeness': n_currency / rows, 'validity': null, 'uniqueness': null,"
    "     'consistency': null, 'timeliness': null},"
    "    {'column': 'channel', 'completeness': n_channel / rows, 'validity': null, 'uniqueness': null,"
    "     'consistency': null, 'timeliness': null},"
    "    {'column': 'time', 'completeness': 1, 'validity': ok_time / rows, 'uniqueness': null, 'consistency': null,"
    "     'timeliness': in_time / rows},"
    "    {'column': 'whole row', 'completeness': null, 'validity': null, 'uniqueness': (rows - coalesce(twice.n, 0)) / "
    "rows,"
    "     'consistency': null, 'timeliness': null}]) as c, rows from l left join orders using (source)"
    "    left join twice using (source) left join renamed using (source)"
    "  union all select source, 'behaviour', unnest(["
    "    {'column': 'customer', 'completeness': n_node / rows, 'validity': null, 'uniqueness': null,"
    "     'consistency': null, 'timeliness': null},"
    "    {'column': 'session', 'completeness': n_session / rows, 'validity': null, 'uniqueness': null,"
    "     'consistency': null, 'timeliness': null},"
    "    {'column': 'product', 'completeness': n_item / rows, 'validity': null, 'uniqueness': null,"
    "     'consistency': null, 'timeliness': null},"
    "    {'column': 'channel', 'completeness': n_channel / rows, 'validity': null, 'uniqueness': null,"
    "     'consistency': null, 'timeliness': null},"
    "    {'column': 'time', 'completeness': 1, 'validity': ok_time / rows, 'uniqueness': null, 'consistency': null,"
    "     'timeliness': in_time / rows}]), rows from b"
    "  union all select source, 'traits', {'column': key, 'completeness': n_value / rows, 'validity': null,"
    "     'uniqueness': n_people / rows, 'consistency': null, 'timeliness': n_dated / rows}, rows from t"
    "  union all select source, 'identities', {'column': case kind when 1 then 'customer id' when 2 then 'e-mail'"
    "     when 3 then 'anonymous id' else 'phone' end, 'completeness': n_value / rows, 'validity': ok / rows,"
    "     'uniqueness': null, 'consistency': null, 'timeliness': null}, rows from n)"
    " select coalesce(s.name, 'unknown') as source, \"table\", c.\"column\" as \"column\", rows, c.completeness,"
    "   c.validity, c.uniqueness, c.consistency, c.timeliness from a left join source s on s.source_id = a.source "
    "order by 1, 2 desc, 4 desc, 3";
