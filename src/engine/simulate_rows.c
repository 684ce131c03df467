#include "engine/simulate_rows.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/civil.h"

const char *const cot_simulate_file_names[COT_SIMULATE_N_FILES] = {
#define X(file, name, kind, header) name,
    COT_SIMULATE_FILES(X)
#undef X
};
const char *const cot_simulate_file_kinds[COT_SIMULATE_N_FILES] = {
#define X(file, name, kind, header) kind,
    COT_SIMULATE_FILES(X)
#undef X
};
const char *const cot_simulate_dirt_names[COT_SIMULATE_N_DIRTS] = {
#define X(dirt, name) name,
    COT_SIMULATE_DIRT(X)
#undef X
};
static const char *const headers[COT_SIMULATE_N_FILES] = {
#define X(file, name, kind, header) header,
    COT_SIMULATE_FILES(X)
#undef X
};

static const char *const country_names[] = {"United Kingdom", "Germany", "France", "Ireland", "United States"};
static const char *const income_names[] = {"under 20k", "20k-35k", "35k-50k", "50k-80k", "80k and over"};

/* A row being made; the longest is well below ROW_SIZE (all parts are ours and bounded). */
enum { ROW_SIZE = 1024, EMAIL_SIZE = 48 };

static char *put_text(char *at, const char *text)
{
    size_t size = strlen(text);
    memcpy(at, text, size);
    return at + size;
}

/* The last n_digits digits of value, with leading zeros. */
static char *put_digits(char *at, uint64_t value, int n_digits)
{
    for (int i = n_digits - 1; i >= 0; i--, value /= 10)
        at[i] = (char)('0' + value % 10);
    return at + n_digits;
}

static char *put_int(char *at, int64_t value)
{
    uint64_t left = value < 0 ? -(uint64_t)value : (uint64_t)value;
    int n_digits = 1;
    for (uint64_t rest = left; rest >= 10; rest /= 10)
        n_digits++;
    if (value < 0)
        *at++ = '-';
    return put_digits(at, left, n_digits);
}

static char *put_money(char *at, int64_t minor)
{
    uint64_t left = minor < 0 ? -(uint64_t)minor : (uint64_t)minor;
    if (minor < 0)
        *at++ = '-';
    at = put_int(at, (int64_t)(left / 100));
    *at++ = '.';
    return put_digits(at, left % 100, 2);
}

static char *put_date(char *at, int64_t ms)
{
    struct cot_civil civil;
    cot_civil_from_ms(ms, &civil);
    at = put_digits(at, (uint64_t)civil.year, 4);
    *at++ = '-';
    at = put_digits(at, (uint64_t)civil.month, 2);
    *at++ = '-';
    return put_digits(at, (uint64_t)civil.day, 2);
}

static char *put_time(char *at, int64_t ms)
{
    int64_t second = ms / COT_MS_PER_SECOND % 86400;
    at = put_date(at, ms);
    *at++ = 'T';
    at = put_digits(at, (uint64_t)second / 3600, 2);
    *at++ = ':';
    at = put_digits(at, (uint64_t)second / 60 % 60, 2);
    *at++ = ':';
    at = put_digits(at, (uint64_t)second % 60, 2);
    *at++ = 'Z';
    return at;
}

/* The date of a dirty row, or the right one. */
static char *put_dirty_time(char *at, int64_t ms, enum cot_simulate_dirt dirt)
{
    switch (dirt) {
    case COT_SIMULATE_BAD_DATE: return put_text(at, ms / COT_MS_PER_SECOND % 2 == 0 ? "2025-02-30T10:00:00Z" : "soon");
    case COT_SIMULATE_MISSING_DATE: return at;
    case COT_SIMULATE_FAR_DATE: return put_text(at, "9999-12-31T23:59:59Z");
    default: return put_time(at, ms);
    }
}

/* Ids: C0000001, O0000001-0002, S0000001-0003, E0000001-0004; 7 digits or as many as it takes. */
static char *put_id(char *at, char letter, size_t customer)
{
    uint64_t number = (uint64_t)customer + 1;
    *at++ = letter;
    return number < 10000000 ? put_digits(at, number, 7) : put_int(at, (int64_t)number);
}

static char *put_id_of(char *at, char letter, size_t customer, uint64_t i)
{
    at = put_id(at, letter, customer);
    *at++ = '-';
    return i < 10000 ? put_digits(at, i, 4) : put_int(at, (int64_t)i);
}

static void make_email(const struct cot_simulation *simulation, const struct cot_simulation_customer *c,
                       char *ret_email)
{
    static const char *const names[] = {"ada", "ben", "cleo", "dan", "ella", "finn", "gwen", "hugo"};
    bool test = strcmp(cot_simulation_kind(simulation, c), "test_account") == 0;
    if (test)
        snprintf(ret_email, EMAIL_SIZE, "test+%zu@shop.example", c->index + 1);
    else
        snprintf(ret_email, EMAIL_SIZE, "%s.%zu@mail.example", names[c->index % 8], c->index + 1);
}

static char *put_device(char *at, const struct cot_simulation *simulation, size_t customer, unsigned device)
{
    static const char hex[] = "0123456789abcdef";
    struct cot_rng rng;
    cot_rng_split(&rng, simulation->options.seed ^ 0xA0761D6478BD642Fu, (uint64_t)customer * 4 + device);
    uint64_t value = cot_rng_u64(&rng);
    *at++ = 'a';
    *at++ = '-';
    for (int i = 0; i < 12; i++, value >>= 4)
        *at++ = hex[value & 15];
    return at;
}

static cot_code end_row(struct cot_simulate_rows *rows, enum cot_simulate_file file, enum cot_simulate_dirt dirt,
                        char *row, char *at, struct cot_err *err)
{
    *at++ = '\n';
    rows->n_rows[file]++;
    if (dirt != COT_SIMULATE_CLEAN)
        rows->n_dirty[file][dirt]++;
    return cot_buf_append(&rows->text[file], row, (size_t)(at - row), err);
}

static cot_code add_order_line(struct cot_simulate_rows *rows, const struct cot_simulation *simulation,
                               const struct cot_simulation_customer *c, const char *email,
                               const struct cot_simulation_line *line, enum cot_simulate_dirt dirt, struct cot_err *err)
{
    char row[ROW_SIZE];
    bool refund = line->refund_of != UINT32_MAX;
    char *at = put_id_of(row, refund ? 'R' : 'O', c->index, line->order);
    *at++ = ',';
    if (!line->guest)
        at = put_id(at, 'C', c->index);
    *at++ = ',';
    if (line->guest || line->channel != COT_CHANNEL_STORE) /* tills know the card, not the address */
        at = put_text(at, email);
    *at++ = ',';
    at = put_dirty_time(at, line->at_ms, dirt);
    *at++ = ',';
    at = put_text(at, simulation->products[line->product].id);
    *at++ = ',';
    at = dirt == COT_SIMULATE_BAD_QUANTITY ? put_text(at, "many") : put_int(at, line->quantity);
    *at++ = ',';
    if (dirt == COT_SIMULATE_BAD_PRICE)
        at = put_text(at, "ten pounds");
    else if (dirt == COT_SIMULATE_HUGE_PRICE)
        at = put_text(at, "1e308");
    else
        at = put_money(at, line->unit_minor);
    *at++ = ',';
    at = put_money(at, line->discount_minor);
    at = put_text(at, ",GBP,");
    at = put_text(at, cot_channel_name(line->channel));
    at = put_text(at, refund ? ",refunded," : ",paid,");
    if (refund)
        at = put_id_of(at, 'O', c->index, line->refund_of);
    return end_row(rows, COT_SIMULATE_ORDERS, dirt, row, at, err);
}

static cot_code add_event(struct cot_simulate_rows *rows, const struct cot_simulation *simulation,
                          const struct cot_simulation_customer *c, const struct cot_simulation_event *event,
                          size_t i_event, const char *device, enum cot_simulate_dirt dirt, struct cot_err *err)
{
    char row[ROW_SIZE];
    char *at =
        put_id_of(row, dirt == COT_SIMULATE_CLEAN || dirt == COT_SIMULATE_DUPLICATE ? 'E' : 'X', c->index, i_event);
    *at++ = ',';
    if (event->logged_in)
        at = put_id(at, 'C', c->index);
    *at++ = ',';
    if (event->session != UINT32_MAX)
        at = put_text(at, device);
    *at++ = ',';
    if (event->session != UINT32_MAX)
        at = put_id_of(at, 'S', c->index, event->session);
    *at++ = ',';
    at = put_text(at, cot_event_kind_name(event->kind));
    *at++ = ',';
    at = put_dirty_time(at, event->at_ms, dirt);
    *at++ = ',';
    if (event->product != COT_SIMULATION_NONE)
        at = put_text(at, simulation->products[event->product].id);
    *at++ = ',';
    at = put_text(at, cot_channel_name(event->channel));
    *at++ = ',';
    if (event->newsletter != COT_SIMULATION_NONE)
        at = put_digits(put_text(at, "newsletter-"), event->newsletter + 1u, 3);
    *at++ = ',';
    if (event->search_term != COT_SIMULATION_NONE)
        at = put_text(at, cot_simulation_search_terms[event->search_term]);
    return end_row(rows, COT_SIMULATE_EVENTS, dirt, row, at, err);
}

static cot_code add_orders(struct cot_simulate_rows *rows, const struct cot_simulation *simulation,
                           const struct cot_simulation_customer *c, const struct cot_simulation_history *history,
                           const char *email, double dirty_share, struct cot_rng *rng, struct cot_err *err)
{
    static const enum cot_simulate_dirt dirts[] = {COT_SIMULATE_BAD_DATE,  COT_SIMULATE_MISSING_DATE,
                                                   COT_SIMULATE_FAR_DATE,  COT_SIMULATE_BAD_QUANTITY,
                                                   COT_SIMULATE_BAD_PRICE, COT_SIMULATE_HUGE_PRICE};
    cot_code rc = COT_OK;
    for (size_t i = 0; i < history->n_lines && rc == COT_OK; i++) {
        const struct cot_simulation_line *line = &history->lines[i];
        rc = add_order_line(rows, simulation, c, email, line, COT_SIMULATE_CLEAN, err);
        if (rc != COT_OK || line->quantity < 0 || cot_rng_uniform(rng) >= dirty_share)
            continue;
        enum cot_simulate_dirt dirt = dirts[cot_rng_below(rng, sizeof dirts / sizeof dirts[0])];
        rc = add_order_line(rows, simulation, c, email, line, dirt, err);
    }
    return rc;
}

static cot_code add_events(struct cot_simulate_rows *rows, const struct cot_simulation *simulation,
                           const struct cot_simulation_customer *c, const struct cot_simulation_history *history,
                           double dirty_share, struct cot_rng *rng, struct cot_err *err)
{
    static const enum cot_simulate_dirt dirts[] = {COT_SIMULATE_DUPLICATE, COT_SIMULATE_BAD_DATE,
                                                   COT_SIMULATE_MISSING_DATE, COT_SIMULATE_FAR_DATE};
    char devices[4][16];
    cot_code rc = COT_OK;
    for (int i = 0; i < c->n_devices; i++)
        *put_device(devices[i], simulation, c->index, (unsigned)i) = '\0';
    for (size_t i = 0; i < history->n_events && rc == COT_OK; i++) {
        const struct cot_simulation_event *event = &history->events[i];
        rc = add_event(rows, simulation, c, event, i, devices[event->device], COT_SIMULATE_CLEAN, err);
        if (rc != COT_OK || cot_rng_uniform(rng) >= dirty_share)
            continue;
        enum cot_simulate_dirt dirt = dirts[cot_rng_below(rng, sizeof dirts / sizeof dirts[0])];
        rc = add_event(rows, simulation, c, event, i, devices[event->device], dirt, err);
    }
    return rc;
}

static cot_code add_person(struct cot_simulate_rows *rows, const struct cot_simulation *simulation,
                           const struct cot_simulation_customer *c, const char *email, enum cot_simulate_dirt dirt,
                           struct cot_err *err)
{
    char row[ROW_SIZE];
    char *at = row;
    struct cot_civil end;
    cot_civil_from_ms(simulation->end_ms, &end);
    if (dirt != COT_SIMULATE_MISSING_ID)
        at = put_text(put_text(put_id(at, 'C', c->index), ","), email);
    else
        *at++ = ',';
    *at++ = ',';
    at = put_text(at, country_names[c->country]);
    *at++ = ',';
    at = put_int(at, end.year - 1 - (int)c->traits[COT_SIMULATION_AGE]);
    *at++ = ',';
    at = put_date(at, c->signup_ms);
    *at++ = ',';
    at = put_int(at, c->household_size);
    at = put_text(at, c->children ? ",yes," : ",no,");
    at = put_text(at, income_names[c->income_band]);
    return end_row(rows, COT_SIMULATE_CUSTOMERS, dirt, row, at, err);
}

/* Everyone answered about marketing on joining; some refuse other purposes. Analytics is the shop's policy. */
static cot_code add_consent(struct cot_simulate_rows *rows, const struct cot_simulation_customer *c,
                            struct cot_rng *rng, struct cot_err *err)
{
    static const struct {
        const char *purpose;
        double granted;
        bool always; /* a row even where granted */
    } purposes[] = {{"marketing", .90, true}, {"personalisation", .96, false}, {"advertising", .85, false}};
    cot_code rc = COT_OK;
    for (size_t i = 0; i < sizeof purposes / sizeof purposes[0] && rc == COT_OK; i++) {
        char row[ROW_SIZE];
        bool granted = cot_rng_uniform(rng) < purposes[i].granted;
        if (granted && !purposes[i].always)
            continue;
        char *at = put_id(row, 'C', c->index);
        *at++ = ',';
        at = put_text(at, purposes[i].purpose);
        at = put_text(at, granted ? ",yes," : ",no,");
        at = put_time(at, c->signup_ms);
        rc = end_row(rows, COT_SIMULATE_CONSENT, COT_SIMULATE_CLEAN, row, at, err);
    }
    return rc;
}

static cot_code add_responses(struct cot_simulate_rows *rows, const struct cot_simulation *simulation,
                              const struct cot_simulation_customer *c, const struct cot_simulation_history *history,
                              struct cot_err *err)
{
    cot_code rc = COT_OK;
    for (size_t i = 0; i < history->n_responses && rc == COT_OK; i++) {
        const struct cot_simulation_response *response = &history->responses[i];
        char row[ROW_SIZE];
        char *at = put_id(row, 'C', c->index);
        *at++ = ',';
        at = put_text(at, simulation->campaigns[response->campaign].id);
        at = put_text(at, response->treated ? ",treated," : ",control,");
        at = put_time(at, response->assigned_ms);
        at = put_text(at, response->responded ? ",1," : ",0,");
        if (response->responded)
            at = put_time(at, response->responded_ms);
        rc = end_row(rows, COT_SIMULATE_RESPONSES, COT_SIMULATE_CLEAN, row, at, err);
        rows->campaigns[response->campaign].n[response->treated]++;
        rows->campaigns[response->campaign].n_responded[response->treated] += response->responded;
        if (response->treated)
            rows->campaigns[response->campaign].uplift += c->uplift;
    }
    return rc;
}

/* truth.csv: what is true of the customer, in 6 digits. */
static cot_code add_truth(struct cot_simulate_rows *rows, const struct cot_simulation *simulation,
                          const struct cot_simulation_customer *c, const struct cot_simulation_history *history,
                          struct cot_err *err)
{
    struct cot_buf *text = &rows->text[COT_SIMULATE_TRUTH];
    char row[ROW_SIZE];
    char *at = put_id(row, 'C', c->index);
    bool alive = history->dropout_ms == INT64_MAX;
    double days = (double)(simulation->end_ms - c->first_ms) / (double)COT_MS_PER_DAY;
    cot_code rc = cot_buf_append(text, row, (size_t)(at - row), err);
    if (rc == COT_OK)
        rc = cot_buf_printf(text, err, ",%s,%s,%d,%s,%.6g,%.6g,%.4f,%d,%u,%u,%zu,%zu",
                            cot_simulation_label(simulation, c), cot_simulation_kind(simulation, c), c->outlier,
                            simulation->segments[c->behaviour].name, c->purchase_rate, c->dropout, days, alive,
                            history->n_orders, history->n_refunds, history->n_lines, history->n_events);
    for (size_t i = 0; i < COT_SIMULATION_N_TRAITS && rc == COT_OK; i++)
        rc = cot_buf_printf(text, err, ",%.6g", c->traits[i]);
    for (size_t i = 0; i < COT_SIMULATION_N_CATEGORIES && rc == COT_OK; i++)
        rc = cot_buf_printf(text, err, ",%.6g", c->categories[i]);
    for (size_t i = 0; i < COT_SIMULATION_N_CHANNELS && rc == COT_OK; i++)
        rc = cot_buf_printf(text, err, ",%.6g", c->channels[i]);
    if (rc == COT_OK)
        rc = cot_buf_printf(text, err, ",%.6g,%.6g\n", c->base_response, c->uplift);
    rows->n_rows[COT_SIMULATE_TRUTH]++;
    return rc;
}

static cot_code add_truth_header(struct cot_buf *text, struct cot_err *err)
{
    /* "simulated_kind" as the third column is what tells an importer that this is no data. */
    cot_code rc =
        cot_buf_puts(text,
                     "customer_id,segment,simulated_kind,is_outlier,behaves_like,purchase_rate,dropout,observed_days,"
                     "alive,orders,refunds,order_lines,events",
                     err);
    for (size_t i = 0; i < COT_SIMULATION_N_TRAITS && rc == COT_OK; i++)
        rc = cot_buf_printf(text, err, ",%s", cot_simulation_traits[i].name);
    for (size_t i = 0; i < COT_SIMULATION_N_CATEGORIES && rc == COT_OK; i++)
        rc = cot_buf_printf(text, err, ",category_%s", cot_simulation_categories[i]);
    for (size_t i = 0; i < COT_SIMULATION_N_CHANNELS && rc == COT_OK; i++)
        rc = cot_buf_printf(text, err, ",channel_%s", cot_channel_name(cot_simulation_channels[i]));
    return rc == COT_OK ? cot_buf_puts(text, ",base_response,uplift\n", err) : rc;
}

void cot_simulate_rows_clear(struct cot_simulate_rows *rows)
{
    struct cot_buf kept[COT_SIMULATE_N_FILES];
    memcpy(kept, rows->text, sizeof kept);
    memset(rows, 0, sizeof *rows);
    for (size_t i = 0; i < COT_SIMULATE_N_FILES; i++) {
        rows->text[i] = kept[i];
        cot_buf_clear(&rows->text[i]);
    }
}

void cot_simulate_rows_release(struct cot_simulate_rows *rows)
{
    for (size_t i = 0; i < COT_SIMULATE_N_FILES; i++)
        cot_buf_release(&rows->text[i]);
}

cot_code cot_simulate_add_header(struct cot_simulate_rows *rows, enum cot_simulate_file file, struct cot_err *err)
{
    if (file == COT_SIMULATE_TRUTH)
        return add_truth_header(&rows->text[file], err);
    return cot_buf_printf(&rows->text[file], err, "%s\n", headers[file]);
}

cot_code cot_simulate_add_shop(struct cot_simulate_rows *rows, const struct cot_simulation *simulation,
                               struct cot_err *err)
{
    cot_code rc = COT_OK;
    char row[ROW_SIZE];
    for (size_t i = 0; i < COT_SIMULATION_N_PRODUCTS && rc == COT_OK; i++) {
        const struct cot_simulation_product *product = &simulation->products[i];
        char *at = row + snprintf(row, sizeof row, "%s,%s,%s,%s,", product->id, product->name, product->category,
                                  product->brand);
        at = put_money(at, product->price_minor);
        *at++ = ',';
        at = put_money(at, product->cost_minor);
        rc = end_row(rows, COT_SIMULATE_PRODUCTS, COT_SIMULATE_CLEAN, row, at, err);
    }
    for (size_t i = 0; i < COT_SIMULATION_N_CAMPAIGNS && rc == COT_OK; i++) {
        const struct cot_simulation_campaign *campaign = &simulation->campaigns[i];
        char *at = row + snprintf(row, sizeof row, "%s,%s,%s,", campaign->id, campaign->name, campaign->type);
        at = put_date(at, campaign->start_ms);
        *at++ = ',';
        at = put_date(at, campaign->end_ms - COT_MS_PER_DAY);
        rc = end_row(rows, COT_SIMULATE_CAMPAIGNS, COT_SIMULATE_CLEAN, row, at, err);
    }
    return rc;
}

cot_code cot_simulate_add_customer(struct cot_simulate_rows *rows, const struct cot_simulation *simulation,
                                   const struct cot_simulation_customer *customer,
                                   const struct cot_simulation_history *history, double dirty_share,
                                   struct cot_err *err)
{
    char email[EMAIL_SIZE];
    struct cot_rng rng;
    cot_simulation_rng(simulation, COT_SIMULATION_STREAM_DIRT, customer->index, &rng);
    make_email(simulation, customer, email);
    rows->n_segment[customer->segment]++;
    rows->n_orders += history->n_orders;
    rows->n_refunds += history->n_refunds;
    rows->n_alive += history->dropout_ms == INT64_MAX;
    cot_code rc = add_person(rows, simulation, customer, email, COT_SIMULATE_CLEAN, err);
    if (rc == COT_OK && cot_rng_uniform(&rng) < dirty_share)
        rc = add_person(rows, simulation, customer, email, COT_SIMULATE_MISSING_ID, err);
    if (rc == COT_OK)
        rc = add_consent(rows, customer, &rng, err);
    if (rc == COT_OK)
        rc = add_orders(rows, simulation, customer, history, email, dirty_share, &rng, err);
    if (rc == COT_OK)
        rc = add_events(rows, simulation, customer, history, dirty_share, &rng, err);
    if (rc == COT_OK)
        rc = add_responses(rows, simulation, customer, history, err);
    return rc == COT_OK ? add_truth(rows, simulation, customer, history, err) : rc;
}
