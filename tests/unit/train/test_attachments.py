"""What every method gives a Gaussian, how it learns, and how counts and rates are scaled."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch

from semsplat.errors import SemsplatError
from semsplat.features.queries import Texts
from semsplat.features.store import SceneFeatures
from semsplat.train.methods import Attachment, cgc, clip_gs, feature_3dgs, gags, method, n2f2
from tests.unit.train.conftest import PARAMS
from tests.unit.train.wired import features_of, lessons_of, masks

RATES = {"semantics": 0.03, "decoder": 0.07}
ONE = [[0, 0], [0, 0]]


def told(name: str, **changes: Any) -> Any:
    return method(name).Options.model_validate(PARAMS["methods"][name] | changes)


def features(folder: Path, n_layers: int) -> SceneFeatures:
    """Return features whose texts have two numbers."""
    layers = ["subpart", "part", "whole"][:n_layers]
    return features_of(folder, layers, masks(ONE, vectors=[[1.0, 0.0]]))


def facts(found: Attachment) -> tuple[Any, ...]:
    return (
        found.dim, found.init, found.init_std, found.rate, found.decoder_rate, found.shape,
        sum(weight.numel() for weight in found.decoder.parameters()),
    )  # fmt: skip


def layers(dim: int, hidden: int, out: int) -> int:
    """Return the weights of nine layers with bias."""
    return (dim + 1) * hidden + 7 * (hidden + 1) * hidden + (hidden + 1) * out


def test_clip_gs_gives_d_numbers_and_a_convolution_with_bias(tmp_path):
    lessons = lessons_of(tmp_path, (ONE, ONE, ONE), n_classes=4)
    found = clip_gs.attach(told("clip_gs", dim=5, init_std=0.2, lr=RATES), lessons, None)
    shape = {"dim": 5, "n_classes": 4}
    assert facts(found) == (5, "normal", 0.2, 0.03, 0.07, shape, 5 * 4 + 4)


def test_feature_3dgs_gives_a_vector_of_the_texts_and_nothing_to_learn(tmp_path):
    lessons = lessons_of(tmp_path, (ONE, ONE, ONE), n_classes=2)
    options = told("feature_3dgs", lr=0.03, init_std=0.2)
    found = feature_3dgs.attach(options, lessons, features(tmp_path, 1))
    assert facts(found)[:4] == (2, "normal", 0.2, 0.03)
    assert found.shape == {"dim": 2, "n_classes": 2} and not list(found.decoder.parameters())
    assert found.decoder(torch.tensor([[[0.0, 3.0]]])).tolist() == [[[0.0, 1.0]]]


@pytest.mark.parametrize(("networks", "shared"), [("shared", 1), ("separate", 0)])
@pytest.mark.parametrize(("share", "hidden"), [(2.4, 5), (0.1, 1)])  # of two numbers, rounded
def test_gags_gives_zeros_and_one_network_or_two(tmp_path, networks, shared, share, hidden):
    decoder = {"networks": networks, "hidden_share": share}
    found = gags.attach(told("gags", dim=5, lr=RATES, decoder=decoder), None, features(tmp_path, 3))
    factors = [6 * 64, 65 * 128, 129 * 64, 65 * 32, 33 * 16, 17 * 3]
    weights = layers(5, hidden, 5) if shared else layers(5, hidden, 2) + sum(factors)
    shape = {"dim": 5, "hidden": hidden, "out": 2, "shared": shared}
    assert facts(found) == (5, "normal", 0.0, 0.03, 0.07, shape, weights)


@pytest.mark.parametrize(("fields", "out"), [(3, 2), (1, 6)])
def test_n2f2_gives_zeros_and_a_network_for_each_field_and_phrases(
    tmp_path, monkeypatch, fields, out
):
    asked: list[Any] = []
    vectors = torch.tensor([[0.6, 0.8], [1.0, 0.0]])
    monkeypatch.setattr(Texts, "encode", lambda _, prompts: asked.append(prompts) or vectors)
    options = told("n2f2", dim=4, fields=fields, lr=RATES, hidden_share=2.4, phrases=["a", "b"])
    found = n2f2.attach(options, None, features(tmp_path, 3))
    shape = {"dim": 4, "hidden": 5, "out": 2, "n_phrases": 2, "fields": fields}
    weights = fields * layers(4, 5, out)
    assert facts(found) == (4 * fields, "normal", 0.0, 0.03, 0.07, shape, weights)
    assert asked == [["a", "b"]] and torch.equal(found.decoder.phrases, vectors)


@pytest.mark.parametrize("init", ["uniform", "normal"])
def test_cgc_gives_random_numbers_and_nothing_to_decode(tmp_path, init):
    found = cgc.attach(told("cgc", dim=5, lr=0.03, init=init), None, features(tmp_path, 1))
    assert facts(found) == (5, init, 1.0, 0.03, 0.03, {}, 0)
    values = torch.randn(2, 2, 5)
    assert found.decoder(values) is values


@pytest.mark.parametrize(("name", "n_layers"), [("cgc", 3), ("gags", 1), ("n2f2", 1)])
def test_features_of_other_layers_are_refused(tmp_path, name, n_layers):
    with pytest.raises(SemsplatError, match=r"layers .* name a recipe"):
        method(name).attach(told(name), None, features(tmp_path, n_layers))


def test_a_learned_level_scales_its_steps_and_rates_and_nothing_else():
    for name, counts in (("gags", {"steps": 100, "late_from": 30}), ("n2f2", {"steps": 100})):
        options = told(name, **counts, lr=RATES)
        halved = {key: value // 2 for key, value in counts.items()}
        expected = told(name, **halved, lr={"semantics": 0.12, "decoder": 0.28})
        assert options.scaled(0.5, 4.0) == expected


def test_feature_3dgs_waits_for_nothing():
    assert told("feature_3dgs").scaled(0.5, 4.0) == told("feature_3dgs")
