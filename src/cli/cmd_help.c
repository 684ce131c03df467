#include <string.h>

#include "cli/command.h"

static cot_code run(struct cot_call *call, struct cot_err *err)
{
    if (call->n_arguments == 0) {
        cot_print_help(stdout, NULL);
        return COT_OK;
    }
    char name[64];
    snprintf(name, sizeof name, "%s%s%s", call->arguments[0], call->n_arguments > 1 ? " " : "",
             call->n_arguments > 1 ? call->arguments[1] : "");
    for (const struct cot_command *const *row = cot_commands; *row != NULL; row++) {
        if (strcmp((*row)->name, name) == 0) {
            cot_print_help(stdout, *row);
            return COT_OK;
        }
    }
    return cot_fail(err, COT_USAGE, "no command '%s': 'coterie help' lists them", name);
}

const struct cot_command cot_command_help = {
    .name = "help",
    .arguments = "[COMMAND]",
    .n_max = 2,
    .summary = "explain a command, or list them all",
    .help = "Lists the commands, or explains one:\n\n  coterie help import",
    .run = run,
    .leaves_store = true,
};
