"""Which runs take the same steps of geometry."""

from __future__ import annotations

from typing import Any

import pytest

from semsplat.experiment.check import check
from semsplat.experiment.records import sharing
from semsplat.paths import GEOMETRY
from tests.unit.experiment.test_runs import CONFIG


def settings_of(suite: str, place: str, seed: int = 0, **changes: Any) -> set[str]:
    found = sharing(check({**CONFIG, "suite": suite, **changes}))
    return {run.setting for run in found if (run.place, run.seed) == (place, seed)}


def test_trainings_that_leave_the_geometry_alone_share_it_with_its_own_run():
    found = settings_of("demo", "procedural/room")
    assert found == {GEOMETRY, "clipgs_a", "clipgs_b", "clipgs_c", "cgc", "cgc_printed"}


def test_trainings_of_another_schedule_share_theirs():
    found = settings_of("ablations", "procedural/den", 2)
    assert {"clipgs_d", "clipgs_e", "clipgs_b_16", "cgc_no_3d"} < found
    assert not found & {"gaussian_grouping", "le_gaussians", "gags", "langsplat", "lifted"}
    # there (d) is the only one of its schedule, and (a) takes the steps of the geometry
    assert settings_of("ablations", "sparse/room") == {GEOMETRY, "clipgs_a"}


@pytest.mark.parametrize("changed", [{"moves_geometry": True}, None])
def test_what_a_setting_overrides_counts(changed):
    entry = CONFIG["settings"]["clipgs_b"]
    new = {"override": entry["override"] | changed} if changed else {"geometry": {"sh_degree": 1}}
    settings = {**CONFIG["settings"], "clipgs_b": {**entry, **new}}
    assert "clipgs_b" not in settings_of("demo", "procedural/room", settings=settings)


def test_a_geometry_that_nobody_follows_is_not_recorded():
    suite = {**CONFIG["suites"]["demo"], "settings": ["clipgs_d", "gags"]}
    found = settings_of("demo", "procedural/room", suites={**CONFIG["suites"], "demo": suite})
    assert not found
