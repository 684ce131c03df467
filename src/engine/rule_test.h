/*
 * The tests of a segment file (domain/segment_file.h): made-up customers, looked at as a server would look at them.
 *
 * No store: each test gets an empty shop in memory, into which what is given goes by the way that the store's own facts
 * go; the clock is the test's. The same file, the same answers.
 */
#ifndef COT_ENGINE_RULE_TEST_H
#define COT_ENGINE_RULE_TEST_H

#include <stddef.h>
#include <yyjson.h>

#include "domain/segment_file.h"

/* Adds to root: "tests": how many, "failed": how many, "failures": [{"test","line","at","expected","found",
 * "conditions": [as cot_rule_segments_explain says of them]}], expected and found being "member" or "not member", one
 * entry a test: the first that is not as expected. */
cot_code cot_rule_tests_run(const struct cot_segment_file *file, yyjson_mut_doc *doc, yyjson_mut_val *root,
                            size_t *ret_n_failed, struct cot_err *err) COT_MUST_CHECK;

/* COT_BAD_DATA names the first test that fails. ret_n: how many there are. */
cot_code cot_rule_tests_pass(const struct cot_segment_file *file, uint64_t *ret_n, struct cot_err *err) COT_MUST_CHECK;

/* Files and folders (rule_files.h): {"files": [{"path","name"} with the above, or {"path","error"}],"tests","failed",
 * "unusable"}, of all files together. COT_NOT_FOUND: none. */
cot_code cot_rule_tests_run_files(const char *const *paths, size_t n, yyjson_mut_doc **ret_doc,
                                  struct cot_err *err) COT_MUST_CHECK;

#endif
