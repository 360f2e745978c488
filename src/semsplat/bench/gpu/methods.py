"""Every method on the GPU: it learns, and what it answers is finite."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import cycle, islice
from pathlib import Path
from statistics import mean
from typing import Any

from torch import Tensor

from semsplat.bench.gpu.steps import Bench, Said
from semsplat.bench.gpu.trainings import curve, farthest, places_of, short_geometry, trained
from semsplat.data.scene import Frame
from semsplat.evaluate.answers import answer
from semsplat.evaluate.stopwatch import WARM_UP
from semsplat.geometry.trained import render
from semsplat.params.methods import Lifted, Radiant
from semsplat.train.methods import method, method_names, method_options
from semsplat.train.model import SemanticField, open_gaussians

FIRST, LOSS = 10, 1e-3
"""So many steps lose, within this share, what they lose on the CPU; what is lifted differs by no
more."""


def check(bench: Bench) -> Said:
    """Train and ask every method that has Gaussians."""
    numbers: dict[str, Any] = {}
    wrong: list[str] = []
    for name in method_names():
        if issubclass(method_options(name), Radiant):  # the plane's features have no sizes of crops
            continue
        numbers[name], problems = _learned(bench, name)
        wrong += [f"{name}: {problem}" for problem in problems]
    return Said(numbers, wrong)


def _learned(bench: Bench, name: str) -> tuple[dict[str, Any], list[str]]:
    """Return numbers of a method's training and answers, and what is wrong with them."""
    places = places_of(bench, name, bench.plane, bench.folder)
    geometry = short_geometry(bench, bench.size.learning)
    told = bench, name, geometry, places
    folder = trained(*told, bench.folder / "cuda" / name, bench.device)
    on_cpu = trained(*told, bench.folder / "cpu" / name, "cpu") if bench.cpu else None
    judge = _lifted if issubclass(method_options(name), Lifted) else _fell
    numbers, wrong = judge(folder, on_cpu)
    field, frames = open_gaussians(folder, bench.device), list(bench.plane.test)
    wrong += [f"{what} is not finite" for what in _not_finite(field, frames[0])]
    for kind in map(answer, method(name).ANSWERS):
        if hasattr(kind, "time"):
            numbers |= kind.time(field, list(islice(cycle(frames), WARM_UP + 1)))
    return numbers, wrong


def _fell(folder: Path, on_cpu: Path | None) -> tuple[dict[str, Any], list[str]]:
    """Return how a training's loss fell, and how far its first steps are from the CPU's."""
    losses = curve(folder, "loss")
    values = list(losses.values())
    third = len(values) // 3
    first, last = mean(values[:third]), mean(values[-third:])
    wrong = [] if last < first else [f"the loss does not fall, {first:.4g} to {last:.4g}"]
    numbers: dict[str, Any] = {"loss_first": round(first, 6), "loss_last": round(last, 6)}
    if on_cpu:
        far = farthest(losses, curve(on_cpu, "loss"), FIRST)
        numbers["loss_differs"] = float(f"{far:.2g}")
        wrong += [f"loss of the first steps differs by {far:.1e}"] if far > LOSS else []
    return numbers, wrong


def _lifted(folder: Path, on_cpu: Path | None) -> tuple[dict[str, Any], list[str]]:
    """Return the share of Gaussians that was lifted onto, and how far they are from the CPU's."""
    seen = list(curve(folder, "seen").values())[-1]
    numbers, wrong = {"seen": seen}, [] if seen > 0 else ["nothing was lifted"]
    if on_cpu:
        one, other = (open_gaussians(each, "cpu").semantics for each in (folder, on_cpu))
        far = float((one - other).abs().max())
        numbers["lifted_differs"] = float(f"{far:.2g}")
        wrong += [f"what is lifted differs by {far:.1e}"] if far > LOSS else []
    return numbers, wrong


def _not_finite(field: SemanticField, frame: Frame) -> Iterator[str]:
    """Yield which of the things that a field says of a view hold what is not finite."""
    image, alpha = render(field.trained, frame, field.semantics)
    said: dict[str, Tensor] = {"image": image[..., :-1], "alpha": alpha}
    kind = method(field.facts.method)
    if hasattr(kind, "vectors"):
        said["CLIP vectors"] = kind.vectors(field, frame).maps
    elif field.facts.class_ids:
        said["class scores"] = field.decoder(field.blend(frame))
    yield from (name for name, value in said.items() if not value.isfinite().all())
