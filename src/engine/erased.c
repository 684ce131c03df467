#include "engine/erased.h"

#include <openssl/hmac.h>
#include <openssl/rand.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "store/store.h"

enum { HASH_BYTES = 32 };

struct cot_erased {
    char *salt;
    size_t n;
    unsigned char (*hashes)[HASH_BYTES]; /* ascending */
};

static void to_hex(const unsigned char *bytes, size_t n, char *ret_hex)
{
    static const char digits[] = "0123456789abcdef";
    for (size_t i = 0; i < n; i++) {
        ret_hex[2 * i] = digits[bytes[i] >> 4];
        ret_hex[2 * i + 1] = digits[bytes[i] & 15];
    }
    ret_hex[2 * n] = '\0';
}

static bool from_hex(const char *hex, size_t size, unsigned char *ret_bytes)
{
    if (size != 2 * HASH_BYTES)
        return false;
    for (size_t i = 0; i < size; i++) {
        char c = hex[i];
        int digit = c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
        if (digit < 0)
            return false;
        ret_bytes[i / 2] = (unsigned char)(i % 2 == 0 ? digit << 4 : ret_bytes[i / 2] | digit);
    }
    return true;
}

static cot_code make_salt(struct cot_store *store, char **ret_salt, struct cot_err *err)
{
    unsigned char bytes[COT_SALT_BYTES];
    char *salt = malloc(2 * sizeof bytes + 1);
    if (salt == NULL)
        return cot_fail(err, COT_NOMEM, "the shop's salt");
    if (RAND_bytes(bytes, sizeof bytes) != 1) {
        free(salt);
        return cot_fail(err, COT_IO, "the system gives no random bytes for the shop's salt");
    }
    to_hex(bytes, sizeof bytes, salt);
    cot_code rc = cot_store_set_setting(store, "salt", salt, err);
    if (rc == COT_OK)
        *ret_salt = salt;
    else
        free(salt);
    return rc == COT_OK ? rc
                        : cot_err_prefix(err, COT_BAD_DATA, "'%s' has no salt and takes none", cot_store_path(store));
}

cot_code cot_salt_get(struct cot_store *store, char **ret_salt, struct cot_err *err)
{
    char *salt = NULL;
    cot_code rc = cot_store_setting(store, "salt", &salt, err);
    if (rc == COT_OK && salt == NULL)
        rc = make_salt(store, &salt, err);
    if (rc == COT_OK)
        *ret_salt = salt;
    return rc;
}

static void hash_bytes(const char *salt, const char *name, const char *value, size_t size,
                       unsigned char ret_hash[HASH_BYTES])
{
    char on_stack[512];
    size_t name_size = strlen(name);
    size_t message_size = name_size + 1 + size;
    char *message = message_size <= sizeof on_stack ? on_stack : malloc(message_size);
    unsigned n = 0;
    memset(ret_hash, 0, HASH_BYTES);
    if (message == NULL)
        abort(); /* a wrong hash would silently let an erased person in */
    memcpy(message, name, name_size);
    message[name_size] = ':';
    if (size > 0)
        memcpy(message + name_size + 1, value, size);
    if (HMAC(EVP_sha256(), salt, (int)strlen(salt), (const unsigned char *)message, message_size, ret_hash, &n) == NULL)
        abort();
    if (message != on_stack)
        free(message);
}

void cot_salted_hash(const char *salt, const char *name, const char *value, size_t size,
                     char ret_hex[COT_ERASED_HASH_SIZE])
{
    unsigned char hash[HASH_BYTES];
    hash_bytes(salt, name, value, size, hash);
    to_hex(hash, HASH_BYTES, ret_hex);
}

static int compare_hashes(const void *a, const void *b)
{
    return memcmp(a, b, HASH_BYTES);
}

static cot_code read_hashes(struct cot_store *store, struct cot_erased *erased, struct cot_err *err)
{
    struct cot_rows *rows = NULL;
    bool more = false;
    size_t size = 0;
    size_t capacity = 0;
    cot_code rc = cot_rows_open(store, &rows, err, "select distinct value_hash from erased");
    while (rc == COT_OK && (rc = cot_rows_next(rows, &more, err)) == COT_OK && more) {
        const char *hex = cot_rows_text(rows, 0, &size);
        if (erased->n == capacity) {
            capacity = capacity == 0 ? 64 : 2 * capacity;
            void *grown = realloc(erased->hashes, capacity * sizeof *erased->hashes);
            if (grown == NULL) {
                rc = cot_fail(err, COT_NOMEM, "%zu erased identities", capacity);
                break;
            }
            erased->hashes = grown;
        }
        if (hex == NULL || !from_hex(hex, size, erased->hashes[erased->n++]))
            rc = cot_fail(err, COT_BAD_DATA, "table erased of '%s' holds a value that is no hash: restore a backup",
                          cot_store_path(store));
    }
    cot_rows_close(rows);
    return rc;
}

cot_code cot_erased_load(struct cot_store *store, struct cot_erased **ret_erased, struct cot_err *err)
{
    struct cot_erased *erased = calloc(1, sizeof *erased);
    if (erased == NULL)
        return cot_fail(err, COT_NOMEM, "erased identities");
    cot_code rc = read_hashes(store, erased, err);
    if (rc == COT_OK && erased->n > 0) {
        qsort(erased->hashes, erased->n, sizeof *erased->hashes, compare_hashes);
        rc = cot_salt_get(store, &erased->salt, err);
    }
    if (rc == COT_OK) {
        *ret_erased = erased;
        erased = NULL;
    }
    cot_erased_free(erased);
    return rc;
}

cot_code cot_erased_parse(const char *text, size_t size, struct cot_erased **ret_erased, struct cot_err *err)
{
    cot_code rc = COT_OK;
    struct cot_erased *erased = calloc(1, sizeof *erased);
    const char *end = memchr(text, '\n', size);
    if (erased == NULL)
        return cot_fail(err, COT_NOMEM, "erased identities");
    if (end != NULL) {
        size_t salt_size = (size_t)(end - text);
        size_t n = (size - salt_size - 1) / (2 * HASH_BYTES + 1);
        erased->salt = strndup(text, salt_size);
        erased->hashes = calloc(n + 1, sizeof *erased->hashes);
        if (erased->salt == NULL || erased->hashes == NULL)
            rc = cot_fail(err, COT_NOMEM, "%zu erased identities", n);
        for (const char *at = end + 1; rc == COT_OK && erased->n < n; at += 2 * HASH_BYTES + 1)
            if (!from_hex(at, 2 * HASH_BYTES, erased->hashes[erased->n++]))
                rc = cot_fail(err, COT_BAD_DATA, "line %zu of the list of erased identities is no hash", erased->n + 2);
        if (rc == COT_OK)
            qsort(erased->hashes, erased->n, sizeof *erased->hashes, compare_hashes);
    }
    if (rc == COT_OK)
        *ret_erased = erased;
    else
        cot_erased_free(erased);
    return rc;
}

cot_code cot_erased_merge(const struct cot_erased *erased, struct cot_store *store, struct cot_err *err)
{
    char *salt = NULL;
    if (erased->n == 0)
        return COT_OK;
    cot_code rc = cot_salt_get(store, &salt, err);
    bool same = rc == COT_OK && strcmp(salt, erased->salt) == 0;
    for (size_t i = 0; rc == COT_OK && same && i < erased->n; i++) {
        char hex[COT_ERASED_HASH_SIZE];
        to_hex(erased->hashes[i], HASH_BYTES, hex);
        rc = cot_store_exec(store, err,
                            "insert into erased select '%s', epoch_ms(epoch_ms(now())) where not exists"
                            " (select 1 from erased where value_hash = '%s')",
                            hex, hex);
    }
    free(salt);
    return rc;
}

void cot_erased_free(struct cot_erased *erased)
{
    if (erased == NULL)
        return;
    free(erased->salt);
    free(erased->hashes);
    free(erased);
}

size_t cot_erased_count(const struct cot_erased *erased)
{
    return erased->n;
}

bool cot_erased_contains(const struct cot_erased *erased, enum cot_node_kind kind, const char *value, size_t size)
{
    unsigned char hash[HASH_BYTES];
    if (erased->n == 0)
        return false;
    hash_bytes(erased->salt, cot_node_kind_name(kind), value, size, hash);
    return bsearch(hash, erased->hashes, erased->n, sizeof *erased->hashes, compare_hashes) != NULL;
}
