"""Protocol ``scannet/points@1``: the class of labelled points, by the Gaussians that sit there.

Definition: every Gaussian is asked alone, without any view, which class of a list it is: a method
that knows classes by its scores, one that is asked by text by the relevancy to the names, of its
levels the largest; one that is as relevant to all names is none.  A labelled point has the class of
the nearest Gaussian whose opacity is at least 0.1; where Gaussians sit on the points one to one it
has that of its own, and does not count where that has less.  The points are those that the scene
brings, all of them; without any they are the pixels of known depth and label, of held-out views,
and behind ``train_`` of training views.  One confusion matrix over all points; those of no class of
the list are dropped, and what is predicted there does not count.  ``point_miou``: TP / (TP + FP +
FN), ``point_accuracy``: TP / (TP + FN), both means over the classes that the points have.  Without
a prefix the list is that of the scene's classes; ``nyu19_``, ``nyu15_`` and ``nyu10_`` are the
lists of the source.  Where nothing is predicted, or no Gaussian is opaque enough, points are wrong;
Gaussians and classes that do not belong together are an error.
Source: the protocol of OpenGaussian (NeurIPS 2024) on ScanNet, as LUDVIG's evaluation has it: the
vertices of ``*_vh_clean_2.labels.ply``, on which Gaussians are held fast while their colours are
trained; 19, 15 and 10 of the NYU40 classes; the mean over the scans 0000_00, 0062_00, 0070_00,
0097_00, 0140_00, 0200_00, 0347_00, 0400_00, 0590_00 and 0645_00.  What Gaussians say where they do
not sit on the points is our reading.
Disputes: with points held fast the geometry is given; ours is trained, and the nearest centre is
one reading of what is at a point: VALA votes by Mahalanobis distances and SceneSplat labels the
Gaussians instead.  Pixels count a surface as often as views show it, where vertices are spread
evenly.  Published systems argmax the cosine with the names; relevancy orders names alike on each
level, but levels by their canonical phrases.  The source asks for "showercurtain", here it is two
words.  A field that is trained through blending may hold on single Gaussians what only their
mixture means.  The names that are asked for are known to the method; one that is taught classes
knows those of the scene alone, and loses the points of others.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from semsplat.evaluate.cases import Case, Numbers
from semsplat.evaluate.confusion import class_iou, label_metrics
from semsplat.evaluate.protocols import image_mean

NAME = "scannet/points@1"
METRICS = {"point_miou": 1.0, "point_accuracy": 1.0}
CASES = "points"
OPAQUE = 0.1
"""The least opacity of a Gaussian that says anything."""

score = image_mean.score


def aggregate(cases: Sequence[Case]) -> Numbers:
    """Return the metrics over the points of all cases; empty where none counts."""
    total: NDArray[np.int64] = np.sum([case.found[NAME] for case in cases], axis=0)
    if not np.any(total):
        return {}
    iou, share = class_iou(total)
    accuracy = label_metrics(total)["class_accuracy"]
    return dict(zip(METRICS, (float(iou[share > 0].mean()), accuracy), strict=True))
