"""Labelled sets: adjusted Rand index at the true k of `lab cluster` against scikit-learn and fastcluster, and the seconds
of the fits.

Mean over the sets and ten seeds. Both sides: greedy k-means++ seeding, the same n_init, 300 iterations, tol 1e-4; Ward has
no seed, and its peer is fastcluster's linkage_vector, cut by SciPy. Reference labels: the first labelling of a set; points
that it calls noise (label 0) are clustered but not judged, as the suite asks. COTERIE_LABELLED_SEEDS sets another number of seeds.
"""
import gzip
import json
import os
import pathlib
import subprocess
import sys
import tempfile
import time
import warnings

import fastcluster
import numpy as np
from scipy.cluster.hierarchy import fcluster
from sklearn.cluster import KMeans
from sklearn.metrics import adjusted_rand_score

COTERIE = os.environ["COTERIE"]
SETS = pathlib.Path(os.environ.get("COTERIE_DATASETS", "../shared/data")) / "clustering_benchmarks"
N_SEEDS = int(os.environ.get("COTERIE_LABELLED_SEEDS", "10"))
MAX_ROWS_WARD = 20000  # fastcluster's Ward takes minutes above
MAX_ROWS_TEN = 20000  # ten runs of scikit-learn's k-means on 100 clusters of more rows, times ten seeds
MARGIN = 0.005

warnings.filterwarnings("ignore")


def ours(path, k, seed, method, folder, *more):
    labels = f"{folder}/labels.npy"
    done = subprocess.run([COTERIE, "lab", "cluster", "--input", path, "--k", str(k), "--method", method, "--seed", str(seed),
                           "--labels-out", labels, "--json", "--quiet", *more], capture_output=True, text=True)
    if done.returncode != 0:
        sys.exit(f"lab cluster on {path}: {done.stderr}")
    return np.load(labels), json.loads(done.stdout)["seconds"]


def theirs(model, x):
    began = time.monotonic()
    labels = model.fit(x).labels_
    return labels, time.monotonic() - began


def fastclusters(k, x):
    wide = x.astype(np.float64)
    began = time.monotonic()
    labels = fcluster(fastcluster.linkage_vector(wide, method="ward"), k, criterion="maxclust")
    return labels, time.monotonic() - began


class Column:
    """One comparison: index and seconds of both sides, a pair a set and seed."""

    def __init__(self, name):
        self.name, self.rows = name, []

    def add(self, set_name, truth, pair):
        judged = truth > 0
        self.rows.append((set_name, *[(adjusted_rand_score(truth[judged], labels[judged]), seconds)
                                      for labels, seconds in pair]))

    def line(self):
        mean = [np.mean([row[side][0] for row in self.rows]) for side in (1, 2)]
        seconds = [sum(row[side][1] for row in self.rows) for side in (1, 2)]
        n_sets = len({row[0] for row in self.rows})
        verdict = "ok" if mean[0] >= mean[1] - MARGIN else "**below the bar**"
        return (f"| {self.name} | {n_sets} | {len(self.rows)} | {mean[0]:.4f} | {mean[1]:.4f} | {mean[0] - mean[1]:+.4f} | "
                f"{seconds[0]:.1f} | {seconds[1]:.1f} | {verdict} |")


def main():
    if not SETS.is_dir():
        print("## Labelled sets\n\nskipped: there are no data sets (COTERIE_DATASETS)")
        return
    one, ten, ward = Column("k-means, n_init 1"), Column("k-means, n_init 10"), Column("Ward")
    with tempfile.TemporaryDirectory() as folder:
        for data in sorted(SETS.rglob("*.data.gz")):
            labels = data.with_name(data.name.replace(".data.gz", ".labels0.gz"))
            if not labels.exists():
                continue
            name = str(data.relative_to(SETS))
            with gzip.open(data) as file:
                x = np.loadtxt(file, ndmin=2).astype(np.float32)
            with gzip.open(labels) as file:
                truth = np.loadtxt(file).astype(int)
            k = int(truth.max())
            path = f"{folder}/x.npy"
            np.save(path, x)
            print(f"bench: {name} {x.shape} k={k}", file=sys.stderr)
            for column, n_init in ((one, 1), (ten, 10)):
                if n_init > 1 and len(x) > MAX_ROWS_TEN:
                    continue
                for seed in range(N_SEEDS):
                    column.add(name, truth, (ours(path, k, seed, "kmeans", folder, "--n-init", str(n_init)),
                                             theirs(KMeans(k, n_init=n_init, random_state=seed), x)))
            if len(x) <= MAX_ROWS_WARD:
                ward.add(name, truth, (ours(path, k, 1, "ward", folder), fastclusters(k, x)))
    print("## Labelled sets: adjusted Rand index at the true k, `lab cluster` against scikit-learn and, for Ward, fastcluster\n")
    print("| method | sets | runs | ours | peer | difference | our seconds | peer's seconds | bar: -0.005 |")
    print("|---|---:|---:|---:|---:|---:|---:|---:|---|")
    for column in (one, ten, ward):
        print(column.line())


main()
