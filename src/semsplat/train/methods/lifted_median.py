"""Lifting by a robust mean, without training, in the manner of VALA (arXiv 2509.05515).

Views disagree about what a Gaussian belongs to: where outlines err, a mean is of both sides.  VALA
takes a geometric median of directions instead, and lets only the first contributors of every ray
vote.  Ours is the median (`semsplat.train.lifted_median`), over all regions of all training views,
by Weiszfeld's iterations where VALA streams; the gate is left out: the weights of blending, which
the rest of a ray has few of, are the only gate.
"""

from __future__ import annotations

from semsplat.params.base import Count
from semsplat.params.methods import Lifted
from semsplat.train.methods import Lift, Stage
from semsplat.train.methods.lifted_mean import ANSWERS as ANSWERS
from semsplat.train.methods.lifted_mean import attach as attach
from semsplat.train.methods.lifted_mean import decoder as decoder
from semsplat.train.methods.lifted_mean import reads as reads
from semsplat.train.methods.lifted_mean import rendered as rendered
from semsplat.train.methods.lifted_mean import vectors as vectors


class Options(Lifted):
    """Parameters of the median."""

    iterations: Count
    """of Weiszfeld's algorithm, a pass over the training views each"""


def lift(options: Options, stage: Stage) -> Lift:
    """Return what goes over the training views."""
    from semsplat.train.lifted_median import CosineMedian

    return CosineMedian(stage, options.iterations)
