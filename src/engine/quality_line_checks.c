/* Checks of order and refund lines (see quality_check.h). */
#include "engine/quality_check.h"

/* Log ratios to the item's own median, robustly: every k-th line is enough for medians of large shops. */
#define SPREAD(value)                                                                                                  \
    "with p as not materialized (select *, ln(" value                                                                  \
    ") as v from fact where kind = 1 and amount > 0 and quantity > 0 and odd is null"                                  \
    "    and item_id is not null),"                                                                                    \
    "  picked as materialized (select item_id, v from p"                                                               \
    "    where event_id % greatest(1, (select n_order_lines from total) // 400000) = 0 ),"                             \
    "  middle as (select item_id, median(v) as m, count(*) as c from picked group by 1 having c >= 10),"               \
    "  spread as (select item_id, any_value(m) as m, 1.4826 * median(abs(v - m)) as s from picked join middle"         \
    "    using (item_id) group by 1),"                                                                                 \
    "  bad as materialized (select p.*, v - m as away from p join spread using (item_id) where "

/* The first of `bad` in an order, with their names. */
#define SHOWN(order)                                                                                                   \
    "(select b.*, k.item, k.name from (select * from bad order by " order " limit 5) b left join item_known k"         \
    "  on k.item_id = b.item_id)"

const struct cot_quality_check cot_quality_line_checks[] = {
    {.key = "no_customer",
     .dimension = "completeness",
     .weight = 1,
     .title = "Lines without a customer",
     .where = "customer is null",
     .text =
         "format('{:,} of {:,} order and refund lines ({}) name no customer; they carry {} of the turnover ({})', n,"
         " n_lines, per_cent(share), per_cent(revenue_share), money(amount))",
     .means = "They count for products and for the shop's totals, not for people: what customers spent and how often is"
              " known from the other lines only. Revenue by segment adds up to less than the shop's revenue.",
     .action = "Have guest orders carry an e-mail address or a loyalty number. Don't compare segment revenue with the"
               " shop's total."},
    {.key = "negative_price",
     .dimension = "validity",
     .weight = 2,
     .title = "Negative prices",
     /* Shops that number their adjustments with an A number cancellations with a C. */
     .where = "amount < 0 and (kind = 1 or (customer is null and odd = 'correction' and"
              " regexp_matches(order_key, '^[A-Z][0-9]') and not regexp_matches(order_key, '^C[0-9]')))",
     .text = "format('{:,} lines with a negative price (-{} in all) are no refunds to anyone: {}', n, money(amount),"
             " coalesce(names, 'booked under ' || items, 'without a name'))",
     .means =
         "These are corrections of the books (\"Adjust bad debt\" is the classic), not purchases: they pull down the"
         " revenue of a day, an item or a customer.",
     .action = "Leave them out of the export, or book them as refunds of an order."},
    {.key = "zero_price",
     .dimension = "validity",
     .weight = 0.5,
     .title = "Order lines with the price 0",
     .where = "kind = 1 and amount = 0",
     .text = "format('{:,} order lines ({} of lines) cost nothing; {:,} of them name a customer', n, per_cent(share),"
             " n_with_customer)",
     .means = "Gifts, samples and stock corrections: they count as lines and units, so they bend basket size and price"
              " level, not spend.",
     .action = "If they are stock corrections, leave them out of the export."},
    {.key = "no_quantity",
     .dimension = "validity",
     .weight = 1,
     .title = "Order lines with a quantity below zero",
     .where = "kind = 1 and quantity < 0",
     .text = "format('{:,} order lines ({} of lines) have a quantity below zero without being refunds', n,"
             " per_cent(share))",
     .means = "Stock corrections booked among sales; they bend units and basket size.",
     .action = "Leave them out of the export, or mark them as refunds."},
    {.key = "stock_corrections",
     .dimension = "plausibility",
     .weight = 0.5,
     .title = "Stock corrections among the sales",
     .where = "kind = 2 and amount = 0 and customer is null",
     .text = "format('{:,} lines take back goods from nobody for nothing', n)",
     .means = "Damaged, lost or counted again: they belong to no customer and change no spend.",
     .action = "Leave them out of the export."},
    {.key = "refunds",
     .dimension = "plausibility",
     .weight = 0.5,
     .title = "Refunds and cancellations",
     .where = "kind = 2 and not (amount = 0 and customer is null)",
     .text = "format('{:,} refund or cancellation lines ({} of lines) take back {}, {} of the turnover{}', n,"
             " per_cent(share), money(amount), per_cent(revenue_share), case when n_numbered > 0 then format('; {:,} of"
             " them in documents whose number begins with C', n_numbered) else '' end)",
     .means = "Spend is net of them from their own date on; the share refunded is a feature of its own.",
     .action = "Nothing to do. High return rates of single items or customers are worth a look."},
    {.key = "no_product",
     .dimension = "plausibility",
     .weight = 1,
     .title = "Codes that are no products",
     .sql = "with bad as materialized (select * from line where odd in ('service', 'code', 'correction')"
            "    and amount <> 0),"
            "  codes as (select item, min(name) as name, count(*) as lines, sum(amount)::bigint as amount,"
            "    sum(abs(amount)) as moved from bad group by 1)"
            " select count(*) as n, count(*) / any_value(n_lines) as share, sum(abs(amount)) / any_value(turnover),"
            "   format('{:,} lines are postage, fees, discounts or corrections, booked under {:,} codes ({}); they "
            "move {}',"
            "     count(*), (select count(*) from codes),"
            "     (select string_agg(item, ', ' order by moved desc, item) from (select * from codes order by moved "
            "desc, item "
            "limit 12)),"
            "     money(sum(abs(amount)))),"
            "   (select list({'item': item, 'name': name, 'lines': lines, 'amount': major(amount)} order by moved "
            "desc, item)"
            "     from (select * from codes order by moved desc, item limit 12)) from bad, total",
     .means = "Nobody chose them: they would count as items of taste (category shares, novelty) and as revenue.",
     .action = "Leave them out of the export, or book shipping and fees as the order's own columns."},
    {.key = "test_items",
     .dimension = "plausibility",
     .weight = 2,
     .title = "Test products",
     .where = "odd = 'test'",
     .text = "format('{:,} lines are of test products ({}), bought by {:,} customers', n, items, n_customers_found)",
     .means = "Orders that never were; whoever placed them is probably the shop itself.",
     .action = "Delete the test orders at the source, or 'coterie forget' the accounts behind them."},
    {.key = "future",
     .dimension = "timeliness",
     .weight = 2,
     .title = "Lines from the future",
     .where = "moment > imported_at + interval 1 day",
     .text = "format('{:,} lines are dated after the day on which they were imported, up to {}', n, max_at)",
     .means = "The data's \"now\" is its newest day: one wrong date makes every customer look long gone.",
     .action = "Correct the dates at the source (swapped day and month?) and import again."},
    {.key = "price_outliers",
     .dimension = "plausibility",
     .weight = 1,
     .title = "Prices far from the item's own",
     .sql = SPREAD(
         "amount / quantity") "abs(v - m) > greatest(3.5 * s, ln(5)))"
                              " select count(*) as n, count(*) / any_value(n_lines), sum(abs(amount)) / "
                              "any_value(turnover),"
                              "   format('{:,} lines of {:,} items have a unit price at least 5 times above or below "
                              "the item''s median"
                              " (and beyond 3.5 robust standard deviations)', count(*), count(distinct item_id)),"
                              "   (select list({'customer': customer, 'order': order_key, 'item': item, 'name': name,"
                              "     'price': major(amount / quantity), 'usual': major(amount / quantity) / exp(away), "
                              "'quantity': quantity}"
                              "     order by abs(away) desc, event_id) from " SHOWN(
                                  "abs(away) desc, event_id") ") from bad, total",
     .means = "Typing errors, bundles under one code or corrections; features winsorise, so single ones bend little.",
     .action = "Look at the examples; correct typing errors at the source."},
    {.key = "quantity_outliers",
     .dimension = "plausibility",
     .weight = 1,
     .title = "Quantities far from the item's own",
     .sql = SPREAD(
         "quantity") "v - m > greatest(3.5 * s, ln(50)))"
                     " select count(*) as n, count(*) / any_value(n_lines), sum(abs(amount)) / any_value(turnover),"
                     "   format('{:,} lines have at least 50 times the item''s median quantity; the largest is {:,.0f} "
                     "units', count(*),"
                     "     max(quantity)),"
                     "   (select list({'customer': customer, 'order': order_key, 'item': item, 'name': name, "
                     "'quantity': quantity,"
                     "     'usual': quantity / exp(away), 'amount': major(amount), 'at': moment} order by quantity "
                     "desc, event_id)"
                     "     from " SHOWN("quantity desc, event_id") ") from bad, total",
     .means = "Wholesale or typing errors. Extreme customers get a segment of their own and don't bend the others.",
     .action = "Check the largest ones; sell to wholesalers through an account group of their own."},
    {.key = "undone_at_once",
     .dimension = "plausibility",
     .weight = 1,
     .title = "Orders cancelled within a day",
     .sql =
         "with r as (select customer, item_id, quantity, moment, amount from fact where kind = 2 and customer is not "
         "null"
         "    and quantity > 0),"
         "  bad as materialized (select l.*, min(r.moment) as refunded_at from fact l join r on r.customer = l.customer"
         "    and r.item_id = l.item_id and r.quantity = l.quantity and r.moment >= l.moment and r.moment < l.moment + "
         "interval 1 day"
         "    where l.kind = 1 group by all),"
         "  top as (select * from " SHOWN(
             "amount desc, event_id") " order by amount desc, event_id)"
                                      " select count(*) as n, count(*) / any_value(n_lines), sum(abs(amount)) / "
                                      "any_value(turnover),"
                                      "   format('{:,} order lines were taken back whole within a day ({}); the "
                                      "largest: {:,.0f} units of {} for {}"
                                      " in order {}, taken back {} minutes later', count(*), money(sum(amount)), "
                                      "(select first(quantity) from top),"
                                      "     (select first(coalesce(name, item, 'an item')) from top), (select "
                                      "money(first(amount)) from top),"
                                      "     (select first(coalesce(order_key, 'without a number')) from top),"
                                      "     (select first(date_diff('minute', moment, refunded_at)) from top)),"
                                      "   (select list({'customer': customer, 'order': order_key, 'item': item, "
                                      "'name': name, 'quantity': quantity,"
                                      "     'amount': major(amount), 'at': moment, 'refunded_at': refunded_at}) from "
                                      "top) from bad, total",
     .means =
         "Slips of the hand. Net spend is right; gross totals, largest baskets and item rankings before refunds are"
         " not.",
     .action = "Read revenue net of refunds, as every figure here is."},
    {.key = "refunds_alone",
     .dimension = "consistency",
     .weight = 1,
     .title = "Refunds without a purchase",
     /* Sequentially, a refund takes min(quantity, what is left); what is left before each is the running sum reflected
      * at zero. */
     .sql =
         "with r as (select * from fact where kind = 2 and not (amount = 0 and customer is null)),"
         "  ordered as (select distinct customer, order_key from fact where kind = 1 and order_key is not null"
         "    and order_hash in (select order_hash from r)),"
         "  pair as (select distinct customer, item_id from r where customer is not null and item_id is not null),"
         "  moves as (select l.event_id, l.customer, l.item_id, l.moment, l.kind,"
         "      case when l.kind = 1 then coalesce(nullif(l.quantity, 0), 1) else -coalesce(nullif(abs(l.quantity), "
         "0), 1)"
         "        end as q from fact l join pair using (customer, item_id)),"
         "  sums as (select *, sum(q) over (partition by customer, item_id order by moment, kind, event_id) as s from "
         "moves),"
         "  lows as (select *, coalesce(least(0, min(s) over (partition by customer, item_id order by moment, kind, "
         "event_id"
         "      rows between unbounded preceding and 1 preceding)), 0) as low from sums),"
         "  rest as (select event_id, s - q - low as left_before from lows where kind = 2),"
         "  known as materialized (select r.*, o.order_key is not null as by_order,"
         "      coalesce(rest.left_before, 0) > 0 as by_item from r"
         "    left join ordered o on o.order_key = r.order_key and o.customer is not distinct from r.customer"
         "    left join rest using (event_id)),"
         "  bad as (select * from known where not by_order and not by_item)"
         " select count(*) as n, count(*) / any_value(n_lines), sum(abs(amount)) / any_value(turnover),"
         "   format('{:,} of {:,} refund lines match no purchase, worth {}: {:,} without a customer, {:,} of items "
         "that are"
         " no products, {:,} of items that the customer never bought or had given back already; {:,} were matched "
         "by order,"
         " {:,} by item', count(*), (select count(*) from r), money(sum(abs(amount))),"
         "     count(*) filter (customer is null), count(*) filter (customer is not null and odd is not null),"
         "     count(*) filter (customer is not null and odd is null), (select count(*) from known where by_order),"
         "     (select count(*) from known where by_item and not by_order)),"
         "   (select list({'customer': customer, 'order': order_key, 'item': coalesce(item, code), 'name': name, 'at': "
         "moment,"
         "     'quantity': quantity, 'amount': major(amount)} order by amount, event_id) from " SHOWN(
             "amount, event_id") ")"
                                 " from bad, total",
     .means = "Their purchases lie before the data begins or under another account: such customers look worse than they"
              " are, some have negative spend.",
     .action = "Import the orders from before the first day too, or refunds that name their order."},
    {.key = "duplicates",
     .dimension = "uniqueness",
     .weight = 1,
     .title = "Lines that are there twice",
     .sql =
         "with g as (select * from repeated), top as (select l.*, g.c from (select * from g order by c desc, event_id "
         "limit 5) g"
         "    join line l using (event_id) order by g.c desc, event_id)"
         " select coalesce(sum(c - 1), 0)::bigint as n, sum(c - 1) / any_value(n_lines), (select "
         "coalesce(sum(abs(amount)"
         "    * (g.c - 1)), 0) from g join fact l using (event_id)) / any_value(turnover),"
         "   format('{:,} lines repeat another line of their order exactly ({} of lines)', sum(c - 1)::bigint,"
         "     per_cent(sum(c - 1) / any_value(n_lines))),"
         "   (select list({'customer': customer, 'order': order_key, 'item': item, 'name': name, 'quantity': quantity,"
         "     'amount': major(amount), 'times': c}) from top) from g, total",
     .means =
         "Within one file equal lines are kept, since tills book the same item twice; if they are errors, units and"
         " spend are too high by that share. A file given again adds nothing.",
     .action = "Check one of the examples against the paper order."},
    {.key = "shared_orders",
     .dimension = "consistency",
     .weight = 1,
     .title = "Orders of more than one customer",
     .sql = "with bad as materialized (select * from basket where low <> high),"
            "  top as (select b.c, b.order_hash from bad b order by c desc, event_id limit 5),"
            "  shown as (select f.order_key, any_value(t.c) as c, count(distinct f.customer) as people from top t"
            "    join fact f using (order_hash) group by 1)"
            " select coalesce(sum(c), 0)::bigint as n, sum(c) / any_value(n_lines), sum(moved) / any_value(turnover),"
            "   format('{:,} order numbers stand with more than one customer ({:,} lines)', count(*), sum(c)::bigint),"
            "   (select list({'order': order_key, 'customers': people, 'lines': c})"
            "     from (select * from shown order by c desc, order_key)) from bad, total",
     .means = "Each customer's part counts as an order of its own.",
     .action = "If numbers start again each year or in each branch, put the year or branch before the number."},
    {.key = "long_orders",
     .dimension = "consistency",
     .weight = 0.5,
     .title = "Orders spread over days",
     .sql = "with bad as materialized (select * from basket where last - first > interval 1 day and low = high),"
            "  top as (select b.*, f.order_key, f.customer from (select * from bad order by last - first desc, event_id"
            "    limit 5) b join fact f using (event_id))"
            " select coalesce(sum(c), 0)::bigint as n, sum(c) / any_value(n_lines), sum(moved) / any_value(turnover),"
            "   format('{:,} orders have lines more than a day apart, the longest {} days', count(*),"
            "     max(date_diff('day', first, last))),"
            "   (select list({'customer': customer, 'order': order_key, 'lines': c, 'first': first, 'last': last})"
            "     from (select * from top order by last - first desc, order_key)) from bad, total",
     .means = "An order's time is that of its first line; recency of such customers is a little off.",
     .action = "Check whether the order number is a customer or contract number."},
    {.key = "item_names",
     .dimension = "consistency",
     .weight = 0,
     .title = "Items with more than one name",
     .sql = "with bad as materialized (select * from item_known where n_names > 1)"
            " select count(*) as n, count(*) / greatest((select count(*) from item_known), 1), 0.0,"
            "   format('{:,} of {:,} items carry more than one name', count(*), (select count(*) from item_known)),"
            "   (select list({'item': item, 'name': name, 'names': n_names})"
            "     from (select * from bad order by n_names desc, item limit 5)) from bad",
     .means = "Items are told apart by code, so nothing is bent; the last name is shown.",
     .action = "Nothing to do unless codes are reused for other products."},
};
const size_t cot_quality_n_line_checks = sizeof cot_quality_line_checks / sizeof *cot_quality_line_checks;
