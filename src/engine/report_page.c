#include "engine/report_page.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Embedded by web/CMakeLists.txt. */
#define ASSETS(X)                                                                                                      \
    X("css", cot_asset_report_css)                                                                                     \
    X("echarts", cot_asset_echarts_js)                                                                                 \
    X("page", cot_asset_report_page_js)                                                                                \
    X("segments", cot_asset_report_segments_js)                                                                        \
    X("shop", cot_asset_report_shop_js)

#define X(name, symbol) extern const char symbol[], symbol##_end[];
ASSETS(X)
X("", cot_asset_report_html)
#undef X

static cot_code append_data(const yyjson_mut_doc *doc, struct cot_buf *page, struct cot_err *err)
{
    static const char *const separators[][2] = {{"\xe2\x80\xa8", "\\u2028"}, {"\xe2\x80\xa9", "\\u2029"}};
    yyjson_write_err write_err;
    size_t size = 0;
    size_t done = 0;
    cot_code rc = COT_OK;
    char *json = yyjson_mut_write_opts(doc, YYJSON_WRITE_NOFLAG, NULL, &size, &write_err);
    if (json == NULL)
        return cot_fail(err, COT_INTERNAL, "writing the report's data: %s", write_err.msg);
    for (size_t i = 0; rc == COT_OK && i < size; i++) {
        const char *escape = NULL;
        size_t width = 1;
        if (json[i] == '<')
            escape = "\\u003c";
        for (size_t j = 0; j < 2 && escape == NULL && size - i >= 3; j++)
            if (memcmp(json + i, separators[j][0], 3) == 0) {
                escape = separators[j][1];
                width = 3;
            }
        if (escape == NULL)
            continue;
        rc = cot_buf_append(page, json + done, i - done, err);
        if (rc == COT_OK)
            rc = cot_buf_puts(page, escape, err);
        done = i + width;
        i += width - 1;
    }
    if (rc == COT_OK)
        rc = cot_buf_append(page, json + done, size - done, err);
    free(json);
    return rc;
}

static cot_code append_part(const char *name, size_t name_size, const yyjson_mut_doc *doc, struct cot_buf *page,
                            struct cot_err *err)
{
    if (name_size == 4 && memcmp(name, "data", 4) == 0)
        return append_data(doc, page, err);
#define X(part, symbol)                                                                                                \
    if (name_size == strlen(part) && memcmp(name, part, name_size) == 0)                                               \
        return cot_buf_append(page, symbol, (size_t)(symbol##_end - symbol), err);
    ASSETS(X)
#undef X
    return cot_fail(err, COT_INTERNAL, "the report's page asks for part '%.*s'", (int)name_size, name);
}

/* The template's {{name}}s are replaced in one pass, so that no part can name another. */
cot_code cot_report_page_make(const yyjson_mut_doc *doc, struct cot_buf *page, struct cot_err *err)
{
    const char *at = cot_asset_report_html;
    const char *end = cot_asset_report_html_end;
    cot_code rc = COT_OK;
    while (rc == COT_OK && at < end) {
        const char *open = memmem(at, (size_t)(end - at), "{{", 2);
        const char *close = open != NULL ? memmem(open, (size_t)(end - open), "}}", 2) : NULL;
        const char *stop = close != NULL ? open : end;
        rc = cot_buf_append(page, at, (size_t)(stop - at), err);
        if (rc == COT_OK && close != NULL)
            rc = append_part(open + 2, (size_t)(close - open - 2), doc, page, err);
        at = close != NULL ? close + 2 : end;
    }
    return rc;
}

static cot_code write_file(FILE *file, const struct cot_buf *page, const char *path, struct cot_err *err)
{
    bool written =
        fwrite(page->data, 1, page->size, file) == page->size && fflush(file) == 0 && fsync(fileno(file)) == 0;
    int error = errno;
    if (fclose(file) != 0 && written) {
        written = false;
        error = errno;
    }
    return written ? COT_OK : cot_fail(err, COT_IO, "writing '%s': %s", path, strerror(error));
}

cot_code cot_report_page_write(const struct cot_buf *page, const char *path, struct cot_err *err)
{
    char *part = NULL;
    cot_code rc = COT_OK;
    if (asprintf(&part, "%s.part", path) < 0)
        return cot_fail(err, COT_NOMEM, "path of the report");
    FILE *file = fopen(part, "wb");
    if (file == NULL) {
        rc = cot_fail(err, COT_IO, "making '%s': %s", part, strerror(errno));
        goto out;
    }
    rc = write_file(file, page, part, err);
    if (rc == COT_OK && rename(part, path) != 0)
        rc = cot_fail(err, COT_IO, "renaming '%s' to '%s': %s", part, path, strerror(errno));
    if (rc != COT_OK)
        unlink(part);
out:
    free(part);
    return rc;
}
