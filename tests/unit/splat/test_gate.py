"""The gate of a ray: by hand on four Gaussians, and on many against weights drawn one by one."""

from __future__ import annotations

import numba
import numpy as np
import pytest
import torch
from torch import Tensor

from semsplat.bench.gpu.parity import make_gaussians
from semsplat.splat.cpu.gate import gate_of
from semsplat.splat.cpu.rays import GatedRays
from semsplat.splat.gaussians import splat_values

OPACITIES = [0.3, 0.5, 0.2, 0.9]  # front to back, each as wide as the picture
WEIGHTS = [0.3, 0.7 * 0.5, 0.35 * 0.2, 0.28 * 0.9]
"""0.3, 0.35, 0.07 and 0.252, together 0.972; sorted, their shares add up to .360, .669, .928, 1."""
GATES = [
    (0.2, 0.35),
    (0.35, 0.35),
    (0.37, 0.3),
    (0.66, 0.3),
    (0.75, 0.252),
    (0.92, 0.252),
    (0.94, 0.07),
    (1.0, 0.07),
]


@pytest.mark.parametrize(("share", "gate"), GATES)
def test_the_gate_of_a_ray_by_hand(share: float, gate: float) -> None:
    assert gate_of(np.array(WEIGHTS, np.float32), share) == pytest.approx(gate, abs=1e-6)


def test_equal_weights_at_the_gate_and_rays_of_nothing() -> None:
    assert gate_of(np.full(4, 0.2, np.float32), 0.3) == np.float32(0.2)
    assert gate_of(np.zeros(0, np.float32), 0.5) == 0


def four(width: int = 1) -> tuple[dict[str, Tensor], Tensor, Tensor, tuple[int, int]]:
    """Return four flat Gaussians in front of a camera of some pixels."""
    gaussians = {
        "means": torch.tensor([[0.0, 0, z] for z in (1, 2, 3, 4)]),
        "quats": torch.tensor([[1.0, 0, 0, 0]] * 4),
        "scales": torch.full((4, 3), 1e4).log(),
        "opacities": torch.tensor(OPACITIES).logit(),
    }
    K = torch.tensor([[1.0, 0, width / 2], [0, 1, 0.5], [0, 0, 1]])
    return gaussians, torch.eye(4), K, (width, 1)


@pytest.mark.parametrize(("share", "gate"), GATES)
def test_pixels_are_given_back_to_whom_their_rays_count(share: float, gate: float) -> None:
    """Ten pixels, two tiles; of each pixel 1 and its place is said."""
    rays = GatedRays(*four(10), share)
    said = torch.stack([torch.ones(1, 10), torch.arange(10.0)[None]], dim=-1)
    found = rays.adjoint(said)
    kept = torch.tensor([weight if weight >= gate - 1e-6 else 0.0 for weight in WEIGHTS])
    assert torch.allclose(found, kept[:, None] * torch.tensor([10.0, 45.0]), rtol=1e-4)
    assert np.allclose(rays.gates, gate, rtol=1e-4)


SIZE = 45, 37  # the last tiles are cut


def many() -> tuple[dict[str, Tensor], Tensor, Tensor, tuple[int, int]]:
    drawn = make_gaussians(300, channels=1, seed=4, dtype=torch.float32, size=SIZE)
    gaussians = {name: drawn[name] for name in ("means", "quats")}
    gaussians |= {"scales": drawn["scales"].log(), "opacities": drawn["opacities"].logit()}
    return gaussians, drawn["viewmats"][0], drawn["Ks"][0], SIZE


@pytest.mark.parametrize("share", [0.3, 0.75, 1.0])
def test_of_many_gaussians_each_ray_is_gated_as_its_weights_one_by_one(share: float) -> None:
    gaussians, viewmat, K, (width, height) = many()
    with torch.no_grad():
        weights = splat_values(gaussians, torch.eye(300), viewmat[None], K[None], width, height)[0]
    weights = weights[0].double()  # [H, W, N]
    ordered = weights.sort(dim=-1, descending=True).values
    reached = ordered.cumsum(-1) >= share * ordered.sum(-1, keepdim=True) * (1 - 1e-12)
    gates = ordered.gather(-1, reached.int().argmax(-1, keepdim=True))
    if share == 1:
        gates = torch.zeros_like(gates)
    picture = torch.rand(height, width, 3, generator=torch.Generator().manual_seed(0))
    counted = torch.where(weights >= gates, weights, 0.0)
    expected = torch.einsum("hwn,hwe->ne", counted, picture.double())
    found = GatedRays(gaussians, viewmat, K, SIZE, share).adjoint(picture)
    assert (counted > 0).sum() > 2000 and (share == 1) == bool((counted == weights).all())
    assert torch.allclose(found.double(), expected, rtol=1e-4, atol=1e-4)


def test_runs_and_thread_counts_give_identical_bits() -> None:
    def run(threads: int) -> tuple[np.ndarray, Tensor]:
        numba.set_num_threads(threads)
        rays = GatedRays(*many(), 0.75)
        return rays.gates, rays.adjoint(torch.ones(SIZE[1], SIZE[0], 5))

    most = min(2, numba.config.NUMBA_NUM_THREADS)
    first, again, parallel = run(1), run(1), run(most)
    for gates, sums in (again, parallel):
        assert (gates == first[0]).all() and torch.equal(sums, first[1])


def test_a_channel_has_the_same_bits_beside_any_others() -> None:
    rays = GatedRays(*many(), 0.75)
    picture = torch.rand(SIZE[1], SIZE[0], 40, generator=torch.Generator().manual_seed(1))
    assert torch.equal(rays.adjoint(picture)[:, :3], rays.adjoint(picture[..., :3]))


def test_where_nothing_is_drawn_gates_are_open_and_nothing_is_given_back() -> None:
    gaussians, viewmat, K, size = four(3)
    behind = {**gaussians, "means": -gaussians["means"]}
    rays = GatedRays(behind, viewmat, K, size, 0.5)
    assert (rays.gates == 0).all()
    assert (rays.adjoint(torch.ones(1, 3, 2)) == 0).all()
