#include "domain/feature.h"

#include <string.h>

#include "domain/feature_catalogue.h"

const struct cot_feature cot_features[] = {
#define ROW(feature, text, group_name, measure, kind, label, role, sentence)                                           \
    {.name = #feature,                                                                                                 \
     .title = text,                                                                                                    \
     .group = COT_FEATURE_##group_name,                                                                                \
     .unit = measure,                                                                                                  \
     .description = sentence,                                                                                          \
     .transform = COT_TRANSFORM_##kind,                                                                                \
     .purpose = COT_PURPOSE_ANALYTICS,                                                                                 \
     .labels = COT_LABELS_##label,                                                                                     \
     .trait_role = COT_TRAIT_##role,                                                                                   \
     .value = cot_feature_##feature},
#define X(name, title, unit, transform, labels, role, description)                                                     \
    ROW(name, title, PURCHASE, unit, transform, labels, role, description)
    COT_PURCHASE_FEATURES(X)
#undef X
#define X(name, title, unit, transform, labels, role, description)                                                     \
    ROW(name, title, ENGAGEMENT, unit, transform, labels, role, description)
        COT_ENGAGEMENT_FEATURES(X)
#undef X
#define X(name, title, unit, transform, labels, role, description)                                                     \
    ROW(name, title, DEMOGRAPHIC, unit, transform, labels, role, description)
            COT_DEMOGRAPHIC_FEATURES(X)
#undef X
#define X(name, title, unit, transform, labels, role, description)                                                     \
    ROW(name, title, CHANNEL, unit, transform, labels, role, description)
                COT_CHANNEL_FEATURES(X)
#undef X
#define X(name, title, unit, transform, labels, role, description)                                                     \
    ROW(name, title, PREDICTION, unit, transform, labels, role, description)
                    COT_PREDICTION_FEATURES(X)
#undef X
};

const size_t cot_n_features = sizeof cot_features / sizeof *cot_features;

const char *const cot_day_part_names[COT_N_DAY_PARTS] = {"night", "morning", "afternoon", "evening"};
const char *const cot_weekday_names[COT_N_WEEKDAYS] = {"Monday", "Tuesday",  "Wednesday", "Thursday",
                                                       "Friday", "Saturday", "Sunday"};

size_t cot_feature_find(const char *name)
{
    for (size_t i = 0; i < cot_n_features; i++)
        if (strcmp(cot_features[i].name, name) == 0)
            return i;
    return SIZE_MAX;
}

const char *cot_feature_group_name(enum cot_feature_group group)
{
    switch (group) {
    case COT_FEATURE_PURCHASE: return "purchase";
    case COT_FEATURE_ENGAGEMENT: return "engagement";
    case COT_FEATURE_DEMOGRAPHIC: return "demographic";
    case COT_FEATURE_CHANNEL: return "channel";
    case COT_FEATURE_PREDICTION: return "prediction";
    }
    return "purchase";
}

const char *cot_purpose_name(enum cot_purpose purpose)
{
    switch (purpose) {
    case COT_PURPOSE_SERVICE: return "service";
    case COT_PURPOSE_ANALYTICS: return "analytics";
    case COT_PURPOSE_PERSONALISATION: return "personalisation";
    case COT_PURPOSE_MARKETING: return "marketing";
    case COT_PURPOSE_ADVERTISING: return "advertising";
    case COT_N_PURPOSES: break;
    }
    return "service";
}
