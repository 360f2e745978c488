"""Masks of a method that is asked by text alone: its relevancy, cut as LangSplat cuts it."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch

from semsplat.evaluate.answers import masks
from semsplat.evaluate.protocols import segmentation
from semsplat.evaluate.relevancy import relevancy
from semsplat.evaluate.text_masks import AskedByText
from semsplat.evaluate.write_masks import _selector
from semsplat.experiment import sections
from semsplat.train.methods import Reference, Vectors, gaussian_grouping, langsplat

CANONICAL = torch.tensor([[0.0, 0.0, 1.0]])
RED, BLUE = torch.eye(3)[:2]


def field_of(maps: torch.Tensor) -> Any:
    """Return a field that says the same vectors [L, H, W, 3] of every view, and notes the view."""
    seen: list[Any] = []

    def vectors(frame: Any) -> Vectors:
        seen.append(frame)
        return Vectors(maps, None)

    return SimpleNamespace(vectors=vectors, seen=seen)


@pytest.fixture
def maps() -> torch.Tensor:
    """Return two levels of 40 x 40 pixels: red on the left of the second, else noise."""
    random = torch.Generator().manual_seed(3)
    found = torch.nn.functional.normalize(torch.rand(2, 40, 40, 3, generator=random) - 0.5, dim=-1)
    found[1, :, :20] = RED
    found[1, :, 20:] = torch.tensor([-0.6, 0.8, 0.0])
    return found


def test_a_mask_is_the_prompts_relevancy_cut_by_the_protocol(maps):
    field, frame = field_of(maps), object()
    selector = AskedByText(CANONICAL)
    queries = torch.stack(
        [selector.query(None, Reference(None, None, text)) for text in (RED, BLUE)]
    )
    assert torch.equal(queries, torch.stack([RED, BLUE]))
    found = selector.select(field, frame, queries)
    assert field.seen == [frame]  # a view is drawn once for all prompts
    assert found.dtype == torch.bool and found.shape == (2, 40, 40)
    for text, mask in zip((RED, BLUE), found, strict=True):
        stored = relevancy(maps, text[None], CANONICAL)[0].half().numpy()
        assert np.array_equal(mask.numpy(), segmentation.mask_of(stored))
    left = found[0, 4:36, :16]
    assert left.all() and not found[0, 4:36, 26:36].any()


def test_a_method_with_queries_of_its_own_is_asked_by_them():
    texts = SimpleNamespace(canonical=CANONICAL)
    assert _selector(gaussian_grouping, texts) is gaussian_grouping
    assert isinstance(_selector(langsplat, texts), AskedByText)


def test_relevancy_that_is_cut_is_timed_as_relevancy():
    field = SimpleNamespace(facts=SimpleNamespace(method="langsplat"))
    assert masks.time(field, []) == {}


def test_masks_need_queries_or_vectors(monkeypatch):
    assert sections._contract("langsplat") == []
    monkeypatch.delattr(langsplat, "vectors")
    said = sections._contract("langsplat")
    assert [line.rsplit(" ", 1)[-1] for line in said] == ["'vectors'", "'query'", "'select'"]
