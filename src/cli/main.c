/* The program's entry: finds the command, runs it, shows progress and errors. */
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "cli/command.h"
#include "engine/lend.h"

/* A progress line redrawn on the terminal, or one line a stage where standard error is no terminal. */
struct progress_line {
    char stage[160];
    double last_draw; /* seconds */
    bool terminal;
    bool drawn;
};

static double seconds_now(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec * 1e-9;
}

static void draw_bar(const char *stage, uint64_t done, uint64_t total)
{
    enum { BAR_CELLS = 24 };
    if (total == 0) {
        fprintf(stderr, "\r\033[K%s %llu", stage, (unsigned long long)done);
        return;
    }
    double share = done >= total ? 1 : (double)done / (double)total;
    int filled = (int)(share * BAR_CELLS);
    fprintf(stderr, "\r\033[K[");
    for (int i = 0; i < BAR_CELLS; i++)
        fputs(i < filled ? "█" : "·", stderr);
    fprintf(stderr, "] %3.0f%% %s", share * 100, stage);
}

static void show_progress(void *context, const char *stage, uint64_t done, uint64_t total)
{
    struct progress_line *line = context;
    double now = seconds_now();
    bool new_stage = strncmp(line->stage, stage, sizeof line->stage - 1) != 0;
    if (new_stage)
        snprintf(line->stage, sizeof line->stage, "%s", stage);
    if (!line->terminal) {
        if (new_stage)
            fprintf(stderr, "%s\n", stage);
        return;
    }
    if (!new_stage && now - line->last_draw < 0.1 && done != total)
        return;
    line->last_draw = now;
    line->drawn = true;
    draw_bar(stage, done, total);
    fflush(stderr);
}

/* Finds the command named by the first word or the first two; sets how many words that took. */
static const struct cot_command *command_find(int argc, char **argv, int *ret_n_words)
{
    const struct cot_command *found = NULL;
    for (const struct cot_command *const *row = cot_commands; *row != NULL; row++) {
        const struct cot_command *command = *row;
        const char *space = strchr(command->name, ' ');
        size_t first = space != NULL ? (size_t)(space - command->name) : strlen(command->name);
        if (argc < 1 || strlen(argv[0]) != first || memcmp(argv[0], command->name, first) != 0)
            continue;
        if (space == NULL && found == NULL) {
            found = command;
            *ret_n_words = 1;
        } else if (space != NULL && argc > 1 && strcmp(argv[1], space + 1) == 0) {
            *ret_n_words = 2;
            return command;
        }
    }
    return found;
}

/* Two-word commands that begin with the word, for "did you mean". */
static void suggest(const char *word)
{
    bool any = false;
    for (const struct cot_command *const *row = cot_commands; *row != NULL; row++) {
        const struct cot_command *command = *row;
        size_t size = strlen(word);
        if (strncmp(command->name, word, size) == 0 && command->name[size] == ' ') {
            fprintf(stderr, "%scoterie %s %s\n", any ? "         " : "coterie: ", command->name, command->arguments);
            any = true;
        }
    }
    if (!any)
        fprintf(stderr, "coterie: no command '%s': 'coterie help' lists them\n", word);
}

static int report_error(const struct cot_call *call, const struct cot_err *err)
{
    if (call != NULL && call->json) {
        yyjson_mut_doc *doc = yyjson_mut_doc_new(NULL);
        yyjson_mut_val *root = yyjson_mut_obj(doc);
        yyjson_mut_val *error = yyjson_mut_obj(doc);
        yyjson_mut_doc_set_root(doc, root);
        yyjson_mut_obj_add_val(doc, root, "error", error);
        yyjson_mut_obj_add_str(doc, error, "code", cot_code_name(err->code));
        yyjson_mut_obj_add_str(doc, error, "message", err->message);
        struct cot_err ignored;
        if (cot_print_json(doc, &ignored) != COT_OK)
            fprintf(stderr, "coterie: %s\n", ignored.message);
        yyjson_mut_doc_free(doc);
    }
    fprintf(stderr, "coterie: %s\n", err->message);
    return cot_code_exit_status(err->code);
}

static int run_call(struct cot_call *call)
{
    struct cot_err err = {0};
    struct progress_line line = {.terminal = isatty(STDERR_FILENO) == 1};
    if (!call->quiet)
        call->context.progress = (struct cot_progress){.report = show_progress, .context = &line};
    int loan = -1;
    cot_code rc = call->command->leaves_store ? COT_OK : cot_lend_borrow(call->context.data_dir, &loan, &err);
    if (rc == COT_OK)
        rc = call->command->run(call, &err);
    call->context.progress = (struct cot_progress){0}; /* the line ends with this function */
    if (line.drawn)
        fputs("\r\033[K", stderr);
    cot_lend_return(loan);
    if (rc == COT_OK && (fflush(stdout) != 0 || ferror(stdout)))
        rc = cot_fail(&err, COT_IO, "writing to standard output failed");
    return rc == COT_OK ? 0 : report_error(call, &err);
}

int cot_cli_main(int argc, char **argv)
{
    struct cot_call call;
    struct cot_err err = {0};
    int n_words = 0;
    char version[] = "version";
    if (argc < 2 || strcmp(argv[1], "--help") == 0) {
        cot_print_help(argc < 2 ? stderr : stdout, NULL);
        return argc < 2 ? cot_code_exit_status(COT_USAGE) : 0;
    }
    if (strcmp(argv[1], "--version") == 0)
        argv[1] = version;
    const struct cot_command *command = command_find(argc - 1, argv + 1, &n_words);
    if (command == NULL) {
        suggest(argv[1]);
        return cot_code_exit_status(COT_USAGE);
    }
    int status = 0;
    if (cot_call_parse(command, argc - 1 - n_words, argv + 1 + n_words, &call, &err) != COT_OK)
        status = report_error(NULL, &err);
    else if (cot_call_flag(&call, "help"))
        cot_print_help(stdout, command);
    else
        status = run_call(&call);
    cot_call_release(&call);
    return status;
}
