/* A linkage as text: Newick for programs that draw trees, JSON for all others. See coterie/linkage.h. */
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include <yyjson.h>

#include "base/buf.h"
#include "coterie/linkage.h"
#include "num/check.h"

/* ---- Newick ---- */

/* A label that is none of the format's own characters may stand as it is. */
static bool needs_quotes(const char *name)
{
    if (*name == '\0')
        return true;
    for (const char *c = name; *c != '\0'; c++)
        if ((unsigned char)*c <= ' ' || strchr("()[]{}/\\,;:=*'\"`+-<>_", *c) != NULL)
            return true;
    return false;
}

static cot_code put_name(struct cot_buf *buf, const char *name, struct cot_err *err)
{
    if (!needs_quotes(name))
        return cot_buf_puts(buf, name, err);
    cot_code rc = cot_buf_puts(buf, "'", err);
    for (const char *c = name; rc == COT_OK && *c != '\0'; c++)
        rc = cot_buf_append(buf, *c == '\'' ? "''" : c, *c == '\'' ? 2 : 1, err);
    return rc == COT_OK ? cot_buf_puts(buf, "'", err) : rc;
}

static double height_of(const struct cot_linkage *linkage, size_t node)
{
    return node < linkage->n ? 0 : linkage->z[4 * (node - linkage->n) + 2];
}

struct visit {
    size_t node;
    unsigned n_done; /* children that are written */
};

/* What closes a node: its length, unless it is the root. */
static cot_code put_length(struct cot_buf *buf, const struct cot_linkage *linkage, const struct visit *stack,
                           size_t depth, struct cot_err *err)
{
    if (depth < 2)
        return COT_OK;
    double length = height_of(linkage, stack[depth - 2].node) - height_of(linkage, stack[depth - 1].node);
    return cot_buf_printf(buf, err, ":%.17g", length);
}

/* Depth first with a stack of our own: a chain of n joins is n deep. */
static cot_code put_tree(struct cot_buf *buf, const struct cot_linkage *linkage, const char *const *names,
                         struct visit *stack, struct cot_err *err)
{
    static const char *const between[] = {"(", ",", ")"};
    size_t n = linkage->n;
    size_t depth = 1;
    cot_code rc = COT_OK;
    stack[0] = (struct visit){.node = 2 * n - 2};
    while (rc == COT_OK && depth > 0) {
        struct visit *top = &stack[depth - 1];
        if (top->node < n) {
            rc = names != NULL ? put_name(buf, names[top->node], err) : cot_buf_printf(buf, err, "%zu", top->node);
        } else {
            rc = cot_buf_puts(buf, between[top->n_done], err);
            if (top->n_done < 2) {
                size_t child = (size_t)linkage->z[4 * (top->node - n) + top->n_done++];
                stack[depth++] = (struct visit){.node = child};
                continue;
            }
        }
        if (rc == COT_OK)
            rc = put_length(buf, linkage, stack, depth, err);
        depth--;
    }
    return rc == COT_OK ? cot_buf_puts(buf, ";\n", err) : rc;
}

cot_code cot_linkage_newick(const struct cot_linkage *linkage, const char *const *names, char **ret_text,
                            struct cot_err *err)
{
    struct cot_buf buf = {0};
    struct visit *stack = cot_alloc_array(linkage->n + 1, 1, sizeof *stack);
    cot_code rc = stack == NULL ? cot_fail(err, COT_NOMEM, "a tree over %zu leaves", linkage->n) : COT_OK;
    if (rc == COT_OK)
        rc = put_tree(&buf, linkage, names, stack, err);
    if (rc == COT_OK) {
        *ret_text = buf.data;
        buf = (struct cot_buf){0};
    }
    cot_buf_release(&buf);
    free(stack);
    return rc;
}

/* ---- JSON ---- */

static bool add_join(yyjson_mut_doc *doc, yyjson_mut_val *joins, const double *row)
{
    yyjson_mut_val *join = yyjson_mut_arr_add_obj(doc, joins);
    return join != NULL && yyjson_mut_obj_add_uint(doc, join, "left", (uint64_t)row[0]) &&
           yyjson_mut_obj_add_uint(doc, join, "right", (uint64_t)row[1]) &&
           yyjson_mut_obj_add_real(doc, join, "height", row[2]) &&
           yyjson_mut_obj_add_uint(doc, join, "leaves", (uint64_t)row[3]);
}

cot_code cot_linkage_json(const struct cot_linkage *linkage, const char *const *names, char **ret_text,
                          struct cot_err *err)
{
    yyjson_mut_doc *doc = yyjson_mut_doc_new(NULL);
    yyjson_mut_val *root = doc != NULL ? yyjson_mut_obj(doc) : NULL;
    yyjson_mut_val *list = NULL;
    yyjson_write_err written = {0};
    bool ok = root != NULL && yyjson_mut_obj_add_uint(doc, root, "n", linkage->n);
    cot_code rc = COT_OK;
    if (ok && names != NULL) {
        list = yyjson_mut_obj_add_arr(doc, root, "names");
        ok = list != NULL;
        for (size_t i = 0; ok && i < linkage->n; i++)
            ok = yyjson_mut_arr_add_str(doc, list, names[i]);
    }
    list = ok ? yyjson_mut_obj_add_arr(doc, root, "joins") : NULL;
    ok = list != NULL;
    for (size_t m = 0; ok && m + 1 < linkage->n; m++)
        ok = add_join(doc, list, linkage->z + 4 * m);
    char *text = NULL;
    if (ok) {
        yyjson_mut_doc_set_root(doc, root);
        text = yyjson_mut_write_opts(doc, 0, NULL, NULL, &written);
    }
    if (text != NULL)
        *ret_text = text;
    else if (written.code == YYJSON_WRITE_ERROR_INVALID_STRING)
        rc = cot_fail(err, COT_BAD_DATA, "a leaf's name is not UTF-8: JSON can't hold it");
    else
        rc = cot_fail(err, COT_NOMEM, "a tree over %zu leaves as text", linkage->n);
    yyjson_mut_doc_free(doc);
    return rc;
}
