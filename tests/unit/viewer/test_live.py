"""The running viewer, in a browser: a question and a click change the picture."""

from __future__ import annotations

import io
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.common.by import By

from semsplat.paths import train_dir
from semsplat.viewer.server import HOST, fields_and_scene, start

PATIENCE_S = 60


@pytest.fixture
def page(project: Path, browser: Any) -> Iterator[Any]:
    """The viewer's page with a training of CGC and one of CLIP-GS."""
    paths = [project / train_dir("made", "balls", name, 0) for name in ("clip_gs", "cgc")]
    server = start(*fields_and_scene(paths, "cpu"), 8090)
    assert server.get_host() == HOST == "127.0.0.1"
    browser.get(f"http://{HOST}:{server.get_port()}")
    yield browser
    server.stop()


def picture(page: Any) -> np.ndarray:
    """Return the page's middle, which no panel covers, float [h, w, 3]."""
    shot = np.array(Image.open(io.BytesIO(page.get_screenshot_as_png())).convert("RGB"))
    height, width = shot.shape[:2]
    return shot[height // 4 : -height // 4, width // 4 : -width // 3].astype(float)


def once(page: Any, holds: Callable[[np.ndarray], bool], says: str = "") -> np.ndarray:
    """Return the picture as soon as the page says something and something holds of it."""
    ends = time.monotonic() + PATIENCE_S
    while time.monotonic() < ends:
        if says in page.find_element(By.TAG_NAME, "body").text and holds(shown := picture(page)):
            return shown
        time.sleep(0.2)
    raise AssertionError(f"the page did not come to say '{says}' with the picture changed")


def differs_from(other: np.ndarray) -> Callable[[np.ndarray], bool]:
    return lambda shown: bool(np.abs(shown - other).mean() > 2)


def colourful(shown: np.ndarray) -> bool:
    """Tell whether both balls, one red and one blue, are there."""
    warm = shown[..., 0] - shown[..., 2]
    return bool(warm.max() > 100 and warm.min() < -100)


def test_a_question_and_a_click_change_the_picture(page: Any) -> None:
    colours = once(page, colourful)
    boxes = page.find_elements(By.TAG_NAME, "input")
    shown = [box for box in boxes if box.is_displayed() and box.get_attribute("type") == "text"]
    (question,) = [box for box in shown if not box.get_attribute("value")]
    question.send_keys("chair")
    (ask,) = [b for b in page.find_elements(By.TAG_NAME, "button") if b.text.strip() == "ask"]
    time.sleep(0.5)  # the text goes to the server key by key
    ask.click()
    asked = once(page, differs_from(colours), "found as class 'chair'")
    canvas = page.find_element(By.TAG_NAME, "canvas")
    right = canvas.size["width"] // 7  # on the right ball, beside the panel
    ActionChains(page).move_to_element_with_offset(canvas, right, 0).click().perform()
    once(page, differs_from(asked), "Gaussians, found as pixel")
    logged = [e for e in page.get_log("browser") if e["level"] == "SEVERE"]
    assert not [e for e in logged if "favicon" not in e["message"]]
