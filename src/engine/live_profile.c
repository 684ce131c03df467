#include "engine/live_profile.h"

#include <ctype.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/json.h"
#include "domain/feature_catalogue.h"
#include "domain/value.h"
#include "domain/value_tier.h"
#include "engine/customer_move.h"

static const enum cot_node_kind kinds[] = {COT_NODE_USER,      COT_NODE_EMAIL,  COT_NODE_PHONE,   COT_NODE_LOYALTY,
                                           COT_NODE_ANONYMOUS, COT_NODE_DEVICE, COT_NODE_EXTERNAL};
enum { N_KINDS = sizeof kinds / sizeof *kinds, N_PULLS = 6 };

/* The node of a kind and a value as people write it; COT_DICT_NONE. */
static uint32_t find_kind(const struct cot_dict *nodes, enum cot_node_kind kind, const char *text, size_t size)
{
    char email[256];
    size_t email_size = 0;
    if (kind != COT_NODE_EMAIL)
        return cot_dict_find(nodes, (uint8_t)kind, text, size);
    if (size >= sizeof email || !cot_value_email(text, size, email, &email_size))
        return COT_DICT_NONE;
    return cot_dict_find(nodes, (uint8_t)kind, email, email_size);
}

static bool is_known(const struct cot_live_shop *live, uint32_t node)
{
    return node != COT_DICT_NONE && node < cot_live_n_nodes(live->live);
}

/* Our own name of somebody for whom the shop has none: all nodes are looked at, 10 ms for a million. */
static uint32_t find_anonymous(const struct cot_live_shop *live, const struct cot_dict *nodes, const char *id)
{
    char text[COT_ANONYMOUS_ID_SIZE];
    for (uint32_t node = 0; node < cot_live_n_nodes(live->live) && node < nodes->n; node++) {
        const struct cot_dict_entry *entry = cot_dict_entry(nodes, node);
        if (cot_live_root(live->live, node) != node || cot_node_kind_name((enum cot_node_kind)entry->tag) == NULL)
            continue;
        cot_anonymous_customer_id((enum cot_node_kind)entry->tag, entry->text, entry->size, text);
        if (strcmp(text, id) == 0)
            return node;
    }
    return COT_DICT_NONE;
}

/* "kind:value" -> kind; false where the text does not begin with one. */
static bool split_kind(const char *id, size_t size, enum cot_node_kind *ret_kind, size_t *ret_skip)
{
    const char *colon = memchr(id, ':', size);
    if (colon == NULL || !cot_node_kind_from_name(id, (size_t)(colon - id), ret_kind))
        return false;
    *ret_skip = (size_t)(colon - id) + 1;
    return true;
}

cot_code cot_live_find(const struct cot_live_shop *live, const struct cot_dict *nodes, const char *id, size_t size,
                       uint32_t *ret_node, struct cot_err *err)
{
    enum cot_node_kind kind;
    size_t skip = 0;
    uint32_t found = COT_DICT_NONE;
    if (split_kind(id, size, &kind, &skip))
        found = find_kind(nodes, kind, id + skip, size - skip);
    for (size_t i = 0; i < N_KINDS && skip == 0; i++) {
        uint32_t node = find_kind(nodes, kinds[i], id, size);
        if (!is_known(live, node))
            continue;
        if (found != COT_DICT_NONE && cot_live_root(live->live, found) != cot_live_root(live->live, node))
            return cot_fail(err, COT_USAGE, "two persons have this identifier: ask for %s:... or %s:...",
                            cot_node_kind_name((enum cot_node_kind)cot_dict_entry(nodes, found)->tag),
                            cot_node_kind_name(kinds[i]));
        found = found == COT_DICT_NONE ? node : found;
    }
    if (!is_known(live, found) && size == COT_ANONYMOUS_ID_SIZE - 1 && strncmp(id, "anon-", 5) == 0)
        found = find_anonymous(live, nodes, id);
    if (!is_known(live, found))
        return cot_fail(err, COT_NOT_FOUND, "nobody here has this identifier");
    *ret_node = found;
    return COT_OK;
}

uint32_t cot_live_name_node(const struct cot_live_shop *live, const struct cot_dict *nodes, uint32_t node)
{
    size_t n = 0;
    const uint32_t *members = cot_live_members(live->live, &node, &n);
    for (size_t i = 0; i < n; i++)
        if (cot_dict_entry(nodes, members[i])->tag == COT_NODE_USER)
            return members[i];
    return members[0];
}

bool cot_live_node_name(const struct cot_dict *nodes, uint32_t node, char ret_name[COT_LIVE_NAME_SIZE])
{
    char text[COT_ANONYMOUS_ID_SIZE];
    const struct cot_dict_entry *entry = node < nodes->n ? cot_dict_entry(nodes, node) : NULL;
    if (entry == NULL || cot_node_kind_name((enum cot_node_kind)entry->tag) == NULL)
        return false;
    if (entry->tag == COT_NODE_USER) {
        snprintf(ret_name, COT_LIVE_NAME_SIZE, "%.*s", (int)entry->size, entry->text);
        return true;
    }
    cot_anonymous_customer_id((enum cot_node_kind)entry->tag, entry->text, entry->size, text);
    snprintf(ret_name, COT_LIVE_NAME_SIZE, "%s", text);
    return true;
}

void cot_live_add_customer_id(const struct cot_live_shop *live, const struct cot_dict *nodes, uint32_t node,
                              yyjson_mut_doc *doc, yyjson_mut_val *object, const char *key)
{
    char text[COT_ANONYMOUS_ID_SIZE];
    const struct cot_dict_entry *entry = cot_dict_entry(nodes, cot_live_name_node(live, nodes, node));
    if (entry->tag == COT_NODE_USER) {
        yyjson_mut_obj_add_strncpy(doc, object, key, entry->text, entry->size);
        return;
    }
    cot_anonymous_customer_id((enum cot_node_kind)entry->tag, entry->text, entry->size, text);
    yyjson_mut_obj_add_strcpy(doc, object, key, text);
}

static void add_identities(const struct cot_live_shop *live, const struct cot_dict *nodes, uint32_t node,
                           yyjson_mut_doc *doc, yyjson_mut_val *root)
{
    size_t n = 0;
    const uint32_t *members = cot_live_members(live->live, &node, &n);
    yyjson_mut_val *array = yyjson_mut_obj_add_arr(doc, root, "identities");
    for (size_t i = 0; i < n; i++) {
        const struct cot_dict_entry *entry = cot_dict_entry(nodes, members[i]);
        const char *kind = cot_node_kind_name((enum cot_node_kind)entry->tag);
        if (kind == NULL)
            continue;
        yyjson_mut_val *identity = yyjson_mut_arr_add_obj(doc, array);
        yyjson_mut_obj_add_str(doc, identity, "kind", kind);
        yyjson_mut_obj_add_strncpy(doc, identity, "value", entry->text, entry->size);
    }
}

/* The latest fact of a key among the customer's nodes; NULL: none. */
const struct cot_trait_fact *cot_live_best_trait(const struct cot_live_shop *live, uint32_t node, uint32_t key)
{
    size_t n = 0;
    const struct cot_trait_fact *best = NULL;
    const uint32_t *members = cot_live_members(live->live, &node, &n);
    for (size_t i = 0; i < n; i++) {
        size_t n_traits = 0;
        const struct cot_trait_fact *traits = cot_live_traits(live->live, members[i], &n_traits);
        for (size_t j = 0; j < n_traits; j++)
            if (traits[j].key == key && traits[j].occurred_at_ms <= cot_live_now_ms(live->live) &&
                (best == NULL || cot_trait_beats(&traits[j], best)))
                best = &traits[j];
    }
    return best;
}

static void add_traits(const struct cot_live_shop *live, uint32_t node, yyjson_mut_doc *doc, yyjson_mut_val *root)
{
    size_t n = 0;
    const uint32_t *members = cot_live_members(live->live, &node, &n);
    yyjson_mut_val *object = yyjson_mut_obj_add_obj(doc, root, "traits");
    for (size_t i = 0; i < n; i++) {
        size_t n_traits = 0;
        const struct cot_trait_fact *traits = cot_live_traits(live->live, members[i], &n_traits);
        for (size_t j = 0; j < n_traits; j++) {
            const struct cot_dict_entry *key = cot_dict_entry(&live->words.keys, traits[j].key);
            if (cot_live_best_trait(live, node, traits[j].key) != &traits[j] || traits[j].value == COT_DICT_NONE)
                continue;
            const struct cot_dict_entry *word = cot_dict_entry(&live->words.values, traits[j].value);
            yyjson_mut_obj_add(object, yyjson_mut_strncpy(doc, key->text, key->size),
                               yyjson_mut_strncpy(doc, word->text, word->size));
        }
    }
}

static void add_consent(const struct cot_live_shop *live, uint32_t node, yyjson_mut_doc *doc, yyjson_mut_val *root)
{
    yyjson_mut_val *object = yyjson_mut_obj_add_obj(doc, root, "consent");
    for (int purpose = 0; purpose < COT_N_PURPOSES; purpose++)
        yyjson_mut_obj_add_bool(doc, object, cot_purpose_name((enum cot_purpose)purpose),
                                cot_live_shop_allows(live, node, (enum cot_purpose)purpose));
}

static void add_time(yyjson_mut_doc *doc, yyjson_mut_val *object, const char *key, int64_t ms)
{
    char text[COT_TIME_TEXT_SIZE];
    cot_format_time(ms, text, sizeof text);
    yyjson_mut_obj_add_strcpy(doc, object, key, text);
}

/* Words that are the same in every shop. */
static const char *fixed_word(enum cot_feature_labels labels, float value)
{
    switch (labels) {
    case COT_LABELS_CHANNEL: return cot_channel_name((enum cot_channel)value);
    case COT_LABELS_WEEKDAY: return value < COT_N_WEEKDAYS ? cot_weekday_names[(int)value] : NULL;
    case COT_LABELS_DAY_PART: return value < COT_N_DAY_PARTS ? cot_day_part_names[(int)value] : NULL;
    case COT_LABELS_VALUE_TIER: return value < COT_N_VALUE_TIERS ? cot_value_tier_names[(int)value] : NULL;
    default: return NULL;
    }
}

/* The word of a category feature's value; NULL: none. */
const char *cot_live_word(const struct cot_live_shop *live, const struct cot_feature *feature, float value,
                          char ret_word[COT_LIVE_WORD_SIZE])
{
    const struct cot_dict *dict = feature->labels == COT_LABELS_CATEGORY ? &live->categories
                                  : feature->labels == COT_LABELS_BRAND  ? &live->brands
                                  : feature->labels == COT_LABELS_TRAIT  ? &live->words.values
                                                                         : NULL;
    if (isnan(value) || value < 0)
        return NULL;
    if (dict == NULL)
        return fixed_word(feature->labels, value);
    if ((size_t)value >= dict->n)
        return NULL;
    const struct cot_dict_entry *entry = cot_dict_entry(dict, (uint32_t)value);
    snprintf(ret_word, COT_LIVE_WORD_SIZE, "%.*s", (int)entry->size, entry->text);
    return ret_word;
}

static void add_features(const struct cot_live_shop *live, const struct cot_customer *customer, yyjson_mut_doc *doc,
                         yyjson_mut_val *root)
{
    yyjson_mut_val *object = yyjson_mut_obj_add_obj(doc, root, "features");
    for (size_t i = 0; i < cot_n_features; i++) {
        const struct cot_feature *feature = &cot_features[i];
        char text[COT_LIVE_WORD_SIZE];
        float value = feature->value(customer);
        if (feature->labels == COT_LABELS_NONE) {
            cot_json_add_number(doc, object, feature->name, cot_json_round((double)value, 4));
            continue;
        }
        const char *word = cot_live_word(live, feature, value, text);
        if (word != NULL)
            yyjson_mut_obj_add_strcpy(doc, object, feature->name, word);
        else
            yyjson_mut_obj_add_null(doc, object, feature->name);
    }
}

cot_code cot_live_profile(struct cot_live_shop *live, const struct cot_dict *nodes, uint32_t node,
                          const struct cot_customer *customer, yyjson_mut_doc *doc, yyjson_mut_val *root,
                          struct cot_err *err)
{
    struct cot_run run = {0};
    cot_code rc = cot_live_run(live->live, node, &run, err);
    if (rc != COT_OK)
        return rc;
    cot_live_add_customer_id(live, nodes, node, doc, root, "customer_id");
    add_identities(live, nodes, node, doc, root);
    add_traits(live, node, doc, root);
    add_consent(live, node, doc, root);
    yyjson_mut_obj_add_strcpy(doc, root, "currency", live->currency);
    add_time(doc, root, "as_of", cot_live_now_ms(live->live));
    if (run.n > 0) {
        add_time(doc, root, "first_event", cot_entry_ms(&run.entries[0]));
        add_time(doc, root, "last_event", cot_entry_ms(&run.entries[run.n - 1]));
    } else {
        yyjson_mut_obj_add_null(doc, root, "first_event");
        yyjson_mut_obj_add_null(doc, root, "last_event");
    }
    yyjson_mut_obj_add_uint(doc, root, "events", run.n);
    add_features(live, customer, doc, root);
    return cot_live_add_segment(live, node, customer, doc, root, err);
}

/* Whether a trait key is the one whose column has that name ("Marital Status": "marital_status"). */
static bool key_has_name(const struct cot_dict_entry *key, const char *name)
{
    size_t n = 0;
    if (strncmp(name, "trait_", 6) == 0)
        name += 6;
    for (size_t i = 0; i < key->size; i++) {
        bool word = isalnum((unsigned char)key->text[i]) != 0;
        char c = word ? (char)tolower((unsigned char)key->text[i]) : '_';
        if (!word && (n == 0 || name[n - 1] == '_' || i + 1 == key->size))
            continue;
        if (name[n++] != c)
            return false;
    }
    return name[n] == '\0';
}

/* One customer as a matrix of one row, with the columns that a model knows. Category columns have one word: the
 * customer's. */
struct one_row {
    struct cot_feature_matrix matrix;
    char **words; /* [d] */
};

static void one_row_release(struct one_row *row)
{
    for (size_t i = 0; row->words != NULL && i < row->matrix.d; i++)
        free(row->words[i]);
    free(row->words);
    free(row->matrix.columns);
    free(row->matrix.values);
    *row = (struct one_row){0};
}

static void fill_column(const struct cot_live_shop *live, const struct cot_customer *customer, uint32_t node,
                        const char *name, struct one_row *row, size_t j)
{
    struct cot_feature_column *column = &row->matrix.columns[j];
    size_t i_feature = cot_feature_find(name);
    char text[COT_LIVE_WORD_SIZE];
    const char *word = NULL;
    row->matrix.values[j] = NAN;
    if (i_feature != SIZE_MAX) {
        const struct cot_feature *feature = &cot_features[i_feature];
        float value = feature->value(customer);
        column->transform = feature->transform;
        column->unit = feature->unit;
        if (feature->labels == COT_LABELS_NONE)
            row->matrix.values[j] = value;
        else
            word = cot_live_word(live, feature, value, text);
    } else {
        const struct cot_trait_fact *fact = NULL;
        column->transform = COT_TRANSFORM_SIGNED_LOG1P;
        for (uint32_t key = 0; key < live->words.keys.n && fact == NULL; key++)
            if (key_has_name(cot_dict_entry(&live->words.keys, key), name))
                fact = cot_live_best_trait(live, node, key);
        if (fact != NULL)
            row->matrix.values[j] = fact->number;
        if (fact != NULL && fact->value != COT_DICT_NONE) {
            const struct cot_dict_entry *entry = cot_dict_entry(&live->words.values, fact->value);
            snprintf(text, sizeof text, "%.*s", (int)entry->size, entry->text);
            word = text;
        }
    }
    row->words[j] = word != NULL ? strdup(word) : NULL;
}

/* Words that were too rare to be a category of their own are "other". */
static void fold_rare_word(const struct cot_space_column *column, char **word)
{
    bool has_other = false;
    for (size_t i = 0; i < column->n_categories; i++) {
        if (*word == NULL || strcmp(column->category_names[i], *word) == 0)
            return;
        has_other |= strcmp(column->category_names[i], "other") == 0;
    }
    free(*word);
    *word = has_other ? strdup("other") : NULL;
}

/* Columns: the space's, then the measures of extremes. */
static cot_code one_row_make(const struct cot_live_shop *live, const struct cot_customer *customer, uint32_t node,
                             struct one_row *ret_row, struct cot_err *err)
{
    const struct cot_segment_model *model = live->model;
    const struct cot_space *space = model->space;
    size_t d = space->n_columns + model->limits.n + 1;
    struct one_row row = {.matrix = {.n = 1}};
    row.matrix.columns = calloc(d, sizeof *row.matrix.columns);
    row.matrix.values = calloc(d, sizeof *row.matrix.values);
    row.words = calloc(d, sizeof *row.words);
    if (row.matrix.columns == NULL || row.matrix.values == NULL || row.words == NULL) {
        one_row_release(&row);
        return cot_fail(err, COT_NOMEM, "a customer's features");
    }
    for (size_t j = 0; j < d; j++, row.matrix.d++) {
        const char *name = j < space->n_columns ? space->columns[j].name
                           : j + 1 < d          ? model->limits.measures[j - space->n_columns].name
                                                : "frequency";
        row.matrix.columns[j].name = (char *)(uintptr_t)name; /* borrowed: freed by none */
        fill_column(live, customer, node, name, &row, j);
        if (j < space->n_columns && space->columns[j].n_categories > 0) {
            fold_rare_word(&space->columns[j], &row.words[j]);
            row.matrix.columns[j].transform = COT_TRANSFORM_CATEGORY;
            row.matrix.columns[j].n_categories = row.words[j] != NULL;
            row.matrix.columns[j].category_names = &row.words[j];
            row.matrix.values[j] = row.words[j] != NULL ? 0 : NAN;
        }
    }
    *ret_row = row;
    return COT_OK;
}

/* To which segment a customer belongs, by the model of now. */
struct assignment {
    float *raw;     /* by the space's columns */
    double orders;  /* NaN: none */
    size_t segment; /* of the model's */
    double distance;
};

static cot_code assign(const struct cot_live_shop *live, uint32_t node, const struct cot_customer *customer,
                       struct assignment *ret_assignment, struct cot_err *err)
{
    const struct cot_segment_model *model = live->model;
    struct one_row row = {0};
    float *raw = calloc(model->space->n_columns + model->d + 1, sizeof *raw);
    double *y = calloc(model->q + 1, sizeof *y);
    cot_code rc = raw == NULL || y == NULL ? cot_fail(err, COT_NOMEM, "a customer's segment") : COT_OK;
    if (rc == COT_OK)
        rc = one_row_make(live, customer, node, &row, err);
    if (rc != COT_OK)
        goto out;
    float *z = raw + model->space->n_columns;
    cot_space_raw(model->space, &row.matrix, 0, raw);
    rc = cot_space_apply_raw(model->space, raw, 1, 1, z, err);
    if (rc != COT_OK)
        goto out;
    cot_segment_model_project(model, z, y);
    ret_assignment->segment = cot_segment_model_nearest(model, y, &ret_assignment->distance);
    ret_assignment->orders = (double)row.matrix.values[row.matrix.d - 1];
    if (model->extreme_id != 0 && cot_extreme_is(&model->limits, &row.matrix, 0))
        for (size_t s = 0; s < model->k; s++)
            if (model->ids[s] == model->extreme_id)
                ret_assignment->segment = s;
    ret_assignment->raw = raw;
    raw = NULL;
out:
    one_row_release(&row);
    free(raw);
    free(y);
    return rc;
}

static bool may_be_assigned(const struct cot_live_shop *live, uint32_t node)
{
    return live->model != NULL && cot_live_shop_allows(live, node, COT_PURPOSE_ANALYTICS);
}

static void add_head(const struct cot_live_shop *live, size_t segment, yyjson_mut_doc *doc, yyjson_mut_val *object)
{
    const struct cot_segment_run_row *run = &live->runs.runs[live->runs.n - 1];
    const struct cot_segment_row *row = cot_segment_run_segment(run, live->model->ids[segment]);
    yyjson_mut_obj_add_int(doc, object, "id", live->model->ids[segment]);
    yyjson_mut_obj_add_strcpy(doc, object, "name", row != NULL ? row->name : "");
    yyjson_mut_obj_add_strcpy(doc, object, "color", row != NULL ? row->color : "");
}

static void add_assignment(const struct cot_live_shop *live, const struct assignment *assignment, yyjson_mut_doc *doc,
                           yyjson_mut_val *root)
{
    yyjson_mut_val *object = yyjson_mut_obj_add_obj(doc, root, "segment");
    add_head(live, assignment->segment, doc, object);
    yyjson_mut_obj_add_int(doc, object, "run", live->runs.runs[live->runs.n - 1].run_id);
    yyjson_mut_obj_add_str(doc, object, "assigned_by", "model");
    cot_json_add_number(doc, object, "distance", cot_json_round(assignment->distance, 4));
}

cot_code cot_live_add_segment(const struct cot_live_shop *live, uint32_t node, const struct cot_customer *customer,
                              yyjson_mut_doc *doc, yyjson_mut_val *root, struct cot_err *err)
{
    struct assignment assignment = {0};
    if (!may_be_assigned(live, node)) {
        yyjson_mut_obj_add_null(doc, root, "segment");
        return COT_OK;
    }
    cot_code rc = assign(live, node, customer, &assignment, err);
    if (rc == COT_OK)
        add_assignment(live, &assignment, doc, root);
    free(assignment.raw);
    return rc;
}

cot_code cot_live_learned(const struct cot_live_shop *live, uint32_t node, const struct cot_customer *customer,
                          size_t *ret_segment, struct cot_err *err)
{
    struct assignment assignment = {.segment = SIZE_MAX};
    cot_code rc = may_be_assigned(live, node) ? assign(live, node, customer, &assignment, err) : COT_OK;
    if (rc == COT_OK)
        *ret_segment = assignment.segment;
    free(assignment.raw);
    return rc;
}

/* Name, title and unit of a space's column. */
static void add_feature_head(const char *name, yyjson_mut_doc *doc, yyjson_mut_val *entry)
{
    size_t i = cot_feature_find(name);
    yyjson_mut_obj_add_strcpy(doc, entry, "feature", name);
    yyjson_mut_obj_add_strcpy(doc, entry, "title", i != SIZE_MAX ? cot_features[i].title : name);
    yyjson_mut_obj_add_str(doc, entry, "unit", i != SIZE_MAX ? cot_features[i].unit : "");
}

static cot_code add_pulls(const struct cot_live_shop *live, const struct assignment *assignment, yyjson_mut_doc *doc,
                          yyjson_mut_val *root, struct cot_err *err)
{
    const struct cot_space *space = live->model->space;
    struct cot_customer_pull *pulls = calloc(space->n_columns + 1, sizeof *pulls);
    size_t n = 0;
    cot_code rc = pulls == NULL ? cot_fail(err, COT_NOMEM, "pulls")
                                : cot_customer_pulls(live->model, assignment->raw, assignment->segment, pulls, &n, err);
    yyjson_mut_val *array = yyjson_mut_obj_add_arr(doc, root, "pulls");
    for (size_t i = 0; rc == COT_OK && i < n && i < N_PULLS; i++) {
        const struct cot_space_column *column = &space->columns[pulls[i].i_column];
        double value = (double)assignment->raw[pulls[i].i_column];
        yyjson_mut_val *entry = yyjson_mut_arr_add_obj(doc, array);
        add_feature_head(column->name, doc, entry);
        if (column->n_categories > 0 && value >= 0 && value < (double)column->n_categories)
            yyjson_mut_obj_add_strcpy(doc, entry, "value", column->category_names[(size_t)value]);
        else
            cot_json_add_number(doc, entry, "value", cot_json_round(value, 4));
        yyjson_mut_obj_add_real(doc, entry, "share", cot_json_round(pulls[i].share, 4));
    }
    free(pulls);
    return rc;
}

/* The nearest other segment to which some change leads, else the nearest. */
static cot_code add_nearest(const struct cot_live_shop *live, const struct assignment *assignment, yyjson_mut_doc *doc,
                            yyjson_mut_val *root, struct cot_err *err)
{
    const struct cot_segment_model *model = live->model;
    struct cot_customer_move best = {0};
    bool any = false;
    for (size_t s = 0; s < model->k; s++) {
        struct cot_customer_move move = {0};
        if (s == assignment->segment || model->ids[s] == model->extreme_id)
            continue;
        cot_code rc =
            cot_customer_smallest_move(model, assignment->raw, assignment->orders, assignment->segment, s, &move, err);
        if (rc != COT_OK)
            return rc;
        if (!any || (move.reached && !best.reached) || (move.reached == best.reached && move.distance < best.distance))
            best = move;
        any = true;
    }
    if (!any) {
        yyjson_mut_obj_add_null(doc, root, "nearest");
        return COT_OK;
    }
    yyjson_mut_val *object = yyjson_mut_obj_add_obj(doc, root, "nearest");
    add_head(live, best.target, doc, object);
    cot_json_add_number(doc, object, "distance", cot_json_round(best.distance, 4));
    yyjson_mut_obj_add_bool(doc, object, "reached", best.reached);
    yyjson_mut_val *changes = yyjson_mut_obj_add_arr(doc, object, "changes");
    for (size_t i = 0; i < best.n_changes; i++) {
        yyjson_mut_val *entry = yyjson_mut_arr_add_obj(doc, changes);
        add_feature_head(model->space->columns[best.changes[i].i_column].name, doc, entry);
        cot_json_add_number(doc, entry, "from", cot_json_round(best.changes[i].from, 4));
        cot_json_add_number(doc, entry, "to", cot_json_round(best.changes[i].to, 4));
    }
    return COT_OK;
}

cot_code cot_live_explain(struct cot_live_shop *live, const struct cot_dict *nodes, uint32_t node, yyjson_mut_doc *doc,
                          yyjson_mut_val *root, struct cot_err *err)
{
    struct assignment assignment = {0};
    const struct cot_customer *customer = NULL;
    cot_live_add_customer_id(live, nodes, node, doc, root, "customer_id");
    if (!may_be_assigned(live, node)) {
        yyjson_mut_obj_add_null(doc, root, "segment");
        yyjson_mut_obj_add_arr(doc, root, "pulls");
        yyjson_mut_obj_add_null(doc, root, "nearest");
        return COT_OK;
    }
    cot_code rc = cot_live_customer(live->live, node, &customer, err);
    if (rc == COT_OK)
        rc = assign(live, node, customer, &assignment, err);
    if (rc == COT_OK) {
        add_assignment(live, &assignment, doc, root);
        rc = add_pulls(live, &assignment, doc, root, err);
    }
    if (rc == COT_OK)
        rc = add_nearest(live, &assignment, doc, root, err);
    free(assignment.raw);
    return rc;
}
