/* The steps of an erasure. Part of forget.h. */
#ifndef COT_ENGINE_FORGET_STEPS_H
#define COT_ENGINE_FORGET_STEPS_H

#include <stdbool.h>
#include <yyjson.h>

#include "base/progress.h"
#include "coterie/err.h"
#include "engine/person.h"
#include "store/store.h"

enum { COT_FORGET_LONG_VALUE = 8 };

struct cot_forget_value {
    char *text; /* lower case */
    size_t size;
    bool is_long; /* long or an address: does not occur by chance */
    bool is_part; /* of another's value (jo@x.org in mojo@x.org): bytes can't tell */
};

/* Whom to forget, and the receipt as it grows. */
struct cot_forget {
    struct cot_person *people;
    size_t n_people;
    struct cot_buf nodes;            /* all node ids, "1,2,3" */
    struct cot_forget_value *values; /* identities and customer ids, without duplicates */
    size_t n_values;
    size_t n_identities;
    yyjson_mut_doc *doc;
    yyjson_mut_val *removed;
    yyjson_mut_val *changed;
    yyjson_mut_val *files;
    yyjson_mut_val *elsewhere;
};

/* A regular expression (to match without case) for a value as a word of its own, not as part of another id or address;
 * 12347.0, as spreadsheets write it, is 12347. The characters beside it are groups 1 and 2. */
cot_code cot_forget_pattern(const struct cot_forget_value *value, struct cot_buf *pattern,
                            struct cot_err *err) COT_MUST_CHECK;

/* Step 1, inside the caller's transaction. */
cot_code cot_forget_delete_rows(struct cot_store *store, struct cot_forget *forget, struct cot_err *err) COT_MUST_CHECK;

/* Step 1: ids out of JSON documents: an element of an array that names one goes, any other text is blanked. Returns how
 * many were found. */
size_t cot_forget_scrub(yyjson_mut_doc *doc, yyjson_mut_val *value, const struct cot_forget *forget);

/* Step 2: which exports (before step 1 deletes their log), then their deletion and that of the models. */
cot_code cot_forget_list_exports(struct cot_store *store, struct cot_forget *forget,
                                 struct cot_err *err) COT_MUST_CHECK;
cot_code cot_forget_delete_files(const char *data_dir, struct cot_forget *forget, struct cot_err *err) COT_MUST_CHECK;

/* Step 3: the store is closed when it returns, whatever it returns. */
cot_code cot_forget_rewrite(struct cot_store *store, const struct cot_progress *progress,
                            struct cot_err *err) COT_MUST_CHECK;

/* Step 4: adds "proof" to the receipt; ret_absent: nothing was found. */
cot_code cot_forget_prove(struct cot_store *store, struct cot_forget *forget, const struct cot_progress *progress,
                          bool *ret_absent, struct cot_err *err) COT_MUST_CHECK;

#endif
