#!/usr/bin/env python3
"""kill -9 during imports: at any moment a file is wholly in or wholly out, and the same import again ends in the state
of an undisturbed one.

kill_import.py ROUNDS [SEED]   (COTERIE: the program)
"""
import os
import random
import shutil
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "cli"))
from shop import COTERIE, TABLES, fingerprints, run, sql, value, write  # noqa: E402


def make_files(folder, rng):
    """A shop of several files: catalogue, customers, two overlapping exports of orders, visits; with bad rows."""
    products = ["product_id,name,category,price"]
    products += [f"P{i},Thing {i},Kind {i % 7},{1 + i % 50}.99" for i in range(500)]
    write(folder, "products.csv", "\n".join(products) + "\n")
    customers = ["customer_id,email,country"]
    customers += [f"C{i},c{i}@shop.example,{rng.choice(['DE', 'FR', 'GB'])}" for i in range(20000)]
    write(folder, "customers.csv", "\n".join(customers) + "\n")
    header = "order_id,customer_id,order_date,product_id,quantity,unit_price"
    orders = []
    for i in range(60000):
        day = f"2025-{rng.randrange(1, 13):02}-{rng.randrange(1, 29):02}"
        orders.append(f"O{i // 3},C{rng.randrange(20000)},{day},P{rng.randrange(500)},{rng.randrange(1, 5)},9.50")
    orders[100] = "O33,C1,not a date,P1,1,9.50"
    orders[40000] = "O13333,C1,2025-01-01,P1,1,many"
    write(folder, "orders_1.csv", "\n".join([header] + orders[:45000]) + "\n")
    write(folder, "orders_2.csv", "\n".join([header] + orders[30000:]) + "\n")
    events = ["event_id,customer_id,event,occurred_at,product_id,session_id"]
    for i in range(120000):
        at = f"2025-{rng.randrange(1, 13):02}-{rng.randrange(1, 29):02}T{rng.randrange(24):02}:{rng.randrange(60):02}:00Z"
        events.append(f"E{i},C{rng.randrange(20000)},page_view,{at},P{rng.randrange(500)},S{i // 5}")
    write(folder, "events.csv", "\n".join(events) + "\n")


def check_whole(data):
    """Every file that is in is wholly in, and nothing is of a file that is not."""
    if not os.path.exists(os.path.join(data, "coterie.duckdb")):
        return
    for table in ("event", "trait", "item_fact", "quarantine", "node"):
        strays = value(data, f"select count(*) from {table} where import_id not in (select import_id from import_run)")
        assert strays == 0, f"{strays} rows of {table} belong to no import"
    wrong = sql(data, "select r.import_id, r.rows_accepted, count(e.event_id) from import_run r left join event e using"
                      " (import_id) where r.kind in ('orders', 'events') group by all having count(e.event_id) <>"
                      " r.rows_accepted")
    assert wrong == [], f"imports whose rows are not all there: {wrong}"


def kill_after(arguments, seconds):
    """Starts the program and kills it; True where it was killed before its end."""
    process = subprocess.Popen([COTERIE, *arguments], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        process.wait(timeout=seconds)
        return False
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
        return True


def moment_of(i_round, rng, seconds, commits):
    """When to kill, in turn: any time; the first 50 ms, in which the shop is made; around the end of one file, when it
    is committed."""
    kind = i_round % 3
    if kind == 0:
        return rng.uniform(0.02, 1.0) * seconds
    if kind == 1:
        return rng.uniform(0.0, 0.05)
    return max(0.0, rng.choice(commits) + rng.uniform(-0.03, 0.03))


def commit_moments(files, data):
    """Imports everything undisturbed; seconds from the start to the end of each file's import, and of all."""
    began = time.time()
    run("import", files, "--data", data, "--quiet")
    seconds = time.time() - began
    ends = sql(data, "select epoch_ms(finished_at) from import_run order by import_id")
    return seconds, [end[0] / 1000 - began for end in ends]


def main(n_rounds, seed):
    rng = random.Random(seed)
    with tempfile.TemporaryDirectory() as scratch:
        files = os.path.join(scratch, "files")
        os.mkdir(files)
        make_files(files, rng)
        undisturbed = os.path.join(scratch, "undisturbed")
        seconds, commits = commit_moments(files, undisturbed)
        assert len(commits) == 5, commits
        expected = fingerprints(undisturbed)
        assert expected["event"][0] > 150000, expected
        n_killed = 0
        for i_round in range(n_rounds):
            data = os.path.join(scratch, f"round{i_round}")
            moment = moment_of(i_round, rng, seconds, commits)
            killed = kill_after(["import", files, "--data", data, "--quiet"], moment)
            n_killed += killed
            check_whole(data)
            run("import", files, "--data", data, "--quiet")
            found = fingerprints(data)
            for table in TABLES:
                assert found[table] == expected[table], \
                    f"round {i_round} (seed {seed}, killed at {moment:.3f} s): {table} is {found[table]}, " \
                    f"not {expected[table]}"
            check_whole(data)
            shutil.rmtree(data)
    print(f"{n_rounds} rounds, {n_killed} killed before the end: every state as undisturbed (seed {seed})")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 50, int(sys.argv[2]) if len(sys.argv) > 2 else 1)
