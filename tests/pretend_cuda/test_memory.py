"""Memory of trainings: what is counted, and what is computed in parts."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from semsplat.bench.gpu.world import DIMENSIONS
from semsplat.data.scene import Scene
from semsplat.features.lessons import Lessons
from semsplat.features.queries import Texts
from semsplat.train import parts
from semsplat.train.parts import in_parts
from tests.pretend_cuda import memory
from tests.pretend_cuda.device import pretended_gpu
from tests.pretend_cuda.test_phases import METHODS, both, compare, frozen, train_job


def test_what_lives_is_counted_once_and_no_longer_than_it_lives() -> None:
    with memory.counted() as live:
        first = torch.zeros(1000, device="cuda")
        view = first.view(10, 100)[3:]
        assert live.now == 4000
        double = first.double()
        assert live.now == 12_000
        del first
        assert live.now == 12_000  # the view holds it
        del view, double
        assert live.now == 0 and live.most == 12_000
        weight = torch.ones(1000, device="cuda").requires_grad_()
        loss = weight.exp().square().sum()
        live.begin()
        assert live.now == 8_004  # exp keeps its result, and square its argument, which that is
        loss.backward()
        assert live.most > 12_000


def test_rows_in_parts_are_the_whole_with_its_gradient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(parts, "PIXELS_AT_ONCE", 7)
    rows, weight, calls = torch.randn(30, 4), torch.randn(4, 5), []

    def make(some: torch.Tensor, other: torch.Tensor) -> torch.Tensor:
        calls.append(len(some))
        return (some @ weight.to(some.device)).tanh() * other

    def grad(device: str) -> tuple[torch.Tensor, torch.Tensor]:
        leaf = rows.clone().requires_grad_()
        made = in_parts(make, leaf.to(device), torch.arange(30.0).to(device)[:, None])
        made.sum().backward()
        assert leaf.grad is not None
        return made.detach().cpu(), leaf.grad

    expected = grad("cpu")
    assert calls == [30]
    with pretended_gpu():
        found = grad("cuda")
    assert calls[1:6] == [7, 7, 7, 7, 2] and sorted(calls[6:]) == [2, 7, 7, 7, 7]
    assert all(map(torch.allclose, found, expected))


def test_a_view_in_parts_teaches_what_it_teaches_whole(
    tiny_scene: Scene, lessons: Lessons, sources: dict[str, Path], tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    monkeypatch.setattr(parts, "PIXELS_AT_ONCE", 500)  # of 1,728
    monkeypatch.setattr(Texts, "encode", lambda _, texts: torch.ones(len(texts), DIMENSIONS))
    fusion = frozen("n2f2", phrases=["object"]), ("levels", "geometry")
    monkeypatch.setitem(METHODS, "n2f2", fusion)
    for name in ("goi", "n2f2"):
        compare(*both(train_job(name, tiny_scene, lessons, sources), tmp_path / name))


def test_a_training_needs_less_than_a_gpu_has() -> None:
    assert 1 < memory.need("goi", (0.4, 0.6)).total < 24  # 34 GB where views are whole
