"""Training views: the next is read while one trains, and what fits in memory is decoded once."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
import torch
from cachetools import LRUCache, cachedmethod
from numpy.typing import NDArray
from torch import Tensor

from semsplat.data.images import resize_ids
from semsplat.data.scene import Frame, Viewpoint, load_image
from semsplat.fit.inputs import Inputs

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


IdMap = NDArray[np.integer[Any]]


@dataclass(frozen=True, eq=False)
class Camera:
    """Where a frame is seen from, on the training device."""

    name: str
    viewmat: Tensor  # [4, 4] world to camera
    K: Tensor  # [3, 3] pixels of this image size
    width: int
    height: int

    @property
    def alone(self) -> tuple[Tensor, Tensor, int, int]:
        """What `semsplat.splat.rasterizer.rasterize` takes of cameras, of this one."""
        return self.viewmat[None], self.K[None], self.width, self.height


@dataclass(frozen=True, eq=False)
class View(Camera):
    """One photograph with its camera, on the training device."""

    image: Tensor  # [H, W, 3] in [0, 1]; [0, 0, 3] where the training reads no photographs


Ahead = Callable[[int, Camera], object]
"""Reads all that a step learns from beside the photograph, so that `Inputs` has it."""


def camera_of(frame: Viewpoint, scale: float, inputs: Inputs) -> Camera:
    """Return the camera of a frame whose image is resized by ``scale``."""
    width, height = round(frame.width * scale), round(frame.height * scale)

    def numbers() -> NDArray[np.float32]:
        K = frame.K.copy()
        K[0] *= width / frame.width
        K[1] *= height / frame.height
        return np.concatenate([frame.viewmat.ravel(), K.ravel()]).astype(np.float32)

    viewmat, K = inputs.get(("camera", frame.name, width, height), numbers).split([16, 9])
    return Camera(frame.name, viewmat.view(4, 4), K.view(3, 3), width, height)


def of_view(
    what: object, camera: Camera, read: Callable[[], NDArray[Any]], inputs: Inputs
) -> Tensor:
    """Return an array of a view at its size on the device, by what it is; see `Inputs.get`.

    While pictures grow two of them may be equally wide and not equally high.
    """
    return inputs.get((what, camera.name, camera.width, camera.height), read)


def fitted(ids: IdMap, camera: Camera) -> IdMap:
    """Return an id map [H, W] at a camera's size: the source pixel at each new centre."""
    size = (camera.width, camera.height)
    if ids.shape == size[::-1]:
        return ids
    return resize_ids(ids.astype(np.float32), size).astype(ids.dtype)


def load_view(frame: Frame, scale: float, inputs: Inputs) -> View:
    """Read a frame's image, resized by ``scale`` (area average), with the camera to match."""
    return view_of(camera_of(frame, scale, inputs), lambda: load_image(frame), inputs)


def view_of(camera: Camera, read: Callable[[], NDArray[np.uint8]], inputs: Inputs) -> View:
    """Return a camera with the photograph, uint8 [H, W, 3], that is read; see `load_view`."""
    size = (camera.width, camera.height)

    def resized() -> NDArray[np.uint8]:
        image = read()
        fits = image.shape[1::-1] == size
        return image if fits else cv2.resize(image, size, interpolation=cv2.INTER_AREA)

    pixels = of_view("image", camera, resized, inputs)
    return View(**vars(camera), image=pixels.float() / 255)


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
    inputs: Inputs,
    ahead: Ahead | None = None,
    photographs: bool = True,
) -> Iterator[View]:
    """Yield the view of every step; a thread reads the next while this one trains.

    Args:
        frames: the training views.
        steps: to take.
        seed: of the order.
        scale: of the image at a step.
        inputs: what is on the device.
        ahead: called with every step and its camera, in the thread.
        photographs: whether they are read.
    """
    decoded = Photographs(frames)
    nothing = torch.empty(0, 0, 3, device=inputs.device)

    def read(step: int) -> View:
        place = frame_at(step, len(frames), seed)
        camera = camera_of(frames[place], scale(step), inputs)
        if ahead:
            ahead(step, camera)
        if not photographs:
            return View(**vars(camera), image=nothing)
        return view_of(camera, lambda: decoded.read(place), inputs)

    with ThreadPoolExecutor(1) as reader:
        next_view = reader.submit(read, steps.start) if steps else None
        for step in steps:
            assert next_view is not None
            view = next_view.result()
            if step + 1 < steps.stop:
                next_view = reader.submit(read, step + 1)
            yield view
