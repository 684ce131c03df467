#include "connect/header.h"

#include <string.h>

static bool is_upper(char c)
{
    return c >= 'A' && c <= 'Z';
}

static bool is_lower_or_digit(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
}

static bool is_word(char c)
{
    return is_upper(c) || is_lower_or_digit(c) || (unsigned char)c >= 0x80;
}

void cot_header_snake(const char *name, char *ret_text, size_t size)
{
    size_t n = 0;
    for (size_t i = 0; name[i] != '\0' && n + 2 < size; i++) {
        char c = name[i];
        if (c == '\'' || c == '"')
            continue;
        if (!is_word(c)) {
            if (n > 0 && ret_text[n - 1] != '_')
                ret_text[n++] = '_';
            continue;
        }
        /* "OrderDate", "CustomerID", "SKUName": a word begins at an upper case letter after a lower case one, or before
         * one. */
        bool begins =
            is_upper(c) && i > 0 &&
            (is_lower_or_digit(name[i - 1]) || (is_upper(name[i - 1]) && name[i + 1] >= 'a' && name[i + 1] <= 'z'));
        if (begins && n > 0 && ret_text[n - 1] != '_')
            ret_text[n++] = '_';
        ret_text[n++] = is_upper(c) ? (char)(c - 'A' + 'a') : c;
    }
    while (n > 0 && ret_text[n - 1] == '_')
        n--;
    ret_text[n] = '\0';
}

void cot_header_squash(const char *name, char *ret_text, size_t size)
{
    static const char inside[] = "[]."; /* of a line inside a document: whatever the lines are called */
    const char *line = strstr(name, inside);
    size_t n = 0;
    if (line != NULL && size > sizeof inside) {
        name = line + strlen(inside);
        ret_text[n++] = '[';
        ret_text[n++] = ']';
    }
    for (size_t i = 0; name[i] != '\0' && n + 1 < size; i++)
        if (is_word(name[i]))
            ret_text[n++] = is_upper(name[i]) ? (char)(name[i] - 'A' + 'a') : name[i];
    ret_text[n] = '\0';
}

/* Compares a squashed name with one of the table's, whose '_' count for nothing. */
static bool is_same(const char *squashed, const char *name, size_t size)
{
    for (size_t i = 0; i < size; i++) {
        if (name[i] == '_')
            continue;
        if (*squashed != name[i])
            return false;
        squashed++;
    }
    return *squashed == '\0';
}

static const char *unwrap(const char *squashed)
{
    static const char *const wrappers[] = {"properties", "traits", "context", "attributes", "payload"};
    for (size_t i = 0; i < sizeof wrappers / sizeof wrappers[0]; i++) {
        size_t n = strlen(wrappers[i]);
        if (strncmp(squashed, wrappers[i], n) == 0 && squashed[n] != '\0')
            return squashed + n;
    }
    return NULL;
}

bool cot_header_matches(const char *squashed, const char *names, size_t *ret_rank)
{
    const char *inner = unwrap(squashed);
    size_t rank = 0;
    for (const char *at = names; at != NULL; rank++) {
        const char *bar = strchr(at, '|');
        size_t size = bar != NULL ? (size_t)(bar - at) : strlen(at);
        if (is_same(squashed, at, size) || (inner != NULL && is_same(inner, at, size))) {
            if (ret_rank != NULL)
                *ret_rank = rank;
            return true;
        }
        at = bar != NULL ? bar + 1 : NULL;
    }
    return false;
}
