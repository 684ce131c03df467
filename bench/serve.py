"""The server under load, with the load generator (bench/bench_load.c) on the same cores.

  COTERIE_SERVE_SECONDS (default 20; reads: 60) is how long each part lasts;
  COTERIE_SERVE_SHOP=FOLDER takes a data directory of many customers that is there, for the reads, the cost of a
  customer and the start; else one is simulated: COTERIE_SERVE_CUSTOMERS (1000000), COTERIE_SERVE_EVENTS (20000000).
"""
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
import urllib.parse
import urllib.request

COTERIE = os.environ["COTERIE"]
LOAD = os.path.join(os.path.dirname(COTERIE), "bench", "bench_load")
SECONDS = float(os.environ.get("COTERIE_SERVE_SECONDS", "20"))
N_CUSTOMERS = int(os.environ.get("COTERIE_SERVE_CUSTOMERS", "1000000"))
N_EVENTS = int(os.environ.get("COTERIE_SERVE_EVENTS", "20000000"))


class Server:
    def __init__(self, data):
        began = time.monotonic()
        self.process = subprocess.Popen([COTERIE, "serve", "--data", data, "--listen", "127.0.0.1:0", "--json", "--quiet"],
                                        stdout=subprocess.PIPE, text=True)
        line = self.process.stdout.readline()
        if not line:
            sys.exit("the server did not start")
        self.url = json.loads(line)["listening"]
        self.start_seconds = time.monotonic() - began

    def memory(self):
        """Resident bytes."""
        with open(f"/proc/{self.process.pid}/status") as file:
            return next(int(row.split()[1]) * 1024 for row in file if row.startswith("VmRSS"))

    def load(self, kind, connections, seconds, rate=0, size=1, seed=1, ids=None):
        host = urllib.parse.urlsplit(self.url)
        return subprocess.Popen([LOAD, host.hostname, str(host.port), kind, str(connections), str(seconds), str(rate), str(size),
                                 str(seed)], stdin=ids, stdout=subprocess.PIPE, text=True)

    def stop(self):
        self.process.terminate()
        if self.process.wait() != 0:
            sys.exit("the server did not end well")


def answer(process):
    output, _ = process.communicate()
    if process.returncode != 0:
        sys.exit(f"bench_load ended with status {process.returncode}")
    return json.loads(output)


def row(name, figures, bar):
    per_second = (figures["events"] if "read" not in name else figures["requests"]) / figures["seconds"]
    print(f"| {name} | {per_second:,.0f} | {figures['p50_ms']:.2f} | {figures['p99_ms']:.2f} | {figures['p999_ms']:.2f} "
          f"| {figures['max_ms']:.1f} | {figures['failed']} | {bar} |", flush=True)


def ingest(folder):
    server = Server(f"{folder}/ingest")
    answer(server.load("batch", 8, 2, size=100, seed=1))  # customers and products are there
    row("batches of 100, 8 connections", answer(server.load("batch", 8, SECONDS, size=100, seed=2)), "50,000/s")
    row("single events, 64 connections", answer(server.load("track", 64, SECONDS, seed=3)), "10,000/s")
    server.stop()


def reads(shop, ids_path):
    """Reads by an open loop, alone and beside ingest; the log of 5,000 events/s passes the size at which DuckDB writes a
    checkpoint more than once a minute."""
    server = Server(shop)
    figures = {"start": server.start_seconds, "memory": server.memory()}
    with open(ids_path) as ids:
        row("reads, 10,000/s due", answer(server.load("read", 64, SECONDS, rate=10000, ids=ids)), "p99 2 ms")
    writer = server.load("batch", 4, 3 * SECONDS + 2, rate=50, size=100, seed=int(time.time()))
    with open(ids_path) as ids:
        row("reads, 10,000/s due, during ingest", answer(server.load("read", 64, 3 * SECONDS, rate=10000, ids=ids)), "p99 2 ms")
    row("that ingest: 5,000 events/s due", answer(writer), "")
    server.stop()
    return figures


RULES = [
    "did(order_line) within 365 days",
    "count(order_line) within 365 days >= 5 and sum(order_line.amount) > 200",
    "did(product_view) within 400 days and not did(order_line) within 500 days",
    "distinct(order_line.category) >= 3",
    "sequence(product_view then cart_add within 1 day then not order_line within 2 days)",
    'trait "country" in ("DE", "GB") and last(order_line.channel) = "web"',
    "did(order_line) within 400 days and feature monetary_total > 500",
]


def ask(server, method, path, body=None):
    request = urllib.request.Request(server.url + path, method=method, headers={"Content-Type": "application/json"},
                                     data=json.dumps(body).encode() if body is not None else None)
    began = time.monotonic()
    with urllib.request.urlopen(request, timeout=600) as reply:
        content = json.load(reply)
    return content, time.monotonic() - began


def rules(shop):
    """Rules over everybody: previews (median of 5), kept, explained."""
    server = Server(shop)
    print("\n| rule | selects | preview, s (bar 1) | keep, s |\n|---|---:|---:|---:|")
    for i, rule in enumerate(RULES):
        asked = [ask(server, "POST", "/v1/segments/preview", {"rule": rule}) for _ in range(5)]
        kept, seconds = ask(server, "PUT", f"/v1/segments/bench-{i}", {"rule": rule})
        if kept["members"] != asked[0][0]["count"]:
            sys.exit(f"{rule}: {asked[0][0]['count']} in the preview, {kept['members']} in the segment")
        print(f"| `{rule}` | {kept['members']:,} | {sorted(found[1] for found in asked)[2]:.2f} | {seconds:.2f} |", flush=True)
    member = ask(server, "GET", "/v1/segments/bench-0/members?limit=1")[0]["members"][0]
    print(f"\nWhy one customer is in these, with the ids of events: {ask(server, 'GET', f'/v1/customers/{member}/explain')[1]:.3f} s.")
    server.stop()


def count(shop, query):
    done = subprocess.run([COTERIE, "sql", query, "--data", shop, "--json", "--quiet"], capture_output=True, text=True, check=True)
    return [list(found.values()) for found in json.loads(done.stdout)["rows"]]


def main():
    print("## The server, its load generator on the same cores\n")
    print("Every event counted is on disk. Latencies in ms; of reads from the moment at which a request was due.\n")
    print("| load | a second | p50 | p99 | p99.9 | max | failed | bar |\n|---|---:|---:|---:|---:|---:|---:|---|")
    with tempfile.TemporaryDirectory(prefix="coterie-serve-", dir=os.environ.get("TMPDIR", "build")) as folder:
        ingest(folder)
        shop = os.environ.get("COTERIE_SERVE_SHOP")
        if shop is None:
            shop = f"{folder}/shop"
            subprocess.run([COTERIE, "simulate", "--customers", str(N_CUSTOMERS), "--events", str(N_EVENTS), "--seed", "1", "--out",
                            f"{folder}/files", "--quiet"], check=True, stdout=subprocess.DEVNULL)
            subprocess.run([COTERIE, "import", f"{folder}/files", "--data", shop, "--quiet"], check=True, stdout=subprocess.DEVNULL)
            shutil.rmtree(f"{folder}/files")
        ids_path = f"{folder}/ids"
        with open(ids_path, "w") as file:
            file.writelines(f"{urllib.parse.quote(found[0], safe='')}\n" for found in count(
                shop, "select value from node where kind = 1 order by hash(value) limit 200000"))
        figures = reads(shop, ids_path)
        rules(shop)
        customers, events = count(shop, "select (select count(*) from node where kind = 1), (select count(*) from event)")[0]
        size = os.path.getsize(f"{shop}/coterie.duckdb")
    print("\n| customers | events | start, s | resident, GB | memory a customer, bytes | file a customer, bytes |\n|---:|---:|---:|---:|---:|---:|")
    print(f"| {customers:,} | {events:,} | {figures['start']:.1f} | {figures['memory'] / 1e9:.2f} | {figures['memory'] / customers:,.0f} "
          f"| {size / customers:,.0f} |")


main()
