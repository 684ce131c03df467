"""Buy-till-you-die fits beside `lifetimes` on the full CDNOW log, and the scoring of a million customers.

Same customers (lifetimes' own summary: weeks, calibration to 1997-09-30), alternating order in one run; the ratio is that
of the medians. lifetimes fits from its default start; the difference of the parameters shows whether both got to the same place. Ours on all
threads, lifetimes has one. Scoring: expected purchases in 39 weeks and P(alive) (or expected spend), the model loaded.
COTERIE_BTYD_ROUNDS (default 3).
"""
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
import lifetimes  # noqa: E402
from lifetimes.utils import summary_data_from_transaction_data  # noqa: E402

BENCH = os.path.join(os.path.dirname(os.environ["COTERIE"]), "bench", "bench_btyd")
CDNOW = pathlib.Path(os.environ.get("COTERIE_DATASETS", "../shared/data")) / "cdnow" / "CDNOW_master.txt.gz"
ROUNDS = int(os.environ.get("COTERIE_BTYD_ROUNDS", "3"))
SCORED = 1000000
HORIZON = 39
THREADS = len(os.sched_getaffinity(0))
OURS = {"BG/NBD": "bgnbd", "MBG/NBD": "mbgcnbdk", "Pareto/NBD": "pareto", "Gamma-Gamma": "gammagamma"}


def say(text):
    print(f"bench: {text}", file=sys.stderr, flush=True)


def summary():
    orders = pd.read_csv(CDNOW, sep=r"\s+", skiprows=1, header=None, names=["id", "date", "quantity", "value"],
                         dtype={"id": str, "date": str})
    orders["date"] = pd.to_datetime(orders["date"], format="%Y%m%d")
    return summary_data_from_transaction_data(orders, "id", "date", monetary_value_col="value",
                                              observation_period_end="1997-09-30", freq="D", freq_multiplier=7)


def fitters(table):
    """Name -> function that fits lifetimes' model and returns it."""
    spent = table[(table.frequency > 0) & (table.monetary_value > 0)]
    timing = (table.frequency, table.recency, table["T"])
    return {"BG/NBD": lambda: lifetimes.BetaGeoFitter().fit(*timing),
            "MBG/NBD": lambda: lifetimes.ModifiedBetaGeoFitter().fit(*timing),
            "Pareto/NBD": lambda: lifetimes.ParetoNBDFitter().fit(*timing),
            "Gamma-Gamma": lambda: lifetimes.GammaGammaFitter().fit(spent.frequency, spent.monetary_value)}


def difference(ours, model):
    """The largest relative difference of a parameter: did both get to the same place?"""
    return max(abs(a / b - 1) for a, b in zip(ours["parameters"], model.params_))


def score_peer(name, model, table, n):
    """Seconds of the same customers over and over."""
    times = (n + len(table) - 1) // len(table)
    big = pd.concat([table.assign(T=table["T"] + .01 * i) for i in range(times)])[:n]
    began = time.monotonic()
    if name == "Gamma-Gamma":
        model.conditional_expected_average_profit(big.frequency, big.monetary_value)
    else:
        model.conditional_expected_number_of_purchases_up_to_time(HORIZON, big.frequency, big.recency, big["T"])
        model.conditional_probability_alive(big.frequency, big.recency, big["T"])
    return time.monotonic() - began


def main():
    if not CDNOW.exists():
        print(f"## Buy-till-you-die\n\nSkipped: {CDNOW} is not there.")
        return
    table = summary()
    peer, models, ours = {}, {}, {name: [] for name in OURS}
    with tempfile.TemporaryDirectory() as folder:
        path = f"{folder}/customers.bin"
        table[["frequency", "recency", "T", "monetary_value"]].to_numpy(np.float64).tofile(path)

        def run_ours():
            done = subprocess.run([BENCH, path, "1", str(SCORED), str(HORIZON)], stdout=subprocess.PIPE, check=True)
            result = json.loads(done.stdout)
            for name, key in OURS.items():
                ours[name].append(result[key])

        def run_peer():
            for name, fit in fitters(table).items():
                began = time.monotonic()
                models[name] = fit()
                peer.setdefault(name, []).append(time.monotonic() - began)

        for i in range(ROUNDS):
            say(f"buy-till-you-die, round {i + 1} of {ROUNDS}")
            for run in (run_ours, run_peer) if i % 2 == 0 else (run_peer, run_ours):
                run()
    print(f"## Buy-till-you-die: full CDNOW, {len(table):,} customers, {THREADS} threads against lifetimes {lifetimes.__version__}\n")
    print("| model | runs | fit, s | lifetimes, s | ratio | bar: 30x | parameters differ by | log-likelihood |\n|---|---:|---:|---:|---:|---|---:|---:|")
    for name in OURS:
        seconds = np.median([run["seconds"][0] for run in ours[name]])
        ratio = np.median(peer[name]) / seconds
        print(f"| {name} | {ROUNDS} | {seconds:.3f} | {np.median(peer[name]):.2f} | {ratio:.0f} | {'ok' if ratio >= 30 else '**below**'} | "
              f"{difference(ours[name][-1], models[name]):.2%} | {ours[name][-1]['log_likelihood']:.2f} |", flush=True)
    print(f"\nScoring {SCORED:,} customers:\n\n| model | s | lifetimes, s (of a tenth, times 10) |\n|---|---:|---:|")
    total = 0
    for name in OURS:
        seconds = np.median([run["score_seconds"] for run in ours[name]])
        total += seconds
        say(f"scoring with lifetimes: {name}")
        print(f"| {name} | {seconds:.2f} | {10 * score_peer(name, models[name], table, SCORED // 10):.1f} |", flush=True)
    print(f"| all | {total:.2f} ({'ok' if total < 10 else '**above the bar of 10 s**'}) | |")


main()
