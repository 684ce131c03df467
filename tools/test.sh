#!/usr/bin/env bash
# Runs all tests on the release build, and the unit tests once more under ASan and UBSan.
# Data sets are found by COTERIE_DATASETS (default ../shared/data); tests that need them say that they skipped.
set -euo pipefail
cd "$(dirname "$0")/.."
export COTERIE_DATASETS=${COTERIE_DATASETS:-$(cd .. && pwd)/shared/data}
[ -d "$COTERIE_DATASETS" ] || printf 'test: no data sets at %s: tests on them will say that they skipped\n' "$COTERIE_DATASETS"
jobs=$(nproc)
ctest --test-dir build/release --output-on-failure -j"$jobs"
tools/build.sh asan
ctest --test-dir build/asan -R '^unit/' --output-on-failure -j"$jobs"
