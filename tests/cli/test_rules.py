"""Rule segments over HTTP: kept in versions, counted live, previewed, explained; they turn with events and with time."""
import datetime
import os
import tempfile
import time

import shop
from server import Server, make_key


def ago(**how):
    return (datetime.datetime.now(datetime.timezone.utc) - datetime.timedelta(**how)).isoformat()


def call(i, user, event="Product Viewed", **more):
    return {"type": "track", "messageId": f"m{i}", "userId": user, "event": event, **more}


def order(i, user, revenue, item, **more):
    return call(i, user, "Order Completed", properties={"order_id": f"o{i}", "revenue": revenue, "currency": "EUR", "products": [
        {"product_id": item, "price": revenue, "quantity": 1, "category": "Shoes" if item < "p3" else "Hats"}]}, **more)


def put(server, name, rule, status=200, **more):
    found, content, _ = server.ask("PUT", f"/v1/segments/{name}", {"rule": rule}, **more)
    assert found == status, (found, content)
    return content


def count(server, name):
    return server.get(f"/v1/segments/{name}")["members"]


def rules_of(server, user):
    return server.get(f"/v1/customers/{user}/segments")["rules"]


def test_live(scratch):
    data = os.path.join(scratch, "live")
    with Server(data) as server:
        server.post("/v1/batch", {"batch": [
            order(1, "u1", 100, "p1", timestamp=ago(days=3)), order(2, "u1", 50, "p5", timestamp=ago(days=400)),
            order(3, "u2", 20, "p1", timestamp=ago(days=1)), call(4, "u3"), call(5, "u3", "Product Added")]})
        assert put(server, "buyers", "did(order_line) within 30 days")["members"] == 2
        assert put(server, "shoes", 'count(order_line where category = "Shoes" and amount >= 50) >= 1')["members"] == 1
        assert put(server, "left", "sequence(cart_add then not order_line within 2 days) within 30 days")["members"] == 0
        assert put(server, "big", 'segment "buyers" and sum(order_line.amount) > 120')["members"] == 1
        assert put(server, "nobody", 'not segment "buyers" and not did(any)')["members"] == 0
        assert rules_of(server, "u1") == ["buyers", "shoes", "big"] or set(rules_of(server, "u1")) == {"buyers", "shoes", "big"}
        # What is acknowledged is seen: by the event, by a correction, by a trait, by a merge.
        server.post("/v1/track", order(6, "u3", 500, "p2"))
        assert set(rules_of(server, "u3")) == {"buyers", "shoes", "big"} and count(server, "buyers") == 3
        server.post("/v1/track", call(7, "u3", "Order Cancelled", properties={"order_id": "o6"}))
        assert rules_of(server, "u3") == [] and count(server, "buyers") == 2
        put(server, "gold", 'trait "plan" = "gold"')
        server.post("/v1/identify", {"type": "identify", "messageId": "m8", "userId": "u2", "traits": {"plan": "Gold"}})
        assert count(server, "gold") == 1 and "gold" in rules_of(server, "u2")
        server.post("/v1/identities/link", {"a": "u1", "b": "u2"})
        assert count(server, "buyers") == 1 and "gold" in rules_of(server, "u1")
        server.post("/v1/identities/unlink", {"a": "u1", "b": "u2"})
        assert count(server, "buyers") == 2 and "gold" not in rules_of(server, "u1")
        # Why in, why not.
        rules = {rule["name"]: rule for rule in server.get("/v1/customers/u2/explain")["rules"]}
        assert rules["big"]["member"] is False
        asked, total = rules["big"]["conditions"]
        assert (asked["condition"], asked["holds"], asked["flips"]) == ('segment "buyers"', True, False)
        assert (total["condition"], total["holds"], total["value"]) == ("sum(order_line.amount) > 120", False, 20)
        assert rules["big"]["flip"] == [total["to_flip"]] and "> 120" in total["to_flip"] and "20" in total["to_flip"]
        events = {event["event_id"]: event for event in server.get("/v1/customers/u2/timeline")["events"]}
        assert [events[i]["order"] for i in total["events"]] == ["o3"]
        buyers = rules["buyers"]["conditions"][0]
        assert buyers["holds"] and "leaves the window" in buyers["to_flip"] and buyers["turns_at"] > events[buyers["events"][0]]["at"]
        # Preview and dry run of an edit.
        seen = server.post("/v1/segments/preview", {"name": "buyers", "rule": "did(order_line) within 2 days or did(cart_add)"})
        assert (seen["customers"], seen["count"], seen["enter"], seen["leave"]) == (3, 2, 1, 1), seen
        assert sorted(seen["sample"]) == ["u2", "u3"], seen
        assert {"name": "buyers", "members": 2, "both": 1} in seen["overlap"], seen
        assert (seen["enter_sample"], seen["leave_sample"]) == (["u3"], ["u1"]), seen
        assert count(server, "buyers") == 2
        members = server.get("/v1/segments/buyers/members?limit=1")
        assert len(members["members"]) == 1
        rest = server.get(f"/v1/segments/buyers/members?from={members['next']}")
        assert sorted(members["members"] + rest["members"]) == ["u1", "u2"] and rest["next"] is None
        # Mistakes say where.
        wrong = put(server, "x", "did(order_line) and\n  count(sale) > 1", status=400)
        assert "line 2, column 9" in wrong["error"]["message"], wrong
        for rule in ('segment "x"', 'segment "none"', ""):
            put(server, "x", rule, status=400)
        assert "itself" in put(server, "buyers", 'segment "big"', status=400)["error"]["message"]
        server.post("/v1/segments/preview", {"rule": 5}, status=400)
        server.get("/v1/segments/x", status=404)
        # Versions.
        changed = put(server, "buyers", "did(order_line) within 2 days")
        assert changed["version"] == 2 and changed["members"] == 1
        assert count(server, "big") == 0  # it asks for buyers
        assert server.ask("DELETE", "/v1/segments/buyers")[0] == 400
        assert server.ask("DELETE", "/v1/segments/big")[0] == 200
        assert server.ask("DELETE", "/v1/segments/big")[0] == 404
        before = {s["name"]: (s["version"], s["members"]) for s in server.get("/v1/segments")["segments"]}
    with Server(data) as server:
        assert {s["name"]: (s["version"], s["members"]) for s in server.get("/v1/segments")["segments"]} == before
        assert put(server, "big", "did(any)")["version"] == 3  # after the deletion, which is a version, too
    versions = shop.sql(data, "select version, rule is null from rule_segment where name = 'big' order by version")
    assert versions == [[1, False], [2, True], [3, False]], versions


def test_time(scratch):
    """Nothing comes, and membership turns when its moment does."""
    data = os.path.join(scratch, "time")
    with Server(data) as server:
        put(server, "now", "did(product_view) within 0.1 minutes")
        put(server, "missed", "sequence(cart_add then not order_line within 0.1 minutes)")
        put(server, "since", "since_last(any) > 0.1 minutes")
        server.post("/v1/batch", {"batch": [call(1, "u1"), call(2, "u2", "Product Added"), call(3, "u3", "Product Added")]})
        server.post("/v1/track", order(4, "u3", 10, "p1"))
        assert rules_of(server, "u1") == ["now"]
        deadline = time.monotonic() + 60
        while (count(server, "now"), count(server, "missed"), count(server, "since")) != (0, 1, 3):
            assert time.monotonic() < deadline, server.get("/v1/segments")
        assert set(rules_of(server, "u2")) == {"missed", "since"} and rules_of(server, "u3") == ["since"]


def test_names_and_properties(scratch):
    """A shop's own events, and what they say, that no rule asked for when they came; from files of a restart, too."""
    data = os.path.join(scratch, "names")
    with Server(data) as server:
        server.post("/v1/batch", {"batch": [
            call(1, "u1", "Video Played", properties={"length": 12, "title": "Boots", "player": {"kind": "Inline"}}),
            call(2, "u1", "Video Played", properties={"length": 3.5, "title": "Hats"}),
            call(3, "u2", "Video Played", properties={"length": "7", "email": "a@b.example.com", "tags": ["x"], "live": True}),
            call(4, "u3", "Quiz Taken"), call(5, "u3", properties={"position": 3, "size": "L"})]})
        assert put(server, "watched", 'did("video played")')["members"] == 2
        assert put(server, "quiz", 'did("Quiz Taken") and not did("Video Played")')["members"] == 1
        # Nothing asked for these before: they are read from the store.
        seen = server.post("/v1/segments/preview", {"rule": 'sum("Video Played".property "length") > 7'})
        assert (seen["count"], seen["sample"]) == (1, ["u1"]), seen
        assert put(server, "long", 'sum("Video Played".property "length") >= 7')["members"] == 2
        assert put(server, "inline", 'did("Video Played" where property "player.kind" = "inline")')["members"] == 1
        assert put(server, "live", 'did(any where property "live" = true)')["members"] == 1
        assert put(server, "large", 'last("Product Viewed".property "size") in ("l", "xl")')["members"] == 1
        assert put(server, "identified", 'did(any where property "email" exists)')["members"] == 0
        server.post("/v1/track", call(6, "u4", "Video Played", properties={"length": 8, "live": False}))
        assert set(rules_of(server, "u4")) == {"watched", "long"}
        explained = {rule["name"]: rule for rule in server.get("/v1/customers/u1/explain")["rules"]}
        assert explained["long"]["conditions"][0]["value"] == 15.5
        assert len(explained["long"]["conditions"][0]["events"]) == 2
        said = server.get("/v1/customers/u1/timeline")["events"][-1]["properties"]
        assert said == {"length": 12, "title": "Boots", "player.kind": "Inline"}, said
        verified = server.get("/v1/verify")
        assert verified["equal"] is True, verified
        before = {s["name"]: s["members"] for s in server.get("/v1/segments")["segments"]}
    kept = [row[0] for row in shop.sql(data, "select properties from event where properties is not null")]
    assert not any("b.example.com" in text for text in kept), kept
    with Server(data) as server:
        assert {s["name"]: s["members"] for s in server.get("/v1/segments")["segments"]} == before


def test_properties_of_files(scratch):
    """Columns of event files that mean nothing else are properties, too."""
    data = os.path.join(scratch, "files")
    csv = shop.write(scratch, "events.csv", "user_id,event,timestamp,video_length,Quality,email\n"
                     "u1,Video Played,2026-01-05 10:00:00,\"12,5\",HD,a@b.example.com\nu2,Video Played,2026-01-05 10:00:00,\"3,0\",,\n")
    lines = shop.write(scratch, "events.jsonl", '{"userId":"u3","type":"track","event":"Video Played","timestamp":"2026-01-06T10:00:00Z",'
                       '"properties":{"video_length":40,"Quality":"SD","live":true}}\n')
    shop.import_json(data, csv, "--map", "Quality=property:quality")
    shop.import_json(data, lines)
    kept = shop.sql(data, "select properties from event order by event_id")
    assert [row[0] for row in kept] == ['{"video_length":12.5,"quality":"HD"}', '{"video_length":3.0}',
                                        '{"video_length":40.0,"Quality":"SD","live":true}'], kept
    with Server(data) as server:
        assert put(server, "long", 'max("Video Played".property "video_length") > 10')["members"] == 2
        assert put(server, "hd", 'did(custom where property "quality" = "hd")')["members"] == 1


def test_what_is_said_of_items(scratch):
    """A product gets another category: who had to do with it is looked at again."""
    data = os.path.join(scratch, "items")
    with Server(data) as server:
        server.post("/v1/batch", {"batch": [call(i, f"u{i}", properties={"product_id": f"p{i % 2}"}) for i in range(4)]})
        assert put(server, "boots", 'did(product_view where category = "Boots")')["members"] == 0
        for category, members in (("Boots", 2), ("Hats", 0), ("Boots", 2)):
            server.ask("PUT", "/v1/products", {"products": [{"product_id": "p1", "category": category}]})
            assert count(server, "boots") == members, category
        assert rules_of(server, "u1") == ["boots"] and rules_of(server, "u2") == []


def test_many_references(scratch):
    """Rules that name each other often are checked in no time."""
    data = os.path.join(scratch, "many")
    with Server(data) as server:
        put(server, "s0", "did(any)")
        for i in range(1, 30):
            put(server, f"s{i}", " and ".join([f'segment "s{i - 1}"'] * 20))
        began = time.monotonic()
        assert "itself" in put(server, "s0", 'segment "s29"', status=400)["error"]["message"]
        assert time.monotonic() - began < 5


def test_roles(scratch):
    data = os.path.join(scratch, "roles")
    keys = {role: make_key(data, role)["key"] for role in ("write", "server", "analyst")}
    with Server(data) as server:
        put(server, "a", "did(any)", status=403, key=keys["server"])
        put(server, "a", "did(any)", key=keys["analyst"])
        server.get("/v1/segments", key=keys["server"])
        server.get("/v1/segments", status=403, key=keys["write"])
        server.get("/v1/customers/u1", status=403, key=keys["analyst"])


def main():
    with tempfile.TemporaryDirectory() as scratch:
        for test in (test_live, test_time, test_names_and_properties, test_properties_of_files, test_what_is_said_of_items, test_many_references,
                     test_roles):
            test(scratch)


main()
