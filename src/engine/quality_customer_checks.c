/* Checks of customers: who is no ordinary one (see quality_check.h). */
#include "engine/quality_check.h"

const struct cot_quality_check cot_quality_customer_checks[] = {
    {.key = "wholesalers",
     .dimension = "plausibility",
     .weight = 1,
     .title = "Customers far beyond all others",
     /* Modified z-score beyond 3.5 of log spend or log units (Iglewicz and Hoaglin 1993). */
     .sql =
         "with b as (select *, ln(spend) as a, ln(greatest(units, 1)) as u from buyer where spend > 0),"
         "  middle as (select median(a) as ma, median(u) as mu from b),"
         "  spread as (select greatest(median(abs(a - ma)), 0.1) as sa, greatest(median(abs(u - mu)), 0.1) as su"
         "    from b, middle),"
         "  bad as materialized (select b.*, 0.6745 * (a - ma) / sa as za, 0.6745 * (u - mu) / su as zu"
         "    from b, middle, spread where 0.6745 * (a - ma) / sa > 3.5 or (0.6745 * (u - mu) / su > 3.5 and a > ma)),"
         "  net as (select sum(spend)::double as all_spend, count(*) as c from buyer)"
         " select count(*) as n, count(*) / any_value(c), sum(spend) / any_value(all_spend),"
         "   format('{:,} customers ({} of them) spent or took more than any ordinary customer and bring {} of the "
         "revenue;"
         " the largest spent {}', count(*), per_cent(count(*) / any_value(c)),"
         "     per_cent(sum(spend) / any_value(all_spend)), money(max(spend))),"
         "   (select list({'customer': customer, 'revenue': major(spend), 'share': spend / all_spend, 'units': units,"
         "     'lines': n_lines, 'robust_z': round(greatest(za, zu), 1)} order by spend desc, customer)"
         "     from (select * from bad order by spend desc, customer limit 15), net) from bad, net having any_value(c) "
         ">= 30",
     .means = "Wholesalers or resellers. Left among the others they would bend averages, scales and segments; 'coterie"
              " segment' gives the extremes a segment of their own.",
     .action = "Serve them through account managers, and leave them out of tests and campaigns for consumers."},
    {.key = "refunds_only",
     .dimension = "plausibility",
     .weight = 0.5,
     .title = "Customers without net spend",
     .sql = "with bad as materialized (select * from buyer where spend <= 0)"
            " select count(*) as n, count(*) / any_value(n_customers), -sum(spend) / any_value(turnover),"
            "   format('{:,} customers ({}) have given back as much as they bought or more, {:,} of them have refunds "
            "only',"
            "     count(*), per_cent(count(*) / any_value(n_customers)), count(*) filter (n_bought = 0)),"
            "   (select list({'customer': customer, 'revenue': major(spend), 'lines': n_lines}) from"
            "     (select * from bad order by spend, customer limit 5)) from bad, total",
     .means = "Their purchases may lie before the data begins. They are customers, but value models see zero or less.",
     .action = "Import older orders if there are any."},
    {.key = "test_accounts",
     .dimension = "plausibility",
     .weight = 2,
     .title = "Test accounts",
     /* Addresses under example.org mean nothing where most are: then the whole shop is made up. */
     .sql = "with mail as (select node_id, value, regexp_matches(value, '@([a-z0-9.-]*\\.)?example(\\.[a-z]+)?$') as "
            "is_example"
            "    from node where kind = 2),"
            "  habit as (select coalesce(avg(case when is_example then 1.0 else 0 end), 0) as example_share from mail),"
            "  hit as (select node_id, 'address' as why from mail, habit where (is_example and example_share < 0.2)"
            "      or regexp_matches(value, '^(test|tester|testing|qa|demo|dummy|foo|asdf)([0-9._+-][^@]*)?@')"
            "      or regexp_matches(value, "
            "'[+]test[0-9]*@|@(test\\.|mailinator\\.|yopmail\\.|guerrillamail\\.|localhost)')"
            "    union all select node_id, 'id' from node where kind = 1"
            "      and regexp_matches(value, '^(test|demo|dummy|tester)([0-9 ._-]|$)', 'i')"
            "    union all select node_id, 'name' from trait where regexp_matches(key, 'name', 'i')"
            "      and regexp_matches(value, '^(test|tester|dummy|mustermann|asdf|xxx)( |$)|^(max|erika) mustermann$', "
            "'i')),"
            "  bad as materialized (select coalesce(m.customer, hit.node_id) as customer, string_agg(distinct why, ', "
            "' order by"
            "      why) as why from hit left join person_map m using (node_id) group by 1),"
            "  all_people as (select count(*) as c from node n left join person_map m using (node_id) where m.customer "
            "is null)"
            " select count(*) as n, count(*) / any_value(c), coalesce(sum(abs(b.gross)), 0) / any_value(turnover),"
            "   format('{:,} customers look like test accounts by address, id or name', count(*)),"
            "   (select list({'customer': customer, 'by': why}) from (select * from bad order by customer limit 5))"
            " from bad left join buyer b using (customer), total, all_people",
     .means = "They behave like nobody: many sessions, odd orders, returns.",
     .action = "'coterie forget' them, and keep test orders out of the live shop."},
    {.key = "test_buyers",
     .dimension = "plausibility",
     .weight = 2,
     .title = "Customers who bought test products",
     .sql = "with bad as materialized (select customer, count(*) as c from fact where odd = 'test' and customer is not "
            "null"
            "    group by 1)"
            " select count(*) as n, count(*) / any_value(n_customers), 0.0,"
            "   format('{:,} customers bought test products: probably staff trying out the shop', count(*)),"
            "   (select list({'customer': customer, 'test_lines': c}) from (select * from bad order by c desc, "
            "customer limit"
            "     5)) from bad, total",
     .means = "Their other orders may be tests too.",
     .action = "Check the accounts; leave staff out of campaigns."},
    {.key = "staff",
     .dimension = "plausibility",
     .weight = 1,
     .title = "Staff",
     .sql = "with said as (select node_id from trait where regexp_matches(key, 'staff|employee|mitarbeiter', 'i')"
            "      and lower(value) in ('1', 'true', 'yes', 'y', 'ja', 'staff', 'employee')"
            "    union select node_id from trait where regexp_matches(key, 'tag|group|type|segment', 'i')"
            "      and regexp_matches(value, '(^|[^a-z])(staff|employee|mitarbeiter)([^a-z]|$)', 'i')),"
            "  usual as (select sum(discount) / nullif(sum(gross + discount), 0)::double as share from buyer),"
            "  deal as (select customer from buyer, usual where n_bought >= 5 and gross + discount > 0"
            "    and discount / (gross + discount)::double > 0.4 and usual.share < 0.15),"
            "  bad as materialized (select customer, string_agg(why, ', ' order by why) as why from"
            "    (select distinct coalesce(m.customer, node_id) as customer, 'marked' as why from said left join "
            "person_map m"
            "      using (node_id) union select customer, 'always at a discount' from deal) group by 1)"
            " select count(*) as n, count(*) / any_value(n_customers), coalesce(sum(b.gross), 0) / any_value(turnover),"
            "   format('{:,} customers are marked as staff or always buy at a steep discount', count(*)),"
            "   (select list({'customer': customer, 'by': why}) from (select * from bad order by customer limit 5))"
            " from bad left join buyer b using (customer), total",
     .means = "Staff buy often, cheaply and whatever they are sent: they flatter every campaign.",
     .action = "Leave them out of tests and campaigns."},
    {.key = "bots",
     .dimension = "plausibility",
     .weight = 2,
     .title = "Visitors that are no people",
     .sql = "with busy as (select node_id from event where kind between 10 and 19 and node_id is not null group by 1"
            "    having count(*) >= 40),"
            "  hours as (select node_id, date_trunc('hour', occurred_at) as h, count(*) as c from event semi join busy"
            "      using (node_id)"
            "    where kind between 10 and 19 and node_id is not null and superseded_at is null group by 1, 2),"
            "  days as (select node_id, cast(h as date) as d, count(*) as active_hours, max(c) as most, sum(c) as c "
            "from hours"
            "    group by 1, 2),"
            "  people as (select coalesce(m.customer, node_id) as customer, max(most) as most, max(active_hours) as "
            "longest,"
            "      count(*) filter (active_hours >= 20) as whole_days, sum(c) as c from days left join person_map m"
            "      using (node_id) group by 1 having max(most) > 1000 or count(*) filter (active_hours >= 20) >= 2),"
            "  bad as materialized (select people.* from people left join buyer b using (customer)"
            "    where coalesce(b.n_bought, 0) = 0 or most > 1000),"
            "  all_events as (select greatest(count(*), 1) as c from event where kind between 10 and 19)"
            " select count(*) as n, sum(bad.c) / any_value(a.c), 0.0,"
            "   format('{:,} visitors act faster or longer than people do ({:,} events): more than 1,000 in an hour, "
            "or through 20"
            " hours of a day more than once', count(*), sum(bad.c)::bigint),"
            "   (select list({'customer': customer, 'events': c, 'most_in_an_hour': most, 'whole_days': whole_days})"
            "     from (select * from bad order by c desc, customer limit 5)) from bad, all_events a",
     .means = "Robots and price scrapers: they drown what people look at.",
     .action = "Filter robots at the source; leave these visitors out."},
};
const size_t cot_quality_n_customer_checks = sizeof cot_quality_customer_checks / sizeof *cot_quality_customer_checks;
