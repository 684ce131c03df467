/* Parsing a command line by the tables. */
#include <assert.h>
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/number.h"
#include "cli/command.h"

const struct cot_option cot_common_options[] = {
    {"data", "DIR", "the shop's data directory (default ./coterie-data)"},
    {"json", NULL, "print the result as JSON on standard output"},
    {"seed", "N", "seed of everything random: the same seed gives the same bytes (default 1)"},
    {"threads", "N", "threads to use (default: all cores)"},
    {"quiet", NULL, "no progress on standard error"},
    {"help", NULL, "explain this command"},
    {NULL, NULL, NULL},
};

static const struct cot_option *option_find(const struct cot_option *options, const char *name, size_t size)
{
    for (; options != NULL && options->name != NULL; options++)
        if (strlen(options->name) == size && memcmp(options->name, name, size) == 0)
            return options;
    return NULL;
}

static const struct cot_option *option_find_any(const struct cot_command *command, const char *name, size_t size)
{
    const struct cot_option *option = option_find(command->options, name, size);
    return option != NULL ? option : option_find(cot_common_options, name, size);
}

/* Takes the option at argv[*i]; moves *i past its value. */
static cot_code take_option(struct cot_call *call, int argc, char **argv, int *i, struct cot_err *err)
{
    const char *name = argv[*i] + 2;
    const char *equals = strchr(name, '=');
    size_t size = equals != NULL ? (size_t)(equals - name) : strlen(name);
    const struct cot_option *option = option_find_any(call->command, name, size);
    const char *value = "";

    if (option == NULL)
        return cot_fail(err, COT_USAGE, "'%s' has no option '--%.*s': 'coterie %s --help' lists them",
                        call->command->name, (int)size, name, call->command->name);
    if (option->metavar == NULL && equals != NULL)
        return cot_fail(err, COT_USAGE, "--%s takes no value, but was given '%s'", option->name, equals + 1);
    if (option->metavar != NULL) {
        if (equals != NULL)
            value = equals + 1;
        else if (*i + 1 < argc)
            value = argv[++*i];
        else
            return cot_fail(err, COT_USAGE, "--%s needs a value: --%s %s", option->name, option->name, option->metavar);
    }
    if (call->n_values == COT_CALL_MAX_VALUES)
        return cot_fail(err, COT_USAGE, "more than %d options", COT_CALL_MAX_VALUES);
    call->values[call->n_values].option = option;
    call->values[call->n_values++].value = value;
    return COT_OK;
}

static cot_code take_common(struct cot_call *call, struct cot_err *err)
{
    int64_t seed = 1;
    int64_t n_threads = 0;
    cot_code rc = cot_call_int(call, "seed", 0, INT64_MAX, &seed, err);
    if (rc == COT_OK)
        rc = cot_call_int(call, "threads", 1, 256, &n_threads, err);
    if (rc != COT_OK)
        return rc;
    const char *data_dir = cot_call_value(call, "data");
    call->context.data_dir = data_dir != NULL ? data_dir : "./coterie-data";
    call->context.seed = (uint64_t)seed;
    call->context.n_threads = (unsigned)n_threads;
    call->json = cot_call_flag(call, "json");
    call->quiet = cot_call_flag(call, "quiet");
    return COT_OK;
}

cot_code cot_call_parse(const struct cot_command *command, int argc, char **argv, struct cot_call *ret_call,
                        struct cot_err *err)
{
    cot_code rc = COT_OK;
    bool options_end = false;
    memset(ret_call, 0, sizeof *ret_call);
    ret_call->command = command;
    ret_call->arguments = calloc((size_t)argc + 1, sizeof *ret_call->arguments);
    if (ret_call->arguments == NULL)
        return cot_fail(err, COT_NOMEM, "command line");
    for (int i = 0; i < argc && rc == COT_OK; i++) {
        if (!options_end && strcmp(argv[i], "--") == 0)
            options_end = true;
        else if (!options_end && strncmp(argv[i], "--", 2) == 0)
            rc = take_option(ret_call, argc, argv, &i, err);
        else
            ret_call->arguments[ret_call->n_arguments++] = argv[i];
    }
    if (rc == COT_OK)
        rc = take_common(ret_call, err);
    if (rc != COT_OK || cot_call_flag(ret_call, "help"))
        return rc;
    if (ret_call->n_arguments < command->n_min)
        return cot_fail(err, COT_USAGE, "'%s' needs %s: 'coterie %s --help' explains", command->name,
                        command->arguments, command->name);
    if (ret_call->n_arguments > command->n_max)
        return cot_fail(err, COT_USAGE, "'%s' does not take '%s': 'coterie %s --help' explains", command->name,
                        ret_call->arguments[command->n_max], command->name);
    return COT_OK;
}

void cot_call_release(struct cot_call *call)
{
    free(call->arguments);
    call->arguments = NULL;
}

const char *cot_call_nth(const struct cot_call *call, const char *name, size_t i)
{
    assert(option_find_any(call->command, name, strlen(name)) != NULL);
    for (size_t j = 0; j < call->n_values; j++)
        if (strcmp(call->values[j].option->name, name) == 0 && i-- == 0)
            return call->values[j].value;
    return NULL;
}

const char *cot_call_value(const struct cot_call *call, const char *name)
{
    const char *last = NULL;
    const char *value = NULL;
    for (size_t i = 0; (value = cot_call_nth(call, name, i)) != NULL; i++)
        last = value;
    return last;
}

bool cot_call_flag(const struct cot_call *call, const char *name)
{
    return cot_call_value(call, name) != NULL;
}

cot_code cot_call_int(const struct cot_call *call, const char *name, int64_t min, int64_t max, int64_t *ret_value,
                      struct cot_err *err)
{
    const char *text = cot_call_value(call, name);
    int64_t value = 0;
    if (text == NULL)
        return COT_OK;
    if (!cot_parse_int(text, strlen(text), &value) || value < min || value > max)
        return cot_fail(err, COT_USAGE, "--%s %s: give a whole number from %lld to %lld", name, text, (long long)min,
                        (long long)max);
    *ret_value = value;
    return COT_OK;
}

cot_code cot_call_double(const struct cot_call *call, const char *name, double min, double max, double *ret_value,
                         struct cot_err *err)
{
    const char *text = cot_call_value(call, name);
    double value = 0;
    if (text == NULL)
        return COT_OK;
    if (!cot_parse_double(text, strlen(text), &value) || !(value >= min) || !(value <= max))
        return cot_fail(err, COT_USAGE, "--%s %s: give a number from %g to %g", name, text, min, max);
    *ret_value = value;
    return COT_OK;
}

cot_code cot_call_share(const struct cot_call *call, const char *name, double min, double max, double *ret_share,
                        struct cot_err *err)
{
    const char *text = cot_call_value(call, name);
    size_t size = text != NULL ? strlen(text) : 0;
    bool per_cent = size > 0 && text[size - 1] == '%';
    double value = 0;
    if (text == NULL)
        return COT_OK;
    bool parsed = cot_parse_double(text, size - per_cent, &value);
    value = per_cent ? value / 100 : value;
    if (!parsed || !(value >= min) || !(value <= max))
        return cot_fail(err, COT_USAGE, "--%s %s: give a share like 10%% or 0.1, from %g%% to %g%%", name, text,
                        100 * min, 100 * max);
    *ret_share = value;
    return COT_OK;
}

cot_code cot_call_check_file(const struct cot_call *call, const char *name, struct cot_err *err)
{
    const char *path = cot_call_value(call, name);
    const char *slash = path != NULL ? strrchr(path, '/') : NULL;
    struct stat status;
    if (path == NULL)
        return COT_OK;
    if (path[0] == '\0' || (stat(path, &status) == 0 && S_ISDIR(status.st_mode)))
        return cot_fail(err, COT_IO, "--%s '%s' is no file: give a file's name, not a folder's", name, path);
    char *folder = slash == NULL ? strdup(".") : slash == path ? strdup("/") : strndup(path, (size_t)(slash - path));
    if (folder == NULL)
        return cot_fail(err, COT_NOMEM, "'%s'", path);
    cot_code rc = COT_OK;
    if (access(folder, W_OK) != 0)
        rc = cot_fail(err, COT_IO, "--%s '%s' can't be written: folder '%s': %s", name, path, folder, strerror(errno));
    free(folder);
    return rc;
}
