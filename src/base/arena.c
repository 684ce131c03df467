#include "base/arena.h"

#include <stdalign.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

enum { BLOCK_SIZE = 16 * 1024, ALIGN = alignof(max_align_t), KEPT_BLOCK_SIZE = 1024 * 1024 };

struct cot_arena_block {
    struct cot_arena_block *next;
    size_t capacity;
    size_t used;
    alignas(max_align_t) char data[];
};

static struct cot_arena_block *block_new(size_t size)
{
    size_t capacity = size > BLOCK_SIZE ? size : BLOCK_SIZE;
    struct cot_arena_block *block = malloc(sizeof *block + capacity);
    if (block != NULL) {
        block->next = NULL;
        block->capacity = capacity;
        block->used = 0;
    }
    return block;
}

void *cot_arena_alloc(struct cot_arena *arena, size_t size)
{
    if (size > SIZE_MAX / 2)
        return NULL;
    size = (size + ALIGN - 1) & ~(size_t)(ALIGN - 1);
    struct cot_arena_block *block = arena->current;
    while (block != NULL && block->capacity - block->used < size) {
        block = block->next;
        if (block != NULL)
            arena->current = block;
    }
    if (block == NULL) {
        block = block_new(size);
        if (block == NULL)
            return NULL;
        if (arena->current == NULL)
            arena->first = block;
        else
            arena->current->next = block; /* current is the last here */
        arena->current = block;
    }
    void *data = block->data + block->used;
    block->used += size;
    return data;
}

char *cot_arena_copy(struct cot_arena *arena, const char *text, size_t size)
{
    char *copy = cot_arena_alloc(arena, size + 1);
    if (copy == NULL)
        return NULL;
    if (size > 0)
        memcpy(copy, text, size);
    copy[size] = '\0';
    return copy;
}

void cot_arena_clear(struct cot_arena *arena)
{
    struct cot_arena_block **link = &arena->first;
    while (*link != NULL) {
        struct cot_arena_block *block = *link;
        if (block->capacity > KEPT_BLOCK_SIZE) {
            *link = block->next;
            free(block);
            continue;
        }
        block->used = 0;
        link = &block->next;
    }
    arena->current = arena->first;
}

void cot_arena_release(struct cot_arena *arena)
{
    for (struct cot_arena_block *block = arena->first; block != NULL;) {
        struct cot_arena_block *next = block->next;
        free(block);
        block = next;
    }
    *arena = (struct cot_arena){0};
}
