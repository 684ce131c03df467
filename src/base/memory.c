#include "base/memory.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* The number behind `label` at the begin of a line of a file of the kernel; SIZE_MAX where there is none ("max", no
 * such file). */
static size_t number_in_file(const char *path, const char *label)
{
    char line[128];
    size_t result = SIZE_MAX;
    FILE *file = fopen(path, "r");
    while (file != NULL && result == SIZE_MAX && fgets(line, sizeof line, file) != NULL) {
        char *end = NULL;
        if (strncmp(line, label, strlen(label)) != 0)
            continue;
        const char *digits = line + strlen(label);
        errno = 0;
        uint64_t value = strtoull(digits, &end, 10);
        if (end != digits && errno == 0)
            result = (size_t)value;
    }
    if (file != NULL)
        (void)fclose(file);
    return result;
}

static size_t machine_available(void)
{
    size_t kibibytes = number_in_file("/proc/meminfo", "MemAvailable:");
    if (kibibytes > 0 && kibibytes != SIZE_MAX)
        return kibibytes * 1024;
    long pages = sysconf(_SC_PHYS_PAGES);
    long page = sysconf(_SC_PAGESIZE);
    return pages > 0 && page > 0 ? (size_t)pages * (size_t)page : SIZE_MAX;
}

/* What a group counts as used but gives back when asked: file pages that nobody has touched for a while. */
static size_t group_cache(const char *path)
{
    size_t size = number_in_file(path, "inactive_file ");
    return size != SIZE_MAX ? size : 0;
}

static size_t group_available(void)
{
    static const struct {
        const char *most, *used, *statistics;
    } groups[] = {
        {"/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory.current", "/sys/fs/cgroup/memory.stat"},
        {"/sys/fs/cgroup/memory/memory.limit_in_bytes", "/sys/fs/cgroup/memory/memory.usage_in_bytes",
         "/sys/fs/cgroup/memory/memory.stat"},
    };
    size_t least = SIZE_MAX;
    for (size_t i = 0; i < sizeof groups / sizeof *groups; i++) {
        size_t most = number_in_file(groups[i].most, "");
        size_t used = number_in_file(groups[i].used, "");
        if (most == SIZE_MAX || used == SIZE_MAX)
            continue;
        size_t cache = group_cache(groups[i].statistics);
        used = used > cache ? used - cache : 0;
        size_t left = most > used ? most - used : 0;
        least = left < least ? left : least;
    }
    return least;
}

size_t cot_memory_available(void)
{
    size_t machine = machine_available();
    size_t group = group_available();
    return machine < group ? machine : group;
}

cot_code cot_memory_check(size_t needed, size_t limit, struct cot_err *err, const char *format, ...)
{
    char what[256];
    va_list args;
    size_t most = limit > 0 ? limit : cot_memory_available();
    if (needed <= most)
        return COT_OK;
    va_start(args, format);
    vsnprintf(what, sizeof what, format, args);
    va_end(args);
    return cot_fail(err, COT_LIMIT, "%s needs %.1f MB of memory, %s is %.1f MB: take fewer rows or columns, or %s",
                    what, (double)needed / 1e6, limit > 0 ? "the limit" : "what is available", (double)most / 1e6,
                    limit > 0 ? "raise the limit" : "a machine with more");
}
