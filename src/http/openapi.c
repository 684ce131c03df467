/* The OpenAPI 3.1 document, made from the table of routes. */
#include <stdio.h>
#include <string.h>

#include "base/json.h"
#include "http/route.h"

/* The roles that may call a route, admin among them, by ", ". */
static void roles_text(unsigned roles, char *ret_text, size_t size)
{
    static const enum cot_role all[] = {COT_ROLE_WRITE, COT_ROLE_SERVER, COT_ROLE_ANALYST, COT_ROLE_ADMIN};
    size_t used = 0;
    ret_text[0] = '\0';
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        if ((roles | COT_ROLE_ADMIN) & all[i])
            used += (size_t)snprintf(ret_text + used, size - used, "%s%s", used > 0 ? ", " : "", cot_role_name(all[i]));
}

/* A schema of the table as a value of the document. */
static cot_code schema_value(yyjson_mut_doc *doc, const char *json, const char *of, yyjson_mut_val **ret_value,
                             struct cot_err *err)
{
    yyjson_doc *parsed = yyjson_read(json, strlen(json), 0);
    yyjson_mut_val *value = parsed != NULL ? yyjson_val_mut_copy(doc, yyjson_doc_get_root(parsed)) : NULL;
    yyjson_doc_free(parsed);
    if (value == NULL)
        return cot_fail(err, COT_INTERNAL, "the schema of %s is no JSON", of);
    *ret_value = value;
    return COT_OK;
}

static cot_code add_content(yyjson_mut_doc *doc, yyjson_mut_val *object, const char *schema, const char *type,
                            const char *of, struct cot_err *err)
{
    yyjson_mut_val *value = NULL;
    cot_code rc = schema_value(doc, schema, of, &value, err);
    if (rc != COT_OK)
        return rc;
    yyjson_mut_val *content = yyjson_mut_obj_add_obj(doc, object, "content");
    yyjson_mut_val *media = yyjson_mut_obj_add_obj(doc, content, type != NULL ? type : "application/json");
    yyjson_mut_obj_add_val(doc, media, "schema", value);
    return COT_OK;
}

static cot_code add_parameters(yyjson_mut_doc *doc, yyjson_mut_val *operation, const struct cot_route *route,
                               struct cot_err *err)
{
    const char *open = strchr(route->path, '{');
    yyjson_mut_val *parameters = yyjson_mut_obj_add_arr(doc, operation, "parameters");
    cot_code rc = COT_OK;
    if (open != NULL) {
        yyjson_mut_val *parameter = yyjson_mut_arr_add_obj(doc, parameters);
        yyjson_mut_obj_add_strncpy(doc, parameter, "name", open + 1, strcspn(open + 1, "}"));
        yyjson_mut_obj_add_str(doc, parameter, "in", "path");
        yyjson_mut_obj_add_bool(doc, parameter, "required", true);
        yyjson_mut_val *schema = yyjson_mut_obj_add_obj(doc, parameter, "schema");
        yyjson_mut_obj_add_str(doc, schema, "type", "string");
    }
    for (const struct cot_route_query *query = route->query; query != NULL && query->name != NULL && rc == COT_OK;
         query++) {
        yyjson_mut_val *schema = NULL;
        yyjson_mut_val *parameter = yyjson_mut_arr_add_obj(doc, parameters);
        yyjson_mut_obj_add_str(doc, parameter, "name", query->name);
        yyjson_mut_obj_add_str(doc, parameter, "in", "query");
        yyjson_mut_obj_add_str(doc, parameter, "description", query->help);
        rc = schema_value(doc, query->schema, route->path, &schema, err);
        if (rc == COT_OK)
            yyjson_mut_obj_add_val(doc, parameter, "schema", schema);
    }
    return rc;
}

static cot_code add_operation(yyjson_mut_doc *doc, yyjson_mut_val *paths, const struct cot_route *route,
                              struct cot_err *err)
{
    char method[16] = "";
    char text[256];
    char roles[64];
    for (size_t i = 0; route->method[i] != '\0' && i + 1 < sizeof method; i++)
        method[i] = (char)(route->method[i] | 0x20);
    yyjson_mut_val *path = yyjson_mut_obj_get(paths, route->path);
    if (path == NULL)
        path = yyjson_mut_obj_add_obj(doc, paths, route->path);
    yyjson_mut_val *operation = yyjson_mut_obj(doc);
    yyjson_mut_obj_add(path, yyjson_mut_strcpy(doc, method), operation);
    yyjson_mut_obj_add_str(doc, operation, "summary", route->summary);
    roles_text(route->roles, roles, sizeof roles);
    snprintf(text, sizeof text, route->roles != 0 ? "Keys of the roles %s." : "No key needed.", roles);
    yyjson_mut_obj_add_strcpy(doc, operation, "description", text);
    if (route->roles == 0)
        yyjson_mut_obj_add_arr(doc, operation, "security");
    cot_code rc = add_parameters(doc, operation, route, err);
    if (rc == COT_OK && route->request != NULL) {
        yyjson_mut_val *body = yyjson_mut_obj_add_obj(doc, operation, "requestBody");
        yyjson_mut_obj_add_bool(doc, body, "required", true);
        rc = add_content(doc, body, route->request, NULL, route->path, err);
    }
    if (rc != COT_OK)
        return rc;
    yyjson_mut_val *responses = yyjson_mut_obj_add_obj(doc, operation, "responses");
    yyjson_mut_val *good = yyjson_mut_obj_add_obj(doc, responses, "200");
    yyjson_mut_obj_add_str(doc, good, "description", "done");
    if (route->response != NULL)
        rc = add_content(doc, good, route->response, route->type, route->path, err);
    yyjson_mut_val *bad = yyjson_mut_obj_add_obj(doc, responses, "default");
    yyjson_mut_obj_add_str(doc, bad, "description", "what is wrong, and what to do");
    return rc == COT_OK ? add_content(doc, bad, COT_SCHEMA_REF("Error"), NULL, route->path, err) : rc;
}

static void add_security(yyjson_mut_doc *doc, yyjson_mut_val *root, yyjson_mut_val *components)
{
    static const char *const names[] = {"bearer", "basic"};
    yyjson_mut_val *schemes = yyjson_mut_obj_add_obj(doc, components, "securitySchemes");
    yyjson_mut_val *security = yyjson_mut_obj_add_arr(doc, root, "security");
    for (size_t i = 0; i < 2; i++) {
        yyjson_mut_val *scheme = yyjson_mut_obj_add_obj(doc, schemes, names[i]);
        yyjson_mut_obj_add_str(doc, scheme, "type", "http");
        yyjson_mut_obj_add_str(doc, scheme, "scheme", names[i]);
        yyjson_mut_val *one = yyjson_mut_arr_add_obj(doc, security);
        yyjson_mut_obj_add_arr(doc, one, names[i]);
    }
}

cot_code cot_openapi_make(yyjson_mut_doc **ret_doc, struct cot_err *err)
{
    yyjson_mut_doc *doc = NULL;
    yyjson_mut_val *root = NULL;
    cot_code rc = cot_json_document(&doc, &root, err);
    if (rc != COT_OK)
        return rc;
    yyjson_mut_obj_add_str(doc, root, "openapi", "3.1.0");
    yyjson_mut_val *info = yyjson_mut_obj_add_obj(doc, root, "info");
    yyjson_mut_obj_add_str(doc, info, "title", "Coterie");
    yyjson_mut_obj_add_str(doc, info, "version", COTERIE_VERSION);
    yyjson_mut_val *paths = yyjson_mut_obj_add_obj(doc, root, "paths");
    yyjson_mut_val *components = yyjson_mut_obj_add_obj(doc, root, "components");
    for (size_t i = 0; i < cot_n_routes && rc == COT_OK; i++)
        rc = add_operation(doc, paths, &cot_routes[i], err);
    yyjson_mut_val *schemas = yyjson_mut_obj_add_obj(doc, components, "schemas");
    for (const struct cot_schema *schema = cot_schemas; schema->name != NULL && rc == COT_OK; schema++) {
        yyjson_mut_val *value = NULL;
        rc = schema_value(doc, schema->json, schema->name, &value, err);
        if (rc == COT_OK)
            yyjson_mut_obj_add_val(doc, schemas, schema->name, value);
    }
    add_security(doc, root, components);
    return cot_json_finish(rc, doc, ret_doc);
}
