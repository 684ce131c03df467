"""Daily snapshots at the shop's midnight: sizes, revenue, movement; missed days made up for where that is true, else missing."""
import datetime
import json
import os
import tempfile
import time

import shop
from clock import LIBRARY, Clock
from server import Server


def ms(text):
    return int(datetime.datetime.fromisoformat(text + "+00:00").timestamp() * 1000)


def go_to(clock, moment):
    clock.set(ms(moment) - int(time.time() * 1000))


def order(i, user, revenue, at):
    return {"type": "track", "messageId": f"m{i}", "userId": user, "event": "Order Completed", "timestamp": at + "Z",
            "properties": {"order_id": f"o{i}", "revenue": revenue, "currency": "EUR",
                           "products": [{"product_id": "p1", "price": revenue, "quantity": 1}]}}


def put(server, name, rule):
    assert server.ask("PUT", f"/v1/segments/{name}", {"rule": rule})[0] == 200


def days_of(server, name, last_day=None):
    """{day: row} once last_day is there."""
    deadline = time.monotonic() + 60
    while True:
        server.get("/v1/segments")  # a reader lets time pass
        status, content, _ = server.ask("GET", f"/v1/segments/{name}/history?days=1000")
        if status == 200:
            (segment,) = content["segments"]
            days = {day["day"]: day for day in segment["days"]}
            assert list(days) == sorted(days)
            if last_day is None or last_day in days:
                return days
        assert time.monotonic() < deadline, content


def numbers(day):
    return [day[key] for key in ("size", "entered", "exited", "revenue_30", "revenue_365")]


NOTHING = [None] * 5


def test_days(scratch):
    data, clock = os.path.join(scratch, "shop"), Clock(os.path.join(scratch, "offset"))
    os.environ.update(LD_PRELOAD=LIBRARY, COTERIE_CLOCK=clock.path)  # of all that is started from here on
    go_to(clock, "2026-03-10T12:00:00")
    with Server(data) as server:
        put(server, "recent", "did(order_line) within 30 days")
        put(server, "all", "did(any)")
        server.post("/v1/batch", {"batch": [
            order(1, "u1", 100, "2026-03-09T10:00:00"), order(2, "u2", 50, "2026-02-20T10:00:00"),
            order(3, "u3", 20, "2025-12-01T10:00:00"), order(4, "u4", 7, "2025-01-01T10:00:00")]})
        assert server.ask("GET", "/v1/segments/recent/history")[0] == 404
        go_to(clock, "2026-03-11T00:00:30")
        days = days_of(server, "recent", "2026-03-10")
        assert list(days) == ["2026-03-10"] and days["2026-03-10"]["as_of"] == "2026-03-11T00:00:00Z"
        assert numbers(days["2026-03-10"]) == [2, None, None, 150, 150], days
        assert numbers(days_of(server, "all")["2026-03-10"]) == [4, None, None, 150, 170]
        # As the features count it.
        spent = [server.get(f"/v1/customers/u{i}")["features"] for i in range(1, 5)]
        assert sum(one["spend_30d"] for one in spent) == 150 and sum(one["spend_365d"] for one in spent) == 170
        # Who came after midnight is of the next day; a refund counts when it comes.
        server.post("/v1/batch", {"batch": [order(5, "u3", 5, "2026-03-11T00:00:20"), order(6, "u5", 1, "2026-03-10T23:00:00")]})
        server.post("/v1/track", {"type": "track", "messageId": "m7", "userId": "u1", "event": "Order Refunded",
                                  "timestamp": "2026-03-11T00:00:25Z",
                                  "properties": {"order_id": "o1", "total": 30, "currency": "EUR"}})
        go_to(clock, "2026-03-12T09:00:00")
        days = days_of(server, "recent", "2026-03-11")
        assert numbers(days["2026-03-11"]) == [4, 2, 0, 126, 146] and numbers(days["2026-03-10"])[0] == 2, days
        put(server, "recent", "did(order_line where amount > 2) within 30 days")
    # Nobody serves for twelve days on which nothing is recorded: time alone turns who is where, and that is known.
    go_to(clock, "2026-03-24T10:00:00")
    with Server(data) as server:
        days = days_of(server, "recent", "2026-03-23")
        assert len(days) == 14 and all(day["size"] is not None for day in days.values()), days
        assert numbers(days["2026-03-12"]) == [3, 0, 1, 125, 145] and days["2026-03-12"]["version"] == 2
        assert numbers(days["2026-03-21"]) == [3, 0, 0, 125, 145]
        assert numbers(days["2026-03-22"]) == [2, 0, 1, 75, 95], "u2's order is 30 days old"
        assert days["2026-03-22"]["as_of"] == "2026-03-23T00:00:00Z"
    # Something is recorded in between: what was known before it can't be told any more.
    go_to(clock, "2026-03-26T10:00:00")
    shop.run("import", shop.write(scratch, "o.csv", "order_id,customer_id,order_date,product_id,quantity,unit_price\n"
                                                    "x1,u9,2026-03-20,p1,1,10\n"), "--data", data, "--currency", "EUR", "--quiet")
    go_to(clock, "2026-03-28T10:00:00")
    server = Server(data)
    days = days_of(server, "recent", "2026-03-27")
    assert [numbers(days[f"2026-03-{day}"]) for day in (24, 25)] == [NOTHING, NOTHING], days
    assert numbers(days["2026-03-26"]) == [3, None, None, 85, 105], "u9 is new; the day before is not known"
    assert numbers(days["2026-03-27"]) == [3, 0, 0, 85, 105]
    server.kill()
    with Server(data) as server:
        assert days_of(server, "recent") == days
        assert server.ask("DELETE", "/v1/customers/u9")[1]["status"] == "done"
        go_to(clock, "2026-03-29T00:00:10")
        after = days_of(server, "recent", "2026-03-28")
        assert numbers(after["2026-03-28"]) == [2, 0, 0, 75, 95], "who was erased is in no movement"
        assert {day: after[day] for day in days} == days
    document = json.loads(shop.run("segment", "history", "recent", "--days", "2", "--data", data, "--json", "--quiet").stdout)
    assert [day["day"] for day in document["segments"][0]["days"]] == ["2026-03-27", "2026-03-28"]
    assert document["currency"] == "EUR" and document["segments"][0]["segment_id"] is None
    document = json.loads(shop.run("segment", "history", "--days", "100", "--data", data, "--json", "--quiet").stdout)
    assert [segment["name"] for segment in document["segments"]] == ["all", "recent"]
    table = shop.run("segment", "history", "recent", "--days", "3", "--data", data, "--quiet").stdout
    assert "2026-03-28" in table and "recent" in table
    shop.run("segment", "history", "recent", "--data", data, "--quiet", status=64)
    shop.run("segment", "history", "none", "--days", "3", "--data", data, "--quiet", status=65)


def test_zone(scratch):
    """Days end when the shop's do, on the day of 23 hours, too."""
    data, clock = os.path.join(scratch, "zone"), Clock(os.path.join(scratch, "offset"))
    go_to(clock, "2026-03-28T12:00:00")
    shop.run("import", shop.write(scratch, "z.csv", "order_id,customer_id,order_date,product_id,quantity,unit_price\n"
                                                    "x1,u9,2026-03-20,p1,1,10\n"), "--data", data, "--currency", "EUR",
             "--time-zone", "Europe/Berlin", "--quiet")
    with Server(data) as server:
        put(server, "all", "did(any)")
        go_to(clock, "2026-03-30T12:00:00")
        days = days_of(server, "all", "2026-03-29")
    with Server(data) as server:
        go_to(clock, "2026-03-30T22:00:01")
        days = days_of(server, "all", "2026-03-30")
    assert {day: row["as_of"] for day, row in days.items()} == {
        "2026-03-28": "2026-03-28T23:00:00Z", "2026-03-29": "2026-03-29T22:00:00Z", "2026-03-30": "2026-03-30T22:00:00Z"}


def main():
    if not os.path.exists(LIBRARY):
        shop.skip(f"no {LIBRARY}: a build with sanitizers has none")
    with tempfile.TemporaryDirectory() as scratch:
        test_days(scratch)
        test_zone(scratch)


main()
