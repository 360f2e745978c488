"""The suite's page: complete without a server, and used in a real browser."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from selenium.webdriver.common.by import By
from selenium.webdriver.support.ui import Select

from semsplat.data.images import write_png
from semsplat.errors import SemsplatError
from semsplat.figures import claims, costs, findings, paper_table, summary
from semsplat.figures.page import anchor, write_page
from semsplat.figures.page.readme import BLOCK, filled
from semsplat.figures.published import load_claims
from tests.unit.data.scene_helpers import random_image
from tests.unit.figures.referee_helpers import COMMIT, trainings, write_speed, write_training

FOLDER = Path("paper_figures/demo")
PAGE = FOLDER / "index.html"
ALONE = Path("results/report/demo.html")


def write_project() -> None:
    """A project whose page has verdicts, a table, a picture, costs and runs."""
    shown = trainings("clipgs_b", "clipgs_c")
    for training in shown:
        value = 0.5 + 0.1 * (training.setting == "clipgs_c") + 0.01 * training.seed
        write_training(training, miou=value, accuracy=0.9)
    write_speed(shown, fps=20.0)
    paper_table.draw(shown, paper_table.Options(table="clipgs_table3"), FOLDER / "clipgs_table3.md")
    claims.draw(shown, claims.Options(rules=2), FOLDER / "claims.md")
    costs.draw(shown, costs.Options(), FOLDER / "costs.md")
    told = findings.Options(paper="CLIP-GS", rules=2)
    findings.draw(shown, told, FOLDER / "clipgs_findings.md")
    options = summary.Options(measures={"clipgs_table3": "miou"}, rules=2)
    summary.draw(shown, options, FOLDER / "summary.md")
    write_png(FOLDER / "maps/procedural/room/0.png", random_image())
    (FOLDER / "scores.md").write_text("| a |\n")
    texts = [
        "clipgs_findings.md",
        "claims.md",
        "clipgs_table3.md",
        "costs.md",
        "summary.md",
        "scores.md",
    ]
    names = [*texts, "maps/procedural/room/0.png"]
    write_page("demo", [FOLDER / name for name in names], shown, PAGE, ALONE)


@pytest.fixture(autouse=True)
def in_project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A project with a page."""
    monkeypatch.chdir(tmp_path)
    write_project()


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


def test_a_verdict_says_what_its_effect_depends_on() -> None:
    rows = re.findall(r"<tr[^>]*>.*?</tr>", PAGE.read_text(), re.DOTALL)
    (row,) = [row for row in rows if "votes of neighbouring views raises mIoU" in row]
    assert "what it depends on: `ladder_purity`" in row


def test_equal_inputs_give_an_equal_page_without_the_host() -> None:
    text = PAGE.read_text()
    write_project()
    assert PAGE.read_text() == text
    assert "attic" not in text and COMMIT[:10] in text and "procedural" in text


def test_a_suite_without_trainings_has_a_page() -> None:
    write_page("photos", [FOLDER / "scores.md"], [], PAGE, ALONE)
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


def shown_rows(browser: Any) -> list[Any]:
    rows = browser.find_elements(By.CSS_SELECTOR, "#ledger tbody tr")
    return [row for row in rows if row.is_displayed()]


def test_the_page_works_in_a_browser(browser: Any) -> None:
    browser.get(PAGE.resolve().as_uri())
    assert len(shown_rows(browser)) == len(load_claims().claims)
    Select(browser.find_element(By.CSS_SELECTOR, "[data-filter=verdict]")).select_by_visible_text(
        "reproduced"
    )
    words = [row.find_element(By.CSS_SELECTOR, ".word").text for row in shown_rows(browser)]
    assert words and set(words) == {"reproduced"}
    Select(browser.find_element(By.CSS_SELECTOR, "[data-filter=paper]")).select_by_visible_text(
        "GAGS"
    )
    assert not shown_rows(browser)  # no verdict on GAGS without its trainings

    head = browser.find_elements(By.CSS_SELECTOR, "#clipgs_table3 th")[2]
    column = "#clipgs_table3 tbody:first-of-type tr td:nth-child(3)"
    printed = []
    for _ in range(2):
        head.find_element(By.TAG_NAME, "button").click()
        cells = browser.find_elements(By.CSS_SELECTOR, column)
        table = head.find_element(By.XPATH, "./ancestor::table")
        orders = [c.get_attribute("data-order") for c in cells if table in parents(c)]
        printed.append([float(order) for order in orders if order])  # a row may not be printed
    assert printed[0] == sorted(printed[0]) and printed[1] == sorted(printed[1], reverse=True)

    link = browser.find_element(By.CSS_SELECTOR, 'a[href="#set-clipgs_c"]')
    browser.execute_script("arguments[0].click()", link)
    assert browser.find_element(By.ID, "set-clipgs_c").get_attribute("open")
    picture = browser.find_element(By.TAG_NAME, "img")
    browser.execute_script("arguments[0].loading = 'eager'; arguments[0].scrollIntoView()", picture)
    loaded = "return arguments[0].decode().then(() => arguments[0].naturalWidth)"
    assert browser.execute_script(loaded, picture) > 0
    assert [entry for entry in browser.get_log("browser") if entry["level"] == "SEVERE"] == []


def parents(element: Any) -> list[Any]:
    """The tables around an element."""
    found: list[Any] = element.find_elements(By.XPATH, "./ancestor::table")
    return found


def test_the_page_fits_a_phone(browser: Any) -> None:
    browser.set_window_size(390, 800)
    browser.get(PAGE.resolve().as_uri())
    width = browser.execute_script("return document.documentElement.scrollWidth")
    assert width <= browser.execute_script("return window.innerWidth")
