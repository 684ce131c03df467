#!/usr/bin/env bash
# Runs every fuzz harness for SECONDS each, starting from its committed corpus (fuzz/corpus/NAME).   fuzz/run.sh SECONDS
set -euo pipefail
cd "$(dirname "$0")/.."
seconds=${1:-60}
found=0
for harness in build/fuzz/fuzz/fuzz_*; do
    [ -x "$harness" ] && [ ! -d "$harness" ] || continue
    name=$(basename "$harness")
    work=build/fuzz/corpus/$name
    mkdir -p "$work"
    corpus=("$work")
    [ -d "fuzz/corpus/$name" ] && corpus+=("fuzz/corpus/$name")
    printf 'fuzz: %s for %s s\n' "$name" "$seconds"
    if ! "$harness" -max_total_time="$seconds" -rss_limit_mb=2048 -timeout=20 -print_final_stats=0 -verbosity=0 \
            -artifact_prefix="build/fuzz/$name-" "${corpus[@]}" 2>"build/fuzz/$name.log"; then
        tail -n 30 "build/fuzz/$name.log"
        found=1
    fi
done
exit $found
