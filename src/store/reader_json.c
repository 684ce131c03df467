/* JSON lines and JSON arrays (see reader.h). */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <yyjson.h>

#include "base/hash.h"
#include "base/json.h"
#include "store/reader_parts.h"

enum { MAX_REJECTS = 4096, GROWTH = 256 * 1024, HEAD_OBJECTS = 1000, MAX_DEPTH = 32, NAME_SIZE = 512 };

static const char *const extra_name = "_extra";

struct cot_json {
    bool by_line;      /* one object a line; else one after the other, with or without '[', ',' and ']' */
    size_t *slots;     /* column index + 1 by hash of the name, 0: free */
    size_t n_slots;    /* a power of two */
    bool has_extra;    /* the last column takes the keys that the head did not have */
    size_t next_guess; /* objects of one file mostly have their keys in the same order */
    char *lines_key;   /* the key whose array of objects makes a row each; NULL: none */
};

/* Memory of the batch for yyjson: the values live as long as the cells that point into them. */
static void *arena_malloc(void *context, size_t size)
{
    return cot_arena_alloc(context, size);
}

static void *arena_realloc(void *context, void *old, size_t old_size, size_t size)
{
    if (size <= old_size)
        return old;
    void *grown = cot_arena_alloc(context, size);
    if (grown != NULL)
        memcpy(grown, old, old_size);
    return grown;
}

static void arena_free(void *context, void *data)
{
    (void)context;
    (void)data;
}

static yyjson_alc arena_allocator(struct cot_arena *arena)
{
    return (yyjson_alc){.malloc = arena_malloc, .realloc = arena_realloc, .free = arena_free, .ctx = arena};
}

/* Cutting the text into elements */

struct element {
    size_t skipped;    /* bytes before it: blanks, commas, brackets */
    size_t size;       /* 0: there is none up to the end */
    bool is_complete;  /* its end lies in the text */
    size_t n_newlines; /* in what was skipped */
};

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

static void skip_between(const char *text, size_t size, bool by_line, struct element *element)
{
    while (element->skipped < size) {
        char c = text[element->skipped];
        if (!is_blank(c) && (by_line || (c != ',' && c != '[' && c != ']')))
            return;
        element->n_newlines += c == '\n';
        element->skipped++;
    }
}

static size_t line_end(const char *text, size_t size, bool *ret_complete)
{
    const char *end = memchr(text, '\n', size);
    *ret_complete = end != NULL;
    return end != NULL ? (size_t)(end - text) : size;
}

/* To the bracket that closes the first; strings are passed over. Other values end at a comma, bracket or blank. */
static size_t value_end(const char *text, size_t size, bool *ret_complete)
{
    size_t depth = 0;
    *ret_complete = true;
    for (size_t i = 0; i < size; i++) {
        char c = text[i];
        if (c == '"') {
            for (i++; i < size && text[i] != '"'; i++)
                i += text[i] == '\\';
            if (depth == 0 && i < size)
                return i + 1;
        } else if (c == '{' || c == '[') {
            depth++;
        } else if (c == '}' || c == ']') {
            if (depth <= 1)
                return i + (depth == 1 || i == 0);
            depth--;
        } else if (depth == 0 && (is_blank(c) || c == ',')) {
            return i;
        }
    }
    *ret_complete = false;
    return size;
}

static struct element next_element(const char *text, size_t size, bool by_line)
{
    struct element element = {0};
    skip_between(text, size, by_line, &element);
    if (element.skipped < size)
        element.size =
            (by_line ? line_end : value_end)(text + element.skipped, size - element.skipped, &element.is_complete);
    return element;
}

/* Columns */

static size_t name_hash(const char *name, size_t size)
{
    return (size_t)cot_hash128_bytes(name, size).low;
}

/* The slot of a name: taken by it, or free. */
static size_t find_slot(const struct cot_reader *reader, const char *name, size_t size)
{
    const struct cot_json *json = reader->json;
    size_t slot = name_hash(name, size) & (json->n_slots - 1);
    while (json->slots[slot] != 0) {
        const char *column = reader->columns[json->slots[slot] - 1];
        if (strncmp(column, name, size) == 0 && column[size] == '\0')
            break;
        slot = (slot + 1) & (json->n_slots - 1);
    }
    return slot;
}

static size_t find_column(struct cot_reader *reader, const char *name, size_t size)
{
    struct cot_json *json = reader->json;
    size_t guess = json->next_guess;
    size_t n = reader->info.n_columns - json->has_extra;
    if (guess >= n || strncmp(reader->columns[guess], name, size) != 0 || reader->columns[guess][size] != '\0') {
        size_t taken = json->slots[find_slot(reader, name, size)];
        if (taken == 0 || taken > n)
            return SIZE_MAX;
        guess = taken - 1;
    }
    json->next_guess = guess + 1;
    return guess;
}

static cot_code add_column(struct cot_reader *reader, const char *name, size_t size, struct cot_err *err)
{
    size_t n = reader->info.n_columns;
    if (n == COT_READER_MAX_COLUMNS)
        return cot_fail(err, COT_LIMIT, "'%s' has more than %zu different keys", reader->path, COT_READER_MAX_COLUMNS);
    if ((n & (n + 1)) == 0) { /* 0, 1, 3, 7, ...: the array's capacity is the next power of two */
        char **columns = realloc(reader->columns, 2 * (n + 1) * sizeof *columns);
        if (columns == NULL)
            return cot_fail(err, COT_NOMEM, "reading '%s'", reader->path);
        reader->columns = columns;
    }
    reader->columns[n] = strndup(name, size);
    if (reader->columns[n] == NULL)
        return cot_fail(err, COT_NOMEM, "reading '%s'", reader->path);
    reader->json->slots[find_slot(reader, name, size)] = n + 1;
    reader->info.n_columns = n + 1;
    reader->info.columns = (const char *const *)reader->columns;
    return COT_OK;
}

/* Walking an object: nested objects by dotted names */

struct lines_search;

struct walk {
    struct cot_reader *reader;
    const char *left_out; /* a key of the outermost object */
    cot_code (*visit)(struct walk *walk, const char *name, size_t size, yyjson_val *value, struct cot_err *err);
    struct cot_batch *batch;
    yyjson_mut_doc *extra;
    struct lines_search *search;
    bool has_nul;
    bool has_long_name; /* dotted, of NAME_SIZE bytes or more: cut, two keys could become one */
};

static bool is_key(const char *name, size_t size, const char *key)
{
    return strncmp(name, key, size) == 0 && key[size] == '\0';
}

static cot_code walk_object(struct walk *walk, yyjson_val *object, const char *prefix, size_t prefix_size, int depth,
                            struct cot_err *err)
{
    yyjson_obj_iter iter = yyjson_obj_iter_with(object);
    cot_code rc = COT_OK;
    for (yyjson_val *key = yyjson_obj_iter_next(&iter); key != NULL && rc == COT_OK;
         key = yyjson_obj_iter_next(&iter)) {
        yyjson_val *value = yyjson_obj_iter_get_val(key);
        const char *name = yyjson_get_str(key);
        size_t size = yyjson_get_len(key);
        char dotted[NAME_SIZE];
        if (memchr(name, '\0', size) != NULL) {
            walk->has_nul = true;
            continue;
        }
        if (prefix_size == 0 && walk->left_out != NULL && is_key(name, size, walk->left_out))
            continue;
        if (prefix_size > 0) {
            if (prefix_size >= sizeof dotted - 1 || size >= sizeof dotted - 1 - prefix_size) {
                walk->has_long_name = true;
                continue;
            }
            memcpy(dotted, prefix, prefix_size);
            dotted[prefix_size] = '.';
            memcpy(dotted + prefix_size + 1, name, size);
            name = dotted;
            size += prefix_size + 1;
        }
        if (yyjson_is_obj(value) && yyjson_obj_size(value) > 0 && depth < MAX_DEPTH)
            rc = walk_object(walk, value, name, size, depth + 1, err);
        else
            rc = walk->visit(walk, name, size, value, err);
    }
    return rc;
}

static cot_code visit_name(struct walk *walk, const char *name, size_t size, yyjson_val *value, struct cot_err *err)
{
    (void)value;
    if (walk->reader->json->slots[find_slot(walk->reader, name, size)] != 0)
        return COT_OK;
    return add_column(walk->reader, name, size, err);
}

/* Text of a value: of a string itself, else as JSON writes it. */
static cot_code cell_text(struct walk *walk, yyjson_val *value, struct cot_cell *ret_cell, struct cot_err *err)
{
    yyjson_alc allocator = arena_allocator(&walk->batch->memory->arena);
    size_t size = 0;
    *ret_cell = (struct cot_cell){.data = "", .is_null = 1};
    switch (yyjson_get_type(value)) {
    case YYJSON_TYPE_NULL: return COT_OK;
    case YYJSON_TYPE_BOOL:
        ret_cell->data = yyjson_get_bool(value) ? "true" : "false";
        size = strlen(ret_cell->data);
        break;
    case YYJSON_TYPE_RAW:
        ret_cell->data = yyjson_get_raw(value);
        size = yyjson_get_len(value);
        break;
    case YYJSON_TYPE_STR:
        ret_cell->data = yyjson_get_str(value);
        size = yyjson_get_len(value);
        walk->has_nul |= memchr(ret_cell->data, '\0', size) != NULL;
        break;
    default:
        ret_cell->data = yyjson_val_write_opts(value, YYJSON_WRITE_NOFLAG, &allocator, &size, NULL);
        if (ret_cell->data == NULL)
            return cot_fail(err, COT_NOMEM, "reading '%s'", walk->reader->path);
    }
    ret_cell->size = (uint32_t)size;
    ret_cell->is_null = 0;
    return COT_OK;
}

static cot_code visit_cell(struct walk *walk, const char *name, size_t size, yyjson_val *value, struct cot_err *err)
{
    struct cot_batch *batch = walk->batch;
    size_t i = find_column(walk->reader, name, size);
    if (i != SIZE_MAX)
        return cell_text(walk, value, &batch->cells[i * batch->stride + batch->n_rows], err);
    yyjson_alc allocator = arena_allocator(&batch->memory->arena);
    if (walk->extra == NULL) {
        walk->extra = yyjson_mut_doc_new(&allocator);
        if (walk->extra != NULL)
            yyjson_mut_doc_set_root(walk->extra, yyjson_mut_obj(walk->extra));
    }
    yyjson_mut_val *key = walk->extra != NULL ? yyjson_mut_strncpy(walk->extra, name, size) : NULL;
    yyjson_mut_val *copy = walk->extra != NULL ? yyjson_val_mut_copy(walk->extra, value) : NULL;
    if (!yyjson_mut_obj_add(walk->extra != NULL ? yyjson_mut_doc_get_root(walk->extra) : NULL, key, copy))
        return cot_fail(err, COT_NOMEM, "reading '%s'", walk->reader->path);
    return COT_OK;
}

static cot_code write_extra(struct walk *walk, struct cot_err *err)
{
    struct cot_batch *batch = walk->batch;
    yyjson_alc allocator = arena_allocator(&batch->memory->arena);
    size_t size = 0;
    if (walk->extra == NULL || !walk->reader->json->has_extra)
        return COT_OK;
    char *text = yyjson_mut_write_opts(walk->extra, YYJSON_WRITE_NOFLAG, &allocator, &size, NULL);
    if (text == NULL)
        return cot_fail(err, COT_NOMEM, "reading '%s'", walk->reader->path);
    batch->cells[(batch->n_columns - 1) * batch->stride + batch->n_rows] =
        (struct cot_cell){.data = text, .size = (uint32_t)size};
    return COT_OK;
}

/* Fills the row at hand from an object and, where there is one, a line inside it. */
static cot_code take_row(struct walk *walk, yyjson_val *object, yyjson_val *line, struct cot_err *err)
{
    struct cot_reader *reader = walk->reader;
    struct cot_batch *batch = walk->batch;
    char prefix[NAME_SIZE];
    for (size_t i = 0; i < batch->n_columns; i++)
        batch->cells[i * batch->stride + batch->n_rows] = (struct cot_cell){.data = "", .is_null = 1};
    reader->json->next_guess = 0;
    walk->extra = NULL;
    walk->left_out = reader->json->lines_key;
    cot_code rc = walk_object(walk, object, "", 0, 0, err);
    if (rc == COT_OK && line != NULL) {
        int size = snprintf(prefix, sizeof prefix, "%s[]", reader->json->lines_key);
        rc = walk_object(walk, line, prefix, (size_t)size, 1, err);
    }
    if (rc == COT_OK)
        rc = write_extra(walk, err);
    if (rc == COT_OK)
        batch->lines[batch->n_rows++] = reader->line;
    return rc;
}

/* The lines inside an object: an array of objects under the file's key for them; NULL: it has none. */
static yyjson_val *lines_of(yyjson_val *object, const char *key)
{
    yyjson_val *lines = key != NULL ? yyjson_obj_get(object, key) : NULL;
    return yyjson_is_arr(lines) && yyjson_arr_size(lines) > 0 ? lines : NULL;
}

/* Something stands where the lines were in the head of the file: what it means nobody knows, so it is no row. */
static bool has_other_than_lines(yyjson_val *object, const char *key)
{
    yyjson_val *value = key != NULL ? yyjson_obj_get(object, key) : NULL;
    return value != NULL && !yyjson_is_null(value) && !yyjson_is_arr(value);
}

/* Rows of one object: one a line inside it, or one. ret_postponed: the batch has no room for all of them. */
static cot_code take_rows(struct cot_reader *reader, struct cot_batch *batch, yyjson_val *root, const char *text,
                          size_t size, bool *ret_postponed, struct cot_err *err)
{
    struct walk walk = {.reader = reader, .visit = visit_cell, .batch = batch};
    yyjson_val *lines = lines_of(root, reader->json->lines_key);
    size_t n_lines = yyjson_arr_size(lines);
    size_t first = batch->n_rows;
    size_t i;
    size_t n;
    yyjson_val *line;
    cot_code rc = COT_OK;
    if (has_other_than_lines(root, reader->json->lines_key))
        return cot_batch_reject(batch, reader->line, "json", text, size, err,
                                "'%s' is no array here, as it is at the beginning of the file",
                                reader->json->lines_key);
    yyjson_arr_foreach(cot_json_some(lines), i, n, line) if (!yyjson_is_obj(line)) return cot_batch_reject(
        batch, reader->line, "json", text, size, err, "element %zu of '%s' is no object", i + 1,
        reader->json->lines_key);
    if (n_lines > batch->stride)
        return cot_batch_reject(batch, reader->line, "long", text, size, err, "'%s' has more than %zu elements",
                                reader->json->lines_key, batch->stride);
    *ret_postponed = n_lines > batch->stride - batch->n_rows;
    if (*ret_postponed)
        return COT_OK;
    if (lines == NULL)
        rc = take_row(&walk, root, NULL, err);
    else
        yyjson_arr_foreach(cot_json_some(lines), i, n, line) if (rc == COT_OK) rc = take_row(&walk, root, line, err);
    if (rc != COT_OK || !(walk.has_nul || walk.has_long_name))
        return rc;
    batch->n_rows = first;
    if (walk.has_nul)
        return cot_batch_reject(batch, reader->line, "nul", text, size, err, "the row holds a NUL byte");
    return cot_batch_reject(batch, reader->line, "long", text, size, err,
                            "a nested key has, with those around it, %d bytes or more", NAME_SIZE);
}

/* One element becomes rows or a reject, or waits for the next batch. */
static cot_code take_object(struct cot_reader *reader, struct cot_batch *batch, char *text, size_t size,
                            bool *ret_postponed, struct cot_err *err)
{
    yyjson_read_err why = {0};
    yyjson_alc allocator = arena_allocator(&batch->memory->arena);
    yyjson_doc *doc = yyjson_read_opts(text, size, YYJSON_READ_NUMBER_AS_RAW, &allocator, &why);
    if (doc == NULL && why.code == YYJSON_READ_ERROR_MEMORY_ALLOCATION)
        return cot_fail(err, COT_NOMEM, "reading '%s'", reader->path);
    if (doc == NULL)
        return cot_batch_reject(batch, reader->line, "json", text, size, err, "not JSON: %s at byte %zu", why.msg,
                                why.pos + 1);
    yyjson_val *root = yyjson_doc_get_root(doc);
    if (!yyjson_is_obj(root))
        return cot_batch_reject(batch, reader->line, "json", text, size, err, "the JSON value is no object");
    return take_rows(reader, batch, root, text, size, ret_postponed, err);
}

static size_t count_newlines(const char *text, size_t size)
{
    size_t n = 0;
    for (const char *at = text; (at = memchr(at, '\n', size - (size_t)(at - text))) != NULL; at++)
        n++;
    return n;
}

static cot_code reject_long(struct cot_reader *reader, struct cot_batch *batch, const char *text, size_t size,
                            struct cot_err *err)
{
    if (!reader->json->by_line)
        return cot_fail(err, COT_BAD_DATA, "'%s', line %llu: a JSON value that does not end within %zu MB",
                        reader->path, (unsigned long long)reader->line, COT_READER_MAX_RECORD >> 20);
    reader->skipping = true;
    return cot_batch_reject(batch, reader->line, "long", text, size, err, "the line is longer than %zu MB",
                            COT_READER_MAX_RECORD >> 20);
}

/* Takes the elements of a block; *ret_used bytes of it are done with. */
static cot_code take_objects(struct cot_reader *reader, struct cot_batch *batch, char *text, size_t size, bool is_last,
                             size_t *ret_used, struct cot_err *err)
{
    bool by_line = reader->json->by_line;
    size_t at = 0;
    cot_code rc = COT_OK;
    while (rc == COT_OK && at < size && batch->n_rows < batch->stride && batch->n_rejects < MAX_REJECTS) {
        if (reader->skipping) {
            bool complete = false;
            at += line_end(text + at, size - at, &complete);
            reader->skipping = !complete && !is_last;
            continue;
        }
        struct element element = next_element(text + at, size - at, by_line);
        bool postponed = false;
        reader->line += element.n_newlines;
        at += element.skipped;
        if (element.size == 0)
            break;
        if (!element.is_complete && !is_last) {
            if (element.size < COT_READER_MAX_RECORD)
                break;
            rc = reject_long(reader, batch, text + at, element.size, err);
        } else {
            rc = take_object(reader, batch, text + at, element.size, &postponed, err);
        }
        if (postponed)
            break;
        reader->line += count_newlines(text + at, element.size);
        at += element.size;
    }
    *ret_used = at;
    return rc;
}

static cot_code json_next(struct cot_reader *reader, struct cot_batch *batch, struct cot_err *err)
{
    size_t want = reader->block_size;
    for (;;) {
        size_t size = 0;
        size_t used = 0;
        cot_code rc = cot_reader_fill_block(reader, batch, want, &size, err);
        if (rc != COT_OK)
            return rc;
        char *text = batch->memory->text;
        rc = take_objects(reader, batch, text, size, reader->text_at_end, &used, err);
        if (rc == COT_OK)
            rc = cot_reader_keep(reader, text + used, size - used, err);
        if (rc != COT_OK)
            return rc;
        if (batch->n_rows > 0 || batch->n_rejects > 0 || (reader->text_at_end && reader->pending_size == 0))
            return COT_OK;
        want = reader->pending_size + (reader->pending_size > GROWTH ? reader->pending_size : GROWTH);
        if (want > COT_READER_MAX_RECORD + GROWTH)
            want = COT_READER_MAX_RECORD + GROWTH;
    }
}

/* One object a line, unless the first goes over several lines and is JSON as a whole. */
static bool is_by_line(const struct cot_reader *reader)
{
    if (reader->info.format == COT_FILE_JSON_ARRAY)
        return false;
    struct element first = next_element(reader->pending, reader->pending_size, false);
    const char *text = reader->pending + first.skipped;
    if (!first.is_complete || memchr(text, '\n', first.size) == NULL)
        return true;
    yyjson_doc *doc = yyjson_read(text, first.size, YYJSON_READ_NUMBER_AS_RAW);
    yyjson_doc_free(doc);
    return doc == NULL;
}

/* Calls `take` with the root of each object in the head of the file; *ret_at: how far it went. */
typedef cot_code take_head(struct walk *walk, yyjson_val *root, struct cot_err *err);

static cot_code walk_head(struct walk *walk, take_head *take, size_t *ret_at, struct cot_err *err)
{
    const struct cot_reader *reader = walk->reader;
    size_t at = 0;
    cot_code rc = COT_OK;
    for (size_t i = 0; i < HEAD_OBJECTS && rc == COT_OK; i++) {
        struct element element = next_element(reader->pending + at, reader->pending_size - at, reader->json->by_line);
        at += element.skipped;
        if (element.size == 0 || (!element.is_complete && !reader->text_at_end))
            break;
        yyjson_doc *doc = yyjson_read(reader->pending + at, element.size, YYJSON_READ_NUMBER_AS_RAW);
        if (doc != NULL && yyjson_is_obj(yyjson_doc_get_root(doc)))
            rc = take(walk, yyjson_doc_get_root(doc), err);
        yyjson_doc_free(doc);
        at += element.size;
    }
    *ret_at = at;
    return rc;
}

/* Keys under which documents of orders keep their lines. */
static const char *const lines_keys[] = {"line_items",  "lineItems",  "lines",    "order_lines", "orderLines",
                                         "order_items", "orderItems", "products", "positions",   "items"};
enum { N_LINES_KEYS = sizeof lines_keys / sizeof *lines_keys };

struct lines_search {
    bool found[N_LINES_KEYS];
    bool other[N_LINES_KEYS]; /* somewhere it is no array */
    bool is_events;           /* events name products that nobody bought */
};

static cot_code look_for_lines(struct walk *walk, yyjson_val *root, struct cot_err *err)
{
    static const char *const event_keys[] = {"event", "event_name", "event_type", "eventName", "eventType"};
    struct lines_search *search = walk->search;
    (void)err;
    for (size_t i = 0; i < sizeof event_keys / sizeof *event_keys; i++)
        search->is_events |= yyjson_obj_get(root, event_keys[i]) != NULL;
    for (size_t i = 0; i < N_LINES_KEYS; i++) {
        yyjson_val *value = yyjson_obj_get(root, lines_keys[i]);
        bool is_lines = yyjson_is_arr(value) && yyjson_is_obj(yyjson_arr_get_first(value));
        search->found[i] |= is_lines;
        search->other[i] |= value != NULL && !yyjson_is_null(value) && !yyjson_is_arr(value);
    }
    return COT_OK;
}

static cot_code take_names(struct walk *walk, yyjson_val *root, struct cot_err *err)
{
    const char *key = walk->reader->json->lines_key;
    char prefix[NAME_SIZE];
    size_t i;
    size_t n;
    yyjson_val *line;
    walk->left_out = key;
    cot_code rc = walk_object(walk, root, "", 0, 0, err);
    if (key == NULL)
        return rc;
    int size = snprintf(prefix, sizeof prefix, "%s[]", key);
    yyjson_arr_foreach(cot_json_some(lines_of(root, key)), i, n, line) if (rc == COT_OK && yyjson_is_obj(line)) rc =
        walk_object(walk, line, prefix, (size_t)size, 1, err);
    return rc;
}

static cot_code find_columns(struct cot_reader *reader, struct cot_err *err)
{
    struct lines_search search = {0};
    struct walk walk = {.reader = reader, .visit = visit_name, .search = &search};
    size_t at = 0;
    cot_code rc = walk_head(&walk, look_for_lines, &at, err);
    for (size_t i = 0; i < N_LINES_KEYS && reader->json->lines_key == NULL && !search.is_events; i++)
        if (search.found[i] && !search.other[i] && (reader->json->lines_key = strdup(lines_keys[i])) == NULL)
            return cot_fail(err, COT_NOMEM, "reading '%s'", reader->path);
    if (rc == COT_OK)
        rc = walk_head(&walk, take_names, &at, err);
    reader->json->has_extra = at < reader->pending_size || !reader->text_at_end;
    if (rc == COT_OK && reader->info.n_columns == 0 && walk.has_long_name)
        rc =
            cot_fail(err, COT_BAD_DATA, "'%s' has only nested keys that have, with those around them, %d bytes or more",
                     reader->path, NAME_SIZE);
    if (rc == COT_OK && reader->info.n_columns == 0)
        rc = cot_fail(err, COT_BAD_DATA,
                      "'%s' has no JSON object in its first %zu KB: JSON lines or an array of "
                      "objects can be read",
                      reader->path, reader->pending_size >> 10);
    if (rc == COT_OK && reader->json->has_extra)
        rc = add_column(reader, extra_name, strlen(extra_name), err);
    return rc;
}

static cot_code json_open(struct cot_reader *reader, struct cot_err *err)
{
    enum { N_SLOTS = 32768 }; /* over three times COT_READER_MAX_COLUMNS */
    reader->json = calloc(1, sizeof *reader->json);
    if (reader->json != NULL)
        reader->json->slots = calloc(N_SLOTS, sizeof *reader->json->slots);
    if (reader->json == NULL || reader->json->slots == NULL)
        return cot_fail(err, COT_NOMEM, "reading '%s'", reader->path);
    reader->json->n_slots = N_SLOTS;
    reader->info.has_header = true;
    reader->json->by_line = is_by_line(reader);
    return find_columns(reader, err);
}

static void json_close(struct cot_reader *reader)
{
    if (reader->json != NULL) {
        free(reader->json->slots);
        free(reader->json->lines_key);
    }
    free(reader->json);
    reader->json = NULL;
}

const struct cot_reader_format cot_reader_json = {.open = json_open, .next = json_next, .close = json_close};
