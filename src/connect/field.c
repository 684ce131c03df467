/* The fields that columns are mapped to (see connector.h). */
#include <string.h>

#include "connect/connector.h"

struct field_row {
    const char *name;
    enum cot_field_type type;
    const char *help;
};

static const struct field_row rows[] = {
#define TEXT COT_FIELD_TYPE_TEXT
#define NUMBER COT_FIELD_TYPE_NUMBER
#define TIME COT_FIELD_TYPE_TIME
#define X(field, field_name, field_type, field_help)                                                                   \
    [field] = {.name = field_name, .type = field_type, .help = field_help},
    COT_FIELDS(X)
#undef X
};

const char *cot_field_name(enum cot_field field)
{
    return rows[field].name;
}

const char *cot_field_help(enum cot_field field)
{
    return rows[field].help;
}

enum cot_field_type cot_field_type(enum cot_field field)
{
    return rows[field].type;
}

bool cot_field_from_name(const char *name, enum cot_field *ret_field)
{
    for (int i = 0; i < COT_N_FIELDS; i++) {
        if (strcmp(rows[i].name, name) == 0) {
            *ret_field = (enum cot_field)i;
            return true;
        }
    }
    return false;
}

const char *cot_file_kind_name(enum cot_file_kind kind)
{
    static const char *const names[] = {
#define X(kind_value, name) [kind_value] = name,
        COT_FILE_KINDS(X)
#undef X
    };
    return names[kind];
}
