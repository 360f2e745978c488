"""GOI's terms on a view of 2 x 2 pixels, its start and its schedule, by hand."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from semsplat.errors import SemsplatError
from semsplat.features.store import SceneFeatures
from semsplat.fit.trainee import Trainee
from semsplat.train.attached import attach_to
from semsplat.train.methods import Stage, goi
from tests.unit.train.conftest import PARAMS
from tests.unit.train.wired import (
    features_of,
    masks,
    name_of,
    row_of_gaussians,
    stage_of,
    view,
)

LN3 = math.log(3)
WEIGHTS = {"head": 8.0, "closest": 2.0, "entropy": 0.5, "chosen": 3.0}
HELD_OUT = [[[-1.0, -1.0]], [[0.0, 0.0]]]
CELLS = [[[1.0, 0.0]], [[0.0, 1.0]]]
"""[D, 1, 2]: the left column is (1, 0), the right one (0, 1)"""


def options(**changes: Any) -> goi.Options:
    values = PARAMS["methods"]["goi"]
    table = values["table"] | {"entries": 2, "start_every": 2} | changes.pop("table", {})
    return goi.Options(**values | {"table": table, "weights": WEIGHTS, "dim": 2} | changes)


def dense(folder: Path, *cells: Any) -> SceneFeatures:
    """Return the features of training views with these cells, and of a held-out one of others."""
    views = [masks([[0, 0], [0, 0]], dense=one) for one in (*cells, HELD_OUT)]
    names = tuple(name_of(place) for place in range(len(cells)))
    return replace(features_of(folder, ["all"], *views), training=names)


def stage(folder: Path, *cells: Any) -> Stage:
    """Return the stage of views, whose head gives the blended numbers as scores."""
    features = dense(folder, *(cells or (CELLS, CELLS, CELLS)))
    module = goi.attach(options(), None, features).decoder
    with torch.no_grad():
        module.head.weight[:], module.head.bias[:] = torch.eye(2), 0
        module.table[:] = torch.tensor([[2.0, 0.0], [0.6, 0.8]])  # whatever it starts from
    return stage_of(len(features.training), module, features=features)


def terms(made: Stage, step: int, **changes: Any) -> dict[str, float]:
    learn = goi.semantic_terms(options(**changes), made)
    picture = torch.tensor([LN3, 0.0]).expand(2, 2, 2)
    return {name: value.item() for name, value in learn(step, view(0), picture).items()}


def entropy(first: float, second: float) -> float:
    p = math.exp(first) / (math.exp(first) + math.exp(second))
    return -p * math.log(p) - (1 - p) * math.log(1 - p)


@pytest.mark.parametrize(("step", "t"), [(0, 1.0), (999, 1.0), (1000, 2.0)])
def test_every_term_has_its_weight_and_the_entropy_is_sharp_from_its_step(tmp_path, step, t):
    # two pixels of (1, 0) like row 0 by 1 and row 1 by 0.6; two of (0, 1) by 0 and 0.8
    found = terms(stage(tmp_path), step)
    assert found == {
        "head": pytest.approx(8 * (2 * (1 / 4) ** 2 + 2 * (3 / 4) ** 2) / 4),
        "closest": pytest.approx(2 * (1 - (1 + 0.8) / 2)),
        "entropy": pytest.approx(0.5 * (entropy(t, 0.6 * t) + entropy(0, 0.8 * t)) / 2),
        "chosen": pytest.approx(3 * (1 - (1 + 0) / 2)),
    }


def test_pixels_between_cells_are_brought_to_length_1(tmp_path):
    # one cell of half the length says the same as a whole one
    half = [[[0.5, 0.0]], [[0.0, 0.5]]]
    assert terms(stage(tmp_path / "a", half), 0) == pytest.approx(terms(stage(tmp_path / "b"), 0))


def rows_of(features: SceneFeatures, **changes: Any) -> np.ndarray:
    """Return the rows that a table starts from."""
    module = goi.attach(options(table=changes), None, features).decoder
    rows: np.ndarray = module.table.detach().numpy()
    return rows


def test_the_table_starts_from_every_nth_training_view(tmp_path):
    other = [[[0.6, -1.0]], [[0.8, 0.0]]]
    rows = rows_of(dense(tmp_path, CELLS, other, CELLS, other))  # views 0 and 2 are alike
    assert sorted(map(tuple, rows.round(4).tolist())) == [(0.0, 1.0), (1.0, 0.0)]
    shifted = rows_of(dense(tmp_path / "b", other, CELLS, other, CELLS))
    expected = [(-1.0, 0.0), (0.6, 0.8)]
    assert np.array(sorted(shifted.tolist())) == pytest.approx(np.array(expected), abs=1e-3)


def test_a_table_that_has_too_few_clusters_is_one_line(tmp_path):
    with pytest.raises(SemsplatError, match=r"3 views have \d clusters for a table of 9; lower"):
        rows_of(dense(tmp_path, CELLS, CELLS, CELLS), entries=9, start_every=1)


def test_numbers_start_at_zero_and_everything_learns_at_its_own_rate(tmp_path):
    rates = {"semantics": 0.03, "decoder": 0.07}
    chosen = options(lr=rates, dim=5, table={"entries": 7, "lr": 0.11})
    rng = np.random.default_rng(0)
    features = dense(tmp_path, rng.normal(size=(2, 4, 9)).tolist())
    found = goi.attach(chosen, None, features)
    assert found.shape == {"dim": 5, "entries": 7, "out": 2}
    assert "APE" in found.facts["vectors"]
    trainee = Trainee(row_of_gaussians(torch.zeros(3, 1)), {}, None, {})
    attach_to(trainee, found, 1e-15, torch.Generator().manual_seed(0))
    assert trainee.gaussians["semantics"].shape == (3, 5)
    assert not trainee.gaussians["semantics"].any()
    assert trainee.optimizers["semantics"].param_groups[0]["lr"] == 0.03
    named = {id(w): name for name, w in trainee.decoder.module.named_parameters()}
    groups = trainee.decoder.optimizer.param_groups
    told = {named[id(w)]: (group["lr"], group["eps"]) for group in groups for w in group["params"]}
    assert told == {
        "head.weight": (0.07, 1e-15), "head.bias": (0.07, 1e-15), "table": (0.11, 1e-15),
    }  # fmt: skip


def test_fewer_steps_leave_enough_and_rates_grow_by_what_was_taken():
    published = goi.Options(**PARAMS["methods"]["goi"])
    assert published.scaled(1.0, 1.0) == published
    demo = published.scaled(0.03, 33.3)
    assert (demo.steps, demo.sharp_from) == (300, 200)
    assert demo.lr.semantics == pytest.approx(5 * published.lr.semantics)
    assert demo.lr.decoder == pytest.approx(5 * published.lr.decoder)
    assert demo.table.lr == pytest.approx(5 * published.table.lr)
    assert published.scaled(0.5, 1.0).lr == published.lr
    assert published.scaled(0.5, 2.0).steps == 750
    longer = published.scaled(2.0, 0.5)
    assert longer.steps == 3000 and longer.lr == published.lr.times(0.5)


def test_the_seed_of_whoever_attaches_decides_the_start(tmp_path):
    cells = np.random.default_rng(0).normal(size=(2, 4, 9)).tolist()
    tables = []
    for name, seed in (("a", 1), ("b", 1), ("c", 2)):
        torch.manual_seed(seed)
        tables.append(rows_of(dense(tmp_path / name, cells), entries=3, start_every=1))
    assert np.array_equal(tables[0], tables[1]) and not np.array_equal(tables[0], tables[2])
