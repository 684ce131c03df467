/*
 * Strict, locale-independent numbers from text: the whole of it or nothing.
 */
#ifndef COT_BASE_NUMBER_H
#define COT_BASE_NUMBER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Optional sign and digits. False on anything else and on overflow. */
bool cot_parse_int(const char *text, size_t size, int64_t *ret_value);

/* Decimal point '.', optional exponent, finite. False on anything else: "", "1,5", "nan", "inf", "0x10", "1e999". */
bool cot_parse_double(const char *text, size_t size, double *ret_value);

#endif
