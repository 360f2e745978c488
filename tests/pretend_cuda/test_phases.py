"""Every phase on the pretended GPU, against itself on the CPU."""

from __future__ import annotations

import json
import threading
from collections import Counter
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from semsplat.bench.gpu.trainings import RATES, SMALL, killed_at
from semsplat.bench.gpu.world import DIMENSIONS
from semsplat.data.scene import Frame, Scene
from semsplat.features.lessons import Lessons
from semsplat.fit import inputs, views
from semsplat.fit.trainee import Trainee
from semsplat.geometry.__main__ import reconstruct
from semsplat.params.geometry import GeometryJob
from semsplat.splat.ply import read_ply
from semsplat.train.model import open_field
from semsplat.train.run import Places, train
from tests.pretend_cuda.device import Counts, pretended_gpu
from tests.pretend_cuda.kernels import pretended_kernels
from tests.unit.train import level_helpers, mask_helpers, test_run
from tests.unit.train.conftest import GEOMETRY, PARAMS
from tests.unit.train.lift_helpers import lifted_config

STEPS = 12
SHORT = GEOMETRY.model_copy(
    update={
        "steps": STEPS,
        "densify": GEOMETRY.densify.model_copy(
            update={"start": 3, "stop": 10, "every": 4, "every_floor": 1, "reset_every": 7}
        ),
    }
)
Job = Callable[[Path, str], None]


def both(job: Job, tmp_path: Path) -> tuple[Path, Path]:
    """Run a job on the CPU and on the pretended GPU; return both folders."""
    here, there = tmp_path / "cpu", tmp_path / "cuda"
    job(here, "cpu")
    with pretended_gpu(), pretended_kernels():
        job(there, "cuda")
    return here, there


def compare(here: Path, there: Path) -> None:
    """Ask for equal Gaussians: as many, and each where the other is."""
    one, other = (read_ply(folder / "point_cloud.ply") for folder in (here, there))
    assert {key: value.shape for key, value in one.items()} == {
        key: value.shape for key, value in other.items()
    }
    for key, value in one.items():
        far = (other[key] - value).abs().max() / value.abs().max().clamp(min=1e-3)
        assert far.item() < 2e-3, key
    curves = [
        [json.loads(line) for line in (folder / "metrics.jsonl").read_text().splitlines()]
        for folder in (here, there)
    ]
    for first, second in zip(*curves, strict=True):
        assert first.keys() - {"seconds"} <= second.keys()
        for key in first.keys() & second.keys():
            if key.startswith("loss"):
                assert second[key] == pytest.approx(first[key], rel=1e-3, abs=1e-5), key


def geometry_job(scene: Scene, changed: Callable[[str], str] = str) -> Job:
    place = {"dataset": "made", "scene": "plane", "seed": 0, "run_seed": 3, "steps_scaler": 1.0}
    config = GeometryJob(**place, geometry=SHORT, log_every=5).model_dump_json()

    def job(out: Path, device: str) -> None:
        scratch = out.with_name(f"{out.name}_scratch")
        reconstruct(scene.scene_dir, out, scratch, changed(config), 1e9, device)

    return job


def test_geometry(tiny_scene: Scene, tmp_path: Path) -> None:
    compare(*both(geometry_job(tiny_scene), tmp_path))


def frozen(name: str, **options: Any) -> str:
    """Return a training on finished geometry."""
    return level_helpers.config(name, steps=STEPS, **options)


def joint(name: str, options: dict[str, Any]) -> str:
    """Return a training with its geometry."""
    told = PARAMS["methods"][name] | options
    return test_run.config(method=name, geometry=SHORT, options=told)


VOTES = {"coherent": PARAMS["methods"]["clip_gs"]["coherent"] | {"start": 6}}
CONTRAST = mask_helpers.options().model_dump()
CODER = PARAMS["methods"]["langsplat"]["autoencoder"] | SMALL["langsplat"]["autoencoder"]
IDS = {"classes": 4, "moves_geometry": False}
"""what ids move of the geometry rounding moves too: cgc has that"""
TABLE = PARAMS["methods"]["goi"]["table"] | SMALL["goi"]["table"]
CODEBOOK = PARAMS["methods"]["le_gaussians"]["codebook"] | SMALL["le_gaussians"]["codebook"]
FOUR = SMALL["langsplat_v2"]
"""all entries that there are: which four of more are the largest rounding decides, too"""
METHODS: dict[str, tuple[str, tuple[str, ...]]] = {
    "clip_gs": (joint("clip_gs", VOTES), ("lessons",)),
    "feature_3dgs": (joint("feature_3dgs", {}), ("lessons", "dense")),
    "cgc": (joint("cgc", CONTRAST), ("masks",)),
    "cgc that moves geometry": (joint("cgc", CONTRAST | {"moves_geometry": True}), ("masks",)),
    "le_gaussians": (joint("le_gaussians", {"codebook": CODEBOOK}), ("dense",)),
    "gags": (frozen("gags", late_from=6), ("levels", "geometry")),
    "gaussian_grouping": (joint("gaussian_grouping", IDS), ("lessons",)),
    "goi": (frozen("goi", table=TABLE, lr=RATES), ("dense", "geometry")),
    "langsplat": (frozen("langsplat", autoencoder=CODER), ("levels", "geometry")),
    "langsplat_v2": (frozen("langsplat_v2", **FOUR), ("levels", "geometry")),
    "lifted_inverse": (lifted_config("lifted_inverse", iterations=1), ("levels", "geometry")),
    "lifted_median": (lifted_config("lifted_median", iterations=1), ("levels", "geometry")),
    "lifted_median through a gate": (
        lifted_config("lifted_median", iterations=1, gate=0.75),
        ("levels", "geometry"),
    ),
    "lifted_mean": (lifted_config("lifted_mean"), ("levels", "geometry")),
}


def train_job(
    name: str,
    scene: Scene,
    lessons: Lessons,
    sources: dict[str, Path],
    changed: Callable[[str], str] = str,
) -> Job:
    config, needs = METHODS[name]
    features = next((sources[one] for one in ("levels", "masks", "dense") if one in needs), None)
    places = Places(
        scene.scene_dir,
        lessons.folder if "lessons" in needs else None,
        features,
        sources["geometry"] if "geometry" in needs else None,
    )

    def job(out: Path, device: str) -> None:
        scratch = out.with_name(f"{out.name}_scratch")
        train(places, out, scratch, changed(config), 1e9, device)

    return job


def costs_of_steps(job: Job, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[Counts]:
    """Return what every step of a training cost on the pretended GPU."""
    seen: list[tuple[Counter[str], ...]] = []

    def noting(trainee: Trainee, step: int) -> None:
        both = counts.syncs, counts.copies, counts.copied
        seen.append(tuple(one.copy() for one in both))
        inner(trainee, step)

    inner = Trainee.set_rates
    monkeypatch.setattr(Trainee, "set_rates", noting)
    with pretended_gpu() as counts, pretended_kernels():
        job(tmp_path / "out", "cuda")
    steps = []
    for before, after in pairwise(seen):
        one = Counts()
        one.syncs, one.copies, one.copied = (b - a for a, b in zip(before, after, strict=True))
        steps.append(one)
    return steps


@pytest.mark.parametrize("name", METHODS)
def test_every_method_learns_what_it_learns_on_the_cpu(
    name: str, tiny_scene: Scene, lessons: Lessons, sources: dict[str, Path], tmp_path: Path
) -> None:
    here, there = both(train_job(name, tiny_scene, lessons, sources), tmp_path)
    compare(here, there)
    one, other = (open_field(folder, "cpu").semantics for folder in (here, there))
    assert (one - other).abs().max() < 2e-2 * one.abs().max().clamp(min=1e-3)


WAITS = {
    "geometry": (1, 1),
    "clip_gs": (1, 3),
    "feature_3dgs": (1, 1),
    "cgc": (1, 1),
    "cgc that moves geometry": (1, 1),
    "le_gaussians": (1, 1),
    "gags": (1, 1),
    "gaussian_grouping": (1, 1),
    "goi": (1, 1),
    "langsplat": (1, 1),
    "langsplat_v2": (1, 1),
}
"""How often a step waits for the GPU at most, in the first and the second half; gsplat's kernels
wait once each time they are called.  Steps that refine or are logged wait more often."""


def calm(config: str) -> str:
    """Return a training that refines nothing and logs its first step alone."""
    told = json.loads(config) | {"log_every": STEPS + 1}
    told["geometry"]["densify"] |= {"start": STEPS + 1, "stop": STEPS + 2, "reset_every": STEPS + 1}
    return json.dumps(told)


def calm_job(name: str, scene: Scene, lessons: Lessons, sources: dict[str, Path]) -> Job:
    if name == "geometry":
        return geometry_job(scene, calm)
    return train_job(name, scene, lessons, sources, calm)


@pytest.mark.parametrize("name", WAITS)
def test_a_step_hardly_waits(
    name: str, tiny_scene: Scene, lessons: Lessons, sources: dict[str, Path], tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    steps = costs_of_steps(calm_job(name, tiny_scene, lessons, sources), tmp_path, monkeypatch)
    assert len(steps) == STEPS - 1
    for half, bar in zip((steps[1:6], steps[6:]), WAITS[name], strict=True):
        most = max(half, key=lambda one: one.syncs.total())
        assert most.syncs.total() == bar, most.syncs


@pytest.mark.parametrize("name", WAITS)
def test_views_are_sent_once(
    name: str, tiny_scene: Scene, lessons: Lessons, sources: dict[str, Path], tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    steps = costs_of_steps(calm_job(name, tiny_scene, lessons, sources), tmp_path, monkeypatch)
    n_views, drawn = len(tiny_scene.train), DRAWS.get(name, 0)
    kinds = len(("camera", "photograph", "map", "table"))
    assert n_views < sum(one.copies.total() for one in steps) <= n_views * kinds + drawn
    pixels, camera, table = 48 * 36, 4 * 25, 4 * 7 * DIMENSIONS
    of_view = pixels * (3 * photographs(name) + MAP_BYTES.get(name, 4)) + camera + table
    sent = sum((one.copied for one in steps), Counter())
    assert sent.total() <= n_views * of_view + drawn * 8 * N_GAUSSIANS, sent
    assert sum(one.copies.total() for one in steps[n_views:]) < n_views + drawn


DRAWS = {"gaussian_grouping": 2, "cgc": 3, "cgc that moves geometry": 3}
"""Steps after the first at which Gaussians are drawn, by numbers that the host makes."""
MAP_BYTES = dict.fromkeys(("gags", "langsplat", "langsplat_v2"), 3 * 2) | dict.fromkeys(
    ("clip_gs", "cgc", "cgc that moves geometry"), 2 * 4
)
"""Of a pixel's ids: labels, then tracks; on three levels; where it lies and in which mask."""
N_GAUSSIANS = 300


@pytest.mark.parametrize("name", METHODS)
def test_nothing_is_read_while_a_step_is_taken(
    name: str, tiny_scene: Scene, lessons: Lessons, sources: dict[str, Path], tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    inner, here = inputs.sent, threading.main_thread()
    readers: set[threading.Thread] = set()

    def noting(*told: Any) -> Any:
        readers.add(threading.current_thread())
        return inner(*told)

    monkeypatch.setattr(inputs, "sent", noting)
    train_job(name, tiny_scene, lessons, sources)(tmp_path / name, "cpu")
    assert readers and here not in readers


def photographs(name: str) -> bool:
    """Tell whether a training reads them: on finished geometry none does."""
    return name not in ("gags", "langsplat", "langsplat_v2", "goi")


def test_what_does_not_fit_is_sent_again(
    tiny_scene: Scene, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(inputs.KEPT_BYTES, "cuda", 2 * 48 * 36 * 3)
    here, there = both(geometry_job(tiny_scene), tmp_path)
    compare(here, there)
    steps = costs_of_steps(geometry_job(tiny_scene, calm), tmp_path, monkeypatch)
    assert sum(one.copies.total() for one in steps[6:]) >= 4


def test_photographs_are_not_decoded_where_nothing_is_learned_from_them(
    tiny_scene: Scene, lessons: Lessons, sources: dict[str, Path], tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    def refuse(_: Frame) -> None:
        raise AssertionError("decoded")

    monkeypatch.setattr(views, "load_image", refuse)
    for name in ("gags", "goi", "langsplat", "lifted_mean"):
        train_job(name, tiny_scene, lessons, sources)(tmp_path / name, "cpu")
    with pytest.raises(AssertionError, match="decoded"):
        train_job("cgc", tiny_scene, lessons, sources)(tmp_path / "cgc", "cpu")


@pytest.mark.parametrize("name", ["geometry", "clip_gs", "gags"])
def test_a_killed_run_resumes_to_identical_bits(
    name: str, tiny_scene: Scene, lessons: Lessons, sources: dict[str, Path], tmp_path: Path
) -> None:
    if name == "geometry":
        job = geometry_job(tiny_scene)
    else:
        job = train_job(name, tiny_scene, lessons, sources)
    with pretended_gpu(), pretended_kernels():
        job(tmp_path / "whole", "cuda")
        with killed_at(STEPS // 2):
            job(tmp_path / "killed", "cuda")
        assert not (tmp_path / "killed" / "run.json").exists()
        job(tmp_path / "killed", "cuda")
    for file in ("point_cloud.ply", *([] if name == "geometry" else ["semantics.safetensors"])):
        assert (tmp_path / "whole" / file).read_bytes() == (tmp_path / "killed" / file).read_bytes()
