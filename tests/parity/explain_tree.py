"""Threshold trees beside the authors' own ExKMC: same data, same centroids, same number of leaves.

ExKMC 0.0.3 (PyPI) builds with Python 3.9 and NumPy 1, so this is no part of `make bench`: in a virtual environment of that,
  pip install "numpy<2" "scikit-learn<1.4" pandas "cython<3" setuptools wheel && pip install --no-build-isolation ExKMC
Costs are relative to k-means (the price of explainability), both judged by the tree's clusters about their own means.
"""
import ctypes
import warnings

import libcoterie as lib
import numpy as np
from ExKMC.Tree import Tree
from sklearn import datasets
from sklearn.cluster import KMeans
from sklearn.preprocessing import StandardScaler

warnings.filterwarnings("ignore")


def sets():
    for name, load in (("iris", datasets.load_iris), ("wine", datasets.load_wine), ("breast cancer", datasets.load_breast_cancer),
                       ("digits", datasets.load_digits)):
        x, labels = load(return_X_y=True)
        yield name, StandardScaler().fit_transform(x).astype(np.float32), len(set(labels))
    rng = np.random.default_rng(0)
    for n, d, k, spread in ((5000, 8, 8, 1.0), (5000, 16, 12, 2.0), (20000, 32, 20, 1.5)):
        centres = rng.normal(0, 3, (k, d))
        x = centres[rng.integers(k, size=n)] + rng.normal(0, spread, (n, d))
        yield f"mixture of {k} in {d} columns", x.astype(np.float32), k


def grow(x, centroids, max_leaves):
    options, handle = lib.ExplainOptions(max_leaves=max_leaves), lib.POINTER()
    lib.call("cot_explain_tree_fit", lib.matrix(x), centroids, len(centroids), options, ctypes.byref(handle))
    tree = ctypes.cast(handle, ctypes.POINTER(lib.ExplainTree)).contents
    figures = tree.price, tree.fidelity
    lib.LIBRARY.cot_explain_tree_free(handle)
    return figures


print("| set | leaves | ExKMC price | ours | ExKMC fidelity | ours |\n|---|---:|---:|---:|---:|---:|")
for name, x, k in sets():
    wide = x.astype(float)
    kmeans = KMeans(k, n_init=10, random_state=0).fit(wide)
    centroids = np.ascontiguousarray(kmeans.cluster_centers_, np.float32)
    kmeans.cluster_centers_ = centroids.astype(float)
    labels = kmeans.predict(wide)
    cost = ((wide - kmeans.cluster_centers_[labels]) ** 2).sum()
    for max_leaves in (k, 2 * k):
        peer = Tree(k, max_leaves=max_leaves).fit(wide, kmeans)
        price, fidelity = grow(x, centroids, max_leaves)
        print(f"| {name} | {max_leaves} | {peer.score(wide) / cost:.4f} | {price:.4f} "
              f"| {np.mean(peer.predict(wide) == labels):.4f} | {fidelity:.4f} |")
