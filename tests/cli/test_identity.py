"""Who is one person: kinds of identifiers, rules of the shop's own, what other rules would do, taking them up and back."""
import json
import os
import tempfile

import shop
from server import Server


def call(i, kind="track", **more):
    if kind == "track":
        more.setdefault("event", "Product Viewed")
    return {"type": kind, "messageId": str(i), **more}


def rules(scratch, **members):
    return shop.write(scratch, "rules.json", json.dumps(members))


def identity(data, task, *more, status=0):
    done = shop.run("identity", task, "--data", data, "--json", "--quiet", *more, status=status)
    return json.loads(done.stdout) if status == 0 else done.stderr


def test_kinds(scratch):
    """Segment's externalIds, devices and loyalty cards name the person; placeholders among them name nobody."""
    data = os.path.join(scratch, "kinds")
    zeros = "00000000-0000-0000-0000-000000000000"
    with Server(data) as server:
        answer = server.post("/v1/batch?receipts=true", {"batch": [
            call(1, "identify", userId="u1", traits={"loyaltyCard": "L 77"}, context={
                "device": {"id": "dev-1", "advertisingId": zeros, "type": "ios"},
                "externalIds": [{"id": "4711", "type": "Braze_ID", "collection": "users", "encoding": "none"},
                                {"id": "X@Example.org", "type": "email", "collection": "users", "encoding": "none"},
                                {"id": "g9", "type": "group_id", "collection": "users"},
                                {"id": "a9", "type": "crm", "collection": "accounts"},
                                {"id": "null", "type": "crm", "collection": "users"},
                                {"id": "idfa-5", "type": "ios.idfa", "collection": "users", "encoding": "none"}]}),
            call(2, anonymousId="till-1", properties={"loyalty_card": "L 77"}),
            call(3, anonymousId="phone-1", context={"device": {"id": "dev-1"}})]})
        assert {r["status"] for r in answer["receipts"]} == {"accepted"}, answer
        one = server.get("/v1/customers/u1")
        found = {f"{i['kind']}:{i['value']}" for i in one["identities"]}
        assert found == {"user:u1", "loyalty:L 77", "device:dev-1", "external:braze_id:4711", "email:x@example.org",
                         "device:idfa-5", "anonymous:till-1", "anonymous:phone-1"}, found
        # The card says whose the till's visit is, the device who installed the app anew.
        assert server.get("/v1/customers/loyalty:L%2077")["customer_id"] == "u1"
        assert server.get("/v1/customers/external:braze_id:4711")["customer_id"] == "u1"
        assert server.get("/v1/customers/anonymous:phone-1")["customer_id"] == "u1"
    shown = identity(data, "show")
    assert shown["own"] is False and shown["customers"] >= 1, shown
    assert {k["kind"]: k["identities"] for k in shown["kinds"]}["device"] == 2, shown
    # The same card in a file.
    orders = shop.write(scratch, "till.csv", "order_id,loyalty_card,date,amount,currency\nt1,L 77,2024-01-01,9,EUR\n")
    shop.import_json(data, orders)
    assert shop.value(data, "select count(*) from event e join node n using (node_id) where n.kind = 6 and e.kind = 1") == 1
    show = json.loads(shop.run("customer", "show", "u1", "--data", data, "--json").stdout)
    assert show["customer_id"] == "u1"


def family(server):
    """Two users of one address, each with a purchase."""
    calls = []
    for i, user in enumerate(("u1", "u2")):
        calls += [call(f"{user}i", "identify", userId=user, traits={"email": "family@example.org"}),
                  call(f"{user}o", userId=user, event="Order Completed",
                       properties={"order_id": user, "revenue": 10 * (i + 1), "currency": "EUR"})]
    calls.append(call("k1", "identify", userId="u1", anonymousId="kiosk"))
    calls.append(call("k2", "identify", userId="u2", anonymousId="kiosk"))
    server.post("/v1/batch", {"batch": calls})


def test_simulate_and_apply(scratch):
    data = os.path.join(scratch, "rules")
    with Server(data) as server:
        family(server)
    same = identity(data, "simulate")
    assert same["customers"] == {"now": 2, "then": 2} and same["joins"]["groups"] == 0, same
    assert same["splits"]["customers"] == 0 and same["applied"] is False, same
    assert identity(data, "show")["refused"] == 2  # the address and the kiosk, said of both
    wide = rules(scratch, kinds={"user": {"limit": 2}})
    would = identity(data, "simulate", "--rules", wide)
    assert would["customers"] == {"now": 2, "then": 1}, would
    assert would["joins"] == {"groups": 1, "customers": 2, "sample": [
        {"customers": ["u1", "u2"], "n": 2, "by": ["email:family@example.org"]}]}, would
    assert shop.value(data, "select count(*) from link where op > 0") == 2  # nothing was changed
    text = shop.run("identity", "simulate", "--rules", wide, "--data", data).stdout
    assert "2 customers would be 1" in text and "email:family@example.org" in text, text
    # Through the server: taken up, and the next read is of one customer.
    with Server(data) as server:
        assert server.post("/v1/identity/simulate", {"kinds": {"user": {"limit": 2}}}) == would
        status, content, _ = server.ask("PUT", "/v1/identity", {"kinds": {"user": {"limit": 2}}})
        assert status == 200 and content["applied"] is True, content
        assert server.get("/v1/customers/u1")["features"]["monetary_total"] == 30
        assert server.get("/v1/customers/u2")["customer_id"] == "u1"
        assert server.get("/v1/identity")["own"] is True
        status, content, _ = server.ask("PUT", "/v1/identity", {"kinds": {"user": {"limit": "many"}}})
        assert status == 400 and "kinds.user.limit" in content["error"]["message"], content
    assert json.loads(shop.run("customer", "show", "u2", "--data", data, "--json").stdout)["customer_id"] == "u1"
    # Back, and both are as they were; the shop's own word goes before the rules.
    back = identity(data, "simulate")
    assert back["splits"]["customers"] == 1 and back["splits"]["sample"][0]["customer"] == "u1", back
    assert sorted(len(part) for part in back["splits"]["sample"][0]["parts"]) == [1, 3], back
    assert identity(data, "apply")["applied"] is True
    with Server(data) as server:
        assert server.get("/v1/customers/u1")["features"]["monetary_total"] == 10
        assert server.get("/v1/customers/u2")["features"]["monetary_total"] == 20
        server.post("/v1/identities/link", {"a": "u1", "b": "u2"})
    assert identity(data, "simulate")["splits"]["customers"] == 0
    # A blocked value joins nobody, and what comes with it alone is nobody's.
    blocked = rules(scratch, blocked=["email:Family@Example.org"])
    parted = identity(data, "simulate", "--rules", blocked)
    assert parted["splits"]["sample"][0]["parts"][1] == ["email:family@example.org"], parted
    identity(data, "apply", "--rules", blocked)
    with Server(data) as server:
        server.post("/v1/track", call("b1", anonymousId="b", event="Seen", context={"traits": {"email": "family@example.org"}}))
        assert [i["value"] for i in server.get("/v1/customers/b")["identities"]] == ["b"]
    assert "kinds.fax" in identity(data, "simulate", "--rules", rules(scratch, kinds={"fax": {}}), status=65)
    assert "nowhere.json" in identity(data, "simulate", "--rules", "nowhere.json", status=74)


def test_files_keep_the_limits(scratch):
    """An address that two customers of a file share makes nobody one."""
    data = os.path.join(scratch, "files")
    people = shop.write(scratch, "customers.csv", "customer_id,email,country\nc1,both@example.org,DE\nc2,both@example.org,FR\n")
    shop.import_json(data, people)
    shown = identity(data, "show")
    assert shown["customers"] == 2 and shown["refused"] == 1, shown
    assert shop.import_json(data, people)["files"][0]["rows_duplicate"] == 2
    assert shop.value(data, "select count(*) from link where op = 0") == 1


def main():
    with tempfile.TemporaryDirectory() as scratch:
        test_kinds(scratch)
        test_simulate_and_apply(scratch)
        test_files_keep_the_limits(scratch)


main()
