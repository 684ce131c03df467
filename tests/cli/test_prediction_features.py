"""What was predicted as features: as of any day without a leak, in SQL, in segments, in rules of a running server."""
import csv
import json
import pathlib
import tempfile
import unittest

import shop
from server import Server

CUSTOMERS = 450
DAYS = (30, 90, 365)
NAMES = {f"predicted_{what}_{days}d" for what in ("spend", "orders", "churn") for days in DAYS}
NAMES |= {"predicted_next_order_days", "value_tier"}


def json_of(*arguments, status=0):
    return json.loads(shop.run(*arguments, "--json", "--quiet", status=status).stdout)


def read(path):
    with open(path, encoding="utf-8", newline="") as file:
        return {row["customer_id"]: row for row in csv.DictReader(file)}


def near(feature, value):
    """Features are of single precision."""
    return abs(feature - value) <= 1e-6 * abs(value)


class PredictionFeatures(unittest.TestCase):
    """One shop of two years; it predicts after one and a half, learns the rest, and predicts again."""

    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.TemporaryDirectory()
        cls.addClassCleanup(cls.folder.cleanup)
        cls.root = pathlib.Path(cls.folder.name)
        shop.run("simulate", "--customers", CUSTOMERS, "--seed", "11", "--out", cls.root / "files", "--quiet")
        with open(cls.root / "files" / "orders.csv", encoding="utf-8", newline="") as file:
            rows = [row for row in csv.DictReader(file) if row["customer_id"]]
        rows.sort(key=lambda row: row["ordered_at"])
        for name, chosen in (("before.csv", lambda at: at < "2025-08-01"), ("after.csv", lambda at: at >= "2025-08-01")):
            with open(cls.root / name, "w", encoding="utf-8", newline="") as file:
                writer = csv.DictWriter(file, fieldnames=list(rows[0]))
                writer.writeheader()
                writer.writerows(row for row in rows if chosen(row["ordered_at"]))
        cls.data = cls.root / "shop"
        shop.run("import", cls.root / "before.csv", "--data", cls.data, "--quiet")
        cls.first = json_of("predict", "--data", cls.data, "--folds", "1", "--out", cls.root / "first.csv")
        shop.run("import", cls.root / "after.csv", "--data", cls.data, "--quiet")
        cls.said = {"first": read(cls.root / "first.csv")}

    def export(self, *arguments):
        path = self.root / "features.csv"
        shop.run("features", "export", "--data", self.data, "--out", path, "--quiet", *arguments)
        return read(path)

    def check_says(self, rows, said):
        self.assertGreater(len(said), 300)
        for customer, row in rows.items():
            if customer not in said:
                self.assertFalse(any(row[name] for name in NAMES), row)
                continue
            for days in DAYS:
                for what in ("spend", "orders", "churn"):
                    expected = float(said[customer][f"{what}_{days}"])  # rounded there, single precision here
                    self.assertAlmostEqual(float(row[f"predicted_{what}_{days}d"]), expected,
                                           delta=6e-3 + 1e-6 * expected if what == "spend" else 6e-5)
            self.assertEqual(row["value_tier"], said[customer]["tier"])

    def test_1_as_of_without_a_leak(self):
        day = self.first["as_of"][:10]
        on_the_day = self.export("--as-of", day)
        self.check_says(on_the_day, self.said["first"])
        self.check_says(self.export("--as-of", "2025-09-15"), self.said["first"])
        for row in self.export("--as-of", f"{day}T12:00:00Z").values():  # the run is as of the end of its day
            self.assertFalse(any(row[name] for name in NAMES))
        second = json_of("predict", "--data", self.data, "--folds", "1", "--out", self.root / "second.csv")
        self.assertGreater(second["as_of"], self.first["as_of"])
        self.assertEqual(self.export("--as-of", day), on_the_day)  # to the byte: the later run is not known there
        self.check_says(self.export(), read(self.root / "second.csv"))
        shorter = json_of("predict", "--data", self.data, "--folds", "1", "--horizon", "60", "--no-keep")
        self.assertIsNone(shorter["horizons"][0]["run"])

    def test_2_listed_shown_explained(self):
        listed = {row["name"]: row for row in json_of("features", "list", "--data", self.data)["features"]
                  if row["group"] == "prediction"}
        self.assertEqual(set(listed), NAMES)
        for row in listed.values():
            self.assertEqual(row["purpose"], "analytics")
            if row["name"] != "predicted_next_order_days":
                self.assertGreater(row["coverage"], .9)
        shown = json_of("features", "show", "value_tier", "--data", self.data)
        self.assertEqual([row["name"] for row in shown["categories"]], list("DCBA"))  # by falling frequency
        best = json_of("predict", "--data", self.data, "--folds", "1")["best"][0]
        one = json_of("customer", "show", best["customer_id"], "--data", self.data)
        row = next(row for row in one["features"] if row["feature"] == "predicted_spend_365d")
        self.assertEqual(row["group"], "prediction")
        self.assertGreater(row["percentile"], .97)

    def test_3_segments(self):
        without = json_of("segment", "--data", self.data, "--k", "4")
        self.assertFalse(NAMES & {row["feature"] for row in without["features"]})
        dropped = {row["feature"]: row for row in without["dropped_features"]}
        self.assertEqual(dropped["predicted_spend_365d"]["reason"], "excluded")
        self.assertIn("--with-predictions", dropped["predicted_spend_365d"]["detail"])
        columns = shop.sql(self.data, "select value_tier, predicted_spend_365d, segment from customers order by 2 desc limit 1")
        self.assertEqual(columns[0][0], "A")
        # They are learned from behaviour: what is predicted of people changes nothing.
        plain = self.root / "plain"
        for name in ("before.csv", "after.csv"):
            shop.run("import", self.root / name, "--data", plain, "--quiet")
        sizes = [(row["name"], row["size"]) for row in without["segments"]]
        self.assertEqual([(row["name"], row["size"]) for row in json_of("segment", "--data", plain, "--k", "4")["segments"]],
                         sizes)
        used = {row["feature"] for row in json_of("segment", "--data", self.data, "--k", "4", "--with-predictions")["features"]}
        self.assertTrue(NAMES & used and "recency_days" in used, used)
        alone = json_of("segment", "--data", self.data, "--k", "4", "--features",
                        "value_tier,predicted_spend_90d,predicted_churn_90d")
        self.assertEqual({row["feature"] for row in alone["features"]},
                         {"value_tier", "predicted_spend_90d", "predicted_churn_90d"})

    def test_4_served(self):
        """Rules turn when a run lands, when consent goes, and when people are merged; nothing is told of who withdrew."""
        data = self.root / "served"
        shop.run("import", self.root / "before.csv", "--data", data, "--quiet")
        with Server(data) as server:
            def count(name):
                return server.get(f"/v1/segments/{name}")["members"]

            def put(name, rule):
                status, content, _ = server.ask("PUT", f"/v1/segments/{name}", {"rule": rule})
                self.assertEqual(status, 200, content)
                return content["members"]

            self.assertEqual(put("top", 'feature value_tier = "A"'), 0)
            self.assertEqual(put("leaving", "feature predicted_churn_30d >= 0"), 0)
            said = json_of("predict", "--data", data, "--folds", "1", "--horizon", "30,60")  # borrows the server's store
            tiers = {row["tier"]: row["customers"] for row in said["tiers"]["rows"]}
            self.assertEqual(count("top"), tiers["A"])
            self.assertEqual(count("leaving"), said["customers"])
            entered = "select count(*) from segment_change where segment = 'top' and entered and cause = 'unwatched'"
            self.assertEqual(shop.sql(data, entered)[0][0], tiers["A"])  # found when the command gave the store back
            best, second = (row["customer_id"] for row in said["best"][:2])
            features = server.get(f"/v1/customers/{best}")["features"]
            self.assertEqual(features["value_tier"], "A")
            self.assertTrue(near(features["predicted_spend_30d"], said["best"][0]["predictions"][0]["spend"]["value"]))
            self.assertIsNone(features["predicted_spend_90d"])  # 60 days are told, but are no feature
            before = server.get("/v1/predictions")["runs"][1]
            # Withdrawn: at once, for every reader and in every sum; and back again.
            self.consent(server, best, False, 1)
            self.assertEqual(count("top"), tiers["A"] - 1)
            self.assertIsNone(server.get(f"/v1/customers/{best}")["features"]["value_tier"])
            told = server.get(f"/v1/customers/{best}/predictions", status=404)["error"]["message"]
            self.assertIn("consent", told)
            after = server.get("/v1/predictions")["runs"][1]
            self.assertEqual(after["customers"], before["customers"] - 1)
            self.assertAlmostEqual(before["spend"] - after["spend"], said["best"][0]["predictions"][1]["spend"]["value"], places=2)
            self.consent(server, best, True, 2)
            self.assertEqual(count("top"), tiers["A"])
            self.assertEqual(server.get("/v1/predictions")["runs"][1], before)
            # Merged: the smaller node's word holds; parted: each has their own again.
            own = [server.get(f"/v1/customers/{who}")["features"]["predicted_spend_30d"] for who in (best, second)]
            server.post("/v1/identities/link", {"a": best, "b": second})
            merged = server.get(f"/v1/customers/{best}")["features"]["predicted_spend_30d"]
            self.assertIn(merged, own)
            self.assertEqual(count("top"), tiers["A"] - 1)
            told = server.get(f"/v1/customers/{best}/predictions")["predictions"][0]["spend"]["value"]
            self.assertTrue(near(told, merged), (told, merged))
            server.post("/v1/identities/unlink", {"a": best, "b": second})
            self.assertEqual([server.get(f"/v1/customers/{who}")["features"]["predicted_spend_30d"] for who in (best, second)],
                             own)
            self.assertEqual(count("top"), tiers["A"])
            # Erased: nothing is left.
            shop.run("forget", best, "--data", data, "--quiet")
            self.assertEqual(count("leaving"), said["customers"] - 1)
        with Server(data) as server:
            self.assertEqual(server.get("/v1/segments/leaving")["members"], said["customers"] - 1)

    def consent(self, server, customer, granted, i):
        server.post("/v1/identify", {"type": "identify", "messageId": f"c{i}", "userId": customer,
                                     "context": {"consent": {"categoryPreferences": {"analytics": granted}}}})


if __name__ == "__main__":
    unittest.main()
