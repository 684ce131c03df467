#include <stdlib.h>

#include "cli/command.h"

cot_code cot_print_json(const yyjson_mut_doc *doc, struct cot_err *err)
{
    yyjson_write_err write_err;
    size_t size = 0;
    char *text = yyjson_mut_write_opts(doc, YYJSON_WRITE_PRETTY_TWO_SPACES | YYJSON_WRITE_NEWLINE_AT_END, NULL, &size,
                                       &write_err);
    if (text == NULL)
        return cot_fail(err, COT_INTERNAL, "writing JSON: %s", write_err.msg);
    cot_code rc = fwrite(text, 1, size, stdout) == size ? COT_OK : cot_fail(err, COT_IO, "standard output");
    free(text);
    return rc;
}
