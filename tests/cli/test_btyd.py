"""`coterie lab btyd`: the published numbers of CDNOW and of the grocery log, and what it says of input that can't be used.

Sources of the numbers: Fader, Hardie, Lee (2005), CLVTools' and lifetimes' tests; refitted in plain C before.
"""
import json
import os
import pathlib
import subprocess
import tempfile
import unittest

COTERIE = os.environ["COTERIE"]
DATASETS = pathlib.Path(os.environ.get("COTERIE_DATASETS", "../shared/data"))
SAMPLE = DATASETS / "cdnow" / "CDNOW_sample.txt.gz"
FULL = DATASETS / "cdnow" / "CDNOW_master.txt.gz"
GROCERY = DATASETS / "btydplus_grocery" / "groceryElog.csv.gz"

# model: parameters, log-likelihood, RMSE of the holdout at most
PUBLISHED = {
    SAMPLE: {
        "bgnbd": ({"r": .2426, "alpha": 4.4136, "a": .7929, "b": 2.4259}, -9582.429, 1.6085),
        "pareto": ({"r": .5533, "alpha": 10.578, "s": .6062, "beta": 11.669}, -9594.976, 1.6035),
        "gammagamma": ({"p": 6.2495, "q": 3.7442, "gamma": 15.444}, -4055.918, None),
    },
    FULL: {
        "bgnbd": ({"r": .2516, "alpha": 4.789, "a": .7234, "b": 2.161}, -95368.44, 1.7335),
        "pareto": ({"r": .5974, "alpha": 11.586, "s": .5222, "beta": 8.828}, -95415.12, 1.7265),
        "gammagamma": ({"p": 6.275, "q": 3.624, "gamma": 14.984}, -40763.48, None),
    },
}


def lab(path, *arguments):
    return subprocess.run([COTERIE, "lab", "btyd", "--quiet", "--input", str(path), *map(str, arguments)],
                          capture_output=True, text=True, timeout=120)


def fit(path, model, *arguments):
    done = lab(path, "--model", model, "--json", *arguments)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


class Btyd(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.addCleanup(self.folder.cleanup)

    def write(self, text):
        path = pathlib.Path(self.folder.name) / "orders.csv"
        path.write_text(text)
        return path

    def need(self, path):
        if not path.exists():
            self.skipTest(f"skipped: {path} is not there")

    def test_cdnow_as_published(self):
        for path, models in PUBLISHED.items():
            self.need(path)
            for model, (parameters, log_likelihood, rmse) in models.items():
                with self.subTest(path=path.name, model=model):
                    result = fit(path, model, "--calibration-end", "1997-09-30")
                    for name, value in parameters.items():
                        self.assertLess(abs(result["params"][name] / value - 1), .005, name)
                    self.assertLess(abs(result["log_likelihood"] - log_likelihood), .01)
                    if rmse is not None:
                        self.assertLessEqual(result["holdout"]["rmse"], rmse)
                    self.assertFalse(result["at_boundary"])

    def test_standard_errors_and_scores_of_the_sample(self):
        self.need(SAMPLE)
        result = fit(SAMPLE, "pareto", "--calibration-end", "1997-09-30")
        for name, value in {"r": .0476, "alpha": .843, "s": .187, "beta": 6.21}.items():
            self.assertLess(abs(result["standard_errors"][name] / value - 1), .01, name)
        self.assertEqual((result["customers"], result["holdout"]["purchases"]), (2357, 1882))
        for key, value in {"mae": .7545, "spearman": .460, "total_error": -.115}.items():
            self.assertLess(abs(result["holdout"][key] - value), .001, key)

    def test_regular_buyers(self):
        self.need(GROCERY)
        plain = fit(GROCERY, "bgnbd", "--calibration-end", "2006-12-31")
        for model in ("bgcnbdk", "mbgcnbdk"):
            regular = fit(GROCERY, model, "--calibration-end", "2006-12-31")
            self.assertEqual(regular["k"], 2)
            self.assertGreater(regular["log_likelihood"], plain["log_likelihood"] + 500)
            self.assertLess(regular["holdout"]["mae"], plain["holdout"]["mae"])
            self.assertLess(regular["holdout"]["rmse"], plain["holdout"]["rmse"])
            one = fit(GROCERY, model, "--calibration-end", "2006-12-31", "--k", 1)
            self.assertLess(one["log_likelihood"], regular["log_likelihood"])

    def test_nothing_after_the_calibration_is_seen(self):
        rows = [(c, f"2026-{1 + (c * d) % 6:02}-{1 + (7 * c + d) % 28:02}", c + d) for c in range(40) for d in range(1, 5)]
        text = "customer_id,date,amount\n" + "".join(f"{c},{day},{amount}\n" for c, day, amount in rows)
        cut = "customer_id,date,amount\n" + "".join(
            f"{c},{day if day <= '2026-04-15' else '2026-06-20'},{amount}\n" for c, day, amount in rows)
        before = fit(self.write(text), "bgnbd", "--calibration-end", "2026-04-15")
        after = fit(self.write(cut), "bgnbd", "--calibration-end", "2026-04-15")
        self.assertEqual(before["params"], after["params"])
        self.assertNotEqual(before["holdout"], after["holdout"])

    def test_a_day_counts_once_and_units_scale(self):
        rows = "".join(f"{c},2026-01-{1 + c % 9:02}\n{c},2026-02-{1 + c * 5 % 27:02}\n{c},2026-03-{1 + c * 3 % 27:02}\n"
                       for c in range(30) for _ in range(1 + c % 2))
        rows += "".join(f"{100 + c},2026-01-{1 + c % 20:02}\n" for c in range(20))
        path = self.write("customer_id,date\n" + rows)
        weeks = fit(path, "bgnbd", "--calibration-end", "2026-03-10", "--unit", "week")
        days = fit(path, "bgnbd", "--calibration-end", "2026-03-10", "--unit", "day", "--threads", 1)
        self.assertEqual(weeks["customers"], 50)
        self.assertLess(abs(weeks["params"]["alpha"] * 7 / days["params"]["alpha"] - 1), .01)
        self.assertLess(abs(weeks["holdout"]["rmse"] / days["holdout"]["rmse"] - 1), .001)

    def test_errors_name_the_value_and_what_to_do(self):
        good = "customer_id,date\n" + "".join(f"{c},2026-01-{1 + c:02}\n{c},2026-02-{1 + c:02}\n" for c in range(9))
        for text, arguments, code, words in [
            (good + "x,2026-13-45\n", (), 65, ("line 20", "2026-13-45")),
            (good, ("--model", "arima"), 64, ("arima", "bgnbd")),
            (good, ("--calibration-end", "yesterday"), 64, ("yesterday", "1997-09-30")),
            (good, ("--calibration-end", "2030-01-01"), 64, ("2026-02-09",)),
            (good, ("--calibration-end", "2026-02-01", "--holdout-end", "2026-01-15"), 64, ("2026-01-15",)),
            (good, ("--unit", "month"), 64, ("month", "week")),
            (good, ("--calibration-end", "2026-01-20"), 65, ("bought twice",)),
            ("a,b\n1,2\n", (), 65, ()),
            ("customer_id,date\n", (), 65, ()),
        ]:
            with self.subTest(arguments=arguments, text=text[-20:]):
                done = lab(self.write(text), *arguments)
                self.assertEqual(done.returncode, code, done.stderr)
                for word in words:
                    self.assertIn(word, done.stderr)

    def test_a_table_for_people(self):
        rows = "".join(f"{c},2026-01-{1 + c:02}\n{c},2026-02-{1 + c:02}\n" for c in range(20))
        done = lab(self.write("customer_id,date\n" + rows), "--model", "pareto", "--prior", 5, "--calibration-end", "2026-02-15")
        self.assertEqual(done.returncode, 0, done.stderr)
        for word in ("pareto", "alpha", "log-likelihood", "holdout", "RMSE"):
            self.assertIn(word, done.stdout)


if __name__ == "__main__":
    unittest.main()
