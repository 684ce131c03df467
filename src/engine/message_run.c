#include "engine/message_run.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/folder.h"
#include "base/hash.h"

static const char magic[8] = {'C', 'O', 'T', 'I', 'D', 'S', '1', '\n'};

enum { WORDS = 8, BLOCK_SIZE = 4 * WORDS, BITS_PER_ID = 10, HEAD_SIZE = sizeof(struct cot_message_run_head) };
_Static_assert(sizeof(struct cot_message_run_head) == 128, "the head is 128 bytes");

/* Parquet's odd constants: each takes another five bits of the fingerprint. */
static const uint32_t salts[WORDS] = {0x47b6137bU, 0x44974d91U, 0x8824ad5bU, 0xa2b7289dU,
                                      0x705495c7U, 0x2df1424bU, 0x9efc4947U, 0x5c6bfb31U};

static size_t blocks_for(size_t n)
{
    return n * BITS_PER_ID / (8 * BLOCK_SIZE) + 1;
}

static void filter_add(uint32_t *filter, uint64_t n_blocks, uint64_t value)
{
    uint32_t *words = filter + WORDS * cot_message_run_block(value, n_blocks);
    for (int i = 0; i < WORDS; i++)
        words[i] |= UINT32_C(1) << ((uint32_t)value * salts[i] >> 27);
}

static bool filter_may_have(const uint32_t *filter, uint64_t n_blocks, uint64_t value)
{
    const uint32_t *words = filter + WORDS * cot_message_run_block(value, n_blocks);
    uint32_t missing = 0;
    for (int i = 0; i < WORDS; i++)
        missing |= ~words[i] & (UINT32_C(1) << ((uint32_t)value * salts[i] >> 27));
    return missing == 0;
}

/* Fingerprints are spread evenly: a few steps lead near, halving does the rest. */
static bool find(const uint64_t *values, size_t n, uint64_t value)
{
    enum { STEPS = 4, FEW = 64 };
    size_t low = 0;
    size_t high = n; /* it is in [low, high) or nowhere */
    for (int i = 0; i < STEPS && high - low > FEW; i++) {
        uint64_t first = values[low];
        uint64_t last = values[high - 1];
        if (value < first || value > last)
            return false;
        size_t guess = low + (size_t)((double)(value - first) / ((double)(last - first) + 1) * (double)(high - low));
        size_t from = guess > low + FEW / 2 ? guess - FEW / 2 : low;
        size_t to = guess + FEW / 2 < high ? guess + FEW / 2 : high;
        if (values[from] > value)
            high = from;
        else if (values[to - 1] < value)
            low = to;
        else {
            low = from;
            high = to;
        }
        if (low >= high)
            return false;
    }
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (values[middle] < value)
            low = middle + 1;
        else
            high = middle;
    }
    return low < n && values[low] == value;
}

bool cot_message_run_has(const struct cot_message_run *run, uint64_t value)
{
    return filter_may_have(run->filter, run->head->n_blocks, value) && find(run->values, run->head->n, value);
}

static uint64_t checksum(const struct cot_message_run_head *head, size_t size)
{
    const unsigned char *bytes = (const unsigned char *)head;
    const size_t before = offsetof(struct cot_message_run_head, checksum);
    const size_t after = before + sizeof head->checksum;
    struct cot_hasher hasher;
    struct cot_hash128 rest = cot_hash128_bytes(bytes + after, size - after);
    cot_hasher_init(&hasher);
    cot_hasher_text(&hasher, (const char *)bytes, before);
    cot_hasher_int(&hasher, (int64_t)rest.high);
    cot_hasher_int(&hasher, (int64_t)rest.low);
    return cot_hasher_finish(&hasher).low;
}

static void place(struct cot_message_run *run)
{
    run->filter = (const uint32_t *)(run->head + 1);
    run->values = (const uint64_t *)(const void *)(run->filter + WORDS * run->head->n_blocks);
}

static bool is_whole(const struct cot_message_run_head *head, size_t size)
{
    const size_t rest = size - HEAD_SIZE;
    return memcmp(head->magic, magic, sizeof magic) == 0 && head->n <= rest / 8 && head->n_blocks > 0 &&
           head->n_blocks <= rest / BLOCK_SIZE && head->n * 8 + head->n_blocks * BLOCK_SIZE == rest &&
           head->first <= head->last && checksum(head, size) == head->checksum;
}

static cot_code map(const char *path, int fd, struct cot_message_run *ret_run, struct cot_err *err)
{
    struct stat status;
    if (fstat(fd, &status) != 0)
        return cot_fail(err, COT_IO, "'%s': %s", path, strerror(errno));
    if (status.st_size < HEAD_SIZE)
        return cot_fail(err, COT_BAD_DATA, "'%s' has %lld bytes: no run of ids", path, (long long)status.st_size);
    struct cot_message_run run = {.size = (size_t)status.st_size};
    void *mapping = mmap(NULL, run.size, PROT_READ, MAP_SHARED, fd, 0);
    if (mapping == MAP_FAILED)
        return cot_fail(err, COT_IO, "mapping '%s': %s", path, strerror(errno));
    run.head = mapping;
    if (!is_whole(run.head, run.size)) {
        munmap(mapping, run.size);
        return cot_fail(err, COT_BAD_DATA, "'%s' is no whole run of ids", path);
    }
    place(&run);
    run.path = strdup(path);
    if (run.path == NULL) {
        munmap(mapping, run.size);
        return cot_fail(err, COT_NOMEM, "'%s'", path);
    }
    *ret_run = run;
    return COT_OK;
}

cot_code cot_message_run_open(const char *path, struct cot_message_run *ret_run, struct cot_err *err)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return cot_fail(err, COT_IO, "'%s': %s", path, strerror(errno));
    cot_code rc = map(path, fd, ret_run, err);
    close(fd);
    return rc;
}

void cot_message_run_close(struct cot_message_run *run)
{
    if (run->head != NULL)
        munmap((void *)(uintptr_t)run->head, run->size);
    free(run->path);
    *run = (struct cot_message_run){0};
}

/* The smallest value that the lists still have, taken off all that have it. False: none has any. */
static bool take_smallest(struct cot_message_list *lists, size_t n_lists, uint64_t *ret_value)
{
    uint64_t smallest = UINT64_MAX;
    bool any = false;
    for (size_t i = 0; i < n_lists; i++)
        if (lists[i].n > 0 && (!any || lists[i].values[0] < smallest)) {
            smallest = lists[i].values[0];
            any = true;
        }
    for (size_t i = 0; i < n_lists; i++)
        if (lists[i].n > 0 && lists[i].values[0] == smallest) {
            lists[i].values++;
            lists[i].n--;
        }
    *ret_value = smallest;
    return any;
}

/* Fills a mapping that has room for all; returns the size that is used. */
static size_t fill(void *mapping, const struct cot_message_run_head *head, struct cot_message_list *lists,
                   size_t n_lists, uint64_t n_blocks)
{
    struct cot_message_run_head *mine = mapping;
    uint32_t *filter = (uint32_t *)(mine + 1);
    uint64_t *values = (uint64_t *)(void *)(filter + WORDS * n_blocks);
    uint64_t value = 0;
    size_t n = 0;
    while (take_smallest(lists, n_lists, &value)) {
        filter_add(filter, n_blocks, value);
        values[n++] = value;
    }
    *mine = *head;
    memcpy(mine->magic, magic, sizeof magic);
    memset(mine->zero, 0, sizeof mine->zero);
    mine->n = n;
    mine->n_blocks = n_blocks;
    size_t size = HEAD_SIZE + n_blocks * BLOCK_SIZE + n * 8;
    mine->checksum = checksum(mine, size);
    return size;
}

/* The space is taken before the mapping is written to: a full disk is an error here, not a signal there. */
static cot_code write_new(int fd, const char *path, const struct cot_message_run_head *head,
                          struct cot_message_list *lists, size_t n_lists, struct cot_err *err)
{
    size_t n = 0;
    for (size_t i = 0; i < n_lists; i++)
        n += lists[i].n;
    size_t n_blocks = blocks_for(n);
    size_t room = HEAD_SIZE + n_blocks * BLOCK_SIZE + n * 8;
    int failure = posix_fallocate(fd, 0, (off_t)room);
    if (failure != 0)
        return cot_fail(err, COT_IO, "%zu bytes for '%s': %s", room, path, strerror(failure));
    void *mapping = mmap(NULL, room, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    if (mapping == MAP_FAILED)
        return cot_fail(err, COT_IO, "mapping '%s': %s", path, strerror(errno));
    size_t size = fill(mapping, head, lists, n_lists, n_blocks);
    munmap(mapping, room);
    if (ftruncate(fd, (off_t)size) != 0 || fsync(fd) != 0)
        return cot_fail(err, COT_IO, "writing '%s': %s", path, strerror(errno));
    return COT_OK;
}

cot_code cot_message_run_write(const char *path, const struct cot_message_run_head *head,
                               const struct cot_message_list *lists, size_t n_lists, struct cot_err *err)
{
    char *part = NULL;
    int fd = -1;
    struct cot_message_list *left = malloc((n_lists + 1) * sizeof *left);
    if (asprintf(&part, "%s.new.ids", path) < 0)
        part = NULL;
    cot_code rc = left == NULL || part == NULL ? cot_fail(err, COT_NOMEM, "'%s'", path) : COT_OK;
    if (rc != COT_OK)
        goto out;
    memcpy(left, lists, n_lists * sizeof *left);
    fd = open(part, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    rc = fd < 0 ? cot_fail(err, COT_IO, "making '%s': %s", part, strerror(errno))
                : write_new(fd, part, head, left, n_lists, err);
    if (fd >= 0)
        close(fd);
    if (rc == COT_OK && rename(part, path) != 0)
        rc = cot_fail(err, COT_IO, "renaming '%s': %s", part, strerror(errno));
    if (rc != COT_OK && fd >= 0)
        (void)unlink(part);
    if (rc == COT_OK) {
        rc = cot_folder_sync_parent(path, err);
        if (rc != COT_OK)
            (void)unlink(path);
    }
out:
    free(left);
    free(part);
    return rc;
}
