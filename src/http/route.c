/* Finding a request's route in the table. */
#include <stdio.h>
#include <string.h>

#include "http/route.h"

/* How many characters of an option's name say the same as a name of the query; 0: another word. */
static size_t same_word(const char *option, const char *name)
{
    size_t n = strlen(name);
    for (size_t i = 0; i < n; i++)
        if (option[i] != (name[i] == '_' ? '-' : name[i]))
            return 0;
    return option[n] == '-' || (option[n] >= 'a' && option[n] <= 'z') ? 0 : n;
}

void cot_route_words(const struct cot_route *route, const char *message, char *ret_text, size_t size)
{
    size_t used = 0;
    while (*message != '\0' && used + 1 < size) {
        const struct cot_route_query *query = route != NULL ? route->query : NULL;
        size_t n = 0;
        if (strncmp(message, "--", 2) == 0)
            while (query != NULL && query->name != NULL && (n = same_word(message + 2, query->name)) == 0)
                query++;
        if (n > 0) {
            used += (size_t)snprintf(ret_text + used, size - used, "%s", query->name);
            used = used < size ? used : size - 1;
            message += 2 + n;
        } else {
            ret_text[used++] = *message++;
        }
    }
    ret_text[used] = '\0';
}

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c = (char)(c | 0x20);
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* Percent-decodes; false for a broken escape, a NUL or too long a text. */
static bool decode(const char *text, size_t size, char ret_text[COT_PARAMETER_SIZE], size_t *ret_size)
{
    size_t n = 0;
    for (size_t i = 0; i < size; i++) {
        int c = (unsigned char)text[i];
        if (c == '%') {
            int high = i + 2 < size ? hex_digit(text[i + 1]) : -1;
            int low = i + 2 < size ? hex_digit(text[i + 2]) : -1;
            if (high < 0 || low < 0)
                return false;
            c = 16 * high + low;
            i += 2;
        }
        if (c == 0 || n + 1 >= COT_PARAMETER_SIZE)
            return false;
        ret_text[n++] = (char)c;
    }
    ret_text[n] = '\0';
    *ret_size = n;
    return n > 0;
}

/* Does the path fit the template? The parameter, where the template has one, is a segment. */
static bool fits(const char *template, const char *path, char ret_parameter[COT_PARAMETER_SIZE], size_t *ret_size)
{
    *ret_size = 0;
    while (*template != '\0' && *template != '{') {
        if (*template ++ != *path++)
            return false;
    }
    if (*template == '\0')
        return *path == '\0';
    const char *rest = strchr(template, '}') + 1;
    size_t size = strcspn(path, "/");
    return strcmp(path + size, rest) == 0 && decode(path, size, ret_parameter, ret_size);
}

const struct cot_route *cot_route_find(const char *method, const char *path, char ret_parameter[COT_PARAMETER_SIZE],
                                       size_t *ret_parameter_size, bool *ret_known_path)
{
    const char *wanted = strcmp(method, "HEAD") == 0 ? "GET" : method;
    *ret_known_path = false;
    for (size_t i = 0; i < cot_n_routes; i++) {
        if (!fits(cot_routes[i].path, path, ret_parameter, ret_parameter_size))
            continue;
        *ret_known_path = true;
        if (strcmp(cot_routes[i].method, wanted) == 0)
            return &cot_routes[i];
    }
    return NULL;
}

void cot_route_methods(const char *path, char ret_text[64], bool *ret_cors)
{
    char parameter[COT_PARAMETER_SIZE];
    size_t parameter_size = 0;
    size_t used = 0;
    *ret_cors = false;
    for (size_t i = 0; i < cot_n_routes; i++) {
        if (!fits(cot_routes[i].path, path, parameter, &parameter_size))
            continue;
        *ret_cors |= (cot_routes[i].flags & COT_ROUTE_CORS) != 0;
        used += (size_t)snprintf(ret_text + used, 64 - used, "%s, ", cot_routes[i].method);
    }
    snprintf(ret_text + used, 64 - used, "OPTIONS");
}
