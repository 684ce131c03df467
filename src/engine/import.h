/*
 * Import: a shop's files into its store. Each file is one transaction: wholly in or wholly out, whatever happens.
 *
 * Files of a folder are ordered so that what others need comes first (rates, products, campaigns, customers, then
 * orders and events). Rows are told apart within their source (connector + kind + --source NAME, never the path): a
 * file given again adds nothing, an overlapping one adds the excess.
 */
#ifndef COT_ENGINE_IMPORT_H
#define COT_ENGINE_IMPORT_H

#include <yyjson.h>

#include "coterie/err.h"
#include "engine/context.h"

/* An option left out is NULL. Values are as the command line has them; a wrong one is COT_USAGE. */
struct cot_import_options {
    const char *const *paths; /* files and folders */
    size_t n_paths;
    bool dry_run; /* show what would be understood, write nothing */

    const char *const *map; /* "column=field"; see connect/connector.h for the fields */
    size_t n_map;
    const char *connector;  /* shape, where it is not to be found out */
    const char *kind;       /* kind of file likewise: "orders", "customers", ... */
    const char *source;     /* name of the source; NULL: the connector's */
    const char *date_order; /* "dmy", "mdy" */
    const char *decimal;    /* "point", "comma" */
    const char *currency;   /* ISO 4217, of rows that name none */
    const char *time_zone;  /* IANA, of times without offset */
    const char *channel;    /* of rows that name none */
    const char *encoding;
    const char *delimiter; /* one character, "tab" or "space" */
    const char *header;    /* "yes", "no" */
};

/*
 * {"files":[{"path","kind","connector","source","rows_read","rows_accepted","rows_quarantined","rows_duplicate",
 *            "reasons":[{"code","rows","line","example"}], "unchanged"}],
 *  "failed":[{"path","code","message"}],
 *  "skipped":[paths in folders that are no data],
 *  "customers": persons with at least one event or trait, "orders": distinct orders, "base_currency"}
 *
 * rows_read = rows_accepted + rows_quarantined + rows_duplicate, always. "unchanged": the very file was imported
 * before. A file that can't be used fails the call where it was named itself; one found in a folder goes to "failed",
 * the rest is imported.
 *
 * With dry_run: {"dry_run":true, "files":[{"path", "reads_as":{encoding, delimiter, ...}, "mapping": (as
 * cot_mapping_describe), "columns":[...], "rows":[[...]] the first as they stand, "records":[{...}] as understood,
 * "rejects":[{"line","code","reason"}]}], "failed", "skipped"}.
 */
cot_code cot_import_run(const struct cot_context *context, const struct cot_import_options *options,
                        yyjson_mut_doc **ret_doc, struct cot_err *err) COT_MUST_CHECK;

#endif
