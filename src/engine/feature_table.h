/* Feature matrices as DuckDB tables, block by block. Part of features.h. */
#ifndef COT_ENGINE_FEATURE_TABLE_H
#define COT_ENGINE_FEATURE_TABLE_H

#include "coterie/err.h"
#include "domain/feature.h"
#include "engine/shop.h"

/* Makes the table (temporary: beside the file, gone with the connection) and fills it. */
enum cot_feature_table { COT_FEATURE_TABLE_STORED, COT_FEATURE_TABLE_TEMPORARY };

cot_code cot_feature_table_write(struct cot_store *store, enum cot_feature_table where, const char *table,
                                 const struct cot_shop *shop, const struct cot_feature_matrix *matrix,
                                 const struct cot_progress *progress, struct cot_err *err) COT_MUST_CHECK;

#endif
