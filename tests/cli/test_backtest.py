"""`coterie backtest`: the league on real shops, time-ordered, and what it says of options that can't be used."""
import json
import os
import pathlib
import subprocess
import tempfile
import unittest

COTERIE = os.environ["COTERIE"]
DATASETS = pathlib.Path(os.environ.get("COTERIE_DATASETS", "../shared/data"))


def coterie(*arguments):
    return subprocess.run([COTERIE, *map(str, arguments), "--quiet"], capture_output=True, text=True, timeout=300)


class Backtest(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.addCleanup(self.folder.cleanup)
        self.shop = pathlib.Path(self.folder.name) / "shop"

    def imported(self, path):
        if not path.exists():
            self.skipTest(f"skipped: {path} is not there")
        done = coterie("import", path, "--data", self.shop)
        self.assertEqual(done.returncode, 0, done.stderr)

    def backtest(self, *arguments):
        done = coterie("backtest", "--data", self.shop, "--json", *arguments)
        self.assertEqual(done.returncode, 0, done.stderr)
        return json.loads(done.stdout)

    def check_against_naive(self, question):
        scores = {row["name"]: row for row in question["candidates"]}
        self.assertTrue(question["beats_naive"], question["question"])
        for row in scores.values():
            if row["naive"]:
                self.assertLess(scores[question["serves"]]["score"], row["score"], question["question"])
        return scores[question["serves"]]

    def test_complete_journey(self):
        self.imported(DATASETS / "completejourney")
        result = self.backtest("--horizon", "30,84,365")
        tested, untested = result["horizons"][:2], result["horizons"][2]
        self.assertEqual(untested["folds"], 0)
        self.assertEqual(untested["questions"], [])
        for horizon in tested:
            for question in horizon["questions"]:
                serving = self.check_against_naive(question)
                if question["question"] == "churn":
                    self.assertLess(serving["calibration_error"], min(.05, serving["calibration_band"]))
                if question["question"] == "spend":
                    self.assertGreaterEqual(question["interval"]["coverage"], .78)
                    self.assertTrue(.75 <= question["interval"]["coverage_positive"] <= .85, question["interval"])
                if question["question"] == "category_new":
                    self.assertLess(serving["calibration_error"], 1.5 * serving["calibration_band"])
            self.assertEqual([question["question"] for question in horizon["questions"]],
                             ["spend", "orders", "churn", "next", "category_again", "category_new"])

        done = coterie("backtest", "--data", self.shop, "--horizon", "84,400", "--folds", "1")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn("400 days ahead: untested, the history is too short (it takes 1600 days)", done.stdout)
        self.assertIn("serves", done.stdout)
        self.assertIn("80% intervals held", done.stdout)

    def test_online_retail(self):
        self.imported(DATASETS / "online_retail" / "online_retail.csv.gz")
        for horizon in self.backtest("--horizon", "30,90")["horizons"]:
            self.assertEqual(len(horizon["questions"]), 4)
            for question in horizon["questions"]:
                serving = self.check_against_naive(question)
                if question["question"] in ("spend", "orders"):
                    self.assertGreaterEqual(question["interval"]["coverage"], .78)
                if question["question"] == "churn" and horizon["days"] == 30:
                    self.assertLess(serving["calibration_error"], .05)
        one = self.backtest("--horizon", "90", "--threads", "1")
        self.assertEqual(one, self.backtest("--horizon", "90", "--threads", "3"))

    def test_errors(self):
        done = coterie("backtest", "--data", self.shop)
        self.assertNotEqual(done.returncode, 0)
        done = coterie("backtest", "--data", self.shop, "--horizon", "30,x")
        self.assertEqual(done.returncode, 64)
        self.assertIn("--horizon is '30,x'", done.stderr)
        done = coterie("backtest", "--data", self.shop, "--folds", "0")
        self.assertEqual(done.returncode, 64)
        self.assertIn("--folds", done.stderr)


if __name__ == "__main__":
    unittest.main()
