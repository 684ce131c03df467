#!/usr/bin/env bash
# Documents made from the program's own tables: docs/coterie.1 (man page), docs/coterie.bash (completion).
#   tools/docs.sh           writes them
#   tools/docs.sh --check   fails where a committed one differs
set -euo pipefail
cd "$(dirname "$0")/.."
program=build/release/coterie
[ -x "$program" ] || tools/build.sh release
target=docs
if [ "${1:-}" = "--check" ]; then
    target=$(mktemp -d)
    trap 'rm -rf "$target"' EXIT
fi
"$program" man >"$target/coterie.1"
"$program" completion >"$target/coterie.bash"
if [ "$target" != docs ]; then
    for name in coterie.1 coterie.bash; do
        diff -u "docs/$name" "$target/$name" >&2 || { echo "docs/$name differs from the tables: run tools/docs.sh" >&2; exit 1; }
    done
fi
