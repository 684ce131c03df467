/*
 * Identities that were erased: keyed hashes that stop a re-import from bringing a person back without telling anybody
 * who it was. The hash is HMAC-SHA256, key: setting 'salt', message: "kind:value" with the kind's name and the
 * normalised value ("email:jo@example.org"), as 64 lower-case hex digits (table erased).
 *
 * A struct cot_erased is immutable once loaded and may be shared by threads.
 */
#ifndef COT_ENGINE_ERASED_H
#define COT_ENGINE_ERASED_H

#include <stdbool.h>
#include <stddef.h>

#include "coterie/err.h"
#include "domain/identity.h"

struct cot_store;
struct cot_erased;

enum { COT_ERASED_HASH_SIZE = 65, COT_SALT_BYTES = 32 };

/* The shop's salt (64 hex digits, malloc'd). Makes and stores one where the store is writable and has none;
 * COT_BAD_DATA where it is read-only and has none. */
cot_code cot_salt_get(struct cot_store *store, char **ret_salt, struct cot_err *err) COT_MUST_CHECK;

/* HMAC-SHA256 in hex of "name:value" under the salt: one form for erasure, holdout and every other keyed hash. */
void cot_salted_hash(const char *salt, const char *name, const char *value, size_t size,
                     char ret_hex[COT_ERASED_HASH_SIZE]);

cot_code cot_erased_load(struct cot_store *store, struct cot_erased **ret_erased, struct cot_err *err) COT_MUST_CHECK;

/* The same beside the database, as file DIR/erased (erased_file.c): written after every erasure, read by a restore. An
 * empty list where there is no such file; COT_BAD_DATA where it is damaged. */
#define COT_ERASED_FILE "erased"
cot_code cot_erased_save(struct cot_store *store, struct cot_err *err) COT_MUST_CHECK;
cot_code cot_erased_open(const char *data_dir, struct cot_erased **ret_erased, struct cot_err *err) COT_MUST_CHECK;

/* "SALT\nHASH\nHASH\n..." as a list; an empty text is an empty list. */
cot_code cot_erased_parse(const char *text, size_t size, struct cot_erased **ret_erased,
                          struct cot_err *err) COT_MUST_CHECK;

/* Puts the hashes that were made under the store's own salt into its table erased, each once. */
cot_code cot_erased_merge(const struct cot_erased *erased, struct cot_store *store, struct cot_err *err) COT_MUST_CHECK;

void cot_erased_free(struct cot_erased *erased);
size_t cot_erased_count(const struct cot_erased *erased);

/* Whether this normalised identity was erased. Costs nothing while nobody was, else one HMAC (3 us) and a search. */
bool cot_erased_contains(const struct cot_erased *erased, enum cot_node_kind kind, const char *value, size_t size);

#endif
