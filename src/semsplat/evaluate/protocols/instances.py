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

NAME = "instances/ari@1"
METRICS = ("ari",)


def score(clusters: NDArray[np.integer], truth: NDArray[np.integer]) -> float | None:
    """Return the index of one view from maps [H, W]; None where no pixel is labelled.

    Args:
        clusters: any ids.
        truth: instances, 0 = not labelled.
    """
    # here, because it takes seconds, and whoever lists the protocols imports this file
    from sklearn.metrics import adjusted_rand_score

    labelled = truth > 0
    if not labelled.any():
        return None
    return float(adjusted_rand_score(truth[labelled], clusters[labelled]))
