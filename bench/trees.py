"""Trees: exact Ward against fastcluster, all linkages against SciPy, and the segment tree of 1M rows.

- Ward: the same float32 matrix, alternating order in one run; the ratio is that of the medians. Ours on all threads,
  fastcluster's linkage_vector has one. Merges are compared row by row; where rows differ, their heights must be tied.
- Linkages: every method's matrix against scipy.cluster.hierarchy.linkage.
- Other trees: genieclust and fast_hdbscan on the same planted matrix; they cut by other rules, so the adjusted Rand index
  against what was planted stands beside the seconds.
- Segment tree: fitted alone; then the polished cuts at eight k against flat k-means with ten seedings (float64 inertia of
  both), and the correlation of the heights at which the tree's Ward and exact Ward join each pair of 20,000 sampled rows.
  The ceiling is that correlation for exact Ward over twice as many rows, of which the sample is half: what any tree over
  more rows can agree with the sample's own.
COTERIE_TREES_ROUNDS (default 3) rounds at 20k; COTERIE_TREES_ROWS (default 1000000) rows of the segment tree;
COTERIE_TREES_RESTARTS (default 10).
"""
import json
import os
import subprocess
import sys
import tempfile
import time

import fast_hdbscan
import fastcluster
import genieclust
import numpy as np
from scipy.cluster.hierarchy import linkage
from sklearn.metrics import adjusted_rand_score

COTERIE = os.environ["COTERIE"]
BENCH_TREE = os.path.join(os.path.dirname(COTERIE), "bench", "bench_tree")
ROUNDS = int(os.environ.get("COTERIE_TREES_ROUNDS", "3"))
ROWS = int(os.environ.get("COTERIE_TREES_ROWS", "1000000"))
RESTARTS = os.environ.get("COTERIE_TREES_RESTARTS", "10")
THREADS = len(os.sched_getaffinity(0))
SAMPLE = 20000
KS = ("2", "3", "5", "8", "13", "21", "34", "50")


def say(text):
    print(f"bench: {text}", file=sys.stderr, flush=True)


def planted_with_labels(n, d, k, seed):
    chance = np.random.default_rng(seed)
    centres = 3 * chance.normal(size=(k, d))
    labels = chance.choice(k, n, p=chance.dirichlet(np.full(k, 2)))
    return (centres[labels] + chance.normal(size=(n, d))).astype(np.float32), labels


def planted(n, d, k, seed):
    return planted_with_labels(n, d, k, seed)[0]


def uniform(n, d, seed):
    return np.random.default_rng(seed).random((n, d), np.float32)


def ours(folder, x, method="ward"):
    path, out = f"{folder}/x.npy", f"{folder}/z.npy"
    np.save(path, x)
    done = subprocess.run([COTERIE, "lab", "cluster", "--input", path, "--k", "8", "--method", method, "--linkage-out", out,
                           "--json", "--quiet"], capture_output=True, text=True)
    if done.returncode != 0:
        sys.exit(f"lab cluster --method {method}: {done.stderr}")
    return json.loads(done.stdout)["seconds"], np.load(out)


def fastclusters(x):
    wide = x.astype(np.float64)
    began = time.monotonic()
    z = fastcluster.linkage_vector(wide, method="ward")
    return time.monotonic() - began, z


def leaf_sets(z):
    """Of every join: a hash of the leaves under it, the same for the same leaves."""
    n = len(z) + 1
    code = np.zeros(2 * n - 1, np.uint64)
    code[:n] = np.random.default_rng(7).integers(0, 2**64, n, dtype=np.uint64)
    with np.errstate(over="ignore"):
        for i, (a, b) in enumerate(z[:, :2].astype(int)):
            code[n + i] = code[a] + code[b]
    return code[n:]


def compare(a, b):
    """How the joins of two matrices agree: identical as sets of leaves, else whether the others' heights are tied."""
    difference = np.max(np.abs(a[:, 2] - b[:, 2]) / np.maximum(b[:, 2], np.finfo(float).tiny))
    shared = np.isin(leaf_sets(a), leaf_sets(b))
    if shared.all():
        return f"identical, heights to {difference:.0e}"
    heights = b[:, 2]
    near = np.minimum(np.abs(np.diff(heights, prepend=-np.inf)), np.abs(np.diff(heights, append=np.inf)))
    tied = near[~shared] <= 1e-12 * heights[~shared]
    return f"{np.mean(shared):.4%} identical, {'the others tied' if tied.all() else '**others differ**'}, heights to {difference:.0e}"


def bench_ward(folder):
    print(f"## Trees: exact Ward, {THREADS} threads against fastcluster's `linkage_vector`\n")
    print("| matrix | runs | ours, s | fastcluster, s | ratio | joins | bar: 10x at 20k |\n|---|---:|---:|---:|---:|---|---|")
    for name, x, rounds in (("20k x 32 planted", planted(20000, 32, 20, 1), ROUNDS),
                            ("20k x 32 uniform", uniform(20000, 32, 2), ROUNDS),
                            ("50k x 32 planted", planted(50000, 32, 20, 3), 1)):
        seconds, peer = [], []
        for i in range(rounds):
            say(f"Ward {name}, run {i + 1}")
            for side in (0, 1) if i % 2 == 0 else (1, 0):
                if side == 0:
                    one, z = ours(folder, x)
                    seconds.append(one)
                else:
                    one, z_peer = fastclusters(x)
                    peer.append(one)
        ratio = np.median(peer) / np.median(seconds)
        print(f"| {name} | {rounds} | {np.median(seconds):.2f} | {np.median(peer):.2f} | {ratio:.1f} | {compare(z, z_peer)} | "
              f"{'ok' if ratio >= 10 else '**below the bar**'} |", flush=True)


def bench_linkages(folder):
    x = planted(3000, 8, 10, 4)
    print("\n## Trees: 3,000 x 8 against SciPy\n")
    print("| linkage | joins | ours, s | SciPy, s |\n|---|---|---:|---:|")
    for method in ("ward", "average", "complete", "single"):
        seconds, z = ours(folder, x, method)
        began = time.monotonic()
        peer = linkage(x.astype(np.float64), method)
        print(f"| {method} | {compare(z, peer)} | {seconds:.2f} | {time.monotonic() - began:.2f} |", flush=True)


def bench_other_trees(folder):
    k = 20
    x, truth = planted_with_labels(SAMPLE, 32, k, 1)
    np.save(f"{folder}/x.npy", x)

    def ward():
        labels = f"{folder}/labels.npy"
        done = subprocess.run([COTERIE, "lab", "cluster", "--input", f"{folder}/x.npy", "--method", "ward", "--k", str(k),
                               "--labels-out", labels, "--json", "--quiet"], capture_output=True, text=True)
        if done.returncode != 0:
            sys.exit(f"lab cluster --method ward: {done.stderr}")
        return json.loads(done.stdout)["seconds"], np.load(labels)

    def timed(model):
        began = time.monotonic()
        labels = model.fit_predict(x)
        return time.monotonic() - began, labels

    sides = {"coterie ward": ward, f"genieclust {genieclust.__version__}": lambda: timed(genieclust.Genie(n_clusters=k)),
             "fast_hdbscan": lambda: timed(fast_hdbscan.HDBSCAN(min_cluster_size=100))}
    timed(fast_hdbscan.HDBSCAN(min_cluster_size=100))  # numba compiles at first
    print(f"\n## Trees: other hierarchical clusterers, {SAMPLE:,} x 32, {k} planted groups\n")
    print("| side | seconds | clusters | adjusted Rand index |\n|---|---:|---:|---:|")
    for name, run in sides.items():
        say(f"other trees: {name}")
        seconds, labels = run()
        print(f"| {name} | {seconds:.2f} | {len(set(labels[labels >= 0]))} | {adjusted_rand_score(truth, labels):.3f} |", flush=True)


def bench_tree(folder):
    print(f"\n## Trees: segment tree of {ROWS:,} x 32, 4,000 micro-clusters, {THREADS} threads\n")
    print("| data | seconds | bar | agreement with exact Ward | ceiling | bar |\n|---|---:|---|---:|---:|---|")
    cuts = {}
    for name, x in (("planted", planted(ROWS, 32, 20, 5)), ("uniform", uniform(ROWS, 32, 6))):
        say(f"segment tree, {name}")
        path = f"{folder}/big.npy"
        np.save(path, x)
        done = subprocess.run([BENCH_TREE, path, str(SAMPLE), RESTARTS, *KS], stdout=subprocess.PIPE, check=True)
        result = json.loads(done.stdout)
        cuts[name] = result["cuts"]
        print(f"| {name} | {result['seconds']:.1f} | {'ok' if result['seconds'] < 15 else '**15 s missed**'} | "
              f"{result['cophenetic']:.4f} | {result['ceiling']:.4f} | {'ok' if result['cophenetic'] >= 0.9 else '**below 0.9**'} |",
              flush=True)
    print(f"\nInertia of the polished cuts, of flat k-means with {RESTARTS} seedings, and the seconds of both:\n")
    print("| data | k | cut | flat | difference | cut, s | flat, s | bar: 1% |\n|---|---:|---:|---:|---:|---:|---:|---|")
    for name, rows in cuts.items():
        for row in rows:
            excess = row["inertia"] / row["flat_inertia"] - 1
            print(f"| {name} | {row['k']} | {row['inertia']:.6g} | {row['flat_inertia']:.6g} | {excess:+.3%} | "
                  f"{row['seconds']:.2f} | {row['flat_seconds']:.2f} | {'ok' if excess <= 0.01 else '**above**'} |")


with tempfile.TemporaryDirectory(prefix="coterie-trees-", dir=os.environ.get("TMPDIR", "build")) as scratch:
    bench_ward(scratch)
    bench_linkages(scratch)
    bench_other_trees(scratch)
    bench_tree(scratch)
