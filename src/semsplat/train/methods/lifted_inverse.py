"""Lifting by a regularised inverse, without training, as the Splat Feature Solver sees it.

The Splat Feature Solver (ICLR 2026) reads lifting as a sparse linear inverse problem: Gaussians
shall hold what lets every view show what its regions say.  The weighted mean (`lifted_mean`) is its
first, diagonal solution; here some iterations of conjugate gradients follow
(`semsplat.train.lifted_solution`).  The paper sharpens by Tikhonov's penalty on opacity-like
weights and drops inconsistent masks by clusters afterwards; we have the problem and a penalty in
units of each Gaussian's summed weights, which is our reconstruction, and no clusters.

While it solves, four vectors of levels x D numbers stand for every Gaussian, five with A^T f: at
CLIP's 512 on three levels 31 KB, which a million and a half make 46 GB.
"""

from __future__ import annotations

from semsplat.params.base import Count, Positive
from semsplat.params.methods import Lifted
from semsplat.train.methods import Lift, Stage
from semsplat.train.methods.lifted_mean import ANSWERS as ANSWERS
from semsplat.train.methods.lifted_mean import attach as attach
from semsplat.train.methods.lifted_mean import decoder as decoder
from semsplat.train.methods.lifted_mean import reads as reads
from semsplat.train.methods.lifted_mean import rendered as rendered
from semsplat.train.methods.lifted_mean import vectors as vectors


class Options(Lifted):
    """Parameters of the regularised inverse."""

    ridge: Positive
    """of the penalty on what Gaussians hold, each weighted by the pixels it fills"""
    iterations: Count
    """of conjugate gradients, a pass over the training views each"""


def lift(options: Options, stage: Stage) -> Lift:
    """Return what solves over the training views."""
    from semsplat.train.lifted_solution import RegularisedInverse

    return RegularisedInverse(stage, options.ridge, options.iterations)
