"""Features and RFM through the program: a shop written by hand, and Online Retail against SQL of its own."""

import csv
import json
import math
import os
import pathlib
import tempfile
import unittest

from shop import DATASETS, run

RETAIL = os.path.join(DATASETS, "online_retail")

ORDERS = """order_id,customer_id,order_date,product_id,quantity,amount,currency,channel
1,anna,2024-01-10T10:00:00Z,tea,2,20.00,EUR,web
1,anna,2024-01-10T10:00:00Z,mug,1,10.00,EUR,web
2,anna,2024-02-29T19:00:00Z,tea,1,12.50,EUR,store
3,ben,2024-02-01T08:00:00Z,mug,4,36.00,EUR,web
"""


def run_json(*args):
    return json.loads(run(*args, "--json", "--quiet").stdout)


def export(data, path, *args):
    run("features", "export", "--data", data, "--out", path, "--quiet", *args)
    with open(path, newline="", encoding="utf-8") as file:
        return {row["customer_id"]: row for row in csv.DictReader(file)}


class HandmadeShop(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.TemporaryDirectory()
        cls.root = pathlib.Path(cls.folder.name)
        cls.data = cls.root / "shop"
        orders = cls.root / "orders.csv"
        orders.write_text(ORDERS, encoding="utf-8")
        run("import", orders, "--data", cls.data, "--quiet")

    @classmethod
    def tearDownClass(cls):
        cls.folder.cleanup()

    def test_values(self):
        rows = export(self.data, self.root / "f.csv")
        self.assertEqual(set(rows), {"anna", "ben"})
        anna = rows["anna"]
        self.assertEqual(float(anna["frequency"]), 2)
        self.assertEqual(float(anna["monetary_total"]), 42.5)
        self.assertEqual(float(anna["interpurchase_days"]), 50)  # 10 January to the leap day
        self.assertEqual(float(anna["channel_store_share"]), 0.5)
        self.assertAlmostEqual(float(anna["recency_days"]), 5 / 24, places=5)
        self.assertEqual(anna["weekday_main"], "")  # fewer than three orders say nothing
        self.assertEqual(float(rows["ben"]["basket_units"]), 4)

    def test_as_of(self):
        rows = export(self.data, self.root / "january.csv", "--as-of", "2024-01-31")
        self.assertEqual(list(rows), ["anna"])
        self.assertEqual(float(rows["anna"]["frequency"]), 1)
        self.assertEqual(float(rows["anna"]["monetary_total"]), 30)

    def test_parquet_is_the_same(self):
        path = self.root / "f.parquet"
        done = run_json("features", "export", "--data", self.data, "--out", path)
        self.assertEqual((done["format"], done["customers"]), ("parquet", 2))
        self.assertEqual(path.read_bytes()[:4], b"PAR1")
        self.assertFalse(path.with_name(path.name + ".part").exists())

    def test_list_and_show(self):
        features = run_json("features", "list", "--data", self.data)["features"]
        self.assertGreaterEqual(len(features), 45)
        self.assertEqual({f["group"] for f in features}, {"purchase", "engagement", "demographic", "channel", "prediction"})
        by_name = {f["name"]: f for f in features}
        self.assertEqual(by_name["frequency"]["coverage"], 1)
        self.assertEqual(by_name["interpurchase_days"]["coverage"], 0.5)
        self.assertEqual(by_name["sessions_30d"]["coverage"], 0)  # the shop records no visits
        shown = run_json("features", "show", "monetary_total", "--data", self.data)
        self.assertEqual([end["customer_id"] for end in shown["highest"]], ["anna", "ben"])
        self.assertEqual(sum(bin["customers"] for bin in shown["histogram"]), 2)
        self.assertIn("Total spend", run("features", "show", "monetary_total", "--data", self.data).stdout)
        main = run_json("features", "show", "channel_main", "--data", self.data)["categories"]
        self.assertEqual(main[0]["name"], "web")

    def test_threads_change_nothing(self):
        texts = []
        for n in (1, 3):
            path = self.root / f"t{n}.csv"
            run("features", "export", "--data", self.data, "--out", path, "--threads", n, "--quiet")
            texts.append(path.read_bytes())
        self.assertEqual(texts[0], texts[1])

    def test_errors(self):
        done = run("features", "show", "monetary", "--data", self.data, status=65)
        self.assertIn("monetary_total", done.stderr)
        run("features", "export", "--data", self.data, status=64)
        run("features", "list", "--as-of", "soon", "--data", self.data, status=64)
        nowhere = self.root / "no" / "such" / "folder" / "f.csv"
        run("features", "export", "--data", self.data, "--out", nowhere, status=74)

    def test_without_a_shop(self):
        listed = run_json("features", "list", "--data", self.root / "nothing")
        self.assertIsNone(listed["as_of"])
        self.assertIsNone(listed["features"][0]["coverage"])
        run("rfm", "--data", self.root / "nothing", status=65)


@unittest.skipUnless(os.path.isdir(RETAIL), "skipped: no data sets (COTERIE_DATASETS)")
class OnlineRetail(unittest.TestCase):
    """Figures worked out independently, in SQL over the events."""

    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.TemporaryDirectory()
        cls.root = pathlib.Path(cls.folder.name)
        cls.data = cls.root / "shop"
        run("import", os.path.join(RETAIL, "online_retail.csv.gz"), "--data", cls.data, "--quiet")
        cls.rows = export(cls.data, cls.root / "f.csv")

    @classmethod
    def tearDownClass(cls):
        cls.folder.cleanup()

    def compare(self, feature, rows, places=3):
        self.assertEqual(len(rows), sum(row[feature] != "" for row in self.rows.values()), feature)
        for row in rows:
            value, expected = float(self.rows[row["id"]][feature]), row["value"]
            tolerance = 10**-places * max(1.0, abs(expected))
            self.assertTrue(math.isclose(value, expected, rel_tol=0, abs_tol=tolerance), (feature, row, value))

    def sql(self, expression, where="e.kind = 1", extra=""):
        return run_json(
            "sql",
            f"select n.value as id, ({expression})::double as value from event e join node n using (node_id) {extra}"
            f" where {where} group by n.value",
            "--data",
            self.data,
        )["rows"]

    def test_against_sql(self):
        self.assertEqual(len(self.rows), 4372)
        end = "timestamp '2011-12-10 00:00:00'"  # London keeps UTC in winter
        in_time = "e.kind in (1, 2)"
        self.compare("monetary_total", self.sql("sum(amount_minor) / 100.0", in_time))
        self.compare("recency_days", self.sql(f"epoch({end} - max(occurred_at)) / 86400"), 1)
        self.compare("monetary_average", self.sql("sum(amount_minor) / 100.0 / count(distinct order_key)"))
        self.compare("basket_lines", self.sql("count(*) / count(distinct order_key)"))
        self.compare("unit_price_average", self.sql("sum(amount_minor) / 100.0 / sum(quantity)"))
        self.compare(
            "spend_90d",
            self.sql(f"coalesce(sum(amount_minor) filter (occurred_at >= {end} - interval 90 day), 0) / 100.0", in_time),
        )
        self.compare(
            "weekend_share",
            self.sql(
                "count(distinct order_key) filter (isodow(timezone('Europe/London', timezone('UTC', occurred_at))) >= 6)"
                " / count(distinct order_key)"
            ),
        )
        frequency = {row["id"]: row["value"] for row in self.sql("count(distinct order_key)")}
        for customer, row in self.rows.items():
            self.assertEqual(float(row["frequency"]), frequency.get(customer, 0))

    def test_rfm(self):
        rfm = run_json("rfm", "--data", self.data)
        self.assertEqual((rfm["customers"], rfm["scored"], rfm["without_order"]), (4372, 4339, 33))
        self.assertEqual(len(rfm["groups"]), 11)
        self.assertEqual(sum(group["customers"] for group in rfm["groups"]), 4339)
        self.assertAlmostEqual(sum(group["revenue_share"] for group in rfm["groups"]), 1, places=4)
        self.assertEqual(sum(cell["customers"] for cell in rfm["grid"]), 4339)
        champions = rfm["groups"][0]
        self.assertEqual(champions["group"], "Champions")
        self.assertGreater(champions["revenue_share"], champions["share"])
        self.assertIsNone(rfm["cross"])
        earlier = run_json("rfm", "--data", self.data, "--as-of", "2011-06-30")
        self.assertLess(earlier["customers"], 4372)
        self.assertIn("Champions", run("rfm", "--data", self.data).stdout)


if __name__ == "__main__":
    unittest.main(verbosity=2)
