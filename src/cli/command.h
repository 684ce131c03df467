/*
 * Commands are data: one row a command (its table is src/cli/commands.c), one struct cot_option[] that builds parsing,
 * --help, the man page and the shell completion. A command reads its options, calls one use case of engine/ and prints
 * the document that comes back: as JSON (--json) or as tables for people.
 */
#ifndef COT_CLI_COMMAND_H
#define COT_CLI_COMMAND_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <yyjson.h>

#include "base/progress.h"
#include "coterie/err.h"
#include "engine/context.h"

struct cot_option {
    const char *name;    /* without the dashes */
    const char *metavar; /* NULL: a flag without a value */
    const char *help;    /* one sentence, with the default where there is one */
};

struct cot_call;

struct cot_command {
    const char *name;                 /* one or two words: "import", "customer show" */
    const char *arguments;            /* positional arguments as in the usage line: "FILE|FOLDER..."; "" for none */
    size_t n_min, n_max;              /* how many positional arguments; SIZE_MAX: any number */
    const char *summary;              /* one line */
    const char *help;                 /* paragraphs that teach, with an example */
    const struct cot_option *options; /* ends with a row whose name is NULL; NULL for none */
    cot_code (*run)(struct cot_call *call, struct cot_err *err);
    bool leaves_store; /* opens no store: nothing is to be borrowed from a server that runs */
};

/* All commands, ordered as help lists them; ends with NULL. */
extern const struct cot_command *const cot_commands[];

/* Options that every command takes; ends with a row whose name is NULL. */
extern const struct cot_option cot_common_options[];

enum { COT_CALL_MAX_VALUES = 256 };

/* One parsed command line. */
struct cot_call {
    const struct cot_command *command;
    const char **arguments; /* positional */
    size_t n_arguments;
    struct {
        const struct cot_option *option;
        const char *value; /* "" for a flag */
    } values[COT_CALL_MAX_VALUES];
    size_t n_values;

    struct cot_context context; /* from the common options */
    bool json;
    bool quiet;
};

/* Parses argv (without the program's and the command's names) into ret_call. COT_USAGE names the word and the cure. */
cot_code cot_call_parse(const struct cot_command *command, int argc, char **argv, struct cot_call *ret_call,
                        struct cot_err *err) COT_MUST_CHECK;
void cot_call_release(struct cot_call *call);

/* The last value given for an option, or NULL. A name that is in no table is a defect (assert). */
const char *cot_call_value(const struct cot_call *call, const char *name);
bool cot_call_flag(const struct cot_call *call, const char *name);

/* The i-th value of an option that may be repeated, or NULL after the last. */
const char *cot_call_nth(const struct cot_call *call, const char *name, size_t i);

/* Strict numbers with bounds; ret_value is untouched where the option was not given. */
cot_code cot_call_int(const struct cot_call *call, const char *name, int64_t min, int64_t max, int64_t *ret_value,
                      struct cot_err *err) COT_MUST_CHECK;
cot_code cot_call_double(const struct cot_call *call, const char *name, double min, double max, double *ret_value,
                         struct cot_err *err) COT_MUST_CHECK;

/* A share written as 10% or 0.1, with bounds. */
cot_code cot_call_share(const struct cot_call *call, const char *name, double min, double max, double *ret_share,
                        struct cot_err *err) COT_MUST_CHECK;

/* COT_IO where the file that the option names could not be written: said before the work, not after it. */
cot_code cot_call_check_file(const struct cot_call *call, const char *name, struct cot_err *err) COT_MUST_CHECK;

/* Prints doc as JSON on stdout. */
cot_code cot_print_json(const yyjson_mut_doc *doc, struct cot_err *err) COT_MUST_CHECK;

/* Help for one command or, with NULL, the overview; the man page; the completion script. All from the table. */
void cot_print_help(FILE *stream, const struct cot_command *command);
void cot_print_man_page(FILE *stream);
void cot_print_completion(FILE *stream);

/* The program: parses, runs, reports errors on stderr. Returns the exit status. */
int cot_cli_main(int argc, char **argv);

#endif
