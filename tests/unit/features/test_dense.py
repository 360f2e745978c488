"""MaskCLIP's dense maps on a small random vision tower."""

from __future__ import annotations

import pytest
import torch

from semsplat.features.dense import positions_for, value_map
from semsplat.features.embedded.clip import build_clip
from tests.unit.networks.conftest import CLIP


def positions(visual, rows: int, columns: int) -> torch.Tensor:
    return positions_for(visual.positional_embedding, visual.grid_size, (rows, columns))


@pytest.fixture(scope="module")
def visual():
    torch.manual_seed(0)
    tower = build_clip(CLIP).eval().requires_grad_(False).visual
    for parameter in tower.parameters():  # no zero biases, no unit scales
        parameter.add_(0.1 * torch.randn_like(parameter))
    return tower


def images(rows, columns):
    generator = torch.Generator().manual_seed(0)
    return torch.randn(2, 3, 8 * rows, 8 * columns, generator=generator)


def patch_vector(visual, image, row, column):
    """Return one cell's vector, step by step as the paper writes it."""
    rows, columns = image.shape[1] // 8, image.shape[2] // 8
    kernel, tokens = visual.conv1.weight, [visual.class_embedding]
    for y in range(rows):
        for x in range(columns):
            patch = image[:, 8 * y : 8 * y + 8, 8 * x : 8 * x + 8]
            tokens.append((kernel * patch).sum((1, 2, 3)))
    tokens = torch.stack(tokens) + positions(visual, rows, columns)
    tokens = visual.ln_pre(tokens)[None]
    first, last = visual.transformer.resblocks
    token = last.ln_1(first(tokens)[0, 1 + row * columns + column])
    width = len(token)
    attention = last.attn
    value = attention.in_proj_weight[2 * width :] @ token + attention.in_proj_bias[2 * width :]
    out = attention.out_proj.weight @ value + attention.out_proj.bias
    return visual.ln_post(out) @ visual.proj


@pytest.mark.parametrize("grid", [(2, 2), (3, 5), (1, 4)])
def test_every_cell_is_the_formula_s(visual, grid):
    given = images(*grid)
    found = value_map(visual, given)
    assert found.shape == (2, CLIP.embedding, *grid)
    for n in range(2):
        for row in range(grid[0]):
            for column in range(grid[1]):
                expected = patch_vector(visual, given[n], row, column)
                torch.testing.assert_close(found[n, :, row, column], expected)


def test_the_own_grid_keeps_its_positions(visual):
    assert positions(visual, 2, 2) is visual.positional_embedding


def test_another_grid_keeps_the_class_position_and_constants(visual):
    own = visual.positional_embedding
    resized = positions(visual, 5, 3)
    assert resized.shape == (16, CLIP.width) and torch.equal(resized[0], own[0])
    # Symmetric resizing keeps the mean of a symmetric pair: rows stay rows, columns columns.
    grid = resized[1:].reshape(5, 3, -1)
    across = own[1:].reshape(2, 2, -1).mean(0)
    torch.testing.assert_close(grid.mean(0)[[0, 2]].mean(0), across.mean(0))
    assert (grid[0] - own[1:3].mean(0)).norm() < (grid[4] - own[1:3].mean(0)).norm()
