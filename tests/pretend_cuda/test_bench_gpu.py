"""``python -m semsplat.bench gpu`` in its small size: a good run, and planted faults."""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from semsplat.bench.__main__ import gpu
from semsplat.bench.gpu import bars, geometry, resume
from semsplat.bench.gpu.steps import SIZES, STEPS, Bench
from semsplat.bench.gpu.trainings import job_of, reconstructed
from semsplat.data.scene import Scene
from semsplat.doctor import Finding
from semsplat.errors import SemsplatError, one_line_errors
from semsplat.fit.trainee import Trainee
from semsplat.io import read_json
from semsplat.params.geometry import Geometry
from semsplat.params.scaling import scaled_geometry
from semsplat.splat import rasterizer
from tests.pretend_cuda.device import pretended_gpu
from tests.pretend_cuda.kernels import pretended_kernels
from tests.unit.train.conftest import PARAMS

Plant = Callable[[pytest.MonkeyPatch], None]


@pytest.fixture(autouse=True)
def _one_gpu(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Let a job claim a GPU, and the doctor see none: it would ask the driver."""
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "0")
    monkeypatch.setattr("semsplat.doctor.visible_gpus", list)
    handlers = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    with pretended_gpu(), pretended_kernels():
        yield
    for number, handler in handlers.items():
        signal.signal(number, handler)


def asked(out: Path, *only: str, **options: Any) -> dict[str, Any]:
    """Run the command; return its exit status as ``status`` beside what it wrote."""
    status: Any = 0
    try:
        with one_line_errors():
            gpu(out, size="small", only=list(only) or None, **options)
    except SystemExit as ended:
        status = ended.code
    return {"status": status, **(read_json(out) if out.exists() else {})}


def test_a_good_run_passes_and_says_where_it_was(tmp_path: Path, capsys: Any) -> None:
    found = asked(tmp_path / "gpu.json")
    verdicts = {name: step["verdict"] for name, step in found["steps"].items()}
    assert verdicts == dict.fromkeys(STEPS, "passed") | {"bars": "not judged"}
    assert found["status"] == 0 and found["failed"] == []
    assert found["device"] == "cuda" and found["machine"]["gpu"] == "pretended"
    assert found["machine"]["packages"]["gsplat"] and "commit" in found["git"]
    assert all(step["seconds"] >= 0 and "numbers" in step for step in found["steps"].values())
    with_gaussians = set(PARAMS["methods"]) - {"lerf", "threedovs"}
    assert set(found["steps"]["methods"]["numbers"]) == with_gaussians
    assert found["steps"]["speed"]["numbers"]["clip_gs"]["fps"] > 0
    lines = capsys.readouterr().out.splitlines()
    said = [line.split() for line in lines if line.startswith(("passed", "not judged"))]
    assert [next(word for word in words if word in STEPS) for words in said] == list(STEPS)


def scaled_image(patch: pytest.MonkeyPatch, factor: float = 1.01) -> None:
    inner = rasterizer.rasterize_cuda

    def brighter(request: Any) -> Any:
        image, *rest = inner(request)
        return image * factor, *rest

    patch.setattr(rasterizer, "rasterize_cuda", brighter)


def image_of_nan(patch: pytest.MonkeyPatch) -> None:
    scaled_image(patch, float("nan"))


def never_steps(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(Trainee, "step", lambda _: None)


def forgets_adam(patch: pytest.MonkeyPatch) -> None:
    inner = Trainee.load_state_dict

    def load(trainee: Trainee, state: dict[str, Any]) -> None:
        before = {key: one.state_dict() for key, one in trainee.optimizers.items()}
        inner(trainee, state | {"optimizers": before})

    patch.setattr(Trainee, "load_state_dict", load)


def lacks_nvcc(patch: pytest.MonkeyPatch) -> None:
    found = [Finding("nvcc", False, "none")]
    patch.setattr("semsplat.bench.gpu.environment.findings", lambda: found)


def does_not_build(patch: pytest.MonkeyPatch) -> None:
    def refuse() -> None:
        raise SemsplatError("gsplat's kernels were not built")

    patch.setattr("semsplat.bench.gpu.build.load_kernels", refuse)


def stands_still(patch: pytest.MonkeyPatch) -> None:
    patch.setattr("semsplat.bench.gpu.methods.method_names", lambda: ["gags"])
    never_steps(patch)


def lifts_other_weights(patch: pytest.MonkeyPatch, factor: float = 0.0, power: int = 1) -> None:
    from semsplat.train import lifting

    inner = lifting.region_weights

    def weights(give_back: Any, ids: Any, rows: Any) -> Any:
        found = inner(give_back, ids, rows)
        return factor * found**power if ids.is_cuda else found

    patch.setattr("semsplat.bench.gpu.methods.method_names", lambda: ["lifted_mean"])
    patch.setattr(lifting, "region_weights", weights)


def answers_nothing(patch: pytest.MonkeyPatch) -> None:
    from semsplat.bench.gpu import methods

    inner = methods.render

    def render(*told: Any) -> Any:
        image, alpha = inner(*told)
        return image * float("nan"), alpha

    patch.setattr(methods, "method_names", lambda: ["clip_gs"])
    patch.setattr(methods, "render", render)


@pytest.mark.parametrize(
    ("step", "plant", "says"),
    [
        ("environment", lacks_nvcc, "nvcc: none"),
        ("build", does_not_build, "not built"),
        ("parity", scaled_image, "colours: image differs by"),
        ("parity", image_of_nan, "colours: image differs by nan"),
        ("geometry", scaled_image, "loss of the first 10 steps differs"),
        ("geometry", never_steps, "PSNR does not rise"),
        ("methods", stands_still, "gags: the loss does not fall"),
        ("methods", lifts_other_weights, "lifted_mean: nothing was lifted"),
        ("methods", answers_nothing, "clip_gs: image is not finite"),
        ("resume", forgets_adam, "geometry: the resumed run is not the whole one"),
    ],
)
def test_a_planted_fault_fails_and_names_the_step(
    step: str, plant: Plant, says: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
    capsys: Any,
) -> None:  # fmt: skip
    plant(monkeypatch)
    found = asked(tmp_path / "gpu.json", step)
    assert found["status"] == 1 and found["failed"] == [step]
    assert found["steps"][step]["verdict"] == "failed"
    assert any(says in line for line in found["steps"][step]["wrong"])
    assert f"failed: {step}" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("again", "killed", "status"),
    [(1e-6, 9e-6, 0), (1e-6, 2e-5, 1), (0, 1e-9, 1), (0, float("inf"), 1)],
)
def test_a_resumed_run_may_differ_as_two_whole_ones_do(
    again: float, killed: float, status: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    far = {"again": again, "killed": killed}
    monkeypatch.setattr(resume, "_run", lambda *_: None)
    monkeypatch.setattr(resume, "_far", lambda _, other: far[other.name.split("_")[0]])
    assert asked(tmp_path / "gpu.json", "resume")["status"] == status


def test_a_method_is_compared_with_the_cpu_where_that_is_asked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("semsplat.bench.gpu.methods.method_names", lambda: ["gags"])
    found = asked(tmp_path / "gpu.json", "methods", cpu=True)
    assert found["status"] == 0
    assert found["steps"]["methods"]["numbers"]["gags"]["loss_differs"] < 1e-3
    scaled_image(monkeypatch)
    found = asked(tmp_path / "other.json", "methods", cpu=True)
    wrong = " ".join(found["steps"]["methods"]["wrong"])
    assert found["status"] == 1 and "gags: loss of the first steps differs" in wrong


def test_what_is_lifted_is_compared_with_the_cpu_where_that_is_asked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lifts_other_weights(monkeypatch, 1.0)
    found = asked(tmp_path / "gpu.json", "methods", cpu=True)
    assert found["status"] == 0
    assert found["steps"]["methods"]["numbers"]["lifted_mean"]["lifted_differs"] < 1e-3
    lifts_other_weights(monkeypatch, 1.0, 2)
    found = asked(tmp_path / "other.json", "methods", cpu=True)
    wrong = " ".join(found["steps"]["methods"]["wrong"])
    assert found["status"] == 1 and "lifted_mean: what is lifted differs by" in wrong


def test_a_finished_run_of_the_cpu_is_what_the_gpu_has_to_reach(
    tiny_scene: Scene, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    short = scaled_geometry(Geometry(**PARAMS["geometry"]), 20 / 30_000)
    cpu_run = reconstructed(tiny_scene.scene_dir, job_of(short, 5), tmp_path / "run", "cpu")
    told = {"cpu_run": cpu_run, "scene": tiny_scene.scene_dir}
    found = asked(tmp_path / "gpu.json", "geometry", **told)
    numbers = found["steps"]["geometry"]["numbers"]
    assert found["status"] == 0 and numbers["steps"] == 20
    assert numbers["cpu"]["psnr"] == pytest.approx(numbers["psnr"], abs=0.3)
    monkeypatch.setattr(geometry, "PSNR_DB", -1.0)
    monkeypatch.setattr(geometry, "GAUSSIANS", -1.0)
    found = asked(tmp_path / "other.json", "geometry", **told)
    wrong = found["steps"]["geometry"]["wrong"]
    assert found["status"] == 1 and len(wrong) == 2 and "PSNR" in wrong[0]


def test_what_is_too_far_from_a_finished_run_is_said() -> None:
    cpu = {"psnr": 30.0, "n_gaussians": 1000.0}
    assert not geometry._apart({"psnr": 30.29, "n_gaussians": 1049.0}, cpu)
    assert len(geometry._apart({"psnr": 29.69, "n_gaussians": 1000.0}, cpu)) == 1
    assert len(geometry._apart({"psnr": 30.0, "n_gaussians": 949.0}, cpu)) == 1


GOOD = {"clip_gs": {"step_ms": 30.0, "fps": 176.0}, "feature_3dgs": {"peak_gpu_mb": 40960}}


@pytest.mark.parametrize(
    ("method", "number", "value"),
    [
        ("clip_gs", "step_ms", 30.1),
        ("clip_gs", "fps", 175.9),
        ("feature_3dgs", "peak_gpu_mb", 40961),
    ],
)
def test_bars_judge_the_full_size_alone(
    method: str, number: str, value: float, tmp_path: Path
) -> None:
    def judged(size: str, speed: dict[str, Any] | None) -> Any:
        found = {"speed": speed} if speed else {}
        return bars.check(Bench(tmp_path, {}, SIZES[size], None, None, False, "cuda", found))

    missed = GOOD | {method: GOOD[method] | {number: value}}
    assert judged("full", GOOD).wrong == [] and judged("full", GOOD).skipped is None
    assert len(judged("full", missed).wrong) == 1
    assert judged("small", missed).skipped and judged("full", None).skipped
    assert not judged("small", missed).wrong


def test_an_unknown_step_and_no_gpu_are_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Any
) -> None:
    assert asked(tmp_path / "gpu.json", "partiy")["status"] == 1
    assert "no step 'partiy'; did you mean 'parity'?" in capsys.readouterr().err
    missing = tmp_path / "params.yaml"
    assert asked(tmp_path / "gpu.json", params=missing)["status"] == 1
    assert f"{missing}: not there" in capsys.readouterr().err
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "")
    assert asked(tmp_path / "gpu.json")["status"] == 1
    assert "no GPU is visible" in capsys.readouterr().err
