"""Protocol ``instances/ari@1``: a scene's instances found without a query.

Definition: per held-out view with true instances, the adjusted Rand index of the two partitions of
its labelled pixels, cluster of the largest share against true instance; pixels of which nothing is
drawn are one more cluster.  ``ari``: of each view; one without a labelled pixel has none.  1 is the
same partition whatever the numbers, 0 what chance gives; it can be negative.
Source: ours; Hubert and Arabie 1985 as scikit-learn computes it.  Contrastive Gaussian Clustering
shows clusters and gives no number for them.
Disputes: pixels weigh alike, so that walls and floors decide; a mug that is lost costs little.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from semsplat.evaluate.cases import Numbers, mean_of_cases

NAME = "instances/ari@1"
METRICS = {"ari": 1.0}
CASES = "clusters"


def score(prediction: NDArray[np.integer], truth: NDArray[np.integer]) -> Numbers:
    """Return the index of one view from maps [H, W]; empty where no pixel is labelled.

    Args:
        prediction: clusters, any ids.
        truth: instances, 0 = not labelled.
    """
    # here, because it takes seconds, and whoever lists the protocols imports this file
    from sklearn.metrics import adjusted_rand_score

    labelled = truth > 0
    if not labelled.any():
        return {}
    return {"ari": float(adjusted_rand_score(truth[labelled], prediction[labelled]))}


aggregate = mean_of_cases(NAME)
