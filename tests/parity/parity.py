"""The library's numbers beside scikit-learn's and SciPy's: the largest difference over seeded cases, as a table.

Both sides see the same float32 data, the peers in double precision. A figure beyond its limit makes the script fail.
Fixed numbers of the unit tests are from the same functions of the same versions.
"""
import ctypes
import sys
import warnings

import libcoterie as lib
import numpy as np
import scipy
import sklearn
from scipy import stats
from scipy.cluster.hierarchy import cophenet, linkage
from scipy.optimize import linear_sum_assignment
from scipy.spatial.distance import pdist
from sklearn import metrics, preprocessing

warnings.filterwarnings("ignore")
KINDS = {"robust": 5, "uniform": 6, "normal": 7}


def clusters(seed, n, d, k, spread=1.5):
    rng = np.random.default_rng(seed)
    labels = rng.choice(k, n, p=rng.dirichlet(np.ones(k))).astype(np.uint32)
    labels[:k] = np.arange(k)
    x = rng.normal(0, 3, (k, d))[labels] + rng.normal(0, spread, (n, d)) + 50
    return np.ascontiguousarray(x, np.float32), labels


def agreement():
    for seed, (n, a, b) in enumerate([(50, 3, 4), (1000, 12, 7), (20000, 50, 40), (100000, 8, 300), (300, 300, 5), (200, 1, 9)]):
        rng = np.random.default_rng(seed)
        x = rng.integers(a, size=n).astype(np.uint32)
        y = np.where(rng.random(n) < 0.7, x % b, rng.integers(b, size=n)).astype(np.uint32)
        yield "adjusted Rand index", "adjusted_rand_score", 1e-12, metrics.adjusted_rand_score(x, y), lib.number("cot_metric_ari", x, y, n)
        yield ("adjusted mutual information", "adjusted_mutual_info_score", 1e-9, metrics.adjusted_mutual_info_score(x, y),
               lib.number("cot_metric_ami", x, y, n))


def indices():
    for seed, shape in enumerate([(300, 2, 3), (2000, 16, 8), (5000, 32, 20), (1000, 200, 5)]):
        x, labels = clusters(seed, *shape)
        k, wide = shape[2], x.astype(float)
        view, values = lib.matrix(x), np.zeros(shape[0], np.float32)
        mean = np.zeros(1)
        lib.call("cot_metric_silhouette", view, labels, k, ctypes.c_uint(0), mean, values)
        yield "silhouette, mean", "silhouette_score", 1e-6, metrics.silhouette_score(wide, labels), mean[0]
        yield "silhouette, each point", "silhouette_samples", 1e-6, metrics.silhouette_samples(wide, labels), values
        theirs = metrics.davies_bouldin_score(wide, labels)
        yield "Davies-Bouldin (relative)", "davies_bouldin_score", 1e-6, 1, lib.number("cot_metric_davies_bouldin", view, labels, k) / theirs
        theirs = metrics.calinski_harabasz_score(wide, labels)
        yield ("Calinski-Harabasz (relative)", "calinski_harabasz_score", 1e-6, 1,
               lib.number("cot_metric_calinski_harabasz", view, labels, k) / theirs)


def purity_by_pairs(z, labels):
    """Heller and Ghahramani's definition, pair by pair."""
    n = len(labels)
    members = [{i} for i in range(n)]
    total = pairs = 0
    for left, right in z[:, :2].astype(int):
        both = members[left] | members[right]
        for label in np.unique(labels[list(both)]):
            new = sum(labels[i] == label for i in members[left]) * sum(labels[i] == label for i in members[right])
            total += new * np.mean(labels[list(both)] == label)
            pairs += new
        members.append(both)
    return total / pairs


def trees():
    for seed, method in enumerate(["ward", "average", "complete", "single"]):
        x, labels = clusters(seed, 400, 6, 7, 3)
        z = np.ascontiguousarray(linkage(x.astype(float), method))
        tree = lib.Linkage(len(x), z.ctypes.data)
        theirs = cophenet(z, pdist(x.astype(float)))[0]
        yield "cophenetic correlation", "scipy cophenet", 1e-9, theirs, lib.number("cot_metric_cophenetic", lib.matrix(x), tree)
        yield ("dendrogram purity", "its definition, pair by pair", 1e-12, purity_by_pairs(z, labels),
               lib.number("cot_metric_dendrogram_purity", tree, labels))


def tests():
    rng = np.random.default_rng(3)
    for n in (1, 7, 1000):
        p = rng.random(n) ** 3
        q = np.zeros(n)
        lib.call("cot_false_discovery", p, n, q)
        yield "false discovery rate", "scipy false_discovery_control", 1e-14, stats.false_discovery_control(p), q
    x, labels = clusters(5, 2000, 6, 4, 20)
    contrasts = np.zeros((4, 6, 7))
    lib.call("cot_contrasts_compute", lib.matrix(x), labels, 4, ctypes.c_uint(0), contrasts)
    for s in range(4):
        test = stats.ttest_ind(x[labels == s].astype(float), x[labels != s].astype(float), equal_var=False)
        yield "contrasts: Welch's t", "scipy ttest_ind", 1e-9, test.statistic, contrasts[s, :, 3]
        yield "contrasts: p", "scipy ttest_ind", 1e-10, test.pvalue, contrasts[s, :, 5]
    yield ("contrasts: q", "scipy false_discovery_control", 1e-10,
           stats.false_discovery_control(contrasts[:, :, 5].ravel()), contrasts[:, :, 6].ravel())


def matching():
    for seed, shape in enumerate([(5, 5), (30, 50), (80, 20)]):
        cost = np.random.default_rng(seed).random(shape)
        columns = np.zeros(shape[0], np.uint64)
        total = lib.number("cot_matching_solve", cost, *shape, columns)
        yield "matching, total cost", "scipy linear_sum_assignment", 1e-12, cost[linear_sum_assignment(cost)].sum(), total


def transform(kind, x, queries, n_quantiles):
    columns = (lib.TransformColumn * x.shape[1])(*[lib.TransformColumn(b"x", KINDS[kind])] * x.shape[1])
    options = lib.TransformOptions(0, 1, 0.01, n_quantiles, 0)
    handle, z = lib.POINTER(), np.zeros(queries.shape, np.float32)
    lib.call("cot_transform_fit", lib.matrix(x), ctypes.byref(columns), options, ctypes.byref(handle))
    lib.call("cot_transform_apply", handle, lib.matrix(queries), ctypes.c_uint(0), z)
    back = np.zeros(queries.shape, np.float32)
    lib.call("cot_transform_inverse_rows", handle, lib.matrix(z), ctypes.c_uint(0), back)
    lib.LIBRARY.cot_transform_free(handle)
    return z, back


def transforms():
    for seed, n in enumerate([30, 500, 5000]):
        rng = np.random.default_rng(seed)
        x = np.column_stack([rng.normal(size=n), rng.exponential(100, n), rng.integers(0, 6, n), np.exp(rng.normal(0, 3, n))]).astype(np.float32)
        queries = np.ascontiguousarray(np.clip(x[rng.integers(n, size=200)] * rng.choice([1, 1, 1.1], (200, 1)), x.min(0), x.max(0)), np.float32)
        scaler = preprocessing.RobustScaler().fit(x.astype(float))
        z, back = transform("robust", x, queries, 1000)
        theirs = scaler.transform(queries.astype(float))
        yield "robust (relative)", "RobustScaler", 2e-7, theirs / (1 + abs(theirs)), z / (1 + abs(theirs))
        yield "robust, there and back (relative)", "the data", 1e-5, 0, (back - queries) / (1 + abs(queries))
        for kind in ("uniform", "normal"):
            for n_quantiles in (10, 100, 1000):
                peer = preprocessing.QuantileTransformer(n_quantiles=n_quantiles, output_distribution=kind, subsample=None)
                theirs = peer.fit(x.astype(float)).transform(queries.astype(float))
                z, back = transform(kind, x, queries, n_quantiles)
                yield f"quantile, {kind}", "QuantileTransformer", 2e-6, theirs, z
                theirs = peer.inverse_transform(z.astype(float))
                yield f"quantile, {kind}, inverse (relative)", "QuantileTransformer", 1e-5, 0, (back - theirs) / (1 + abs(theirs))


def main():
    rows = {}
    for part in (agreement, indices, trees, tests, matching, transforms):
        for what, peer, limit, theirs, ours in part():
            difference = float(np.max(np.abs(np.asarray(theirs) - np.asarray(ours))))
            _, _, n, largest = rows.get(what, (peer, limit, 0, 0.0))
            rows[what] = (peer, limit, n + 1, max(largest, difference) if difference == difference else float("inf"))
    print(f"scikit-learn {sklearn.__version__}, SciPy {scipy.__version__}, NumPy {np.__version__}:\n")
    print("| what | beside | cases | largest difference | limit |\n|---|---|---:|---:|---:|")
    for what, (peer, limit, n, largest) in rows.items():
        print(f"| {what} | {peer} | {n} | {largest:.1e} | {limit:.0e} |")
    beyond = [what for what, (_, limit, _, largest) in rows.items() if largest > limit]
    if beyond:
        sys.exit(f"beyond the limit: {', '.join(beyond)}")


main()
