"""Rule segments by commands: files with their tests, versions, dry runs, a folder as the whole of them."""
import json
import os
import tempfile

import shop

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


def main():
    with tempfile.TemporaryDirectory() as scratch:
        for test in (test_files,):
            test(scratch)


main()
