"""Every prompt takes one scale for all of a view."""

from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F

from semsplat.evaluate.relevancy import relevancy
from semsplat.train.methods import Vectors
from semsplat.train.scaled import Scaled


def asked() -> tuple[Scaled, torch.Tensor]:
    """Return vectors [3, 2, 2, 4] of three scales in portions of three pixels and one."""
    torch.manual_seed(0)
    vectors = F.normalize(torch.randn(3, 4, 4), dim=-1)
    return Scaled(lambda: iter([vectors[:, :3], vectors[:, 3:]]), (2, 2)), vectors


def test_a_prompt_is_asked_at_the_scale_of_its_largest_relevancy_anywhere():
    said, vectors = asked()
    texts = F.normalize(torch.randn(5, 4), dim=-1)
    query, canonical = texts[:3], texts[3:]
    every = relevancy(vectors.unflatten(1, (2, 2)), query, canonical)  # [P, 3, 2, 2]
    found = relevancy(said, query, canonical)
    assert found.shape == (3, 1, 2, 2)
    best = [int(every[p].flatten(1).amax(1).argmax()) for p in range(3)]
    assert len(set(best)) > 1  # prompts differ in their scales here
    for p in range(3):
        assert torch.allclose(found[p, 0], every[p, best[p]])


def test_the_scale_is_of_the_whole_view_and_not_of_a_portion():
    low, high = torch.tensor([[0.2, 0.1], [0.1, 0.9]])  # of two scales and two pixels
    vectors = torch.stack([torch.stack([low, 1 - low], -1), torch.stack([high, 1 - high], -1)])
    said = Scaled(lambda: iter([vectors[:, :1], vectors[:, 1:]]), (1, 2))
    found = said.chosen(lambda part: part[..., 0][None])
    assert found.flatten().tolist() == pytest.approx([0.1, 0.9])


def test_one_query_has_one_map_and_all_vectors_can_be_had():
    said, vectors = asked()
    assert relevancy(said, vectors[0, 0], vectors[1, :2]).shape == (1, 2, 2)
    assert torch.equal(Vectors(said, None).maps, vectors.unflatten(1, (2, 2)))
