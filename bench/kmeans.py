"""K-means against its peers: seconds a step from the same start, and the time to a good clustering.

Same matrix, same initial centroids, same number of steps, same threads, alternating order in one process run; the ratio of
each pair of neighbours, the median of at least five. One float64 evaluator judges the inertia of everybody's centroids.
COTERIE_KMEANS_ROUNDS sets another number of rounds, COTERIE_KMEANS_SHAPES a subset (0,2), COTERIE_KMEANS_SEEDS another
number of fits to the end.
"""
import gzip
import json
import os
import subprocess
import sys
import tempfile
import time
import warnings

THREADS = len(os.sched_getaffinity(0))
os.environ["OMP_NUM_THREADS"] = str(THREADS)

import faiss  # noqa: E402
import numpy as np  # noqa: E402
import sklearn  # noqa: E402
from sklearn.cluster import KMeans  # noqa: E402
from sklearnex.cluster import KMeans as IntelKMeans  # noqa: E402

COTERIE = os.environ["COTERIE"]
LIMITS = os.path.join(os.path.dirname(COTERIE), "bench", "bench_limits")
ROUNDS = int(os.environ.get("COTERIE_KMEANS_ROUNDS", "5"))
SYSTEM_PYTHON = "/usr/bin/python3"  # Debian's python3-sklearn, where it is installed
DEBIAN = os.path.join(os.path.dirname(os.path.abspath(__file__)), "kmeans_debian.py")
FASHION = "/usr/share/datasets/fashion-mnist/train-images-idx3-ubyte.gz"
STEPS = 20
SEEDS = range(1, 1 + int(os.environ.get("COTERIE_KMEANS_SEEDS", "3")))
MAX_STEPS = 100  # of a fit to the end
KERNELS = [isa for isa in ("avx2", "avx512", "amx")
           if subprocess.run([COTERIE, "lab", "cluster", "--isa", isa, "--input", "/dev/null", "--k", "1"],
                             capture_output=True, text=True).stderr.find("does not run") < 0]

DEBIAN_VERSION = None  # set by main
warnings.filterwarnings("ignore")


def say(text):
    print(f"bench: {text}", file=sys.stderr, flush=True)


def planted(n, d, k, seed):
    chance = np.random.default_rng(seed)
    centres = chance.normal(size=(k, d)).astype(np.float32)
    return centres[chance.integers(0, k, n)] + chance.normal(size=(n, d)).astype(np.float32)


def fashion():
    if not os.path.exists(FASHION):
        return None
    with gzip.open(FASHION) as file:
        images = np.frombuffer(file.read(), np.uint8, offset=16).reshape(-1, 784)
    with gzip.open(FASHION.replace("train", "t10k")) as file:
        images = np.vstack([images, np.frombuffer(file.read(), np.uint8, offset=16).reshape(-1, 784)])
    return images.astype(np.float32)


SHAPES = [("1M x 16, k 8", lambda: planted(1000000, 16, 8, 1), 8), ("1M x 32, k 64", lambda: planted(1000000, 32, 64, 2), 64),
          ("200k x 128, k 256", lambda: planted(200000, 128, 256, 3), 256), ("Fashion-MNIST 70k x 784, k 100", fashion, 100)]


def debian_version():
    done = subprocess.run([SYSTEM_PYTHON, DEBIAN], capture_output=True, text=True) if os.path.exists(SYSTEM_PYTHON) else None
    return done.stdout.strip() if done is not None and done.returncode == 0 else None


def inertia_of(x, centroids):
    """Float64, exact differences."""
    centroids = centroids.astype(np.float64)
    total = 0.0
    for begin in range(0, len(x), 20000):
        block = x[begin:begin + 20000].astype(np.float64)
        labels = (((centroids ** 2).sum(1) / 2) - block @ centroids.T).argmin(1)
        total += ((block - centroids[labels]) ** 2).sum()
    return total


class Case:
    def __init__(self, name, x, k, folder):
        self.name, self.x, self.k, self.folder = name, x, k, folder
        self.input, self.init_path = f"{folder}/x.npy", f"{folder}/init.npy"
        self.init = x[np.random.default_rng(5).choice(len(x), k, replace=False)].copy()
        np.save(self.input, x)
        np.save(self.init_path, self.init)

    def coterie(self, isa, *more):
        done = subprocess.run([COTERIE, "lab", "cluster", "--input", self.input, "--k", str(self.k), "--isa", isa, "--threads",
                               str(THREADS), "--json", "--quiet", "--centroids-out", f"{self.folder}/c.npy", *more],
                              capture_output=True, text=True)
        if done.returncode != 0:
            sys.exit(f"lab cluster: {done.stderr}")
        result = json.loads(done.stdout)
        return result["seconds"], result["iterations"], np.load(f"{self.folder}/c.npy"), result

    def learner(self, model):
        began = time.monotonic()
        model.fit(self.x)
        return time.monotonic() - began, model.n_iter_, model.cluster_centers_, None

    def debian(self, steps):
        done = subprocess.run([SYSTEM_PYTHON, DEBIAN, self.input, self.init_path, str(steps), f"{self.folder}/d.npy"],
                              capture_output=True, text=True, check=True)
        result = json.loads(done.stdout)
        return result["seconds"], result["steps"], np.load(f"{self.folder}/d.npy"), None

    def faiss(self, steps, init, seed):
        faiss.omp_set_num_threads(THREADS)
        model = faiss.Kmeans(self.x.shape[1], self.k, niter=steps, seed=seed, min_points_per_centroid=1,
                             max_points_per_centroid=len(self.x))
        began = time.monotonic()
        model.train(self.x, init_centroids=init)
        return time.monotonic() - began, steps, model.centroids, None

    def sides(self, steps):
        """Name -> one fit of `steps` steps from the common start."""
        given = dict(init=self.init, n_init=1, max_iter=steps, tol=0, algorithm="lloyd")
        result = {f"coterie {isa}": lambda isa=isa: self.coterie(isa, "--init", self.init_path, "--max-iter", str(steps),
                                                                "--tol", "0") for isa in KERNELS}
        result["scikit-learn"] = lambda: self.learner(KMeans(self.k, **given))
        if DEBIAN_VERSION is not None:
            result["scikit-learn of Debian"] = lambda: self.debian(steps)
        result["scikit-learn-intelex"] = lambda: self.learner(IntelKMeans(self.k, **given))
        result["faiss"] = lambda: self.faiss(steps, self.init, 1)
        return result

    def free(self, seed):
        """Name -> one whole fit from the side's own start."""
        result = {"coterie": lambda: self.coterie("best", "--seed", str(seed), "--max-iter", str(MAX_STEPS))}
        result["scikit-learn"] = lambda: self.learner(KMeans(self.k, n_init=1, max_iter=MAX_STEPS, random_state=seed))
        result["scikit-learn-intelex"] = lambda: self.learner(IntelKMeans(self.k, n_init=1, max_iter=MAX_STEPS,
                                                                          random_state=seed))
        result["faiss"] = lambda: self.faiss(MAX_STEPS, None, seed)
        return result


def steps_table(case, limits):
    seconds, detail, inertia = {}, {}, {}
    for i_round in range(ROUNDS):
        say(f"{case.name}: round {i_round + 1} of {ROUNDS}")
        sides = list(case.sides(STEPS).items())
        for name, run in sides if i_round % 2 == 0 else reversed(sides):
            took, steps, centroids, result = run()
            seconds.setdefault(name, []).append(took / steps)
            detail[name] = (steps, result)
            inertia.setdefault(name, centroids)
    n, d = case.x.shape
    flop = 2.0 * n * d * case.k
    print(f"\n### {case.name}: {STEPS} steps at most from the same start\n")
    peers = [name for name in seconds if not name.startswith("coterie")]
    print(f"| side | ms a step |{''.join(f' times faster than {peer} |' for peer in peers)} inertia | GFLOP/s | of the limit |"
          f" GB/s | points not looked at |\n|---|---|{'---|' * len(peers)}---|---|---|---|---|")
    for name, times in seconds.items():
        def ratio(peer):
            return f"{np.median([p / t for p, t in zip(seconds[peer], times)]):.2f}"
        median = np.median(times)
        steps, result = detail[name]
        looked = 1 - result["skipped"] if result else 1
        isa = "amx" if "amx" in name else "avx512" if "512" in name else "avx2"
        peak = limits["gflops"].get(isa, float("nan")) / (3 if isa == "amx" else 1)  # three products of bfloat16 each
        rate = flop * looked * (steps + 1) / steps / median / 1e9
        bytes_rate = 4.0 * n * d * looked * (steps + 1) / steps / median / 1e9
        print(f"| {name} ({steps} steps) | {1e3 * median:.1f} |{''.join(f' {ratio(peer)} |' for peer in peers)} {inertia_of(case.x, inertia[name]):.6g} | {rate:.1f} | {rate / peak:.0%} |"
              f" {bytes_rate:.1f} | {1 - looked:.0%} |", flush=True)


def target_table(case):
    fits = {}
    for seed in SEEDS:
        say(f"{case.name}: to the end, seed {seed}")
        for name, run in case.free(seed).items():
            took, steps, centroids, _ = run()
            fits.setdefault(name, []).append((took, steps, inertia_of(case.x, centroids)))
    best = min(inertia for runs in fits.values() for _, _, inertia in runs)
    print(f"\n{case.name}: fits to the end (at most {MAX_STEPS} steps) with seeds {', '.join(map(str, SEEDS))}, until one is within"
          f" 1.001 of the best inertia found ({best:.6g})\n")
    print("| side | seconds until there | best found / best of all | seconds a fit | steps a fit |\n|---|---|---|---|---|")
    for name, runs in fits.items():
        spent, reached = 0.0, None
        for took, _, inertia in runs:
            spent += took
            if inertia <= 1.001 * best and reached is None:
                reached = spent
        there = f"{reached:.2f}" if reached is not None else f"not in {spent:.2f}"
        print(f"| {name} | {there} | {min(r[2] for r in runs) / best:.5f} | {np.median([r[0] for r in runs]):.2f} |"
              f" {np.median([r[1] for r in runs]):.0f} |", flush=True)


def main():
    global DEBIAN_VERSION
    DEBIAN_VERSION = debian_version()
    limits = json.loads(subprocess.run([LIMITS], capture_output=True, text=True, check=True).stdout)
    print("## K-means\n")
    print(f"Threads: {THREADS} each. Kernels here: {', '.join(KERNELS)}. Limits measured just before: "
          + ", ".join(f"{value} GFLOP/s {'bfloat16' if isa == 'amx' else 'float32'} ({isa})" for isa, value in limits["gflops"].items())
          + f", {limits['gbs']} GB/s reading. Seconds are those of the whole fit, what each side does before the first included, over its steps."
          f" scikit-learn {sklearn.__version__} of PyPI"
          + (f" and {DEBIAN_VERSION} of Debian." if DEBIAN_VERSION else "; Debian's own build is not installed.")
          + " GFLOP/s and GB/s count only the points that were looked at, one product a number (AMX makes three of bfloat16, so its limit is a third of that peak); faiss and intelex may do less than all, too.")
    wanted = os.environ.get("COTERIE_KMEANS_SHAPES", "0,1,2,3").split(",")
    for i, (name, make, k) in enumerate(SHAPES):
        if str(i) not in wanted:
            continue
        x = make()
        if x is None:
            print(f"\n{name}: skipped, {FASHION} is not there (Debian's dataset-fashion-mnist)")
            continue
        with tempfile.TemporaryDirectory() as folder:
            case = Case(name, x, k, folder)
            steps_table(case, limits)
            target_table(case)


main()
