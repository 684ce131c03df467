#include "http/exchange.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <zlib.h>

#include "base/json.h"
#include "base/number.h"
#include "http/server_parts.h"

const char *cot_exchange_query(const struct cot_exchange *exchange, const char *name)
{
    return MHD_lookup_connection_value(exchange->connection, MHD_GET_ARGUMENT_KIND, name);
}

const char *cot_exchange_header(const struct cot_exchange *exchange, const char *name)
{
    return MHD_lookup_connection_value(exchange->connection, MHD_HEADER_KIND, name);
}

cot_code cot_exchange_query_int(const struct cot_exchange *exchange, const char *name, int64_t min, int64_t max,
                                int64_t *ret_value, struct cot_err *err)
{
    const char *text = cot_exchange_query(exchange, name);
    int64_t value = 0;
    if (text == NULL)
        return COT_OK;
    if (!cot_parse_int(text, strlen(text), &value) || value < min || value > max)
        return cot_fail(err, COT_USAGE, "%s=%.40s: give a whole number from %lld to %lld", name, text, (long long)min,
                        (long long)max);
    *ret_value = value;
    return COT_OK;
}

static cot_code inflate_body(const struct cot_buf *body, struct cot_buf *ret_plain, struct cot_err *err)
{
    enum { BLOCK = 65536, GZIP_OR_ZLIB = 15 + 32 };
    z_stream stream = {0};
    unsigned char *block = malloc(BLOCK);
    cot_code rc = COT_OK;
    int status = Z_OK;
    if (block == NULL || inflateInit2(&stream, GZIP_OR_ZLIB) != Z_OK) {
        free(block);
        return cot_fail(err, COT_NOMEM, "a compressed body");
    }
    stream.next_in = (unsigned char *)body->data;
    stream.avail_in = (unsigned)body->size;
    while (rc == COT_OK && status == Z_OK) {
        stream.next_out = block;
        stream.avail_out = BLOCK;
        status = inflate(&stream, Z_NO_FLUSH);
        if (status == Z_OK || status == Z_STREAM_END)
            rc = cot_buf_append(ret_plain, block, BLOCK - stream.avail_out, err);
        if (status == Z_OK && stream.avail_in == 0 && stream.avail_out > 0)
            status = Z_BUF_ERROR;
    }
    if (rc == COT_OK && status != Z_STREAM_END)
        rc = cot_fail(err, COT_BAD_DATA, "the compressed body is damaged or cut off");
    inflateEnd(&stream);
    free(block);
    return rc;
}

cot_code cot_exchange_inflate(struct cot_exchange *exchange, size_t max_size, struct cot_err *err)
{
    const char *encoding = cot_exchange_header(exchange, "Content-Encoding");
    struct cot_buf plain = {.max_size = max_size};
    if (encoding == NULL || strcasecmp(encoding, "identity") == 0) {
        return exchange->body.size <= max_size
                   ? COT_OK
                   : cot_fail(err, COT_LIMIT, "a body of %zu bytes: %zu are the limit", exchange->body.size, max_size);
    }
    if (strcasecmp(encoding, "gzip") != 0 && strcasecmp(encoding, "deflate") != 0)
        return cot_fail(err, COT_USAGE, "Content-Encoding '%.40s' isn't read: send gzip, deflate or plain", encoding);
    cot_code rc = inflate_body(&exchange->body, &plain, err);
    if (rc == COT_LIMIT)
        rc = cot_fail(err, rc, "a body of more than %zu bytes: that is the limit", max_size);
    if (rc != COT_OK) {
        cot_buf_release(&plain);
        return rc;
    }
    cot_buf_release(&exchange->body);
    exchange->body = plain;
    return COT_OK;
}

cot_code cot_exchange_json(const struct cot_exchange *exchange, yyjson_doc **ret_doc, struct cot_err *err)
{
    yyjson_read_err why = {0};
    char *text = exchange->body.data;
    if (exchange->body.size == 0)
        return cot_fail(err, COT_USAGE, "the body is empty: send a JSON document");
    yyjson_doc *doc = yyjson_read_opts(text, exchange->body.size, 0, NULL, &why);
    if (doc == NULL)
        return cot_fail(err, COT_USAGE, "the body is no JSON: %s at byte %zu", why.msg, why.pos);
    *ret_doc = doc;
    return COT_OK;
}

cot_code cot_exchange_answer(struct cot_exchange *exchange, int status, const yyjson_mut_doc *doc, struct cot_err *err)
{
    size_t size = 0;
    char *text = yyjson_mut_write(doc, YYJSON_WRITE_ALLOW_INVALID_UNICODE, &size);
    if (text == NULL)
        return cot_fail(err, COT_NOMEM, "an answer");
    cot_buf_take(&exchange->answer, text, size);
    exchange->status = status;
    return COT_OK;
}

cot_code cot_exchange_answer_text(struct cot_exchange *exchange, int status, const char *text, struct cot_err *err)
{
    cot_buf_clear(&exchange->answer);
    cot_code rc = cot_buf_puts(&exchange->answer, text, err);
    if (rc == COT_OK)
        exchange->status = status;
    return rc;
}

void cot_exchange_answer_error(struct cot_exchange *exchange, int status, const char *code, const char *message)
{
    static const char no_memory[] = "{\"error\":{\"code\":\"COT_NOMEM\",\"message\":\"out of memory\"}}";
    yyjson_mut_doc *doc = NULL;
    yyjson_mut_val *root = NULL;
    char words[COT_ERR_MESSAGE_SIZE];
    cot_route_words(exchange->route, message, words, sizeof words);
    cot_code rc = cot_json_document(&doc, &root, NULL);
    if (rc == COT_OK) {
        yyjson_mut_val *error = yyjson_mut_obj_add_obj(doc, root, "error");
        yyjson_mut_obj_add_str(doc, error, "code", code);
        yyjson_mut_obj_add_str(doc, error, "message", words);
        rc = cot_exchange_answer(exchange, status, doc, NULL);
    }
    if (rc != COT_OK)
        rc = cot_exchange_answer_text(exchange, 507, no_memory, NULL);
    exchange->content_type = NULL;
    exchange->status = rc == COT_OK ? exchange->status : 507;
    yyjson_mut_doc_free(doc);
}

void cot_exchange_suspend(struct cot_exchange *exchange)
{
    exchange->waits = true;
    atomic_fetch_add(&exchange->server->n_waiting, 1);
    MHD_suspend_connection(exchange->connection);
}

void cot_exchange_resume(struct cot_exchange *exchange)
{
    struct cot_server *server = exchange->server;
    MHD_resume_connection(exchange->connection);
    atomic_fetch_sub(&server->n_waiting, 1);
}
