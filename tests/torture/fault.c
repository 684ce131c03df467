/*
 * Faults on purpose, by LD_PRELOAD: the Nth call of a kind fails, as a full disk or an exhausted memory would make it.
 *
 *   COTERIE_FAULT=alloc|write|read   memory asked for by the program's own code (not by its libraries: DuckDB and ICU
 *                                    have their own ways); writes, syncs and renames of files by anybody in the
 *                                    process; reads of files by anybody (not of sockets and pipes)
 *   COTERIE_FAULT_AT=N               the Nth such call fails, counted from 1; 0: none, only count
 *   COTERIE_FAULT_KEEP=1             all calls from the Nth on fail
 *   COTERIE_FAULT_COUNT=FILE         at the end, the number of calls goes there
 *
 * Truncating a file needs no space and does not fail here: DuckDB 1.4.4 ends by std::terminate where taking back a
 * failed write fails, too.
 *
 * glibc only. Standard input, output and error are left alone.
 */
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <link.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <unistd.h>

extern void *__libc_malloc(size_t size);
extern void *__libc_calloc(size_t n, size_t size);
extern void *__libc_realloc(void *old, size_t size);
extern void *__libc_memalign(size_t alignment, size_t size);

enum kind { KIND_NONE, KIND_ALLOC, KIND_WRITE, KIND_READ };

static struct {
    enum kind kind;
    long at;
    bool keep;
    char count_path[512];
    atomic_long n;
    uintptr_t text_begin, text_end; /* the program's own code */
} fault;

static int find_program(struct dl_phdr_info *info, size_t size, void *context)
{
    (void)size;
    (void)context;
    for (int i = 0; i < info->dlpi_phnum; i++)
        if (info->dlpi_phdr[i].p_type == PT_LOAD && (info->dlpi_phdr[i].p_flags & PF_X)) {
            fault.text_begin = info->dlpi_addr + info->dlpi_phdr[i].p_vaddr;
            fault.text_end = fault.text_begin + info->dlpi_phdr[i].p_memsz;
        }
    return 1; /* the first is the program */
}

__attribute__((constructor)) static void begin(void)
{
    const char *kind = getenv("COTERIE_FAULT");
    const char *at = getenv("COTERIE_FAULT_AT");
    const char *path = getenv("COTERIE_FAULT_COUNT");
    if (kind == NULL)
        return;
    dl_iterate_phdr(find_program, NULL);
    fault.at = at != NULL ? strtol(at, NULL, 10) : 0;
    fault.keep = getenv("COTERIE_FAULT_KEEP") != NULL;
    if (path != NULL)
        snprintf(fault.count_path, sizeof fault.count_path, "%s", path);
    fault.kind = strcmp(kind, "alloc") == 0   ? KIND_ALLOC
                 : strcmp(kind, "write") == 0 ? KIND_WRITE
                 : strcmp(kind, "read") == 0  ? KIND_READ
                                              : KIND_NONE;
}

__attribute__((destructor)) static void end(void)
{
    char text[32];
    if (fault.kind == KIND_NONE || fault.count_path[0] == '\0')
        return;
    fault.kind = KIND_NONE;
    int size = snprintf(text, sizeof text, "%ld\n", atomic_load(&fault.n));
    int fd = open(fault.count_path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
    if (fd >= 0 && write(fd, text, (size_t)size) != size)
        abort();
    if (fd >= 0)
        close(fd);
}

static bool is_own(const void *caller)
{
    return (uintptr_t)caller >= fault.text_begin && (uintptr_t)caller < fault.text_end;
}

/* Counts a call; whether it has to fail. */
static bool fails(enum kind kind)
{
    if (fault.kind != kind)
        return false;
    long n = atomic_fetch_add(&fault.n, 1) + 1;
    return fault.at > 0 && (n == fault.at || (fault.keep && n > fault.at));
}

static bool alloc_fails(const void *caller)
{
    if (fault.kind != KIND_ALLOC || !is_own(caller) || !fails(KIND_ALLOC))
        return false;
    errno = ENOMEM;
    return true;
}

static bool file_fails(int fd, enum kind kind, int code)
{
    struct stat status;
    if (fd >= 0 && fd <= STDERR_FILENO)
        return false;
    if (fd >= 0 && fstat(fd, &status) == 0 && !S_ISREG(status.st_mode) && !S_ISDIR(status.st_mode))
        return false; /* sockets and what wakes threads */
    if (!fails(kind))
        return false;
    errno = code;
    return true;
}

#define CALLER __builtin_extract_return_addr(__builtin_return_address(0))
#define REAL(type, name) ((type)dlsym(RTLD_NEXT, name))

/* Memory */

void *malloc(size_t size)
{
    return alloc_fails(CALLER) ? NULL : __libc_malloc(size);
}

void *calloc(size_t n, size_t size)
{
    return alloc_fails(CALLER) ? NULL : __libc_calloc(n, size);
}

void *realloc(void *old, size_t size)
{
    return alloc_fails(CALLER) ? NULL : __libc_realloc(old, size);
}

void *aligned_alloc(size_t alignment, size_t size)
{
    return alloc_fails(CALLER) ? NULL : __libc_memalign(alignment, size);
}

int posix_memalign(void **ret, size_t alignment, size_t size)
{
    void *memory = alloc_fails(CALLER) ? NULL : __libc_memalign(alignment, size);
    if (memory == NULL)
        return ENOMEM;
    *ret = memory;
    return 0;
}

static char *copy_text(const char *text, size_t size)
{
    char *copy = __libc_malloc(size + 1);
    if (copy != NULL) {
        memcpy(copy, text, size);
        copy[size] = '\0';
    }
    return copy;
}

char *strdup(const char *text)
{
    return alloc_fails(CALLER) ? NULL : copy_text(text, strlen(text));
}

char *strndup(const char *text, size_t size)
{
    return alloc_fails(CALLER) ? NULL : copy_text(text, strnlen(text, size));
}

static int format_text(char **ret, const char *format, va_list args)
{
    va_list again;
    va_copy(again, args);
    int size = vsnprintf(NULL, 0, format, again);
    va_end(again);
    char *text = size >= 0 ? __libc_malloc((size_t)size + 1) : NULL;
    if (text == NULL)
        return -1;
    vsnprintf(text, (size_t)size + 1, format, args);
    *ret = text;
    return size;
}

int vasprintf(char **ret, const char *format, va_list args)
{
    return alloc_fails(CALLER) ? -1 : format_text(ret, format, args);
}

int asprintf(char **ret, const char *format, ...)
{
    va_list args;
    if (alloc_fails(CALLER))
        return -1;
    va_start(args, format);
    int size = format_text(ret, format, args);
    va_end(args);
    return size;
}

char *realpath(const char *path, char *resolved)
{
    typedef char *realpath_call(const char *, char *);
    if (resolved == NULL && alloc_fails(CALLER))
        return NULL;
    return REAL(realpath_call *, "realpath")(path, resolved);
}

/* Files */

#define WRAP(result, name, parameters, arguments, fd, kind, code)                                                      \
    result name parameters                                                                                             \
    {                                                                                                                  \
        typedef result call parameters;                                                                                \
        if (file_fails(fd, kind, code))                                                                                \
            return -1;                                                                                                 \
        return REAL(call *, #name) arguments;                                                                          \
    }

WRAP(ssize_t, write, (int fd, const void *data, size_t size), (fd, data, size), fd, KIND_WRITE, ENOSPC)
WRAP(ssize_t, pwrite, (int fd, const void *data, size_t size, off_t at), (fd, data, size, at), fd, KIND_WRITE, ENOSPC)
WRAP(ssize_t, pwrite64, (int fd, const void *data, size_t size, off64_t at), (fd, data, size, at), fd, KIND_WRITE,
     ENOSPC)
WRAP(int, fsync, (int fd), (fd), fd, KIND_WRITE, EIO)
WRAP(int, fdatasync, (int fd), (fd), fd, KIND_WRITE, EIO)
WRAP(int, fallocate, (int fd, int mode, off_t at, off_t size), (fd, mode, at, size), fd, KIND_WRITE, ENOSPC)
WRAP(int, fallocate64, (int fd, int mode, off64_t at, off64_t size), (fd, mode, at, size), fd, KIND_WRITE, ENOSPC)

int posix_fallocate(int fd, off_t at, off_t size)
{
    typedef int call(int, off_t, off_t);
    if (file_fails(fd, KIND_WRITE, ENOSPC))
        return ENOSPC;
    return REAL(call *, "posix_fallocate")(fd, at, size);
}

WRAP(int, rename, (const char *from, const char *to), (from, to), -1, KIND_WRITE, EACCES)
WRAP(int, renameat2, (int from_fd, const char *from, int to_fd, const char *to, unsigned flags),
     (from_fd, from, to_fd, to, flags), -1, KIND_WRITE, EACCES)
WRAP(int, mkdir, (const char *path, mode_t mode), (path, mode), -1, KIND_WRITE, EACCES)
WRAP(int, fflush, (FILE * file), (file), file == NULL ? 0 : fileno(file), KIND_WRITE, ENOSPC)
WRAP(ssize_t, read, (int fd, void *data, size_t size), (fd, data, size), fd, KIND_READ, EIO)
WRAP(ssize_t, pread, (int fd, void *data, size_t size, off_t at), (fd, data, size, at), fd, KIND_READ, EIO)
WRAP(ssize_t, pread64, (int fd, void *data, size_t size, off64_t at), (fd, data, size, at), fd, KIND_READ, EIO)

size_t fwrite(const void *data, size_t size, size_t n, FILE *file)
{
    typedef size_t call(const void *, size_t, size_t, FILE *);
    if (file_fails(fileno(file), KIND_WRITE, ENOSPC))
        return 0;
    return REAL(call *, "fwrite")(data, size, n, file);
}

/* What was buffered could not be written: the file is closed all the same. */
int fclose(FILE *file)
{
    typedef int call(FILE *);
    bool failed = fault.kind == KIND_WRITE && (fcntl(fileno(file), F_GETFL) & O_ACCMODE) != O_RDONLY &&
                  file_fails(fileno(file), KIND_WRITE, ENOSPC);
    int status = REAL(call *, "fclose")(file);
    if (failed)
        errno = ENOSPC;
    return failed ? EOF : status;
}
