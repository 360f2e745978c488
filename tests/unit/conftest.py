"""A tiny scene: a textured plane seen by a few cameras."""

from __future__ import annotations

import os
import shutil
import socket
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import settings
from selenium import webdriver

from semsplat.bench.gpu.world import write_plane
from semsplat.data.scene import Scene, load_scene

# Speed is measured in benchmarks; on a busy machine a deadline fails what is right.
settings.register_profile("semsplat", deadline=None)
settings.load_profile("semsplat")

WEBGL = ("--use-gl=angle", "--use-angle=swiftshader", "--enable-unsafe-swiftshader")
FLAGS = ("--headless=new", "--no-sandbox", "--disable-dev-shm-usage", *WEBGL)
SIZE = (1100, 700)


@pytest.fixture
def offline(monkeypatch: pytest.MonkeyPatch) -> None:
    """Refuse every connection."""

    def refuse(*_: Any) -> None:
        raise AssertionError("a connection was tried")

    monkeypatch.setattr(socket.socket, "connect", refuse)


@pytest.fixture(scope="session")
def tiny_scene(tmp_path_factory: pytest.TempPathFactory) -> Scene:
    """Return a scene of 6 training and 2 held-out views, 48 x 36 pixels."""
    out = tmp_path_factory.mktemp("data") / "made" / "plane"
    write_plane(out)
    return load_scene(out)


@pytest.fixture
def saved_each_step(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let a state be saved as often as a run asks for, whatever saving takes."""
    monkeypatch.setattr("semsplat.fit.steps.SAVES_SHARE", 0)


@pytest.fixture
def by_hand(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let a test write files of results by hand, behind the back of their manifests."""
    monkeypatch.setattr("semsplat.verified.recorded", lambda _: {})


@pytest.fixture(scope="session")
def chromium() -> Iterator[Any]:
    """Headless Chromium; where it must be there, its absence is a failure."""
    if not (shutil.which("chromium") and shutil.which("chromedriver")):
        if os.environ.get("SEMSPLAT_NEEDS_BROWSER"):
            pytest.fail("no chromium and chromedriver on the path")
        pytest.skip("no chromium and chromedriver on the path")
    options = webdriver.ChromeOptions()
    options.binary_location = str(shutil.which("chromium"))
    for flag in FLAGS:
        options.add_argument(flag)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    service = webdriver.ChromeService(str(shutil.which("chromedriver")))
    driver = webdriver.Chrome(options=options, service=service)
    yield driver
    driver.quit()


@pytest.fixture
def browser(chromium: Any) -> Iterator[Any]:
    """The browser of all tests, in a window of its usual size and without what it said before."""
    chromium.set_window_size(*SIZE)
    chromium.get_log("browser")
    yield chromium
    chromium.get("about:blank")
