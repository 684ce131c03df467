#!/usr/bin/env bash
# Documents made from the program's own tables: docs/coterie.1 (man page), docs/coterie.bash (completion),
# docs/schema.md (the tables of a fresh shop and their comments).
#   tools/docs.sh           writes them
#   tools/docs.sh --check   fails where a committed one differs
set -euo pipefail
cd "$(dirname "$0")/.."
program=build/release/coterie
[ -x "$program" ] || tools/build.sh release
target=docs
if [ "${1:-}" = "--check" ]; then
    target=$(mktemp -d)
fi
"$program" man >"$target/coterie.1"
"$program" completion >"$target/coterie.bash"
shop=$(mktemp -d)
trap 'rm -rf "$shop"; [ "$target" = docs ] || rm -rf "$target"' EXIT
printf 'customer_id,date,amount\nA,2024-01-15,5\n' >"$shop/one.csv"
"$program" import "$shop/one.csv" --data "$shop/shop" --quiet >/dev/null
{
    printf '# Tables\n\nMade by `tools/docs.sh` from the comments in the file itself; `coterie sql` and any DuckDB client read them.\n'
    printf 'The view `customers` (one row a customer: `customer_id`, `segment`, every feature) is described by `coterie features list`.\n'
    "$program" sql --json --quiet --data "$shop/shop" "
        select '\n## ' || t.table_name || E'\n\n' || t.comment || E'\n\n| column | type | |\n|---|---|---|\n' ||
               string_agg('| ' || c.column_name || ' | ' || lower(c.data_type) || ' | ' || c.comment || ' |', E'\n'
                          order by c.column_index) as section
        from duckdb_tables() t join duckdb_columns() c using (table_name) where not t.internal
        group by t.table_name, t.comment order by t.table_name" |
        python3 -c 'import json, sys; [print(row["section"].replace("\\n", "\n", 1)) for row in json.load(sys.stdin)["rows"]]'
} >"$target/schema.md"
if [ "$target" != docs ]; then
    for name in coterie.1 coterie.bash schema.md; do
        diff -u "docs/$name" "$target/$name" >&2 || { echo "docs/$name differs from the tables: run tools/docs.sh" >&2; exit 1; }
    done
fi
