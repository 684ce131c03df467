/* Tables of what rules of identity are and change (engine/identity.h). */
#ifndef COT_CLI_IDENTITY_PRINT_H
#define COT_CLI_IDENTITY_PRINT_H

#include <stdio.h>
#include <yyjson.h>

void cot_identity_print_rules(FILE *stream, yyjson_mut_doc *doc);
void cot_identity_print_change(FILE *stream, yyjson_mut_doc *doc);

#endif
