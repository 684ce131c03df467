/*
 * The quarantine: rows that could not be used, with file, line, reason and the row itself; and taking them in after all
 * once what was missing (a rate, a price, an option) is there.
 */
#ifndef COT_ENGINE_QUARANTINE_H
#define COT_ENGINE_QUARANTINE_H

#include <stdint.h>
#include <yyjson.h>

#include "coterie/err.h"
#include "engine/context.h"
#include "engine/import.h"

struct cot_quarantine_options {
    const char *code; /* only these; NULL: all */
    uint64_t limit;   /* rows listed */
};

/*
 * {"open": rows, "replayed": rows,
 *  "summary":[{"path","code","rows","first_line","example"}], by file, most rows first,
 *  "rows":[{"id","path","line","code","reason","raw"}]} open ones; raw is the row as JSON: an object of cells, or the
 * line's text where it never became cells.
 */
cot_code cot_quarantine_list(const struct cot_context *context, const struct cot_quarantine_options *options,
                             yyjson_mut_doc **ret_doc, struct cot_err *err) COT_MUST_CHECK;

struct cot_store;

/* The same of a store that is open. */
cot_code cot_quarantine_list_in(struct cot_store *store, const struct cot_quarantine_options *options,
                                yyjson_mut_doc **ret_doc, struct cot_err *err) COT_MUST_CHECK;

/*
 * Decodes open rows again, each as its file was understood, with today's catalogue, rates and rules; of `import` the
 * options map, date_order, decimal, currency, time_zone and channel override what was understood then. Rows that pass
 * become accepted (or turn out to be duplicates) and are marked replayed; the others stay with their newest reason.
 * One transaction.
 *
 * {"rows": tried, "accepted","duplicate","still_open","files":[{"path","rows","accepted","duplicate","still_open"}]}
 */
cot_code cot_quarantine_replay(const struct cot_context *context, const struct cot_quarantine_options *options,
                               const struct cot_import_options *import, yyjson_mut_doc **ret_doc,
                               struct cot_err *err) COT_MUST_CHECK;

#endif
