#include "engine/keys.h"

#include <errno.h>
#include <fcntl.h>
#include <openssl/crypto.h>
#include <openssl/rand.h>
#include <openssl/sha.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/civil.h"
#include "base/folder.h"

enum { KEYS_VERSION = 1, KEY_RANDOM_SIZE = 32, MAX_KEYS = 10000, MAX_NAME_SIZE = 200 };

static const struct role_row {
    enum cot_role role;
    const char *name;
} role_rows[] = {
#define X(role, bit, name, help) {role, name},
    COT_ROLES(X)
#undef X
};

const char *cot_role_name(enum cot_role role)
{
    for (size_t i = 0; i < sizeof role_rows / sizeof *role_rows; i++)
        if (role_rows[i].role == role)
            return role_rows[i].name;
    return NULL;
}

bool cot_role_from_name(const char *name, enum cot_role *ret_role)
{
    for (size_t i = 0; i < sizeof role_rows / sizeof *role_rows; i++)
        if (strcmp(role_rows[i].name, name) == 0) {
            *ret_role = role_rows[i].role;
            return true;
        }
    return false;
}

static void hex_of(const unsigned char *bytes, size_t n, char *ret_hex)
{
    for (size_t i = 0; i < n; i++)
        snprintf(ret_hex + 2 * i, 3, "%02x", bytes[i]);
}

static bool bytes_of(const char *hex, unsigned char *ret_bytes, size_t n)
{
    if (hex == NULL || strlen(hex) != 2 * n)
        return false;
    for (size_t i = 0; i < n; i++) {
        int value = 0;
        for (size_t j = 0; j < 2; j++) {
            char c = hex[2 * i + j];
            int digit = c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
            if (digit < 0)
                return false;
            value = 16 * value + digit;
        }
        ret_bytes[i] = (unsigned char)value;
    }
    return true;
}

static void now_text(char ret_text[COT_TIME_TEXT_SIZE])
{
    cot_format_time((int64_t)time(NULL) * COT_MS_PER_SECOND, ret_text, COT_TIME_TEXT_SIZE);
}

static cot_code path_of(const char *data_dir, char **ret_path, struct cot_err *err)
{
    if (asprintf(ret_path, "%s/keys.json", data_dir) < 0) {
        *ret_path = NULL;
        return cot_fail(err, COT_NOMEM, "the path of the keys");
    }
    return COT_OK;
}

/* The file as a document that can be changed; a fresh one where there is none. */
static cot_code keys_read(const char *data_dir, yyjson_mut_doc **ret_doc, struct cot_err *err)
{
    char *path = NULL;
    yyjson_doc *doc = NULL;
    yyjson_mut_doc *copy = NULL;
    yyjson_read_err why = {0};
    struct stat status;
    cot_code rc = path_of(data_dir, &path, err);
    if (rc != COT_OK)
        goto out;
    if (stat(path, &status) != 0 && errno == ENOENT) {
        copy = yyjson_mut_doc_new(NULL);
        yyjson_mut_val *root = yyjson_mut_obj(copy);
        yyjson_mut_doc_set_root(copy, root);
        yyjson_mut_obj_add_int(copy, root, "version", KEYS_VERSION);
        yyjson_mut_obj_add_arr(copy, root, "keys");
    } else {
        doc = yyjson_read_file(path, 0, NULL, &why);
        if (doc == NULL) {
            rc = cot_fail(err, COT_BAD_DATA, "'%s' can't be read (%s): restore it, or delete it and make new keys",
                          path, why.msg);
            goto out;
        }
        yyjson_val *root = yyjson_doc_get_root(doc);
        if (yyjson_get_int(yyjson_obj_get(root, "version")) != KEYS_VERSION ||
            !yyjson_is_arr(yyjson_obj_get(root, "keys"))) {
            rc = cot_fail(err, COT_BAD_DATA, "'%s' is no list of keys of version %d", path, KEYS_VERSION);
            goto out;
        }
        copy = yyjson_doc_mut_copy(doc, NULL);
    }
    if (copy == NULL)
        rc = cot_fail(err, COT_NOMEM, "keys");
out:
    yyjson_doc_free(doc);
    free(path);
    if (rc == COT_OK)
        *ret_doc = copy;
    else
        yyjson_mut_doc_free(copy);
    return rc;
}

static cot_code write_whole(const char *path, const char *text, size_t size, struct cot_err *err)
{
    int file = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (file < 0)
        return cot_fail(err, COT_IO, "'%s': %s", path, strerror(errno));
    bool done = write(file, text, size) == (ssize_t)size && fsync(file) == 0;
    int why = errno;
    close(file);
    return done ? COT_OK : cot_fail(err, COT_IO, "writing '%s': %s", path, strerror(why));
}

static cot_code keys_write(const char *data_dir, const yyjson_mut_doc *doc, struct cot_err *err)
{
    char *path = NULL;
    char *next = NULL;
    size_t size = 0;
    char *text = yyjson_mut_write(doc, YYJSON_WRITE_PRETTY, &size);
    cot_code rc = text == NULL ? cot_fail(err, COT_NOMEM, "keys") : path_of(data_dir, &path, err);
    if (rc == COT_OK && asprintf(&next, "%s.new", path) < 0) {
        next = NULL;
        rc = cot_fail(err, COT_NOMEM, "keys");
    }
    if (rc == COT_OK)
        rc = write_whole(next, text, size, err);
    if (rc == COT_OK && rename(next, path) != 0)
        rc = cot_fail(err, COT_IO, "renaming '%s' to '%s': %s", next, path, strerror(errno));
    if (rc == COT_OK)
        rc = cot_folder_sync_parent(path, err);
    free(text);
    free(path);
    free(next);
    return rc;
}

/* Keeps others from changing the file meanwhile; close the descriptor to let go. */
static cot_code keys_lock(const char *data_dir, int *ret_folder, struct cot_err *err)
{
    cot_code rc = cot_folder_make(data_dir, err);
    if (rc != COT_OK)
        return rc;
    int folder = open(data_dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (folder < 0 || flock(folder, LOCK_EX) != 0) {
        rc = cot_fail(err, COT_IO, "'%s': %s", data_dir, strerror(errno));
        if (folder >= 0)
            close(folder);
        return rc;
    }
    *ret_folder = folder;
    return COT_OK;
}

/* "cot_write_" and the bits in base64url without padding. */
static cot_code key_make(enum cot_role role, char ret_key[COT_KEY_SIZE], char ret_id[COT_KEY_ID_SIZE],
                         struct cot_err *err)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    unsigned char bits[KEY_RANDOM_SIZE + 6];
    if (RAND_bytes(bits, sizeof bits) != 1)
        return cot_fail(err, COT_INTERNAL, "the system gives no random bytes");
    int used = snprintf(ret_key, COT_KEY_SIZE, "cot_%s_", cot_role_name(role));
    uint32_t pending = 0;
    int n_pending = 0;
    for (size_t i = 0; i < KEY_RANDOM_SIZE; i++) {
        pending = pending << 8 | bits[i];
        for (n_pending += 8; n_pending >= 6; n_pending -= 6)
            ret_key[used++] = digits[pending >> (n_pending - 6) & 63];
    }
    ret_key[used++] = digits[pending << (6 - n_pending) & 63];
    ret_key[used] = '\0';
    int at = snprintf(ret_id, COT_KEY_ID_SIZE, "key-");
    hex_of(bits + KEY_RANDOM_SIZE, 6, ret_id + at);
    OPENSSL_cleanse(bits, sizeof bits);
    return COT_OK;
}

static void add_key(yyjson_mut_doc *doc, const char *id, const char *key, enum cot_role role, const char *name,
                    int64_t rate)
{
    unsigned char hash[COT_KEY_HASH_SIZE];
    char hex[2 * COT_KEY_HASH_SIZE + 1];
    char now[COT_TIME_TEXT_SIZE];
    SHA256((const unsigned char *)key, strlen(key), hash);
    hex_of(hash, sizeof hash, hex);
    now_text(now);
    yyjson_mut_val *keys = yyjson_mut_obj_get(yyjson_mut_doc_get_root(doc), "keys");
    yyjson_mut_val *entry = yyjson_mut_arr_add_obj(doc, keys);
    yyjson_mut_obj_add_strcpy(doc, entry, "id", id);
    yyjson_mut_obj_add_str(doc, entry, "role", cot_role_name(role));
    yyjson_mut_obj_add_strcpy(doc, entry, "name", name != NULL ? name : "");
    yyjson_mut_obj_add_int(doc, entry, "rate", rate);
    yyjson_mut_obj_add_strcpy(doc, entry, "sha256", hex);
    yyjson_mut_obj_add_strcpy(doc, entry, "created_at", now);
    yyjson_mut_obj_add_null(doc, entry, "revoked_at");
}

cot_code cot_key_create_run(const struct cot_context *context, enum cot_role role, const char *name, int64_t rate,
                            yyjson_mut_doc **ret_doc, struct cot_err *err)
{
    char key[COT_KEY_SIZE];
    char id[COT_KEY_ID_SIZE];
    int folder = -1;
    yyjson_mut_doc *keys = NULL;
    yyjson_mut_doc *doc = yyjson_mut_doc_new(NULL);
    cot_code rc = doc == NULL ? cot_fail(err, COT_NOMEM, "key") : COT_OK;
    if (rc == COT_OK && name != NULL && strlen(name) > MAX_NAME_SIZE)
        rc = cot_fail(err, COT_USAGE, "a name of %zu bytes: %d are the limit", strlen(name), MAX_NAME_SIZE);
    if (rc == COT_OK)
        rc = keys_lock(context->data_dir, &folder, err);
    if (rc == COT_OK)
        rc = keys_read(context->data_dir, &keys, err);
    if (rc == COT_OK && yyjson_mut_arr_size(yyjson_mut_obj_get(yyjson_mut_doc_get_root(keys), "keys")) >= MAX_KEYS)
        rc = cot_fail(err, COT_LIMIT, "'%s' has %d keys: that is the limit", context->data_dir, MAX_KEYS);
    if (rc == COT_OK)
        rc = key_make(role, key, id, err);
    if (rc != COT_OK)
        goto out;
    add_key(keys, id, key, role, name, rate);
    rc = keys_write(context->data_dir, keys, err);
    if (rc != COT_OK)
        goto out;
    yyjson_mut_val *root = yyjson_mut_obj(doc);
    yyjson_mut_doc_set_root(doc, root);
    yyjson_mut_obj_add_strcpy(doc, root, "id", id);
    yyjson_mut_obj_add_strcpy(doc, root, "key", key);
    yyjson_mut_obj_add_str(doc, root, "role", cot_role_name(role));
    *ret_doc = doc;
    doc = NULL;
out:
    OPENSSL_cleanse(key, sizeof key);
    if (folder >= 0)
        close(folder);
    yyjson_mut_doc_free(keys);
    yyjson_mut_doc_free(doc);
    return rc;
}

cot_code cot_key_list_run(const struct cot_context *context, yyjson_mut_doc **ret_doc, struct cot_err *err)
{
    size_t i;
    size_t n;
    yyjson_mut_val *entry;
    yyjson_mut_doc *doc = NULL;
    cot_code rc = keys_read(context->data_dir, &doc, err);
    if (rc != COT_OK)
        return rc;
    yyjson_mut_val *root = yyjson_mut_doc_get_root(doc);
    yyjson_mut_obj_remove_key(root, "version");
    yyjson_mut_arr_foreach(yyjson_mut_obj_get(root, "keys"), i, n, entry)
    {
        yyjson_mut_obj_remove_key(entry, "sha256");
    }
    *ret_doc = doc;
    return COT_OK;
}

static yyjson_mut_val *find_entry(yyjson_mut_doc *keys, const char *id)
{
    size_t i;
    size_t n;
    yyjson_mut_val *entry;
    yyjson_mut_arr_foreach(yyjson_mut_obj_get(yyjson_mut_doc_get_root(keys), "keys"), i, n, entry)
    {
        if (yyjson_mut_equals_str(yyjson_mut_obj_get(entry, "id"), id))
            return entry;
    }
    return NULL;
}

cot_code cot_key_revoke_run(const struct cot_context *context, const char *id, yyjson_mut_doc **ret_doc,
                            struct cot_err *err)
{
    char now[COT_TIME_TEXT_SIZE];
    int folder = -1;
    yyjson_mut_doc *keys = NULL;
    yyjson_mut_doc *doc = yyjson_mut_doc_new(NULL);
    cot_code rc = doc == NULL ? cot_fail(err, COT_NOMEM, "key") : keys_lock(context->data_dir, &folder, err);
    if (rc == COT_OK)
        rc = keys_read(context->data_dir, &keys, err);
    yyjson_mut_val *entry = rc == COT_OK ? find_entry(keys, id) : NULL;
    if (rc == COT_OK && entry == NULL)
        rc = cot_fail(err, COT_NOT_FOUND, "no key '%s': 'coterie keys list' shows them", id);
    if (rc != COT_OK)
        goto out;
    now_text(now);
    if (yyjson_mut_is_null(yyjson_mut_obj_get(entry, "revoked_at"))) {
        yyjson_mut_obj_remove_key(entry, "revoked_at");
        yyjson_mut_obj_add_strcpy(keys, entry, "revoked_at", now);
        rc = keys_write(context->data_dir, keys, err);
    }
    if (rc != COT_OK)
        goto out;
    yyjson_mut_val *root = yyjson_mut_obj(doc);
    yyjson_mut_doc_set_root(doc, root);
    yyjson_mut_obj_add_strcpy(doc, root, "id", id);
    yyjson_mut_obj_add_strcpy(doc, root, "revoked_at", yyjson_mut_get_str(yyjson_mut_obj_get(entry, "revoked_at")));
    *ret_doc = doc;
    doc = NULL;
out:
    if (folder >= 0)
        close(folder);
    yyjson_mut_doc_free(keys);
    yyjson_mut_doc_free(doc);
    return rc;
}

static bool key_take(yyjson_mut_val *entry, struct cot_key *ret_key)
{
    const char *id = yyjson_mut_get_str(yyjson_mut_obj_get(entry, "id"));
    const char *role = yyjson_mut_get_str(yyjson_mut_obj_get(entry, "role"));
    const char *hash = yyjson_mut_get_str(yyjson_mut_obj_get(entry, "sha256"));
    if (id == NULL || role == NULL || strlen(id) >= COT_KEY_ID_SIZE || !cot_role_from_name(role, &ret_key->role) ||
        !bytes_of(hash, ret_key->hash, COT_KEY_HASH_SIZE))
        return false;
    memcpy(ret_key->id, id, strlen(id) + 1); /* fits: checked */
    ret_key->rate = yyjson_mut_get_sint(yyjson_mut_obj_get(entry, "rate"));
    return true;
}

cot_code cot_key_ring_load(const char *data_dir, struct cot_key_ring *ret_ring, struct cot_err *err)
{
    size_t i;
    size_t n;
    yyjson_mut_val *entry;
    yyjson_mut_doc *doc = NULL;
    struct cot_key_ring ring = {0};
    cot_code rc = keys_read(data_dir, &doc, err);
    if (rc != COT_OK)
        return rc;
    yyjson_mut_val *keys = yyjson_mut_obj_get(yyjson_mut_doc_get_root(doc), "keys");
    ring.keys = calloc(yyjson_mut_arr_size(keys) + 1, sizeof *ring.keys);
    if (ring.keys == NULL)
        rc = cot_fail(err, COT_NOMEM, "keys");
    yyjson_mut_arr_foreach(keys, i, n, entry)
    {
        if (rc != COT_OK || !yyjson_mut_is_null(yyjson_mut_obj_get(entry, "revoked_at")))
            continue;
        if (!key_take(entry, &ring.keys[ring.n++]))
            rc = cot_fail(err, COT_BAD_DATA, "'%s/keys.json': key %zu is damaged: restore the file", data_dir, i + 1);
    }
    yyjson_mut_doc_free(doc);
    if (rc == COT_OK)
        *ret_ring = ring;
    else
        free(ring.keys);
    return rc;
}

void cot_key_ring_release(struct cot_key_ring *ring)
{
    free(ring->keys);
    *ring = (struct cot_key_ring){0};
}

const struct cot_key *cot_key_ring_find(const struct cot_key_ring *ring, const char *key, size_t size)
{
    unsigned char hash[COT_KEY_HASH_SIZE];
    const struct cot_key *found = NULL;
    SHA256((const unsigned char *)key, size, hash);
    for (size_t i = 0; i < ring->n; i++)
        if (CRYPTO_memcmp(ring->keys[i].hash, hash, sizeof hash) == 0)
            found = &ring->keys[i];
    return found;
}
