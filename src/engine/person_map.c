#include "engine/person_map.h"

#include "store/store.h"

/* Every linked node starts with the smallest of its neighbours and itself. */
static const char begin_sql[] =
    "create or replace temp table person_edge as"
    "  with last as (select least(node_a, node_b) as a, greatest(node_a, node_b) as b,"
    "    arg_max(op, (occurred_at, recorded_at, rowid)) as op from link where op <> 0 group by all)"
    "  select a, b from last where op > 0 and a <> b union all select b, a from last where op > 0 and a <> b;"
    "create or replace temp table person_map as"
    "  select a as node_id, least(a, min(b)) as customer from person_edge group by a";

/* Each takes the smallest that its neighbours have, then what that one has: chains halve every round. */
static const char round_sql[] =
    "create or replace temp table person_next as"
    "  with near as (select m.node_id, least(m.customer, min(n.customer)) as customer from person_map m"
    "    join person_edge e on e.a = m.node_id join person_map n on n.node_id = e.b group by m.node_id, m.customer)"
    "  select near.node_id, least(near.customer, coalesce(up.customer, near.customer)) as customer"
    "  from near left join person_map up on up.node_id = near.customer";

static const char end_sql[] = "drop table person_edge; drop table if exists person_next;"
                              "delete from person_map where node_id = customer";

cot_code cot_person_map_make(struct cot_store *store, struct cot_err *err)
{
    int64_t n_changed = 0;
    cot_code rc = cot_store_exec(store, err, "%s", begin_sql);
    do {
        if (rc == COT_OK)
            rc = cot_store_exec(store, err, "%s", round_sql);
        if (rc == COT_OK)
            rc = cot_store_number(store, &n_changed, err,
                                  "select count(*) from person_map m join person_next n using (node_id)"
                                  " where m.customer <> n.customer");
        if (rc == COT_OK)
            rc = cot_store_exec(store, err, "create or replace temp table person_map as from person_next");
    } while (rc == COT_OK && n_changed > 0);
    return rc == COT_OK ? cot_store_exec(store, err, "%s", end_sql) : rc;
}
