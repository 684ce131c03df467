#include "domain/segment_name.h"

#include "domain/feature.h"

#include <ctype.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Places of a name, in the order in which they are read. */
enum place { PLACE_STAGE, PLACE_FREQUENCY, PLACE_VALUE, PLACE_HABIT, PLACE_CHANNEL, PLACE_NOUN, PLACE_TAIL, N_PLACES };

/* What a feature's contrast is called. sign +1: more than others, -1: less. noun, where there is one, is used instead
 * of the adjective when the noun's place is free. weight makes plain words win over fine ones. */
struct phrase {
    const char *feature;
    int sign;
    enum place place;
    const char *text; /* adjective, or the tail's words */
    const char *noun;
    double weight;
};

#include "domain/segment_phrases.inc"

enum { N_PHRASES = sizeof phrases / sizeof phrases[0], MAX_PICKS = 24, TEXT_SIZE = 64 };

/* Below this many standard deviations a contrast isn't worth a word. */
static const double MIN_DIFFERENCE = 0.3;
/* ... nor below this part of the strongest one. */
static const double MIN_RELATIVE = 0.3;

struct pick {
    enum place place;
    char text[TEXT_SIZE];
    const char *noun;
    double strength;
};

const char *cot_segment_name_feature(size_t i)
{
    return i < N_PHRASES ? phrases[i].feature : NULL;
}

static const struct phrase *phrase_find(const char *feature, double difference)
{
    for (size_t i = 0; i < N_PHRASES; i++)
        if (strcmp(phrases[i].feature, feature) == 0 && (phrases[i].sign > 0) == (difference > 0))
            return &phrases[i];
    return NULL;
}

static const struct category_phrase *category_find(const char *feature)
{
    for (size_t i = 0; i < sizeof category_phrases / sizeof category_phrases[0]; i++)
        if (strcmp(category_phrases[i].feature, feature) == 0)
            return &category_phrases[i];
    return NULL;
}

/* pattern with its only %s replaced; false where it doesn't fit: a name of a name is too long to be one. */
static bool fill_pattern(const char *pattern, const char *word, char ret_text[TEXT_SIZE])
{
    const char *gap = strstr(pattern, "%s");
    int n = snprintf(ret_text, TEXT_SIZE, "%.*s%s%s", (int)(gap - pattern), pattern, word, gap + 2);
    return n >= 0 && n < TEXT_SIZE;
}

/* Words for a category: "from Germany", "home"; imported traits: "with children yes". */
static bool pick_category(const struct cot_name_contrast *contrast, struct pick *ret)
{
    const struct category_phrase *phrase = category_find(contrast->feature);
    char pattern[TEXT_SIZE];
    if (contrast->difference < 0)
        return false; /* "not from Germany" names nobody */
    if (phrase != NULL && phrase->pattern[0] == '\0')
        return false;
    snprintf(pattern, sizeof pattern, "with %.40s %%s", contrast->title);
    *ret = (struct pick){.place = phrase != NULL ? phrase->place : PLACE_TAIL,
                         .strength = fmin(contrast->difference, 4) * (phrase != NULL ? phrase->weight : 0.3)};
    return fill_pattern(phrase != NULL ? phrase->pattern : pattern, contrast->category, ret->text);
}

/* Words for a number that is no feature of the catalogue: an imported trait. Features without a row have no word. */
static bool pick_trait(const struct cot_name_contrast *contrast, struct pick *ret)
{
    for (size_t i = 0; i < cot_n_features; i++)
        if (strcmp(cot_features[i].name, contrast->feature) == 0)
            return false;
    *ret = (struct pick){.place = PLACE_TAIL, .strength = fmin(fabs(contrast->difference), 4) * 0.3};
    int n =
        snprintf(ret->text, sizeof ret->text, "with %s %s", contrast->difference > 0 ? "high" : "low", contrast->title);
    if (n < 0 || (size_t)n >= sizeof ret->text)
        return false;
    for (char *c = ret->text; *c != '\0'; c++)
        *c = (char)tolower((unsigned char)*c);
    return true;
}

static int pick_compare(const void *a, const void *b)
{
    double x = ((const struct pick *)a)->strength;
    double y = ((const struct pick *)b)->strength;
    return (x < y) - (x > y);
}

/* The phrases that apply, strongest first; one a place and wording. */
static size_t picks_of(const struct cot_name_request *request, struct pick *picks)
{
    size_t n = 0;
    double strongest = request->n_contrasts > 0 ? fabs(request->contrasts[0].difference) : 0;
    for (size_t i = 0; i < request->n_contrasts && n < MAX_PICKS; i++) {
        const struct cot_name_contrast *contrast = &request->contrasts[i];
        double size = fabs(contrast->difference);
        if (!(size >= MIN_DIFFERENCE) || size < MIN_RELATIVE * strongest)
            continue;
        const struct phrase *phrase = phrase_find(contrast->feature, contrast->difference);
        struct pick pick = {0};
        /* who ordered once has no habit of ordering, whatever the few others' gaps say */
        if (phrase != NULL && phrase->place == PLACE_FREQUENCY && request->one_time_share >= 0.5 &&
            strcmp(phrase->feature, "frequency") != 0)
            continue;
        if (phrase != NULL && contrast->category == NULL) {
            pick =
                (struct pick){.place = phrase->place, .noun = phrase->noun, .strength = fmin(size, 4) * phrase->weight};
            bool once = strcmp(phrase->text, "infrequent") == 0 && request->one_time_share >= 0.5;
            snprintf(pick.text, sizeof pick.text, "%s", once ? "one-time" : phrase->text);
        } else if (contrast->category != NULL ? !pick_category(contrast, &pick) : !pick_trait(contrast, &pick)) {
            continue;
        }
        picks[n++] = pick;
    }
    qsort(picks, n, sizeof *picks, pick_compare);
    return n;
}

/* Puts words at the end of a name; false where they don't fit. */
static bool join(char *name, const char *words)
{
    size_t used = strlen(name);
    int n = snprintf(name + used, COT_SEGMENT_NAME_SIZE - used, "%s%s", used > 0 ? " " : "", words);
    return n >= 0 && (size_t)n < COT_SEGMENT_NAME_SIZE - used;
}

/* A name from at most n_words of the picks, leaving out pick `skip`. False where there aren't that many. */
static bool compose(const struct cot_name_request *request, const struct pick *picks, size_t n_picks, size_t n_words,
                    size_t skip, char *ret_name)
{
    const char *places[N_PLACES] = {0};
    size_t n_used = 0;
    for (size_t i = 0; i < n_picks && n_used < n_words; i++) {
        /* what the noun says already needs no words of its own: no "returners with many returns" */
        if (i == skip || (picks[i].noun != NULL && picks[i].noun == places[PLACE_NOUN]))
            continue;
        if (picks[i].noun != NULL && places[PLACE_NOUN] == NULL)
            places[PLACE_NOUN] = picks[i].noun;
        else if (picks[i].text[0] != '\0' && places[picks[i].place] == NULL)
            places[picks[i].place] = picks[i].text;
        else
            continue;
        n_used++;
    }
    if (n_used < n_words)
        return false;
    if (places[PLACE_NOUN] == NULL)
        places[PLACE_NOUN] = request->buyer_share >= 0.5 ? "buyers" : "customers";
    if (n_used == 0)
        places[PLACE_STAGE] = "typical";
    ret_name[0] = '\0';
    for (int place = 0; place < N_PLACES; place++)
        if (places[place] != NULL && !join(ret_name, places[place]))
            return false;
    ret_name[0] = (char)toupper((unsigned char)ret_name[0]);
    return true;
}

static bool taken(char (*names)[COT_SEGMENT_NAME_SIZE], size_t n, const char *name)
{
    for (size_t i = 0; i < n; i++)
        if (strcmp(names[i], name) == 0)
            return true;
    return false;
}

/* The first composition that no sibling has: two words, then more, then another choice of words. ret_first is the first
 * of all. False where every one is taken. */
static bool compose_free(const struct cot_name_request *request, char (*names)[COT_SEGMENT_NAME_SIZE], size_t n,
                         char *ret_first, char *ret_name)
{
    static const size_t n_words[] = {2, 3, 1, 4, 0, 5};
    struct pick picks[MAX_PICKS];
    size_t n_picks = picks_of(request, picks);
    for (size_t leave_out = 0; leave_out <= n_picks; leave_out++) {
        for (size_t i = 0; i < sizeof n_words / sizeof n_words[0]; i++) {
            /* round 0 leaves out nothing, round r the r-th strongest */
            if (!compose(request, picks, n_picks, n_words[i], leave_out - 1, ret_name))
                continue;
            if (ret_first[0] == '\0')
                snprintf(ret_first, COT_SEGMENT_NAME_SIZE, "%s", ret_name);
            if (!taken(names, n, ret_name))
                return true;
        }
    }
    return false;
}

/* What the extremes are beyond: size upwards is wholesale; downwards, people who hardly began. */
static const char *extreme_name(const struct cot_name_request *request)
{
    if (request->buyer_share < 0.5)
        return "Extreme browsers";
    for (size_t i = 0; i < request->n_contrasts; i++)
        if (strcmp(request->contrasts[i].feature, "monetary_total") == 0 && request->contrasts[i].difference < 0)
            return "One-off extremes of little value";
    return "Wholesale-size buyers";
}

static void name_one(const struct cot_name_request *request, char (*names)[COT_SEGMENT_NAME_SIZE], size_t n,
                     char *ret_name)
{
    char first[COT_SEGMENT_NAME_SIZE] = "";
    char name[COT_SEGMENT_NAME_SIZE] = "";
    if (request->extreme)
        snprintf(first, sizeof first, "%s", extreme_name(request));
    else if (compose_free(request, names, n, first, name)) {
        memcpy(ret_name, name, sizeof name);
        return;
    }
    memcpy(name, first, sizeof name);
    for (int number = 2; taken(names, n, name); number++)
        snprintf(name, sizeof name, "%.80s (%d)", first, number);
    memcpy(ret_name, name, sizeof name);
}

struct turn {
    size_t i;
    double strength;
};

static int turn_compare(const void *a, const void *b)
{
    const struct turn *x = a;
    const struct turn *y = b;
    if (x->strength != y->strength)
        return x->strength < y->strength ? 1 : -1;
    return (x->i > y->i) - (x->i < y->i);
}

/* Whether the words stand in the name as words of their own. */
static bool has_words(const char *name, const char *words)
{
    size_t size = strlen(words);
    for (const char *at = name; size > 0 && (at = strcasestr(at, words)) != NULL; at++)
        if ((at == name || at[-1] == ' ') && (at[size] == '\0' || at[size] == ' '))
            return true;
    return false;
}

/* Whether a contrast of today still says what the words say; any feature with those words will do. */
static bool words_hold(const struct cot_name_request *request, const char *words)
{
    static const double still = 0.5; /* part of MIN_DIFFERENCE at which a word is dropped: hysteresis for names */
    for (size_t i = 0; i < request->n_contrasts; i++) {
        const struct phrase *phrase = phrase_find(request->contrasts[i].feature, request->contrasts[i].difference);
        if (phrase == NULL || fabs(request->contrasts[i].difference) < still * MIN_DIFFERENCE)
            continue;
        if (strcmp(phrase->text, words) == 0 || (phrase->noun != NULL && strcmp(phrase->noun, words) == 0))
            return true;
    }
    return false;
}

/* A name stays as long as each of its words is still true. */
static bool still_true(const struct cot_name_request *request)
{
    for (size_t i = 0; !request->extreme && i < N_PHRASES; i++) {
        const char *noun = phrases[i].noun;
        if (has_words(request->previous, phrases[i].text) && !words_hold(request, phrases[i].text))
            return false;
        if (noun != NULL && has_words(request->previous, noun) && !words_hold(request, noun))
            return false;
    }
    return true;
}

cot_code cot_segment_names(const struct cot_name_request *requests, size_t n, char (*ret_names)[COT_SEGMENT_NAME_SIZE],
                           struct cot_err *err)
{
    struct turn *turns = calloc(n + 1, sizeof *turns);
    if (turns == NULL)
        return cot_fail(err, COT_NOMEM, "names of %zu segments", n);
    for (size_t i = 0; i < n; i++) {
        turns[i] = (struct turn){.i = i, .strength = requests[i].strength};
        ret_names[i][0] = '\0';
    }
    qsort(turns, n, sizeof *turns, turn_compare);
    for (size_t t = 0; t < n; t++) {
        const struct cot_name_request *request = &requests[turns[t].i];
        if (request->previous != NULL && strlen(request->previous) < COT_SEGMENT_NAME_SIZE &&
            !taken(ret_names, n, request->previous) && (request->keep_previous || still_true(request)))
            snprintf(ret_names[turns[t].i], COT_SEGMENT_NAME_SIZE, "%s", request->previous);
    }
    for (size_t t = 0; t < n; t++)
        if (ret_names[turns[t].i][0] == '\0')
            name_one(&requests[turns[t].i], ret_names, n, ret_names[turns[t].i]);
    free(turns);
    return COT_OK;
}
