/* Finding out how a file is written from its head (see reader_parts.h). */
#include <string.h>
#include <strings.h>

#include "domain/value.h"
#include "store/reader_parts.h"

enum { MAX_RECORDS = 500, MAX_COUNTED = 10001 };

/* How well a dialect splits the head. */
struct fit {
    size_t n_records;
    size_t n_bad;
    size_t n_same;  /* records with as many cells as the first */
    size_t n_first; /* cells of the first record */
};

static struct fit try_dialect(const char *head, size_t size, bool is_whole, const struct cot_dialect *dialect)
{
    struct fit fit = {0};
    struct cot_split split;
    struct cot_cell none;
    cot_split_init(&split, dialect);
    split.cells = &none;
    for (size_t at = 0; at < size && fit.n_records < MAX_RECORDS;) {
        /* max_cells 0: nothing is written to the text. */
        char *text = (char *)(uintptr_t)head + at;
        enum cot_split_result result = cot_split_record(text, size - at, is_whole, dialect, &split);
        if (result == COT_SPLIT_MORE)
            break;
        if (result == COT_SPLIT_BLANK) {
            at += split.size;
            continue;
        }
        if (result == COT_SPLIT_BAD_QUOTE) {
            split.size = cot_line_size(text, size - at, dialect->cr_lines);
            fit.n_bad++;
        } else if (fit.n_first == 0) {
            fit.n_first = split.n_cells;
        }
        fit.n_same += result == COT_SPLIT_DONE && split.n_cells == fit.n_first;
        fit.n_records++;
        at += split.size;
    }
    return fit;
}

/* 0..1, and only if there is something to split. */
static double fit_score(const struct fit *fit)
{
    if (fit->n_first < 2 || fit->n_records == 0)
        return 0;
    return (double)fit->n_same / (double)fit->n_records;
}

static char find_escape(const char *head, size_t size, bool is_whole, struct cot_dialect dialect)
{
    if (memmem(head, size, "\\\"", 2) == NULL)
        return '"';
    dialect.escape = '"';
    struct fit doubled = try_dialect(head, size, is_whole, &dialect);
    dialect.escape = '\\';
    struct fit behind = try_dialect(head, size, is_whole, &dialect);
    return behind.n_same > doubled.n_same ? '\\' : '"';
}

void cot_sniff_dialect(const char *head, size_t size, bool is_whole, const struct cot_reader_options *options,
                       struct cot_dialect *ret_dialect)
{
    static const char candidates[] = {',', ';', '\t', '|'};
    struct cot_dialect dialect = {.delimiter = ',', .escape = '"'};
    dialect.cr_lines = size > 0 && memchr(head, '\n', size) == NULL && memchr(head, '\r', size) != NULL;
    double best = 0;
    size_t best_cells = 0;
    char chosen = 0;
    for (size_t i = 0; i < sizeof candidates && options->delimiter == 0; i++) {
        dialect.delimiter = candidates[i];
        dialect.escape = find_escape(head, size, is_whole, dialect);
        struct fit fit = try_dialect(head, size, is_whole, &dialect);
        double score = fit_score(&fit);
        /* Two that both fit nearly everywhere: the one that finds more cells. */
        bool better = score > best + 0.1 || (score > best - 0.1 && fit.n_first > best_cells && score > 0.5);
        if (better) {
            best = score;
            best_cells = fit.n_first;
            chosen = candidates[i];
        }
    }
    if (options->delimiter == 0 && best < 0.8) {
        dialect.delimiter = ' ';
        dialect.escape = '"';
        struct fit fit = try_dialect(head, size, is_whole, &dialect);
        if (fit.n_records >= 2 && fit_score(&fit) >= 0.95)
            chosen = ' ';
    }
    dialect.delimiter = options->delimiter != 0 ? options->delimiter : chosen != 0 ? chosen : ',';
    dialect.escape = find_escape(head, size, is_whole, dialect);
    *ret_dialect = dialect;
}

bool cot_sniff_is_header(const struct cot_cell *cells, size_t n)
{
    size_t n_names = 0;
    for (size_t i = 0; i < n; i++) {
        const char *text = cells[i].data;
        size_t size = cells[i].size;
        cot_value_trim(&text, &size);
        if (size == 0)
            continue;
        if (cot_value_looks_number(text, size) || cot_value_looks_date(text, size))
            return false;
        const char *at = memchr(text, '@', size);
        if (at != NULL && at > text && memchr(at, '.', size - (size_t)(at - text)) != NULL)
            return false;
        n_names++;
    }
    return n_names > 0;
}

const char *cot_sniff_foreign(const unsigned char *head, size_t size)
{
    static const struct {
        const char *magic;
        size_t size;
        const char *what;
    } known[] = {
        {"PK\x03\x04", 4, "a ZIP archive or an Excel workbook: save the table as CSV"},
        {"\xd0\xcf\x11\xe0", 4, "an old Excel workbook: save the table as CSV"},
        {"%PDF", 4, "a PDF document"},
        {"SQLite format 3", 15, "an SQLite database: export its tables as CSV"},
        {"\xfd"
         "7zXZ",
         5, "compressed by xz: unpack it first, or use gzip or zstd"},
        {"BZh", 3, "compressed by bzip2: unpack it first, or use gzip or zstd"},
        {"7z\xbc\xaf", 4, "a 7-Zip archive: unpack it first"},
        {"Rar!", 4, "a RAR archive: unpack it first"},
        {"ARROW1", 6, "an Arrow file: save it as Parquet or CSV"},
        {"ORC", 3, "an ORC file: save it as Parquet or CSV"},
        {"Obj\x01", 4, "an Avro file: save it as Parquet or CSV"},
        {"RDX", 3, "an R data file: save the table as CSV"},
        {"\x7f"
         "ELF",
         4, "a program"},
        {"\x89PNG", 4, "a picture"},
        {"\xff\xd8\xff", 3, "a picture"},
        {"GIF8", 4, "a picture"},
    };
    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++)
        if (size >= known[i].size && memcmp(head, known[i].magic, known[i].size) == 0)
            return known[i].what;
    return NULL;
}

bool cot_sniff_is_binary(const char *text, size_t size)
{
    size_t n_control = 0;
    for (size_t i = 0; i < size; i++) {
        unsigned char c = (unsigned char)text[i];
        n_control += c < 0x20 && c != '\t' && c != '\n' && c != '\r' && c != '\f' && c != '\v' && c != 0x1a;
    }
    /* Random bytes have about one in ten; a stray NUL in text is a matter for its row. */
    return n_control >= 4 && n_control * 20 > size;
}
