"""Lifting by a robust mean, without training, in the manner of VALA (arXiv 2509.05515).

Views disagree about what a Gaussian belongs to: where outlines err, a mean is of both sides.  VALA
takes a geometric median of directions instead, and lets only those Gaussians learn from a ray that
it mostly consists of.  Ours is the median (`semsplat.train.lifted_median`), over all regions of all
training views, by Weiszfeld's iterations where VALA streams.

The gate is a reconstruction: of every pixel the Gaussians with the largest weights of blending, up
to a share of their sum (`semsplat.splat.cpu.gate`).  The paper speaks of each ray; the released
code gates once per view, by a number for every Gaussian: those that together have 0.75 of its sum
(0.9 on ScanNet) and at least 0.13 each (0.01), among the largest 15 % or above 0.15.
"""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

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
    gate: Annotated[float, Field(gt=0, le=1)] | None
    """share of the weights of each ray that its largest weights reach, which alone count; null: all
    count (a reconstruction: the paper's own gate is told in words)"""


def lift(options: Options, stage: Stage) -> Lift:
    """Return what goes over the training views."""
    from semsplat.train.lifted_median import CosineMedian

    return CosineMedian(stage, options.iterations, options.gate)
