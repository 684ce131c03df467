#include "engine/service.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "store/store.h"

struct cot_service {
    struct cot_store *store;
    struct timespec began; /* monotonic */
    bool announced;
};

cot_code cot_service_open(const struct cot_context *context, struct cot_service **ret_service, struct cot_err *err)
{
    const struct cot_store_options how = {.mode = COT_STORE_CREATE, .n_threads = context->n_threads};
    struct cot_service *service = calloc(1, sizeof *service);
    if (service == NULL)
        return cot_fail(err, COT_NOMEM, "service");
    clock_gettime(CLOCK_MONOTONIC, &service->began);
    cot_code rc = cot_store_open(context->data_dir, &how, &service->store, err);
    if (rc == COT_OK)
        *ret_service = service;
    else
        cot_service_close(service);
    return rc;
}

static void announcement_path(const struct cot_service *service, char *ret_path, size_t size)
{
    snprintf(ret_path, size, "%s/server.json", cot_store_data_dir(service->store));
}

cot_code cot_service_announce(struct cot_service *service, const char *url, struct cot_err *err)
{
    char path[4096];
    announcement_path(service, path, sizeof path);
    FILE *file = fopen(path, "we");
    bool done = file != NULL && fprintf(file, "{\"url\":\"%s\",\"pid\":%lld}\n", url, (long long)getpid()) > 0;
    if (file != NULL)
        done = fclose(file) == 0 && done;
    service->announced = done;
    return done ? COT_OK : cot_fail(err, COT_IO, "'%s': %s", path, strerror(errno));
}

void cot_service_close(struct cot_service *service)
{
    char path[4096];
    if (service == NULL)
        return;
    if (service->announced) {
        announcement_path(service, path, sizeof path);
        (void)unlink(path);
    }
    cot_store_close(service->store);
    free(service);
}

cot_code cot_service_ready(struct cot_service *service, struct cot_err *err)
{
    int64_t one = 0;
    pthread_mutex_lock(cot_store_mutex(service->store));
    cot_code rc = cot_store_number(service->store, &one, err, "select 1");
    pthread_mutex_unlock(cot_store_mutex(service->store));
    return rc;
}

static double file_size(const char *path)
{
    struct stat status;
    return stat(path, &status) == 0 ? (double)status.st_size : 0;
}

size_t cot_service_figures(const struct cot_service *service,
                           struct cot_service_figure ret_figures[COT_SERVICE_MAX_FIGURES])
{
    struct timespec now;
    size_t n = 0;
    clock_gettime(CLOCK_MONOTONIC, &now);
    ret_figures[n++] = (struct cot_service_figure){"coterie_uptime_seconds", "Since the server began.", false,
                                                   (double)(now.tv_sec - service->began.tv_sec) +
                                                       (double)(now.tv_nsec - service->began.tv_nsec) * 1e-9};
    ret_figures[n++] = (struct cot_service_figure){"coterie_store_bytes", "Size of the database file.", false,
                                                   file_size(cot_store_path(service->store))};
    return n;
}
