"""Number of Gaussians over steps, one line per run."""

from __future__ import annotations

from pathlib import Path

from semsplat.figures import CURVE_FILES
from semsplat.figures.style import read_curve, run_keys, save_figure, styled
from semsplat.keys import GeometryKey
from semsplat.params.base import Positive, Strict

SCOPE = "suite"
EXTENSION = "svg"
NEEDS = CURVE_FILES


class Options(Strict):
    """How the plot looks."""

    width_in: Positive
    """inches"""


def draw(runs: list[GeometryKey], options: Options, out: Path) -> None:
    """Draw the counts as steps, because they change at refinements only."""
    import matplotlib.pyplot as plt

    with styled():
        figure, axis = plt.subplots(figsize=(options.width_in, 0.45 * options.width_in))
        for run in runs:
            lines = read_curve(run)
            counts = [line["n_gaussians"] for line in lines]
            axis.step([line["step"] for line in lines], counts, where="post", label=run.label, lw=1)
        axis.set(xlabel="step", ylabel="Gaussians", ylim=(0, None))
        axis.legend(frameon=False)
        save_figure(figure, out, run_keys(runs))
