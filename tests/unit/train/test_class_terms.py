"""Loss terms on class scores and feature maps, by hand."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch

from semsplat.fit.views import Camera, fitted
from semsplat.train.class_terms import TextSimilarity, cross_entropy, map_distance


def test_cross_entropy_is_the_mean_of_minus_log_softmax_over_labelled_pixels():
    scores = torch.tensor([[[0.0, 0.0], [math.log(3), 0.0], [5.0, -5.0]]])
    labels = torch.tensor([[1, 2, 0]])  # the third is ignored
    assert cross_entropy(scores, labels).item() == pytest.approx((math.log(2) + math.log(4)) / 2)


def test_ignored_pixels_get_no_gradient():
    scores = torch.zeros(1, 2, 3, requires_grad=True)
    cross_entropy(scores, torch.tensor([[0, 2]])).backward()
    assert scores.grad is not None
    assert scores.grad[0, 0].tolist() == [0, 0, 0]
    torch.testing.assert_close(scores.grad[0, 1], torch.tensor([1 / 3, -2 / 3, 1 / 3]))


@pytest.mark.parametrize("size", [(1, 1), (2, 3), (7, 9), (16, 16)])
@pytest.mark.parametrize("n_classes", [2, 12, 15, 16, 20])
def test_few_classes_cost_what_many_do(size, n_classes):
    generator = torch.Generator().manual_seed(n_classes)
    scores = (3 * torch.randn(*size, n_classes, generator=generator)).requires_grad_()
    labels = torch.randint(0, n_classes + 1, size, generator=generator)
    found = torch.autograd.grad(cross_entropy(scores, labels), scores)[0]
    share = torch.log_softmax(scores.detach().double(), -1)
    one_hot = torch.nn.functional.one_hot(labels, n_classes + 1)[..., 1:].double()
    counted = max(1, int((labels > 0).sum()))
    expected = (share.exp() - one_hot) * (labels > 0)[..., None] / counted
    torch.testing.assert_close(found.double(), expected, rtol=1e-5, atol=1e-7)
    value = -(share * one_hot).sum().item() / counted
    assert cross_entropy(scores, labels).item() == pytest.approx(value, rel=1e-5)


def test_a_map_without_labels_costs_nothing_and_still_has_a_gradient():
    scores = torch.randn(2, 2, 3, requires_grad=True)
    loss = cross_entropy(scores, torch.zeros(2, 2, dtype=torch.int64))
    loss.backward()
    assert loss.item() == 0 and not scores.grad.any()


def test_with_one_class_there_is_nothing_to_learn():
    assert cross_entropy(torch.randn(2, 2, 1), torch.ones(2, 2, dtype=torch.int64)).item() == 0


def test_a_blended_map_is_averaged_over_the_cells_of_the_teachers():
    semantics = torch.tensor([[[0.0], [2.0], [4.0], [4.0]], [[2.0], [0.0], [8.0], [0.0]]])
    target = torch.tensor([[[0.0, 6.0]]])  # cells of 2 x 2 pixels: means 1 and 4
    assert map_distance(semantics, target).item() == pytest.approx((1 + 2) / 2)


def test_the_similarity_is_the_cosine_whatever_the_length():
    head = TextSimilarity(2, 2)
    head.load_state_dict({"text": torch.eye(2)})
    found = head(torch.tensor([[[3.0, 4.0], [0.0, 0.5]]]))
    torch.testing.assert_close(found, torch.tensor([[[0.6, 0.8], [0.0, 1.0]]]))
    assert not list(head.parameters())


def test_a_smaller_label_map_takes_the_pixel_at_each_new_centre():
    ids = np.arange(36, dtype=np.int32).reshape(6, 6)
    half = fitted(ids, Camera("v", torch.eye(4), torch.eye(3), 2, 2))
    assert half.tolist() == [[7, 10], [25, 28]]  # of 3 x 3 pixels the middle one
    assert fitted(ids, Camera("v", torch.eye(4), torch.eye(3), 6, 6)) is ids
