"""What all figures share: fonts, colours, reproducible files with their provenance."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from semsplat.io import atomic_path, read_json, read_json_lines
from semsplat.keys import GeometryKey, SceneKey
from semsplat.verified import verified

STYLE = {
    "font.size": 8,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "grid.alpha": 0.3,
    "svg.hashsalt": "semsplat",  # element ids in SVG files are random without it
    "svg.fonttype": "none",
    "figure.constrained_layout.use": True,
    "axes.prop_cycle": (
        "cycler(color=['#0072B2', '#D55E00', '#009E73', '#CC79A7', '#56B4E9', '#E69F00'])"
    ),
}


def scene_sources(place: SceneKey, *recipes: str) -> list[str]:
    """Return the digests of a scene and of its features, as a figure's sources."""
    folders = place.scene_dir, *map(place.features_dir, recipes)
    return [read_json(folder / "manifest.json")["digest"] for folder in folders]


@contextmanager
def styled() -> Iterator[None]:
    """Apply the project's style; a display is not needed."""
    import matplotlib

    matplotlib.use("Agg")
    with matplotlib.rc_context(STYLE):
        yield


def run_keys(runs: list[GeometryKey]) -> list[str]:
    """Return the keys of geometry runs, as a figure's sources."""
    return [read_json(run.geometry_dir / "run.json")["run_key"] for run in runs]


def setting_keys(run: GeometryKey, settings: Iterable[str]) -> list[str]:
    """Return the keys of the trainings of settings, as a figure's sources."""
    return [read_json(run.train_dir(name) / "run.json")["run_key"] for name in settings]


def save_figure(figure: Any, out: Path, sources: list[str], dpi: int = 150) -> None:
    """Write the figure with its sources as metadata and no date: same input, same bytes."""
    import matplotlib.pyplot as plt

    source = ", ".join(sources)
    metadata = {
        ".png": {"Software": "semsplat", "Source": source},
        ".svg": {"Date": None, "Creator": "semsplat", "Source": source},
        ".pdf": {"CreationDate": None, "Creator": "semsplat", "Keywords": source},
    }[out.suffix]
    with atomic_path(out) as partial:
        figure.savefig(partial, metadata=metadata, dpi=dpi)
    plt.close(figure)


def save_stacked(
    out: Path,
    panels: Sequence[tuple[float, Callable[[Any], None]]],
    width_in: float,
    nothing: str,
    sources: list[str],
) -> None:
    """Write panels one below the other.

    Args:
        out: the file.
        panels: inches of height, and what draws on an axis.
        width_in: of all of them.
        nothing: what stands there where there is no panel.
        sources: as `save_figure` takes them.
    """
    import matplotlib.pyplot as plt

    def say(axis: Any) -> None:
        axis.set_axis_off()
        axis.set_title(nothing)

    drawn = panels or [(1.0, say)]
    heights = [height for height, _ in drawn]
    with styled():
        figure, axes = plt.subplots(
            len(drawn),
            1,
            figsize=(width_in, sum(heights)),
            squeeze=False,
            height_ratios=heights,
        )
        for axis, (_, draw) in zip(axes[:, 0], drawn, strict=True):
            draw(axis)
        save_figure(figure, out, sources)


def read_curve(run: GeometryKey) -> list[dict[str, float]]:
    """Return the lines of a run's ``metrics.jsonl``."""
    return read_json_lines(verified(run.geometry_dir / "metrics.jsonl"))
