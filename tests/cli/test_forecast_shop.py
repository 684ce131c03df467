"""`coterie forecast`: a shop's demand as a tree that adds up, on a real shop and on simulated ones; nothing sees what is to come."""
import csv
import datetime
import json
import os
import pathlib
import random
import subprocess
import tempfile
import unittest

COTERIE = os.environ["COTERIE"]
DATASETS = pathlib.Path(os.environ.get("COTERIE_DATASETS", "../shared/data"))
RETAIL = DATASETS / "online_retail" / "online_retail.csv.gz"


def coterie(*arguments):
    return subprocess.run([COTERIE, *map(str, arguments), "--quiet"], capture_output=True, text=True, timeout=300)


class Forecast(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.addCleanup(self.folder.cleanup)
        self.shop = pathlib.Path(self.folder.name) / "shop"

    def imported(self, path, shop=None):
        done = coterie("import", path, "--data", shop or self.shop)
        self.assertEqual(done.returncode, 0, done.stderr)

    def forecast(self, *arguments, shop=None):
        done = coterie("forecast", "--data", shop or self.shop, "--json", *arguments)
        self.assertEqual(done.returncode, 0, done.stderr)
        return json.loads(done.stdout)

    def simulated(self, **options):
        folder = pathlib.Path(self.folder.name) / "files"
        done = coterie("simulate", "--out", folder, "--orders-only",
                       *(word for key, value in options.items() for word in (f"--{key}", value)))
        self.assertEqual(done.returncode, 0, done.stderr)
        self.imported(folder)

    def check_adds_up(self, result):
        """Products sum to their categories, categories (or products, where there are none) to the shop."""
        shop = result["series"][0]
        self.assertEqual(shop["level"], "shop")
        for step in range(result["horizon"]):
            sums = {}
            for row in result["series"][1:]:
                self.assertLessEqual(0, row["low"][step])
                self.assertLessEqual(row["low"][step], row["mean"][step])
                self.assertLessEqual(row["mean"][step], row["high"][step])
                above = row["category"] if row["level"] == "product" else None
                sums[above] = sums.get(above, 0) + row["mean"][step]
            self.assertAlmostEqual(sums[None], shop["mean"][step], delta=1e-6 * (1 + shop["mean"][step]))
            for row in result["series"]:
                if row["level"] == "category" and row["name"] in sums:
                    self.assertAlmostEqual(sums[row["name"]], row["mean"][step], delta=1e-6 * (1 + row["mean"][step]))

    def check_served_by_what_beats_naive(self, result):
        naive = {row["name"] for row in result["levels"][0]["candidates"] if row["naive"]}
        for row in result["series"]:
            if row["tested"] == 0:
                continue
            self.assertEqual(row["beats_naive"], row["method"] not in naive, row["name"])
            if row["beats_naive"]:
                self.assertLess(row["against_naive"], 1, row["name"])
            else:
                self.assertEqual(row["method"], row["best_naive"])

    def test_online_retail_by_day(self):
        if not RETAIL.exists():
            self.skipTest(f"skipped: {RETAIL} is not there")
        self.imported(RETAIL)
        result = self.forecast("--every", "day", "--top", 100, "--lead-time", 3)
        self.assertEqual(result["closed_weekdays"], ["Saturday"])
        self.assertEqual(result["season"], 6)
        self.assertEqual(result["last_day"], "2011-12-09")
        closed = {step["start"] for step in result["steps"] if step["closed"]}
        self.assertIn("2011-12-10", closed)  # a Saturday
        self.assertIn("2011-12-25", closed)  # a Sunday, on which the shop was shut the year before
        self.assertNotIn("2011-12-12", closed)
        self.check_adds_up(result)
        self.check_served_by_what_beats_naive(result)
        for row in result["series"]:
            for step, mean in zip(result["steps"], row["mean"]):
                self.assertTrue(mean == 0 or not step["closed"])
        shop, products = result["levels"]
        self.assertEqual(shop["level"], "shop")
        for level in (shop, products):
            self.assertTrue(level["beats_naive"])
            naive = min(row["rmsse"] for row in level["candidates"] if row["naive"])
            self.assertLess(level["reconciled"]["rmsse"], naive)
        self.assertTrue(.75 <= products["interval"]["coverage"] <= .85, products["interval"])
        self.assertTrue(.9 <= products["service"]["achieved"] <= .98, products["service"])
        # PAPER CRAFT, LITTLE BIRDIE: 80,995 ordered by mistake and given back within minutes; nobody wants 80,995 of them
        self.assertNotIn("23843", {row["id"] for row in result["series"]})

    def test_online_retail_by_week(self):
        if not RETAIL.exists():
            self.skipTest(f"skipped: {RETAIL} is not there")
        self.imported(RETAIL)
        result = self.forecast("--measure", "revenue")
        self.assertEqual(result["last_day"], "2011-12-04")  # a Sunday: the week that is not over is left out
        self.assertEqual(result["steps"][0]["start"], "2011-12-05")
        self.check_adds_up(result)
        self.check_served_by_what_beats_naive(result)
        self.assertEqual(result, self.forecast("--measure", "revenue", "--threads", 1))
        for past in result["backtest"]:
            then = self.forecast("--measure", "revenue", "--as-of", past["last_day"], "--without-customers")
            self.assertEqual(then["series"][0]["mean"], past["mean"])
            self.assertEqual(len(then["series"]), past["series"])
        done = coterie("forecast", "--data", self.shop, "--backtest")
        self.assertEqual(done.returncode, 0, done.stderr)
        for words in ("Backtest, 4 origin(s)", "naive is best", "reconciled", "80% intervals held"):
            self.assertIn(words, done.stdout)
        long = self.forecast("--horizon", 30)
        self.assertEqual(long["scored_origins"], 0)
        self.assertIsNone(long["levels"][0]["serves"]["rmsse"])
        self.assertIn("No backtest: one scored origin takes 76 weeks",
                      coterie("forecast", "--data", self.shop, "--horizon", 30, "--backtest").stdout)

    def test_simulated_shop_with_categories(self):
        self.simulated(customers=800, months=12, seed=3)
        out = pathlib.Path(self.folder.name) / "demand.csv"
        result = self.forecast("--every", "day", "--horizon", 14, "--top", 50, "--lead-time", 4, "--service-level", .9,
                               "--out", out)
        self.assertEqual([level["level"] for level in result["levels"]], ["shop", "category", "product"])
        self.check_adds_up(result)
        self.check_served_by_what_beats_naive(result)
        products = [row for row in result["series"] if row["level"] == "product" and row["id"] is not None]
        self.assertEqual(len(products), 50)
        for row in products:
            self.assertEqual(row["stock"], int(row["stock"]))
            self.assertGreaterEqual(row["stock"], sum(row["mean"][:5]))
            self.assertTrue(row["stock"] > 0 or sum(row["mean"]) == 0, row["name"])
        self.assertIsNone(result["series"][0]["stock"])
        # Products rise and fall together: of a dozen, 0.73 to 0.95 was seen; fifty at three origins are about the least to judge by.
        achieved = result["levels"][2]["service"]
        self.assertEqual(achieved["nominal"], .9)
        self.assertTrue(.82 <= achieved["achieved"] <= .98, achieved)
        with open(out, newline="") as file:
            rows = list(csv.DictReader(file))
        self.assertEqual(len(rows), 14 * len(result["series"]))
        self.assertEqual(float(rows[0]["mean"]), result["series"][0]["mean"][0])
        whole = self.forecast("--every", "day", "--horizon", 14, "--by", "category")
        self.assertEqual([level["level"] for level in whole["levels"]], ["shop", "category"])
        self.assertEqual(len(self.forecast("--by", "shop")["series"]), 1)

    def test_nothing_sees_what_is_to_come(self):
        chance = random.Random(7)
        header = "order_id,customer_id,product_id,category,quantity,price,date\n"
        before = [f"o{i},c{i % 90},p{chance.randrange(12)},k{i % 3},{chance.randint(1, 5)},9.5,"
                  f"2024-{1 + i // 250:02d}-{1 + i % 28:02d}\n" for i in range(1750)]
        after = [f"x{i},c{i % 90},p{chance.randrange(30)},k{i % 9},{chance.randint(1, 500)},99.5,2024-08-{1 + i % 28:02d}\n"
                 for i in range(900)]
        results = []
        for name, rows in (("a", before), ("b", before + after)):
            path = pathlib.Path(self.folder.name) / f"{name}.csv"
            path.write_text(header + "".join(rows))
            shop = pathlib.Path(self.folder.name) / name
            self.imported(path, shop)
            results.append(self.forecast("--every", "day", "--horizon", 7, "--as-of", "2024-07-28", "--lead-time", 2,
                                         shop=shop))
        self.assertEqual(*results)
        self.assertGreater(results[0]["scored_origins"], 0)

    def changing_rows(self):
        """A shop whose closed weekday, best sellers and categories change on the way: day by day, from a Monday."""
        chance = random.Random(11)
        start = datetime.date(2024, 1, 1)
        for day in range(26 * 7):
            late = day >= 20 * 7
            if day % 7 == (1 if late else 5):
                continue
            for i in range(20):
                product = chance.randrange(6) + (6 if late and chance.random() < .8 else 0)
                category = f"k{(product + late) % 3}"
                yield start + datetime.timedelta(day), f"o{day}-{i},c{i},p{product},{category},{chance.randint(1, 5)},9.5"

    def test_past_origins_are_what_was_known_then(self):
        header = "order_id,customer_id,product_id,category,quantity,price,date\n"
        rows = list(self.changing_rows())

        def shop_until(day):
            path = pathlib.Path(self.folder.name) / f"until-{day}.csv"
            path.write_text(header + "".join(f"{row},{at}\n" for at, row in rows if at <= day))
            shop = pathlib.Path(self.folder.name) / f"shop-{day}"
            self.imported(path, shop)
            return shop

        how = ("--every", "day", "--horizon", 14, "--top", 4, "--lead-time", 2)
        last = rows[-1][0]
        result = self.forecast(*how, shop=shop_until(last))
        self.assertEqual(result["closed_weekdays"], [])  # of late neither is closed throughout
        self.assertEqual(len(result["backtest"]), result["scored_origins"])
        self.assertEqual(result["scored_origins"], 4)
        closed = set()
        for past in result["backtest"]:
            day = datetime.date.fromisoformat(past["last_day"])
            then = self.forecast(*how, "--without-customers", shop=shop_until(day))
            self.assertIsNone(then["customers"])
            self.assertEqual(then["last_day"], past["last_day"])
            self.assertEqual(then["series"][0]["mean"], past["mean"])
            self.assertEqual(len(then["series"]), past["series"])
            came = [sum(int(row.split(",")[4]) for at, row in rows if at == day + datetime.timedelta(1 + i)) for i in range(14)]
            self.assertEqual(sum(past["actual"]), sum(came))
            closed.update(then["closed_weekdays"])
        self.assertEqual(closed, {"Saturday"})

    def test_customers_are_heard_where_that_helps(self):
        self.simulated(customers=800, months=18, seed=5)
        result = self.forecast("--measure", "revenue", "--by", "shop")
        alone = self.forecast("--measure", "revenue", "--by", "shop", "--without-customers")
        customers = result["customers"]
        self.assertEqual((customers["origins"], customers["weighed"]), (4, 3))
        self.assertLess(customers["wape"], .5)
        self.assertEqual(customers["serves"], customers["shop_rmse_with"] < customers["shop_rmse_without"])
        for own, heard, said in zip(alone["series"][0]["mean"], result["series"][0]["mean"], customers["mean"]):
            self.assertAlmostEqual(heard, own + customers["weight"] * (said - own), delta=1e-6 * own)
        self.assertEqual(alone["backtest"], result["backtest"])
        self.assertEqual(result, self.forecast("--measure", "revenue", "--by", "shop", "--threads", 1))
        self.assertIn("by their own rates", coterie("forecast", "--data", self.shop).stdout)

    def test_short_history_is_untested(self):
        path = pathlib.Path(self.folder.name) / "orders.csv"
        path.write_text("order_id,customer_id,product_id,quantity,price,date\n" +
                        "".join(f"{i},c{i % 3},p{i % 2},2,5,2024-03-{1 + i % 9:02d}\n" for i in range(18)))
        self.imported(path)
        result = self.forecast("--every", "day", "--horizon", 3)
        self.assertEqual(result["origins"], 0)
        self.assertTrue(all(row["tested"] == 0 and not row["beats_naive"] for row in result["series"]))
        done = coterie("forecast", "--data", self.shop, "--every", "day", "--horizon", 3)
        self.assertIn("Untested: the history is too short", done.stdout)
        done = coterie("forecast", "--data", self.shop)
        self.assertNotEqual(done.returncode, 0)
        self.assertIn("it takes two to forecast", done.stderr)

    def test_errors(self):
        done = coterie("forecast", "--data", self.shop)
        self.assertNotEqual(done.returncode, 0)
        self.simulated(customers=30, months=3)
        for arguments, words in ((["--by", "brand"], "--by is 'brand': product, category or shop"),
                                 (["--every", "month"], "--every is 'month': week or day"),
                                 (["--measure", "tons"], "--measure is 'tons': units or revenue"),
                                 (["--horizon", 0], "--horizon"), (["--top", "x"], "--top"),
                                 (["--service-level", 1], "--service-level is '1'"),
                                 (["--lead-time", 2, "--measure", "revenue"], "stock is counted in units"),
                                 (["--lead-time", 2, "--by", "shop"], "stock is kept of products"),
                                 (["--as-of", "yesterday"], "'yesterday' is no date")):
            done = coterie("forecast", "--data", self.shop, *arguments)
            self.assertEqual(done.returncode, 64, done.stderr)
            self.assertIn(words, done.stderr)
        done = coterie("forecast", "--data", self.shop, "--as-of", "1999-01-01")
        self.assertIn("nothing was sold by then", done.stderr)
        done = coterie("forecast", "--data", self.shop, "--out", "/nowhere/demand.csv")
        self.assertIn("'/nowhere/demand.csv' can't be written", done.stderr)


if __name__ == "__main__":
    unittest.main()
