/* Filling feature matrices (see history.h). */
#include <ctype.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/array.h"
#include "base/progress.h"
#include "base/threads.h"
#include "domain/feature_catalogue.h"
#include "domain/history.h"
#include "domain/value_tier.h"

enum {
    BLOCK_CUSTOMERS = 2048,
    MAX_TRAIT_COLUMNS = 200,
    IDENTIFYING_MIN_WORDS = 50 /* more words than this, and more than half as many as facts: they name people */
};

void cot_feature_matrix_free(struct cot_feature_matrix *matrix)
{
    if (matrix == NULL)
        return;
    for (size_t j = 0; matrix->columns != NULL && j < matrix->d; j++) {
        struct cot_feature_column *column = &matrix->columns[j];
        for (size_t i = 0; column->category_names != NULL && i < column->n_categories; i++)
            free(column->category_names[i]);
        free(column->category_names);
        free(column->name);
        free(column->title);
    }
    free(matrix->columns);
    free(matrix->values);
    free(matrix->customers);
    free(matrix->analytics);
    *matrix = (struct cot_feature_matrix){0};
}

size_t cot_feature_matrix_find(const struct cot_feature_matrix *matrix, const char *name)
{
    for (size_t j = 0; j < matrix->d; j++)
        if (strcmp(matrix->columns[j].name, name) == 0)
            return j;
    return SIZE_MAX;
}

/* An imported trait that becomes a column. */
struct trait_column {
    uint32_t key;
    bool is_number;
    bool timeless; /* some fact is */
    char *name;
};

struct trait_columns {
    struct trait_column columns[MAX_TRAIT_COLUMNS];
    size_t n;
    uint32_t *column_of_key; /* [keys.n], UINT32_MAX: none */
};

/* "Marital Status" -> "marital_status"; "trait_" before what would be the name of a catalogue feature or a reserved
 * column, or begins with a digit. */
static char *trait_column_name(const char *key, size_t size)
{
    static const char prefix[] = "trait_";
    size_t n = sizeof prefix - 1;
    char *name = malloc(n + size + 2);
    if (name == NULL)
        return NULL;
    memcpy(name, prefix, n);
    for (size_t i = 0; i < size; i++) {
        if (isalnum((unsigned char)key[i]))
            name[n++] = (char)tolower((unsigned char)key[i]);
        else if (n > 0 && name[n - 1] != '_')
            name[n++] = '_';
    }
    while (n > sizeof prefix - 1 && name[n - 1] == '_')
        n--;
    name[n] = '\0';
    const char *plain = name + sizeof prefix - 1;
    bool taken = cot_feature_find(plain) != SIZE_MAX || strcmp(plain, "customer") == 0 ||
                 strcmp(plain, "customer_id") == 0 || strcmp(plain, "segment") == 0;
    if (!taken && *plain != '\0' && !isdigit((unsigned char)*plain))
        memmove(name, plain, strlen(plain) + 1);
    return name;
}

static int trait_column_compare(const void *a, const void *b)
{
    const struct trait_column *x = a;
    const struct trait_column *y = b;
    int order = strcmp(x->name, y->name);
    return order != 0 ? order : x->key < y->key ? -1 : x->key > y->key;
}

struct key_count {
    size_t n_facts;
    size_t n_numbers;
    size_t n_words; /* distinct */
    bool timeless;
};

/* Counts the visible facts of each key; values have been sorted into `by_key` for the distinct words. */
static cot_code count_keys(const struct cot_history *history, enum cot_timeless timeless, struct key_count *counts,
                           struct cot_err *err)
{
    uint32_t n_nodes = history->timelines.n_nodes;
    size_t n_facts = history->traits != NULL ? history->trait_starts[n_nodes] : 0;
    size_t n_keys = history->words.keys.n;
    size_t *starts = calloc(n_keys + 2, sizeof *starts);
    uint32_t *by_key = malloc((n_facts + 1) * sizeof *by_key);
    uint32_t *stamps = calloc(history->words.values.n + 1, sizeof *stamps);
    cot_code rc = COT_OK;
    if (starts == NULL || by_key == NULL || stamps == NULL) {
        rc = cot_fail(err, COT_NOMEM, "%zu traits", n_facts);
        goto out;
    }
    for (size_t i = 0; i < n_facts; i++)
        starts[history->traits[i].key + 2]++;
    for (size_t key = 0; key < n_keys; key++)
        starts[key + 2] += starts[key + 1];
    for (size_t i = 0; i < n_facts; i++) {
        const struct cot_trait_fact *fact = &history->traits[i];
        struct key_count *count = &counts[fact->key];
        bool undated = fact->occurred_at_ms == COT_TIMELESS;
        bool visible = fact->occurred_at_ms <= history->as_of_ms && !(undated && timeless == COT_WITHOUT_TIMELESS);
        by_key[starts[fact->key + 1]++] = visible ? fact->value : COT_DICT_NONE;
        count->n_facts += visible;
        count->n_numbers += visible && !isnan(fact->number);
        count->timeless |= visible && undated;
    }
    for (uint32_t key = 0; key < n_keys; key++)
        for (size_t i = starts[key]; i < starts[key + 1]; i++)
            if (by_key[i] != COT_DICT_NONE && stamps[by_key[i]] != key + 1) {
                stamps[by_key[i]] = key + 1;
                counts[key].n_words++;
            }
out:
    free(starts);
    free(by_key);
    free(stamps);
    return rc;
}

static void trait_columns_release(struct trait_columns *columns)
{
    for (size_t i = 0; i < columns->n; i++)
        free(columns->columns[i].name);
    free(columns->column_of_key);
}

/* Numbers that only name something ("territory_key"): their order means nothing, so they are categories. */
static bool key_is_code(const char *key, size_t size)
{
    static const char *const endings[] = {"_key", "_id", "_code"};
    for (size_t i = 0; i < sizeof endings / sizeof *endings; i++) {
        size_t length = strlen(endings[i]);
        if (size > length && strncasecmp(key + size - length, endings[i], length) == 0)
            return true;
    }
    return false;
}

/* "Kids" and "kids" are two traits and so two columns: the later gets the number of its key behind its name. */
static cot_code part_equal_names(struct trait_columns *columns, struct cot_err *err)
{
    for (size_t i = columns->n; i-- > 1;) {
        char *name = NULL;
        if (strcmp(columns->columns[i].name, columns->columns[i - 1].name) != 0)
            continue;
        if (asprintf(&name, "%s_key_%u", columns->columns[i].name, columns->columns[i].key) < 0)
            return cot_fail(err, COT_NOMEM, "trait");
        free(columns->columns[i].name);
        columns->columns[i].name = name;
    }
    return COT_OK;
}

/* Which imported traits become columns: those that say something and name nobody. */
static cot_code choose_trait_columns(const struct cot_history *history, enum cot_timeless timeless,
                                     struct trait_columns *columns, struct cot_err *err)
{
    size_t n_keys = history->words.keys.n;
    struct key_count *counts = calloc(n_keys + 1, sizeof *counts);
    columns->column_of_key = malloc((n_keys + 1) * sizeof *columns->column_of_key);
    cot_code rc = counts == NULL || columns->column_of_key == NULL ? cot_fail(err, COT_NOMEM, "%zu trait keys", n_keys)
                                                                   : count_keys(history, timeless, counts, err);
    for (uint32_t key = 0; rc == COT_OK && key < n_keys; key++) {
        const struct key_count *count = &counts[key];
        const struct cot_dict_entry *word = cot_dict_entry(&history->words.keys, key);
        bool is_number = count->n_numbers == count->n_facts && !key_is_code(word->text, word->size);
        bool identifying = !is_number && count->n_words > IDENTIFYING_MIN_WORDS && count->n_words * 2 > count->n_facts;
        columns->column_of_key[key] = UINT32_MAX;
        if (history->words.roles[key] != COT_TRAIT_OTHER || count->n_facts == 0 || identifying)
            continue;
        if (columns->n == MAX_TRAIT_COLUMNS) {
            rc = cot_fail(err, COT_LIMIT, "more than %d imported traits", MAX_TRAIT_COLUMNS);
            break;
        }
        struct trait_column *column = &columns->columns[columns->n];
        *column = (struct trait_column){key, is_number, count->timeless, trait_column_name(word->text, word->size)};
        if (column->name == NULL)
            rc = cot_fail(err, COT_NOMEM, "trait");
        else
            columns->n++;
    }
    qsort(columns->columns, columns->n, sizeof *columns->columns, trait_column_compare);
    if (rc == COT_OK)
        rc = part_equal_names(columns, err);
    for (uint32_t i = 0; i < columns->n; i++)
        columns->column_of_key[columns->columns[i].key] = i;
    free(counts);
    return rc;
}

static cot_code describe_feature(struct cot_feature_column *column, const struct cot_feature *feature,
                                 struct cot_err *err)
{
    *column = (struct cot_feature_column){.name = strdup(feature->name),
                                          .title = strdup(feature->title),
                                          .group = feature->group,
                                          .unit = feature->unit,
                                          .description = feature->description,
                                          .transform = feature->transform,
                                          .purpose = feature->purpose};
    return column->name == NULL || column->title == NULL ? cot_fail(err, COT_NOMEM, "column") : COT_OK;
}

static cot_code describe_trait(struct cot_feature_column *column, const struct trait_column *trait,
                               const struct cot_dict_entry *key, struct cot_err *err)
{
    *column =
        (struct cot_feature_column){.name = strdup(trait->name),
                                    .title = strndup(key->text, key->size),
                                    .group = COT_FEATURE_DEMOGRAPHIC,
                                    .unit = trait->is_number ? "number" : "category",
                                    .description = "Imported trait of the customer, as last stated",
                                    .transform = trait->is_number ? COT_TRANSFORM_SIGNED_LOG1P : COT_TRANSFORM_CATEGORY,
                                    .purpose = COT_PURPOSE_ANALYTICS,
                                    .timeless = trait->timeless};
    return column->name == NULL || column->title == NULL ? cot_fail(err, COT_NOMEM, "column") : COT_OK;
}

static cot_code matrix_init(struct cot_feature_matrix *matrix, const struct cot_history *history,
                            const struct trait_columns *traits, struct cot_err *err)
{
    cot_code rc = COT_OK;
    size_t n = history->people.n;
    size_t d = cot_n_features + traits->n;
    *matrix = (struct cot_feature_matrix){.as_of_ms = history->as_of_ms, .n = n};
    matrix->columns = calloc(d, sizeof *matrix->columns);
    matrix->values = n < SIZE_MAX / sizeof(float) / d ? malloc((n * d + 1) * sizeof *matrix->values) : NULL;
    matrix->customers = malloc((n + 1) * sizeof *matrix->customers);
    matrix->analytics = malloc((n + 1) * sizeof *matrix->analytics);
    if (matrix->columns == NULL || matrix->values == NULL || matrix->customers == NULL || matrix->analytics == NULL)
        return cot_fail(err, COT_NOMEM, "%zu features of %zu customers (%zu bytes)", d, n, n * d * sizeof(float));
    for (size_t j = 0; rc == COT_OK && j < cot_n_features; j++, matrix->d++)
        rc = describe_feature(&matrix->columns[j], &cot_features[j], err);
    for (size_t j = 0; rc == COT_OK && j < traits->n; j++, matrix->d++)
        rc = describe_trait(&matrix->columns[cot_n_features + j], &traits->columns[j],
                            cot_dict_entry(&history->words.keys, traits->columns[j].key), err);
    return rc;
}

struct fill_thread {
    struct cot_customer_reader reader;
    struct cot_trait_fact best[MAX_TRAIT_COLUMNS];
    bool present[MAX_TRAIT_COLUMNS];
    uint32_t timeless_roles;
    cot_code rc;
    struct cot_err err;
};

struct fill {
    const struct cot_history *history;
    const struct cot_feature_matrix_options *options;
    const struct trait_columns *traits;
    struct cot_feature_matrix *matrix;
    struct fill_thread *threads;
};

/* The values of imported traits of one customer: numbers, or codes of words. */
static void fill_traits(const struct fill *fill, struct fill_thread *thread, uint32_t i_customer, float *ret_values)
{
    const struct cot_history *history = fill->history;
    const struct cot_people *people = &history->people;
    if (fill->traits->n == 0)
        return;
    memset(thread->present, 0, fill->traits->n * sizeof *thread->present);
    for (uint32_t i = people->starts[i_customer]; i < people->starts[i_customer + 1]; i++) {
        uint32_t node = people->nodes[i];
        for (uint32_t j = history->trait_starts[node]; j < history->trait_starts[node + 1]; j++) {
            const struct cot_trait_fact *fact = &history->traits[j];
            uint32_t column = fill->traits->column_of_key[fact->key];
            bool undated = fact->occurred_at_ms == COT_TIMELESS;
            if (column == UINT32_MAX || fact->occurred_at_ms > history->as_of_ms ||
                (undated && fill->options->timeless == COT_WITHOUT_TIMELESS))
                continue;
            if (!thread->present[column] || cot_trait_beats(fact, &thread->best[column])) {
                thread->best[column] = *fact;
                thread->present[column] = true;
            }
        }
    }
    for (size_t j = 0; j < fill->traits->n; j++) {
        const struct cot_trait_fact *fact = &thread->best[j];
        ret_values[j] = NAN;
        if (thread->present[j] && fill->traits->columns[j].is_number)
            ret_values[j] = fact->number;
        else if (thread->present[j] && fact->value != COT_DICT_NONE)
            ret_values[j] = (float)fact->value;
    }
}

static void fill_block(void *context, size_t begin, size_t end, size_t i_block, unsigned i_thread)
{
    const struct fill *fill = context;
    struct cot_feature_matrix *matrix = fill->matrix;
    struct fill_thread *thread = &fill->threads[i_thread];
    const struct cot_customer *customer = NULL;
    for (size_t i = begin; i < end && thread->rc == COT_OK; i++) {
        float *row = matrix->values + i * matrix->d;
        thread->rc = cot_customer_read(&thread->reader, (uint32_t)i, &customer, &thread->err);
        if (thread->rc != COT_OK)
            return;
        for (size_t j = 0; j < cot_n_features; j++)
            row[j] = cot_features[j].value(customer);
        fill_traits(fill, thread, (uint32_t)i, row + cot_n_features);
        thread->timeless_roles |= customer->profile->timeless;
        matrix->customers[i] = fill->history->people.nodes[fill->history->people.starts[i]];
        matrix->analytics[i] = cot_history_allows(fill->history, (uint32_t)i, COT_PURPOSE_ANALYTICS);
    }
    if (i_thread == 0)
        cot_progress_report(fill->options->progress, "computing features", end, matrix->n);
    (void)i_block;
}

/* Runs the blocks; the roles of timeless facts mark their columns. */
static cot_code matrix_compute(struct fill *fill, struct cot_err *err)
{
    cot_code rc = COT_OK;
    uint32_t timeless = 0;
    unsigned n_threads = fill->options->n_threads != 0 ? fill->options->n_threads : cot_threads_available();
    fill->threads = calloc(n_threads, sizeof *fill->threads);
    if (fill->threads == NULL)
        return cot_fail(err, COT_NOMEM, "%u threads", n_threads);
    for (unsigned i = 0; i < n_threads; i++) {
        fill->threads[i].reader.history = fill->history;
        fill->threads[i].reader.timeless = fill->options->timeless;
    }
    cot_parallel_for(n_threads, fill->matrix->n, BLOCK_CUSTOMERS, fill_block, fill);
    for (unsigned i = 0; i < n_threads; i++) {
        if (rc == COT_OK && fill->threads[i].rc != COT_OK)
            rc = cot_fail(err, fill->threads[i].rc, "%s", fill->threads[i].err.message);
        timeless |= fill->threads[i].timeless_roles;
        cot_customer_reader_release(&fill->threads[i].reader);
    }
    for (size_t j = 0; j < cot_n_features; j++)
        if (cot_features[j].trait_role != COT_TRAIT_OTHER)
            fill->matrix->columns[j].timeless = (timeless >> cot_features[j].trait_role & 1) != 0;
    free(fill->threads);
    return rc;
}

/* A category column's codes as they came: a word each. */
struct labels {
    const struct cot_dict *dict; /* or */
    const char *const *names;    /* of fixed labels */
    size_t n;
};

static struct labels labels_of(const struct cot_history *history, enum cot_feature_labels kind)
{
    static const char *const channels[COT_N_CHANNELS] = {
#define X(channel, number, name) [channel] = name,
        COT_CHANNELS(X)
#undef X
    };
    switch (kind) {
    case COT_LABELS_CATEGORY: return (struct labels){&history->categories, NULL, history->categories.n};
    case COT_LABELS_BRAND: return (struct labels){&history->brands, NULL, history->brands.n};
    case COT_LABELS_CHANNEL: return (struct labels){NULL, channels, COT_N_CHANNELS};
    case COT_LABELS_WEEKDAY: return (struct labels){NULL, cot_weekday_names, COT_N_WEEKDAYS};
    case COT_LABELS_DAY_PART: return (struct labels){NULL, cot_day_part_names, COT_N_DAY_PARTS};
    case COT_LABELS_VALUE_TIER: return (struct labels){NULL, cot_value_tier_names, COT_N_VALUE_TIERS};
    case COT_LABELS_TRAIT:
    case COT_LABELS_NONE: break;
    }
    return (struct labels){&history->words.values, NULL, history->words.values.n};
}

struct code_count {
    uint32_t code;
    uint32_t n;
    const char *text;
    size_t size;
};

static int code_count_compare(const void *a, const void *b)
{
    const struct code_count *x = a;
    const struct code_count *y = b;
    if (x->n != y->n)
        return x->n > y->n ? -1 : 1;
    int order = memcmp(x->text, y->text, x->size < y->size ? x->size : y->size);
    return order != 0 ? order : x->size < y->size ? -1 : x->size > y->size;
}

/* Rewrites a column's codes as 0, 1, ... by falling frequency (ties by word); all beyond the first 20 are "other". */
static cot_code categorise(struct cot_feature_matrix *matrix, size_t j, const struct labels *labels,
                           struct cot_err *err)
{
    struct cot_feature_column *column = &matrix->columns[j];
    size_t n_used = 0;
    cot_code rc = COT_OK;
    uint32_t *counts = calloc(labels->n + 1, sizeof *counts);
    struct code_count *used = NULL;
    if (counts == NULL)
        return cot_fail(err, COT_NOMEM, "%zu categories", labels->n);
    for (size_t i = 0; i < matrix->n; i++) {
        float value = matrix->values[i * matrix->d + j];
        if (!isnan(value) && counts[(size_t)value]++ == 0)
            n_used++;
    }
    used = malloc((n_used + 1) * sizeof *used);
    column->category_names = calloc(COT_MAX_CATEGORIES + 1, sizeof *column->category_names);
    if (used == NULL || column->category_names == NULL) {
        rc = cot_fail(err, COT_NOMEM, "%zu categories", labels->n);
        goto out;
    }
    n_used = 0;
    for (uint32_t code = 0; code < labels->n; code++) {
        if (counts[code] == 0)
            continue;
        const char *text = labels->dict != NULL ? cot_dict_entry(labels->dict, code)->text : labels->names[code];
        size_t size = labels->dict != NULL ? cot_dict_entry(labels->dict, code)->size : strlen(text);
        used[n_used++] = (struct code_count){code, counts[code], text, size};
    }
    qsort(used, n_used, sizeof *used, code_count_compare);
    bool cut = n_used > COT_MAX_CATEGORIES + 1; /* a single word more needs no "other" */
    column->n_categories = cut ? COT_MAX_CATEGORIES + 1 : n_used;
    for (size_t i = 0; i < n_used; i++)
        counts[used[i].code] = (uint32_t)(i < column->n_categories ? i : COT_MAX_CATEGORIES);
    for (size_t i = 0; i < column->n_categories; i++) {
        bool other = cut && i == COT_MAX_CATEGORIES;
        column->category_names[i] = other ? strdup("other") : strndup(used[i].text, used[i].size);
        if (column->category_names[i] == NULL)
            rc = cot_fail(err, COT_NOMEM, "category");
    }
    for (size_t i = 0; i < matrix->n; i++) {
        float *value = &matrix->values[i * matrix->d + j];
        if (!isnan(*value))
            *value = (float)counts[(size_t)*value];
    }
out:
    free(counts);
    free(used);
    return rc;
}

cot_code cot_feature_matrix_fill(const struct cot_history *history, const struct cot_feature_matrix_options *options,
                                 struct cot_feature_matrix *ret_matrix, struct cot_err *err)
{
    struct cot_feature_matrix matrix = {0};
    struct trait_columns *traits = calloc(1, sizeof *traits);
    struct fill fill = {.history = history, .options = options, .traits = traits, .matrix = &matrix};
    if (traits == NULL)
        return cot_fail(err, COT_NOMEM, "imported traits");
    cot_code rc = choose_trait_columns(history, options->timeless, traits, err);
    if (rc == COT_OK)
        rc = matrix_init(&matrix, history, traits, err);
    if (rc == COT_OK)
        rc = matrix_compute(&fill, err);
    for (size_t j = 0; rc == COT_OK && j < matrix.d; j++) {
        enum cot_feature_labels kind = j < cot_n_features ? cot_features[j].labels : COT_LABELS_TRAIT;
        struct labels labels = labels_of(history, kind);
        if (matrix.columns[j].transform == COT_TRANSFORM_CATEGORY)
            rc = categorise(&matrix, j, &labels, err);
    }
    trait_columns_release(traits);
    free(traits);
    if (rc != COT_OK) {
        cot_feature_matrix_free(&matrix);
        return rc;
    }
    *ret_matrix = matrix;
    return COT_OK;
}
