/* Which shape a file has: each shape is tried on the headers, the best that fits wins (see connector.h). */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/buf.h"
#include "connect/connector.h"
#include "connect/header.h"
#include "domain/money.h"

enum { SPECIFIC_SCORE = 1000, FIELD_SCORE = 10, UNUSED_SCORE = -2, FILE_NAME_SCORE = 8, MAX_NEAREST = 3 };

/* The file, as every shape sees it. */
struct header {
    const char *const *columns;
    size_t n;
    char (*squashed)[COT_HEADER_SIZE];
    enum cot_field *asked; /* by overrides; COT_N_FIELDS: not asked for */
    char **asked_keys;     /* of traits and properties asked for; NULL: the column's */
    const struct cot_batch *sample;
    const struct cot_mapping_options *options;
};

/* One shape tried. */
struct trial {
    const struct cot_connector *connector;
    enum cot_field *fields; /* [n] of each column */
    size_t field_column[COT_N_FIELDS];
    bool fits;
    int score;
    size_t n_missing;
    char missing[256]; /* what it lacks, for people */
};

static bool is_plain(enum cot_field field)
{
    return field != COT_FIELD_TRAIT && field != COT_FIELD_PROPERTY && field != COT_FIELD_NONE;
}

static void assign(struct trial *trial, size_t i_column, enum cot_field field)
{
    trial->fields[i_column] = field;
    if (is_plain(field))
        trial->field_column[field] = i_column;
}

/* The column that a row of the shape's table means: of the unused ones that with the earliest of its names. */
static size_t best_column(const struct header *header, const struct trial *trial, const char *names)
{
    size_t best = SIZE_MAX;
    size_t best_rank = SIZE_MAX;
    for (size_t i = 0; i < header->n; i++) {
        size_t rank = 0;
        if (trial->fields[i] == COT_N_FIELDS && cot_header_matches(header->squashed[i], names, &rank) &&
            rank < best_rank) {
            best = i;
            best_rank = rank;
        }
    }
    return best;
}

static void note_missing(struct trial *trial, const char *what)
{
    size_t used = strlen(trial->missing);
    snprintf(trial->missing + used, sizeof trial->missing - used, "%s%s", used > 0 ? ", " : "", what);
    trial->n_missing++;
}

/* The first of the names, quoted: what a user would call the column. */
static void note_missing_column(struct trial *trial, const struct cot_connector_column *column)
{
    char text[160];
    snprintf(text, sizeof text, "%s (a column such as '%.*s')", cot_field_name(column->field),
             (int)strcspn(column->names, "|"), column->names);
    note_missing(trial, text);
}

static void map_columns(const struct header *header, struct trial *trial)
{
    for (size_t i = 0; i < header->n; i++) {
        trial->fields[i] = COT_N_FIELDS;
        if (header->asked[i] != COT_N_FIELDS)
            assign(trial, i, header->asked[i]);
    }
    for (const struct cot_connector_column *column = trial->connector->columns; column != NULL && column->names != NULL;
         column++) {
        bool plain = is_plain(column->field);
        bool found = plain && trial->field_column[column->field] != SIZE_MAX;
        for (size_t i = 0; !(plain && found) && i != SIZE_MAX;) {
            i = best_column(header, trial, column->names);
            if (i == SIZE_MAX)
                break;
            assign(trial, i, column->field);
            found = true;
        }
        if (column->required && !found)
            note_missing_column(trial, column);
    }
}

/* "customer_id|email;amount|total": of each group one. */
static void check_one_of(struct trial *trial)
{
    const char *at = trial->connector->one_of;
    while (at != NULL) {
        size_t size = strcspn(at, ";");
        bool found = false;
        for (const char *name = at; !found && name < at + size;) {
            char text[64];
            enum cot_field field = COT_FIELD_NONE;
            size_t n = strcspn(name, "|;");
            snprintf(text, sizeof text, "%.*s", (int)n, name);
            found = cot_field_from_name(text, &field) && trial->field_column[field] != SIZE_MAX;
            name += n + 1;
        }
        if (!found) {
            char text[160] = "one of ";
            snprintf(text + strlen(text), sizeof text - strlen(text), "%.*s", (int)size, at);
            for (char *c = text; *c != '\0'; c++)
                *c = *c == '|' ? '/' : *c;
            note_missing(trial, text);
        }
        at = at[size] == ';' ? at + size + 1 : NULL;
    }
}

static bool has_other_header(const struct header *header, const char *names)
{
    for (size_t i = 0; names != NULL && i < header->n; i++)
        if (header->asked[i] == COT_N_FIELDS && cot_header_matches(header->squashed[i], names, NULL))
            return true;
    return false;
}

/* A column of dates whose cells are none, or of numbers: the header means something else. */
static void check_sample(const struct header *header, struct trial *trial)
{
    for (size_t i = 0; header->sample != NULL && i < header->n; i++) {
        size_t n_cells = 0;
        size_t n_good = 0;
        char text[200];
        if (!is_plain(trial->fields[i]) || trial->fields[i] == COT_N_FIELDS ||
            cot_field_type(trial->fields[i]) == COT_FIELD_TYPE_TEXT)
            continue;
        bool is_time = cot_field_type(trial->fields[i]) == COT_FIELD_TYPE_TIME;
        const struct cot_cell *example = NULL;
        for (size_t row = 0; row < header->sample->n_rows && row < 200; row++) {
            const struct cot_cell *cell = cot_batch_cell(header->sample, row, i);
            if (cot_value_is_missing(cell->data, cell->size))
                continue;
            bool good = (is_time ? cot_value_looks_date : cot_value_looks_number)(cell->data, cell->size);
            n_cells++;
            n_good += good;
            example = good ? example : cell;
        }
        /* A few bad cells are rejects; a column of them is another column. */
        if (n_cells < 5 || n_good * 5 >= n_cells || header->asked[i] != COT_N_FIELDS)
            continue;
        snprintf(text, sizeof text, "%s (column '%.40s' holds '%.*s')", is_time ? "dates" : "numbers",
                 header->columns[i], (int)(example->size < 40 ? example->size : 40), example->data);
        note_missing(trial, text);
    }
}

static bool name_holds(const char *name, const char *words)
{
    while (name != NULL && words != NULL) {
        char word[64];
        size_t n = strcspn(words, "|");
        snprintf(word, sizeof word, "%.*s", (int)n, words);
        if (strcasestr(name, word) != NULL)
            return true;
        words = words[n] == '|' ? words + n + 1 : NULL;
    }
    return false;
}

static int score_trial(const struct header *header, const struct trial *trial)
{
    const struct cot_connector *connector = trial->connector;
    int score = connector->is_generic ? 0 : SPECIFIC_SCORE;
    for (size_t i = 0; i < header->n; i++) {
        if (trial->fields[i] == COT_N_FIELDS)
            score += connector->other_columns_are_traits ? 0 : UNUSED_SCORE;
        else if (is_plain(trial->fields[i]))
            score += FIELD_SCORE;
    }
    if (header->options->file_name != NULL && (name_holds(header->options->file_name, connector->name) ||
                                               name_holds(header->options->file_name, connector->needs_file_name)))
        score += FILE_NAME_SCORE;
    return score;
}

static bool fits_without_header(const struct header *header, struct trial *trial)
{
    enum cot_field *fields = trial->fields;
    for (size_t i = 0; i < header->n; i++)
        fields[i] = COT_FIELD_NONE;
    if (header->options->has_header || header->sample == NULL || trial->connector->fits_cells == NULL ||
        !trial->connector->fits_cells(header->sample, fields))
        return false;
    for (size_t i = 0; i < header->n; i++)
        assign(trial, i, fields[i]);
    return true;
}

static void try_connector(const struct header *header, const struct cot_connector *connector, struct trial *trial)
{
    trial->connector = connector;
    trial->n_missing = 0;
    trial->missing[0] = '\0';
    for (int i = 0; i < COT_N_FIELDS; i++)
        trial->field_column[i] = SIZE_MAX;
    bool name_ok = connector->needs_file_name == NULL || header->options->connector != NULL ||
                   name_holds(header->options->file_name, connector->needs_file_name);
    bool size_ok = connector->max_columns == 0 || header->n <= connector->max_columns;
    if (fits_without_header(header, trial)) {
        trial->fits = name_ok;
        trial->score = score_trial(header, trial);
        return;
    }
    if (connector->columns == NULL) {
        trial->fits = false;
        trial->score = -1;
        note_missing(trial, "its own columns by position");
        return;
    }
    for (int i = 0; i < COT_N_FIELDS; i++)
        trial->field_column[i] = SIZE_MAX;
    map_columns(header, trial);
    check_one_of(trial);
    if (trial->n_missing == 0)
        check_sample(header, trial);
    trial->fits = trial->n_missing == 0 && name_ok && size_ok && !has_other_header(header, connector->unless);
    trial->score = score_trial(header, trial);
}

/* Overrides */

static size_t find_column(const struct header *header, const char *name)
{
    char squashed[COT_HEADER_SIZE];
    char *end = NULL;
    for (size_t i = 0; i < header->n; i++)
        if (strcmp(header->columns[i], name) == 0)
            return i;
    cot_header_squash(name, squashed, sizeof squashed);
    for (size_t i = 0; i < header->n; i++)
        if (squashed[0] != '\0' && strcmp(header->squashed[i], squashed) == 0)
            return i;
    unsigned long number = name[0] >= '1' && name[0] <= '9' ? strtoul(name, &end, 10) : 0;
    return number >= 1 && number <= header->n && *end == '\0' ? number - 1 : SIZE_MAX;
}

static cot_code list_columns(const struct header *header, struct cot_buf *text, struct cot_err *err)
{
    enum { MAX_LISTED = 30 };
    cot_code rc = COT_OK;
    for (size_t i = 0; i < header->n && i < MAX_LISTED && rc == COT_OK; i++)
        rc = cot_buf_printf(text, err, "%s%.40s", i > 0 ? ", " : "", header->columns[i]);
    if (rc == COT_OK && header->n > MAX_LISTED)
        rc = cot_buf_printf(text, err, ", ... (%zu in all)", header->n);
    return rc;
}

static cot_code apply_override(struct header *header, const struct cot_column_override *override, struct cot_err *err)
{
    enum cot_field field = COT_FIELD_NONE;
    size_t i = find_column(header, override->column);
    if (i == SIZE_MAX) {
        struct cot_buf columns = {0};
        cot_code rc = list_columns(header, &columns, err);
        if (rc == COT_OK)
            rc = cot_fail(err, COT_USAGE, "--map %s=%s: the file has no column '%s'; it has %s", override->column,
                          override->field, override->column, cot_buf_text(&columns));
        cot_buf_release(&columns);
        return rc;
    }
    const char *key = strchr(override->field, ':');
    bool is_trait = strncmp(override->field, "trait:", 6) == 0;
    if ((is_trait || strncmp(override->field, "property:", 9) == 0) && key[1] != '\0') {
        free(header->asked_keys[i]);
        header->asked_keys[i] = strdup(key + 1);
        if (header->asked_keys[i] == NULL)
            return cot_fail(err, COT_NOMEM, "mapping columns");
        field = is_trait ? COT_FIELD_TRAIT : COT_FIELD_PROPERTY;
    } else if (!cot_field_from_name(override->field, &field)) {
        return cot_fail(err, COT_USAGE,
                        "--map %s=%s: '%s' is not a field; among them are customer_id, email, order_id, occurred_at, "
                        "product_id, quantity, unit_price, amount, trait:NAME, property:NAME and ignore",
                        override->column, override->field, override->field);
    }
    for (size_t j = 0; j < header->n; j++)
        if (j != i && header->asked[j] == field && is_plain(field))
            return cot_fail(err, COT_USAGE, "--map maps both '%s' and '%s' to %s", header->columns[j],
                            header->columns[i], override->field);
    header->asked[i] = field;
    return COT_OK;
}

static void header_release(struct header *header)
{
    for (size_t i = 0; header->asked_keys != NULL && i < header->n; i++)
        free(header->asked_keys[i]);
    free(header->asked_keys);
    free(header->asked);
    free(header->squashed);
}

static cot_code header_init(struct header *header, const char *const *columns, size_t n, const struct cot_batch *sample,
                            const struct cot_mapping_options *options, struct cot_err *err)
{
    *header = (struct header){.columns = columns, .n = n, .sample = sample, .options = options};
    header->squashed = calloc(n + 1, sizeof *header->squashed);
    header->asked = calloc(n + 1, sizeof *header->asked);
    header->asked_keys = calloc(n + 1, sizeof *header->asked_keys);
    if (header->squashed == NULL || header->asked == NULL || header->asked_keys == NULL)
        return cot_fail(err, COT_NOMEM, "mapping %zu columns", n);
    for (size_t i = 0; i < n; i++) {
        cot_header_squash(columns[i], header->squashed[i], COT_HEADER_SIZE);
        header->asked[i] = COT_N_FIELDS;
    }
    cot_code rc = COT_OK;
    for (size_t i = 0; i < options->n_overrides && rc == COT_OK; i++)
        rc = apply_override(header, &options->overrides[i], err);
    return rc;
}

/* Nothing fits: what was seen, and what the nearest shapes lack. */
static cot_code explain_misfit(const struct header *header, const struct trial *trials, size_t n, struct cot_err *err)
{
    struct cot_buf text = {0};
    bool listed[64] = {0};
    cot_code rc = cot_buf_puts(&text, "no known shape of file fits these columns: ", err);
    if (rc == COT_OK)
        rc = list_columns(header, &text, err);
    for (size_t k = 0; k < MAX_NEAREST && rc == COT_OK; k++) {
        size_t best = SIZE_MAX;
        for (size_t i = 0; i < n && i < 64; i++) {
            const struct trial *t = &trials[i];
            bool nearer = best == SIZE_MAX || t->n_missing < trials[best].n_missing ||
                          (t->n_missing == trials[best].n_missing && t->score > trials[best].score);
            if (!listed[i] && t->connector->is_generic && t->n_missing > 0 && nearer)
                best = i;
        }
        if (best == SIZE_MAX)
            break;
        listed[best] = true;
        rc = cot_buf_printf(&text, err, "; %s lacks %s", trials[best].connector->name, trials[best].missing);
    }
    if (rc == COT_OK)
        rc = cot_fail(err, COT_BAD_DATA, "%s. Name columns with --map COLUMN=FIELD", cot_buf_text(&text));
    cot_buf_release(&text);
    return rc;
}

/* From the winner to a mapping */

/* Calls as they were sent: what the event says stands in an object of its own, beside its envelope. */
static const char properties_prefix[] = "properties.";

static bool is_in_properties(const char *column)
{
    return strncmp(column, properties_prefix, sizeof properties_prefix - 1) == 0;
}

/* What a column becomes that nothing else is asked of. */
static enum cot_field other_field(const struct header *header, const struct cot_connector *connector, size_t i_column)
{
    bool any = false;
    if (connector->other_columns_are_traits)
        return COT_FIELD_TRAIT;
    for (size_t i = 0; i < header->n; i++)
        any |= is_in_properties(header->columns[i]);
    return connector->other_columns_are_properties && (!any || is_in_properties(header->columns[i_column]))
               ? COT_FIELD_PROPERTY
               : COT_FIELD_NONE;
}

/* The key of a trait or property. NULL: no memory. */
static char *key_of(const struct header *header, size_t i, enum cot_field field)
{
    const char *name = header->columns[i];
    char snake[COT_HEADER_SIZE];
    if (header->asked_keys[i] != NULL)
        return strdup(header->asked_keys[i]);
    if (field == COT_FIELD_PROPERTY)
        return strdup(is_in_properties(name) ? name + sizeof properties_prefix - 1 : name);
    cot_header_snake(name, snake, sizeof snake);
    return strdup(snake[0] != '\0' ? snake : name);
}

static cot_code fill_columns(const struct header *header, const struct trial *trial, struct cot_mapping *mapping,
                             struct cot_err *err)
{
    mapping->columns = calloc(header->n + 1, sizeof *mapping->columns);
    if (mapping->columns == NULL)
        return cot_fail(err, COT_NOMEM, "mapping %zu columns", header->n);
    for (size_t i = 0; i < header->n; i++) {
        struct cot_mapped_column *column = &mapping->columns[i];
        mapping->n_columns = i + 1;
        column->name = strdup(header->columns[i]);
        column->field = trial->fields[i];
        if (column->field == COT_N_FIELDS)
            column->field = other_field(header, trial->connector, i);
        bool has_key = column->field == COT_FIELD_TRAIT || column->field == COT_FIELD_PROPERTY;
        if (has_key)
            column->key = key_of(header, i, column->field);
        if (column->name == NULL || (has_key && column->key == NULL))
            return cot_fail(err, COT_NOMEM, "mapping %zu columns", header->n);
    }
    memcpy(mapping->field_column, trial->field_column, sizeof mapping->field_column);
    return COT_OK;
}

static cot_code set_currency(struct cot_mapping *mapping, const struct cot_mapping_options *options,
                             struct cot_err *err)
{
    const char *code = options->currency != NULL ? options->currency : mapping->connector->currency;
    mapping->has_currency_option = options->currency != NULL;
    if (options->base_currency != NULL)
        snprintf(mapping->base_currency, sizeof mapping->base_currency, "%.3s", options->base_currency);
    if (code == NULL)
        return COT_OK;
    if (!cot_currency_is_known(code, strlen(code)))
        return cot_fail(err, COT_USAGE, "'%s' is not a currency: give an ISO 4217 code such as EUR", code);
    for (int i = 0; i < 3; i++)
        mapping->currency[i] = (char)(code[i] & ~0x20);
    return COT_OK;
}

static cot_code set_defaults(struct cot_mapping *mapping, const struct cot_mapping_options *options,
                             struct cot_err *err)
{
    const struct cot_connector *connector = mapping->connector;
    const char *zone = options->time_zone != NULL     ? options->time_zone
                       : connector->time_zone != NULL ? connector->time_zone
                                                      : options->shop_time_zone;
    const char *channel = options->channel != NULL ? options->channel : connector->channel;
    mapping->date_order = options->date_order;
    mapping->decimal = options->decimal;
    cot_code rc = set_currency(mapping, options, err);
    if (rc == COT_OK && zone != NULL && strcmp(zone, "UTC") != 0)
        rc = cot_zone_open(zone, &mapping->zone, err);
    if (rc == COT_OK && channel != NULL) {
        mapping->channel = strdup(channel);
        if (mapping->channel == NULL)
            rc = cot_fail(err, COT_NOMEM, "mapping columns");
    }
    return rc;
}

static cot_code explain_fit(const struct header *header, struct cot_mapping *mapping, const struct trial *trial,
                            struct cot_err *err)
{
    size_t n_used = 0;
    for (size_t i = 0; i < header->n; i++)
        n_used += trial->fields[i] != COT_N_FIELDS && trial->fields[i] != COT_FIELD_NONE;
    const char *how = header->options->connector != NULL ? "as asked for" : "the best of the shapes that fit";
    if (asprintf(&mapping->explanation, "%s: %s; %zu of %zu columns have a meaning of their own",
                 mapping->connector->title, how, n_used, header->n) < 0) {
        mapping->explanation = NULL;
        return cot_fail(err, COT_NOMEM, "mapping columns");
    }
    return COT_OK;
}

static cot_code make_mapping(const struct header *header, const struct trial *trial, struct cot_mapping **ret_mapping,
                             struct cot_err *err)
{
    struct cot_mapping *mapping = calloc(1, sizeof *mapping);
    if (mapping == NULL)
        return cot_fail(err, COT_NOMEM, "mapping %zu columns", header->n);
    mapping->connector = trial->connector;
    cot_code rc = fill_columns(header, trial, mapping, err);
    if (rc == COT_OK)
        rc = set_defaults(mapping, header->options, err);
    if (rc == COT_OK)
        rc = explain_fit(header, mapping, trial, err);
    if (rc != COT_OK) {
        cot_mapping_free(mapping);
        return rc;
    }
    *ret_mapping = mapping;
    return COT_OK;
}

/* Tries all shapes, or the one asked for. */
static cot_code choose(const struct header *header, struct trial *trials, enum cot_field *fields, size_t *ret_best,
                       struct cot_err *err)
{
    size_t best = SIZE_MAX;
    size_t n = 0;
    const struct cot_connector *asked = NULL;
    if (header->options->connector != NULL) {
        asked = cot_connector_find(header->options->connector);
        if (asked == NULL)
            return cot_fail(err, COT_USAGE, "'%s' is not a known shape of file", header->options->connector);
    }
    for (; cot_connectors[n] != NULL; n++) {
        struct trial *trial = &trials[n];
        trial->fields = fields + n * header->n;
        try_connector(header, cot_connectors[n], trial);
        /* --as NAME does without the hints against it (file name, other headers), not without its columns. */
        bool fits = asked != NULL ? asked == cot_connectors[n] && trial->n_missing == 0 : trial->fits;
        if (fits && (best == SIZE_MAX || trial->score > trials[best].score))
            best = n;
        if (asked == cot_connectors[n] && trial->n_missing > 0)
            return cot_fail(err, COT_BAD_DATA, "read as %s the file lacks %s. Name columns with --map COLUMN=FIELD",
                            asked->name, trial->missing);
    }
    if (best == SIZE_MAX)
        return explain_misfit(header, trials, n, err);
    *ret_best = best;
    return COT_OK;
}

cot_code cot_connector_detect(const char *const *columns, size_t n_columns, const struct cot_batch *sample,
                              const struct cot_mapping_options *options, struct cot_mapping **ret_mapping,
                              struct cot_err *err)
{
    struct header header;
    struct trial *trials = NULL;
    enum cot_field *fields = NULL;
    size_t n_connectors = 0;
    size_t best = 0;
    while (cot_connectors[n_connectors] != NULL)
        n_connectors++;
    cot_code rc = header_init(&header, columns, n_columns, sample, options, err);
    if (rc != COT_OK)
        goto out;
    trials = calloc(n_connectors, sizeof *trials);
    fields = calloc(n_connectors * (n_columns + 1), sizeof *fields);
    if (trials == NULL || fields == NULL) {
        rc = cot_fail(err, COT_NOMEM, "mapping %zu columns", n_columns);
        goto out;
    }
    rc = choose(&header, trials, fields, &best, err);
    if (rc == COT_OK)
        rc = make_mapping(&header, &trials[best], ret_mapping, err);
out:
    free(fields);
    free(trials);
    header_release(&header);
    return rc;
}
