"""What a person picks out of a trained scene, by a click or by a text: pixels and Gaussians."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from semsplat.data.scene import Frame, Viewpoint
from semsplat.errors import SemsplatError, did_you_mean
from semsplat.evaluate.clickable import ClickableField
from semsplat.evaluate.gaussians import classes_of, members_of, relevancy_of
from semsplat.evaluate.grounders.clip_regions import most_relevant
from semsplat.evaluate.grounding import interior
from semsplat.evaluate.protocols import segmentation_frozen
from semsplat.evaluate.selection import THRESHOLD, cosine, query_features, selected
from semsplat.field.known import Known, check_prompts
from semsplat.train.methods import Reference, method
from semsplat.train.model import SemanticField

ARTICLE = re.compile("^(a|an|the) ")
Mask = NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class Selection:
    """An object: which Gaussians are its own, and where a view shows it."""

    members: Mask
    """Which Gaussians are its own, bool [N]."""
    mask: Callable[[Viewpoint], Mask]
    """Viewpoint in, bool [H, W] out."""
    found: str
    """How it was found, in words."""


@torch.no_grad()
def by_click(known: Known, camera: Viewpoint, pixel: tuple[int, int]) -> Selection:
    """Return what a pixel (x, y) of a view shows, as the method tells things apart.

    A feature like the pixel's by CGC's Eq. 6, the pixel's class, or the pixel's id.

    Raises:
        SemsplatError: the pixel is outside the picture, shows nothing or is no pair of whole
            numbers, or the method answers to texts alone.
    """
    field, kind = known.field, method(known.field.facts.method)
    where = f"pixel {pixel} of '{camera.name}'"
    if hasattr(kind, "vectors"):
        raise SemsplatError(f"{field.facts.method} answers to texts, not to clicks; ask a prompt")
    if len(pixel) != 2 or not all(isinstance(place, int | np.integer) for place in pixel):
        raise SemsplatError(f"{where}: a pixel is two whole numbers, (x, y)")
    features, alpha = ClickableField(field).blended(camera)
    (query,) = query_features(features, alpha, [pixel], camera.name)
    if "similarity" in kind.ANSWERS:
        return _like(field, query, f"like {where}")
    if known.field.facts.class_ids:
        return _of_class(known, int(field.class_map(camera)[pixel[1], pixel[0]]), f"as {where}")
    if hasattr(kind, "clicked"):
        return _asked(field, kind.clicked(field, camera, pixel), f"as {where}")
    raise SemsplatError(f"{field.facts.method} is asked by a text and a mask; ask a prompt")


@torch.no_grad()
def by_text(known: Known, prompt: str) -> Selection:
    """Return what a prompt asks for.

    Of a method with relevancy what is more similar to the prompt than to every canonical phrase
    (`lerf_ovs/segmentation_frozen@1`); of one with classes the class of that name; any other is
    shown the region of a training view that CLIP finds most relevant.

    Raises:
        SemsplatError: no class has that name, the prompt is empty or has unknown words, or the
            features that would have to be asked are not there.
    """
    check_prompts([prompt])
    field, kind = known.field, method(known.field.facts.method)
    if hasattr(kind, "vectors"):
        return _relevant(known, prompt)
    if field.facts.class_ids:
        return _of_class(known, class_named(known, prompt), f"as class '{prompt}'")
    frame, mask = shown_in_views(known, prompt)
    found = f"as the region of view '{frame.name}' that is most relevant to '{prompt}'"
    if "similarity" in kind.ANSWERS:
        features, alpha = ClickableField(field).blended(frame)
        (query,) = query_features(features, alpha, [interior(mask)], frame.name)
        return _like(field, query, found)
    there = torch.from_numpy(mask).to(field.trained.device)
    reference = Reference(frame, there, known.texts.encode([prompt])[0])
    return _asked(field, kind.query(field, reference), found)


def class_named(known: Known, prompt: str) -> int:
    """Return the id of the class of a name, with or without article; raise where there is none."""
    ids = {name: class_id for class_id, name in known.class_names.items()}
    for name in (prompt, ARTICLE.sub("", prompt)):
        if name in ids:
            return ids[name]
    hint = did_you_mean(prompt, list(ids)) or f"; it knows {', '.join(ids)}"
    raise SemsplatError(f"{known.field.facts.method} knows no class '{prompt}'{hint}")


def shown_in_views(known: Known, prompt: str) -> tuple[Frame, Mask]:
    """Return the region of all training views that is most relevant to a prompt, and its view."""
    regions = [
        (frame, most_relevant(known.texts, prompt, *known.features.regions(frame.name)))
        for frame in known.opened_scene.train
    ]
    seen = [(frame, region) for frame, region in regions if region is not None]
    if not seen:
        raise SemsplatError(f"{known.features.folder}: no training view has a region")
    frame, best = max(seen, key=lambda one: one[1].relevancy)
    return frame, best.mask


def _like(field: SemanticField, query: Tensor, found: str) -> Selection:
    """Return what has a feature like a query [D] (CGC, Eq. 6)."""

    @torch.no_grad()
    def mask(camera: Viewpoint) -> Mask:
        return _numpy(selected(cosine(field.blend(camera), query[None])[0], THRESHOLD))

    members = selected(cosine(field.semantics, query[None])[0], THRESHOLD)
    return Selection(_numpy(members), mask, found)


def _of_class(known: Known, class_id: int, found: str) -> Selection:
    """Return what is of a class."""
    return Selection(
        classes_of(known.field) == class_id,
        lambda camera: known.field.class_map(camera) == class_id,
        found,
    )


def _asked(field: SemanticField, query: Tensor, found: str) -> Selection:
    """Return what a query [Q] of a method with ``select`` asks for."""

    @torch.no_grad()
    def mask(camera: Viewpoint) -> Mask:
        return _numpy(method(field.facts.method).select(field, camera, query[None])[0])

    return Selection(_numpy(members_of(field, query[None])[0]), mask, found)


def _relevant(known: Known, prompt: str) -> Selection:
    """Return what is relevant to a prompt."""
    field, texts = known.field, known.texts
    query = texts.encode([prompt])

    def mask(camera: Viewpoint) -> Mask:
        said = known.relevancy(camera, [prompt])[0]
        return segmentation_frozen.mask_of(said.half().cpu().numpy())

    members = relevancy_of(field, query, texts.canonical)[0] > segmentation_frozen.THRESHOLD
    return Selection(_numpy(members), mask, f"as relevant to '{prompt}'")


def _numpy(chosen: Tensor) -> Mask:
    return chosen.cpu().numpy()
