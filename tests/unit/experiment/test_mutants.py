"""Mutants of params.yaml: what would crash a job, or never end, is said before there is one."""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from semsplat.experiment.check import ParamsError, check
from semsplat.experiment.numbers import typed

PARAMS_FILE = Path(__file__).parents[3] / "params.yaml"
# Written out and read again, so that no part is shared: an anchor's change would be one everywhere.
CONFIG: dict[str, Any] = json.loads(
    json.dumps(yaml.safe_load(PARAMS_FILE.read_text(encoding="utf-8")))
)
Place = tuple[Any, ...]
FREE = {"classes", "prompts", "source", "licence", "clicks", "note", "settings", "canonical"}
"""Keys below which text and order are free."""


def leaves(config: Any, place: Place = ()) -> Iterator[tuple[Place, Any]]:
    """Yield every number, text and truth value with its place."""
    if isinstance(config, (dict, list)):
        items = config.items() if isinstance(config, dict) else enumerate(config)
        for key, value in items:
            yield from leaves(value, (*place, key))
    else:
        yield place, config


def with_(place: Place, value: Any) -> dict[str, Any]:
    """Return the file with another value in one place."""
    config = copy.deepcopy(CONFIG)
    inner: Any = config
    for key in place[:-1]:
        inner = inner[key]
    inner[place[-1]] = value
    return config


def without(place: Place) -> dict[str, Any]:
    config = with_(place, None)
    inner: Any = config
    for key in place[:-1]:
        inner = inner[key]
    del inner[place[-1]]
    return config


def every_nth(n: int, kind: type, needed: bool = False) -> list[Place]:
    """Return the places of every n-th leaf of a type, in the order of the file."""
    places = [p for p, v in leaves(CONFIG) if type(v) is kind and not FREE & set(map(str, p))]
    places = [p for p in places if not is_replaced(p)]
    return [p for p in places if not needed or not may_be_missing(p)][::n]


def may_be_missing(place: Place) -> bool:
    """Tell whether a place is an entry of a list or a choice, or differs from what is elsewhere."""
    if place[0] == "figures" and "measures" in place[:-1]:
        return True
    differs = "override" in place or (place[0] == "datasets" and "scenes" in place)
    return differs or any(isinstance(key, int) for key in place)


def is_replaced(place: Place) -> bool:
    """Tell whether every scene of a data set has a value of its own for an option of them all."""
    if place[0] != "datasets" or place[2] != "options":
        return False
    scenes = CONFIG["datasets"][place[1]]["scenes"].values()
    return all(place[3] in scene for scene in scenes)


NUMBERS = every_nth(24, int) + every_nth(24, float)
BY_HAND: list[tuple[Place, Any]] = [
    (("suites", "demo", "steps_scaler"), 1.7e308),
    (("suites", "demo", "steps_scaler"), 1e6),
    (("suites", "demo", "rates_scaler"), 1e8),
    (("suites", "demo", "seeds"), []),
    (("suites", "demo", "seeds"), [-1]),
    (("suites", "demo", "seeds"), [0, 0]),
    (("suites", "demo", "scenes"), ["procedural/nowhere"]),
    (("suites", "demo", "scenes"), ["procedural"]),
    (("suites", "demo", "figures"), ["no_figure"]),
    (("suites", "demo", "settings"), ["no_setting"]),
    (("geometry", "densify", "prune_opacity"), 1.0),
    (("geometry", "init", "opacity"), 0.0),
    (("geometry", "init", "opacity"), 1.0),
    (("geometry", "init", "n_random"), 10**12),
    (("geometry", "init", "random_extent"), 1e300),
    (("geometry", "init", "source"), "photographs"),
    (("geometry", "adam_eps"), 1e-300),
    (("geometry", "adam_eps"), 0.0),
    (("geometry", "steps"), 0),
    (("geometry", "steps"), 10**9),
    (("geometry", "sh_degree"), 4),
    (("geometry", "background"), "blue"),
    (("geometry", "lr", "means"), float("inf")),
    (("geometry", "lr", "means"), float("nan")),
    (("geometry", "lr", "means"), "1e-3"),
    (("geometry", "lr"), None),
    (("geometry", "lr"), [1, 2]),
    (("seed",), -1),
    (("suite",), "demoo"),
    (("suites", "Demo"), CONFIG["suites"]["demo"]),
    (("datasets", "native"), CONFIG["datasets"]["procedural"]),
    (("datasets", "procedural", "importer"), "proceduraly"),
    (("datasets", "procedural", "options", "width_px"), 10**6),
    (("datasets", "procedural", "options", "n_views"), 10**6),
    (("datasets", "procedural", "options", "test_every"), 1),
    (("training", "log_every"), 0),
    (("training", "save_every_s"), 0),
    (("methods", "cgc", "dim"), 0),
    (("methods", "nomethod"), {}),
    (("settings", "geometry"), CONFIG["settings"]["cgc"]),
]


def test_there_are_a_hundred() -> None:
    assert 4 * len(NUMBERS) + len(BY_HAND) >= 100


@pytest.mark.parametrize("value", ["many", 1e308, float("nan"), [1]], ids=str)
@pytest.mark.parametrize("place", NUMBERS, ids=lambda p: ".".join(map(str, p)))
def test_a_number_that_is_none_is_refused(place: Place, value: Any) -> None:
    with pytest.raises(ParamsError, match=r"params\.yaml: ") as error:
        check(with_(place, value))
    assert len(str(error.value).splitlines()) <= 12


@pytest.mark.parametrize(("place", "value"), BY_HAND, ids=lambda p: str(p)[:60])
def test_what_would_crash_or_never_end_is_refused(place: Place, value: Any) -> None:
    with pytest.raises(ParamsError, match=r"params\.yaml: "):
        check(with_(place, value))


@pytest.mark.parametrize("place", every_nth(30, float, True) + every_nth(30, str, True),
                         ids=lambda p: ".".join(map(str, p)))  # fmt: skip
def test_what_is_missing_is_refused(place: Place) -> None:
    with pytest.raises(ParamsError, match=r"params\.yaml: "):
        check(without(place))


def test_numbers_of_the_command_line_are_numbers() -> None:
    merged = copy.deepcopy(CONFIG)
    merged["geometry"]["steps"] = "300"
    merged["geometry"]["lr"]["scales"] = "4e-3"
    merged["geometry"]["progressive"]["enabled"] = "true"
    merged["suites"]["demo"]["seeds"] = ["0", "7"]
    merged["suites"]["demo"]["scenes"] = ["procedural/room"]
    result = typed(merged, CONFIG)
    assert result["geometry"]["steps"] == 300 and result["geometry"]["progressive"]["enabled"]
    assert result["geometry"]["lr"]["scales"] == 0.004
    assert result["suites"]["demo"]["seeds"] == [0, 7]
    assert typed(copy.deepcopy(CONFIG), CONFIG) == CONFIG  # nothing of the file changes


def test_text_of_the_file_that_looks_like_a_number_stays_text() -> None:
    assert typed({"a": "1e-3", "b": ["12"]}, {"a": "1e-3", "b": ["12"]}) == {
        "a": "1e-3",
        "b": ["12"],
    }
