#include "cli/command.h"

static cot_code run(struct cot_call *call, struct cot_err *err)
{
    (void)call;
    (void)err;
    cot_print_completion(stdout);
    return COT_OK;
}

const struct cot_command cot_command_completion = {
    .name = "completion",
    .arguments = "",
    .summary = "print the completion script for bash",
    .help = "Prints a completion script for bash:\n\n  source <(coterie completion)",
    .run = run,
    .leaves_store = true,
};
