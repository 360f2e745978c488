"""Camera poses and points of photographs, by COLMAP's structure from motion on the CPU."""

from __future__ import annotations

import multiprocessing
import signal
import sqlite3
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import numpy as np
import pycolmap

from semsplat.errors import SemsplatError
from semsplat.log import progress

FEWEST = 3  # fewer photographs make no scene
LARGEST, DATABASE = "largest", "database.db"
POLL_S = 0.2
QUIET = 3  # of COLMAP's log: what ends the program; the rest is told in one line


def reconstruct(
    images: Path, work: Path, *, sequential: bool, single_camera: bool, seed: int
) -> pycolmap.Reconstruction:
    """Return the largest model of the photographs in a folder; ``work`` takes COLMAP's files.

    Equal photographs and seeds give equal models on one machine.  ``sequential`` matches neighbours
    by name only.  Raises a one-line `SemsplatError` if no three photographs fit together.

    COLMAP runs in a process of its own: inside it no signal would be heard for minutes.
    """
    work.mkdir(parents=True, exist_ok=True)
    context = multiprocessing.get_context("spawn")
    hears, says = context.Pipe(duplex=False)
    placed = context.Value("i", 0)
    told = (says, placed, images, work, sequential, single_camera, seed)
    child = context.Process(target=_reconstruct, args=told, daemon=True)
    child.start()
    says.close()
    try:
        count = len(list(images.iterdir()))
        totals = (count, None if sequential else count * (count - 1) // 2, count)
        problem = _watch(hears, work / DATABASE, lambda: placed.value, totals)
    except EOFError:
        problem = f"{images.parent.name}: COLMAP ended without a word; is there memory for it?"
    finally:
        child.kill()
        child.join()
    if problem:
        raise SemsplatError(problem)
    return pycolmap.Reconstruction(str(work / LARGEST))


def _watch(
    hears: Connection, database: Path, placed: Callable[[], int], totals: Sequence[int | None]
) -> str:
    """Tell how far each stage is of its total; return what was wrong, or nothing.

    The child says a word when a stage has ended.  Features and matches are counted in its database.
    """
    stages: dict[str, Callable[[], int]] = {
        "find features": lambda: _rows(database, "keypoints"),
        "match photographs": lambda: _rows(database, "two_view_geometries"),
        "place photographs": placed,
    }
    word = ""
    for (stage, done), total in zip(stages.items(), totals, strict=True):
        for _ in progress(_arriving(hears, done), stage, total=total):
            pass
        if word := hears.recv():
            break
    return word


def _arriving(hears: Connection, done: Callable[[], int]) -> Iterator[int]:
    """Yield every item that has been done, until the child says a word."""
    seen = 0
    while True:
        ended = hears.poll(POLL_S)
        now = done()
        yield from range(seen, now)
        seen = max(seen, now)
        if ended:
            return


def _rows(database: Path, table: str) -> int:
    """Return how many rows a table of COLMAP's has by now; none while it is made or locked."""
    try:
        with closing(sqlite3.connect(f"file:{database}?mode=ro", uri=True, timeout=0)) as opened:
            (count,) = opened.execute(f"SELECT COUNT(*) FROM {table}").fetchone()
            return int(count)
    except sqlite3.OperationalError:
        return 0


def _reconstruct(
    says: Connection,
    placed: Any,
    images: Path,
    work: Path,
    sequential: bool,
    single_camera: bool,
    seed: int,
) -> None:
    """Write the largest model to ``work``; say after each stage what was wrong, or nothing.

    ``placed`` counts photographs that have a pose.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches all; the parent ends this one
    database = work / DATABASE

    def place(count: int) -> None:
        placed.value += count

    with _quiet():
        pycolmap.set_random_seed(seed)
        _extract(database, images, single_camera)
        says.send("")
        match = pycolmap.match_sequential if sequential else pycolmap.match_exhaustive
        pairs = pycolmap.TwoViewGeometryOptions()
        pairs.ransac.random_seed = seed
        match(database, verification_options=pairs, device=pycolmap.Device.cpu)
        says.send("")
        models = pycolmap.incremental_mapping(
            database,
            images,
            work,
            _mapping(seed),
            initial_image_pair_callback=lambda: place(2),
            next_image_callback=lambda: place(1),
        )
    largest = max(models.values(), key=lambda model: model.num_reg_images(), default=None)
    if largest is None or largest.num_reg_images() < FEWEST:
        says.send(
            f"{images.parent.name}: no {FEWEST} photographs fit together; take more, each with most"
            " of what its neighbours show, from places apart, of things with texture"
        )
        return
    (work / LARGEST).mkdir()
    largest.write(work / LARGEST)
    says.send("")


def focals(model: pycolmap.Reconstruction) -> dict[str, tuple[float, float]]:
    """Return the shortest and the longest focal length in pixels, by size of the photographs."""
    by_size: dict[str, list[float]] = {}
    for camera in model.cameras.values():
        by_size.setdefault(f"{camera.width}x{camera.height}", []).append(camera.mean_focal_length())
    return {size: (min(lengths), max(lengths)) for size, lengths in sorted(by_size.items())}


def parallax(model: pycolmap.Reconstruction) -> float:
    """Return the median over the points of the largest angle between two views of one, degrees."""
    centres = {n: image.projection_center() for n, image in model.images.items() if image.has_pose}
    angles = []
    for point in model.points3D.values():
        seen = {element.image_id for element in point.track.elements}
        rays = np.stack([point.xyz - centres[number] for number in sorted(seen)])
        rays /= np.linalg.norm(rays, axis=1, keepdims=True)
        angles.append(np.degrees(np.arccos(np.clip((rays @ rays.T).min(), -1, 1))))
    return float(np.median(angles))


def _extract(database: Path, images: Path, single_camera: bool) -> None:
    """Find what photographs can be matched by, on all cores.

    They are numbered first, by name: else threads would number them as they finish.
    """
    mode = pycolmap.CameraMode.SINGLE if single_camera else pycolmap.CameraMode.AUTO
    pycolmap.Database.open(database).close()
    pycolmap.import_images(database, images, camera_mode=mode)
    pycolmap.extract_features(database, images, camera_mode=mode, device=pycolmap.Device.cpu)


def _mapping(seed: int) -> pycolmap.IncrementalPipelineOptions:
    """Return how models grow: small ones count, and the order of threads does not."""
    options = pycolmap.IncrementalPipelineOptions()
    options.min_model_size = FEWEST
    options.random_seed = seed
    options.num_threads = 1
    return options


@contextmanager
def _quiet() -> Iterator[None]:
    """Silence COLMAP's log, which tells of every pair."""
    before = pycolmap.logging.minloglevel
    pycolmap.logging.minloglevel = QUIET
    try:
        yield
    finally:
        pycolmap.logging.minloglevel = before
