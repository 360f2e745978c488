"""CGC's contrastive clustering by hand, and against a loop over clusters."""

from __future__ import annotations

import math

import numba
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from semsplat.bench.contrast import Loss, looped, vectorised, written_out
from semsplat.train import contrast
from semsplat.train.contrast import clusters_of, contrastive_clustering, temperatures

LEFT_RIGHT = torch.tensor([[0, 0, 1, 1]])


def halves(left: list[float], right: list[float]) -> Tensor:
    """Return features [1, 4, 2]: two pixels of each."""
    return torch.tensor([[left, left, right, right]], dtype=torch.float64)


def test_only_masks_with_more_pixels_than_that_are_clusters():
    ids = torch.tensor([[7, 7, 7, -1], [4, 4, -1, 9]])
    found = clusters_of(ids, more_than_px=1)
    assert found.sizes.tolist() == [2, 3]  # masks 4 and 7; mask 9 has one pixel
    assert found.pixels.tolist() == [0, 1, 2, 4, 5]
    assert found.members.tolist() == [1, 1, 1, 0, 0]
    assert clusters_of(ids, more_than_px=2).sizes.tolist() == [3]  # two are not more than two


def test_the_temperature_is_the_mean_distance_over_the_logarithm():
    distance_sums, sizes = torch.tensor([0.6, 0.1]), torch.tensor([2, 2])
    found = temperatures(distance_sums, sizes, "paper")
    expected = [0.6 / (2 * math.log(102)), 0.1 / (2 * math.log(102))]
    torch.testing.assert_close(found, torch.tensor(expected))
    # the code: 0.649 and 0.108 without its bounds
    code = temperatures(distance_sums, sizes, "code")
    torch.testing.assert_close(code, torch.tensor([10 * expected[0], 10 * expected[1]]))


def test_the_codes_temperature_stays_between_its_bounds():
    found = temperatures(torch.tensor([4.0, 0.0]), torch.tensor([2, 2]), "code")
    assert found.tolist() == pytest.approx([1.0, 0.1])


def test_two_orthogonal_clusters():
    found = contrastive_clustering(halves([3, 0], [0, 0.5]), clusters_of(LEFT_RIGHT, 0), "code")
    # phi = 0.1: every pixel pays log(1 + exp(-10)), two a cluster, mean of two clusters
    assert found.item() == pytest.approx(2 * math.log1p(math.exp(-10)), rel=1e-3)


def test_equal_features_pay_the_logarithm_of_the_number_of_clusters():
    found = contrastive_clustering(halves([1, 1], [1, 1]), clusters_of(LEFT_RIGHT, 0), "code")
    assert found.item() == pytest.approx(2 * math.log(2))


def test_pixels_are_summed_and_clusters_averaged():
    once = torch.tensor([[[1.0, 0.0], [0.0, 1.0]]])
    twice = once.repeat(2, 1, 1)
    ids = torch.tensor([[0, 1]])
    one, two = (
        contrastive_clustering(f, clusters_of(i, 0), "code").item()
        for f, i in ((once, ids), (twice, ids.repeat(2, 1)))
    )
    assert two == pytest.approx(2 * one)
    # two further clusters that are like the first two: twice the pixels, twice the clusters, but
    # every pixel now has a stranger as close as its own
    four = contrastive_clustering(twice, clusters_of(torch.tensor([[0, 1], [2, 3]]), 0), "code")
    assert four.item() == pytest.approx(math.log(2), rel=1e-3)


def test_clusters_that_agree_give_a_finite_gradient_under_the_papers_temperature():
    features = halves([1, 0], [0, 1]).requires_grad_()
    contrastive_clustering(features, clusters_of(LEFT_RIGHT, 0), "paper").backward()
    assert features.grad is not None and features.grad.isfinite().all()


@pytest.mark.parametrize(
    "ids", [torch.full((2, 3), -1), torch.tensor([[0, 0, 1], [1, -1, -1]])], ids=["none", "small"]
)
def test_a_view_without_masks_that_count_teaches_nothing(ids: Tensor):
    features = torch.randn(2, 3, 4).requires_grad_()
    loss = contrastive_clustering(features, clusters_of(ids, 100), "paper")
    loss.backward()
    assert loss.item() == 0 and features.grad is not None and not features.grad.any()


def test_a_single_mask_has_nothing_to_be_told_from():
    features = torch.randn(2, 3, 4).requires_grad_()
    loss = contrastive_clustering(features, clusters_of(torch.zeros(2, 3).long(), 0), "code")
    loss.backward()
    assert loss.item() == pytest.approx(0, abs=1e-5)
    assert features.grad is not None and features.grad.abs().max() < 1e-5


def gradients(loss: Loss, features: Tensor, ids: Tensor, rule: str) -> tuple[Tensor, Tensor]:
    """Return a loss and its gradient."""
    mine = features.clone().requires_grad_()
    found = loss(mine, ids, rule)
    found.backward()
    assert mine.grad is not None
    return found.detach(), mine.grad


def of_two_pixels(features: Tensor, ids: Tensor, rule: str) -> Tensor:
    """Return the loss of masks of two pixels or more: one's distance from itself is rounding."""
    return contrastive_clustering(features, clusters_of(ids, 1), rule)


@given(
    seed=st.integers(0, 2**31),
    rule=st.sampled_from(["paper", "code"]),
    at_once=st.sampled_from([5, 72, 2048]),
)
def test_it_is_the_loop_over_masks(seed: int, rule: str, at_once: int):
    generator = torch.Generator().manual_seed(seed)
    features = torch.randn(9, 8, 5, generator=generator, dtype=torch.float64)
    ids = torch.randint(-1, 6, (9, 8), generator=generator)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(contrast, "PIXELS_AT_ONCE", at_once)
        found = gradients(vectorised, features, ids, rule)
    torch.testing.assert_close(found, gradients(looped, features, ids, rule))
    torch.testing.assert_close(found, gradients(written_out, features, ids, rule))


@given(
    seed=st.integers(0, 2**31),
    rule=st.sampled_from(["paper", "code"]),
    size=st.tuples(st.integers(1, 40), st.integers(1, 90)),
    masks=st.integers(1, 40),
    dim=st.sampled_from([2, 3, 16]),
)
def test_compiled_loops_find_what_double_precision_finds(
    seed: int, rule: str, size: tuple[int, int], masks: int, dim: int
):
    generator = torch.Generator().manual_seed(seed)
    features = torch.randn(*size, dim, generator=generator)
    ids = torch.randint(-1, masks, size, generator=generator)
    found = gradients(of_two_pixels, features, ids, rule)
    loss, grad = gradients(of_two_pixels, features.double(), ids, rule)
    torch.testing.assert_close(found[0].double(), loss, rtol=1e-4, atol=1e-4)
    assert (found[1] - grad).abs().max() <= 1e-4 * (1 + grad.abs().max())


def test_compiled_loops_take_many_clusters_and_long_features():
    features = torch.randn(30, 40, 600, generator=torch.Generator().manual_seed(0))
    ids = torch.arange(1200).reshape(30, 40) // 2  # 2^18 multiplications: less than one pixel
    found = gradients(vectorised, features, ids, "code")
    loss, grad = gradients(vectorised, features.double(), ids, "code")
    torch.testing.assert_close(found[0].double(), loss, rtol=1e-4, atol=0)
    torch.testing.assert_close(found[1].double(), grad, rtol=1e-3, atol=1e-6)


def test_threads_change_nothing():
    features, ids = torch.randn(60, 80, 16), torch.randint(-1, 30, (60, 80))
    found = []
    for threads in (1, numba.config.NUMBA_NUM_THREADS):
        numba.set_num_threads(threads)
        found.append(gradients(vectorised, features, ids, "paper"))
    assert torch.equal(found[0][0], found[1][0]) and torch.equal(found[0][1], found[1][1])


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_a_feature_that_is_not_a_number_makes_the_loss_none(dtype: torch.dtype):
    features = torch.randn(6, 8, 4, dtype=dtype)
    features[2, 3, 1] = torch.nan
    ids = torch.arange(48).reshape(6, 8) // 12
    assert vectorised(features, ids, "paper").isnan()


def test_a_gradient_is_multiplied_by_what_the_loss_is_multiplied_by():
    features, ids = torch.randn(6, 8, 4), torch.arange(48).reshape(6, 8) // 12
    once = gradients(vectorised, features, ids, "code")[1]
    thrice = gradients(lambda *of: 3 * vectorised(*of), features, ids, "code")[1]
    torch.testing.assert_close(thrice, 3 * once)
