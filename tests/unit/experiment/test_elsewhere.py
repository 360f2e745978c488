"""Methods that are run elsewhere in params.yaml: named as settings, trained as nothing."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from semsplat.cli.project import external
from semsplat.errors import SemsplatError
from semsplat.experiment.asked import answers, external_code, reads
from semsplat.experiment.check import check
from semsplat.experiment.elsewhere import given_files, mistakes_in, refuse_incomplete
from semsplat.experiment.plan.needs import needs
from semsplat.experiment.plan.screen import plan_lines
from semsplat.experiment.plan.work import load_estimates, phases
from semsplat.experiment.recipes import features_keys, setting_recipe
from semsplat.experiment.runs import (
    external_job,
    external_keys,
    lessons_keys,
    own_keys,
    setting_teacher,
    shown_runs,
    training_keys,
)
from semsplat.experiment.schema import Params
from semsplat.keys import TrainingKey
from tests.unit.data.scene_helpers import one_line_error
from tests.unit.evaluate.external_helpers import ANSWERS, RUN, write_card, write_given, write_shelf

CONFIG: dict[str, Any] = yaml.safe_load(
    (Path(__file__).parents[3] / "params.yaml").read_text(encoding="utf-8")
)
LERF = {
    **{"folder": "given", "answers": ["classes", "relevancy"]},
    **{"scenes": ["procedural/room"], "seeds": [0, 1]},
}
SHEET = CONFIG["figures"]["clipgs_maps"]
OPTIONS = {**SHEET["options"], "settings": {"clipgs_a": "ours", "theirs": "theirs"}}


def params(external: dict[str, Any] | None = None, **suite: Any) -> Params:
    """Return a demo of one sheet that shows a setting of ours, and one that is not."""
    demo = CONFIG["suites"]["demo"] | {"figures": ["clipgs_maps"], "settings": []} | suite
    return check(
        CONFIG
        | {"external": {"theirs": LERF} if external is None else external}
        | {"figures": CONFIG["figures"] | {"clipgs_maps": {**SHEET, "options": OPTIONS}}}
        | {"suites": CONFIG["suites"] | {"demo": demo}}
    )


def test_a_figure_names_it_as_a_setting_and_it_is_no_training() -> None:
    checked = params()
    assert training_keys(checked) == [
        TrainingKey("procedural", "room", "clipgs_a", 0),
        TrainingKey("procedural", "room", "theirs", 0),
    ]
    assert [run.setting for run in own_keys(checked)] == ["clipgs_a"]
    assert [run.setting for run in external_keys(checked)] == ["theirs"]
    assert external_job(checked, external_keys(checked)[0]).model_dump() == {
        **{"dataset": "procedural", "scene": "room", "setting": "theirs", "seed": 0},
        "answers": ["classes", "relevancy"],
    }


def test_it_reads_and_learns_nothing() -> None:
    alone = params(settings=["theirs"])
    assert [run.setting for run in training_keys(alone)] == ["theirs"]
    assert features_keys(alone) == [] and lessons_keys(alone) == []
    assert setting_teacher(alone, "theirs") is None and setting_recipe(alone, "theirs") is None


def test_it_is_asked_what_its_entry_says() -> None:
    checked = params()
    assert answers(checked, "theirs") == ("classes", "relevancy")
    assert reads(checked, "theirs", "SCORES_WITH") == {"lessons"}
    fewer = params({"theirs": {**LERF, "answers": ["relevancy"]}})
    assert external_code(checked, "theirs") != external_code(fewer, "theirs")


def test_a_sheet_shows_the_runs_of_which_there_are_predictions() -> None:
    both = {"scenes": ["procedural/room", "procedural/den"], "seeds": [0, 2]}
    checked = params(**both)
    assert [(run.scene, run.seed) for run in shown_runs(checked, "clipgs_maps")] == [("room", 0)]
    assert [str(run) for run in external_keys(checked)] == ["procedural/room/theirs/0"]
    without = params(**both, settings=["clipgs_a"])
    assert len(shown_runs(without, "clipgs_maps")) == 4


def test_a_table_keeps_the_scenes_that_it_lacks(monkeypatch: pytest.MonkeyPatch) -> None:
    table = "semsplat.experiment.schema.Figure.settings"
    monkeypatch.setattr(table, property(lambda _: ["clipgs_a", "theirs"]))
    scenes = ["procedural/room", "procedural/den"]
    checked = params(figures=["clipgs_details"], scenes=scenes)
    assert [str(run) for run in training_keys(checked)] == [
        "procedural/den/clipgs_a/0",
        "procedural/room/clipgs_a/0",
        "procedural/room/theirs/0",
    ]


def test_it_costs_nothing_but_its_scores(monkeypatch: pytest.MonkeyPatch) -> None:
    with_it, without = params(), params(settings=["clipgs_a"])
    theirs, ours = ({p.name: p for p in phases(each)} for each in (with_it, without))
    changed = {name for name in theirs if theirs[name] != ours[name]}
    assert changed == {"evaluate"} and theirs["evaluate"].jobs == ours["evaluate"].jobs + 1
    assert load_estimates().untimed(with_it) == load_estimates().untimed(without)
    assert needs(with_it) == needs(without)
    monkeypatch.setattr("semsplat.experiment.plan.screen.needs", lambda _: {"data": set()})
    told = "  theirs: predictions of 1 runs, made elsewhere: they are copied and scored"
    lines = plan_lines(with_it)
    assert [line for line in lines if line.startswith(told)] and "1 trainings" in lines[0]


MISTAKES = {
    "an answer that nobody can give": (
        {"answers": ["clases"]},
        "external.theirs.answers: 'clases' is not defined; did you mean 'classes'?",
    ),
    "an answer twice": (
        {"answers": ["classes", "classes"]},
        "external.theirs.answers: 'classes' stands twice; remove one",
    ),
    "an unknown scene": (
        {"scenes": ["procedural/rom"]},
        "external.theirs.scenes: 'procedural/rom' is not defined; did you mean 'procedural/room'?",
    ),
    "no seeds": ({"seeds": []}, "external.theirs.seeds: list should have at least 1 item"),
    "a key that it has not": ({"method": "gags"}, "external.theirs.method: unknown key"),
}


@pytest.mark.parametrize("case", MISTAKES)
def test_a_mistake_in_an_entry_is_one_line(case: str) -> None:
    changes, expected = MISTAKES[case]
    with one_line_error(expected):
        params({"theirs": {**LERF, **changes}})


@pytest.mark.parametrize("name", ["clipgs_a", "geometry", "features"])
def test_its_name_is_nobody_elses(name: str) -> None:
    with one_line_error(f"external: '{name}' is the folder of something else"):
        params({"theirs": LERF, name: LERF})


def test_what_was_made_elsewhere_has_no_votes_to_show() -> None:
    figure = CONFIG["figures"]["clipgs_votes"]
    options = {**figure["options"], "votes_of": "theirs"}
    with one_line_error("figures.clipgs_votes.options.votes_of: 'theirs' is not defined"):
        check(
            CONFIG
            | {"external": {"theirs": LERF}}
            | {"figures": CONFIG["figures"] | {"clipgs_votes": {**figure, "options": options}}}
        )


# before anything runs


@pytest.fixture
def shelf(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Params:
    """A person's folder for one run of a scene that is imported, and for none of another."""
    monkeypatch.chdir(tmp_path)
    write_given(write_shelf())
    entry = {"folder": "given", "answers": ANSWERS, "scenes": ["toys/shelf"], "seeds": [3]}
    toys = {**CONFIG["datasets"]["procedural"], "scenes": {"shelf": {}, "box": {}}}
    figure = {**SHEET, "options": {**OPTIONS, "settings": {"theirs": "theirs"}, "datasets": []}}
    suite = CONFIG["suites"]["demo"] | {"settings": [], "figures": ["clipgs_maps"]}
    suite |= {"scenes": ["toys/shelf"], "seeds": [3]}
    config = (
        CONFIG
        | {"external": {"theirs": entry}, "datasets": CONFIG["datasets"] | {"toys": toys}}
        | {"figures": CONFIG["figures"] | {"clipgs_maps": figure}}
        | {"suites": CONFIG["suites"] | {"demo": suite}}
    )
    Path("params.yaml").write_text(yaml.safe_dump(config, sort_keys=False))
    return check(config)


def test_what_is_complete_is_not_refused(shelf: Params, capsys: pytest.CaptureFixture[str]) -> None:
    refuse_incomplete(shelf)
    assert mistakes_in(shelf, external_keys(shelf), opened=True) == []
    external("check")
    assert capsys.readouterr().out == "1 runs: nothing is missing, nothing is wrong\n"
    given = given_files(shelf, external_keys(shelf)[0])
    assert Path("given/card.yaml") in given and RUN / "classes/left/a.png" in given


def test_what_is_missing_is_told_before_anything_runs(
    shelf: Params, capsys: pytest.CaptureFixture[str]
) -> None:
    (RUN / "colours/b.png").unlink()
    write_card(commit="main")
    with pytest.raises(SystemExit, match="1"):
        refuse_incomplete(shelf)
    lines = capsys.readouterr().err.splitlines()
    assert lines[0].startswith("given/card.yaml: commit: write all 40")
    assert lines[1].endswith("colours: nothing for view 'b'") and len(lines) == 3
    with pytest.raises(SemsplatError) as caught:
        external("check")
    assert str(caught.value).splitlines() == lines[:2]


def test_only_the_check_opens_files(shelf: Params) -> None:
    (RUN / "classes/left/a.png").write_text("no picture")
    refuse_incomplete(shelf)
    with one_line_error("classes/left/a.png: not a readable image"):
        external("check", ("theirs",))


def test_a_time_of_a_run_that_is_not_declared_is_a_mistake(shelf: Params) -> None:
    write_card(spent={"toys/shelf/4": {"train_s": 1.0}})
    with one_line_error("given/card.yaml.spent: 'toys/shelf/4' is not defined"):
        external("check")


def test_of_a_scene_that_is_not_imported_only_the_folder_is_seen(
    shelf: Params, capsys: pytest.CaptureFixture[str]
) -> None:
    Path("data/toys/shelf/manifest.json").unlink()
    (RUN / "colours/b.png").unlink()
    refuse_incomplete(shelf)
    external("check")
    assert "toys/shelf: not imported, so its views are not compared" in capsys.readouterr().out
    RUN.rename("away")
    with one_line_error("given/toys/shelf/3: no such folder"):
        external("check")


def test_unknown_entries_and_an_export_of_nothing_are_one_line(shelf: Params) -> None:
    with one_line_error("external: 'thiers' is not defined; did you mean 'theirs'?"):
        external("check", ("thiers",))
    with one_line_error("export needs trainings and --to"):
        external("export", ("toys/shelf/gags/3",))
