#include "engine/segment_document.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "coterie/medoids.h"

enum { MAX_CONTRASTS = 12, HEATMAP_FEATURES = 16, RULE_SIZE = 400 };

static double major(const struct cot_segment_parts *p, int64_t minor)
{
    return (double)minor / p->money->minor_per_major;
}

static double ratio(double a, double b)
{
    return b > 0 ? a / b : 0;
}

static void add_rounded(yyjson_mut_doc *doc, yyjson_mut_val *object, const char *key, double value, int n_digits)
{
    cot_json_add_number(doc, object, key, cot_json_round(value, n_digits));
}

static void add_totals(const struct cot_segment_parts *p, yyjson_mut_doc *doc, yyjson_mut_val *object, size_t size,
                       int64_t revenue_minor)
{
    yyjson_mut_obj_add_uint(doc, object, "size", size);
    add_rounded(doc, object, "share", ratio((double)size, (double)p->learned->n), 6);
    yyjson_mut_obj_add_real(doc, object, "revenue", major(p, revenue_minor));
    add_rounded(doc, object, "revenue_share", ratio((double)revenue_minor, (double)p->description->revenue_minor), 6);
}

/* "5", "0.25", "12.5", "1,234": a threshold as people read it. */
static void format_number(double value, const char *unit, char *ret_text, size_t size)
{
    if (strcmp(unit, "share") == 0)
        snprintf(ret_text, size, "%.4g%%", 100 * value);
    else if (fabs(value) >= 10000)
        snprintf(ret_text, size, "%.0f", value);
    else
        snprintf(ret_text, size, "%.4g", value);
}

static const struct cot_feature_column *column_of(const struct cot_segment_parts *p, size_t i_column)
{
    return &p->matrix->columns[p->learned->space->columns[i_column].i_matrix];
}

/* Counts of things are whole: "Orders above 4" is said as "at least 5". */
static bool is_whole_unit(const char *unit)
{
    static const char *const units[] = {"orders",     "items", "events",   "e-mails", "sessions",
                                        "categories", "views", "channels", "persons"};
    for (size_t i = 0; i < sizeof units / sizeof units[0]; i++)
        if (strcmp(units[i], unit) == 0)
            return true;
    return false;
}

static bool is_average(const char *name)
{
    return strncmp(name, "basket_", 7) == 0 || strncmp(name, "session_", 8) == 0;
}

static void add_condition(const struct cot_segment_parts *p, const struct cot_rule_condition *condition,
                          yyjson_mut_doc *doc, yyjson_mut_val *array, char *text, size_t *used)
{
    const struct cot_feature_column *column = column_of(p, condition->i_column);
    yyjson_mut_val *object = yyjson_mut_arr_add_obj(doc, array);
    bool category = condition->op == COT_RULE_IS || condition->op == COT_RULE_IS_NOT;
    bool above = condition->op == COT_RULE_ABOVE;
    bool whole = is_whole_unit(column->unit) && !is_average(column->name);
    double value = whole ? floor(condition->value) + above : condition->value;
    char number[32] = "";
    const char *word = number;
    const char *verb = condition->op == COT_RULE_IS       ? "is"
                       : condition->op == COT_RULE_IS_NOT ? "is not"
                       : above                            ? (whole ? "at least" : "above")
                                                          : "at most";
    const char *sign = category ? verb : above ? (whole ? ">=" : ">") : "<=";
    yyjson_mut_obj_add_strcpy(doc, object, "feature", column->name);
    yyjson_mut_obj_add_strcpy(doc, object, "title", column->title);
    yyjson_mut_obj_add_strcpy(doc, object, "unit", column->unit);
    yyjson_mut_obj_add_str(doc, object, "op", sign);
    if (category) {
        size_t code = (size_t)condition->value;
        word = code < column->n_categories ? column->category_names[code] : "?";
        yyjson_mut_obj_add_strcpy(doc, object, "value", word);
    } else {
        format_number(value, column->unit, number, sizeof number);
        yyjson_mut_obj_add_real(doc, object, "value", value);
    }
    int n = snprintf(text + *used, RULE_SIZE - *used, "%s%s %s %s%s", *used > 0 ? " and " : "", column->title, verb,
                     word, strcmp(column->unit, "days") == 0 ? " days" : "");
    *used += n > 0 && (size_t)n < RULE_SIZE - *used ? (size_t)n : 0;
}

static void add_rule(const struct cot_segment_parts *p, size_t a, yyjson_mut_doc *doc, yyjson_mut_val *object)
{
    const struct cot_rule *rule = &p->description->segments[a].rule;
    yyjson_mut_val *conditions = yyjson_mut_arr(doc);
    char text[RULE_SIZE] = "";
    size_t used = 0;
    for (size_t i = 0; i < rule->n_conditions; i++)
        add_condition(p, &rule->conditions[i], doc, conditions, text, &used);
    yyjson_mut_obj_add_strcpy(doc, object, "rule", used > 0 ? text : "no short rule tells them apart");
    yyjson_mut_obj_add_val(doc, object, "conditions", conditions);
    add_rounded(doc, object, "coverage", rule->coverage, 4);
    add_rounded(doc, object, "precision", rule->precision, 4);
}

static void add_contrast(const struct cot_segment_parts *p, size_t a, size_t o, const char *category,
                         yyjson_mut_doc *doc, yyjson_mut_val *array)
{
    const struct cot_description *d = p->description;
    const struct cot_contrast *contrast = &d->contrasts[a * d->d + o];
    size_t j = cot_transform_source(p->learned->space->transform, o, NULL);
    const struct cot_feature_column *column = column_of(p, j);
    yyjson_mut_val *object = yyjson_mut_arr_add_obj(doc, array);
    yyjson_mut_obj_add_strcpy(doc, object, "feature", column->name);
    yyjson_mut_obj_add_strcpy(doc, object, "title", column->title);
    yyjson_mut_obj_add_strcpy(doc, object, "unit", column->unit);
    yyjson_mut_obj_add_str(doc, object, "group", cot_feature_group_name(column->group));
    add_rounded(doc, object, "difference", contrast->difference, 4);
    cot_json_add_number(doc, object, "p", contrast->p);
    cot_json_add_number(doc, object, "q", contrast->q);
    if (category != NULL) {
        yyjson_mut_obj_add_strcpy(doc, object, "category", category);
        add_rounded(doc, object, "segment_share", d->shares[a * d->d + o], 4);
        add_rounded(doc, object, "overall_share", d->overall_shares[o], 4);
        return;
    }
    add_rounded(doc, object, "segment_mean", d->means[a * d->c + j], 4);
    add_rounded(doc, object, "overall_mean", d->overall_means[j], 4);
    add_rounded(doc, object, "segment_median", d->medians[a * d->c + j], 4);
    add_rounded(doc, object, "overall_median", d->overall_medians[j], 4);
}

/* Strongest first. scratch: struct and outputs for d contrasts. */
static void add_contrasts(const struct cot_segment_parts *p, size_t a, struct cot_name_contrast *scratch,
                          size_t *outputs, double *differences, yyjson_mut_doc *doc, yyjson_mut_val *object)
{
    const struct cot_description *d = p->description;
    yyjson_mut_val *array = yyjson_mut_arr(doc);
    for (size_t o = 0; o < d->d; o++)
        differences[o] = d->contrasts[a * d->d + o].difference;
    size_t n = cot_describe_differences(p->matrix, p->learned->space, differences, scratch, outputs);
    for (size_t i = 0; i < n && yyjson_mut_arr_size(array) < MAX_CONTRASTS; i++) {
        const struct cot_contrast *contrast = &d->contrasts[a * d->d + outputs[i]];
        if (fabs(contrast->difference) < COT_CONTRAST_MIN)
            break;
        if (contrast->q <= COT_CONTRAST_MAX_Q)
            add_contrast(p, a, outputs[i], scratch[i].category, doc, array);
    }
    yyjson_mut_obj_add_val(doc, object, "contrasts", array);
}

static void add_strategy(const struct cot_segment_parts *p, size_t a, yyjson_mut_doc *doc, yyjson_mut_val *object)
{
    const struct cot_segment_numbers *numbers = &p->description->segments[a];
    const struct cot_strategy_input *in = &numbers->strategy_input;
    yyjson_mut_val *detail = yyjson_mut_obj(doc);
    yyjson_mut_obj_add_str(doc, object, "strategy", cot_strategy_name(numbers->advice.strategy));
    yyjson_mut_obj_add_val(doc, object, "strategy_detail", detail);
    yyjson_mut_obj_add_str(doc, detail, "action", cot_strategy_name(numbers->advice.strategy));
    yyjson_mut_obj_add_strcpy(doc, detail, "why", numbers->advice.why);
    yyjson_mut_val *values = yyjson_mut_obj_add_obj(doc, detail, "numbers");
    add_rounded(doc, values, "value_ratio", in->value_ratio, 4);
    add_rounded(doc, values, "overdue", numbers->advice.overdue, 4);
    add_rounded(doc, values, "recency_days", in->recency_days, 2);
    add_rounded(doc, values, "orders", in->orders, 2);
    add_rounded(doc, values, "one_time_share", in->one_time_share, 4);
    add_rounded(doc, values, "buyer_share", in->buyer_share, 4);
    add_rounded(doc, values, "tenure_days", in->tenure_days, 2);
    add_rounded(doc, values, "trend", in->trend, 4);
}

static void add_prototypes(const struct cot_segment_parts *p, size_t a, yyjson_mut_doc *doc, yyjson_mut_val *object)
{
    const struct cot_segment_numbers *numbers = &p->description->segments[a];
    yyjson_mut_val *array = yyjson_mut_obj_add_arr(doc, object, "prototypes");
    for (size_t i = 0; i < COT_PROTOTYPES && numbers->prototypes[i] != COT_MEDOIDS_NONE; i++) {
        char buffer[COT_ANONYMOUS_ID_SIZE];
        size_t size = 0;
        uint32_t customer = p->matrix->customers[p->learned->rows[numbers->prototypes[i]]];
        const char *id = cot_shop_customer_id(p->shop, cot_shop_customer_of(p->shop, customer), buffer, &size);
        yyjson_mut_val *prototype = yyjson_mut_arr_add_obj(doc, array);
        yyjson_mut_obj_add_uint(doc, prototype, "customer", customer);
        yyjson_mut_obj_add_strncpy(doc, prototype, "customer_id", id, size);
        add_rounded(doc, prototype, "distance", numbers->prototype_distances[i], 4);
    }
}

static void add_change(const struct cot_segment_parts *p, size_t a, yyjson_mut_doc *doc, yyjson_mut_val *object)
{
    const struct cot_segment_row *row = p->before != NULL ? cot_segment_run_segment(p->before, p->ids[a]) : NULL;
    if (p->before == NULL)
        yyjson_mut_obj_add_null(doc, object, "change");
    else
        yyjson_mut_obj_add_str(
            doc, object, "change",
            cot_segment_change_name(row != NULL ? row->size : -1, (int64_t)p->description->segments[a].size));
    if (row != NULL)
        yyjson_mut_obj_add_int(doc, object, "previous_size", row->size);
    else
        yyjson_mut_obj_add_null(doc, object, "previous_size");
}

static void add_profile(const struct cot_segment_parts *p, size_t a, yyjson_mut_doc *doc, yyjson_mut_val *object)
{
    const struct cot_description *d = p->description;
    yyjson_mut_val *profile = yyjson_mut_obj_add_obj(doc, object, "profile");
    for (size_t j = 0; j < d->c; j++)
        if (p->learned->space->columns[j].n_categories == 0) {
            double value = cot_json_round(d->medians[a * d->c + j], 4);
            yyjson_mut_obj_add(profile, yyjson_mut_strcpy(doc, column_of(p, j)->name),
                               isfinite(value) ? yyjson_mut_real(doc, value) : yyjson_mut_null(doc));
        }
}

static yyjson_mut_val *segment_of(const struct cot_segment_parts *p, size_t a, struct cot_name_contrast *scratch,
                                  size_t *outputs, double *differences, yyjson_mut_doc *doc)
{
    const struct cot_segment_numbers *numbers = &p->description->segments[a];
    yyjson_mut_val *object = yyjson_mut_obj(doc);
    yyjson_mut_obj_add_int(doc, object, "id", p->ids[a]);
    yyjson_mut_obj_add_strcpy(doc, object, "name", numbers->name);
    yyjson_mut_obj_add_str(doc, object, "color", p->colors[a]);
    yyjson_mut_obj_add_str(doc, object, "kind", a == p->learned->extreme ? "extreme" : "learned");
    add_totals(p, doc, object, numbers->size, numbers->revenue_minor);
    add_rule(p, a, doc, object);
    add_rounded(doc, object, "stability", p->learned->jaccards[a], 4);
    add_contrasts(p, a, scratch, outputs, differences, doc, object);
    add_strategy(p, a, doc, object);
    add_prototypes(p, a, doc, object);
    add_change(p, a, doc, object);
    add_profile(p, a, doc, object);
    return object;
}

static void order_by_revenue(const struct cot_description *d, size_t *ret_order)
{
    for (size_t a = 0; a < d->k; a++) {
        size_t at = a;
        for (; at > 0 && d->segments[ret_order[at - 1]].revenue_minor < d->segments[a].revenue_minor; at--)
            ret_order[at] = ret_order[at - 1];
        ret_order[at] = a;
    }
}

static cot_code add_segments(const struct cot_segment_parts *p, yyjson_mut_doc *doc, yyjson_mut_val *root,
                             yyjson_mut_val **ret_segments, struct cot_err *err)
{
    const struct cot_description *d = p->description;
    struct cot_name_contrast *scratch = calloc(d->d + 1, sizeof *scratch);
    size_t *outputs = calloc(d->d + d->k + 1, sizeof *outputs);
    double *differences = calloc(d->d + 1, sizeof *differences);
    cot_code rc = COT_OK;
    if (scratch == NULL || outputs == NULL || differences == NULL) {
        rc = cot_fail(err, COT_NOMEM, "document of %zu segments", d->k);
        goto out;
    }
    size_t *order = outputs + d->d;
    order_by_revenue(d, order);
    yyjson_mut_val *array = yyjson_mut_obj_add_arr(doc, root, "segments");
    for (size_t i = 0; i < d->k; i++) {
        ret_segments[order[i]] = segment_of(p, order[i], scratch, outputs, differences, doc);
        yyjson_mut_arr_append(array, ret_segments[order[i]]);
    }
out:
    free(scratch);
    free(outputs);
    free(differences);
    return rc;
}

/* Why this k, in a sentence. */
static void add_why(const struct cot_segment_parts *p, yyjson_mut_doc *doc, yyjson_mut_val *object)
{
    const struct cot_k_choice *choice = &p->learned->evidence;
    const struct cot_k_evidence *chosen = NULL;
    size_t by_bic = 0, by_stability = 0, by_silhouette = 0;
    bool any_stable = false;
    char text[600];
    for (size_t e = 0; e < choice->n_evidence; e++) {
        const struct cot_k_evidence *x = &choice->evidence[e];
        chosen = x->k == choice->k ? x : chosen;
        any_stable = any_stable || x->stable;
        by_bic = x->bic < choice->evidence[by_bic].bic ? e : by_bic;
        by_stability = x->stability > choice->evidence[by_stability].stability ? e : by_stability;
        by_silhouette = x->silhouette > choice->evidence[by_silhouette].silhouette ? e : by_silhouette;
    }
    if (chosen == NULL)
        return;
    snprintf(text, sizeof text,
             "%zu%s: stability %.2f, silhouette %.2f, score %.2f. Alone, stability would say %zu, silhouette %zu, BIC "
             "%zu.%s%s",
             choice->k, p->options->k > 0 ? " as asked for" : " has the best of all three together", chosen->stability,
             chosen->silhouette, chosen->score, choice->evidence[by_stability].k, choice->evidence[by_silhouette].k,
             choice->evidence[by_bic].k,
             any_stable ? ""
                        : " No number is stable here: customers differ by degrees, and resampled they part elsewhere.",
             p->learned->extreme != SIZE_MAX ? " One more holds those of another order of magnitude, set apart before."
                                             : "");
    yyjson_mut_obj_add_strcpy(doc, object, "why", text);
}

static void add_evidence(const struct cot_segment_parts *p, yyjson_mut_doc *doc, yyjson_mut_val *root)
{
    const struct cot_learned *learned = p->learned;
    yyjson_mut_val *object = yyjson_mut_obj_add_obj(doc, root, "evidence");
    size_t n_extreme = learned->extreme != SIZE_MAX ? p->description->segments[learned->extreme].size : 0;
    yyjson_mut_obj_add_str(doc, object, "chosen_by", p->options->k > 0 ? "option" : "evidence");
    add_why(p, doc, object);
    yyjson_mut_obj_add_uint(doc, object, "sample", learned->evidence.n_sample);
    yyjson_mut_val *array = yyjson_mut_obj_add_arr(doc, object, "candidates");
    for (size_t e = 0; e < learned->evidence.n_evidence; e++) {
        const struct cot_k_evidence *x = &learned->evidence.evidence[e];
        yyjson_mut_val *candidate = yyjson_mut_arr_add_obj(doc, array);
        yyjson_mut_obj_add_uint(doc, candidate, "k", x->k);
        add_rounded(doc, candidate, "stability", x->stability, 4);
        add_rounded(doc, candidate, "stability_error", learned->stability_deviations[e], 4);
        add_rounded(doc, candidate, "silhouette", x->silhouette, 4);
        add_rounded(doc, candidate, "bic", x->bic, 1);
        add_rounded(doc, candidate, "score", x->score, 4);
        yyjson_mut_obj_add_bool(doc, candidate, "chosen", x->k == learned->evidence.k);
    }
    yyjson_mut_obj_add_uint(doc, object, "features_used", learned->space->n_columns);
    yyjson_mut_obj_add_uint(doc, object, "components", learned->n_components);
    yyjson_mut_obj_add_uint(doc, object, "axes", learned->discriminant->q);
    yyjson_mut_obj_add_uint(doc, object, "extremes", n_extreme);
}

/* "2" of a segment, "2+5" of a union, "2.1" of a part. */
static void node_id(const struct cot_segment_parts *p, size_t i_node, char *ret_text, size_t size)
{
    const struct cot_segment_node *node = &p->tree->nodes[i_node];
    char other[160];
    if (i_node < p->tree->k) {
        snprintf(ret_text, size, "%d", p->ids[i_node]);
    } else if (node->segment != COT_TREE_NONE) {
        const struct cot_segment_node *parent = &p->tree->nodes[node->parent];
        node_id(p, node->parent, other, sizeof other);
        snprintf(ret_text, size, "%.140s.%d", other, parent->children[1] == i_node ? 2 : 1);
    } else {
        char first[160];
        node_id(p, node->children[0], first, sizeof first);
        node_id(p, node->children[1], other, sizeof other);
        snprintf(ret_text, size, "%.76s+%.76s", first, other);
    }
}

static yyjson_mut_val *node_of(const struct cot_segment_parts *p, size_t i_node, yyjson_mut_doc *doc)
{
    const struct cot_segment_node *node = &p->tree->nodes[i_node];
    yyjson_mut_val *object = yyjson_mut_obj(doc);
    char id[160];
    node_id(p, i_node, id, sizeof id);
    yyjson_mut_obj_add_strcpy(doc, object, "id", id);
    yyjson_mut_obj_add_strcpy(doc, object, "name", node->name);
    add_totals(p, doc, object, node->size, node->revenue_minor);
    add_rounded(doc, object, "height", node->height, 4);
    if (i_node < p->tree->k) {
        yyjson_mut_obj_add_int(doc, object, "segment", p->ids[i_node]);
        yyjson_mut_obj_add_str(doc, object, "color", p->colors[i_node]);
    }
    yyjson_mut_val *children = yyjson_mut_obj_add_arr(doc, object, "children");
    for (size_t i = 0; i < 2 && node->children[i] != COT_TREE_NONE; i++)
        yyjson_mut_arr_append(children, node_of(p, node->children[i], doc));
    return object;
}

static void add_parts(const struct cot_segment_parts *p, size_t i_node, yyjson_mut_doc *doc, yyjson_mut_val *array)
{
    const struct cot_segment_node *node = &p->tree->nodes[i_node];
    if (i_node < p->tree->k)
        yyjson_mut_arr_add_int(doc, array, p->ids[i_node]);
    for (size_t i = 0; i_node >= p->tree->k && i < 2 && node->children[i] != COT_TREE_NONE; i++)
        add_parts(p, node->children[i], doc, array);
}

static cot_code add_zoom(const struct cot_segment_parts *p, yyjson_mut_doc *doc, yyjson_mut_val *root,
                         struct cot_err *err)
{
    if (p->options->zoom == 0) {
        yyjson_mut_obj_add_null(doc, root, "zoom");
        return COT_OK;
    }
    size_t *nodes = calloc(p->options->zoom + 1, sizeof *nodes);
    if (nodes == NULL)
        return cot_fail(err, COT_NOMEM, "zoom to %zu segments", p->options->zoom);
    size_t n = cot_segment_tree_level(p->tree, p->options->zoom, nodes);
    yyjson_mut_val *object = yyjson_mut_obj_add_obj(doc, root, "zoom");
    yyjson_mut_obj_add_uint(doc, object, "n", n);
    yyjson_mut_val *array = yyjson_mut_obj_add_arr(doc, object, "segments");
    for (size_t i = 0; i < n; i++) {
        const struct cot_segment_node *node = &p->tree->nodes[nodes[i]];
        yyjson_mut_val *entry = yyjson_mut_arr_add_obj(doc, array);
        char id[160];
        node_id(p, nodes[i], id, sizeof id);
        yyjson_mut_obj_add_strcpy(doc, entry, "id", id);
        yyjson_mut_obj_add_strcpy(doc, entry, "name", node->name);
        add_totals(p, doc, entry, node->size, node->revenue_minor);
        bool part = nodes[i] >= p->tree->k && node->segment != COT_TREE_NONE;
        yyjson_mut_val *parts = yyjson_mut_obj_add_arr(doc, entry, "parts");
        if (!part)
            add_parts(p, nodes[i], doc, parts);
        if (part)
            yyjson_mut_obj_add_int(doc, entry, "within", p->ids[node->segment]);
        else
            yyjson_mut_obj_add_null(doc, entry, "within");
    }
    free(nodes);
    return COT_OK;
}

/* A feature's part in what separates the segments: its share of the squared differences of their centres. */
static double weight_of(const struct cot_segment_parts *p, size_t i_column)
{
    const struct cot_description *d = p->description;
    double own = 0, all = 0;
    for (size_t o = 0; o < d->d; o++) {
        double sum = 0;
        for (size_t a = 0; a < d->k; a++) {
            double share = ratio((double)d->segments[a].size, (double)p->learned->n);
            sum += a != p->learned->extreme ? share * d->z_means[a * d->d + o] * d->z_means[a * d->d + o] : 0;
        }
        all += sum;
        own += cot_transform_source(p->learned->space->transform, o, NULL) == i_column ? sum : 0;
    }
    return ratio(own, all);
}

static void add_features(const struct cot_segment_parts *p, yyjson_mut_doc *doc, yyjson_mut_val *root)
{
    const struct cot_space *space = p->learned->space;
    yyjson_mut_val *used = yyjson_mut_obj_add_arr(doc, root, "features");
    for (size_t j = 0; j < space->n_columns; j++) {
        const struct cot_feature_column *column = column_of(p, j);
        yyjson_mut_val *entry = yyjson_mut_arr_add_obj(doc, used);
        yyjson_mut_obj_add_strcpy(doc, entry, "feature", column->name);
        yyjson_mut_obj_add_strcpy(doc, entry, "title", column->title);
        yyjson_mut_obj_add_str(doc, entry, "group", cot_feature_group_name(column->group));
        yyjson_mut_obj_add_strcpy(doc, entry, "unit", column->unit);
        yyjson_mut_obj_add_str(doc, entry, "transform", cot_transform_kind_name(column->transform));
        yyjson_mut_obj_add_bool(doc, entry, "timeless", column->timeless);
        add_rounded(doc, entry, "weight", weight_of(p, j), 5);
        add_rounded(doc, entry, "coverage", space->columns[j].coverage, 4);
    }
    yyjson_mut_val *dropped = yyjson_mut_obj_add_arr(doc, root, "dropped_features");
    for (size_t i = 0; i < space->n_dropped; i++) {
        const struct cot_feature_column *column = &p->matrix->columns[space->dropped[i].i_column];
        yyjson_mut_val *entry = yyjson_mut_arr_add_obj(doc, dropped);
        yyjson_mut_obj_add_strcpy(doc, entry, "feature", column->name);
        yyjson_mut_obj_add_strcpy(doc, entry, "title", column->title);
        yyjson_mut_obj_add_str(doc, entry, "reason", cot_space_reason_name(space->dropped[i].reason));
        yyjson_mut_obj_add_strcpy(doc, entry, "detail", space->dropped[i].detail);
    }
}

/* The numeric features that tell most of the segments apart, with every segment's difference. */
static void add_heatmap(const struct cot_segment_parts *p, yyjson_mut_doc *doc, yyjson_mut_val *root)
{
    const struct cot_description *d = p->description;
    size_t chosen[HEATMAP_FEATURES];
    double strengths[HEATMAP_FEATURES];
    size_t n = 0;
    for (size_t o = 0; o < d->d; o++) {
        size_t j = cot_transform_source(p->learned->space->transform, o, NULL);
        double strength = 0;
        for (size_t a = 0; a < d->k; a++)
            strength += fmin(fabs(d->contrasts[a * d->d + o].difference), 3);
        if (p->learned->space->columns[j].n_categories > 0)
            continue;
        if (n == HEATMAP_FEATURES && strengths[n - 1] >= strength)
            continue;
        size_t at = n < HEATMAP_FEATURES ? n++ : n - 1;
        for (; at > 0 && strengths[at - 1] < strength; at--) {
            chosen[at] = chosen[at - 1];
            strengths[at] = strengths[at - 1];
        }
        chosen[at] = o;
        strengths[at] = strength;
    }
    yyjson_mut_val *heatmap = yyjson_mut_obj_add_obj(doc, root, "heatmap");
    yyjson_mut_val *features = yyjson_mut_obj_add_arr(doc, heatmap, "features");
    for (size_t i = 0; i < n; i++) {
        const struct cot_feature_column *column =
            column_of(p, cot_transform_source(p->learned->space->transform, chosen[i], NULL));
        yyjson_mut_val *entry = yyjson_mut_arr_add_obj(doc, features);
        yyjson_mut_obj_add_strcpy(doc, entry, "feature", column->name);
        yyjson_mut_obj_add_strcpy(doc, entry, "title", column->title);
    }
    yyjson_mut_val *rows = yyjson_mut_obj_add_arr(doc, heatmap, "rows");
    for (size_t a = 0; a < d->k; a++) {
        yyjson_mut_val *row = yyjson_mut_arr_add_obj(doc, rows);
        yyjson_mut_obj_add_int(doc, row, "id", p->ids[a]);
        yyjson_mut_val *values = yyjson_mut_obj_add_arr(doc, row, "values");
        for (size_t i = 0; i < n; i++)
            yyjson_mut_arr_add_real(doc, values, cot_json_round(d->contrasts[a * d->d + chosen[i]].difference, 3));
    }
}

cot_code cot_segment_document(const struct cot_segment_parts *p, yyjson_mut_doc *doc, yyjson_mut_val *root,
                              yyjson_mut_val **ret_segments, struct cot_err *err)
{
    yyjson_mut_obj_add_int(doc, root, "run", p->run_id);
    cot_shop_add_as_of(doc, root, p->shop, p->matrix->as_of_ms);
    cot_json_add_time(doc, root, "created_at", p->created_at_ms);
    yyjson_mut_obj_add_uint(doc, root, "seed", p->context->seed);
    yyjson_mut_obj_add_strcpy(doc, root, "currency", p->money->currency);
    yyjson_mut_obj_add_uint(doc, root, "customers", p->matrix->n);
    yyjson_mut_obj_add_uint(doc, root, "k", p->learned->k);
    add_evidence(p, doc, root);
    cot_code rc = add_segments(p, doc, root, ret_segments, err);
    if (rc != COT_OK)
        return rc;
    yyjson_mut_obj_add_val(doc, root, "tree", node_of(p, p->tree->root, doc));
    rc = add_zoom(p, doc, root, err);
    if (rc != COT_OK)
        return rc;
    add_features(p, doc, root);
    yyjson_mut_val *excluded = yyjson_mut_obj_add_obj(doc, root, "excluded");
    yyjson_mut_obj_add_uint(doc, excluded, "no_analytics_consent", p->learned->n_no_consent);
    yyjson_mut_obj_add_uint(doc, excluded, "no_data", p->learned->n_no_data);
    add_heatmap(p, doc, root);
    return cot_segment_document_map(p, doc, root, err);
}
