"""One method per file: file name = method name in ``params.yaml``.

Each file has ``Options``: a `Taught` or a `Masked` where the method fits geometry and semantics
together, from lessons or from masks, a `Frozen` where it learns from features on finished geometry,
a `Lifted` where it computes there what Gaussians hold and learns nothing, or a `Radiant` where it
has no Gaussians but a radiance field; and

- ``ANSWERS``: what a trained field is asked for, files in `semsplat.evaluate.answers`;
- ``attach(options, lessons, features)``: what every Gaussian carries, an `Attachment`;
- ``decoder(**shape)``: the module that makes of a blended map [H, W, dim] what the method is after,
  untrained; parameters that ask for gradients are learned, all else comes from ``attach``;
- ``semantic_terms(options, stage)``: the `Terms` of one training step; of a `Lifted`, whose steps
  are its passes over the training views, ``lift(options, stage)``: a `Lift`;
- ``reads(options, stage)``: what reads all that a step takes from disk, `Ahead`: a thread calls it
  for the next step.

A `Radiant` has in the place of the last two

- ``start(options, scene, geometry, attachment, device)``: the `Trainee`, a field as its decoder;
- ``task(options, trainee, stage)``: its steps, see `semsplat.fit.job.Steps`;
- ``opened(decoder, facts, device)``: the trained field, a `semsplat.train.model.TrainedField`;

and, for "classes", ``class_scores(field, frame)`` [H, W, C].

And where what is blended is not what is learned

- ``shown(semantics)``: what is blended, of the numbers [N, dim] that Gaussians hold.

A decoder for "classes" returns class scores [H, W, C]; for "similarity" it has nothing to do.  A
method that answers with "relevancy" has

- ``vectors(field, frame)``: CLIP vectors for every pixel of a view, `Vectors`; gradients
  are switched off by whoever asks.

and where an answer needs more than one pass over the rasteriser

- ``rendered(field, frame)``: all that is blended for it.

One that answers with "masks", a prompt's mask in one view by its masks in others, has either
``vectors`` or

- ``query(field, reference)``: of a `Reference`, a tensor [Q] by which the prompt is asked in every
  view;
- ``select(field, frame, queries)``: where a view shows what is asked for by queries [P, Q], bool
  [P, H, W];

and where a pixel alone tells what is meant

- ``clicked(field, camera, pixel)``: such a query, by a pixel (x, y) of a view.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, Protocol

from semsplat.discovery import kinds_of
from semsplat.features.lessons import Lessons
from semsplat.features.store import SceneFeatures
from semsplat.params.methods import MethodOptions

if TYPE_CHECKING:
    from torch import Tensor
    from torch.nn import Module, ParameterDict

    from semsplat.data.scene import Frame
    from semsplat.features.teachers import Ids
    from semsplat.fit.inputs import Inputs
    from semsplat.fit.views import Camera
    from semsplat.train.mixture import Mixture
    from semsplat.train.scaled import Scaled


Shape = Mapping[str, Any]
"""Of JSON's kinds."""


@dataclass(frozen=True, eq=False)
class Attachment:
    """What a method gives every Gaussian, and how both it and the decoder learn."""

    dim: int  # channels
    init_std: float | Tensor  # of the normal distribution they start from, or a uniform one's
    # width; of each channel [dim] where these differ
    rate: float  # Adam's
    shape: Shape  # arguments of ``decoder``
    decoder: Module
    decoder_rate: float
    init: Literal["normal", "uniform", "centred"] = "normal"  # uniform from 0 on, or around 0
    decoder_eps: float | None = None  # Adam's for the decoder, where not that of the Gaussians
    decoder_decay: float = 0.0  # AdamW's of the decoder; Adam has none
    rates_of: Mapping[str, float] = field(default_factory=dict)
    """Adam's rate of single parameters of the decoder by name, where not that of the decoder."""
    facts: Mapping[str, Any] = field(default_factory=dict)
    """What the card says of what was attached, beside its size; labels of tables say what it
    ``lacks``."""
    class_ids: list[int] = field(default_factory=list)
    """The scene's ids of the classes that it knows, where no lessons name them."""


@dataclass(frozen=True, eq=False)
class Vectors:
    """What a field says about a view: unit vectors of L levels, and what mixes them.

    ``asked``: what texts are compared with: the vectors [L, H, W, D], a mixture of rows that texts
    are multiplied with once, or scales of which each text takes one.  ``factors`` [H, W, 3]: the
    share that sub-part, part and whole have in them, or None.
    """

    asked: Tensor | Mixture | Scaled
    factors: Tensor | None

    @property
    def maps(self) -> Tensor:
        """The vectors [L, H, W, D]; a mixture is added up, of scales there are all."""
        import torch

        return self.asked if isinstance(self.asked, torch.Tensor) else self.asked.vectors()


class Reference(NamedTuple):
    """A prompt, and what shows it in one view."""

    frame: Frame
    mask: Tensor  # bool [H, W]
    text: Tensor  # [D], the prompt's text vector, of length 1, by the CLIP of the features


@dataclass(frozen=True, eq=False)
class Stage:
    """What is there while a method trains."""

    frames: tuple[Frame, ...]  # training views in the order of the split
    lessons: Lessons | None
    features: SceneFeatures | None
    gaussians: ParameterDict
    """As the step finds them; of a training along a record without colours, which only semantics
    that stay out of the geometry have, see `semsplat.train.follow`."""
    decoder: Module
    inputs: Inputs  # what is on the device that trains
    run_seed: int
    known: dict[tuple[str, str], Ids] = field(default_factory=dict)
    highest_ids: dict[tuple[str, str], int] = field(default_factory=dict)

    @property
    def device(self) -> str:
        """The device that trains."""
        return self.inputs.device

    @cached_property
    def places(self) -> dict[str, int]:
        """The place of every training view by name."""
        return {frame.name: place for place, frame in enumerate(self.frames)}

    def taught(self, name: str, which: str) -> Ids:
        """Return an array of a view's lesson by its name; each is read from disk once."""
        assert self.lessons is not None
        if (name, which) not in self.known:
            self.known[name, which] = self.lessons.array(name, which)
        return self.known[name, which]

    def highest(self, name: str, which: str) -> int:
        """Return the highest id of a map of a view's lesson, -1 where it has none."""
        if (name, which) not in self.highest_ids:
            self.highest_ids[name, which] = int(self.taught(name, which).max())
        return self.highest_ids[name, which]

    def ids(self, camera: Camera, which: str) -> Tensor:
        """Return a map of a training view's lesson at its size, int64 [H, W]."""
        from semsplat.fit.views import fitted, of_view

        return of_view(
            which, camera, lambda: fitted(self.taught(camera.name, which), camera), self.inputs
        ).long()


Shown = Callable[["Tensor"], "Tensor"]
"""What Gaussians hold, [N, dim], in; what is blended out."""
Terms = Callable[[int, "Camera", "Tensor | None"], dict[str, "Tensor"]]
"""Step, view and its blended map [H, W, dim] in, None at steps that blend none; named losses out.
Random numbers are of a generator of the term's own: from torch's the geometry draws its splits."""


class Lift(Protocol):
    """What computes from training views what Gaussians hold; its state is saved and resumed."""

    @property
    def passes(self) -> int:
        """How often every training view is added."""

    def add(self, camera: Camera) -> None:
        """Add a training view; in a pass each comes once, in any order."""

    def close(self) -> None:
        """End a pass."""

    def numbers(self) -> dict[str, float]:
        """Return what the curves say of it."""

    def held(self) -> Tensor:
        """Return what every Gaussian holds, float32 [N, dim], after the last pass."""

    def state_dict(self) -> dict[str, Any]:
        """Return tensors and plain numbers."""

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Continue from what ``state_dict`` returned."""


PARTS = (
    "Options", "ANSWERS", "attach", "decoder", "semantic_terms or lift or task", "reads or start",
)  # fmt: skip
method_names, method = kinds_of(__name__, "method", PARTS)


def shown_of(name: str) -> Shown:
    """Return what a method blends of the numbers that Gaussians hold, themselves if it has none."""
    return getattr(method(name), "shown", as_held)


def as_held(semantics: Tensor) -> Tensor:
    """Return the numbers that Gaussians hold."""
    return semantics


def method_options(name: str) -> type[MethodOptions]:
    """Return the model of a method's parameters."""
    return method(name).Options
