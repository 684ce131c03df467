#include "base/civil.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unicode/ucal.h>
#include <unicode/ustring.h>

enum {
    MAX_TRANSITIONS = 1024, /* two a year over the range below, with room */
    FIRST_YEAR = 1970,
    LAST_YEAR = 2200,
    ZONE_NAME_SIZE = 64
};

struct cot_zone {
    char name[ZONE_NAME_SIZE];
    size_t n;
    int64_t from_ms[MAX_TRANSITIONS]; /* UTC moment from which the offset holds; [0] is the beginning of time */
    int64_t offset_ms[MAX_TRANSITIONS];
};

int64_t cot_days_from_civil(int year, int month, int day)
{
    /* Howard Hinnant, "chrono-Compatible Low-Level Date Algorithms". */
    int64_t y = (int64_t)year - (month <= 2);
    int64_t era = (y >= 0 ? y : y - 399) / 400;
    int64_t yoe = y - era * 400;
    int64_t doy = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
    int64_t doe = yoe * 365 + yoe / 4 - yoe / 100 + doy;
    return era * 146097 + doe - 719468;
}

static int days_in_month(int year, int month)
{
    static const int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
    return month == 2 && leap ? 29 : days[month - 1];
}

bool cot_civil_to_ms(const struct cot_civil *c, int64_t *ret_ms)
{
    if (c->year < 1 || c->year > 9999 || c->month < 1 || c->month > 12 || c->day < 1 ||
        c->day > days_in_month(c->year, c->month))
        return false;
    if (c->hour < 0 || c->hour > 23 || c->minute < 0 || c->minute > 59 || c->second < 0 || c->second > 59 ||
        c->millisecond < 0 || c->millisecond > 999)
        return false;
    *ret_ms = cot_days_from_civil(c->year, c->month, c->day) * COT_MS_PER_DAY + c->hour * COT_MS_PER_HOUR +
              c->minute * INT64_C(60000) + c->second * COT_MS_PER_SECOND + c->millisecond;
    return true;
}

int64_t cot_wall_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

int64_t cot_ms_to_days(int64_t ms)
{
    return ms >= 0 ? ms / COT_MS_PER_DAY : -((-ms + COT_MS_PER_DAY - 1) / COT_MS_PER_DAY);
}

void cot_civil_from_ms(int64_t ms, struct cot_civil *ret_civil)
{
    int64_t days = cot_ms_to_days(ms);
    int64_t rest = ms - days * COT_MS_PER_DAY;
    int64_t z = days + 719468;
    int64_t era = (z >= 0 ? z : z - 146096) / 146097;
    int64_t doe = z - era * 146097;
    int64_t yoe = (doe - doe / 1460 + doe / 36524 - doe / 146096) / 365;
    int64_t doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
    int64_t mp = (5 * doy + 2) / 153;
    ret_civil->day = (int)(doy - (153 * mp + 2) / 5 + 1);
    ret_civil->month = (int)(mp < 10 ? mp + 3 : mp - 9);
    ret_civil->year = (int)(yoe + era * 400 + (ret_civil->month <= 2));
    ret_civil->hour = (int)(rest / COT_MS_PER_HOUR);
    ret_civil->minute = (int)(rest / 60000 % 60);
    ret_civil->second = (int)(rest / 1000 % 60);
    ret_civil->millisecond = (int)(rest % 1000);
}

int cot_weekday(int64_t days)
{
    int64_t w = (days + 3) % 7; /* 1970-01-01 was a Thursday */
    return (int)(w < 0 ? w + 7 : w);
}

static void put_digits(char **at, int value, int n, char then)
{
    for (int i = n; i-- > 0; value /= 10)
        (*at)[i] = (char)('0' + value % 10);
    (*at)[n] = then;
    *at += n + 1;
}

void cot_format_time(int64_t ms, char *ret_text, size_t size)
{
    struct cot_civil c;
    cot_civil_from_ms(ms, &c);
    if (c.year < 0 || c.year > 9999 || size < COT_TIME_TEXT_SIZE) {
        snprintf(ret_text, size, "%04d-%02d-%02dT%02d:%02d:%02d.%03dZ", c.year, c.month, c.day, c.hour, c.minute,
                 c.second, c.millisecond);
        return;
    }
    char *at = ret_text; /* by hand: every answer has several of these */
    put_digits(&at, c.year, 4, '-');
    put_digits(&at, c.month, 2, '-');
    put_digits(&at, c.day, 2, 'T');
    put_digits(&at, c.hour, 2, ':');
    put_digits(&at, c.minute, 2, ':');
    put_digits(&at, c.second, 2, c.millisecond != 0 ? '.' : 'Z');
    if (c.millisecond != 0)
        put_digits(&at, c.millisecond, 3, 'Z');
    *at = '\0';
}

void cot_format_date(int64_t ms, char *ret_text, size_t size)
{
    struct cot_civil c;
    cot_civil_from_ms(ms, &c);
    snprintf(ret_text, size, "%04d-%02d-%02d", c.year, c.month, c.day);
}

/* Reads exactly n digits at *at. */
static bool take_digits(const char *text, size_t size, size_t *at, int n, int *ret_value)
{
    int value = 0;
    for (int i = 0; i < n; i++) {
        if (*at >= size || text[*at] < '0' || text[*at] > '9')
            return false;
        value = value * 10 + (text[(*at)++] - '0');
    }
    *ret_value = value;
    return true;
}

static bool take_char(const char *text, size_t size, size_t *at, char expected)
{
    if (*at >= size || text[*at] != expected)
        return false;
    (*at)++;
    return true;
}

static bool take_offset(const char *text, size_t size, size_t *at, int64_t *ret_offset_ms)
{
    int hours = 0;
    int minutes = 0;
    *ret_offset_ms = 0;
    if (*at < size && text[*at] == ' ')
        (*at)++;
    if (*at == size)
        return true;
    if (take_char(text, size, at, 'Z') || take_char(text, size, at, 'z'))
        return *at == size;
    if (size - *at == 3 && memcmp(text + *at, "UTC", 3) == 0)
        return true;
    int sign = text[*at] == '+' ? 1 : text[*at] == '-' ? -1 : 0;
    if (sign == 0)
        return false;
    (*at)++;
    if (!take_digits(text, size, at, 2, &hours))
        return false;
    take_char(text, size, at, ':');
    if (*at < size && !take_digits(text, size, at, 2, &minutes))
        return false;
    if (hours > 18 || minutes > 59)
        return false;
    *ret_offset_ms = sign * (hours * COT_MS_PER_HOUR + minutes * INT64_C(60000));
    return *at == size;
}

static bool take_clock(const char *text, size_t size, size_t *at, struct cot_civil *c)
{
    if (!take_digits(text, size, at, 2, &c->hour) || !take_char(text, size, at, ':') ||
        !take_digits(text, size, at, 2, &c->minute))
        return false;
    if (!take_char(text, size, at, ':'))
        return true;
    if (!take_digits(text, size, at, 2, &c->second))
        return false;
    if (!take_char(text, size, at, '.') && !take_char(text, size, at, ','))
        return true;
    int scale = 100;
    size_t begin = *at;
    for (; *at < size && text[*at] >= '0' && text[*at] <= '9'; (*at)++, scale /= 10)
        c->millisecond += (text[*at] - '0') * scale;
    return *at > begin;
}

bool cot_parse_iso(const char *text, size_t size, int64_t *ret_ms)
{
    struct cot_civil c = {0};
    size_t at = 0;
    int64_t offset_ms = 0;
    if (!take_digits(text, size, &at, 4, &c.year) || !take_char(text, size, &at, '-') ||
        !take_digits(text, size, &at, 2, &c.month) || !take_char(text, size, &at, '-') ||
        !take_digits(text, size, &at, 2, &c.day))
        return false;
    if (at < size) {
        if (!take_char(text, size, &at, 'T') && !take_char(text, size, &at, ' '))
            return false;
        if (!take_clock(text, size, &at, &c) || !take_offset(text, size, &at, &offset_ms))
            return false;
    }
    int64_t ms = 0;
    if (!cot_civil_to_ms(&c, &ms))
        return false;
    *ret_ms = ms - offset_ms;
    return true;
}

static cot_code zone_fill(struct cot_zone *zone, UCalendar *calendar, struct cot_err *err)
{
    UErrorCode status = U_ZERO_ERROR;
    double at = (double)(cot_days_from_civil(FIRST_YEAR, 1, 1) * COT_MS_PER_DAY);
    double last = (double)(cot_days_from_civil(LAST_YEAR, 1, 1) * COT_MS_PER_DAY);
    for (;;) {
        ucal_setMillis(calendar, at, &status);
        int32_t offset = ucal_get(calendar, UCAL_ZONE_OFFSET, &status) + ucal_get(calendar, UCAL_DST_OFFSET, &status);
        if (U_FAILURE(status))
            return cot_fail(err, COT_INTERNAL, "time zone '%s': %s", zone->name, u_errorName(status));
        zone->from_ms[zone->n] = zone->n == 0 ? INT64_MIN : (int64_t)at;
        zone->offset_ms[zone->n++] = offset;
        UDate next = 0;
        if (zone->n == MAX_TRANSITIONS ||
            !ucal_getTimeZoneTransitionDate(calendar, UCAL_TZ_TRANSITION_NEXT, &next, &status) || U_FAILURE(status) ||
            next > last)
            return COT_OK;
        at = next;
    }
}

cot_code cot_zone_open(const char *name, struct cot_zone **ret_zone, struct cot_err *err)
{
    UChar id[ZONE_NAME_SIZE];
    UChar canonical[ZONE_NAME_SIZE];
    UBool is_system = 0;
    UErrorCode status = U_ZERO_ERROR;
    struct cot_zone *zone = NULL;
    UCalendar *calendar = NULL;
    cot_code rc = COT_OK;

    if (strlen(name) >= ZONE_NAME_SIZE)
        return cot_fail(err, COT_USAGE, "'%.64s...' is not a time zone", name);
    u_uastrcpy(id, name);
    ucal_getCanonicalTimeZoneID(id, -1, canonical, ZONE_NAME_SIZE, &is_system, &status);
    if (U_FAILURE(status) || !is_system)
        return cot_fail(err, COT_USAGE, "'%s' is not a time zone: give an IANA name such as Europe/London", name);

    zone = calloc(1, sizeof *zone);
    if (zone == NULL)
        return cot_fail(err, COT_NOMEM, "time zone '%s'", name);
    snprintf(zone->name, sizeof zone->name, "%s", name);
    calendar = ucal_open(id, -1, "", UCAL_GREGORIAN, &status);
    if (U_FAILURE(status)) {
        rc = cot_fail(err, COT_INTERNAL, "time zone '%s': %s", name, u_errorName(status));
        goto out;
    }
    rc = zone_fill(zone, calendar, err);
    if (rc != COT_OK)
        goto out;
    *ret_zone = zone;
    zone = NULL;
out:
    if (calendar != NULL)
        ucal_close(calendar);
    cot_zone_free(zone);
    return rc;
}

void cot_zone_free(struct cot_zone *zone)
{
    free(zone);
}

const char *cot_zone_name(const struct cot_zone *zone)
{
    return zone != NULL ? zone->name : "UTC";
}

static int64_t zone_offset(const struct cot_zone *zone, int64_t utc_ms)
{
    size_t low = 0;
    size_t high = zone->n;
    while (high - low > 1) {
        size_t middle = (low + high) / 2;
        if (zone->from_ms[middle] <= utc_ms)
            low = middle;
        else
            high = middle;
    }
    return zone->offset_ms[low];
}

int64_t cot_zone_local(const struct cot_zone *zone, int64_t utc_ms)
{
    return zone == NULL ? utc_ms : utc_ms + zone_offset(zone, utc_ms);
}

int64_t cot_zone_utc(const struct cot_zone *zone, int64_t local_ms)
{
    if (zone == NULL)
        return local_ms;
    /* The offsets in force a day before and a day after bracket any transition near this wall clock. */
    int64_t before = zone_offset(zone, local_ms - COT_MS_PER_DAY);
    int64_t after = zone_offset(zone, local_ms + COT_MS_PER_DAY);
    if (zone_offset(zone, local_ms - before) == before)
        return local_ms - before;
    if (zone_offset(zone, local_ms - after) == after)
        return local_ms - after;
    return local_ms - before; /* in a gap: the wall clock that the old offset would show */
}
