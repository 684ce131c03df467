"""Learned segments and RFM of every customer as of now: counts that follow each event, ranks as 'coterie rfm' has them."""
import collections
import json
import os
import tempfile
import time

import shop
from clock import LIBRARY, Clock
from server import Server


def order(i, user, revenue):
    return {"type": "track", "messageId": f"m{i}", "userId": user, "event": "Order Completed",
            "properties": {"order_id": f"new-{i}", "revenue": revenue, "currency": "GBP",
                           "products": [{"product_id": "p1", "price": revenue, "quantity": 1}]}}


def learned(server):
    """Counts by segment id, once nobody waits."""
    deadline = time.monotonic() + 120
    while True:
        found = server.get("/v1/segments/learned")
        if found["waiting"] == 0:
            return {segment["id"]: segment["members"] for segment in found["segments"]}, found
        assert time.monotonic() < deadline, found


def everybody(server, ids):
    """Counts of what each customer's own answer says."""
    customers = [server.get(f"/v1/customers/{one}/segments") for one in ids]
    return customers, collections.Counter(one["segment"]["id"] for one in customers if one["segment"] is not None)


def check(server, ids):
    counts, _ = learned(server)
    customers, told = everybody(server, ids)
    assert {segment: n for segment, n in counts.items() if n} == dict(told), (counts, told)
    return customers, counts


def ranked(server, one):
    deadline = time.monotonic() + 60
    while server.get(f"/v1/customers/{one}")["rfm"] is None:
        assert time.monotonic() < deadline


def test_live(scratch):
    files, data = os.path.join(scratch, "files"), os.path.join(scratch, "shop")
    shop.run("simulate", "--customers", "300", "--seed", "4", "--out", files, "--quiet")
    shop.run("import", files, "--data", data, "--quiet")
    with Server(data) as server:
        assert learned(server)[1] == {"run": None, "segments": [], "waiting": 0}
        run = json.loads(shop.run("segment", "--data", data, "--json", "--quiet").stdout)
        rfm = json.loads(shop.run("rfm", "--data", data, "--json", "--quiet").stdout)
        ids = [row[0] for row in shop.sql(data, "select distinct customer_id from customers")]
        customers, counts = check(server, ids)
        _, found = learned(server)
        assert found["run"] == run["run"] and {one["id"] for one in found["segments"]} == {one["id"] for one in run["segments"]}
        assert sum(counts.values()) > 250, counts
        # Groups as the report's, by the same ranks.
        ranked(server, ids[0])
        customers, _ = everybody(server, ids)
        groups = collections.Counter(one["rfm"]["group"] for one in customers)
        assert {row["group"]: row["customers"] for row in rfm["groups"] if row["customers"]} == \
            {group: n for group, n in groups.items() if group != "No order"}, (rfm["groups"], groups)
        assert all((one["rfm"]["recency"] is None) == (one["rfm"]["group"] == "No order") for one in customers)
        # Every event tells at once, in the customer's answer and in the counts.
        somebody = min((one for one in customers if one["rfm"]["recency"] == 1), key=lambda one: one["customer_id"])["customer_id"]
        server.post("/v1/batch", {"batch": [order(i, somebody, 5000) for i in range(12)]})
        now = server.get(f"/v1/customers/{somebody}")["rfm"]
        assert (now["recency"], now["frequency"], now["monetary"]) == (5, 5, 5) and now["group"] == "Champions", now
        server.post("/v1/batch", {"batch": [order(100 + i, f"newcomer {i}", 10 * i + 1) for i in range(30)]})
        ids += [f"newcomer%20{i}" for i in range(30)]
        _, after = check(server, ids)
        assert sum(after.values()) == sum(counts.values()) + 30, (counts, after)
        # Merges, withdrawn consent, erasure.
        server.post("/v1/identities/link", {"a": "newcomer 0", "b": "newcomer 1"})
        server.ask("PUT", "/v1/consent", {"consents": [{"userId": "newcomer 2", "purposes": {"analytics": False}}]})
        assert server.ask("DELETE", "/v1/customers/newcomer%203")[1]["status"] == "done"
        ids = [one for one in ids if one not in ("newcomer%201", "newcomer%203")]
        _, last = check(server, ids)
        assert sum(last.values()) == len(ids) - sum(
            server.get(f"/v1/customers/{one}/segments")["segment"] is None for one in ids), last
        assert server.ask("PUT", "/v1/segments/learned", {"rule": "did(any)"})[0] == 400
    with Server(data) as server:
        assert learned(server)[0] == last


def test_days(scratch):
    """At midnight they stand in the snapshot."""
    if not os.path.exists(LIBRARY):
        return
    data, clock = os.path.join(scratch, "shop"), Clock(os.path.join(scratch, "offset"))
    with clock.serve(data) as server:
        counts, found = learned(server)
        clock.set(24 * 3600 * 1000)
        server.get("/v1/segments")
        names = {one["id"]: one["name"] for one in found["segments"]}
        deadline = time.monotonic() + 60
        for segment, name in names.items():
            while True:
                status, history, _ = server.ask("GET", f"/v1/segments/{segment}/history")
                if status == 200:
                    break
                assert time.monotonic() < deadline
            (one,) = history["segments"]
            assert one["segment_id"] == segment and one["name"] == name, one
            assert one["days"][0]["size"] == counts[segment], (one, counts)
            assert one["days"][0]["version"] == found["run"]


def main():
    with tempfile.TemporaryDirectory() as scratch:
        test_live(scratch)
        test_days(scratch)


main()
