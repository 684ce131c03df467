/*
 * What else an event said: the JSON object that its record carries (domain/record.h), gathered value by value.
 */
#ifndef COT_CONNECT_PROPERTIES_H
#define COT_CONNECT_PROPERTIES_H

#include <stdbool.h>
#include <yyjson.h>

#include "base/arena.h"
#include "domain/batch.h"

struct cot_properties {
    yyjson_mut_doc *doc; /* NULL: nothing was gathered yet */
    yyjson_mut_val *object;
    size_t n;
    bool failed; /* out of memory */
};

/* Adds a value that is made of properties->doc (_begin sees to it); NULL: nothing. Who somebody is stands in the
 * identities alone: keys that name people are left out, so is what is too much. */
void cot_properties_begin(struct cot_properties *properties);
void cot_properties_add(struct cot_properties *properties, const char *key, size_t size, yyjson_mut_val *value);

/* The object's text, copied into the arena (size 0: nothing was added), and frees. False: no memory. */
bool cot_properties_end(struct cot_properties *properties, struct cot_arena *arena, struct cot_text *ret_text);

#endif
