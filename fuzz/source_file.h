/* A file in memory for harnesses that read files by path. */
#ifndef COT_FUZZ_SOURCE_FILE_H
#define COT_FUZZ_SOURCE_FILE_H

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

/* Puts data into an anonymous file; ret_path names it for as long as the returned descriptor is open. */
static inline int source_file_open(const uint8_t *data, size_t size, char ret_path[64])
{
    int file = memfd_create("fuzz", 0);
    if (file < 0 || write(file, data, size) != (ssize_t)size)
        abort();
    snprintf(ret_path, 64, "/proc/self/fd/%d", file);
    return file;
}

#endif
