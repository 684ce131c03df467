/*
 * Keys of the server: who may do what over HTTP.
 *
 * A key is 256 random bits; DATA/keys.json (mode 0600) holds its SHA-256 alone. A slow password hash would add nothing:
 * it protects secrets that can be guessed, and nobody guesses 256 bits. The file is replaced by a rename, so a running
 * server reads the old or the new one, and takes up the new one within a second: creating and revoking need no restart.
 */
#ifndef COT_ENGINE_KEYS_H
#define COT_ENGINE_KEYS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <yyjson.h>

#include "coterie/err.h"
#include "engine/context.h"

/* Role, bit, name, what it is for. */
#define COT_ROLES(X)                                                                                                   \
    X(COT_ROLE_WRITE, 1, "write", "sends events, reads nothing: may stand in a web page")                              \
    X(COT_ROLE_SERVER, 2, "server", "the shop's back end: sends events, reads profiles and segments")                  \
    X(COT_ROLE_ANALYST, 4, "analyst", "reads segments, counts and metrics")                                            \
    X(COT_ROLE_ADMIN, 8, "admin", "everything")

enum cot_role {
#define X(role, bit, name, help) role = bit,
    COT_ROLES(X)
#undef X
};

const char *cot_role_name(enum cot_role role);
bool cot_role_from_name(const char *name, enum cot_role *ret_role);

enum { COT_KEY_ID_SIZE = 20, COT_KEY_SIZE = 64, COT_KEY_HASH_SIZE = 32 };

/* {"id": "key-3f9c...","key": "cot_write_...","role": "write"}: the only time that the key itself is shown. rate:
 * requests a second, 0: the server's own limit. name may be NULL. */
cot_code cot_key_create_run(const struct cot_context *context, enum cot_role role, const char *name, int64_t rate,
                            yyjson_mut_doc **ret_doc, struct cot_err *err) COT_MUST_CHECK;

/* {"keys": [{"id","role","name","rate","created_at","revoked_at": null}]} in order of creation. */
cot_code cot_key_list_run(const struct cot_context *context, yyjson_mut_doc **ret_doc,
                          struct cot_err *err) COT_MUST_CHECK;

/* {"id","revoked_at"}. COT_NOT_FOUND where there is none of that id. */
cot_code cot_key_revoke_run(const struct cot_context *context, const char *id, yyjson_mut_doc **ret_doc,
                            struct cot_err *err) COT_MUST_CHECK;

struct cot_key {
    char id[COT_KEY_ID_SIZE];
    enum cot_role role;
    int64_t rate;
    unsigned char hash[COT_KEY_HASH_SIZE];
};

/* The keys that are in force. Immutable once loaded. */
struct cot_key_ring {
    struct cot_key *keys;
    size_t n;
};

/* No file: no keys. COT_BAD_DATA where the file is damaged: nobody gets in by that. */
cot_code cot_key_ring_load(const char *data_dir, struct cot_key_ring *ret_ring, struct cot_err *err) COT_MUST_CHECK;
void cot_key_ring_release(struct cot_key_ring *ring);

/* The key in force, or NULL. Takes the same time for every wrong key of a length. */
const struct cot_key *cot_key_ring_find(const struct cot_key_ring *ring, const char *key, size_t size);

#endif
