/* The lock of what readers see: answers go before work, work is not kept from going on, and gives way. */
#include "engine/state_lock.h"

#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <time.h>

#include <cmocka.h>

enum { MAX_ORDER = 8 };

struct scene {
    struct cot_state_lock lock;
    int order[MAX_ORDER]; /* who came in, in this order; guarded by lock */
    int n_order;
    unsigned n_passed;
    bool work_done;
};

struct actor {
    struct scene *scene;
    enum cot_state_holder holder;
    int name;
};

static void scene_begin(struct scene *scene)
{
    *scene = (struct scene){0};
    cot_state_lock_init(&scene->lock);
}

static unsigned n_waiting(struct cot_state_lock *lock, bool answers)
{
    pthread_mutex_lock(&lock->mutex);
    unsigned n = answers ? lock->n_answers : lock->n_work;
    pthread_mutex_unlock(&lock->mutex);
    return n;
}

static void await(struct cot_state_lock *lock, bool answers, unsigned n)
{
    while (n_waiting(lock, answers) < n)
        sched_yield();
}

static void *come_in(void *argument)
{
    const struct actor *actor = argument;
    struct scene *scene = actor->scene;
    cot_state_lock(&scene->lock, actor->holder);
    scene->order[scene->n_order++] = actor->name;
    cot_state_unlock(&scene->lock);
    return NULL;
}

/* Work came first, in the order 1, 2; answers later. */
static void test_answers_first(void **state)
{
    static const int expected[] = {3, 4, 1, 2};
    struct scene scene;
    pthread_t threads[4];
    (void)state;
    scene_begin(&scene);
    struct actor actors[] = {{&scene, COT_STATE_APPLY, 1},
                             {&scene, COT_STATE_RULES, 2},
                             {&scene, COT_STATE_ANSWER, 3},
                             {&scene, COT_STATE_ANSWER, 4}};
    cot_state_lock(&scene.lock, COT_STATE_TAKE);
    for (unsigned i = 0; i < 4; i++) {
        assert_int_equal(pthread_create(&threads[i], NULL, come_in, &actors[i]), 0);
        await(&scene.lock, i >= 2, i % 2 + 1);
    }
    cot_state_unlock(&scene.lock);
    for (unsigned i = 0; i < 4; i++)
        pthread_join(threads[i], NULL);
    if (scene.order[0] == 4) { /* among themselves answers go in any order */
        scene.order[0] = 3;
        scene.order[1] = 4;
    }
    assert_memory_equal(scene.order, expected, sizeof expected);
    cot_state_lock_destroy(&scene.lock);
}

/* Always one answer at least waits while another is given. */
static void *answer_on(void *argument)
{
    struct scene *scene = argument;
    bool done = false;
    while (!done) {
        cot_state_lock(&scene->lock, COT_STATE_ANSWER);
        done = scene->work_done;
        scene->n_passed += !done;
        if (!done)
            await(&scene->lock, true, 1);
        cot_state_unlock(&scene->lock);
    }
    return NULL;
}

static void *work_once(void *argument)
{
    struct scene *scene = argument;
    cot_state_lock(&scene->lock, COT_STATE_APPLY);
    scene->work_done = true;
    cot_state_unlock(&scene->lock);
    return NULL;
}

static void test_work_has_its_turn(void **state)
{
    struct scene scene;
    pthread_t work;
    pthread_t answers[2];
    (void)state;
    scene_begin(&scene);
    cot_state_lock(&scene.lock, COT_STATE_TAKE);
    assert_int_equal(pthread_create(&work, NULL, work_once, &scene), 0);
    await(&scene.lock, false, 1);
    for (int i = 0; i < 2; i++)
        assert_int_equal(pthread_create(&answers[i], NULL, answer_on, &scene), 0);
    await(&scene.lock, true, 2);
    cot_state_unlock(&scene.lock);
    pthread_join(work, NULL);
    for (int i = 0; i < 2; i++)
        pthread_join(answers[i], NULL);
    assert_int_equal(scene.n_passed, COT_STATE_MAX_PASSED);
    cot_state_lock_destroy(&scene.lock);
}

static bool give_way_at_last(struct cot_state_lock *lock)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    int64_t until_ns = (int64_t)now.tv_sec * 1000000000 + now.tv_nsec + 2 * COT_STATE_MIN_HOLD_NS;
    do
        clock_gettime(CLOCK_MONOTONIC, &now);
    while ((int64_t)now.tv_sec * 1000000000 + now.tv_nsec < until_ns);
    return cot_state_give_way(lock);
}

static void test_gives_way(void **state)
{
    struct scene scene;
    pthread_t threads[2];
    (void)state;
    scene_begin(&scene);
    struct actor actors[] = {{&scene, COT_STATE_ANSWER, 1}, {&scene, COT_STATE_APPLY, 2}};
    cot_state_lock(&scene.lock, COT_STATE_RULES);
    assert_false(give_way_at_last(&scene.lock)); /* nobody waits */
    for (int i = 0; i < 2; i++) {
        assert_int_equal(pthread_create(&threads[i], NULL, come_in, &actors[i]), 0);
        await(&scene.lock, i == 0, 1);
    }
    assert_true(give_way_at_last(&scene.lock)); /* returns once both were in: other work came before this goes on */
    assert_int_equal(scene.n_order, 2);
    assert_int_equal(scene.order[0], 1);
    cot_state_unlock(&scene.lock);
    for (int i = 0; i < 2; i++)
        pthread_join(threads[i], NULL);
    cot_state_lock_destroy(&scene.lock);
}

static uint64_t sum(const struct cot_state_durations *durations)
{
    uint64_t n = 0;
    for (int i = 0; i <= COT_STATE_N_BOUNDS; i++)
        n += atomic_load(&durations->by_bound[i]);
    return n;
}

enum { N_THREADS = 4, N_ROUNDS = 2000 };

static void *count_up(void *argument)
{
    const struct actor *actor = argument;
    for (int i = 0; i < N_ROUNDS; i++) {
        cot_state_lock(&actor->scene->lock, actor->holder);
        actor->scene->n_passed++;
        if (actor->holder != COT_STATE_ANSWER)
            (void)cot_state_give_way(&actor->scene->lock);
        cot_state_unlock(&actor->scene->lock);
    }
    return NULL;
}

static void test_one_at_a_time(void **state)
{
    struct scene scene;
    pthread_t threads[N_THREADS];
    struct actor actors[N_THREADS];
    (void)state;
    scene_begin(&scene);
    for (int i = 0; i < N_THREADS; i++) {
        actors[i] = (struct actor){&scene, i < 2 ? COT_STATE_ANSWER : COT_STATE_TAKE, i};
        assert_int_equal(pthread_create(&threads[i], NULL, count_up, &actors[i]), 0);
    }
    for (int i = 0; i < N_THREADS; i++)
        pthread_join(threads[i], NULL);
    assert_int_equal(scene.n_passed, N_THREADS * N_ROUNDS);
    assert_int_equal(sum(&scene.lock.holds[COT_STATE_ANSWER]), 2 * N_ROUNDS);
    assert_true(sum(&scene.lock.holds[COT_STATE_TAKE]) >= 2 * N_ROUNDS); /* more where they gave way */
    assert_int_equal(sum(&scene.lock.holds[COT_STATE_APPLY]), 0);
    cot_state_lock_destroy(&scene.lock);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_answers_first),
        cmocka_unit_test(test_work_has_its_turn),
        cmocka_unit_test(test_gives_way),
        cmocka_unit_test(test_one_at_a_time),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
