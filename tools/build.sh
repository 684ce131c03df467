#!/usr/bin/env bash
# Configures (once) and builds a preset of CMakePresets.json; quiet unless something is wrong.   tools/build.sh PRESET
set -euo pipefail
cd "$(dirname "$0")/.."
preset=$1
log=$(mktemp)
trap 'rm -f "$log"' EXIT
if [ ! -f "build/$preset/build.ninja" ]; then
    cmake --preset "$preset" >"$log" 2>&1 || { cat "$log" >&2; exit 1; }
fi
if [ -t 1 ]; then
    cmake --build "build/$preset"
else
    cmake --build "build/$preset" >"$log" 2>&1 || { grep -vE '^\[[0-9]+/[0-9]+\] (Building|Linking)' "$log" >&2; exit 1; }
    tail -n 1 "$log"
fi
