/* Splitting one record of delimited text into cells, in place (see reader_parts.h). */
#include <string.h>

#include "store/reader_parts.h"

struct cursor {
    char *text;
    size_t at;
    size_t size;
    bool is_last;
};

void cot_split_init(struct cot_split *split, const struct cot_dialect *dialect)
{
    *split = (struct cot_split){0};
    split->plain_stop['\n'] = split->plain_stop['\r'] = split->plain_stop['\0'] = 1;
    split->plain_stop[(unsigned char)dialect->delimiter] = 1;
    if (dialect->delimiter == ' ')
        split->plain_stop['\t'] = 1;
    split->quoted_stop['\n'] = split->quoted_stop['\r'] = split->quoted_stop['\0'] = 1;
    split->quoted_stop['"'] = split->quoted_stop[(unsigned char)dialect->escape] = 1;
}

static inline bool is_delimiter(char c, char delimiter)
{
    return c == delimiter || (delimiter == ' ' && c == '\t');
}

static inline void add_cell(struct cot_split *split, const char *data, size_t size, uint32_t is_null)
{
    if (split->n_cells < split->max_cells)
        split->cells[split->n_cells * split->stride] =
            (struct cot_cell){.data = data, .size = (uint32_t)size, .is_null = is_null};
    else if (size > 0)
        split->extra_is_empty = false;
    split->n_cells++;
}

/* At a line end: its size, 0 where there is none, -1 where a CR is the last byte so far. */
static inline int line_end(const struct cursor *c, const struct cot_dialect *dialect)
{
    char byte = c->text[c->at];
    if (byte == '\n')
        return 1;
    if (byte != '\r')
        return 0;
    if (dialect->cr_lines)
        return 1;
    if (c->at + 1 == c->size)
        return c->is_last ? 1 : -1;
    return c->text[c->at + 1] == '\n' ? 2 : 0;
}

/* c->at is behind the opening quote; afterwards behind the closing one. */
static enum cot_split_result take_quoted(struct cursor *c, const struct cot_dialect *dialect, struct cot_split *split)
{
    size_t begin = c->at;
    bool escaped = false;
    unsigned char bits = 0;
    for (; c->at < c->size; c->at++) {
        while (c->at < c->size && !split->quoted_stop[(unsigned char)c->text[c->at]])
            bits |= (unsigned char)c->text[c->at++];
        if (c->at == c->size)
            break;
        char byte = c->text[c->at];
        if (byte == '"') {
            if (dialect->escape == '"' && c->at + 1 == c->size && !c->is_last)
                return COT_SPLIT_MORE;
            bool doubled = c->at + 1 < c->size && c->text[c->at + 1] == '"';
            if (dialect->escape != '"' || !doubled) {
                add_cell(split, c->text + begin, c->at - begin, escaped ? 2 : 0);
                split->has_escape |= escaped;
                split->is_ascii &= bits < 0x80;
                c->at++;
                return COT_SPLIT_DONE;
            }
            escaped = true;
            c->at++;
        } else if (byte == '\\' && dialect->escape == '\\') {
            if (c->at + 1 < c->size)
                bits |= (unsigned char)c->text[++c->at];
            escaped = true;
        } else if (byte == '\n' || (byte == '\r' && dialect->cr_lines)) {
            split->n_newlines++;
        } else if (byte == '\0') {
            split->has_nul = true;
        }
    }
    split->never_closed = true;
    return c->is_last ? COT_SPLIT_BAD_QUOTE : COT_SPLIT_MORE;
}

static void take_plain(struct cursor *c, const struct cot_dialect *dialect, struct cot_split *split)
{
    size_t begin = c->at;
    unsigned char bits = 0;
    for (;;) {
        while (c->at < c->size && !split->plain_stop[(unsigned char)c->text[c->at]])
            bits |= (unsigned char)c->text[c->at++];
        if (c->at == c->size)
            break;
        char byte = c->text[c->at];
        if (byte == '\0') {
            split->has_nul = true;
        } else if (byte != '\r' || line_end(c, dialect) != 0) {
            break;
        }
        c->at++;
    }
    split->is_ascii &= bits < 0x80;
    add_cell(split, c->text + begin, c->at - begin, c->at == begin);
}

static void skip_spaces(struct cursor *c)
{
    while (c->at < c->size && (c->text[c->at] == ' ' || c->text[c->at] == '\t'))
        c->at++;
}

/* A quoted cell may have spaces around it. */
static bool opens_quote(struct cursor *c, const struct cot_dialect *dialect)
{
    size_t at = c->at;
    while (at < c->size && c->text[at] == ' ' && dialect->delimiter != ' ')
        at++;
    if (at == c->size || c->text[at] != '"')
        return false;
    c->at = at + 1;
    return true;
}

static enum cot_split_result finish(struct cursor *c, struct cot_split *split, int end_size)
{
    split->size = c->at + (size_t)end_size;
    split->n_newlines++;
    return COT_SPLIT_DONE;
}

/* A line without content: nothing, or blanks where there is more than one column to fill. */
static bool is_blank(struct cursor *c, const struct cot_dialect *dialect, struct cot_split *split)
{
    struct cursor ahead = *c;
    skip_spaces(&ahead);
    if (dialect->delimiter == '\t' && ahead.at > c->at)
        ahead.at = c->at;
    int end = 0;
    if (ahead.at < ahead.size)
        end = line_end(&ahead, dialect);
    else if (!ahead.is_last)
        return false;
    if (end < 0 || (end == 0 && ahead.at < ahead.size))
        return false;
    finish(&ahead, split, end);
    return true;
}

enum cot_split_result cot_split_record(char *text, size_t size, bool is_last, const struct cot_dialect *dialect,
                                       struct cot_split *split)
{
    struct cursor c = {.text = text, .size = size, .is_last = is_last};
    split->n_cells = split->n_newlines = 0;
    split->has_escape = split->has_nul = split->never_closed = false;
    split->is_ascii = split->extra_is_empty = true;
    if (is_blank(&c, dialect, split))
        return COT_SPLIT_BLANK;
    if (dialect->delimiter == ' ')
        skip_spaces(&c);
    for (;;) {
        if (opens_quote(&c, dialect)) {
            enum cot_split_result result = take_quoted(&c, dialect, split);
            if (result != COT_SPLIT_DONE)
                return result;
            while (dialect->delimiter != ' ' && c.at < c.size && c.text[c.at] == ' ')
                c.at++;
        } else {
            take_plain(&c, dialect, split);
        }
        bool spaced = false;
        if (dialect->delimiter == ' ') {
            size_t before = c.at;
            skip_spaces(&c);
            spaced = c.at > before;
        }
        if (c.at == c.size)
            return is_last ? finish(&c, split, 0) : COT_SPLIT_MORE;
        int end = line_end(&c, dialect);
        if (end < 0)
            return COT_SPLIT_MORE;
        if (end > 0)
            return finish(&c, split, end);
        if (spaced)
            continue;
        if (dialect->delimiter == ' ' || !is_delimiter(c.text[c.at], dialect->delimiter))
            return COT_SPLIT_BAD_QUOTE;
        c.at++;
    }
}

void cot_split_unescape(struct cot_split *split, char escape)
{
    size_t n = split->n_cells < split->max_cells ? split->n_cells : split->max_cells;
    for (size_t i = 0; i < n; i++) {
        struct cot_cell *cell = split->cells + i * split->stride;
        if (cell->is_null != 2)
            continue;
        /* The cell lies in the block that the batch owns: writing through it is ours to do. */
        char *data = (char *)(uintptr_t)cell->data;
        uint32_t to = 0;
        for (uint32_t from = 0; from < cell->size; from++) {
            if (data[from] == escape && from + 1 < cell->size)
                from++;
            data[to++] = data[from];
        }
        cell->size = to;
        cell->is_null = 0;
    }
}

size_t cot_line_size(const char *text, size_t size, bool cr_lines)
{
    const char *end = size > 0 ? memchr(text, cr_lines ? '\r' : '\n', size) : NULL;
    return end != NULL ? (size_t)(end - text) + 1 : size + 1;
}
