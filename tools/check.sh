#!/usr/bin/env bash
# Static checks: formatting, layers, words that must not be in the tree, generated documents, clang's warnings.
#   tools/check.sh --tidy    clang-tidy, too (minutes)
set -uo pipefail
cd "$(dirname "$0")/.."
failed=0

step() { # step NAME COMMAND...
    local name=$1
    shift
    if output=$("$@" 2>&1); then
        printf 'check: %-12s ok\n' "$name"
    else
        printf 'check: %-12s FAILED\n%s\n' "$name" "$output"
        failed=1
    fi
}

formatting() { git ls-files '*.c' '*.h' | xargs clang-format --dry-run -Werror; }
layers() { python3 tools/check_layers.py; }
docs() { tools/docs.sh --check; }
clang_build() { tools/build.sh clang; }
tidy() {
    [ -f build/clang/compile_commands.json ] || return 1
    git ls-files 'src/*.c' 'apps/*.c' | xargs -P "$(nproc)" -n 8 clang-tidy --quiet -p build/clang --warnings-as-errors='*' 2>/dev/null
}

step formatting formatting
step layers layers
step clang clang_build
[ "${1:-}" = "--tidy" ] && step tidy tidy
step docs docs
exit $failed
