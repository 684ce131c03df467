/* Writing a simulated shop: blocks of customers are made in parallel and written in order. */
#include "engine/simulate.h"

#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/json.h"
#include "base/threads.h"
#include "engine/simulate_rows.h"

enum {
    CUSTOMERS_OF_BLOCK = 256,
    BLOCKS_AT_ONCE = 16,     /* made, then written; about 100 MB of text with the default activity */
    PILOT_CUSTOMERS = 10000, /* drawn to find the activity that gives the rows asked for */
    PILOT_ROUNDS = 6
};

static const struct {
    double spread, atypical_share;
} difficulties[] = {
    [COT_SIMULATE_EASY] = {0.7, 0.01}, [COT_SIMULATE_DEFAULT] = {1, 0.028}, [COT_SIMULATE_HARD] = {1.4, 0.05}};

struct output {
    int descriptors[COT_SIMULATE_N_FILES]; /* -1: not written */
    char path[4096];                       /* of the file being opened or written, for messages */
    const char *dir;
};

/* One block's worth of customers. */
struct block {
    struct cot_simulate_rows rows;
    struct cot_simulation_history history;
    cot_code rc;
    struct cot_err err;
};

struct making {
    const struct cot_simulation *simulation;
    double dirty_share;
    size_t first_customer; /* of the batch */
    struct block *blocks;  /* [BLOCKS_AT_ONCE] */
};

struct cot_simulate_options cot_simulate_defaults(void)
{
    return (struct cot_simulate_options){.n_segments = 7,
                                         .n_months = 24,
                                         .dirty_share = 0.002,
                                         .outlier_share = 0.05,
                                         .difficulty = COT_SIMULATE_DEFAULT};
}

static bool file_is_written(const struct cot_simulation *simulation, enum cot_simulate_file file)
{
    return !simulation->options.orders_only || file == COT_SIMULATE_CUSTOMERS || file == COT_SIMULATE_PRODUCTS ||
           file == COT_SIMULATE_ORDERS || file == COT_SIMULATE_TRUTH;
}

static cot_code output_open(struct output *output, const char *dir, const struct cot_simulation *simulation,
                            struct cot_err *err)
{
    output->dir = dir;
    for (int i = 0; i < COT_SIMULATE_N_FILES; i++)
        output->descriptors[i] = -1;
    if (mkdir(dir, 0777) != 0 && errno != EEXIST)
        return cot_fail(err, COT_IO, "%s: can't make the folder: %s", dir, strerror(errno));
    for (int i = 0; i < COT_SIMULATE_N_FILES; i++) {
        if (!file_is_written(simulation, i))
            continue;
        int n = snprintf(output->path, sizeof output->path, "%s/%s", dir, cot_simulate_file_names[i]);
        if (n < 0 || (size_t)n >= sizeof output->path)
            return cot_fail(err, COT_USAGE, "--out: a path of %d bytes is too long", n);
        output->descriptors[i] = open(output->path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
        if (output->descriptors[i] < 0)
            return cot_fail(err, COT_IO, "%s: %s", output->path, strerror(errno));
    }
    return COT_OK;
}

static cot_code write_all(int descriptor, const char *name, const char *data, size_t size, struct cot_err *err)
{
    while (size > 0) {
        ssize_t n = write(descriptor, data, size);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return cot_fail(err, COT_IO, "writing %s: %s", name, strerror(errno));
        data += n;
        size -= (size_t)n;
    }
    return COT_OK;
}

static cot_code output_write(struct output *output, const struct cot_simulate_rows *rows, struct cot_err *err)
{
    cot_code rc = COT_OK;
    for (int i = 0; i < COT_SIMULATE_N_FILES && rc == COT_OK; i++)
        if (output->descriptors[i] >= 0)
            rc = write_all(output->descriptors[i], cot_simulate_file_names[i], rows->text[i].data, rows->text[i].size,
                           err);
    return rc;
}

/* Closes all; reports the first failure (a full disk may show only now). */
static cot_code output_close(struct output *output, struct cot_err *err)
{
    cot_code rc = COT_OK;
    for (int i = 0; i < COT_SIMULATE_N_FILES; i++) {
        if (output->descriptors[i] >= 0 && close(output->descriptors[i]) != 0 && rc == COT_OK)
            rc = cot_fail(err, COT_IO, "writing %s/%s: %s", output->dir, cot_simulate_file_names[i], strerror(errno));
        output->descriptors[i] = -1;
    }
    return rc;
}

static cot_code make_customer(const struct making *making, size_t index, struct block *block)
{
    struct cot_simulation_customer customer;
    cot_simulation_customer_draw(making->simulation, index, &customer);
    cot_code rc = cot_simulation_history_draw(making->simulation, &customer, &block->history, &block->err);
    if (rc == COT_OK)
        rc = cot_simulate_add_customer(&block->rows, making->simulation, &customer, &block->history,
                                       making->dirty_share, &block->err);
    return rc;
}

static void make_block(void *context, size_t begin, size_t end, size_t i_block, unsigned i_thread)
{
    struct making *making = context;
    struct block *block = &making->blocks[i_block];
    (void)i_thread;
    cot_simulate_rows_clear(&block->rows);
    block->rc = COT_OK;
    for (size_t i = begin; i < end && block->rc == COT_OK; i++)
        block->rc = make_customer(making, making->first_customer + i, block);
}

/* Counts only: sums are taken in block order, so that they too do not depend on the threads. */
static void add_counts(struct cot_simulate_rows *total, const struct cot_simulate_rows *rows)
{
    for (int i = 0; i < COT_SIMULATE_N_FILES; i++) {
        total->n_rows[i] += rows->n_rows[i];
        for (int j = 0; j < COT_SIMULATE_N_DIRTS; j++)
            total->n_dirty[i][j] += rows->n_dirty[i][j];
    }
    for (size_t i = 0; i < sizeof total->n_segment / sizeof total->n_segment[0]; i++)
        total->n_segment[i] += rows->n_segment[i];
    total->n_orders += rows->n_orders;
    total->n_refunds += rows->n_refunds;
    total->n_alive += rows->n_alive;
    for (int i = 0; i < COT_SIMULATION_N_CAMPAIGNS; i++) {
        for (int arm = 0; arm < 2; arm++) {
            total->campaigns[i].n[arm] += rows->campaigns[i].n[arm];
            total->campaigns[i].n_responded[arm] += rows->campaigns[i].n_responded[arm];
        }
        total->campaigns[i].uplift += rows->campaigns[i].uplift;
    }
}

static cot_code make_customers(const struct cot_context *context, struct making *making, struct output *output,
                               struct cot_simulate_rows *total, struct cot_err *err)
{
    const size_t batch = (size_t)CUSTOMERS_OF_BLOCK * BLOCKS_AT_ONCE;
    size_t n = making->simulation->options.n_customers;
    cot_code rc = COT_OK;
    for (size_t first = 0; first < n && rc == COT_OK; first += batch) {
        size_t n_batch = n - first < batch ? n - first : batch;
        cot_progress_report(&context->progress, "simulating customers", first, n);
        making->first_customer = first;
        cot_parallel_for(context->n_threads, n_batch, CUSTOMERS_OF_BLOCK, make_block, making);
        for (size_t i = 0; i < cot_n_blocks(n_batch, CUSTOMERS_OF_BLOCK) && rc == COT_OK; i++) {
            struct block *block = &making->blocks[i];
            rc = block->rc;
            if (rc != COT_OK && err != NULL)
                *err = block->err;
            if (rc == COT_OK)
                rc = output_write(output, &block->rows, err);
            add_counts(total, &block->rows);
        }
    }
    return rc;
}

/* Rows of orders, events and responses of the pilot's customers at an activity, a customer. */
static cot_code pilot_rows(struct cot_simulation_options options, struct cot_simulation_history *history,
                           double *ret_rows, struct cot_err *err)
{
    struct cot_simulation *simulation = malloc(sizeof *simulation);
    size_t n = options.n_customers < PILOT_CUSTOMERS ? options.n_customers : PILOT_CUSTOMERS;
    double rows = 0;
    cot_code rc = simulation == NULL ? cot_fail(err, COT_NOMEM, "simulated shop")
                                     : cot_simulation_init(&options, simulation, err);
    for (size_t i = 0; i < n && rc == COT_OK; i++) {
        struct cot_simulation_customer customer;
        cot_simulation_customer_draw(simulation, i * (options.n_customers / n), &customer);
        rc = cot_simulation_history_draw(simulation, &customer, history, err);
        rows += (double)(history->n_lines + history->n_events + history->n_responses);
    }
    if (rc == COT_OK)
        *ret_rows = rows / (double)n;
    free(simulation);
    return rc;
}

/* The activity that gives about n_events rows: rows grow nearly in proportion, so a few corrections are enough. */
static cot_code find_activity(uint64_t n_events, struct cot_simulation_options *options, struct cot_err *err)
{
    struct cot_simulation_history history = {0};
    double wanted = (double)n_events / (double)options->n_customers;
    cot_code rc = COT_OK;
    for (int i = 0; i < PILOT_ROUNDS && rc == COT_OK; i++) {
        double rows = 0;
        rc = pilot_rows(*options, &history, &rows, err);
        if (rc == COT_OK)
            options->activity = fmin(fmax(options->activity * wanted / fmax(rows, 1e-3), 1e-3), 1e3);
    }
    cot_simulation_history_release(&history);
    return rc;
}

static yyjson_mut_val *files_value(yyjson_mut_doc *doc, const struct cot_simulation *simulation,
                                   const struct cot_simulate_rows *total)
{
    yyjson_mut_val *files = yyjson_mut_arr(doc);
    for (int i = 0; i < COT_SIMULATE_N_FILES; i++) {
        if (!file_is_written(simulation, i) || i == COT_SIMULATE_TRUTH)
            continue;
        yyjson_mut_val *file = yyjson_mut_arr_add_obj(doc, files);
        yyjson_mut_val *dirty = yyjson_mut_obj(doc);
        uint64_t n_duplicate = total->n_dirty[i][COT_SIMULATE_DUPLICATE];
        uint64_t n_dirty = 0;
        for (int j = 0; j < COT_SIMULATE_N_DIRTS; j++) {
            n_dirty += total->n_dirty[i][j];
            if (total->n_dirty[i][j] > 0)
                yyjson_mut_obj_add_uint(doc, dirty, cot_simulate_dirt_names[j], total->n_dirty[i][j]);
        }
        yyjson_mut_obj_add_str(doc, file, "path", cot_simulate_file_names[i]);
        yyjson_mut_obj_add_str(doc, file, "kind", cot_simulate_file_kinds[i]);
        yyjson_mut_obj_add_uint(doc, file, "rows", total->n_rows[i]);
        yyjson_mut_obj_add_uint(doc, file, "accepted", total->n_rows[i] - n_dirty);
        yyjson_mut_obj_add_uint(doc, file, "quarantined", n_dirty - n_duplicate);
        yyjson_mut_obj_add_uint(doc, file, "duplicate", n_duplicate);
        yyjson_mut_obj_add_val(doc, file, "dirty", dirty);
    }
    return files;
}

static yyjson_mut_val *traits_value(yyjson_mut_doc *doc)
{
    static const char *const scales[] = {"log", "logit", "linear"};
    yyjson_mut_val *traits = yyjson_mut_arr(doc);
    for (int i = 0; i < COT_SIMULATION_N_TRAITS; i++) {
        yyjson_mut_val *trait = yyjson_mut_arr_add_obj(doc, traits);
        yyjson_mut_obj_add_str(doc, trait, "name", cot_simulation_traits[i].name);
        yyjson_mut_obj_add_str(doc, trait, "scale", scales[cot_simulation_traits[i].scale]);
    }
    return traits;
}

static void add_segment(yyjson_mut_doc *doc, yyjson_mut_val *segments, const struct cot_simulation *simulation,
                        size_t i_segment, uint64_t size)
{
    const struct cot_simulation_segment *segment = &simulation->segments[i_segment];
    bool outlier = i_segment >= simulation->n_segments;
    yyjson_mut_val *value = yyjson_mut_arr_add_obj(doc, segments);
    yyjson_mut_obj_add_str(doc, value, "name", outlier ? cot_simulation_outlier_label : segment->name);
    yyjson_mut_obj_add_str(doc, value, "kind", outlier ? segment->name : "customer");
    yyjson_mut_obj_add_real(doc, value, "weight", segment->weight);
    yyjson_mut_obj_add_uint(doc, value, "size", size);
    yyjson_mut_obj_add_bool(doc, value, "buys", segment->buys);
    yyjson_mut_obj_add_real(doc, value, "rate_shape", segment->rate_shape);
    yyjson_mut_obj_add_real(doc, value, "rate_mean_per_day", segment->orders_per_year / 365.25);
    yyjson_mut_obj_add_real(doc, value, "dropout_a", segment->dropout_a);
    yyjson_mut_obj_add_real(doc, value, "dropout_b", segment->dropout_b);
    yyjson_mut_val *traits = yyjson_mut_obj_add_obj(doc, value, "traits");
    for (int i = 0; i < COT_SIMULATION_N_TRAITS; i++)
        yyjson_mut_obj_add_real(doc, traits, cot_simulation_traits[i].name, segment->traits[i]);
    yyjson_mut_val *deviations = yyjson_mut_obj_add_obj(doc, value, "deviations");
    for (int i = 0; i < COT_SIMULATION_N_TRAITS; i++)
        yyjson_mut_obj_add_real(doc, deviations, cot_simulation_traits[i].name, segment->deviations[i]);
    yyjson_mut_val *categories = yyjson_mut_obj_add_obj(doc, value, "categories");
    for (int i = 0; i < COT_SIMULATION_N_CATEGORIES; i++)
        yyjson_mut_obj_add_real(doc, categories, cot_simulation_categories[i], segment->categories[i]);
    yyjson_mut_val *channels = yyjson_mut_obj_add_obj(doc, value, "channels");
    for (int i = 0; i < COT_SIMULATION_N_CHANNELS; i++)
        yyjson_mut_obj_add_real(doc, channels, cot_channel_name(cot_simulation_channels[i]), segment->channels[i]);
    yyjson_mut_obj_add_real(doc, value, "base_response", segment->base_response);
    yyjson_mut_obj_add_real(doc, value, "uplift", segment->uplift);
}

static yyjson_mut_val *campaigns_value(yyjson_mut_doc *doc, const struct cot_simulation *simulation,
                                       const struct cot_simulate_rows *total)
{
    yyjson_mut_val *campaigns = yyjson_mut_arr(doc);
    for (int i = 0; i < COT_SIMULATION_N_CAMPAIGNS; i++) {
        yyjson_mut_val *value = yyjson_mut_arr_add_obj(doc, campaigns);
        uint64_t n_treated = total->campaigns[i].n[1];
        yyjson_mut_obj_add_strcpy(doc, value, "campaign_id", simulation->campaigns[i].id);
        yyjson_mut_obj_add_uint(doc, value, "treated", n_treated);
        yyjson_mut_obj_add_uint(doc, value, "control", total->campaigns[i].n[0]);
        yyjson_mut_obj_add_uint(doc, value, "treated_responses", total->campaigns[i].n_responded[1]);
        yyjson_mut_obj_add_uint(doc, value, "control_responses", total->campaigns[i].n_responded[0]);
        yyjson_mut_obj_add_real(doc, value, "expected_uplift",
                                n_treated > 0 ? total->campaigns[i].uplift / (double)n_treated : 0);
    }
    return campaigns;
}

static cot_code make_document(const struct cot_simulation *simulation, const struct cot_simulate_rows *total,
                              yyjson_mut_doc **ret_doc, struct cot_err *err)
{
    yyjson_mut_doc *doc = NULL;
    yyjson_mut_val *root = NULL;
    cot_code rc = cot_json_document(&doc, &root, err);
    if (rc != COT_OK)
        return rc;
    const struct cot_simulation_options *options = &simulation->options;
    yyjson_mut_obj_add_uint(doc, root, "seed", options->seed);
    yyjson_mut_obj_add_uint(doc, root, "customers", options->n_customers);
    yyjson_mut_obj_add_uint(doc, root, "months", options->n_months);
    cot_json_add_time(doc, root, "start", simulation->start_ms);
    cot_json_add_time(doc, root, "end", simulation->end_ms);
    yyjson_mut_obj_add_real(doc, root, "spread", options->spread);
    yyjson_mut_obj_add_real(doc, root, "atypical_share", options->atypical_share);
    yyjson_mut_obj_add_real(doc, root, "activity", options->activity);
    yyjson_mut_obj_add_val(doc, root, "files", files_value(doc, simulation, total));
    yyjson_mut_obj_add_uint(doc, root, "orders", total->n_orders);
    yyjson_mut_obj_add_uint(doc, root, "refunds", total->n_refunds);
    yyjson_mut_obj_add_uint(doc, root, "alive", total->n_alive);
    yyjson_mut_obj_add_val(doc, root, "traits", traits_value(doc));
    yyjson_mut_val *segments = yyjson_mut_obj_add_arr(doc, root, "segments");
    for (size_t i = 0; i < simulation->n_segments + COT_SIMULATION_N_OUTLIER_KINDS; i++)
        add_segment(doc, segments, simulation, i, total->n_segment[i]);
    yyjson_mut_obj_add_val(doc, root, "campaigns", campaigns_value(doc, simulation, total));
    *ret_doc = doc;
    return COT_OK;
}

static cot_code write_document(const char *dir, const yyjson_mut_doc *doc, struct cot_err *err)
{
    char path[4096];
    yyjson_write_err write_err = {0};
    size_t size = 0;
    int n = snprintf(path, sizeof path, "%s/truth.json", dir);
    if (n < 0 || (size_t)n >= sizeof path)
        return cot_fail(err, COT_USAGE, "--out: a path of %d bytes is too long", n);
    char *text = yyjson_mut_write_opts(doc, YYJSON_WRITE_PRETTY_TWO_SPACES | YYJSON_WRITE_NEWLINE_AT_END, NULL, &size,
                                       &write_err);
    if (text == NULL)
        return cot_fail(err, COT_INTERNAL, "writing JSON: %s", write_err.msg);
    int descriptor = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
    cot_code rc = descriptor < 0 ? cot_fail(err, COT_IO, "%s: %s", path, strerror(errno))
                                 : write_all(descriptor, path, text, size, err);
    if (descriptor >= 0 && close(descriptor) != 0 && rc == COT_OK)
        rc = cot_fail(err, COT_IO, "writing %s: %s", path, strerror(errno));
    free(text);
    return rc;
}

static cot_code write_shop(const struct cot_simulation *simulation, struct output *output,
                           struct cot_simulate_rows *total, struct cot_err *err)
{
    cot_code rc = cot_simulate_add_shop(total, simulation, err);
    struct cot_simulate_rows headers = {0};
    for (int i = 0; i < COT_SIMULATE_N_FILES && rc == COT_OK; i++)
        rc = cot_simulate_add_header(&headers, i, err);
    if (rc == COT_OK)
        rc = output_write(output, &headers, err);
    if (rc == COT_OK)
        rc = output_write(output, total, err);
    cot_simulate_rows_release(&headers);
    return rc;
}

static cot_code make_plan(const struct cot_context *context, const struct cot_simulate_options *options,
                          struct cot_simulation *ret_simulation, struct cot_err *err)
{
    struct cot_simulation_options plan = {.seed = context->seed,
                                          .n_customers = options->n_customers,
                                          .n_segments = options->n_segments,
                                          .n_months = options->n_months,
                                          .outlier_share = options->outlier_share,
                                          .spread = difficulties[options->difficulty].spread,
                                          .atypical_share = difficulties[options->difficulty].atypical_share,
                                          .activity = 1,
                                          .orders_only = options->orders_only};
    if (!(options->dirty_share >= 0 && options->dirty_share <= 0.5))
        return cot_fail(err, COT_USAGE, "a share of dirty rows of %g: give 0 to 0.5", options->dirty_share);
    cot_code rc = cot_simulation_init(&plan, ret_simulation, err); /* checks before the pilot */
    if (rc == COT_OK && options->n_events > 0) {
        rc = find_activity(options->n_events, &plan, err);
        if (rc == COT_OK)
            rc = cot_simulation_init(&plan, ret_simulation, err);
    }
    return rc;
}

cot_code cot_simulate_run(const struct cot_context *context, const struct cot_simulate_options *options,
                          yyjson_mut_doc **ret_doc, struct cot_err *err)
{
    struct cot_simulation *simulation = calloc(1, sizeof *simulation);
    struct making making = {.simulation = simulation, .dirty_share = options->dirty_share};
    struct output output = {.descriptors = {-1, -1, -1, -1, -1, -1, -1, -1}};
    struct cot_simulate_rows total = {0};
    struct cot_err close_err = {0};
    yyjson_mut_doc *doc = NULL;
    making.blocks = calloc(BLOCKS_AT_ONCE, sizeof *making.blocks);
    cot_code rc = simulation == NULL || making.blocks == NULL ? cot_fail(err, COT_NOMEM, "simulated shop") : COT_OK;
    if (rc == COT_OK)
        rc = make_plan(context, options, simulation, err);
    if (rc == COT_OK)
        rc = output_open(&output, options->out_dir, simulation, err);
    if (rc == COT_OK)
        rc = write_shop(simulation, &output, &total, err);
    if (rc == COT_OK)
        rc = make_customers(context, &making, &output, &total, err);
    cot_code close_rc = output_close(&output, &close_err);
    if (rc == COT_OK && close_rc != COT_OK)
        rc = cot_fail(err, close_rc, "%s", close_err.message);
    if (rc == COT_OK)
        rc = make_document(simulation, &total, &doc, err);
    if (rc == COT_OK)
        rc = write_document(options->out_dir, doc, err);
    if (rc == COT_OK) {
        *ret_doc = doc;
        doc = NULL;
    }
    yyjson_mut_doc_free(doc);
    for (int i = 0; making.blocks != NULL && i < BLOCKS_AT_ONCE; i++) {
        cot_simulate_rows_release(&making.blocks[i].rows);
        cot_simulation_history_release(&making.blocks[i].history);
    }
    cot_simulate_rows_release(&total);
    free(making.blocks);
    free(simulation);
    return rc;
}
