/*
 * Error codes and error details.
 *
 * Fallible functions return a cot_code and are warn_unused_result. Details go to the caller's struct cot_err: the
 * offending value, where it stood and what to do. The library never prints, exits or logs.
 * Example: examples/err.c. Thread rule: a struct cot_err belongs to one thread at a time.
 */
#ifndef COTERIE_ERR_H
#define COTERIE_ERR_H

/* Name, exit status of the program, HTTP status, text. One table: everything about a code is here. */
#define COT_CODES(X)                                                                                                   \
    X(COT_OK, 0, 200, "done")                                                                                          \
    X(COT_USAGE, 64, 400, "wrong use of a command or an option")                                                       \
    X(COT_BAD_DATA, 65, 422, "data that can't be used")                                                                \
    X(COT_NOT_FOUND, 65, 404, "no such thing")                                                                         \
    X(COT_LIMIT, 65, 413, "more than a limit allows")                                                                  \
    X(COT_NOMEM, 70, 507, "out of memory")                                                                             \
    X(COT_INTERNAL, 70, 500, "a defect in Coterie")                                                                    \
    X(COT_IO, 74, 503, "reading or writing failed")

typedef enum {
#define X(code, exit_status, http_status, text) code,
    COT_CODES(X)
#undef X
} cot_code;

#define COT_MUST_CHECK __attribute__((warn_unused_result))

enum { COT_ERR_MESSAGE_SIZE = 1024 };

struct cot_err {
    cot_code code;
    char message[COT_ERR_MESSAGE_SIZE]; /* one sentence, no newline: the value, where, what to do */
};

/* Sets err (which may be NULL) and returns code, so that a caller can write `rc = cot_fail(...)`. */
cot_code cot_fail(struct cot_err *err, cot_code code, const char *format, ...) __attribute__((format(printf, 3, 4)));

#ifdef __clang_analyzer__
/* The analyser does not look into other files: this tells it that a failure is one. */
#define cot_fail(err, code, ...) (cot_fail(err, code, __VA_ARGS__), (code))
#endif

/* Puts "context: " before the message that is there, for a caller who knows more. Returns err's code. */
cot_code cot_err_prefix(struct cot_err *err, cot_code code, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

const char *cot_code_name(cot_code code);
const char *cot_code_text(cot_code code);
int cot_code_exit_status(cot_code code);
int cot_code_http_status(cot_code code);

#endif
