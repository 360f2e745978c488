"""The terms of N2F2's fusion and of Feature 3DGS on a view of 2 x 2 pixels, by hand."""

from __future__ import annotations

import math
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch
from torch import Tensor, nn

from semsplat.train.methods import Stage, feature_3dgs, gags, n2f2
from tests.unit.train.conftest import PARAMS
from tests.unit.train.wired import features_of, frame, masks, stage_of, view

X, Y, LEFT = [1.0, 0.0], [0.0, 1.0], [-1.0, 0.0]
LAYERS = ["subpart", "part", "whole"]


class Thirds(nn.Module):
    """A level's vectors are its third of the features, doubled."""

    phrases = torch.tensor([X, [0.6, 0.8]])

    def forward(self, features: Tensor) -> Tensor:
        return 2 * torch.stack(features.chunk(3, dim=-1))


@pytest.fixture
def levels(tmp_path: Path) -> Stage:
    """Return a view with two sub-parts, one part, and a whole in one of its pixels."""
    ids = [[0, 0], [0, 1]], [[2, 2], [2, 2]], [[-1, -1], [-1, 3]]
    written = masks(*ids, vectors=[X, Y, Y, LEFT])
    return stage_of(1, Thirds(), features=features_of(tmp_path, LAYERS, written))


def test_every_level_learns_its_own_regions_all_alike(levels):
    options = n2f2.Options(**PARAMS["methods"]["n2f2"])
    # vectors: sub-part +x, part +x above and +y below, whole +y
    upper = torch.tensor([[[*X, *X, *Y]] * 2]) / 2
    lower = torch.tensor([[[*X, *Y, *Y]] * 2]) / 2
    found = n2f2.semantic_terms(options, levels)(0, view(0), torch.cat([upper, lower]))
    assert {name: value.item() for name, value in found.items()} == {
        "subpart": pytest.approx((0 + 2) / 2),  # three pixels are right, one is not
        "part": pytest.approx((2 + 2 + 0 + 0) / 4),
        "whole": pytest.approx(2),  # elsewhere there is none
    }


def test_the_fusion_weighs_levels_by_their_closest_phrase():
    # closest phrases of +x, +y, -x: 1, 0.8 and -0.6, times LERF's 10
    semantics, seen = torch.tensor([[*X, *Y, *LEFT]]) / 2, frame(0)

    def blend(asked, shown=None):
        """Show the one Gaussian in two pixels; half of each ray passes, then three quarters."""
        assert asked is seen
        values = semantics if shown is None else shown
        return torch.stack([values / 2, values / 4], dim=1)

    field = SimpleNamespace(semantics=semantics, decoder=Thirds(), blend=blend)
    found = n2f2.vectors(field, seen)
    whole = 1 + math.exp(-2) + math.exp(-16)
    shares = [1 / whole, math.exp(-2) / whole, math.exp(-16) / whole]
    assert found.factors is not None and found.maps.shape == (1, 1, 2, 2)
    x, y = shares[0] - shares[2], shares[1]
    for pixel, passed in ((0, 2), (1, 4)):
        factors, vector = found.factors[0, pixel], found.maps[0, 0, pixel]
        assert factors.tolist() == pytest.approx([share / passed for share in shares])
        assert vector.tolist() == pytest.approx([x / math.hypot(x, y), y / math.hypot(x, y)])


def test_gags_answers_with_decoded_vectors_and_the_softmax_of_factors():
    seen, features = frame(0), torch.tensor([[[*X, 0.0, math.log(2), math.log(5)]]])

    def blend(asked):
        assert asked is seen
        return features

    field = SimpleNamespace(decoder=lambda f: (f[..., :2], f[..., 2:]), blend=blend)
    found = gags.vectors(field, seen)
    assert found.maps.tolist() == [[[X]]] and found.factors is not None
    assert found.factors[0, 0].tolist() == pytest.approx([1 / 8, 2 / 8, 5 / 8])


@pytest.mark.parametrize("weight", [0.0, 0.5, 2.0])
def test_feature_3dgs_compares_cells_with_their_own_pixels_and_has_a_weight(tmp_path, weight):
    # two cells, left (1, 0) and right (0, 1); a second view would be taught the opposite
    one, other = [[[1, 0]], [[0, 1]]], [[[0, 1]], [[1, 0]]]
    none = [[0, 0], [0, 0]]
    written = [masks(none, dense=dense) for dense in (one, other)]
    features = features_of(tmp_path, ["all"], *written)
    options = feature_3dgs.Options(**PARAMS["methods"]["feature_3dgs"] | {"weight": weight})
    terms = feature_3dgs.semantic_terms(options, stage_of(2, nn.Identity(), features=features))
    # means of the columns: (1/2, 1/2) and (0, 1): two of four numbers are 1/2 away
    blended = torch.tensor([[X, [0.0, 3.0]], [Y, [0.0, -1.0]]])
    for place, expected in ((0, (1 / 2 + 1 / 2) / 4), (1, (1 / 2 + 1 / 2 + 1 + 1) / 4)):
        for _ in range(2):  # the map is kept from one use to the next
            found = terms(0, view(place), blended)
            assert found["feature"].item() == pytest.approx(weight * expected)
