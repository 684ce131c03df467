"""One fit of Debian's own build of scikit-learn, for its row in bench/kmeans.py: run by the system's Python, not the venv's.

kmeans_debian.py X.npy INIT.npy STEPS CENTROIDS.npy prints seconds and steps as JSON; without arguments, the version.
"""
import json
import sys
import time
import warnings

import numpy as np
import sklearn
from sklearn.cluster import KMeans

warnings.filterwarnings("ignore")

if len(sys.argv) == 1:
    print(sklearn.__version__)
else:
    x, init, steps = np.load(sys.argv[1]), np.load(sys.argv[2]), int(sys.argv[3])
    model = KMeans(len(init), init=init, n_init=1, max_iter=steps, tol=0, algorithm="lloyd")
    began = time.monotonic()
    model.fit(x)
    print(json.dumps({"seconds": time.monotonic() - began, "steps": model.n_iter_}))
    np.save(sys.argv[4], model.cluster_centers_)
