#!/usr/bin/env bash
# Whole kill -9 rounds and whatever else takes long: every tests/torture/*.py in turn. KILL_ROUNDS says how many rounds.
set -euo pipefail
cd "$(dirname "$0")/../.."
export COTERIE="${COTERIE:-$PWD/build/release/coterie}"
for script in tests/torture/*.py; do
    echo "$script"
    python3 "$script" "${KILL_ROUNDS:-50}"
done
