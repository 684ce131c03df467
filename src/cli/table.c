#include "cli/table.h"

#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unicode/uchar.h>
#include <unicode/utf8.h>

enum { CELL_SIZE = 512, MAX_COLUMNS = 64 };

static size_t char_width(UChar32 c)
{
    int8_t category = u_charType(c);
    if (category == U_NON_SPACING_MARK || category == U_ENCLOSING_MARK || category == U_FORMAT_CHAR)
        return 0;
    int32_t width = u_getIntPropertyValue(c, UCHAR_EAST_ASIAN_WIDTH);
    return width == U_EA_WIDE || width == U_EA_FULLWIDTH ? 2 : 1;
}

size_t cot_text_width(const char *text)
{
    size_t width = 0;
    int32_t size = (int32_t)strlen(text);
    for (int32_t i = 0; i < size;) {
        UChar32 c;
        U8_NEXT((const uint8_t *)text, i, size, c);
        width += c < 0 ? 1 : char_width(c);
    }
    return width;
}

/* Cuts text to max_width cells, the last one an ellipsis. */
static void cut_text(char *text, size_t text_size, size_t max_width)
{
    size_t width = 0;
    int32_t size = (int32_t)strlen(text);
    if (cot_text_width(text) <= max_width)
        return;
    for (int32_t i = 0; i < size;) {
        int32_t before = i;
        UChar32 c;
        U8_NEXT((const uint8_t *)text, i, size, c);
        width += c < 0 ? 1 : char_width(c);
        if (width > max_width - 1) {
            snprintf(text + before, text_size - (size_t)before, "…");
            return;
        }
    }
}

/* Digits with thousands separators. */
static void format_grouped(double value, int decimals, char *ret_text, size_t size)
{
    char plain[400];
    snprintf(plain, sizeof plain, "%.*f", decimals, fabs(value));
    size_t n_digits = strcspn(plain, ".");
    size_t used = 0;
    if (value < 0 && strspn(plain, "0.") != strlen(plain) && used + 1 < size)
        ret_text[used++] = '-';
    for (size_t i = 0; plain[i] != '\0' && used + 2 < size; i++) {
        if (i > 0 && i < n_digits && (n_digits - i) % 3 == 0)
            ret_text[used++] = ',';
        ret_text[used++] = plain[i];
    }
    ret_text[used] = '\0';
}

/* Control characters in a shop's data must not reach the terminal: lines would break, or worse be obeyed. */
static void blank_controls(char *text)
{
    for (char *at = text; *at != '\0'; at++) {
        unsigned char c = (unsigned char)*at;
        if (c < 0x20 || c == 0x7f)
            *at = ' ';
        else if (c == 0xc2 && (unsigned char)at[1] >= 0x80 && (unsigned char)at[1] < 0xa0)
            at[0] = at[1] = ' ';
    }
}

/* From here on four digits would leave the units to an exponent. */
#define LARGE 999.95

void cot_format_value(yyjson_mut_val *value, enum cot_format format, char *ret_text, size_t size)
{
    double number = yyjson_mut_get_num(value);
    if (value == NULL || yyjson_mut_is_null(value))
        snprintf(ret_text, size, "-");
    else if (yyjson_mut_is_str(value)) {
        snprintf(ret_text, size, "%s", yyjson_mut_get_str(value));
        blank_controls(ret_text);
    } else if (yyjson_mut_is_bool(value))
        snprintf(ret_text, size, "%s", yyjson_mut_get_bool(value) ? "yes" : "no");
    else if (format == COT_FORMAT_COUNT)
        format_grouped(number, 0, ret_text, size);
    else if (format == COT_FORMAT_PERCENT)
        snprintf(ret_text, size, "%.1f%%", number * 100);
    else if (format == COT_FORMAT_MONEY)
        format_grouped(number, 2, ret_text, size);
    else if (yyjson_mut_is_int(value))
        snprintf(ret_text, size, "%lld", (long long)yyjson_mut_get_sint(value));
    else if (fabs(number) >= LARGE)
        format_grouped(number, 0, ret_text, size);
    else
        snprintf(ret_text, size, "%.4g", number);
}

static void print_cell(FILE *stream, const char *text, size_t width, bool right, bool last)
{
    size_t pad = width - cot_text_width(text);
    for (size_t i = 0; right && i < pad; i++)
        fputc(' ', stream);
    fputs(text, stream);
    for (size_t i = 0; !right && !last && i < pad; i++)
        fputc(' ', stream);
    fputs(last ? "\n" : "  ", stream);
}

void cot_table_print(FILE *stream, yyjson_mut_val *rows, const struct cot_column *columns)
{
    size_t n_columns = 0;
    size_t widths[MAX_COLUMNS];
    char cell[CELL_SIZE];
    yyjson_mut_val *row;
    size_t i_row;
    size_t n_rows;
    for (; columns[n_columns].key != NULL && n_columns < MAX_COLUMNS; n_columns++)
        widths[n_columns] = cot_text_width(columns[n_columns].title);
    for (int pass = 0; pass < 2; pass++) { /* measure, then print */
        for (size_t i = 0; pass == 1 && i < n_columns; i++)
            print_cell(stream, columns[i].title, widths[i], columns[i].format != COT_FORMAT_TEXT, i + 1 == n_columns);
        for (size_t i = 0; pass == 1 && i < n_columns; i++) {
            for (size_t j = 0; j < widths[i]; j++)
                fputs("─", stream);
            fputs(i + 1 == n_columns ? "\n" : "  ", stream);
        }
        yyjson_mut_arr_foreach(rows, i_row, n_rows, row)
        {
            for (size_t i = 0; i < n_columns; i++) {
                cot_format_value(yyjson_mut_obj_get(row, columns[i].key), columns[i].format, cell, sizeof cell);
                if (columns[i].max_width > 0)
                    cut_text(cell, sizeof cell, columns[i].max_width);
                if (pass == 0 && cot_text_width(cell) > widths[i])
                    widths[i] = cot_text_width(cell);
                if (pass == 1)
                    print_cell(stream, cell, widths[i], columns[i].format != COT_FORMAT_TEXT, i + 1 == n_columns);
            }
        }
    }
}
