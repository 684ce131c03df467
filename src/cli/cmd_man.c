#include "cli/command.h"

static cot_code run(struct cot_call *call, struct cot_err *err)
{
    (void)call;
    (void)err;
    cot_print_man_page(stdout);
    return COT_OK;
}

const struct cot_command cot_command_man = {
    .name = "man",
    .arguments = "",
    .summary = "print the manual page",
    .help = "Prints the manual page, made from the same table as --help:\n\n  coterie man | man -l -",
    .run = run,
    .leaves_store = true,
};
