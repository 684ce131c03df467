#!/usr/bin/env python3
"""Faults at every place: the Nth allocation, the Nth write (sync, rename) and the Nth read fail, for every N, in an
import and in what is done with a shop. What must hold: a clean error with its exit status, no crash, no half-done
state; and the same command without the fault ends in the state of an undisturbed one.

fault_sweep.py [SAMPLE [COMMAND]]   SAMPLE: so many places a command and kind, evenly spread, instead of all (0: hours)
                          (COTERIE: the program; tests/torture/fault.c is built beside it)
"""
import os
import shutil
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "cli"))
from shop import COTERIE, TABLES, fingerprints, run, skip, sql, write  # noqa: E402

LIBRARY = os.path.join(os.path.dirname(COTERIE), "tests", "libcoterie_fault.so")
CLEAN = (0, 65, 70, 74)  # a fault in reading a file may look like a bad file
KINDS = {"alloc": (0, 70, 74), "write": (0, 70, 74), "read": CLEAN}


def make_files(folder):
    """A small shop with all that an import has to do: currencies, versions, guests, traits, bad rows, JSON, gzip."""
    write(folder, "products.csv", "product_id,name,category,price\n" +
          "".join(f"P{i},Thing {i},Kind {i % 3},{i + 1}.50\n" for i in range(12)))
    write(folder, "customers.csv", "customer_id,email,country\n" +
          "".join(f"C{i},c{i}@shop.example,{['DE', 'FR'][i % 2]}\n" for i in range(60)))
    write(folder, "rates.csv", "currency,date,rate\nUSD,2025-01-01,0.9\n")
    orders = ["order_id,customer_id,email,order_date,product_id,quantity,unit_price,currency"]
    orders += [f"O{i // 2},C{i % 60},,2025-{1 + i % 12:02}-{1 + i % 28:02},P{i % 12},{1 + i % 3},9.50,{['EUR', 'USD'][i % 5 == 0]}"
               for i in range(160)]
    orders += ["O900,,guest@shop.example,2025-03-03,P1,1,9.50,EUR", "O901,C1,,not a date,P1,1,9.50,EUR",
               "O1,C1,,2025-04-02,P1,-1,9.50,EUR", "O902,C1,,2025-03-03,P1,many,9.50,EUR"]
    write(folder, "orders.csv", "\n".join(orders) + "\n")
    write(folder, "events.jsonl", "".join(
        f'{{"event_id":"E{i}","customer_id":"C{i % 60}","event":"page_view","occurred_at":"2025-0{1 + i % 9}-03T10:00:00Z",'
        f'"product_id":"P{i % 12}"}}\n' for i in range(90)) + "no json\n")
    write(folder, "consent.csv", "customer_id,purpose,consent,occurred_at\nC1,marketing,no,2025-01-01\n")


class Sweep:
    """One command under faults. `before` is the state that it begins with: a folder to copy, or None. The first
    `n_first` places are tried in every sample."""

    def __init__(self, scratch, name, arguments, before, outputs=(), n_first=0):
        self.scratch, self.name, self.before, self.outputs = scratch, name, before, outputs
        self.arguments, self.n_first = arguments, n_first
        self.data = os.path.join(scratch, "shop")

    def remove_outputs(self):
        for output in self.outputs:
            if os.path.exists(output):
                os.unlink(output)

    def begin(self):
        shutil.rmtree(self.data, ignore_errors=True)
        self.remove_outputs()
        if self.before is not None:
            shutil.copytree(self.before, self.data)

    def command(self):
        return [*map(str, self.arguments), "--data", self.data, "--quiet", "--threads", "1"]

    def fault(self, kind, at, keep=False):
        environment = dict(os.environ, LD_PRELOAD=LIBRARY, COTERIE_FAULT=kind, COTERIE_FAULT_AT=str(at),
                           COTERIE_FAULT_COUNT=os.path.join(self.scratch, "count"))
        if keep:
            environment["COTERIE_FAULT_KEEP"] = "1"
        return subprocess.run([COTERIE, *self.command()], capture_output=True, text=True, timeout=120, env=environment,
                              errors="replace")

    def count(self, kind):
        self.begin()
        done = self.fault(kind, 0)
        assert done.returncode == 0, (self.name, kind, done.returncode, done.stderr[-2000:])
        with open(os.path.join(self.scratch, "count"), encoding="ascii") as file:
            return int(file.read())

    def state(self):
        """What the shop holds; None where there is none yet."""
        if not os.path.exists(os.path.join(self.data, "coterie.duckdb")):
            return None
        return fingerprints(self.data, TABLES)

    def check_one(self, kind, at, keep, expected):
        self.begin()
        place = f"{self.name}, {kind} {at}{' and all after it' if keep else ''}"
        done = self.fault(kind, at, keep)
        assert done.returncode in KINDS[kind], f"{place}: status {done.returncode}\n{done.stdout[-500:]}{done.stderr[-3000:]}"
        if done.returncode != 0:
            last = done.stderr.strip().splitlines()[-1:]
            assert last and last[0].startswith("coterie: "), f"{place}: no message: {done.stderr[-2000:]}"
        elif kind != "read":
            assert self.state() == expected, f"{place}: done, they say, but the state is {self.state()}, not {expected}"
        if done.returncode != 0 and os.path.exists(os.path.join(self.data, "coterie.duckdb")):
            strays = sql(self.data, "select count(*) from event where import_id not in (select import_id from import_run)")
            assert strays == [[0]], f"{place}: {strays} events belong to no import"
        if done.returncode == 0:
            self.remove_outputs()
        run(*self.command())
        found = self.state()
        if kind == "read":  # a file that could not be read comes in after the others: what is there counts, not its order
            tables = set(found) - {"quarantine"}  # rows that waited for that file's rates stay on record
            found = {table: found[table][0] for table in tables}
            expected = {table: expected[table][0] for table in tables}
        assert found == expected, f"{place}: after the same command again the state is {found}, not {expected}"
        return done.returncode

    def run(self, kind, sample):
        n = self.count(kind)
        self.begin()
        run(*self.command())
        expected = self.state()
        places = range(1, n + 1)
        if sample and n > sample:
            places = sorted({1 + i * (n - 1) // (sample - 1) for i in range(sample)} | set(range(1, self.n_first + 1)))
        statuses = {}
        for at in places:
            for keep in (False, True):
                if keep and at % (2 if sample else 10):
                    continue
                status = self.check_one(kind, at, keep, expected)
                statuses[status] = statuses.get(status, 0) + 1
        print(f"{self.name}: {n} places of {kind}, {len(places)} tried: statuses {dict(sorted(statuses.items()))}", flush=True)


def sweeps(scratch):
    files = os.path.join(scratch, "files")
    os.mkdir(files)
    make_files(files)
    shop = os.path.join(scratch, "imported")
    run("import", files, "--currency", "EUR", "--data", shop, "--quiet")
    more = os.path.join(scratch, "more.csv")
    with open(more, "w", encoding="ascii") as file:
        file.write("order_id,customer_id,email,order_date,product_id,quantity,unit_price,currency\n"
                   "O77,C1,,2025-12-02,P1,1,9.50,EUR\nO950,C99,,2025-12-03,P2,1,9.50,EUR\n")
    yield Sweep(scratch, "first import", ["import", files, "--currency", "EUR"], None), ("alloc", "write", "read")
    yield Sweep(scratch, "nightly import", ["import", more], shop), ("alloc", "write", "read")
    yield Sweep(scratch, "segment", ["segment", "--k", "3"], shop), ("alloc", "write")
    yield Sweep(scratch, "replay", ["quarantine", "replay"], shop), ("alloc", "write")
    backup = os.path.join(scratch, "backup")
    yield Sweep(scratch, "backup", ["backup", "--out", backup], shop, [backup]), ("alloc", "write")
    # A shop that had somebody erased since, and lost the list beside it: only its table knows (C5 must not come back).
    kept = os.path.join(scratch, "kept.tar")
    forgot = os.path.join(scratch, "forgot")
    shutil.copytree(shop, forgot)
    run("backup", "--out", kept, "--data", forgot, "--quiet")
    run("forget", "C5", "--data", forgot, "--quiet")
    os.unlink(os.path.join(forgot, "erased"))
    yield Sweep(scratch, "restore", ["restore", kept, "--force"], forgot, n_first=12), ("alloc",)
    yield Sweep(scratch, "restore", ["restore", kept, "--force"], forgot), ("write",)
    report = os.path.join(scratch, "report.html")
    yield Sweep(scratch, "report", ["report", "--out", report], shop, [report]), ("alloc", "write")
    yield Sweep(scratch, "customer show", ["customer", "show", "C1"], shop), ("alloc", "read")


def main(sample, only):
    if not os.path.exists(LIBRARY):
        skip(f"no {LIBRARY} in this build")
    with tempfile.TemporaryDirectory() as scratch:
        for sweep, kinds in sweeps(scratch):
            for kind in kinds if only in (None, sweep.name) else ():
                sweep.run(kind, sample)


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 0, sys.argv[2] if len(sys.argv) > 2 else None)
