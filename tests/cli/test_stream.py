"""The stream of entries and exits: told once, in order, with the cause; resumed over restarts and kill -9; erased people leave it."""
import collections
import json
import os
import socket
import tempfile
import time

import shop
from server import Server, make_key

CAUSES = {"events", "facts", "time", "rule", "unwatched"}


class Stream:
    """Server-sent events, read one by one."""

    def __init__(self, server, last_id=None, query="", key=None, status=200):
        self.connection = server.connect()
        headers = {"Last-Event-ID": last_id} if last_id else {}
        if key:
            headers["Authorization"] = f"Bearer {key}"
        self.connection.request("GET", "/v1/segments/stream" + query, headers=headers)
        self.answer = self.connection.getresponse()
        assert self.answer.status == status, (self.answer.status, self.answer.read())
        self.last_id = last_id
        if status == 200:
            assert self.answer.headers["Content-Type"] == "text/event-stream", self.answer.headers
        else:
            self.error = json.loads(self.answer.read())
            self.close()

    def line(self):
        return self.answer.readline().decode().rstrip("\n")

    def next(self):
        """(event, data); comments are passed over. None at the end."""
        fields = {}
        while True:
            raw = self.answer.readline()
            if raw == b"":
                return None
            line = raw.decode().rstrip("\n")
            if line == "" and fields:
                self.last_id = fields["id"]
                return fields["event"], json.loads(fields["data"])
            if line and not line.startswith(":"):
                name, text = line.split(": ", 1)
                fields[name] = text

    def take(self, n):
        return [self.next() for _ in range(n)]

    def close(self):
        self.answer.close()
        self.connection.close()


def short(events):
    """Sorted: the order of customers within a group is no promise."""
    return sorted((event, data["customer_id"], data["segment"], data["cause"]) for event, data in events)


def call(i, user, event="Product Viewed", **more):
    return {"type": "track", "messageId": f"m{i}", "userId": user, "event": event, **more}


def put(server, name, rule):
    status, content, _ = server.ask("PUT", f"/v1/segments/{name}", {"rule": rule})
    assert status == 200, content
    return content


def members(server, name):
    found, where = [], 0
    while where is not None:
        page = server.get(f"/v1/segments/{name}/members?from={where}&limit=1000")
        found += page["members"]
        where = page["next"]
    return set(found)


def test_causes(scratch):
    data = os.path.join(scratch, "causes")
    with Server(data) as server:
        stream = Stream(server)
        assert stream.next() == ("begin", {"segment": None})
        server.post("/v1/track", call(1, "u1"))
        put(server, "viewers", "did(product_view)")
        (event, first), = stream.take(1)
        assert event == "enter" and first["cause"] == "rule" and first["version"] == 1, first
        assert (first["customer_id"], first["segment"]) == ("u1", "viewers") and "event_ids" not in first
        # An event names itself.
        server.post("/v1/batch", {"batch": [call(2, "u2"), call(3, "u2"), call(4, "u1")]})
        (event, data_2), = stream.take(1)
        ids = [one["event_id"] for one in server.get("/v1/customers/u2/timeline")["events"]]
        assert (event, data_2["customer_id"], data_2["cause"]) == ("enter", "u2", "events")
        assert data_2["event_ids"] == sorted(ids) and len(ids) == 2, (data_2, ids)
        # A trait; an order undone.
        put(server, "gold", 'trait "plan" = "gold"')
        server.post("/v1/identify", {"type": "identify", "messageId": "m5", "userId": "u1", "traits": {"plan": "gold"}})
        assert short(stream.take(1)) == [("enter", "u1", "gold", "facts")]
        # Two made one: who is no customer of their own any more leaves by the id that was told; parted, they come back.
        server.post("/v1/identities/link", {"a": "u1", "b": "u2"})
        assert short(stream.take(1)) == [("exit", "u2", "viewers", "facts")]
        server.post("/v1/identities/unlink", {"a": "u1", "b": "u2"})
        assert short(stream.take(1)) == [("enter", "u2", "viewers", "facts")]
        # Somebody gets an id.
        server.post("/v1/track", {"type": "track", "messageId": "m6", "anonymousId": "browser-7", "event": "Product Viewed"})
        (event, anonymous), = stream.take(1)
        assert event == "enter" and anonymous["customer_id"].startswith("anon-")
        server.post("/v1/identify", {"type": "identify", "messageId": "m7", "userId": "u7", "anonymousId": "browser-7"})
        assert short(stream.take(2)) == [("enter", "u7", "viewers", "facts"),
                                         ("exit", anonymous["customer_id"], "viewers", "facts")]
        # Time; a rule that asks for another one.
        put(server, "now", "did(cart_add) within 0.05 minutes")
        put(server, "both", 'segment "now" and segment "gold"')
        server.post("/v1/track", call(8, "u1", "Product Added"))
        assert short(stream.take(2)) == [("enter", "u1", "both", "events"), ("enter", "u1", "now", "events")]
        assert short(stream.take(2)) == [("exit", "u1", "both", "time"), ("exit", "u1", "now", "time")]
        # Another version, a deletion.
        assert put(server, "viewers", "did(any) and not did(product_view)")["version"] == 2
        changed = stream.take(3)
        assert short(changed) == [("exit", user, "viewers", "rule") for user in ("u1", "u2", "u7")]
        assert all(data["version"] == 2 for _, data in changed)
        assert server.ask("DELETE", "/v1/segments/gold")[0] == 400  # another one asks for it
        assert server.ask("DELETE", "/v1/segments/both")[0] == 200
        assert server.ask("DELETE", "/v1/segments/gold")[0] == 200
        (event, gone), = stream.take(1)
        assert (event, gone["customer_id"], gone["segment"], gone["version"], gone["cause"]) == ("exit", "u1", "gold", 0, "rule")
        stream.close()
        for name in ("stream", "preview"):
            assert server.ask("PUT", f"/v1/segments/{name}", {"rule": "did(any)"})[0] == 400


def test_resume(scratch):
    data = os.path.join(scratch, "resume")
    with Server(data) as server:
        put(server, "a", "did(product_view)")
        put(server, "b", "did(cart_add)")
        stream = Stream(server)
        begin = stream.next() and stream.last_id
        for i in range(150):
            server.post("/v1/track", call(i, f"u{i}", "Product Viewed" if i % 2 == 0 else "Product Added"))
        told = stream.take(150)
        assert [data["customer_id"] for _, data in told] == [f"u{i}" for i in range(150)]
        stream.close()
        # From the beginning, from the middle (by the query), from the end; one segment alone.
        again = Stream(server, begin)
        assert again.next()[0] == "begin" and again.take(150) == told
        end = again.last_id
        again.close()
        middle = f"{end.split('-')[0]}-{int(end.split('-')[1]) - 10}"
        rest = Stream(server, query=f"?last_event_id={middle}")
        assert rest.next()[0] == "begin" and rest.take(10) == told[-10:]
        rest.close()
        only = Stream(server, begin, "?segment=b")
        assert only.next() == ("begin", {"segment": "b"})
        assert [data["customer_id"] for _, data in only.take(75)] == [f"u{i}" for i in range(1, 150, 2)]
        server.post("/v1/batch", {"batch": [call(200, "x1"), call(201, "x1", "Product Added")]})
        assert only.next()[1]["customer_id"] == "x1"
        only.close()
        # What can't be resumed.
        log, number = end.split("-")
        for lost in (f"{'0' * len(log)}-{number}", f"{log}-{int(number) + 1000}"):
            stream = Stream(server, lost)
            event, content = stream.next()
            assert event == "reset" and "members" in content["do"] and content["reason"], content
            server.post("/v1/track", call(f"after {lost}", f"after {lost}"))
            assert stream.next()[1]["customer_id"] == f"after {lost}"
            stream.close()
        assert "last event id" in Stream(server, "nonsense", status=400).error["error"]["message"]
        assert Stream(server, query="?segment=none", status=404).error["error"]["code"]
        last = Stream(server, end)
        last.take(5)  # begin, x1 twice, the two after
        end = last.last_id
        last.close()
    # Over a restart nothing is told anew; what came while nobody watched is told then.
    orders = shop.write(scratch, "o.csv", "order_id,customer_id,order_date,product_id,quantity,unit_price\n"
                                          "o1,z1,2024-01-02,p1,1,10\n")
    with Server(data) as server:
        put(server, "buyers", "did(order_line)")
        stream = Stream(server, end)
        assert stream.next()[0] == "begin"
        shop.run("import", orders, "--data", data, "--quiet")  # the server lends its store
        event, content = stream.next()
        assert (event, content["customer_id"], content["segment"], content["cause"]) == ("enter", "z1", "buyers", "events"), content
        stream.close()
        end = stream.last_id
    shop.run("import", shop.write(scratch, "o2.csv", "order_id,customer_id,order_date,product_id,quantity,unit_price\n"
                                                     "o2,z2,2024-01-02,p1,1,10\n"), "--data", data, "--quiet")
    with Server(data) as server:
        stream = Stream(server, end)
        assert stream.next()[0] == "begin"
        event, content = stream.next()
        ids = [one["event_id"] for one in server.get("/v1/customers/z2/timeline")["events"]]
        assert (event, content["customer_id"], content["cause"], content["event_ids"]) == ("enter", "z2", "events", ids), content
        stream.close()


def test_erasure(scratch):
    data = os.path.join(scratch, "erasure")
    with Server(data) as server:
        put(server, "viewers", "did(product_view)")
        stream = Stream(server)
        stream.next()
        begin = stream.last_id
        server.post("/v1/batch", {"batch": [call(1, "jo-4711"), call(2, "mo-4712")]})
        assert len(stream.take(2)) == 2
        assert server.ask("DELETE", "/v1/customers/jo-4711")[1]["status"] == "done"
        server.post("/v1/track", call(3, "ann"))
        assert stream.next()[1]["customer_id"] == "ann"  # and no exit that would name the erased one
        stream.close()
        again = Stream(server, begin)
        again.next()
        assert [content["customer_id"] for _, content in again.take(2)] == ["mo-4712", "ann"]
        again.close()
    assert shop.value(data, "select count(*) from segment_change") == 2
    assert shop.value(data, "select count(*) from segment_change where customer not in (select node_id from node)") == 0


class Follower:
    """Follows by its last id and keeps what it is told: a set of customers by segment, in which nothing comes twice."""

    def __init__(self):
        self.inside = collections.defaultdict(set)
        self.last_id = None
        self.n = 0

    def follow(self, server, until):
        """Until what it knows is `until(self)`."""
        stream = Stream(server, self.last_id)
        event, content = stream.next()
        assert event == "begin", (event, content)
        self.last_id = self.last_id or stream.last_id
        while not until(self):
            event, content = stream.next()
            assert content["cause"] in CAUSES
            customers = self.inside[content["segment"]]
            assert (event == "enter") == (content["customer_id"] not in customers), (event, content)
            (customers.add if event == "enter" else customers.remove)(content["customer_id"])
            self.last_id = stream.last_id
            self.n += 1
        stream.close()


def test_kill(scratch):
    """kill -9 at any moment: what was acknowledged is told once, and following leads to what is."""
    data = os.path.join(scratch, "kill")
    follower = Follower()
    names = ("a", "b", "c")
    expected = {name: set() for name in names}
    n = 0
    for i_round in range(6):
        server = Server(data)
        try:
            if i_round == 0:
                follower.follow(server, lambda _: True)
                put(server, "a", "did(product_view)")
                put(server, "b", "count(cart_add) = 1")
                put(server, "c", 'segment "a" and not segment "b"')
            for _ in range(25):
                batch = []
                for _ in range(4):
                    n += 1
                    batch.append(call(n, f"u{n * 7919 % 60}", "Product Viewed" if n % 3 else "Product Added"))
                server.post("/v1/batch", {"batch": batch})
            expected = {name: members(server, name) for name in names}
            if i_round % 2 == 0:  # else it is killed with nothing read
                follower.follow(server, lambda one: all(one.inside[name] == expected[name] for name in names))
        finally:
            server.kill()
        with Server(data) as server:
            assert {name: members(server, name) for name in names} == expected
            if i_round % 3 != 0:
                follower.follow(server, lambda one: all(one.inside[name] == expected[name] for name in names))
    with Server(data) as server:
        follower.follow(server, lambda one: all(one.inside[name] == expected[name] for name in names))
        # Nothing is left to be told.
        server.post("/v1/track", call("last", "somebody"))
        follower.follow(server, lambda one: "somebody" in one.inside["a"])
        rows = shop.value(data, "select count(*) from segment_change")
    assert follower.n <= rows == shop.value(data, "select max(change_id) from segment_change"), (follower.n, rows)
    assert follower.n == rows - 1, "the entry into c of somebody is all that was not read"


def streams(server):
    text = server.get("/metrics").decode()
    return int(text.split("\ncoterie_http_streams ")[1].split("\n")[0])


def wait_for(condition):
    deadline = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < deadline


def test_limits(scratch):
    data = os.path.join(scratch, "limits")
    with Server(data, "--max-connections", "40", "--idle-timeout", "2") as server:
        open_ones = [Stream(server) for _ in range(20)]
        wait_for(lambda: streams(server) == 20)
        assert Stream(server, status=503).error["error"]["code"] == "busy"
        quiet = open_ones.pop()
        quiet.take(1)
        assert quiet.line() == ": still here"
        quiet.close()
        for stream in open_ones:
            stream.close()
        wait_for(lambda: streams(server) == 0)  # found out by the heartbeat
        # Who does not read is dropped; memory holds nothing for them.
        server.post("/v1/batch", {"batch": [call(i, f"customer number {i}") for i in range(2000)]})
        host, port = server.url.split("//")[1].split(":")
        slow = socket.socket()
        slow.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        slow.connect((host, int(port)))
        slow.sendall(b"GET /v1/segments/stream HTTP/1.1\r\nHost: x\r\n\r\n")
        wait_for(lambda: streams(server) == 1)
        for i in range(30):
            put(server, "s", "did(any)" if i % 2 == 0 else "not did(any)")
        wait_for(lambda: streams(server) == 0)
        slow.close()
    # They end with the server.
    server = Server(data)
    stream = Stream(server)
    stream.next()
    assert server.stop() == 0
    assert stream.next() is None


def test_keys(scratch):
    data = os.path.join(scratch, "keys")
    keys = {role: make_key(data, role) for role in ("write", "server", "analyst", "admin")}
    with Server(data, "--idle-timeout", "1") as server:
        Stream(server, status=401)
        Stream(server, key=keys["write"]["key"], status=403)
        for role in ("server", "admin"):
            Stream(server, key=keys[role]["key"]).close()
        stream = Stream(server, key=keys["analyst"]["key"])
        stream.next()
        shop.run("keys", "revoke", keys["analyst"]["id"], "--data", data, "--quiet")
        assert stream.next() is None  # with the heartbeat after


def main():
    with tempfile.TemporaryDirectory() as scratch:
        test_causes(scratch)
        test_resume(scratch)
        test_erasure(scratch)
        test_kill(scratch)
        test_limits(scratch)
        test_keys(scratch)


main()
