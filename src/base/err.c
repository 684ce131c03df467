#include "coterie/err.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static const struct code_row {
    const char *name;
    int exit_status;
    int http_status;
    const char *text;
} code_rows[] = {
#define X(code, exit_status, http_status, text) {#code, exit_status, http_status, text},
    COT_CODES(X)
#undef X
};

cot_code(cot_fail)(struct cot_err *err, cot_code code, const char *format, ...)
{
    if (err != NULL) {
        va_list args;
        va_start(args, format);
        err->code = code;
        vsnprintf(err->message, sizeof err->message, format, args);
        va_end(args);
    }
    return code;
}

cot_code cot_err_prefix(struct cot_err *err, cot_code code, const char *format, ...)
{
    if (err != NULL) {
        char before[COT_ERR_MESSAGE_SIZE];
        char message[COT_ERR_MESSAGE_SIZE];
        va_list args;
        va_start(args, format);
        vsnprintf(before, sizeof before, format, args);
        va_end(args);
        memcpy(message, err->message, sizeof message);
        int used = snprintf(err->message, sizeof err->message, "%s: ", before);
        if (used > 0 && (size_t)used < sizeof err->message)
            snprintf(err->message + used, sizeof err->message - (size_t)used, "%s", message);
        err->code = code;
    }
    return code;
}

const char *cot_code_name(cot_code code)
{
    return code_rows[code].name;
}

const char *cot_code_text(cot_code code)
{
    return code_rows[code].text;
}

int cot_code_exit_status(cot_code code)
{
    return code_rows[code].exit_status;
}

int cot_code_http_status(cot_code code)
{
    return code_rows[code].http_status;
}
