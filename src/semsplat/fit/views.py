"""Training views, one in memory at a time (and the next one on its way)."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import cv2
import numpy as np
import torch
from torch import Tensor

from semsplat.data.scene import Frame, load_image


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


def camera_of(frame: Frame, scale: float, device: str) -> Camera:
    """Return the camera of a frame whose image is resized by ``scale``."""
    width, height = round(frame.width * scale), round(frame.height * scale)
    K = frame.K.copy()
    K[0] *= width / frame.width
    K[1] *= height / frame.height
    viewmat, intrinsics = (torch.from_numpy(m).float().to(device) for m in (frame.viewmat, K))
    return Camera(frame.name, viewmat, intrinsics, width, height)


def load_view(frame: Frame, scale: float, device: str) -> View:
    """Read a frame's image, resized by ``scale`` (area average), with the camera to match."""
    image, camera = load_image(frame), camera_of(frame, scale, device)
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

    def read(step: int) -> View:
        return load_view(frames[frame_at(step, len(frames), seed)], scale(step), device)

    with ThreadPoolExecutor(1) as reader:
        ahead = reader.submit(read, steps.start) if steps else None
        for step in steps:
            assert ahead is not None
            view = ahead.result()
            if step + 1 < steps.stop:
                ahead = reader.submit(read, step + 1)
            yield view
