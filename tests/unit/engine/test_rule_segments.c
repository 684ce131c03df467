/*
 * Rule segments over a shop in memory against a naive reference, at every step: random rules over random streams of
 * events that come late, early, are taken back; of customers who become one and part; of products that change their
 * category, traits that change; on a clock with summer time, which stops just before and at the moments at which
 * membership turns. The reference keeps what was said and finds everything anew, by the letter of
 * docs/segment-rules.md.
 */
#include "engine/rule_segments.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/rng.h"
#include "unit/engine/naive_rules.h"
#include "unit/engine/scratch.h"

enum { N_STREAMS = 25, N_RULES = 20 };

static void shop_open(struct shop *shop, uint64_t seed)
{
    struct cot_err err = {0};
    struct cot_zone *zone = NULL;
    struct cot_dict keys;
    char name[16];
    uint32_t ignored = 0;
    *shop = (struct shop){.now_ms = START_MS};
    cot_rng_init(&shop->rng, seed);
    cot_dict_init(&keys);
    assert_int_equal(cot_dict_add(&keys, 0, "length", 6, &ignored, &err), COT_OK);
    assert_int_equal(cot_dict_add(&keys, 0, "size", 4, &ignored, &err), COT_OK);
    assert_int_equal(cot_zone_open("Europe/London", &zone, &err), COT_OK);
    assert_int_equal(cot_live_shop_new(zone, 100, &keys, &shop->live, &err), COT_OK);
    cot_dict_release(&keys);
    cot_dict_init(&shop->import.nodes);
    cot_dict_init(&shop->import.items);
    for (int i = 0; i < N_ITEMS; i++) {
        snprintf(name, sizeof name, "p%d", i);
        assert_int_equal(cot_dict_add(&shop->import.items, 0, name, strlen(name), &ignored, &err), COT_OK);
        shop->categories[i] = -1;
        shop->category_ms[i] = INT64_MIN;
    }
    assert_int_equal(cot_rule_segments_new(&shop->segments, &err), COT_OK);
    const struct cot_rule_shop over = {shop->live, &shop->import};
    assert_int_equal(cot_rule_segments_tick(shop->segments, &over, shop->now_ms, &err), COT_OK);
}

static void shop_close(struct shop *shop)
{
    cot_rule_segments_free(shop->segments);
    cot_live_shop_free(shop->live);
    cot_dict_release(&shop->import.nodes);
    cot_dict_release(&shop->import.items);
}

static void touch(struct shop *shop, unsigned node)
{
    struct cot_err err = {0};
    const struct cot_rule_shop over = {shop->live, &shop->import};
    assert_int_equal(cot_rule_segments_touch(shop->segments, &over, node, &err), COT_OK);
}

static int64_t random_time(struct shop *shop)
{
    switch (below(shop, 6)) {
    case 0: return shop->now_ms - (int64_t)below(shop, 4 * 24) * HOUR; /* late */
    case 1: return shop->now_ms + (int64_t)below(shop, 30) * HOUR;     /* ahead */
    default: return shop->now_ms;
    }
}

static void say_event(struct shop *shop)
{
    struct cot_err err = {0};
    char properties[100] = "";
    struct said *e = &shop->said[shop->n_said++];
    *e = (struct said){.kind = below(shop, N_KINDS),
                       .node = below(shop, N_NODES),
                       .at_ms = random_time(shop),
                       .item = (int)below(shop, N_ITEMS + 1) - 1,
                       .channel = (enum cot_channel)(1 + below(shop, 4)),
                       .amount_minor = (int64_t)below(shop, 700),
                       .order = 1 + below(shop, 6),
                       .length = (int)below(shop, 6) - 1,
                       .size = (int)below(shop, 4) - 1};
    if (e->length >= 0 && e->size >= 0)
        snprintf(properties, sizeof properties, "{\"length\":%d,\"other\":1,\"size\":\"%s\"}", e->length,
                 e->size == 0 ? "l" : sizes[e->size]);
    else if (e->length >= 0)
        snprintf(properties, sizeof properties, "{\"length\":\"%d.0\"}", e->length);
    else if (e->size >= 0)
        snprintf(properties, sizeof properties, "{\"size\":\"%s\"}", e->size == 1 ? "XL" : sizes[e->size]);
    struct cot_live_event event = {.node = e->node,
                                   .kind = kinds[e->kind],
                                   .channel = e->channel,
                                   .occurred_at_ms = e->at_ms,
                                   .item = e->item >= 0 ? (uint32_t)e->item : COT_NO_ITEM,
                                   .detail = 5,
                                   .order = e->order,
                                   .quantity = 1,
                                   .amount_minor = e->amount_minor,
                                   .discount_minor = COT_UNKNOWN_MINOR,
                                   .cost_minor = COT_UNKNOWN_MINOR};
    struct cot_text name = {names[e->kind], (uint32_t)strlen(names[e->kind])};
    struct cot_text text = {properties, (uint32_t)strlen(properties)};
    assert_int_equal(cot_live_shop_event(shop->live, &event, name, text, &err), COT_OK);
    touch(shop, e->node);
}

static void say_link(struct shop *shop)
{
    struct cot_err err = {0};
    unsigned a = below(shop, N_NODES - 1);
    struct link *link = &shop->links[shop->n_links++];
    *link = (struct link){a, a + 1 + below(shop, N_NODES - 1 - a), below(shop, 3) == 0 ? -1 : 1, random_time(shop)};
    const struct cot_link said = {link->a, link->b, link->op, link->at_ms, shop->now_ms};
    assert_int_equal(cot_live_add_link(shop->live->live, &said, &err), COT_OK);
    touch(shop, link->a);
    touch(shop, link->b);
}

static void say_trait(struct shop *shop)
{
    struct cot_err err = {0};
    char key[8];
    char value[8];
    struct trait *trait = &shop->traits[shop->n_traits++];
    *trait = (struct trait){below(shop, N_NODES), below(shop, 2), (int)below(shop, 4), random_time(shop)};
    snprintf(key, sizeof key, "t%u", trait->key);
    snprintf(value, sizeof value, "%d", trait->value);
    assert_int_equal(cot_live_shop_trait(shop->live, trait->node, (struct cot_text){key, 2},
                                         (struct cot_text){value, 1}, trait->value, trait->at_ms, &err),
                     COT_OK);
    touch(shop, trait->node);
}

static void say_item(struct shop *shop)
{
    struct cot_err err = {0};
    const struct cot_rule_shop over = {shop->live, &shop->import};
    char category[8];
    bool changed = false;
    unsigned item = below(shop, N_ITEMS);
    int number = (int)below(shop, 3);
    int64_t at_ms = shop->now_ms - (int64_t)below(shop, 3) * DAY;
    snprintf(category, sizeof category, "c%d", number);
    const struct cot_text words[3] = {{category, 2}, {"", 0}, {"", 0}};
    assert_int_equal(cot_live_shop_item(shop->live, item, words, at_ms, shop->now_ms, false, &changed, &err), COT_OK);
    if (at_ms >= shop->category_ms[item]) {
        shop->categories[item] = number;
        shop->category_ms[item] = at_ms;
    }
    if (changed)
        assert_int_equal(cot_rule_segments_touch_item(shop->segments, item, &err), COT_OK);
    assert_int_equal(cot_rule_segments_settle(shop->segments, &over, &err), COT_OK);
}

static void take_order_back(struct shop *shop)
{
    struct cot_err err = {0};
    unsigned node = below(shop, N_NODES);
    uint64_t order = 1 + below(shop, 6);
    assert_int_equal(cot_live_supersede_lines(shop->live->live, node, order, &err), COT_OK);
    for (size_t i = 0; i < shop->n_said; i++)
        shop->said[i].taken_back |=
            shop->said[i].node == node && shop->said[i].order == order && shop->said[i].kind == 0;
    touch(shop, node);
}

static void let_time_pass(struct shop *shop)
{
    struct cot_err err = {0};
    const struct cot_rule_shop over = {shop->live, &shop->import};
    int64_t next_ms = cot_rule_segments_next_ms(shop->segments, &over);
    int64_t to_ms = shop->now_ms + (int64_t)below(shop, 30 * 60) * 60000;
    if (next_ms != COT_RULE_NEVER && below(shop, 3) > 0)
        to_ms = next_ms - (below(shop, 2) == 0);
    if (to_ms > shop->now_ms)
        shop->now_ms = to_ms;
    assert_int_equal(cot_rule_segments_tick(shop->segments, &over, shop->now_ms, &err), COT_OK);
}

static void step(struct shop *shop)
{
    switch (below(shop, 12)) {
    case 0: say_link(shop); break;
    case 1: say_trait(shop); break;
    case 2: say_item(shop); break;
    case 3: take_order_back(shop); break;
    case 4:
    case 5:
    case 6:
    case 7: let_time_pass(shop); break;
    default: say_event(shop);
    }
}

static void make_rule(struct shop *shop, unsigned i_rule, struct rule *rule)
{
    struct cot_err err = {0};
    const struct cot_rule_shop over = {shop->live, &shop->import};
    struct cot_segment_rule *parsed = NULL;
    char parts[3][380] = {"", "", ""};
    char name[16];
    *rule = (struct rule){0};
    rule->how = below(shop, 4);
    for (int i = 0; i < 3; i++) {
        make_condition(shop, i_rule, &rule->conditions[i]);
        say_condition(&rule->conditions[i], parts[i]);
    }
    snprintf(rule->text, sizeof rule->text, joins[rule->how], parts[0], parts[1], parts[2]);
    snprintf(name, sizeof name, "s%u", i_rule);
    if (cot_rule_segments_check(shop->segments, name, rule->text, strlen(rule->text), &parsed, &err) != COT_OK)
        fail_msg("%s: %s", rule->text, err.message);
    assert_int_equal(cot_rule_segments_put(shop->segments, &over, name, 1, 0, parsed, &err), COT_OK);
}

static size_t index_of(const struct shop *shop, unsigned i_rule)
{
    char name[16];
    snprintf(name, sizeof name, "s%u", i_rule);
    for (size_t i = 0; i < cot_rule_segments_n(shop->segments); i++)
        if (strcmp(cot_rule_segments_at(shop->segments, i).name, name) == 0)
            return i;
    fail();
    return 0;
}

/* Everybody in every segment as the reference has it, and no more; returns how many. */
static uint64_t check(const struct shop *shop, const struct rule *rules, unsigned n_rules, int i_step)
{
    uint64_t n_all = 0;
    for (unsigned i = 0; i < n_rules; i++) {
        size_t place = index_of(shop, i);
        uint64_t n = 0;
        for (unsigned node = 0; node < N_NODES; node++) {
            struct scene scene;
            unsigned root = cot_live_root(shop->live->live, node);
            scene_make(shop, rules, node, &scene);
            for (unsigned before = 0; before < node; before++)
                assert_false(root == node && scene.members[before]); /* the smallest node stands for all */
            bool is_member = cot_rule_segments_has(shop->segments, place, node);
            bool wanted = root == node && is_somebody(&scene) && rule_holds(&scene, &rules[i]);
            if (is_member != wanted)
                fail_msg("step %d, node %u, s%u: %d, not %d: %s", i_step, node, i, is_member, wanted, rules[i].text);
            n += wanted;
        }
        assert_int_equal(cot_rule_segments_at(shop->segments, place).n_members, n);
        n_all += n;
    }
    return n_all;
}

static void test_random_rules_agree_with_the_reference_at_every_step(void **state)
{
    uint64_t n_members = 0;
    uint64_t n_checks = 0;
    (void)state;
    for (uint64_t stream = 0; stream < N_STREAMS; stream++) {
        struct shop *shop = malloc(sizeof *shop);
        struct rule *rules = calloc(N_RULES, sizeof *rules);
        assert_non_null(shop);
        assert_non_null(rules);
        shop_open(shop, 100 + stream);
        for (unsigned i = 0; i < N_RULES / 2; i++)
            make_rule(shop, i, &rules[i]);
        unsigned n_rules = N_RULES / 2;
        for (int i = 0; i < N_STEPS; i++) {
            if (i % 7 == 6 && n_rules < N_RULES) { /* others come while it goes on */
                make_rule(shop, n_rules, &rules[n_rules]);
                n_rules++;
            }
            unsigned i_changed = below(shop, n_rules);
            if (i % 11 == 10) /* some get another rule, which others ask for */
                make_rule(shop, i_changed, &rules[i_changed]);
            step(shop);
            n_members += check(shop, rules, n_rules, i);
            n_checks += n_rules * N_NODES;
        }
        assert_int_equal(n_rules, N_RULES);
        shop_close(shop);
        free(rules);
        free(shop);
    }
    assert_true(n_members > n_checks / 20 && n_members < n_checks - n_checks / 20); /* it says both */
}

/* A stored rule that can't be read: it has nobody and says why, and the others go on. */
static void test_a_rule_that_cannot_be_read(void **state)
{
    char path[SCRATCH_PATH_SIZE];
    struct cot_err err = {0};
    struct shop *shop = malloc(sizeof *shop);
    (void)state;
    assert_non_null(shop);
    scratch_make(path);
    struct cot_store *store = scratch_shop(path);
    assert_int_equal(
        cot_store_exec(
            store, &err,
            "insert into rule_segment (name, version, rule, created_at) values ('bad', 3, 'did(', now()::timestamp),"
            " ('good', 1, 'did(any where property \"length\" > 1)', now()::timestamp),"
            " ('gone', 1, 'did(any)', now()::timestamp), ('gone', 2, null, now()::timestamp),"
            " ('uses', 1, 'did(any) and not segment \"bad\"', now()::timestamp)"),
        COT_OK);
    shop_open(shop, 7);
    for (int i = 0; i < 20; i++)
        say_event(shop);
    const struct cot_rule_shop over = {shop->live, &shop->import};
    struct cot_rule_segments *segments = NULL;
    struct cot_dict keys;
    cot_dict_init(&keys);
    assert_int_equal(cot_rule_segments_keys(store, &keys, &err), COT_OK);
    assert_int_equal(keys.n, 1);
    cot_dict_release(&keys);
    assert_int_equal(cot_rule_segments_load(store, &over, &segments, &err), COT_OK);
    yyjson_mut_doc *doc = yyjson_mut_doc_new(NULL);
    yyjson_mut_val *root = yyjson_mut_obj(doc);
    yyjson_mut_doc_set_root(doc, root);
    assert_int_equal(cot_rule_segments_n(segments), 3);
    assert_int_equal(cot_rule_segments_describe(segments, "bad", doc, root, &err), COT_OK);
    assert_int_equal(yyjson_mut_get_int(yyjson_mut_obj_get(root, "version")), 3);
    assert_int_equal(yyjson_mut_get_int(yyjson_mut_obj_get(root, "members")), 0);
    assert_non_null(strstr(yyjson_mut_get_str(yyjson_mut_obj_get(root, "error")), "line 1, column 5"));
    assert_true(cot_rule_segments_at(segments, 1).n_members > 0);
    assert_true(cot_rule_segments_at(segments, 2).n_members > 0);
    yyjson_mut_doc_free(doc);
    cot_rule_segments_free(segments);
    shop_close(shop);
    free(shop);
    cot_store_close(store);
    scratch_remove(path);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_random_rules_agree_with_the_reference_at_every_step),
        cmocka_unit_test(test_a_rule_that_cannot_be_read),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
