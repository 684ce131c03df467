#include <semaphore.h>
#include <signal.h>
#include <stdio.h>

#include "cli/command.h"
#include "engine/lend.h"
#include "engine/service.h"
#include "http/server.h"

enum { STOP_TIMEOUT_MS = 10000 };

static void print_listening(const struct cot_call *call, const char *url)
{
    if (call->json)
        printf("{\"listening\":\"%s\"}\n", url);
    else
        printf("listening at %s (stop with Ctrl-C)\n", url);
    fflush(stdout);
}

/* A signal handler has no other way to say anything than through what is global to it; and signals must be handled
 * instead of waited for by one thread, because libraries have threads of their own from before main, which block none.
 */
static sem_t stopped;

static void on_signal(int number)
{
    (void)number;
    sem_post(&stopped);
}

static void handle_signals(void)
{
    struct sigaction action = {.sa_handler = on_signal, .sa_flags = SA_RESTART};
    sem_init(&stopped, 0, 0);
    sigaction(SIGTERM, &action, NULL);
    sigaction(SIGINT, &action, NULL);
    action.sa_handler = SIG_IGN;
    sigaction(SIGPIPE, &action, NULL);
    sigaction(SIGXFSZ, &action, NULL); /* a file at the limit of its size is an error of writing, not the end */
}

static cot_code read_options(const struct cot_call *call, struct cot_server_options *ret_options, struct cot_err *err)
{
    int64_t max_connections = 1000;
    int64_t idle_timeout_s = 30;
    struct cot_server_options options = {.data_dir = call->context.data_dir,
                                         .listen = cot_call_value(call, "listen"),
                                         .tls_cert = cot_call_value(call, "tls-cert"),
                                         .tls_key = cot_call_value(call, "tls-key"),
                                         .shopify_secret = cot_call_value(call, "shopify-secret"),
                                         .access_log = cot_call_value(call, "access-log"),
                                         .n_threads = call->context.n_threads};
    if (options.listen == NULL)
        options.listen = "127.0.0.1:8321";
    cot_code rc = cot_call_int(call, "rate", 1, 10000000, &options.rate, err);
    if (rc == COT_OK)
        rc = cot_call_int(call, "max-connections", 16, 1000000, &max_connections, err);
    if (rc == COT_OK)
        rc = cot_call_int(call, "idle-timeout", 1, 3600, &idle_timeout_s, err);
    options.max_connections = (unsigned)max_connections;
    options.idle_timeout_s = (unsigned)idle_timeout_s;
    if (rc == COT_OK)
        *ret_options = options;
    return rc;
}

static cot_code run(struct cot_call *call, struct cot_err *err)
{
    struct cot_service *service = NULL;
    struct cot_server *server = NULL;
    struct cot_lender *lender = NULL;
    struct cot_server_options options;
    cot_code rc = read_options(call, &options, err);
    if (rc != COT_OK)
        return rc;
    handle_signals();
    rc = cot_service_open(&call->context, &service, err);
    if (rc == COT_OK)
        rc = cot_server_start(&options, service, &server, err);
    if (rc == COT_OK)
        rc = cot_lender_open(service, call->context.data_dir, &lender, err);
    if (rc == COT_OK)
        rc = cot_service_announce(service, cot_server_url(server), err);
    if (rc == COT_OK) {
        print_listening(call, cot_server_url(server));
        while (sem_wait(&stopped) != 0)
            continue;
    }
    cot_lender_close(lender);
    cot_server_stop(server, STOP_TIMEOUT_MS);
    cot_service_close(service);
    return rc;
}

static const struct cot_option options[] = {
    {"listen", "ADDRESS:PORT", "where to listen (default 127.0.0.1:8321); port 0 takes any free one"},
    {"tls-cert", "FILE", "certificate chain (PEM): HTTPS instead of HTTP"},
    {"tls-key", "FILE", "its private key (PEM)"},
    {"access-log", "FILE", "a line of JSON a request, without personal data; '-' is standard error (default: none)"},
    {"rate", "N", "requests a second that a key may make, unless it has a rate of its own (default: no limit)"},
    {"shopify-secret", "FILE", "file whose first line is the secret that signs Shopify's webhooks"},
    {"max-connections", "N", "open connections (default 1000)"},
    {"idle-timeout", "SECONDS", "close a connection on which nothing moves (default 30)"},
    {NULL, NULL, NULL},
};

const struct cot_command cot_command_serve = {
    .name = "serve",
    .arguments = "",
    .n_min = 0,
    .n_max = 0,
    .summary = "serve the shop over HTTP",
    .help =
        "Opens the data directory, making one where there is none, and listens until SIGTERM or SIGINT: then it "
        "answers\n"
        "what has begun, commits and ends with status 0. Events come in by Segment's tracking API (/v1/track, "
        "identify,\n"
        "page, screen, group, alias, batch), as RudderStack's clients send it too, by GA4's Measurement Protocol\n"
        "(/mp/collect) and by Shopify's webhooks (/webhooks/shopify); what is acknowledged is on disk. /openapi.json "
        "describes every path; /healthz, /readyz and\n"
        "/metrics (Prometheus) are for whoever runs it.\n\n"
        "While it runs other commands on the data directory borrow the store from it: it answers from memory "
        "meanwhile,\n"
        "lets calls wait, and takes up what they changed, a new segmentation say, when they end. Keys are made by\n"
        "'coterie keys create'; without any it serves this machine alone, and refuses to listen elsewhere.\n\n"
        "  coterie serve --data shop\n"
        "  coterie serve --data shop --listen :443 --tls-cert chain.pem --tls-key key.pem --access-log access.jsonl",
    .options = options,
    .run = run,
    .leaves_store = true,
};
