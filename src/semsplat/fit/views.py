"""Training views: the next is read while one trains, and what fits in memory is decoded once."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import cv2
import numpy as np
import torch
from cachetools import LRUCache, cachedmethod
from numpy.typing import NDArray
from torch import Tensor

from semsplat.data.scene import Frame, Viewpoint, load_image

KEPT_BYTES = 2**28
"""Decoded photographs that a training keeps, 256 MiB: 1,100 of 320 x 240, or 50 of 1600 x 1066."""


class Photographs:
    """The decoded photographs of a scene; those used last stay in memory."""

    def __init__(self, frames: tuple[Frame, ...], kept_bytes: int = KEPT_BYTES) -> None:
        """Keep at most so many bytes."""
        self.frames = frames
        self.cache: LRUCache[int, NDArray[np.uint8]] = LRUCache(kept_bytes, lambda p: p.nbytes)

    @cachedmethod(lambda self: self.cache)
    def read(self, place: int) -> NDArray[np.uint8]:
        """Return frame ``place`` as uint8 [H, W, 3] sRGB."""
        return load_image(self.frames[place])


@dataclass(frozen=True, eq=False)
class Camera:
    """Where a frame is seen from, on the training device."""

    name: str
    viewmat: Tensor  # [4, 4] world to camera
    K: Tensor  # [3, 3] pixels of this image size
    width: int
    height: int


@dataclass(frozen=True, eq=False)
class View(Camera):
    """One photograph with its camera, on the training device."""

    image: Tensor  # [H, W, 3] in [0, 1]


def camera_of(frame: Viewpoint, scale: float, device: str) -> Camera:
    """Return the camera of a frame whose image is resized by ``scale``."""
    width, height = round(frame.width * scale), round(frame.height * scale)
    K = frame.K.copy()
    K[0] *= width / frame.width
    K[1] *= height / frame.height
    viewmat, intrinsics = (torch.from_numpy(m).float().to(device) for m in (frame.viewmat, K))
    return Camera(frame.name, viewmat, intrinsics, width, height)


def load_view(frame: Frame, scale: float, device: str) -> View:
    """Read a frame's image, resized by ``scale`` (area average), with the camera to match."""
    return view_of(frame, load_image(frame), scale, device)


def view_of(frame: Frame, image: NDArray[np.uint8], scale: float, device: str) -> View:
    """Return a frame's photograph, uint8 [H, W, 3], as a view; see `load_view`."""
    camera = camera_of(frame, scale, device)
    size = (camera.width, camera.height)
    if size != (frame.width, frame.height):
        image = cv2.resize(image, size, interpolation=cv2.INTER_AREA)
    pixels = torch.tensor(image, device=device).float() / 255
    return View(**vars(camera), image=pixels)


def frame_at(step: int, n_frames: int, seed: int) -> int:
    """Return which frame step ``step`` trains on: each once per epoch, in random order (3DGS).

    A pure function, so a resumed run continues with the very same views.
    """
    epoch, position = divmod(step, n_frames)
    return int(np.random.default_rng((seed, epoch)).permutation(n_frames)[position])


def views_in_order(
    frames: tuple[Frame, ...],
    steps: range,
    seed: int,
    scale: Callable[[int], float],
    device: str,
) -> Iterator[View]:
    """Yield the view of every step; a thread reads the next while this one trains."""
    photographs = Photographs(frames)

    def read(step: int) -> View:
        place = frame_at(step, len(frames), seed)
        return view_of(frames[place], photographs.read(place), scale(step), device)

    with ThreadPoolExecutor(1) as reader:
        ahead = reader.submit(read, steps.start) if steps else None
        for step in steps:
            assert ahead is not None
            view = ahead.result()
            if step + 1 < steps.stop:
                ahead = reader.submit(read, step + 1)
            yield view
