/* The table of routes. Adding a path is adding a row here and its handler (handlers.h). */
#include "engine/ingest.h"
#include "http/handlers.h"
#include "http/route.h"

const struct cot_schema cot_schemas[] = {
    {"Error",
     "{\"type\":\"object\",\"required\":[\"error\"],\"properties\":{\"error\":{\"type\":\"object\",\"required\":"
     "[\"code\",\"message\"],\"properties\":{\"code\":{\"type\":\"string\"},\"message\":{\"type\":\"string\","
     "\"description\":\"the value, where it stood and what to do\"}}}}}"},
    {"Status", "{\"type\":\"object\",\"required\":[\"status\"],\"properties\":{\"status\":{\"type\":\"string\"}}}"},
    {"Verification",
     "{\"type\":\"object\",\"required\":[\"equal\"],\"properties\":{\"equal\":{\"type\":\"boolean\"},\"customers\":{"
     "\"type\":\"integer\"},\"events\":{\"type\":\"integer\"},\"differing\":{\"type\":\"integer\"},\"examples\":{"
     "\"type\":"
     "\"array\",\"items\":{\"type\":\"object\",\"properties\":{\"memory\":{},\"store\":{}}}}}}"},
    {"Call",
     "{\"type\":\"object\",\"properties\":{\"type\":{\"type\":\"string\",\"enum\":[\"track\",\"identify\","
     "\"page\",\"screen\",\"group\",\"alias\"]},\"messageId\":{\"type\":\"string\",\"description\":\"calls of the "
     "same id within a day count once\"},\"userId\":{\"type\":\"string\"},\"anonymousId\":{\"type\":\"string\"},"
     "\"event\":{\"type\":\"string\"},\"properties\":{\"type\":\"object\"},\"traits\":{\"type\":\"object\"},"
     "\"context\":{\"type\":\"object\"},\"timestamp\":{\"type\":\"string\",\"format\":\"date-time\"},"
     "\"sentAt\":{\"type\":\"string\",\"format\":\"date-time\"},\"writeKey\":{\"type\":\"string\"}}}"},
    {"Batch",
     "{\"type\":\"object\",\"required\":[\"batch\"],\"properties\":{\"batch\":{\"type\":\"array\",\"maxItems\":"
     "2500,\"items\":{\"$ref\":\"#/components/schemas/Call\"}},\"context\":{\"type\":\"object\"},\"sentAt\":"
     "{\"type\":\"string\",\"format\":\"date-time\"},\"writeKey\":{\"type\":\"string\"}}}"},
    {"Receipts",
     "{\"type\":\"object\",\"required\":[\"success\"],\"properties\":{\"success\":{\"type\":\"boolean\"},\"receipts\":{"
     "\"type\":\"array\",\"description\":\"with ?receipts=true\",\"items\":{\"type\":\"object\",\"properties\":{"
     "\"messageId\":{\"type\":\"string\"},\"status\":{\"type\":\"string\",\"enum\":[\"accepted\",\"duplicate\","
     "\"quarantined\"]},\"code\":{\"type\":\"string\"},\"reason\":{\"type\":\"string\"}}}}}}"},
    {"Customer", "{\"type\":\"object\",\"properties\":{\"customer_id\":{\"type\":\"string\"},\"identities\":{\"ty"
                 "pe\":\"array\",\"items\":{\"type\":\"object\",\"properties\":{\"kind\":{\"type\":\"string\"},\""
                 "value\":{\"type\":\"string\"}}}},\"traits\":{\"type\":\"object\"},\"consent\":{\"type\":\"objec"
                 "t\"},\"currency\":{\"type\":\"string\"},\"as_of\":{\"type\":\"string\",\"format\":\"date-time\""
                 "},\"first_event\":{\"type\":[\"string\",\"null\"]},\"last_event\":{\"type\":[\"string\",\"null\""
                 "]},\"events\":{\"type\":\"integer\"},\"features\":{\"type\":\"object\"},\"segment\":{\"$ref\":\""
                 "#/components/schemas/Segment\"},\"rfm\":{\"$ref\":\"#/components/schemas/Rfm\"}}}"},
    {"Rfm",
     "{\"type\":[\"object\",\"null\"],\"description\":\"null: nobody was ranked yet\",\"properties\":{\"group\":{"
     "\"type\":\"string\"},\"recency\":{\"type\":[\"integer\",\"null\"]},\"frequency\":{\"type\":[\"integer\",\"null\"]"
     "},"
     "\"monetary\":{\"type\":[\"integer\",\"null\"]},\"ranked_at\":{\"type\":\"string\",\"format\":\"date-time\"}}}"},
    {"Segment", "{\"type\":[\"object\",\"null\"],\"properties\":{\"id\":{\"type\":\"integer\"},\"name\":{\"type\""
                ":\"string\"},\"color\":{\"type\":\"string\"},\"run\":{\"type\":\"integer\"},\"assigned_by\":{\""
                "type\":\"string\"},\"distance\":{\"type\":[\"number\",\"null\"]}}}"},
    {"Segments",
     "{\"type\":\"object\",\"properties\":{\"customer_id\":{\"type\":\"string\"},\"segment\":{\"$ref\""
     ":\"#/components/schemas/Segment\"},\"rfm\":{\"$ref\":\"#/components/schemas/Rfm\"},\"rules\":{\"type\":"
     "\"array\",\"items\":{\"type\":\"string\"}}}}"},
    {"Explanation", "{\"type\":\"object\",\"properties\":{\"customer_id\":{\"type\":\"string\"},\"segment\":{\"$ref\""
                    ":\"#/components/schemas/Segment\"},\"pulls\":{\"type\":\"array\",\"items\":{\"type\":\"object\""
                    "}},\"nearest\":{\"type\":[\"object\",\"null\"]},\"rules\":{\"type\":\"array\",\"items\""
                    ":{\"type\":\"object\",\"properties\":{\"name\":{\"type\":\"string\"},\"member\":{\"type\":\"boo"
                    "lean\"},\"conditions\":{\"type\":\"array\",\"items\":{\"type\":\"object\",\"properties\":{\"co"
                    "ndition\":{\"type\":\"string\"},\"holds\":{\"type\":\"boolean\"},\"value\":{\"type\":[\"numb"
                    "er\",\"string\",\"null\"]},\"turns_at\":{\"type\":[\"string\",\"null\"],\"format\":\"date-t"
                    "ime\"},\"events\":{\"type\":\"array\",\"items\":{\"type\":\"integer\"}},\"flips\":{\"type\":"
                    "\"boolean\"},\"to_flip\":{\"type\":\"string\"}}}},\"flip\":{\"type\":\"array\",\"items\":{\""
                    "type\":\"string\"}}}}}}}"},
    {"Timeline", "{\"type\":\"object\",\"properties\":{\"customer_id\":{\"type\":\"string\"},\"events\":{\"type\""
                 ":\"array\",\"items\":{\"type\":\"object\",\"properties\":{\"event_id\":{\"type\":\"integer\"},\""
                 "at\":{\"type\":\"string\",\"format\":\"date-time\"},\"kind\":{\"type\":\"string\"},\"order\":{\""
                 "type\":[\"string\",\"null\"]},\"item\":{\"type\":[\"string\",\"null\"]},\"quantity\":{\"type\":"
                 "[\"number\",\"null\"]},\"amount\":{\"type\":[\"number\",\"null\"]},\"channel\":{\"type\":[\"str"
                 "ing\",\"null\"]},\"campaign\":{\"type\":[\"string\",\"null\"]},\"detail\":{\"type\":[\"string\""
                 ",\"null\"]},\"properties\":{\"type\":[\"object\",\"null\"]}}}}}}"},
    {"Predictions", "{\"type\":\"object\",\"properties\":{\"runs\":{\"type\":\"array\",\"items\":{\"type\":\"object"
                    "\",\"properties\":{\"run\":{\"type\":\"integer\"},\"as_of\":{\"type\":\"string\",\"format\":\"d"
                    "ate-time\"},\"days\":{\"type\":\"integer\"},\"currency\":{\"type\":\"string\"},\"customers\":{"
                    "\"type\":\"integer\"},\"folds\":{\"type\":\"integer\"},\"models\":{\"type\":\"object\",\"proper"
                    "ties\":{\"spend\":{\"type\":\"string\"},\"orders\":{\"type\":\"string\"},\"churn\":{\"type\":\""
                    "string\"}}},\"spend\":{\"type\":\"number\"},\"orders\":{\"type\":\"number\"},\"churn\":{\"type"
                    "\":\"number\"},\"tiers\":{\"type\":\"array\",\"items\":{\"type\":\"object\",\"properties\":{\"t"
                    "ier\":{\"type\":\"string\"},\"customers\":{\"type\":\"integer\"},\"spend\":{\"type\":\"number\""
                    "},\"spend_share\":{\"type\":[\"number\",\"null\"]}}}}}}}}}"},
    {"CustomerPredictions",
     "{\"type\":\"object\",\"properties\":{\"customer_id\":{\"type\":\"string\"},\"predictions\":{\"t"
     "ype\":\"array\",\"items\":{\"type\":\"object\",\"properties\":{\"run\":{\"type\":\"integer\"},"
     "\"as_of\":{\"type\":\"string\",\"format\":\"date-time\"},\"days\":{\"type\":\"integer\"},\"spen"
     "d\":{\"type\":\"object\",\"properties\":{\"value\":{\"type\":\"number\"},\"low\":{\"type\":[\"n"
     "umber\",\"null\"]},\"high\":{\"type\":[\"number\",\"null\"]}}},\"orders\":{\"type\":\"object\","
     "\"properties\":{\"value\":{\"type\":\"number\"},\"low\":{\"type\":[\"number\",\"null\"]},\"high"
     "\":{\"type\":[\"number\",\"null\"]}}},\"churn\":{\"type\":\"number\"}}}}}}"},
    {"PredictionRecord",
     "{\"type\":\"object\",\"properties\":{\"as_of\":{\"type\":\"string\"},\"as_of_day\":{\"type\":\"string\","
     "\"format\":\"date\"},\"currency\":{\"type\":\"s"
     "tring\"},\"runs\":{\"type\":\"array\",\"items\":{\"type\":\"object\",\"properties\":{\"run\":{"
     "\"type\":\"integer\"},\"as_of\":{\"type\":\"string\",\"format\":\"date-time\"},\"as_of_day\":{\"type\":"
     "\"string\",\"format\":\"date\"},\"days\":{\"type"
     "\":\"integer\"},\"customers\":{\"type\":\"integer\"},\"models\":{\"type\":\"object\",\"properti"
     "es\":{\"spend\":{\"type\":\"string\"},\"orders\":{\"type\":\"string\"},\"churn\":{\"type\":\"st"
     "ring\"}}},\"folds\":{\"type\":\"integer\"},\"due\":{\"type\":\"string\",\"format\":\"date\"},\""
     "scored\":{\"type\":\"boolean\"},\"missing\":{\"type\":\"integer\"},\"spend\":{\"type\":\"object"
     "\"},\"orders\":{\"type\":\"object\"},\"churn\":{\"type\":\"object\"}}}}}}"},
    {"Pair", "{\"type\":\"object\",\"required\":[\"a\",\"b\"],\"properties\":{\"a\":{\"type\":\"string\",\"de"
             "scription\":\"an identifier, as in /v1/customers/{id}\"},\"b\":{\"type\":\"string\"}}}"},
    {"Linked", "{\"type\":\"object\",\"properties\":{\"a\":{\"type\":\"string\"},\"b\":{\"type\":\"string\"},\""
               "one\":{\"type\":\"boolean\",\"description\":\"whether they are one customer now\"}}}"},
    {"IdentityRules",
     "{\"type\":\"object\",\"description\":\"what is left out is as by default\",\"properties\":{\"kinds\":{\"type\":"
     "\"object\",\"description\":\"by user, email, phone, loyalty, external, device, anonymous\","
     "\"additionalProperties\":{\"type\":\"object\",\"properties\":{\"limit\":{\"type\":\"integer\",\"minimum\":1},"
     "\"priority\":{\"type\":\"integer\",\"minimum\":1},\"exclusive\":{\"type\":\"boolean\"}}}},\"blocked\":{\"type\":"
     "\"array\",\"items\":{\"type\":\"string\",\"description\":\"KIND:VALUE\"}}}}"},
    {"Identity", "{\"type\":\"object\",\"properties\":{\"rules\":{\"$ref\":\"#/components/schemas/"
                 "IdentityRules\"},\"own\":{\"type\":"
                 "\"boolean\"},\"kinds\":{\"type\":\"array\",\"items\":{\"type\":\"object\"}},\"identities\":{\"type\":"
                 "\"integer\"},"
                 "\"customers\":{\"type\":\"integer\"},\"refused\":{\"type\":\"integer\"}}}"},
    {"IdentityChange",
     "{\"type\":\"object\",\"properties\":{\"customers\":{\"type\":\"object\",\"properties\":{\"now\":{\"type\":"
     "\"integer\"},\"then\":{\"type\":\"integer\"}}},\"joins\":{\"type\":\"object\"},\"splits\":{\"type\":\"object\"},"
     "\"applied\":{\"type\":\"boolean\"}}}"},
    {"Products",
     "{\"type\":\"object\",\"properties\":{\"products\":{\"type\":\"array\",\"maxItems\":2500,\"items\":{\"type\":"
     "\"object\","
     "\"required\":[\"product_id\"],\"properties\":{\"product_id\":{\"type\":\"string\"},\"name\":{\"type\":\"string\"}"
     ","
     "\"category\":{\"type\":\"string\"},\"subcategory\":{\"type\":\"string\"},\"brand\":{\"type\":\"string\"},"
     "\"price\":"
     "{\"type\":\"number\"},\"cost\":{\"type\":\"number\"},\"currency\":{\"type\":\"string\"},\"timestamp\":{\"type\":"
     "\"string\",\"format\":\"date-time\"}}}}}}"},
    {"Consents",
     "{\"type\":\"object\",\"properties\":{\"consents\":{\"type\":\"array\",\"maxItems\":2500,\"items\":{\"type\":"
     "\"object\","
     "\"required\":[\"purposes\"],\"properties\":{\"userId\":{\"type\":\"string\"},\"email\":{\"type\":\"string\"},"
     "\"phone\":{\"type\":\"string\"},\"anonymousId\":{\"type\":\"string\"},\"loyalty_card\":{\"type\":\"string\"},"
     "\"purposes\":{\"type\":\"object\",\"description\":\"service, analytics, personalisation, marketing, "
     "advertising\","
     "\"additionalProperties\":{\"type\":\"boolean\"}},\"timestamp\":{\"type\":\"string\",\"format\":\"date-time\"}}}}}"
     "}"},
    {"Traits", "{\"type\":\"object\",\"description\":\"by name; null takes one back\",\"additionalProperties\":true}"},
    {"Erasure", "{\"type\":\"object\",\"properties\":{\"receipt\":{\"type\":\"string\"},\"status\":{\"type\":\"s"
                "tring\",\"enum\":[\"done\",\"pending\"]}}}"},
    {"RuleSegment",
     "{\"type\":\"object\",\"properties\":{\"name\":{\"type\":\"string\"},\"version\":{\"type\":\"int"
     "eger\"},\"rule\":{\"type\":\"string\"},\"members\":{\"type\":\"integer\",\"description\":\"cust"
     "omers who are in it now\"},\"created_at\":{\"type\":\"string\",\"format\":\"date-time\"},\"error\":"
     "{\"type\":\"string\",\"description\":\"why the stored rule can't be read: nobody is in it\"}}}"},
    {"SegmentVersions",
     "{\"type\":\"object\",\"properties\":{\"name\":{\"type\":\"string\"},\"versions\":{\"type\":\"array\",\"descri"
     "ption\":\"the newest first\",\"items\":{\"type\":\"object\",\"properties\":{\"version\":{\"type\":\"integer"
     "\"},\"rule\":{\"type\":[\"string\",\"null\"],\"description\":\"null: a deletion\"},\"source\":{\"type\":[\"s"
     "tring\",\"null\"],\"description\":\"the segment file that it came in; null: it came alone\"},\"created_at"
     "\":{\"type\":\"string\",\"format\":\"date-time\"},\"created_by\":{\"type\":[\"string\",\"null\"],\"descrip"
     "tion\":\"user NAME by a command, key ID by a call; null: not known\"}}}}}}"},
    {"RuleSegments", "{\"type\":\"object\",\"properties\":{\"segments\":{\"type\":\"array\",\"items\":{\"$ref\":\"#/c"
                     "omponents/schemas/RuleSegment\"}}}}"},
    {"Rule", "{\"type\":\"object\",\"required\":[\"rule\"],\"properties\":{\"rule\":{\"type\":\"string\",\"de"
             "scription\":\"the rule's text; docs/segment-rules.md teaches the language\"},\"name\":{\"type\""
             ":\"string\",\"description\":\"previews: the segment that it would replace\"}}}"},
    {"RuleOrFile",
     "{\"type\":\"object\",\"properties\":{\"rule\":{\"type\":\"string\",\"description\":\"the rule's text alone\"},"
     "\"source\":{\"type\":\"string\",\"description\":\"a segment file with its tests, which have to pass; its nam"
     "e is the path's\"}},\"oneOf\":[{\"required\":[\"rule\"]},{\"required\":[\"source\"]}]}"},
    {"Preview", "{\"type\":\"object\",\"properties\":{\"customers\":{\"type\":\"integer\"},\"count\":{\"type\":\""
                "integer\"},\"sample\":{\"type\":\"array\",\"items\":{\"type\":\"string\"}},\"overlap\":{\"type\""
                ":\"array\",\"items\":{\"type\":\"object\",\"properties\":{\"name\":{\"type\":\"string\"},\"memb"
                "ers\":{\"type\":\"integer\"},\"both\":{\"type\":\"integer\"}}}},\"enter\":{\"type\":\"integer\""
                "},\"leave\":{\"type\":\"integer\"},\"enter_sample\":{\"type\":\"array\",\"items\":{\"type\":\"str"
                "ing\"}},\"leave_sample\":{\"type\":\"array\",\"items\":{\"type\":\"string\"}}}}"},
    {"Members", "{\"type\":\"object\",\"properties\":{\"name\":{\"type\":\"string\"},\"members\":{\"type\":\"arr"
                "ay\",\"items\":{\"type\":\"string\"}},\"next\":{\"type\":[\"integer\",\"null\"]}}}"},
    {"LearnedSegments", "{\"type\":\"object\",\"properties\":{\"run\":{\"type\":[\"integer\",\"null\"]},\"segments\":{"
                        "\"type\":\"array\",\"items\":{"
                        "\"type\":\"object\",\"properties\":{\"id\":{\"type\":\"integer\"},\"name\":{\"type\":"
                        "\"string\"},\"color\":{\"type\":"
                        "\"string\"},\"members\":{\"type\":\"integer\"}}}},\"waiting\":{\"type\":\"integer\","
                        "\"description\":\"customers who "
                        "changed and are counted where they were\"}}}"},
    {"SegmentDays",
     "{\"type\":\"object\",\"properties\":{\"currency\":{\"type\":\"string\"},\"segments\":{\"type\":\"array\","
     "\"items\":{"
     "\"type\":\"object\",\"properties\":{\"segment_id\":{\"type\":[\"integer\",\"null\"]},\"name\":{\"type\":"
     "\"string\"},"
     "\"days\":{\"type\":\"array\",\"items\":{\"type\":\"object\",\"properties\":{\"day\":{\"type\":\"string\","
     "\"format\":"
     "\"date\"},\"as_of\":{\"type\":[\"string\",\"null\"]},\"version\":{\"type\":[\"integer\",\"null\"]},\"size\":{"
     "\"type\":["
     "\"integer\",\"null\"]},\"revenue_30\":{\"type\":[\"number\",\"null\"]},\"revenue_365\":{\"type\":[\"number\","
     "\"null\"]},"
     "\"entered\":{\"type\":[\"integer\",\"null\"]},\"exited\":{\"type\":[\"integer\",\"null\"]}}}}}}}}}"},
    {"Replay",
     "{\"type\":\"object\",\"properties\":{\"rows\":{\"type\":\"integer\"},\"accepted\":{\"type\":\"integer\"},"
     "\"duplicate\":{\"type\":\"integer\"},\"still_open\":{\"type\":\"integer\"},\"files\":{\"type\":\"array\","
     "\"items\":{\"type\":\"object\"}}}}"},
    {"Quarantine",
     "{\"type\":\"object\",\"properties\":{\"open\":{\"type\":\"integer\"},\"replayed\":{\"type\":\"integer\"},"
     "\"summary\":{\"type\":\"array\",\"items\":{\"type\":\"object\"}},\"rows\":{\"type\":\"array\",\"items\":{"
     "\"type\":\"object\",\"properties\":{\"id\":{\"type\":\"integer\"},\"path\":{\"type\":\"string\"},\"line\":{"
     "\"type\":\"integer\"},\"code\":{\"type\":\"string\"},\"reason\":{\"type\":\"string\"},\"raw\":{\"type\":"
     "[\"string\",\"null\"]}}}}}}"},
    {"Ga4",
     "{\"type\":\"object\",\"required\":[\"events\"],\"properties\":{\"client_id\":{\"type\":\"string\"},\"user_id\":"
     "{\"type\":\"string\"},\"timestamp_micros\":{\"type\":\"integer\"},\"user_properties\":{\"type\":\"object\"},"
     "\"consent\":{\"type\":\"object\"},\"events\":{\"type\":\"array\",\"maxItems\":25,\"items\":{\"type\":\"object\","
     "\"required\":[\"name\"],\"properties\":{\"name\":{\"type\":\"string\"},\"params\":{\"type\":\"object\"}}}}}}"},
    {"Forecasts",
     "{\"type\":\"object\",\"properties\":{\"as_of\":{\"type\":\"string\",\"format\":\"date-time\"},\"every\":{"
     "\"type\":\"string\"},\"measure\":{\"type\":\"string\"},\"horizon\":{\"type\":\"integer\"},\"origins\":{\"type\":"
     "\"integer\",\"description\":\"0: untested, the history is too short\"},\"steps\":{\"type\":\"array\",\"items\":{"
     "\"type\":\"object\"}},\"levels\":{\"type\":\"array\",\"items\":{\"type\":\"object\"}},"
     "\"customers\":{\"type\":[\"object\",\"null\"],\"description\":\"what the shop's customers are to order by their "
     "own rates, and "
     "whether it is part of the "
     "forecast\",\"properties\":{\"serves\":{\"type\":\"boolean\"},\"weight\":{\"type\":\"number\"},"
     "\"shop_rmse_without\":{\"type\":[\"number\",\"null\"]},\"shop_rmse_with\":{\"type\":[\"number\",\"null\"]}}},"
     "\"backtest\":{\"type\":"
     "\"array\",\"description\":\"what would have been said of the shop at past origins, and what came\",\"items\":{"
     "\"type\":\"object\",\"properties\":{\"last_day\":{\"type\":\"string\"},\"series\":{\"type\":\"integer\"},"
     "\"mean\":{\"type\":\"array\",\"items\":{\"type\":\"number\"}},\"actual\":{\"type\":\"array\",\"items\":{"
     "\"type\":\"number\"}}}}},\"series\":{\"type\":"
     "\"array\",\"items\":{\"type\":\"object\",\"properties\":{\"level\":{\"type\":\"string\"},\"id\":{\"type\":["
     "\"string\",\"null\"]},\"name\":{\"type\":[\"string\",\"null\"]},\"category\":{\"type\":[\"string\",\"null\"]},"
     "\"method\":{\"type\":\"string\"},\"beats_naive\":{\"type\":\"boolean\"},\"mean\":{\"type\":\"array\",\"items\":{"
     "\"type\":\"number\"}},\"low\":{\"type\":\"array\",\"items\":{\"type\":\"number\"}},\"high\":{\"type\":\"array\","
     "\"items\":{\"type\":\"number\"}},\"total\":{\"type\":\"number\"},\"stock\":{\"type\":[\"number\",\"null\"]}}}}}"
     "}"},
    {NULL, NULL},
};

static const struct cot_route_query forecasts_query[] = {
    {"by", "{\"type\":\"string\",\"enum\":[\"product\",\"category\",\"shop\"]}", "how far down (product)"},
    {"every", "{\"type\":\"string\",\"enum\":[\"week\",\"day\"]}", "the step (week)"},
    {"measure", "{\"type\":\"string\",\"enum\":[\"units\",\"revenue\"]}", "what is forecast (units)"},
    {"horizon", "{\"type\":\"integer\",\"minimum\":1,\"maximum\":100}", "steps ahead (4 weeks or 28 days)"},
    {"top", "{\"type\":\"integer\",\"minimum\":1,\"maximum\":200}", "products with a series of their own (50)"},
    {"lead_time", "{\"type\":\"integer\",\"minimum\":0,\"maximum\":99}", "stock: steps until a delivery (1)"},
    {"service_level", "{\"type\":\"number\"}", "stock: the chance of not running out (0.95)"},
    {"as_of", "{\"type\":\"string\"}", "what was known at the end of that day"},
    {NULL, NULL, NULL},
};

static const struct cot_route_query receipts_query[] = {
    {"receipts", "{\"type\":\"boolean\"}", "answer what became of each call"},
    {NULL, NULL, NULL},
};

static const struct cot_route_query pixel_query[] = {
    {"writeKey", "{\"type\":\"string\"}", "a key of the role write"},
    {"anonymousId", "{\"type\":\"string\"}", "who, or userId"},
    {"event", "{\"type\":\"string\"}", "track: the event's name"},
    {"properties.KEY", "{\"type\":\"string\"}", "names with dots are nested: properties.price, context.page.path"},
    {NULL, NULL, NULL},
};

static const struct cot_route_query ga4_query[] = {
    {"measurement_id", "{\"type\":\"string\"}", "taken for compatibility"},
    {"api_secret", "{\"type\":\"string\"}", "a key of the role write"},
    {NULL, NULL, NULL},
};

static const struct cot_route_query quarantine_query[] = {
    {"code", "{\"type\":\"string\"}", "only calls put aside for this reason"},
    {"limit", "{\"type\":\"integer\",\"minimum\":0,\"maximum\":10000}", "rows shown (100)"},
    {NULL, NULL, NULL},
};

static const struct cot_route_query timeline_query[] = {
    {"limit", "{\"type\":\"integer\",\"minimum\":1,\"maximum\":1000}", "events shown (50)"},
    {"before", "{\"type\":\"integer\"}", "only events before the one of this event_id"},
    {NULL, NULL, NULL},
};

static const struct cot_route_query upload_query[] = {
    {"name", "{\"type\":\"string\"}", "the file's name, with its ending: orders.csv, events.jsonl.gz"},
    {"dry_run", "{\"type\":\"boolean\"}", "say what the file would be understood as, and take nothing in"},
    {"as", "{\"type\":\"string\"}", "the shape of the file, where it is not to be found out"},
    {"kind", "{\"type\":\"string\"}", "the kind of file likewise"},
    {"source", "{\"type\":\"string\"}", "where the rows come from"},
    {"map", "{\"type\":\"string\"}", "COLUMN=FIELD, what a column means; may be repeated"},
    {"date_order", "{\"type\":\"string\",\"enum\":[\"dmy\",\"mdy\"]}", "where a column of dates can't tell"},
    {"decimal", "{\"type\":\"string\",\"enum\":[\"point\",\"comma\"]}", "where a column of numbers can't tell"},
    {"currency", "{\"type\":\"string\"}", "ISO 4217 code of amounts that name none"},
    {"time_zone", "{\"type\":\"string\"}", "IANA zone of times without offset"},
    {"channel", "{\"type\":\"string\"}", "channel of rows that name none"},
    {"encoding", "{\"type\":\"string\"}", "character encoding, where it is not to be found out"},
    {"delimiter", "{\"type\":\"string\"}", "what separates columns: one character, tab or space"},
    {"header", "{\"type\":\"string\",\"enum\":[\"yes\",\"no\"]}", "whether the first line names the columns"},
    {NULL, NULL, NULL},
};

static const struct cot_route_query members_query[] = {
    {"from", "{\"type\":\"integer\"}", "where to go on: next of the answer before"},
    {"limit", "{\"type\":\"integer\",\"minimum\":1,\"maximum\":100000}", "customers shown (1000)"},
    {NULL, NULL, NULL},
};

static const struct cot_route_query history_query[] = {
    {"days", "{\"type\":\"integer\",\"minimum\":1}", "how many days back (90)"},
    {NULL, NULL, NULL},
};

static const struct cot_route_query stream_query[] = {
    {"segment", "{\"type\":\"string\"}", "only this one"},
    {"last_event_id", "{\"type\":\"string\"}", "go on after this id; the head Last-Event-ID goes before it"},
    {NULL, NULL, NULL},
};

enum { MAX_COMPRESSED = 512 * 1024 + 4096, MAX_WEBHOOK = 5 << 20 };

#define MAX_UPLOAD ((size_t)8 << 30)

/* Paths of the tracking API: every one takes browsers of any origin and finds its key in the head, the body or the
 * query. */
#define TRACKING(path_, handler, schema, text)                                                                         \
    {                                                                                                                  \
        .method = "POST", .path = path_, .roles = COT_ROLE_WRITE | COT_ROLE_SERVER,                                    \
        .flags = COT_ROUTE_CORS | COT_ROUTE_KEY_IN_BODY, .max_body_size = MAX_COMPRESSED, .handle = handler,           \
        .request = COT_SCHEMA_REF(schema), .response = COT_SCHEMA_REF("Receipts"), .query = receipts_query,            \
        .summary = text                                                                                                \
    }

const struct cot_route cot_routes[] = {
    {.method = "GET",
     .path = "/healthz",
     .flags = COT_ROUTE_ALWAYS,
     .handle = cot_handle_health,
     .response = COT_SCHEMA_REF("Status"),
     .summary = "Whether the process lives"},
    {.method = "GET",
     .path = "/readyz",
     .flags = COT_ROUTE_ALWAYS,
     .handle = cot_handle_ready,
     .response = COT_SCHEMA_REF("Status"),
     .summary = "Whether it can do its work: 503 says why not"},
    {.method = "GET",
     .path = "/metrics",
     .roles = COT_ROLE_SERVER | COT_ROLE_ANALYST,
     .flags = COT_ROUTE_ALWAYS,
     .handle = cot_handle_metrics,
     .summary = "Counters for Prometheus"},
    {.method = "GET",
     .path = "/openapi.json",
     .handle = cot_handle_openapi,
     .response = "{\"type\":\"object\"}",
     .summary = "This document"},
    {.method = "GET",
     .path = "/v1/verify",
     .roles = COT_ROLE_ADMIN,
     .handle = cot_handle_verify,
     .response = COT_SCHEMA_REF("Verification"),
     .summary = "Replays the store beside what is in memory and compares every customer; calls wait meanwhile"},
    TRACKING("/v1/track", cot_handle_call, "Call", "What somebody did"),
    TRACKING("/v1/identify", cot_handle_call, "Call", "Who somebody is, and what is known of them"),
    TRACKING("/v1/page", cot_handle_call, "Call", "A page viewed"),
    TRACKING("/v1/screen", cot_handle_call, "Call", "A screen of an app viewed"),
    TRACKING("/v1/group", cot_handle_call, "Call", "Whom somebody belongs to"),
    TRACKING("/v1/alias", cot_handle_call, "Call", "Two ids of one person"),
    TRACKING("/v1/merge", cot_handle_call, "Call", "Two ids of one person, as RudderStack has it"),
    TRACKING("/v1/batch", cot_handle_batch, "Batch", "Calls of any kind, up to 2,500"),
    TRACKING("/v1/import", cot_handle_batch, "Batch", "The same, of calls of long ago"),
    TRACKING("/v1/t", cot_handle_call, "Call", "track, as browsers send it"),
    TRACKING("/v1/i", cot_handle_call, "Call", "identify, as browsers send it"),
    TRACKING("/v1/p", cot_handle_call, "Call", "page, as browsers send it"),
    TRACKING("/v1/s", cot_handle_call, "Call", "screen, as browsers send it"),
    TRACKING("/v1/g", cot_handle_call, "Call", "group, as browsers send it"),
    TRACKING("/v1/a", cot_handle_call, "Call", "alias, as browsers send it"),
    TRACKING("/v1/b", cot_handle_batch, "Batch", "batch, as browsers send it"),
    TRACKING("/beacon/v1/batch", cot_handle_batch, "Batch", "batch, as RudderStack's beacon sends it"),
    {.method = "GET",
     .path = "/pixel/v1/track",
     .roles = COT_ROLE_WRITE | COT_ROLE_SERVER,
     .flags = COT_ROUTE_CORS | COT_ROUTE_KEY_IN_BODY,
     .handle = cot_handle_pixel,
     .query = pixel_query,
     .summary = "track as a picture, as RudderStack has it"},
    {.method = "GET",
     .path = "/pixel/v1/page",
     .roles = COT_ROLE_WRITE | COT_ROLE_SERVER,
     .flags = COT_ROUTE_CORS | COT_ROUTE_KEY_IN_BODY,
     .handle = cot_handle_pixel,
     .query = pixel_query,
     .summary = "page as a picture, as RudderStack has it"},
    {.method = "GET",
     .path = "/health",
     .flags = COT_ROUTE_ALWAYS | COT_ROUTE_CORS,
     .handle = cot_handle_health,
     .response = COT_SCHEMA_REF("Status"),
     .summary = "Whether the process lives, where RudderStack's clients ask"},
    {.method = "POST",
     .path = "/mp/collect",
     .roles = COT_ROLE_WRITE | COT_ROLE_SERVER,
     .flags = COT_ROUTE_CORS | COT_ROUTE_KEY_IN_BODY,
     .max_body_size = MAX_COMPRESSED,
     .handle = cot_handle_ga4,
     .request = COT_SCHEMA_REF("Ga4"),
     .query = ga4_query,
     .summary = "Events of Google Analytics 4's Measurement Protocol; 204 when they are stored"},
    {.method = "POST",
     .path = "/debug/mp/collect",
     .roles = COT_ROLE_WRITE | COT_ROLE_SERVER,
     .flags = COT_ROUTE_CORS | COT_ROUTE_KEY_IN_BODY,
     .max_body_size = MAX_COMPRESSED,
     .handle = cot_handle_ga4_debug,
     .request = COT_SCHEMA_REF("Ga4"),
     .response = "{\"type\":\"object\"}",
     .query = ga4_query,
     .summary = "The same, checked and not stored"},
    {.method = "POST",
     .path = "/webhooks/shopify",
     .max_body_size = MAX_WEBHOOK,
     .handle = cot_handle_shopify,
     .request = "{\"type\":\"object\"}",
     .response = COT_SCHEMA_REF("Receipts"),
     .summary = "Shopify's webhooks: orders, refunds, customers, products, privacy; signed instead of keyed"},
    {.method = "GET",
     .path = "/v1/quarantine",
     .roles = COT_ROLE_SERVER,
     .handle = cot_handle_quarantine_list,
     .response = COT_SCHEMA_REF("Quarantine"),
     .query = quarantine_query,
     .summary = "Calls and rows that could not be used, and why"},
    {.method = "POST",
     .path = "/v1/quarantine/replay",
     .roles = COT_ROLE_SERVER,
     .max_body_size = 4096,
     .handle = cot_handle_quarantine_replay,
     .response = COT_SCHEMA_REF("Replay"),
     .query = quarantine_query,
     .summary = "Tries calls again, for instance after the exchange rates came"},
    {.method = "PUT",
     .path = "/v1/quarantine/{id}",
     .roles = COT_ROLE_SERVER,
     .max_body_size = COT_INGEST_MAX_CALL_SIZE,
     .handle = cot_handle_quarantine_correct,
     .request = COT_SCHEMA_REF("Call"),
     .response = COT_SCHEMA_REF("Replay"),
     .summary = "Puts a corrected call in the place of one, and tries it again"},
    {.method = "GET",
     .path = "/v1/customers/{id}",
     .roles = COT_ROLE_SERVER,
     .handle = cot_handle_customer,
     .response = COT_SCHEMA_REF("Customer"),
     .summary = "A customer as of now, by any identifier"},
    {.method = "DELETE",
     .path = "/v1/customers/{id}",
     .roles = COT_ROLE_SERVER,
     .handle = cot_handle_customer_forget,
     .response = COT_SCHEMA_REF("Erasure"),
     .summary = "Erases a person: rows, models, exports; the receipt says what was removed and how it was proved"},
    {.method = "PATCH",
     .path = "/v1/customers/{id}/traits",
     .roles = COT_ROLE_SERVER,
     .max_body_size = COT_INGEST_MAX_CALL_SIZE,
     .handle = cot_handle_traits_patch,
     .request = COT_SCHEMA_REF("Traits"),
     .response = COT_SCHEMA_REF("Receipts"),
     .summary = "States traits of a customer; those not named stay"},
    {.method = "PUT",
     .path = "/v1/customers/{id}/traits",
     .roles = COT_ROLE_SERVER,
     .max_body_size = COT_INGEST_MAX_CALL_SIZE,
     .handle = cot_handle_traits_put,
     .request = COT_SCHEMA_REF("Traits"),
     .response = COT_SCHEMA_REF("Receipts"),
     .summary = "States all traits of a customer; those not named are taken back"},
    {.method = "PUT",
     .path = "/v1/products",
     .roles = COT_ROLE_SERVER,
     .max_body_size = COT_INGEST_MAX_BODY,
     .handle = cot_handle_products,
     .request = COT_SCHEMA_REF("Products"),
     .response = COT_SCHEMA_REF("Receipts"),
     .summary = "States facts of products; prices hold from their timestamp on"},
    {.method = "POST",
     .path = "/v1/uploads",
     .roles = COT_ROLE_SERVER,
     .flags = COT_ROUTE_UPLOAD,
     .max_body_size = MAX_UPLOAD,
     .handle = cot_handle_upload,
     .response = "{\"type\":\"object\",\"description\":\"as 'coterie import --json' prints it\"}",
     .query = upload_query,
     .summary = "Imports a file that is the body: wholly in or wholly out, its rows told apart"},
    {.method = "PUT",
     .path = "/v1/consent",
     .roles = COT_ROLE_SERVER,
     .max_body_size = COT_INGEST_MAX_BODY,
     .handle = cot_handle_consent,
     .request = COT_SCHEMA_REF("Consents"),
     .response = COT_SCHEMA_REF("Receipts"),
     .summary = "States what people allow, by purpose"},
    {.method = "GET",
     .path = "/v1/customers/{id}/timeline",
     .roles = COT_ROLE_SERVER,
     .handle = cot_handle_customer_timeline,
     .response = COT_SCHEMA_REF("Timeline"),
     .query = timeline_query,
     .summary = "What a customer did, newest first"},
    {.method = "GET",
     .path = "/v1/customers/{id}/segments",
     .roles = COT_ROLE_SERVER,
     .handle = cot_handle_customer_segments,
     .response = COT_SCHEMA_REF("Segments"),
     .summary = "Where a customer belongs now"},
    {.method = "GET",
     .path = "/v1/customers/{id}/explain",
     .roles = COT_ROLE_SERVER,
     .handle = cot_handle_customer_explain,
     .response = COT_SCHEMA_REF("Explanation"),
     .summary = "Why there, and the smallest change that would move them"},
    {.method = "GET",
     .path = "/v1/customers/{id}/predictions",
     .roles = COT_ROLE_SERVER,
     .handle = cot_handle_customer_predictions,
     .response = COT_SCHEMA_REF("CustomerPredictions"),
     .summary = "What a customer will spend and order, and whether they stay, as 'coterie predict' last said"},
    {.method = "GET",
     .path = "/v1/predictions",
     .roles = COT_ROLE_SERVER | COT_ROLE_ANALYST,
     .handle = cot_handle_predictions,
     .response = COT_SCHEMA_REF("Predictions"),
     .summary = "The newest predictions of each horizon: who made them, sums, tiers of value"},
    {.method = "GET",
     .path = "/v1/predictions/record",
     .roles = COT_ROLE_SERVER | COT_ROLE_ANALYST,
     .handle = cot_handle_predictions_record,
     .response = COT_SCHEMA_REF("PredictionRecord"),
     .summary = "What was predicted against what came"},
    {.method = "GET",
     .path = "/v1/erasures/{receipt}",
     .roles = COT_ROLE_SERVER,
     .handle = cot_handle_receipt,
     .response = COT_SCHEMA_REF("Erasure"),
     .summary = "An erasure, by its receipt"},
    {.method = "POST",
     .path = "/v1/identities/link",
     .roles = COT_ROLE_SERVER,
     .max_body_size = 4096,
     .handle = cot_handle_link,
     .request = COT_SCHEMA_REF("Pair"),
     .response = COT_SCHEMA_REF("Linked"),
     .summary = "Makes two identities one person"},
    {.method = "POST",
     .path = "/v1/identities/unlink",
     .roles = COT_ROLE_SERVER,
     .max_body_size = 4096,
     .handle = cot_handle_unlink,
     .request = COT_SCHEMA_REF("Pair"),
     .response = COT_SCHEMA_REF("Linked"),
     .summary = "Parts two identities that a link joins: both persons are as they were"},
    {.method = "GET",
     .path = "/v1/identity",
     .roles = COT_ROLE_SERVER | COT_ROLE_ANALYST,
     .handle = cot_handle_identity,
     .response = COT_SCHEMA_REF("Identity"),
     .summary = "By which rules identifiers make one customer, and how many there are"},
    {.method = "PUT",
     .path = "/v1/identity",
     .max_body_size = 1 << 20,
     .handle = cot_handle_identity_apply,
     .roles = COT_ROLE_ADMIN,
     .request = COT_SCHEMA_REF("IdentityRules"),
     .response = COT_SCHEMA_REF("IdentityChange"),
     .summary = "Takes rules of identity up: joins and splits customers as they say"},
    {.method = "POST",
     .path = "/v1/identity/simulate",
     .roles = COT_ROLE_SERVER | COT_ROLE_ANALYST,
     .max_body_size = 1 << 20,
     .handle = cot_handle_identity_simulate,
     .request = COT_SCHEMA_REF("IdentityRules"),
     .response = COT_SCHEMA_REF("IdentityChange"),
     .summary = "Which customers rules of identity would join or split; changes nothing"},
    {.method = "GET",
     .path = "/v1/forecasts",
     .roles = COT_ROLE_SERVER | COT_ROLE_ANALYST,
     .handle = cot_handle_forecasts,
     .response = COT_SCHEMA_REF("Forecasts"),
     .query = forecasts_query,
     .summary = "What the shop will sell, by product and category, and how much stock that takes"},
    {.method = "GET",
     .path = "/v1/segments",
     .roles = COT_ROLE_SERVER | COT_ROLE_ANALYST,
     .handle = cot_handle_segment_list,
     .response = COT_SCHEMA_REF("RuleSegments"),
     .summary = "Segments by rule, with how many are in them now"},
    {.method = "POST",
     .path = "/v1/segments/preview",
     .roles = COT_ROLE_SERVER | COT_ROLE_ANALYST,
     .max_body_size = 65536,
     .handle = cot_handle_segment_preview,
     .request = COT_SCHEMA_REF("Rule"),
     .response = COT_SCHEMA_REF("Preview"),
     .summary = "Whom a rule would select: count, sample, overlap, who would enter and leave"},
    {.method = "GET",
     .path = "/v1/segments/stream",
     .roles = COT_ROLE_SERVER | COT_ROLE_ANALYST,
     .handle = cot_handle_segment_stream,
     .response =
         "{\"type\":\"string\",\"description\":\"server-sent events begin, enter, exit, reset; the data of enter "
         "and exit is JSON: customer_id, segment, version, at, cause (events, facts, time, rule, unwatched) and, "
         "of events, event_ids\"}",
     .type = "text/event-stream",
     .query = stream_query,
     .summary = "Who enters and leaves segments by rule, as it happens; resumes after a given id"},
    {.method = "GET",
     .path = "/v1/segments/learned",
     .roles = COT_ROLE_SERVER | COT_ROLE_ANALYST,
     .handle = cot_handle_segment_learned,
     .response = COT_SCHEMA_REF("LearnedSegments"),
     .summary = "Learned segments of the newest model, with how many are in them now"},
    {.method = "GET",
     .path = "/v1/segments/{name}",
     .roles = COT_ROLE_SERVER | COT_ROLE_ANALYST,
     .handle = cot_handle_segment,
     .response = COT_SCHEMA_REF("RuleSegment"),
     .summary = "A segment by rule"},
    {.method = "PUT",
     .path = "/v1/segments/{name}",
     .roles = COT_ROLE_ANALYST,
     .max_body_size = 65536,
     .handle = cot_handle_segment_put,
     .request = COT_SCHEMA_REF("RuleOrFile"),
     .response = COT_SCHEMA_REF("RuleSegment"),
     .summary =
         "Makes a segment, or a new version of it; 400 says where the rule or file is wrong, or which test fails"},
    {.method = "DELETE",
     .path = "/v1/segments/{name}",
     .roles = COT_ROLE_ANALYST,
     .handle = cot_handle_segment_delete,
     .response = COT_SCHEMA_REF("RuleSegment"),
     .summary = "Deletes a segment; its versions stay on disk"},
    {.method = "GET",
     .path = "/v1/segments/{name}/members",
     .roles = COT_ROLE_SERVER | COT_ROLE_ANALYST,
     .handle = cot_handle_segment_members,
     .response = COT_SCHEMA_REF("Members"),
     .query = members_query,
     .summary = "Who is in a segment now"},
    {.method = "GET",
     .path = "/v1/segments/{name}/versions",
     .roles = COT_ROLE_SERVER | COT_ROLE_ANALYST,
     .handle = cot_handle_segment_versions,
     .response = COT_SCHEMA_REF("SegmentVersions"),
     .summary = "The versions of a segment by rule, deletions too: when and by whom"},
    {.method = "GET",
     .path = "/v1/segments/{name}/history",
     .roles = COT_ROLE_SERVER | COT_ROLE_ANALYST,
     .handle = cot_handle_segment_history,
     .response = COT_SCHEMA_REF("SegmentDays"),
     .query = history_query,
     .summary = "Daily snapshots of a segment by rule, or of a learned one by its id; days without one are null"},
};

const size_t cot_n_routes = sizeof cot_routes / sizeof *cot_routes;
