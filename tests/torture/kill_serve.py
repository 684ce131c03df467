#!/usr/bin/env python3
"""kill -9 of a server under load: every acknowledged call is there once, none that was sent is there twice, and what the
server holds in memory (profiles, features, learned and ruled segments, counts) is what a replay of its store gives: under
load, after a kill, and after senders have sent again what nobody had acknowledged.

kill_serve.py ROUNDS [SEED]   (COTERIE: the program)
"""
import collections
import datetime
import json
import os
import random
import subprocess
import sys
import tempfile
import threading

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "cli"))
from server import Server  # noqa: E402
from shop import COTERIE, run, sql  # noqa: E402

RULES = {
    "buyers": "did(order_line) within 30 days",
    "big": 'segment "buyers" and sum(order_line.amount) > 120',
    "left": "sequence(cart_add then not order_line within 2 days) within 60 days",
    "shoes": 'count(order_line where category = "c1") >= 1',
    "gold": 'trait "plan" = "gold"',
}
# Where each call leaves its id, so that it can be found in the store, once. An order twice would be lines twice.
FIND = """select detail from event where detail like 'c%-%'
          union all select distinct order_key from event where kind = 1 and order_key like 'c%-%'
          union all select value from trait where key = 'mark'
          union all select unnest(['twice ' || order_key, 'twice ' || order_key]) from (select order_key from event
              where kind = 1 and superseded_at is null group by order_key having count(*) <> 2)"""


class Client(threading.Thread):
    """Sends single calls and batches until the server is gone; sends what was not acknowledged again to the next one."""

    def __init__(self, name, rng):
        super().__init__()
        self.label, self.rng = name, rng
        self.orders = []
        self.n_sent = 0
        self.acknowledged, self.unsure = set(), []

    def call(self):
        rng = self.rng
        name = f"{self.label}-{self.n_sent}"
        self.n_sent += 1
        ago = datetime.timedelta(minutes=rng.choice([0, 0, 0, rng.randrange(100000)]))
        call = {"messageId": name, "timestamp": (datetime.datetime.now(datetime.timezone.utc) - ago).isoformat()}
        if rng.random() < 0.8:
            call["userId"] = f"u{rng.randrange(400)}"
        if "userId" not in call or rng.random() < 0.2:
            call["anonymousId"] = f"a{rng.randrange(500)}"
        kind = rng.randrange(10)
        if kind == 0:
            return {**call, "type": "identify", "traits": {"mark": name, "plan": rng.choice(["gold", "blue"]),
                                                           "email": f"e{rng.randrange(300)}@shop.example"}}
        if kind <= 2:
            products = [{"product_id": f"p{rng.randrange(30)}", "price": rng.randrange(5, 90), "quantity": 1,
                         "category": f"c{rng.randrange(4)}"} for _ in range(2)]
            self.orders.append(name)
            return {**call, "type": "track", "event": "Order Completed", "properties": {
                "order_id": name, "currency": "EUR", "revenue": sum(one["price"] for one in products), "products": products}}
        if kind == 3 and self.orders:
            return {**call, "type": "track", "event": "Order Refunded", "mark": True,
                    "properties": {"order_id": rng.choice(self.orders), "total": rng.randrange(1, 5), "currency": "EUR"}}
        if kind == 4:
            return {**call, "type": "track", "event": "Product Added", "mark": True,
                    "properties": {"product_id": f"p{rng.randrange(30)}", "price": 9, "quantity": 1}}
        return {**call, "type": "track", "event": name,
                "context": {"consent": {"categoryPreferences": {"analytics": rng.random() < 0.9}}}}

    def use(self, server):
        self.server = server
        threading.Thread.__init__(self, daemon=True)

    def run(self):
        connection = self.server.connect()
        while True:
            if not self.unsure:
                n = self.rng.choice([0, 0, 1, 5, 60])
                self.unsure = [self.call() for _ in range(max(n, 1))]
                self.single = n == 0
            body = self.unsure[0] if self.single else {"batch": self.unsure}
            path = f"/v1/{body['type']}" if self.single else "/v1/batch"
            try:
                status, content, _ = self.server.ask("POST", path + "?receipts=true", body, connection=connection)
            except Exception:  # noqa: BLE001 - the server is gone, whatever that looks like
                return
            if status == 200:
                kept = {receipt["messageId"] for receipt in content["receipts"] if receipt["status"] != "quarantined"}
                marked = {call["messageId"] for call in self.unsure if "mark" not in call}
                self.acknowledged.update(kept & marked)
                self.unsure = []


def verify(server, where):
    found = server.get("/v1/verify")
    assert found["equal"], f"{where}: memory is not what the store gives: {json.dumps(found)[:6000]}"
    return found


def check_store(data, clients, where):
    found = collections.Counter(row[0] for row in sql(data, FIND))
    twice = [mark for mark, n in found.items() if n > 1]
    assert twice == [], f"{where}: twice {twice[:5]}"
    lost = [mark for client in clients for mark in client.acknowledged if mark not in found]
    assert lost == [], f"{where}: acknowledged and lost {lost[:5]} ({len(lost)})"


def kill_while_starting(data, rng):
    """A server that does not get as far as to listen, or hardly."""
    process = subprocess.Popen([COTERIE, "serve", "--data", data, "--listen", "127.0.0.1:0", "--json", "--quiet"],
                               stdout=subprocess.DEVNULL)
    try:
        process.wait(timeout=rng.random() * 0.3)
    except subprocess.TimeoutExpired:
        pass
    process.kill()
    process.wait()


def load_until(clients, n):
    """Waits for so many acknowledged calls more: the load decides the moment."""
    wanted = sum(len(client.acknowledged) for client in clients) + n
    while sum(len(client.acknowledged) for client in clients) < wanted:
        alive = [client for client in clients if client.is_alive()]
        assert alive, "the server is gone by itself"
        alive[0].join(timeout=0.001)


def put_rules(server):
    for name, rule in RULES.items():
        status, content, _ = server.ask("PUT", f"/v1/segments/{name}", {"rule": rule})
        assert status == 200, content


def put_under_load(server, clients, rng, where):
    for client in clients:
        client.use(server)
        client.start()
    load_until(clients, rng.randrange(1, 1000))
    verify(server, f"{where}, under load")
    load_until(clients, rng.randrange(1, 1000))


def main(n_rounds, seed):
    rng = random.Random(seed)
    with tempfile.TemporaryDirectory() as scratch:
        data = os.path.join(scratch, "shop")
        clients = [Client(f"c{i}", random.Random(seed * 100 + i)) for i in range(4)]
        for i_round in range(n_rounds):
            where = f"round {i_round} (seed {seed})"
            if rng.random() < 0.25:
                kill_while_starting(data, rng)
            server = Server(data)
            try:
                if i_round == 0:
                    put_rules(server)
                put_under_load(server, clients, rng, where)
            finally:
                server.kill()
            for client in clients:
                client.join()
            check_store(data, clients, where)
            if i_round == 1:
                run("segment", "--data", data, "--quiet")
        with Server(data) as server:
            found = verify(server, "at the end")
        n = sum(len(client.acknowledged) for client in clients)
    print(f"{n_rounds} rounds, {n} marked calls acknowledged: each is there once; {found['customers']} customers with "
          f"{found['events']} events in memory are what the store gives (seed {seed})")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 50, int(sys.argv[2]) if len(sys.argv) > 2 else 1)
