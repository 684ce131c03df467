/* Who may: keys, roles, rates. */
#include <errno.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include "http/server_parts.h"

#define KEYS_CHECK_US INT64_C(1000000)

cot_code cot_server_read_keys(struct cot_server *server, struct cot_err *err)
{
    char path[4096];
    struct stat status = {0};
    struct cot_key_ring ring = {0};
    int64_t now_us = cot_now_us();
    if (server->keys_checked_us != 0 && now_us - server->keys_checked_us < KEYS_CHECK_US)
        return COT_OK;
    bool first = server->keys_checked_us == 0;
    server->keys_checked_us = now_us;
    snprintf(path, sizeof path, "%s/keys.json", server->options.data_dir);
    if (stat(path, &status) != 0)
        status = (struct stat){0};
    if (!first && status.st_ino == server->keys_inode && status.st_mtim.tv_sec == server->keys_changed.tv_sec &&
        status.st_mtim.tv_nsec == server->keys_changed.tv_nsec)
        return COT_OK;
    cot_code rc = cot_key_ring_load(server->options.data_dir, &ring, err);
    if (rc != COT_OK)
        return rc;
    cot_key_ring_release(&server->keys);
    server->keys = ring;
    server->keys_changed = status.st_mtim;
    server->keys_inode = status.st_ino;
    return COT_OK;
}

bool cot_server_key_holds(struct cot_server *server, const char *key_id)
{
    struct cot_err ignored;
    pthread_mutex_lock(&server->keys_mutex);
    bool read = cot_server_read_keys(server, &ignored) == COT_OK;
    bool holds = read && key_id[0] == '\0' && server->keys.n == 0;
    for (size_t i = 0; read && !holds && i < server->keys.n; i++)
        holds = strcmp(server->keys.keys[i].id, key_id) == 0;
    pthread_mutex_unlock(&server->keys_mutex);
    return holds;
}

/* Base64 "KEY:" or, by clients that forget the colon, "KEY". False: no such text. */
static bool decode_basic(const char *text, char *ret_key, size_t size)
{
    unsigned char plain[256];
    size_t n = strlen(text);
    if (n == 0 || n % 4 != 0 || n / 4 * 3 >= sizeof plain)
        return false;
    int n_plain = EVP_DecodeBlock(plain, (const unsigned char *)text, (int)n);
    if (n_plain < 0)
        return false;
    plain[n_plain] = '\0';
    size_t n_key = strcspn((const char *)plain, ":");
    if (n_key == 0 || n_key >= size)
        return false;
    memcpy(ret_key, plain, n_key);
    ret_key[n_key] = '\0';
    return true;
}

/* The key that the head of the request brings. False: none. */
static bool key_of_head(const struct cot_exchange *exchange, char *ret_key, size_t size)
{
    const char *header = cot_exchange_header(exchange, "Authorization");
    if (header == NULL)
        return false;
    if (strncasecmp(header, "Bearer ", 7) == 0 && header[7] != '\0' && strlen(header + 7) < size) {
        memcpy(ret_key, header + 7, strlen(header + 7) + 1); /* fits: checked */
        return true;
    }
    return strncasecmp(header, "Basic ", 6) == 0 && decode_basic(header + 6, ret_key, size);
}

static bool refuse(struct cot_exchange *exchange, int status, const char *code, const char *message)
{
    cot_exchange_answer_error(exchange, status, code, message);
    return false;
}

static bool within_rate(struct cot_exchange *exchange, int64_t rate)
{
    int64_t wait_ms = 0;
    if (cot_rate_limit_take(exchange->server->rates, exchange->key_id, rate, cot_now_us(), &wait_ms))
        return true;
    exchange->retry_after_s = (unsigned)((wait_ms + 999) / 1000);
    exchange->rate_reset_s = (uint64_t)time(NULL) + exchange->retry_after_s;
    return refuse(exchange, 429, "too_many_requests", "more requests a second than the key may make: come again later");
}

/* Copies what is needed of the key, so that the ring may change. 0: no such key. */
static unsigned role_of(struct cot_exchange *exchange, const char *key, bool *ret_open, int64_t *ret_rate,
                        struct cot_err *err)
{
    struct cot_server *server = exchange->server;
    unsigned role = 0;
    err->code = COT_OK;
    pthread_mutex_lock(&server->keys_mutex);
    if (cot_server_read_keys(server, err) == COT_OK) {
        const struct cot_key *found = key != NULL ? cot_key_ring_find(&server->keys, key, strlen(key)) : NULL;
        *ret_open = server->keys.n == 0 && server->loopback;
        if (found != NULL) {
            role = found->role;
            *ret_rate = found->rate;
            memcpy(exchange->key_id, found->id, sizeof exchange->key_id);
        }
    }
    pthread_mutex_unlock(&server->keys_mutex);
    return role;
}

bool cot_exchange_authorize(struct cot_exchange *exchange, const char *body_key)
{
    char key[256];
    bool is_open = false;
    int64_t rate = 0;
    struct cot_err err = {0};
    bool given = key_of_head(exchange, key, sizeof key);
    unsigned role = role_of(exchange, given ? key : body_key, &is_open, &rate, &err);
    if (err.code != COT_OK)
        return refuse(exchange, 503, cot_code_name(err.code), err.message);
    if (role == 0 && !is_open)
        return refuse(exchange, 401, "unauthorized",
                      given || body_key != NULL ? "the key is unknown or revoked: 'coterie keys create' makes one"
                                                : "no key: send 'Authorization: Bearer KEY'");
    if (role != 0 && !((exchange->route->roles | COT_ROLE_ADMIN) & role))
        return refuse(exchange, 403, "forbidden", "the key's role may not do this: /openapi.json says which may");
    return within_rate(exchange, rate);
}
