/*
 * The table of commands. Adding one is adding its name here, in the order in which help lists them, and the file
 * src/cli/cmd_NAME.c that defines its row, `const struct cot_command cot_command_NAME`.
 */
#include "cli/command.h"

#define COMMANDS(X)                                                                                                    \
    X(simulate)                                                                                                        \
    X(report)                                                                                                          \
    X(predict)                                                                                                         \
    X(predictions_record)                                                                                              \
    X(backtest)                                                                                                        \
    X(forecast)                                                                                                        \
    X(lab_btyd)                                                                                                        \
    X(lab_forecast)                                                                                                    \
    X(lab_cluster)                                                                                                     \
    X(rfm)                                                                                                             \
    X(features_list)                                                                                                   \
    X(features_show)                                                                                                   \
    X(features_export)                                                                                                 \
    X(import)                                                                                                          \
    X(segment)                                                                                                         \
    X(segment_list)                                                                                                    \
    X(segment_history)                                                                                                 \
    X(segment_diff)                                                                                                    \
    X(rules_list)                                                                                                      \
    X(rules_show)                                                                                                      \
    X(rules_put)                                                                                                       \
    X(rules_delete)                                                                                                    \
    X(rules_history)                                                                                                   \
    X(rules_preview)                                                                                                   \
    X(rules_test)                                                                                                      \
    X(rules_sync)                                                                                                      \
    X(rules_members)                                                                                                   \
    X(customer_show)                                                                                                   \
    X(identity_show)                                                                                                   \
    X(identity_simulate)                                                                                               \
    X(identity_apply)                                                                                                  \
    X(quarantine_list)                                                                                                 \
    X(quarantine_replay)                                                                                               \
    X(sql)                                                                                                             \
    X(quality)                                                                                                         \
    X(export_segment)                                                                                                  \
    X(export_list)                                                                                                     \
    X(backup)                                                                                                          \
    X(restore)                                                                                                         \
    X(forget)                                                                                                          \
    X(serve)                                                                                                           \
    X(keys_create)                                                                                                     \
    X(keys_list)                                                                                                       \
    X(keys_revoke)                                                                                                     \
    X(help)                                                                                                            \
    X(man)                                                                                                             \
    X(completion)                                                                                                      \
    X(version)

#define X(name) extern const struct cot_command cot_command_##name;
COMMANDS(X)
#undef X

const struct cot_command *const cot_commands[] = {
#define X(name) &cot_command_##name,
    COMMANDS(X)
#undef X
        NULL,
};
