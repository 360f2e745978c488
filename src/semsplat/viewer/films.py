"""Pictures from many cameras as files: PNG, EXR, numbers, or a film."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from semsplat.arrays import write_arrays
from semsplat.data.images import write_png
from semsplat.data.scene import Viewpoint
from semsplat.errors import SemsplatError
from semsplat.field.cameras import flight, read_cameras
from semsplat.field.field import Field
from semsplat.io import atomic_path
from semsplat.log import progress
from semsplat.viewer.channels import Channel, Shown

Kind = Literal["png", "exr", "npz", "mp4"]
FRAMES_PER_SECOND = 24
FLIGHT_VIEWS = 120
"""Five seconds."""
GROUPS = ("train", "test", "all", "flight")


def cameras_named(field: Field, named: str) -> Sequence[Viewpoint]:
    """Return the cameras that a word or a file names.

    Args:
        field: whose scene's cameras are meant.
        named: train, test, all, flight (a smooth way along the training cameras), the name of a
            view, or a file of nerfstudio's camera paths.

    Raises:
        SemsplatError: there is no such view or file, or the scene is not there.
    """
    if Path(named).suffix == ".json":
        return read_cameras(Path(named))
    if field.scene is None:
        raise SemsplatError(
            f"{field.path}: without its scene there is no '{named}'; name a camera path (.json)"
        )
    if named not in GROUPS:
        return [field.camera(named)]
    if named == "flight":
        return flight(field.scene, FLIGHT_VIEWS)
    views = {"train": field.scene.train, "test": field.scene.test, "all": field.scene.frames}
    return views[named]


def write_pictures(
    shown: Shown, cameras: Sequence[Viewpoint], channel: Channel, kind: Kind, folder: Path
) -> None:
    """Write ``{camera}.{kind}`` of every camera, or one film ``{channel}.mp4``.

    png holds what `Shown.picture` draws; exr and npz hold numbers (`numbers_of`).

    Raises:
        SemsplatError: the field cannot show the channel, or there can be no film of the pictures.
    """
    shown.check(channel)
    drawn = ((c, shown.picture(c, channel)) for c in progress(cameras, channel))
    if kind == "mp4":
        _write_film(folder / f"{channel}.mp4", [picture for _, picture in drawn])
    elif kind == "png":
        for camera, picture in drawn:
            write_png(folder / f"{camera.name}.png", picture)
    else:
        for camera in progress(cameras, channel):
            values = numbers_of(shown, camera, channel)
            path = folder / f"{camera.name}.{kind}"
            if kind == "npz":
                write_arrays(path, {channel: values})
            else:
                _write_exr(path, channel, values.astype(np.float32))


def numbers_of(shown: Shown, camera: Viewpoint, channel: Channel) -> NDArray[Any]:
    """Return what a channel's picture is drawn from.

    colours: uint8 [H, W, 3]; depth: float32 [H, W], scene units; classes: uint16 [H, W]; features:
    float32 [H, W, D]; relevancy of the prompt: float32 [H, W]; selection: bool [H, W].
    """
    shown.check(channel)
    if channel == "relevancy":
        return shown.field.relevancy(camera, [shown.prompt])[0]
    if channel == "selection":
        assert shown.selection is not None
        return shown.selection.mask(camera)
    values: NDArray[Any] = getattr(shown.field, channel)(camera)
    return values


def _write_exr(path: Path, channel: str, values: NDArray[np.float32]) -> None:
    """Write numbers [H, W] or [H, W, D] as channels Y, or channel.0, channel.1 ..."""
    import OpenEXR

    planes = np.atleast_3d(values)
    names = ["Y"] if values.ndim == 2 else [f"{channel}.{i:03}" for i in range(planes.shape[2])]
    channels = {n: np.ascontiguousarray(planes[..., i]) for i, n in enumerate(names)}
    header = {"compression": OpenEXR.ZIP_COMPRESSION, "type": OpenEXR.scanlineimage}
    with atomic_path(path) as partial, OpenEXR.File(header, channels) as file:
        file.write(str(partial))


def _write_film(path: Path, pictures: Sequence[NDArray[np.uint8]]) -> None:
    """Write a film that browsers play; odd rows and columns at the end are left out."""
    from imageio_ffmpeg import write_frames

    sizes = {picture.shape[:2] for picture in pictures}
    if len(sizes) > 1 or min(side for size in sizes for side in size) < 2:
        raise SemsplatError("mp4: cameras of one size of 2x2 px or more make a film; write png")
    height, width = (2 * (side // 2) for side in pictures[0].shape[:2])
    with atomic_path(path) as partial:
        film = write_frames(
            str(partial), (width, height), fps=FRAMES_PER_SECOND, macro_block_size=2
        )
        film.send(None)
        for picture in pictures:
            film.send(np.ascontiguousarray(picture[:height, :width]))
        film.close()
