#include <stdlib.h>
#include <string.h>

#include "cli/command.h"
#include "cli/segment_print.h"
#include "engine/segment.h"

static const struct cot_option options[] = {
    {"k", "N", "how many segments to learn, the extremes' own not counted; default: what the evidence says"},
    {"zoom", "N", "also show the tree at N segments: unions of segments, or parts of them"},
    {"as-of", "DATE", "what was known at the end of that day; default: the last day that has an event"},
    {"without-timeless", NULL, "leave out what undated traits say"},
    {"features", "NAME,...", "use these features alone ('coterie features list' shows all)"},
    {"exclude", "NAME,...", "never use these features"},
    {"with-predictions", NULL, "also use what 'coterie predict' said last: segments by what customers will do"},
    {NULL, NULL, NULL},
};

/* The words of a comma-separated list; *ret_copy holds their text. */
static cot_code split_list(const char *text, char **ret_copy, const char ***ret_words, size_t *ret_n,
                           struct cot_err *err)
{
    if (text == NULL)
        return COT_OK;
    char *copy = strdup(text);
    const char **words = calloc(strlen(text) + 1, sizeof *words);
    if (copy == NULL || words == NULL) {
        free(copy);
        free(words);
        return cot_fail(err, COT_NOMEM, "list of features");
    }
    char *rest = copy;
    for (char *word = NULL; (word = strsep(&rest, ",")) != NULL;)
        if (*word != '\0')
            words[(*ret_n)++] = word;
    *ret_copy = copy;
    *ret_words = words;
    return COT_OK;
}

static cot_code run(struct cot_call *call, struct cot_err *err)
{
    struct cot_segment_options segment = {.as_of = cot_call_value(call, "as-of"),
                                          .without_timeless = cot_call_flag(call, "without-timeless"),
                                          .with_predictions = cot_call_flag(call, "with-predictions")};
    yyjson_mut_doc *doc = NULL;
    char *features_text = NULL, *exclude_text = NULL;
    const char **features = NULL, **exclude = NULL;
    int64_t k = 0, zoom = 0;
    cot_code rc = cot_call_int(call, "k", 2, 100, &k, err);
    if (rc == COT_OK)
        rc = cot_call_int(call, "zoom", 1, 200, &zoom, err);
    if (rc == COT_OK)
        rc = split_list(cot_call_value(call, "features"), &features_text, &features, &segment.n_features, err);
    if (rc == COT_OK)
        rc = split_list(cot_call_value(call, "exclude"), &exclude_text, &exclude, &segment.n_exclude, err);
    segment.k = (size_t)k;
    segment.zoom = (size_t)zoom;
    segment.features = features;
    segment.exclude = exclude;
    if (rc == COT_OK)
        rc = cot_segment_run(&call->context, &segment, &doc, err);
    if (rc == COT_OK && call->json)
        rc = cot_print_json(doc, err);
    else if (rc == COT_OK)
        cot_segment_print(stdout, doc);
    yyjson_mut_doc_free(doc);
    free(features_text);
    free(features);
    free(exclude_text);
    free(exclude);
    return rc;
}

const struct cot_command cot_command_segment = {
    .name = "segment",
    .arguments = "",
    .n_min = 0,
    .n_max = 0,
    .summary = "find the segments, name and explain them",
    .help =
        "Learns groups of customers who are alike from everything that is known of them, finds out how many there\n"
        "are, and says of each what sets it apart, what it is worth and what to do with it. Customers of another\n"
        "order of magnitude (wholesalers, test accounts) get a segment of their own and do not bend the others.\n"
        "Customers without consent to analytics get no segment. Every run is kept; a segment that is met again keeps\n"
        "its id, name and colour.\n\n"
        "What was predicted of customers is left out unless asked for: it is made from the same behaviour and would\n"
        "count that twice, and segments would move whenever a model changes its mind.\n\n"
        "  coterie segment\n"
        "  coterie segment --k 5 --exclude country,age_band\n"
        "  coterie segment --zoom 3 --as-of 2011-06-30 --json\n"
        "  coterie segment --features value_tier,predicted_spend_365d,predicted_churn_90d\n\n"
        "See also: segment list, segment history, segment diff, customer show.",
    .options = options,
    .run = run,
};
