/*
 * Memory of one lifetime: allocations that are freed all at once. An arena that is all zero is empty; it belongs to one
 * thread at a time.
 */
#ifndef COT_BASE_ARENA_H
#define COT_BASE_ARENA_H

#include <stddef.h>

struct cot_arena_block;

struct cot_arena {
    struct cot_arena_block *first;
    struct cot_arena_block *current;
};

/* `size` bytes aligned for any type, not zeroed; NULL: no memory. */
void *cot_arena_alloc(struct cot_arena *arena, size_t size);

/* A NUL-terminated copy of text[0, size); NULL: no memory. */
char *cot_arena_copy(struct cot_arena *arena, const char *text, size_t size);

void cot_arena_clear(struct cot_arena *arena); /* forgets all, keeps the memory for reuse */
void cot_arena_release(struct cot_arena *arena);

#endif
