#include "engine/segment_bytes.h"

#include <stdlib.h>
#include <string.h>

static void write_bytes(struct cot_byte_writer *writer, const void *bytes, size_t size)
{
    if (writer->rc == COT_OK)
        writer->rc = cot_buf_append(writer->buf, bytes, size, writer->err);
}

void cot_write_u32(struct cot_byte_writer *writer, uint32_t value)
{
    unsigned char bytes[4];
    for (size_t i = 0; i < sizeof bytes; i++)
        bytes[i] = (unsigned char)(value >> (8 * i));
    write_bytes(writer, bytes, sizeof bytes);
}

void cot_write_u64(struct cot_byte_writer *writer, uint64_t value)
{
    cot_write_u32(writer, (uint32_t)value);
    cot_write_u32(writer, (uint32_t)(value >> 32));
}

void cot_write_double(struct cot_byte_writer *writer, double value)
{
    uint64_t bits = 0;
    memcpy(&bits, &value, sizeof bits);
    cot_write_u64(writer, bits);
}

void cot_write_float(struct cot_byte_writer *writer, float value)
{
    uint32_t bits = 0;
    memcpy(&bits, &value, sizeof bits);
    cot_write_u32(writer, bits);
}

void cot_write_text(struct cot_byte_writer *writer, const char *text, size_t size)
{
    cot_write_u32(writer, (uint32_t)size);
    write_bytes(writer, text, size);
}

const unsigned char *cot_read_bytes(struct cot_byte_reader *reader, size_t size)
{
    if (reader->failed || reader->size - reader->at < size) {
        reader->failed = true;
        return NULL;
    }
    const unsigned char *bytes = reader->bytes + reader->at;
    reader->at += size;
    return bytes;
}

uint32_t cot_read_u32(struct cot_byte_reader *reader)
{
    const unsigned char *bytes = cot_read_bytes(reader, 4);
    uint32_t value = 0;
    for (size_t i = 0; bytes != NULL && i < 4; i++)
        value |= (uint32_t)bytes[i] << (8 * i);
    return value;
}

uint64_t cot_read_u64(struct cot_byte_reader *reader)
{
    uint64_t low = cot_read_u32(reader);
    return low | (uint64_t)cot_read_u32(reader) << 32;
}

double cot_read_double(struct cot_byte_reader *reader)
{
    uint64_t bits = cot_read_u64(reader);
    double value = 0;
    memcpy(&value, &bits, sizeof value);
    return value;
}

float cot_read_float(struct cot_byte_reader *reader)
{
    uint32_t bits = cot_read_u32(reader);
    float value = 0;
    memcpy(&value, &bits, sizeof value);
    return value;
}

char *cot_read_text(struct cot_byte_reader *reader, size_t max_size)
{
    size_t size = cot_read_u32(reader);
    if (reader->failed || size > max_size) {
        reader->failed = true;
        return NULL;
    }
    const unsigned char *bytes = cot_read_bytes(reader, size);
    char *text = bytes != NULL ? malloc(size + 1) : NULL;
    if (text == NULL) {
        reader->failed = true;
        return NULL;
    }
    memcpy(text, bytes, size);
    text[size] = '\0';
    return text;
}
