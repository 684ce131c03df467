#include "engine/segment_days.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/civil.h"
#include "base/json.h"
#include "base/number.h"
#include "engine/context_store.h"
#include "engine/segment_json.h"
#include "store/store.h"

const int cot_day_windows[COT_DAY_N_WINDOWS] = {30, 365};

void cot_day_free(struct cot_day *day)
{
    if (day == NULL)
        return;
    for (size_t i = 0; i < day->n_segments; i++)
        free(day->segments[i].members.bits);
    free(day->segments);
    free(day);
}

/* Writing */

static int64_t count_members(const struct cot_day_members *members)
{
    int64_t n = 0;
    for (size_t word = 0; word < members->n_words; word++)
        n += __builtin_popcountll(members->bits[word]);
    return n;
}

/* Of those in a, how many are not in b. */
static int64_t count_only(const struct cot_day_members *a, const struct cot_day_members *b)
{
    int64_t n = 0;
    for (size_t word = 0; word < a->n_words; word++)
        n += __builtin_popcountll(a->bits[word] & ~(word < b->n_words ? b->bits[word] : 0));
    return n;
}

/* The rows of one segment: "segment_id = 3", or by the quoted name. */
static char *where_segment(const struct cot_day_segment *segment)
{
    char *where = NULL;
    char *quoted = cot_sql_quote(segment->name);
    int size = -1;
    if (quoted != NULL)
        size = segment->segment_id != 0 ? asprintf(&where, "segment_id = %" PRId32, segment->segment_id)
                                        : asprintf(&where, "segment_id is null and segment = %s", quoted);
    free(quoted);
    return size < 0 ? NULL : where;
}

static cot_code load_members(struct cot_store *store, const char *where, struct cot_day_members *ret_members,
                             struct cot_err *err)
{
    struct cot_rows *rows = NULL;
    int64_t last = -1;
    bool more = false;
    cot_code rc = cot_store_number(store, &last, err,
                                   "select coalesce(max(customer), -1) from segment_day_member where %s", where);
    if (rc != COT_OK)
        return rc;
    struct cot_day_members members = {.n_words = (size_t)(last + 64) / 64};
    members.bits = calloc(members.n_words + 1, sizeof *members.bits);
    if (members.bits == NULL)
        return cot_fail(err, COT_NOMEM, "the snapshot of a segment");
    rc = cot_rows_open(store, &rows, err, "select customer from segment_day_member where %s", where);
    while (rc == COT_OK && (rc = cot_rows_next(rows, &more, err)) == COT_OK && more) {
        uint64_t customer = (uint64_t)cot_rows_int(rows, 0);
        members.bits[customer / 64] |= UINT64_C(1) << (customer % 64);
    }
    cot_rows_close(rows);
    if (rc == COT_OK)
        *ret_members = members;
    else
        free(members.bits);
    return rc;
}

/* Who came and went since the day before; -1 where there is no snapshot of it. */
static cot_code compare(struct cot_store *store, const struct cot_day *day, const struct cot_day_segment *segment,
                        int64_t *ret_entered, int64_t *ret_exited, struct cot_err *err)
{
    struct cot_day_members before = {0};
    int64_t n = 0;
    *ret_entered = *ret_exited = -1;
    char *where = where_segment(segment);
    cot_code rc = where == NULL ? cot_fail(err, COT_NOMEM, "the snapshot of a segment")
                                : cot_store_number(store, &n, err,
                                                   "select count(*) from segment_day where %s and day ="
                                                   " date '1970-01-01' + %" PRId64,
                                                   where, day->day - 1);
    if (rc == COT_OK && n > 0)
        rc = load_members(store, where, &before, err);
    if (rc == COT_OK && n > 0) {
        *ret_entered = count_only(&segment->members, &before);
        *ret_exited = count_only(&before, &segment->members);
    }
    free(before.bits);
    free(where);
    return rc;
}

static void append_count(struct cot_appender *appender, int64_t n)
{
    if (n >= 0)
        cot_append_int(appender, n);
    else
        cot_append_null(appender);
}

static cot_code write_segment(struct cot_store *store, const struct cot_day *day, const struct cot_day_segment *segment,
                              struct cot_err *err)
{
    char date[COT_TIME_TEXT_SIZE];
    int64_t entered = -1;
    int64_t exited = -1;
    char movement[64] = "null, null";
    char id[16] = "null";
    cot_code rc = compare(store, day, segment, &entered, &exited, err);
    if (rc != COT_OK)
        return rc;
    char *name = cot_sql_quote(segment->name);
    if (name == NULL)
        return cot_fail(err, COT_NOMEM, "the snapshot of a segment");
    cot_format_date(day->day * COT_MS_PER_DAY, date, sizeof date);
    if (entered >= 0)
        snprintf(movement, sizeof movement, "%" PRId64 ", %" PRId64, entered, exited);
    if (segment->segment_id != 0)
        snprintf(id, sizeof id, "%" PRId32, segment->segment_id);
    rc = cot_store_exec(store, err,
                        "insert into segment_day values (date '%s', epoch_ms(%" PRId64
                        ")::timestamp_ms, %s, %s, %" PRId32 ", %" PRId64 ", %" PRId64 ", %" PRId64 ", %s)",
                        date, day->as_of_ms, id, name, segment->version, count_members(&segment->members),
                        segment->revenue_minor[0], segment->revenue_minor[1], movement);
    free(name);
    return rc;
}

static cot_code write_members(struct cot_store *store, const struct cot_day *day, struct cot_err *err)
{
    struct cot_appender *appender = NULL;
    struct cot_err ignored;
    cot_code rc = cot_appender_open(store, "segment_day_member", &appender, err);
    for (size_t i = 0; i < day->n_segments; i++) {
        const struct cot_day_segment *segment = &day->segments[i];
        for (size_t word = 0; word < segment->members.n_words; word++)
            for (uint64_t bits = segment->members.bits[word]; bits != 0 && rc == COT_OK; bits &= bits - 1) {
                append_count(appender, segment->segment_id != 0 ? segment->segment_id : -1);
                cot_append_text(appender, segment->name, strlen(segment->name));
                cot_append_int(appender, (int64_t)(word * 64) + __builtin_ctzll(bits));
                rc = cot_appender_end_row(appender, err);
            }
    }
    cot_code closed = cot_appender_close(appender, rc == COT_OK ? err : &ignored);
    return rc == COT_OK ? closed : rc;
}

cot_code cot_day_write(struct cot_store *store, const struct cot_day *day, struct cot_err *err)
{
    int64_t n = 0;
    cot_code rc = cot_store_number(
        store, &n, err, "select count(*) from segment_day where day >= date '1970-01-01' + %" PRId64, day->day);
    if (rc != COT_OK || n > 0)
        return rc;
    for (size_t i = 0; i < day->n_segments && rc == COT_OK; i++)
        rc = write_segment(store, day, &day->segments[i], err);
    if (rc == COT_OK)
        rc = cot_store_exec(store, err, "delete from segment_day_member");
    return rc == COT_OK ? write_members(store, day, err) : rc;
}

/* Histories */

/* The segment whose days are being listed. */
struct listing {
    yyjson_mut_doc *doc;
    yyjson_mut_val *segments;
    yyjson_mut_val *days; /* of the one at hand; NULL: none yet */
    int64_t last_day;
    double minor_per_major;
};

static void add_missing(struct listing *listing, int64_t day)
{
    static const char *const keys[] = {"as_of", "version", "size", "revenue_30", "revenue_365", "entered", "exited"};
    yyjson_mut_val *object = yyjson_mut_arr_add_obj(listing->doc, listing->days);
    cot_json_add_day(listing->doc, object, "day", day);
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++)
        yyjson_mut_obj_add_null(listing->doc, object, keys[i]);
}

static void add_count(struct listing *listing, yyjson_mut_val *object, const char *key, const struct cot_rows *rows,
                      size_t i_column)
{
    if (cot_rows_is_null(rows, i_column))
        yyjson_mut_obj_add_null(listing->doc, object, key);
    else
        yyjson_mut_obj_add_int(listing->doc, object, key, cot_rows_int(rows, i_column));
}

static void add_row(struct listing *listing, const struct cot_rows *rows)
{
    int64_t day = cot_rows_int(rows, 3);
    for (int64_t missing = listing->last_day + 1; listing->last_day != INT64_MIN && missing < day; missing++)
        add_missing(listing, missing);
    listing->last_day = day;
    yyjson_mut_val *object = yyjson_mut_arr_add_obj(listing->doc, listing->days);
    cot_json_add_day(listing->doc, object, "day", day);
    cot_json_add_time(listing->doc, object, "as_of", cot_rows_int(rows, 4));
    add_count(listing, object, "version", rows, 5);
    add_count(listing, object, "size", rows, 6);
    cot_json_add_number(listing->doc, object, "revenue_30", cot_rows_double(rows, 7) / listing->minor_per_major);
    cot_json_add_number(listing->doc, object, "revenue_365", cot_rows_double(rows, 8) / listing->minor_per_major);
    add_count(listing, object, "entered", rows, 9);
    add_count(listing, object, "exited", rows, 10);
}

static void begin_segment(struct listing *listing, const struct cot_rows *rows)
{
    size_t size = 0;
    const char *name = cot_rows_text(rows, 2, &size);
    yyjson_mut_val *segment = yyjson_mut_arr_add_obj(listing->doc, listing->segments);
    add_count(listing, segment, "segment_id", rows, 1);
    yyjson_mut_obj_add_strncpy(listing->doc, segment, "name", name != NULL ? name : "", size);
    listing->days = yyjson_mut_obj_add_arr(listing->doc, segment, "days");
    listing->last_day = INT64_MIN;
}

/* Rows of a segment in order of their days; `first` marks where a segment begins. Learned segments have the name of
 * their last day. */
static const char days_sql[] =
    "with known as (select *, coalesce(segment_id::varchar, segment) as key, day - date '1970-01-01' as n from "
    "segment_day"
    " where %s), numbered as (select *, row_number() over (partition by segment_id is null, key order by day desc) as "
    "back,"
    " last_value(segment) over (partition by segment_id is null, key order by day rows between unbounded preceding and"
    " unbounded following) as name from known)"
    " select back = max(back) over (partition by segment_id is null, key) as first, segment_id, name, n, as_of, "
    "version,"
    " size, revenue_30_minor, revenue_365_minor, entered, exited from numbered where back <= %" PRId64
    " order by segment_id is not null, segment_id, key, day";

/* Which rows: by rule, else learned. */
static cot_code choose(struct cot_store *store, const char *name, char **ret_where, struct cot_err *err)
{
    int64_t n = 0;
    int64_t id = 0;
    char *where = NULL;
    char *quoted = name != NULL ? cot_sql_quote(name) : strdup("");
    int size = -1;
    cot_code rc = quoted == NULL ? cot_fail(err, COT_NOMEM, "a segment's days") : COT_OK;
    if (rc == COT_OK && name != NULL)
        rc = cot_store_number(store, &n, err,
                              "select count(*) from segment_day where segment_id is null and segment = %s", quoted);
    if (rc == COT_OK && name == NULL)
        size = asprintf(&where, "true");
    else if (rc == COT_OK && n > 0)
        size = asprintf(&where, "segment_id is null and segment = %s", quoted);
    else if (rc == COT_OK && cot_parse_int(name, strlen(name), &id) && id > 0)
        size = asprintf(&where, "segment_id = %" PRId64, id);
    else if (rc == COT_OK)
        rc = cot_fail(err, COT_NOT_FOUND,
                      "no snapshot of a segment '%.60s' yet: the server takes them at the shop's midnight", name);
    if (rc == COT_OK && size < 0)
        rc = cot_fail(err, COT_NOMEM, "a segment's days");
    free(quoted);
    if (rc == COT_OK)
        *ret_where = where;
    return rc;
}

cot_code cot_segment_days_describe(struct cot_store *store, const char *name, int64_t max_days, yyjson_mut_doc *doc,
                                   yyjson_mut_val *root, struct cot_err *err)
{
    struct cot_segment_money money;
    struct cot_rows *rows = NULL;
    char *where = NULL;
    bool more = false;
    cot_code rc = cot_segment_money_load(store, &money, err);
    if (rc == COT_OK)
        rc = choose(store, name, &where, err);
    if (rc == COT_OK)
        rc = cot_rows_open(store, &rows, err, days_sql, where, max_days);
    free(where);
    if (rc != COT_OK)
        return rc;
    yyjson_mut_obj_add_strcpy(doc, root, "currency", money.currency);
    struct listing listing = {.doc = doc,
                              .segments = yyjson_mut_obj_add_arr(doc, root, "segments"),
                              .minor_per_major = money.minor_per_major};
    while (rc == COT_OK && (rc = cot_rows_next(rows, &more, err)) == COT_OK && more) {
        if (cot_rows_int(rows, 0) != 0 || listing.days == NULL)
            begin_segment(&listing, rows);
        add_row(&listing, rows);
    }
    cot_rows_close(rows);
    if (rc == COT_OK && name != NULL && yyjson_mut_arr_size(listing.segments) == 0)
        rc = cot_fail(err, COT_NOT_FOUND, "no snapshot of a segment '%.60s' yet", name);
    return rc;
}

cot_code cot_segment_days_run(const struct cot_context *context, const char *name, int64_t max_days,
                              yyjson_mut_doc **ret_doc, struct cot_err *err)
{
    struct cot_store *store = NULL;
    yyjson_mut_doc *doc = NULL;
    yyjson_mut_val *root = NULL;
    cot_code rc = cot_context_open_store(context, COT_STORE_READ_ONLY, &store, err);
    if (rc == COT_OK)
        rc = cot_json_document(&doc, &root, err);
    if (rc == COT_OK)
        rc = cot_segment_days_describe(store, name, max_days, doc, root, err);
    cot_store_close(store);
    return cot_json_finish(rc, doc, ret_doc);
}
