"""Camera poses and points of photographs, by COLMAP's structure from motion on the CPU."""

from __future__ import annotations

import multiprocessing
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from multiprocessing.connection import Connection
from pathlib import Path

import numpy as np
import pycolmap

from semsplat.errors import SemsplatError

FEWEST = 3  # fewer photographs make no scene
LARGEST = "largest"
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
    told = (says, images, work, sequential, single_camera, seed)
    child = context.Process(target=_reconstruct, args=told, daemon=True)
    child.start()
    says.close()
    try:
        problem = hears.recv()
    except EOFError:
        problem = f"{images.parent.name}: COLMAP ended without a word; is there memory for it?"
    finally:
        child.kill()
        child.join()
    if problem:
        raise SemsplatError(problem)
    return pycolmap.Reconstruction(str(work / LARGEST))


def _reconstruct(
    says: Connection, images: Path, work: Path, sequential: bool, single_camera: bool, seed: int
) -> None:
    """Write the largest model to ``work``, and say what was wrong, or nothing."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches all; the parent ends this one
    database = work / "database.db"
    with _quiet():
        pycolmap.set_random_seed(seed)
        _extract(database, images, single_camera)
        match = pycolmap.match_sequential if sequential else pycolmap.match_exhaustive
        pairs = pycolmap.TwoViewGeometryOptions()
        pairs.ransac.random_seed = seed
        match(database, verification_options=pairs, device=pycolmap.Device.cpu)
        models = pycolmap.incremental_mapping(database, images, work, _mapping(seed))
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
    """Find what photographs can be matched by, one after the other: threads would number them."""
    mode = pycolmap.CameraMode.SINGLE if single_camera else pycolmap.CameraMode.AUTO
    options = pycolmap.FeatureExtractionOptions()
    options.num_threads = 1
    pycolmap.extract_features(
        database, images, camera_mode=mode, extraction_options=options, device=pycolmap.Device.cpu
    )


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
