/* Help, man page and shell completion, all made from the command table. */
#include <string.h>

#include "cli/command.h"

static void print_options(FILE *stream, const struct cot_option *options)
{
    for (; options != NULL && options->name != NULL; options++) {
        char left[64];
        snprintf(left, sizeof left, "--%s%s%s", options->name, options->metavar != NULL ? " " : "",
                 options->metavar != NULL ? options->metavar : "");
        fprintf(stream, "  %-24s %s\n", left, options->help);
    }
}

static void print_overview(FILE *stream)
{
    fputs("coterie: customer segments from a shop's own files, on your own machine\n\n"
          "  coterie import my-orders.csv     take in orders, events, customers, products ...\n"
          "  coterie segment                  find the segments, name and explain them\n"
          "  coterie report                   write them as one page for the browser\n\nCommands:\n",
          stream);
    for (const struct cot_command *const *row = cot_commands; *row != NULL; row++)
        fprintf(stream, "  %-20s %s\n", (*row)->name, (*row)->summary);
    fputs("\nEvery command takes:\n", stream);
    print_options(stream, cot_common_options);
    fputs("\n'coterie COMMAND --help' explains one. Exit status: 0 done, 64 usage, 65 bad data, 70 internal, "
          "74 input/output.\n",
          stream);
}

void cot_print_help(FILE *stream, const struct cot_command *command)
{
    if (command == NULL) {
        print_overview(stream);
        return;
    }
    fprintf(stream, "Usage: coterie %s%s%s [OPTION...]\n\n%s\n", command->name, command->arguments[0] ? " " : "",
            command->arguments, command->help);
    if (command->options != NULL && command->options->name != NULL) {
        fputs("\nOptions:\n", stream);
        print_options(stream, command->options);
    }
    fputs("\nEvery command takes:\n", stream);
    print_options(stream, cot_common_options);
}

/* Text into troff: a leading dot or quote and every backslash and dash would be read as commands. */
static void print_troff(FILE *stream, const char *text)
{
    bool line_start = true;
    for (; *text != '\0'; text++) {
        if (line_start && (*text == '.' || *text == '\''))
            fputs("\\&", stream);
        if (*text == '\\')
            fputs("\\e", stream);
        else if (*text == '-')
            fputs("\\-", stream);
        else
            fputc(*text, stream);
        line_start = *text == '\n';
    }
}

static void print_troff_options(FILE *stream, const struct cot_option *options)
{
    for (; options != NULL && options->name != NULL; options++) {
        fprintf(stream, ".TP\n.B \\-\\-");
        print_troff(stream, options->name);
        if (options->metavar != NULL) {
            fputs(" \\fI", stream);
            print_troff(stream, options->metavar);
            fputs("\\fR", stream);
        }
        fputc('\n', stream);
        print_troff(stream, options->help);
        fputc('\n', stream);
    }
}

void cot_print_man_page(FILE *stream)
{
    fputs(".TH COTERIE 1 \"\" \"Coterie " COTERIE_VERSION "\" \"User Commands\"\n.SH NAME\n"
          "coterie \\- customer segmentation and targeting for online shops\n.SH SYNOPSIS\n"
          ".B coterie\n.I COMMAND\n[ARGUMENT...] [OPTION...]\n.SH COMMON OPTIONS\n",
          stream);
    print_troff_options(stream, cot_common_options);
    fputs(".SH COMMANDS\n", stream);
    for (const struct cot_command *const *row = cot_commands; *row != NULL; row++) {
        const struct cot_command *command = *row;
        fputs(".SS coterie ", stream);
        print_troff(stream, command->name);
        fputc(' ', stream);
        print_troff(stream, command->arguments);
        fputs("\n.nf\n", stream);
        print_troff(stream, command->help);
        fputs("\n.fi\n", stream);
        print_troff_options(stream, command->options);
    }
    fputs(".SH EXIT STATUS\n0 done, 64 usage, 65 bad data, 70 internal, 74 input/output.\n", stream);
}

static void print_completion_options(FILE *stream, const struct cot_option *options)
{
    for (; options != NULL && options->name != NULL; options++)
        fprintf(stream, " --%s", options->name);
}

void cot_print_completion(FILE *stream)
{
    fputs("# bash completion for coterie; load with: source <(coterie completion)\n"
          "_coterie() {\n"
          "    local word=${COMP_WORDS[COMP_CWORD]} command=${COMP_WORDS[1]:-} two=\"${COMP_WORDS[1]:-} "
          "${COMP_WORDS[2]:-}\"\n"
          "    local words=''\n"
          "    if [ \"$COMP_CWORD\" -eq 1 ]; then\n        words='",
          stream);
    const char *last = "";
    for (const struct cot_command *const *row = cot_commands; *row != NULL; row++) {
        const struct cot_command *command = *row;
        size_t size = strcspn(command->name, " ");
        if (strncmp(last, command->name, size) != 0 || last[size] != command->name[size])
            fprintf(stream, "%.*s ", (int)size, command->name);
        last = command->name;
    }
    fputs("'\n    else\n        case $two in\n", stream);
    for (const struct cot_command *const *row = cot_commands; *row != NULL; row++) {
        const struct cot_command *command = *row;
        bool two_words = strchr(command->name, ' ') != NULL;
        fprintf(stream, "        '%s'%s) words='", command->name, two_words ? "" : "\\ *");
        print_completion_options(stream, command->options);
        print_completion_options(stream, cot_common_options);
        fputs("' ;;\n", stream);
    }
    fputs("        esac\n        if [ \"$COMP_CWORD\" -eq 2 ]; then\n            case $command in\n", stream);
    for (const struct cot_command *const *row = cot_commands; *row != NULL; row++) {
        const struct cot_command *command = *row;
        const char *space = strchr(command->name, ' ');
        if (space != NULL)
            fprintf(stream, "            %.*s) words+=' %s' ;;&\n", (int)(space - command->name), command->name,
                    space + 1);
    }
    fputs("            esac\n        fi\n    fi\n"
          "    COMPREPLY=($(compgen -W \"$words\" -- \"$word\"))\n"
          "    [ \"${#COMPREPLY[@]}\" -gt 0 ] || COMPREPLY=($(compgen -f -- \"$word\"))\n}\n"
          "complete -F _coterie coterie\n",
          stream);
}
