"""Decoders in TF32, as a GPU computes them, against single precision: how far apart both are."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from semsplat.bench.gpu import methods
from semsplat.bench.gpu.trainings import curve
from semsplat.data.scene import Scene
from semsplat.features.lessons import Lessons
from semsplat.train.linear import Linear
from semsplat.train.methods import clip_gs, gags, langsplat
from tests.pretend_cuda.device import pretended_gpu, rounded
from tests.pretend_cuda.kernels import pretended_kernels
from tests.pretend_cuda.test_phases import train_job

CLASSES, DIM, OUT, PIXELS = 20, 16, 512, 60 * 80
Scores = Callable[[nn.Module, Tensor, Tensor], Tensor]


def by_vectors(module: nn.Module, blended: Tensor, texts: Tensor) -> Tensor:
    said = module(blended)
    vectors: Tensor = said[0] if isinstance(said, tuple) else said
    return vectors @ texts.T


def by_scores(module: nn.Module, blended: Tensor, _: Tensor) -> Tensor:
    scores: Tensor = module(blended)
    return scores


DECODERS: dict[str, tuple[Callable[[], nn.Module], int, Scores]] = {
    "clip_gs": (lambda: clip_gs.decoder(DIM, CLASSES), DIM, by_scores),
    "gags": (lambda: gags.decoder(DIM, OUT // 2, OUT, shared=1), DIM, by_vectors),
    "langsplat": (
        lambda: langsplat.decoder(OUT, [256, 128, 64, 32, 3], [16, 32, 64, 128, 256, 256]).train(),
        3,
        by_vectors,
    ),
}


def learned(name: str) -> tuple[nn.Module, Tensor, Tensor]:
    """Return a decoder that knows the classes' codes, a map of these with borders, and texts.

    Every pixel blends two codes in shares of any size, so that the borders between classes, where
    the last bits decide, are there in full.
    """
    torch.manual_seed(0)
    make, dim, scores_of = DECODERS[name]
    module, codes = make().requires_grad_(True), F.normalize(torch.randn(CLASSES, dim), dim=-1)
    texts, targets = F.normalize(torch.randn(CLASSES, OUT), dim=-1), torch.arange(CLASSES)
    adam = torch.optim.Adam(module.parameters(), 3e-3)
    for _ in range(150):
        adam.zero_grad()
        F.cross_entropy(10 * scores_of(module, codes, texts), targets).backward()
        adam.step()
    pairs, share = torch.randint(CLASSES, (2, PIXELS)), torch.rand(PIXELS, 1)
    return module, share * codes[pairs[0]] + (1 - share) * codes[pairs[1]], texts


def on_gpu(scores_of: Scores, module: nn.Module, blended: Tensor, texts: Tensor) -> Tensor:
    with pretended_gpu(tf32=True):
        found = scores_of(module.to("cuda"), blended.to("cuda"), texts.to("cuda"))
        return found.cpu()


def in_bfloat16(scores_of: Scores, module: nn.Module, blended: Tensor, texts: Tensor) -> Tensor:
    with torch.autocast("cpu", torch.bfloat16):
        return scores_of(module, blended, texts).float()


def apart(name: str, computed: Callable[..., Tensor]) -> tuple[float, float]:
    """Return the share of pixels that keep their class, and how far scores move in their spread.

    The distance is a root mean square: the largest of 96,000 depends on what the training of a
    decoder happened to end with, and that differs from processor to processor.
    """
    given, scores_of = learned(name), DECODERS[name][2]
    with torch.no_grad():
        expected = scores_of(*given)
        found = computed(scores_of, *given)
    same = (found.argmax(-1) == expected.argmax(-1)).float().mean().item()
    return same, ((found - expected).square().mean().sqrt() / expected.std()).item()


@pytest.mark.parametrize("name", DECODERS)
def test_pixels_keep_their_class_in_tf32(name: str) -> None:
    same, far = apart(name, on_gpu)
    assert same >= 0.999 and 1e-5 < far < 3e-3  # not 0: these are not the CPU's products
    assert apart(name, in_bfloat16)[1] > 3 * far


def test_gradients_are_those_of_the_layer_and_other_products_keep_their_precision() -> None:
    torch.manual_seed(0)
    plain, layer = nn.Linear(64, 32), Linear(64, 32)
    layer.load_state_dict(plain.state_dict())
    features, v = torch.randn(6, 8, 64), torch.randn(6, 8, 32)
    leaf = features.clone().requires_grad_()
    plain(leaf).backward(v)
    with pretended_gpu(tf32=True):
        there = features.to("cuda").requires_grad_()
        found = layer.to("cuda")(there)
        found.backward(v.to("cuda"))
        grads = [there.grad.cpu(), layer.weight.grad.cpu(), layer.bias.grad.cpu()]
        exact = (features.to("cuda")[0] @ plain.weight.detach().to("cuda").T).cpu()
    for other, one in zip(grads, (leaf.grad, plain.weight.grad, plain.bias.grad), strict=True):
        far = (other - one).abs().max() / one.abs().max()
        assert far < 2e-3
    assert torch.equal(
        grads[0].flatten(0, 1), rounded(v.flatten(0, 1)) @ rounded(plain.weight.detach())
    )
    assert torch.allclose(exact, features[0] @ plain.weight.detach().T, atol=1e-6)


@pytest.mark.parametrize("name", ["clip_gs", "gags", "gaussian_grouping", "goi", "le_gaussians"])
def test_a_training_in_tf32_loses_what_it_loses_on_the_cpu(
    name: str, tiny_scene: Scene, lessons: Lessons, sources: dict[str, Path], tmp_path: Path
) -> None:
    job = train_job(name, tiny_scene, lessons, sources)
    job(tmp_path / "cpu", "cpu")
    with pretended_gpu(tf32=True), pretended_kernels():
        job(tmp_path / "cuda", "cuda")
    curves = [curve(tmp_path / device, "loss") for device in ("cuda", "cpu")]
    far = max(abs(curves[0][step] / loss - 1) for step, loss in curves[1].items())
    print(name, far)
    assert 0 < far < methods.LOSS
