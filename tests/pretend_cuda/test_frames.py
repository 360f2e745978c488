"""What a frame of a trained field costs: passes over the rasteriser and the decoder, and waits."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

from semsplat.data.scene import Frame, Scene
from semsplat.evaluate.relevancy import relevancy
from semsplat.features.lessons import Lessons
from semsplat.train.methods import method
from semsplat.train.model import SemanticField, open_field
from tests.pretend_cuda import kernels
from tests.pretend_cuda.device import pretended_gpu
from tests.pretend_cuda.kernels import pretended_kernels
from tests.pretend_cuda.test_phases import train_job

Ask = Callable[[SemanticField, Frame], Any]
KERNELS = {
    "project": "projection_ewa_3dgs_fused_fwd",
    "sort": "intersect_tile",
    "raster": "rasterize_to_pixels_3dgs_fwd",
}


def class_map(field: SemanticField, frame: Frame) -> Any:
    return field.render(frame)


def query(field: SemanticField, frame: Frame, prompts: int = 40) -> Tensor:
    """Ask as `semsplat.evaluate.answers.relevancy` does, for many prompts at once."""
    said = method(field.facts.method).vectors(field, frame)
    texts = torch.nn.functional.normalize(torch.ones(prompts, 8, device="cuda"), dim=-1)
    return relevancy(said.asked, texts, texts[:4])


CASES: dict[str, tuple[str, Ask, dict[str, int]]] = {
    "class map": ("clip_gs", class_map, {"project": 1, "sort": 1, "raster": 1, "decode": 1}),
    "query of gags": ("gags", query, {"project": 1, "sort": 1, "raster": 1, "decode": 1}),
    "query of le_gaussians": (
        "le_gaussians", query, {"project": 1, "sort": 1, "raster": 1, "mix": 1},
    ),
    "query of langsplat": ("langsplat", query, dict.fromkeys(("project", "sort", "raster"), 3)
                           | {"decode": 3}),
}  # fmt: skip
"""LangSplat's are three models, rendered one after the other; what is a mixture is not decoded."""


@pytest.mark.parametrize("case", CASES)
def test_a_frame_is_drawn_and_decoded_once_whatever_is_asked(
    case: str, tiny_scene: Scene, lessons: Lessons, sources: dict[str, Path], tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    name, ask, expected = CASES[case]
    train_job(name, tiny_scene, lessons, sources)(tmp_path / "model", "cpu")
    found: Counter[str] = Counter()

    def noted(what: str, inner: Callable[..., Any]) -> Callable[..., Any]:
        def call(*told: Any) -> Any:
            found[what] += 1
            return inner(*told)

        return call

    for what, kernel in KERNELS.items():
        monkeypatch.setitem(kernels.KERNELS, kernel, noted(what, kernels.KERNELS[kernel]))
    with pretended_gpu() as counts, pretended_kernels(), torch.no_grad():
        field = open_field(tmp_path / "model", "cuda")
        monkeypatch.setattr(field.decoder, "forward", noted("decode", field.decoder.forward))
        if hasattr(field.decoder, "mixture"):
            monkeypatch.setattr(field.decoder, "mixture", noted("mix", field.decoder.mixture))
        ask(field, tiny_scene.test[0])  # what is sent once is there
        found.clear()
        before = counts.syncs.total()
        ask(field, tiny_scene.test[1])
        waits = counts.syncs.total() - before
    assert found == expected
    assert waits == expected["sort"]  # gsplat's kernels ask how much there is to sort
