#include "http/stream.h"

#include <stdlib.h>
#include <string.h>

#include "engine/service_stream.h"
#include "http/server_parts.h"

enum { BLOCK_SIZE = 16384 };

struct cot_stream {
    struct cot_streams *streams;
    struct MHD_Connection *connection;
    char key_id[COT_KEY_ID_SIZE];
    struct cot_segment_stream from;
    struct cot_buf text; /* what is being said */
    size_t n_said;       /* of it */
    int64_t spoke_us;

    /* guarded by the streams' mutex */
    bool waits; /* suspended */
    struct cot_stream *next, *previous;
};

struct cot_streams {
    struct cot_server *server;
    int64_t heartbeat_ms;
    size_t max;
    pthread_t thread;
    bool has_thread;

    /* guarded by mutex */
    pthread_mutex_t mutex;
    struct cot_stream *first;
    size_t n;
    uint64_t turn; /* of letting those that wait go on */
    bool ending;
};

/* The caller holds mutex. */
static void let_go_on(struct cot_streams *streams)
{
    streams->turn++;
    for (struct cot_stream *stream = streams->first; stream != NULL; stream = stream->next)
        if (stream->waits) {
            stream->waits = false;
            MHD_resume_connection(stream->connection);
        }
}

static void *watch(void *argument)
{
    struct cot_streams *streams = argument;
    uint64_t turn = 0;
    bool ending = false;
    while (!ending) {
        cot_service_stream_wait(streams->server->service, &turn, (streams->heartbeat_ms + 1) / 2);
        pthread_mutex_lock(&streams->mutex);
        let_go_on(streams);
        ending = streams->ending;
        pthread_mutex_unlock(&streams->mutex);
    }
    return NULL;
}

cot_code cot_streams_open(struct cot_server *server, int64_t heartbeat_ms, size_t max, struct cot_streams **ret_streams,
                          struct cot_err *err)
{
    struct cot_streams *streams = calloc(1, sizeof *streams);
    if (streams == NULL)
        return cot_fail(err, COT_NOMEM, "streams");
    streams->server = server;
    streams->heartbeat_ms = heartbeat_ms;
    streams->max = max;
    pthread_mutex_init(&streams->mutex, NULL);
    if (pthread_create(&streams->thread, NULL, watch, streams) != 0) {
        cot_streams_free(streams);
        return cot_fail(err, COT_NOMEM, "a thread");
    }
    streams->has_thread = true;
    *ret_streams = streams;
    return COT_OK;
}

void cot_streams_end(struct cot_streams *streams)
{
    if (streams == NULL || !streams->has_thread)
        return;
    pthread_mutex_lock(&streams->mutex);
    streams->ending = true;
    pthread_mutex_unlock(&streams->mutex);
    cot_service_stream_wake(streams->server->service);
    pthread_join(streams->thread, NULL);
    streams->has_thread = false;
}

void cot_streams_free(struct cot_streams *streams)
{
    if (streams == NULL)
        return;
    cot_streams_end(streams);
    pthread_mutex_destroy(&streams->mutex);
    free(streams);
}

size_t cot_streams_n(struct cot_streams *streams)
{
    pthread_mutex_lock(&streams->mutex);
    size_t n = streams->n;
    pthread_mutex_unlock(&streams->mutex);
    return n;
}

/* False: there are too many, or the server stops. */
static bool enter(struct cot_streams *streams, struct cot_stream *stream)
{
    pthread_mutex_lock(&streams->mutex);
    bool may = !streams->ending && streams->n < streams->max;
    if (may) {
        stream->next = streams->first;
        if (stream->next != NULL)
            stream->next->previous = stream;
        streams->first = stream;
        streams->n++;
    }
    pthread_mutex_unlock(&streams->mutex);
    return may;
}

void cot_stream_free(struct cot_stream *stream)
{
    if (stream == NULL)
        return;
    struct cot_streams *streams = stream->streams;
    pthread_mutex_lock(&streams->mutex);
    if (stream->previous != NULL)
        stream->previous->next = stream->next;
    else
        streams->first = stream->next;
    if (stream->next != NULL)
        stream->next->previous = stream->previous;
    streams->n--;
    pthread_mutex_unlock(&streams->mutex);
    cot_buf_release(&stream->text);
    free(stream);
}

static void free_stream(void *context)
{
    cot_stream_free(context);
}

/* What comes next into the text; nothing where there is nothing to say. False: the stream ends. */
static bool refill(struct cot_stream *stream)
{
    struct cot_err ignored; /* of memory: the reader comes again with its last id */
    struct cot_server *server = stream->streams->server;
    cot_buf_clear(&stream->text);
    stream->n_said = 0;
    if (cot_service_stream_read(server->service, &stream->from, &stream->text, &ignored) != COT_OK)
        return false;
    if (stream->text.size > 0 || cot_now_us() - stream->spoke_us < stream->streams->heartbeat_ms * 1000 / 2)
        return true;
    return cot_server_key_holds(server, stream->key_id) &&
           cot_buf_puts(&stream->text, ": still here\n\n", &ignored) == COT_OK;
}

static ssize_t say(struct cot_stream *stream, char *buf, size_t max)
{
    size_t n = stream->text.size - stream->n_said;
    n = n < max ? n : max;
    memcpy(buf, stream->text.data + stream->n_said, n);
    stream->n_said += n;
    stream->spoke_us = cot_now_us();
    return (ssize_t)n;
}

/* MHD_ContentReaderCallback: 0 with a suspended connection waits; without, it is called again at once. */
static ssize_t read_stream(void *context, uint64_t position, char *buf, size_t max)
{
    struct cot_stream *stream = context;
    struct cot_streams *streams = stream->streams;
    (void)position;
    if (stream->n_said < stream->text.size)
        return say(stream, buf, max);
    pthread_mutex_lock(&streams->mutex);
    uint64_t turn = streams->turn;
    bool ending = streams->ending;
    pthread_mutex_unlock(&streams->mutex);
    if (ending || !refill(stream))
        return MHD_CONTENT_READER_END_OF_STREAM;
    if (stream->text.size > 0)
        return say(stream, buf, max);
    pthread_mutex_lock(&streams->mutex);
    if (streams->turn == turn && !streams->ending) { /* else something may have come since it was looked for */
        stream->waits = true;
        MHD_suspend_connection(stream->connection);
    }
    pthread_mutex_unlock(&streams->mutex);
    return 0;
}

cot_code cot_exchange_stream(struct cot_exchange *exchange, const struct cot_segment_stream *from, struct cot_err *err)
{
    struct cot_streams *streams = exchange->server->streams;
    struct cot_stream *stream = calloc(1, sizeof *stream);
    if (stream == NULL)
        return cot_fail(err, COT_NOMEM, "a stream");
    stream->streams = streams;
    stream->connection = exchange->connection;
    stream->from = *from;
    stream->spoke_us = cot_now_us();
    memcpy(stream->key_id, exchange->key_id, sizeof stream->key_id);
    if (!enter(streams, stream)) {
        free(stream);
        exchange->retry_after_s = 5;
        cot_exchange_answer_error(exchange, 503, "busy", "so many streams are open already: try again in a moment");
        return COT_OK;
    }
    exchange->stream = stream;
    exchange->content_type = "text/event-stream";
    exchange->status = 200;
    return COT_OK;
}

struct MHD_Response *cot_stream_response(struct cot_stream *stream)
{
    struct MHD_Response *response =
        MHD_create_response_from_callback(MHD_SIZE_UNKNOWN, BLOCK_SIZE, read_stream, stream, free_stream);
    if (response == NULL)
        cot_stream_free(stream);
    return response;
}
