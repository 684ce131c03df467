/* Any bytes as a file: delimited text, JSON, gzip, zstd. Rows and rejects add up, cells lie in memory, twice the same.
 */
#include <stdbool.h>
#include <string.h>

#include "source_file.h"
#include "store/reader.h"
#include "store/transcode.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static uint64_t read_all(struct cot_reader *reader, uint64_t *ret_rejects)
{
    struct cot_batch batch = {0};
    struct cot_err err;
    bool more = true;
    uint64_t n_rows = 0;
    uint64_t sum = 0;
    uint64_t last_line = 0;
    *ret_rejects = 0;
    while (more && cot_reader_next(reader, &batch, &more, &err) == COT_OK) {
        for (size_t row = 0; row < batch.n_rows; row++) {
            if (batch.lines[row] < last_line)
                abort();
            last_line = batch.lines[row];
            for (size_t i = 0; i < batch.n_columns; i++) {
                const struct cot_cell *cell = cot_batch_cell(&batch, row, i);
                for (uint32_t j = 0; j < cell->size; j++)
                    sum = sum * 31 + (unsigned char)cell->data[j];
                if (!cot_utf8_is_valid(cell->data, cell->size, NULL) ||
                    (cell->size > 0 && memchr(cell->data, '\0', cell->size) != NULL))
                    abort();
            }
        }
        for (size_t i = 0; i < batch.n_rejects; i++)
            if (batch.rejects[i].reason == NULL ||
                !cot_utf8_is_valid(batch.rejects[i].raw.data, batch.rejects[i].raw.size, NULL))
                abort();
        n_rows += batch.n_rows;
        *ret_rejects += batch.n_rejects;
    }
    if (n_rows != cot_reader_n_delivered(reader) || *ret_rejects != cot_reader_n_rejected(reader))
        abort();
    cot_batch_release(&batch);
    return sum + n_rows;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char path[64];
    struct cot_reader *reader = NULL;
    struct cot_err err;
    uint64_t n_first = 0;
    uint64_t n_second = 0;
    if (size >= 4 && memcmp(data, "PAR1", 4) == 0)
        return 0; /* Parquet is DuckDB's */
    int file = source_file_open(data, size, path);
    if (cot_reader_open(path, NULL, &reader, &err) == COT_OK) {
        uint64_t first = read_all(reader, &n_first);
        if (cot_reader_rewind(reader, &err) == COT_OK && (read_all(reader, &n_second) != first || n_first != n_second))
            abort();
        cot_reader_close(reader);
    }
    close(file);
    return 0;
}
