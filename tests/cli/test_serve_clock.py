"""A clock that is set back, or far ahead: calls are taken, told apart and found again after a restart, kill -9 included;
prices of the catalogue are made anew when they are old."""
import os
import tempfile

import shop
from clock import LIBRARY, Clock

MINUTE = 60 * 1000
HOUR = 60 * MINUTE


def send(server, *ids):
    answer = server.post("/v1/batch?receipts=true", {"batch": [
        {"type": "track", "userId": f"u{i % 3}", "event": f"event {i}", "messageId": f"m{i}"} for i in ids]})
    return [receipt["status"] for receipt in answer["receipts"]]


def check(server):
    found = server.get("/v1/verify")
    assert found["equal"], found


def test_prices(scratch):
    """What an item usually costs is ten minutes old at most, and is not looked for with every order."""
    def price_level(call):
        server.post("/v1/track", {"type": "track", "userId": "u1", "event": "Product Viewed", "messageId": f"view {call}"})
        return server.get("/v1/customers/u1")["features"]["price_level"]

    def buy(*orders):
        server.post("/v1/batch", {"batch": [
            {"type": "track", "userId": user, "event": "Order Completed", "messageId": f"order {user}", "properties": {
                "order_id": f"of {user}", "currency": "EUR", "products": [
                    {"product_id": product, "category": "c", "price": price, "quantity": 1}]}} for user, product, price in orders]})

    clock = Clock(os.path.join(scratch, "minutes"))
    with clock.serve(os.path.join(scratch, "prices")) as server:
        buy(("u0", "a", 10), ("u1", "b", 20), ("u2", "c", 30))  # with the first money memory is made, prices included
        assert price_level("at once") == 1  # 20 is the median
        buy(("u3", "b", 80), ("u4", "b", 80))
        clock.set(9 * MINUTE)
        assert price_level("soon") == 1
        clock.set(11 * MINUTE)
        calls = 0
        while price_level(f"later {calls}") == 1:
            calls += 1
        assert price_level("at last") == 2.6667, server.get("/v1/customers/u1")  # 80 of the median of 10, 30, 80
        check(server)


def main():
    if not os.path.exists(LIBRARY):
        shop.skip(f"no {LIBRARY}: a build with sanitizers has none")
    with tempfile.TemporaryDirectory() as scratch:
        test_prices(scratch)
        data, clock = os.path.join(scratch, "shop"), Clock(os.path.join(scratch, "offset"))
        with clock.serve(data) as server:
            server.ask("PUT", "/v1/segments/seen", {"rule": "did(any) within 1 days"})
            assert send(server, 1, 2, 3) == ["accepted"] * 3
            clock.set(-5 * HOUR)
            assert send(server, 1, 2, 3) == ["duplicate"] * 3
            assert send(server, 4, 5) == ["accepted"] * 2
            assert server.get("/v1/customers/u1")["events"] == 2  # what is acknowledged is seen
            assert server.get("/v1/segments/seen")["members"] == 3
            check(server)
        server = clock.serve(data)  # still back
        assert send(server, 1, 2, 3, 4, 5) == ["duplicate"] * 5
        assert send(server, 6) == ["accepted"]
        clock.set(-9 * HOUR)
        assert send(server, 6, 7) == ["duplicate", "accepted"]
        check(server)
        server.kill()
        with clock.serve(data) as server:
            assert send(server, *range(1, 8)) == ["duplicate"] * 7
            check(server)
            clock.set(13 * HOUR)  # less than a day after the first
            assert send(server, *range(1, 9)) == ["duplicate"] * 7 + ["accepted"]
            check(server)
        clock.set(0)
        with clock.serve(data) as server:
            assert send(server, *range(1, 10)) == ["duplicate"] * 8 + ["accepted"]
            check(server)
        assert shop.value(data, "select count(*) from event") == 9
        # A day and more later ids are forgotten, on disk, too.
        with clock.serve(data) as server:
            clock.set(60 * HOUR)
            assert send(server, 1, 9) == ["accepted"] * 2
            check(server)
        with clock.serve(data) as server:
            assert send(server, 1, 2) == ["duplicate", "accepted"]
        assert shop.value(data, "select count(*) from event") == 12


main()
