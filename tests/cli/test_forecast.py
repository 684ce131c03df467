"""`coterie lab forecast`: the M3 competition's monthly series, spare parts, and what it says of input that can't be used.

Published for M3 monthly: Theta 13.85 (Makridakis and Hibon 2000, doi:10.1016/S0169-2070(00)00057-1), naive2 16.91. statsforecast 2.1.1's
DynamicOptimizedTheta, measured on the same series, has 13.725 (dotm is within 0.05 of it, not better), its AutoETS 14.160; on
spare parts its TSB has an RMSE of 1.0615, its ADIDA 1.0496, its IMAPA 1.0451.
"""
import csv
import gzip
import json
import os
import pathlib
import subprocess
import tempfile
import unittest

COTERIE = os.environ["COTERIE"]
DATASETS = pathlib.Path(os.environ.get("COTERIE_DATASETS", "../shared/data"))
M3 = DATASETS / "mcomp" / "m3.csv.gz"
PARTS = DATASETS / "expsmooth_demand" / "carparts.csv.gz"


def lab(path, *arguments):
    return subprocess.run([COTERIE, "lab", "forecast", "--quiet", "--input", str(path), *map(str, arguments)],
                          capture_output=True, text=True, timeout=120)


def forecast(path, *arguments):
    done = lab(path, "--json", *arguments)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


class Forecast(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.addCleanup(self.folder.cleanup)

    def write(self, text):
        path = pathlib.Path(self.folder.name) / "series.csv"
        path.write_text(text)
        return path

    def scores(self, path, method, *arguments):
        return forecast(path, "--backtest", "--method", method, *arguments)["scores"]

    def test_m3_monthly_as_published(self):
        if not M3.exists():
            self.skipTest(f"skipped: {M3} is not there")
        with gzip.open(M3, "rt") as file:
            rows = [row for row in csv.DictReader(file) if row["period"] == "MONTHLY"]
        path = self.write("series,time,value\n" + "".join(f"{row['series']},{row['t']},{row['value']}\n" for row in rows))
        how = ("--horizon", 18, "--season", 12)
        theta = self.scores(path, "theta", *how)
        self.assertEqual(theta["series"], 1428)
        self.assertAlmostEqual(theta["smape"], 13.85, delta=.1)
        dotm = self.scores(path, "dotm", *how)["smape"]
        self.assertLess(dotm, theta["smape"])
        self.assertLess(dotm, 13.725 + .05)
        ets = self.scores(path, "ets", *how)
        self.assertLess(ets["smape"], 14.16)
        auto = self.scores(path, "auto", *how)
        self.assertLess(auto["smape"], 13.725)
        for scores in (theta, ets, auto):
            self.assertGreater(scores["coverage"], .75)
            self.assertLess(scores["coverage"], .85)
        again = self.scores(path, "auto", *how, "--threads", 1)
        self.assertEqual(auto, again)

    def test_parts_that_are_rarely_asked_for(self):
        if not PARTS.exists():
            self.skipTest(f"skipped: {PARTS} is not there")
        rmse = {method: self.scores(PARTS, method, "--horizon", 6)["rmse"] for method in
                ("naive", "mean", "croston", "sba", "tsb", "adida", "imapa", "auto")}
        self.assertLess(rmse["sba"], rmse["croston"])  # what SBA was made for
        self.assertLess(rmse["imapa"], 1.0496)
        self.assertLess(rmse["auto"], 1.0496)
        for method in ("tsb", "adida"):
            for other in ("naive", "mean", "croston"):
                self.assertLess(rmse[method], rmse[other], rmse)

    def test_beyond_the_file(self):
        path = self.write("series,time,value\n" + "".join(f"a,{t},{10 + t % 4}\nb,{t},{0}\n" for t in range(40)))
        result = forecast(path, "--horizon", 4, "--season", 4, "--method", "snaive")
        self.assertIsNone(result["scores"])
        self.assertEqual([row["mean"] for row in result["forecasts"]], [[10, 11, 12, 13], [0, 0, 0, 0]])
        self.assertEqual(result["chosen"], {"snaive": 2})
        self.assertIn("methods: snaive 2", lab(path, "--horizon", 4, "--season", 4, "--method", "snaive").stdout)

    def test_errors(self):
        for text, words in (("series,time,value\na,1,x\n", ["line 2", "'x'"]),
                            ("series,time,value\na,2,1\na,1,1\n", ["line 3", "'1'", "sort by time"]),
                            ("series,when,value\na,2,1\n", ["no column 'time'"]),
                            ("series,time,value\na,2,\n", ["holds no value"])):
            done = lab(self.write(text), "--horizon", 1)
            self.assertNotEqual(done.returncode, 0)
            for word in words:
                self.assertIn(word, done.stderr)
        path = self.write("series,time,value\na,1,1\n")
        for arguments, word in ((["--horizon", "0"], "--horizon"), ([], "--horizon"),
                                (["--horizon", "1", "--method", "arima"], "'arima'")):
            done = lab(path, *arguments)
            self.assertEqual(done.returncode, 64)
            self.assertIn(word, done.stderr)
        self.assertIn("holds back", lab(path, "--horizon", 3, "--backtest").stderr)


if __name__ == "__main__":
    unittest.main()
