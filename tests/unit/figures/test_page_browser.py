"""The suite's page in a real browser: its tables, its scene in 3-D, light and dark, a phone."""

from __future__ import annotations

import io
import shutil
from base64 import b64decode
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from axe_core_python.selenium import Axe
from numpy.typing import NDArray
from PIL import Image
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.support.ui import Select, WebDriverWait

from semsplat.figures.published import load_claims
from semsplat.splat.gaussians import splat
from tests.unit.figures.page_helpers import (
    FOCAL,
    HEIGHT,
    PAGE,
    VIEWMAT,
    WIDTH,
    some_gaussians,
)

Picture = NDArray[np.float64]
LARGEST_MB, PHONE_PX = 6, 360
SERIOUS = ("serious", "critical")
EMPTY = (16 / 255, 20 / 255, 24 / 255)
"""The viewer's background."""


@pytest.fixture(autouse=True)
def in_project(page_project: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A project with a page, which a test may change."""
    shutil.copytree(page_project, tmp_path, dirs_exist_ok=True)
    monkeypatch.chdir(tmp_path)


def opened(browser: Any, drawn: bool = True) -> Any:
    """The browser with the page, its scene drawn."""
    browser.get(PAGE.resolve().as_uri())
    if drawn:
        showing = "return !!window.viewer?.told && !document.querySelector('.stage').hidden"
        WebDriverWait(browser, 60).until(lambda b: b.execute_script(showing))
    return browser


def picture(browser: Any) -> Picture:
    """What the canvas shows, [H, W, 3] of 0..255."""
    url = browser.execute_script("viewer.draw(); return viewer.canvas.toDataURL()")
    with Image.open(io.BytesIO(b64decode(url.partition(",")[2]))) as image:
        return np.asarray(image.convert("RGB"), np.float64)


def press(browser: Any, side: int, name: str) -> None:
    """Press one of the buttons of a side, 0 or 1."""
    place = browser.find_elements(By.CSS_SELECTOR, "[data-side]")[side]
    (button,) = [b for b in place.find_elements(By.TAG_NAME, "button") if b.text == name]
    button.click()


def shown_rows(browser: Any) -> list[Any]:
    rows = browser.find_elements(By.CSS_SELECTOR, ".ledger tbody tr")
    return [row for row in rows if row.get_attribute("hidden") is None]


def complaints(browser: Any) -> list[Any]:
    return [entry for entry in browser.get_log("browser") if entry["level"] == "SEVERE"]


def test_the_ledger_filters_and_tables_sort(browser: Any) -> None:
    opened(browser, drawn=False)
    assert len(shown_rows(browser)) == len(load_claims().claims)
    choice = Select(browser.find_element(By.CSS_SELECTOR, "[data-filter=verdict]"))
    choice.select_by_visible_text("reproduced")
    words = [row.find_element(By.CSS_SELECTOR, ".word").text for row in shown_rows(browser)]
    assert words and set(words) == {"reproduced"}
    paper = Select(browser.find_element(By.CSS_SELECTOR, "[data-filter=paper]"))
    paper.select_by_visible_text("GAGS")
    assert not shown_rows(browser)  # no verdict on GAGS without its trainings
    choice.select_by_visible_text("not run")  # they are folded; who looks for them sees them
    assert shown_rows(browser) and all(row.is_displayed() for row in shown_rows(browser))

    table = browser.find_element(By.CSS_SELECTOR, "#clipgs_table3 table")  # of what was not run
    browser.execute_script("arguments[0].closest('details').open = true", table)
    head = table.find_elements(By.TAG_NAME, "th")[2]
    printed = []
    for _ in range(2):
        head.find_element(By.TAG_NAME, "button").click()
        cells = table.find_elements(By.CSS_SELECTOR, "tbody tr td:nth-child(3)")
        orders = [cell.get_attribute("data-order") for cell in cells]
        printed.append([float(order) for order in orders if order])  # a row may not be printed
    assert len(printed[0]) > 1
    assert printed[0] == sorted(printed[0]) and printed[1] == sorted(printed[1], reverse=True)


def test_a_number_opens_its_card_and_pictures_load(browser: Any) -> None:
    opened(browser, drawn=False)
    link = browser.find_element(By.CSS_SELECTOR, 'a[href="#set-clipgs_c"]')
    browser.execute_script("arguments[0].click()", link)
    assert browser.find_element(By.ID, "set-clipgs_c").get_attribute("open")
    shown = browser.find_element(By.CSS_SELECTOR, "#content img")
    loaded = "return arguments[0].decode().then(() => arguments[0].naturalWidth)"
    assert browser.execute_script(loaded, shown) > 0
    assert complaints(browser) == []


def test_the_scene_is_drawn_as_the_rasteriser_draws_it(browser: Any) -> None:
    opened(browser).execute_script(
        f"viewer.canvas.style.cssText = 'width: {WIDTH}px; height: {HEIGHT}px';"
        "viewer.both.checked = false; viewer.orbit.go(viewer.scene.cameras[0])"
    )
    seen = picture(browser)
    K = torch.tensor([[FOCAL * HEIGHT, 0, WIDTH / 2], [0, FOCAL * HEIGHT, HEIGHT / 2], [0, 0, 1.0]])
    view, background = torch.from_numpy(VIEWMAT).float()[None], torch.tensor([EMPTY])
    drawn, _, _ = splat(some_gaussians(), view, K[None], WIDTH, HEIGHT, 0, backgrounds=background)
    expected = drawn[0].clamp(0, 1).numpy() * 255
    assert seen.shape == expected.shape and expected.std() > 20
    error = np.mean((seen - expected) ** 2)
    assert 10 * np.log10(255**2 / error) > 45  # dB


def test_a_click_recolours_and_the_line_parts_the_picture(browser: Any) -> None:
    both = opened(browser).find_element(By.CSS_SELECTOR, "[data-both]")
    both.click()
    colours = picture(browser)
    press(browser, 0, "classes")
    classes = picture(browser)
    assert colours.std() > 5 and np.abs(colours - classes).mean() > 5
    assert [e.text for e in browser.find_elements(By.CSS_SELECTOR, ".legend li")] == [
        *("no label", "rug", "sofa"),
    ]
    press(browser, 0, "colours")
    both.click()
    picture(browser)
    press(browser, 1, "classes")
    line = browser.find_element(By.CSS_SELECTOR, "[data-line]")
    browser.execute_script("arguments[0].value = 40", line)
    parted, at = picture(browser), round(0.4 * colours.shape[1])
    assert (parted[:, :at] == colours[:, :at]).all()
    assert (parted[:, at:] == classes[:, at:]).all()
    line.send_keys(Keys.ARROW_RIGHT * 20)
    moved, to = picture(browser), round(0.5 * colours.shape[1])
    assert (moved[:, :to] == colours[:, :to]).all() and (moved[:, at:to] != parted[:, at:to]).any()
    assert complaints(browser) == []


def test_keys_and_drags_turn_the_scene(browser: Any) -> None:
    opened(browser)
    first = picture(browser)
    canvas = browser.find_element(By.TAG_NAME, "canvas")
    canvas.send_keys(Keys.ARROW_LEFT)
    turned = picture(browser)
    assert np.abs(turned - first).mean() > 1
    canvas.send_keys(Keys.HOME)
    assert (picture(browser) == first).all()
    canvas.send_keys("+")
    assert browser.execute_script("return viewer.orbit.distance < viewer.orbit.start.distance")
    drawn = "return viewer.models[0].order(viewer.orbit.view(), viewer.orbit.near()).length"
    assert browser.execute_script(drawn) == len(some_gaussians()["means"])
    # from outside, farther away than one began, what is before is cut away
    inside = "viewer.orbit.start = {...viewer.orbit.start, distance: 1}"
    browser.execute_script(f"{inside}; viewer.orbit.zoom(2)")
    assert 0 < browser.execute_script(drawn) < len(some_gaussians()["means"])
    before = browser.execute_script("return viewer.orbit.yaw")
    drag = """const send = (kind, x) => viewer.canvas.dispatchEvent(new PointerEvent(kind,
      {pointerId: 1, clientX: x, clientY: 300, bubbles: true}));
      viewer.canvas.setPointerCapture = () => {};
      send('pointerdown', 300); send('pointermove', 350); send('pointerup', 350)"""
    browser.execute_script(drag)
    assert browser.execute_script("return viewer.orbit.yaw") == pytest.approx(before - 0.3)


def test_without_webgl_a_picture_stands_for_the_scene(browser: Any) -> None:
    script = "HTMLCanvasElement.prototype.getContext = () => null"
    made = browser.execute_cdp_cmd("Page.addScriptToEvaluateOnNewDocument", {"source": script})
    try:
        opened(browser, drawn=False)
        still = browser.find_element(By.CSS_SELECTOR, ".still")
        WebDriverWait(browser, 20).until(lambda _: "no WebGL 2" in still.text)
        assert still.find_element(By.TAG_NAME, "img").is_displayed()
        assert not browser.find_element(By.CSS_SELECTOR, ".stage").is_displayed()
    finally:
        browser.execute_cdp_cmd(
            "Page.removeScriptToEvaluateOnNewDocument", {"identifier": made["identifier"]}
        )


def test_judged_claims_are_plotted_by_colour_and_shape(browser: Any) -> None:
    opened(browser, drawn=False)
    plots = browser.find_elements(By.CSS_SELECTOR, ".forest svg[role=img]")
    told = [plot.get_attribute("aria-label") for plot in plots]
    assert told and all("ours " in said for said in told)
    kinds = {"reproduced": "circle", "contradicted": "path", "inconclusive": "rect"}
    strokes = set()
    for plot, said in zip(plots, told, strict=True):
        word = said.partition(":")[0]
        mark = plot.find_element(By.CSS_SELECTOR, ".mark")
        assert mark.tag_name == kinds[word] and f"is-{word}" in mark.get_attribute("class")
        strokes.add((word, mark.value_of_css_property("stroke")))
    assert len({word for word, _ in strokes}) == len({stroke for _, stroke in strokes})
    assert any(said.startswith("reproduced") for said in told)


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_axe_finds_nothing_serious(browser: Any, dark: bool) -> None:
    opened(browser)
    if dark != (browser.execute_script("return document.documentElement.dataset.theme") == "dark"):
        browser.find_element(By.ID, "theme").click()
    ground = "return getComputedStyle(document.body).backgroundColor"
    assert (browser.execute_script(ground) == "rgb(255, 255, 255)") is not dark
    browser.execute_script("for (const d of document.querySelectorAll('details')) d.open = true")
    found = Axe().run(browser)["violations"]
    serious = [(v["id"], v["nodes"][0]["html"]) for v in found if v["impact"] in SERIOUS]
    assert serious == []


def test_the_page_fits_a_phone(browser: Any) -> None:
    metrics = {"width": PHONE_PX, "height": 800, "deviceScaleFactor": 1, "mobile": False}
    browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)
    try:
        opened(browser).execute_script(
            "for (const d of document.querySelectorAll('details')) d.open = true"
        )
        width, window = "document.documentElement.scrollWidth", "innerWidth"
        found, inside = browser.execute_script(f"return [{width}, {window}]")
        assert inside == PHONE_PX >= found
    finally:
        browser.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})


def test_the_page_is_small() -> None:
    assert PAGE.stat().st_size < LARGEST_MB * 1_000_000
