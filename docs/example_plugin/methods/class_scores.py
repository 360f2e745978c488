"""A method of one's own: every Gaussian holds a score for every class, and nothing is decoded."""

from __future__ import annotations

from semsplat.params.base import Positive
from semsplat.params.methods import Taught
from semsplat.train.methods import Attachment

ANSWERS = ("colours", "classes")


class Options(Taught):
    """Parameters: those of every taught method, and a learning rate."""

    lr: Positive
    """learning rate of the scores"""

    def scaled(self, steps, rates):
        """Return the options of a run of fewer steps at higher rates."""
        return self.model_copy(update={"lr": self.lr * rates})


def attach(options, lessons, features):
    """Return what every Gaussian carries: a number for each class, small at the start."""
    shape = {"n_classes": len(lessons.class_ids)}
    head = decoder(**shape)
    return Attachment(shape["n_classes"], 0.01, options.lr, shape, head, options.lr)


def decoder(n_classes):
    """Return what makes class scores [H, W, C] of blended numbers: they are scores already."""
    from torch.nn import Identity

    return Identity()


def reads(options, stage):
    """Return what reads a view's labels; a thread calls it for the next step."""
    return lambda step, camera: stage.ids(camera, "labels")


def semantic_terms(options, stage):
    """Return the cross-entropy of a view's blended scores with the teacher's labels."""
    from semsplat.train.class_terms import cross_entropy

    def terms(step, view, blended):
        labels = stage.ids(view, "labels")
        return {"cross_entropy": options.weight * cross_entropy(blended, labels)}

    return terms
