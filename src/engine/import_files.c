#include "engine/import_files.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>

#include "domain/money.h"

/* What others need comes first. */
static const enum cot_file_kind kinds_in_order[] = {
    COT_KIND_RATES,       COT_KIND_PRODUCTS, COT_KIND_CAMPAIGNS, COT_KIND_COUPONS,
    COT_KIND_PROMOTIONS,  COT_KIND_LINKS,    COT_KIND_CUSTOMERS, COT_KIND_CONSENT,
    COT_KIND_SUPPRESSION, COT_KIND_ORDERS,   COT_KIND_EVENTS,    COT_KIND_RESPONSES,
};

static const char *const data_endings[] = {".csv",   ".tsv",    ".tab",     ".txt", ".json",
                                           ".jsonl", ".ndjson", ".parquet", ".pq"};

static size_t rank_of(const struct cot_import_file *file)
{
    size_t n = sizeof kinds_in_order / sizeof *kinds_in_order;
    for (size_t i = 0; i < n && file->mapping != NULL; i++)
        if (kinds_in_order[i] == file->mapping->connector->kind)
            return i;
    return n;
}

static bool ends_with(const char *name, size_t size, const char *ending)
{
    size_t n = strlen(ending);
    return size >= n && strncasecmp(name + size - n, ending, n) == 0;
}

/* By name: data, and not the simulator's truth, which is what a learner must not see. */
static bool is_data(const char *name)
{
    size_t size = strlen(name);
    if (strcmp(name, "truth.csv") == 0 || strcmp(name, "truth.json") == 0)
        return false;
    if (ends_with(name, size, ".gz"))
        size -= 3;
    else if (ends_with(name, size, ".zst"))
        size -= 4;
    for (size_t i = 0; i < sizeof data_endings / sizeof *data_endings; i++)
        if (ends_with(name, size, data_endings[i]))
            return true;
    return false;
}

static cot_code add_file(struct cot_import_files *files, const char *path, bool from_folder, struct cot_err *err)
{
    struct cot_import_file *grown = realloc(files->files, (files->n + 1) * sizeof *grown);
    if (grown == NULL)
        return cot_fail(err, COT_NOMEM, "%zu files", files->n + 1);
    files->files = grown;
    grown[files->n] = (struct cot_import_file){.path = strdup(path), .from_folder = from_folder};
    if (grown[files->n].path == NULL)
        return cot_fail(err, COT_NOMEM, "%zu files", files->n + 1);
    files->n++;
    return COT_OK;
}

static cot_code add_skipped(struct cot_import_files *files, const char *path, struct cot_err *err)
{
    char **grown = realloc(files->skipped, (files->n_skipped + 1) * sizeof *grown);
    if (grown == NULL)
        return cot_fail(err, COT_NOMEM, "%zu files", files->n_skipped + 1);
    files->skipped = grown;
    grown[files->n_skipped] = strdup(path);
    if (grown[files->n_skipped] == NULL)
        return cot_fail(err, COT_NOMEM, "%zu files", files->n_skipped + 1);
    files->n_skipped++;
    return COT_OK;
}

static int is_shown(const struct dirent *entry)
{
    return entry->d_name[0] != '.';
}

static int by_name(const struct dirent **a, const struct dirent **b)
{
    return strcmp((*a)->d_name, (*b)->d_name);
}

static cot_code add_entry(struct cot_import_files *files, const char *folder, const char *name, struct cot_err *err);

static cot_code add_folder(struct cot_import_files *files, const char *folder, struct cot_err *err)
{
    struct dirent **entries = NULL;
    cot_code rc = COT_OK;
    int n = scandir(folder, &entries, is_shown, by_name);
    if (n < 0)
        return cot_fail(err, COT_IO, "reading folder '%s': %s", folder, strerror(errno));
    for (int i = 0; i < n; i++) {
        if (rc == COT_OK)
            rc = add_entry(files, folder, entries[i]->d_name, err);
        free(entries[i]);
    }
    free(entries);
    return rc;
}

static cot_code add_entry(struct cot_import_files *files, const char *folder, const char *name, struct cot_err *err)
{
    struct stat status;
    char *path = NULL;
    cot_code rc = COT_OK;
    if (asprintf(&path, "%s%s%s", folder, folder[strlen(folder) - 1] == '/' ? "" : "/", name) < 0)
        return cot_fail(err, COT_NOMEM, "folder '%s'", folder);
    if (stat(path, &status) != 0)
        rc = cot_fail(err, COT_IO, "'%s': %s", path, strerror(errno));
    else if (S_ISDIR(status.st_mode))
        rc = add_folder(files, path, err);
    else if (S_ISREG(status.st_mode) && is_data(name))
        rc = add_file(files, path, true, err);
    else
        rc = add_skipped(files, path, err);
    free(path);
    return rc;
}

cot_code cot_import_files_list(const struct cot_import_options *options, struct cot_import_files *ret_files,
                               struct cot_err *err)
{
    struct cot_import_files files = {0};
    cot_code rc = COT_OK;
    for (size_t i = 0; i < options->n_paths && rc == COT_OK; i++) {
        struct stat status;
        const char *path = options->paths[i];
        size_t n = files.n;
        if (path[0] == '\0' || stat(path, &status) != 0)
            rc = cot_fail(err, COT_IO, "'%s': %s", path, path[0] == '\0' ? "no such file" : strerror(errno));
        else if (S_ISDIR(status.st_mode))
            rc = add_folder(&files, path, err);
        else
            rc = add_file(&files, path, false, err);
        if (rc == COT_OK && files.n == n)
            rc = cot_fail(err, COT_BAD_DATA,
                          "folder '%s' holds no data: give .csv, .tsv, .json, .jsonl or .parquet files", path);
    }
    if (rc == COT_OK)
        *ret_files = files;
    else
        cot_import_files_release(&files);
    return rc;
}

void cot_import_files_release(struct cot_import_files *files)
{
    for (size_t i = 0; i < files->n; i++) {
        cot_mapping_free(files->files[i].mapping);
        free(files->files[i].path);
    }
    for (size_t i = 0; i < files->n_skipped; i++)
        free(files->skipped[i]);
    free(files->files);
    free(files->skipped);
    *files = (struct cot_import_files){0};
}

static const char *base_name(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash != NULL ? slash + 1 : path;
}

/* The generic shape of a kind: what --kind means where the columns alone would say another. */
static const struct cot_connector *generic_of_kind(const char *kind)
{
    for (const struct cot_connector *const *row = cot_connectors; *row != NULL; row++)
        if ((*row)->is_generic && strcmp(cot_file_kind_name((*row)->kind), kind) == 0)
            return *row;
    return NULL;
}

static cot_code detect(const struct cot_reader_info *info, const struct cot_batch *sample,
                       const struct cot_file_options *options, const char *path, struct cot_mapping **ret_mapping,
                       struct cot_err *err)
{
    struct cot_mapping_options asked = options->mapping;
    struct cot_mapping *mapping = NULL;
    asked.file_name = base_name(path);
    asked.has_header = info->has_header;
    cot_code rc = cot_connector_detect(info->columns, info->n_columns, sample, &asked, &mapping, err);
    bool other_kind = options->kind != NULL &&
                      (rc != COT_OK || strcmp(cot_file_kind_name(mapping->connector->kind), options->kind) != 0);
    if (other_kind && asked.connector == NULL && generic_of_kind(options->kind) != NULL) {
        cot_mapping_free(mapping);
        mapping = NULL;
        asked.connector = generic_of_kind(options->kind)->name;
        rc = cot_connector_detect(info->columns, info->n_columns, sample, &asked, &mapping, err);
    } else if (other_kind && rc == COT_OK) {
        rc = cot_fail(err, COT_USAGE, "--kind %s: the columns say %s (%s)", options->kind,
                      cot_file_kind_name(mapping->connector->kind), mapping->connector->title);
    }
    if (rc == COT_OK)
        *ret_mapping = mapping;
    else
        cot_mapping_free(mapping);
    return rc;
}

/* Reads on as long as the file can still say how it writes numbers and dates. */
static cot_code observe(struct cot_reader *reader, struct cot_batch *batch, struct cot_mapping *mapping,
                        struct cot_err *err)
{
    cot_code rc = COT_OK;
    bool more = batch->n_rows > 0 || batch->n_rejects > 0;
    while (rc == COT_OK && more) {
        cot_mapping_observe(mapping, batch);
        if (cot_mapping_settled(mapping))
            break;
        rc = cot_reader_next(reader, batch, &more, err);
    }
    if (rc == COT_OK)
        rc = cot_mapping_settle(mapping, err);
    return rc;
}

cot_code cot_import_file_open(struct cot_import_file *file, const struct cot_file_options *options,
                              struct cot_reader **ret_reader, struct cot_err *err)
{
    struct cot_reader *reader = NULL;
    struct cot_mapping *mapping = NULL;
    struct cot_batch batch = {0};
    bool more = false;
    cot_code rc = cot_reader_open(file->path, &options->reader, &reader, err);
    if (rc == COT_OK)
        rc = cot_reader_next(reader, &batch, &more, err);
    if (rc == COT_OK)
        rc = detect(cot_reader_info(reader), &batch, options, file->path, &mapping, err);
    if (rc == COT_OK)
        rc = observe(reader, &batch, mapping, err);
    if (rc == COT_OK)
        rc = cot_reader_rewind(reader, err);
    if (rc == COT_OK && mapping->connector->is_ignored && !file->from_folder)
        rc = cot_fail(err, COT_BAD_DATA, "this is %s: nothing in it is to be imported", mapping->connector->title);
    if (rc != COT_OK) {
        if (strstr(err->message, file->path) == NULL)
            rc = cot_err_prefix(err, rc, "%s", file->path);
        goto out;
    }
    cot_mapping_free(file->mapping);
    file->mapping = mapping;
    file->source_name = options->source != NULL ? options->source : mapping->connector->name;
    mapping = NULL;
    *ret_reader = reader;
    reader = NULL;
out:
    cot_batch_release(&batch);
    cot_mapping_free(mapping);
    cot_reader_close(reader);
    return rc;
}

static int compare_files(const void *a, const void *b)
{
    const struct cot_import_file *x = a;
    const struct cot_import_file *y = b;
    size_t rank_x = rank_of(x);
    size_t rank_y = rank_of(y);
    if (rank_x != rank_y)
        return rank_x < rank_y ? -1 : 1;
    int order =
        x->mapping != NULL && y->mapping != NULL ? strcmp(x->mapping->connector->name, y->mapping->connector->name) : 0;
    return order != 0 ? order : strcmp(x->path, y->path);
}

/* Takes a file that is known to hold nothing to import off the list. */
static cot_code ignore_file(struct cot_import_files *files, size_t i, struct cot_err *err)
{
    cot_code rc = add_skipped(files, files->files[i].path, err);
    if (rc != COT_OK)
        return rc;
    cot_mapping_free(files->files[i].mapping);
    free(files->files[i].path);
    files->n--;
    memmove(&files->files[i], &files->files[i + 1], (files->n - i) * sizeof *files->files);
    return COT_OK;
}

cot_code cot_import_files_plan(struct cot_import_files *files, const struct cot_file_options *options,
                               const struct cot_progress *progress, struct cot_err *err)
{
    for (size_t i = 0; i < files->n; i++) {
        struct cot_import_file *file = &files->files[i];
        struct cot_reader *reader = NULL;
        cot_progress_report(progress, "looking at the files", i, files->n);
        file->rc = cot_import_file_open(file, options, &reader, &file->err);
        cot_reader_close(reader);
        if (file->rc == COT_OK && file->mapping->connector->is_ignored && file->from_folder) {
            cot_code rc = ignore_file(files, i, err);
            if (rc != COT_OK)
                return rc;
            i--;
            continue;
        }
        if (file->rc == COT_NOMEM || file->rc == COT_USAGE || file->rc == COT_INTERNAL)
            return cot_fail(err, file->rc, "%s", file->err.message);
    }
    qsort(files->files, files->n, sizeof *files->files, compare_files);
    return COT_OK;
}

/* One of two words, or neither given. */
static cot_code parse_choice(const char *option, const char *value, const char *first, const char *second,
                             int *ret_choice, struct cot_err *err)
{
    if (value == NULL)
        *ret_choice = 0;
    else if (strcasecmp(value, first) == 0)
        *ret_choice = 1;
    else if (strcasecmp(value, second) == 0)
        *ret_choice = 2;
    else
        return cot_fail(err, COT_USAGE, "--%s %s: give %s or %s", option, value, first, second);
    return COT_OK;
}

static cot_code parse_delimiter(const char *value, char *ret_delimiter, struct cot_err *err)
{
    *ret_delimiter = '\0';
    if (value == NULL)
        return COT_OK;
    if (strcmp(value, "tab") == 0 || strcmp(value, "\\t") == 0)
        *ret_delimiter = '\t';
    else if (strcmp(value, "space") == 0)
        *ret_delimiter = ' ';
    else if (strlen(value) == 1 && strchr("\"\r\n", value[0]) == NULL)
        *ret_delimiter = value[0];
    else
        return cot_fail(err, COT_USAGE, "--delimiter '%s': give one character, tab or space", value);
    return COT_OK;
}

static cot_code parse_overrides(const struct cot_import_options *options, struct cot_file_options *parsed,
                                struct cot_err *err)
{
    parsed->overrides = calloc(options->n_map + 1, sizeof *parsed->overrides);
    if (parsed->overrides == NULL)
        return cot_fail(err, COT_NOMEM, "options");
    for (size_t i = 0; i < options->n_map; i++) {
        /* The last '=': a column's name may have one, a field's name has not. */
        const char *equals = strrchr(options->map[i], '=');
        if (equals == NULL || equals == options->map[i] || equals[1] == '\0')
            return cot_fail(err, COT_USAGE, "--map %s: give column=field, as in --map 'Bill to=customer_id'",
                            options->map[i]);
        parsed->overrides[i].column = strndup(options->map[i], (size_t)(equals - options->map[i]));
        parsed->overrides[i].field = equals + 1;
        if (parsed->overrides[i].column == NULL)
            return cot_fail(err, COT_NOMEM, "options");
        parsed->mapping.n_overrides = i + 1;
    }
    parsed->mapping.overrides = parsed->overrides;
    return COT_OK;
}

static cot_code refuse_shape(const char *name, struct cot_err *err)
{
    char names[COT_ERR_MESSAGE_SIZE];
    size_t used = 0;
    for (size_t i = 0; cot_connectors[i] != NULL && used < sizeof names; i++)
        used += (size_t)snprintf(names + used, sizeof names - used, "%s%s", i > 0 ? ", " : "", cot_connectors[i]->name);
    return cot_fail(err, COT_USAGE, "--as %s: no such shape; there are %s", name, names);
}

static cot_code check_names(const struct cot_import_options *options, struct cot_err *err)
{
    struct cot_zone *zone = NULL;
    bool known_kind = options->kind == NULL;
    for (int kind = 0; kind < COT_N_KINDS && !known_kind; kind++)
        known_kind = strcmp(cot_file_kind_name((enum cot_file_kind)kind), options->kind) == 0;
    if (!known_kind)
        return cot_fail(err, COT_USAGE,
                        "--kind %s: give orders, events, customers, products, campaigns, responses, coupons,"
                        " promotions, consent, suppression, rates or links",
                        options->kind);
    if (options->connector != NULL && cot_connector_find(options->connector) == NULL)
        return refuse_shape(options->connector, err);
    if (options->currency != NULL && !cot_currency_is_known(options->currency, strlen(options->currency)))
        return cot_fail(err, COT_USAGE, "--currency %s: give an ISO 4217 code such as EUR", options->currency);
    if (options->source != NULL && options->source[0] == '\0')
        return cot_fail(err, COT_USAGE, "--source: give a name");
    cot_code rc = options->time_zone != NULL ? cot_zone_open(options->time_zone, &zone, err) : COT_OK;
    cot_zone_free(zone);
    return rc;
}

cot_code cot_file_options_parse(const struct cot_import_options *options, struct cot_file_options *ret_parsed,
                                struct cot_err *err)
{
    struct cot_file_options parsed = {.kind = options->kind, .source = options->source};
    int date_order = 0;
    int decimal = 0;
    int header = 0;
    cot_code rc = check_names(options, err);
    if (rc == COT_OK)
        rc = parse_choice("date-order", options->date_order, "dmy", "mdy", &date_order, err);
    if (rc == COT_OK)
        rc = parse_choice("decimal", options->decimal, "point", "comma", &decimal, err);
    if (rc == COT_OK)
        rc = parse_choice("header", options->header, "yes", "no", &header, err);
    if (rc == COT_OK)
        rc = parse_delimiter(options->delimiter, &parsed.reader.delimiter, err);
    if (rc == COT_OK)
        rc = parse_overrides(options, &parsed, err);
    parsed.reader.encoding = options->encoding;
    parsed.reader.header = (enum cot_header_choice)header;
    parsed.mapping.connector = options->connector;
    parsed.mapping.currency = options->currency;
    parsed.mapping.time_zone = options->time_zone;
    parsed.mapping.channel = options->channel;
    parsed.mapping.date_order = (enum cot_date_order)date_order;
    parsed.mapping.decimal = (enum cot_decimal_mark)decimal;
    if (rc == COT_OK)
        *ret_parsed = parsed;
    else
        cot_file_options_release(&parsed);
    return rc;
}

void cot_file_options_release(struct cot_file_options *parsed)
{
    for (size_t i = 0; i < parsed->mapping.n_overrides; i++)
        free((void *)(uintptr_t)parsed->overrides[i].column);
    free(parsed->overrides);
    *parsed = (struct cot_file_options){0};
}
