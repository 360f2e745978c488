"""What people call the things in a view: masks and boxes by prompt.

A frame has either masks (`semsplat.data.mask_folders`) or polygons, as LERF-OVS stores them in
``annotations/{frame}.json``::

    {"info": {"name": "frame_00041.jpg", "width": 986, "height": 730},
     "objects": [{"category": "old camera", "bbox": [x1, y1, x2, y2],
                  "segmentation": [[x, y], ...]}]}

Pixels are counted from the centre of the top-left one, which is (0, 0); a box contains its corners.
A segmentation may also be flat ([x, y, x, y, ...]) or a list of several such polygons, as in COCO.
Further keys are allowed: the labelling tools write their own.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Annotated, Any

import cv2
import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, BeforeValidator, Field, ValidationError

from semsplat.data.mask_folders import Mask, read_masks
from semsplat.data.scene import Frame
from semsplat.errors import SemsplatError
from semsplat.io import read_json
from semsplat.verified import verified

Number = Annotated[float, Field(allow_inf_nan=False)]
Polygon = Annotated[list[tuple[Number, Number]], Field(min_length=1)]


def _polygons(value: Any) -> Any:
    """Return a segmentation as a list of polygons, each a list of points."""
    if not isinstance(value, list) or not value:
        return value
    if not isinstance(value[0], list):
        return [_points(value)]
    is_point = len(value[0]) == 2 and not isinstance(value[0][0], list)
    return [value] if is_point else [_points(polygon) for polygon in value]


def _points(polygon: Any) -> Any:
    """Return a polygon as a list of points; what is no flat list of numbers stays as it is."""
    if not isinstance(polygon, list) or not polygon or isinstance(polygon[0], list):
        return polygon
    return [polygon[start : start + 2] for start in range(0, len(polygon), 2)]


class _Object(BaseModel):
    """One labelled piece."""

    category: str = Field(min_length=1)
    bbox: tuple[Number, Number, Number, Number]
    segmentation: Annotated[
        list[Polygon], Field(min_length=1), BeforeValidator(_polygons, json_schema_input_type=list)
    ]


class _Info(BaseModel):
    """The picture that was labelled."""

    width: int
    height: int


class _File(BaseModel):
    """The whole file."""

    info: _Info
    objects: list[_Object]


@dataclass(frozen=True, eq=False)
class Annotation:
    """Everything of one category in one frame."""

    mask: Mask  # [H, W], all its objects together
    boxes: NDArray[np.float64]  # [B, 4] px: x1, y1, x2, y2, corners included; one per object, or
    # one around everything where a mask does not tell objects apart


def load_annotations(frame: Frame) -> dict[str, Annotation]:
    """Return {category: masks and boxes}, as the file names them first or as masks are named.

    Raises a one-line `SemsplatError` when the frame has no annotations, or they are missing,
    broken, about a picture of another size, or label something that lies outside the picture.
    """
    if frame.annotations_path is None:
        raise SemsplatError(f"frame '{frame.name}' is not annotated; add annotations_file_path")
    path, size = frame.annotations_path, (frame.width, frame.height)
    if path.is_dir():
        masks = read_masks(path, size)
        return {prompt: Annotation(mask, _box_around(mask)) for prompt, mask in masks.items()}
    return _by_category(_checked(read_json(verified(path)), size, str(path)), size, str(path))


def stored_annotations(frame: Frame) -> list[dict[str, Any]] | dict[str, Mask] | None:
    """Return what `SceneWriter.add_frame` takes to write the same again; None where nothing is."""
    if frame.annotations_path is None:
        return None
    if frame.annotations_path.is_dir():
        return read_masks(frame.annotations_path, (frame.width, frame.height))
    return read_json(verified(frame.annotations_path))["objects"]


def annotations_file(
    name: str, objects: list[dict[str, Any]], size: tuple[int, int], where: str
) -> dict[str, Any]:
    """Return the content of a frame's file; raise a `SemsplatError` for what cannot be read back.

    Args:
        name: the frame's.
        objects: [{"category", "bbox", "segmentation"}], further keys allowed.
        size: (width, height) of the picture.
        where: what the message starts with.
    """
    info = {"name": f"{name}.jpg", "width": size[0], "height": size[1]}
    content = {"info": info, "objects": objects}
    _by_category(_checked(content, size, where), size, where)
    return content


def _checked(content: Any, size: tuple[int, int], where: str) -> _File:
    """Return the parsed content; raise unless it is about a picture of this size."""
    try:
        parsed = _File.model_validate(content)
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(map(str, first["loc"])) or "the file"
        raise SemsplatError(f"{where}: {place}: {first['msg']}; correct the annotations") from None
    stated = parsed.info.width, parsed.info.height
    if stated != size:
        raise SemsplatError(
            f"{where}: about a picture of {stated[0]}x{stated[1]} pixels, but the frame has"
            f" {size[0]}x{size[1]}; scale the polygons and boxes with the images"
        )
    return parsed


def _by_category(parsed: _File, size: tuple[int, int], where: str) -> dict[str, Annotation]:
    """Return masks and boxes of every category."""
    categories = dict.fromkeys(entry.category for entry in parsed.objects)
    annotations = {}
    for category in categories:
        members = [entry for entry in parsed.objects if entry.category == category]
        mask = filled((p for entry in members for p in entry.segmentation), size)
        if not mask.any():
            raise SemsplatError(f"{where}: '{category}' lies outside the picture; remove it")
        annotations[category] = Annotation(mask, np.array([entry.bbox for entry in members]))
    return annotations


def _box_around(mask: Mask) -> NDArray[np.float64]:
    """Return the one box [1, 4] around everything in ``mask``."""
    (top, left), (bottom, right) = (edge(np.argwhere(mask), axis=0) for edge in (np.min, np.max))
    return np.array([[left, top, right, bottom]], dtype=np.float64)


def filled(polygons: Iterable[Polygon], size: tuple[int, int]) -> Mask:
    """Return the pixels [H, W] inside or on any polygon; coordinates are cut to whole pixels.

    LangSplat and GAGS fill the polygons of LERF-OVS in the same way.
    """
    mask = np.zeros(size[::-1], np.uint8)
    for polygon in polygons:
        cv2.fillPoly(mask, [np.array(polygon).astype(np.int32)], (1,))
    return mask.astype(bool)
