#include <stdlib.h>

#include "cli/command.h"
#include "cli/table.h"
#include "engine/quarantine.h"

static const struct cot_option options[] = {
    {"code", "CODE", "only rows put aside for this reason"},
    {"map", "COLUMN=FIELD", "read a column otherwise than the import did; may be repeated"},
    {"date-order", "ORDER", "dmy or mdy"},
    {"decimal", "MARK", "point or comma"},
    {"currency", "CODE", "ISO 4217 code of amounts that name none"},
    {"time-zone", "ZONE", "IANA zone of times without offset"},
    {"channel", "CHANNEL", "channel of rows that name none"},
    {NULL, NULL, NULL},
};

static void print(yyjson_mut_val *root)
{
    static const struct cot_column columns[] = {
        {"path", "File", COT_FORMAT_TEXT, 48},
        {"rows", "Tried", COT_FORMAT_COUNT, 0},
        {"accepted", "Accepted", COT_FORMAT_COUNT, 0},
        {"duplicate", "Duplicate", COT_FORMAT_COUNT, 0},
        {"still_open", "Still open", COT_FORMAT_COUNT, 0},
        {NULL, NULL, COT_FORMAT_TEXT, 0},
    };
    if (yyjson_mut_get_uint(yyjson_mut_obj_get(root, "rows")) == 0)
        printf("Nothing in quarantine can be tried again.\n");
    else
        cot_table_print(stdout, yyjson_mut_obj_get(root, "files"), columns);
}

static cot_code run(struct cot_call *call, struct cot_err *err)
{
    yyjson_mut_doc *doc = NULL;
    const struct cot_quarantine_options asked = {.code = cot_call_value(call, "code")};
    size_t n_map = 0;
    while (cot_call_nth(call, "map", n_map) != NULL)
        n_map++;
    const char **map = calloc(n_map + 1, sizeof *map);
    if (map == NULL)
        return cot_fail(err, COT_NOMEM, "options");
    for (size_t i = 0; i < n_map; i++)
        map[i] = cot_call_nth(call, "map", i);
    const struct cot_import_options import = {
        .map = map,
        .n_map = n_map,
        .date_order = cot_call_value(call, "date-order"),
        .decimal = cot_call_value(call, "decimal"),
        .currency = cot_call_value(call, "currency"),
        .time_zone = cot_call_value(call, "time-zone"),
        .channel = cot_call_value(call, "channel"),
    };
    cot_code rc = cot_quarantine_replay(&call->context, &asked, &import, &doc, err);
    free(map);
    if (rc != COT_OK)
        return rc;
    if (call->json)
        rc = cot_print_json(doc, err);
    else
        print(yyjson_mut_doc_get_root(doc));
    yyjson_mut_doc_free(doc);
    return rc;
}

const struct cot_command cot_command_quarantine_replay = {
    .name = "quarantine replay",
    .arguments = "",
    .summary = "try the rows in quarantine again, now that what was missing is there",
    .help =
        "Reads the rows in quarantine again, each as its file was understood, with the catalogue, the rates and the\n"
        "rules of today. Rows that pass are taken in and marked replayed; the others stay. Doing it twice changes\n"
        "nothing more.\n\n"
        "  coterie import rates.csv\n"
        "  coterie quarantine replay --code no_rate",
    .options = options,
    .run = run,
};
