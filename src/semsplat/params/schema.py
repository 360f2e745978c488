"""The schema of ``params.yaml``: every key, its type and its meaning.

No value has a default here: the file is complete, so ``dvc params diff`` shows every change.
Iteration counts are those of the papers; a suite's ``steps_scaler`` multiplies all of them.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

Positive = Annotated[float, Field(gt=0)]
Fraction = Annotated[float, Field(ge=0, le=1)]
Count = Annotated[int, Field(ge=1)]


class Strict(BaseModel):
    """No unknown keys, no silent conversions, no changes afterwards; field docs are docstrings."""

    model_config = ConfigDict(
        extra="forbid", strict=True, frozen=True, use_attribute_docstrings=True, allow_inf_nan=False
    )


class LearningRates(Strict):
    """Adam's learning rates, one optimiser per tensor (METHODS 0.1)."""

    means: Positive
    """of positions at the first step, times the scene extent"""
    means_final: Positive
    """of positions at the last step, times the scene extent; log-linear in between"""
    sh0: Positive
    """of the view-independent colour"""
    shN: Positive  # noqa: N815 (gsplat's name)
    """of the view-dependent colour"""
    opacities: Positive
    """of opacity logits"""
    scales: Positive
    """of scale logarithms"""
    quats: Positive
    """of quaternions"""


class Densify(Strict):
    """Adaptive density control: gsplat's DefaultStrategy with 3DGS's numbers."""

    start: int = Field(ge=0)
    """first step that may split or clone"""
    stop: int = Field(ge=0)
    """last step that may split or clone"""
    every: Count
    """steps between two refinements"""
    every_floor: Count
    """unscaled: a scaled-down interval never gets shorter, or its gradient means would be noise"""
    grad_threshold: Positive
    """mean screen-space gradient above which a Gaussian is split or cloned"""
    split_scale: Positive
    """share of the scene extent above which a Gaussian is split instead of cloned"""
    prune_opacity: Fraction
    """opacity below which a Gaussian is removed"""
    prune_scale: Positive
    """share of the scene extent above which a Gaussian is removed, after the first opacity reset"""
    reset_every: Count
    """steps between two opacity resets"""
    reset_floor: Count
    """unscaled: resets closer than this never let opacities recover"""


class Progressive(Strict):
    """Progressive Densification Regulation (CLIP-GS, section 3.4; cosine form: METHODS 1.1-6)."""

    enabled: bool
    """false: full resolution and a constant refinement interval from the first step"""
    scale_start: Annotated[float, Field(gt=0, le=1)]
    """image scale at step 0; it reaches 1 at scale_steps"""
    scale_steps: Count
    """steps over which the image scale grows"""
    interval_start: Count
    """refinement interval at step 0; it reaches densify.every at interval_steps"""
    interval_steps: Count
    """steps over which the refinement interval shrinks"""


class Initialisation(Strict):
    """Where the Gaussians start."""

    source: Literal["points", "random"]
    """points: the scene's point cloud; random: a cube around the cameras"""
    n_random: Count
    """Gaussians of a random start"""
    random_extent: Positive
    """half side of the random cube, in scene extents"""
    opacity: Fraction
    """opacity at the start"""


class Geometry(Strict):
    """RGB-only Gaussian splatting (3DGS), shared by every method on frozen geometry."""

    steps: Count
    """iterations, one random training view each"""
    init: Initialisation
    """the first Gaussians"""
    sh_degree: int = Field(ge=0, le=3)
    """highest degree of the spherical harmonics"""
    sh_every: Count
    """steps between two degrees"""
    ssim_lambda: Fraction
    """weight of 1 - SSIM against L1"""
    background: Literal["black", "white"]
    """what shows where the splat is transparent"""
    lr: LearningRates
    """learning rates"""
    adam_eps: Positive
    """Adam's epsilon"""
    densify: Densify
    """adaptive density control"""
    progressive: Progressive
    """coarse-to-fine schedules"""


class Training(Strict):
    """How every training runs, whatever it trains; none of this changes a result."""

    save_every_s: Positive
    """seconds between two saved states, from which a killed training continues"""
    log_every: Count
    """steps between two lines of metrics.jsonl (unscaled)"""


class Dataset(Strict):
    """One data set: an importer, options common to its scenes, and the scenes."""

    importer: str
    """a file name in src/semsplat/data/datasets"""
    options: dict[str, Any]
    """the importer's options, common to all scenes"""
    scenes: dict[str, dict[str, Any]]
    """scene name: the options in which it differs"""


class Evaluate(Strict):
    """Scores of held-out views."""

    lpips_net: Literal["alex", "vgg"]
    """backbone of LPIPS; scored only where its weights are on disk"""


class ViewsFigure(Strict):
    """Truth, render, error and depth of held-out views."""

    kind: Literal["views"]
    """a file name in src/semsplat/figures"""
    n_views: Count
    """rows, spread evenly over the test views"""
    height_in: Positive
    """inches per row"""
    error_max: Fraction
    """absolute error that is drawn brightest"""
    dpi: Count
    """dots per inch"""


class CurvesFigure(Strict):
    """Loss and training PSNR over steps, all scenes of the suite."""

    kind: Literal["curves"]
    """a file name in src/semsplat/figures"""
    smooth: Count
    """log lines per moving average"""
    width_in: Positive
    """inches"""


class GaussiansFigure(Strict):
    """Number of Gaussians over steps, all scenes of the suite."""

    kind: Literal["gaussians"]
    """a file name in src/semsplat/figures"""
    width_in: Positive
    """inches"""


class ScoresTable(Strict):
    """Held-out scores per scene: mean and standard deviation over seeds."""

    kind: Literal["scores"]
    """a file name in src/semsplat/figures"""
    digits: dict[str, Count]
    """metric: decimals; also the order of the columns"""


Figure = Annotated[
    ViewsFigure | CurvesFigure | GaussiansFigure | ScoresTable, Field(discriminator="kind")
]


class Suite(Strict):
    """A set of runs and the figures drawn from them."""

    scenes: list[str] = Field(min_length=1)
    """dataset/scene"""
    seeds: list[Annotated[int, Field(ge=0)]] = Field(min_length=1)
    """one run per scene and seed"""
    steps_scaler: Positive
    """multiplies every iteration count"""
    figures: list[str]
    """names from the figures section"""


class Params(Strict):
    """The whole file."""

    suite: str
    """the suite that commands without --config suite=... run"""
    seed: int = Field(ge=0)
    """master seed; each run derives its own from it"""
    suites: dict[str, Suite]
    """what to run"""
    datasets: dict[str, Dataset]
    """what to run on"""
    geometry: Geometry
    """RGB-only splatting"""
    training: Training
    """saving and logging"""
    evaluate: Evaluate
    """scoring"""
    figures: dict[str, Figure]
    """what to draw"""
