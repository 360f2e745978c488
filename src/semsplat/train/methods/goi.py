"""GOI (Qu et al., ACM MM 2024): a table of a scene's vectors, asked by a plane for every prompt.

On finished geometry every Gaussian holds numbers that are blended; a linear head makes of them the
row of a table, whose vectors learn what the pixels have.  A prompt starts as its text vector and is
tuned, by a hinge loss in one view, until it selects there what a mask shows; the plane then selects
in all views.  Read in the released code (Quyans/GOI-Hyperplane at 56fd429f).

Stand-ins: the pixels' vectors are CLIP's dense maps, in the place of those of APE, which are
aligned with pixels and of 256 numbers; the prompt's vector is CLIP's too, so that the plane's start
(scale and bias are APE's) selects otherwise.  The mask is that of our grounders, where the released
GUI asks another Grounding DINO and drops boxes by CLIP; which view is asked in it leaves to a
person.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Self

import numpy as np
from pydantic import Field

from semsplat.errors import SemsplatError
from semsplat.features.lessons import Lessons
from semsplat.features.store import SceneFeatures
from semsplat.params.base import Count, Fraction, Positive, Strict
from semsplat.params.methods import Frozen, LearningRates
from semsplat.train.methods import Attachment, Reference, Stage, Terms

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from torch import Tensor
    from torch.nn import Module

    from semsplat.data.scene import Viewpoint
    from semsplat.fit.views import Ahead, Camera
    from semsplat.train.model import SemanticField

ANSWERS = ("masks",)
STAND_IN = "CLIP's dense maps in the place of APE's"


class Table(Strict):
    """The table of vectors."""

    entries: Count
    """rows"""
    lr: Positive
    """its learning rate"""
    start_every: Count
    """every so many training views it starts from the vectors of one"""
    start_per_view: Count
    """clusters of a view's vectors, of which the rows are clusters again"""
    start_iterations: Count
    """of k-means"""


class Weights(Strict):
    """Of the terms of the loss."""

    head: float = Field(ge=0)
    """squared error of the head"""
    closest: float = Field(ge=0)
    """distance of a pixel's vector to the closest row"""
    entropy: float = Field(ge=0)
    """entropy of a pixel's similarities to all rows"""
    chosen: float = Field(ge=0)
    """distance of a pixel's vector to the row that the head names"""


class Query(Strict):
    """How a prompt is asked."""

    scale: Positive
    """by which vectors are divided"""
    bias: float
    """b at the start: 2 - logit(0.86), by which the text alone would be asked"""
    lr: Positive
    """learning rate of the plane"""
    enough: Fraction
    """IoU with the mask at which its tuning ends"""
    steps: Count
    """of tuning at most"""


class Options(Frozen):
    """Parameters of GOI."""

    dim: Count
    """numbers that every Gaussian holds"""
    lr: LearningRates
    """learning rates, of the numbers and of the head"""
    table: Table
    """the table"""
    weights: Weights
    """of the loss"""
    sharp_from: int = Field(ge=0)
    """first iteration at which the entropy is of similarities times ``sharp``"""
    sharp: Positive
    """factor of similarities in the entropy, at first 1"""
    steps_floor: Count
    """iterations that a suite with fewer steps leaves at least: 1,500 are few, and a twentieth of
    them sees no view twice"""
    query: Query
    """how a prompt is asked"""

    def scaled(self, steps: float, rates: float) -> Self:
        """Return the options with fewer iterations, down to a floor, and rates as much higher."""
        kept = max(round(self.steps * steps), min(self.steps, self.steps_floor))
        share, factor = kept / self.steps, min(rates, self.steps / kept)
        new = {"steps": kept, "sharp_from": round(self.sharp_from * share)}
        table = self.table.model_copy(update={"lr": self.table.lr * factor})
        return self.model_copy(update={**new, "lr": self.lr.times(factor), "table": table})


def attach(options: Options, _: Lessons | None, features: SceneFeatures | None) -> Attachment:
    """Return zeros per Gaussian, and the head with a table of clusters of training views.

    Raises:
        SemsplatError: the views have fewer clusters than the table has rows.
    """
    import torch

    assert features is not None
    rows = _start_rows(options.table, features)
    shape = {"dim": options.dim, "entries": len(rows), "out": rows.shape[1]}
    module, asked, rates = decoder(**shape), options.query, options.lr
    asking = [asked.scale, asked.bias, asked.lr, asked.enough, asked.steps]
    module.get_buffer("asking")[:] = torch.tensor(asking, dtype=torch.float64)
    with torch.no_grad():
        module.get_parameter("table")[:] = torch.from_numpy(rows)
    return Attachment(
        options.dim,
        0.0,
        rates.semantics,
        shape,
        module,
        rates.decoder,
        rates_of={"table": options.table.lr},
        facts={"vectors": STAND_IN},
    )


def _start_rows(options: Table, features: SceneFeatures) -> NDArray[np.float32]:
    """Return the rows [E, D] that a table starts from: clusters of every n-th training view."""
    import torch

    from semsplat.train.lookup import start_of_table

    names = features.training[:: options.start_every]
    maps = (np.asarray(features.view(name).dense, np.float32) for name in names)
    cells = (np.ascontiguousarray(dense.reshape(len(dense), -1).T) for dense in maps)
    seed = int(torch.randint(2**31 - 1, ()))  # of the run's: whoever attaches has seeded it
    numbers = options.start_per_view, options.entries, options.start_iterations
    rows = start_of_table(cells, *numbers, seed=seed)
    if len(rows) < options.entries:
        raise SemsplatError(
            f"goi: {len(names)} views have {len(rows)} clusters for a table of {options.entries};"
            " lower methods.goi.table.entries or start_every"
        )
    return rows


def decoder(dim: int, entries: int, out: int) -> Module:
    """Return what makes scores of a table's rows [H, W, E] of blended numbers [H, W, dim]."""
    from semsplat.train.lookup import Lookup

    return Lookup(dim, entries, out)


def semantic_terms(options: Options, stage: Stage) -> Terms:
    """Return GOI's four terms, each with its weight (train.py)."""
    from torch.nn.functional import interpolate, normalize

    from semsplat.train.class_terms import dense_map
    from semsplat.train.lookup import lookup_terms_of_view

    table, weights = stage.decoder.get_parameter("table"), options.weights.model_dump()

    def terms(step: int, view: Camera, blended: Tensor | None) -> dict[str, Tensor]:
        assert blended is not None  # it blends at every step
        cells = dense_map(stage, view.name)[None]
        size = view.height, view.width
        vectors = normalize(interpolate(cells, size=size, mode="bilinear")[0].flatten(1).T, dim=-1)
        scores = stage.decoder(blended).flatten(0, 1)
        temperature = options.sharp if step >= options.sharp_from else 1.0
        found = lookup_terms_of_view(scores, vectors, table, temperature)
        return {name: weights[name] * value for name, value in found.items()}

    return terms


def reads(_: Options, stage: Stage) -> Ahead:
    """Return what reads a view's dense map."""
    from semsplat.train.class_terms import dense_map

    return lambda _, camera: dense_map(stage, camera.name)


def query(field: SemanticField, reference: Reference) -> Tensor:
    """Return the plane [D + 1] that a prompt's text becomes by its mask (open-set head)."""
    import torch

    from semsplat.train.hyperplane import hinge_plane

    scale, bias, rate, enough, steps = field.decoder.get_buffer("asking").tolist()
    rows = _rows(field)
    named = field.decoder(field.blend(reference.frame)).argmax(dim=-1)
    inside, outside = (
        torch.bincount(named[mask], minlength=len(rows)).cpu().numpy()
        for mask in (reference.mask, ~reference.mask)
    )
    start = np.append(reference.text.double().cpu().numpy(), bias)
    vectors = rows.double().cpu().numpy() / scale
    plane = hinge_plane(vectors, inside, outside, start, rate, enough, int(steps))
    return torch.from_numpy(plane).float().to(rows.device)


def select(field: SemanticField, frame: Viewpoint, queries: Tensor) -> Tensor:
    """Return where the sigmoid of each plane [P, D + 1] is at least a half, bool [P, H, W]."""
    named = field.decoder(field.blend(frame)).argmax(dim=-1)
    scale = float(field.decoder.get_buffer("asking")[0])
    scores = queries[:, :-1] @ (_rows(field) / scale).T + queries[:, -1:]  # [P, E]
    return (scores >= 0)[:, named]


def _rows(field: SemanticField) -> Tensor:
    """Return the table's rows [E, D] at length 1."""
    from torch.nn.functional import normalize

    rows: Tensor = normalize(field.decoder.get_parameter("table").detach(), dim=-1)
    return rows
