"""The decoders' layers, skips and gradients."""

from __future__ import annotations

import torch
import torch.nn.functional as F

from semsplat.train.mlp import FeatureMlp, LevelDecoders, SeparateDecoders, SharedDecoder


def test_the_feature_network_has_nine_layers_of_the_codes_widths():
    net = FeatureMlp(16, 256, 512)
    widths = [tuple(layer.weight.shape) for layer in net.layers]
    assert widths == [(256, 16), *[(256, 256)] * 7, (512, 256)]


def test_the_skips_stand_where_the_code_has_them():
    torch.manual_seed(0)
    net = FeatureMlp(4, 5, 6)
    x = torch.randn(2, 3, 4)
    layer = net.layers
    h1 = F.relu(layer[0](x))
    h2 = F.relu(layer[2](F.relu(layer[1](h1))))
    h3 = F.relu(layer[3](h1 + h2))
    h4 = F.relu(layer[5](F.relu(layer[4](h3))))
    h5 = F.relu(layer[7](F.relu(layer[6](h3 + h4))))
    torch.testing.assert_close(net(x), layer[8](h5))


def test_one_network_gives_unit_vectors_and_three_factors():
    vectors, factors = SharedDecoder(16, 32, 64)(torch.randn(2, 3, 16))
    assert vectors.shape == (2, 3, 64) and factors.shape == (2, 3, 3)
    torch.testing.assert_close(vectors.norm(dim=-1), torch.ones(2, 3))


def test_the_factors_of_one_network_move_the_features_and_those_of_two_do_not():
    for decoder, moved in ((SharedDecoder(4, 8, 6), True), (SeparateDecoders(4, 8, 6), False)):
        features = torch.randn(1, 2, 4, requires_grad=True)
        decoder(features)[1].square().sum().backward()
        assert (features.grad is not None and bool(features.grad.any())) == moved


def test_the_factors_own_network_has_the_codes_widths():
    widths = [layer.weight.shape[0] for layer in SeparateDecoders(16, 32, 64).factors]
    assert widths == [64, 128, 64, 32, 16, 3]


def test_levels_are_decoded_from_their_own_third_alone():
    decoder = LevelDecoders(4, 8, 6, 2, fields=3)
    features = torch.randn(1, 2, 12)
    other = features.clone()
    other[..., 4:8] = 0
    before, after = decoder(features), decoder(other)
    assert before.shape == (3, 1, 2, 6)
    assert torch.equal(before[0], after[0]) and torch.equal(before[2], after[2])
    assert not torch.equal(before[1], after[1])


def test_levels_of_one_field_are_all_decoded_from_it():
    decoder = LevelDecoders(4, 8, 6, 2, fields=1)
    features = torch.randn(1, 2, 4)
    found = decoder(features)
    assert found.shape == (3, 1, 2, 6) and not torch.equal(found[0], found[1])
    whole = decoder.networks[0](features)[..., 12:]
    torch.testing.assert_close(found[2], whole / whole.norm(dim=-1, keepdim=True))


def test_every_pixel_has_vectors_of_length_one_whatever_decodes_them():
    maps = torch.randn(2, 4, 12, generator=torch.Generator().manual_seed(0))
    for decoder in (SharedDecoder(12, 8, 6), SeparateDecoders(12, 8, 6)):
        torch.testing.assert_close(decoder(maps)[0].norm(dim=-1), torch.ones(2, 4))
    for fields in (1, 3):
        lengths = LevelDecoders(12 // fields, 8, 6, 2, fields)(maps).norm(dim=-1)
        torch.testing.assert_close(lengths, torch.ones(3, 2, 4))
