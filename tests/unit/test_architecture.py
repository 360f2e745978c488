"""docs/architecture.md speaks of what is there."""

from __future__ import annotations

import re
from itertools import pairwise
from pathlib import Path
from pkgutil import resolve_name

import pytest

from tests.unit.test_floors import FLOORS

TEXT = (Path(__file__).parents[2] / "docs/architecture.md").read_text()
NAMES = sorted(set(re.findall(r"`(semsplat(?:\.\w+)+)`", TEXT)))


@pytest.mark.parametrize("name", NAMES)
def test_what_the_journeys_name_exists(name: str) -> None:
    assert resolve_name(name) is not None


def test_the_page_has_the_floors_of_the_test_in_their_order() -> None:
    table = TEXT.split("## Floors")[1].split("\n\nA `...Key`")[0]
    named = re.findall(r"`(\w+)`", "".join(line.split("|")[2] for line in table.splitlines()[5:]))
    places = {name: place for place, name in enumerate(named)}
    assert places.keys() == {name for floor in FLOORS for name in floor}
    for lower, upper in pairwise(FLOORS):
        assert max(places[name] for name in lower) < min(places[name] for name in upper)


def test_it_is_one_page_with_three_journeys() -> None:
    assert len(NAMES) > 25 and TEXT.count("on its way to") == 3 and len(TEXT.splitlines()) < 80
