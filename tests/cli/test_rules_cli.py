"""Rule segments by commands: files with their tests, versions, dry runs, a folder as the whole of them."""
import datetime
import json
import os
import tempfile

import shop
from server import Server, make_key

SPENDERS = """# the spring mailing
segment "big spenders"
rule sum(order_line.amount) within 30 days > 200
test "two orders, and a month later" at 2026-01-31 12:00
  given order_line 3 days ago item "p1" amount 150
  given order_line 2026-01-20 amount 80
  expect member
  expect not member 30 days later
"""


def test_files(scratch):
    """Tests in files need no shop; what fails is told with its place and why."""
    folder = os.path.join(scratch, "files")
    os.mkdir(folder)
    right = shop.write(folder, "b.segment", SPENDERS)
    shop.write(folder, "notes.txt", "not a segment")
    done = shop.run("rules", "test", right)
    assert done.stdout == "1 file, 1 tests: 1 passed, 0 failed\n", done.stdout
    wrong = shop.write(folder, "a.segment", SPENDERS.replace("expect member", "expect not member"))
    done = shop.run("rules", "test", folder, status=65)
    assert f"{wrong}:7: test \"two orders, and a month later\" at 2026-01-31T12:00:00Z: expected not member, found member" \
        in done.stdout and "sum(order_line.amount) within 30 days > 200  (230)" in done.stdout, done.stdout
    broken = shop.write(folder, "c.segment", "segment \"c\"\nrule did(sale)")
    document = json.loads(shop.run("rules", "test", folder, "--json", status=65).stdout)
    assert (document["tests"], document["failed"], document["unusable"]) == (2, 1, 1), document
    assert [os.path.basename(file["path"]) for file in document["files"]] == ["a.segment", "b.segment", "c.segment"]
    failure = document["files"][0]["failures"][0]
    assert (failure["line"], failure["found"]) == (7, "member") and failure["conditions"][0]["value"] == 230, failure
    assert f"'{broken}': line 2, column 10: 'sale'" in document["files"][2]["error"], document
    assert "No such file" in shop.run("rules", "test", os.path.join(folder, "none"), status=65).stderr
    assert "262144 are the limit" in shop.run("rules", "test", shop.write(folder, "d.segment", "#" * 262145), status=65).stdout
    empty = os.path.join(scratch, "empty")
    os.mkdir(empty)
    assert "ends with .segment" in shop.run("rules", "test", empty, status=65).stderr


def folder_of(scratch, name, **files):
    folder = os.path.join(scratch, name)
    os.makedirs(folder, exist_ok=True)
    for file, text in files.items():
        shop.write(folder, f"{file}.segment", text)
    return folder


def rules(data, *arguments, status=0):
    """The document of a command."""
    done = shop.run("rules", *arguments, "--data", data, "--json", "--quiet", status=status)
    return json.loads(done.stdout)


def refused(data, *arguments, status=65):
    """What a command says that ends with this status."""
    return shop.run("rules", *arguments, "--data", data, "--quiet", status=status).stderr


def make_shop(scratch, name):
    """Ann 150 and 80 within the last days, Bob 90, Cat 500 long ago."""
    now = datetime.datetime.now(datetime.timezone.utc)
    rows = [("ann", 3, 150), ("ann", 9, 80), ("bob", 5, 90), ("cat", 200, 500)]
    orders = shop.write(scratch, f"{name}.csv", "customer_id,order_id,date,amount\n" + "".join(
        f"{who},{who}{days},{(now - datetime.timedelta(days=days)).strftime('%Y-%m-%d')},{amount}\n" for who, days, amount in rows))
    data = os.path.join(scratch, name)
    shop.import_json(data, orders)
    return data


def segment(name, rule, tests=""):
    return f'segment "{name}"\nrule\n  {rule}\n{tests}'


def test_versions(scratch):
    """Put, shown, changed, taken back, deleted, brought back: every version stays."""
    data = make_shop(scratch, "versions")
    first = SPENDERS
    folder = folder_of(scratch, "versions-files", big=first)
    path = os.path.join(folder, "big.segment")
    assert shop.run("rules", "list", "--data", data).stdout.startswith("no segments by rule")
    put = rules(data, "put", "big spenders", path)
    assert (put["version"], put["action"], put["tests"]) == (1, "added", 1), put
    assert rules(data, "put", "big spenders", path)["action"] == "unchanged"
    assert shop.run("rules", "show", "big spenders", "--data", data).stdout == first
    listed = rules(data, "list")["segments"]
    assert [(s["name"], s["version"], s["members"]) for s in listed] == [("big spenders", 1, 1)], listed
    assert rules(data, "members", "big spenders")["members"] == ["ann"]

    shop.write(folder, "big.segment", segment("big spenders", "sum(order_line.amount) > 200"))
    seen = rules(data, "preview", path)
    assert (seen["customers"], seen["count"], seen["enter"], seen["leave"]) == (3, 2, 1, 0), seen
    assert seen["enter_sample"] == ["cat"] and seen["leave_sample"] == [], seen
    assert "1 would enter: cat\n" in shop.run("rules", "preview", path, "--data", data).stdout
    seen = rules(data, "preview", path, "--name", "another")
    assert (seen["name"], seen["enter"]) == ("another", 2), seen
    assert rules(data, "put", "big spenders", path)["version"] == 2
    assert shop.run("rules", "members", "big spenders", "--data", data).stdout.split() == ["ann", "cat"]
    assert rules(data, "members", "big spenders", "--limit", "1")["members"] == ["ann"]
    assert shop.run("rules", "show", "big spenders", "--version", 1, "--data", data).stdout == first

    assert rules(data, "put", "big spenders", "--from-version", 1)["version"] == 3
    assert rules(data, "list")["segments"][0]["members"] == 1
    text = shop.run("rules", "list", "--data", data).stdout
    assert "big spenders" in text and "can't be read" not in text, text
    assert rules(data, "delete", "big spenders")["version"] == 4
    assert rules(data, "list")["segments"] == []
    assert rules(data, "put", "big spenders", "--from-version", 2)["action"] == "added"
    history = rules(data, "history", "big spenders")["versions"]
    assert [(v["version"], v["rule"] is None, v["source"] == first) for v in history] == [
        (5, False, False), (4, True, False), (3, False, True), (2, False, False), (1, False, True)], history
    assert all(v["created_by"].startswith("user ") and v["created_at"].endswith("Z") for v in history), history
    assert "(deleted)" in shop.run("rules", "history", "big spenders", "--data", data).stdout


def test_errors(scratch):
    """What can't be done says why, and changes nothing."""
    data = make_shop(scratch, "errors")
    folder = folder_of(scratch, "errors-files", wrong=SPENDERS.replace("expect member", "expect not member"),
                       asks=segment("a", 'segment "none"'), good=segment("good", "did(order_line)"),
                       over=segment("over", 'segment "good"'), itself=segment("good", 'segment "over"'),
                       stream=segment("stream", "did(any)"))
    path = {name: os.path.join(folder, f"{name}.segment") for name in ("wrong", "asks", "good", "over", "itself", "stream")}
    said = refused(data, "put", "big spenders", path["wrong"])
    assert f"'{path['wrong']}': line 7: test" in said and "expects not member and finds member" in said, said
    assert 'no segment "none"' in refused(data, "put", "a", path["asks"])
    assert "holds segment 'good', not 'bad'" in refused(data, "put", "bad", path["good"], status=64)
    assert "path of its own" in refused(data, "put", "stream", path["stream"], status=64)
    assert "--from-version, one of the two" in refused(data, "put", "good", status=64)
    assert "--from-version, one of the two" in refused(data, "put", "good", path["good"], "--from-version", 1, status=64)
    assert "never was one" in refused(data, "history", "good")
    assert "never was one" in refused(data, "show", "good")
    assert "no version 7" in (rules(data, "put", "good", path["good"]), refused(data, "put", "good", "--from-version", 7))[1]
    rules(data, "put", "over", path["over"])
    assert "itself" in refused(data, "put", "good", path["itself"])
    assert "'over' asks for it" in refused(data, "delete", "good", status=64)
    assert "no segment 'none'" in refused(data, "delete", "none")
    assert "no segment 'none': 'coterie rules list'" in refused(data, "members", "none")
    rules(data, "delete", "over")
    assert "is its deletion" in refused(data, "show", "over")
    assert "is its deletion" in refused(data, "put", "over", "--from-version", 2)
    assert [(s["name"], s["version"]) for s in rules(data, "list")["segments"]] == [("good", 1)]
    assert "nowhere" in refused(os.path.join(scratch, "nowhere"), "list")


def test_sync(scratch):
    """The folder is the whole of the segments: in the order in which they ask for each other, wholly or not at all."""
    data = make_shop(scratch, "sync")
    folder = folder_of(scratch, "sync-files", a=segment("top", 'segment "buyers" and sum(order_line.amount) > 200'),
                       b=segment("buyers", "did(order_line) within 30 days"), big=SPENDERS)
    other = folder_of(scratch, "other", x=segment("other", "did(any)"), y=segment("other top", 'segment "other"'))
    rules(data, "sync", other)

    def actions(document):
        return {s["name"]: s["action"] for s in document["segments"]}

    dry = rules(data, "sync", folder, "--dry-run")
    assert actions(dry) == {"top": "added", "buyers": "added", "big spenders": "added", "other": "deleted", "other top": "deleted"}
    by_name = {s["name"]: s for s in dry["segments"]}
    assert (by_name["buyers"]["enter"], by_name["top"]["enter_sample"], by_name["other"]["leave"]) == (2, ["ann"], 3), dry
    assert {s["name"] for s in rules(data, "list")["segments"]} == {"other", "other top"}
    assert shop.value(data, "select count(*) from rule_segment") == 2
    done = rules(data, "sync", folder)
    assert actions(done) == actions(dry) and [s["name"] for s in done["segments"]].index("buyers") < \
        [s["name"] for s in done["segments"]].index("top"), done
    again = rules(data, "sync", folder)
    assert (again["unchanged"], again["added"], again["changed"], again["deleted"]) == (3, 0, 0, 0), again
    assert shop.value(data, "select count(*) from rule_segment") == 2 + 5
    assert {s["name"]: s["members"] for s in rules(data, "list")["segments"]} == {"buyers": 2, "top": 1, "big spenders": 1}

    # Who asks for whom is turned round: taken in the order of the new files.
    folder_of(scratch, "sync-files", a=segment("top", "sum(order_line.amount) > 200"),
              b=segment("buyers", 'segment "top" or did(order_line) within 30 days'))
    assert (rules(data, "sync", folder)["changed"], rules(data, "list")["segments"][-1]["members"]) == (2, 3)

    # Nothing of a folder in which anything is wrong.
    for text, words in ((segment("c", "did(sale)"), "'sale'"), (segment("top", "did(any)"), "both hold segment 'top'"),
                        (segment("c", 'segment "none"'), "which no file of the folder holds"),
                        (SPENDERS.replace("big spenders", "c").replace("expect member", "expect not member"), "finds member"),
                        (segment("preview", "did(any)"), "path of its own")):
        folder_of(scratch, "sync-files", c=text, b=segment("buyers", "did(any)"))
        assert words in refused(data, "sync", folder, status=64 if "own" in words else 65), words
    folder_of(scratch, "sync-files", c=segment("c", 'segment "buyers"'), b=segment("buyers", 'segment "c"'))
    assert "in a circle" in refused(data, "sync", folder)
    assert {s["name"]: s["version"] for s in rules(data, "list")["segments"]} == {"buyers": 2, "top": 2, "big spenders": 1}
    assert "is no folder" in refused(data, "sync", os.path.join(folder, "c.segment"), status=64)
    assert "would be deleted" in refused(data, "sync", folder_of(scratch, "nothing"))


def test_server(scratch):
    """A command on the data directory of a running server: the server has what changed, and names who did it."""
    data = make_shop(scratch, "server")
    folder = folder_of(scratch, "server-files", big=segment("big spenders", "sum(order_line.amount) > 200"))
    key = make_key(data, "admin")
    with Server(data) as server:
        server.key = key["key"]
        rules(data, "sync", folder)
        assert server.get("/v1/segments/big%20spenders")["members"] == 2
        found, _, _ = server.ask("PUT", "/v1/segments/big%20spenders", {"rule": "sum(order_line.amount) > 400"})
        assert found == 200
        versions = server.get("/v1/segments/big%20spenders/versions")["versions"]
        assert [(v["version"], v["created_by"].split()[0], v["source"] is None) for v in versions] == [
            (2, "key", True), (1, "user", False)], versions
        assert versions[0]["created_by"] == f"key {key['id']}" and key["key"] not in json.dumps(versions)
        server.get("/v1/segments/none/versions", status=404)
        # A rule that came alone is shown as a file that can be put.
        text = shop.run("rules", "show", "big spenders", "--data", data, "--quiet").stdout
        path = shop.write(folder, "big.segment", text)
        assert rules(data, "put", "big spenders", path)["version"] == 3
        assert server.get("/v1/segments/big%20spenders")["version"] == 3
        assert rules(data, "list")["segments"][0]["members"] == 1
        assert rules(data, "put", "big spenders", "--from-version", 1)["version"] == 4
        assert server.get("/v1/segments/big%20spenders")["members"] == 2
        rules(data, "delete", "big spenders")
        server.get("/v1/segments/big%20spenders", status=404)
        # Files by the API: their tests have to pass there, too.
        for source, words in ((SPENDERS.replace("expect member", "expect not member"), "line 7: test"),
                              (SPENDERS.replace("sum", "som"), "line 3, column 6"), (segment("b", "did(any)"), "holds segment 'b'"),
                              (5, "one of the two")):
            found, content, _ = server.ask("PUT", "/v1/segments/big%20spenders", {"source": source})
            assert found == 400 and words in content["error"]["message"], (found, content)
        found, content, _ = server.ask("PUT", "/v1/segments/big%20spenders", {"source": SPENDERS})
        assert (found, content["version"], content["members"]) == (200, 6, 1), content
        assert shop.run("rules", "show", "big spenders", "--data", data, "--quiet").stdout == SPENDERS


def main():
    with tempfile.TemporaryDirectory() as scratch:
        for test in (test_files, test_versions, test_errors, test_sync, test_server):
            test(scratch)


main()
