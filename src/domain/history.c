#include "domain/history.h"

#include <math.h>
#include <stdlib.h>

void cot_history_release(struct cot_history *history)
{
    cot_timelines_release(&history->timelines);
    cot_people_release(&history->people);
    cot_catalogue_release(&history->catalogue);
    cot_dict_release(&history->categories);
    cot_dict_release(&history->subcategories);
    cot_dict_release(&history->brands);
    cot_trait_words_release(&history->words);
    free(history->trait_starts);
    free(history->traits);
    free(history->consent_starts);
    free(history->consents);
    free(history->withheld);
    cot_predictions_release(&history->predictions);
    *history = (struct cot_history){0};
}

cot_code cot_history_price(struct cot_history *history, struct cot_err *err)
{
    const struct cot_timelines *timelines = &history->timelines;
    uint64_t n_entries = timelines->starts[timelines->n_nodes];
    size_t n_prices = 0;
    struct cot_price *prices = malloc((timelines->lines.n + 1) * sizeof *prices);
    if (prices == NULL)
        return cot_fail(err, COT_NOMEM, "prices of %zu order lines", timelines->lines.n);
    for (uint64_t i = 0; i < n_entries; i++) {
        const struct cot_entry *entry = &timelines->entries[i];
        if (cot_entry_kind(entry) == COT_EVENT_ORDER_LINE)
            n_prices += cot_price_of(entry, &timelines->lines, history->catalogue.n_items, &prices[n_prices]);
    }
    cot_code rc = cot_catalogue_price(&history->catalogue, prices, n_prices, err);
    free(prices);
    return rc;
}

void cot_customer_reader_release(struct cot_customer_reader *reader)
{
    cot_view_release(&reader->view);
    cot_fold_release(&reader->fold);
    cot_summary_scratch_release(&reader->scratch);
}

cot_code cot_customer_read(struct cot_customer_reader *reader, uint32_t i_customer,
                           const struct cot_customer **ret_customer, struct cot_err *err)
{
    const struct cot_history *history = reader->history;
    const uint32_t *nodes = history->people.nodes + history->people.starts[i_customer];
    size_t n_nodes = history->people.starts[i_customer + 1] - history->people.starts[i_customer];
    struct cot_summary_input input = {.fold = {.lines = &history->timelines.lines, .zone = history->zone},
                                      .as_of_ms = history->as_of_ms,
                                      .minor_per_unit = history->minor_per_unit,
                                      .catalogue = &history->catalogue,
                                      .kind_since_ms = history->kind_since_ms};
    struct cot_run run;
    struct cot_trait_best best = {0};
    cot_fold_clear(&reader->fold);
    cot_code rc = cot_view_make(&reader->view, &history->timelines, nodes, n_nodes, &run, err);
    if (rc == COT_OK)
        rc = cot_fold_extend(&reader->fold, &input.fold, &run, cot_run_until(&run, history->as_of_ms), err);
    for (size_t i = 0; i < n_nodes && history->traits != NULL; i++) {
        uint32_t start = history->trait_starts[nodes[i]];
        cot_trait_consider(&best, &history->words, history->traits + start, history->trait_starts[nodes[i] + 1] - start,
                           history->as_of_ms, reader->timeless);
    }
    cot_profile_make(&best, &history->words, cot_zone_local(history->zone, history->as_of_ms), &reader->profile);
    /* Who withdrew consent to what predictions were made for has none. */
    bool predicted = history->predictions.n > 0 && cot_history_allows(history, i_customer, COT_PREDICTION_PURPOSE);
    struct cot_prediction prediction;
    cot_predictions_of(&history->predictions, nodes, predicted ? n_nodes : 0, &prediction);
    if (rc == COT_OK)
        rc = cot_summary_make(&reader->customer, &input, &reader->fold, &run, &reader->profile, &prediction,
                              &reader->scratch, err);
    if (rc == COT_OK)
        *ret_customer = &reader->customer;
    return rc;
}

bool cot_history_allows(const struct cot_history *history, uint32_t i_customer, enum cot_purpose purpose)
{
    struct cot_consent_best best = {0};
    unsigned withheld = 0;
    for (uint32_t i = history->people.starts[i_customer]; i < history->people.starts[i_customer + 1]; i++) {
        uint32_t node = history->people.nodes[i];
        if (history->withheld != NULL)
            withheld |= history->withheld[node];
        if (history->consents != NULL) {
            uint32_t start = history->consent_starts[node];
            cot_consent_consider(&best, purpose, history->consents + start, history->consent_starts[node + 1] - start,
                                 history->as_of_ms);
        }
    }
    return cot_consent_allows(&best, purpose, withheld);
}
