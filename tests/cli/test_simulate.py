"""coterie simulate: files against their truth; the same bytes; import takes in exactly what the truth says."""
import csv
import json
import os
import pathlib
import subprocess
import tempfile
import unittest

COTERIE = os.environ["COTERIE"]
DATA_FILES = {"customers.csv", "products.csv", "orders.csv", "events.csv", "campaigns.csv", "responses.csv",
              "consent.csv"}


def run(*arguments):
    return subprocess.run([COTERIE, *map(str, arguments)], capture_output=True, text=True, timeout=300)


def simulate(folder, *more):
    result = run("simulate", "--out", folder, "--customers", 400, "--seed", 5, "--months", 12, "--json", "--quiet", *more)
    if result.returncode != 0:
        raise AssertionError(result.stderr)
    return json.loads(result.stdout)


def rows(folder, name):
    with open(pathlib.Path(folder) / name, newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


class Simulate(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.addCleanup(self.folder.cleanup)
        self.out = pathlib.Path(self.folder.name) / "shop"

    def test_truth_agrees_with_the_files(self):
        document = simulate(self.out, "--dirty", 0.02)
        self.assertEqual({p.name for p in self.out.iterdir()}, DATA_FILES | {"truth.csv", "truth.json"})
        self.assertEqual(document, json.loads((self.out / "truth.json").read_text()))
        for file in document["files"]:
            found = rows(self.out, file["path"])
            self.assertEqual(len(found), file["rows"], file["path"])
            self.assertEqual(file["rows"], file["accepted"] + file["quarantined"] + file["duplicate"])
            self.assertEqual(sum(file["dirty"].values()), file["quarantined"] + file["duplicate"])
        events = rows(self.out, "events.csv")
        ids = [e["event_id"] for e in events]
        by_name = {f["path"]: f for f in document["files"]}
        self.assertGreater(by_name["events.csv"]["duplicate"], 0)
        self.assertEqual(len(ids) - len(set(ids)), by_name["events.csv"]["duplicate"])
        self.assertGreater(by_name["orders.csv"]["dirty"]["far_date"], 0)

        truth = rows(self.out, "truth.csv")
        self.assertEqual(len(truth), 400)
        self.assertEqual({t["customer_id"] for t in truth},
                         {c["customer_id"] for c in rows(self.out, "customers.csv")} - {""})
        self.assertEqual(sum(int(t["order_lines"]) for t in truth), by_name["orders.csv"]["accepted"])
        self.assertEqual(sum(int(t["events"]) for t in truth), by_name["events.csv"]["accepted"])
        sizes = {}
        for segment in document["segments"]:
            sizes[segment["name"]] = sizes.get(segment["name"], 0) + segment["size"]
        for name, size in sizes.items():
            self.assertEqual(sum(t["segment"] == name for t in truth), size, name)
        self.assertEqual({t["segment"] for t in truth if t["is_outlier"] == "1"}, {"outlier"})

    def test_orders_and_refunds_hang_together(self):
        simulate(self.out, "--dirty", 0)
        products = {p["product_id"] for p in rows(self.out, "products.csv")}
        orders = rows(self.out, "orders.csv")
        sold = {(o["order_id"], o["product_id"]) for o in orders if o["status"] == "paid"}
        refunds = [o for o in orders if o["status"] == "refunded"]
        self.assertGreater(len(refunds), 10)
        for refund in refunds:
            self.assertLess(int(refund["quantity"]), 0)
            self.assertIn((refund["refund_of"], refund["product_id"]), sold)
        self.assertLessEqual({o["product_id"] for o in orders}, products)
        guests = [o for o in orders if o["customer_id"] == ""]
        self.assertGreater(len(guests), 0)
        emails = {c["email"] for c in rows(self.out, "customers.csv")}
        self.assertLessEqual({o["email"] for o in guests}, emails)

    def test_every_device_is_linked_to_its_customer(self):
        simulate(self.out, "--dirty", 0)
        known, seen = set(), set()
        for event in rows(self.out, "events.csv"):
            if event["anonymous_id"]:
                seen.add(event["anonymous_id"])
                if event["customer_id"]:
                    known.add(event["anonymous_id"])
        self.assertGreater(len(seen), 400)
        self.assertEqual(seen, known)

    def test_campaign_arms_are_randomised_and_counted(self):
        document = simulate(self.out)
        responses = rows(self.out, "responses.csv")
        self.assertEqual(len({(r["customer_id"], r["campaign_id"]) for r in responses}), len(responses))
        for campaign in document["campaigns"]:
            mine = [r for r in responses if r["campaign_id"] == campaign["campaign_id"]]
            treated = [r for r in mine if r["arm"] == "treated"]
            self.assertEqual(len(treated), campaign["treated"])
            self.assertEqual(sum(int(r["response"]) for r in treated), campaign["treated_responses"])
            self.assertEqual(len(mine) - len(treated), campaign["control"])
            self.assertLess(abs(len(treated) - len(mine) / 2), 3 * len(mine) ** 0.5)

    def test_same_seed_same_bytes_at_any_number_of_threads(self):
        other = pathlib.Path(self.folder.name) / "other"
        simulate(self.out, "--threads", 1)
        simulate(other, "--threads", 3)
        for path in self.out.iterdir():
            self.assertEqual(path.read_bytes(), (other / path.name).read_bytes(), path.name)
        simulate(other, "--seed", 6)
        self.assertNotEqual((self.out / "orders.csv").read_bytes(), (other / "orders.csv").read_bytes())

    def test_orders_only_and_options(self):
        document = simulate(self.out, "--orders-only", "--segments", 3, "--outliers", 0)
        self.assertEqual({p.name for p in self.out.iterdir()},
                         {"customers.csv", "products.csv", "orders.csv", "truth.csv", "truth.json"})
        self.assertEqual(len({t["segment"] for t in rows(self.out, "truth.csv")}), 3)
        self.assertEqual(len(document["files"]), 3)
        for arguments in (["simulate"], ["simulate", "--out", self.out, "--segments", "99"],
                          ["simulate", "--out", self.out, "--difficulty", "absurd"]):
            self.assertEqual(run(*arguments).returncode, 64, arguments)
        self.assertEqual(run("simulate", "--out", "/dev/null/x").returncode, 74)

    def test_import_accounts_for_every_row_as_the_truth_says(self):
        if run("import", "--help").returncode != 0:
            self.skipTest("skipped: no import command in this build")
        document = simulate(self.out, "--dirty", 0.02)
        result = run("import", self.out, "--data", pathlib.Path(self.folder.name) / "data", "--json", "--quiet")
        self.assertEqual(result.returncode, 0, result.stderr)
        imported = json.loads(result.stdout)
        found = {pathlib.Path(f["path"]).name: f for f in imported["files"]}
        for file in document["files"]:
            got = found[file["path"]]
            for key, expected in (("rows_read", "rows"), ("rows_accepted", "accepted"),
                                  ("rows_quarantined", "quarantined"), ("rows_duplicate", "duplicate")):
                self.assertEqual(got[key], file[expected], f"{file['path']}: {key} of {got}")
        self.assertEqual(imported["customers"], 400)


if __name__ == "__main__":
    unittest.main()
