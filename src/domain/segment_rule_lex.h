/*
 * Words, numbers, dates, texts and signs of the rule language, one ahead: what the parsers of rules
 * (segment_rule_parse.c) and of segment files (segment_file.c) share. # begins a comment that goes to the end of the
 * line.
 */
#ifndef COT_DOMAIN_SEGMENT_RULE_LEX_H
#define COT_DOMAIN_SEGMENT_RULE_LEX_H

#include <ctype.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/arena.h"
#include "base/number.h"
#include "domain/segment_rule.h"

enum token_kind { TOKEN_END, TOKEN_WORD, TOKEN_NUMBER, TOKEN_DATE, TOKEN_TEXT, TOKEN_SIGN, TOKEN_BAD };

struct token {
    enum token_kind kind;
    size_t offset, size;   /* of the text as it stands */
    struct cot_text value; /* of a text, without its quotes */
};

struct parser {
    const char *text;
    size_t size;
    const char *noun;            /* what the text is, in what is said of mistakes */
    struct cot_rule_place begin; /* where it begins in what the reader sees */
    struct cot_arena *arena;     /* of texts without their quotes, and of what is made of the text */
    struct token token;          /* the next one */
    size_t end;                  /* of the one before */
    cot_code rc;
    struct cot_err *err;
    struct cot_rule_place *place; /* of the mistake; NULL: nobody asks */

    struct cot_segment_rule *rule; /* being made; of rules alone */
    size_t n_nodes;
    unsigned depth;
};

static inline void place_of(const struct parser *p, size_t offset, struct cot_rule_place *ret_place)
{
    struct cot_rule_place place = p->begin;
    place.offset += offset;
    for (size_t i = 0; i < offset; i++) {
        place.column = p->text[i] == '\n' ? 1 : place.column + 1;
        place.line += p->text[i] == '\n';
    }
    *ret_place = place;
}

static inline bool fail_at(struct parser *p, size_t offset, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* The first mistake is the one that is reported. Always false. */
static inline bool fail_at(struct parser *p, size_t offset, const char *format, ...)
{
    char message[300];
    struct cot_rule_place place;
    va_list args;
    if (p->rc != COT_OK)
        return false;
    va_start(args, format);
    vsnprintf(message, sizeof message, format, args);
    va_end(args);
    place_of(p, offset, &place);
    if (p->place != NULL)
        *p->place = place;
    p->rc = cot_fail(p->err, COT_BAD_DATA, "line %u, column %u: %s", place.line, place.column, message);
    return false;
}

static inline bool expected(struct parser *p, const char *what)
{
    if (p->token.kind == TOKEN_END)
        return fail_at(p, p->token.offset, "the %s ends where %s is expected", p->noun, what);
    return fail_at(p, p->token.offset, "'%.*s' where %s is expected", (int)(p->token.size < 40 ? p->token.size : 40),
                   p->text + p->token.offset, what);
}

static inline void *allocate(struct parser *p, size_t n, size_t element_size)
{
    void *memory = cot_arena_alloc(p->arena, n * element_size);
    if (memory == NULL && p->rc == COT_OK)
        p->rc = cot_fail(p->err, COT_NOMEM, "a %s", p->noun);
    if (memory != NULL)
        memset(memory, 0, n * element_size);
    return memory;
}

static inline size_t skip_space(const struct parser *p, size_t i)
{
    const char *text = p->text;
    for (;;) {
        while (i < p->size && isspace((unsigned char)text[i]))
            i++;
        if (i >= p->size || text[i] != '#')
            return i;
        while (i < p->size && text[i] != '\n')
            i++;
    }
}

/* "a text", in which \" and \\ stand for themselves. */
static inline void read_text(struct parser *p, size_t i)
{
    const char *text = p->text;
    size_t n = 0;
    size_t end = i + 1;
    p->token = (struct token){.kind = TOKEN_BAD, .offset = i, .size = p->size - i};
    while (end < p->size && text[end] != '"')
        end += text[end] == '\\' ? 2 : 1;
    char *value = end < p->size ? allocate(p, end - i, 1) : NULL;
    if (value == NULL)
        return;
    for (size_t j = i + 1; j < end; j++) {
        j += text[j] == '\\';
        value[n++] = text[j];
    }
    p->token = (struct token){TOKEN_TEXT, i, end + 1 - i, {value, (uint32_t)n}};
}

static inline bool is_date(const char *text, size_t size)
{
    int64_t ignored;
    return size == 10 && text[4] == '-' && text[7] == '-' && cot_parse_iso(text, size, &ignored);
}

static inline void advance(struct parser *p)
{
    const char *text = p->text;
    p->end = p->token.offset + p->token.size;
    size_t i = skip_space(p, p->end);
    size_t j = i;
    p->token = (struct token){.kind = TOKEN_END, .offset = i};
    if (i >= p->size)
        return;
    if (text[i] == '"') {
        read_text(p, i);
    } else if (isalpha((unsigned char)text[i]) || text[i] == '_') {
        while (j < p->size && (isalnum((unsigned char)text[j]) || text[j] == '_'))
            j++;
        p->token = (struct token){.kind = TOKEN_WORD, .offset = i, .size = j - i};
    } else if (isdigit((unsigned char)text[i]) ||
               (text[i] == '-' && i + 1 < p->size && isdigit((unsigned char)text[i + 1]))) {
        if (i + 10 <= p->size && is_date(text + i, 10))
            j = i + 10;
        else
            for (j++; j < p->size && (isdigit((unsigned char)text[j]) || text[j] == '.'); j++)
                continue;
        p->token = (struct token){
            .kind = j - i == 10 && is_date(text + i, 10) ? TOKEN_DATE : TOKEN_NUMBER, .offset = i, .size = j - i};
    } else {
        size_t size = i + 1 < p->size && strchr("<>!", text[i]) != NULL && text[i + 1] == '=' ? 2 : 1;
        p->token = (struct token){.kind = TOKEN_SIGN, .offset = i, .size = size};
    }
}

static inline bool is_word(const struct parser *p, const char *word)
{
    return p->token.kind == TOKEN_WORD && p->token.size == strlen(word) &&
           strncasecmp(p->text + p->token.offset, word, p->token.size) == 0;
}

static inline bool is_sign(const struct parser *p, const char *sign)
{
    return p->token.kind == TOKEN_SIGN && p->token.size == strlen(sign) &&
           memcmp(p->text + p->token.offset, sign, p->token.size) == 0;
}

static inline bool take_word(struct parser *p, const char *word)
{
    if (!is_word(p, word))
        return false;
    advance(p);
    return true;
}

static inline bool need_sign(struct parser *p, const char *sign, const char *what)
{
    if (!is_sign(p, sign))
        return expected(p, what);
    advance(p);
    return true;
}

static inline bool read_number(struct parser *p, double *ret_number)
{
    if (p->token.kind != TOKEN_NUMBER || !cot_parse_double(p->text + p->token.offset, p->token.size, ret_number))
        return expected(p, "a number");
    advance(p);
    return true;
}

static inline bool read_duration(struct parser *p, int64_t *ret_ms)
{
    static const struct {
        const char *names[3];
        int64_t ms;
    } units[] = {{{"minutes", "minute", "m"}, INT64_C(60000)},
                 {{"hours", "hour", "h"}, COT_MS_PER_HOUR},
                 {{"days", "day", "d"}, COT_MS_PER_DAY},
                 {{"weeks", "week", "w"}, 7 * COT_MS_PER_DAY}};
    double number = 0;
    size_t offset = p->token.offset;
    if (!read_number(p, &number))
        return false;
    for (size_t i = 0; i < sizeof units / sizeof *units; i++)
        for (size_t j = 0; j < 3; j++)
            if (is_word(p, units[i].names[j])) {
                double ms = number * (double)units[i].ms;
                if (!(ms >= 1) || ms > 4e12)
                    return fail_at(p, offset, "a duration is more than nothing and at most 100 years");
                *ret_ms = (int64_t)ms;
                advance(p);
                return true;
            }
    return expected(p, "minutes, hours, days or weeks");
}

static inline bool read_value(struct parser *p, struct cot_rule_value *ret_value)
{
    *ret_value = (struct cot_rule_value){.word = {"", 0}, .number = (double)NAN};
    if (is_word(p, "true") || is_word(p, "false")) {
        ret_value->word = (struct cot_text){p->text + p->token.offset, (uint32_t)p->token.size};
        advance(p);
        return true;
    }
    if (p->token.kind == TOKEN_TEXT) {
        double number = 0;
        ret_value->word = p->token.value;
        if (cot_parse_double(p->token.value.data, p->token.value.size, &number))
            ret_value->number = number;
        advance(p);
        return true;
    }
    if (p->token.kind != TOKEN_NUMBER)
        return expected(p, "a number, a text in quotes, true or false");
    ret_value->word = (struct cot_text){p->text + p->token.offset, (uint32_t)p->token.size};
    return read_number(p, &ret_value->number);
}

#endif
