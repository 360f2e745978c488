"""What a training does with what it is told: rates, steps, seeds, sizes and which views."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file
from torch.nn.utils import parameters_to_vector

from semsplat.bench.gpu.world import write_levels
from semsplat.data.scene import Frame, Scene, load_image
from semsplat.features.lessons import Lessons
from semsplat.features.store import SceneFeatures
from semsplat.fit import views as view_module
from semsplat.fit.inputs import Inputs
from semsplat.fit.loop import fit
from semsplat.fit.steps import Fit
from semsplat.fit.trainee import Trainee
from semsplat.fit.views import load_view
from semsplat.params.geometry import Training
from semsplat.splat.gaussians import splat_values
from semsplat.train import coherent
from semsplat.train import run as module
from semsplat.train.methods import Stage, clip_gs, feature_3dgs, gags
from semsplat.train.model import open_field
from semsplat.train.objectives import frozen_objective, joint_objective, start_frozen, start_joint
from semsplat.train.run import Places, train
from tests.unit.train.conftest import GEOMETRY, PARAMS
from tests.unit.train.level_helpers import config as frozen_config
from tests.unit.train.level_helpers import write_geometry
from tests.unit.train.test_run import config as joint_config

RATES = {"semantics": 0.03, "decoder": 0.07}


@pytest.fixture(scope="module")
def levels(tiny_scene: Scene, tmp_path_factory: pytest.TempPathFactory) -> SceneFeatures:
    return write_levels(tmp_path_factory.mktemp("levels"), tiny_scene)


@pytest.fixture(scope="module")
def geometry(tiny_scene: Scene, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_geometry(tmp_path_factory.mktemp("geometry"), tiny_scene)


def moved(trainee: Trainee, objective: Any, scene: Scene, folder: Path) -> dict[str, float]:
    """Return by how much one step of training moves semantics, decoder and opacities at most."""
    assert trainee.decoder is not None

    def now() -> dict[str, torch.Tensor]:
        named = {key: trainee.gaussians[key] for key in ("semantics", "opacities")}
        weights = parameters_to_vector(trainee.decoder.module.parameters())
        return {
            key: value.detach().clone() for key, value in (named | {"decoder": weights}).items()
        }

    before = now()
    plan = Fit(1, "key", folder, Training(save_every_s=1e9, log_every=1))
    fit(
        plan,
        trainee,
        objective,
        lambda steps: (load_view(scene.train[1], 1.0, Inputs("cpu")) for _ in steps),
    )
    return {key: (value - before[key]).abs().max().item() for key, value in now().items()}


def test_the_first_step_moves_semantics_and_decoder_by_their_rates(tiny_scene, lessons, tmp_path):
    options = clip_gs.Options(**PARAMS["methods"]["clip_gs"] | {"lr": RATES})
    attachment = clip_gs.attach(options, lessons, None)
    trainee = start_joint(tiny_scene, GEOMETRY, attachment, 5, "cpu")
    stage = Stage(
        tiny_scene.train, lessons, None, trainee.gaussians, attachment.decoder, Inputs("cpu"), 5
    )
    terms = clip_gs.semantic_terms(options, stage)
    objective = joint_objective(trainee, GEOMETRY, terms, options)
    found = moved(trainee, objective, tiny_scene, tmp_path)
    assert found == pytest.approx(RATES | {"opacities": GEOMETRY.lr.opacities}, rel=1e-3)


def test_on_finished_geometry_they_move_alone(tiny_scene, levels, geometry, tmp_path):
    decoder = {"networks": "shared", "hidden_share": 4.0}
    values = PARAMS["methods"]["gags"] | {"lr": RATES, "decoder": decoder}
    options = gags.Options.model_validate(values)
    torch.manual_seed(0)
    attachment = gags.attach(options, None, levels)
    trainee = start_frozen(geometry, attachment, 1e-15, 5, "cpu")
    stage = Stage(
        tiny_scene.train, None, levels, trainee.gaussians, attachment.decoder, Inputs("cpu"), 5
    )
    objective = frozen_objective(trainee, gags.semantic_terms(options, stage))
    found = moved(trainee, objective, tiny_scene, tmp_path)
    assert found == pytest.approx(RATES | {"opacities": 0.0}, rel=1e-3)


@pytest.mark.parametrize("width", [0.01, 0.5])
def test_numbers_start_as_widely_as_they_are_told(tiny_scene, lessons, width):
    options = clip_gs.Options(**PARAMS["methods"]["clip_gs"] | {"init_std": width, "dim": 16})
    trainee = start_joint(tiny_scene, GEOMETRY, clip_gs.attach(options, lessons, None), 5, "cpu")
    values = trainee.gaussians["semantics"].detach()
    assert values.shape == (300, 16) and values.std().item() == pytest.approx(width, rel=0.05)
    assert abs(values.mean().item()) < 0.1 * width


def watched(monkeypatch: pytest.MonkeyPatch, name: str) -> list[tuple[int, int, int, str]]:
    """Note step, size and name of the view of every step, whichever way it is trained."""
    seen: list[tuple[int, int, int, str]] = []
    inner = getattr(module, name)

    def noting(*arguments: Any) -> Any:
        objective = inner(*arguments)

        def noted(step: int, view: Any) -> Any:
            seen.append((step, view.width, view.height, view.name))
            return objective(step, view)

        return noted

    monkeypatch.setattr(module, name, noting)
    return seen


def run_joint(scene: Scene, lessons: Lessons, out: Path, steps: int = 8, **changes: Any) -> Path:
    sizes = {"enabled": True, "scale_start": 0.5, "scale_steps": 4}
    progressive = GEOMETRY.progressive.model_copy(update=sizes)
    short = GEOMETRY.model_copy(update={"steps": steps, "progressive": progressive})
    places = Places(scene.scene_dir, lessons.folder, None, None)
    config = joint_config(geometry=short, **changes)
    train(places, out, out.with_name(f"{out.name}_scratch"), config, 1e9, "cpu")
    return out


def test_pdr_reaches_the_training_of_semantics(tiny_scene, lessons, tmp_path, monkeypatch):
    seen = watched(monkeypatch, "joint_objective")
    run_joint(tiny_scene, lessons, tmp_path / "out")
    # 1 - (1 + cos(pi t / 4)) / 4 of 48 pixels; the first is the step that only compiles
    widths = [24, 24, 28, 36, 44, 48, 48, 48, 48]
    assert [width for _, width, _, _ in seen] == widths
    assert [step for step, *_ in seen] == [0, *range(8)]


@pytest.mark.parametrize(("scale", "size"), [(1.0, (48, 36)), (0.5, (24, 18))])
def test_frozen_training_takes_its_own_steps_on_views_of_its_own_size(
    tiny_scene, levels, geometry, tmp_path, monkeypatch, scale, size
):
    seen = watched(monkeypatch, "frozen_objective")
    places = Places(tiny_scene.scene_dir, None, levels.folder, geometry)
    config = frozen_config(steps=7, image_scale=scale)  # those of the geometry are 40
    train(places, tmp_path / "out", tmp_path / "scratch", config, 1e9, "cpu")
    assert [step for step, *_ in seen] == [0, *range(7)]
    assert {(width, height) for _, width, height, _ in seen} == {size}


def test_nothing_is_learned_from_held_out_views(tiny_scene, lessons, tmp_path, monkeypatch):
    names: set[str] = set()

    def reading(frame: Frame) -> Any:
        names.add(frame.name)
        return load_image(frame)

    def lesson(self: Lessons, name: str) -> Any:
        names.add(name)
        return taught(self, name)

    taught = Lessons.view
    monkeypatch.setattr(view_module, "load_image", reading)
    monkeypatch.setattr(Lessons, "view", lesson)
    votes = json.loads(joint_config())["options"]
    votes["coherent"] |= {"start": 0, "vote": "tracks"}
    run_joint(tiny_scene, lessons, tmp_path / "out", steps=12, options=votes)
    assert names == {frame.name for frame in tiny_scene.train}


def test_the_seed_of_the_run_decides_where_everything_starts(tiny_scene, lessons, tmp_path):
    still = json.loads(joint_config())["options"] | {"lr": {"semantics": 1e-9, "decoder": 1e-9}}
    first, again, other = (
        open_field(run_joint(tiny_scene, lessons, tmp_path / name, steps=1, run_seed=seed,
                             options=still), "cpu")
        for name, seed in (("a", 1), ("b", 1), ("c", 2))
    )  # fmt: skip
    for key, atol in (("quats", 0.1), ("semantics", 1e-3), ("weight", 1e-3)):
        values = [
            {"quats": field.trained.gaussians["quats"], "semantics": field.semantics,
             "weight": field.decoder.weight}[key]
            for field in (first, again, other)
        ]  # fmt: skip
        assert torch.equal(values[0], values[1])
        assert not torch.allclose(values[0], values[2], atol=atol), key


def test_the_seed_of_the_run_decides_the_order_of_views(tiny_scene, lessons, tmp_path, monkeypatch):
    seen = watched(monkeypatch, "joint_objective")
    for name, seed in (("a", 1), ("b", 1), ("c", 2)):
        run_joint(tiny_scene, lessons, tmp_path / name, steps=6, run_seed=seed)
    first, again, other = ([name for *_, name in seen[i + 1 : i + 7]] for i in (0, 7, 14))
    assert set(first) == set(other) == {frame.name for frame in tiny_scene.train}
    assert first == again != other


def test_neighbours_are_rendered_at_the_size_of_the_view(tiny_scene, lessons, monkeypatch):
    options = clip_gs.Options(**PARAMS["methods"]["clip_gs"])
    attachment = clip_gs.attach(options, lessons, None)
    trainee = start_joint(tiny_scene, GEOMETRY, attachment, 5, "cpu")
    stage = Stage(
        tiny_scene.train, lessons, None, trainee.gaussians, attachment.decoder, Inputs("cpu"), 5
    )
    inner, seen = coherent.rendered_classes, []

    def noting(stage: Stage, camera: Any) -> Any:
        seen.append((camera.name, camera.width, camera.height))
        return inner(stage, camera)

    monkeypatch.setattr(coherent, "rendered_classes", noting)
    view = load_view(tiny_scene.train[2], 0.5, Inputs("cpu"))
    coherent.voted_labels(stage, view, torch.zeros(18, 24, 2), options.coherent)
    assert seen == [(tiny_scene.train[place].name, 24, 18) for place in (1, 3)]


def test_semantics_are_blended_over_zeros_before_any_background(tiny_scene, lessons):
    white = GEOMETRY.model_copy(update={"background": "white"})
    options = feature_3dgs.Options(**PARAMS["methods"]["feature_3dgs"])
    attachment = clip_gs.attach(clip_gs.Options(**PARAMS["methods"]["clip_gs"]), lessons, None)
    trainee, seen = start_joint(tiny_scene, white, attachment, 5, "cpu"), []
    with torch.no_grad():
        trainee.gaussians["opacities"][:] = -30  # nothing stops a ray

    def terms(step: int, view: Any, blended: Any) -> dict[str, torch.Tensor]:
        seen.append(blended)
        return {"mine": blended.sum() + 7}

    objective = joint_objective(trainee, white, terms, options)
    losses, _, _ = objective(0, load_view(tiny_scene.train[0], 1.0, Inputs("cpu")))
    assert seen[0].shape == (36, 48, 3) and not seen[0].any()
    assert set(losses) == {"l1", "dssim", "mine"} and losses["mine"].item() == 7


def test_a_training_and_its_field_blend_what_the_method_shows(
    tiny_scene, lessons, levels, geometry, tmp_path, monkeypatch
):
    """A method shows twice its numbers, whichever way it is trained, and so does its field."""
    blended: dict[str, list[torch.Tensor]] = {"clip_gs": [], "gags": []}
    for one in (clip_gs, gags):
        monkeypatch.setattr(one, "shown", lambda semantics: 2 * semantics, raising=False)
        inner, seen = one.semantic_terms, blended[one.__name__.rsplit(".")[-1]]

        def noting(options: Any, stage: Stage, inner: Any = inner, seen: Any = seen) -> Any:
            terms = inner(options, stage)

            def noted(step: int, view: Any, shown: torch.Tensor) -> Any:
                held, asked = stage.gaussians["semantics"].detach(), camera_of_view(view)
                seen.append((shown.detach(), splat(stage.gaussians, held, asked)))
                return terms(step, view, shown)

            return noted

        monkeypatch.setattr(one, "semantic_terms", noting)
    joint = run_joint(tiny_scene, lessons, tmp_path / "joint", steps=2)
    places = Places(tiny_scene.scene_dir, None, levels.folder, geometry)
    frozen = tmp_path / "frozen"
    train(places, frozen, tmp_path / "scratch", frozen_config(steps=3), 1e9, "cpu")
    for name, folder in (("clip_gs", joint), ("gags", frozen)):
        shown, held = blended[name][-1]
        assert shown.abs().max() > 1e-3 and torch.allclose(shown, 2 * held, atol=1e-5), name
        stored = load_file(folder / "semantics.safetensors")["semantics"]
        assert torch.equal(open_field(folder, "cpu").semantics, 2 * stored)


def camera_of_view(view: Any) -> tuple[Any, ...]:
    return view.viewmat[None], view.K[None], view.width, view.height


def splat(gaussians: Any, values: torch.Tensor, camera: tuple[Any, ...]) -> torch.Tensor:
    with torch.no_grad():
        return splat_values(gaussians, values, *camera)[0][0]
