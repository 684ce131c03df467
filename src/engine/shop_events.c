/*
 * Events into timelines without sorting them all: the table is cut into parts by event_id, each read twice by a thread
 * with a connection of its own. The first pass counts entries by node and so gives every part its places in every run;
 * the second fills them. Runs come out in order of event_id and are sorted by time only where they are not.
 */
#include "engine/shop_events.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/array.h"
#include "base/progress.h"
#include "base/threads.h"
#include "store/store.h"

enum { MAX_PARTS = 8, SORT_BLOCK_NODES = 8192, SMALL_TABLE = 100000 };

struct part {
    int64_t first_id, end_id; /* event_id in [first_id, end_id) */
    bool in_order;            /* rows come by event_id */
    uint32_t *counts;         /* [n_nodes]; then the next place in the node's run, from the run's start */
    uint64_t n_entries;
    size_t n_lines;
    size_t first_line;
    struct cot_line_extra *extras;
    size_t n_extras, extras_capacity;
    int64_t kind_since_ms[128];
    cot_code rc;
    struct cot_err err;
};

struct load {
    struct cot_store *store;
    struct cot_history *history;
    const struct cot_progress *progress;
    uint32_t n_nodes;
    struct part parts[MAX_PARTS];
    size_t n_parts;
};

static bool is_valid(const uint64_t *validity, size_t i)
{
    return validity == NULL || (validity[i / 64] >> (i % 64) & 1) != 0;
}

/* A DuckDB string in place; "" where NULL. */
static const char *string_at(const void *data, const uint64_t *validity, size_t i, size_t *ret_size)
{
    const duckdb_string_t *string = (const duckdb_string_t *)data + i;
    *ret_size = 0;
    if (!is_valid(validity, i))
        return "";
    *ret_size = string->value.inlined.length;
    return *ret_size <= sizeof string->value.inlined.inlined ? string->value.inlined.inlined
                                                             : string->value.pointer.ptr;
}

static cot_code part_open(const struct load *load, const struct part *part, const char *columns,
                          duckdb_connection *connection, struct cot_rows **ret_rows, struct cot_err *err)
{
    char sql[1024];
    bool alone = load->n_parts == 1; /* then it sees what the rest of the shop is read from: a snapshot, too */
    cot_code rc = alone ? COT_OK : cot_store_connect(load->store, connection, err);
    if (rc != COT_OK)
        return rc;
    snprintf(sql, sizeof sql,
             "select %s from event where event_id >= %" PRId64 " and event_id < %" PRId64
             " and node_id is not null and occurred_at <= epoch_ms(%" PRId64 ")::timestamp_ms"
             " and recorded_at <= epoch_ms(%" PRId64 ")::timestamp_ms"
             " and (superseded_at is null or superseded_at > epoch_ms(%" PRId64 ")::timestamp_ms)%s",
             columns, part->first_id, part->end_id, load->history->as_of_ms, load->history->as_of_ms,
             load->history->as_of_ms, part->in_order ? "" : " order by event_id");
    return cot_rows_open_on(alone ? cot_store_connection(load->store) : *connection, sql, ret_rows, err);
}

static cot_code count_chunk(const struct load *load, struct part *part, const struct cot_rows *rows, size_t n,
                            int64_t *last_id)
{
    const uint64_t *validity = NULL;
    const int32_t *nodes = cot_rows_vector(rows, 0, &validity);
    const uint8_t *kinds = cot_rows_vector(rows, 1, &validity);
    const int64_t *ids = cot_rows_vector(rows, 2, &validity);
    for (size_t i = 0; i < n; i++) {
        if (nodes[i] < 0 || (uint32_t)nodes[i] >= load->n_nodes)
            return cot_fail(&part->err, COT_BAD_DATA, "event %" PRId64 " belongs to node %d, which is not there",
                            ids[i], nodes[i]);
        part->in_order &= ids[i] >= *last_id;
        *last_id = ids[i];
        part->counts[nodes[i]]++;
        part->n_lines += kinds[i] == COT_EVENT_ORDER_LINE || kinds[i] == COT_EVENT_REFUND;
    }
    part->n_entries += n;
    return COT_OK;
}

static void count_part(void *context, size_t begin, size_t end, size_t i_block, unsigned i_thread)
{
    struct load *load = context;
    struct part *part = &load->parts[begin];
    struct cot_rows *rows = NULL;
    duckdb_connection connection = NULL;
    int64_t last_id = INT64_MIN;
    size_t n = 0;
    part->in_order = true;
    part->rc = part_open(load, part, "node_id, kind, event_id", &connection, &rows, &part->err);
    while (part->rc == COT_OK && (part->rc = cot_rows_next_chunk(rows, &n, &part->err)) == COT_OK && n > 0)
        part->rc = count_chunk(load, part, rows, n, &last_id);
    cot_rows_close(rows);
    duckdb_disconnect(&connection);
    (void)end;
    (void)i_block;
    (void)i_thread;
}

enum column {
    COLUMN_NODE,
    COLUMN_KIND,
    COLUMN_AT,
    COLUMN_ORDER,
    COLUMN_ITEM,
    COLUMN_QUANTITY,
    COLUMN_AMOUNT,
    COLUMN_DISCOUNT,
    COLUMN_COST,
    COLUMN_CHANNEL,
    COLUMN_SESSION,
    COLUMN_CAMPAIGN,
    N_COLUMNS
};

static const char fill_columns[] = "node_id, kind, occurred_at, order_key, item_id, quantity, amount_minor,"
                                   " discount_minor, cost_minor, channel, session, campaign";

/* A chunk's column data and validity, and the channel met last (channels repeat). */
struct chunk {
    const void *data[N_COLUMNS];
    const uint64_t *validity[N_COLUMNS];
    char channel_text[16];
    size_t channel_size;
    enum cot_channel channel;
};

static int64_t minor_at(const struct chunk *chunk, enum column column, size_t i)
{
    return is_valid(chunk->validity[column], i) ? ((const int64_t *)chunk->data[column])[i] : COT_UNKNOWN_MINOR;
}

static enum cot_channel channel_at(struct chunk *chunk, size_t i)
{
    size_t size = 0;
    const char *text = string_at(chunk->data[COLUMN_CHANNEL], chunk->validity[COLUMN_CHANNEL], i, &size);
    if (size > sizeof chunk->channel_text)
        return COT_CHANNEL_OTHER;
    if (size != chunk->channel_size || memcmp(text, chunk->channel_text, size) != 0) {
        chunk->channel = cot_channel_from_name(text, size);
        memcpy(chunk->channel_text, text, size);
        chunk->channel_size = size;
    }
    return chunk->channel;
}

static uint32_t detail_at(const struct chunk *chunk, enum cot_event_kind kind, size_t i)
{
    size_t size = 0;
    bool message = cot_event_kind_group(kind) == COT_EVENT_GROUP_MESSAGE;
    enum column column = message ? COLUMN_CAMPAIGN : COLUMN_SESSION;
    const char *text = string_at(chunk->data[column], chunk->validity[column], i, &size);
    return cot_detail_hash(text, size);
}

/* Writes row i's line to its place; discount and cost go to the part's own array, moved to the shop's at the end. */
static cot_code fill_line(struct load *load, struct part *part, const struct chunk *chunk, size_t i, size_t i_line)
{
    size_t size = 0;
    const char *key = string_at(chunk->data[COLUMN_ORDER], chunk->validity[COLUMN_ORDER], i, &size);
    struct cot_line *line = &load->history->timelines.lines.lines[i_line];
    bool has_quantity = is_valid(chunk->validity[COLUMN_QUANTITY], i);
    double quantity = has_quantity ? ((const double *)chunk->data[COLUMN_QUANTITY])[i] : 0;
    int64_t discount_minor = minor_at(chunk, COLUMN_DISCOUNT, i);
    int64_t cost_minor = minor_at(chunk, COLUMN_COST, i);
    int64_t amount_minor = minor_at(chunk, COLUMN_AMOUNT, i);
    quantity = quantity < 0 ? -quantity : quantity;
    *line = (struct cot_line){.amount_minor = amount_minor != COT_UNKNOWN_MINOR ? amount_minor : 0,
                              .order = cot_order_hash(key, size),
                              .quantity = quantity > 0 ? (float)quantity : 1,
                              .extra = COT_NO_EXTRA};
    if (discount_minor == COT_UNKNOWN_MINOR && cost_minor == COT_UNKNOWN_MINOR)
        return COT_OK;
    void *grown = cot_array_reserve(part->extras, &part->extras_capacity, part->n_extras + 1, sizeof *part->extras);
    if (grown == NULL)
        return cot_fail(&part->err, COT_NOMEM, "discounts and costs of %zu order lines", part->n_extras + 1);
    part->extras = grown;
    line->extra = (uint32_t)part->n_extras;
    part->extras[part->n_extras++] = (struct cot_line_extra){discount_minor, cost_minor, COT_NO_NOTE};
    return COT_OK;
}

static cot_code fill_chunk(struct load *load, struct part *part, struct chunk *chunk, size_t n, size_t *i_line)
{
    struct cot_timelines *timelines = &load->history->timelines;
    const int32_t *nodes = chunk->data[COLUMN_NODE];
    const uint8_t *kinds = chunk->data[COLUMN_KIND];
    const int64_t *times = chunk->data[COLUMN_AT];
    const int32_t *items = chunk->data[COLUMN_ITEM];
    for (size_t i = 0; i < n; i++) {
        /* Runs lie all over memory: ask for the places ahead. */
        if (i + 16 < n) {
            __builtin_prefetch(&part->counts[nodes[i + 16]], 1);
            __builtin_prefetch(&timelines->starts[nodes[i + 16]]);
        }
        if (i + 8 < n)
            __builtin_prefetch(&timelines->entries[timelines->starts[nodes[i + 8]] + part->counts[nodes[i + 8]]], 1);
        bool commerce = kinds[i] == COT_EVENT_ORDER_LINE || kinds[i] == COT_EVENT_REFUND;
        bool has_item = is_valid(chunk->validity[COLUMN_ITEM], i) && items[i] >= 0;
        int64_t at_ms = times[i] < COT_EVENT_MIN_MS ? COT_EVENT_MIN_MS : times[i];
        uint32_t detail = (uint32_t)*i_line;
        if (!commerce) {
            detail = detail_at(chunk, (enum cot_event_kind)kinds[i], i);
        } else {
            cot_code rc = fill_line(load, part, chunk, i, (*i_line)++);
            if (rc != COT_OK)
                return rc;
        }
        uint64_t place = timelines->starts[nodes[i]] + part->counts[nodes[i]]++;
        timelines->entries[place] =
            cot_entry_make(at_ms, kinds[i], channel_at(chunk, i), has_item ? (uint32_t)items[i] : COT_NO_ITEM, detail);
        if (at_ms < part->kind_since_ms[kinds[i] & 127])
            part->kind_since_ms[kinds[i] & 127] = at_ms;
    }
    return COT_OK;
}

static void fill_part(void *context, size_t begin, size_t end, size_t i_block, unsigned i_thread)
{
    struct load *load = context;
    struct part *part = &load->parts[begin];
    struct cot_rows *rows = NULL;
    duckdb_connection connection = NULL;
    struct chunk chunk = {.channel = COT_CHANNEL_UNKNOWN};
    size_t i_line = part->first_line;
    size_t n = 0;
    uint64_t n_done = 0;
    part->rc = part_open(load, part, fill_columns, &connection, &rows, &part->err);
    while (part->rc == COT_OK && (part->rc = cot_rows_next_chunk(rows, &n, &part->err)) == COT_OK && n > 0) {
        for (size_t i = 0; i < N_COLUMNS; i++)
            chunk.data[i] = cot_rows_vector(rows, i, &chunk.validity[i]);
        part->rc = fill_chunk(load, part, &chunk, n, &i_line);
        n_done += n;
        if (begin == 0 && n_done % (1 << 16) < n)
            cot_progress_report(load->progress, "reading events", n_done, part->n_entries);
    }
    cot_rows_close(rows);
    duckdb_disconnect(&connection);
    (void)end;
    (void)i_block;
    (void)i_thread;
}

static cot_code load_check(const struct load *load, struct cot_err *err)
{
    for (size_t i = 0; i < load->n_parts; i++)
        if (load->parts[i].rc != COT_OK)
            return cot_fail(err, load->parts[i].rc, "%s", load->parts[i].err.message);
    return COT_OK;
}

/* Cuts the ids into as many ranges as threads. */
static cot_code load_init(struct load *load, unsigned n_threads, struct cot_err *err)
{
    int64_t first = 0;
    int64_t last = -1;
    cot_code rc = cot_store_number(load->store, &first, err, "select coalesce(min(event_id), 0) from event");
    if (rc == COT_OK)
        rc = cot_store_number(load->store, &last, err, "select coalesce(max(event_id), -1) from event");
    if (rc != COT_OK)
        return rc;
    uint64_t span = last >= first ? (uint64_t)(last - first) + 1 : 0;
    load->n_parts = span < SMALL_TABLE || n_threads <= 1 ? 1 : n_threads < MAX_PARTS ? n_threads : MAX_PARTS;
    for (size_t i = 0; i < load->n_parts; i++) {
        struct part *part = &load->parts[i];
        part->first_id = first + (int64_t)(span / load->n_parts * i);
        part->end_id = i + 1 == load->n_parts ? last + 1 : first + (int64_t)(span / load->n_parts * (i + 1));
        part->counts = calloc((size_t)load->n_nodes + 1, sizeof *part->counts);
        if (part->counts == NULL)
            return cot_fail(err, COT_NOMEM, "counters of %u nodes", load->n_nodes);
        for (size_t kind = 0; kind < 128; kind++)
            part->kind_since_ms[kind] = INT64_MAX;
    }
    return COT_OK;
}

/* Places for all that was counted: runs, and in them a stretch for each part. */
static cot_code load_place(struct load *load, struct cot_err *err)
{
    struct cot_timelines *timelines = &load->history->timelines;
    uint64_t n = 0;
    size_t n_lines = 0;
    timelines->n_nodes = load->n_nodes;
    timelines->starts = malloc(((size_t)load->n_nodes + 1) * sizeof *timelines->starts);
    if (timelines->starts == NULL)
        return cot_fail(err, COT_NOMEM, "timelines of %u nodes", load->n_nodes);
    for (uint32_t node = 0; node < load->n_nodes; node++) {
        uint32_t within = 0;
        timelines->starts[node] = n;
        for (size_t i = 0; i < load->n_parts; i++) {
            uint32_t count = load->parts[i].counts[node];
            load->parts[i].counts[node] = within;
            within += count;
        }
        n += within;
    }
    timelines->starts[load->n_nodes] = n;
    for (size_t i = 0; i < load->n_parts; i++) {
        load->parts[i].first_line = n_lines;
        n_lines += load->parts[i].n_lines;
    }
    if (n_lines >= UINT32_MAX - 1)
        return cot_fail(err, COT_LIMIT, "%zu order lines are more than one shop may have (%u)", n_lines,
                        UINT32_MAX - 2);
    timelines->entries = malloc(((size_t)n + 1) * sizeof *timelines->entries);
    timelines->lines.lines = malloc((n_lines + 1) * sizeof *timelines->lines.lines);
    timelines->lines.n = n_lines;
    timelines->lines.capacity = n_lines + 1;
    if (timelines->entries == NULL || timelines->lines.lines == NULL)
        return cot_fail(err, COT_NOMEM, "%" PRIu64 " events and %zu order lines (%" PRIu64 " bytes)", n, n_lines,
                        n * sizeof *timelines->entries + n_lines * sizeof *timelines->lines.lines);
    return COT_OK;
}

/* The parts' discounts and costs into one array; their earliest times into the shop's. */
static cot_code load_join(struct load *load, struct cot_err *err)
{
    struct cot_lines *lines = &load->history->timelines.lines;
    size_t n = 0;
    for (size_t i = 0; i < load->n_parts; i++)
        n += load->parts[i].n_extras;
    lines->extras = malloc((n + 1) * sizeof *lines->extras);
    if (lines->extras == NULL)
        return cot_fail(err, COT_NOMEM, "discounts and costs of %zu order lines", n);
    lines->extras_capacity = n + 1;
    for (size_t i = 0; i < load->n_parts; i++) {
        struct part *part = &load->parts[i];
        for (size_t j = part->first_line; j < part->first_line + part->n_lines; j++)
            if (lines->lines[j].extra != COT_NO_EXTRA)
                lines->lines[j].extra += (uint32_t)lines->n_extras;
        if (part->n_extras > 0)
            memcpy(lines->extras + lines->n_extras, part->extras, part->n_extras * sizeof *lines->extras);
        lines->n_extras += part->n_extras;
        for (size_t kind = 0; kind < 128; kind++)
            if (part->kind_since_ms[kind] < load->history->kind_since_ms[kind])
                load->history->kind_since_ms[kind] = part->kind_since_ms[kind];
    }
    return COT_OK;
}

struct sort {
    struct cot_timelines *timelines;
    struct cot_entry **scratch; /* [n_threads], each of the longest run */
};

static void sort_block(void *context, size_t begin, size_t end, size_t i_block, unsigned i_thread)
{
    const struct sort *sort = context;
    const struct cot_timelines *timelines = sort->timelines;
    for (size_t node = begin; node < end; node++)
        cot_run_sort(timelines->entries + timelines->starts[node],
                     (size_t)(timelines->starts[node + 1] - timelines->starts[node]), sort->scratch[i_thread]);
    (void)i_block;
}

static cot_code sort_runs(struct cot_timelines *timelines, unsigned n_threads, struct cot_err *err)
{
    uint64_t longest = 0;
    cot_code rc = COT_OK;
    struct sort sort = {timelines, calloc(n_threads, sizeof *sort.scratch)};
    if (sort.scratch == NULL)
        return cot_fail(err, COT_NOMEM, "%u threads", n_threads);
    for (uint32_t node = 0; node < timelines->n_nodes; node++)
        if (timelines->starts[node + 1] - timelines->starts[node] > longest)
            longest = timelines->starts[node + 1] - timelines->starts[node];
    for (unsigned i = 0; i < n_threads; i++) {
        sort.scratch[i] = malloc((size_t)(longest + 1) * sizeof **sort.scratch);
        if (sort.scratch[i] == NULL)
            rc = cot_fail(err, COT_NOMEM, "sorting %" PRIu64 " entries", longest);
    }
    if (rc == COT_OK)
        cot_parallel_for(n_threads, timelines->n_nodes, SORT_BLOCK_NODES, sort_block, &sort);
    for (unsigned i = 0; i < n_threads; i++)
        free(sort.scratch[i]);
    free(sort.scratch);
    return rc;
}

cot_code cot_shop_load_events(struct cot_store *store, uint32_t n_nodes, unsigned n_threads,
                              const struct cot_progress *progress, struct cot_history *history, struct cot_err *err)
{
    struct load load = {.store = store, .history = history, .progress = progress, .n_nodes = n_nodes};
    if (n_threads == 0)
        n_threads = cot_threads_available();
    for (size_t kind = 0; kind < 128; kind++)
        history->kind_since_ms[kind] = INT64_MAX;
    cot_progress_report(progress, "reading events", 0, 0);
    cot_code rc = load_init(&load, n_threads, err);
    if (rc != COT_OK)
        goto out;
    cot_parallel_for(n_threads, load.n_parts, 1, count_part, &load);
    rc = load_check(&load, err);
    if (rc == COT_OK)
        rc = load_place(&load, err);
    if (rc != COT_OK)
        goto out;
    cot_parallel_for(n_threads, load.n_parts, 1, fill_part, &load);
    rc = load_check(&load, err);
    if (rc == COT_OK)
        rc = load_join(&load, err);
    if (rc == COT_OK)
        rc = sort_runs(&history->timelines, n_threads, err);
out:
    for (size_t i = 0; i < load.n_parts; i++) {
        free(load.parts[i].counts);
        free(load.parts[i].extras);
    }
    return rc;
}
