"""What the tests of the program share: running it, and fingerprints of what a shop holds."""
import json
import os
import subprocess
import sys

COTERIE = os.environ["COTERIE"]
REPOSITORY = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
DATASETS = os.environ.get("COTERIE_DATASETS", os.path.join(REPOSITORY, "..", "shared", "data"))

# Columns that no two imports share: clocks, random salts; and which run of the import brought a row.
NOT_COMPARED = {
    "setting": "(select * from setting where key <> 'salt')",
    "source": "(select * exclude (created_at) from source)",
    "quarantine": "(select * exclude (recorded_at, import_id) from quarantine)",
}
WITHOUT_IMPORT = {"setting", "source", "item", "quarantine"}
TABLES = ["setting", "source", "node", "link", "item", "item_fact", "event", "trait", "consent", "suppression",
          "campaign", "coupon", "promotion", "rate", "order_version", "quarantine"]


def skip(why):
    print(f"skipped: {why}")
    sys.exit(77)


def dataset(name):
    """The folder of a data set; skips the whole test program where there is none."""
    folder = os.path.join(DATASETS, name)
    if not os.path.isdir(folder):
        skip(f"no data set '{name}' in {DATASETS} (COTERIE_DATASETS)")
    return folder


def run(*arguments, status=0):
    """Runs coterie; the test fails, with its words, where it ends with another status."""
    done = subprocess.run([COTERIE, *map(str, arguments)], capture_output=True, text=True, timeout=600)
    if done.returncode != status:
        raise AssertionError(f"{' '.join(map(str, arguments))}: status {done.returncode}, not {status}\n"
                             f"{done.stdout[-2000:]}\n{done.stderr[-2000:]}")
    return done


def import_json(data, *arguments, status=0):
    """Imports and checks what holds for every file: all that was read is accounted for."""
    done = run("import", *arguments, "--data", data, "--json", "--quiet", status=status)
    document = json.loads(done.stdout)
    for file in document.get("files", []):
        parts = file["rows_accepted"] + file["rows_quarantined"] + file["rows_duplicate"]
        assert file["rows_read"] == parts, file
        assert sum(reason["rows"] for reason in file["reasons"]) == file["rows_quarantined"], file
    return document


def sql(data, query):
    """Rows of a query, as lists."""
    document = json.loads(run("sql", query, "--data", data, "--json", "--quiet").stdout)
    return [list(row.values()) for row in document["rows"]]


def value(data, query):
    return sql(data, query)[0][0]


def fingerprints(data, tables=TABLES):
    """{table: [rows, sum of the rows' hashes]}: equal where the contents are."""
    parts = []
    for table in tables:
        rows = NOT_COMPARED.get(table, table if table in WITHOUT_IMPORT else
                                f"(select * exclude (import_id) from {table})")
        parts.append(f"select '{table}' as t, count(*)::bigint as n, "
                     f"coalesce(sum(hash(x) % 1000000007), 0)::bigint as h from {rows} x")
    return {row[0]: row[1:] for row in sql(data, " union all ".join(parts))}


def write(folder, name, text, encoding="utf-8"):
    path = os.path.join(folder, name)
    with open(path, "wb") as file:
        file.write(text if isinstance(text, bytes) else text.encode(encoding))
    return path
