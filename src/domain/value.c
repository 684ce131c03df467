#include "domain/value.h"

#include <string.h>
#include <strings.h>

#include "base/number.h"

const char *cot_value_error_text(enum cot_value_error error)
{
    static const char *const texts[] = {
#define X(code, text) [code] = text,
        COT_VALUE_ERRORS(X)
#undef X
    };
    return texts[error];
}

static bool is_space(char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n' || c == '\f' || c == '\v';
}

void cot_value_trim(const char **text, size_t *size)
{
    const char *begin = *text;
    const char *end = begin + *size;
    for (;;) {
        if (begin < end && is_space(*begin))
            begin++;
        else if (end - begin >= 2 && memcmp(begin, "\xc2\xa0", 2) == 0)
            begin += 2;
        else
            break;
    }
    for (;;) {
        if (end > begin && is_space(end[-1]))
            end--;
        else if (end - begin >= 2 && memcmp(end - 2, "\xc2\xa0", 2) == 0)
            end -= 2;
        else
            break;
    }
    *text = begin;
    *size = (size_t)(end - begin);
}

enum cot_value_error cot_value_int(const char *text, size_t size, int64_t *ret_value)
{
    cot_value_trim(&text, &size);
    if (size == 0)
        return COT_VALUE_EMPTY;
    return cot_parse_int(text, size, ret_value) ? COT_VALUE_OK : COT_VALUE_NOT_NUMBER;
}

static bool is_one_of(const char *const *words, const char *text, size_t size)
{
    for (; *words != NULL; words++)
        if (strlen(*words) == size && strncasecmp(*words, text, size) == 0)
            return true;
    return false;
}

enum cot_value_error cot_value_bool(const char *text, size_t size, bool *ret_value)
{
    static const char *const yes[] = {"1",         "y",       "yes",    "t",       "true",     "on",       "subscribed",
                                      "granted",   "opt-in",  "optin",  "opt_in",  "opted in", "opted-in", "accepted",
                                      "allow",     "allowed", "active", "enabled", "ja",       "oui",      "si",
                                      "s\xc3\xad", "1.0",     "x",      "agreed",  "given",    NULL};
    static const char *const no[] = {"0",
                                     "n",
                                     "no",
                                     "f",
                                     "false",
                                     "off",
                                     "unsubscribed",
                                     "denied",
                                     "opt-out",
                                     "optout",
                                     "opt_out",
                                     "opted out",
                                     "opted-out",
                                     "declined",
                                     "deny",
                                     "not_subscribed",
                                     "not subscribed",
                                     "withdrawn",
                                     "revoked",
                                     "inactive",
                                     "disabled",
                                     "nein",
                                     "non",
                                     "0.0",
                                     "rejected",
                                     "refused",
                                     "none",
                                     "cleaned",
                                     NULL};
    cot_value_trim(&text, &size);
    if (size == 0)
        return COT_VALUE_EMPTY;
    if (is_one_of(yes, text, size))
        *ret_value = true;
    else if (is_one_of(no, text, size))
        *ret_value = false;
    else
        return COT_VALUE_NOT_BOOLEAN;
    return COT_VALUE_OK;
}

bool cot_value_is_missing(const char *text, size_t size)
{
    static const char *const words[] = {"null", "\\n", "nan", "none", "n/a", "na", "#n/a", "-", "<na>", "nil", NULL};
    if (size == 0)
        return true;
    if (size <= 4 && memchr("nN\\#-<", text[0], 6) != NULL)
        return is_one_of(words, text, size);
    if (!is_space(text[0]) && text[0] != '\xc2')
        return false;
    cot_value_trim(&text, &size);
    return size == 0 || (size <= 4 && is_one_of(words, text, size));
}

static bool is_email_byte(unsigned char c)
{
    return c > 0x20 && c != 0x7f && strchr("@,;:<>()[]\\\"", c) == NULL;
}

bool cot_value_email(const char *text, size_t size, char *ret_text, size_t *ret_size)
{
    enum { MAX_EMAIL = 254 };
    cot_value_trim(&text, &size);
    if (size > 7 && strncasecmp(text, "mailto:", 7) == 0) {
        text += 7;
        size -= 7;
    }
    if (size < 6 || size > MAX_EMAIL)
        return false;
    const char *at = memchr(text, '@', size);
    if (at == NULL || at == text)
        return false;
    const char *host = at + 1;
    size_t host_size = size - (size_t)(host - text);
    const char *dot = memrchr(host, '.', host_size);
    if (dot == NULL || dot == host || host_size - (size_t)(dot - host) < 3 || host[0] == '-')
        return false;
    for (size_t i = 0; i < size; i++) {
        unsigned char c = (unsigned char)text[i];
        if (text + i != at && !is_email_byte(c))
            return false;
        /* Beyond ASCII, bytes stay as they are: addresses that differ in case there are rare and left apart. */
        ret_text[i] = (char)(c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c);
    }
    *ret_size = size;
    return true;
}
