"""Events over HTTP: what each protocol's calls become in the store, told apart, put aside, tried again."""
import base64
import datetime
import gzip
import hashlib
import hmac
import json
import os
import shutil
import tempfile
import threading
import urllib.parse

import shop
from server import Server, basic, make_key


def iso(seconds_ago):
    moment = datetime.datetime.now(datetime.timezone.utc) - datetime.timedelta(seconds=seconds_ago)
    return moment.strftime("%Y-%m-%dT%H:%M:%S.") + f"{moment.microsecond // 1000:03}Z"


def statuses(answer):
    return [receipt["status"] for receipt in answer["receipts"]]


ORDER = {"order_id": "o1", "revenue": 25.5, "discount": "2.00", "tax": 4, "shipping": 5, "currency": "EUR",
         "products": [{"product_id": "p1", "price": 20, "quantity": 1, "category": "Shoes", "name": "Boot"},
                      {"product_id": 507, "price": 3.75, "quantity": 2}]}


def track(i, event, properties=None, **more):
    return {"type": "track", "event": event, "userId": "u1", "messageId": f"m{i}", "properties": properties or {}, **more}


def test_segment(scratch):
    data = os.path.join(scratch, "segment")
    calls = [
        track(1, "Order Completed", ORDER, timestamp=iso(3600)),
        {"type": "identify", "anonymousId": "a1", "userId": "u1", "messageId": "m2",
         "traits": {"email": " Jo@Example.org ", "phone": "+49 (170) 1234567", "address": {"city": "Berlin"}, "age": 33}},
        {"type": "page", "anonymousId": "a1", "messageId": "m3", "properties": {"path": "/shoes"}},
        {"type": "screen", "userId": "u1", "messageId": "m4", "name": "Start"},
        {"type": "group", "userId": "u1", "groupId": "g1", "messageId": "m5", "traits": {"plan": "gold"}},
        {"type": "alias", "previousId": "a2", "userId": "u1", "messageId": "m6"},
        track(7, "Viewed Product", {"product_id": "p1"}, context={"campaign": {"name": "spring"}}),
        track(8, "Played Song"),
        track(9, "Product Viewed", {"product_id": "p1"}, context={"userAgent": "Mozilla/5.0 (compatible; Googlebot/2.1)"}),
        track(10, "Product Viewed", {"product_id": "p1", "traffic_type": "internal"}),
        track(11, "Order Completed", ORDER),                                   # the same order, by another client
        track(12, "Order Refunded", {"order_id": "o1", "total": 7.5}),
    ]
    bad = [{"type": "track", "userId": "u1", "messageId": "b1"}, {"type": "track", "event": "x", "messageId": "b2"},
           {"type": "dance", "userId": "u1", "messageId": "b3"}, track("b4", "Order Completed", {**ORDER, "currency": "QQQ"}),
           track("b5", "Order Completed", {"order_id": "o9", "revenue": "much"}), 7,
           track("b6", "Order Completed", {"order_id": "o9", "revenue": -3}),
           track("b7", "x", timestamp="yesterday"), track("b8", "Order Refunded", {"order_id": "nobody-knows"}),
           track("b9", "x", {"text": "y" * 40000})]
    with Server(data) as server:
        answer = server.post("/v1/batch?receipts=true", {"batch": calls + bad, "sentAt": iso(0)})
        assert statuses(answer) == ["accepted"] * 10 + ["duplicate", "accepted"] + ["quarantined"] * 10, answer
        codes = [receipt["code"] for receipt in answer["receipts"][12:]]
        assert codes == ["event", "nobody", "type", "currency", "number", "json", "amount", "time", "unknown_order",
                         "too_large"], codes
        again = server.post("/v1/batch?receipts=true", {"batch": calls + bad[:5]})
        assert set(statuses(again)) == {"duplicate"}, again
        assert server.post("/v1/track", track(20, "Signed Up")) == {"success": True}
        zipped = gzip.compress(json.dumps({"batch": [track(21, "Zipped")]}).encode())
        assert server.post("/v1/batch", zipped, headers={"Content-Encoding": "gzip"}) == {"success": True}
        # The order in another form: the newer version counts, from now on.
        server.post("/v1/track", track(22, "Order Updated", {**ORDER, "revenue": 30}))
        server.post("/v1/track", track(23, "Order Completed", {**ORDER, "order_id": "o2", "revenue": 10}))
        server.post("/v1/track", track(24, "Order Cancelled", {"order_id": "o2"}))
        for body, status in ((b"{", 400), (b"", 400), (b"x" * 40000, 400), (b"[]", 200)):
            found, content, _ = server.ask("POST", "/v1/track", body)
            assert found == status, (body[:10], found, content)
        assert server.ask("POST", "/v1/batch", {"batch": 1})[0] == 400
        assert server.ask("POST", "/v1/batch", {"batch": [track(i, "x") for i in range(3000)]})[0] == 413
        assert server.ask("POST", "/v1/batch", gzip.compress(b" " * 10_000_000), {"Content-Encoding": "gzip"})[0] == 400
        assert server.ask("POST", "/v1/batch", b"\x1f\x8bgarbage", {"Content-Encoding": "gzip"})[0] == 400
        assert server.ask("POST", "/v1/batch", b"x", {"Content-Encoding": "br"})[0] == 400
        status, _, headers = server.ask("OPTIONS", "/v1/t")
        assert status == 204 and headers["Access-Control-Allow-Origin"] == "*" and "POST" in headers["Allow"]
        assert server.ask("POST", "/v1/t", {"event": "x", "userId": "u1"}, {"Content-Type": "text/plain"})[0] == 200
    lines = shop.sql(data, "select product_id, quantity, amount_minor, discount_minor, superseded_at is null from event "
                           "join item using (item_id) where kind = 1 and order_key = 'o1' order by event_id")
    assert lines == [["p1", 1, 1855, 145, False], ["507", 2, 695, 55, False],
                     ["p1", 1, 2182, 145, True], ["507", 2, 818, 55, True]], lines
    assert shop.value(data, "select sum(amount_minor) from event where order_key = 'o2' and superseded_at is null") is None
    assert shop.sql(data, "select amount_minor, order_key from event where kind = 2") == [[-750, "o1"]]
    nodes = shop.sql(data, "select kind, value from node order by kind, value")
    assert nodes == [[1, "u1"], [2, "jo@example.org"], [3, "a1"], [3, "a2"], [4, "+491701234567"]], nodes
    assert shop.value(data, "select count(*) from link") == 4
    assert shop.sql(data, "select channel, node_id is null from event where kind = 11 order by event_id") == \
        [[None, False], ["bot", True], ["internal", True]]
    assert shop.sql(data, "select campaign from event where kind = 11 and campaign is not null") == [["spring"]]
    traits = dict(shop.sql(data, "select key, value from trait"))
    assert traits["address.city"] == "Berlin" and traits["group"] == "g1" and traits["group.plan"] == "gold", traits
    read, accepted, bad_rows, duplicate = shop.sql(
        data, "select rows_read, rows_accepted, rows_quarantined, rows_duplicate from import_run")[0]
    assert read == accepted + bad_rows + duplicate and bad_rows == 11, (read, accepted, bad_rows, duplicate)


def test_time(scratch):
    """The client's clock is corrected by when it says it sent; nothing happens in the future."""
    data = os.path.join(scratch, "time")
    with Server(data) as server:
        # An hour slow: sent "an hour ago", happened ten minutes before that.
        server.post("/v1/batch", {"sentAt": iso(3600), "batch": [track(1, "skewed", timestamp=iso(4200))]})
        server.post("/v1/batch", {"batch": [track(2, "future", timestamp=iso(-864000)), track(3, "past", timestamp=iso(86400)),
                                            track(4, "now"), track(5, "own", timestamp=iso(60), sentAt=iso(30))]})
    rows = dict(shop.sql(data, "select detail, epoch_ms(recorded_at) - epoch_ms(occurred_at) from event"))
    assert abs(rows["skewed"] - 600000) < 5000, rows
    assert rows["future"] == 0 and rows["now"] == 0, rows
    assert abs(rows["past"] - 86400000) < 60000, rows
    assert abs(rows["own"] - 30000) < 5000, rows


def test_keys(scratch):
    """A write key writes wherever it stands, and reads nothing."""
    data = os.path.join(scratch, "keys")
    write, analyst = make_key(data, "write")["key"], make_key(data, "analyst")["key"]
    with Server(data) as server:
        assert server.ask("POST", "/v1/track", track(1, "x"))[0] == 401
        assert server.ask("POST", "/v1/track", track(1, "x"), basic(write))[0] == 200
        assert server.ask("POST", "/v1/track", track(2, "x"), basic(write, colon=False))[0] == 200
        assert server.ask("POST", "/v1/track", {**track(3, "x"), "writeKey": write})[0] == 200
        assert server.ask("POST", "/v1/batch", {"batch": [track(4, "x")], "writeKey": write})[0] == 200
        assert server.ask("POST", "/v1/batch", {"batch": [track(5, "x")], "writeKey": "wrong"})[0] == 401
        assert server.ask("POST", f"/beacon/v1/batch?writeKey={write}", {"batch": [track(6, "x")]})[0] == 200
        assert server.ask("POST", f"/mp/collect?measurement_id=G-1&api_secret={write}",
                          {"client_id": "c", "events": [{"name": "page_view"}]})[0] == 204
        assert server.ask("POST", "/v1/track", track(7, "x"), key=analyst)[0] == 403
        assert server.ask("GET", "/v1/quarantine", key=write)[0] == 403
    assert shop.value(data, "select count(*) from event") == 6


def damage_one(folder):
    name = sorted(os.listdir(folder))[0]
    with open(os.path.join(folder, name), "r+b") as file:
        file.seek(200)
        byte = file.read(1)
        file.seek(200)
        file.write(bytes([byte[0] ^ 1]))


def test_restart(scratch):
    """What came before is known after a restart; the first id wins in a race, too."""
    data = os.path.join(scratch, "restart")
    for _ in range(2):
        with Server(data) as server:
            threads = [threading.Thread(target=server.post, args=("/v1/track", track(1, "x"))) for _ in range(8)]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
            server.post("/v1/identify", {"userId": "u1", "messageId": "i1"})
            server.post("/v1/identify", {"userId": "u1", "messageId": "i2", "traits": {"a": 1}})
            server.post("/v1/track", {"userId": "u1", "messageId": "bad"})
    assert shop.value(data, "select count(*) from event") == 1
    assert shop.value(data, "select count(*) from trait") == 1
    assert shop.value(data, "select count(*) from quarantine") == 1
    assert shop.value(data, "select count(*) from message") == 1
    assert shop.value(data, "select sum(rows_duplicate) from import_run") == 7 + 8 + 3
    # Ids that are on disk beside the store; were they lost or damaged, the store has them all the same.
    ids = os.path.join(data, "ids")
    assert os.listdir(ids) != []
    for harm in (lambda folder: None, shutil.rmtree, damage_one):
        harm(ids)
        with Server(data) as server:
            answer = server.post("/v1/batch?receipts=true", {"batch": [
                track(1, "x"), {"type": "identify", "userId": "u1", "messageId": "i1"},
                {"type": "identify", "userId": "u1", "messageId": "i2"}, track(f"new {harm.__name__}", "x")]})
            assert statuses(answer) == ["duplicate"] * 3 + ["accepted"], answer


def test_quarantine(scratch):
    """Calls that wait for something are taken in once it is there; wrong ones can be corrected."""
    data = os.path.join(scratch, "quarantine")
    rates = shop.write(scratch, "rates.csv", "currency,date,rate\nUSD,2020-01-01,0.5\n")
    orders = shop.write(scratch, "first.csv", "order_id,customer_id,date,amount,currency\nx,u9,2024-01-01,10,EUR\n")
    shop.import_json(data, orders)
    dollars = {**ORDER, "currency": "USD"}
    with Server(data) as server:
        answer = server.post("/v1/track?receipts=true", track(1, "Order Completed", dollars))
        assert answer["receipts"][0]["code"] == "no_rate", answer
        server.post("/v1/track", track(2, "Order Refunded", {"order_id": "o1"}))
        server.post("/v1/track", {"type": "track", "userId": "u1", "messageId": "m3", "timestamp": iso(600)})
        listed = server.get("/v1/quarantine")
        assert listed["open"] == 3 and len(listed["rows"]) == 3, listed
        assert server.post("/v1/quarantine/replay", b"")["still_open"] == 3
        wrong = next(row["id"] for row in listed["rows"] if row["code"] == "event")
        status, content, _ = server.ask("PUT", f"/v1/quarantine/{wrong}", {"event": "Signed Up", "userId": "u1",
                                                                          "timestamp": iso(600)})
        assert status == 200 and content["accepted"] == 1, content
        assert server.ask("PUT", f"/v1/quarantine/{wrong}", {"event": "x", "userId": "u1"})[0] == 404
        assert server.ask("PUT", "/v1/quarantine/9x", {"event": "x"})[0] == 400
        assert server.ask("PUT", f"/v1/quarantine/{wrong}", b"no")[0] == 400
    shop.import_json(data, rates)
    replayed = json.loads(shop.run("quarantine", "replay", "--data", data, "--json", "--quiet").stdout)
    assert replayed["accepted"] == 2 and replayed["still_open"] == 0, replayed
    assert shop.sql(data, "select kind, amount_minor, amount_original, currency from event where import_id > 1 and kind < 3"
                          " order by event_id") == [[1, 928, 1855, "USD"], [1, 348, 695, "USD"], [2, -1276, None, "EUR"]]
    assert shop.sql(data, "select rows_read, rows_accepted, rows_quarantined from import_run where path = 'live'") == [[3, 3, 0]]
    with Server(data) as server:  # what was taken in from the quarantine is known
        answer = server.post("/v1/track?receipts=true", track(1, "Order Completed", dollars))
        assert statuses(answer) == ["duplicate"], answer
        answer = server.post("/v1/track?receipts=true", track(9, "Order Completed", dollars))
        assert statuses(answer) == ["duplicate"], answer


def test_ga4(scratch):
    data = os.path.join(scratch, "ga4")
    body = {"client_id": "c.1", "user_id": "u1", "user_properties": {"tier": {"value": "gold"}},
            "consent": {"ad_user_data": "DENIED"},
            "events": [{"name": "purchase", "params": {"transaction_id": "t1", "value": 12.5, "currency": "GBP", "items": [
                {"item_id": "i1", "price": 10, "quantity": 1}, {"item_id": "i2", "price": 2.5}]}},
                {"name": "view_item", "params": {"items": [{"item_id": "i1"}]}}, {"name": "levelled_up"}]}
    with Server(data) as server:
        assert server.ask("POST", "/mp/collect?measurement_id=G&api_secret=s", body)[0] == 204
        wrong = {"client_id": "c.1", "events": [{"name": "purchase", "params": {"value": "lots"}}]}
        answer = server.post("/debug/mp/collect", wrong)
        assert len(answer["validationMessages"]) == 1 and answer["validationMessages"][0]["fieldPath"] == "events.0"
        assert server.post("/debug/mp/collect", body) == {"validationMessages": []}
        assert server.ask("POST", "/mp/collect", {"client_id": "c", "events": []})[0] == 400
        assert server.ask("POST", "/mp/collect", {"client_id": "c", "events": [{"name": "x"}] * 26})[0] == 400
        micros = int(datetime.datetime.now().timestamp() * 1e6) - 3600 * 1000000
        server.ask("POST", "/mp/collect", {"client_id": "c.2", "timestamp_micros": micros, "events": [{"name": "x"}]})
    assert shop.sql(data, "select kind, amount_minor, order_key from event where node_id = 0 order by event_id") == \
        [[1, 1000, "t1"], [1, 250, "t1"], [11, None, None], [99, None, None]]
    assert shop.sql(data, "select purpose, granted from consent") == [["advertising", False]]
    assert shop.sql(data, "select value from trait where key = 'tier'") == [["gold"]]
    lag = shop.value(data, "select epoch_ms(recorded_at) - epoch_ms(occurred_at) from event order by event_id desc limit 1")
    assert abs(lag - 3600000) < 60000, lag


def signed(secret, body, topic, webhook):
    mac = base64.b64encode(hmac.new(secret, body, hashlib.sha256).digest()).decode()
    return {"X-Shopify-Hmac-Sha256": mac, "X-Shopify-Topic": topic, "X-Shopify-Webhook-Id": webhook,
            "Content-Type": "application/json"}


def test_shopify(scratch):
    data = os.path.join(scratch, "shopify")
    secret = shop.write(scratch, "secret", "hush\n")
    order = {"id": 820982911946154508, "currency": "USD", "created_at": "2024-05-01T10:00:00-04:00", "source_name": "web",
             "email": "Jon@Example.com", "customer": {"id": 115310627314723954, "email": "jon@example.com"},
             "line_items": [{"sku": "IPOD", "price": "199.00", "quantity": 2, "title": "Pod", "vendor": "A",
                             "discount_allocations": [{"amount": "8.00"}]}, {"product_id": 77, "price": "1.50", "quantity": 1}]}
    with Server(data, "--shopify-secret", secret) as server:
        def send(topic, webhook, body, key=b"hush"):
            raw = json.dumps(body).encode()
            return server.ask("POST", "/webhooks/shopify?receipts=true", raw, signed(key, raw, topic, webhook))
        assert send("orders/create", "w1", order, b"wrong")[0] == 401
        assert statuses(send("orders/create", "w1", order)[1]) == ["accepted"]
        assert statuses(send("orders/create", "w1", order)[1]) == ["duplicate"]
        assert statuses(send("orders/paid", "w2", order)[1]) == ["duplicate"]
        changed = json.loads(json.dumps(order))
        changed["line_items"][0]["quantity"] = 1
        assert statuses(send("orders/updated", "w3", changed)[1]) == ["accepted"]
        refund = {"id": 5, "order_id": order["id"], "created_at": "2024-05-02T10:00:00Z", "refund_line_items": [
            {"quantity": 1, "subtotal": "1.50", "line_item": {"product_id": 77}}], "transactions": [{"currency": "USD"}]}
        assert statuses(send("refunds/create", "w4", refund)[1]) == ["accepted"]
        customer = {"id": 115310627314723954, "email": "jon@example.com", "tags": "vip", "updated_at": "2024-05-03T00:00:00Z",
                    "default_address": {"country_code": "US"}, "email_marketing_consent": {"state": "not_subscribed"}}
        assert statuses(send("customers/update", "w5", customer)[1]) == ["accepted"]
        product = {"id": 1, "title": "Pod", "product_type": "Audio", "updated_at": "2024-05-03T00:00:00Z",
                   "variants": [{"id": 11, "sku": "IPOD", "price": "199.00"}]}
        assert statuses(send("products/update", "w6", product)[1]) == ["accepted"]
        # Privacy: what is known is handed out, then erased; asked again, nobody is left.
        assert shop.sql(data, "select purpose, granted from consent") == [["marketing", False]]
        assert shop.value(data, "select count(*) from node where value = 'jon@example.com'") == 1
        who = {"shop_domain": "x.myshopify.com", "customer": {"id": 115310627314723954, "email": "jon@example.com"},
               "data_request": {"id": 9999}}
        status, answer, _ = send("customers/data_request", "p1", who)
        assert status == 200 and answer["people"] == 1 and answer["file"] == "exports/data-request-9999.json", answer
        with open(os.path.join(data, answer["file"])) as file:
            known = json.load(file)
        assert known["customer_id"] == "115310627314723954" and len(known["timeline"]) == 3, known
        assert send("customers/redact", "p2", who, b"wrong")[0] == 401
        kept = shop.sql(data, "select order_key, amount_minor, quantity, kind from event where kind < 3 and superseded_at is null"
                              " order by event_id")
        assert kept == [["820982911946154508", 19100, 1, 1], ["820982911946154508", 150, 1, 1],
                        ["820982911946154508", -150, 1, 2]], kept
        status, answer, _ = send("customers/redact", "p3", who)
        assert status == 200 and answer["people"] == 1 and answer["receipt"], answer
        assert server.get(f"/v1/erasures/{answer['receipt']}")["status"] == "done"
        server.get("/v1/customers/115310627314723954", status=404)
        assert not os.path.exists(os.path.join(data, "exports", "data-request-9999.json"))
        assert send("customers/redact", "p4", who)[1]["people"] == 0
        assert send("customers/data_request", "p5", who)[1]["file"] is None
        other = {**order, "id": 2, "customer": {"id": 7, "email": "seven@example.com"}, "email": "seven@example.com"}
        assert statuses(send("orders/create", "w8", other)[1]) == ["accepted"]
        server.post("/v1/track", track(99, "Played Song"))
        status, answer, _ = send("shop/redact", "p6", {"shop_id": 1, "shop_domain": "x.myshopify.com"})
        assert status == 200 and answer["people"] == 1, answer
        server.get("/v1/customers/7", status=404)
        assert server.get("/v1/customers/u1")["events"] == 1
        assert send("themes/publish", "w7", {})[1]["receipts"][0]["code"] == "topic"
    assert shop.sql(data, "select value from node") == [["u1"]]
    with Server(os.path.join(scratch, "none")) as server:
        assert server.ask("POST", "/webhooks/shopify", b"{}")[0] == 403


def test_pixel(scratch):
    """RudderStack's calls as pictures: parameters with dots are nested, numbers among them places in arrays."""
    data = os.path.join(scratch, "pixel")
    key = make_key(data, "write")["key"]
    with Server(data) as server:
        def look(path, query, status=200):
            found, content, headers = server.ask("GET", f"/pixel/v1/{path}?{urllib.parse.urlencode(query)}")
            assert found == status, (found, content)
            return content, headers
        page = {"writeKey": key, "anonymousId": "amp-1", "name": "Home", "context.page.path": "/ctx",
                "properties.path": "/shoes", "context.library.name": "Rudderstack AMP SDK"}
        content, headers = look("page", page)
        assert content[:6] == b"GIF89a" and headers["Content-Type"] == "image/gif", (content, headers)
        look("track", {"writeKey": key, "userId": "u1", "event": "Order Completed", "messageId": "x1", "properties.order_id": "o1",
                       "properties.revenue": "7.5", "properties.currency": "EUR", "properties.products.0.product_id": "p1",
                       "properties.products.0.price": "7.5", "properties.products.1.product_id": "p2", "properties.products.1.price": "0",
                       "properties.products.7.product_id": "no place", "a.b.c.d.e.f.g.h.i.j": "too deep"})
        look("track", {"writeKey": key, "userId": "u1", "event": "Order Completed", "messageId": "x1"})
        look("page", {**page, "writeKey": "wrong"}, status=401)
        look("page", {"anonymousId": "a"}, status=401)
    assert shop.sql(data, "select kind, detail, amount_minor, product_id from event left join item using (item_id) order by event_id") \
        == [[10, "/shoes", None, None], [1, None, 750, "p1"], [1, None, 0, "p2"]]
    assert dict(shop.sql(data, "select connector, rows_duplicate from import_run")) == {"rudderstack": 1}


def test_consent(scratch):
    """Consent is written when it changes, and the browser's signal counts."""
    data = os.path.join(scratch, "consent")
    yes = {"consent": {"categoryPreferences": {"Advertising": True, "Analytics": True, "Weather": True}}}
    no = {"consent": {"categoryPreferences": {"Advertising": False}}}
    with Server(data) as server:
        for i, context in enumerate([yes, yes, no, no, yes]):
            server.post("/v1/track", track(i, "x", context=context))
        server.post("/v1/track", track(9, "x"), headers={"Sec-GPC": "1"})
    assert shop.sql(data, "select purpose, granted from consent order by rowid") == \
        [["advertising", True], ["analytics", True], ["advertising", False], ["advertising", True], ["advertising", False]]


def main():
    with tempfile.TemporaryDirectory() as scratch:
        for test in (test_segment, test_time, test_keys, test_restart, test_quarantine, test_ga4, test_shopify, test_pixel,
                     test_consent):
            test(scratch)


main()
