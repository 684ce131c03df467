#include "cli/rules_print.h"

#include "cli/table.h"

const char *cot_rules_text(yyjson_mut_val *object, const char *key)
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
            cot_rules_text(condition, "condition"));
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
                (long long)yyjson_mut_get_sint(yyjson_mut_obj_get(failure, "line")), cot_rules_text(failure, "test"),
                cot_rules_text(failure, "at"), cot_rules_text(failure, "expected"), cot_rules_text(failure, "found"));
        yyjson_mut_arr_foreach(yyjson_mut_obj_get(failure, "conditions"), j, m, condition)
        {
            print_condition(stream, condition);
        }
    }
}

static void print_sample(FILE *stream, yyjson_mut_val *sample)
{
    size_t i;
    size_t n;
    yyjson_mut_val *customer;
    yyjson_mut_arr_foreach(sample, i, n, customer)
    {
        fprintf(stream, "%s%s", i == 0 ? ": " : ", ", yyjson_mut_get_str(customer));
    }
}

void cot_rules_print_movement(FILE *stream, yyjson_mut_val *object)
{
    static const char *const moves[][2] = {{"enter", "enter_sample"}, {"leave", "leave_sample"}};
    for (size_t i = 0; i < 2; i++) {
        char count[64];
        yyjson_mut_val *value = yyjson_mut_obj_get(object, moves[i][0]);
        yyjson_mut_val *sample = yyjson_mut_obj_get(object, moves[i][1]);
        if (value == NULL)
            continue;
        cot_format_value(value, COT_FORMAT_COUNT, count, sizeof count);
        fprintf(stream, "  %s would %s", count, moves[i][0]);
        print_sample(stream, sample);
        fprintf(stream, "%s\n",
                yyjson_mut_get_uint(value) > yyjson_mut_arr_size(sample) && sample != NULL ? ", ..." : "");
    }
}
