/*
 * The routines of tiles_rows.h for one instruction set, included by tiles_rows.c once for each: ROWS_NAME, its
 * ROWS_TARGET attribute, ROWS_WIDTH float64 in a vector, what the compiler makes poor code of (ROWS_WIDEN to float64;
 * ROWS_LEAST and ROWS_MOST, y where x is NaN), and the ROWS_TURN that makes tiles. No include guard: that is the point.
 * Vectors wider than the registers would go through memory.
 */
#define ROWS_INLINE static inline __attribute__((always_inline)) ROWS_TARGET

typedef float ROWS(floats) __attribute__((vector_size(ROWS_WIDTH * 4)));
typedef double ROWS(doubles) __attribute__((vector_size(ROWS_WIDTH * 8)));

ROWS_INLINE ROWS(floats) ROWS(load_floats)(const float *from)
{
    ROWS(floats) result;
    memcpy(&result, from, sizeof result);
    return result;
}

ROWS_INLINE ROWS(doubles) ROWS(load_doubles)(const double *from)
{
    ROWS(doubles) result;
    memcpy(&result, from, sizeof result);
    return result;
}

ROWS_INLINE ROWS(doubles) ROWS(inward)(const struct cot_tiles *tiles, const float *row, size_t j)
{
    ROWS(floats) x = ROWS(load_floats)(row + j) * tiles->down - ROWS(load_floats)(tiles->offset + j);
    return ROWS_WIDEN(x * tiles->up);
}

/* Sum of squares of (point i - centre; centre NULL: the origin), in SUMS sums until the end. */
ROWS_INLINE double ROWS(squares)(const struct cot_tiles *tiles, size_t i, const float *centre)
{
    enum { PARTS = SUMS / ROWS_WIDTH };
    const float *row = cot_matrix_row(&tiles->x, i);
    ROWS(doubles) parts[PARTS] = {{0}};
    double each[SUMS];
    double rest = 0;
    size_t j = 0;
    for (; j + SUMS <= tiles->d; j += SUMS)
        for (size_t p = 0; p < PARTS; p++) {
            ROWS(doubles) value = ROWS(inward)(tiles, row, j + p * ROWS_WIDTH);
            if (centre != NULL)
                value -= ROWS_WIDEN(ROWS(load_floats)(centre + j + p * ROWS_WIDTH));
            parts[p] += value * value;
        }
    for (; j < tiles->d; j++) {
        double value = (double)cot_tile_inward(tiles, row[j], j) - (centre != NULL ? (double)centre[j] : 0);
        rest += value * value;
    }
    memcpy(each, parts, sizeof each);
    return (((each[0] + each[4]) + (each[1] + each[5])) + ((each[2] + each[6]) + (each[3] + each[7]))) + rest;
}

/* A vector's columns of some rows: all that is needed of them stays in registers. */
ROWS_INLINE void ROWS(survey_some)(const float *first, size_t stride, size_t n_rows, double *sums, float *low,
                                   float *high)
{
    ROWS(floats) least = ROWS(load_floats)(low);
    ROWS(floats) most = ROWS(load_floats)(high);
    ROWS(doubles) sum = {0};
    for (size_t r = 0; r < n_rows; r++) {
        ROWS(floats) x = ROWS(load_floats)(first + r * stride);
        least = ROWS_LEAST(x, least);
        most = ROWS_MOST(x, most);
        sum += ROWS_WIDEN(x);
    }
    memcpy(low, &least, sizeof least);
    memcpy(high, &most, sizeof most);
    for (int u = 0; u < ROWS_WIDTH; u++)
        sums[u] += sum[u];
}

/* norm2 of points [begin, end); returns the sum of weight * |x|^2. */
ROWS_INLINE double ROWS(norms_of)(const struct cot_tile_pass *pass, size_t begin, size_t end)
{
    double square = 0;
    for (size_t i = begin; i < end; i++) {
        double norm2 = ROWS(squares)(pass->tiles, i, NULL);
        pass->tiles->norm2[i] = (float)norm2;
        square += pass->weights != NULL ? (double)pass->weights[i] * norm2 : norm2;
    }
    return square;
}

ROWS_TARGET static void ROWS(norms)(const struct cot_tile_pass *pass, size_t begin, size_t end, size_t i_block)
{
    double square = 0;
    for (size_t i = begin; i < end; i += SURVEY_ROWS) /* the sums of survey, one for one */
        square += ROWS(norms_of)(pass, i, end - i < SURVEY_ROWS ? end : i + SURVEY_ROWS);
    pass->squares[i_block] = square;
}

ROWS_TARGET static void ROWS(survey)(const struct cot_tile_pass *pass, size_t begin, size_t end, size_t i_block)
{
    size_t d = pass->x->d;
    size_t stride = pass->x->stride;
    double *sums = pass->sums + i_block * d;
    float *low = pass->low + i_block * d;
    float *high = pass->high + i_block * d;
    double square = 0;
    for (size_t j = 0; j < d; j++) {
        low[j] = FLT_MAX;
        high[j] = -FLT_MAX;
    }
    for (size_t i = begin; i < end; i += SURVEY_ROWS) {
        size_t n_rows = end - i < SURVEY_ROWS ? end - i : SURVEY_ROWS;
        const float *rows = cot_matrix_row(pass->x, i);
        size_t j = 0;
        for (; j + ROWS_WIDTH <= d; j += ROWS_WIDTH)
            ROWS(survey_some)(rows + j, stride, n_rows, sums + j, low + j, high + j);
        for (; j < d; j++) {
            double sum = 0; /* as above: what is added to the whole is the sum of these rows */
            for (size_t r = 0; r < n_rows; r++) {
                float value = rows[r * stride + j];
                sum += (double)value;
                low[j] = value < low[j] ? value : low[j];
                high[j] = value > high[j] ? value : high[j];
            }
            sums[j] += sum;
        }
        square += ROWS(norms_of)(pass, i, i + n_rows);
    }
    pass->squares[i_block] = square;
}

ROWS_TARGET static void ROWS(move)(const struct cot_tiles *tiles, size_t i, double weight, double *restrict to,
                                   double *restrict from)
{
    const float *row = cot_matrix_row(&tiles->x, i);
    size_t j = 0;
    for (; j + ROWS_WIDTH <= tiles->d; j += ROWS_WIDTH) {
        ROWS(doubles) value = ROWS(inward)(tiles, row, j) * weight;
        ROWS(doubles) sum = ROWS(load_doubles)(to + j) + value;
        memcpy(to + j, &sum, sizeof sum);
        if (from == NULL)
            continue;
        sum = ROWS(load_doubles)(from + j) - value;
        memcpy(from + j, &sum, sizeof sum);
    }
    for (; j < tiles->d; j++) {
        double value = weight * (double)cot_tile_inward(tiles, row[j], j);
        to[j] += value;
        if (from != NULL)
            from[j] -= value;
    }
}

ROWS_TARGET static double ROWS(distance2)(const struct cot_tiles *tiles, size_t i, const float *centre)
{
    return ROWS(squares)(tiles, i, centre);
}

static const struct cot_tile_routines ROWS(routines) = {ROWS(survey), ROWS(norms), ROWS(move), ROWS(distance2),
                                                        ROWS_TURN};

#undef ROWS_INLINE
#undef ROWS_NAME
#undef ROWS_TARGET
#undef ROWS_WIDTH
#undef ROWS_WIDEN
#undef ROWS_LEAST
#undef ROWS_MOST
#undef ROWS_TURN
