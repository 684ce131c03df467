/* Tables of numbers in text: see num/array.h. */
#include <float.h>
#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/number.h"
#include "num/array.h"
#include "num/check.h"

enum { WHITE = ' ', MAX_SHOWN = 40 };

struct table {
    char separator; /* ',', ';' or WHITE */
    size_t n, d;
    size_t capacity; /* numbers */
    float *data;
    size_t i_line; /* counted from 1 */
};

static bool is_space(char c)
{
    return c == ' ' || c == '\t';
}

/* Takes the next field off the front of a line. False where none is left. */
static bool next_field(const char **at, const char *end, char separator, bool first, const char **ret_field,
                       size_t *ret_size)
{
    const char *begin = *at;
    if (separator == WHITE) {
        while (begin < end && is_space(*begin))
            begin++;
        if (begin == end)
            return false;
        const char *stop = begin;
        while (stop < end && !is_space(*stop))
            stop++;
        *ret_field = begin;
        *ret_size = (size_t)(stop - begin);
        *at = stop;
        return true;
    }
    if (!first) {
        if (begin == end)
            return false;
        begin++; /* the separator where the last field stopped */
    }
    const char *stop = begin;
    bool quoted = false;
    for (; stop < end && (quoted || *stop != separator); stop++)
        quoted ^= *stop == '"';
    *at = stop;
    while (begin < stop && is_space(*begin))
        begin++;
    const char *last = stop;
    while (last > begin && is_space(last[-1]))
        last--;
    if (last - begin >= 2 && *begin == '"' && last[-1] == '"') {
        begin++;
        last--;
    }
    *ret_field = begin;
    *ret_size = (size_t)(last - begin);
    return true;
}

static char find_separator(const char *line, const char *end)
{
    if (memchr(line, ',', (size_t)(end - line)) != NULL)
        return ',';
    return memchr(line, ';', (size_t)(end - line)) != NULL ? ';' : WHITE;
}

/* A first line of names only. */
static bool is_header(const char *line, const char *end, char separator)
{
    const char *field = NULL;
    size_t size = 0;
    double value = 0;
    const char *at = line;
    bool first = true;
    while (next_field(&at, end, separator, first, &field, &size)) {
        bool named = size > 0 && ((*field >= 'a' && *field <= 'z') || (*field >= 'A' && *field <= 'Z') ||
                                  *field == '_' || (unsigned char)*field >= 0x80);
        if (cot_parse_double(field, size, &value))
            return false;
        if (first && size > 0 && !named)
            return false;
        first = false;
    }
    return true;
}

static bool add_number(struct table *t, size_t at, float value)
{
    if (at == t->capacity) {
        size_t capacity = t->capacity > 0 ? t->capacity * 2 : 4096;
        float *data = capacity > SIZE_MAX / sizeof *data ? NULL : realloc(t->data, capacity * sizeof *data);
        if (data == NULL)
            return false;
        t->data = data;
        t->capacity = capacity;
    }
    t->data[at] = value;
    return true;
}

static cot_code bad_number(const struct table *t, size_t j, const char *field, size_t size, const char *why,
                           struct cot_err *err)
{
    char shown[MAX_SHOWN + 1];
    size_t n = size < MAX_SHOWN ? size : MAX_SHOWN;
    for (size_t i = 0; i < n; i++)
        shown[i] = field[i] >= 0x20 && field[i] < 0x7f ? field[i] : '?'; /* a message is text whatever the file is */
    shown[n] = '\0';
    return cot_fail(err, COT_BAD_DATA, "line %zu, field %zu is '%s': %s", t->i_line, j + 1, shown, why);
}

static cot_code take_line(struct table *t, const char *line, const char *end, struct cot_err *err)
{
    const char *at = line;
    const char *field = NULL;
    size_t size = 0;
    size_t j = 0;
    for (; next_field(&at, end, t->separator, j == 0, &field, &size); j++) {
        double value = 0;
        if (j == COT_ARRAY_MAX_COLUMNS)
            return cot_fail(err, COT_LIMIT, "line %zu has more than %d fields", t->i_line, COT_ARRAY_MAX_COLUMNS);
        if (t->n > 0 && j == t->d)
            return cot_fail(err, COT_BAD_DATA, "line %zu has more fields than the %zu of the lines before", t->i_line,
                            t->d);
        if (!cot_parse_double(field, size, &value))
            return bad_number(t, j, field, size, "not a finite number; remove or replace it", err);
        if (fabs(value) > (double)FLT_MAX)
            return bad_number(t, j, field, size, "too large for 32 bits", err);
        if (!add_number(t, t->n * t->d + j, (float)value))
            return cot_fail(err, COT_NOMEM, "a table of %zu lines", t->i_line);
    }
    if (t->n > 0 && j != t->d)
        return cot_fail(err, COT_BAD_DATA, "line %zu has %zu fields, the lines before have %zu", t->i_line, j, t->d);
    t->d = j;
    t->n++;
    return COT_OK;
}

static cot_code take_lines(struct table *t, const char *text, size_t size, struct cot_err *err)
{
    const char *at = text;
    const char *stop = text + size;
    bool first = true;
    if (size >= 3 && memcmp(text, "\xef\xbb\xbf", 3) == 0)
        at += 3;
    while (at < stop) {
        const char *newline = memchr(at, '\n', (size_t)(stop - at));
        const char *end = newline != NULL ? newline : stop;
        const char *next = newline != NULL ? newline + 1 : stop;
        const char *line = at;
        t->i_line++;
        at = next;
        if (end > line && end[-1] == '\r')
            end--;
        while (line < end && is_space(*line))
            line++;
        if (line == end || *line == '#')
            continue;
        if (memchr(line, 0, (size_t)(end - line)) != NULL)
            return cot_fail(err, COT_BAD_DATA, "line %zu holds a NUL byte: this is no text", t->i_line);
        if (first) {
            first = false;
            t->separator = find_separator(line, end);
            if (t->separator != WHITE && is_header(line, end, t->separator))
                continue;
        }
        cot_code rc = take_line(t, line, end, err);
        if (rc != COT_OK)
            return rc;
    }
    return COT_OK;
}

cot_code cot_text_decode(const char *text, size_t size, struct cot_array *ret_array, struct cot_err *err)
{
    struct table t = {.separator = WHITE};
    cot_code rc = take_lines(&t, text, size, err);
    if (rc == COT_OK && t.n == 0)
        rc = cot_fail(err, COT_BAD_DATA, "no line holds numbers");
    if (rc != COT_OK) {
        free(t.data);
        return rc;
    }
    *ret_array = (struct cot_array){.data = t.data, .n = t.n, .d = t.d};
    return COT_OK;
}
