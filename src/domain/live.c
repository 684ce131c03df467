#include "domain/live.h"

#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "base/civil.h"

/* What is held of one node. */
struct node {
    struct cot_entry *entries; /* in order of time, then of arrival; those after now included */
    size_t n_entries, entries_capacity;
    struct cot_trait_fact *traits;
    size_t n_traits, traits_capacity;
    uint32_t *links; /* indices into the ledger of those that name the node */
    size_t n_links, links_capacity;
    uint32_t root;
    uint32_t mark;     /* of the last walk over links that came by */
    uint32_t *members; /* of a root: its customer's nodes, ascending; NULL: itself alone */
    size_t n_members;
    struct customer *customer; /* of a root of several nodes or many entries, once it was asked for */
};

/* A fold of fewer entries is made anew whenever its customer is asked for: that costs about what the summary does, and
 * a fold takes more memory than such a customer's entries. */
enum { DEFAULT_MIN_KEPT = 256 };

/* The state kept of one customer. */
struct customer {
    struct cot_fold *fold;    /* NULL: few entries */
    struct cot_entry *merged; /* of several nodes */
    size_t n_merged, merged_capacity;
    bool stale; /* must be merged and folded anew */
};

struct cot_live {
    struct cot_live_options options;
    int64_t now_ms;
    struct node *nodes;
    size_t n_nodes, nodes_capacity;
    struct cot_lines lines;
    struct cot_link *links; /* the ledger */
    size_t n_links, links_capacity;
    uint32_t *waiting; /* links after now */
    size_t n_waiting, waiting_capacity;
    struct cot_item_fact *item_facts;
    size_t n_item_facts, item_facts_capacity;
    uint32_t n_items;
    struct cot_catalogue catalogue;
    bool catalogue_stale;
    bool catalogue_made;
    int64_t catalogue_at_ms;
    int64_t kind_since_ms[128];
    /* of the customer asked for last */
    struct cot_fold fold; /* of few entries */
    struct cot_profile profile;
    struct cot_customer summary;
    struct cot_summary_scratch scratch;
    const struct cot_predictions *predictions; /* NULL: none */
    cot_live_allows *allows;
    void *allows_context;
    uint32_t mark; /* of the newest walk */
    uint64_t n_refolds;
};

cot_code cot_live_open(const struct cot_live_options *options, struct cot_live **ret_live, struct cot_err *err)
{
    struct cot_live *live = calloc(1, sizeof *live);
    if (live == NULL)
        return cot_fail(err, COT_NOMEM, "live state");
    live->options = *options;
    if (live->options.min_kept_entries == 0)
        live->options.min_kept_entries = DEFAULT_MIN_KEPT;
    live->catalogue_stale = true;
    for (size_t kind = 0; kind < 128; kind++)
        live->kind_since_ms[kind] = INT64_MAX;
    *ret_live = live;
    return COT_OK;
}

static void fold_free(struct cot_fold *fold)
{
    if (fold != NULL)
        cot_fold_release(fold);
    free(fold);
}

static void customer_free(struct customer *customer)
{
    if (customer == NULL)
        return;
    fold_free(customer->fold);
    free(customer->merged);
    free(customer);
}

void cot_live_free(struct cot_live *live)
{
    if (live == NULL)
        return;
    for (size_t i = 0; i < live->n_nodes; i++) {
        free(live->nodes[i].entries);
        free(live->nodes[i].traits);
        free(live->nodes[i].links);
        free(live->nodes[i].members);
        customer_free(live->nodes[i].customer);
    }
    free(live->nodes);
    cot_lines_release(&live->lines);
    free(live->links);
    free(live->waiting);
    free(live->item_facts);
    cot_catalogue_release(&live->catalogue);
    cot_fold_release(&live->fold);
    cot_summary_scratch_release(&live->scratch);
    free(live);
}

void cot_live_set_predictions(struct cot_live *live, const struct cot_predictions *predictions, cot_live_allows *allows,
                              void *context)
{
    live->predictions = predictions;
    live->allows = allows;
    live->allows_context = context;
}

uint64_t cot_live_n_refolds(const struct cot_live *live)
{
    return live->n_refolds;
}

uint32_t cot_live_root(const struct cot_live *live, uint32_t node)
{
    return node < live->n_nodes ? live->nodes[node].root : node;
}

/* Nodes up to and including this one exist, each a customer of its own. */
static cot_code nodes_reach(struct cot_live *live, uint32_t node, struct cot_err *err)
{
    void *grown = cot_array_reserve(live->nodes, &live->nodes_capacity, (size_t)node + 1, sizeof *live->nodes);
    if (grown == NULL)
        return cot_fail(err, COT_NOMEM, "%zu identity nodes", (size_t)node + 1);
    live->nodes = grown;
    for (; live->n_nodes <= node; live->n_nodes++)
        live->nodes[live->n_nodes] = (struct node){.root = (uint32_t)live->n_nodes};
    return COT_OK;
}

cot_code cot_live_add_node(struct cot_live *live, uint32_t node, struct cot_err *err)
{
    return node < live->n_nodes ? COT_OK : nodes_reach(live, node, err);
}

static void customer_spoil(struct cot_live *live, uint32_t node)
{
    struct customer *customer = live->nodes[live->nodes[node].root].customer;
    if (customer != NULL)
        customer->stale = true;
}

/* An entry after all others of a customer of several nodes extends its view; any other spoils it. */
static cot_code merged_append(struct customer *customer, const struct cot_entry *entry, struct cot_err *err)
{
    size_t n = customer->n_merged;
    if (customer->stale || (n > 0 && cot_entry_ms(entry) <= cot_entry_ms(&customer->merged[n - 1]))) {
        customer->stale = true;
        return COT_OK;
    }
    void *grown = cot_array_reserve(customer->merged, &customer->merged_capacity, n + 1, sizeof *customer->merged);
    if (grown == NULL)
        return cot_fail(err, COT_NOMEM, "%zu events of a customer", n + 1);
    customer->merged = grown;
    customer->merged[customer->n_merged++] = *entry;
    return COT_OK;
}

/* Puts an entry behind those of its time or before. */
static cot_code entry_insert(struct cot_live *live, uint32_t i_node, const struct cot_entry *entry, struct cot_err *err)
{
    struct node *node = &live->nodes[i_node];
    void *grown = cot_array_reserve(node->entries, &node->entries_capacity, node->n_entries + 1, sizeof *node->entries);
    if (grown == NULL)
        return cot_fail(err, COT_NOMEM, "%zu events of a node", node->n_entries + 1);
    node->entries = grown;
    struct cot_run run = {node->entries, node->n_entries};
    size_t place = cot_run_until(&run, cot_entry_ms(entry));
    memmove(node->entries + place + 1, node->entries + place, (node->n_entries - place) * sizeof *node->entries);
    node->entries[place] = *entry;
    node->n_entries++;
    const struct node *root = &live->nodes[node->root];
    if (root->customer == NULL)
        return COT_OK;
    if (root->members != NULL)
        return merged_append(root->customer, entry, err);
    const struct cot_fold *fold = root->customer->fold;
    root->customer->stale |= fold != NULL && place < fold->n_entries; /* late: the fold has gone past it */
    return COT_OK;
}

cot_code cot_live_add_event(struct cot_live *live, const struct cot_live_event *event, struct cot_err *err)
{
    uint32_t detail = event->detail;
    cot_code rc = nodes_reach(live, event->node, err);
    if (rc != COT_OK)
        return rc;
    bool is_commerce = event->kind == COT_EVENT_ORDER_LINE || event->kind == COT_EVENT_REFUND;
    uint32_t note = COT_NO_NOTE;
    if (event->said != NULL)
        rc = cot_lines_note(&live->lines, is_commerce ? 0 : event->detail, event->said->name, event->said->properties,
                            event->said->n_properties, &note, err);
    if (rc == COT_OK && is_commerce) {
        struct cot_line line = {.amount_minor = event->amount_minor,
                                .order = event->order,
                                .quantity = event->quantity > 0 ? (float)event->quantity : 1};
        const struct cot_line_extra extra = {event->discount_minor, event->cost_minor, note};
        rc = cot_lines_add(&live->lines, &line, &extra, &detail, err);
        live->catalogue_stale = true; /* its prices */
    }
    if (rc != COT_OK)
        return rc;
    if (event->item != COT_NO_ITEM && event->item >= live->n_items)
        live->n_items = event->item + 1;
    if (event->occurred_at_ms < live->kind_since_ms[event->kind & 127])
        live->kind_since_ms[event->kind & 127] = event->occurred_at_ms;
    struct cot_entry entry = cot_entry_make(event->occurred_at_ms, event->kind, event->channel, event->item, detail);
    if (note != COT_NO_NOTE && !is_commerce) {
        entry.bits |= COT_ENTRY_HAS_NOTE;
        entry.detail = note;
    }
    return entry_insert(live, event->node, &entry, err);
}

/* Takes back the node's entries of an order; refunds, too, unless they stay. */
static cot_code take_back(struct cot_live *live, uint32_t i_node, uint64_t order, bool refunds_stay,
                          struct cot_err *err)
{
    if (order == 0)
        return cot_fail(err, COT_USAGE, "only orders with a key are superseded");
    if (i_node >= live->n_nodes)
        return COT_OK;
    struct node *node = &live->nodes[i_node];
    size_t n = 0;
    for (size_t i = 0; i < node->n_entries; i++) {
        const struct cot_entry *entry = &node->entries[i];
        bool stays = refunds_stay && cot_entry_kind(entry) == COT_EVENT_REFUND;
        if (stays || !cot_entry_is_commerce(entry) || live->lines.lines[entry->detail].order != order)
            node->entries[n++] = *entry;
    }
    if (n < node->n_entries) {
        node->n_entries = n;
        live->catalogue_stale = true;
        customer_spoil(live, i_node);
    }
    return COT_OK;
}

cot_code cot_live_supersede(struct cot_live *live, uint32_t node, uint64_t order, struct cot_err *err)
{
    return take_back(live, node, order, false, err);
}

cot_code cot_live_supersede_lines(struct cot_live *live, uint32_t node, uint64_t order, struct cot_err *err)
{
    return take_back(live, node, order, true, err);
}

uint32_t cot_live_n_nodes(const struct cot_live *live)
{
    return (uint32_t)live->n_nodes;
}

const uint32_t *cot_live_members(const struct cot_live *live, const uint32_t *node, size_t *ret_n)
{
    *ret_n = 1;
    if (*node >= live->n_nodes)
        return node;
    const struct node *root = &live->nodes[live->nodes[*node].root];
    if (root->members == NULL)
        return node;
    *ret_n = root->n_members;
    return root->members;
}

const struct cot_trait_fact *cot_live_traits(const struct cot_live *live, uint32_t node, size_t *ret_n)
{
    *ret_n = node < live->n_nodes ? live->nodes[node].n_traits : 0;
    return *ret_n > 0 ? live->nodes[node].traits : NULL;
}

const struct cot_lines *cot_live_lines(const struct cot_live *live)
{
    return &live->lines;
}

int64_t cot_live_now_ms(const struct cot_live *live)
{
    return live->now_ms;
}

/* Is the pair linked now? The latest op in force decides, among equals the later in the ledger. */
static bool pair_is_linked(const struct cot_live *live, uint32_t a, uint32_t b)
{
    const struct cot_link *best = NULL;
    for (size_t i = 0; i < live->nodes[a].n_links; i++) {
        const struct cot_link *link = &live->links[live->nodes[a].links[i]];
        bool same = (link->node_a == a && link->node_b == b) || (link->node_a == b && link->node_b == a);
        if (same && link->occurred_at_ms <= live->now_ms && link->recorded_at_ms <= live->now_ms &&
            (best == NULL || link->occurred_at_ms >= best->occurred_at_ms))
            best = link;
    }
    return best != NULL && best->op > 0;
}

static int node_compare(const void *a, const void *b)
{
    uint32_t x = *(const uint32_t *)a;
    uint32_t y = *(const uint32_t *)b;
    return x < y ? -1 : x > y;
}

/* Finds the customer that a node belongs to by the links in force and makes its smallest node the root. */
static cot_code customer_gather(struct cot_live *live, uint32_t start, struct cot_err *err)
{
    uint32_t *members = NULL;
    size_t n = 0;
    size_t capacity = 0;
    uint32_t mark = ++live->mark;
    void *grown = cot_array_reserve(members, &capacity, 1, sizeof *members);
    if (grown == NULL)
        return cot_fail(err, COT_NOMEM, "nodes of a customer");
    members = grown;
    members[n++] = start;
    live->nodes[start].mark = mark;
    for (size_t i = 0; i < n; i++) {
        const struct node *node = &live->nodes[members[i]];
        for (size_t j = 0; j < node->n_links; j++) {
            const struct cot_link *link = &live->links[node->links[j]];
            uint32_t other = link->node_a == members[i] ? link->node_b : link->node_a;
            if (live->nodes[other].mark == mark || !pair_is_linked(live, members[i], other))
                continue;
            grown = cot_array_reserve(members, &capacity, n + 1, sizeof *members);
            if (grown == NULL) {
                free(members);
                return cot_fail(err, COT_NOMEM, "nodes of a customer");
            }
            members = grown;
            members[n++] = other;
            live->nodes[other].mark = mark;
        }
    }
    qsort(members, n, sizeof *members, node_compare);
    for (size_t i = 0; i < n; i++) {
        struct node *node = &live->nodes[members[i]];
        customer_free(node->customer);
        free(node->members);
        node->customer = NULL;
        node->members = NULL;
        node->n_members = 0;
        node->root = members[0];
    }
    if (n > 1) {
        live->nodes[members[0]].members = members;
        live->nodes[members[0]].n_members = n;
    } else {
        free(members);
    }
    return COT_OK;
}

/* A link has come into force: its two ends may now be one customer, or two. Every node of the customers that they were
 * part of is reached from the ends, or from those of another link that came into force with it. */
static cot_code link_apply(struct cot_live *live, const struct cot_link *link, struct cot_err *err)
{
    cot_code rc = customer_gather(live, link->node_a, err);
    if (rc == COT_OK && live->nodes[link->node_b].mark != live->mark) /* that walk did not come by */
        rc = customer_gather(live, link->node_b, err);
    return rc;
}

static cot_code node_add_link(struct cot_live *live, uint32_t i_node, uint32_t i_link, struct cot_err *err)
{
    struct node *node = &live->nodes[i_node];
    void *grown = cot_array_reserve(node->links, &node->links_capacity, node->n_links + 1, sizeof *node->links);
    if (grown == NULL)
        return cot_fail(err, COT_NOMEM, "links of a node");
    node->links = grown;
    node->links[node->n_links++] = i_link;
    return COT_OK;
}

cot_code cot_live_add_link(struct cot_live *live, const struct cot_link *link, struct cot_err *err)
{
    uint32_t i_link = (uint32_t)live->n_links;
    cot_code rc = nodes_reach(live, link->node_a > link->node_b ? link->node_a : link->node_b, err);
    if (rc != COT_OK)
        return rc;
    void *links = cot_array_reserve(live->links, &live->links_capacity, live->n_links + 1, sizeof *live->links);
    if (links != NULL)
        live->links = links;
    void *waiting =
        cot_array_reserve(live->waiting, &live->waiting_capacity, live->n_waiting + 1, sizeof *live->waiting);
    if (waiting != NULL)
        live->waiting = waiting;
    if (links == NULL || waiting == NULL)
        return cot_fail(err, COT_NOMEM, "%zu links", live->n_links + 1);
    live->links[live->n_links++] = *link;
    rc = node_add_link(live, link->node_a, i_link, err);
    if (rc == COT_OK)
        rc = node_add_link(live, link->node_b, i_link, err);
    if (rc != COT_OK)
        return rc;
    if (link->occurred_at_ms > live->now_ms) {
        live->waiting[live->n_waiting++] = i_link;
        return COT_OK;
    }
    return link_apply(live, link, err);
}

cot_code cot_live_add_trait(struct cot_live *live, uint32_t i_node, const struct cot_trait_fact *trait,
                            struct cot_err *err)
{
    cot_code rc = nodes_reach(live, i_node, err);
    if (rc != COT_OK)
        return rc;
    struct node *node = &live->nodes[i_node];
    void *grown = cot_array_reserve(node->traits, &node->traits_capacity, node->n_traits + 1, sizeof *node->traits);
    if (grown == NULL)
        return cot_fail(err, COT_NOMEM, "traits of a node");
    node->traits = grown;
    node->traits[node->n_traits++] = *trait;
    return COT_OK;
}

cot_code cot_live_add_item(struct cot_live *live, const struct cot_item_fact *fact, struct cot_err *err)
{
    void *grown = cot_array_reserve(live->item_facts, &live->item_facts_capacity, live->n_item_facts + 1,
                                    sizeof *live->item_facts);
    if (grown == NULL)
        return cot_fail(err, COT_NOMEM, "%zu facts of items", live->n_item_facts + 1);
    live->item_facts = grown;
    live->item_facts[live->n_item_facts++] = *fact;
    if (fact->item >= live->n_items)
        live->n_items = fact->item + 1;
    live->catalogue_stale = true;
    return COT_OK;
}

int64_t cot_live_next_link_ms(const struct cot_live *live)
{
    int64_t at_ms = INT64_MAX;
    for (size_t i = 0; i < live->n_waiting; i++)
        if (live->links[live->waiting[i]].occurred_at_ms < at_ms)
            at_ms = live->links[live->waiting[i]].occurred_at_ms;
    return at_ms;
}

cot_code cot_live_advance(struct cot_live *live, int64_t now_ms, cot_live_touch *joined, void *context,
                          struct cot_err *err)
{
    size_t n = 0;
    cot_code rc = COT_OK;
    if (now_ms < live->now_ms)
        return cot_fail(err, COT_USAGE, "the live clock stands at %lld and can't go back to %lld",
                        (long long)live->now_ms, (long long)now_ms);
    if (now_ms > live->now_ms)
        live->catalogue_stale = true; /* facts and prices that lay ahead */
    live->now_ms = now_ms;
    for (size_t i = 0; i < live->n_waiting; i++) {
        const struct cot_link *link = &live->links[live->waiting[i]];
        if (link->occurred_at_ms > now_ms) {
            live->waiting[n++] = live->waiting[i];
            continue;
        }
        if (rc == COT_OK)
            rc = link_apply(live, link, err);
        if (rc == COT_OK && joined != NULL) {
            joined(context, link->node_a);
            joined(context, link->node_b);
        }
    }
    live->n_waiting = n;
    return rc;
}

cot_code cot_live_catalogue_make(const struct cot_live *live, int64_t as_of_ms, struct cot_catalogue *ret_catalogue,
                                 struct cot_err *err)
{
    size_t n_prices = 0;
    struct cot_catalogue made = {0};
    struct cot_price *prices = malloc((live->lines.n + 1) * sizeof *prices);
    if (prices == NULL)
        return cot_fail(err, COT_NOMEM, "prices of %zu order lines", live->lines.n);
    cot_code rc = cot_catalogue_init(&made, live->n_items, live->item_facts, live->n_item_facts, as_of_ms, err);
    for (size_t i = 0; rc == COT_OK && i < live->n_nodes; i++)
        for (size_t j = 0; j < live->nodes[i].n_entries; j++) {
            const struct cot_entry *entry = &live->nodes[i].entries[j];
            if (cot_entry_ms(entry) > as_of_ms)
                break;
            if (cot_entry_kind(entry) == COT_EVENT_ORDER_LINE)
                n_prices += cot_price_of(entry, &live->lines, live->n_items, &prices[n_prices]);
        }
    if (rc == COT_OK)
        rc = cot_catalogue_price(&made, prices, n_prices, err);
    free(prices);
    if (rc == COT_OK)
        *ret_catalogue = made;
    else
        cot_catalogue_release(&made);
    return rc;
}

void cot_live_catalogue_set(struct cot_live *live, int64_t as_of_ms, struct cot_catalogue *catalogue)
{
    struct cot_catalogue old = live->catalogue;
    live->catalogue = *catalogue;
    live->catalogue_stale = live->now_ms > as_of_ms;
    live->catalogue_made = true;
    live->catalogue_at_ms = as_of_ms;
    *catalogue = old;
}

int64_t cot_live_catalogue_due_ms(const struct cot_live *live)
{
    return live->catalogue_made ? live->catalogue_at_ms + live->options.catalogue_age_ms : live->now_ms;
}

cot_code cot_live_price(struct cot_live *live, struct cot_err *err)
{
    struct cot_catalogue catalogue = {0};
    if (!live->catalogue_stale)
        return COT_OK;
    cot_code rc = cot_live_catalogue_make(live, live->now_ms, &catalogue, err);
    if (rc != COT_OK)
        return rc;
    cot_live_catalogue_set(live, live->now_ms, &catalogue);
    cot_catalogue_release(&catalogue);
    return COT_OK;
}

/* The customer's entries: the node's own run, or its nodes' merged. */
static cot_code customer_merge(struct cot_live *live, const struct node *root, struct customer *customer,
                               struct cot_err *err)
{
    size_t n = 0;
    struct cot_run *runs = malloc(root->n_members * sizeof *runs);
    for (size_t i = 0; runs != NULL && i < root->n_members; i++) {
        const struct node *node = &live->nodes[root->members[i]];
        runs[i] = (struct cot_run){node->entries, node->n_entries};
        n += node->n_entries;
    }
    void *grown = cot_array_reserve(customer->merged, &customer->merged_capacity, 2 * n + 1, sizeof *customer->merged);
    if (grown != NULL)
        customer->merged = grown;
    if (grown != NULL && runs != NULL)
        cot_runs_merge(runs, root->n_members, customer->merged);
    customer->n_merged = n;
    cot_code rc = grown == NULL || runs == NULL ? cot_fail(err, COT_NOMEM, "%zu events of a customer", n) : COT_OK;
    free(runs);
    return rc;
}

static void customer_profile(const struct cot_live *live, const struct node *root, uint32_t i_root,
                             struct cot_profile *ret_profile)
{
    struct cot_trait_best best = {0};
    size_t n = root->members != NULL ? root->n_members : 1;
    for (size_t i = 0; i < n; i++) {
        const struct node *node = &live->nodes[root->members != NULL ? root->members[i] : i_root];
        cot_trait_consider(&best, live->options.words, node->traits, node->n_traits, live->now_ms, COT_WITH_TIMELESS);
    }
    cot_profile_make(&best, live->options.words, cot_zone_local(live->options.zone, live->now_ms), ret_profile);
}

static void customer_prediction(const struct cot_live *live, uint32_t i_root, struct cot_prediction *ret_prediction)
{
    static const struct cot_predictions none;
    size_t n = 0;
    const uint32_t *members = cot_live_members(live, &i_root, &n);
    bool any = live->predictions != NULL && live->predictions->n > 0 && live->allows(live->allows_context, i_root);
    cot_predictions_of(any ? live->predictions : &none, members, n, ret_prediction);
}

static cot_code customer_keep(struct node *root, struct cot_err *err)
{
    if (root->customer != NULL)
        return COT_OK;
    root->customer = calloc(1, sizeof *root->customer);
    if (root->customer == NULL)
        return cot_fail(err, COT_NOMEM, "customer");
    root->customer->stale = true;
    return COT_OK;
}

/* The customer to whom a node belongs, its entries in order. */
static cot_code customer_ready(struct cot_live *live, uint32_t node, struct node **ret_root, struct cot_err *err)
{
    cot_code rc = nodes_reach(live, node, err);
    if (rc != COT_OK)
        return rc;
    struct node *root = &live->nodes[live->nodes[node].root];
    if (root->members != NULL)
        rc = customer_keep(root, err);
    struct customer *customer = root->customer;
    if (rc == COT_OK && customer != NULL && customer->stale) {
        if (root->members != NULL)
            rc = customer_merge(live, root, customer, err);
        if (customer->fold != NULL)
            cot_fold_clear(customer->fold);
        customer->stale = rc != COT_OK;
    }
    *ret_root = root;
    return rc;
}

/* The fold of a customer's first `end` entries. */
static cot_code customer_fold(struct cot_live *live, struct node *root, const struct cot_run *run, size_t end,
                              const struct cot_fold_input *input, struct cot_fold **ret_fold, struct cot_err *err)
{
    cot_code rc = COT_OK;
    struct cot_fold *fold = root->customer != NULL ? root->customer->fold : NULL;
    if (end < live->options.min_kept_entries) {
        fold = &live->fold;
        cot_fold_clear(fold);
    } else if (fold == NULL) {
        rc = customer_keep(root, err);
        fold = rc == COT_OK ? calloc(1, sizeof *fold) : NULL;
        if (rc == COT_OK && fold == NULL)
            rc = cot_fail(err, COT_NOMEM, "%zu events of a customer", end);
        if (rc != COT_OK)
            return rc;
        cot_fold_clear(fold);
        root->customer->fold = fold;
        root->customer->stale = false; /* made of the run at hand */
    }
    live->n_refolds += fold->n_entries == 0;
    rc = cot_fold_extend(fold, input, run, end, err);
    if (rc != COT_OK && fold != &live->fold)
        root->customer->stale = true;
    *ret_fold = fold;
    return rc;
}

static struct cot_run run_of(const struct node *root)
{
    return root->members != NULL ? (struct cot_run){root->customer->merged, root->customer->n_merged}
                                 : (struct cot_run){root->entries, root->n_entries};
}

cot_code cot_live_run(struct cot_live *live, uint32_t node, struct cot_run *ret_run, struct cot_err *err)
{
    struct node *root = node < live->n_nodes ? &live->nodes[live->nodes[node].root] : NULL;
    cot_code rc = root == NULL || root->members != NULL ? customer_ready(live, node, &root, err) : COT_OK;
    if (rc != COT_OK)
        return rc;
    *ret_run = run_of(root);
    ret_run->n = cot_run_until(ret_run, live->now_ms);
    return COT_OK;
}

cot_code cot_live_settle(struct cot_live *live, uint32_t begin, uint32_t end, struct cot_err *err)
{
    cot_code rc = COT_OK;
    for (uint32_t i = begin; i < end && i < live->n_nodes && rc == COT_OK; i++) {
        const struct node *node = &live->nodes[i];
        struct node *root = NULL;
        if (node->members != NULL && (node->customer == NULL || node->customer->stale))
            rc = customer_ready(live, i, &root, err);
    }
    return rc;
}

uint32_t cot_live_n_items(const struct cot_live *live)
{
    return live->n_items;
}

int64_t cot_live_next_ms(const struct cot_live *live, uint32_t node)
{
    if (node >= live->n_nodes)
        return INT64_MAX;
    size_t n_members = 0;
    const uint32_t *members = cot_live_members(live, &node, &n_members);
    const struct cot_run all = run_of(&live->nodes[live->nodes[node].root]);
    size_t n = cot_run_until(&all, live->now_ms);
    int64_t next_ms = n < all.n ? cot_entry_ms(&all.entries[n]) : INT64_MAX;
    for (size_t i = 0; i < n_members; i++) {
        const struct node *member = &live->nodes[members[i]];
        for (size_t j = 0; j < member->n_traits; j++)
            if (member->traits[j].occurred_at_ms > live->now_ms && member->traits[j].occurred_at_ms < next_ms)
                next_ms = member->traits[j].occurred_at_ms;
    }
    return next_ms;
}

cot_code cot_live_customer(struct cot_live *live, uint32_t node, const struct cot_customer **ret_customer,
                           struct cot_err *err)
{
    struct node *root = NULL;
    cot_code rc = customer_ready(live, node, &root, err);
    if (rc == COT_OK && (!live->catalogue_made || live->options.catalogue_age_ms == 0))
        rc = cot_live_price(live, err);
    if (rc != COT_OK)
        return rc;
    struct cot_run run = run_of(root);
    struct cot_summary_input input = {.fold = {.lines = &live->lines, .zone = live->options.zone},
                                      .as_of_ms = live->now_ms,
                                      .minor_per_unit = live->options.minor_per_unit,
                                      .catalogue = &live->catalogue,
                                      .kind_since_ms = live->kind_since_ms};
    struct cot_fold *fold = NULL;
    struct cot_prediction prediction;
    rc = customer_fold(live, root, &run, cot_run_until(&run, live->now_ms), &input.fold, &fold, err);
    if (rc != COT_OK)
        return rc;
    customer_profile(live, root, (uint32_t)(root - live->nodes), &live->profile);
    customer_prediction(live, (uint32_t)(root - live->nodes), &prediction);
    rc = cot_summary_make(&live->summary, &input, fold, &run, &live->profile, &prediction, &live->scratch, err);
    if (rc == COT_OK)
        *ret_customer = &live->summary;
    return rc;
}
