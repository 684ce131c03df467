"""What a new user gets wrong: the answer names the value and the cure, before the work is done and not after it."""
import os
import tempfile
import unittest

import shop

ORDERS = "order_id,customer_id,date,amount\n" + "".join(
    f"{i},c{i % 7},2025-{1 + i % 6:02d}-{1 + i % 27:02d},{1000 + i}.00\n" for i in range(120))


class WrongUse(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.TemporaryDirectory()
        cls.data = os.path.join(cls.folder.name, "shop")
        orders = os.path.join(cls.folder.name, "orders.csv")
        with open(orders, "w", encoding="utf-8") as file:
            file.write(ORDERS)
        shop.run("import", orders, "--data", cls.data, "--quiet")

    @classmethod
    def tearDownClass(cls):
        cls.folder.cleanup()

    def refused(self, *arguments, status=64):
        return shop.run(*arguments, "--data", self.data, "--quiet", status=status).stderr

    def test_a_future_day_is_no_day_of_the_data(self):
        for command in (["features", "list"], ["rfm"], ["segment"], ["predict"], ["backtest"], ["forecast"]):
            said = self.refused(*command, "--as-of", "2099-01-01")
            self.assertIn("'2099-01-01' is in the future: the data end on 2025-06-2", said, command)

    def test_silence_up_to_the_day_lowers_the_confidence(self):
        said = shop.run("predict", "--as-of", "2025-12-31", "--horizon", 30, "--data", self.data, "--quiet").stdout
        self.assertIn("Confidence: low, because", said)
        self.assertRegex(said, r"nobody has ordered in the last \d+ days: that reads as customers who have left")
        said = shop.run("predict", "--horizon", 30, "--no-keep", "--data", self.data, "--quiet").stdout
        self.assertNotIn("nobody has ordered", said)

    def test_horizons_differ(self):
        self.assertIn("30 days are there twice", self.refused("predict", "--horizon", "30,90,30"))

    def test_files_that_cannot_be_written_are_refused_at_once(self):
        for command in (["predict"], ["report"], ["forecast"], ["features", "export"], ["export", "segment", "x"]):
            said = self.refused(*command, "--out", "/nowhere/x.csv", status=74)
            self.assertIn("--out '/nowhere/x.csv' can't be written: folder '/nowhere'", said)
            self.assertIn(f"--out '{self.folder.name}' is no file", self.refused(*command, "--out", self.folder.name,
                                                                               status=74))
        self.assertEqual(shop.sql(self.data, "select count(*) from prediction_run"), [[0]])
        self.assertIn("predictions are written as CSV", self.refused("predict", "--out", "x.parquet"))

    def test_shares_are_written_either_way(self):
        self.assertIn("--uplift 150%: give a share like 10% or 0.1, from 0.01% to 100%",
                      self.refused("predict", "--uplift", "150%"))
        self.assertIn("--service-level is '100%'", self.refused("forecast", "--service-level", "100%"))
        said = [shop.run("forecast", "--service-level", level, "--json", "--data", self.data, "--quiet").stdout
                for level in ("90%", "0.9")]
        self.assertEqual(*said)

    def test_what_there_is_to_choose_from_is_listed(self):
        self.assertIn("no such shape; there are uci_online_retail, ", self.refused("import", __file__, "--as", "excel"))
        self.assertIn("--role is missing: choose write", self.refused("keys", "create"))
        self.assertIn("'segment history 2' needs --days N", self.refused("segment", "history", "2"))

    def test_empty_lists_say_what_fills_them(self):
        self.assertIn("'coterie export segment' makes one",
                      shop.run("export", "list", "--data", self.data).stdout)
        self.assertIn("'coterie serve' takes them",
                      shop.run("segment", "history", "--days", 3, "--data", self.data).stdout)

    def test_large_numbers_have_no_exponent(self):
        said = shop.run("predict", "--horizon", 30, "--no-keep", "--data", self.data, "--quiet").stdout
        said += shop.run("forecast", "--measure", "revenue", "--data", self.data, "--quiet").stdout
        self.assertNotRegex(said, r"\de\+\d")
        self.assertRegex(said, r"\d,\d{3}\b")


if __name__ == "__main__":
    unittest.main()
