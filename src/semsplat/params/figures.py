"""Parameters of the phase *figures*: one model per file in ``src/semsplat/figures``."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from semsplat.params.base import Count, Fraction, Positive, Strict


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
