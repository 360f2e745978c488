"""Parameters of the phase *geometry* and of every training."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from semsplat.params.base import Count, Fraction, OpenFraction, Positive, Strict


class GeometryLearningRates(Strict):
    """Adam's learning rates, one optimiser per tensor (METHODS 0.1)."""

    means: Positive
    """of positions at the first step, times the scene extent"""
    means_final: Positive
    """of positions at the last step, times the scene extent; log-linear in between"""
    sh0: Positive
    """of the view-independent colour"""
    shN: Positive
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
    reference_height_px: Count
    """lower images raise the threshold in proportion: their Gaussians cover a larger share"""
    split_scale: Positive
    """share of the scene extent above which a Gaussian is split instead of cloned"""
    prune_opacity: Annotated[float, Field(ge=0, lt=1)]
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
    random_extent: Annotated[float, Field(gt=0, le=1000)]
    """half side of the random cube, in scene extents"""
    opacity: OpenFraction
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
    lr: GeometryLearningRates
    """learning rates"""
    adam_eps: Annotated[float, Field(ge=1e-30, le=1)]
    """Adam's epsilon; single precision takes less for zero, and divides by it"""
    densify: Densify
    """adaptive density control"""
    progressive: Progressive
    """coarse-to-fine schedules"""


class Training(Strict):
    """How every training saves and logs, whatever it trains; no model depends on it."""

    save_every_s: Positive
    """seconds between two saved states, from which a killed training continues"""
    log_every: Count
    """steps between two lines of metrics.jsonl (unscaled)"""


class GeometryJob(Strict):
    """Everything one geometry run is told."""

    dataset: str
    scene: str
    seed: int
    run_seed: int
    """of all random numbers of this run"""
    steps_scaler: float
    geometry: Geometry
    """iteration counts already scaled"""
    log_every: int
    """decides metrics.jsonl; how often a state is saved decides no result, so it is not here"""
