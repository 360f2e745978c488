"""LEGaussians' codebook: assignment, loss and schedule by hand."""

from __future__ import annotations

import math
from typing import Any

import pytest
import torch
from torch import Tensor

from semsplat.params.methods import Codebook
from semsplat.train import codebook
from semsplat.train.codebook import (
    Parts,
    assigned,
    codebook_loss,
    start_of_codebook,
    train_codebook,
)
from tests.unit.train.conftest import PARAMS

TOLD = PARAMS["methods"]["le_gaussians"]["codebook"]
TABLE = torch.tensor([[2.0, 0.0], [0.0, 0.5]])
VECTORS = torch.tensor([[1.0, 0.0], [0.8, 0.6], [0.6, 0.8]])
CLIP = Parts(2, 0, 0.5)
BOTH = Parts(2, 2, 0.5)
# CLIP's part as above; DINO's draws the second vector to the other entry
TWO_TABLE = torch.cat([TABLE, torch.tensor([[0.0, 3.0], [0.1, 0.0]])], dim=1)
TWO_VECTORS = torch.cat([VECTORS, torch.tensor([[0.0, 1.0], [5.0, 0.0], [4.0, 3.0]])], dim=1)


def options(**changes: Any) -> Codebook:
    return Codebook.model_validate(TOLD | {"entries": 2} | changes)


def seeded(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def test_a_vector_takes_the_entry_of_its_direction_however_long_that_is() -> None:
    assert assigned(VECTORS, TABLE, CLIP).tolist() == [0, 0, 1]
    assert assigned(7 * VECTORS.reshape(3, 1, 2), TABLE, CLIP).tolist() == [[0], [0], [1]]


def test_the_loss_is_what_is_missing_of_the_cosine_and_the_load_balance() -> None:
    # cosines (1, 0), (0.8, 0.6), (0.6, 0.8); two of three vectors are entry 0's
    fit = 1 - (1 + 0.8 + 0.8) / 3
    first = [math.exp(a) / (math.exp(a) + math.exp(b)) for a, b in ((1, 0), (0.8, 0.6), (0.6, 0.8))]
    p = sum(first) / 3
    load = 2 / 3 * p + 1 / 3 * (1 - p)
    assert codebook_loss(VECTORS, TABLE, CLIP, 0.0).item() == pytest.approx(fit)
    assert codebook_loss(VECTORS, TABLE, CLIP, 1.0).item() == pytest.approx(fit + load)
    assert codebook_loss(VECTORS, TABLE, CLIP, 0.5).item() == pytest.approx(fit + load / 2)


def test_dino_has_a_say_in_the_assignment_by_its_weight() -> None:
    # cos_clip (1, 0), (0.8, 0.6), (0.6, 0.8); cos_dino (1, 0), (0, 1), (0.6, 0.8)
    expected = torch.tensor([[1.5, 0.0], [0.8, 1.1], [0.9, 1.2]])
    torch.testing.assert_close(codebook.similarities(TWO_VECTORS, TWO_TABLE, BOTH), expected)
    assert assigned(TWO_VECTORS, TWO_TABLE, BOTH).tolist() == [0, 1, 1]
    assert assigned(TWO_VECTORS, TWO_TABLE, BOTH._replace(dino_weight=0.1)).tolist() == [0, 0, 1]


def test_each_part_is_a_direction_of_its_own() -> None:
    longer = TWO_VECTORS * torch.tensor([9.0, 9.0, 0.1, 0.1])
    expected = codebook.similarities(TWO_VECTORS, TWO_TABLE, BOTH)
    torch.testing.assert_close(codebook.similarities(longer, TWO_TABLE, BOTH), expected)
    torch.testing.assert_close(codebook.similarities(TWO_VECTORS, 7 * TWO_TABLE, BOTH), expected)


def test_the_loss_of_two_parts_is_that_of_clip_and_the_weighted_one_of_dino() -> None:
    # assigned 0, 1, 1: cos_clip 1, 0.6, 0.8 and cos_dino 1, 1, 0.8
    fit = (1 - (1 + 0.6 + 0.8) / 3) + 0.5 * (1 - (1 + 1 + 0.8) / 3)
    assert codebook_loss(TWO_VECTORS, TWO_TABLE, BOTH, 0.0).item() == pytest.approx(fit)
    d = ((1.5, 0.0), (0.8, 1.1), (0.9, 1.2))
    p = sum(math.exp(a) / (math.exp(a) + math.exp(b)) for a, b in d) / 3
    load = 1 / 3 * p + 2 / 3 * (1 - p)
    assert codebook_loss(TWO_VECTORS, TWO_TABLE, BOTH, 0.3).item() == pytest.approx(
        fit + 0.3 * load
    )


def test_a_table_of_two_parts_learns_both() -> None:
    told = options(lr=0.01, epochs=300)
    vectors = torch.tensor([[1.0, 0, 1, 0], [1, 0, 0, 1]]).repeat_interleave(8, 0)
    table = train_codebook([vectors], BOTH, told, seeded())
    assert table.shape == (2, 4)
    entries = assigned(vectors, table, BOTH)  # CLIP alone could not tell them apart
    assert set(entries[:8].tolist()) != set(entries[8:].tolist())


def test_the_load_balance_reaches_entries_that_nobody_takes() -> None:
    table = torch.tensor([[1.0, 0.0], [-0.5, 0.5]], requires_grad=True)
    for balance, moved in ((0.0, False), (1.0, True)):
        (slope,) = torch.autograd.grad(codebook_loss(VECTORS[:1], table, CLIP, balance), table)
        assert slope[1].any().item() == moved


def test_it_starts_uniform_within_one_over_k() -> None:
    start = start_of_codebook(50, 40, seeded())
    assert start.shape == (50, 40) and start.abs().max() <= 1 / 50
    assert start.min() < -0.9 / 50 and start.max() > 0.9 / 50
    assert torch.equal(start, start_of_codebook(50, 40, seeded()))


def test_rates_fall_by_epochs_and_batches_keep_the_order_of_views(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    rates, decays, sizes = [], set(), []

    class Noting(torch.optim.AdamW):
        def step(self, closure: Any = None) -> None:  # type: ignore[override]
            rates.append(self.param_groups[0]["lr"])
            decays.add(self.param_groups[0]["weight_decay"])
            super().step(closure)

    def loss(vectors: Tensor, table: Tensor, parts: Parts, balance: float) -> Tensor:
        sizes.append((vectors[:, 0].tolist(), parts, balance))
        return codebook_loss(vectors, table, parts, balance)

    monkeypatch.setattr(codebook, "AdamW", Noting)
    monkeypatch.setattr(codebook, "codebook_loss", loss)
    views = [torch.tensor([[float(n), 1.0]]) for n in (1, 2, 3)]
    told = options(lr=0.5, end_factor=0.1, decay_epochs=10, epochs=3, views_per_step=2, balance=0.7)
    train_codebook(views, CLIP, told, seeded())
    assert rates == pytest.approx([0.5, 0.5, 0.455, 0.455, 0.41, 0.41])
    assert decays == {0.01}
    assert sizes == [([1.0, 2.0], CLIP, 0.7), ([3.0], CLIP, 0.7)] * 3


def test_two_heaps_of_vectors_become_two_entries() -> None:
    torch.manual_seed(0)
    heaps = torch.tensor([[1.0, 0.0, 0.2], [0.0, 1.0, 0.2]]).repeat_interleave(20, 0)
    views = list((heaps + 0.05 * torch.randn(40, 3)).split(10))
    table = train_codebook(views, Parts(3, 0, 0.5), options(lr=0.01, epochs=300), seeded(1))
    entries = assigned(heaps, table, Parts(3, 0, 0.5))
    assert len(set(entries[:20].tolist())) == len(set(entries[20:].tolist())) == 1
    assert entries[0] != entries[-1]
    assert codebook.similarities(heaps, table, Parts(3, 0, 0.5)).amax(dim=-1).min() > 0.95
    assert not table.requires_grad


def test_the_released_constants_are_the_defaults() -> None:
    assert TOLD == {
        **{"entries": 128, "lr": 1e-4, "weight_decay": 0.01, "end_factor": 0.1},
        **{"decay_epochs": 1000, "epochs": 300, "views_per_step": 32, "balance": 1.0},
        **{"dino_weight": 0.5},
    }
