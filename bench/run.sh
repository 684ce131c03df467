#!/usr/bin/env bash
# Measures, in one run on one machine, and prints markdown tables; a full run also writes docs/benchmarks.md.
#   bench/run.sh            all parts
#   bench/run.sh PART...    some of: kmeans trees labelled planted btyd forecast scale serve ids
# Peers come from PyPI into build/venv, pinned in bench/requirements.txt.
set -euo pipefail
cd "$(dirname "$0")/.."
export COTERIE=$PWD/build/release/coterie
export COTERIE_DATASETS=${COTERIE_DATASETS:-$(cd .. && pwd)/shared/data}
# A pinned OpenBLAS kernel would favour or hurt one side: neither side runs under one.
unset OPENBLAS_CORETYPE
parts=("$@")
[ "${#parts[@]}" -gt 0 ] || parts=(kmeans trees labelled planted btyd forecast scale serve ids)

venv=build/venv
if ! cmp -s bench/requirements.txt "$venv/requirements.txt" 2>/dev/null; then
    printf 'bench: installing peers into %s\n' "$venv" >&2
    python3 -m venv "$venv" 2>/dev/null || { echo 'bench: needs python3-venv (apt-get install python3-venv)' >&2; exit 1; }
    "$venv/bin/pip" install --quiet --disable-pip-version-check -r bench/requirements.txt
    cp bench/requirements.txt "$venv/requirements.txt"
fi

output=$(mktemp)
trap 'rm -f "$output"' EXIT
{
    printf '# Benchmarks\n\nMade by `make bench`.\n\n'
    printf -- '- machine: %s, %s cores, %s GiB\n' "$(sed -n 's/^model name[^:]*: //p' /proc/cpuinfo | head -n 1)" "$(nproc)" \
        "$(awk '/MemTotal/ {printf "%.0f", $2 / 1048576}' /proc/meminfo)"
    printf -- '- commit: %s\n' "$(git describe --always --dirty 2>/dev/null || echo unknown)"
    printf -- '- compiler: %s\n' "$(cc --version | head -n 1)"
} | tee "$output"
for part in "${parts[@]}"; do
    case $part in
    kmeans) script=bench/kmeans.py ;;
    trees) script=bench/trees.py ;;
    labelled) script=bench/labelled_sets.py ;;
    planted) script=bench/planted_segments.py ;;
    btyd) script=bench/btyd.py ;;
    forecast) script=bench/forecast.py ;;
    scale) script=bench/scale.py ;;
    serve) script=bench/serve.py ;;
    ids) script=bench/ids.py ;;
    *) echo "bench: no part '$part': kmeans, trees, labelled, planted, btyd, forecast, scale, serve, ids" >&2; exit 64 ;;
    esac
    printf '\n' | tee -a "$output"
    "$venv/bin/python" "$script" | tee -a "$output"
done
[ "$#" -gt 0 ] || cp "$output" docs/benchmarks.md
