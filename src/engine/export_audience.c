#include "engine/export_audience.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "domain/consent.h"
#include "domain/event.h"
#include "domain/identity.h"
#include "engine/erased.h"
#include "engine/person_map.h"
#include "store/store.h"

void cot_export_audience_release(struct cot_export_audience *audience)
{
    free(audience->segment);
    memset(audience, 0, sizeof *audience);
}

static cot_code list_segments(struct cot_store *store, struct cot_buf *names, struct cot_err *err)
{
    struct cot_rows *rows = NULL;
    bool more = false;
    size_t size = 0;
    cot_code rc = cot_rows_open(store, &rows, err,
                                "select string_agg(segment_id || ' ' || name, ', ' order by segment_id) from segment"
                                " where run_id = (select max(run_id) from segment_run)");
    if (rc == COT_OK)
        rc = cot_rows_next(rows, &more, err);
    const char *text = rc == COT_OK && more ? cot_rows_text(rows, 0, &size) : NULL;
    if (text != NULL)
        rc = cot_buf_append(names, text, size, err);
    cot_rows_close(rows);
    return rc;
}

/* A name that is a number may be both: the name wins. */
cot_code cot_export_find_segment(struct cot_store *store, const char *segment, struct cot_export_audience *ret_audience,
                                 struct cot_err *err)
{
    struct cot_rows *rows = NULL;
    struct cot_buf names = {0};
    bool more = false;
    size_t size = 0;
    char *quoted = cot_sql_quote(segment);
    cot_code rc = quoted == NULL ? cot_fail(err, COT_NOMEM, "SQL") : COT_OK;
    if (rc == COT_OK)
        rc = cot_rows_open(store, &rows, err,
                           "select run_id, segment_id, name from segment where run_id = (select max(run_id) from"
                           " segment_run) and (lower(name) = lower(%s) or cast(segment_id as varchar) = %s)"
                           " order by lower(name) <> lower(%s) limit 1",
                           quoted, quoted, quoted);
    if (rc == COT_OK)
        rc = cot_rows_next(rows, &more, err);
    if (rc == COT_OK && more) {
        const char *name = cot_rows_text(rows, 2, &size);
        ret_audience->run_id = cot_rows_int(rows, 0);
        ret_audience->segment_id = (int32_t)cot_rows_int(rows, 1);
        ret_audience->segment = strndup(name != NULL ? name : "", size);
        if (ret_audience->segment == NULL)
            rc = cot_fail(err, COT_NOMEM, "segment");
    } else if (rc == COT_OK) {
        rc = list_segments(store, &names, err);
        if (rc == COT_OK && names.size == 0)
            rc = cot_fail(err, COT_NOT_FOUND, "there are no segments yet: 'coterie segment' learns them");
        else if (rc == COT_OK)
            rc = cot_fail(err, COT_USAGE, "there is no segment '%s': there are %s", segment, cot_buf_text(&names));
    }
    cot_rows_close(rows);
    cot_buf_release(&names);
    free(quoted);
    return rc;
}

/* Values of a column for which a rule in C holds, as a list for `in (...)`; never empty. */
static cot_code list_purpose_words(struct cot_store *store, enum cot_purpose wanted, struct cot_buf *list,
                                   struct cot_err *err)
{
    struct cot_rows *rows = NULL;
    bool more = false;
    cot_code rc = cot_rows_open(store, &rows, err, "select distinct purpose from consent where purpose is not null");
    if (rc == COT_OK)
        rc = cot_buf_puts(list, "''", err);
    while (rc == COT_OK && (rc = cot_rows_next(rows, &more, err)) == COT_OK && more) {
        size_t size = 0;
        enum cot_purpose purpose;
        const char *word = cot_rows_text(rows, 0, &size);
        if (!cot_purpose_from_name(word, size, &purpose) || purpose != wanted)
            continue;
        char *quoted = cot_sql_quote_n(word, size);
        rc = quoted != NULL ? cot_buf_printf(list, err, ", %s", quoted) : cot_fail(err, COT_NOMEM, "SQL");
        free(quoted);
    }
    cot_rows_close(rows);
    return rc;
}

/* Imports of sources whose policy does not assume the purpose. */
static cot_code list_withheld_imports(struct cot_store *store, enum cot_purpose purpose, struct cot_buf *list,
                                      struct cot_err *err)
{
    struct cot_rows *rows = NULL;
    bool more = false;
    cot_code rc = cot_rows_open(store, &rows, err,
                                "select r.import_id, s.consent_policy from import_run r join source s using (source_id)"
                                " where s.consent_policy is not null");
    if (rc == COT_OK)
        rc = cot_buf_puts(list, "-1", err);
    while (rc == COT_OK && (rc = cot_rows_next(rows, &more, err)) == COT_OK && more) {
        size_t size = 0;
        const char *policy = cot_rows_text(rows, 1, &size);
        if (cot_consent_policy_withheld(policy, size) >> purpose & 1)
            rc = cot_buf_printf(list, err, ", %lld", (long long)cot_rows_int(rows, 0));
    }
    cot_rows_close(rows);
    return rc;
}

/* One row a member: who it is and why it must not be addressed, if so. */
static const char member_sql[] =
    "create or replace temp table export_member_node as"
    "  select s.customer, n.node_id, n.kind, n.value, n.import_id from segment_member s"
    "    join (select n.*, coalesce(m.customer, n.node_id) as person from node n left join person_map m using "
    "(node_id)) n"
    "      on n.person = s.customer where s.run_id = %lld and s.segment_id = %d;"
    "create or replace temp table export_reason as with"
    "  stop as (select distinct m.customer from suppression s join export_member_node m using (node_id)),"
    "  out as (select m.customer, max(e.occurred_at) as left_at from event e join export_member_node m using (node_id)"
    "    where e.kind = %d and e.superseded_at is null group by 1),"
    "  said as (select m.customer, arg_max(c.granted, (c.occurred_at, c.rowid)) as granted,"
    "      max(c.occurred_at) filter (c.granted) as agreed_at from consent c join export_member_node m using (node_id)"
    "    where c.purpose in (%s) group by 1),"
    "  quiet as (select distinct customer from export_member_node where import_id in (%s))"
    "  select m.customer, case when stop.customer is not null then 'suppressed'"
    "    when out.customer is not null and coalesce(said.agreed_at <= out.left_at, true) then 'unsubscribed'"
    "    when said.granted = false then 'refused'"
    "    when said.customer is null and quiet.customer is not null then 'unknown' end as reason"
    "  from (select distinct customer from export_member_node) m left join stop using (customer)"
    "    left join out using (customer) left join said using (customer) left join quiet using (customer);"
    "create or replace temp table export_row(customer integer, customer_id varchar, email varchar, phone varchar,"
    "  arm varchar)";

static const char who_sql[] =
    "select m.customer, arg_min(kind, (kind <> 1, node_id)), arg_min(value, (kind <> 1, node_id)),"
    "  min(value) filter (kind = 2), min(value) filter (kind = 4), min(r.reason)"
    " from export_member_node m join export_reason r using (customer) group by m.customer order by m.customer";

static bool is_held_out(const char *salt, const char *campaign, const char *customer_id, double holdout,
                        struct cot_buf *key, cot_code *rc, struct cot_err *err)
{
    char hash[COT_ERASED_HASH_SIZE];
    char top[17];
    cot_buf_clear(key);
    *rc = cot_buf_printf(key, err, "%s/%s", campaign, customer_id);
    if (*rc != COT_OK)
        return true;
    cot_salted_hash(salt, "holdout", cot_buf_text(key), key->size, hash);
    memcpy(top, hash, 16);
    top[16] = '\0';
    return (double)strtoull(top, NULL, 16) * 0x1p-64 < holdout;
}

static void count_reason(struct cot_export_audience *audience, const char *reason, size_t size)
{
    audience->n_suppressed += size == 10 && memcmp(reason, "suppressed", size) == 0;
    audience->n_unsubscribed += size == 12 && memcmp(reason, "unsubscribed", size) == 0;
    audience->n_refused += size == 7 && memcmp(reason, "refused", size) == 0;
    audience->n_unknown += size == 7 && memcmp(reason, "unknown", size) == 0;
}

struct arms {
    const char *salt;
    const char *campaign;
    double holdout;
    struct cot_buf key;
};

static cot_code take_member(struct arms *arms, const struct cot_rows *rows, struct cot_appender *appender,
                            struct cot_export_audience *audience, struct cot_err *err)
{
    char anonymous[COT_ANONYMOUS_ID_SIZE];
    cot_code rc = COT_OK;
    size_t size = 0;
    size_t reason_size = 0;
    const char *reason = cot_rows_text(rows, 5, &reason_size);
    audience->n_members++;
    if (reason != NULL) {
        count_reason(audience, reason, reason_size);
        return COT_OK;
    }
    const char *value = cot_rows_text(rows, 2, &size);
    enum cot_node_kind kind = (enum cot_node_kind)cot_rows_int(rows, 1);
    cot_anonymous_customer_id(kind, value, size, anonymous);
    char *id = kind == COT_NODE_USER ? strndup(value, size) : strdup(anonymous);
    if (id == NULL)
        return cot_fail(err, COT_NOMEM, "customer id");
    bool held_out = is_held_out(arms->salt, arms->campaign, id, arms->holdout, &arms->key, &rc, err);
    audience->n_held_out += held_out;
    audience->n_treated += !held_out;
    if (rc == COT_OK) {
        cot_append_int(appender, cot_rows_int(rows, 0));
        cot_append_text(appender, id, strlen(id));
        for (size_t column = 3; column <= 4; column++) {
            const char *text = cot_rows_text(rows, column, &size);
            cot_append_text(appender, text, size);
        }
        cot_append_text(appender, held_out ? "holdout" : "treated", 7);
        rc = cot_appender_end_row(appender, err);
    }
    free(id);
    return rc;
}

static cot_code take_members(struct cot_store *store, struct arms *arms, struct cot_export_audience *audience,
                             struct cot_err *err)
{
    struct cot_rows *rows = NULL;
    struct cot_appender *appender = NULL;
    bool more = false;
    cot_code rc = cot_store_exec(store, err, "create or replace temp table export_who as %s", who_sql);
    if (rc == COT_OK)
        rc = cot_rows_open(store, &rows, err, "select * from export_who order by 1");
    if (rc == COT_OK)
        rc = cot_appender_open(store, "export_row", &appender, err);
    while (rc == COT_OK && (rc = cot_rows_next(rows, &more, err)) == COT_OK && more)
        rc = take_member(arms, rows, appender, audience, err);
    cot_rows_close(rows);
    cot_code closed = cot_appender_close(appender, rc == COT_OK ? err : NULL);
    return rc == COT_OK ? closed : rc;
}

cot_code cot_export_select(struct cot_store *store, enum cot_purpose purpose, const char *campaign, double holdout,
                           struct cot_export_audience *audience, struct cot_err *err)
{
    struct cot_buf words = {0};
    struct cot_buf imports = {0};
    char *salt = NULL;
    cot_code rc = cot_salt_get(store, &salt, err);
    if (rc == COT_OK)
        rc = cot_person_map_make(store, err);
    if (rc == COT_OK)
        rc = list_purpose_words(store, purpose, &words, err);
    if (rc == COT_OK)
        rc = list_withheld_imports(store, purpose, &imports, err);
    if (rc == COT_OK)
        rc = cot_store_exec(store, err, member_sql, (long long)audience->run_id, audience->segment_id,
                            COT_EVENT_UNSUBSCRIBE, cot_buf_text(&words), cot_buf_text(&imports));
    if (rc == COT_OK) {
        struct arms arms = {.salt = salt, .campaign = campaign, .holdout = holdout};
        rc = take_members(store, &arms, audience, err);
        cot_buf_release(&arms.key);
    }
    cot_buf_release(&words);
    cot_buf_release(&imports);
    free(salt);
    return rc;
}
