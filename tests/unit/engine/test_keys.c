/* Keys: made, found, revoked; nothing but their hashes is on disk. */
#include "engine/keys.h"

#include <sys/stat.h>

#include "scratch.h"

static yyjson_mut_val *make(const char *data_dir, enum cot_role role, yyjson_mut_doc **ret_doc)
{
    struct cot_err err = {0};
    struct cot_context context = {.data_dir = data_dir};
    assert_ok(cot_key_create_run(&context, role, "a test", 0, ret_doc, &err), err);
    return yyjson_mut_doc_get_root(*ret_doc);
}

static void test_key_is_found_until_revoked(void **state)
{
    char folder[SCRATCH_PATH_SIZE];
    struct cot_err err = {0};
    struct cot_key_ring ring = {0};
    yyjson_mut_doc *doc = NULL;
    yyjson_mut_doc *other = NULL;
    yyjson_mut_doc *revoked = NULL;
    (void)state;
    scratch_make(folder);
    struct cot_context context = {.data_dir = folder};
    assert_ok(cot_key_ring_load(folder, &ring, &err), err);
    assert_int_equal(ring.n, 0);
    cot_key_ring_release(&ring);
    const char *key = yyjson_mut_get_str(yyjson_mut_obj_get(make(folder, COT_ROLE_SERVER, &doc), "key"));
    const char *id = yyjson_mut_get_str(yyjson_mut_obj_get(yyjson_mut_doc_get_root(doc), "id"));
    const char *key_2 = yyjson_mut_get_str(yyjson_mut_obj_get(make(folder, COT_ROLE_WRITE, &other), "key"));
    assert_string_not_equal(key, key_2);
    assert_ok(cot_key_ring_load(folder, &ring, &err), err);
    assert_int_equal(ring.n, 2);
    const struct cot_key *found = cot_key_ring_find(&ring, key, strlen(key));
    assert_non_null(found);
    assert_int_equal(found->role, COT_ROLE_SERVER);
    assert_string_equal(found->id, id);
    assert_null(cot_key_ring_find(&ring, key, strlen(key) - 1));
    assert_null(cot_key_ring_find(&ring, "", 0));
    cot_key_ring_release(&ring);

    assert_ok(cot_key_revoke_run(&context, id, &revoked, &err), err);
    assert_ok(cot_key_ring_load(folder, &ring, &err), err);
    assert_int_equal(ring.n, 1);
    assert_null(cot_key_ring_find(&ring, key, strlen(key)));
    assert_non_null(cot_key_ring_find(&ring, key_2, strlen(key_2)));
    cot_key_ring_release(&ring);
    yyjson_mut_doc_free(doc);
    yyjson_mut_doc_free(other);
    yyjson_mut_doc_free(revoked);
    assert_int_equal(cot_key_revoke_run(&context, "key-none", &revoked, &err), COT_NOT_FOUND);
    scratch_remove(folder);
}

static void test_disk_has_hashes_alone(void **state)
{
    char folder[SCRATCH_PATH_SIZE];
    char path[SCRATCH_PATH_SIZE + 32];
    char text[4096] = "";
    struct stat status;
    yyjson_mut_doc *doc = NULL;
    (void)state;
    scratch_make(folder);
    const char *key = yyjson_mut_get_str(yyjson_mut_obj_get(make(folder, COT_ROLE_ADMIN, &doc), "key"));
    snprintf(path, sizeof path, "%s/keys.json", folder);
    assert_int_equal(stat(path, &status), 0);
    assert_int_equal(status.st_mode & 0777, 0600);
    FILE *file = fopen(path, "r");
    assert_non_null(file);
    assert_true(fread(text, 1, sizeof text - 1, file) > 0);
    fclose(file);
    assert_null(strstr(text, key));
    assert_null(strstr(text, key + strlen("cot_admin_")));
    assert_non_null(strstr(text, "sha256"));
    yyjson_mut_doc_free(doc);
    scratch_remove(folder);
}

static void test_damaged_file_lets_nobody_in(void **state)
{
    char folder[SCRATCH_PATH_SIZE];
    char path[SCRATCH_PATH_SIZE + 32];
    struct cot_err err = {0};
    struct cot_key_ring ring = {0};
    static const char *const contents[] = {
        "", "{}", "{\"version\":2,\"keys\":[]}",
        "{\"version\":1,\"keys\":[{\"id\":\"a\",\"role\":\"king\",\"sha256\":\"00\",\"revoked_at\":null}]}",
        "{\"version\":1,\"keys\":[{\"id\":\"a\",\"role\":\"admin\",\"sha256\":\"00\",\"revoked_at\":null}]}"};
    (void)state;
    scratch_make(folder);
    snprintf(path, sizeof path, "%s/keys.json", folder);
    for (size_t i = 0; i < sizeof contents / sizeof *contents; i++) {
        FILE *file = fopen(path, "w");
        assert_non_null(file);
        fputs(contents[i], file);
        fclose(file);
        assert_int_equal(cot_key_ring_load(folder, &ring, &err), COT_BAD_DATA);
    }
    scratch_remove(folder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_key_is_found_until_revoked),
        cmocka_unit_test(test_disk_has_hashes_alone),
        cmocka_unit_test(test_damaged_file_lets_nobody_in),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
