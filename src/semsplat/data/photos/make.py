"""From a folder of photographs to a scene of the data set ``photos``."""

from __future__ import annotations

import re
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pycolmap

from semsplat.data.photos.collect import check_one_size, collect
from semsplat.data.photos.motion import focals, parallax, reconstruct
from semsplat.errors import SemsplatError
from semsplat.folders import atomic_dir
from semsplat.io import read_json, write_json

ROOT = Path("photos")
"""The folder of the data set ``photos`` in params.yaml."""
REPORT = "photos.json"
NAME = re.compile(r"[a-z0-9_]+")
MOST_ZOOM = 1.5  # times the shortest focal length of photographs of one size
LEAST_PARALLAX_DEG = 1.0
MANY = 100  # exhaustive matching takes the square of it


def make_photos(
    folder: Path, name: str, *, sequential: bool, single_camera: bool, seed: int
) -> Path:
    """Write ``photos/{name}/`` from the photographs of a folder and return it.

    Raises a one-line `SemsplatError`, and leaves nothing, for names that cannot be a scene's or are
    taken, and for photographs of which there can be no scene.
    """
    if not NAME.fullmatch(name):
        raise SemsplatError(f"'{name}' cannot be a scene: use small letters, digits, underscores")
    out = ROOT / name
    if out.exists():
        raise SemsplatError(f"{out} is there already; remove it or choose another name")
    with atomic_dir(out) as partial, tempfile.TemporaryDirectory() as work:
        found = collect(folder, partial / "images")
        if single_camera:
            check_one_size(found.sizes, folder)
        how: dict[str, Any] = {"sequential": sequential, "single_camera": single_camera}
        model = reconstruct(partial / "images", Path(work) / name, **how, seed=seed)
        (partial / "sparse/0").mkdir(parents=True)
        model.write(partial / "sparse/0")
        facts = {"turned": found.turned, "passed_over": found.passed_over, **how, "seed": seed}
        write_json(partial / REPORT, {**facts, **_facts(model, list(found.sizes))})
    return out


def _facts(model: pycolmap.Reconstruction, names: list[str]) -> dict[str, Any]:
    """Return what is known of a model."""
    posed = {image.name for image in model.images.values() if image.has_pose}
    return {
        "photographs": len(names),
        "without_pose": sorted(set(names) - posed),
        "points": model.num_points3D(),
        "reprojection_error_px": model.compute_mean_reprojection_error(),
        "cameras": model.num_cameras(),
        "focals_px": focals(model),
        "angle_deg": parallax(model),
        "pycolmap": pycolmap.__version__,
    }


def report_lines(out: Path) -> list[str]:
    """Say what came out, and what a person should know of it."""
    report = read_json(out / REPORT)
    total, lost = report["photographs"], report["without_pose"]
    lines = [
        f"{out}: {total - len(lost)} of {total} photographs have a pose, {report['points']} points,"
        f" {report['reprojection_error_px']:.2f} px from where they were seen"
    ]
    if lost:
        lines.append(f"left out, they overlap too little with the others: {', '.join(lost)}")
    if report["turned"]:
        lines.append(f"turned upright as their EXIF says: {', '.join(report['turned'])}")
    if report["passed_over"]:
        lines.append(f"passed over, no photographs: {', '.join(report['passed_over'])}")
    lines += _doubts(report)
    if total > MANY and not report["sequential"]:
        lines.append("of a walk with the camera --sequential makes the same in less time")
    return lines


def _doubts(report: dict[str, Any]) -> Iterator[str]:
    """Yield warnings of models that fit their photographs and cannot be right all the same."""
    for size, (shortest, longest) in report["focals_px"].items():
        if longest > MOST_ZOOM * shortest:
            yield (
                f"warning: photographs of {size} pixels have focal lengths from {shortest:.0f} to"
                f" {longest:.0f} px; if nothing was zoomed they were taken from one spot, or are"
                " too few: move between photographs, and use --single-camera"
            )
    if report["angle_deg"] < LEAST_PARALLAX_DEG:
        yield (
            f"warning: points are seen under {report['angle_deg']:.2f} degrees, so that depth is a"
            " guess; take the photographs from places farther apart"
        )


def entry_lines(name: str, test_every: int) -> list[str]:
    """Return the entry for params.yaml; every ``test_every``-th view is held out."""
    files = f"images: {name}/images, sparse: {name}/sparse/0, test_every: {test_every}"
    return [
        "datasets:",
        "  photos:",
        "    scenes:",
        f"      {name}: {{{files}}}",
        "suites:",
        "  photos:",
        f"    scenes: [photos/{name}]",
    ]
