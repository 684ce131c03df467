"""What it costs to tell calls apart by their ids (bench/bench_ids.c).

  COTERIE_IDS (default 20000000,100000000): how many ids of one day.
"""
import json
import os
import subprocess
import tempfile

COTERIE = os.environ["COTERIE"]
IDS = os.path.join(os.path.dirname(COTERIE), "bench", "bench_ids")


def main():
    print("## Telling calls apart: the ids of a day\n")
    print("Own memory is this process's; the files' pages are the system's, and of each id it looks at 1.25 bytes.\n")
    print("| ids | runs | own memory, MB | disk, bytes an id | taken in, a second | lookups of new ids, a second "
          "| of known ids, a second | opening after a restart, s |\n|---:|---:|---:|---:|---:|---:|---:|---:|")
    for n in os.environ.get("COTERIE_IDS", "20000000,100000000").split(","):
        with tempfile.TemporaryDirectory(prefix="coterie-ids-", dir=os.environ.get("TMPDIR", "build")) as folder:
            done = subprocess.run([IDS, folder, n], capture_output=True, text=True, check=True)
        found = json.loads(done.stdout)
        print(f"| {found['ids']:,} | {found['runs']} | {found['memory_bytes'] / 1e6:.1f} | {found['disk_bytes'] / found['ids']:.2f} "
              f"| {found['take_per_second']:,.0f} | {found['new_per_second']:,.0f} | {found['known_per_second']:,.0f} "
              f"| {found['open_seconds']:.2f} |", flush=True)


main()
