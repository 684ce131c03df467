/* Reading files: every record delivered or rejected once, with its line, whatever the file looks like. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>
#include <zlib.h>
#include <zstd.h>

#include "store/reader.h"
#include "store/store.h"

/* Writes a piece of a file of at most PIECE_SIZE bytes, whose buffer is large enough; returns its length. */
static size_t __attribute__((format(printf, 2, 3))) put(char *at, const char *format, ...)
{
    enum { PIECE_SIZE = 256 };
    va_list args;
    va_start(args, format);
    int size = vsnprintf(at, PIECE_SIZE, format, args);
    va_end(args);
    assert_in_range(size, 0, PIECE_SIZE - 1);
    return (size_t)size;
}

static char folder[] = "/tmp/coterie-reader-XXXXXX";

static const char *write_file(const char *name, const void *data, size_t size)
{
    static char path[256];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    FILE *file = fopen(path, "wb");
    assert_non_null(file);
    assert_int_equal(fwrite(data, 1, size, file), size);
    assert_int_equal(fclose(file), 0);
    return path;
}

static const char *write_text(const char *text)
{
    return write_file("file", text, strlen(text));
}

/* A whole file as text: "line:cell|cell" rows and "line!code" rejects, each ended by ";". */
struct whole {
    char text[8192];
    size_t size;
    uint64_t n_rows, n_rejects;
    cot_code rc;
    struct cot_err err;
};

static void add(struct whole *whole, const char *text, size_t size)
{
    if (whole->size + size < sizeof whole->text) {
        memcpy(whole->text + whole->size, text, size);
        whole->size += size;
        whole->text[whole->size] = '\0';
    }
}

static void add_batch(struct whole *whole, const struct cot_batch *batch)
{
    char number[32];
    size_t i_reject = 0;
    for (size_t i = 0; i <= batch->n_rows; i++) {
        uint64_t line = i < batch->n_rows ? batch->lines[i] : UINT64_MAX;
        for (; i_reject < batch->n_rejects && batch->rejects[i_reject].line <= line; i_reject++) {
            const struct cot_reject *reject = &batch->rejects[i_reject];
            assert_non_null(reject->reason);
            add(whole, number, (size_t)snprintf(number, sizeof number, "%llu!", (unsigned long long)reject->line));
            add(whole, reject->code, strlen(reject->code));
            add(whole, ";", 1);
        }
        if (i == batch->n_rows)
            break;
        add(whole, number, (size_t)snprintf(number, sizeof number, "%llu:", (unsigned long long)line));
        for (size_t j = 0; j < batch->n_columns; j++) {
            const struct cot_cell *cell = cot_batch_cell(batch, i, j);
            add(whole, "|", j > 0);
            add(whole, cell->is_null ? "~" : cell->data, cell->is_null ? 1 : cell->size);
        }
        add(whole, ";", 1);
    }
    whole->n_rows += batch->n_rows;
    whole->n_rejects += batch->n_rejects;
}

static struct cot_reader *open_file(const char *path, const struct cot_reader_options *options, struct whole *whole)
{
    struct cot_reader *reader = NULL;
    memset(whole, 0, sizeof *whole);
    whole->rc = cot_reader_open(path, options, &reader, &whole->err);
    return whole->rc == COT_OK ? reader : NULL;
}

static void read_rest(struct cot_reader *reader, struct whole *whole)
{
    struct cot_batch batch = {0};
    bool more = true;
    while (whole->rc == COT_OK && more) {
        whole->rc = cot_reader_next(reader, &batch, &more, &whole->err);
        if (whole->rc == COT_OK)
            add_batch(whole, &batch);
    }
    assert_int_equal(whole->n_rows, cot_reader_n_delivered(reader));
    assert_int_equal(whole->n_rejects, cot_reader_n_rejected(reader));
    cot_batch_release(&batch);
}

static struct whole *read_whole(const char *path, const struct cot_reader_options *options)
{
    static struct whole whole;
    struct cot_reader *reader = open_file(path, options, &whole);
    if (reader != NULL)
        read_rest(reader, &whole);
    cot_reader_close(reader);
    return &whole;
}

static void check(const char *content, const char *expected)
{
    struct whole *whole = read_whole(write_text(content), NULL);
    assert_string_equal(whole->rc == COT_OK ? whole->text : whole->err.message, expected);
}

static void test_plain_csv(void **state)
{
    (void)state;
    check("id,name\n1,Ann\n2,\n", "2:1|Ann;3:2|~;");
    check("id,name\r\n1,Ann\r\n2,\"\"\r\n", "2:1|Ann;3:2|;");
    check("id,name\n1,Ann\n2,Bob", "2:1|Ann;3:2|Bob;"); /* no line end at the end */
    check("id,name\n", "");
    check("id,name", "");
    check("\xef\xbb\xbfid,name\n1,Ann\n", "2:1|Ann;");
    check("id,name\r1,Ann\r2,Bob\r", "2:1|Ann;3:2|Bob;");
}

static void test_quotes_and_lines(void **state)
{
    (void)state;
    check("id,name\n1,\"a\nb\r\nc\"\n\n   \n2,\"say \"\"hi\"\"\"\n", "2:1|a\nb\r\nc;7:2|say \"hi\";");
    check("id,name\n1, \"a, b\"\n2,5\" nail\n", "2:1|a, b;3:2|5\" nail;");
    check("id,name\n1,\"say \\\"hi\\\", he\"\n2,x\n3,\"a \\\"b\\\"\"\n", "2:1|say \"hi\", he;3:2|x;4:3|a \"b\";");
}

static void test_bad_rows_cost_one_line(void **state)
{
    (void)state;
    check("a,b,c\n1,\"x\ny\nz\",3\n\n4,5\n6,7,8\n9,\"open,3\n12,1,2\n",
          "2:1|x\ny\nz|3;6!columns;7:6|7|8;8!quotes;9:12|1|2;");
    check("a,b\n1,\"x\"y\n2,3\n", "2!quotes;3:2|3;");
    check("a,b\n1,2,3\n1,2,\n,,\n", "2!columns;3:1|2;4:~|~;"); /* empty cells at the end are no content */
    struct whole *whole = read_whole(write_file("nul", "a,b\n1,x\0y\n2,3\n", 14), NULL);
    assert_string_equal(whole->text, "2!nul;3:2|3;");
    check("a,b\n1,\xc3\xa9t\xc3\xa9\n2,\xff\n3,x\n", "2:1|\xc3\xa9t\xc3\xa9;3!encoding;4:3|x;");
}

static void test_dialects(void **state)
{
    (void)state;
    check("id;price;city\n1;2,50;A, B\n2;3,10;C\n", "2:1|2,50|A, B;3:2|3,10|C;");
    check("id\tname\n1\tA B\n2\t\n", "2:1|A B;3:2|~;");
    check("id|name\n1|A\n", "2:1|A;");
    check(" customer_id  date cds  usd\n 00001 19970101  1   11.77\n 00002 19970112  1   12.00 \n",
          "2:00001|19970101|1|11.77;3:00002|19970112|1|12.00;");
    check("email\nann@example.org\nbob@example.org\n", "2:ann@example.org;3:bob@example.org;");
    check("ann@example.org\nbob@example.org\n", "1:ann@example.org;2:bob@example.org;"); /* no header */
    check(" 00004 0001 19970101  2   29.33\n 00004 0001 19970118  2   29.73\n",
          "1:00004|0001|19970101|2|29.33;2:00004|0001|19970118|2|29.73;");
    struct cot_reader_options options = {.header = COT_HEADER_ABSENT, .delimiter = ';'};
    assert_string_equal(read_whole(write_text("a;b\nc;d\n"), &options)->text, "1:a|b;2:c|d;");
}

static void test_encodings(void **state)
{
    (void)state;
    check("id,name\n1,M\xfcller \x80\n", "2:1|M\xc3\xbcller \xe2\x82\xac;"); /* Windows-1252 */
    static const char le[] = "\xff\xfei\0d\0,\0n\0\n\0\x31\0,\0\xe9\0\n\0";
    assert_string_equal(read_whole(write_file("le", le, sizeof le - 1), NULL)->text, "2:1|\xc3\xa9;");
    static const char be[] = "\0i\0d\0,\0n\0\r\0\n\0\x31\0,\0x\0\r\0\n"; /* without a byte order mark */
    assert_string_equal(read_whole(write_file("be", be, sizeof be - 1), NULL)->text, "2:1|x;");
    struct cot_reader_options options = {.encoding = "iso-8859-15"};
    assert_string_equal(read_whole(write_text("id,n\n1,\xa4\n"), &options)->text, "2:1|\xe2\x82\xac;");
    options.encoding = "klingon";
    assert_int_equal(read_whole(write_text("id,n\n1,2\n"), &options)->rc, COT_USAGE);
}

/* The first byte that is not ASCII may come late: then it decides. */
static void test_late_encoding(void **state)
{
    (void)state;
    enum { N = 200000 };
    char *text = malloc(N * 5 + 64);
    size_t size = put(text, "id,n\n");
    for (int i = 0; i < N; i++)
        size += put(text + size, "1,x\n");
    size += put(text + size, "2,caf\xe9\n");
    struct whole *whole = read_whole(write_file("late", text, size), NULL);
    assert_int_equal(whole->rc, COT_OK);
    assert_int_equal(whole->n_rows, N + 1);
    assert_int_equal(whole->n_rejects, 0);
    free(text);
}

static void test_compressed(void **state)
{
    (void)state;
    enum { N = 300000 };
    static char packed[N * 8];
    char *text = malloc(N * 8);
    size_t size = put(text, "id,n\n");
    for (int i = 0; i < N; i++)
        size += put(text + size, "%d,%d\n", i % 1000, i % 7);
    char path[256];
    snprintf(path, sizeof path, "%s/gz", folder);
    for (int member = 0; member < 2; member++) { /* two members, one file */
        gzFile file = gzopen(path, member == 0 ? "wb" : "ab");
        assert_int_equal(gzwrite(file, member == 0 ? text : "5,6\n", member == 0 ? (unsigned)size : 4),
                         member == 0 ? size : 4);
        gzclose(file);
    }
    struct whole *whole = read_whole(path, NULL);
    assert_int_equal(whole->rc, COT_OK);
    assert_int_equal(whole->n_rows, N + 1);
    FILE *file = fopen(path, "rb");
    size_t packed_size = fread(packed, 1, sizeof packed, file);
    fclose(file);
    whole = read_whole(write_file("cut.gz", packed, packed_size / 2), NULL);
    assert_int_equal(whole->rc, COT_BAD_DATA);
    assert_non_null(strstr(whole->err.message, "truncated"));
    packed[packed_size / 3] ^= 0x55;
    assert_int_equal(read_whole(write_file("bad.gz", packed, packed_size), NULL)->rc, COT_BAD_DATA);

    packed_size = ZSTD_compress(packed, sizeof packed, text, size, 3);
    assert_int_equal(read_whole(write_file("zst", packed, packed_size), NULL)->n_rows, N);
    whole = read_whole(write_file("cut.zst", packed, packed_size - 10), NULL);
    assert_int_equal(whole->rc, COT_BAD_DATA);
    assert_non_null(strstr(whole->err.message, "truncated"));
    free(text);
}

static void refuse(const void *data, size_t size, cot_code code, const char *word)
{
    struct whole *whole = read_whole(write_file("refused", data, size), NULL);
    assert_int_equal(whole->rc, code);
    if (strstr(whole->err.message, word) == NULL)
        fail_msg("'%s' does not say '%s'", whole->err.message, word);
}

static void test_refuses(void **state)
{
    (void)state;
    unsigned char noise[4096];
    uint32_t seed = 1;
    for (size_t i = 0; i < sizeof noise; i++)
        noise[i] = (unsigned char)((seed = seed * 1664525 + 1013904223) >> 24);
    refuse("", 0, COT_BAD_DATA, "empty");
    refuse("\n\n  \n", 5, COT_BAD_DATA, "empty");
    refuse(noise, sizeof noise, COT_BAD_DATA, "binary");
    refuse("PK\x03\x04xxxxxxxxxxxxx", 17, COT_BAD_DATA, "Excel");
    refuse("\x1f\x8b", 2, COT_BAD_DATA, "truncated");
    refuse("PAR1 and then nothing of use PAR1", 33, COT_BAD_DATA, "refused");
    assert_int_equal(read_whole("/nowhere/file", NULL)->rc, COT_NOT_FOUND);
    assert_int_equal(read_whole("/tmp", NULL)->rc, COT_BAD_DATA);
    char *wide = malloc(3000000);
    size_t size = 0;
    for (int i = 0; i < 1000000; i++)
        size += put(wide + size, i % 2 ? "a," : "b,");
    wide[size++] = '\n';
    refuse(wide, size, COT_LIMIT, "columns");
    free(wide);
}

static void test_long_lines(void **state)
{
    (void)state;
    const size_t size = (size_t)40 << 20;
    char *text = malloc(size + 64);
    size_t n = put(text, "a,b\n1,2\n3,");
    memset(text + n, 'x', size);
    n += size;
    n += put(text + n, "\n5,6\n");
    struct whole *whole = read_whole(write_file("long", text, n), NULL);
    assert_string_equal(whole->text, "2:1|2;3!long;4:5|6;");
    /* A quote that opens in a long file and is never closed costs its line alone. */
    n = put(text, "a,b\n1,2\n3,\"x\n");
    uint64_t n_lines = 0;
    for (; n < size; n_lines++)
        n += put(text + n, "7,8 and some more text to fill the line\n");
    whole = read_whole(write_file("long", text, n), NULL);
    assert_int_equal(whole->n_rows, n_lines + 1);
    assert_int_equal(whole->n_rejects, 1);
    free(text);
}

static void test_json(void **state)
{
    (void)state;
    check("{\"id\":1,\"a\":{\"b\":\"x\",\"c\":null},\"t\":[1,2]}\n\n{\"t\":true,\"id\":12.50}\n{oops}\n[1]\n{\"id\":3}",
          "1:1|x|~|[1,2];3:12.50|~|~|true;4!json;5!json;6:3|~|~|~;");
    check("[{\"id\":1,\"n\":\"a]}\\\"\"},\n {\"id\":2}\n,{\"id\":9,}]\n", "1:1|a]}\";2:2|~;3!json;");
    check("{\n \"id\": 1\n}\n{\n \"id\": 2\n}\n", "1:1;4:2;");
    struct whole *whole = read_whole(write_text("[]"), NULL);
    assert_int_equal(whole->rc, COT_BAD_DATA);
    assert_non_null(strstr(whole->err.message, "no JSON object"));
}

/* A dotted name has a longest size: beyond it the row is rejected, however the bytes are spread over the keys. */
static void test_json_long_names(void **state)
{
    (void)state;
    char text[4096];
    for (int outer = 500; outer <= 620; outer++) {
        char *at = text + put(text, "{\"id\":1}\n{\"");
        memset(at, 'a', (size_t)outer);
        put(at + outer, "\":{\"b\":{\"c\":1}},\"id\":2}\n{\"id\":3}\n");
        struct whole *whole = read_whole(write_text(text), NULL);
        assert_string_equal(whole->text, outer + 4 < 512 ? "1:1|~;2:2|1;3:3|~;" : "1:1;2!long;3:3;");
    }
    memset(text + 2, 'a', 600);
    memcpy(text, "{\"", 2);
    put(text + 602, "\":{\"b\":1}}");
    struct whole *whole = read_whole(write_text(text), NULL);
    assert_int_equal(whole->rc, COT_BAD_DATA);
    assert_non_null(strstr(whole->err.message, "nested keys"));
    put(text + 602, "\":1,\"b\":2}"); /* a key of its own may have any size */
    assert_string_equal(read_whole(write_text(text), NULL)->text, "1:1|2;");
}

/* Documents of orders: a row a line inside, with what the document says in each. */
static void test_json_lines_inside(void **state)
{
    (void)state;
    check("[{\"id\":1,\"items\":[{\"sku\":\"x\",\"p\":{\"n\":2}},{\"sku\":\"y\"}],\"t\":\"a\"},\n"
          "{\"id\":2,\"items\":[]},\n{\"id\":3},\n{\"id\":4,\"items\":[7]},\n{\"id\":5,\"items\":null}]",
          "1:1|a|x|2;1:1|a|y|~;2:2|~|~|~;3:3|~|~|~;4!json;5:5|~|~|~;");
    /* Events name products that nobody bought; an array that is none everywhere has another meaning. */
    check("{\"event\":\"view\",\"products\":[{\"id\":1}]}\n", "1:view|[{\"id\":1}];");
    check("{\"id\":1,\"items\":[{\"a\":1}]}\n{\"id\":2,\"items\":3}\n", "1:1|[{\"a\":1}];2:2|3;");
}

/* A document whose lines the batch has no room for waits for the next one; one with too many for any is refused. */
static void test_json_many_lines_inside(void **state)
{
    (void)state;
    enum { N = 3000, N_LINES = 7, TOO_MANY = 3000 };
    char *text = malloc((N * N_LINES + TOO_MANY) * 16 + N * 32);
    size_t size = 0;
    assert_non_null(text);
    for (int i = 0; i <= N; i++) {
        size += put(text + size, "{\"id\":%d,\"items\":[", i);
        for (int j = 0; j < (i < N ? N_LINES : TOO_MANY); j++)
            size += put(text + size, "%s{\"n\":%d}", j > 0 ? "," : "", j);
        size += put(text + size, "]}\n");
    }
    struct whole *whole = read_whole(write_file("json", text, size), NULL);
    assert_int_equal(whole->rc, COT_OK);
    assert_int_equal(whole->n_rows, N * N_LINES);
    assert_int_equal(whole->n_rejects, 1);
    free(text);
}

/* Behind the head, where the shape of the file is settled, what is no array of lines is rejected and not left out. */
static void test_json_lines_of_another_shape(void **state)
{
    (void)state;
    enum { N = 20000, N_LAST = 6 };
    static const char *const last[N_LAST] = {"\"3\"", "{\"sku\":\"x\"}", "7", "[]", "null", "[{\"n\":1}]"};
    char *text = malloc((N + N_LAST) * 40);
    size_t size = 0;
    assert_non_null(text);
    for (int i = 0; i < N + N_LAST; i++)
        size += put(text + size, "{\"id\":%d,\"items\":%s}\n", i, i < N ? "[{\"n\":2},{\"n\":3}]" : last[i - N]);
    struct whole *whole = read_whole(write_file("json", text, size), NULL);
    assert_int_equal(whole->rc, COT_OK);
    assert_int_equal(whole->n_rejects, 3);
    assert_int_equal(whole->n_rows, 2 * N + 3);
    free(text);
}

static void test_json_later_keys(void **state)
{
    (void)state;
    enum { N = 20000 };
    char *text = malloc(N * 32);
    size_t size = 0;
    for (int i = 0; i < N; i++)
        size += put(text + size, "{\"id\":%d,\"name\":\"a\"}\n", i);
    size += put(text + size, "{\"id\":7,\"x\":{\"y\":\"late\"}}\n");
    struct whole whole;
    struct cot_reader *reader = open_file(write_file("json", text, size), NULL, &whole);
    assert_non_null(reader);
    assert_int_equal(cot_reader_info(reader)->n_columns, 3);
    assert_string_equal(cot_reader_info(reader)->columns[2], "_extra");
    struct cot_batch batch = {0};
    bool more = true;
    char last[64] = "";
    while (more) {
        assert_int_equal(cot_reader_next(reader, &batch, &more, &whole.err), COT_OK);
        if (batch.n_rows > 0) {
            const struct cot_cell *cell = cot_batch_cell(&batch, batch.n_rows - 1, 2);
            snprintf(last, sizeof last, "%.*s", (int)cell->size, cell->data);
        }
    }
    assert_string_equal(last, "{\"x.y\":\"late\"}");
    assert_int_equal(cot_reader_n_delivered(reader), N + 1);
    cot_batch_release(&batch);
    cot_reader_close(reader);
    free(text);
}

static void test_parquet(void **state)
{
    (void)state;
    duckdb_database database;
    duckdb_connection connection;
    char sql[512];
    char path[256];
    snprintf(path, sizeof path, "%s/file.bin", folder);
    assert_int_equal(duckdb_open(NULL, &database), DuckDBSuccess);
    assert_int_equal(duckdb_connect(database, &connection), DuckDBSuccess);
    snprintf(sql, sizeof sql,
             "copy (select 1.50::decimal(9,2) as amount, 'x' as \"a \"\"b\", timestamp '2020-01-02 03:04:05' as t,"
             " timestamptz '2020-01-02 03:04:05+02' as z, {'k': 1} as s, null::integer as n from range(3000))"
             " to '%s' (format parquet)",
             path);
    assert_int_equal(duckdb_query(connection, sql, NULL), DuckDBSuccess);
    duckdb_disconnect(&connection);
    duckdb_close(&database);
    struct whole *whole = read_whole(path, NULL);
    assert_int_equal(whole->rc, COT_OK);
    assert_int_equal(whole->n_rows, 3000);
    static const char first[] = "1:1.50|x|2020-01-02 03:04:05|2020-01-02T01:04:05.000Z|{\"k\":1}|~;2:";
    assert_memory_equal(whole->text, first, sizeof first - 1);
}

static void test_rewind(void **state)
{
    (void)state;
    struct whole whole;
    struct cot_reader *reader = open_file(write_text("id,name\n1,A\n2\n"), NULL, &whole);
    for (int i = 0; i < 3; i++) {
        memset(&whole, 0, sizeof whole);
        read_rest(reader, &whole);
        assert_string_equal(whole.text, "2:1|A;3!columns;");
        assert_int_equal(cot_reader_rewind(reader, &whole.err), COT_OK);
        assert_string_equal(cot_reader_info(reader)->columns[1], "name");
    }
    cot_reader_close(reader);
}

static void test_column_names(void **state)
{
    (void)state;
    struct whole whole;
    struct cot_reader *reader = open_file(write_text("id,,id,\"na\"\"me\"\n1,2,3,4\n"), NULL, &whole);
    const struct cot_reader_info *info = cot_reader_info(reader);
    assert_int_equal(info->n_columns, 4);
    assert_string_equal(info->columns[1], "column_2");
    assert_string_equal(info->columns[2], "id_2");
    assert_string_equal(info->columns[3], "na\"me");
    cot_reader_close(reader);
}

/* Rows and rejects add up on random files, and agree with a plain recount of the lines. */
static void test_every_record_counts(void **state)
{
    (void)state;
    uint32_t seed = 7;
    for (int round = 0; round < 300; round++) {
        char text[4096];
        size_t size = put(text, "a,b\n");
        size_t n_lines = 0;
        for (int i = 0; i < 100; i++) {
            static const char *const lines[] = {"1,2\n", "1\n", "1,2,3\n", "1,\"x\"\n", "\"y\",\r\n", "x,\"\"\"\"\n"};
            seed = seed * 1664525 + 1013904223;
            size += put(text + size, "%s", lines[(seed >> 24) % 6]);
            n_lines++;
        }
        struct whole *whole = read_whole(write_file("random", text, size), NULL);
        assert_int_equal(whole->rc, COT_OK);
        assert_int_equal(whole->n_rows + whole->n_rejects, n_lines);
    }
}

static void test_online_retail(void **state)
{
    (void)state;
    const char *sets = getenv("COTERIE_DATASETS");
    char path[512];
    snprintf(path, sizeof path, "%s/online_retail/online_retail.csv.gz", sets != NULL ? sets : "../shared/data");
    if (access(path, R_OK) != 0) {
        print_message("skipped: no data set %s\n", path);
        skip();
    }
    struct whole *whole = read_whole(path, NULL);
    assert_int_equal(whole->rc, COT_OK);
    assert_int_equal(whole->n_rows, 541909);
    assert_int_equal(whole->n_rejects, 0);
}

static int make_folder(void **state)
{
    (void)state;
    return mkdtemp(folder) == NULL;
}

static int remove_folder(void **state)
{
    char command[128];
    (void)state;
    snprintf(command, sizeof command, "rm -rf '%s'", folder);
    return system(command);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_plain_csv),
        cmocka_unit_test(test_quotes_and_lines),
        cmocka_unit_test(test_bad_rows_cost_one_line),
        cmocka_unit_test(test_dialects),
        cmocka_unit_test(test_encodings),
        cmocka_unit_test(test_late_encoding),
        cmocka_unit_test(test_compressed),
        cmocka_unit_test(test_refuses),
        cmocka_unit_test(test_long_lines),
        cmocka_unit_test(test_json),
        cmocka_unit_test(test_json_long_names),
        cmocka_unit_test(test_json_lines_inside),
        cmocka_unit_test(test_json_many_lines_inside),
        cmocka_unit_test(test_json_lines_of_another_shape),
        cmocka_unit_test(test_json_later_keys),
        cmocka_unit_test(test_parquet),
        cmocka_unit_test(test_rewind),
        cmocka_unit_test(test_column_names),
        cmocka_unit_test(test_every_record_counts),
        cmocka_unit_test(test_online_retail),
    };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
