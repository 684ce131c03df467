#include "cli/segment_print.h"

#include <math.h>
#include <string.h>

#include "cli/table.h"

enum { WIDTH = 100, MAX_CONTRASTS = 5, PARAGRAPH_SIZE = 1600 };

static const char *text_of(yyjson_mut_val *object, const char *key)
{
    const char *text = yyjson_mut_get_str(yyjson_mut_obj_get(object, key));
    return text != NULL ? text : "";
}

static double number_of(yyjson_mut_val *object, const char *key)
{
    return yyjson_mut_get_num(yyjson_mut_obj_get(object, key));
}

void cot_print_wrapped(FILE *stream, const char *indent, const char *text)
{
    while (*text != '\0') {
        size_t n = strlen(text);
        size_t room = WIDTH - strlen(indent);
        if (n > room)
            for (n = room; n > 0 && text[n] != ' '; n--)
                ;
        if (n == 0)
            n = strlen(text);
        fprintf(stream, "%s%.*s\n", indent, (int)n, text);
        text += n;
        text += strspn(text, " ");
    }
}

/* A value of a feature in its unit: 4.2, 35%, 1,234.50. */
static void value_text(yyjson_mut_val *value, const char *unit, char *ret_text, size_t size)
{
    enum cot_format format = strcmp(unit, "share") == 0   ? COT_FORMAT_PERCENT
                             : strcmp(unit, "money") == 0 ? COT_FORMAT_MONEY
                                                          : COT_FORMAT_NUMBER;
    cot_format_value(value, format, ret_text, size);
}

static void append(char *paragraph, size_t *used, const char *text)
{
    int n = snprintf(paragraph + *used, PARAGRAPH_SIZE - *used, "%s", text);
    *used += n > 0 && (size_t)n < PARAGRAPH_SIZE - *used ? (size_t)n : 0;
}

static void append_contrast(char *paragraph, size_t *used, yyjson_mut_val *contrast)
{
    char own[64], all[64], text[400];
    double difference = number_of(contrast, "difference");
    const char *strength = fabs(difference) >= 1.5 ? "far " : fabs(difference) < 0.5 ? "a little " : "";
    const char *direction = difference > 0 ? "more" : "less";
    yyjson_mut_val *category = yyjson_mut_obj_get(contrast, "category");
    if (category != NULL) {
        value_text(yyjson_mut_obj_get(contrast, "segment_share"), "share", own, sizeof own);
        value_text(yyjson_mut_obj_get(contrast, "overall_share"), "share", all, sizeof all);
        snprintf(text, sizeof text, "%s %s %s (all: %s)", text_of(contrast, "title"), yyjson_mut_get_str(category), own,
                 all);
    } else {
        value_text(yyjson_mut_obj_get(contrast, "segment_median"), text_of(contrast, "unit"), own, sizeof own);
        value_text(yyjson_mut_obj_get(contrast, "overall_median"), text_of(contrast, "unit"), all, sizeof all);
        snprintf(text, sizeof text, "%s%s %s: %s (all: %s)", strength, direction, text_of(contrast, "title"), own, all);
    }
    append(paragraph, used, text);
}

static void print_contrasts(FILE *stream, yyjson_mut_val *segment)
{
    char paragraph[PARAGRAPH_SIZE] = "";
    size_t used = 0, i, n;
    yyjson_mut_val *contrast;
    yyjson_mut_arr_foreach(yyjson_mut_obj_get(segment, "contrasts"), i, n, contrast)
    {
        if (i == MAX_CONTRASTS)
            break;
        if (i > 0)
            append(paragraph, &used, "; ");
        append_contrast(paragraph, &used, contrast);
    }
    if (used == 0)
        append(paragraph, &used, "like the average customer in every respect");
    cot_print_wrapped(stream, "  ", paragraph);
}

static void print_segment(FILE *stream, yyjson_mut_val *segment)
{
    char line[600];
    yyjson_mut_val *detail = yyjson_mut_obj_get(segment, "strategy_detail");
    yyjson_mut_val *stability = yyjson_mut_obj_get(segment, "stability");
    fprintf(stream, "\n%s (id %lld)\n", text_of(segment, "name"), (long long)number_of(segment, "id"));
    print_contrasts(stream, segment);
    snprintf(line, sizeof line, "Rule: %s. It covers %.0f%% of them and is right for %.0f%% of those it selects.",
             text_of(segment, "rule"), 100 * number_of(segment, "coverage"), 100 * number_of(segment, "precision"));
    cot_print_wrapped(stream, "  ", line);
    snprintf(line, sizeof line, "Do: %s. %s", text_of(segment, "strategy"), text_of(detail, "why"));
    cot_print_wrapped(stream, "  ", line);
    if (yyjson_mut_is_num(stability) && yyjson_mut_get_num(stability) < 0.75)
        fprintf(stream, "  Its borders are soft: %.0f%% the same customers when learned anew from a resample.\n",
                100 * yyjson_mut_get_num(stability));
}

static void print_evidence(FILE *stream, yyjson_mut_val *root)
{
    static const struct cot_column columns[] = {
        {"k", "k", COT_FORMAT_COUNT, 0},
        {"stability", "stability", COT_FORMAT_NUMBER, 0},
        {"silhouette", "silhouette", COT_FORMAT_NUMBER, 0},
        {"bic", "BIC", COT_FORMAT_COUNT, 0},
        {"score", "score", COT_FORMAT_NUMBER, 0},
        {NULL, NULL, COT_FORMAT_TEXT, 0},
    };
    yyjson_mut_val *evidence = yyjson_mut_obj_get(root, "evidence");
    fprintf(stream, "\nHow many segments\n");
    cot_table_print(stream, yyjson_mut_obj_get(evidence, "candidates"), columns);
    cot_print_wrapped(stream, "", text_of(evidence, "why"));
}

static void print_dropped(FILE *stream, yyjson_mut_val *root)
{
    yyjson_mut_val *row;
    char paragraph[PARAGRAPH_SIZE] = "";
    size_t used = 0, i, n;
    yyjson_mut_arr_foreach(yyjson_mut_obj_get(root, "dropped_features"), i, n, row)
    {
        char text[300];
        if (strcmp(text_of(row, "reason"), "duplicate") != 0 && strcmp(text_of(row, "reason"), "identifying") != 0)
            continue;
        snprintf(text, sizeof text, "%s%s (%s: %s)", used > 0 ? "; " : "", text_of(row, "title"),
                 text_of(row, "reason"), text_of(row, "detail"));
        append(paragraph, &used, text);
    }
    fprintf(stream, "\n%zu features used, %zu left out for want of data, variance or anything new.\n",
            yyjson_mut_arr_size(yyjson_mut_obj_get(root, "features")),
            yyjson_mut_arr_size(yyjson_mut_obj_get(root, "dropped_features")));
    if (used > 0)
        cot_print_wrapped(stream, "  ", paragraph);
}

static void print_zoom(FILE *stream, yyjson_mut_val *root)
{
    static const struct cot_column columns[] = {
        {"id", "id", COT_FORMAT_TEXT, 24},
        {"name", "at this level", COT_FORMAT_TEXT, 60},
        {"size", "customers", COT_FORMAT_COUNT, 0},
        {"share", "share", COT_FORMAT_PERCENT, 0},
        {"revenue", "revenue", COT_FORMAT_MONEY, 0},
        {"revenue_share", "of revenue", COT_FORMAT_PERCENT, 0},
        {NULL, NULL, COT_FORMAT_TEXT, 0},
    };
    yyjson_mut_val *zoom = yyjson_mut_obj_get(root, "zoom");
    if (!yyjson_mut_is_obj(zoom))
        return;
    fprintf(stream, "\nThe tree at %lld segments\n", (long long)number_of(zoom, "n"));
    cot_table_print(stream, yyjson_mut_obj_get(zoom, "segments"), columns);
}

static void print_heads(FILE *stream, yyjson_mut_val *array, const char *title)
{
    yyjson_mut_val *head;
    size_t i, n;
    yyjson_mut_arr_foreach(array, i, n, head)
        fprintf(stream, "  %s: %s (id %lld)\n", title, text_of(head, "name"), (long long)number_of(head, "id"));
}

static void print_parts(FILE *stream, yyjson_mut_val *array, const char *title, const char *key)
{
    yyjson_mut_val *whole, *part;
    size_t i, n, j, m;
    yyjson_mut_arr_foreach(array, i, n, whole)
    {
        fprintf(stream, "  %s: %s (id %lld) %s", title, text_of(whole, "name"), (long long)number_of(whole, "id"), key);
        yyjson_mut_arr_foreach(yyjson_mut_obj_get(whole, key), j, m, part) fprintf(
            stream, "%s %s (%lld)", j > 0 ? "," : "", text_of(part, "name"), (long long)number_of(part, "customers"));
        fputc('\n', stream);
    }
}

void cot_segment_print_changes(FILE *stream, yyjson_mut_val *changes)
{
    yyjson_mut_val *from = yyjson_mut_obj_get(changes, "from");
    yyjson_mut_val *to = yyjson_mut_obj_get(changes, "to");
    fprintf(stream,
            "From run %lld (%s) to run %lld (%s): %lld customers in both, %lld of them in another segment now "
            "(%.1f%%); %lld joined, %lld left.\n",
            (long long)number_of(from, "run"), text_of(from, "as_of_day"), (long long)number_of(to, "run"),
            text_of(to, "as_of_day"), (long long)number_of(changes, "common"), (long long)number_of(changes, "moved"),
            100 * number_of(changes, "moved_share"), (long long)number_of(changes, "joined"),
            (long long)number_of(changes, "left"));
    print_heads(stream, yyjson_mut_obj_get(changes, "births"), "new");
    print_heads(stream, yyjson_mut_obj_get(changes, "deaths"), "gone");
    print_parts(stream, yyjson_mut_obj_get(changes, "splits"), "split", "into");
    print_parts(stream, yyjson_mut_obj_get(changes, "merges"), "merged", "from");
}

void cot_segment_print(FILE *stream, yyjson_mut_doc *doc)
{
    static const struct cot_column columns[] = {
        {"id", "id", COT_FORMAT_COUNT, 0},
        {"name", "segment", COT_FORMAT_TEXT, 48},
        {"size", "customers", COT_FORMAT_COUNT, 0},
        {"share", "share", COT_FORMAT_PERCENT, 0},
        {"revenue", "revenue", COT_FORMAT_MONEY, 0},
        {"revenue_share", "of revenue", COT_FORMAT_PERCENT, 0},
        {"stability", "stability", COT_FORMAT_NUMBER, 0},
        {"strategy", "do", COT_FORMAT_TEXT, 0},
        {NULL, NULL, COT_FORMAT_TEXT, 0},
    };
    yyjson_mut_val *root = yyjson_mut_doc_get_root(doc);
    yyjson_mut_val *segments = yyjson_mut_obj_get(root, "segments");
    yyjson_mut_val *excluded = yyjson_mut_obj_get(root, "excluded");
    yyjson_mut_val *changes = yyjson_mut_obj_get(root, "changes");
    yyjson_mut_val *segment;
    size_t i, n;
    fprintf(stream, "%lld segments of %lld customers as of %s (run %lld)%s%s\n\n", (long long)number_of(root, "k"),
            (long long)number_of(root, "customers"), text_of(root, "as_of_day"), (long long)number_of(root, "run"),
            text_of(root, "currency")[0] != '\0' ? "; revenue in " : "", text_of(root, "currency"));
    cot_table_print(stream, segments, columns);
    if (number_of(excluded, "no_analytics_consent") + number_of(excluded, "no_data") > 0)
        fprintf(stream, "%lld customers without consent to analytics and %lld without data have no segment.\n",
                (long long)number_of(excluded, "no_analytics_consent"), (long long)number_of(excluded, "no_data"));
    yyjson_mut_arr_foreach(segments, i, n, segment) print_segment(stream, segment);
    print_zoom(stream, root);
    print_evidence(stream, root);
    print_dropped(stream, root);
    if (yyjson_mut_is_obj(changes)) {
        fputc('\n', stream);
        cot_segment_print_changes(stream, changes);
    }
}
