/* Two segmentations of the same customers, last month's and this month's: who is who, and what happened. */
#include <stdio.h>

#include "coterie/migration.h"

int main(void)
{
    enum { N = 12 };
    const uint32_t none = COT_MIGRATION_ABSENT;
    const uint32_t before[N] = {0, 0, 0, 0, 1, 1, 1, 1, 1, 1, none, none};
    const uint32_t after[N] = {1, 1, 1, none, 0, 0, 0, 2, 2, 2, 3, 3}; /* renamed, split in two, and a new group */
    struct cot_migration migration = {0};
    struct cot_migration_options options;
    struct cot_err err = {0};
    size_t from[4];
    size_t parts[4];

    cot_migration_options_init(&options);
    if (cot_migration_count(before, 2, after, 4, N, &migration, &err) != COT_OK ||
        cot_migration_match(&migration, &options, from, &err) != COT_OK) {
        fprintf(stderr, "%s\n", err.message);
        cot_migration_release(&migration);
        return 1;
    }
    for (size_t j = 0; j < 4; j++) {
        if (from[j] == COT_MIGRATION_NONE)
            printf("segment %zu is new\n", j);
        else
            printf("segment %zu was segment %zu (Jaccard index %.2f)\n", j, from[j],
                   cot_migration_jaccard(&migration, from[j], j));
    }
    size_t n_parts = cot_migration_parts(&migration, COT_MIGRATION_FROM, 1, 0.2, parts);
    printf("segment 1 of before split into %zu parts; %zu customers joined, %zu left, %zu moved\n", n_parts,
           migration.n_joined, migration.n_left, cot_migration_moved(&migration, from));

    int right = from[1] == 0 && from[3] == COT_MIGRATION_NONE && n_parts == 2 && migration.n_joined == 2 &&
                migration.n_left == 1 && cot_migration_moved(&migration, from) == 3;
    cot_migration_release(&migration);
    return right ? 0 : 1;
}
