"""Commands on a data directory whose server runs, files that come over HTTP, and what a shop states by the server's paths."""
import json
import os
import signal
import subprocess
import tempfile
import threading

import shop
from server import Server, make_key


def orders(scratch, name, rows, first=0):
    lines = ["order_id,customer_id,email,date,product_id,quantity,amount,currency"]
    for i in range(first, first + rows):
        lines.append(f"o{i},c{i % 40},c{i % 40}@example.org,2024-{1 + i % 12:02}-{1 + i % 28:02},p{i % 7},1,{5 + i * 37 % 90},EUR")
    return shop.write(scratch, name, "\n".join(lines) + "\n")


def test_commands(scratch):
    """Every command works while the server runs; what it changed is seen without a restart, and calls wait for it."""
    data = os.path.join(scratch, "commands")
    with Server(data) as server:
        shop.import_json(data, orders(scratch, "one.csv", 400))
        assert server.get("/v1/customers/c1")["features"]["frequency"] == 10
        assert server.get("/v1/customers/c1")["segment"] is None
        shop.run("segment", "--data", data, "--quiet")
        first = server.get("/v1/customers/c1")["segment"]
        assert first["run"] == 1 and first["name"], first
        shop.run("segment", "--data", data, "--quiet", "--seed", "2")
        assert server.get("/v1/customers/c1")["segment"]["run"] == 2
        server.post("/v1/track", {"userId": "c1", "event": "Product Viewed", "messageId": "m1", "properties": {"product_id": "p1"}})
        assert shop.value(data, "select count(*) from event where kind = 11") == 1
        assert json.loads(shop.run("customer", "show", "c1", "--data", data, "--json").stdout)["customer_id"] == "c1"
        for command in (["segment", "list"], ["segment", "history"], ["segment", "diff"], ["rfm"], ["quality"],
                        ["quarantine", "list"], ["quarantine", "replay"], ["export", "list"], ["features", "show", "frequency"],
                        ["identity", "show"], ["identity", "simulate"], ["report", "--out", os.path.join(scratch, "r.html")],
                        ["backup", "--out", os.path.join(scratch, "backup.tar")]):
            shop.run(*command, "--data", data, "--quiet")
        shop.run("forget", "c2", "--data", data, "--quiet")
        server.get("/v1/customers/c2", status=404)
        assert server.get("/v1/customers/c1")["events"] == 11
        # Calls that come meanwhile wait, and are there afterwards; readers are served.
        stop = threading.Event()
        acknowledged, seen = [], []

        def send():
            while not stop.is_set():
                i = len(acknowledged)
                server.post("/v1/track", {"userId": f"v{i % 5}", "event": f"e{i}", "messageId": f"w{i}"})
                acknowledged.append(f"e{i}")

        def read():
            while not stop.is_set():
                seen.append(server.get("/v1/customers/c1")["customer_id"])
        threads = [threading.Thread(target=send), threading.Thread(target=read)]
        for thread in threads:
            thread.start()
        for i in range(3):
            shop.import_json(data, orders(scratch, f"more{i}.csv", 200, first=1000 + 200 * i))
            shop.value(data, "select count(*) from event")
        stop.set()
        for thread in threads:
            thread.join()
        assert server.get("/v1/customers/c1")["features"]["frequency"] == 25
        assert len(acknowledged) > 0 and set(seen) == {"c1"}
        found = {row[0] for row in shop.sql(data, "select detail from event where kind = 99")}
        assert found == set(acknowledged), (len(found), len(acknowledged))
        # A command that is killed gives back; two at once take turns.
        killed = subprocess.Popen([shop.COTERIE, "sql", "select count(*) from range(100000000000) t(i) where hash(i) = 1",
                                   "--data", data, "--quiet"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        two = [threading.Thread(target=shop.value, args=(data, "select 1")) for _ in range(2)]
        for thread in two:
            thread.start()
        while two[0].is_alive() and two[1].is_alive() and killed.poll() is None:
            try:
                killed.wait(timeout=0.3)
            except subprocess.TimeoutExpired:
                killed.send_signal(signal.SIGKILL)
        for thread in two:
            thread.join()
        assert killed.wait() in (-signal.SIGKILL, 0)
        server.post("/v1/track", {"userId": "c1", "event": "after", "messageId": "after"})
    assert not os.path.exists(os.path.join(data, "server.sock"))
    assert shop.value(data, "select count(*) from event where detail = 'after'") == 1



def test_restore(scratch):
    """A backup that comes back while the server runs is what it serves then, and it goes on lending its store."""
    data, backup = os.path.join(scratch, "restored"), os.path.join(scratch, "restored.tar")
    with Server(data) as server:
        shop.import_json(data, orders(scratch, "before.csv", 80))
        shop.run("backup", "--out", backup, "--data", data, "--quiet")
        shop.import_json(data, orders(scratch, "after.csv", 80, first=80))
        assert server.get("/v1/customers/c1")["features"]["frequency"] == 4
        for _ in range(2):
            shop.run("restore", backup, "--force", "--data", data, "--quiet")
            assert server.get("/v1/customers/c1")["features"]["frequency"] == 2
            assert shop.value(data, "select count(distinct order_key) from event") == 80
        server.post("/v1/track", {"userId": "c1", "event": "Product Viewed", "messageId": "m1", "properties": {"product_id": "p1"}})
        assert shop.value(data, "select count(*) from event where kind = 11") == 1
        assert server.get("/v1/verify")["equal"]


def test_uploads(scratch):
    data = os.path.join(scratch, "uploads")
    server_key, write_key = make_key(data, "server")["key"], make_key(data, "write")["key"]
    with open(orders(scratch, "up.csv", 300), "rb") as file:
        body = file.read()
    with Server(data) as server:
        path = "/v1/uploads?name=up.csv"
        assert server.ask("POST", path, body)[0] == 401
        assert server.ask("POST", path, body, key=write_key)[0] == 403
        server.key = server_key
        for name in ("", "..", "a/b.csv", ".hidden", "x" * 300):
            status, content, _ = server.ask("POST", f"/v1/uploads?name={name.replace('/', '%2F')}", body)
            assert status == 400 and "name" in content["error"]["message"], (name, content)
        assert server.post(path + "&dry_run=true", body)["dry_run"] is True
        answer = server.post(path, body)
        assert answer["files"][0]["rows_accepted"] == 300 and answer["customers"] == 40, answer
        assert server.get("/v1/customers/c1")["features"]["frequency"] == 8
        assert server.post(path, body)["files"][0]["rows_duplicate"] == 300
        status, content, _ = server.ask("POST", "/v1/uploads?name=nothing.csv", b"\x00\x01 no table")
        assert status >= 400 and content["error"]["message"], content
        status, content, _ = server.ask("POST", "/v1/uploads?name=what.csv", b"foo,bar\n1,2\n")
        said = content["error"]["message"]
        assert status == 422 and said.startswith("what.csv: no known shape") and said.endswith(" with map COLUMN=FIELD"), said
        assert server.ask("POST", path, b"")[0] == 400
        mapped = b"wer;wann;wieviel\nk1;3.4.2024;10,50\n"
        answer = server.post("/v1/uploads?name=m.csv&as=orders&map=wer%3Dcustomer_id&map=wann%3Doccurred_at&map=wieviel%3Damount"
                             "&date_order=dmy&decimal=comma&currency=EUR", mapped)
        assert answer["files"][0]["rows_accepted"] == 1, answer
        assert server.get("/v1/customers/k1")["features"]["monetary_total"] == 10.5
        assert os.listdir(os.path.join(data, "tmp")) == [], os.listdir(os.path.join(data, "tmp"))


def statuses(answer):
    return [receipt["status"] for receipt in answer["receipts"]]


def put(server, path, body, status=200, method="PUT"):
    found, content, _ = server.ask(method, path, body)
    assert found == status, (path, found, content)
    return content


def test_facts(scratch):
    data = os.path.join(scratch, "facts")
    with Server(data) as server:
        server.post("/v1/track", {"userId": "u1", "event": "Order Completed", "messageId": "1", "properties": {
            "order_id": "o1", "revenue": 20, "currency": "EUR", "products": [{"product_id": "p1", "price": 20, "quantity": 1}]}})
        answer = put(server, "/v1/products", {"products": [
            {"product_id": "p1", "name": "Boot", "category": "Shoes", "brand": "Acme", "price": 19.99, "cost": "7.5"},
            {"product_id": 2, "price": 1, "currency": "EUR", "timestamp": "2024-01-01T00:00:00Z"}]})
        assert answer["success"] is True and statuses(answer) == ["accepted"] * 2, answer
        assert put(server, "/v1/products", {"product_id": "p3"})["success"] is True
        answer = put(server, "/v1/products", [{"name": "nameless"}, {"product_id": "p4", "price": "dear"}], status=422)
        assert [r["code"] for r in answer["receipts"]] == ["product", "number"], answer
        put(server, "/v1/products", {"products": 7}, status=400)
        # Consent, by any of the identifiers; the last word holds.
        answer = put(server, "/v1/consent", {"consents": [{"userId": "u1", "purposes": {"marketing": False, "advertising": True}},
                                                          {"email": "New@Example.org", "purposes": {"analytics": False}}]})
        assert statuses(answer) == ["accepted"] * 2, answer
        one = server.get("/v1/customers/u1")["consent"]
        assert one["marketing"] is False and one["advertising"] is True, one
        assert put(server, "/v1/consent", {"userId": "u1", "purposes": {"marketing": True}})["success"]
        assert server.get("/v1/customers/u1")["consent"]["marketing"] is True
        for wrong in ({"userId": "u1"}, {"purposes": {"marketing": True}}, {"userId": "u1", "purposes": {"fun": True}},
                      {"userId": "u1", "purposes": {"marketing": "yes"}}):
            put(server, "/v1/consent", wrong, status=422)
        # Traits: PATCH adds and takes back, PUT replaces.
        put(server, "/v1/customers/u1/traits", {"city": "Berlin", "age": 41, "vip": True, "shoe": {"size": 44}}, method="PATCH")
        assert server.get("/v1/customers/u1")["traits"] == {"city": "Berlin", "age": "41", "vip": "true", "shoe.size": "44"}
        put(server, "/v1/customers/u1/traits", {"city": None, "country": "DE"}, method="PATCH")
        assert server.get("/v1/customers/u1")["traits"] == {"age": "41", "vip": "true", "shoe.size": "44", "country": "DE"}
        assert server.get("/v1/customers/u1")["features"]["country"] == "DE"
        put(server, "/v1/segments/vips", {"rule": 'trait "vip" exists'})
        assert server.get("/v1/segments/vips")["members"] == 1
        put(server, "/v1/customers/u1/traits", {"country": "FR"})
        assert server.get("/v1/customers/u1")["traits"] == {"country": "FR"}
        assert server.get("/v1/segments/vips")["members"] == 0
        put(server, "/v1/customers/nobody/traits", {"a": 1}, status=404)
        put(server, "/v1/customers/user:u9/traits", {"city": "Rome"}, method="PATCH")
        assert server.get("/v1/customers/u9")["traits"] == {"city": "Rome"}
        put(server, "/v1/customers/u1/traits", [1], status=400)
        put(server, "/v1/customers/u1/traits", {}, status=422, method="PATCH")
        before = server.get("/v1/customers/u1")
    with Server(data) as server:  # the same from disk
        after = server.get("/v1/customers/u1")
        assert before["traits"] == after["traits"] and before["consent"] == after["consent"]
    facts = shop.sql(data, "select product_id, name, price_minor, cost_minor from item_fact join item using (item_id)"
                           " where product_id in ('p1', '2') order by item_id")
    assert facts == [["p1", "Boot", 1999, 750], ["2", None, 100, None]], facts


def main():
    with tempfile.TemporaryDirectory() as scratch:
        test_facts(scratch)
        test_uploads(scratch)
        test_commands(scratch)
        test_restore(scratch)


if __name__ == "__main__":
    main()
