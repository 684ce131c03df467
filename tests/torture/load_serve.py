#!/usr/bin/env python3
"""A server that everything happens to at once, for its sanitizer to look at: single calls and batches, reads of every
kind, rules put and taken away, links, consent, comparisons of memory and store. It must end well and say nothing.

load_serve.py [CALLS] [SEED]   (COTERIE: the program, built with a sanitizer or without)
"""
import json
import os
import random
import sys
import tempfile
import threading

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "cli"))
from server import Server  # noqa: E402


def write(server, rng, connection, i):
    user, visitor = f"u{rng.randrange(60)}", f"a{rng.randrange(90)}"
    kind = rng.randrange(6)
    if kind == 0:
        return server.ask("POST", "/v1/identify", {"userId": user, "anonymousId": visitor, "messageId": f"i{i}",
                                                   "traits": {"plan": rng.choice(["gold", "blue"])}}, connection=connection)
    if kind == 1:
        return server.ask("PUT", "/v1/consent", {"consents": [{"userId": user, "purposes": {"analytics": rng.random() < 0.8}}]},
                          connection=connection)
    calls = [{"type": "track", "userId": user, "messageId": f"{i}-{j}", "event": rng.choice(["Product Viewed", "Product Added"]),
              "properties": {"product_id": f"p{rng.randrange(20)}"}} for j in range(rng.choice([1, 5, 40]))]
    calls.append({"type": "track", "userId": user, "messageId": f"o{i}", "event": "Order Completed", "properties": {
        "order_id": f"o{i}", "currency": "EUR", "revenue": 9, "products": [{"product_id": "p1", "price": 9, "quantity": 1}]}})
    return server.ask("POST", "/v1/batch?receipts=true", {"batch": calls}, connection=connection)


def read(server, rng, connection, _):
    user = f"u{rng.randrange(60)}"
    path = rng.choice([f"/v1/customers/{user}", f"/v1/customers/{user}/timeline", f"/v1/customers/{user}/segments",
                       f"/v1/customers/{user}/explain", "/v1/segments", "/metrics", "/readyz", "/v1/identity",
                       "/v1/segments/buyers/members", "/v1/quarantine", "/openapi.json"])
    return server.ask("GET", path, connection=connection)


def change(server, rng, connection, i):
    kind = rng.randrange(5)
    if kind == 0:
        return server.ask("PUT", "/v1/segments/buyers", {"rule": f"count(order_line) >= {rng.randrange(1, 5)}"},
                          connection=connection)
    if kind == 1:
        return server.ask("POST", "/v1/segments/preview", {"rule": 'trait "plan" = "gold" and did(any) within 7 days'},
                          connection=connection)
    if kind == 2:
        return server.ask("POST", "/v1/identities/link", {"a": f"u{i % 60}", "b": f"u{(i + 1) % 60}"}, connection=connection)
    if kind == 3:
        return server.ask("POST", "/v1/identities/unlink", {"a": f"u{i % 60}", "b": f"u{(i + 1) % 60}"}, connection=connection)
    return server.ask("GET", "/v1/verify", connection=connection)


def main(n_calls, seed):
    failures, statuses = [], {}

    def work(act, name, n):
        rng = random.Random(seed * 1000 + name)
        connection = server.connect()
        try:
            for i in range(n):
                status, content, _ = act(server, rng, connection, name * 1000000 + i)
                statuses[status] = statuses.get(status, 0) + 1
                assert status < 500 or status == 503, (status, content)
                if isinstance(content, dict) and "equal" in content:
                    assert content["equal"], json.dumps(content)[:3000]
        except Exception as failure:  # noqa: BLE001 - told by the main thread
            failures.append(failure)

    with tempfile.TemporaryDirectory() as scratch:
        server = Server(os.path.join(scratch, "shop"))
        try:
            threads = [threading.Thread(target=work, args=(act, i, n)) for i, (act, n) in enumerate(
                [(write, n_calls)] * 4 + [(read, n_calls)] * 3 + [(change, n_calls // 10)])]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
        finally:
            status = server.stop()
        said = "".join(server.errors)
    assert failures == [], failures[:3]
    assert status == 0 and "Sanitizer" not in said, (status, said[-6000:])
    assert statuses.get(200, 0) > n_calls, statuses
    print(f"a server under {sum(statuses.values())} requests at once ended well: {statuses}")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 400, int(sys.argv[2]) if len(sys.argv) > 2 else 1)
