/*
 * Calendar arithmetic: UTC milliseconds <-> civil date and time, and the shop's time zone.
 *
 * Time everywhere in Coterie is int64 milliseconds since 1970-01-01T00:00:00Z ("_ms"). Days and weeks are those of the
 * shop's time zone: cot_zone turns a UTC moment into local milliseconds by a table of the zone's transitions, made once
 * from ICU, so that it costs a binary search instead of an ICU call. The civil calendar is the proleptic Gregorian one.
 */
#ifndef COT_BASE_CIVIL_H
#define COT_BASE_CIVIL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "coterie/err.h"

#define COT_MS_PER_SECOND INT64_C(1000)
#define COT_MS_PER_HOUR INT64_C(3600000)
#define COT_MS_PER_DAY INT64_C(86400000)

struct cot_civil {
    int year;  /* 1..9999 */
    int month; /* 1..12 */
    int day;   /* 1..31 */
    int hour, minute, second, millisecond;
};

/* False where the parts name no real moment (month 13, 30 February, hour 24, second 60). */
bool cot_civil_to_ms(const struct cot_civil *civil, int64_t *ret_ms);
void cot_civil_from_ms(int64_t ms, struct cot_civil *ret_civil);

/* Days since 1970-01-01 of a civil date, and 0 = Monday .. 6 = Sunday of such a day number. */
int64_t cot_days_from_civil(int year, int month, int day);
int cot_weekday(int64_t days);

/* The wall clock now, UTC milliseconds. */
int64_t cot_wall_ms(void);

/* Floor division of milliseconds into days. */
int64_t cot_ms_to_days(int64_t ms);

/* "2026-01-31T10:20:30.123Z"; the .123 is left out where 0. `size` of at least COT_TIME_TEXT_SIZE. */
enum { COT_TIME_TEXT_SIZE = 32 };
void cot_format_time(int64_t ms, char *ret_text, size_t size);
void cot_format_date(int64_t ms, char *ret_text, size_t size); /* "2026-01-31" */

/* ISO 8601 date or date-time ("2026-01-31", "2026-01-31T10:20:30Z", "... +0900"); no offset: UTC.  False if not. */
bool cot_parse_iso(const char *text, size_t size, int64_t *ret_ms);

struct cot_zone; /* immutable once opened, shared by threads */

/* IANA name ("Europe/London", "UTC"). COT_USAGE for an unknown name. */
cot_code cot_zone_open(const char *name, struct cot_zone **ret_zone, struct cot_err *err) COT_MUST_CHECK;
void cot_zone_free(struct cot_zone *zone);
const char *cot_zone_name(const struct cot_zone *zone);

/* UTC -> local wall clock, both as milliseconds. O(log transitions). NULL zone: UTC. */
int64_t cot_zone_local(const struct cot_zone *zone, int64_t utc_ms);

/* Local wall clock -> UTC. In a gap the time after it; in an overlap the earlier of the two. */
int64_t cot_zone_utc(const struct cot_zone *zone, int64_t local_ms);

#endif
