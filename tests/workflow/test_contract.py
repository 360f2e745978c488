"""The table of docs/add.md: each kind of thing is added by the table alone, and nothing fails.

Trivial instances go into a copy of the repository; then ``semsplat check``, the plans of three
suites and the tests that list things are run there.  With ``-m slow`` each is tried alone as well.
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.workflow.project import REPOSITORY, Project, checkout

SUITES = ("demo", "smoke", "paper")
LISTING = (
    "tests/unit/experiment/test_docs.py",
    "tests/unit/experiment/test_editor.py",
    "tests/unit/experiment/test_check.py::test_a_mistake_is_one_line_with_the_key_and_the_fix",
    "tests/unit/experiment/test_check.py::test_options_of_importers_figures_and_methods_have_no_defaults",
    "tests/unit/experiment/test_plan.py::test_every_scene_and_method_of_the_paper_suite_has_an_estimate",
    "tests/unit/experiment/test_runs.py::test_scaled_options_are_options_still",
    "tests/unit/test_floors.py",
)
"""Tests of all kinds of things."""
OWN = {
    "method": ["figures/test_published.py", "figures/test_trace.py", "train/test_methods.py"],
    "figure": ["figures/test_kinds.py"],
    "protocol": ["evaluate/test_protocols.py"],
    "answer": ["evaluate/test_protocols.py"],
    "grounder": ["evaluate/test_predict_selections.py"],
    "kind of labels": ["features/test_teachers.py"],
    "kind of tracks": ["features/test_tracks.py"],
    "table": ["figures/test_published.py"],
    "claim": ["figures/test_published.py"],
    "precondition of claims": ["figures/test_preconditions.py"],
    "ladder": ["figures/test_ladders.py::test_every_rung_of_an_effect_compares_other_rows"],
    "question": ["figures/test_findings.py"],
    "examination": ["figures/test_examinations.py"],
}
"""Further tests that list one kind."""
SRC = "src/semsplat"
PUBLISHED = f"{SRC}/figures/published"


def write(project: Project, path: str, text: str) -> None:
    (project.root / path).write_text(text)


def add_entry(project: Project, section: str, entry: str) -> None:
    """Put an entry, indented by two, first into a section of params.yaml."""
    head = re.compile(rf"^{section}:.*\n", re.MULTILINE)
    text, count = head.subn(lambda found: found[0] + entry, project.read("params.yaml"))
    assert count == 1
    write(project, "params.yaml", text)


def copied(project: Project, folder: str, name: str, old: str = "", new: str = "") -> None:
    """Add ``ours.py`` to a folder: an existing file, a text of it replaced."""
    text = project.read(f"{SRC}/{folder}/{name}.py")
    write(project, f"{SRC}/{folder}/ours.py", text.replace(old, new) if old else text)


METHOD = """  ours: # as clip_gs
    {teacher: clip, weight: 1.0, moves_geometry: false, dim: 3, init_std: 0.01,
     lr: {semantics: 2.5e-3, decoder: 5.0e-4},
     coherent: {vote: tracks, start: 15000, uncovered: pixel_argmax, teacher_weight: 0.0}}
"""
DATA_SET = """  ours:
    importer: ours
    options:
      {root: photos, images: images, sparse: sparse/0, labels: null, classes: null,
       void_label: null, test_every: 8, max_width_px: 1600}
    scenes: {}
"""


def add_method(project: Project) -> None:
    copied(project, "train/methods", "clip_gs")
    add_entry(project, "methods", METHOD)
    add_entry(project, "settings", "  ours: {method: ours, override: {}, geometry: {}}\n")
    first = "  a: {label: (a) Feature 3DGS, setting: clipgs_a}\n"
    row = "  ours: {label: ours, setting: ours, printed: false}\n"
    project.edit(f"{PUBLISHED}/clipgs_table3.yaml", first, first + row)


def add_figure(project: Project) -> None:
    copied(project, "figures", "gaussians", 'EXTENSION = "svg"', 'EXTENSION = "pdf"')
    add_entry(project, "figures", "  ours: {kind: ours, options: {width_in: 6.5}}\n")
    text = project.read("params.yaml")
    write(
        project, "params.yaml", text.replace("      - curves\n", "      - curves\n      - ours\n")
    )


def add_importer(project: Project) -> None:
    copied(project, "data/datasets", "colmap")
    add_entry(project, "datasets", DATA_SET)
    row = "| `colmap` |"
    project.edit("docs/data.md", row, f"| `ours` | ours | every n-th view |\n{row}")


def add_protocol(project: Project) -> None:
    copied(project, "evaluate/protocols", "mask_classes")
    text = project.read(f"{SRC}/evaluate/protocols/ours.py")
    text = text.replace("lerf_mask/classes@1", "ours/new@1").replace("class_", "new_")
    write(project, f"{SRC}/evaluate/protocols/ours.py", text)


def add_answer(project: Project) -> None:
    copied(project, "evaluate/answers", "relevancy")


def add_grounder(project: Project) -> None:
    copied(project, "evaluate/grounders", "points")


def add_segmenter(project: Project) -> None:
    copied(project, "features/segmenters", "felzenszwalb")


def add_labels(project: Project) -> None:
    copied(project, "features/teachers", "label_maps")


def add_tracks(project: Project) -> None:
    copied(project, "features/tracks", "id_maps")


def add_external(project: Project) -> None:
    card = {
        **{"method": "ours", "who": "us", "repository": "here", "commit": "0" * 40, "changes": ""},
        **{"device": "none", "geometry": "own", "told": []},
    }
    (project.root / "predictions/ours/procedural/room/0").mkdir(parents=True)
    write(project, "predictions/ours/card.yaml", json.dumps(card))
    project.edit("params.yaml", "external: {} #", "external: #")
    entry = "{folder: predictions/ours, answers: [classes], scenes: [procedural/room], seeds: [0]}"
    add_entry(project, "external", f"  elsewhere: {entry}\n")
    sheet = "        clipgs_e: (e) no neighbours\n"
    project.edit("params.yaml", sheet, f"{sheet}        elsewhere: theirs\n")


def add_external_answer(project: Project) -> None:
    copied(project, "evaluate/external", "colours")


def add_table(project: Project) -> None:
    table = project.read(f"{PUBLISHED}/clipgs_sparse_details.yaml")
    write(project, f"{PUBLISHED}/ours.yaml", table)
    add_entry(project, "figures", "  ours: {kind: paper_table, options: {table: ours}}\n")


def add_claim(project: Project) -> None:
    text = project.read(f"{PUBLISHED}/claims.yaml")
    found = re.search(r"^( *)clipgs_miou:\n(?:\1  .*\n)+", text, re.MULTILINE)
    assert found
    entry = found[0].replace("clipgs_miou:", "clipgs_ours:")
    write(project, f"{PUBLISHED}/claims.yaml", text.replace(found[0], found[0] + entry))


def add_precondition(project: Project) -> None:
    copied(project, "figures/referee/preconditions", "levels_differ")
    text = project.read(f"{PUBLISHED}/claims.yaml")
    head = "        clipgs_accuracy:\n"
    assert head in text
    entry = f"{head}          needs: {{ours: CLIP-GS}}\n"
    write(project, f"{PUBLISHED}/claims.yaml", text.replace(head, entry, 1))


def add_ladder(project: Project) -> None:
    write(project, f"{PUBLISHED}/ladder_ours.yaml", project.read(f"{PUBLISHED}/ladder_steps.yaml"))
    for end, kind in {"": "paper_table", "_effects": "ladder", "_plot": "ladder_plot"}.items():
        options = "table: ladder_ours" + (", width_in: 6.5" if end == "_plot" else "")
        entry = f"  ladder_ours{end}: {{kind: {kind}, options: {{{options}}}}}\n"
        add_entry(project, "figures", entry)


def add_question(project: Project) -> None:
    text = project.read(f"{PUBLISHED}/findings.yaml")
    ladder = "{table: ladder_steps, effect: 3DCS, measure: miou}"
    entry = f"  - {{asks: Is it so?, claim: cgc_3d_loss_miou, ladder: {ladder}, mind: Others.}}\n"
    write(project, f"{PUBLISHED}/findings.yaml", text.replace("CGC:\n", f"CGC:\n{entry}"))


def add_examination(project: Project) -> None:
    entry = "- {claims: [cgc_3d_loss_miou], seen: It was looked at., mind: Others.}\n"
    text = project.read(f"{PUBLISHED}/examinations.yaml")
    write(project, f"{PUBLISHED}/examinations.yaml", text + entry)


ADDED: dict[str, Callable[[Project], None]] = {
    "method": add_method,
    "figure": add_figure,
    "data set": add_importer,
    "protocol": add_protocol,
    "answer": add_answer,
    "grounder": add_grounder,
    "segmenter": add_segmenter,
    "kind of labels": add_labels,
    "kind of tracks": add_tracks,
    "method that is run elsewhere": add_external,
    "answer of such a method": add_external_answer,
    "table": add_table,
    "claim": add_claim,
    "precondition of claims": add_precondition,
    "ladder": add_ladder,
    "question": add_question,
    "examination": add_examination,
}


def test_every_kind_of_the_table_is_tried() -> None:
    page = (REPOSITORY / "docs/add.md").read_text()
    table = page.split("| new | ")[1].split("\n\n")[0]
    named = {line.split("|")[1].strip() for line in table.splitlines()[2:]}
    entries_alone = {"scene", "setting", "feature recipe", "row of a table", "measure of a table"}
    entries_alone |= {"published number of any system, by a protocol"}
    assert named == ADDED.keys() | entries_alone


def test_new_things_of_all_kinds_are_what_the_table_says(tmp_path: Path) -> None:
    try_out(tmp_path, *ADDED)


@pytest.mark.slow
@pytest.mark.parametrize("kind", ADDED)
def test_a_new_thing_alone_is_what_the_table_says(kind: str, tmp_path: Path) -> None:
    try_out(tmp_path, kind)


def try_out(tmp_path: Path, *kinds: str) -> None:
    """Add things to a copy and run there what lists them."""
    project = checkout(tmp_path / "project")
    for kind in kinds:
        ADDED[kind](project)
    project.run(sys.executable, "-m", "semsplat.experiment")  # make docs
    project.run(sys.executable, "-m", "semsplat.cli", "check")
    for suite in SUITES:
        project.run("snakemake", "--dry-run", "--quiet", "--config", f"suite={suite}")
    tests = {*LISTING, *(f"tests/unit/{path}" for kind in kinds for path in OWN.get(kind, []))}
    project.run(sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *sorted(tests))
