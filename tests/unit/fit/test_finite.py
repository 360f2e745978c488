"""No state, card or result of numbers that are not finite; what is not finite is named."""

from __future__ import annotations

import re
from functools import partial
from pathlib import Path
from types import SimpleNamespace
from typing import Any, ClassVar

import pytest
import torch

from semsplat.errors import SemsplatError
from semsplat.fit.finite import Watch, check_numbers, is_finite
from semsplat.fit.inputs import Inputs
from semsplat.fit.loop import fit
from semsplat.fit.state import load_state
from semsplat.fit.steps import Fit
from semsplat.fit.trainee import seed_everything
from semsplat.fit.views import views_in_order
from semsplat.geometry.rgb import rgb_objective, start_training
from semsplat.params.geometry import Geometry, Training
from tests.unit.fit.test_loop import GEOMETRY


def changed(section: str, **values: Any) -> Geometry:
    """Return the parameters with other values in one section."""
    inner = getattr(GEOMETRY, section).model_copy(update=values)
    return GEOMETRY.model_copy(update={section: inner})


def train(scene: Any, scratch: Path, geometry: Geometry, spoil: Any = None, log_every=5) -> None:
    """Train 20 steps with a state after every step; ``spoil`` changes losses by step."""
    trainee = start_training(scene, geometry, seed_everything(3), "cpu")
    inner = rgb_objective(trainee.gaussians, geometry)

    def objective(step: int, view: Any) -> Any:
        losses, info, numbers = inner(step, view)
        return (spoil(step, losses) if spoil else losses), info, numbers

    views = partial(views_in_order, scene.train, seed=3, scale=lambda _: 1.0, inputs=Inputs("cpu"))
    fit(Fit(20, "key", scratch, Training(save_every_s=1e-9, log_every=log_every)),
        trainee, objective, views)  # fmt: skip


@pytest.mark.parametrize(
    ("section", "values", "name"),
    [
        ("lr", {"sh0": 1e30}, "sh0"),
        ("lr", {"scales": 50.0}, "scales"),
        ("lr", {"quats": 1e38}, "quats"),
    ],
)
def test_a_parameter_that_overflows_is_named(tiny_scene, tmp_path, section, values, name) -> None:
    with pytest.raises(SemsplatError, match=f"the learning rate of '{name}'") as error:
        train(tiny_scene, tmp_path, changed(section, **values))
    assert re.match(r"step \d+: parameter '\w+' is not finite \(\d+ of", str(error.value))
    state = load_state(tmp_path / "state.pt", "key")
    assert state is None or all(is_finite(v) for v in state["content"]["gaussians"].values())


@pytest.mark.parametrize("opacity", [0.0, 1.0])
def test_a_start_that_is_not_finite_is_refused(tiny_scene, tmp_path, opacity) -> None:
    with pytest.raises(SemsplatError, match="before the first step: parameter 'opacities'"):
        train(tiny_scene, tmp_path, changed("init", opacity=opacity))
    assert not (tmp_path / "state.pt").exists()


@pytest.mark.usefixtures("saved_each_step")
def test_a_loss_that_is_not_finite_is_named_with_its_step(tiny_scene, tmp_path) -> None:
    def spoil(step: int, losses: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
        constant = torch.tensor(float("nan" if step == 7 else 0))
        return losses | {"spoiled": constant}  # no gradient: the parameters stay finite

    with pytest.raises(SemsplatError, match="step 7: loss 'spoiled' is not finite though all"):
        train(tiny_scene, tmp_path, GEOMETRY, spoil)
    state = load_state(tmp_path / "state.pt", "key")
    assert state is not None and state["step"] == 7  # that of the step before
    assert "nan" not in state["log"].lower()


def test_a_spoiled_step_is_named_though_asked_later() -> None:
    watch, trainee = Watch(), Spoiled()
    for step, loss in enumerate([1.0, float("inf"), 2.0, float("nan")]):
        watch.note(step, torch.tensor(loss))
    with pytest.raises(SemsplatError, match="step 1: loss 'total'"):
        watch.check(3, trainee, {"rgb": torch.tensor(1.0)})


def test_what_is_not_finite_is_counted() -> None:
    values = torch.tensor([1.0, float("nan"), 2.0, float("inf"), 3.0])
    trainee = Spoiled()
    trainee.optimizers = {"sh0": SimpleNamespace(param_groups=[{"lr": 0.1}])}
    trainee.gaussians = {"sh0": values}
    with pytest.raises(SemsplatError, match=r"'sh0' is not finite \(2 of 5 values\)"):
        Watch().check(3, trainee, {})


class Spoiled:
    """Nothing that learns."""

    optimizers: ClassVar[dict[str, Any]] = {}
    decoder = None


def test_sums_that_overflow_are_no_false_alarm() -> None:
    huge = torch.full((9,), 3e38)
    assert not torch.isfinite(huge.sum()) and is_finite(huge)
    for bad in (float("nan"), float("inf")):
        assert not is_finite(torch.tensor([1.0, bad]))
    assert not is_finite(torch.tensor([float("inf"), -float("inf")]))


def test_a_number_that_is_not_finite_is_never_logged() -> None:
    check_numbers(3, {"loss": 1.0})
    with pytest.raises(SemsplatError, match="step 3: loss is nan; lower the learning rate"):
        check_numbers(3, {"loss": float("nan")})
