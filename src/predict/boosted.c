#include "predict/boosted.h"

#include <inttypes.h>
#include <math.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <xgboost/c_api.h>

struct cot_boosted {
    BoosterHandle booster;
    size_t d;
    unsigned rounds;
};

struct objective {
    const char *name, *metric;
};

static const struct objective objectives[] = {
    [COT_BOOSTED_SQUARED] = {"reg:squarederror", "rmse"},
    [COT_BOOSTED_LOGISTIC] = {"binary:logistic", "logloss"},
    [COT_BOOSTED_POISSON] = {"count:poisson", "poisson-nloglik"},
    [COT_BOOSTED_TWEEDIE] = {"reg:tweedie", "tweedie-nloglik@1.5"},
};

void cot_boosted_options_init(struct cot_boosted_options *options, enum cot_boosted_objective objective)
{
    *options = (struct cot_boosted_options){.objective = objective,
                                            .max_rounds = 200,
                                            .patience = 15,
                                            .max_depth = 4,
                                            .learning_rate = 0.1,
                                            .subsample = 0.8,
                                            .seed = 1};
}

/* XGBoost's warnings are about its own parameters: there is nobody to read them. */
static void be_silent(const char *message)
{
    (void)message;
}

static void silence(void)
{
    (void)XGBRegisterLogCallback(be_silent);
}

static pthread_once_t silenced = PTHREAD_ONCE_INIT;

static cot_code failed(struct cot_err *err, const char *what)
{
    char text[200];
    const char *error = XGBGetLastError();
    snprintf(text, sizeof text, "%s", error != NULL ? error : "");
    text[strcspn(text, "\n")] = '\0';
    return cot_fail(err, COT_INTERNAL, "trees: %s: %s", what, text);
}

static cot_code make_matrix(const struct cot_boosted_rows *rows, bool labelled, DMatrixHandle *ret_matrix,
                            struct cot_err *err)
{
    DMatrixHandle matrix = NULL;
    if (XGDMatrixCreateFromMat_omp(rows->x, rows->n, rows->d, NAN, &matrix, 1) != 0)
        return failed(err, "rows");
    if ((labelled && XGDMatrixSetFloatInfo(matrix, "label", rows->y, rows->n) != 0) ||
        (rows->start != NULL && XGDMatrixSetFloatInfo(matrix, "base_margin", rows->start, rows->n) != 0)) {
        cot_code rc = failed(err, "targets");
        (void)XGDMatrixFree(matrix);
        return rc;
    }
    *ret_matrix = matrix;
    return COT_OK;
}

static cot_code check_rows(const struct cot_boosted_rows *rows, const struct cot_boosted_options *options,
                           struct cot_err *err)
{
    if (rows->n == 0 || rows->d == 0)
        return cot_fail(err, COT_BAD_DATA, "trees need rows and columns, not %zu x %zu", rows->n, rows->d);
    for (size_t i = 0; i < rows->n; i++) {
        double y = rows->y[i];
        bool ok = isfinite(y) && (options->objective == COT_BOOSTED_SQUARED || y >= 0) &&
                  (options->objective != COT_BOOSTED_LOGISTIC || y <= 1);
        if (!ok)
            return cot_fail(err, COT_BAD_DATA, "row %zu: target %g is none that trees with %s can learn", i, y,
                            objectives[options->objective].name);
    }
    return COT_OK;
}

static cot_code check_options(const struct cot_boosted_options *o, struct cot_err *err)
{
    if (o->max_rounds < 1 || o->max_rounds > 10000 || o->max_depth < 1 || o->max_depth > 16)
        return cot_fail(err, COT_USAGE, "%u rounds of depth %u: 1 to 10000 rounds, depth 1 to 16", o->max_rounds,
                        o->max_depth);
    if (!(o->learning_rate > 0 && o->learning_rate <= 1) || !(o->subsample > 0 && o->subsample <= 1))
        return cot_fail(err, COT_USAGE, "learning rate %g, subsample %g: both above 0, at most 1", o->learning_rate,
                        o->subsample);
    return COT_OK;
}

static bool set_number(BoosterHandle booster, const char *key, double value)
{
    char text[32];
    snprintf(text, sizeof text, "%.9g", value);
    return XGBoosterSetParam(booster, key, text) == 0;
}

static cot_code set_options(BoosterHandle booster, const struct cot_boosted_options *o, struct cot_err *err)
{
    static const char *const fixed[][2] = {
        {"nthread", "1"},          {"verbosity", "0"}, {"tree_method", "hist"},          {"max_bin", "64"},
        {"min_child_weight", "5"}, {"lambda", "5"},    {"tweedie_variance_power", "1.5"}};
    bool ok = XGBoosterSetParam(booster, "objective", objectives[o->objective].name) == 0 &&
              XGBoosterSetParam(booster, "eval_metric", objectives[o->objective].metric) == 0;
    for (size_t i = 0; i < sizeof fixed / sizeof *fixed && ok; i++)
        ok = XGBoosterSetParam(booster, fixed[i][0], fixed[i][1]) == 0;
    bool log_link = o->objective == COT_BOOSTED_POISSON || o->objective == COT_BOOSTED_TWEEDIE;
    ok = ok && set_number(booster, "max_delta_step", log_link ? 0.7 : 0) && /* a leaf of zeros would go to -infinity */
         set_number(booster, "max_depth", o->max_depth) && set_number(booster, "eta", o->learning_rate) &&
         set_number(booster, "subsample", o->subsample) && set_number(booster, "colsample_bytree", o->subsample) &&
         set_number(booster, "seed", (double)(o->seed & 0x7fffffff));
    return ok ? COT_OK : failed(err, "options");
}

/* The value in "[12]\tvalidation-rmse:0.123". */
static double metric_of(const char *line)
{
    const char *colon = line != NULL ? strrchr(line, ':') : NULL;
    return colon != NULL ? strtod(colon + 1, NULL) : NAN;
}

static cot_code grow(struct cot_boosted *model, DMatrixHandle train, DMatrixHandle validation,
                     const struct cot_boosted_options *options, struct cot_err *err)
{
    const char *name = "validation";
    const char *line = NULL;
    double best = INFINITY;
    for (unsigned round = 0; round < options->max_rounds; round++) {
        if (XGBoosterUpdateOneIter(model->booster, (int)round, train) != 0)
            return failed(err, "fit");
        if (validation == NULL) {
            model->rounds = round + 1;
            continue;
        }
        if (XGBoosterEvalOneIter(model->booster, (int)round, &validation, &name, 1, &line) != 0)
            return failed(err, "validation");
        double metric = metric_of(line);
        if (metric < best) {
            best = metric;
            model->rounds = round + 1;
        } else if (options->patience > 0 && round + 1 >= model->rounds + options->patience) {
            break;
        }
    }
    return COT_OK;
}

cot_code cot_boosted_fit(const struct cot_boosted_rows *train, const struct cot_boosted_rows *validation,
                         const struct cot_boosted_options *options, struct cot_boosted **ret_model, struct cot_err *err)
{
    DMatrixHandle matrices[2] = {NULL, NULL};
    struct cot_boosted *model = calloc(1, sizeof *model);
    if (model == NULL)
        return cot_fail(err, COT_NOMEM, "trees");
    pthread_once(&silenced, silence);
    model->d = train->d;
    cot_code rc = check_options(options, err);
    if (rc == COT_OK)
        rc = check_rows(train, options, err);
    if (rc == COT_OK && validation != NULL)
        rc = validation->d == train->d
                 ? check_rows(validation, options, err)
                 : cot_fail(err, COT_USAGE, "%zu columns to validate, %zu to train", validation->d, train->d);
    if (rc == COT_OK)
        rc = make_matrix(train, true, &matrices[0], err);
    if (rc == COT_OK && validation != NULL)
        rc = make_matrix(validation, true, &matrices[1], err);
    if (rc == COT_OK && XGBoosterCreate(matrices, validation != NULL ? 2 : 1, &model->booster) != 0)
        rc = failed(err, "model");
    if (rc == COT_OK)
        rc = set_options(model->booster, options, err);
    if (rc == COT_OK)
        rc = grow(model, matrices[0], matrices[1], options, err);
    for (size_t m = 0; m < 2; m++)
        if (matrices[m] != NULL)
            (void)XGDMatrixFree(matrices[m]);
    if (rc != COT_OK) {
        cot_boosted_free(model);
        return rc;
    }
    *ret_model = model;
    return COT_OK;
}

void cot_boosted_free(struct cot_boosted *model)
{
    if (model != NULL && model->booster != NULL)
        (void)XGBoosterFree(model->booster);
    free(model);
}

unsigned cot_boosted_rounds(const struct cot_boosted *model)
{
    return model->rounds;
}

enum { TYPE_MEAN = 0, TYPE_CONTRIBUTIONS = 2 };

static cot_code predict(struct cot_boosted *model, const struct cot_boosted_rows *rows, int type, size_t width,
                        float *ret, struct cot_err *err)
{
    char config[128];
    DMatrixHandle matrix = NULL;
    const bst_ulong *shape = NULL;
    bst_ulong n_dimensions = 0;
    const float *result = NULL;
    if (rows->d != model->d)
        return cot_fail(err, COT_USAGE, "%zu columns, the trees know %zu", rows->d, model->d);
    if (rows->n == 0)
        return COT_OK;
    snprintf(config, sizeof config,
             "{\"type\":%d,\"training\":false,\"iteration_begin\":0,\"iteration_end\":%u,\"strict_shape\":true}", type,
             model->rounds);
    cot_code rc = make_matrix(rows, false, &matrix, err);
    if (rc != COT_OK)
        return rc;
    if (XGBoosterPredictFromDMatrix(model->booster, matrix, config, &shape, &n_dimensions, &result) != 0)
        rc = failed(err, "prediction");
    size_t size = n_dimensions > 0 ? 1 : 0;
    for (bst_ulong i = 0; rc == COT_OK && i < n_dimensions; i++)
        size *= shape[i];
    if (rc == COT_OK && size != rows->n * width)
        rc = cot_fail(err, COT_INTERNAL, "trees: %zu numbers for %zu rows", size, rows->n);
    if (rc == COT_OK)
        memcpy(ret, result, size * sizeof *ret);
    (void)XGDMatrixFree(matrix);
    return rc;
}

cot_code cot_boosted_predict(struct cot_boosted *model, const struct cot_boosted_rows *rows, float *ret_mean,
                             struct cot_err *err)
{
    return predict(model, rows, TYPE_MEAN, 1, ret_mean, err);
}

cot_code cot_boosted_contributions(struct cot_boosted *model, const struct cot_boosted_rows *rows,
                                   float *ret_contributions, struct cot_err *err)
{
    return predict(model, rows, TYPE_CONTRIBUTIONS, model->d + 1, ret_contributions, err);
}
