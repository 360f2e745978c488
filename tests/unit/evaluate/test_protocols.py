"""What holds for every protocol: shown one striped world after another, none may be forgotten."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from semsplat.errors import SemsplatError
from semsplat.evaluate import protocols as package
from semsplat.evaluate.answers import answer, answer_names
from semsplat.evaluate.protocol_docs import PARTS, markdown, parts
from semsplat.evaluate.protocols import protocol_of, protocols, protocols_of
from tests.unit.evaluate.protocol_adapters import ADAPTERS, EXEMPT, PROPERTIES, Adapter
from tests.unit.evaluate.protocol_worlds import (
    HEIGHT,
    WIDTH,
    View,
    World,
    with_said,
)

ALL = sorted(protocols())

# Few worlds, the same in every test run and for every protocol: those with one judge share scores.
few = settings(max_examples=3, derandomize=True)


# the registry


@pytest.mark.parametrize("name", ALL)
def test_a_protocol_names_itself_its_metrics_and_what_is_disputed(name: str) -> None:
    module = protocols()[name]
    assert (module.__doc__ or "").startswith(f"Protocol ``{name}``: ")
    assert all(parts(module)[part] for part in PARTS)
    version = name.rpartition("@")[2]
    assert version.isdigit() and f"## {name}\n" in markdown()


def test_every_metric_has_one_protocol_and_every_file_a_name_of_its_own() -> None:
    files = [path for path in Path(package.__file__).parent.glob("*.py") if path.stem[0] != "_"]
    assert len(protocols()) == len(files)
    metrics = [metric for module in protocols().values() for metric in module.METRICS]
    assert len(set(metrics)) == len(metrics)
    for name, module in protocols().items():
        assert {protocol_of(metric) for metric in module.METRICS} == {name}
    assert protocol_of("points_beyond_mask_miou") == "lerf_mask/pairs@1"  # not that of miou
    with pytest.raises(KeyError):
        protocol_of("mious")


def test_adding_a_protocol_is_one_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = protocols()
    source = Path(package.__file__).with_name("mask_classes.py").read_text()
    text = source.replace("lerf_mask/classes@1", "ours/new@1").replace("class_", "new_")
    (tmp_path / "added_in_a_test.py").write_text(text)
    monkeypatch.setattr(package, "__path__", [*package.__path__, str(tmp_path)])
    assert protocols().keys() == before.keys() | {"ours/new@1"}
    assert protocol_of("new_mbiou") == "ours/new@1"
    assert "## ours/new@1\n" in markdown() and "`new_miou`, `new_mbiou`" in markdown()
    assert {p.NAME for p in protocols_of("masks")} == {
        "ours/new@1",
        "lerf_mask/classes@1",
        "lerf_mask/pairs@1",
    }  # so that the answer with such cases scores it


def test_every_protocol_is_asked_for_every_property_but_where_a_reason_stands() -> None:
    assert EXEMPT.keys() <= protocols().keys() == ADAPTERS.keys()
    assert all(reasons.keys() <= set(PROPERTIES) for reasons in EXEMPT.values())
    assert all(adapter.best for adapter in ADAPTERS.values())
    made = {cases for name in answer_names() for cases in answer(name).CASES}
    apart = {"feature_labels", "clusters"}  # of what no training is asked for
    assert {module.CASES for module in protocols().values()} == made | apart


# properties


def asked(name: str) -> pytest.MarkDecorator:
    """Parametrise over the protocols of which a property can be asked."""
    named = {n: a for n, a in ADAPTERS.items() if name not in a.exempt}
    return pytest.mark.parametrize(("protocol", "adapter"), named.items(), ids=named.keys())


def turned(world: World, order: list[int], prompts: list[str]) -> World:
    views = tuple(world.views[place] for place in order)
    return replace(world, views=views, prompts=tuple(prompts))


def is_worse(adapter: Adapter, world: World) -> None:
    """Assert that every metric is further from the best than it can be."""
    for metric, value in adapter.values(world).items():
        best = adapter.best[metric]
        assert abs(value - best) > 1e-6 and (value > best) == (best == 0), metric


@asked("perfect")
@few
@given(data=st.data())
def test_a_perfect_prediction_is_best(protocol: str, adapter: Adapter, data: st.DataObject) -> None:
    world = data.draw(adapter.perfect_worlds())
    assert adapter.values(world) == pytest.approx(adapter.best)


@asked("names")
@few
@given(data=st.data())
def test_what_frames_are_called_changes_nothing(
    protocol: str, adapter: Adapter, data: st.DataObject
) -> None:
    """Files in another alphabetical order, some missing: an index would find another frame's."""
    world = data.draw(adapter.worlds())
    names = {"left/b": "a", "c": "b", "a": "right/c"}
    views = tuple(replace(view, name=names[view.name]) for view in world.views)
    renamed = replace(world, views=views)
    assert adapter.values(renamed) == pytest.approx(adapter.values(world))
    assert adapter.counts(renamed, protocol) == adapter.counts(world, protocol)


@asked("swapped")
@few
@given(data=st.data())
def test_predictions_of_swapped_frames_are_wrong(
    protocol: str, adapter: Adapter, data: st.DataObject
) -> None:
    world = data.draw(adapter.perfect_worlds())
    said = [view.said for view in world.views]
    is_worse(adapter, with_said(world, (said[1], said[0], said[2])))


@asked("missing")
@few
@given(data=st.data(), lost=st.integers(0, 2))
def test_a_missing_prediction_lowers_the_score_and_is_counted(
    protocol: str, adapter: Adapter, data: st.DataObject, lost: int
) -> None:
    world = data.draw(adapter.perfect_worlds())
    kept = tuple(None if i == lost else view.said for i, view in enumerate(world.views))
    is_worse(adapter, with_said(world, kept))
    before, after = (adapter.counts(w, protocol) for w in (world, with_said(world, kept)))
    assert after["missing"] > before["missing"] == 0
    assert after["pairs"] == before["pairs"]


@asked("order")
@few
@given(data=st.data(), prompts=st.permutations(World(()).prompts), order=st.permutations(range(3)))
def test_the_order_of_frames_and_prompts_changes_nothing(
    protocol: str, adapter: Adapter, data: st.DataObject, prompts: list[str], order: list[int]
) -> None:
    world = data.draw(adapter.worlds())
    # neighbours stay neighbours in the other direction alone
    other = turned(world, [2, 1, 0] if adapter.neighbours else order, prompts)
    assert adapter.values(other) == pytest.approx(adapter.values(world))


@asked("size")
@pytest.mark.parametrize("width", [WIDTH // 2, WIDTH + HEIGHT])
def test_a_prediction_of_another_size_is_an_error(
    protocol: str, adapter: Adapter, width: int
) -> None:
    shown = (("wall", 18, 28),)
    world = World((View("a", shown, shown),), said_width=width)
    with pytest.raises(SemsplatError):
        adapter.values(world)
    assert "error" in everything_about(protocol)


def everything_about(protocol: str) -> str:
    """Return a protocol's definition, and those of the protocols that it refers to."""
    text = " ".join(parts(protocols()[protocol]).values())
    others = [name for name in protocols() if f"`{name}`" in text and name != protocol]
    return " ".join([text, *(" ".join(parts(protocols()[n]).values()) for n in others)])


@asked("void")
@few
@given(data=st.data())
def test_what_is_predicted_on_void_does_not_count(
    protocol: str, adapter: Adapter, data: st.DataObject
) -> None:
    world = data.draw(adapter.perfect_worlds())
    assert adapter.values(replace(world, said_on_void=9)) == pytest.approx(adapter.best)


@asked("empty")
@few
@given(data=st.data())
def test_a_frame_that_shows_nothing_does_not_count(
    protocol: str, adapter: Adapter, data: st.DataObject
) -> None:
    # a further neighbour is compared, whatever it shows
    drawn = adapter.perfect_worlds() if adapter.neighbours else adapter.worlds()
    world = data.draw(drawn)
    empty = View("empty", (), world.views[0].said)
    more = replace(world, views=(*world.views, empty))
    assert adapter.values(more) == pytest.approx(adapter.values(world))
