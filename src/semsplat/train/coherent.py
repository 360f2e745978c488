"""3D Coherent Self-training (CLIP-GS, section 3.3): regions vote on their class across views."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from semsplat.conventions import NO_ID
from semsplat.features.teachers import IGNORED
from semsplat.fit.views import Camera, camera_of
from semsplat.params.methods import SelfTraining
from semsplat.splat.gaussians import splat_values
from semsplat.train.attached import SEMANTICS
from semsplat.train.methods import Stage


def vote(
    classes: Sequence[Tensor],  # per view int64 [H, W], 1 to C
    regions: Sequence[Tensor],  # per view int64 [H, W], ids shared between views, -1 = none
    n_classes: int,
    n_regions: int,  # ids are below; who counts them waits for the GPU
) -> Tensor:
    """Return the class of the first view's regions by vote, int64 [H, W] (METHODS 1.1-4).

    The class of region q is the most frequent one over all pixels of its supports in all views, the
    lowest of several; pixels in no region get `IGNORED`.
    """
    votes = torch.cat([c.flatten() for c in classes]) - 1
    place = torch.cat([r.flatten() for r in regions]) - NO_ID  # none becomes 0
    counts = votes.new_zeros((n_regions + 1) * n_classes)
    counts.index_add_(0, place * n_classes + votes, torch.ones_like(votes))
    winners = counts.view(-1, n_classes).argmax(dim=1) + 1
    here = regions[0]
    own = winners[place[: here.numel()]].view(here.shape)
    return own.masked_fill(here == NO_ID, IGNORED)


def voted_labels(stage: Stage, view: Camera, scores: Tensor, config: SelfTraining) -> Tensor:
    """Return S'_k, the labels that a view learns from step T on, int64 [H, W] (METHODS 1.1-4).

    The class of a pixel before the vote is the argmax of the class scores; no gradient flows
    through the labels.

    Args:
        stage: what is trained, and the teacher's regions and tracks.
        view: the view k of this step.
        scores: [H, W, C] as rendered at this step.
        config: which regions vote, and what becomes of pixels outside them.
    """
    own, voters = classes_of(scores.detach()), voters_of(stage, view, config)
    which = regions_kind(config)
    classes = [own, *(rendered_classes(stage, other) for other in voters[1:])]
    regions = [stage.ids(camera, which) for camera in voters]
    n_regions = 1 + max(stage.highest(camera.name, which) for camera in voters)
    labels = vote(classes, regions, scores.shape[-1], n_regions)
    keep_own = config.uncovered == "pixel_argmax"
    return torch.where(labels == IGNORED, own, labels) if keep_own else labels


def read_regions(stage: Stage, view: Camera, config: SelfTraining) -> None:
    """Read all that `voted_labels` takes from disk."""
    which = regions_kind(config)
    for camera in voters_of(stage, view, config):
        stage.ids(camera, which)
        stage.highest(camera.name, which)


def regions_kind(config: SelfTraining) -> str:
    """Return which ids of a lesson vote."""
    return "regions" if config.vote == "within_view" else "tracks"


def voters_of(stage: Stage, view: Camera, config: SelfTraining) -> list[Camera]:
    """Return the views whose regions vote, the view itself first."""
    places = [] if config.vote == "within_view" else neighbours(stage, view.name)
    return [view, *(_camera(stage, place, view) for place in places)]


def neighbours(stage: Stage, name: str) -> list[int]:
    """Return the places of the training views before and after one; the ends have one of them."""
    place = stage.places[name]
    return [i for i in (place - 1, place + 1) if 0 <= i < len(stage.frames)]


@torch.no_grad()
def rendered_classes(stage: Stage, camera: Camera) -> Tensor:
    """Return the class of every pixel of a view with the Gaussians as they are, int64 [H, W]."""
    values = stage.gaussians[SEMANTICS]
    image, _, _ = splat_values(stage.gaussians, values, *camera.alone)
    return classes_of(stage.decoder(image[0]))


def classes_of(scores: Tensor) -> Tensor:
    """Return the argmax of class scores [..., C] as classes 1 to C, the lowest of several."""
    return scores.argmax(dim=-1) + 1


def _camera(stage: Stage, place: int, view: Camera) -> Camera:
    """Return the camera of a training view at the image scale at which another one is trained."""
    scale = view.width / stage.frames[stage.places[view.name]].width
    return camera_of(stage.frames[place], scale, stage.inputs)
