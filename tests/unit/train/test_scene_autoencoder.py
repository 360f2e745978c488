"""LangSplat's autoencoder: layers, loss, batches, and which epoch is kept."""

from __future__ import annotations

import math
from typing import Any

import pytest
import torch
from torch import nn

from semsplat.params.methods import Autoencoder
from semsplat.train import scene_autoencoder as module
from semsplat.train.scene_autoencoder import SceneAutoencoder, distances, train_autoencoder
from tests.unit.train.conftest import PARAMS


def told(**changes: Any) -> Autoencoder:
    published = PARAMS["methods"]["langsplat"]["autoencoder"]
    return Autoencoder.model_validate(published | changes)


def unit(*rows: list[float]) -> torch.Tensor:
    return nn.functional.normalize(torch.tensor(rows), dim=-1)


def test_layers_are_those_of_the_official_code():
    network = SceneAutoencoder(512, told().encoder, told().decoder)
    linear = [
        [(one.in_features, one.out_features) for one in part if isinstance(one, nn.Linear)]
        for part in (network.encoder, network.decoder)
    ]
    assert linear[0] == [(512, 256), (256, 128), (128, 64), (64, 32), (32, 3)]
    assert linear[1] == [
        (3, 16), (16, 32), (32, 64), (64, 128), (128, 256), (256, 256), (256, 512),
    ]  # fmt: skip
    names = [[type(one).__name__ for one in part] for part in (network.encoder, network.decoder)]
    assert names[0] == ["Linear"] + ["BatchNorm1d", "ReLU", "Linear"] * 4
    assert names[1] == ["Linear"] + ["ReLU", "Linear"] * 6
    normalised = [one.num_features for one in network.encoder if isinstance(one, nn.BatchNorm1d)]
    assert normalised == [256, 128, 64, 32]


def test_codes_and_vectors_have_length_one():
    network = SceneAutoencoder(6, [5, 3], [4]).eval()
    codes = network.encode(torch.randn(7, 6))
    vectors = network(codes.reshape(1, 7, 3) * 0.3)
    assert codes.shape == (7, 3) and vectors.shape == (1, 7, 6)
    for found in (codes, vectors):
        assert found.norm(dim=-1).flatten().tolist() == pytest.approx([1.0] * 7)


def test_cosines_are_of_vectors_or_of_channels():
    vectors = torch.tensor([[1.0, 0.0], [0.0, 1.0], [0.0, 1.0]])
    rebuilt = torch.tensor([[0.6, 0.8], [0.0, 1.0], [1.0, 0.0]])
    squares = (0.16 + 0.64 + 0 + 0 + 1 + 1) / 6
    of_vectors = (0.6 + 1 + 0) / 3
    # channels: (1, 0, 0) and (0.6, 0, 1); (0, 1, 1) and (0.8, 1, 0)
    of_channels = (0.6 / math.sqrt(1.36) + 1 / (math.sqrt(2) * math.sqrt(1.64))) / 2
    for over, cosine in (("vectors", of_vectors), ("channels", of_channels)):
        found = distances(rebuilt, vectors, over)
        assert [value.item() for value in found] == pytest.approx([squares, 1 - cosine])


def watched(monkeypatch: pytest.MonkeyPatch, **changes: Any) -> list[tuple[list[int], bool]]:
    """Train on five vectors; return the rows of every step, and whether the network learned."""
    seen: list[tuple[list[int], bool]] = []
    inner = module._step

    def noting(network: Any, adam: Any, batch: torch.Tensor, options: Any) -> None:
        assert adam.param_groups[0]["lr"] == 7e-4 and adam.param_groups[0]["eps"] == 1e-8
        seen.append((batch.argmax(dim=1).tolist(), network.training))
        inner(network, adam, batch, options)

    monkeypatch.setattr(module, "_step", noting)
    torch.manual_seed(0)
    train_autoencoder(torch.eye(5), told(encoder=[3], decoder=[], **changes))
    return seen


def test_every_epoch_shows_all_rows_in_another_order_and_no_batch_of_one(monkeypatch):
    seen = watched(monkeypatch, epochs=3, batch=3, last=2)
    assert [len(rows) for rows, _ in seen] == [3, 2] * 3 and all(learning for _, learning in seen)
    orders = [seen[k][0] + seen[k + 1][0] for k in (0, 2, 4)]
    assert [sorted(order) for order in orders] == [list(range(5))] * 3
    assert orders[0] != orders[1]
    monkeypatch.undo()
    assert [len(rows) for rows, _ in watched(monkeypatch, epochs=1, batch=4, last=1)] == [4]


@pytest.mark.parametrize(("last", "kept"), [(3, 2), (2, 3), (1, 4)])
def test_the_best_of_the_last_epochs_is_kept(monkeypatch, last, kept):
    network, found = iter(range(1, 6)), {}
    distance = {1: 0.1, 2: 0.3, 3: 0.4, 4: 0.5}  # after every epoch; the first is the best of all

    def step(one: SceneAutoencoder, *_: Any) -> None:
        with torch.no_grad():
            one.encoder[0].bias.fill_(next(network))

    monkeypatch.setattr(module, "_step", step)
    monkeypatch.setattr(
        module, "distance_to", lambda one, *_: distance[int(one.encoder[0].bias[0])]
    )
    options = told(encoder=[3], decoder=[], epochs=4, batch=8, last=last)
    trained, found = train_autoencoder(torch.eye(5), options)
    assert trained.encoder[0].bias.tolist() == [kept] * 3
    assert found["autoencoder_rows"] == 5


def test_epochs_are_compared_as_the_network_is_used(monkeypatch):
    sizes: list[int] = []
    inner = module.distances

    def noting(rebuilt: torch.Tensor, vectors: torch.Tensor, over: str) -> Any:
        sizes.append(len(vectors))
        assert over == "channels" and not torch.is_grad_enabled()
        return inner(rebuilt, vectors, over)

    network, vectors = SceneAutoencoder(2, [4, 3], [4]), unit(*torch.randn(300, 2).tolist())
    monkeypatch.setattr(module, "distances", noting)
    found = module.distance_to(network, vectors, "channels")
    assert sizes == [256, 44] and not network.training
    parts = [
        inner(network(network.encode(v)), v, "channels") for v in (vectors[:256], vectors[256:])
    ]
    assert found == pytest.approx(sum(sum(part).item() for part in parts) / 2)


@pytest.mark.parametrize("weight", [0.0, 0.5])
def test_a_step_weighs_the_cosine(weight):
    options = told(cosine_weight=weight, encoder=[2], decoder=[])
    torch.manual_seed(0)
    network = SceneAutoencoder(2, [2], [])
    batch = unit([1.0, 2.0], [3.0, -1.0])
    parts = distances(network(network.encode(batch)), batch, "vectors")
    expected = torch.autograd.grad(
        parts.squares + weight * parts.cosine, network.encoder[0].weight
    )[0]
    module._step(network, torch.optim.SGD(network.parameters(), 0.0), batch, options)
    assert torch.allclose(network.encoder[0].weight.grad, expected)


def test_a_handful_of_vectors_survives_three_numbers_and_nothing_learns_on():
    torch.manual_seed(0)
    vectors = unit(*torch.randn(4, 16).tolist()).repeat(30, 1)
    small = told(epochs=60, batch=16, lr=1e-2, encoder=[16, 3], decoder=[32])
    network, facts = train_autoencoder(vectors, small)
    cosine = (network(network.encode(vectors)) * vectors).sum(dim=-1)
    assert cosine.min() > 0.99
    assert facts["autoencoder_rows"] == 120
    assert facts["autoencoder_cosine"] == pytest.approx(cosine.mean().item(), abs=1e-4)
    assert not network.training and not any(p.requires_grad for p in network.parameters())
