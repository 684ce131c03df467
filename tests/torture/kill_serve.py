#!/usr/bin/env python3
"""kill -9 of a server under load: every acknowledged call is there once, none that was sent is there twice.

kill_serve.py ROUNDS [SEED]   (COTERIE: the program)
"""
import collections
import os
import random
import sys
import tempfile
import threading

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "cli"))
from server import Server  # noqa: E402
from shop import sql  # noqa: E402


class Client(threading.Thread):
    """Sends batches until the server is gone; sends what was not acknowledged again to the next one."""

    def __init__(self, name, rng):
        super().__init__()
        self.label, self.rng = name, rng
        self.n_sent = 0
        self.acknowledged, self.unsure = set(), []

    def batch(self):
        ids = []
        for _ in range(self.rng.choice([1, 1, 5, 60])):
            ids.append(f"{self.label}-{self.n_sent}")
            self.n_sent += 1
        return ids

    def use(self, server):
        self.server = server
        threading.Thread.__init__(self)

    def run(self):
        connection = self.server.connect()
        while True:
            ids = self.unsure or self.batch()
            self.unsure = ids
            calls = [{"type": "track", "event": i, "userId": f"u{hash(i) % 50}", "anonymousId": f"a{hash(i) % 70}",
                      "messageId": i} for i in ids]
            try:
                status, _, _ = self.server.ask("POST", "/v1/batch", {"batch": calls}, connection=connection)
            except Exception:  # noqa: BLE001 - the server is gone, whatever that looks like
                return
            if status == 200:
                self.acknowledged.update(ids)
                self.unsure = []


def main(n_rounds, seed):
    rng = random.Random(seed)
    with tempfile.TemporaryDirectory() as scratch:
        data = os.path.join(scratch, "shop")
        clients = [Client(f"c{i}", random.Random(seed * 100 + i)) for i in range(4)]
        for i_round in range(n_rounds):
            server = Server(data)
            wanted = sum(len(client.acknowledged) for client in clients) + rng.randrange(1, 1500)
            for client in clients:
                client.use(server)
                client.start()
            # Killed at a moment that the load decides: amid the group after so many acknowledged calls.
            while sum(len(client.acknowledged) for client in clients) < wanted:
                assert any(client.is_alive() for client in clients), "the server is gone by itself"
                next(client for client in clients if client.is_alive()).join(timeout=0.001)
            server.kill()
            for client in clients:
                client.join()
            found = collections.Counter(row[0] for row in sql(data, "select detail from event"))
            twice = [event for event, n in found.items() if n > 1]
            assert twice == [], f"round {i_round} (seed {seed}): twice {twice[:5]}"
            lost = [event for client in clients for event in client.acknowledged if event not in found]
            assert lost == [], f"round {i_round} (seed {seed}): acknowledged and lost {lost[:5]} ({len(lost)})"
        n = sum(len(client.acknowledged) for client in clients)
    print(f"{n_rounds} rounds, {n} calls acknowledged: each is there once (seed {seed})")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 50, int(sys.argv[2]) if len(sys.argv) > 2 else 1)
