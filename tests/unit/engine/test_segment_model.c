/* Model files: what is read is what was written, damage is refused, publishing swaps; what would move a customer. */
#include "engine/segment_model.h"

#include "coterie/kmeans.h"
#include "engine/customer_move.h"
#include "engine/segment_learn.h"
#include "unit/engine/scratch.h"
#include "unit/engine/synthetic.h"

struct fixture {
    char path[SCRATCH_PATH_SIZE];
    struct synthetic synthetic;
    struct cot_learned *learned;
    int32_t ids[64];
    char metadata[32];
    struct cot_segment_model model;
};

static int set_up(void **state)
{
    struct cot_err err = {0};
    struct fixture *f = calloc(1, sizeof *f);
    struct cot_learn_options options = {.seed = 1, .k = 5};
    scratch_make(f->path);
    f->synthetic = synthetic_make(800, 3);
    assert_ok(cot_segments_learn(&f->synthetic.matrix, &options, &f->learned, &err), err);
    for (int32_t i = 0; i < 64; i++)
        f->ids[i] = 3 + 2 * i;
    snprintf(f->metadata, sizeof f->metadata, "{\"run\":7}");
    f->model = (struct cot_segment_model){.metadata = f->metadata,
                                          .space = f->learned->space,
                                          .limits = f->learned->limits,
                                          .d = f->learned->discriminant->d,
                                          .q = f->learned->discriminant->q,
                                          .k = f->learned->k,
                                          .mean = f->learned->discriminant->mean,
                                          .axes = f->learned->discriminant->axes,
                                          .centroids = f->learned->centroids,
                                          .ids = f->ids,
                                          .extreme_id = f->ids[f->learned->extreme]};
    *state = f;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *f = *state;
    cot_learned_free(f->learned);
    synthetic_free(&f->synthetic);
    scratch_remove(f->path);
    free(f);
    return 0;
}

static void gives_back_what_was_written(void **state)
{
    struct fixture *f = *state;
    struct cot_err err = {0};
    struct cot_segment_model *model = NULL;
    char name[COT_MODEL_NAME_SIZE];
    assert_ok(cot_segment_model_write(f->path, 7, &f->model, name, &err), err);
    assert_ok(cot_segment_model_read(f->path, name, &model, &err), err);
    assert_string_equal(model->metadata, f->metadata);
    assert_int_equal(model->k, f->model.k);
    assert_int_equal(model->extreme_id, f->model.extreme_id);
    assert_memory_equal(model->axes, f->model.axes, model->d * model->q * sizeof(double));
    assert_memory_equal(model->centroids, f->model.centroids, model->k * model->q * sizeof(float));

    /* and it assigns customers as the run did, from the raw matrix */
    for (size_t i = 0; i < f->learned->n; i += 7) {
        double y[64];
        float *raw = calloc(model->space->n_columns + model->d, sizeof *raw);
        float *z = raw + model->space->n_columns;
        cot_space_raw(model->space, &f->synthetic.matrix, f->learned->rows[i], raw);
        assert_ok(cot_space_apply_raw(model->space, raw, 1, 1, z, &err), err);
        cot_segment_model_project(model, z, y);
        if (f->learned->labels[i] == f->learned->extreme)
            assert_true(cot_extreme_is(&model->limits, &f->synthetic.matrix, f->learned->rows[i]));
        else
            for (size_t a = 0; a < model->q; a++)
                assert_true(fabs(y[a] - (double)f->learned->y[i * model->q + a]) < 1e-3);
        free(raw);
    }
    cot_segment_model_free(model);
}

/* Categories are found by their words: another order of codes changes nothing. */
static void codes_may_move(void **state)
{
    struct fixture *f = *state;
    struct cot_err err = {0};
    struct synthetic other = synthetic_make(800, 3);
    struct cot_feature_column *column = &other.matrix.columns[7];
    char *first = column->category_names[0];
    column->category_names[0] = column->category_names[4];
    column->category_names[4] = first;
    for (size_t i = 0; i < other.matrix.n; i++) {
        float *code = &other.matrix.values[i * other.matrix.d + 7];
        *code = *code == 0 ? 4 : *code == 4 ? 0 : *code;
    }
    size_t n = f->learned->n, d = f->learned->space->d;
    float *a = calloc(n * d, sizeof *a), *b = calloc(n * d, sizeof *b);
    assert_ok(cot_space_apply(f->learned->space, &f->synthetic.matrix, f->learned->rows, n, 1, a, &err), err);
    assert_ok(cot_space_apply(f->learned->space, &other.matrix, f->learned->rows, n, 2, b, &err), err);
    assert_memory_equal(a, b, n * d * sizeof *a);
    free(a);
    free(b);
    synthetic_free(&other);
}

static void damage_is_refused(void **state)
{
    struct fixture *f = *state;
    struct cot_err err = {0};
    struct cot_segment_model *model = NULL;
    char name[COT_MODEL_NAME_SIZE], path[SCRATCH_PATH_SIZE + COT_MODEL_NAME_SIZE];
    static unsigned char bytes[1 << 20];
    assert_ok(cot_segment_model_write(f->path, 7, &f->model, name, &err), err);
    snprintf(path, sizeof path, "%s/%s", f->path, name);
    FILE *file = fopen(path, "rb");
    size_t size = fread(bytes, 1, sizeof bytes, file);
    fclose(file);
    assert_true(size > 100 && size < sizeof bytes);
    for (size_t cut = 0; cut < size; cut += 1 + size / 61)
        assert_int_equal(cot_segment_model_decode(bytes, cut, &model, &err), COT_BAD_DATA);
    for (size_t at = 0; at < size; at += 1 + size / 97) {
        bytes[at] ^= 0x20;
        assert_int_equal(cot_segment_model_decode(bytes, size, &model, &err), COT_BAD_DATA);
        bytes[at] ^= 0x20;
    }
    assert_null(model);
    assert_int_equal(cot_segment_model_read(f->path, "models/none", &model, &err), COT_NOT_FOUND);
}

static void publishing_swaps_the_pointer(void **state)
{
    struct fixture *f = *state;
    struct cot_err err = {0};
    char name[COT_MODEL_NAME_SIZE], path[SCRATCH_PATH_SIZE + 64], text[COT_MODEL_NAME_SIZE] = "";
    assert_ok(cot_segment_model_write(f->path, 1, &f->model, name, &err), err);
    assert_ok(cot_segment_model_publish(f->path, "models/older", &err), err);
    assert_ok(cot_segment_model_publish(f->path, name, &err), err);
    snprintf(path, sizeof path, "%s/models/segment-current", f->path);
    FILE *file = fopen(path, "rb");
    assert_non_null(file);
    assert_int_equal(fread(text, 1, sizeof text - 1, file), strlen(name));
    fclose(file);
    assert_string_equal(text, name);
}

static void a_smallest_change_is_checked_by_assigning(void **state)
{
    struct fixture *f = *state;
    struct cot_err err = {0};
    size_t n_reached = 0;
    size_t n_columns = f->model.space->n_columns;
    float *raw = calloc(n_columns + f->model.d, sizeof *raw);
    struct cot_customer_pull *pulls = calloc(n_columns, sizeof *pulls);
    for (size_t i = 0; i < f->learned->n; i += 11) {
        size_t own = f->learned->labels[i], n = 0;
        struct cot_customer_move move = {0};
        double y[64], sum = 0;
        if (own == f->learned->extreme)
            continue;
        size_t target = own == 0 ? 1 : 0;
        cot_space_raw(f->model.space, &f->synthetic.matrix, f->learned->rows[i], raw);
        assert_ok(cot_customer_pulls(&f->model, raw, own, pulls, &n, &err), err);
        for (size_t p = 0; p < n; p++)
            sum += pulls[p].share > 0 ? pulls[p].share : 0;
        assert_true(n == 0 || fabs(sum - 1) < 1e-6);
        double orders = (double)f->synthetic.matrix.values[f->learned->rows[i] * f->synthetic.matrix.d + 1];
        assert_ok(cot_customer_smallest_move(&f->model, raw, orders, own, target, &move, &err), err);
        if (!move.reached)
            continue;
        n_reached++;
        assert_true(move.n_changes >= 1 && move.n_changes <= COT_MAX_CHANGES);
        for (size_t c = 0; c < move.n_changes; c++) {
            const struct cot_space_column *column = &f->model.space->columns[move.changes[c].i_column];
            double to = move.changes[c].to;
            if (!isnan(column->prior))
                to = (orders * to + COT_SPACE_PRIOR_ORDERS * column->prior) / (orders + COT_SPACE_PRIOR_ORDERS);
            assert_null(strstr(column->name, "noise"));
            if (strcmp(column->name, "frequency") == 0)
                assert_true(move.changes[c].to > move.changes[c].from && to == floor(to));
            raw[move.changes[c].i_column] = (float)to;
        }
        assert_ok(cot_space_apply_raw(f->model.space, raw, 1, 1, raw + n_columns, &err), err);
        cot_segment_model_project(&f->model, raw + n_columns, y);
        assert_int_equal(cot_segment_model_nearest(&f->model, y, NULL), target);
    }
    assert_true(n_reached > 5);
    free(raw);
    free(pulls);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(gives_back_what_was_written),
        cmocka_unit_test(codes_may_move),
        cmocka_unit_test(damage_is_refused),
        cmocka_unit_test(publishing_swaps_the_pointer),
        cmocka_unit_test(a_smallest_change_is_checked_by_assigning),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
