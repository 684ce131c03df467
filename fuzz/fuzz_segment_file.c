/* Segment files: any text parses or says where it is wrong; what parses is tested twice and answers the same. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <yyjson.h>

#include "engine/rule_test.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static char *answer(const struct cot_segment_file *file)
{
    struct cot_err err = {0};
    size_t n_failed = 0;
    yyjson_mut_doc *doc = yyjson_mut_doc_new(NULL);
    yyjson_mut_val *root = yyjson_mut_obj(doc);
    yyjson_mut_doc_set_root(doc, root);
    if (cot_rule_tests_run(file, doc, root, &n_failed, &err) != COT_OK)
        abort();
    if (yyjson_mut_arr_size(yyjson_mut_obj_get(root, "failures")) != n_failed)
        abort();
    char *text = yyjson_mut_write(doc, YYJSON_WRITE_NOFLAG, NULL);
    yyjson_mut_doc_free(doc);
    if (text == NULL)
        abort();
    return text;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct cot_err err = {0};
    struct cot_rule_place place = {0};
    struct cot_segment_file *file = NULL;
    cot_code rc = cot_segment_file_parse((const char *)data, size, &file, &place, &err);
    if (rc != COT_OK) {
        if (rc == COT_BAD_DATA && (place.line == 0 || place.column == 0 || place.offset > size))
            abort();
        return 0;
    }
    char *first = answer(file);
    char *second = answer(file);
    if (strcmp(first, second) != 0)
        abort();
    free(first);
    free(second);
    cot_segment_file_free(file);
    return 0;
}
