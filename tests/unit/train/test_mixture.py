"""Mixtures of rows: asked without being added up."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch.nn.functional import normalize

from semsplat.evaluate.relevancy import relevancy
from semsplat.train.methods import langsplat_v2, le_gaussians
from semsplat.train.mixture import Mixture
from semsplat.train.quantised import QuantisedField
from semsplat.train.sparse_codes import Codebooks


def mixture(seed: int, levels: int = 2, entries: int = 5, dim: int = 8) -> Mixture:
    made = torch.Generator().manual_seed(seed)
    shares = torch.rand(levels, 3, 4, entries, generator=made)
    return Mixture(shares, torch.randn(levels, entries, dim, generator=made))


def texts(count: int, dim: int = 8) -> torch.Tensor:
    return normalize(torch.randn(count, dim, generator=torch.Generator().manual_seed(9)), dim=-1)


def test_two_rows_by_hand() -> None:
    rows = torch.tensor([[[3.0, 0.0], [0.0, 1.0]]])
    half = Mixture(torch.tensor([[[1.0, 4.0]]]), rows)  # (3, 4): of length 5
    assert half.vectors().tolist() == [[[pytest.approx(0.6), pytest.approx(0.8)]]]
    assert half.similarity(torch.eye(2)).flatten().tolist() == pytest.approx([0.6, 0.8])
    assert Mixture(torch.zeros(1, 1, 2), rows).similarity(torch.eye(2)).tolist() == [[[0.0, 0.0]]]


@given(st.integers(0, 10_000))
def test_it_says_what_its_vectors_say(seed: int) -> None:
    some, asked = mixture(seed), texts(6)
    said, whole = some.similarity(asked), some.vectors() @ asked.T
    torch.testing.assert_close(said, whole, atol=2e-5, rtol=0)
    of_maps = relevancy(some.vectors(), asked[:2], asked[2:])
    of_rows = relevancy(some, asked[:2], asked[2:])
    assert of_rows.shape == of_maps.shape == (2, 2, 3, 4)
    torch.testing.assert_close(of_rows, of_maps, atol=1e-4, rtol=0)
    torch.testing.assert_close(relevancy(some, asked[0], asked[2:]), of_maps[0], atol=1e-4, rtol=0)


@pytest.mark.parametrize(
    ("kind", "decoder", "channels"),
    [
        (langsplat_v2, Codebooks(3, 4, 8), 12),
        (le_gaussians, QuantisedField(6, 4, 8, 0), 7),
    ],
)
def test_a_prompt_is_decoded_by_row_and_not_by_pixel(
    kind, decoder, channels: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    torch.nn.init.normal_(decoder.entries if kind is langsplat_v2 else decoder.codebook)
    blended = torch.rand(3, 4, channels, generator=torch.Generator().manual_seed(0))
    field = SimpleNamespace(decoder=decoder, blend=lambda _: blended)
    with torch.no_grad():
        found = kind.vectors(field, None)
        whole = relevancy(found.maps, texts(2), texts(5)[2:])
        assert torch.equal(found.maps.reshape(-1), decoder(blended).reshape(-1))
        monkeypatch.setattr(Mixture, "vectors", lambda _: pytest.fail("added up at every pixel"))
        said = relevancy(kind.vectors(field, None).asked, texts(2), texts(5)[2:])
    torch.testing.assert_close(said, whole, atol=1e-4, rtol=0)
