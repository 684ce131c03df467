#include "base/threads.h"

#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>

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

void cot_parallel_for(unsigned n_threads, size_t n, size_t block, cot_parallel_body *body, void *context)
{
    struct loop loop = {.n = n, .block = block > 0 ? block : 1, .body = body, .context = context};
    struct worker workers[MAX_THREADS];
    size_t n_blocks = cot_n_blocks(n, loop.block);
    if (n_threads == 0)
        n_threads = cot_threads_available();
    if (n_threads > MAX_THREADS)
        n_threads = MAX_THREADS;
    if (n_threads > n_blocks)
        n_threads = n_blocks > 0 ? (unsigned)n_blocks : 1;

    unsigned n_started = 1;
    for (unsigned i = 1; i < n_threads; i++) {
        workers[n_started] = (struct worker){.loop = &loop, .i_thread = n_started};
        if (pthread_create(&workers[n_started].thread, NULL, work, &workers[n_started]) != 0)
            break;
        n_started++;
    }
    workers[0] = (struct worker){.loop = &loop, .i_thread = 0};
    work(&workers[0]);
    for (unsigned i = 1; i < n_started; i++)
        pthread_join(workers[i].thread, NULL);
}
