"""The suite's page: complete without a server, and the same alone."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest

from semsplat.errors import SemsplatError
from semsplat.figures import claims
from semsplat.figures.page import write_page
from semsplat.figures.page.anchors import anchor
from semsplat.figures.page.ledger import why_undecided
from semsplat.figures.page.readme import BLOCK, filled
from tests.unit.figures.page_helpers import ALONE, FOLDER, PAGE, write_project
from tests.unit.figures.referee_helpers import COMMIT


@pytest.fixture(autouse=True)
def in_project(page_project: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A project with a page, which a test may change."""
    shutil.copytree(page_project, tmp_path, dirs_exist_ok=True)
    monkeypatch.chdir(tmp_path)


def test_a_number_leads_to_its_training_or_to_what_holds_them_all() -> None:
    assert anchor("d/s/a/0") == "run-d/s/a/0"
    assert anchor("d/s/a/0 d/s/a/1") == "run-d/s/a"
    assert anchor("d/s/a/0 d/t/a/0") == "set-a"
    assert anchor("d/s/a/0 d/s/b/0") == "runs"


def test_every_link_and_picture_is_there_and_nothing_comes_from_elsewhere() -> None:
    text = PAGE.read_text()
    ids = set(re.findall(r'id="([^"]+)"', text))
    links = re.findall(r'(?:href|src)="([^"]+)"', text)
    for link in links:
        if link.startswith("#"):
            assert link[1:] in ids, link
        elif link != "data:,":
            assert (FOLDER / link).is_file(), link
    assert not re.search(r"https?://", text)
    everywhere = re.findall(r' id="([^"]+)"', text)
    assert len(everywhere) == len(set(everywhere))
    assert any(link.startswith("#set-clipgs_c") for link in links)


def test_the_page_begins_with_what_was_found() -> None:
    text = " ".join(PAGE.read_text().split())
    found, verdicts = text.index('id="found"'), text.index('id="verdicts"')
    assert found < text.index("Does training on itself with the votes") < verdicts
    assert '<span class="word not-run">not run</span> Not asked here: not trained' in text


def test_the_page_alone_says_the_same_and_leads_nowhere_else() -> None:
    text = ALONE.read_text()
    links = re.findall(r'(?:href|src)="([^"]+)"', text)
    ids = set(re.findall(r'id="([^"]+)"', text))
    assert links and all(link[1:] in ids for link in links if link != "data:,")
    cells = r"<t[dh][^>]*>(.*?)</t[dh]>"
    assert re.findall(cells, text) == re.findall(cells, PAGE.read_text())


def vote_row() -> str:
    """The row of the claim about votes."""
    rows = re.findall(r"<tr[^>]*>.*?</tr>", PAGE.read_text(), re.DOTALL)
    (row,) = [row for row in rows if "votes of neighbouring views raises mIoU" in row]
    return row


def test_a_verdict_says_what_its_effect_depends_on() -> None:
    assert "what it depends on: ladder_purity, drawn by suite ladders" in vote_row()


def test_a_verdict_says_what_was_asked_of_scenes() -> None:
    assert "Asked of scenes: points of mIoU of the best vote over regions" in vote_row()


def test_an_examined_verdict_unfolds_what_was_looked_at(monkeypatch: pytest.MonkeyPatch) -> None:
    assert "<details>" not in vote_row()
    seen = {"clipgs_3dcs_miou": "It was looked at."}
    monkeypatch.setattr(claims, "_examined", lambda name, _: seen.get(name, ""))
    write_project()
    assert "<summary>examined</summary>It was looked at.</details>" in vote_row()


def test_equal_inputs_give_an_equal_page_without_the_host() -> None:
    text = PAGE.read_text()
    write_project()
    assert PAGE.read_text() == text
    assert "attic" not in text and COMMIT[:10] in text and "procedural" in text


def test_what_was_done_stands_in_one_sentence_at_the_top() -> None:
    (said,) = re.findall(r'<p class="lead">(.*?)</p>', PAGE.read_text())
    assert said.startswith("CLIP-GS, GAGS and CGC teach the Gaussians of a 3-D scene what they")
    assert ": 2 variants of them and of what they are compared with, trained on 2 scenes" in said
    assert "(procedural/den, procedural/room) with 3 seeds on Abacus 2000; of" in said
    assert re.search(r"of the papers&#39; \d+ claims [1-9]\d* reproduced and \d+ contra", said)


def test_one_scene_decides_nothing_and_the_page_says_why() -> None:
    assert not re.search("One scene decides no|No claim is decided", PAGE.read_text())
    write_project(decided=False)
    text = PAGE.read_text()
    assert text.count("One scene decides no claim: ") == 1
    (said,) = re.findall(r'<p class="lead">(.*?)</p>', text)
    assert said.endswith("on 1 scene (procedural/room) with 1 seed on Abacus 2000.")


def test_why_nothing_is_decided_is_said_where_something_was_measured() -> None:
    one, two = ({"verdict": "inconclusive", "scenes": n} for n in ("1", "2"))
    assert why_undecided([one, one]).startswith("One scene decides no claim: 2 effects")
    assert why_undecided([one, two]) == (
        "No claim is decided: of 2 effects that were measured none is clear."
    )
    for word in ("reproduced", "contradicted"):
        assert why_undecided([one, {"verdict": word, "scenes": "3"}]) == ""
    assert why_undecided([{"verdict": "not run", "scenes": "0"}]) == ""


def test_what_was_not_run_is_folded_behind_its_count() -> None:
    text = PAGE.read_text()
    folds = re.findall(r"<details><summary>(\d+) not run</summary>(.*?)</details>", text, re.DOTALL)
    ((count, inside),) = folds
    assert inside.count('data-verdict="not run"') == int(count) > 50
    assert text.count('data-verdict="not run"') == int(count)
    rows = re.findall(
        r"<summary>(\d+) rows? not run here</summary>(.*?)</details>", text, re.DOTALL
    )
    assert rows and all(f[1].count("<tr>") - 1 == int(f[0]) and "<a " not in f[1] for f in rows)


def test_the_scene_is_on_the_page_and_not_in_the_report() -> None:
    assert 'id="viewer-data">{"scene"' in PAGE.read_text()
    assert "viewer-data" not in ALONE.read_text()


def test_pictures_say_what_they_show() -> None:
    said = re.findall(r'<img [^>]*alt="([^"]*)"', PAGE.read_text())
    assert set(said) == {"Class maps of held-out views (procedural/room/0)"}
    assert len(said) == PAGE.read_text().count("<img ") > 2


def test_what_scrolls_by_itself_is_named_and_reached_by_keys() -> None:
    boxes = re.findall(r'<div class="(?:scroll|gallery)"[^>]*>', PAGE.read_text())
    named = r'<div class="\w+" tabindex="0" role="region" aria-label="[^"]+">'
    assert boxes and all(re.fullmatch(named, box) for box in boxes)


def test_a_suite_without_trainings_has_a_page() -> None:
    write_page("photos", [FOLDER / "scores.md"], [], PAGE, ALONE, {})
    text = PAGE.read_text()
    assert 'id="verdicts"' not in text and 'href="scores.md"' in text


def test_blocks_of_a_text_are_renewed_and_the_rest_stays(tmp_path: Path) -> None:
    (FOLDER / "summary.md").write_text("new\n")
    begin, end = "<!-- begin paper_figures/demo/summary.md -->", "<!-- end -->"
    text = f"before\n\n{begin}\nold\n{end}\n\nafter\n"
    once = filled(text, tmp_path)
    assert once == f"before\n\n{begin}\n\nnew\n\n{end}\n\nafter\n" == filled(once, tmp_path)
    with pytest.raises(SemsplatError, match=r"other\.md: no such file; draw its suite first"):
        filled(text.replace("summary", "other"), tmp_path)


def test_the_readme_shows_what_the_workflow_wrote() -> None:
    root = Path(__file__).parents[3]
    text = (root / "README.md").read_text()
    assert BLOCK.search(text) and filled(text, root) == text  # else: snakemake readme
