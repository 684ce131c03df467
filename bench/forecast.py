"""Forecasts beside `statsforecast`: M3's monthly series and rarely asked-for spare parts, each side on one thread.

Scores: the last values of each series held back (18 months; 6 of the parts), all series. Time: forecasts with 80% intervals where
the peer has them (its intermittent models have none; ours always come with them), on every COTERIE_FORECAST_SAMPLE-th series
(default 7), alternating order in COTERIE_FORECAST_ROUNDS rounds (default 3), ratio of the medians.
"""
import csv
import gzip
import json
import os
import pathlib
import subprocess
import sys
import tempfile
import time
import warnings

import numpy as np
import pandas as pd

warnings.filterwarnings("ignore")
os.environ.setdefault("NIXTLA_ID_AS_COL", "1")
import statsforecast  # noqa: E402
from statsforecast import StatsForecast  # noqa: E402
from statsforecast.models import ADIDA, IMAPA, TSB, AutoETS, AutoTheta, CrostonSBA, DynamicOptimizedTheta, SeasonalNaive  # noqa: E402

COTERIE = os.environ["COTERIE"]
DATASETS = pathlib.Path(os.environ.get("COTERIE_DATASETS", "../shared/data"))
SAMPLE = int(os.environ.get("COTERIE_FORECAST_SAMPLE", "7"))
ROUNDS = int(os.environ.get("COTERIE_FORECAST_ROUNDS", "3"))

# What is forecast, how far ahead, season, whether the peer has intervals, and who is beside whom: (ours, peer's name, peer).
SETS = [
    ("M3 monthly", "mcomp/m3.csv.gz", 18, 12, True, "sMAPE",
     [("ets", "AutoETS", AutoETS(season_length=12)), ("dotm", "DynamicOptimizedTheta", DynamicOptimizedTheta(season_length=12)),
      ("theta", "AutoTheta", AutoTheta(season_length=12)), ("auto", None, None),
      ("snaive", "SeasonalNaive", SeasonalNaive(season_length=12))]),
    ("spare parts", "expsmooth_demand/carparts.csv.gz", 6, 1, False, "RMSE",
     [("tsb", "TSB(0.2, 0.2)", TSB(.2, .2)), ("adida", "ADIDA", ADIDA()), ("imapa", "IMAPA", IMAPA()),
      ("sba", "CrostonSBA", CrostonSBA()), ("auto", None, None)]),
]


def say(text):
    print(f"bench: {text}", file=sys.stderr, flush=True)


def load(path):
    with gzip.open(path, "rt") as file:
        rows = [row for row in csv.DictReader(file) if row.get("period", "MONTHLY") == "MONTHLY" and row["value"] != ""]
    table = pd.DataFrame({"unique_id": [row["series"] for row in rows], "y": [float(row["value"]) for row in rows]})
    table["ds"] = table.groupby("unique_id", sort=False).cumcount()
    return table


def scores(table, measure):
    """table: unique_id, y, f; sMAPE is the mean over series, RMSE over all values."""
    if measure == "RMSE":
        return np.sqrt(((table.f - table.y) ** 2).mean())
    size = table.f.abs() + table.y.abs()
    error = np.where(size > 0, 200 * (table.f - table.y).abs() / np.where(size > 0, size, 1), 0)
    return pd.Series(error).groupby(table.unique_id.to_numpy()).mean().mean()


def run_peer(model, table, horizon, intervals, measure):
    """Score and seconds."""
    left = table.groupby("unique_id").y.transform("size") - table.ds
    known, held = table[left > horizon], table[left <= horizon]
    if not len(known):
        return float("nan"), 0
    began = time.monotonic()
    result = StatsForecast([model], freq=1, n_jobs=1).forecast(df=known[["unique_id", "ds", "y"]], h=horizon,
                                                               **({"level": [80]} if intervals else {}))
    seconds = time.monotonic() - began
    name = [column for column in result.columns if column not in ("unique_id", "ds") and "-lo-" not in column and "-hi-" not in column][0]
    merged = held.merge(result.rename(columns={name: "f"}), on=["unique_id", "ds"])
    return scores(merged[["unique_id", "y", "f"]], measure), seconds


def run_ours(method, path, horizon, season):
    done = subprocess.run([COTERIE, "lab", "forecast", "--quiet", "--json", "--backtest", "--threads", "1", "--input", path, "--method",
                           method, "--horizon", str(horizon), "--season", str(season)], stdout=subprocess.PIPE, check=True)
    return json.loads(done.stdout)


def write(table, path):
    table.rename(columns={"unique_id": "series", "ds": "time", "y": "value"})[["series", "time", "value"]].to_csv(path, index=False)


def report(title, path, horizon, season, intervals, measure, pairs, folder):
    table = load(path)
    names = table.unique_id.unique()
    chosen = set(names[::SAMPLE])
    sample = table[table.unique_id.isin(chosen)]
    write(table, f"{folder}/all.csv")
    write(sample, f"{folder}/sample.csv")
    print(f"\n{title}: {len(names):,} series, {horizon} steps held back; one thread a side\n")
    print(f"| ours | statsforecast {statsforecast.__version__} | {measure} | its {measure} | | ms a series | its | ratio | 80% intervals held |\n"
          "|---|---|---:|---:|---|---:|---:|---:|---:|")
    for method, name, model in pairs:
        say(f"{title}: {method} beside {name}")
        whole = run_ours(method, f"{folder}/all.csv", horizon, season)["scores"]
        peer_score = run_peer(model, table, horizon, False, measure)[0] if name else None
        mine, peers = [], []
        for i in range(ROUNDS):
            for who in ("mine", "peer") if i % 2 == 0 else ("peer", "mine"):
                if who == "mine":
                    mine.append(run_ours(method, f"{folder}/sample.csv", horizon, season)["seconds"])
                elif name:
                    peers.append(run_peer(model, sample, horizon, intervals, measure)[1])
        score = whole["smape" if measure == "sMAPE" else "rmse"]
        ms = 1000 * np.median(mine) / len(chosen)
        held = f"{whole['coverage']:.1%}"
        if name:
            its = 1000 * np.median(peers) / len(chosen)
            verdict = "ok" if round(score, 3) <= round(peer_score, 3) else "**above**"
            print(f"| {method} | {name} | {score:.3f} | {peer_score:.3f} | {verdict} | {ms:.3f} | {its:.3f} | {its / ms:.1f} | {held} |", flush=True)
        else:
            print(f"| {method} | | {score:.3f} | | | {ms:.3f} | | | {held} |", flush=True)


def main():
    print("## Forecasts")
    for title, name, *rest in SETS:
        path = DATASETS / name
        if not path.exists():
            print(f"\n{title}: skipped, {path.name} is not there.")
            continue
        with tempfile.TemporaryDirectory() as folder:
            report(title, path, *rest, folder)


main()
