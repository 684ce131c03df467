/* Rule segments for people. */
#ifndef COT_CLI_RULES_PRINT_H
#define COT_CLI_RULES_PRINT_H

#include <stdio.h>
#include <yyjson.h>

/* A text of an object; "" where there is none. */
const char *cot_rules_text(yyjson_mut_val *object, const char *key);

/* "failures" of engine/rule_test.h, each with what its conditions found; path: of the file. */
void cot_rules_print_failures(FILE *stream, const char *path, yyjson_mut_val *failures);

/* "enter" and "leave" with their samples, as previews have them; what is not there is left out. */
void cot_rules_print_movement(FILE *stream, yyjson_mut_val *object);

#endif
