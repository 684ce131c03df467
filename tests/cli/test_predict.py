"""`coterie predict` and `coterie predictions record`: what is said, that nothing sees the future, and how it is scored."""
import csv
import json
import math
import pathlib
import random
import tempfile
import unittest

import shop
from server import Server

CUSTOMERS = 450
SPLIT = "2025-08-01"  # the simulator's two years end later


def json_of(*arguments, status=0):
    return json.loads(shop.run(*arguments, "--json", "--quiet", status=status).stdout)


class Predict(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.TemporaryDirectory()
        cls.addClassCleanup(cls.folder.cleanup)
        cls.root = pathlib.Path(cls.folder.name)
        shop.run("simulate", "--customers", CUSTOMERS, "--seed", "11", "--out", cls.root / "files", "--quiet")
        with open(cls.root / "files" / "orders.csv", encoding="utf-8", newline="") as file:
            rows = list(csv.DictReader(file))
        rows = [row for row in rows if row["customer_id"]]
        rows.sort(key=lambda row: row["ordered_at"])
        cls.before = [row for row in rows if row["ordered_at"] < SPLIT]
        cls.after = [row for row in rows if row["ordered_at"] >= SPLIT]
        cls.last = max(row["ordered_at"] for row in cls.before)[:10]
        assert len(cls.before) > 1000 and len(cls.after) > 1000
        cls.write("before.csv", cls.before)
        cls.write("after.csv", cls.after)

    @classmethod
    def write(cls, name, rows):
        with open(cls.root / name, "w", encoding="utf-8", newline="") as file:
            writer = csv.DictWriter(file, fieldnames=list(rows[0]))
            writer.writeheader()
            writer.writerows(rows)
        return cls.root / name

    def fresh(self, *files):
        data = self.root / f"{self.id().rsplit('.', 1)[1]}-{len(list(self.root.iterdir()))}"
        for file in files:
            shop.run("import", self.root / file, "--data", data, "--quiet")
        return data

    def test_predicted_kept_and_scored(self):
        data = self.fresh("before.csv")
        shop.run("predictions", "record", "--data", data, status=65)
        said = json_of("predict", "--data", data, "--horizon", "30,60", "--folds", "2", "--out",
                       self.root / "all.csv", "--top", "5")
        self.assertEqual([horizon["run"] for horizon in said["horizons"]], [1, 2])
        self.assertTrue(all(horizon["folds"] == 2 for horizon in said["horizons"]))
        again = json_of("predict", "--data", data, "--horizon", "30,60", "--folds", "1")
        self.assertEqual([horizon["run"] for horizon in again["horizons"]], [1, 2])

        tiers = said["tiers"]["rows"]
        self.assertEqual([row["tier"] for row in tiers], list("ABCD"))
        self.assertEqual(sum(row["customers"] for row in tiers), said["customers"])
        self.assertAlmostEqual(sum(row["spend_share"] for row in tiers), 1)
        least = [row["least"] for row in tiers]
        self.assertEqual(least, sorted(least, reverse=True))
        self.assertEqual(len(said["best"]), 5)
        for row in said["retention"]["rows"]:
            self.assertGreater(row["orders"], 1)
            self.assertGreater(row["predictions"][1]["churn"], .5)

        self.check_offers(said["offers"])
        with open(self.root / "all.csv", encoding="utf-8", newline="") as file:
            rows = {row["customer_id"]: row for row in csv.DictReader(file)}
        self.assertEqual(len(rows), said["customers"])
        best = said["best"][0]
        row = rows[best["customer_id"]]
        self.assertAlmostEqual(float(row["spend_60"]), best["predictions"][1]["spend"]["value"], places=2)
        self.assertEqual(row["tier"], "A")
        self.assertAlmostEqual(sum(float(row["spend_30"]) for row in rows.values()),
                               said["horizons"][0]["spend"]["total"], delta=.01 * len(rows))

        one = json_of("predict", "--data", data, "--horizon", "30,60", "--folds", "2", "--customer",
                      best["customer_id"])["customer"]
        self.assertEqual(one, best)
        self.assertIn("days with an order", one["why"][0])
        self.assertTrue(any("within 60 days, as the trees see it: " in line for line in one["why"][1:]))
        self.assertTrue(one["next_order"]["early"] <= one["next_order"]["middle"] <= one["next_order"]["late"])

        shown = json_of("report", "--data", data, "--out", self.root / "report.html")["predictions"]
        self.assertEqual([run["days"] for run in shown["runs"]], [30, 60])
        self.assertEqual(sum(map(sum, shown["matrix"]["customers"])), said["customers"])
        churn = [value for row in shown["matrix"]["churn"] for value in row if value is not None]
        self.assertTrue(0 <= min(churn) < max(churn) <= 1)

        waiting = json_of("predictions", "record", "--data", data)
        self.assertFalse(any(run["scored"] for run in waiting["runs"]))
        shop.run("import", self.root / "after.csv", "--data", data, "--quiet")
        record = json_of("predictions", "record", "--data", data)
        for run, days in zip(record["runs"], (30, 60)):
            self.assertIsNone(run["category"])  # orders alone name no category
            self.check_score(run, rows, days)
        self.assertIn("spend said", shop.run("predictions", "record", "--data", data).stdout)

        victim = best["customer_id"]
        shop.run("forget", victim, "--data", data, "--quiet")
        self.assertEqual(json_of("predictions", "record", "--data", data)["runs"][0]["missing"], 1)
        left = shop.sql(data, "select count(*) from prediction where run_id = 1")[0][0]
        self.assertEqual(left, said["customers"] - 1)

    def check_offers(self, offers):
        """Gains against the orders they come from; the products file names categories."""
        self.assertIn("assumes uplift 0.1", offers["assumes"])
        self.assertIsNone(offers["cross_sell"])  # orders alone name no category
        self.assertEqual(len(offers["up_sell"]), 5)
        gains = [row["gain"] for row in offers["up_sell"]]
        self.assertEqual(gains, sorted(gains, reverse=True))
        for row in offers["up_sell"]:
            self.assertAlmostEqual(row["gain"], .1 * row["orders"] * (row["usual"] - row["order"]))
        data = self.fresh("before.csv", "files/products.csv")
        cross = json_of("predict", "--data", data, "--horizon", "60", "--folds", "1", "--no-keep", "--uplift", "0.5")
        tested = cross["offers"]["cross_sell_tested"]
        cross = cross["offers"]["cross_sell"]
        asked = {question["question"]: question for question in json_of(
            "backtest", "--data", data, "--horizon", "60", "--folds", "1")["horizons"][0]["questions"]}["category_new"]
        scores = {row["name"]: row["score"] for row in asked["candidates"]}
        self.assertEqual(tested["model"], asked["serves"])
        self.assertEqual(tested["score"], min(scores.values()))
        self.assertEqual(tested["naive_score"], min(scores["base_rate"], scores["last_category"]))
        untested = json_of("predict", "--data", data, "--horizon", "700", "--no-keep")["offers"]
        self.assertIsNone(untested["cross_sell"])
        self.assertIsNone(untested["cross_sell_tested"])
        with open(self.root / "files" / "products.csv", encoding="utf-8", newline="") as file:
            category = {row["product_id"]: row["category"] for row in csv.DictReader(file)}
        bought = {}
        for row in self.before:
            if not row["refund_of"]:
                bought.setdefault(row["customer_id"], set()).add(category.get(row["product_id"]))
        self.assertGreater(len(cross), 0)
        for row in cross:
            self.assertNotIn(row["category"], bought[row["customer_id"]])
            self.assertIn(row["because"], bought[row["customer_id"]])
            self.assertTrue(0 < row["follows"] < 1 and 0 < row["chance"] < 1)
            self.assertAlmostEqual(row["gain"], .5 * row["chance"] * row["order"])

    def check_score(self, run, said, days):
        """Scores against sums made here from the files."""
        self.assertTrue(run["scored"])
        self.assertEqual(run["missing"], 0)
        came = {}
        last_day = run["due"]
        for row in self.after:
            if row["ordered_at"][:10] <= last_day and not row["refund_of"] and row["customer_id"] in said:
                came.setdefault(row["customer_id"], set()).add(row["ordered_at"][:10])
        churn = [0 if customer in came else 1 for customer in said]
        self.assertAlmostEqual(run["churn"]["actual"], sum(churn) / len(churn), delta=.01)
        loss = -sum(math.log(max(float(row[f"churn_{days}"]) if gone else 1 - float(row[f"churn_{days}"]), 1e-4))
                    for row, gone in zip(said.values(), churn)) / len(churn)
        self.assertAlmostEqual(run["churn"]["log_loss"], loss, delta=.02)
        self.assertGreater(run["spend"]["coverage"], .7)
        self.assertGreater(run["spend"]["spearman"], .3)
        self.assertEqual(sum(bin["customers"] for bin in run["churn"]["bins"]), run["customers"])

    def test_categories_are_kept_and_scored(self):
        """Scores of the category that each was most likely to buy in next, against the files."""
        data = self.fresh("before.csv", "files/products.csv")
        said = json_of("predict", "--data", data, "--horizon", "60", "--folds", "1")
        rows = shop.sql(data, "select value, next_category, next_category_chance from prediction join node on"
                              " node_id = customer where next_category is not null")
        self.assertGreater(len(rows), .5 * said["customers"])
        shop.run("import", self.root / "after.csv", "--data", data, "--quiet")
        run = json_of("predictions", "record", "--data", data)["runs"][0]
        self.assertEqual(run["models"]["category"], said["offers"]["cross_sell_tested"]["model"])
        with open(self.root / "files" / "products.csv", encoding="utf-8", newline="") as file:
            category = {row["product_id"]: row["category"] for row in csv.DictReader(file)}
        came = {(row["customer_id"], category.get(row["product_id"])) for row in self.after
                if row["ordered_at"][:10] <= run["due"] and not row["refund_of"]}
        outcomes = [((customer, name) in came, chance) for customer, name, chance in rows]
        self.assertAlmostEqual(run["category"]["predicted"], sum(chance for _, chance in outcomes) / len(rows))
        self.assertAlmostEqual(run["category"]["actual"], sum(hit for hit, _ in outcomes) / len(rows), delta=.01)
        self.assertGreater(run["category"]["actual"], 0)
        loss = -sum(math.log(chance if hit else 1 - chance) for hit, chance in outcomes) / len(rows)
        self.assertAlmostEqual(run["category"]["log_loss"], loss, delta=.02)
        self.assertEqual(sum(bin["customers"] for bin in run["category"]["bins"]), len(rows))
        self.assertIn("new category said", shop.run("predictions", "record", "--data", data).stdout)

    def test_nothing_sees_the_future(self):
        """Whatever comes after the day, in whatever order, nothing that is said as of it changes."""
        alone = self.fresh("before.csv", "files/products.csv")
        shuffled = list(self.after)
        random.Random(3).shuffle(shuffled)
        for row in shuffled:
            row["unit_price"] = str(random.Random(row["order_id"]).randint(100, 9999))
        self.write("shuffled.csv", shuffled)
        later = self.fresh("before.csv", "files/products.csv", "after.csv")
        other = self.fresh("before.csv", "files/products.csv", "shuffled.csv")
        options = ("--as-of", self.last, "--horizon", "60", "--folds", "1")
        files = [self.root / f"{name}.csv" for name in ("one", "two", "three")]
        said = [json_of("predict", "--data", data, *options, "--out", file)
                for data, file in zip((alone, later, other), files)]
        for document in said:
            self.assertIsNone(document["horizons"][0]["run"])
            del document["path"]
        self.assertEqual(said[0], said[1])
        self.assertEqual(said[0], said[2])
        self.assertEqual(files[0].read_bytes(), files[1].read_bytes())
        self.assertEqual(files[0].read_bytes(), files[2].read_bytes())
        backtest = [json_of("backtest", "--data", data, "--as-of", self.last, "--horizon", "60", "--folds", "1")
                    for data in (alone, later, other)]
        self.assertEqual({question["question"] for question in backtest[0]["horizons"][0]["questions"]},
                         {"spend", "orders", "churn", "next", "category_again", "category_new"})
        self.assertEqual(backtest[0], backtest[1])
        self.assertEqual(backtest[0], backtest[2])

    def test_served(self):
        data = self.fresh("before.csv")
        with Server(data) as server:
            server.get("/v1/predictions", status=404)
            said = json_of("predict", "--data", data, "--horizon", "30,60", "--folds", "1")  # borrows the server's store
            shown = server.get("/v1/predictions")["runs"]
            self.assertEqual([run["days"] for run in shown], [30, 60])
            for run, horizon in zip(shown, said["horizons"]):
                self.assertEqual(run["customers"], said["customers"])
                self.assertEqual(run["models"]["churn"], horizon["churn"]["model"])
                self.assertAlmostEqual(run["spend"], horizon["spend"]["total"], places=3)
            self.assertEqual([row["tier"] for row in shown[1]["tiers"]], list("ABCD"))
            for shown_tier, tier in zip(shown[1]["tiers"], said["tiers"]["rows"]):
                self.assertEqual(shown_tier["customers"], tier["customers"])
                self.assertAlmostEqual(shown_tier["spend"], tier["spend"], places=3)
            best = said["best"][0]
            one = server.get(f"/v1/customers/{best['customer_id']}/predictions")
            self.assertEqual(one["customer_id"], best["customer_id"])
            for row, expected in zip(one["predictions"], best["predictions"]):
                self.assertEqual(row["spend"], expected["spend"])
                self.assertEqual(row["churn"], expected["churn"])
            server.get("/v1/customers/nobody/predictions", status=404)
            self.assertFalse(server.get("/v1/predictions/record")["runs"][0]["scored"])

    def test_threads_change_nothing(self):
        data = self.fresh("before.csv")
        said = [json_of("predict", "--data", data, "--no-keep", "--horizon", "60", "--folds", "1", "--threads", n) for n in (1, 3)]
        self.assertEqual(said[0], said[1])

    def test_small_shops_are_answered_with_little_confidence(self):
        self.write("small.csv", self.before[:60])
        data = self.fresh("small.csv")
        said = json_of("predict", "--data", data, "--horizon", "30,365")
        self.assertEqual(said["confidence"]["level"], "low")
        self.assertTrue(any("365 days ahead are untested" in reason for reason in said["confidence"]["because"]))
        self.assertTrue(all(row["predictions"][0]["spend"]["value"] >= 0 for row in said["best"]))
        self.assertIsNone(said["horizons"][1]["spend"]["tested"])
        text = shop.run("predict", "--data", data, "--no-keep", "--quiet").stdout
        self.assertIn("Confidence: low, because", text)
        self.assertIn("untested", text)

    def test_errors(self):
        data = self.fresh("before.csv")
        self.assertIn("--horizon is '0'", shop.run("predict", "--data", data, "--horizon", "0", status=64).stderr)
        self.assertIn("nobody", shop.run("predict", "--data", data, "--customer", "nobody", "--horizon", "200",
                                         status=65).stderr)
        self.assertIn("/no/such/folder", shop.run("predict", "--data", data, "--horizon", "200", "--out",
                                                  "/no/such/folder/x.csv", status=74).stderr)
        empty = self.root / "empty"
        self.assertIn(str(empty), shop.run("predict", "--data", empty, status=65).stderr)


if __name__ == "__main__":
    unittest.main()
