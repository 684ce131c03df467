/*
 * What telling calls apart costs: N ids that come evenly over a day, then lookups among them.
 *
 *   bench_ids FOLDER N
 *
 * Prints JSON:
 * {"ids","runs","take_per_second","new_per_second","known_per_second","memory_bytes","disk_bytes","open_seconds"}:
 * take: ids taken in, runs written and joined beside; new, known: lookups of ids that are not there, that are;
 * memory: this process's own, without the files' pages that the system holds for it; open: reading it all again.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "engine/message_seen.h"

enum { GROUP = 1000, LOOKUPS = 1000000 };

static const struct cot_message_store store = {.salt = "bench", .n_events = 1};

static double now_s(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec * 1e-9;
}

static bool meet(struct cot_message_seen *seen, uint64_t i)
{
    struct cot_err err = {0};
    bool met = false;
    if (cot_message_seen_meet(seen, cot_hash128_bytes(&i, sizeof i), &met, &err) != COT_OK) {
        fprintf(stderr, "bench_ids: %s\n", err.message);
        exit(1);
    }
    return met;
}

static double take(struct cot_message_seen *seen, uint64_t n, int64_t *ret_now_ms)
{
    double began = now_s();
    int64_t now_ms = COT_MESSAGE_WINDOW_MS;
    for (uint64_t i = 0; i < n; i++) {
        if (i % GROUP == 0) {
            cot_message_seen_keep(seen);
            now_ms = COT_MESSAGE_WINDOW_MS + (int64_t)((double)i / (double)n * (double)COT_MESSAGE_WINDOW_MS);
            cot_message_seen_tick(seen, &store, now_ms, now_ms);
        }
        if (meet(seen, i))
            fprintf(stderr, "bench_ids: %llu is there already\n", (unsigned long long)i);
    }
    cot_message_seen_keep(seen);
    *ret_now_ms = now_ms;
    return (double)n / (now_s() - began);
}

/* Lookups of ids spread over [from, from + n); how many were met. */
static double look_up(struct cot_message_seen *seen, uint64_t from, uint64_t n, uint64_t *ret_met)
{
    double began = now_s();
    *ret_met = 0;
    for (uint64_t i = 0; i < LOOKUPS; i++)
        *ret_met += meet(seen, from + i * UINT64_C(2654435761) % n);
    double took = now_s() - began;
    cot_message_seen_drop(seen);
    return (double)LOOKUPS / took;
}

static struct cot_message_seen *open_seen(const char *folder, int64_t now_ms)
{
    struct cot_err err = {0};
    struct cot_message_seen *seen = NULL;
    int64_t since_ms = 0;
    if (cot_message_seen_open(folder, &store, now_ms, &seen, &since_ms, &err) != COT_OK) {
        fprintf(stderr, "bench_ids: %s\n", err.message);
        exit(1);
    }
    return seen;
}

int main(int argc, char **argv)
{
    struct cot_err err = {0};
    uint64_t met[2] = {0, 0};
    int64_t now_ms = 0;
    if (argc != 3) {
        fprintf(stderr, "usage: bench_ids FOLDER N\n");
        return 64;
    }
    uint64_t n = strtoull(argv[2], NULL, 10);
    struct cot_message_seen *seen = open_seen(argv[1], COT_MESSAGE_WINDOW_MS);
    double take_rate = take(seen, n, &now_ms);
    if (cot_message_seen_flush(seen, &store, now_ms, &err) != COT_OK) {
        fprintf(stderr, "bench_ids: %s\n", err.message);
        return 1;
    }
    struct cot_message_figures figures = cot_message_seen_figures(seen);
    double known_rate = look_up(seen, 0, n, &met[1]);
    double new_rate = look_up(seen, n, UINT64_MAX / 4, &met[0]);
    cot_message_seen_close(seen);
    double began = now_s();
    seen = open_seen(argv[1], now_ms);
    double open_s = now_s() - began;
    bool whole = cot_message_seen_figures(seen).n == n && met[0] == 0 && met[1] == LOOKUPS;
    cot_message_seen_close(seen);
    printf("{\"ids\":%llu,\"runs\":%zu,\"take_per_second\":%.0f,\"new_per_second\":%.0f,\"known_per_second\":%.0f,"
           "\"memory_bytes\":%llu,\"disk_bytes\":%llu,\"open_seconds\":%.3f}\n",
           (unsigned long long)n, figures.n_runs, take_rate, new_rate, known_rate,
           (unsigned long long)figures.memory_size, (unsigned long long)figures.disk_size, open_s);
    return whole ? 0 : 1;
}
