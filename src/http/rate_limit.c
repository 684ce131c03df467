#include "http/rate_limit.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "base/dict.h"

struct bucket {
    double tokens;
    int64_t at_us;
};

struct cot_rate_limit {
    int64_t rate;
    pthread_mutex_t mutex;
    struct cot_dict ids;    /* guarded by mutex */
    struct bucket *buckets; /* by number of the id */
    size_t buckets_capacity;
};

cot_code cot_rate_limit_open(int64_t rate, struct cot_rate_limit **ret_limit, struct cot_err *err)
{
    struct cot_rate_limit *limit = calloc(1, sizeof *limit);
    if (limit == NULL)
        return cot_fail(err, COT_NOMEM, "rate limits");
    limit->rate = rate;
    cot_dict_init(&limit->ids);
    pthread_mutex_init(&limit->mutex, NULL);
    *ret_limit = limit;
    return COT_OK;
}

void cot_rate_limit_free(struct cot_rate_limit *limit)
{
    if (limit == NULL)
        return;
    pthread_mutex_destroy(&limit->mutex);
    cot_dict_release(&limit->ids);
    free(limit->buckets);
    free(limit);
}

/* The bucket of an id, full where it is new; NULL: no memory. */
static struct bucket *find_bucket(struct cot_rate_limit *limit, const char *id, int64_t rate, int64_t now_us)
{
    uint32_t number = 0;
    size_t n = limit->ids.n;
    if (cot_dict_add(&limit->ids, 0, id, strlen(id), &number, NULL) != COT_OK)
        return NULL;
    void *grown = cot_array_reserve(limit->buckets, &limit->buckets_capacity, limit->ids.n, sizeof *limit->buckets);
    if (grown == NULL)
        return NULL;
    limit->buckets = grown;
    if (limit->ids.n > n)
        limit->buckets[number] = (struct bucket){.tokens = (double)rate, .at_us = now_us};
    return &limit->buckets[number];
}

bool cot_rate_limit_take(struct cot_rate_limit *limit, const char *id, int64_t rate, int64_t now_us,
                         int64_t *ret_wait_ms)
{
    bool taken = true;
    if (rate == 0)
        rate = limit->rate;
    if (rate == 0)
        return true;
    pthread_mutex_lock(&limit->mutex);
    struct bucket *bucket = find_bucket(limit, id, rate, now_us);
    if (bucket != NULL) {
        double gained = (double)(now_us - bucket->at_us) * 1e-6 * (double)rate;
        bucket->tokens += gained > 0 ? gained : 0;
        if (bucket->tokens > (double)rate)
            bucket->tokens = (double)rate;
        bucket->at_us = now_us;
        taken = bucket->tokens >= 1;
        if (taken)
            bucket->tokens -= 1;
        else
            *ret_wait_ms = (int64_t)((1 - bucket->tokens) / (double)rate * 1000) + 1;
    }
    pthread_mutex_unlock(&limit->mutex);
    return taken;
}
