/*
 * Tables for people: columns of UTF-8 text, aligned by what a terminal shows.
 */
#ifndef COT_CLI_TABLE_H
#define COT_CLI_TABLE_H

#include <stdio.h>
#include <yyjson.h>

enum cot_format {
    COT_FORMAT_TEXT,    /* as it is, left-aligned */
    COT_FORMAT_COUNT,   /* 12,345 */
    COT_FORMAT_NUMBER,  /* 3 significant decimals */
    COT_FORMAT_PERCENT, /* share 0..1 as 12.3% */
    COT_FORMAT_MONEY    /* 12,345.67, from a number in major units */
};

struct cot_column {
    const char *key; /* in each row's object */
    const char *title;
    enum cot_format format;
    size_t max_width; /* cells beyond are cut with "…"; 0: no limit */
};

/* Prints an array of objects; columns end with a row whose key is NULL. Missing and null values print as "-". */
void cot_table_print(FILE *stream, yyjson_mut_val *rows, const struct cot_column *columns);

/* Text of one value in a format; ret_text of at least 64 bytes for numbers, else cut. */
void cot_format_value(yyjson_mut_val *value, enum cot_format format, char *ret_text, size_t size);

/* Cells that a terminal gives to UTF-8 text (combining marks 0, wide characters 2). */
size_t cot_text_width(const char *text);

#endif
