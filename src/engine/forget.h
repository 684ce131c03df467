/*
 * Erasing a person.
 *
 * 1. Delete, in one transaction: all rows of the person's identity nodes in every table that has them (found by column
 *    name, so that tables to come are covered), versions of their orders, quarantined rows that hold an identity; take
 *    their ids out of the documents of old segmentations; blank addresses that stand in other people's texts. Keyed
 *    hashes (engine/erased.h) stop a re-import. An erasure row says "pending".
 * 2. Delete the models, which were learned with them, and the exports that name them.
 * 3. Write the database anew from what is left and put it in the place of the old file: DuckDB keeps deleted rows in a
 *    file until then.
 * 4. Prove it: look for the identities in every text column and in every byte of the data directory. Then "done".
 *
 * A crash leaves the erasure pending: the next run, of anybody or of nobody (cot_forget_finish_run), completes it.
 * Receipts hold no personal data.
 */
#ifndef COT_ENGINE_FORGET_H
#define COT_ENGINE_FORGET_H

#include <stddef.h>
#include <stdint.h>
#include <yyjson.h>

#include "coterie/err.h"
#include "engine/context.h"

/*
 * ids: as in cot_person_find; one rewriting for all of them. All must be known, else nothing is done (COT_NOT_FOUND).
 *
 * {"receipt": "9f...","status": "done" | "pending","people": 1,"identities": 3,
 *  "removed": {"event": 31,"node": 3, ...},           rows deleted by table
 *  "changed": {"segment_run": 2, ...},                rows from which ids were taken out
 *  "files": ["exports/loyal-1.csv", "models/..."],    deleted
 *  "elsewhere": ["/home/.../loyal.csv"],              exports outside the data directory that named them: for the
 *                                                     owner to delete
 *  "models_deleted": 1,"successor": 4 | null,        the run of segments learned from those who are left
 *  ["no_successor_because": "..."],                   then: 'coterie segment' when it can be
 *  "proof": {"columns_searched","rows_found": 0,"files_searched","bytes_searched","found": [],
 *            "too_short_for_bytes": 1}}               ids that occur in bytes by chance (short, or part of another's
 *                                                     id) are told by columns and by text files
 */
cot_code cot_forget_run(const struct cot_context *context, const char *const *ids, size_t n_ids,
                        yyjson_mut_doc **ret_doc, struct cot_err *err) COT_MUST_CHECK;

/* Completes what a crash left pending, and what waited for files that are gone by now: {"finished": 1,"pending": 0}. */
cot_code cot_forget_finish_run(const struct cot_context *context, yyjson_mut_doc **ret_doc,
                               struct cot_err *err) COT_MUST_CHECK;

struct cot_erased;

/* Erases whoever in the shop is on a list of erased identities (erased.h), and keeps the list's hashes: what a restored
 * backup needs. */
cot_code cot_forget_listed(const struct cot_context *context, const struct cot_erased *erased, uint64_t *ret_n_people,
                           struct cot_err *err) COT_MUST_CHECK;

#endif
