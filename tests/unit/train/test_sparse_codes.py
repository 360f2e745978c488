"""Sparse codes by hand, their distances against vectors that are made, and their decoding."""

from __future__ import annotations

import math

import pytest
import torch
import torch.nn.functional as F

from semsplat.splat.gaussians import splat_values
from semsplat.train.sparse_codes import (
    Codebooks,
    cosine_distance,
    first_entries,
    sparse_codes,
    squared_distance,
)
from tests.unit.train.wired import row_of_gaussians, view


def made(*size: int, seed: int = 4) -> torch.Tensor:
    return torch.randn(*size, generator=torch.Generator().manual_seed(seed))


def test_the_largest_shares_stay_and_sum_to_one_by_hand():
    logits = torch.tensor([[math.log(6), math.log(3), math.log(1), 0.0, math.log(2)]])
    found = sparse_codes(logits, 3)
    assert found[0].tolist() == pytest.approx([6 / 11, 3 / 11, 0, 0, 2 / 11], abs=1e-6)
    assert torch.allclose(sparse_codes(logits + 7, 3), found)
    assert torch.allclose(sparse_codes(logits, 5), logits.softmax(-1))


def test_as_many_as_asked_are_not_zero_and_only_they_learn():
    logits = made(7, 3, 12).requires_grad_()
    codes = sparse_codes(logits, 4)
    assert ((codes > 0).sum(dim=-1) == 4).all()
    assert torch.allclose(codes.sum(dim=-1), torch.ones(7, 3))
    (codes * made(7, 3, 12, seed=5)).sum().backward()
    assert logits.grad is not None and not logits.grad[codes == 0].any()
    assert logits.grad[codes > 0].any()


def test_distances_are_those_of_vectors_that_nobody_makes():
    codebook, codes, targets = made(6, 5), made(40, 6, seed=1).abs(), made(40, 5, seed=2)
    targets = F.normalize(targets, dim=-1)
    vectors, seen = codes @ codebook, targets @ codebook.T
    cosines = 1 - F.cosine_similarity(vectors, targets, dim=-1)
    assert torch.allclose(cosine_distance(codes, seen, codebook), cosines, atol=1e-5)
    squares = (vectors - targets).square().sum(dim=-1)
    assert torch.allclose(squared_distance(codes, seen, codebook), squares, rtol=1e-4, atol=1e-5)


def test_distances_by_hand_and_nothing_drawn_is_no_number_that_breaks():
    codebook = torch.tensor([[2.0, 0.0], [0.0, 1.0]])
    codes = torch.tensor([[0.5, 0.0], [0.5, 1.0], [0.0, 0.0]], requires_grad=True)
    targets = torch.tensor([[1.0, 0.0]] * 3) @ codebook.T
    found = cosine_distance(codes, targets, codebook)
    assert found.tolist() == pytest.approx([0, 1 - 0.5**0.5, 1], abs=1e-6)
    assert squared_distance(codes, targets, codebook).tolist() == pytest.approx([0, 1, 1])
    found.sum().backward()
    assert codes.grad is not None and codes.grad.isfinite().all()


def test_decoding_blended_codes_equals_blending_decoded_vectors():
    """Sparse or dense: the codebook once per pixel, or once per Gaussian, is the same."""
    held = sparse_codes(made(3, 2, 8), 4)
    books = Codebooks(2, 8, 5)
    with torch.no_grad():
        books.entries.copy_(made(2, 8, 5, seed=9))
    gaussians, seen = row_of_gaussians(torch.zeros(3, 1)), view(1)
    gaussians["means"].data[:, 0] = 100.0  # all three in front of the second camera
    gaussians["means"].data[:, 2] = torch.tensor([1.0, 2.0, 3.0])
    gaussians["opacities"].data[:] = torch.tensor([0.3, 0.5, 0.7]).logit()

    def blend(values: torch.Tensor) -> torch.Tensor:
        camera = seen.viewmat[None], seen.K[None], seen.width, seen.height
        return splat_values(gaussians, values, *camera)[0][0]

    with torch.no_grad():
        found = books(blend(held.flatten(1)))
        for level in range(2):
            vectors = torch.zeros(3, 5)
            for row, code in enumerate(held[:, level]):  # from the four alone
                for place in code.nonzero()[:, 0]:
                    vectors[row] += code[place] * books.entries[level, place]
            dense = F.normalize(blend(vectors), dim=-1)
            assert torch.allclose(found[level], dense, atol=1e-5)
    assert not books(torch.zeros(2, 2, 16)).any()


def test_a_codebook_starts_from_means_of_its_vectors():
    centres = F.normalize(torch.eye(3, 6), dim=-1)
    vectors = F.normalize(centres.repeat(20, 1) + 0.05 * made(60, 6), dim=-1)
    found = first_entries(vectors, 3, 0)
    assert torch.allclose(found.norm(dim=-1), torch.ones(3))
    assert ((found @ centres.T).amax(dim=0) > 0.99).all()
    assert torch.equal(found, first_entries(vectors, 3, 0))


def test_few_vectors_are_entries_in_turn():
    vectors = torch.tensor([[2.0, 0.0], [0.0, 3.0]]).repeat(4, 1)  # two of them are different
    assert first_entries(vectors, 5, 0).tolist() == [[0, 1], [1, 0], [0, 1], [1, 0], [0, 1]]
