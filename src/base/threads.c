#include "base/threads.h"

#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>

enum { MAX_THREADS = 256 };

struct loop {
    size_t n;
    size_t block;
    cot_parallel_body *body;
    void *context;
    atomic_size_t next_block;
};

struct worker {
    struct loop *loop;
    pthread_t thread;
    unsigned i_thread;
};

unsigned cot_threads_available(void)
{
    cpu_set_t set;
    if (sched_getaffinity(0, sizeof set, &set) != 0)
        return 1;
    int n = CPU_COUNT(&set);
    return n < 1 ? 1 : n > MAX_THREADS ? MAX_THREADS : (unsigned)n;
}

static void *work(void *argument)
{
    struct worker *worker = argument;
    struct loop *loop = worker->loop;
    size_t n_blocks = cot_n_blocks(loop->n, loop->block);
    for (;;) {
        size_t i_block = atomic_fetch_add(&loop->next_block, 1);
        if (i_block >= n_blocks)
            return NULL;
        size_t begin = i_block * loop->block;
        size_t end = begin + loop->block < loop->n ? begin + loop->block : loop->n;
        loop->body(loop->context, begin, end, i_block, worker->i_thread);
    }
}

/* ---- threads that stay ---- */

/*
 * Made when first needed and kept: a new thread a loop costs more than many a loop, and the system likes to start it on
 * the processor of its maker, where it waits for milliseconds. One loop at a time has them; a loop that finds them
 * taken (by another caller, or by the loop around it) makes threads of its own.
 */
static struct {
    pthread_mutex_t owner; /* held while a loop has the threads */
    pthread_mutex_t lock;
    pthread_cond_t called, finished;
    unsigned n; /* threads that there are */
    bool fork_handled;
    struct loop *loop;
    unsigned n_wanted; /* threads 1 .. n_wanted take part */
    atomic_uint call;  /* counts the loops */
    atomic_uint n_busy;
} pool = {.owner = PTHREAD_MUTEX_INITIALIZER,
          .lock = PTHREAD_MUTEX_INITIALIZER,
          .called = PTHREAD_COND_INITIALIZER,
          .finished = PTHREAD_COND_INITIALIZER};

/* Loops follow each other closely: nobody goes to sleep before so many looks, about 50 microseconds. */
enum { PATIENCE = 1000 };

static void pause_briefly(void)
{
#if defined(__x86_64__)
    __builtin_ia32_pause();
#endif
}

struct member {
    unsigned i_thread;
    unsigned last; /* call that was answered */
};

static void await_call(unsigned last)
{
    for (int i = 0; i < PATIENCE && atomic_load(&pool.call) == last; i++)
        pause_briefly();
    pthread_mutex_lock(&pool.lock);
    while (atomic_load(&pool.call) == last)
        pthread_cond_wait(&pool.called, &pool.lock);
    pthread_mutex_unlock(&pool.lock);
}

static void *stay(void *argument)
{
    struct member *given = argument;
    struct worker self = {.i_thread = given->i_thread};
    unsigned last = given->last;
    free(given);
    for (;;) {
        await_call(last);
        pthread_mutex_lock(&pool.lock);
        last = atomic_load(&pool.call);
        self.loop = self.i_thread <= pool.n_wanted ? pool.loop : NULL;
        pthread_mutex_unlock(&pool.lock);
        if (self.loop == NULL)
            continue;
        work(&self);
        pthread_mutex_lock(&pool.lock);
        if (atomic_fetch_sub(&pool.n_busy, 1) == 1)
            pthread_cond_signal(&pool.finished);
        pthread_mutex_unlock(&pool.lock);
    }
    return NULL;
}

/* A child process has only the thread that forked. */
static void forget_threads(void)
{
    pthread_mutex_init(&pool.owner, NULL);
    pthread_mutex_init(&pool.lock, NULL);
    pthread_cond_init(&pool.called, NULL);
    pthread_cond_init(&pool.finished, NULL);
    pool.n = 0;
}

/* As many threads as can be started, `n` at most. The caller owns the pool. */
static unsigned grow_pool(unsigned n)
{
    if (!pool.fork_handled)
        pool.fork_handled = pthread_atfork(NULL, NULL, forget_threads) == 0;
    while (pool.n < n) {
        pthread_t thread;
        struct member *member = malloc(sizeof *member);
        if (member == NULL)
            break;
        *member = (struct member){.i_thread = pool.n + 1, .last = atomic_load(&pool.call)};
        if (pthread_create(&thread, NULL, stay, member) != 0) {
            free(member);
            break;
        }
        pthread_detach(thread);
        pool.n++;
    }
    return pool.n < n ? pool.n : n;
}

static void run_with_pool(struct loop *loop, unsigned n_threads)
{
    struct worker self = {.loop = loop};
    pthread_mutex_lock(&pool.lock);
    pool.loop = loop;
    pool.n_wanted = grow_pool(n_threads - 1);
    atomic_store(&pool.n_busy, pool.n_wanted);
    atomic_fetch_add(&pool.call, 1);
    pthread_cond_broadcast(&pool.called);
    pthread_mutex_unlock(&pool.lock);
    work(&self);
    for (int i = 0; i < PATIENCE && atomic_load(&pool.n_busy) > 0; i++)
        pause_briefly();
    pthread_mutex_lock(&pool.lock);
    while (atomic_load(&pool.n_busy) > 0)
        pthread_cond_wait(&pool.finished, &pool.lock);
    pool.loop = NULL;
    pthread_mutex_unlock(&pool.lock);
}

static void run_with_new_threads(struct loop *loop, unsigned n_threads)
{
    struct worker workers[MAX_THREADS];
    unsigned n_started = 1;
    for (unsigned i = 1; i < n_threads; i++) {
        workers[n_started] = (struct worker){.loop = loop, .i_thread = n_started};
        if (pthread_create(&workers[n_started].thread, NULL, work, &workers[n_started]) != 0)
            break;
        n_started++;
    }
    workers[0] = (struct worker){.loop = loop, .i_thread = 0};
    work(&workers[0]);
    for (unsigned i = 1; i < n_started; i++)
        pthread_join(workers[i].thread, NULL);
}

void cot_parallel_for(unsigned n_threads, size_t n, size_t block, cot_parallel_body *body, void *context)
{
    struct loop loop = {.n = n, .block = block > 0 ? block : 1, .body = body, .context = context};
    size_t n_blocks = cot_n_blocks(n, loop.block);
    if (n_threads == 0)
        n_threads = cot_threads_available();
    if (n_threads > MAX_THREADS)
        n_threads = MAX_THREADS;
    if (n_threads > n_blocks)
        n_threads = n_blocks > 0 ? (unsigned)n_blocks : 1;
    if (n_threads == 1) {
        struct worker self = {.loop = &loop};
        work(&self);
    } else if (pthread_mutex_trylock(&pool.owner) == 0) {
        run_with_pool(&loop, n_threads);
        pthread_mutex_unlock(&pool.owner);
    } else {
        run_with_new_threads(&loop, n_threads);
    }
}
