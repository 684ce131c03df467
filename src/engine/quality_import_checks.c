/* Checks of what came in and when (see quality_check.h). */
#include "engine/quality_check.h"

/* Days from the first order to the last, without weekdays on which the shop practically never sells. */
#define CALENDAR                                                                                                       \
    "with sold as (select day_of(moment) as d, count(*) as c from fact where kind = 1 group by 1),"                    \
    "  span as (select min(d) as d0, max(d) as d1 from sold),"                                                         \
    "  every as (select cast(unnest(generate_series(d0, d1, interval 1 day)) as date) as d from span where d1 - d0 < " \
    "40000),"                                                                                                          \
    "  days as (select every.d, isodow(every.d) as w, coalesce(c, 0) as c from every left join sold using (d)),"       \
    "  habit as (select w, sum(c) as c, count(*) as n from days group by 1),"                                          \
    "  closed as (select w from habit where n >= 8 and c / n < 0.02 * (select avg(c) from days)),"                     \
    "  open_days as (select * from days where w not in (select w from closed)),"                                       \
    "  gap as materialized (select min(d) as first, max(d) as last, count(*) as c from (select d, c,"                  \
    "      row_number() over (order by d) - row_number() over (partition by c = 0 order by d) as run from open_days)"  \
    "    where c = 0 group by run) "

const struct cot_quality_check cot_quality_import_checks[] = {
    {.key = "quarantine",
     .dimension = "validity",
     .weight = 1,
     .title = "Rows in quarantine",
     .sql = "with q as materialized (select code, min(reason) as reason, count(*) as c, min(path) as path, "
            "min(line) as"
            "    line from quarantine where status = 'open' group by 1)"
            " select coalesce(sum(c), 0)::bigint as n, sum(c) / any_value(n_rows_read), 0.0,"
            "   format('{:,} of {:,} rows read could not be used: {}', sum(c)::bigint, any_value(n_rows_read)::bigint,"
            "     string_agg(format('{:,} {}', c, replace(code, '_', ' ')), ', ' order by c desc, code)),"
            "   list({'reason': code, 'rows': c, 'file': path, 'line': line} order by c desc, code) from q, total",
     .means = "What they say is not in any figure until they are corrected.",
     .action =
         "'coterie quarantine list' shows them with their reasons; correct them and 'coterie quarantine replay'."},
    {.key = "known_rows",
     .dimension = "uniqueness",
     .weight = 0,
     .title = "Rows given again",
     .sql = "with bad as materialized (select * from import_run where rows_duplicate > 0)"
            " select coalesce(sum(rows_duplicate), 0)::bigint as n, sum(rows_duplicate) / any_value(n_rows_read), 0.0,"
            "   format('{:,} rows of {:,} files were in the shop already and were not taken again', "
            "sum(rows_duplicate)::bigint,"
            "     count(*)),"
            "   (select list({'file': path, 'rows': rows_duplicate}) from (select * from bad order by rows_duplicate "
            "desc, import_id limit"
            "     5)) from bad, total",
     .means = "Nothing: overlapping exports add only what is new.",
     .action = "Nothing to do."},
    {.key = "gaps",
     .dimension = "timeliness",
     .weight = 1,
     .title = "Days without orders",
     .sql = CALENDAR "select coalesce(sum(c), 0)::bigint as n, sum(c) / (select count(*) from open_days), 0.0,"
                     "   case when sum(c) = 1 then"
                     "     format('{} has no orders, and on its weekday the shop usually sells', min(first))"
                     "   else format('{:,} days on which the shop usually sells have no orders, the longest run {:,} "
                     "from {} to {}', sum(c)::"
                     "bigint, max(c), arg_min(first, (-c, first)), arg_min(last, (-c, first))) end,"
                     "   (select list({'from': first, 'to': last, 'days': c} order by first)"
                     "     from (select * from gap order by c desc, first limit 5)) from gap",
     .means =
         "Closed days, or files that are missing: then recency and time between orders are too long, and trends have"
         " a hole.",
     .action = "Compare the dates with holidays; import what is missing."},
    {.key = "closed_days",
     .dimension = "timeliness",
     .weight = 0,
     .title = "Weekdays without orders",
     .sql =
         CALENDAR "select count(*) as n, count(*) / 7.0, 0.0,"
                  "   format('the shop practically never sells on {}', string_agg(['Mondays', 'Tuesdays', 'Wednesdays',"
                  " 'Thursdays', 'Fridays', 'Saturdays', 'Sundays'][w], ' and ' order by w)), [] from closed",
     .means = "Features of weekdays know it; it is no gap.",
     .action = "Nothing to do."},
    {.key = "part_month",
     .dimension = "timeliness",
     .weight = 0,
     .title = "The last month is not whole",
     .sql = "with m as (select day_of(last_at) as d from total where last_at is not null)"
            " select count(*) as n, 0.0, 0.0, format('the newest order is of {}: {} has {} of {} days', any_value(d),"
            "   strftime(any_value(d), '%B %Y'), day(any_value(d)), day(last_day(any_value(d)))), []"
            " from m where d < last_day(d)",
     .means = "Monthly trends must leave it out or scale it; \"now\" is the end of that day in every figure here.",
     .action = "Nothing to do."},
    {.key = "stale",
     .dimension = "timeliness",
     .weight = 0,
     .title = "The data is old",
     .sql = "select count(*) as n, 0.0, 0.0, format('the newest order was {:,} days old when it was imported',"
            "   any_value(date_diff('day', last, imported))), []"
            " from (select t.last_at as last, max(r.finished_at) as imported from total t, import_run r group by 1)"
            " where date_diff('day', last, imported) > 60",
     .means = "Who is active, at risk or gone is told as of the data's last day, not as of today.",
     .action = "Import newer orders before acting on segments."},
    {.key = "currencies",
     .dimension = "consistency",
     .weight = 0,
     .title = "More than one currency",
     .sql = "with c as materialized (select currency, count(*) as c from event where kind in (1, 2) and currency is "
            "not null"
            "    group by 1)"
            " select count(*) as n, 0.0, 0.0, format('lines are in {} currencies ({})', count(*), "
            "string_agg(format('{} {:,}',"
            "   currency, c), ', ' order by c desc, currency)), [] from c having count(*) > 1",
     .means = "Amounts are converted by the dated rates; lines without a rate are in quarantine.",
     .action = "Check the rate table if revenue looks odd."},
    {.key = "no_consent",
     .dimension = "completeness",
     .weight = 0,
     .title = "Consent is not known",
     .sql =
         "with people as (select distinct coalesce(m.customer, n.node_id) as customer from node n left join person_map "
         "m"
         "    using (node_id)),"
         "  said as (select distinct coalesce(m.customer, c.node_id) as customer from consent c left join person_map m"
         "    using (node_id))"
         " select count(*) filter (said.customer is null) as n, count(*) filter (said.customer is null) / count(*), "
         "0.0,"
         "   format('{:,} of {:,} customers have said neither yes nor no to anything', count(*) filter (said.customer "
         "is"
         "     null), count(*)), [] from people left join said using (customer) having count(*) > 0",
     .means =
         "The source's policy decides what may be done with them; exports for marketing and advertising say how many"
         " they leave out.",
     .action = "Import consent (e-mail, purpose, granted, date) where the shop has it."},
    {.key = "no_category",
     .dimension = "completeness",
     .weight = 0,
     .title = "Items without a category",
     .sql = "select count(*) filter (category is null) as n, count(*) filter (category is null) / count(*), 0.0,"
            "   format('{:,} of {:,} items have no category', count(*) filter (category is null), count(*)), []"
            " from item_known having count(*) > 0",
     .means = "Features of taste (variety, favourite category) work with items alone, or not at all.",
     .action = "Import the catalogue."},
};
const size_t cot_quality_n_import_checks = sizeof cot_quality_import_checks / sizeof *cot_quality_import_checks;
