#!/usr/bin/env bash
# What takes long: whole kill -9 rounds (KILL_ROUNDS, of each of KILL_SEEDS), of imports and of a server under load, and
# faults at every place (FAULT_SAMPLE: at so many places a command instead).
set -euo pipefail
cd "$(dirname "$0")/../.."
export COTERIE="${COTERIE:-$PWD/build/release/coterie}"
for seed in ${KILL_SEEDS:-1 2 3}; do
    python3 tests/torture/kill_import.py "${KILL_ROUNDS:-100}" "$seed"
    python3 tests/torture/kill_serve.py "${KILL_ROUNDS:-100}" "$seed"
done
python3 tests/torture/fault_sweep.py "${FAULT_SAMPLE:-0}"
