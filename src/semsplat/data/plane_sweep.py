"""Depth of views from their neighbours alone: a plane sweep, where the poses are known.

Every view is compared with its neighbours as they would look if all it shows lay on a plane at some
depth (Collins 1996); of each pixel the depth counts at which windows around it correlate best, and
stays where the depths of enough neighbours agree.  Triangulated SIFT finds too little on views of
160 x 120 pixels (1,018 points of a room, and 25.9 dB after training), and OpenCV's stereo wants
rectified pairs, in which neighbours on an orbit share little.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from semsplat.data.depth import InitialPoints, shared_pixels
from semsplat.data.poses import camera_centre
from semsplat.params.base import Count, Positive, Strict

Floats = NDArray[np.float32]
OUTSIDE = -9.0  # of a picture; grey values are 0 to 1
MIN_VARIANCE = 1e-8  # of a product of windows, below which nothing is divided


class Sweep(Strict):
    """How depth is found, and what of the start is random."""

    n_random: int = Field(ge=0)
    """of the initial points: anywhere in a cube around the cameras, in any colour; plain surfaces,
    of which no depth is found, grow from them"""
    random_extent: Positive
    """half the cube's side, times the largest distance of a camera from the middle of all"""

    near_m: Positive
    """depth of the nearest plane, in the scene's units"""
    far_m: Positive
    """depth of the farthest"""
    n_planes: Count
    """planes, even in inverse depth"""
    window_px: Count
    """width of the windows that are compared"""
    neighbours: list[Count]
    """how many views away the views lie, before and after, that one is compared with"""
    every: Count
    """of the views every so many-th is swept"""
    min_score: float
    """normalised cross-correlation below which a pixel has no depth"""
    tolerance: Positive
    """relative difference up to which two views have the same depth"""
    min_agreeing: Count
    """swept neighbours that must have the same depth"""


class Shot(NamedTuple):
    """A photograph with its camera."""

    image: NDArray[np.uint8]  # [H, W, 3]
    viewmat: NDArray[np.float64]  # [4, 4] world-to-camera
    K: NDArray[np.float64]  # [3, 3] px


class SweptPoints:
    """Initial points as `InitialPoints` gives them, of the views alone: it ignores their depth."""

    def __init__(self, n_points: int, seed: int, options: Sweep) -> None:
        """Prepare."""
        self._n_points, self._seed, self._options = n_points, seed, options
        self._shots: list[Shot] = []

    def add(
        self,
        _: object,
        image: NDArray[np.uint8],  # [H, W, 3]
        viewmat: NDArray[np.float64],  # [4, 4] world-to-camera
        K: NDArray[np.float64],  # [3, 3] px
    ) -> None:
        """Take the next training view, in the order of the camera's path."""
        self._shots.append(Shot(image, viewmat, K))

    def noisy(self) -> tuple[NDArray[np.float64], NDArray[np.uint8]]:
        """Return what `points_of_views` finds."""
        return points_of_views(self._shots, self._n_points, self._seed, self._options)


def starting_points(
    sweep: Sweep | None, n_points: int, n_views: int, noise_m: float, seed: int
) -> InitialPoints | SweptPoints:
    """Return what collects initial points: from the views, or without a sweep from their depth."""
    if sweep:
        return SweptPoints(n_points, seed, sweep)
    return InitialPoints(n_points, n_views, noise_m, seed)


def points_of_views(
    shots: Sequence[Shot], n_points: int, seed: int, options: Sweep
) -> tuple[NDArray[np.float64], NDArray[np.uint8]]:
    """Return initial points of photographs with known poses: xyz [N, 3], rgb [N, 3].

    All that are not random lie on found depth, the same number of every swept view as far as it has
    so many; of views that show too little there are fewer.
    """
    n_swept = -(-len(shots) // options.every)
    points = InitialPoints(max(n_points - options.n_random, 0), n_swept, 0.0, seed)
    for shot, depth in swept_depths(shots, options):
        points.add(depth, shot.image, shot.viewmat, shot.K)
    centres = np.stack([camera_centre(shot.viewmat) for shot in shots])
    middle = centres.mean(axis=0)
    half_side = options.random_extent * np.linalg.norm(centres - middle, axis=1).max()
    random = np.random.default_rng([seed, 1])
    anywhere = middle + random.uniform(-half_side, half_side, (options.n_random, 3))
    colours = random.integers(0, 256, (options.n_random, 3), dtype=np.uint8)
    xyz, rgb = points.noisy()
    return np.concatenate([xyz, anywhere]), np.concatenate([rgb, colours])


def swept_depths(shots: Sequence[Shot], options: Sweep) -> Iterator[tuple[Shot, Floats]]:
    """Yield every swept view with its depth float32 [H, W], 0 where it is not known.

    Views come in the order of the camera's path, of which no more is known than their order.
    """
    greys = [_grey(shot.image) for shot in shots]
    places = list(range(0, len(shots), options.every))
    with ThreadPoolExecutor() as pool:
        found = dict(
            zip(places, pool.map(lambda i: _swept(shots, greys, i, options), places), strict=True)
        )
    for place, depth in found.items():
        agreeing = np.zeros(depth.size, np.int64)
        for i in _near(place, len(shots), options):
            if i in found:
                here, _ = shared_pixels(shots[place], depth, shots[i], found[i], options.tolerance)
                agreeing[here] += 1
        kept = agreeing.reshape(depth.shape) >= options.min_agreeing
        yield shots[place], np.asarray(np.where(kept, depth, 0), np.float32)


def _grey(image: NDArray[np.uint8]) -> Floats:
    """Return a photograph's grey values [H, W] in 0 to 1."""
    return np.asarray(cv2.cvtColor(image, cv2.COLOR_RGB2GRAY) / 255, np.float32)


def _near(place: int, n_views: int, options: Sweep) -> list[int]:
    """Return the places of a view's neighbours."""
    steps = [step for away in options.neighbours for step in (-away, away)]
    return [place + step for step in steps if 0 <= place + step < n_views]


def _swept(shots: Sequence[Shot], greys: Sequence[Floats], place: int, options: Sweep) -> Floats:
    """Return a view's depth float32 [H, W] by correlation alone, 0 where that is low."""
    inverse = np.linspace(1 / options.far_m, 1 / options.near_m, options.n_planes)
    others = _near(place, len(shots), options)
    if not others:
        return np.zeros(greys[place].shape, np.float32)
    window = Window(greys[place], options.window_px)
    scores = np.empty((options.n_planes, *greys[place].shape), np.float32)
    for index, value in enumerate(inverse):
        each = [
            window.correlation(greys[i], homography(shots[place], shots[i], value)) for i in others
        ]
        # occluded in some views: the better half decides
        scores[index] = -np.sort(-np.array(each), axis=0)[: max(2, len(each) // 2)].mean(axis=0)
    depth = 1 / np.interp(best_plane(scores), np.arange(options.n_planes), inverse)
    return np.asarray(np.where(scores.max(axis=0) >= options.min_score, depth, 0), np.float32)


class Window:
    """A view's windows, to be compared with those of others."""

    def __init__(self, grey: Floats, width_px: int) -> None:
        """Take a view [H, W] in 0 to 1."""
        self._grey, self._size = grey, (width_px, width_px)
        self._mean = self._sums(grey)
        self._variance = self._sums(grey * grey) - self._mean**2

    def _sums(self, values: Floats) -> Floats:
        """Return the mean of every window."""
        sums = cv2.boxFilter(values, -1, self._size, borderType=cv2.BORDER_REFLECT)
        return np.asarray(sums, np.float32)

    def correlation(self, other: Floats, to_other: NDArray[np.float64]) -> Floats:
        """Return the normalised cross-correlation [H, W] with a warped view, -1 outside it."""
        size, flags = self._grey.shape[::-1], cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
        moved = cv2.warpPerspective(other, to_other, size, flags=flags, borderValue=OUTSIDE)
        moved = np.asarray(moved, np.float32)
        outside = moved < 0
        moved[outside] = 0
        mean = self._sums(moved)
        variance = self._sums(moved * moved) - mean**2
        covariance = self._sums(self._grey * moved) - self._mean * mean
        found = covariance / np.sqrt(np.maximum(self._variance * variance, MIN_VARIANCE))
        found[outside] = -1
        return np.asarray(found, np.float32)


def homography(one: Shot, two: Shot, inverse_depth: float) -> NDArray[np.float64]:
    """Return what maps pixels of a view to those of another by a plane of constant depth.

    The plane stands upright before the first camera; pixels are counted as OpenCV does, from their
    centres.
    """
    to_two = two.viewmat @ np.linalg.inv(one.viewmat)
    first, second = (_from_centres(shot.K) for shot in (one, two))
    by_plane = to_two[:3, :3] + np.outer(to_two[:3, 3], [0, 0, inverse_depth])
    return np.asarray(second @ by_plane @ np.linalg.inv(first))


def _from_centres(K: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return intrinsics for coordinates that are 0, not 0.5, in the first pixel's centre."""
    moved = K.copy()
    moved[:2, 2] -= 0.5
    return moved


def best_plane(scores: Floats) -> NDArray[np.float64]:
    """Return the place of the largest of scores [P, H, W], between planes by a parabola."""
    n_planes = len(scores)
    place = np.clip(scores.argmax(axis=0), 1, n_planes - 2)
    rows, columns = np.indices(place.shape)
    before, at, after = (scores[place + step, rows, columns] for step in (-1, 0, 1))
    curve = np.minimum(before - 2 * at + after, -1e-6)
    return np.asarray(place + np.clip(0.5 * (before - after) / curve, -0.5, 0.5))
