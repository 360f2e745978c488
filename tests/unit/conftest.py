"""A tiny scene: a textured plane seen by a few cameras."""

from __future__ import annotations

import socket
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import settings

from semsplat.data.scene import Scene, load_scene
from semsplat.data.scene_writer import SceneWriter

# Speed is measured in benchmarks; on a busy machine a deadline fails what is right.
settings.register_profile("semsplat", deadline=None)
settings.load_profile("semsplat")


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


ANNOTATED = (0, 1)  # a held-out view and one for training


def halves(middle: float) -> list[dict[str, Any]]:
    """Return the plane's halves, as LERF-OVS stores them; ``middle`` is the column of x = 0."""
    first = round(middle)
    boxes = {"left": (0, 0, first - 1, 35), "right": (first, 0, 47, 35)}
    return [
        {"category": name, "bbox": [*box], "segmentation": corners(*box)}
        for name, box in boxes.items()
    ]


def corners(x1: int, y1: int, x2: int, y2: int) -> list[list[int]]:
    return [[x1, y1], [x2, y1], [x2, y2], [x1, y2]]


def write_plane(out: Path) -> None:
    """Write a chequered plane at z = 3, seen from a row of parallel cameras."""
    rng = np.random.default_rng(0)
    width, height, focal = 48, 36, 40.0
    K = np.array([[focal, 0, width / 2], [0, focal, height / 2], [0, 0, 1]])
    v, u = np.mgrid[0:height, 0:width] + 0.5
    with SceneWriter(out, dataset="made", scene="plane", source="test", licence="none") as writer:
        for i in range(8):
            x = -0.7 + 0.2 * i
            px, py = (u - width / 2) / focal * 3 + x, (v - height / 2) / focal * 3
            check = (np.floor(px * 1.5) + np.floor(py * 1.5)) % 2
            image = np.stack([check, 0.5 + 0.3 * np.sin(2 * px), 1 - check], -1)
            viewmat = np.eye(4)
            viewmat[0, 3] = -x
            split = "test" if i % 4 == 0 else "train"
            pixels = (image * 255).astype(np.uint8)
            found = halves(-x * focal / 3 + width / 2) if i in ANNOTATED else None
            writer.add_frame(f"view_{i}", pixels, viewmat, K, split, annotations=found)
        xyz = rng.uniform((-2.5, -1.5, 3.0), (2.5, 1.5, 3.0), (300, 3))
        writer.set_points(xyz.astype(np.float32), rng.integers(0, 255, (300, 3), dtype=np.uint8))


@pytest.fixture
def saved_each_step(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let a state be saved as often as a run asks for, whatever saving takes."""
    monkeypatch.setattr("semsplat.fit.steps.SAVES_SHARE", 0)


@pytest.fixture
def by_hand(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let a test write files of results by hand, behind the back of their manifests."""
    monkeypatch.setattr("semsplat.verified.recorded", lambda _: {})
