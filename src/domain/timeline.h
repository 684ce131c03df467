/*
 * Timelines: what each identity node did, in order, in memory.
 *
 * A node's run is an array of 16-byte entries ordered by time, among equal times by the order in which the store
 * received them. Runs are never rewritten when customers merge: a customer's view merges the runs of its nodes (equal
 * times: the smaller node first), without a copy where there is one node. Money stands beside the entries, in lines;
 * so do, in notes, the names of a shop's own events and those properties that somebody asks for.
 */
#ifndef COT_DOMAIN_TIMELINE_H
#define COT_DOMAIN_TIMELINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "coterie/err.h"
#include "domain/event.h"

#define COT_NO_ITEM UINT32_MAX
#define COT_NO_EXTRA UINT32_MAX
#define COT_UNKNOWN_MINOR INT64_MIN

#define COT_NO_NOTE UINT32_MAX

/* In the bits of an entry that is neither order line nor refund: its detail is the index of a note. */
#define COT_ENTRY_HAS_NOTE (UINT64_C(0x80) << 8)

struct cot_entry {
    uint64_t bits;   /* time in ms << 16 | note << 15 | kind << 8 | channel */
    uint32_t item;   /* item_id or COT_NO_ITEM */
    uint32_t detail; /* order lines and refunds: index of a line; else see cot_entry_hash */
};

static inline struct cot_entry cot_entry_make(int64_t at_ms, unsigned kind, unsigned channel, uint32_t item,
                                              uint32_t detail)
{
    return (struct cot_entry){(uint64_t)at_ms << 16 | (uint64_t)kind << 8 | channel, item, detail};
}

static inline int64_t cot_entry_ms(const struct cot_entry *entry)
{
    return (int64_t)(entry->bits >> 16);
}

static inline enum cot_event_kind cot_entry_kind(const struct cot_entry *entry)
{
    return (enum cot_event_kind)(entry->bits >> 8 & 0x7f);
}

static inline enum cot_channel cot_entry_channel(const struct cot_entry *entry)
{
    return (enum cot_channel)(entry->bits & 0xff);
}

static inline bool cot_entry_is_commerce(const struct cot_entry *entry)
{
    enum cot_event_kind kind = cot_entry_kind(entry);
    return kind == COT_EVENT_ORDER_LINE || kind == COT_EVENT_REFUND;
}

/* The money of one order line or refund. */
struct cot_line {
    int64_t amount_minor; /* negative for refunds */
    uint64_t order;       /* cot_order_hash of the order key; 0: none, an order of its own */
    float quantity;       /* > 0; 1 where the source gives none */
    uint32_t extra;       /* index of discount and cost, COT_NO_EXTRA where the source gives neither */
};

struct cot_line_extra {
    int64_t discount_minor; /* COT_UNKNOWN_MINOR where unknown */
    int64_t cost_minor;     /* of the whole line; COT_UNKNOWN_MINOR where unknown */
    uint32_t note;          /* COT_NO_NOTE */
};

/* A property of an event: codes of key and word, and the number where it is one. */
struct cot_property {
    uint32_t key, word;
    double number; /* NaN: none */
};

/* What an event is called and says, as far as it is held. */
struct cot_note {
    uint32_t hash;  /* of session or campaign (cot_detail_hash); order lines and refunds: 0 */
    uint32_t name;  /* code of the name of a shop's own event; UINT32_MAX: none */
    uint32_t first; /* its properties: n from there on */
    uint32_t n;
};

struct cot_lines {
    struct cot_line *lines;
    size_t n, capacity;
    struct cot_line_extra *extras;
    size_t n_extras, extras_capacity;
    struct cot_note *notes;
    size_t n_notes, notes_capacity;
    struct cot_property *properties;
    size_t n_properties, properties_capacity;
};

/* Appends a line; discount and cost may be COT_UNKNOWN_MINOR, note COT_NO_NOTE. ret_index is its place. */
cot_code cot_lines_add(struct cot_lines *lines, const struct cot_line *line, const struct cot_line_extra *extra,
                       uint32_t *ret_index, struct cot_err *err) COT_MUST_CHECK;
/* Appends a note with properties[n], which are copied. ret_index is its place. */
cot_code cot_lines_note(struct cot_lines *lines, uint32_t hash, uint32_t name, const struct cot_property *properties,
                        size_t n, uint32_t *ret_index, struct cot_err *err) COT_MUST_CHECK;
void cot_lines_release(struct cot_lines *lines);

/* The note of an entry; NULL: it has none. */
static inline const struct cot_note *cot_entry_note(const struct cot_entry *entry, const struct cot_lines *lines)
{
    uint32_t note = entry->bits & COT_ENTRY_HAS_NOTE ? entry->detail : COT_NO_NOTE;
    if (cot_entry_is_commerce(entry)) {
        uint32_t extra = lines->lines[entry->detail].extra;
        note = extra != COT_NO_EXTRA ? lines->extras[extra].note : COT_NO_NOTE;
    }
    return note != COT_NO_NOTE ? &lines->notes[note] : NULL;
}

/* Of what is neither order line nor refund: messages: hash of the campaign; else of the session; 0: none. */
static inline uint32_t cot_entry_hash(const struct cot_entry *entry, const struct cot_lines *lines)
{
    return entry->bits & COT_ENTRY_HAS_NOTE ? lines->notes[entry->detail].hash : entry->detail;
}

/* Never 0 for a key; 0 for no key (NULL or empty). */
uint64_t cot_order_hash(const char *key, size_t size);
uint32_t cot_detail_hash(const char *text, size_t size);

/* One node's entries. */
struct cot_run {
    const struct cot_entry *entries;
    size_t n;
};

/* How many of a run's entries are at or before a moment. O(log n). */
size_t cot_run_until(const struct cot_run *run, int64_t as_of_ms);

/* Merges runs (in ascending order of their nodes) into ret_entries, which has room for twice their entries. */
void cot_runs_merge(const struct cot_run *runs, size_t n_runs, struct cot_entry *ret_entries);

/* Orders a run by time, keeping the order of equal times; scratch has room for n entries. O(n) where it is ordered. */
void cot_run_sort(struct cot_entry *entries, size_t n, struct cot_entry *scratch);

/* The runs of all nodes, one after the other. */
struct cot_timelines {
    uint32_t n_nodes;
    uint64_t *starts;          /* [n_nodes + 1] */
    struct cot_entry *entries; /* node i: entries[starts[i] .. starts[i + 1]) */
    struct cot_lines lines;
};

static inline struct cot_run cot_timelines_run(const struct cot_timelines *timelines, uint32_t node)
{
    uint64_t start = timelines->starts[node];
    return (struct cot_run){timelines->entries + start, (size_t)(timelines->starts[node + 1] - start)};
}

void cot_timelines_release(struct cot_timelines *timelines);

/* A thread's room for merged views. */
struct cot_view {
    struct cot_entry *entries;
    size_t capacity;
    struct cot_run *runs;
    size_t runs_capacity;
};

/* The view of a customer with these nodes (ascending); ret_run is valid until the next call with the same view. */
cot_code cot_view_make(struct cot_view *view, const struct cot_timelines *timelines, const uint32_t *nodes,
                       size_t n_nodes, struct cot_run *ret_run, struct cot_err *err) COT_MUST_CHECK;
void cot_view_release(struct cot_view *view);

#endif
