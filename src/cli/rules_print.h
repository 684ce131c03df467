/* Rule segments for people. */
#ifndef COT_CLI_RULES_PRINT_H
#define COT_CLI_RULES_PRINT_H

#include <stdio.h>
#include <yyjson.h>

/* "failures" of engine/rule_test.h, each with what its conditions found; path: of the file. */
void cot_rules_print_failures(FILE *stream, const char *path, yyjson_mut_val *failures);

#endif
