"""Parameters of the phase *train*: what all methods share, settings, and one run."""

from __future__ import annotations

from typing import Annotated, Any, Literal, Self

from pydantic import Field

from semsplat.params.base import Count, OpenFraction, Positive, Strict
from semsplat.params.geometry import Geometry
from semsplat.params.teachers import Teacher


class MethodOptions(Strict):
    """What every method has; each adds its own to one of the kinds below."""

    def scaled(self, steps: float, rates: float) -> Self:
        """Return the options with iteration counts times ``steps``, learning rates times ``rates``.

        Every method says which of its options these are.
        """
        raise NotImplementedError

    def held(self, clip: int) -> int:
        """Return how many numbers every Gaussian holds, where CLIP's vectors have ``clip``."""
        return int(getattr(self, "dim", clip))


class LearningRates(Strict):
    """Adam's learning rates."""

    semantics: Positive
    """of the numbers that every Gaussian holds"""
    decoder: Positive
    """of the decoder"""

    def times(self, factor: float) -> Self:
        """Return the rates times a factor."""
        new = {"semantics": self.semantics * factor, "decoder": self.decoder * factor}
        return self.model_copy(update=new)


class Joint(MethodOptions):
    """A method that learns while the geometry is fitted."""

    moves_geometry: bool
    """whether the semantic term's gradient reaches positions, shapes and opacities"""

    def blends(self, step: int) -> bool:
        """Tell whether a step needs what Gaussians hold, blended; colours it always needs."""
        return True


class Taught(Joint):
    """A method that learns classes from a teacher's lessons while the geometry is fitted."""

    teacher: str
    """name of the teacher, from features.teachers"""
    weight: float = Field(ge=0)
    """of the semantic term against the reconstruction"""


class Masked(Joint):
    """A method that learns from a recipe's masks while the geometry is fitted."""

    recipe: str
    """name of the recipe, from features.recipes"""


class OnGeometry(MethodOptions):
    """A method that takes a recipe's features to the finished geometry of the same seed."""

    recipe: str
    """name of the recipe, from features.recipes"""


class Lifted(OnGeometry):
    """A method that computes what Gaussians hold from all training views, and learns nothing."""

    def scaled(self, steps: float, rates: float) -> Self:
        """Return the options: there are no iterations and no learning rates."""
        return self

    def held(self, clip: int) -> int:
        """Return the numbers of three levels; a recipe of one layer has a third of them."""
        return 3 * clip


class Frozen(OnGeometry):
    """A method that learns there, step by step."""

    steps: Count
    """iterations, one random training view each"""
    image_scale: Annotated[float, Field(gt=0, le=1)]
    """of the views that are learned from"""


class RadianceRates(Strict):
    """Adam's learning rates in a radiance field."""

    grids: Positive
    """of planes and lines"""
    networks: Positive
    """of networks"""
    last: Annotated[float, Field(gt=0, le=1)]
    """share of both that is left at the last step; log-linear in between"""


class Radiance(Strict):
    """A radiance field, and how it learns colours from rays."""

    density: Count
    """components of the density's planes"""
    colours: Count
    """components of the colours' planes"""
    cells: Annotated[int, Field(ge=2, le=4096)]
    """of planes and lines, each way"""
    hidden: Count
    """width of the network that makes colours"""
    inner_share: OpenFraction
    """of each axis that the box has which holds cameras and points; the rest lies around it"""
    near: Positive
    """distance before which rays are not looked at, in half diagonals of the box"""
    calm: Positive
    """distance up to which densities learn less, with its square (Philip and Deschaintre 2023), in
    half diagonals of the box"""
    coarse: Count
    """even samples of a ray that find where the density is"""
    fine: Count
    """samples of a ray that are learned from"""
    distortion: float = Field(ge=0)
    """weight of the distortion (mip-NeRF 360, Eq. 15) beside the mean square of colours"""
    rays: Count
    """of each step, from all training views"""
    steps: Count
    """iterations that learn colours"""
    steps_floor: Count
    """unscaled: a suite does not take fewer"""
    lr: RadianceRates
    """learning rates; no suite scales them: grids start where they have no colours yet"""

    def at_least(self, factor: float) -> Radiance:
        """Return it with the steps times ``factor``, but not fewer than its floor."""
        steps = max(round(self.steps * factor), min(self.steps, self.steps_floor))
        return self.model_copy(update={"steps": steps})


class Radiant(MethodOptions):
    """A method that has no Gaussians: a radiance field, and a recipe's features on it."""

    recipe: str
    """name of the recipe, from features.recipes"""
    radiance: Radiance
    """the radiance field"""

    def held(self, _: int) -> int:
        """Return 0: there are no Gaussians."""
        return 0


class SelfTraining(Strict):
    """3D Coherent Self-training (CLIP-GS, section 3.3)."""

    vote: Literal["none", "within_view", "tracks"]
    """none: the teacher's labels to the end; within_view: the view's own regions vote alone;
    tracks: regions vote with their counterparts in the views before and after"""
    start: int = Field(ge=0)
    """T, the first step that learns from votes"""
    uncovered: Literal["pixel_argmax", "ignore"]
    """pixels outside all regions: their own rendered class, or none; the paper is silent"""
    teacher_weight: float = Field(ge=0)
    """share of the teacher's loss that stays from T on; the paper replaces it: 0"""


class Autoencoder(Strict):
    """What makes codes of a scene's CLIP vectors, and vectors of codes (LangSplat)."""

    encoder: list[Count] = Field(min_length=1)
    """widths of the encoder's layers; the last is the length of a code"""
    decoder: list[Count]
    """widths of the decoder's layers, before the one that makes vectors"""
    lr: Positive
    """Adam's learning rate"""
    epochs: Count
    """passes over all regions' vectors; no share of the field's steps"""
    batch: Count = Field(ge=2)
    """vectors per step"""
    cosine_weight: float = Field(ge=0)
    """of 1 - cosine beside the mean square"""
    cosine_over: Literal["vectors", "channels"]
    """vectors: the cosine of every vector with its copy; channels: of every channel over the batch
    (code)"""
    last: Count
    """epochs at the end of which the best is kept"""


class Codebook(Strict):
    """How a scene's vectors become entries of a table (LEGaussians)."""

    entries: Count
    """K, rows of the table; the code has 128, in two scenes 64 and 32"""
    lr: Positive
    """AdamW's learning rate at the start"""
    weight_decay: float = Field(ge=0)
    """of AdamW; the code has 0.01"""
    end_factor: Positive
    """share of the rate that is left after ``decay_epochs``, linearly"""
    decay_epochs: Count
    """epochs over which the rate falls; training may end before"""
    epochs: Count
    """passes over all training views"""
    views_per_step: Count
    """in the order of the split, never shuffled"""
    balance: float = Field(ge=0)
    """weight of the load balance"""
    dino_weight: float = Field(ge=0)
    """w, of DINO's cosine beside CLIP's, where the recipe has dino_maps; the code has 0.5"""


class Setting(Strict):
    """A method with a diff of its parameters: one row of an ablation."""

    method: str
    """a file name in src/semsplat/train/methods"""
    override: dict[str, Any]
    """the method's options that differ from those under methods"""
    geometry: dict[str, Any]
    """the keys of the section geometry that differ"""


class TrainingJob(Strict):
    """Everything one training is told."""

    dataset: str
    scene: str
    setting: str
    seed: int
    run_seed: int
    """of all random numbers of this run; runs that differ only in their setting share it"""
    steps_scaler: float
    rates_scaler: Positive
    method: str
    options: dict[str, Any]
    """the method's, overrides merged in, iteration counts and rates already scaled"""
    teacher: Teacher | None
    """what the lessons are, mistakes on purpose included; null where there are none"""
    geometry: Geometry
    """iteration counts already scaled"""
    log_every: int
