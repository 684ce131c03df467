#include "engine/state_lock.h"

#include <time.h>

const int64_t cot_state_bounds_us[COT_STATE_N_BOUNDS] = {20, 100, 250, 500, 1000, 2000, 10000, 100000};

static int64_t monotonic_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

static void count(struct cot_state_durations *durations, int64_t ns)
{
    size_t i = 0;
    while (i < COT_STATE_N_BOUNDS && ns > cot_state_bounds_us[i] * 1000)
        i++;
    atomic_fetch_add_explicit(&durations->by_bound[i], 1, memory_order_relaxed);
    atomic_fetch_add_explicit(&durations->sum_ns, (uint64_t)(ns > 0 ? ns : 0), memory_order_relaxed);
}

void cot_state_lock_init(struct cot_state_lock *lock)
{
    *lock = (struct cot_state_lock){0};
    pthread_mutex_init(&lock->mutex, NULL);
    pthread_cond_init(&lock->for_answers, NULL);
    pthread_cond_init(&lock->for_work, NULL);
}

void cot_state_lock_destroy(struct cot_state_lock *lock)
{
    pthread_cond_destroy(&lock->for_work);
    pthread_cond_destroy(&lock->for_answers);
    pthread_mutex_destroy(&lock->mutex);
}

const char *cot_state_holder_name(enum cot_state_holder holder)
{
    static const char *const names[] = {"answer", "take", "apply", "time", "rules", "compare", "swap"};
    _Static_assert(sizeof names / sizeof *names == COT_N_STATE_HOLDERS, "a name for each");
    return names[holder];
}

/* Is it the turn of work, though answers wait? */
static bool is_overdue(const struct cot_state_lock *lock)
{
    return lock->n_work > 0 && lock->n_passed >= COT_STATE_MAX_PASSED;
}

static void wait_as_answer(struct cot_state_lock *lock)
{
    if (!lock->held && !is_overdue(lock))
        return;
    struct cot_state_durations *waits = &lock->waits[lock->holder];
    int64_t began_ns = monotonic_ns();
    lock->n_answers++;
    while (lock->held || is_overdue(lock))
        pthread_cond_wait(&lock->for_answers, &lock->mutex);
    lock->n_answers--;
    count(waits, monotonic_ns() - began_ns);
}

/* Work goes in the order in which it came. */
static void wait_as_work(struct cot_state_lock *lock)
{
    uint64_t ticket = lock->n_served + lock->n_work++;
    while (lock->held || lock->n_served != ticket || (lock->n_answers > 0 && !is_overdue(lock)))
        pthread_cond_wait(&lock->for_work, &lock->mutex);
    lock->n_served++;
    lock->n_work--;
    lock->n_passed = 0;
}

/* The caller has the mutex. */
static void take(struct cot_state_lock *lock, enum cot_state_holder holder)
{
    if (holder == COT_STATE_ANSWER) {
        wait_as_answer(lock);
        lock->n_passed += lock->n_work > 0;
    } else {
        wait_as_work(lock);
    }
    lock->held = true;
    lock->holder = holder;
    lock->since_ns = monotonic_ns();
}

static void leave(struct cot_state_lock *lock)
{
    count(&lock->holds[lock->holder], monotonic_ns() - lock->since_ns);
    lock->held = false;
    if (lock->n_answers > 0 && !is_overdue(lock))
        pthread_cond_signal(&lock->for_answers);
    else if (lock->n_work > 0)
        pthread_cond_broadcast(&lock->for_work);
}

void cot_state_lock(struct cot_state_lock *lock, enum cot_state_holder holder)
{
    pthread_mutex_lock(&lock->mutex);
    take(lock, holder);
    pthread_mutex_unlock(&lock->mutex);
}

void cot_state_unlock(struct cot_state_lock *lock)
{
    pthread_mutex_lock(&lock->mutex);
    leave(lock);
    pthread_mutex_unlock(&lock->mutex);
}

bool cot_state_give_way(struct cot_state_lock *lock)
{
    bool gives = false;
    if (monotonic_ns() - lock->since_ns < COT_STATE_MIN_HOLD_NS) /* the holder's own: nobody else writes it meanwhile */
        return false;
    pthread_mutex_lock(&lock->mutex);
    gives = lock->n_answers > 0 || lock->n_work > 0;
    if (gives) {
        enum cot_state_holder holder = lock->holder;
        leave(lock);
        take(lock, holder);
    }
    pthread_mutex_unlock(&lock->mutex);
    return gives;
}
