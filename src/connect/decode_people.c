/* Customers, consent, suppression, links between identities. */
#include <string.h>

#include "connect/decode.h"

static bool needs_someone(struct cot_decoder *d, const struct cot_record *record)
{
    if (cot_record_has_identity(record))
        return true;
    struct cot_text email = cot_decode_text(d, COT_FIELD_EMAIL);
    if (email.size > 0)
        return cot_decode_reject(d, "nobody", "column '%.60s': '%.*s' is not an e-mail address",
                                 cot_decode_column(d, COT_FIELD_EMAIL), (int)(email.size < 80 ? email.size : 80),
                                 email.data);
    return cot_decode_reject(d, "nobody", "the row names no customer");
}

void cot_decode_customer_row(struct cot_decoder *d)
{
    struct cot_record *record = cot_decode_begin(d, COT_RECORD_CUSTOMER);
    if (record == NULL || !cot_decode_identity(d, record) || !needs_someone(d, record) ||
        !cot_decode_dates(d, record, COT_UNDATED_TIMELESS))
        return;
    size_t i_record = d->records->n_records - 1;
    if (!cot_decode_traits(d, record, (record->flags & COT_RECORD_TIMELESS) != 0))
        return;
    cot_decode_accepts_marketing(d, i_record);
}

static const char *purpose_of(struct cot_text text)
{
    static const struct {
        const char *words;
        const char *purpose;
    } purposes[] = {
        {"service|necessary|essential|functional|contract", "service"},
        {"analytics|analytic|statistics|performance|measurement", "analytics"},
        {"personalisation|personalization|personalised|preferences|recommendations|profiling", "personalisation"},
        {"marketing|newsletter|email|e-mail|email_marketing|email marketing|sms|direct marketing|promotions|"
         "accepts_marketing",
         "marketing"},
        {"advertising|ads|ad_storage|targeting|retargeting|third party|third-party", "advertising"}};
    for (size_t i = 0; i < sizeof purposes / sizeof purposes[0]; i++)
        if (cot_text_is_any(text, purposes[i].words))
            return purposes[i].purpose;
    return NULL;
}

void cot_decode_consent_row(struct cot_decoder *d)
{
    bool given = false;
    struct cot_record *record = cot_decode_begin(d, COT_RECORD_CONSENT);
    if (record == NULL || !cot_decode_identity(d, record) || !needs_someone(d, record) ||
        !cot_decode_dates(d, record, COT_UNDATED_TIMELESS))
        return;
    struct cot_text text = cot_decode_text(d, COT_FIELD_PURPOSE);
    const char *purpose = cot_decode_has(d, COT_FIELD_PURPOSE) ? purpose_of(text) : "marketing";
    if (purpose == NULL) {
        cot_decode_reject(d, "purpose",
                          "'%.*s' is not a purpose: service, analytics, personalisation, marketing or advertising",
                          (int)(text.size < 60 ? text.size : 60), text.data);
        return;
    }
    record->purpose = cot_text_of(purpose);
    if (!cot_decode_bool(d, COT_FIELD_CONSENT, &record->granted, &given))
        return;
    if (!given)
        cot_decode_reject(d, "consent", "column '%.60s': neither yes nor no", cot_decode_column(d, COT_FIELD_CONSENT));
}

void cot_decode_suppression_row(struct cot_decoder *d)
{
    struct cot_record *record = cot_decode_begin(d, COT_RECORD_SUPPRESSION);
    if (record == NULL || !cot_decode_identity(d, record) || !needs_someone(d, record) ||
        !cot_decode_dates(d, record, COT_UNDATED_TIMELESS))
        return;
    record->channel = cot_decode_has(d, COT_FIELD_CHANNEL) ? cot_decode_channel(d) : cot_text_of("");
    record->detail = cot_decode_text(d, COT_FIELD_REASON);
}

void cot_decode_link_row(struct cot_decoder *d)
{
    struct cot_record *record = cot_decode_begin(d, COT_RECORD_LINK);
    if (record == NULL || !cot_decode_identity(d, record) || !cot_decode_dates(d, record, COT_UNDATED_TIMELESS))
        return;
    struct cot_identity identities[COT_RECORD_MAX_IDENTITIES];
    size_t n = cot_record_identities(record, identities);
    if (n < 2)
        cot_decode_reject(d, "nobody", "a link needs two identities, the row has %zu", n);
}

void cot_decode_ignored_row(struct cot_decoder *d)
{
    cot_decode_reject(d, "ignored", "files of this shape hold nothing to import");
}
