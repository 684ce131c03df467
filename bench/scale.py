"""From files to report at scale: simulated customers, seconds and peak memory of every command.

  COTERIE_SCALE_CUSTOMERS (default 1000000) and COTERIE_SCALE_EVENTS (default 20000000) set the size;
  COTERIE_SCALE_FILES=FOLDER takes files that 'coterie simulate' made before instead of making some.
"""
import json
import os
import pathlib
import subprocess
import sys
import tempfile
import time

COTERIE = os.environ["COTERIE"]
N_CUSTOMERS = int(os.environ.get("COTERIE_SCALE_CUSTOMERS", "1000000"))
N_EVENTS = int(os.environ.get("COTERIE_SCALE_EVENTS", "20000000"))


def measured(*arguments):
    """Runs a command; returns its JSON, seconds and peak resident GB."""
    began = time.monotonic()
    process = subprocess.Popen([COTERIE, *arguments, "--json", "--quiet"], stdout=subprocess.PIPE)
    output = process.stdout.read()
    _, status, usage = os.wait4(process.pid, 0)
    seconds = time.monotonic() - began
    if status != 0:
        sys.exit(f"coterie {' '.join(arguments)} failed with wait status {status}")
    return json.loads(output), seconds, usage.ru_maxrss / 1048576


with tempfile.TemporaryDirectory(prefix="coterie-scale-", dir=os.environ.get("TMPDIR", "build")) as folder:
    files, shop = f"{folder}/files", f"{folder}/shop"
    rows = []
    if "COTERIE_SCALE_FILES" in os.environ:
        files, seconds, memory = os.environ["COTERIE_SCALE_FILES"], 0, 0
    else:
        _, seconds, memory = measured("simulate", "--customers", str(N_CUSTOMERS), "--events", str(N_EVENTS), "--seed", "1",
                                      "--out", files)
    size = sum(p.stat().st_size for p in pathlib.Path(files).iterdir()) / 1e9
    rows.append(("simulate (not counted)", seconds, memory, f"{size:.2f} GB of files"))
    imported, seconds, memory = measured("import", files, "--data", shop)
    n_rows = sum(f["rows_read"] for f in imported["files"])
    rows.append(("import", seconds, memory, f"{n_rows:,} rows, {n_rows / seconds / 1e6:.2f} M rows/s"))
    segmented, seconds, memory = measured("segment", "--data", shop)
    rows.append(("segment", seconds, memory, f"{segmented['customers']:,} customers, {segmented['k']} segments"))
    _, seconds, memory = measured("report", "--data", shop, "--out", f"{folder}/report.html")
    rows.append(("report", seconds, memory, f"{os.path.getsize(f'{folder}/report.html') / 1e6:.1f} MB"))
    total = sum(row[1] for row in rows[1:])
    peak = max(row[2] for row in rows[1:])
    rows.append(("**import to report**", total, peak, f"bar: 150 s, 4 GB ({os.cpu_count()} cores)"))

print(f"## Scale: {N_CUSTOMERS:,} customers, {N_EVENTS:,} simulated events\n")
print("| step | seconds | peak GB | |\n|---|---:|---:|---|")
for name, seconds, memory, remark in rows:
    print(f"| {name} | {seconds:.1f} | {memory:.2f} | {remark} |")
