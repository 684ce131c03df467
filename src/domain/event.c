#include "domain/event.h"

#include <string.h>
#include <strings.h>

const char *cot_event_kind_name(enum cot_event_kind kind)
{
    switch (kind) {
#define X(value, number, name, group)                                                                                  \
    case value: return name;
        COT_EVENT_KINDS(X)
#undef X
    }
    return NULL;
}

bool cot_event_kind_from_name(const char *name, size_t size, enum cot_event_kind *ret_kind)
{
#define X(value, number, text, group)                                                                                  \
    if (size == sizeof text - 1 && memcmp(name, text, size) == 0) {                                                    \
        *ret_kind = value;                                                                                             \
        return true;                                                                                                   \
    }
    COT_EVENT_KINDS(X)
#undef X
    return false;
}

enum cot_event_group cot_event_kind_group(enum cot_event_kind kind)
{
    switch (kind) {
#define X(value, number, name, group)                                                                                  \
    case value: return group;
        COT_EVENT_KINDS(X)
#undef X
    }
    return COT_EVENT_GROUP_ENGAGEMENT;
}

const char *cot_channel_name(enum cot_channel channel)
{
    switch (channel) {
#define X(value, number, name)                                                                                         \
    case value: return name;
        COT_CHANNELS(X)
#undef X
    case COT_N_CHANNELS: break;
    }
    return "other";
}

enum cot_channel cot_channel_from_name(const char *name, size_t size)
{
    if (size == 0)
        return COT_CHANNEL_UNKNOWN;
#define X(value, number, text)                                                                                         \
    if (size == sizeof text - 1 && strncasecmp(name, text, size) == 0)                                                 \
        return value;
    COT_CHANNELS(X)
#undef X
    return COT_CHANNEL_OTHER;
}
