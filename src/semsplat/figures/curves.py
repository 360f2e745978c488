"""Training loss and PSNR over steps, one line per run."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from semsplat.figures import CURVE_FILES
from semsplat.figures.style import read_curve, run_keys, save_figure, styled
from semsplat.keys import GeometryKey
from semsplat.params.base import Count, Positive, Strict

SCOPE = "suite"
EXTENSION = "svg"
NEEDS = CURVE_FILES


class Options(Strict):
    """How the curves look."""

    smooth: Count
    """logged steps per moving average; each logged value is one view's"""
    width_in: Positive
    """inches"""


def draw(runs: list[GeometryKey], options: Options, out: Path) -> None:
    """Draw two panels: loss (logarithmic) and PSNR of the training views."""
    import matplotlib.pyplot as plt

    with styled():
        figure, axes = plt.subplots(1, 2, figsize=(options.width_in, 0.38 * options.width_in))
        for run in runs:
            lines = read_curve(run)
            steps = np.array([line["step"] for line in lines])
            for axis, key in zip(axes, ("loss", "psnr"), strict=True):
                values = np.array([line[key] for line in lines])
                axis.plot(*_moving_average(steps, values, options.smooth), label=run.label, lw=1)
        axes[0].set(xlabel="step", ylabel="loss", yscale="log")
        axes[1].set(xlabel="step", ylabel="PSNR of training views (dB)")
        axes[1].legend(frameon=False)
        save_figure(figure, out, run_keys(runs))


def _moving_average(
    steps: np.ndarray, values: np.ndarray, window: int
) -> tuple[np.ndarray, np.ndarray]:
    """Return the means over ``window`` neighbours, where they are complete."""
    window = min(window, len(values))
    kernel = np.ones(window) / window
    return np.convolve(steps, kernel, "valid"), np.convolve(values, kernel, "valid")
