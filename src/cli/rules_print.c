#include "cli/rules_print.h"

#include "cli/table.h"

static const char *text_of(yyjson_mut_val *object, const char *key)
{
    const char *text = yyjson_mut_get_str(yyjson_mut_obj_get(object, key));
    return text != NULL ? text : "";
}

static void print_condition(FILE *stream, yyjson_mut_val *condition)
{
    char value[64];
    yyjson_mut_val *found = yyjson_mut_obj_get(condition, "value");
    cot_format_value(found, yyjson_mut_is_str(found) ? COT_FORMAT_TEXT : COT_FORMAT_NUMBER, value, sizeof value);
    fprintf(stream, "    %s  %s", yyjson_mut_get_bool(yyjson_mut_obj_get(condition, "holds")) ? "true " : "false",
            text_of(condition, "condition"));
    if (yyjson_mut_is_null(found))
        fputs("  (nothing found)\n", stream);
    else
        fprintf(stream, "  (%s)\n", value);
}

void cot_rules_print_failures(FILE *stream, const char *path, yyjson_mut_val *failures)
{
    size_t i, n, j, m;
    yyjson_mut_val *failure, *condition;
    yyjson_mut_arr_foreach(failures, i, n, failure)
    {
        fprintf(stream, "%s:%lld: test \"%s\" at %s: expected %s, found %s\n", path,
                (long long)yyjson_mut_get_sint(yyjson_mut_obj_get(failure, "line")), text_of(failure, "test"),
                text_of(failure, "at"), text_of(failure, "expected"), text_of(failure, "found"));
        yyjson_mut_arr_foreach(yyjson_mut_obj_get(failure, "conditions"), j, m, condition)
        {
            print_condition(stream, condition);
        }
    }
}
